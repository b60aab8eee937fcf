// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration manager: the registry and its services.

pub mod boot;
pub mod registry;
#[cfg(test)]
mod tests;

pub use registry::{KeyRef, Registry};

/// The body of a key object: which key it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBody {
    /// The key.
    pub key: KeyRef,
}

pub use crate::awaited::{NO_HOOKS as KEY_HOOKS, no_name as name_of};
