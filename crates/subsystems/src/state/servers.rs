// SPDX-License-Identifier: GPL-2.0-or-later
//! Records of subsystem servers and their transitions (spec 9.1).
//!
//! A record is made before its process and is counted: once for standing in the table, once for
//! every reference. A server that died, was given up or is being stopped is *retired*: lookups no
//! longer find it, and when the last reference goes the record is given out, so that its handles
//! are closed (D2, D3). Readers get copies; a record changes nowhere but here.

use super::ids::{ProcessId, TerminalId};
use super::slots::{Key, Slots};
use nt::system::ImageSubsystem;
use nt::{Handle, Result, Status};

/// Subsystem servers at once.
pub const SERVERS: usize = 256;

/// One record. As a copy it says how things stood when it was made; its handles stay valid while a
/// reference is held.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    /// Signalled when it has registered, or never will.
    pub(crate) event: Handle,
    /// The server's process; null until it is created.
    pub(crate) process: Handle,
    /// Its id.
    pub(crate) process_id: Option<ProcessId>,
    /// `process` belongs to the main thread, which waits for it: it is not closed with the record.
    process_lent: bool,
    /// It has asked to register, and the connection is being made or stands.
    registering: bool,
    /// What it serves; [`ImageSubsystem::UNKNOWN`] until it has registered.
    pub(crate) subsystem: ImageSubsystem,
    /// smss's client port to its call-back port; null until that is reached.
    pub(crate) callback: Handle,
    /// Its terminal session.
    pub(crate) terminal: TerminalId,
    /// Out of service.
    pub(crate) retired: bool,
    references: u32,
}

impl Server {
    const fn new(event: Handle, terminal: TerminalId, references: u32) -> Self {
        Self {
            event,
            process: Handle::NULL,
            process_id: None,
            process_lent: false,
            registering: false,
            subsystem: ImageSubsystem::UNKNOWN,
            callback: Handle::NULL,
            terminal,
            retired: false,
            references,
        }
    }

    /// What a reference to no record would see, so that none has to be asked for.
    pub(crate) const GONE: Self = Self {
        retired: true,
        ..Self::new(Handle::NULL, TerminalId(u32::MAX), 0)
    };

    /// It has asked to register.
    pub(crate) const fn registering(&self) -> bool {
        self.registering
    }

    /// It has connected to `\SmApiPort`.
    pub(crate) fn has_registered(&self) -> bool {
        self.subsystem != ImageSubsystem::UNKNOWN
    }

    /// It has, for images of `subsystem`.
    pub(crate) fn serves(&self, subsystem: ImageSubsystem) -> bool {
        self.has_registered() && self.subsystem == subsystem
    }

    /// `DELETE_PENDING` if it is retired.
    const fn not_retired(&self) -> Result<()> {
        if self.retired {
            Err(Status::DELETE_PENDING)
        } else {
            Ok(())
        }
    }

    /// The process handle, if it is closed with the record.
    pub(crate) const fn own_process(&self) -> Handle {
        if self.process_lent {
            Handle::NULL
        } else {
            self.process
        }
    }
}

/// Whether it is a server's turn to be started.
pub(crate) enum Turn {
    /// It has a record now, which the caller refers to.
    Now(Key),
    /// Another one of its session is starting, to which the caller has a reference.
    After(Key),
    /// The session has such a server.
    NotNeeded,
    /// The table is full.
    Never,
}

/// All of them.
pub(crate) struct Servers(Slots<Server, SERVERS>);

impl Servers {
    pub(crate) const fn new() -> Self {
        Self(Slots::new())
    }

    /// *reserved*: a server is about to be created in `terminal`. The caller has a reference.
    pub(crate) fn reserve(&mut self, event: Handle, terminal: TerminalId) -> Option<Key> {
        self.0.insert(Server::new(event, terminal, 2))
    }

