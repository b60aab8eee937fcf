// SPDX-License-Identifier: GPL-2.0-or-later
//! System-call traces: `cargo xtask trace diff` compares two, call by call; what counts as a call
//! of smss's.
//!
//! Two boots never have the same times, handles and addresses, so what is compared of a call is its
//! name, the names among its arguments (text in quotes) and its status.

use crate::cli::{TraceAction, TraceOptions};
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use ntstatus::ntstatus::NtStatus;
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// Runs the verb.
pub fn verb(options: &TraceOptions) -> Result<()> {
    match &options.action {
        TraceAction::Diff { left, right } => diff(left, right),
        TraceAction::Stat { trace, program } => stat(trace, program.as_deref()),
    }
}

/// What became of the calls of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    made: u32,
    failed: u32,
    /// Time between the start of a wait and its end, milliseconds of the traced system.
    waited: u64,
}

fn stat(path: &Path, program: Option<&str>) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the trace {}", path.display()))?;
    let tallies = tally(&text, program);
    if tallies.is_empty() {
        bail!("no call in {}", path.display());
    }
    let mut rows: Vec<_> = tallies.iter().collect();
    rows.sort_by_key(|(name, tally)| (std::cmp::Reverse(tally.made), *name));
    println!("{:>7} {:>7} {:>11}  call", "calls", "failed", "waited");
    for (name, tally) in rows {
        let waited = format!("{}.{:03} s", tally.waited / 1000, tally.waited % 1000);
        println!("{:>7} {:>7} {waited:>11}  {name}", tally.made, tally.failed);
    }
    let made: u32 = tallies.values().map(|tally| tally.made).sum();
    ui::verdict(&format!("{made} calls of {} services", tallies.len()));
    Ok(())
}

/// The calls of a trace by name. A line for the end of a wait is no other call.
fn tally(text: &str, program: Option<&str>) -> BTreeMap<String, Tally> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut waiting: BTreeMap<&str, u64> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (image, time, thread) = (words.next(), words.next(), words.next());
        let (Some(image), Some(time), Some(thread)) = (image, time, thread) else {
            continue;
        };
        let (Some(call), Some(time)) = (named(line), milliseconds(time)) else {
            continue;
        };
        if program.is_some_and(|program| program != image) {
            continue;
        }
        let name = call.split(' ').next().unwrap_or_default();
        let tally = tallies.entry(name.to_owned()).or_default();
        match waiting.remove(thread) {
            Some(since) => tally.waited += time.saturating_sub(since),
            None => tally.made += 1,
        }
        if line.ends_with(") waits") {
            waiting.insert(thread, time);
        }
        tally.failed += u32::from(failed(line));
    }
    tallies
}

/// `seconds.fraction` in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.')?;
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(seconds.parse::<u64>().ok()? * 1000 + fraction.parse::<u64>().ok()?)
}

/// Whether a line says that its call failed: any warning or error by name, or in hex.
fn failed(line: &str) -> bool {
    let Some((_, status)) = line.rsplit_once(") = ") else {
        return false;
    };
    let name = status.trim_start_matches("STATUS_");
    match u32::from_str_radix(name, 16) {
        Ok(code) => code >= 0x8000_0000,
        Err(_) => FAILURES.contains(name),
    }
}

/// The names of all warnings and errors in the public listing, without `STATUS_`.
static FAILURES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let warnings = 0x8000_0000..=0x8000_FFFF_u32;
    let errors = 0xC000_0000..=0xC000_FFFF_u32;
    warnings
        .chain(errors)
        .filter_map(NtStatus::from_u32)
        .map(|name| name.trim_start_matches("STATUS_"))
        .collect()
});

fn diff(left: &Path, right: &Path) -> Result<()> {
    let (one, other) = (read(left)?, read(right)?);
    let lines = |trace: &[String]| {
        trace
            .iter()
            .map(|call| format!("{call}\n"))
            .collect::<String>()
    };
    let (one_text, other_text) = (lines(&one), lines(&other));
    let diff = TextDiff::from_lines(&one_text, &other_text);
    let mut differences = 0;
    for change in diff.iter_all_changes() {
        let (sign, colour) = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => ('-', Colour::Red),
            ChangeTag::Insert => ('+', Colour::Green),
        };
        differences += 1;
        println!(
            "{}",
            ui::paint(colour, &format!("{sign} {}", change.value().trim_end()))
        );
    }
    ui::note(&format!(
        "{} calls in {}, {} in {}",
        one.len(),
        left.display(),
        other.len(),
        right.display()
    ));
    if differences > 0 {
        bail!("{differences} calls differ");
    }
    ui::verdict("the traces agree");
    Ok(())
}

fn read(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the trace {}", path.display()))?;
    Ok(text.lines().filter_map(essence).collect())
}

/// What is compared of one line: `NtName text... STATUS`; nothing of a line that is no call.
fn essence(line: &str) -> Option<String> {
    let status = line.rsplit_once(") = ").map_or("", |(_, status)| status);
    let status = status
        .strip_prefix("STATUS_")
        .unwrap_or(status)
        .split_whitespace()
        .next()
        .unwrap_or_default();
    named(line).map(|call| format!("{call} {status}").trim_end().to_owned())
}

