// SPDX-License-Identifier: GPL-2.0-or-later
//! Input and output: sector devices, file systems, volumes, file objects and their services.
//!
//! [`sectors`], [`fat`] and [`iso9660`] know nothing of the executive and serve the build tools on
//! the host as well. [`volume`] puts one face on them; [`file`] is what is open; the rest are the
//! services.

pub mod fat;
pub mod file;
pub mod information;
pub mod iso9660;
pub mod mount;
pub mod open;
pub mod paging;
pub mod query;
pub mod sectors;
#[cfg(test)]
mod service_tests;
pub mod transfer;
pub mod volume;

pub use file::{Device, DeviceKind, File, Io};
pub use information::{drive_type, name_of};
pub use open::{CreateRequest, DEVICE_HOOKS, Disposition, FILE_HOOKS};
pub use transfer::At;
