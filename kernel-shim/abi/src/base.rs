// SPDX-License-Identifier: GPL-2.0-or-later
//! What nearly every call takes: strings, names of objects, ids, results.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// UNICODE_STRING.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct UnicodeString<P: Pointer> {
    /// Bytes of text.
    pub length: u16,
    /// Bytes of the buffer.
    pub maximum_length: u16,
    pub padding: P::Padding,
    /// Where the text is.
    pub buffer: P,
}

layout!(UnicodeString<P> { size: 0x10 | 0x8, buffer: 0x8 | 0x4 });

/// LIST_ENTRY.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ListEntry<P: Pointer> {
    /// Where the next entry, or the head, is.
    pub next: P,
    /// Where the entry before, or the head, is.
    pub previous: P,
}

layout!(ListEntry<P> { size: 0x10 | 0x8, previous: 0x8 | 0x4 });

/// CLIENT_ID.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ClientId<P: Pointer> {
    /// Process id.
    pub process: P,
    /// Thread id.
    pub thread: P,
}

layout!(ClientId<P> { size: 0x10 | 0x8, thread: 0x8 | 0x4 });

/// OBJECT_ATTRIBUTES.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ObjectAttributes<P: Pointer> {
    /// The structure's own size.
    pub length: u32,
    pub padding0: P::Padding,
    /// `RootDirectory`.
    pub root: P,
    /// Where the name's UNICODE_STRING is.
    pub name: P,
    /// `OBJ_` bits.
    pub attributes: u32,
    pub padding1: P::Padding,
    /// Where the absolute or self-relative security descriptor is.
    pub security: P,
    /// Where the SECURITY_QUALITY_OF_SERVICE is.
    pub quality_of_service: P,
}

layout!(ObjectAttributes<P> { size: 0x30 | 0x18, root: 0x8 | 0x4, name: 0x10 | 0x8, attributes: 0x18 | 0xC, security: 0x20 | 0x10, quality_of_service: 0x28 | 0x14 });

/// IO_STATUS_BLOCK.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct IoStatusBlock<P: Pointer> {
    /// NTSTATUS.
    pub status: u32,
    pub padding: P::Padding,
    /// Bytes moved, or what was done.
    pub information: P,
}

layout!(IoStatusBlock<P> { size: 0x10 | 0x8, information: 0x8 | 0x4 });

/// SECURITY_QUALITY_OF_SERVICE (spec 10.2).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct QualityOfService {
    /// Ignored.
    pub length: u32,
    /// Impersonation level.
    pub level: u32,
    /// 1: dynamic.
    pub tracking: u8,
    /// 1: only what is enabled counts.
    pub effective_only: u8,
    pub padding: u16,
}

layout!(QualityOfService {
    size: 0xC,
    level: 0x4,
    tracking: 0x8,
    effective_only: 0x9
});

/// LUID_AND_ATTRIBUTES (spec 0.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct LuidAndAttributes {
    /// Low and high part.
    pub luid: [u32; 2],
    /// 2 is enabled.
    pub attributes: u32,
}

layout!(LuidAndAttributes {
    size: 0xC,
    attributes: 0x8
});

/// SID_AND_ATTRIBUTES, and so TOKEN_USER and an entry of TOKEN_GROUPS.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct SidAndAttributes<P: Pointer> {
    /// Where the SID is.
    pub sid: P,
    /// `SE_GROUP_` bits.
    pub attributes: u32,
    pub padding: P::Padding,
}

layout!(SidAndAttributes<P> { size: 0x10 | 0x8, attributes: 0x8 | 0x4 });
