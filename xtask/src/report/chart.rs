// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot chart: one or two runs under one time axis, as an SVG picture.
//!
//! Across, everything is a percentage of the picture's width, so that it fits a phone and a desk
//! without its text changing size; down, everything is in pixels. A name stands above or beside what
//! it names, never in a column of its own.

use super::recording::Recording;
use super::timeline::{Call, Kind, MILLISECOND, Process, Timeline};
use maud::{Markup, PreEscaped, html};

/// The style, which the page has once and a picture of its own carries along.
pub const STYLE: &str = include_str!("chart.css");

/// Heights, in pixels.
const AXIS: u32 = 26;
const TITLE: u32 = 26;
const GROUP: u32 = 24;
const PHASE: u32 = 17;
const NAME: u32 = 20;
const THREAD: u32 = 10;
const GAP: u32 = 7;
const SETTLED: u32 = 12;
/// The width of a picture that stands alone.
const WIDTH: u32 = 1200;

/// A run in the chart.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// What was recorded.
    pub recording: &'a Recording,
    /// Its history.
    pub timeline: &'a Timeline,
}

/// How a run is called where there are two: a figure in a circle.
pub fn circled(place: usize) -> &'static str {
    const CIRCLED: [&str; 2] = ["\u{2460}", "\u{2461}"];
    CIRCLED.get(place).copied().unwrap_or_default()
}

