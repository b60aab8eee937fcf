// SPDX-License-Identifier: GPL-2.0-or-later
//! The records of the tables as they stand, for whoever holds them against the table of states in
//! the crate's documentation and against the kernel: the simulation. Nothing here changes anything,
//! and the image has none of it.

use super::servers::Server;
use super::terminals::Terminal;
use super::{Counts, TableSpace};
use nt::Word;

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A subsystem server.
    Server,
    /// A terminal session.
    Terminal,
    /// A child instance of NT 6.
    Instance,
}

/// A state of the table in the crate's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is about to be created.
    Reserved,
    /// Its process is there.
    Created,
    /// It asks to connect.
    Registering,
    /// It is connected.
    Registered,
    /// Its call-back port is reached.
    InService,
    /// Nobody finds it any more.
    Retired,
    /// The session is being made.
    Starting,
    /// The same, and what it stands on has ended.
    StartingNoted,
    /// Everything in the session stands.
    Running,
    /// The instance has made its session.
    HasMade,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is of.
    pub kind: Kind,
    /// Its name: never used again for another record of its kind.
    pub key: Word,
    /// How far it has come.
    pub stage: Stage,
    /// The process that it stands for: a server, an initial command, an instance.
    pub process: Option<Word>,
    /// Its session, once it has one.
    pub session: Option<u32>,
}

impl Server {
    fn stage(&self) -> Stage {
        if self.retired {
            Stage::Retired
        } else if !self.callback.is_null() {
            Stage::InService
        } else if self.has_registered() {
            Stage::Registered
        } else if self.registering() {
            Stage::Registering
        } else if self.process.is_null() {
            Stage::Reserved
        } else {
            Stage::Created
        }
    }
}

impl Terminal {
    const fn state(&self) -> Stage {
        if self.runs() {
            Stage::Running
        } else if self.is_noted() {
            Stage::StartingNoted
        } else {
            Stage::Starting
        }
    }
}

impl TableSpace {
    /// Shows every record and gives how many there are; `None` if a thread works on the tables just
    /// now.
    pub fn records(&self, show: &mut dyn FnMut(Record)) -> Option<Counts> {
        let tables = self.0.try_lock()?;
        for (key, server) in tables.servers.entries() {
            show(Record {
                kind: Kind::Server,
                key: key.to_context(),
                stage: server.stage(),
                process: server.process_id.map(|id| id.number()),
                session: Some(server.terminal.0),
            });
        }
        for (key, terminal) in tables.terminals.entries() {
            show(Record {
                kind: Kind::Terminal,
                key: key.to_context(),
                stage: terminal.state(),
                process: terminal.initial_id.map(|id| id.number()),
                session: Some(terminal.id().0),
            });
        }
        for (key, instance) in tables.instances.entries() {
            let stage = match (instance.terminal, instance.process.is_null()) {
                (Some(_), _) => Stage::HasMade,
                (None, false) => Stage::Created,
                (None, true) => Stage::Reserved,
            };
            show(Record {
                kind: Kind::Instance,
                key: key.to_context(),
                stage,
                process: instance.process_id.map(|id| id.number()),
                session: instance.terminal.map(|terminal| terminal.0),
            });
        }
        Some(tables.counts())
    }
}
