// SPDX-License-Identifier: GPL-2.0-or-later
//! Records of terminal sessions and their transitions (spec 11).
//!
//! The thread that makes a session also undoes it, so a session is *starting* until everything in
//! it is up. What it depends on may end before that: this is noted, and the thread finds out when
//! it is about to complete the session. Readers get copies; a record changes nowhere but here.

use super::ids::{ProcessId, TerminalId};
use super::slots::{Key, Slots};
use nt::{Handle, Result, Status};

/// Terminal sessions at once.
pub const SESSIONS: usize = 128;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Running,
}

/// One terminal session.
#[derive(Clone, Copy)]
pub(crate) struct Terminal {
    id: TerminalId,
    stage: Stage,
    /// The initial command's process; null while there is none, and once the main thread has taken
    /// it.
    pub(crate) initial: Handle,
    /// Its id; `None` while there is none.
    pub(crate) initial_id: Option<ProcessId>,
    /// The Windows server ended while the session was starting.
    server_lost: bool,
    /// The initial command has ended.
    initial_ended: bool,
}

impl Terminal {
    /// Its number.
    pub(crate) const fn id(&self) -> TerminalId {
        self.id
    }

    /// Everything in it stands.
    pub(crate) const fn runs(&self) -> bool {
        matches!(self.stage, Stage::Running)
    }

    /// Its initial command has ended.
    pub(crate) const fn initial_ended(&self) -> bool {
        self.initial_ended
    }

    /// What it stands on has ended while it was starting.
    pub(crate) const fn is_noted(&self) -> bool {
        self.server_lost || self.initial_ended
    }
}

/// All of them.
pub(crate) struct Terminals(Slots<Terminal, SESSIONS>);

impl Terminals {
    pub(crate) const fn new() -> Self {
        Self(Slots::new())
    }

    /// *starting*: the session space exists. `INVALID_PARAMETER` if the session is known already,
    /// `INSUFF_SERVER_RESOURCES` if the table is full.
    pub(crate) fn start(&mut self, id: TerminalId) -> Result<()> {
        if self.find(id).is_some() {
            return Err(Status::INVALID_PARAMETER);
        }
        self.0
            .insert(Terminal {
                id,
                stage: Stage::Starting,
                initial: Handle::NULL,
                initial_id: None,
                server_lost: false,
                initial_ended: false,
            })
            .map(drop)
            .ok_or(Status::INSUFF_SERVER_RESOURCES)
    }

    /// The initial command has a process, still suspended.
    pub(crate) fn initial_created(&mut self, id: TerminalId, process_id: Option<ProcessId>) {
        if let Some(terminal) = self.find(id) {
            terminal.initial_id = process_id;
        }
    }

    /// The record keeps the initial command's process, if there is a record.
    pub(crate) fn keep_initial(&mut self, id: TerminalId, process: Handle) -> bool {
        self.find(id)
            .map(|terminal| terminal.initial = process)
            .is_some()
    }

    /// The Windows server of `id` is gone: whether the session stands, and so ends now.
    pub(crate) fn server_lost(&mut self, id: TerminalId) -> bool {
        let Some(terminal) = self.find(id) else {
            return false;
        };
        terminal.server_lost = true;
        terminal.stage == Stage::Running
    }

    /// The process `process_id` of `id` has ended: whether it was the initial command of a session
    /// that stands.
    pub(crate) fn process_ended(&mut self, id: TerminalId, process_id: Option<ProcessId>) -> bool {
        let Some(terminal) = self.find(id) else {
            return false;
        };
        if process_id.is_none() || terminal.initial_id != process_id {
            return false;
        }
        terminal.initial_ended = true;
        terminal.stage == Stage::Running
    }

    /// *running*: everything in it stands, but for the initial command, which may have done its work
    /// already. `DELETE_PENDING` if its Windows server is gone already, or the session itself: its
    /// start has failed then.
    pub(crate) fn stands(&mut self, id: TerminalId) -> Result<&Terminal> {
        let terminal = self
            .find(id)
            .filter(|terminal| !terminal.server_lost)
            .ok_or(Status::DELETE_PENDING)?;
        terminal.stage = Stage::Running;
        Ok(terminal)
    }

    /// *gone*: the initial command's handle belongs to the caller.
    pub(crate) fn remove(&mut self, id: TerminalId) -> Option<Terminal> {
        self.0.take(|terminal| terminal.id == id)
    }

    /// The initial command's process, which belongs to the caller from now on; null if there is
    /// none.
    pub(crate) fn take_initial(&mut self, id: TerminalId) -> Handle {
        self.find(id).map_or(Handle::NULL, |terminal| {
            core::mem::replace(&mut terminal.initial, Handle::NULL)
        })
    }

    /// Whether there is a record of `id`.
    pub(crate) fn knows(&mut self, id: TerminalId) -> bool {
        self.find(id).is_some()
    }

    /// The process id of the initial command of `id`, if it has one.
    pub(crate) fn initial_id(&mut self, id: TerminalId) -> Option<ProcessId> {
        self.find(id)?.initial_id
    }

    /// Whether the process is the initial command of any session.
    pub(crate) fn has_initial(&self, process_id: ProcessId) -> bool {
        self.0
            .iter()
            .any(|terminal| terminal.initial_id == Some(process_id))
    }

    /// All records with their keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Key, &Terminal)> {
        self.0.entries()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(never)]
    fn find(&mut self, id: TerminalId) -> Option<&mut Terminal> {
        self.0.find(|terminal| terminal.id == id)
    }
}
