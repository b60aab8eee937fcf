// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask test --fuzz`: every fuzz target of `crates/fuzz` for a bounded number of inputs.
//!
//! The targets are cargo-fuzz targets; the flags here are those that cargo-fuzz gives the compiler,
//! so that no further tool is needed. The number of inputs and the seed are fixed: a run is the
//! same every time.
//!
//! A panic unwinds, because the executive's host ends its threads so; the runtime's own hook makes
//! an end of one that nobody has asked for.

use crate::{paths, ui};
use anyhow::{Context, Result, bail};
use std::process::Command;

const HOST: &str = "x86_64-unknown-linux-gnu";
/// Inputs of a parser.
const RUNS: u32 = 200_000;
/// Inputs of a target that plays each on a whole system, with threads that come and go.
const RUNS_OF_A_SYSTEM: u32 = 2_000;
/// The targets that do.
const SYSTEMS: [&str; 1] = ["sm_port"];
const SEED: u32 = 1;
/// A target that covers fewer edges than this looks at nothing: its inputs fail the first check.
const EDGES: u32 = 30;
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// Builds the targets and runs each; gives the names of those that passed and of those that failed.
pub fn run() -> Result<(Vec<String>, Vec<String>)> {
    ui::step("building the fuzz targets");
    let folder = paths::root().join("crates/fuzz");
    let target = paths::folder(paths::target().join("fuzz"))?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(&folder)
        .args(["build", "--quiet", "--release", "--bins", "--target", HOST])
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!(
            "the fuzz targets do not build: see the messages above (libFuzzer wants a C++ compiler, Debian's g++)"
        );
    }
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    let mut names: Vec<String> = std::fs::read_dir(folder.join("fuzz_targets"))?
        .filter_map(|entry| {
            Some(
                entry
                    .ok()?
                    .path()
                    .file_stem()?
                    .to_string_lossy()
                    .into_owned(),
            )
        })
        .collect();
    names.sort_unstable();
    for name in names {
        let runs = match SYSTEMS.contains(&name.as_str()) {
            true => RUNS_OF_A_SYSTEM,
            false => RUNS,
        };
        ui::step(&format!("fuzzing {name}: {runs} inputs"));
        let output = Command::new(target.join(HOST).join("release").join(&name))
            .args([
                format!("-runs={runs}"),
                format!("-seed={SEED}"),
                "-len_control=0".into(),
                "-max_len=4096".into(),
            ])
            .arg(format!("-artifact_prefix={}/{name}-", target.display()))
            .output()
            .with_context(|| format!("cannot run the fuzz target {name}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let closing = text
            .lines()
            .find(|line| line.contains("DONE"))
            .unwrap_or_default();
        let edges = closing
            .split("cov: ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok())
            .unwrap_or(0);
        if output.status.success() && edges >= EDGES {
            ui::note(closing);
            passed.push(name);
        } else {
            text.lines()
                .rev()
                .take(20)
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .for_each(|line| ui::note(line));
            failed.push(name);
        }
    }
    Ok((passed, failed))
}
