// SPDX-License-Identifier: GPL-2.0-or-later
//! The log by level.
//!
//! The kernel's lines name their level. A program's do not (what comes over a debug port is text), so
//! theirs is told from what the Session Manager says of failures: a status, and what follows from it.

use super::recording::seconds;
use super::timeline::{MILLISECOND, Timeline};
use maud::{Markup, html};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The system stops, or something is broken.
    Error,
    /// Something was refused or passed over.
    Warning,
    /// A phase of the boot, the end of the machine.
    Step,
    /// Everything else.
    Note,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Error, Self::Warning, Self::Step, Self::Note];

    /// The word for it in the page.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Step => "step",
            Self::Note => "note",
        }
    }

    /// The level of a line.
    pub fn of(line: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        if has(&[
            "ERROR",
            "the system stops",
            "*** STOP",
            "kernel panic",
            "kernel fault",
            "not handled",
            "kernel exit: failure",
            "kernel exit: bugcheck",
        ]) {
            Self::Error
        } else if has(&["WARN", "STATUS_", ": skipped", ": refused"]) {
            Self::Warning
        } else if has(&["phase: ", "SHIM-SETTLED", "kernel exit: ", "kernel up"]) {
            Self::Step
        } else {
            Self::Note
        }
    }
}

/// The log with its filter.
pub fn section(log: &str, timeline: &Timeline) -> Markup {
    let lines: Vec<(&str, Level)> = log
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| (line, Level::of(line)))
        .collect();
    html! {
        fieldset.levels {
            legend.hidden { "Levels shown" }
            @for level in Level::ALL {
                @let count = lines.iter().filter(|(_, have)| *have == level).count();
                label {
                    input type="checkbox" data-level=(level.word()) checked[count > 0] disabled[count == 0];
                    " " (level.word()) "s " span.muted { (count) }
                }
            }
        }
        ol.log id="log-lines" {
            @for (line, level) in &lines {
                li class=(level.word()) data-level=(level.word()) { (shown(line, timeline)) }
            }
        }
    }
}

/// A line, its time counted from where the report's time begins.
fn shown(line: &str, timeline: &Timeline) -> Markup {
    let Some((time, (_, text))) = seconds(line).zip(line.split_once(']')) else {
        return html! { span.when {} span.what { (line) } };
    };
    let sign = if time < timeline.origin {
        "\u{2212}"
    } else {
        ""
    };
    html! {
        span.when { (sign) (time.abs_diff(timeline.origin) / MILLISECOND) }
        span.what { (text.trim_start()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_level_of_what_they_say() {
        for (line, level) in [
            ("[    0.177] SMSS: phase: 9 registry", Level::Step),
            (
                "[    1.0] SMSS: rename: STATUS_ACCESS_DENIED (C0000022): skipped",
                Level::Warning,
            ),
            (
                "[    1.0] SMSS: csrss: STATUS_UNSUCCESSFUL (C0000001): the system stops",
                Level::Error,
            ),
            ("[    0.0] INFO  kernel: pvh", Level::Note),
            (
                "[    0.0] WARN  executive: NtFoo is not built",
                Level::Warning,
            ),
            ("*** STOP: 0xC000021A", Level::Error),
        ] {
            assert_eq!(Level::of(line), level, "{line}");
        }
    }

    #[test]
    fn times_count_from_where_the_report_begins() {
        let timeline = Timeline {
            origin: 1_000_000,
            ..Timeline::default()
        };
        let page = section("[    0.177] a\n[    0.040] b\nc\n", &timeline).into_string();
        assert!(
            page.contains(">77<") && page.contains("\u{2212}60<"),
            "{page}"
        );
    }
}
