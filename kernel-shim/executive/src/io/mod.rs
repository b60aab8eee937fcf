// SPDX-License-Identifier: GPL-2.0-or-later
//! Input and output: volumes, file objects and their services.
//!
//! The file systems themselves are in the crate `formats`. [`volume`] puts one face on them;
//! [`mod@file`] is what is open; the rest are the services.

pub mod file;
pub mod information;
pub mod mount;
pub mod open;
pub mod paging;
pub mod query;
#[cfg(test)]
mod service_tests;
pub mod transfer;
pub mod volume;

pub use file::{Device, DeviceKind, File, Io};
pub use information::{drive_type, name_of};
pub use open::{CreateRequest, DEVICE_HOOKS, Disposition, FILE_HOOKS};
pub use transfer::At;
