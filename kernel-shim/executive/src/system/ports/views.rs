// SPDX-License-Identifier: GPL-2.0-or-later
//! The section a client shares with its server: mapped into the one at NtConnectPort, into the
//! other at NtAcceptConnectPort.
//!
//! From the client's handle to the server's mapping the section is known by its segment, to which
//! the view in the client holds a reference. Each view belongs to its end of the connection, also
//! while that is being made, and is unmapped with it, unless the process has done so before.

use super::OfferedView;
use crate::ids::{ProcessId, ThreadId};
use crate::lpc::{ClientView, PortId};
use crate::mm::protection::Protect;
use crate::mm::segment::SegmentId;
use crate::mm::view::ViewRequest;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::Executive;
use crate::system::memory::virtual_memory::MapRequest;
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Handle, Result, Status};

const READ_WRITE: Access = Access::SECTION_MAP_READ.union(Access::SECTION_MAP_WRITE);

impl Executive {
    /// Maps the client's section into the client.
    ///
    /// # Errors
    /// As [`Executive::map_view_of_section`], for reading and writing.
    pub(super) fn map_client_view(
        &mut self,
        caller: ThreadId,
        offered: OfferedView,
    ) -> Result<ClientView> {
        let OfferedView {
            section,
            offset,
            size,
        } = offered;
        let object = self.resolve(caller, section, Some(Kind::Section), READ_WRITE)?;
        let Body::Section(body) = &self.object(object)?.body else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let segment = body.segment;
        let protect = Protect::READ_WRITE.0;
        let request = MapRequest {
            base: 0,
            zero_bits: 0,
            offset: offset.into(),
            size,
            inherit: false,
            kind: 0,
            protect,
        };
        let mapped = self.map_view_of_section(caller, section, Handle::CURRENT_PROCESS, request)?;
        Ok(ClientView {
            section: segment.0.into(),
            offset,
            size: mapped.size,
            base: mapped.base,
            remote_base: 0,
        })
    }

    /// Takes the client's view away again: there was no connection.
    pub(super) fn unmap_client_view(&mut self, process: ProcessId, view: ClientView) {
        // It was mapped by the call that gives up; a client that has unmapped it meanwhile has done
        // the work.
        let _ = self.unmap_view_in(process, view.base);
    }

    /// Maps the client's section into the server: its address there.
    ///
    /// # Errors
    /// `NO_MEMORY`; `SECTION_NOT_IMAGE` when the client and its section have gone.
    pub(crate) fn map_server_view(&mut self, server: ProcessId, view: ClientView) -> Result<u64> {
        let segment =
            SegmentId(u32::try_from(view.section).map_err(|_| Status::INVALID_PARAMETER)?);
        let request = ViewRequest {
            segment,
            section: Protect::READ_WRITE,
            base: 0,
            zero_bits: 0,
            offset: view.offset.into(),
            size: view.size,
            inherit: false,
            kind: 0,
            protect: Protect::READ_WRITE.0,
        };
        self.map_segment(server, request).map(|mapped| mapped.base)
    }

    /// From now on a view at `base` in `process` goes with this end of a connection.
    pub(crate) fn keep_port_view(&mut self, port: PortId, process: ProcessId, base: u64) {
        self.port_views.insert(port, (process, base));
    }

    /// The client is told where the server has mapped its view.
    ///
    /// # Errors
    /// As [`crate::lpc::Lpc::set_remote_view`].
    pub(crate) fn set_remote_view(&mut self, port: PortId, base: u64) -> Result<()> {
        self.lpc.set_remote_view(port, base)
    }

    /// Unmaps the views of ends that the protocol has removed: connections that came to nothing.
    pub(crate) fn unmap_lost_views(&mut self) {
        let ports = self.port_views.keys().copied();
        let lost: Vec<PortId> = ports
            .filter(|port| self.lpc.kind(*port).is_none())
            .collect();
        lost.into_iter().for_each(|port| self.unmap_port_view(port));
    }

    /// Unmaps the view of an end of a connection that is gone.
    pub(crate) fn unmap_port_view(&mut self, port: PortId) {
        if let Some((process, base)) = self.port_views.remove(&port) {
            // The process may have unmapped it, or have ended and its memory with it.
            let _ = self.unmap_view_in(process, base);
        }
    }
}
