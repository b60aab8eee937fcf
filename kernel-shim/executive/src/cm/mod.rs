// SPDX-License-Identifier: GPL-2.0-or-later
//! The configuration manager: the registry.
//!
//! [`registry`] is the tree; [`boot`] is what the kernel writes into it. Key objects and hive files
//! are around it, in [`crate::system`].

pub mod boot;
pub mod registry;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

pub use registry::{KeyRef, Registry};

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

/// What NtQueryKey and NtEnumerateKey tell of a key.
#[derive(Clone, Debug, Default)]
pub struct KeyFacts {
    /// 100 ns since 1601.
    pub last_write: u64,
    /// Its own name.
    pub name: Vec<u16>,
    /// Its full path, for the name class.
    pub path: Vec<u16>,
    /// Its class.
    pub class: Vec<u16>,
    /// How many subkeys.
    pub subkeys: u32,
    /// How many values.
    pub values: u32,
    /// Longest subkey name, bytes.
    pub longest_name: u32,
    /// Longest subkey class, bytes.
    pub longest_class: u32,
    /// Longest value name, bytes.
    pub longest_value_name: u32,
    /// Longest value data, bytes.
    pub longest_value_data: u32,
}
