// SPDX-License-Identifier: GPL-2.0-or-later
//! Registry hives: the regf file format, and the tree of keys and values that it holds.
//!
//! A hive is read whole into a tree ([`Hive::parse`]), changed there, and written whole
//! ([`Hive::serialise`]). Hives are made from `.reg` text by [`reg_text`].
//!
//! Invariants: a key's subkeys are sorted by upcased name and no two are equal; a key's values keep
//! the order in which they were made, which is the order of enumeration (spec 5.1, row 4); a file
//! that breaks a rule of the format is an error that names the offset of the cell, never a panic
//! and never a tree that is half right. Volatile keys live in the tree and are left out of the
//! file.

mod log;
mod read;
pub mod reg_text;
mod tree;
mod write;

#[cfg(test)]
mod independent;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use nt::Status;

/// Names a key of one hive. Never used again once its key is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) u32);

/// One value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The name; empty for the default value.
    pub name: Vec<u16>,
    /// `REG_` type, any number.
    pub kind: u32,
    /// The data, of any length.
    pub data: Vec<u8>,
}

/// One key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The name as it was written.
    pub name: Vec<u16>,
    /// The class, often empty; bytes as they stand in the file.
    pub class: Vec<u8>,
    /// When it or a value of it was last written: 100 ns units since 1601.
    pub last_write: u64,
    /// Whether it is lost when the system stops.
    pub volatile: bool,
    /// Whether it is a symbolic link to another key (its target is the value `SymbolicLinkValue`).
    pub link: bool,
    pub(crate) folded: Vec<u16>,
    pub(crate) parent: Option<KeyId>,
    pub(crate) subkeys: Vec<KeyId>,
    pub(crate) values: Vec<Value>,
    pub(crate) security: usize,
}

impl Key {
    /// The values, in the order of enumeration.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The subkeys, in the order of enumeration.
    pub fn subkeys(&self) -> &[KeyId] {
        &self.subkeys
    }

    /// The key above; none for the root.
    pub fn parent(&self) -> Option<KeyId> {
        self.parent
    }
}

/// A hive in memory.
#[derive(Clone, Debug)]
pub struct Hive {
    keys: BTreeMap<KeyId, Key>,
    next: u32,
    root: KeyId,
    security: Vec<Vec<u8>>,
    /// The file name that stands in the base block; at most 31 units are kept.
    pub file_name: Vec<u16>,
    /// Minor version of the format, 3 to 6. From 4 on, data longer than 16344 bytes is split into
    /// `db` segments.
    pub minor_version: u32,
    /// How often the file was written.
    pub sequence: u32,
}

/// A file that is not a good hive: where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HiveError {
    /// Offset in the file, bytes.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for HiveError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "hive, offset {:#x}: {}", self.offset, self.reason)
    }
}

impl core::error::Error for HiveError {}

/// Why the tree refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// The key is not in this hive, or not any more.
    NoSuchKey,
    /// A subkey of that name exists.
    Exists,
    /// A key with subkeys cannot be deleted.
    HasSubkeys,
    /// The root cannot be deleted or renamed.
    IsRoot,
    /// A stable key cannot be made under a volatile one.
    ParentVolatile,
    /// No value of that name.
    NoSuchValue,
    /// The name is empty, longer than 255 units, or has a backslash.
    BadName,
}

impl From<TreeError> for Status {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::NoSuchKey => Self::KEY_DELETED,
            TreeError::Exists => Self::OBJECT_NAME_COLLISION,
            TreeError::HasSubkeys | TreeError::IsRoot => Self::CANNOT_DELETE,
            TreeError::ParentVolatile => Self::CHILD_MUST_BE_VOLATILE,
            TreeError::NoSuchValue => Self::OBJECT_NAME_NOT_FOUND,
            TreeError::BadName => Self::OBJECT_NAME_INVALID,
        }
    }
}

/// The largest key name, in units.
pub const MAX_KEY_NAME: usize = 255;
/// The largest value name, in units.
pub const MAX_VALUE_NAME: usize = 16383;
/// The most bytes of data in one cell before format 1.4's `db` takes over.
pub(crate) const BIG_DATA_SEGMENT: usize = 16344;
pub(crate) const BASE_BLOCK: usize = 4096;
pub(crate) const BIN_HEADER: usize = 32;
pub(crate) const NO_CELL: u32 = u32::MAX;
