// SPDX-License-Identifier: GPL-2.0-or-later
//! Input and output: sector devices, file systems, file objects.
//!
//! [`sectors`], [`fat`] and [`iso9660`] know nothing of the executive and serve the build tools on the host as well.

pub mod fat;
pub mod iso9660;
pub mod sectors;