/// The chart as a part of a page: each call carries the numbers of its run and of itself.
pub fn embedded(runs: &[Run<'_>]) -> Markup {
    let chart = Chart::of(runs, true);
    html! {
        svg.chart width="100%" height=(chart.height) role="img" tabindex="0"
            aria-label="Boot chart; arrow keys go from call to call" { (chart.content) }
    }
}

/// The chart as a picture of its own.
pub fn alone(runs: &[Run<'_>]) -> String {
    let chart = Chart::of(runs, false);
    let svg = html! {
        svg.chart xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(chart.height) {
            style { (PreEscaped(STYLE)) ".chart { background: var(--paper) }" }
            rect width="100%" height="100%" fill="var(--paper)" {}
            (chart.content)
        }
    };
    svg.into_string()
}

struct Chart {
    height: u32,
    content: Markup,
}

/// Where times are in the picture.
struct Scale(u64);

impl Scale {
    fn at(&self, time: u64) -> String {
        format!("{:.3}%", self.share(time))
    }

    fn width(&self, from: u64, to: u64) -> String {
        format!("{:.3}%", self.share(to.saturating_sub(from)))
    }

    fn share(&self, time: u64) -> f64 {
        time as f64 * 100.0 / self.0.max(1) as f64
    }

    /// Times of the axis: about eight, at round numbers.
    fn ticks(&self) -> Vec<u64> {
        let step = [1, 2, 5]
            .iter()
            .cycle()
            .enumerate()
            .map(|(place, digit)| digit * 10_u64.pow(place as u32 / 3) * MILLISECOND / 10)
            .find(|step| self.0 / step <= 8)
            .unwrap_or(MILLISECOND);
        (0..=self.0 / step).map(|count| count * step).collect()
    }
}

impl Chart {
    fn of(runs: &[Run<'_>], numbered: bool) -> Self {
        let longest = runs.iter().map(|run| run.timeline.end).max();
        let scale = Scale(longest.unwrap_or(0));
        let mut y = AXIS;
        let mut parts = Vec::new();
        for (place, run) in runs.iter().enumerate() {
            if runs.len() > 1 {
                parts.push(html! {
                    text.run x="0" y=(y + 16) { (circled(place)) " " (run.recording.name) }
                });
                y += TITLE;
            }
            let top = y;
            let history = history(&scale, run, numbered.then_some(place), &mut y);
            // Below everything else: a line through a name makes neither readable.
            if let Some(settled) = run.recording.settled(run.timeline) {
                y += SETTLED;
                parts.push(settled_mark(&scale, settled, top, y));
            }
            parts.push(history);
            y += GAP;
        }
        let content = html! {
            // Room for the text of the first and the last tick.
            svg x="1%" width="98%" height=(y) overflow="visible" {
                @for tick in scale.ticks() {
                    line.grid x1=(scale.at(tick)) x2=(scale.at(tick)) y1=(AXIS - 8) y2=(y) {}
                    text.tick x=(scale.at(tick)) y="12" text-anchor=(anchor(scale.share(tick))) {
                        (super::time(tick)) @if tick == 0 { " ms" }
                    }
                }
                @for part in &parts { (part) }
            }
        };
        Self { height: y, content }
    }
}

/// Which end of a text stands at a place, so that it does not leave the picture.
const fn anchor(share: f64) -> &'static str {
    if share < 4.0 {
        "start"
    } else if share > 96.0 {
        "end"
    } else {
        "middle"
    }
}

fn settled_mark(scale: &Scale, at: u64, top: u32, bottom: u32) -> Markup {
    let end = if scale.share(at) > 50.0 {
        "end"
    } else {
        "start"
    };
    let dx = if scale.share(at) > 50.0 { "-5" } else { "5" };
    html! {
        line.settled x1=(scale.at(at)) x2=(scale.at(at)) y1=(top) y2=(bottom) {}
        text.settled-name x=(scale.at(at)) y=(bottom - 3) dx=(dx) text-anchor=(end) {
            "settled " (super::time(at)) " ms"
        }
    }
}

fn history(scale: &Scale, run: &Run<'_>, numbered: Option<usize>, y: &mut u32) -> Markup {
    let timeline = run.timeline;
    let mut parts = Vec::new();
    if !timeline.phases.is_empty() {
        parts.push(group("PHASES OF THE SESSION MANAGER", y));
    }
    for phase in &timeline.phases {
        let after = scale.share(phase.ends) < 45.0;
        let (name, more) = match phase.name.split_once(": ") {
            Some((name, more)) => (name, format!(": {more}")),
            None => (phase.name.as_str(), String::new()),
        };
        let (x, dx, anchor) = if after {
            (phase.ends, "6", "start")
        } else {
            (phase.begins, "-6", "end")
        };
        parts.push(html! {
            rect.phase x=(scale.at(phase.begins)) y=(*y + 4)
                width=(scale.width(phase.begins, phase.ends)) height="9" rx="1.5" {
                title { (phase.name) ": " (super::time(phase.ends - phase.begins)) " ms" }
            }
            text x=(scale.at(x)) dx=(dx) y=(*y + 12) text-anchor=(anchor) {
                (name)
                tspan.detail.more { (more) " " (super::time(phase.ends - phase.begins)) " ms" }
            }
        });
        *y += PHASE;
    }
    *y += GAP;
    parts.push(group("PROCESSES AND THEIR THREADS", y));
    // Where each process's bar begins, for the lines from creator to created.
    let mut tops = Vec::new();
    for (place, process) in timeline.processes.iter().enumerate() {
        let (begins, ends) = (process.begins, end_of(process, timeline));
        let rows = process.threads.len().max(1) as u32;
        let (top, height) = (*y + NAME, rows * THREAD + 4);
        if let Some(from) = creator(timeline, place).and_then(|from| tops.get(from)) {
            parts.push(html! {
                line.made x1=(scale.at(begins)) x2=(scale.at(begins)) y1=(from) y2=(top) {}
            });
        }
        tops.push(top + height);
        parts.push(html! {
            (label(scale, process, timeline, *y + 14))
            rect.body x=(scale.at(begins)) y=(top) width=(scale.width(begins, ends)) height=(height)
                rx="2" {}
            @for (row, thread) in process.threads.iter().enumerate() {
                (thread_row(scale, timeline, (place, *thread), top + 2 + row as u32 * THREAD, numbered))
            }
        });
        *y = top + height + GAP;
    }
    html! { @for part in &parts { (part) } }
}

fn group(name: &str, y: &mut u32) -> Markup {
    *y += GROUP;
    html! { text.group x="0" y=(*y - 8) { (name) } }
}

fn end_of(process: &Process, timeline: &Timeline) -> u64 {
    process
        .ended
        .as_ref()
        .map_or(timeline.end, |(time, _)| *time)
}

/// The place of the process that made another.
fn creator(timeline: &Timeline, place: usize) -> Option<usize> {
    let parent = timeline.processes.get(place)?.parent;
    timeline
        .processes
        .get(..place)?
        .iter()
        .rposition(|process| process.id == parent)
}

fn label(scale: &Scale, process: &Process, timeline: &Timeline, y: u32) -> Markup {
    let early = scale.share(process.begins) < 25.0;
    let (x, anchor) = if early {
        (scale.at(process.begins), "start")
    } else {
        ("100%".to_owned(), "end")
    };
    let parent = timeline
        .processes
        .iter()
        .rfind(|other| other.id == process.parent)
        .map_or("the system", |parent| &parent.image);
    html! {
        text x=(x) y=(y) text-anchor=(anchor) {
            tspan.name { (process.image) }
            tspan.detail {
                " " (process.id) ", made by " (parent)
                @match process.session {
                    Some(session) => { ", session " (session) }
                    None => { ", no session" }
                }
            }
            @if let Some((time, status)) = &process.ended {
                tspan.detail.more {
                    ", ended with " (status) " after " (super::time(time - process.begins)) " ms"
                }
            }
        }
    }
}

fn thread_row(
    scale: &Scale,
    timeline: &Timeline,
    (process, thread): (usize, u32),
    y: u32,
    numbered: Option<usize>,
) -> Markup {
    let calls = timeline
        .calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.process == process && call.thread == thread);
    html! {
        g data-thread=(thread) {
            @for (number, call) in calls { (span(scale, number, call, y, numbered)) }
        }
    }
}

fn span(scale: &Scale, number: usize, call: &Call, y: u32, run: Option<usize>) -> Markup {
    let number = run.map(|run| format!("{run}-{number}"));
    let class = match call.kind {
        Kind::Call | Kind::Disk if call.failed => "failed",
        kind => kind.word(),
    };
    let title = html! { title { (call.name) "(" (call.arguments) ") = " (call.status) } };
    html! {
        @if call.kind.waits() {
            line class={ "span wait " (class) } data-call=[&number] x1=(scale.at(call.begins))
                x2=(scale.at(call.ends)) y1=(y + 5) y2=(y + 5) { (title) }
        } @else {
            rect class={ "span " (class) } data-call=[&number] x=(scale.at(call.begins)) y=(y + 1)
                width=(scale.width(call.begins, call.ends)) height="8" { (title) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_at_round_times() {
        let scale = Scale(2_260_000);
        let ticks: Vec<u64> = scale
            .ticks()
            .into_iter()
            .map(|tick| tick / MILLISECOND)
            .collect();
        assert_eq!(ticks, [0, 50, 100, 150, 200]);
        assert_eq!(Scale(0).ticks(), [0]);
        assert!(Scale(u64::MAX / 200).ticks().len() <= 9);
    }

    #[test]
    fn a_picture_of_its_own_is_well_formed_whatever_the_trace_says() {
        let trace = "smss.exe  0.1 c.0 +++ smss.exe started by 4, session none +++\n\
                     smss.exe  0.2 c.10 NtOpenFile(name=\"<&\\\"]]>\") = SUCCESS <0.01>\n";
        let recording = Recording::from_texts("a <b>", trace, "{}", None, "").unwrap();
        let timeline = Timeline::of(trace);
        let run = Run {
            recording: &recording,
            timeline: &timeline,
        };
        let picture = alone(&[run, run]);
        assert!(picture.contains("a &lt;b&gt;") && !picture.contains("<&"));
        for element in [
            "svg", "text", "tspan", "rect", "line", "g", "title", "style",
        ] {
            let opened = picture.matches(&format!("<{element}>")).count()
                + picture.matches(&format!("<{element} ")).count();
            let closed = picture.matches(&format!("</{element}>")).count();
            assert_eq!(opened, closed, "{element}");
        }
    }
}
