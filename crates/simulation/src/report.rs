// SPDX-License-Identifier: GPL-2.0-or-later
//! What many histories reached, and how they ended.

use crate::disturbance::Place;
use crate::model::{TABLE, Transition};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What was reached.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Histories.
    pub histories: u64,
    /// How they ended, and how often.
    pub ends: BTreeMap<String, u64>,
    /// What clients were answered, by operation and status.
    pub answers: BTreeMap<String, u64>,
    /// Services of smss that were made to fail.
    pub failed: BTreeSet<&'static str>,
    /// Services before which somebody was preempted.
    pub preempted: BTreeSet<&'static str>,
    /// Locks of smss before which a thread was preempted, by where they are taken.
    pub preempted_at: BTreeSet<Place>,
    /// Locks of smss that were taken.
    pub locks: BTreeSet<Place>,
    /// Services that were slow.
    pub slow: BTreeSet<&'static str>,
    /// Transitions of the model.
    pub transitions: BTreeSet<Transition>,
    /// Preemptions.
    pub preemptions: u64,
    /// Processes that died of themselves.
    pub deaths: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Calls.
    pub calls: u64,
}

impl Reached {
    /// Adds what another reached.
    pub fn add(&mut self, other: Self) {
        self.histories += other.histories;
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        self.failed.extend(other.failed);
        self.preempted.extend(other.preempted);
        self.preempted_at.extend(other.preempted_at);
        self.locks.extend(other.locks);
        self.slow.extend(other.slow);
        self.transitions.extend(other.transitions);
        self.preemptions += other.preemptions;
        self.deaths += other.deaths;
        self.power_cuts += other.power_cuts;
        self.calls += other.calls;
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} histories, {} calls, {} preemptions, {} deaths, {} power cuts",
            self.histories, self.calls, self.preemptions, self.deaths, self.power_cuts
        )?;
        writeln!(out, "ends:")?;
        for (end, count) in &self.ends {
            writeln!(out, "  {count:6} {end}")?;
        }
        writeln!(out, "answers:")?;
        for (answer, count) in &self.answers {
            writeln!(out, "  {count:6} {answer}")?;
        }
        let list = |out: &mut fmt::Formatter<'_>, what: &str, names: Vec<&str>| {
            writeln!(out, "{what} ({}): {}", names.len(), names.join(" "))
        };
        let services = |names: &BTreeSet<&'static str>| names.iter().copied().collect();
        list(out, "calls of smss that failed", services(&self.failed))?;
        list(out, "calls that were slow", services(&self.slow))?;
        list(out, "preempted before calls", services(&self.preempted))?;
        let places = |names: &BTreeSet<Place>| names.len();
        writeln!(
            out,
            "preempted before locks: {} of {} places",
            places(&self.preempted_at),
            places(&self.locks)
        )?;
        for (file, line) in self.locks.difference(&self.preempted_at) {
            writeln!(out, "  never: {file}:{line}")?;
        }
        writeln!(
            out,
            "transitions of the model: {} of {}",
            self.transitions.len(),
            TABLE.len()
        )?;
        for (row, name) in TABLE {
            if !self.transitions.contains(row) {
                writeln!(
                    out,
                    "  never: {:?} {:?} -> {:?} ({name})",
                    row.0, row.1, row.2
                )?;
            }
        }
        Ok(())
    }
}
