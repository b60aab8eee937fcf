// SPDX-License-Identifier: GPL-2.0-or-later
//! Records of subsystem servers (spec 9.1).
//!
//! A record is made before its process and is counted: once for standing in the table, once for
//! every [`ServerRef`]. A server that died, was given up or is being stopped is *terminating*:
//! lookups no longer find it, its event is signalled so that nobody waits for it, and when the last
//! reference goes its handles are closed (D2, D3).

use crate::end;
use crate::manager::{Manager, new_event, terminate};
use crate::slots::Key;
use nt::system::{ImageSubsystem, System};
use nt::{ClientId, Handle, Result, Status};

/// One record. As a copy it says how things stood when it was made; its handles stay valid while a
/// [`ServerRef`] is held.
#[derive(Clone, Copy)]
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
    /// Out of service.
    pub(crate) terminating: bool,
    references: u32,
}

impl Server {
    /// A record for a server that is about to be started in `session`.
    pub(crate) const fn new(event: Handle, session: u32) -> Self {
        Self {
            event,
            process: Handle::NULL,
            process_lent: false,
            client: ClientId {
                process: 0,
                thread: 0,
            },
            subsystem: None,
            callback: Handle::NULL,
            session,
            terminating: false,
            references: 1,
        }
    }
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

    /// The record as it is now.
    #[inline(never)]
    pub(crate) fn view(&self) -> Server {
        // This reference keeps the record: that there is none cannot be.
        const GONE: &Server = &Server {
            terminating: true,
            ..Server::new(Handle::NULL, u32::MAX)
        };
        *self
            .manager
            .tables
            .lock()
            .servers
            .get(self.key)
            .map_or(GONE, |record| record)
    }

    /// Changes the record, also of a server that is terminating: what it is given is closed with
    /// it. `DELETE_PENDING` tells of that.
    #[inline(never)]
    pub(crate) fn update(&self, change: &mut dyn FnMut(&mut Server)) -> Result<()> {
        match self.manager.tables.lock().servers.get(self.key) {
            Some(server) => {
                change(server);
                if server.terminating {
                    Err(Status::DELETE_PENDING)
                } else {
                    Ok(())
                }
            }
            None => Err(Status::DELETE_PENDING),
        }
    }
}

impl<S: System> Drop for ServerRef<'_, S> {
    fn drop(&mut self) {
        self.manager.release_server(self.key);
    }
}

impl<S: System> Manager<S> {
    /// A new record with its event, in the table.
    pub(crate) fn new_server(&self, session: u32) -> Result<ServerRef<'_, S>> {
        let event = new_event(self.system)?;
        let record = Server {
            references: 2,
            ..Server::new(event.get(), session)
        };
        let key = self
            .tables
            .lock()
            .servers
            .insert(record)
            .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
        // The record owns the event now.
        let _ = event.into_raw();
        Ok(ServerRef { manager: self, key })
    }

    /// The first record that is not terminating and `matches`.
    #[inline(never)]
    pub(crate) fn find_server(
        &self,
        matches: &dyn Fn(&Server) -> bool,
    ) -> Option<ServerRef<'_, S>> {
        let mut tables = self.tables.lock();
        let key = tables
            .servers
            .key_of(|server| !server.terminating && matches(server))?;
        tables.servers.get(key)?.references += 1;
        Some(ServerRef { manager: self, key })
    }

    /// The record that `key` names, unless it is terminating.
    pub(crate) fn server(&self, key: Key) -> Option<ServerRef<'_, S>> {
        let mut tables = self.tables.lock();
        let server = tables
            .servers
            .get(key)
            .filter(|server| !server.terminating)?;
        server.references += 1;
        Some(ServerRef { manager: self, key })
    }

    /// Whether any server, connected or not, belongs to `session`.
    pub(crate) fn has_servers(&self, session: u32) -> bool {
        self.find_server(&|server| server.session == session)
            .is_some()
    }

    /// The server for images of `subsystem` in `session`. csrss serves graphical and character
    /// images alike (D32).
    pub(crate) fn server_for(
        &self,
        session: u32,
        subsystem: ImageSubsystem,
    ) -> Option<ServerRef<'_, S>> {
        let serving = |subsystem| {
            self.find_server(&|server| {
                server.session == session && server.subsystem == Some(subsystem)
            })
        };
        let alike = match subsystem {
            ImageSubsystem::WINDOWS_CUI => ImageSubsystem::WINDOWS_GUI,
            ImageSubsystem::WINDOWS_GUI => ImageSubsystem::WINDOWS_CUI,
            other => other,
        };
        serving(subsystem).or_else(|| serving(alike))
    }

    /// The Windows server of `session`: csrss.
    pub(crate) fn windows_server(&self, session: u32) -> Option<ServerRef<'_, S>> {
        self.server_for(session, ImageSubsystem::WINDOWS_GUI)
    }

    /// Takes a server out of service: it is no longer found, nobody waits for it, its environment
    /// sessions are forgotten. Returns whether it was in service before.
    #[inline(never)]
    pub(crate) fn retire_server(&self, key: Key) -> bool {
        let record = {
            let mut tables = self.tables.lock();
            let Some(server) = tables.servers.get(key).filter(|server| !server.terminating) else {
                return false;
            };
            server.terminating = true;
            let record = *server;
            tables.environments.delete_owned_by(key);
            record
        };
        // Its handles are open: the table's own reference is still there.
        self.release_starter(&record);
        self.release_server(key);
        true
    }

    /// Lets the starter of a server go on. It waits for the event or for the process: if it cannot
    /// have the one, it gets the other. Session 0's csrss may be critical by now, and its end
    /// would say nothing of the reason.
    pub(crate) fn release_starter(&self, server: &Server) {
        let Err(status) = self.system.set_event(server.event) else {
            return;
        };
        nt::error!(
            "subsystem server: event: {status}: process {} is ended",
            server.client.process
        );
        if server.session == 0 && server.subsystem == Some(ImageSubsystem::WINDOWS_GUI) {
            end::stop_and_end(self.system, status);
        } else {
            terminate(self.system, server.process, server.client.process, status);
        }
    }

    fn release_server(&self, key: Key) {
        let gone = {
            let mut tables = self.tables.lock();
            let Some(server) = tables.servers.get(key) else {
                return;
            };
            server.references -= 1;
            if server.references > 0 {
                return;
            }
            tables.servers.remove(key)
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
