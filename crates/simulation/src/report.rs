// SPDX-License-Identifier: GPL-2.0-or-later
//! What many histories reached, and how they ended.

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
        let list =
            |names: &BTreeSet<&'static str>| names.iter().copied().collect::<Vec<_>>().join(" ");
        writeln!(
            out,
            "calls of smss that were made to fail: {}",
            list(&self.failed)
        )?;
        writeln!(
            out,
            "calls before which a thread was preempted: {}",
            list(&self.preempted)
        )
    }
}
