// SPDX-License-Identifier: GPL-2.0-or-later
//! The figures of the last commit, in `docs/budgets.txt`: what a change may not pass by without saying
//! so.
//!
//! A line is a number and what it is of. A figure that has grown by more than 2 % fails the gate until
//! the file has the new one, so that growth is in the diff of the change that brings it. One that
//! shrinks is only said.

use crate::paths;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// What the figures are of, in the order of the file, and each.
pub type Figures = Vec<(String, u64)>;

const HEAD: &str = "\
# What smss.exe costs: written by `cargo xtask budgets --record`, held by `cargo xtask ci`, which fails when one of these has grown by more
# than 2 %. Boots are of the default medium; docs/size.md says what the figures mean.
";

/// A room of this many bytes more is no growth: code moves when a function is inlined elsewhere.
const ROOM_SLACK: u64 = 64;
/// What a room's figure begins with.
pub const ROOM: &str = "bytes in room ";

fn path() -> PathBuf {
    paths::root().join("docs").join("budgets.txt")
}

/// Writes the file.
pub fn write(figures: &Figures) -> Result<()> {
    let mut text = String::from(HEAD);
    for (name, value) in figures {
        writeln!(text, "{value:>8} {name}")?;
    }
    std::fs::write(path(), text).with_context(|| format!("cannot write {}", path().display()))
}

/// What has grown since the file was written, a line each.
pub fn grown(figures: &Figures) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path())
        .with_context(|| format!("cannot read {}", path().display()))?;
    Ok(compare(&parse(&text)?, figures))
}

fn parse(text: &str) -> Result<BTreeMap<&str, u64>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (value, name) = line.trim().split_once(' ').context("no number")?;
            Ok((name, value.parse()?))
        })
        .collect::<Result<_>>()
        .context("docs/budgets.txt is not as it was written")
}

fn compare(recorded: &BTreeMap<&str, u64>, figures: &Figures) -> Vec<String> {
    let mut grown = Vec::new();
    for (name, now) in figures {
        let before = recorded.get(name.as_str()).copied().unwrap_or_default();
        let slack = if name.starts_with(ROOM) {
            ROOM_SLACK.max(before / 50)
        } else {
            before / 50
        };
        if *now > before + slack {
            grown.push(format!("{name}: {before} before, {now} now"));
        }
    }
    grown
}

/// The gate: nothing has grown.
pub fn hold(figures: &Figures) -> Result<()> {
    let grown = grown(figures)?;
    if grown.is_empty() {
        return Ok(());
    }
    bail!(
        "grown by more than 2 %: {}; if that is worth it, `cargo xtask budgets --record` and commit docs/budgets.txt with the change",
        grown.join("; ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(recorded: &str, name: &str, now: u64) -> bool {
        !compare(&parse(recorded).unwrap(), &vec![(name.to_owned(), now)]).is_empty()
    }

    #[test]
    fn two_percent_more_pass_and_a_little_more_does_not() {
        let recorded = "# words\n  100000 bytes of image\n";
        assert!(!grown(recorded, "bytes of image", 102_000));
        assert!(grown(recorded, "bytes of image", 102_001));
        assert!(!grown(recorded, "bytes of image", 1));
    }

    #[test]
    fn one_call_more_is_growth_and_so_is_a_call_that_was_not_made() {
        assert!(grown("3 calls of NtClose", "calls of NtClose", 4));
        assert!(grown("3 calls of NtClose", "calls of NtYieldExecution", 1));
    }

    #[test]
    fn a_room_may_take_a_function_that_was_inlined_elsewhere() {
        let recorded = "400 bytes in room sm_protocol";
        assert!(!grown(recorded, "bytes in room sm_protocol", 464));
        assert!(grown(recorded, "bytes in room sm_protocol", 465));
    }
}
