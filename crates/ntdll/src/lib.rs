// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam on the real thing: the traits of [`nt::system`] over `ntdll.dll`.
//!
//! Everything a native program of this project needs below its safe code is here: the start of the
//! process ([`program!`]), its end (a panic, an unhandled exception), the `log` backend, and
//! [`Native`], the seam. With the shim's machine layer this is the only room where `unsafe` is
//! allowed.
//!
//! Invariants:
//! * only `ntdll.dll` is imported, and of it only what ReactOS exports for NT 5.2 (nothing marked
//!   6.0 or later);
//! * no heap of our own: what `RtlCreateProcessParameters` allocates, it frees again before the
//!   call returns;
//! * a value that comes back from the kernel is taken as it is, a pointer that comes back is used
//!   only for the bytes it was asked for;
//! * declarations are `ntapi`'s; what a call relies on of a layout is asserted in [`layout`].
#![no_std]
#![cfg(windows)]

mod convert;
mod entry;
mod exception;
mod files;
mod guarded;
mod imports;
mod layout;
mod logger;
mod machine;
mod memory;
mod objects;
mod own_process;
mod page_pool;
mod paths;
mod port_views;
mod ports;
mod processes;
mod registry;
mod scratch;
mod tokens;

pub use entry::{Program, image_name, start};
pub use exception::Fatal;
pub use logger::install_log;
pub use memory::{Pages, View};

/// The kernel below `ntdll.dll`, as the seam's value. It holds nothing: all state is the kernel's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;
