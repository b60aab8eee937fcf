// SPDX-License-Identifier: GPL-2.0-or-later
//! What the Session Manager knows: tables and their transitions, no system call among them.
//!
//! Everything that more than one thread sees is in [`Tables`], behind one lock that is held for
//! table work only, never across a wait, an LPC call or a process creation (spec 9.4). Handles in
//! the tables are closed by the code that takes them out. Each kind of record has a file, and only
//! the methods there change its state; the table of them is in the crate's documentation.

pub(crate) mod clients;
pub(crate) mod environments;
pub(crate) mod ids;
pub(crate) mod instances;
pub mod records;
pub(crate) mod servers;
pub(crate) mod slots;
pub(crate) mod terminals;
pub(crate) mod threads;

use clients::Clients;
use environments::Environments;
use ids::{ProcessId, TerminalId};
use instances::{Instance, Instances};
use nt::lock::{Guard, Mutex};
use nt::{Handle, Result};
use servers::{Server, Servers};
use slots::Key;
use terminals::Terminals;
use threads::Threads;

/// Small things first, then what is asked for most: the layout keeps them, and the lock in front of
/// them, within short reach of the code.
#[repr(C)]
pub(crate) struct Tables {
    /// The connection port `\SmApiPort`.
    pub(crate) port: Handle,
    /// The session whose space smss is in.
    pub(crate) attached: Option<TerminalId>,
    pub(crate) servers: Servers,
    pub(crate) threads: Threads,
    pub(crate) clients: Clients,
    pub(crate) terminals: Terminals,
    pub(crate) environments: Environments,
    pub(crate) instances: Instances,
}

/// Room for the tables.
pub struct TableSpace(pub(crate) Mutex<Tables>);

impl TableSpace {
    /// Empty tables.
    #[allow(clippy::new_without_default, reason = "a constant, for a static")]
    pub const fn new() -> Self {
        Self(Mutex::new(Tables {
            port: Handle::NULL,
            attached: None,
            threads: Threads::new(),
            clients: Clients::new(),
            servers: Servers::new(),
            terminals: Terminals::new(),
            environments: Environments::new(),
            instances: Instances::new(),
        }))
    }

    /// Waits for the tables and takes them until the guard is dropped.
    #[track_caller]
    pub(crate) fn lock(&self) -> Guard<'_, Tables> {
        self.0.lock()
    }
}

/// How much is in the tables: what must be back at its start after clients and sessions came and
/// went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Connected clients.
    pub clients: usize,
    /// Subsystem server records.
    pub servers: usize,
    /// Terminal sessions.
    pub sessions: usize,
    /// Environment sessions.
    pub environments: usize,
    /// API threads.
    pub threads: u32,
}

impl Tables {
    /// A server is out of service, and its environment sessions are forgotten with it. `None` if it
    /// was so before.
    pub(crate) fn retire_server(&mut self, key: Key) -> Option<Server> {
        let server = self.servers.retire(key)?;
        self.environments.delete_owned_by(key);
        Some(server)
    }

    /// A child instance has made `terminal`, which is noted for it and starts, or neither.
    pub(crate) fn instance_has_made(
        &mut self,
        process_id: ProcessId,
        terminal: TerminalId,
    ) -> Result<&Instance> {
        let instance = self.instances.has_made(process_id, terminal)?;
        match self.terminals.start(terminal) {
            Ok(()) => Ok(instance),
            Err(status) => {
                instance.terminal = None;
                Err(status)
            }
        }
    }

    /// Whether a record of any kind stands for the process.
    pub(crate) fn knows(&mut self, process_id: ProcessId) -> bool {
        self.servers
            .iter()
            .any(|server| server.process_id == Some(process_id))
            || self.terminals.has_initial(process_id)
            || self.instances.of(process_id).is_some()
    }

    /// How much is in the tables now.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            clients: self.clients.len(),
            servers: self.servers.len(),
            sessions: self.terminals.len(),
            environments: self.environments.len(),
            threads: self.threads.total(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::{ClientId, Status, UnicodeStr};
    use std::boxed::Box;

    fn process(id: nt::Word) -> ProcessId {
        ProcessId::of(ClientId {
            process: id,
            thread: 0,
        })
        .unwrap()
    }

    #[test]
    fn a_process_is_known_as_a_server_as_an_initial_command_or_as_an_instance() {
        let space = Box::new(TableSpace::new());
        let mut tables = space.0.lock();
        let known = |tables: &mut Tables| {
            let ids = [4, 8, 12, 16];
            ids.map(|id| tables.knows(process(id)))
        };
        assert_eq!(known(&mut tables), [false; 4]);
        let server = tables.servers.reserve(Handle::NULL, TerminalId(1)).unwrap();
        let created = tables.servers.created(server, Handle(4), Some(process(4)));
        assert_eq!(created, Ok(()));
        assert_eq!(known(&mut tables), [true, false, false, false]);
        tables.terminals.start(TerminalId(1)).unwrap();
        tables
            .terminals
            .initial_created(TerminalId(1), Some(process(8)));
        assert_eq!(known(&mut tables), [true, true, false, false]);
        let key = tables
            .instances
            .reserve(None, Handle::NULL, UnicodeStr::EMPTY)
            .unwrap();
        tables.instances.created(key, Handle(12), Some(process(12)));
        assert_eq!(known(&mut tables), [true, true, true, false]);
    }

    #[test]
    fn of_two_instances_that_announce_one_number_one_has_made_it() {
        let space = Box::new(TableSpace::new());
        let mut tables = space.0.lock();
        for id in [4, 8] {
            let key = tables
                .instances
                .reserve(None, Handle::NULL, UnicodeStr::EMPTY)
                .unwrap();
            tables.instances.created(key, Handle(id), Some(process(id)));
        }
        let mut announce = |id, session| {
            tables
                .instance_has_made(process(id), TerminalId(session))
                .map(drop)
        };
        assert_eq!(announce(4, 3), Ok(()));
        assert_eq!(announce(8, 3), Err(Status::INVALID_PARAMETER));
        // It may still have made another, and only one.
        assert_eq!(announce(8, 5), Ok(()));
        assert_eq!(announce(8, 6), Err(Status::INVALID_PARAMETER));
        assert_eq!(announce(12, 7), Err(Status::NOT_IMPLEMENTED));
        assert_eq!(tables.counts().sessions, 2);
    }
}
