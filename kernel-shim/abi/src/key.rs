// SPDX-License-Identifier: GPL-2.0-or-later
//! Values of registry keys: what comes before name and data.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// KEY_VALUE_PARTIAL_INFORMATION; the data follows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ValuePartial {
    /// 0.
    pub title_index: u32,
    /// `REG_`.
    pub kind: u32,
    /// Bytes.
    pub data_length: u32,
}

layout!(ValuePartial {
    size: 0xC,
    kind: 0x4,
    data_length: 0x8
});

/// KEY_VALUE_FULL_INFORMATION; the name follows, the data is at its offset.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ValueFull {
    /// 0.
    pub title_index: u32,
    /// `REG_`.
    pub kind: u32,
    /// From the start of this structure; all ones if there is no data.
    pub data_offset: u32,
    /// Bytes.
    pub data_length: u32,
    /// Bytes.
    pub name_length: u32,
}

layout!(ValueFull {
    size: 0x14,
    kind: 0x4,
    data_offset: 0x8,
    data_length: 0xC,
    name_length: 0x10
});
