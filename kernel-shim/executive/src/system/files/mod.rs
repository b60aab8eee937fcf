// SPDX-License-Identifier: GPL-2.0-or-later
//! Files' surroundings: disks as they are mounted, the [`open`]ing of files by name, what
//! can be asked and set ([`information`], [`query`]), the [`transfer`] of bytes, paging files.

mod close;
mod create;
pub mod information;
mod mount;
mod names;
pub mod open;
mod paging;
pub mod query;
pub mod request;
#[cfg(test)]
mod tests;
pub mod transfer;

use crate::ob::Hooks;
use crate::system::Executive;

pub use request::{CreateRequest, Disposition};
pub use transfer::At;

/// The hooks of device objects.
pub const DEVICE_HOOKS: Hooks<Executive> = Hooks {
    parse: Some(names::parse_device),
    ..Hooks::NONE
};

/// The hooks of file objects.
pub const FILE_HOOKS: Hooks<Executive> = Hooks {
    parse: Some(names::parse_file),
    close: Some(close::close),
    delete: Some(close::delete),
    name: Some(information::name_of),
    ..Hooks::NONE
};
