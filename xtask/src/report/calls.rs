// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls: counts by name and by phase, and every call in a table with a filter; of two
//! runs side by side.

use super::chart::{Run, circled};
use super::timeline::{Call, Timeline};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// What became of some calls; times in units of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub made: usize,
    /// How many of them failed.
    pub failed: usize,
    /// Time inside those that did not wait.
    pub inside: u64,
    /// Time of those that waited.
    pub waited: u64,
}

impl Tally {
    fn add(&mut self, call: &Call) {
        let took = call.ends.saturating_sub(call.begins);
        self.made += 1;
        self.failed += usize::from(call.failed);
        if call.kind.waits() {
            self.waited += took;
        } else {
            self.inside += took;
        }
    }

    /// Counts some calls.
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Self {
        let mut tally = Self::default();
        calls.into_iter().for_each(|call| tally.add(call));
        tally
    }
}

/// What was counted under one name: a tally a run.
struct Row {
    name: String,
    tallies: Vec<Tally>,
}

/// Counts by phase and by name, the most frequent first.
pub fn counts(runs: &[Run<'_>]) -> Markup {
    html! {
        div.columns.wide[runs.len() > 1] {
            @if runs.iter().any(|run| !run.timeline.phases.is_empty()) {
                div {
                    h3 { "By phase" }
                    (table("Phase", runs.len(), &phases(runs), false))
                }
            }
            div {
                h3 { "By name" }
                (table("Call", runs.len(), &names(runs), true))
            }
        }
    }
}

fn names(runs: &[Run<'_>]) -> Vec<Row> {
    let mut by_name: BTreeMap<&str, Vec<Tally>> = BTreeMap::new();
    for (place, run) in runs.iter().enumerate() {
        for call in &run.timeline.calls {
            let tallies = by_name
                .entry(&call.name)
                .or_insert_with(|| vec![Tally::default(); runs.len()]);
            tallies[place].add(call);
        }
    }
    let mut rows: Vec<Row> = by_name
        .into_iter()
        .map(|(name, tallies)| Row {
            name: name.to_owned(),
            tallies,
        })
        .collect();
    // The sort is stable: what is as frequent stays in the order of its name.
    rows.sort_by_key(|row| {
        let made: Vec<usize> = row.tallies.iter().map(|tally| tally.made).collect();
        std::cmp::Reverse(made)
    });
    rows
}

/// In the order of the first run; what only a later one has comes last.
fn phases(runs: &[Run<'_>]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let named = run.timeline.phases.iter().enumerate();
        let of = |phase| {
            let calls = run.timeline.calls.iter();
            Tally::of(calls.filter(|call| call.phase == phase))
        };
        let mut tallies = vec![("before the first", of(None))];
        tallies.extend(named.map(|(phase, it)| (it.name.as_str(), of(Some(phase)))));
        for (name, tally) in tallies {
            let at = rows.iter().position(|row| row.name == name);
            let at = at.unwrap_or_else(|| {
                rows.push(Row {
                    name: name.to_owned(),
                    tallies: vec![Tally::default(); runs.len()],
                });
                rows.len() - 1
            });
            rows[at].tallies[place] = tally;
        }
    }
    rows.retain(|row| row.tallies.iter().any(|tally| tally.made > 0));
    rows
}

/// A column for each figure, and of two runs a column for each of them.
fn table(what: &str, runs: usize, rows: &[Row], chooses: bool) -> Markup {
    /// What a figure is called, what it is, and how it is shown; 0 is not.
    type Figure = (&'static str, fn(&Tally) -> u64, fn(u64) -> String);
    const FIGURES: [Figure; 4] = [
        ("calls", |tally| tally.made as u64, |made| made.to_string()),
        (
            "failed",
            |tally| tally.failed as u64,
            |failed| failed.to_string(),
        ),
        ("inside, ms", |tally| tally.inside, super::time),
        ("waited, ms", |tally| tally.waited, super::time),
    ];
    html! {
        div.scroll {
            table.counts {
                thead {
                    tr {
                        th { (what) }
                        @for (name, ..) in FIGURES {
                            @for run in 1..=runs {
                                th.number { (name) @if runs > 1 { " " (number(run - 1)) } }
                            }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            td {
                                @if chooses {
                                    button.plain.mono type="button" data-choose=(row.name)
                                        title="Show these calls" { (row.name) }
                                } @else { (row.name) }
                            }
                            @for (_, figure, shown) in FIGURES {
                                @for tally in &row.tallies {
                                    td.number.differs[figure(tally) != figure(&row.tallies[0])] {
                                        @if figure(tally) > 0 { (shown(figure(tally))) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The run's figure, as the table has it.
pub fn number(place: usize) -> Markup {
    html! { span.run { (circled(place)) } }
}

/// Every call of every run, with the filter.
pub fn table_of_all(runs: &[Run<'_>]) -> Markup {
    let calls = || runs.iter().flat_map(|run| &run.timeline.calls);
    let failed = calls().filter(|call| call.failed).count();
    let several = runs.len() > 1;
    html! {
        div.filters role="search" {
            label.grow {
                span.hidden { "Filter" }
                input type="search" id="filter" autocomplete="off" spellcheck="false"
                    placeholder="Filter: NtOpenKey, \\Registry, ACCESS_DENIED\u{2026}";
            }
            label {
                span.hidden { "Process" }
                select id="by-process" {
                    option value="" { @if several { "both runs" } @else { "every process" } }
                    @for (place, run) in runs.iter().enumerate() {
                        @if several {
                            option value={ (place) "-" } { (number(place)) " every process" }
                        }
                        @for (process, it) in run.timeline.processes.iter().enumerate() {
                            option value={ (place) "-" (process) } {
                                @if several { (number(place)) " " }
                                (it.image) " " (it.id)
                            }
                        }
                    }
                }
            }
            label.check {
                input type="checkbox" id="only-failed" disabled[failed == 0];
                " failed only"
            }
            output id="shown" for="filter by-process only-failed" {
                (calls().count()) " calls"
            }
        }
        table.calls {
            thead {
                tr {
                    th.number { "ms" }
                    th { "Who" }
                    th { "Call" }
                    th { "Status" }
                    th.number { "took" }
                }
            }
            tbody id="all-calls" {
                @for (place, run) in runs.iter().enumerate() {
                    @for number in 0..run.timeline.calls.len() {
                        (row(run.timeline, several, place, number))
                    }
                }
            }
        }
        p.muted id="none-shown" hidden { "No call is like that." }
    }
}

fn row(timeline: &Timeline, several: bool, run: usize, number_of_call: usize) -> Markup {
    let call = &timeline.calls[number_of_call];
    let image = timeline
        .processes
        .get(call.process)
        .map_or("?", |process| &process.image);
    html! {
        tr id={ "call-" (run) "-" (number_of_call) } data-process={ (run) "-" (call.process) }
            data-failed[call.failed] tabindex="-1" {
            td.number { (super::time(call.begins)) }
            td.who {
                @if several { (number(run)) " " }
                (image) " " span.muted { (call.thread) }
            }
            td.what {
                span.mark.(call.kind.word()) {}
                b { (call.name) } span.arguments { "(" (call.arguments) ")" }
            }
            td.status.failed[call.failed] { (call.status) }
            td.number { (super::time(call.ends.saturating_sub(call.begins))) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording::Recording;
    use super::*;

    const TRACE: &str = "smss.exe  0.1000000 c.0 +++ smss.exe started by 4, session none +++\n\
        smss.exe  0.1100000 c.10 NtOpenKey(key=0x8) = OBJECT_NAME_NOT_FOUND <0.0000100>\n\
        smss.exe  0.1200000 c.10 --- SMSS: phase: 9 registry ---\n\
        smss.exe  0.1300000 c.10 NtDelayExecution(interval=0.1s) waits\n\
        smss.exe  0.2300000 c.10 NtDelayExecution() = SUCCESS <0.1000000>\n";

    #[test]
    fn time_inside_and_time_waited_are_told_apart() {
        let timeline = Timeline::of(TRACE);
        assert_eq!(
            Tally::of(&timeline.calls),
            Tally {
                made: 2,
                failed: 1,
                inside: 100,
                waited: 1_000_000
            }
        );
        let recording = Recording::default();
        let run = Run {
            recording: &recording,
            timeline: &timeline,
        };
        let names: Vec<String> = phases(&[run]).into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["before the first", "9 registry"]);
    }

    /// What two runs have in common stands in one row, and what only one has in a row as well.
    #[test]
    fn two_runs_are_counted_side_by_side() {
        let other = TRACE
            .replace("9 registry", "16 DOS devices")
            .replace("NtOpenKey", "NtOpenFile");
        let (one, other) = (Timeline::of(TRACE), Timeline::of(&other));
        let recording = Recording::default();
        let runs = [&one, &other].map(|timeline| Run {
            recording: &recording,
            timeline,
        });
        let made = |rows: &[Row]| -> Vec<(String, usize, usize)> {
            let tallies = rows.iter();
            tallies
                .map(|row| (row.name.clone(), row.tallies[0].made, row.tallies[1].made))
                .collect()
        };
        let row = |name: &str, one, other| (name.to_owned(), one, other);
        assert_eq!(
            made(&names(&runs)),
            [
                row("NtDelayExecution", 1, 1),
                row("NtOpenKey", 1, 0),
                row("NtOpenFile", 0, 1)
            ]
        );
        assert_eq!(
            made(&phases(&runs)),
            [
                row("before the first", 1, 1),
                row("9 registry", 1, 0),
                row("16 DOS devices", 0, 1)
            ]
        );
        let all = table_of_all(&runs).into_string();
        for id in ["call-0-0", "call-0-1", "call-1-0", "call-1-1"] {
            assert!(all.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }

    #[test]
    fn what_a_call_was_given_is_text_and_nothing_else() {
        let trace = TRACE.replace("key=0x8", "name=\"<script>alert(1)</script>\"");
        let (recording, timeline) = (Recording::default(), Timeline::of(&trace));
        let run = Run {
            recording: &recording,
            timeline: &timeline,
        };
        let page = table_of_all(&[run]).into_string();
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
    }
}
