// SPDX-License-Identifier: GPL-2.0-or-later
//! The only door: `cargo xtask VERB`, one module a verb.
//!
//! Every verb shows what it does while it does it, says what to do next when it fails, and ends
//! with a line that is its verdict. The exit code is 0 exactly when that verdict is good, 1 when it
//! is not, and 2 when the command line was not understood.
#![forbid(unsafe_code)]

mod arch;
mod budgets;
mod build;
mod cargo;
mod ci;
mod cli;
mod coverage;
mod dist;
mod doc;
mod doctor;
mod gdb;
mod guest;
#[cfg(test)]
mod lint;
mod medium;
mod mutants;
mod outcome;
mod paths;
mod pe;
mod plan;
mod platform;
mod qemu;
mod reactos;
mod report;
mod run;
mod screen;
mod serial;
mod simulate;
mod sm;
mod symbols;
mod test;
mod trace;
mod ui;
mod unwind;
mod vscode;
mod windows;

use std::process::ExitCode;

/// The verdict on a verb that could not begin: what it was given cannot be used.
#[derive(Debug)]
pub struct Unusable;

impl std::fmt::Display for Unusable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("what was given cannot be used")
    }
}

impl std::error::Error for Unusable {}

/// The verdict on a verb that has said what failed itself, such as in JSON.
#[derive(Debug)]
pub struct Said;

impl std::fmt::Display for Said {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("said above")
    }
}

impl std::error::Error for Said {}

fn main() -> ExitCode {
    let cli = cli::Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let outcome = match cli.verb {
        cli::Verb::Build(options) => build::verb(&options),
        cli::Verb::Budgets(options) => budgets::verb(&options),
        cli::Verb::Run(options) => run::verb(&options),
        cli::Verb::Test(options) => test::verb(&options),
        cli::Verb::Ci(options) => ci::verb(&options),
        cli::Verb::Coverage(options) => coverage::verb(&options),
        cli::Verb::Mutants(options) => mutants::verb(&options),
        cli::Verb::Dist(options) => dist::verb(&options),
        cli::Verb::Doc => doc::verb(),
        cli::Verb::Simulate(options) => simulate::verb(&options),
        cli::Verb::Iso(options) => medium::iso::verb(&options),
        cli::Verb::Plan(options) => plan::verb(&options),
        cli::Verb::Completions(options) => {
            // A script for the shell: no verdict in it.
            cli::Cli::completions(&options, &mut std::io::stdout());
            Ok(())
        }
        cli::Verb::Doctor(options) => doctor::verb(&options),
        cli::Verb::Compare(options) => reactos::compare::verb(&options),
        cli::Verb::Gdb(options) => gdb::verb(&options),
        cli::Verb::Shot(options) => screen::verb(&options),
        cli::Verb::Sm(options) => sm::verb(&options),
        cli::Verb::Trace(options) => trace::verb(&options),
        cli::Verb::Report(options) => report::verb(&options),
        cli::Verb::Chart(options) => report::chart_verb(&options),
        cli::Verb::Install(options) => reactos::install::verb(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is::<Said>() {
                ui::failure(&error);
            }
            match error.is::<Unusable>() {
                true => ExitCode::from(2),
                false => ExitCode::FAILURE,
            }
        }
    }
}
