// SPDX-License-Identifier: GPL-2.0-or-later
//! Environment sessions: one for every process that a subsystem server took over (spec 11.1).
//!
//! Their ids start at 1 and are never 0 (a server asserts that); an id in use is never given out
//! again, also after the counter has wrapped (D10).

use super::ids::{EnvironmentId, ProcessId, TerminalId};
use super::slots::{Key, Slots};

/// Processes taken over by servers at once.
const CAPACITY: usize = 512;

/// One environment session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    /// Its id.
    pub(crate) id: EnvironmentId,
    /// The server that owns it.
    pub(crate) owner: Key,
    /// Another server that takes part in it: the process is itself a subsystem server.
    pub(crate) foreign: Option<Key>,
    /// Terminal session.
    pub(crate) terminal: TerminalId,
    /// The process.
    pub(crate) process: Option<ProcessId>,
}

/// All of them.
pub(crate) struct Environments {
    table: Slots<Environment, CAPACITY>,
    /// The last id that was given out, and above it how often the ids have begun anew.
    last: u64,
}

impl Environments {
    pub(crate) const fn new() -> Self {
        Self {
            table: Slots::new(),
            last: 0,
        }
    }

    /// A new environment session; `None` if there are as many as this table holds.
    pub(crate) fn create(
        &mut self,
        owner: Key,
        foreign: Option<Key>,
        terminal: TerminalId,
        process: Option<ProcessId>,
    ) -> Option<EnvironmentId> {
        let mut last = self.last;
        let id = loop {
            last += 1;
            let id = EnvironmentId(last as u32);
            // Until the ids begin anew none can be in use; afterwards a free one comes within as many
            // steps as the table has places.
            let first_time = last <= u64::from(u32::MAX);
            if id.0 != 0 && (first_time || self.find(id).is_none()) {
                break id;
            }
        };
        self.table.insert(Environment {
            id,
            owner,
            foreign,
            terminal,
            process,
        })?;
        self.last = last;
        Some(id)
    }

    /// The environment session with this id.
    #[inline(never)]
    pub(crate) fn find(&mut self, id: EnvironmentId) -> Option<Environment> {
        self.table.find(|environment| environment.id == id).copied()
    }

    /// Forgets one.
    pub(crate) fn delete(&mut self, id: EnvironmentId) {
        self.take(&|environment| environment.id == id);
    }

    /// Forgets one of `terminal` and gives it out.
    pub(crate) fn take_of(&mut self, terminal: TerminalId) -> Option<Environment> {
        self.take(&|environment| environment.terminal == terminal)
    }

    /// Forgets all that `owner` owns.
    pub(crate) fn delete_owned_by(&mut self, owner: Key) {
        while self
            .take(&|environment| environment.owner == owner)
            .is_some()
        {}
    }

    #[inline(never)]
    fn take(&mut self, which: &dyn Fn(&Environment) -> bool) -> Option<Environment> {
        self.table.take(which)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Key = Key::from_context(1 << (nt::Word::BITS / 2)).unwrap();

    fn create(all: &mut Environments) -> Option<u32> {
        Some(all.create(OWNER, None, TerminalId(0), None)?.0)
    }

    #[test]
    fn ids_start_at_one_and_count_up() {
        let mut all = Environments::new();
        assert_eq!(create(&mut all), Some(1));
        assert_eq!(create(&mut all), Some(2));
        all.delete(EnvironmentId(1));
        assert_eq!(create(&mut all), Some(3));
    }

    #[test]
    fn an_id_in_use_is_looked_for_only_once_the_counter_has_wrapped() {
        let mut all = Environments::new();
        for _ in 0..3 {
            let before = nt::steps::taken();
            assert!(create(&mut all).is_some());
            assert_eq!(nt::steps::taken(), before);
        }
        all.last = u64::from(u32::MAX - 1);
        assert_eq!(create(&mut all), Some(u32::MAX));
        let before = nt::steps::taken();
        assert_eq!(create(&mut all), Some(4));
        assert!(nt::steps::taken() > before);
    }

    #[test]
    fn a_wrapped_counter_skips_zero_and_ids_in_use() {
        let mut all = Environments::new();
        assert_eq!(create(&mut all), Some(1));
        all.last = u64::from(u32::MAX - 1);
        assert_eq!(create(&mut all), Some(u32::MAX));
        assert_eq!(create(&mut all), Some(2));
    }

    #[test]
    fn a_full_table_says_so_and_recovers() {
        let mut all = Environments::new();
        for _ in 0..CAPACITY {
            assert!(create(&mut all).is_some());
        }
        assert_eq!(create(&mut all), None);
        all.delete_owned_by(OWNER);
        assert_eq!(all.len(), 0);
        assert!(create(&mut all).is_some());
    }
}
