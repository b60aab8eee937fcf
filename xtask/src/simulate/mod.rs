// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask simulate`: many histories of one machine, each from a seed, each the same every time
//! (see the crate `simulation`, which plays them).

pub mod put_back;

use crate::cli::SimulateOptions;
use crate::coverage::{self, Counters};
use crate::{cargo, paths, ui};
use anyhow::{Result, bail};

/// The sources whose lines are told that no history reached.
const SOURCES: &str = "crates/subsystems/src/";

/// Runs the verb.
pub fn verb(options: &SimulateOptions) -> Result<()> {
    if let Some(names) = &options.put_back {
        return put_back::verb(options, names);
    }
    let counters = match options.lines {
        true => Some(Counters::new(paths::target().join("simulation-lines"))?),
        false => None,
    };
    let mut command = cargo::command();
    if let Some(counters) = &counters {
        counters.count(&mut command);
    }
    // A profile of its own: a thread that was ended unwinds, and ten thousand histories want speed.
    command.args([
        "run",
        "--quiet",
        "--profile",
        "simulation",
        "-p",
        "simulation",
        "--",
    ]);
    let number = |number: u64| number.to_string();
    match options.seed {
        Some(seed) => command.args(["--seed", &number(seed)]),
        None => command.args(["--seeds", &number(options.seeds)]),
    };
    if options.replay {
        command.arg("--replay");
    }
    ui::step("playing histories");
    let kept = command.status()?.success();
    if let Some(counters) = &counters {
        lines(counters)?;
    }
    if !kept {
        bail!("a promise was broken, or a history could not be played: see above");
    }
    ui::verdict("every promise was kept");
    Ok(())
}

/// Names the lines that no history reached.
fn lines(counters: &Counters) -> Result<()> {
    let program = counters.build().join("simulation").join("simulation");
    let mut files = counters.files(&[program])?;
    files.retain(|file, _| file.starts_with(SOURCES));
    if files.is_empty() {
        bail!("the counters name no source below {SOURCES}");
    }
    ui::note(&format!(
        "{:.1} % of the lines below {SOURCES} were reached; those that were not:",
        coverage::percent(files.values())
    ));
    print!("{}", coverage::gaps(&files));
    Ok(())
}
