// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask ci`: every gate that a change must pass, one after the other.
//!
//! A gate that fails does not keep the others from running: the closing lines name every failure of
//! the run. The cheap gates come first, the tests last.

use crate::arch::Arch;
use crate::cli::{CiOptions, Gate, TestOptions};
use crate::doctor::{self, Need};
use crate::test::{self, Tally};
use crate::{budgets, cargo, dist, doc, ui, windows};
use anyhow::Result;
use std::time::Instant;

/// In the order they run, with what each one holds a change against.
const GATES: [(Gate, &str); 8] = [
    (Gate::Format, "format: rustfmt's own width and heuristics"),
    (
        Gate::Clippy,
        "clippy: host with tests, NT target, kernel, fuzz targets; no warnings",
    ),
    (
        Gate::Doc,
        "reference: rustdoc of the whole workspace; no broken link",
    ),
    (
        Gate::Windows,
        "Windows: xtask cross-built without warnings, and walked through where there is Wine",
    ),
    (
        Gate::Dist,
        "archive: two clones in different folders give the same bytes",
    ),
    (
        Gate::Budgets,
        "budgets: no figure of docs/budgets.txt has grown by more than 2 %; i386 costs no more than amd64",
    ),
    (
        Gate::I386,
        "i386: the host tests of the Session Manager on a host of 32 bits",
    ),
    (
        Gate::Tests,
        "tests: on the host (with the lint of the ABI and the check of citations), then in QEMU",
    ),
];

/// The fuzz targets: outside of the workspace, for their own compiler flags.
const FUZZ: &str = "crates/fuzz/Cargo.toml";

/// Runs the verb.
pub fn verb(options: &CiOptions) -> Result<()> {
    let started = Instant::now();
    let chosen: Vec<_> = GATES
        .iter()
        .filter(|(gate, _)| options.only.is_empty() || options.only.contains(gate))
        .collect();
    let mut needs = Vec::new();
    for (gate, _) in &chosen {
        match gate {
            Gate::Format | Gate::Doc | Gate::Dist | Gate::I386 => {}
            Gate::Clippy => needs.push(Need::Fuzz),
            Gate::Windows => needs.push(Need::Windows),
            Gate::Budgets => needs.push(Need::Machine),
            Gate::Tests => needs.extend([Need::Machine, Need::Debug]),
        }
    }
    doctor::preflight(options.install, &needs)?;
    let mut tally = Tally::default();
    for (number, (gate, purpose)) in (1..).zip(&chosen) {
        println!();
        ui::step(&format!("gate {number} of {}: {purpose}", chosen.len()));
        let begun = Instant::now();
        let outcome = match gate {
            Gate::Format => format(),
            Gate::Clippy => clippy(),
            Gate::Doc => doc::all().map(drop),
            Gate::Budgets => budgets::gate(),
            Gate::Windows => windows::gate(),
            Gate::Dist => dist::reproducible(),
            Gate::I386 => test::narrow(&mut tally),
            Gate::Tests => test::all(&TestOptions::default(), &mut tally),
        };
        match outcome {
            // The tests are counted one by one.
            Ok(()) if matches!(gate, Gate::I386 | Gate::Tests) => {}
            Ok(()) => tally.passed += 1,
            Err(error) => {
                ui::note(&ui::paint(ui::Colour::Red, &format!("{error:#}")));
                tally.failed.push(format!("gate: {purpose}"));
            }
        }
        ui::note(&format!("after {:.0} s", begun.elapsed().as_secs_f32()));
    }
    test::closing(&tally, started)
}

fn format() -> Result<()> {
    cargo::succeed(cargo::command().args(["fmt", "--check"]))?;
    cargo::succeed(cargo::command().args(["fmt", "--check", "--manifest-path", FUZZ]))
}

fn clippy() -> Result<()> {
    let lint = |what: &str, arguments: &[&str], flags: &[String]| {
        ui::note(what);
        let mut command = cargo::command();
        command
            .args(["clippy", "--quiet", "--keep-going"])
            .args(arguments);
        command.args(flags).args(["--", "-Dwarnings"]);
        cargo::succeed(&mut command)
    };
    // All three, so that one run names every warning.
    let mut outcomes = vec![lint("the host, tests included", &["--all-targets"], &[])];
    for arch in [Arch::Amd64, Arch::I386] {
        for package in cargo::NT.into_iter().chain([cargo::EXAMPLES]) {
            outcomes.push(lint(
                &format!("the NT target for {arch}, {}", package[1]),
                package,
                &cargo::nt_flags(arch, package, false)?,
            ));
        }
    }
    outcomes.push(lint(
        "the fuzz targets, outside of the workspace",
        &[
            "--locked",
            "--manifest-path",
            FUZZ,
            "--target-dir",
            "target/fuzz",
        ],
        &[],
    ));
    outcomes.push(lint(
        "the bare machine, kernel",
        cargo::KERNEL,
        &cargo::bare_flags(),
    ));
    outcomes.into_iter().collect()
}
