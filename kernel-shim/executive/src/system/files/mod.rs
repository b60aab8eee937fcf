// SPDX-License-Identifier: GPL-2.0-or-later
//! Files' surroundings: disks as they are mounted, the [`open`]ing of files by name, what
//! can be asked and set ([`information`], [`query`]), the [`transfer`] of bytes, paging files.

pub mod information;
mod mount;
pub mod open;
mod paging;
pub mod query;
#[cfg(test)]
mod tests;
pub mod transfer;

pub use open::{CreateRequest, DEVICE_HOOKS, Disposition, FILE_HOOKS};
pub use transfer::At;
