// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask trace diff`: two system-call traces, call by call.
//!
//! Two boots never have the same times, handles and addresses, so what is compared of a call is its name, the names among its arguments
//! (text in quotes) and its status.

use crate::cli::{TraceAction, TraceOptions};
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use similar::{ChangeTag, TextDiff};
use std::path::Path;

/// Runs the verb.
pub fn verb(options: &TraceOptions) -> Result<()> {
    let TraceAction::Diff { left, right } = &options.action;
    let (one, other) = (read(left)?, read(right)?);
    let lines = |trace: &[String]| trace.iter().map(|call| format!("{call}\n")).collect::<String>();
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
        println!("{}", ui::paint(colour, &format!("{sign} {}", change.value().trim_end())));
    }
    ui::note(&format!("{} calls in {}, {} in {}", one.len(), left.display(), other.len(), right.display()));
    if differences > 0 {
        bail!("{differences} calls differ");
    }
    ui::verdict("the traces agree");
    Ok(())
}

fn read(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the trace {}", path.display()))?;
    Ok(text.lines().filter_map(essence).collect())
}

/// What is compared of one line: `NtName "text"... = STATUS`; nothing of a line that is no call.
pub fn essence(line: &str) -> Option<String> {
    let at = line.find("Nt")?;
    let call: String = line.get(at..)?.chars().take_while(char::is_ascii_alphanumeric).collect();
    let texts: Vec<&str> = line.split(['"', '\'']).skip(1).step_by(2).filter(|text| !text.is_empty() && !line.starts_with('{')).collect();
    let status = line.rsplit("STATUS_").next().filter(|_| line.contains("STATUS_")).unwrap_or_default();
    let status: String = status.chars().take_while(|character| character.is_ascii_alphanumeric() || *character == '_').collect();
    Some(format!("{call} {} {status}", texts.join(" ")).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::essence;

    #[test]
    fn times_threads_and_handles_do_not_count() {
        let one = essence("     1.204 t84 NtOpenKey(0x31f5a8, 0x8, \"\\Registry\\Machine\") = STATUS_SUCCESS");
        let other = essence("     9.999 t12 NtOpenKey(0x7f0000, 0x8, \"\\Registry\\Machine\") = STATUS_SUCCESS");
        assert_eq!(one, other);
        assert_eq!(one.as_deref(), Some("NtOpenKey \\Registry\\Machine SUCCESS"));
    }

    #[test]
    fn a_line_without_a_call_is_none() {
        assert_eq!(essence("phase: registry"), None);
    }
}
