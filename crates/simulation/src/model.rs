// SPDX-License-Identifier: GPL-2.0-or-later
//! The model: the table of states at the head of the crate `subsystems`, as data, held against the
//! records of every Session Manager that runs, after every step.
//!
//! A step is what happens between two of smss' calls or locks; in one, a record makes one
//! transition, or two where one critical section makes both.

use executive::ids::ProcessId;
use smss::{Counts, Kind, Record, Stage, TableSpace};
use std::collections::{BTreeMap, BTreeSet};

/// A transition: of which record, from what, to what; `None` is before and after its life.
pub type Transition = (Kind, Option<Stage>, Option<Stage>);

/// The table, row by row.
#[rustfmt::skip]
pub const TABLE: &[(Transition, &str)] = &[
    ((Kind::Server, None, Some(Stage::Reserved)), "reserve"),
    ((Kind::Server, Some(Stage::Reserved), Some(Stage::Created)), "created"),
    ((Kind::Server, Some(Stage::Created), Some(Stage::Registering)), "register"),
    ((Kind::Server, Some(Stage::Registering), Some(Stage::Created)), "refused"),
    ((Kind::Server, Some(Stage::Registering), Some(Stage::Registered)), "registered"),
    ((Kind::Server, Some(Stage::Registered), Some(Stage::InService)), "called_back"),
    ((Kind::Server, Some(Stage::Reserved), Some(Stage::Retired)), "retire"),
    ((Kind::Server, Some(Stage::Created), Some(Stage::Retired)), "retire"),
    ((Kind::Server, Some(Stage::Registering), Some(Stage::Retired)), "retire"),
    ((Kind::Server, Some(Stage::Registered), Some(Stage::Retired)), "retire"),
    ((Kind::Server, Some(Stage::InService), Some(Stage::Retired)), "retire"),
    ((Kind::Server, Some(Stage::Retired), None), "release"),
    ((Kind::Terminal, None, Some(Stage::Starting)), "start"),
    ((Kind::Terminal, Some(Stage::Starting), Some(Stage::StartingNoted)), "server_lost, process_ended"),
    ((Kind::Terminal, Some(Stage::Starting), Some(Stage::Running)), "stands"),
    ((Kind::Terminal, Some(Stage::StartingNoted), Some(Stage::Running)), "stands"),
    ((Kind::Terminal, Some(Stage::Starting), None), "remove"),
    ((Kind::Terminal, Some(Stage::StartingNoted), None), "remove"),
    ((Kind::Terminal, Some(Stage::Running), None), "remove"),
    ((Kind::Instance, None, Some(Stage::Reserved)), "reserve"),
    ((Kind::Instance, Some(Stage::Reserved), Some(Stage::Created)), "created"),
    ((Kind::Instance, Some(Stage::Created), Some(Stage::HasMade)), "has_made"),
    ((Kind::Instance, Some(Stage::Reserved), None), "remove"),
    ((Kind::Instance, Some(Stage::Created), None), "remove"),
    ((Kind::Instance, Some(Stage::HasMade), None), "remove"),
];

/// One Session Manager.
struct Watched {
    process: ProcessId,
    tables: &'static TableSpace,
    seen: BTreeMap<(Kind, u64), Record>,
}

/// What the model knows.
#[derive(Default)]
pub struct Model {
    watched: Vec<Watched>,
    /// The transitions that took place.
    pub reached: BTreeSet<Transition>,
}

impl core::fmt::Debug for Model {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{} Session Managers", self.watched.len())
    }
}

impl Model {
    /// A Session Manager starts.
    pub fn watch(&mut self, process: ProcessId, tables: &'static TableSpace) {
        self.watched.push(Watched {
            process,
            tables,
            seen: BTreeMap::new(),
        });
    }

    /// The machine starts anew.
    pub fn forget(&mut self) {
        self.watched.clear();
    }

    /// After a step: every change of a record is a transition of the table.
    pub fn step(&mut self) -> Result<(), String> {
        for watched in &mut self.watched {
            let mut now = BTreeMap::new();
            let there = watched.tables.records(&mut |record| {
                now.insert((record.kind, record.key), record);
            });
            if there.is_none() || now == watched.seen {
                continue;
            }
            let keys: BTreeSet<_> = now.keys().chain(watched.seen.keys()).copied().collect();
            for key in keys {
                let stage = |of: &BTreeMap<_, Record>| of.get(&key).map(|record| record.stage);
                let (before, after) = (stage(&watched.seen), stage(&now));
                if before != after {
                    self.reached
                        .extend(path((key.0, before, after)).ok_or(format!(
                            "a {:?} of smss {} went from {before:?} to {after:?}",
                            key.0, watched.process.0
                        ))?);
                }
            }
            watched.seen = now;
        }
        Ok(())
    }

    /// The Session Managers whose process `runs`, with their records and counts; the others are
    /// forgotten.
    pub fn at_rest(
        &mut self,
        runs: impl Fn(ProcessId) -> bool,
    ) -> Vec<(ProcessId, Vec<Record>, Option<Counts>)> {
        self.watched.retain(|watched| runs(watched.process));
        self.watched
            .iter()
            .map(|watched| {
                let mut records = Vec::new();
                let counts = watched.tables.records(&mut |record| records.push(record));
                (watched.process, records, counts)
            })
            .collect()
    }
}

/// The rows of the table that lead from a record's one state to its other: one, or two where one
/// critical section makes both.
fn path(transition: Transition) -> Option<Vec<Transition>> {
    let is_row = |wanted: Transition| TABLE.iter().any(|(row, _)| *row == wanted);
    if is_row(transition) {
        return Some(vec![transition]);
    }
    let (kind, from, to) = transition;
    TABLE
        .iter()
        .map(|(row, _)| *row)
        .filter(|row| row.0 == kind && row.1 == from)
        .map(|first| (first, (kind, first.2, to)))
        .find(|&(first, second)| first.2.is_some() && is_row(second))
        .map(|(first, second)| vec![first, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_of_two_rows_is_found_and_a_way_back_is_not() {
        let server = |from, to| path((Kind::Server, from, to));
        assert_eq!(
            server(Some(Stage::InService), None).map(|rows| rows.len()),
            Some(2),
            "retired and released in one step"
        );
        assert_eq!(server(Some(Stage::Retired), Some(Stage::InService)), None);
        assert_eq!(server(Some(Stage::Reserved), Some(Stage::InService)), None);
        assert_eq!(
            path((Kind::Terminal, Some(Stage::Running), Some(Stage::Starting))),
            None
        );
    }
}
