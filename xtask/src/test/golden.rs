// SPDX-License-Identifier: GPL-2.0-or-later
//! Golden dumps: the object namespace and the processes of a whole boot, line by line.

use crate::paths;
use crate::serial::Reader;
use anyhow::{Context, Result, bail};

/// Which scenarios have one, and its file in `golden/`.
const GOLDEN: [(&str, &str); 2] = [
    ("default_boot", "nt-5.2.txt"),
    ("nt_6_1_sessions_0_and_1", "nt-6.1.txt"),
];

/// Lines of a difference that are shown.
const SHOWN: usize = 12;

/// Compares the stable parts of a scenario's dump with its file, if it has one, or writes the file
/// anew (`bless`).
pub fn compare(scenario: &str, reader: &Reader, bless: bool) -> Result<()> {
    let Some((_, name)) = GOLDEN.iter().find(|(of, _)| *of == scenario) else {
        return Ok(());
    };
    let dump = reader.part("dump").context("the kernel printed no dump")?;
    let now = format!("{}{}", part(dump, "[objects]")?, part(dump, "[processes]")?);
    let file = paths::root().join("xtask/src/test/golden").join(name);
    if bless {
        return std::fs::write(&file, now)
            .with_context(|| format!("cannot write {}", file.display()));
    }
    let wanted = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let diff = similar::TextDiff::from_lines(&wanted, &now);
    let lines: Vec<String> = diff
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .take(SHOWN)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    bail!(
        "the dump differs from golden/{name} (`cargo xtask test --bless` accepts it):\n{}",
        lines.join("\n")
    );
}

/// A part of a dump with its heading.
fn part<'d>(dump: &'d str, heading: &str) -> Result<&'d str> {
    let from = dump
        .find(heading)
        .with_context(|| format!("the dump has no part {heading}"))?;
    let rest = &dump[from..];
    Ok(&rest[..rest[1..].find("\n[").map_or(rest.len(), |end| end + 2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_golden_dump_belongs_to_a_scenario() {
        for (name, _) in GOLDEN {
            assert!(
                scenarios::all().any(|scenario| scenario.name == name),
                "{name}"
            );
        }
    }

    #[test]
    fn a_part_ends_where_the_next_begins() {
        assert_eq!(part("[a]\nx\n[b]\ny\n", "[a]").expect("there"), "[a]\nx\n");
        assert_eq!(part("[a]\nx\n[b]\ny\n", "[b]").expect("there"), "[b]\ny\n");
        assert!(part("", "[a]").is_err());
    }
}
