// SPDX-License-Identifier: GPL-2.0-or-later
//! What many histories reached, and how they ended: counts by section and name, because histories
//! are played in many processes and each tells its own in lines of text.

use crate::disturbance::Place;
use crate::model::{TABLE, Transition};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Of what something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Histories, calls, preemptions, deaths, power cuts.
    Total,
    /// How histories ended.
    End,
    /// What clients were answered, by operation and status.
    Answer,
    /// Services that smss called.
    Called,
    /// Services of smss that were made to fail.
    Failed,
    /// Services that were slow, of any program.
    Slow,
    /// Services before which a thread of smss was preempted.
    Preempted,
    /// Locks of smss that were taken, by where.
    Lock,
    /// Locks of smss before which a thread was preempted.
    PreemptedAt,
    /// Transitions of the model.
    Transition,
}

use Section::{
    Answer, Called, End, Failed, Lock, Preempted, PreemptedAt, Slow, Total, Transition as Row,
};

/// Every section, and how it is called in the lines of a process.
const SECTIONS: [(Section, &str); 10] = [
    (Total, "total"),
    (End, "end"),
    (Answer, "answer"),
    (Called, "called"),
    (Failed, "failed"),
    (Slow, "slow"),
    (Preempted, "preempted"),
    (Lock, "lock"),
    (PreemptedAt, "preempted-at"),
    (Row, "transition"),
];

/// What was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached(BTreeMap<Section, BTreeMap<String, u64>>);

impl Reached {
    /// Counts `count` more of something.
    pub fn count(&mut self, section: Section, name: impl Into<String>, count: u64) {
        *self
            .0
            .entry(section)
            .or_default()
            .entry(name.into())
            .or_default() += count;
    }

    /// Counts a lock or a preemption before it.
    pub fn count_place(&mut self, section: Section, (file, line): Place) {
        self.count(section, format!("{file}:{line}"), 1);
    }

    /// Counts a transition of the model.
    pub fn count_row(&mut self, row: &Transition) {
        self.count(Row, row_name(row), 1);
    }

    /// Adds what another reached.
    pub fn add(&mut self, other: Self) {
        for (section, counts) in other.0 {
            for (name, count) in counts {
                self.count(section, name, count);
            }
        }
    }

    /// How often something was counted.
    pub fn of(&self, section: Section, name: &str) -> u64 {
        self.0
            .get(&section)
            .and_then(|counts| counts.get(name))
            .copied()
            .unwrap_or_default()
    }

    /// How many different things a section has.
    pub fn kinds(&self, section: Section) -> usize {
        self.0.get(&section).map_or(0, BTreeMap::len)
    }

    /// As lines, for [`Self::add_line`].
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        SECTIONS.iter().flat_map(|(section, key)| {
            self.names(*section)
                .map(move |(name, count)| format!("{key}\t{count}\t{name}"))
        })
    }

    /// Adds what one of the lines says; `false` if it is none.
    pub fn add_line(&mut self, line: &str) -> bool {
        let mut parts = line.splitn(3, '\t');
        let (Some(key), Some(count), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let section = SECTIONS.iter().find(|(_, known)| *known == key);
        let (Some((section, _)), Ok(count)) = (section, count.parse()) else {
            return false;
        };
        self.count(*section, name, count);
        true
    }

    /// What a section has, and how often each was counted.
    pub fn names(&self, section: Section) -> impl Iterator<Item = (&str, u64)> {
        self.0
            .get(&section)
            .into_iter()
            .flatten()
            .map(|(name, count)| (name.as_str(), *count))
    }

    /// What `all` has and `some` has not.
    fn missing(&self, all: Section, some: Section) -> Vec<&str> {
        let known: BTreeSet<&str> = self.names(some).map(|(name, _)| name).collect();
        self.names(all)
            .map(|(name, _)| name)
            .filter(|name| !known.contains(name))
            .collect()
    }

    /// How many of `all` are among `some`, and which are not.
    fn show(
        &self,
        out: &mut fmt::Formatter<'_>,
        what: &str,
        all: Section,
        some: Section,
    ) -> fmt::Result {
        let missing = self.missing(all, some);
        let count = self.kinds(all);
        writeln!(out, "{what}: {} of {count}", count - missing.len())?;
        missing
            .iter()
            .try_for_each(|name| writeln!(out, "  never: {name}"))
    }
}

/// A row of the table of states, in words.
fn row_name((kind, from, to): &Transition) -> String {
    let stage = |stage: &Option<_>| stage.map_or("-".to_owned(), |stage| format!("{stage:?}"));
    format!("{kind:?} {} -> {}", stage(from), stage(to))
}

impl fmt::Display for Reached {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = self.names(Total);
        let totals: Vec<String> = totals
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        writeln!(out, "{}", totals.join(", "))?;
        for (section, what) in [(End, "ends"), (Answer, "answers")] {
            writeln!(out, "{what}:")?;
            for (name, count) in self.names(section) {
                writeln!(out, "  {count:6} {name}")?;
            }
        }
        self.show(out, "calls of smss that failed", Called, Failed)?;
        self.show(
            out,
            "calls before which smss was preempted",
            Called,
            Preempted,
        )?;
        self.show(out, "locks of smss before which it was", Lock, PreemptedAt)?;
        let slow: Vec<&str> = self.names(Slow).map(|(name, _)| name).collect();
        writeln!(
            out,
            "calls that were slow ({}): {}",
            slow.len(),
            slow.join(" ")
        )?;
        writeln!(
            out,
            "transitions of the model: {} of {}",
            self.kinds(Row),
            TABLE.len()
        )?;
        for (row, method) in TABLE {
            let name = row_name(row);
            if self.of(Row, &name) == 0 {
                writeln!(out, "  never: {name} ({method})")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_tells_in_lines_is_what_it_reached() {
        let mut reached = Reached::default();
        reached.count(Total, "histories", 3);
        reached.count(Answer, "smctl.exe list: a\ttab", 2);
        reached.count_place(Lock, ("a.rs", 7));
        reached.count_row(&TABLE[0].0);
        let mut again = Reached::default();
        for line in reached.lines() {
            assert!(again.add_line(&line), "{line}");
        }
        assert_eq!(again, reached);
        for line in ["", "end", "end\tx\ty", "nothing\t1\ty"] {
            assert!(!again.add_line(line), "{line}");
        }
    }

    #[test]
    fn what_was_never_reached_is_named() {
        let mut reached = Reached::default();
        reached.count(Called, "NtClose", 9);
        reached.count(Called, "NtOpenKey", 9);
        reached.count(Failed, "NtClose", 1);
        let text = reached.to_string();
        assert!(
            text.contains("calls of smss that failed: 1 of 2\n  never: NtOpenKey\n"),
            "{text}"
        );
        let first = row_name(&TABLE[0].0);
        assert!(
            text.contains(&format!("never: {first} ({})", TABLE[0].1)),
            "{text}"
        );
    }
}
