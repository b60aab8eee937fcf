// SPDX-License-Identifier: GPL-2.0-or-later
//! The loader's list of modules, as debuggers and other programs read it.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use crate::{ListEntry, UnicodeString};
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// PEB_LDR_DATA.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct LoaderData<P: Pointer> {
    /// The structure's own size.
    pub length: u32,
    pub initialized: u8,
    pub padding: [u8; 3],
    pub handle: P,
    pub in_load_order: ListEntry<P>,
    pub in_memory_order: ListEntry<P>,
    pub in_initialization_order: ListEntry<P>,
    pub in_progress: P,
}

layout!(LoaderData<P> { size: 0x48 | 0x28, in_load_order: 0x10 | 0xC, in_initialization_order: 0x30 | 0x1C });

/// LDR_DATA_TABLE_ENTRY.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct LoaderEntry<P: Pointer> {
    pub in_load_order: ListEntry<P>,
    pub in_memory_order: ListEntry<P>,
    pub in_initialization_order: ListEntry<P>,
    pub base: P,
    pub entry_point: P,
    pub size: u32,
    pub padding0: P::Padding,
    pub full_name: UnicodeString<P>,
    pub base_name: UnicodeString<P>,
    pub flags: u32,
    pub load_count: u16,
    pub tls_index: u16,
    pub hash_links: ListEntry<P>,
    pub time_stamp: u32,
    pub padding1: P::Padding,
    pub activation_context: P,
    pub patch: P,
}

layout!(LoaderEntry<P> { size: 0x98 | 0x50, base: 0x30 | 0x18, full_name: 0x48 | 0x24, base_name: 0x58 | 0x2C, load_count: 0x6C | 0x38, hash_links: 0x70 | 0x3C, patch: 0x90 | 0x4C });
