// SPDX-License-Identifier: GPL-2.0-or-later
//! The formats that the shim reads and writes: what lies on disks, in hives and in images.
//!
//! Nothing here knows the executive. A format is bytes in, values out and back again, so that the
//! shim's kernel, its ntdll.dll, the build tools and the fuzz targets share one reader of each.
//!
//! | module | format |
//! |---|---|
//! | [`sectors`] | devices of 512-byte sectors |
//! | [`partitions`] | the partitions of a disk |
//! | [`fat`] | FAT volumes, read and write |
//! | [`iso9660`] | ISO 9660 and Joliet discs |
//! | [`code_page`] | code pages, for short FAT names and ANSI `.reg` text |
//! | [`hive`] | registry hives (regf) and `.reg` text |
//! | [`pe`] | portable executables: one reader, and one builder for tests and stand-ins |
//!
//! Beside them [`utf16`] and [`utf16_bytes`]: Rust text as all of these store it.
//!
//! Invariants: nothing panics on any input; what is wrong is an error that says so with an NTSTATUS
//! or a place in the file; no function keeps a device or a buffer that it was lent.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bytes;
pub mod code_page;
pub mod fat;
pub mod hive;
pub mod iso9660;
pub mod partitions;
mod path;
pub mod pe;
pub mod sectors;
mod text;

pub use text::{utf16, utf16_bytes};