/// A call with the names among its arguments, whatever came of it; nothing of a line that is no
/// call.
pub fn named(line: &str) -> Option<String> {
    let at = line.find("Nt")?;
    let call: String = line
        .get(at..)?
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let texts: Vec<&str> = line
        .split(['"', '\''])
        .skip(1)
        .step_by(2)
        .filter(|text| !text.is_empty() && !line.starts_with('{'))
        .collect();
    Some(format!("{call} {}", texts.join(" ")).trim_end().to_owned())
}

/// The calls smss made, in order, a line each: the line for the end of a wait is left out.
pub fn calls_made(text: &str) -> Vec<&str> {
    let mut waiting = BTreeSet::new();
    let mut calls = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("smss")) {
        let thread = line.split_whitespace().nth(2).unwrap_or_default();
        if line.ends_with(") waits") {
            waiting.insert(thread);
        } else if waiting.remove(thread) {
            continue;
        }
        calls.push(line);
    }
    calls
}

/// The calls of one boot, by name.
pub struct Counts {
    /// The loader's, before the image's first instruction.
    pub loader: u32,
    /// The image's own until the initial command is created, by name.
    pub calls: BTreeMap<String, u32>,
}

impl Counts {
    /// Counts what [`calls_made`] gave.
    pub fn of(trace: &[&str]) -> Self {
        let name = |line: &str| {
            named(line)
                .and_then(|call| call.split(' ').next().map(str::to_owned))
                .unwrap_or_default()
        };
        let names: Vec<String> = trace.iter().map(|line| name(line)).collect();
        // The loader of the first thread hands over with NtContinue; the initial command is the
        // last process that is created.
        let start = names
            .iter()
            .position(|name| name == "NtContinue")
            .map_or(0, |at| at + 1);
        let end = names
            .iter()
            .rposition(|name| name == "NtCreateProcess")
            .map_or(names.len(), |at| at + 1);
        let mut calls = BTreeMap::new();
        for name in names.get(start..end).unwrap_or_default() {
            *calls.entry(name.clone()).or_default() += 1;
        }
        Self {
            loader: u32::try_from(start).unwrap_or(u32::MAX),
            calls,
        }
    }

    /// All of the image's own.
    pub fn own(&self) -> u32 {
        self.calls.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Tally, calls_made, essence, tally};

    #[test]
    fn times_threads_and_handles_do_not_count() {
        let one = essence(
            "     1.204 t84 NtOpenKey(0x31f5a8, 0x8, \"\\Registry\\Machine\") = STATUS_SUCCESS",
        );
        let other = essence(
            "     9.999 t12 NtOpenKey(0x7f0000, 0x8, \"\\Registry\\Machine\") = STATUS_SUCCESS",
        );
        assert_eq!(one, other);
        assert_eq!(
            one.as_deref(),
            Some("NtOpenKey \\Registry\\Machine SUCCESS")
        );
        // As the shim writes it.
        let failed = essence(
            "smss.exe 0.4 c.10 NtOpenKey(key=0x8, name=\"\\Registry\\Machine\") = ACCESS_DENIED",
        );
        assert_eq!(
            failed.as_deref(),
            Some("NtOpenKey \\Registry\\Machine ACCESS_DENIED")
        );
    }

    #[test]
    fn a_line_without_a_call_is_none() {
        assert_eq!(essence("phase: registry"), None);
    }

    #[test]
    fn a_tally_counts_calls_failures_and_waits() {
        let trace = "smss.exe  0.1000000 c.10 NtOpenKey(key=0x8) = OBJECT_NAME_NOT_FOUND\n\
                     smss.exe  0.2000000 c.10 NtOpenKey(key=0x8) = SUCCESS\n\
                     smss.exe  0.3000000 c.10 NtWaitForSingleObject(object=0x24<Event>) waits\n\
                     csrss.exe 0.3500000 1c.20 NtClose(handle=0x8) = C0FFEE00\n\
                     smss.exe  1.5500000 c.10 NtWaitForSingleObject() = TIMEOUT\n";
        let all = tally(trace, None);
        let of = |made, failed, waited| Tally {
            made,
            failed,
            waited,
        };
        assert_eq!(all["NtOpenKey"], of(2, 1, 0));
        assert_eq!(all["NtWaitForSingleObject"], of(1, 0, 1250));
        assert_eq!(all["NtClose"], of(1, 1, 0));
        assert!(!tally(trace, Some("smss.exe")).contains_key("NtClose"));
    }

    #[test]
    fn calls_are_counted_when_they_are_made_and_until_the_initial_command() {
        let trace = "smss.exe  0.1 c.10 NtContinue() does not return\n\
                     smss.exe  0.2 c.10 NtCreateProcess(process=0x1) = SUCCESS\n\
                     smss.exe  0.3 c.10 NtWaitForSingleObject(object=0x24) waits\n\
                     csrss.exe 0.3 1c.20 NtClose(handle=0x8) = SUCCESS\n\
                     smss.exe  0.4 c.14 NtClose(handle=0x8) = SUCCESS\n\
                     smss.exe  0.5 c.10 NtWaitForSingleObject() = SUCCESS\n\
                     smss.exe  0.6 c.10 NtCreateProcess(process=0x1) = SUCCESS\n\
                     smss.exe  0.7 c.10 NtClose(handle=0x8) = SUCCESS\n";
        let counts = Counts::of(&calls_made(trace));
        assert_eq!((counts.loader, counts.own()), (1, 4));
        assert_eq!(counts.calls["NtCreateProcess"], 2);
        assert_eq!(counts.calls["NtWaitForSingleObject"], 1);
    }
}
