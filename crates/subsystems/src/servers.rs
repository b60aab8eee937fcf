// SPDX-License-Identifier: GPL-2.0-or-later
//! Records of subsystem servers (spec 9.1).
//!
//! A record is made before its process and is counted: once for standing in the table, once for every [`ServerRef`]. A server that died,
//! was given up or is being stopped is *terminating*: lookups no longer find it, its event is signalled so that nobody waits for it, and
//! when the last reference goes its handles are closed (D2, D3).

use crate::manager::Manager;
use crate::slots::Key;
use nt::system::{ImageSubsystem, System};
use nt::{ClientId, Handle, Result, Status};

/// One record.
pub(crate) struct Server {
    /// Signalled when it has registered, or never will.
    pub(crate) event: Handle,
    /// The server's process.
    pub(crate) process: Handle,
    /// `process` belongs to the main thread, which waits for it: not ours to close.
    pub(crate) process_lent: bool,
    /// Who it is; zero until there is a process.
    pub(crate) client: ClientId,
    /// What it serves; `None` while it has not registered.
    pub(crate) subsystem: Option<ImageSubsystem>,
    /// smss's client port to its call-back port.
    pub(crate) callback: Handle,
    /// Terminal session.
    pub(crate) session: u32,
    terminating: bool,
    references: u32,
}

impl Server {
    /// A record for a server that is about to be started in `session`.
    pub(crate) const fn new(event: Handle, session: u32) -> Self {
        Self {
            event,
            process: Handle::NULL,
            process_lent: false,
            client: ClientId { process: 0, thread: 0 },
            subsystem: None,
            callback: Handle::NULL,
            session,
            terminating: false,
            references: 1,
        }
    }
}

/// The handles and facts of a record, as they stood when asked. Handles stay valid while a [`ServerRef`] is held.
#[derive(Clone, Copy)]
pub(crate) struct ServerView {
    pub(crate) event: Handle,
    pub(crate) process: Handle,
    pub(crate) client: ClientId,
    pub(crate) subsystem: Option<ImageSubsystem>,
    pub(crate) callback: Handle,
    pub(crate) session: u32,
    pub(crate) terminating: bool,
}

/// A reference to a record.
pub(crate) struct ServerRef<'m, S: System> {
    manager: &'m Manager<S>,
    key: Key,
}

impl<S: System> ServerRef<'_, S> {
    /// The record's key.
    pub(crate) const fn key(&self) -> Key {
        self.key
    }

    /// What the record says now.
    pub(crate) fn view(&self) -> ServerView {
        let mut tables = self.manager.tables.lock();
        match tables.servers.get(self.key) {
            Some(server) => ServerView {
                event: server.event,
                process: server.process,
                client: server.client,
                subsystem: server.subsystem,
                callback: server.callback,
                session: server.session,
                terminating: server.terminating,
            },
            // Cannot be: this reference keeps the record. Answered as a server that is gone.
            None => ServerView {
                event: Handle::NULL,
                process: Handle::NULL,
                client: ClientId::default(),
                subsystem: None,
                callback: Handle::NULL,
                session: u32::MAX,
                terminating: true,
            },
        }
    }

    /// Changes the record, unless it is terminating: `DELETE_PENDING`.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Server)) -> Result<()> {
        let mut tables = self.manager.tables.lock();
        match tables.servers.get(self.key) {
            Some(server) if !server.terminating => {
                change(server);
                Ok(())
            }
            _ => Err(Status::DELETE_PENDING),
        }
    }
}

impl<S: System> Drop for ServerRef<'_, S> {
    fn drop(&mut self) {
        self.manager.release_server(self.key);
    }
}

impl<S: System> Manager<S> {
    /// Puts a new record into the table. `INSUFF_SERVER_RESOURCES` if it is full; the event is then still the caller's.
    pub(crate) fn add_server(&self, server: Server) -> Result<ServerRef<'_, S>> {
        let mut server = server;
        server.references += 1;
        let key = self.tables.lock().servers.insert(server).map_err(|_| Status::INSUFF_SERVER_RESOURCES)?;
        Ok(ServerRef { manager: self, key })
    }

    /// The first record that is not terminating and `matches`.
    pub(crate) fn find_server(&self, matches: impl Fn(&Server) -> bool) -> Option<ServerRef<'_, S>> {
        let mut tables = self.tables.lock();
        let key = tables.servers.iter().find(|(_, server)| !server.terminating && matches(server)).map(|(key, _)| key)?;
        tables.servers.get(key)?.references += 1;
        Some(ServerRef { manager: self, key })
    }

    /// The record that `key` names, unless it is terminating.
    pub(crate) fn server(&self, key: Key) -> Option<ServerRef<'_, S>> {
        let mut tables = self.tables.lock();
        let server = tables.servers.get(key).filter(|server| !server.terminating)?;
        server.references += 1;
        Some(ServerRef { manager: self, key })
    }

    /// The server for images of `subsystem` in `session`. csrss serves graphical and character images alike (D32).
    pub(crate) fn server_for(&self, session: u32, subsystem: ImageSubsystem) -> Option<ServerRef<'_, S>> {
        let exact = self.find_server(|server| server.session == session && server.subsystem == Some(subsystem));
        let fallback = match subsystem {
            ImageSubsystem::WINDOWS_CUI => ImageSubsystem::WINDOWS_GUI,
            ImageSubsystem::WINDOWS_GUI => ImageSubsystem::WINDOWS_CUI,
            _ => return exact,
        };
        exact.or_else(|| self.find_server(|server| server.session == session && server.subsystem == Some(fallback)))
    }

    /// Takes a server out of service: it is no longer found, nobody waits for it, its environment sessions are forgotten. Returns whether
    /// it was in service before.
    pub(crate) fn retire_server(&self, key: Key) -> bool {
        let (event, process) = {
            let mut tables = self.tables.lock();
            let Some(server) = tables.servers.get(key).filter(|server| !server.terminating) else {
                return false;
            };
            server.terminating = true;
            let handles = (server.event, server.process);
            tables.environments.delete_owned_by(key);
            handles
        };
        // Both are open: the table's own reference is still there. Its starter waits for either of them.
        if let Err(status) = self.system.set_event(event) {
            nt::warn!("subsystem server: event: {status}: it is ended");
            if !process.is_null()
                && let Err(status) = self.system.terminate_process(process, status)
            {
                nt::error!("subsystem server: {status}: not ended");
            }
        }
        self.release_server(key);
        true
    }

    fn release_server(&self, key: Key) {
        let gone = {
            let mut tables = self.tables.lock();
            let Some(server) = tables.servers.get(key) else { return };
            server.references = server.references.saturating_sub(1);
            if server.references == 0 { tables.servers.remove(key) } else { None }
        };
        if let Some(server) = gone {
            self.close(server.callback);
            self.close(server.event);
            if !server.process_lent {
                self.close(server.process);
            }
        }
    }
}
