// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask test --faults`: every system call of smss in each course of the sweep fails, with
//! every status of the sweep, alone and together with a second one; and every call while requests
//! are served.
//!
//! The sweeps themselves are host tests of `crates/smss`, and say there what is asserted of every
//! run; a plain test run takes a sample of the calls, this one takes all.

use crate::{paths, ui};
use anyhow::{Context, Result};
use std::process::Command;

/// Runs the sweep; whether it passed.
pub fn run() -> Result<bool> {
    ui::step(
        "failing every system call of several boots: this takes minutes, and ends with tables of outcomes",
    );
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(paths::root())
        .args([
            "test",
            "--release",
            "-p",
            "smss",
            "--test",
            "boot",
            "--",
            "--nocapture",
            // Single calls, two calls, calls while requests are served.
            "faults::",
            "pairs::",
            "requests::",
        ])
        .env("SMSS_FAULT_STEP", "1")
        .status()
        .context("cannot run cargo test")?;
    Ok(status.success())
}
