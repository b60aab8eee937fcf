// SPDX-License-Identifier: GPL-2.0-or-later
//! Input and output: volumes, and what is open on them.
//!
//! The file systems themselves are in the crate `formats`. [`volume`] puts one face on them;
//! [`mod@file`] is what is open. The services around them are in [`crate::system`].

pub mod file;
mod locking;
pub mod manager;
mod sharing;
pub mod volume;

pub use file::{Device, DeviceKind, File, FileId};
pub use manager::{Io, PageFile};
pub use volume::Volume;
