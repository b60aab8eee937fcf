// SPDX-License-Identifier: GPL-2.0-or-later
//! The section a client shares with its server: mapped into the one at NtConnectPort, into the other at NtAcceptConnectPort.

use super::ClientView;
use crate::Executive;
use crate::ids::{ProcessId, ThreadId};
use nt::{Handle, Result, Status};

impl Executive {
    /// Maps the client's section into the client.
    ///
    /// # Errors
    /// `NOT_IMPLEMENTED`.
    pub(crate) fn map_client_view(&mut self, _caller: ThreadId, _section: Handle, _offset: u32, _size: u64) -> Result<ClientView> {
        log::warn!("NtConnectPort: views are not built");
        Err(Status::NOT_IMPLEMENTED)
    }

    /// Takes the client's view away again: there was no connection.
    pub(crate) fn unmap_client_view(&mut self, _process: ProcessId, _view: ClientView) {}

    /// Maps the client's section into the server: its address there.
    ///
    /// # Errors
    /// `NOT_IMPLEMENTED`.
    pub(crate) fn map_server_view(&mut self, _server: ProcessId, _view: ClientView) -> Result<u64> {
        log::warn!("NtAcceptConnectPort: views are not built");
        Err(Status::NOT_IMPLEMENTED)
    }
}
