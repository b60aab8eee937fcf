// SPDX-License-Identifier: GPL-2.0-or-later
//! Connected clients of `\SmApiPort` (spec 10.2).
//!
//! A client is known by the port context that smss gave the kernel when it accepted the connection:
//! place and generation in the table. Nothing a client sends names its record.

use super::ids::{ProcessId, TerminalId};
use super::slots::{Key, Slots};
use nt::Handle;

/// Clients connected at once; more are refused.
pub const CLIENTS: usize = 512;

/// One connection.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    /// smss's server-side communication port; null until the kernel has made it.
    pub(crate) port: Handle,
    /// The client's process, PROCESS_QUERY_INFORMATION.
    pub(crate) process: Handle,
    /// Its id.
    pub(crate) process_id: ProcessId,
    /// Its terminal session.
    pub(crate) terminal: TerminalId,
    /// The server record, if it registered as one.
    pub(crate) server: Option<Key>,
}

/// All of them.
pub(crate) struct Clients(Slots<Client, CLIENTS>);

impl Clients {
    pub(crate) const fn new() -> Self {
        Self(Slots::new())
    }

    /// A client that is about to be accepted; `None` if the table is full.
    pub(crate) fn admit(&mut self, client: Client) -> Option<Key> {
        self.0.insert(client)
    }

    /// The kernel has made the communication port.
    pub(crate) fn connected(&mut self, key: Key, port: Handle) {
        if let Some(client) = self.0.get(key) {
            client.port = port;
        }
    }

    /// A copy of the record that `key` names.
    pub(crate) fn get(&mut self, key: Key) -> Option<Client> {
        self.0.get(key).copied()
    }

    /// Forgets a client: its handles belong to the caller.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Client> {
        self.0.remove(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
