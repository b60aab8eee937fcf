// SPDX-License-Identifier: GPL-2.0-or-later
//! Between the layouts of the kernel, whose programs are 64 bits wide, and those of the seam, which
//! are as wide as a pointer of this host.

use crate::layout::{ClientId, PortMessage};
use crate::lpc::HEADER;
use nt::system::{PortHeader, PortLimits};
use nt::{narrowed, widened};

/// A client id as the seam has it.
pub(super) const fn seams_client(client: ClientId) -> nt::ClientId {
    nt::ClientId {
        process: narrowed(client.process),
        thread: narrowed(client.thread),
    }
}

/// A client id as the kernel has it.
pub(super) const fn kernels_client(client: nt::ClientId) -> ClientId {
    ClientId {
        process: widened(client.process),
        thread: widened(client.thread),
    }
}

/// By how many bytes the kernel's header of a message is longer than the seam's.
const LONGER: u16 = (HEADER - size_of::<PortHeader>()) as u16;

/// A port's limits as the kernel has them: messages count with their header.
pub(super) const fn kernels_limits(limits: PortLimits) -> PortLimits {
    PortLimits {
        message: limits.message.saturating_add(LONGER as u32),
        ..limits
    }
}

/// A message's header as the seam has it: its whole length counts the seam's own header.
pub(super) fn seams_header(header: &PortMessage) -> PortHeader {
    PortHeader {
        data_length: header.data_length,
        total_length: header.total_length.saturating_sub(LONGER),
        kind: header.kind,
        data_info_offset: header.data_info_offset,
        client: seams_client(header.client),
        message_id: header.message_id,
        padding: Default::default(),
        client_view_size: narrowed(header.client_view_size),
    }
}

/// A message's header as the kernel has it.
pub(super) fn kernels_header(header: &PortHeader) -> PortMessage {
    PortMessage {
        data_length: header.data_length,
        total_length: header.total_length.saturating_add(LONGER),
        kind: header.kind,
        data_info_offset: header.data_info_offset,
        client: kernels_client(header.client),
        message_id: header.message_id,
        padding: Default::default(),
        client_view_size: widened(header.client_view_size),
    }
}
