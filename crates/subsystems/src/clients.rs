// SPDX-License-Identifier: GPL-2.0-or-later
//! Connected clients of `\SmApiPort` (spec 10.2).
//!
//! A client is known by the port context that smss gave the kernel when it accepted the connection:
//! place and generation in the table. Nothing a client sends names its record.

use crate::manager::Manager;
use crate::slots::Key;
use nt::system::System;
use nt::{ClientId, Handle};

/// One connection.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    /// smss's server-side communication port.
    pub(crate) port: Handle,
    /// The client's process, PROCESS_QUERY_INFORMATION; null for smss itself.
    pub(crate) process: Handle,
    /// Who connected.
    pub(crate) client: ClientId,
    /// Its terminal session.
    pub(crate) session: u32,
    /// The server record, if it registered as one.
    pub(crate) server: Option<Key>,
}

impl<S: System> Manager<S> {
    /// The client that `context` names.
    pub(crate) fn client(&self, context: u64) -> Option<Client> {
        let key = Key::from_context(context)?;
        self.tables.lock().clients.get(key).copied()
    }

    /// Forgets a client that is gone, closes what was held for it, and takes it out of service if
    /// it was a subsystem server.
    pub(crate) fn client_gone(&'static self, context: u64) {
        let Some(key) = Key::from_context(context) else {
            return;
        };
        let Some(client) = self.tables.lock().clients.remove(key) else {
            return;
        };
        self.close(client.port);
        self.close(client.process);
        if let Some(server) = client.server {
            self.server_gone(server);
        }
    }
}
