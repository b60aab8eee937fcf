// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration manager: the registry and its services.
//!
//! [`registry`] is the tree; [`boot`] is what the kernel writes into it; [`hives`] are its files;
//! [`services`] are the key objects.

pub mod boot;
pub mod hives;
pub mod registry;
pub mod services;
#[cfg(test)]
mod tests;

pub use registry::{KeyRef, Registry};
pub use services::{KEY_HOOKS, name_of};

/// `REG_OPTION_VOLATILE`.
pub const REG_OPTION_VOLATILE: u32 = 1;
/// `REG_OPTION_CREATE_LINK`.
pub const REG_OPTION_CREATE_LINK: u32 = 2;

/// The body of a key object: which key it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBody {
    /// The key.
    pub key: KeyRef,
}
