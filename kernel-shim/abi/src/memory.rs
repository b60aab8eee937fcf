// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory: protections, kinds of allocation, what a query tells.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `PAGE_NOACCESS`.
pub const PAGE_NOACCESS: u32 = 0x01;
/// `PAGE_READONLY`.
pub const PAGE_READONLY: u32 = 0x02;
/// `PAGE_READWRITE`.
pub const PAGE_READWRITE: u32 = 0x04;
/// `PAGE_WRITECOPY`.
pub const PAGE_WRITECOPY: u32 = 0x08;
/// `PAGE_EXECUTE`.
pub const PAGE_EXECUTE: u32 = 0x10;
/// `PAGE_EXECUTE_READ`.
pub const PAGE_EXECUTE_READ: u32 = 0x20;
/// `PAGE_EXECUTE_READWRITE`.
pub const PAGE_EXECUTE_READWRITE: u32 = 0x40;
/// `PAGE_EXECUTE_WRITECOPY`.
pub const PAGE_EXECUTE_WRITECOPY: u32 = 0x80;
/// `PAGE_GUARD`.
pub const PAGE_GUARD: u32 = 0x100;
/// `PAGE_NOCACHE`.
pub const PAGE_NOCACHE: u32 = 0x200;
/// `PAGE_WRITECOMBINE`.
pub const PAGE_WRITECOMBINE: u32 = 0x400;

/// `MEM_COMMIT`.
pub const MEM_COMMIT: u32 = 0x1000;
/// `MEM_RESERVE`.
pub const MEM_RESERVE: u32 = 0x2000;
/// `MEM_DECOMMIT`.
pub const MEM_DECOMMIT: u32 = 0x4000;
/// `MEM_RELEASE`.
pub const MEM_RELEASE: u32 = 0x8000;
/// `MEM_FREE`.
pub const MEM_FREE: u32 = 0x1_0000;
/// `MEM_PRIVATE`.
pub const MEM_PRIVATE: u32 = 0x2_0000;
/// `MEM_MAPPED`.
pub const MEM_MAPPED: u32 = 0x4_0000;
/// `MEM_RESET`.
pub const MEM_RESET: u32 = 0x8_0000;
/// `MEM_TOP_DOWN`.
pub const MEM_TOP_DOWN: u32 = 0x10_0000;
/// `MEM_IMAGE`.
pub const MEM_IMAGE: u32 = 0x100_0000;

/// `SEC_BASED`: every process sees the section at one address.
pub const SEC_BASED: u32 = 0x20_0000;
/// `SEC_NO_CHANGE`.
pub const SEC_NO_CHANGE: u32 = 0x40_0000;
/// `SEC_FILE`.
pub const SEC_FILE: u32 = 0x80_0000;
/// `SEC_IMAGE`.
pub const SEC_IMAGE: u32 = 0x100_0000;
/// `SEC_RESERVE`.
pub const SEC_RESERVE: u32 = 0x400_0000;
/// `SEC_COMMIT`.
pub const SEC_COMMIT: u32 = 0x800_0000;
/// `SEC_NOCACHE`.
pub const SEC_NOCACHE: u32 = 0x1000_0000;

/// MEMORY_BASIC_INFORMATION (NtQueryVirtualMemory).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct MemoryBasic<P: Pointer> {
    /// Of the region.
    pub base: P,
    /// Of what was allocated.
    pub allocation_base: P,
    /// `PAGE_`.
    pub allocation_protection: u32,
    pub padding0: P::Padding,
    /// Bytes of the region.
    pub size: P,
    /// `MEM_`.
    pub state: u32,
    /// `PAGE_`.
    pub protection: u32,
    /// `MEM_`.
    pub kind: u32,
    pub padding1: P::Padding,
}

layout!(MemoryBasic<P> { size: 0x30 | 0x1C, allocation_base: 0x8 | 0x4, size: 0x18 | 0xC, state: 0x20 | 0x10, kind: 0x28 | 0x18 });

/// SECTION_BASIC_INFORMATION (NtQuerySection class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct SectionBasic<P: Pointer> {
    /// For a based section.
    pub base: P,
    /// `SEC_`.
    pub attributes: u32,
    pub padding: P::Padding,
    /// Bytes.
    pub size: u64,
}

layout!(SectionBasic<P> { size: 0x18 | 0x10, attributes: 0x8 | 0x4, size: 0x10 | 0x8 });
