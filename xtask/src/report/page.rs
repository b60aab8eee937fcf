// SPDX-License-Identifier: GPL-2.0-or-later
//! The report as one page that needs nothing but itself.

use super::calls::{self, Tally};
use super::chart::{self, Run};
use super::recording::ELEMENT;
use super::timeline::Kind;
use super::{changes, difference, journal, namespace, time};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The sections, by the id that a link goes to.
const SECTIONS: [(&str, &str); 6] = [
    ("chart", "Chart"),
    ("changes", "Changes"),
    ("registry", "Registry"),
    ("namespace", "Namespace"),
    ("log", "Log"),
    ("calls", "Calls"),
];

/// The whole page. A second run is in the summary, the chart and the calls; changes, registry,
/// namespace and log are the first one's.
pub fn page(runs: &[Run<'_>]) -> String {
    let Some(run) = runs.first() else {
        return String::new();
    };
    let (recording, timeline) = (run.recording, run.timeline);
    let new = difference::new_objects(&recording.before, &recording.after);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "A boot of smss.exe" }
                style { (PreEscaped(chart::STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "To the report" }
                header {
                    h1 { "A boot of smss.exe" }
                    @if runs.len() > 1 { (summary(runs)) } @else { (verdict(run)) (facts(run)) }
                }
                nav aria-label="Sections" {
                    @for (id, name) in SECTIONS { a href={ "#" (id) } { (name) } }
                }
                main id="main" {
                    section id="chart" {
                        (heading("chart"))
                        (legend())
                        (zoom())
                        div.canvas id="canvas" tabindex="-1" { (chart::embedded(runs)) }
                        div.tip id="tip" role="status" hidden {}
                    }
                    section id="changes" {
                        (heading("changes"))
                        (changes::files(recording, timeline))
                        h3 { "Processes at the end" }
                        (changes::processes(&recording.after))
                    }
                    section id="registry" {
                        (heading("registry"))
                        p.lead { "The Session Manager\u{2019}s keys before the first process and at the end." }
                        (changes::registry(recording))
                    }
                    section id="namespace" {
                        (heading("namespace"))
                        p.lead {
                            "Every named object at the end"
                            @if !new.is_empty() { "; " (new.len()) " are new since the first process began" }
                            ". Unfold one to see who may do what to it."
                        }
                        div.buttons {
                            button type="button" id="unfold" { "Unfold all" }
                            button type="button" id="fold" { "Fold all" }
                        }
                        (namespace::tree(&recording.after, &new))
                    }
                    section id="log" {
                        (heading("log"))
                        (journal::section(&recording.log, timeline))
                    }
                    section id="calls" {
                        h2 { "System calls" }
                        (calls::counts(runs))
                        h3 { "All of them" }
                        (calls::table_of_all(runs))
                    }
                }
                footer {
                    p {
                        "Time 0 is the making of the Session Manager, "
                        (time(timeline.origin)) " ms after the kernel\u{2019}s start; the log of the run counts from there. "
                        "Made by cargo xtask report, from " (recording.name) "."
                    }
                }
                script type="application/json" id=(ELEMENT) { (PreEscaped(recording.carried())) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn heading(id: &str) -> Markup {
    let name = SECTIONS
        .iter()
        .find(|(have, _)| *have == id)
        .map_or(id, |(_, name)| name);
    html! { h2 { (name) } }
}

fn verdict(run: &Run<'_>) -> Markup {
    html! {
        @if let Some(stop) = run.recording.stop() {
            p.verdict.bad { "The system stopped: " span.mono { (stop) } }
        } @else if let Some(settled) = run.recording.settled(run.timeline) {
            p.verdict.good { "Settled after " (time(settled)) " ms" }
        } @else {
            p.verdict.bad { "The log does not say that it settled." }
        }
    }
}

fn facts(run: &Run<'_>) -> Markup {
    let figures = Figures::of(run);
    let tally = figures.tally;
    html! {
        dl.facts {
            div { dt { "processes" } dd { (figures.processes) @if figures.ended > 0 { small { ", " (figures.ended) " ended" } } } }
            div { dt { "system calls" } dd { (tally.made) @if tally.failed > 0 { small { ", " (tally.failed) " failed" } } } }
            div { dt { "ms inside calls" } dd { (time(tally.inside)) } }
            div { dt { "phases" } dd { (figures.phases) } }
        }
    }
}

/// What a run comes to.
struct Figures {
    processes: usize,
    ended: usize,
    tally: Tally,
    phases: usize,
    settled: Option<u64>,
}

impl Figures {
    fn of(run: &Run<'_>) -> Self {
        let processes = &run.timeline.processes;
        let ended = processes.iter().filter(|process| process.ended.is_some());
        Self {
            processes: processes.len(),
            ended: ended.count(),
            tally: Tally::of(&run.timeline.calls),
            phases: run.timeline.phases.len(),
            settled: run.recording.settled(run.timeline),
        }
    }
}

/// The runs side by side.
fn summary(runs: &[Run<'_>]) -> Markup {
    /// A figure by its name, and how it is shown.
    type Line = (&'static str, fn(&Figures) -> u64, fn(u64) -> String);
    const LINES: [Line; 8] = [
        ("settled after, ms", |it| it.settled.unwrap_or(0), time),
        (
            "processes",
            |it| it.processes as u64,
            |count| count.to_string(),
        ),
        (
            "of these ended",
            |it| it.ended as u64,
            |count| count.to_string(),
        ),
        (
            "system calls",
            |it| it.tally.made as u64,
            |count| count.to_string(),
        ),
        (
            "of these failed",
            |it| it.tally.failed as u64,
            |count| count.to_string(),
        ),
        ("ms inside calls", |it| it.tally.inside, time),
        ("ms waited in calls", |it| it.tally.waited, time),
        ("phases", |it| it.phases as u64, |count| count.to_string()),
    ];
    let figures: Vec<Figures> = runs.iter().map(Figures::of).collect();
    html! {
        @for (place, run) in runs.iter().enumerate() {
            p.muted { (calls::number(place)) " " (run.recording.name) }
            (verdict(run))
        }
        div.scroll {
            table.summary {
                thead {
                    tr {
                        th {}
                        @for place in 0..runs.len() { th.number { (calls::number(place)) } }
                        th.number { "difference" }
                    }
                }
                tbody {
                    @for (name, figure, shown) in LINES {
                        @let values: Vec<u64> = figures.iter().map(figure).collect();
                        tr {
                            td { (name) }
                            @for &value in &values { td.number { (shown(value)) } }
                            td.number { (difference(&values, shown)) }
                        }
                    }
                }
            }
        }
    }
}

/// What the second of two values has more or less than the first.
fn difference(values: &[u64], shown: fn(u64) -> String) -> String {
    match *values {
        [one, other] if other > one => format!("+{}", shown(other - one)),
        [one, other] if other < one => format!("\u{2212}{}", shown(one - other)),
        _ => String::new(),
    }
}

/// What the chart's marks mean.
fn legend() -> Markup {
    let entries = [
        (Kind::Call, "call"),
        (Kind::Disk, "files and disks"),
        (Kind::Child, "waits for a process"),
        (Kind::Message, "waits for a message"),
        (Kind::Other, "waits for something else"),
    ];
    html! {
        ul.legend {
            @for (kind, words) in entries {
                li {
                    svg.chart width="22" height="10" aria-hidden="true" {
                        @if kind.waits() {
                            line class={ "wait " (kind.word()) } x1="0" x2="22" y1="5" y2="5" {}
                        } @else {
                            rect class=(kind.word()) x="2" y="1" width="18" height="8" {}
                        }
                    }
                    " " (words)
                }
            }
            li {
                svg.chart width="22" height="10" aria-hidden="true" {
                    rect.failed x="2" y="1" width="18" height="8" {}
                }
                " failed call"
            }
        }
    }
}

fn zoom() -> Markup {
    html! {
        div.buttons role="group" aria-label="Width of the chart" {
            button type="button" data-zoom="1" aria-pressed="true" { "Whole" }
            @for times in [4, 16] {
                button type="button" data-zoom=(times) aria-pressed="false" { (times) "\u{00d7}" }
            }
            span.hint { "Point at a mark, or use the arrow keys, to see the call." }
        }
    }
}
