// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask simulate`: many histories of one machine, each from a seed, each the same every time
//! (see the crate `simulation`, which plays them).

use crate::cli::SimulateOptions;
use crate::{cargo, ui};
use anyhow::{Result, bail};

/// Runs the verb.
pub fn verb(options: &SimulateOptions) -> Result<()> {
    let mut command = cargo::command();
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
    if !command.status()?.success() {
        bail!("a promise was broken, or a history could not be played: see above");
    }
    ui::verdict("every promise was kept");
    Ok(())
}
