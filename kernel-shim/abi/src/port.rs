// SPDX-License-Identifier: GPL-2.0-or-later
//! LPC ports: messages and views (spec 10.1).
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::ClientId;
use crate::Pointer;
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// PORT_MESSAGE; the data follows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct PortMessage<P: Pointer> {
    /// Bytes of data after the header.
    pub data_length: u16,
    /// Bytes in all.
    pub total_length: u16,
    /// `LPC_` message type.
    pub kind: u16,
    /// Where the data tell of handles or views; 0.
    pub data_info_offset: u16,
    /// Who sent it.
    pub client: ClientId<P>,
    pub message_id: u32,
    pub padding: P::Padding,
    /// `ClientViewSize` or `CallbackId`.
    pub client_view_size: P,
}

layout!(PortMessage<P> { size: 0x28 | 0x18, client: 0x8 | 0x8, message_id: 0x18 | 0x10, client_view_size: 0x20 | 0x14 });

/// PORT_VIEW.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct PortView<P: Pointer> {
    /// The structure's own size.
    pub length: u32,
    pub padding0: P::Padding,
    /// Section handle.
    pub section: P,
    /// Offset in the section.
    pub offset: u32,
    pub padding1: P::Padding,
    /// Bytes of the view.
    pub size: P,
    /// Address of the view in the caller.
    pub base: P,
    /// Address of the view at the other end.
    pub remote_base: P,
}

layout!(PortView<P> { size: 0x30 | 0x18, section: 0x8 | 0x4, offset: 0x10 | 0x8, size: 0x18 | 0xC, base: 0x20 | 0x10, remote_base: 0x28 | 0x14 });

/// REMOTE_PORT_VIEW.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct RemotePortView<P: Pointer> {
    /// The structure's own size.
    pub length: u32,
    pub padding: P::Padding,
    /// Bytes of the view.
    pub size: P,
    /// Address of the view here.
    pub base: P,
}

layout!(RemotePortView<P> { size: 0x18 | 0xC, size: 0x8 | 0x4, base: 0x10 | 0x8 });
