// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a filter can match the name of any host test, known from the sources: a typo is told before
//! minutes of compiling, not after.
//!
//! Every name, a documentation test's included, is put together of words that stand in a source, of
//! that source's path, and of numbers. So a word that stands nowhere matches nothing; one that stands
//! somewhere may still match nothing, which shows when the tests have been asked.

use crate::paths;
use anyhow::{Context, Result};
use std::path::Path;

/// Where the sources are.
const FOLDERS: [&str; 3] = ["crates", "kernel-shim", "xtask"];

/// Whether a host test may have this in its name.
///
/// # Errors
/// A source that cannot be read.
pub fn may_match(filter: &str) -> Result<bool> {
    let mut missing: Vec<&str> = filter
        .split(|unit: char| !unit.is_alphanumeric() && unit != '_')
        .filter(|word| word.contains(|unit: char| !unit.is_numeric()))
        .collect();
    for folder in FOLDERS {
        look(&paths::root().join(folder), &mut missing)?;
    }
    Ok(missing.is_empty())
}

/// Takes out what the sources below a folder have.
fn look(folder: &Path, missing: &mut Vec<&str>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        if missing.is_empty() {
            return Ok(());
        }
        let path = entry?.path();
        if path.is_dir() {
            look(&path, missing)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text =
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let text = String::from_utf8_lossy(&text);
            let place = path.strip_prefix(paths::root()).unwrap_or(&path);
            let place = place.to_string_lossy();
            missing.retain(|word| !text.contains(word) && !place.contains(word));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_stands_in_no_source_can_match_no_host_test() {
        let own = "test::names::tests::a_filter_that_stands";
        let of_documentation = "xtask/src/test/names.rs - test::names (line 7)";
        let scenario = scenarios::all().next().unwrap().name;
        for filter in [own, "names", of_documentation, scenario, "12", "::", ""] {
            assert!(may_match(filter).unwrap(), "{filter}");
        }
        // Not written as one word, or it would stand in a source.
        let typo = ["a_filter_that", "stood"].join("_");
        assert!(!may_match(&typo).unwrap());
        assert!(!may_match(&format!("test::names::{typo}")).unwrap());
    }
}
