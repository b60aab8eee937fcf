// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls: counts by name and by phase, and every call in a table with a filter.

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

/// Counts by phase and by name, the most frequent first.
pub fn counts(timeline: &Timeline) -> Markup {
    let mut by_name: BTreeMap<&str, Tally> = BTreeMap::new();
    for call in &timeline.calls {
        by_name.entry(&call.name).or_default().add(call);
    }
    let mut rows: Vec<(&str, Tally)> = by_name.into_iter().collect();
    rows.sort_by_key(|(name, tally)| (std::cmp::Reverse(tally.made), *name));
    html! {
        div.columns {
            @if !timeline.phases.is_empty() {
                div {
                    h3 { "By phase" }
                    (table("Phase", phases(timeline).into_iter().map(|(name, tally)| (name, tally, false))))
                }
            }
            div {
                h3 { "By name" }
                (table("Call", rows.into_iter().map(|(name, tally)| (name.to_owned(), tally, true))))
            }
        }
    }
}

fn phases(timeline: &Timeline) -> Vec<(String, Tally)> {
    let of = |phase| Tally::of(timeline.calls.iter().filter(|call| call.phase == phase));
    let mut rows = vec![("before the first".to_owned(), of(None))];
    for (place, phase) in timeline.phases.iter().enumerate() {
        rows.push((phase.name.clone(), of(Some(place))));
    }
    rows.retain(|(_, tally)| tally.made > 0);
    rows
}

fn table(what: &str, rows: impl Iterator<Item = (String, Tally, bool)>) -> Markup {
    html! {
        div.scroll {
            table.counts {
                thead {
                    tr {
                        th { (what) }
                        th.number { "calls" }
                        th.number { "failed" }
                        th.number { "inside, ms" }
                        th.number { "waited, ms" }
                    }
                }
                tbody {
                    @for (name, tally, chooses) in rows {
                        tr {
                            td {
                                @if chooses {
                                    button.plain.mono type="button" data-choose=(name)
                                        title="Show these calls" { (name) }
                                } @else { (name) }
                            }
                            td.number { (tally.made) }
                            td.number { @if tally.failed > 0 { (tally.failed) } }
                            td.number { (super::time(tally.inside)) }
                            td.number { @if tally.waited > 0 { (super::time(tally.waited)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Every call, with its filter.
pub fn table_of_all(timeline: &Timeline) -> Markup {
    let failed = timeline.calls.iter().filter(|call| call.failed).count();
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
                    option value="" { "every process" }
                    @for (place, process) in timeline.processes.iter().enumerate() {
                        option value=(place) { (process.image) " " (process.id) }
                    }
                }
            }
            label.check {
                input type="checkbox" id="only-failed" disabled[failed == 0];
                " failed only"
            }
            output id="shown" for="filter by-process only-failed" {
                (timeline.calls.len()) " calls"
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
                @for (number, call) in timeline.calls.iter().enumerate() {
                    (row(timeline, number, call))
                }
            }
        }
        p.muted id="none-shown" hidden { "No call is like that." }
    }
}

fn row(timeline: &Timeline, number: usize, call: &Call) -> Markup {
    let image = timeline
        .processes
        .get(call.process)
        .map_or("?", |process| &process.image);
    html! {
        tr id={ "call-" (number) } data-process=(call.process) data-failed[call.failed] tabindex="-1" {
            td.number { (super::time(call.begins)) }
            td.who { (image) " " span.muted { (call.thread) } }
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
        let names: Vec<String> = phases(&timeline)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["before the first", "9 registry"]);
    }

    #[test]
    fn what_a_call_was_given_is_text_and_nothing_else() {
        let trace = TRACE.replace("key=0x8", "name=\"<script>alert(1)</script>\"");
        let page = table_of_all(&Timeline::of(&trace)).into_string();
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
    }
}
