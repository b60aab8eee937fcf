// SPDX-License-Identifier: GPL-2.0-or-later
//! Input and output: sector devices, file systems, volumes, file objects and their services.
//!
//! [`sectors`], [`fat`] and [`iso9660`] know nothing of the executive and serve the build tools on the host as well. [`volume`] puts one
//! face on them; [`file`] is what is open; the rest are the services.

pub mod fat;
pub mod file;
pub mod iso9660;
pub mod sectors;
pub mod volume;

pub use crate::awaited::{NO_HOOKS as DEVICE_HOOKS, NO_HOOKS as FILE_HOOKS, no_drive as drive_type, no_name as name_of};
pub use file::{Device, DeviceKind, File, Io};