    /// The same for one that has no process yet and must not come up beside others (spec 9.4 #2,
    /// #3). `serves` is the type that it will serve, [`ImageSubsystem::UNKNOWN`] if that is not known.
    pub(crate) fn reserve_next(
        &mut self,
        event: Handle,
        terminal: TerminalId,
        serves: ImageSubsystem,
    ) -> Turn {
        let starting = |server: &Server| server.terminal == terminal && !server.has_registered();
        if let Some(key) = self.acquire_first(&starting) {
            return Turn::After(key);
        }
        // None is starting, so that each has registered for a type that is known.
        let there = |server: &Server| {
            !server.retired && server.terminal == terminal && server.subsystem == serves
        };
        if self.iter().any(there) {
            return Turn::NotNeeded;
        }
        self.reserve(event, terminal).map_or(Turn::Never, Turn::Now)
    }

    /// *created*: it has a process, suspended, which is closed with the record, also a retired one's.
    /// `DELETE_PENDING` tells of that.
    pub(crate) fn created(
        &mut self,
        key: Key,
        process: Handle,
        process_id: Option<ProcessId>,
    ) -> Result<()> {
        let server = self.0.get(key).ok_or(Status::DELETE_PENDING)?;
        server.process = process;
        server.process_id = process_id;
        server.not_retired()
    }

    /// *registering*: it asks to connect and announces a type. `PORT_CONNECTION_REFUSED` if it has
    /// done so before, `DELETE_PENDING` if it is retired.
    pub(crate) fn register(&mut self, key: Key) -> Result<()> {
        let server = self.0.get(key).ok_or(Status::DELETE_PENDING)?;
        server.not_retired()?;
        if server.registering {
            return Err(Status::PORT_CONNECTION_REFUSED);
        }
        server.registering = true;
        Ok(())
    }

    /// *created* again: the connection could not be made, and the server may ask once more.
    pub(crate) fn refused(&mut self, key: Key) {
        if let Some(server) = self.0.get(key) {
            server.registering = false;
        }
    }

    /// *registered*: it has connected to `\SmApiPort` and serves `subsystem`.
    pub(crate) fn registered(&mut self, key: Key, subsystem: ImageSubsystem) {
        if let Some(server) = self.0.get(key) {
            server.subsystem = subsystem;
        }
    }

    /// *in service*: smss has reached its call-back port, which is closed with the record.
    pub(crate) fn called_back(&mut self, key: Key, port: Handle) {
        if let Some(server) = self.0.get(key) {
            server.callback = port;
        }
    }

    /// The process handle goes to the main thread, which waits for the server's end.
    pub(crate) fn lend_process(&mut self, key: Key) -> Option<Handle> {
        let server = self.0.get(key)?;
        server.process_lent = true;
        Some(server.process)
    }

    /// *retired*: nobody finds it any more. The record if anybody did before: then the table's own
    /// reference goes to the caller, who releases it.
    pub(crate) fn retire(&mut self, key: Key) -> Option<Server> {
        let server = self.0.get(key).filter(|server| !server.retired)?;
        server.retired = true;
        Some(*server)
    }

    /// One reference less. The last one gives the record out: its handles belong to the caller.
    pub(crate) fn release(&mut self, key: Key) -> Option<Server> {
        self.0.remove_if(key, |server| {
            server.references -= 1;
            server.references == 0
        })
    }

    /// A reference to the record that `key` names, unless it is retired.
    pub(crate) fn acquire(&mut self, key: Key) -> Option<Key> {
        let server = self.0.get(key).filter(|server| !server.retired)?;
        server.references += 1;
        Some(key)
    }

    /// A reference to the first record that is not retired and `matches`.
    pub(crate) fn acquire_first(&mut self, matches: &dyn Fn(&Server) -> bool) -> Option<Key> {
        let (key, server) = self
            .0
            .find_entry(|server| !server.retired && matches(server))?;
        server.references += 1;
        Some(key)
    }

    /// A copy of the record that `key` names.
    pub(crate) fn get(&mut self, key: Key) -> Option<Server> {
        self.0.get(key).copied()
    }

    /// All records, the retired ones among them as long as somebody refers to them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Server> {
        self.0.iter()
    }

    /// All records with their keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Key, &Server)> {
        self.0.entries()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
