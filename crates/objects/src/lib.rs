// SPDX-License-Identifier: GPL-2.0-or-later
//! The object namespace: object directories, DOS devices, known DLLs, and their security
//! descriptors (spec 2.2, 3, 7, 9.2 #1).
//!
//! What the registry says comes in as plain names and targets; what comes out are permanent
//! objects, and the few handles that are kept.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod boot_directory;
mod directories;
mod dll_list;
mod dos_devices;
pub mod image;
mod known_dlls;
mod security;

pub use boot_directory::write_boot_directory;
pub use directories::{object_directory, sessions};
pub use dos_devices::dos_devices;
pub use known_dlls::{BadImage, Failure, KnownDlls};
pub use security::Protection;
