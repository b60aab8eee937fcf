// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask test`: the host tests, then the QEMU tests, then one summary.
//!
//! The host tests are plain `cargo test`; the QEMU tests ([`qemu`]) are the scenarios of
//! `crates/scenarios` and the debugger. A filter chooses among both, `--list` shows what there is.
//! The closing lines are `N passed, N failed` and the verdict.

mod examples_case;
mod fast_call_case;
mod faults;
mod frames_case;
mod fuzz;
mod fuzz_case;
mod gdb_case;
mod golden;
mod names;
mod plan_case;
mod qemu;
mod reactos_case;
mod scenario;

use crate::cli::TestOptions;
use crate::doctor::{self, Need};
use crate::{cargo, ui};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What ran and how it ended.
#[derive(Default)]
pub struct Tally {
    /// How many passed.
    pub passed: u32,
    /// The names of those that failed.
    pub failed: Vec<String>,
    /// How many were listed instead.
    listed: u32,
}

/// Runs the verb.
pub fn verb(options: &TestOptions) -> Result<()> {
    let needs: &[Need] = match (options.list, options.fuzz) {
        (true, _) => &[],
        (_, true) => &[Need::Fuzz],
        _ => &[Need::Machine, Need::Debug],
    };
    let none = || match &options.filter {
        Some(filter) => {
            format!("no test has `{filter}` in its name: `cargo xtask test --list` shows them all")
        }
        None => "no test ran".to_owned(),
    };
    let in_qemu = !options.host_only && qemu::may_match(options);
    if !in_qemu && !(!options.qemu_only && may_match(options)?) {
        bail!(none());
    }
    doctor::preflight(options.install, needs)?;
    let started = Instant::now();
    let mut tally = Tally::default();
    if options.fuzz {
        let (passed, failed) = fuzz::run()?;
        tally.passed += u32::try_from(passed.len())?;
        tally
            .failed
            .extend(failed.into_iter().map(|name| format!("fuzz: {name}")));
        return closing(&tally, started);
    }
    if options.faults {
        match faults::run()? {
            true => tally.passed += 1,
            false => tally.failed.push("faults: see the table above".to_owned()),
        }
        return closing(&tally, started);
    }
    all(options, &mut tally)?;
    if tally.passed + tally.listed == 0 && tally.failed.is_empty() {
        bail!(none());
    }
    if options.list {
        ui::verdict(&format!("{} tests", tally.listed));
        return Ok(());
    }
    closing(&tally, started)
}

/// The host tests, then the QEMU tests.
pub fn all(options: &TestOptions, tally: &mut Tally) -> Result<()> {
    if !options.qemu_only && may_match(options)? {
        host(options, tally)?;
    }
    if !options.host_only {
        ui::step("QEMU tests: the real image in ring 3");
        qemu::run(options, tally)?;
    }
    Ok(())
}

/// Whether a host test may be among those that are asked for.
fn may_match(options: &TestOptions) -> Result<bool> {
    options.filter.as_deref().map_or(Ok(true), names::may_match)
}

/// The summary and the verdict.
pub fn closing(tally: &Tally, started: Instant) -> Result<()> {
    println!();
    for name in &tally.failed {
        println!("    failed: {name}");
    }
    ui::note(&format!("in {:.0} s", started.elapsed().as_secs_f32()));
    println!("{} passed, {} failed", tally.passed, tally.failed.len());
    if !tally.failed.is_empty() {
        bail!("{} tests failed", tally.failed.len());
    }
    if tally.passed == 0 {
        bail!("no test ran");
    }
    ui::verdict("all tests passed");
    Ok(())
}

/// A host of 32 bits.
const NARROW_HOST: &str = "i686-unknown-linux-musl";

/// The crates whose tests run on a host of 32 bits as well: what an i386 image is made of, and what
/// tests it.
const NARROW: [&str; 10] = [
    "boot",
    "launch",
    "nt",
    "objects",
    "pagefile",
    "registry",
    "scenarios",
    "sm-protocol",
    "smss",
    "subsystems",
];

/// The host tests on a host of 32 bits, where handles, ids and messages are as an i386 NT has them.
/// What they are linked with comes with the toolchain.
pub fn narrow(tally: &mut Tally) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        ui::note("skipped: only Linux on x86-64 runs programs for Linux on i386");
        return Ok(());
    }
    let mut command = cargo::command();
    command.args(["test", "--no-fail-fast", "--target", NARROW_HOST]);
    for package in NARROW {
        command.args(["-p", package]);
    }
    counted(command, tally)
}

/// The host tests.
fn host(options: &TestOptions, tally: &mut Tally) -> Result<()> {
    ui::step("host tests: the real smss code on the executive");
    let mut command = cargo::command();
    command.args(["test", "--no-fail-fast"]);
    if let Some(filter) = &options.filter {
        command.arg(filter);
    }
    if options.list {
        command.args(["--", "--list"]);
    }
    counted(command, tally)
}

/// Runs a `cargo test`: its output is shown as it comes, and its closing lines are counted.
fn counted(mut command: Command, tally: &mut Tally) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some(counts) = line.strip_prefix("test result: ") {
            tally.passed += count(counts, " passed");
        } else if line.starts_with("test ") && line.ends_with("... FAILED") {
            tally.failed.push(
                line.trim_start_matches("test ")
                    .trim_end_matches("... FAILED")
                    .trim_end()
                    .to_owned(),
            );
        }
        tally.listed += u32::from(line.ends_with(": test"));
        // The passing tests are many and say nothing, and a program without any has none to list;
        // everything else is shown.
        let passed = line.starts_with("test ") && line.ends_with("... ok");
        if !passed && !line.is_empty() && line != "0 tests, 0 benchmarks" {
            println!("    {line}");
        }
    }
    if !child.wait()?.success() && tally.failed.is_empty() {
        bail!("cargo test failed before any test did: see its messages above");
    }
    Ok(())
}

fn count(line: &str, what: &str) -> u32 {
    line.split(what)
        .next()
        .and_then(|head| head.split_whitespace().last())
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_closing_line_of_cargo_test_is_counted() {
        assert_eq!(count("ok. 10 passed; 2 failed; 0 ignored", " passed"), 10);
        assert_eq!(count("no number here", " passed"), 0);
    }
}
