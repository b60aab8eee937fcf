// SPDX-License-Identifier: GPL-2.0-or-later
//! Records of child instances of smss, NT 6, and their transitions (spec 11.5).
//!
//! Whether a message comes from a child instance, the kernel says: its process id is that of a
//! process whose handle stands here.

use super::ids::{ProcessId, TerminalId};
use super::slots::{Key, Slots};
use super::threads::REQUESTS;
use nt::{Handle, Result, Status, UnicodeBuf, UnicodeStr};
use sm_protocol::sm::COMMAND_UNITS;

/// Child instances at once: one for each request that may hold a thread, and those of the boot.
const INSTANCES: usize = REQUESTS + 2;

/// One child instance.
pub(crate) struct Instance {
    /// Its process; null until it is created.
    pub(crate) process: Handle,
    /// Its id.
    pub(crate) process_id: Option<ProcessId>,
    /// The session that it is to make; `None` for any.
    wanted: Option<TerminalId>,
    /// The session that it has made.
    pub(crate) terminal: Option<TerminalId>,
    /// Signalled when `terminal` is known.
    pub(crate) made: Handle,
    /// The initial command that it is to start; empty for the default one.
    pub(crate) command: UnicodeBuf<COMMAND_UNITS>,
}

/// All of them.
pub(crate) struct Instances(Slots<Instance, INSTANCES>);

impl Instances {
    pub(crate) const fn new() -> Self {
        Self(Slots::new())
    }

    /// *reserved*: an instance is about to be created. `made` is its event. `NAME_TOO_LONG` for a
    /// command that no request can hold, `INSUFF_SERVER_RESOURCES` if the table is full.
    pub(crate) fn reserve(
        &mut self,
        wanted: Option<TerminalId>,
        made: Handle,
        command: UnicodeStr<'_>,
    ) -> Result<Key> {
        if command.len() > COMMAND_UNITS {
            return Err(Status::NAME_TOO_LONG);
        }
        let instance = Instance {
            process: Handle::NULL,
            process_id: None,
            wanted,
            terminal: None,
            made,
            command: UnicodeBuf::new(),
        };
        let key = self.0.insert(instance);
        let key = key.ok_or(Status::INSUFF_SERVER_RESOURCES)?;
        if let Some(instance) = self.0.get(key) {
            // In its place, where it fits: it is long.
            let _ = instance.command.push(command);
        }
        Ok(key)
    }

    /// *created*: it has a process, suspended.
    pub(crate) fn created(&mut self, key: Key, process: Handle, process_id: Option<ProcessId>) {
        if let Some(instance) = self.0.get(key) {
            instance.process = process;
            instance.process_id = process_id;
        }
    }

    /// *has made its session*: `NOT_IMPLEMENTED` if `process_id` is no instance,
    /// `INVALID_PARAMETER` if it has made one before or was to make another.
    pub(crate) fn has_made(
        &mut self,
        process_id: ProcessId,
        terminal: TerminalId,
    ) -> Result<&mut Instance> {
        let instance = self.find(process_id).ok_or(Status::NOT_IMPLEMENTED)?;
        if instance.terminal.is_some() || instance.wanted.is_some_and(|wanted| wanted != terminal) {
            return Err(Status::INVALID_PARAMETER);
        }
        instance.terminal = Some(terminal);
        Ok(instance)
    }

    /// *gone*: its handles belong to the caller.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Instance> {
        self.0.remove(key)
    }

    /// The instance that `key` names.
    pub(crate) fn get(&mut self, key: Key) -> Option<&Instance> {
        self.0.get(key).map(|instance| &*instance)
    }

    /// All records with their keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Key, &Instance)> {
        self.0.entries()
    }

    /// The instance whose process this is.
    pub(crate) fn of(&mut self, process_id: ProcessId) -> Option<&Instance> {
        self.find(process_id).map(|instance| &*instance)
    }

    #[inline(never)]
    fn find(&mut self, process_id: ProcessId) -> Option<&mut Instance> {
        self.0
            .find(|instance| instance.process_id == Some(process_id))
    }
}

impl Instance {
    /// Whether it makes, or was to make, this session.
    pub(crate) fn is_of(&self, terminal: TerminalId) -> bool {
        self.wanted == Some(terminal) || self.terminal == Some(terminal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;

    #[test]
    fn there_are_places_for_the_64_requests_of_clients_and_two_more() {
        let mut all = Box::new(Instances::new());
        let mut reserve = || all.reserve(None, Handle::NULL, UnicodeStr::EMPTY);
        for place in 0..64 + 2 {
            assert!(reserve().is_ok(), "{place}");
        }
        assert_eq!(reserve(), Err(Status::INSUFF_SERVER_RESOURCES));
    }
}
