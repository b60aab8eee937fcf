// SPDX-License-Identifier: GPL-2.0-or-later
//! The figures of the last commit, in `docs/budgets.txt`: what a change may not pass by without saying
//! so.
//!
//! A line is a number for each machine and what they are of; where a machine has none, a dash stands.
//! A figure that has grown by more than 2 % fails the gate until the file has the new one, so that
//! growth is in the diff of the change that brings it. One that shrinks is only said.

use crate::arch::Arch;
use crate::paths;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// What the figures of a machine are of, in the order of the file, and each.
pub type Figures = Vec<(String, u64)>;

const HEAD: &str = "\
# What smss.exe costs: written by `cargo xtask budgets --record`, held by `cargo xtask ci`, which fails when one of these has grown by more
# than 2 %, or when the image for i386 is not smaller than that for amd64, or makes a call more. Boots are of the default medium;
# docs/size.md says what the figures mean.
#  amd64     i386
";

/// What stands for a figure that a machine does not have.
const NONE: &str = "-";
/// A room of this many bytes more is no growth: code moves when a function is inlined elsewhere.
const ROOM_SLACK: u64 = 64;
/// What a room's figure begins with.
pub const ROOM: &str = "bytes in room ";

fn path() -> PathBuf {
    paths::root().join("docs").join("budgets.txt")
}

/// Both columns of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record {
    amd64: BTreeMap<String, u64>,
    i386: BTreeMap<String, u64>,
}

impl Record {
    /// Reads the file.
    pub fn read() -> Result<Self> {
        let text = std::fs::read_to_string(path())
            .with_context(|| format!("cannot read {}", path().display()))?;
        Self::parse(&text).context("docs/budgets.txt is not as it was written")
    }

    fn parse(text: &str) -> Result<Self> {
        let mut record = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (wide, rest) = line.trim().split_once(' ').context("no number")?;
            let (narrow, name) = rest.trim().split_once(' ').context("no second number")?;
            for (column, value) in [(&mut record.amd64, wide), (&mut record.i386, narrow)] {
                if value != NONE {
                    column.insert(name.to_owned(), value.parse()?);
                }
            }
        }
        Ok(record)
    }

    /// The column of a machine.
    pub const fn of(&self, arch: Arch) -> &BTreeMap<String, u64> {
        match arch {
            Arch::Amd64 => &self.amd64,
            Arch::I386 => &self.i386,
        }
    }

    /// What has grown of a machine's figures since the file was written, a line each.
    pub fn grown(&self, arch: Arch, figures: &Figures) -> Vec<String> {
        let mut grown = Vec::new();
        for (name, now) in figures {
            let before = self.of(arch).get(name).copied().unwrap_or_default();
            let slack = if name.starts_with(ROOM) {
                ROOM_SLACK.max(before / 50)
            } else {
                before / 50
            };
            if *now > before + slack {
                grown.push(format!("{name} ({arch}): {before} before, {now} now"));
            }
        }
        grown
    }
}

/// Writes the file, in the order of `wide`; what only `narrow` has comes last.
pub fn write(wide: &Figures, narrow: &Figures) -> Result<()> {
    std::fs::write(path(), text(wide, narrow)?)
        .with_context(|| format!("cannot write {}", path().display()))
}

fn text(wide: &Figures, narrow: &Figures) -> Result<String> {
    let value = |figures: &Figures, name: &str| {
        let found = figures.iter().find(|(known, _)| known == name);
        found.map_or_else(|| NONE.to_owned(), |(_, value)| value.to_string())
    };
    let names = |figures: &Figures| figures.iter().map(|(name, _)| name.clone()).collect();
    let mut all: Vec<String> = names(wide);
    let more: Vec<String> = names(narrow);
    all.extend(more.into_iter().filter(|name| value(wide, name) == NONE));
    let mut text = String::from(HEAD);
    for name in all {
        let (left, right) = (value(wide, &name), value(narrow, &name));
        writeln!(text, "{left:>8} {right:>8} {name}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(recorded: &str, name: &str, now: u64) -> bool {
        let record = Record::parse(recorded).unwrap();
        !record
            .grown(Arch::Amd64, &vec![(name.to_owned(), now)])
            .is_empty()
    }

    #[test]
    fn two_percent_more_pass_and_a_little_more_does_not() {
        let recorded = "# words\n  100000 1 bytes of image\n";
        assert!(!grown(recorded, "bytes of image", 102_000));
        assert!(grown(recorded, "bytes of image", 102_001));
        assert!(!grown(recorded, "bytes of image", 1));
    }

    #[test]
    fn one_call_more_is_growth_and_so_is_a_call_that_was_not_made() {
        assert!(grown("3 9 calls of NtClose", "calls of NtClose", 4));
        assert!(grown(
            "3 9 calls of NtClose",
            "calls of NtYieldExecution",
            1
        ));
        assert!(grown("- 9 calls of NtClose", "calls of NtClose", 1));
    }

    #[test]
    fn a_room_may_take_a_function_that_was_inlined_elsewhere() {
        let recorded = "400 300 bytes in room sm_protocol";
        assert!(!grown(recorded, "bytes in room sm_protocol", 464));
        assert!(grown(recorded, "bytes in room sm_protocol", 465));
    }

    #[test]
    fn a_machine_is_held_against_its_own_column() {
        let figures = |values: &[(&str, u64)]| -> Figures {
            let values = values.iter();
            values
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect()
        };
        let wide = figures(&[("calls of NtClose", 3), ("calls of NtOpenKey", 7)]);
        let narrow = figures(&[("calls of NtClose", 2), ("calls of NtDelete", 1)]);
        let text = text(&wide, &narrow).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "       3        2 calls of NtClose",
                "       7        - calls of NtOpenKey",
                "       -        1 calls of NtDelete",
            ]
        );
        let record = Record::parse(&text).unwrap();
        assert!(record.grown(Arch::I386, &narrow).is_empty());
        assert_eq!(record.grown(Arch::I386, &wide).len(), 2);
        assert!(Record::parse("3 calls of NtClose\n").is_err());
    }
}
