// SPDX-License-Identifier: GPL-2.0-or-later
//! The binary interface of NT 5.2: structures as they lie in memory, and the numbers that go with
//! them (spec 13.4).
//!
//! Both sides of the system-call boundary take their layouts from here, so that an offset is
//! written once: `crates/ntdll` and the shim's `ntdll.dll` above it, the executive below it. What
//! is said with these layouts (how a message is encoded, which value is refused) is written on each
//! side by itself: if that were shared, so would be its errors.
//!
//! A structure with pointers in it is generic over their width, [`Pointer`]: `u64` for an x86-64
//! NT, `u32` for an i386 one. It is packed, so its layout is exactly what is written down, padding
//! included. The macro `layout!` holds its size and its offsets, for both widths, at compile time.
//! The derive `Widths` takes it from one width to the other, so that a kernel of 64 bits can serve
//! programs of 32.
//!
//! Invariants, held by a lint in `xtask`: plain data only. Integers, arrays of them, pointers as
//! numbers, other layouts; no Rust `enum`, no `bool`, no reference, no function.
#![no_std]
#![forbid(unsafe_code)]

#[macro_use]
mod layout;

pub mod amd64;
pub mod base;
pub mod file;
pub mod i386;
pub mod key;
pub mod loader;
pub mod memory;
pub mod object;
pub mod port;
pub mod process;
pub mod shared_data;
pub mod system;
mod width;

pub use base::{
    ClientId, IoStatusBlock, ListEntry, LuidAndAttributes, ObjectAttributes, QualityOfService,
    SidAndAttributes, UnicodeString,
};
pub use width::{Native, Pointer};
