// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be queried about objects.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use crate::UnicodeString;
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// OBJECT_DIRECTORY_INFORMATION.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct DirectoryEntry<P: Pointer> {
    /// The object's.
    pub name: UnicodeString<P>,
    /// Its type's.
    pub kind: UnicodeString<P>,
}

layout!(DirectoryEntry<P> { size: 0x20 | 0x10, kind: 0x10 | 0x8 });

/// OBJECT_BASIC_INFORMATION (NtQueryObject class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ObjectBasic {
    /// `OBJ_` bits of the handle.
    pub attributes: u32,
    /// Granted.
    pub access: u32,
    /// How many in the system.
    pub handles: u32,
    /// Pointers, handles included.
    pub references: u32,
    /// 0.
    pub paged_pool: u32,
    /// 0.
    pub nonpaged_pool: u32,
    /// 0.
    pub reserved: [u32; 3],
    /// Bytes of name information.
    pub name_size: u32,
    /// Bytes of type information.
    pub type_size: u32,
    /// Bytes of the security descriptor.
    pub security_size: u32,
    /// 100 ns since 1601; symbolic links only.
    pub create_time: u64,
}

layout!(ObjectBasic {
    size: 0x38,
    name_size: 0x24,
    security_size: 0x2C,
    create_time: 0x30
});
