// SPDX-License-Identifier: GPL-2.0-or-later
//! Files and volumes: what can be queried about them and what can be set.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// FILE_BASIC_INFORMATION.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FileBasic {
    /// 100 ns since 1601.
    pub created: u64,
    /// 100 ns since 1601.
    pub accessed: u64,
    /// 100 ns since 1601.
    pub written: u64,
    /// 100 ns since 1601.
    pub changed: u64,
    /// `FILE_ATTRIBUTE_`.
    pub attributes: u32,
    pub padding: u32,
}

layout!(FileBasic {
    size: 0x28,
    attributes: 0x20
});

/// FILE_STANDARD_INFORMATION.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FileStandard {
    /// Bytes on the volume.
    pub allocation: u64,
    /// Bytes.
    pub end_of_file: u64,
    /// Names.
    pub links: u32,
    /// Whether it goes with its last handle.
    pub delete_pending: u8,
    /// Whether it is one.
    pub directory: u8,
    pub padding: u16,
}

layout!(FileStandard {
    size: 0x18,
    end_of_file: 0x8,
    links: 0x10,
    directory: 0x15
});

/// FILE_RENAME_INFORMATION as far as its name, which follows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct FileRename<P: Pointer> {
    /// 1: a target that exists is replaced.
    pub replace: u8,
    pub padding0: [u8; 3],
    pub padding1: P::Padding,
    /// The directory that the name begins at, or null.
    pub root: P,
    /// Bytes.
    pub name_length: u32,
}

layout!(FileRename<P> { size: 0x14 | 0xC, root: 0x8 | 0x4, name_length: 0x10 | 0x8 });

/// FILE_NETWORK_OPEN_INFORMATION (NtQueryFullAttributesFile).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FileNetworkOpen {
    /// 100 ns since 1601.
    pub created: u64,
    /// 100 ns since 1601.
    pub accessed: u64,
    /// 100 ns since 1601.
    pub written: u64,
    /// 100 ns since 1601.
    pub changed: u64,
    /// Bytes on the volume.
    pub allocation: u64,
    /// Bytes.
    pub end_of_file: u64,
    /// `FILE_ATTRIBUTE_`.
    pub attributes: u32,
    pub padding: u32,
}

layout!(FileNetworkOpen {
    size: 0x38,
    attributes: 0x30
});

/// FILE_FS_SIZE_INFORMATION.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FsSize {
    /// Allocation units.
    pub total: u64,
    /// Allocation units.
    pub available: u64,
    pub sectors_per_unit: u32,
    pub bytes_per_sector: u32,
}

layout!(FsSize {
    size: 0x18,
    sectors_per_unit: 0x10
});

/// FILE_FS_DEVICE_INFORMATION.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FsDevice {
    /// `FILE_DEVICE_`.
    pub kind: u32,
    /// `FILE_` device bits.
    pub characteristics: u32,
}

layout!(FsDevice {
    size: 0x8,
    characteristics: 0x4
});
