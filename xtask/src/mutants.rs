// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask mutants`: whether the tests of a crate notice when its code is changed.
//!
//! cargo-mutants, which is optional, copies the workspace, changes one function or operator at a
//! time, and runs the crate's own tests: a change that they pass is a survivor, and shows what no
//! test holds. What does not compile is not counted, and a change that makes a test wait for ever
//! counts as noticed. Which survivors are known, and why they stand, is in `docs/testing.md`.

use crate::cli::MutantsOptions;
use crate::{cargo, paths, ui};
use anyhow::{Result, bail};
use std::path::Path;

/// The crates that are held to a figure, those with the fewest mutants first, and how many per cent
/// of the mutants their tests are to notice.
const WANTED: [(&str, f64); 6] = [
    ("launch", 95.0),
    ("pagefile", 95.0),
    ("objects", 95.0),
    ("boot", 95.0),
    ("registry", 95.0),
    ("subsystems", 90.0),
];

/// What a mutant's run costs at the least before it counts as one that never ends, in seconds.
const TIMEOUT: &str = "60";

/// What came of the mutants of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    noticed: usize,
    survivors: Vec<String>,
}

impl Outcome {
    /// Per cent of the mutants that were noticed.
    fn figure(&self) -> f64 {
        let all = self.noticed + self.survivors.len();
        100.0 * self.noticed as f64 / all.max(1) as f64
    }
}

/// Runs the verb.
pub fn verb(options: &MutantsOptions) -> Result<()> {
    let there = cargo::command()
        .args(["mutants", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        bail!("cargo-mutants is missing: cargo install cargo-mutants --locked");
    }
    let mut short = Vec::new();
    for (name, wanted) in chosen(options) {
        ui::step(&format!("{name}: one change at a time"));
        let outcome = run(options, name)?;
        if outcome.noticed == 0 && outcome.survivors.is_empty() {
            bail!("{name}: nothing was changed; no source matches --file, or the part is empty");
        }
        let figure = outcome.figure();
        for survivor in &outcome.survivors {
            ui::note(survivor);
        }
        ui::note(&format!(
            "{name}: {figure:.1} % of {} mutants were noticed; {wanted:.0} % are wanted",
            outcome.noticed + outcome.survivors.len()
        ));
        if figure < wanted {
            short.push(format!("{name} {figure:.1} %"));
        }
    }
    if !short.is_empty() {
        bail!(
            "fewer mutants were noticed than wanted: {}",
            short.join(", ")
        );
    }
    ui::verdict("as many mutants were noticed as wanted");
    Ok(())
}

/// A crate that is held to a figure.
///
/// # Errors
/// It is none, with those that are.
pub fn known(name: &str) -> Result<String, String> {
    let names = WANTED.map(|(name, _)| name);
    match names.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!(
            "the crates that are held to a figure are {}",
            names.join(", ")
        )),
    }
}

/// `K/N`, as cargo-mutants takes it.
///
/// # Errors
/// It is not that, or there are no K + 1 parts.
pub fn shard(text: &str) -> Result<String, String> {
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some::<(u32, u32)>((part, of)) if part < of => Ok(text.to_owned()),
        _ => Err("give it as K/N, two numbers, K from 0 to N - 1".to_owned()),
    }
}

/// The crates that were asked for, all that are held to a figure without any.
fn chosen(options: &MutantsOptions) -> Vec<(&'static str, f64)> {
    let asked =
        |name: &str| options.crates.is_empty() || options.crates.iter().any(|it| it == name);
    WANTED.into_iter().filter(|(name, _)| asked(name)).collect()
}

/// Changes one crate, and has its tests run for each change.
fn run(options: &MutantsOptions, name: &str) -> Result<Outcome> {
    let folder = paths::folder(paths::target().join("mutants").join(name))?;
    let mut command = cargo::command();
    command
        .args(["mutants", "--package", name, "--jobs", "1"])
        .args(["--minimum-test-timeout", TIMEOUT])
        .arg("--output")
        .arg(&folder);
    if let Some(shard) = &options.shard {
        command.args(["--shard", shard]);
    }
    for file in &options.files {
        command.args(["--file", file]);
    }
    // The copy is built from nothing, and nobody debugs it; examples in comments are no tests of
    // what a change does.
    command
        .args(["--", "--lib", "--tests"])
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("CARGO_TARGET_DIR");
    match command.status()?.code() {
        // Everything noticed; survivors; some that never ended.
        Some(0 | 2 | 3) => outcome(&folder.join("mutants.out")),
        _ => bail!("cargo-mutants could not do its work on {name}: see above"),
    }
}

/// Reads what cargo-mutants has written, a mutant a line.
fn outcome(folder: &Path) -> Result<Outcome> {
    let lines = |file: &str| -> Result<Vec<String>> {
        let text = std::fs::read_to_string(folder.join(file))?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    Ok(Outcome {
        noticed: lines("caught.txt")?.len() + lines("timeout.txt")?.len(),
        survivors: lines("missed.txt")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_noticed_and_what_is_missed_survives() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("caught.txt", "a\nb\n"),
            ("timeout.txt", "c\n"),
            ("missed.txt", "d\n"),
            ("unviable.txt", "e\nf\n"),
        ] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let outcome = outcome(folder.path()).unwrap();
        assert_eq!(
            outcome,
            Outcome {
                noticed: 3,
                survivors: vec!["d".into()],
            }
        );
        assert!((outcome.figure() - 75.0).abs() < 0.01);
    }

    #[test]
    fn every_crate_with_a_figure_is_there() {
        for (name, _) in WANTED {
            assert!(paths::root().join("crates").join(name).is_dir(), "{name}");
        }
    }
}
