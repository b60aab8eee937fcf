// SPDX-License-Identifier: GPL-2.0-or-later
//! The ntdll.dll of the shim: what the kernel starts a thread in, what an image imports, and the
//! loader between the two.
//!
//! It keeps ReactOS' contract on both sides, on x86-64 and on i386. Towards the kernel: system-call numbers, the
//! frames of the user-mode dispatchers, the debug service at interrupt 0x2D. Towards images: export
//! names, signatures, structure layouts. So the same kernel runs ReactOS' own ntdll.dll, and an
//! image cannot tell which of the two it runs on, as far as this one goes.
//!
//! Functions that are not implemented are not exported either, so that an image which needs one
//! fails to load with ENTRYPOINT_NOT_FOUND and the name. Of exception handling on x86-64 only
//! the vectored part is there: no function table is searched and no frame is unwound, so an exception
//! that no vectored handler takes is unhandled. On i386 the chain of handlers in the frames is there as
//! well.
//!
//! Invariants: nothing is imported; all state is in this process's memory; the calling process is
//! trusted with itself, so a pointer argument is used as it is, as in any ntdll.
#![no_std]
#![cfg_attr(windows, no_main)]
#![cfg_attr(windows, feature(c_variadic))]

#[cfg(windows)]
extern crate alloc;

#[cfg(windows)]
mod crt;
#[cfg(windows)]
mod debug;
#[cfg(windows)]
mod exception;
#[cfg(windows)]
mod format;
#[cfg(windows)]
mod heap;
#[cfg(windows)]
mod ldr;
#[cfg(windows)]
#[cfg_attr(target_arch = "x86_64", path = "amd64/mod.rs")]
#[cfg_attr(target_arch = "x86", path = "i386/mod.rs")]
mod machine;
#[cfg(windows)]
mod rtl;
#[cfg(windows)]
mod support;

#[cfg(not(windows))]
compile_error!("this DLL is for the NT target: cargo xtask builds it");
