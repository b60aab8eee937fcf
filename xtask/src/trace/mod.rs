// SPDX-License-Identifier: GPL-2.0-or-later
//! System-call traces: `cargo xtask trace diff` compares two, call by call, `trace stat` ([`stat`])
//! counts one; what counts as a call of smss's.
//!
//! Two boots never have the same times, handles and addresses, so what is compared of a call is its
//! name, the names among its arguments (text in quotes, outside braces, in which data stands) and its
//! status.

pub mod line;
pub mod stat;

use crate::cli::{TraceAction, TraceOptions};
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Runs the verb.
pub fn verb(options: &TraceOptions) -> Result<()> {
    match &options.action {
        TraceAction::Diff { left, right } => diff(left, right),
        TraceAction::Stat { trace, program } => stat::verb(trace, program.as_deref()),
    }
}

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
        "{} lines of calls in {}, {} in {}",
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
    let calls: Vec<String> = text.lines().filter_map(essence).collect();
    if calls.is_empty() {
        bail!("no call in {}", path.display());
    }
    Ok(calls)
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

/// A call with the names among its arguments, whatever its status; `None` for a line that is not a
/// call.
pub fn named(line: &str) -> Option<String> {
    let (call, arguments) = line::call(line)?;
    let mut words = vec![call.to_owned()];
    words.extend(line::texts(arguments).filter(|text| !text.is_empty()));
    Some(words.join(" "))
}

/// The calls smss made, in order, a line each: the line for the end of a wait is left out.
pub fn calls_made(text: &str) -> Vec<&str> {
    let mut waiting = BTreeSet::new();
    let mut calls = Vec::new();
    let smss = text.lines().filter(|line| line.starts_with("smss"));
    for line in smss.filter(|line| line::call(line).is_some()) {
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
    use super::{Counts, calls_made, diff, essence};

    /// Two files that are no traces do not agree.
    #[test]
    fn a_file_without_a_call_is_no_trace() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# Not a trace\n").unwrap();
        let error = diff(file.path(), file.path()).unwrap_err();
        assert!(error.to_string().starts_with("no call in "), "{error}");
    }

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
            "smss.exe 0.4 c.10 NtOpenKey(key=0x8, name=\"\\Registry\\Machine\") = ACCESS_DENIED <0.1>",
        );
        assert_eq!(
            failed.as_deref(),
            Some("NtOpenKey \\Registry\\Machine ACCESS_DENIED")
        );
    }

    #[test]
    fn data_that_was_read_does_not_count() {
        let line = |data| {
            format!(
                "smss.exe 0.4 c.10 NtQueryValueKey(name=\"a\", buffer={{{data}}}) = SUCCESS <0.1>"
            )
        };
        assert_eq!(
            essence(&line(r#"REG_SZ "x""#)).as_deref(),
            Some("NtQueryValueKey a SUCCESS")
        );
        assert_eq!(
            essence(&line(r#"REG_SZ "}""#)),
            essence(&line("REG_DWORD 0x1"))
        );
    }

    #[test]
    fn a_line_without_a_call_is_none() {
        assert_eq!(essence("phase: registry"), None);
        assert_eq!(
            essence("smss.exe 0.4 c.10 --- SMSS: \"NtOpenKey\" ---"),
            None
        );
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
