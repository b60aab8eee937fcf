// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask budgets`: what the image costs, against what it may cost.
//!
//! A budget is a benchmark, not a test: what is over it is said, and the verb is content as soon as
//! everything could be measured. Half of ReactOS' system calls means the same boot, so that budget
//! is measured on a live CD's own DLLs only (`--from`).

use crate::build::{self, Images};
use crate::cli::BudgetsOptions;
use crate::doctor::{self, Need};
use crate::guest::{self, Booted, UnattendedBoot};
use crate::medium::tree::Tree;
use crate::paths;
use crate::qemu::{self, End};
use crate::reactos::extract::Originals;
use crate::reactos::volume;
use crate::trace::{Counts, calls_made};
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use std::time::Duration;

/// Bytes of private commit.
const PRIVATE: u64 = 256 * 1024;
/// Milliseconds from QEMU's start until ring 3, on the direct path.
const RING3: u64 = 500;
/// System calls of ReactOS' smss until it creates the initial command (spec 14.1): on an installed
/// disk, on the live CD.
const REACTOS_CALLS: [u64; 2] = [678, 632];

/// Runs the verb.
pub fn verb(options: &BudgetsOptions) -> Result<()> {
    doctor::preflight(false, &[Need::Machine])?;
    let images = build::all(false)?;
    let mut tree = Tree::system(&images)?;
    let mut disk = crate::medium::disk::DEFAULT_SIZE;
    if let Some(iso) = &options.from {
        volume::put_on(&mut tree, iso, options.hive.as_deref())?;
        Originals {
            smss: None,
            ..Originals::from_iso(iso)?
        }
        .put_on(&mut tree);
        disk = crate::reactos::compare::DISK_SIZE;
    }
    ui::step(&format!(
        "booting on the direct path ({})",
        qemu::accelerator()
    ));
    let plain = boot(
        &images,
        &Tree::system(&images)?,
        crate::medium::disk::DEFAULT_SIZE,
        "dump exit=settled",
    )?;
    ui::step("booting with a trace of every system call");
    let traced = boot(&images, &tree, disk, "dump trace exit=settled")?;

    ui::step("budgets");
    row(
        "smss.exe, stripped, bytes",
        build::size(&images)?,
        Some(build::SMSS_BUDGET),
    );
    row(
        "private commit of smss, bytes",
        private_bytes(&plain)?,
        Some(PRIVATE),
    );
    let ring3 = plain.ring3.context("smss.exe never came to ring 3")?;
    row(
        "QEMU's start until ring 3, ms",
        u64::try_from(ring3.as_millis())?,
        Some(RING3),
    );
    let counts = Counts::of(&calls_made(
        traced
            .reader
            .part("trace")
            .context("the boot printed no trace")?,
    ));
    let reference = options
        .from
        .as_ref()
        .map(|_| REACTOS_CALLS[usize::from(options.hive.is_none())] / 2);
    row(
        "system calls until the initial command",
        u64::from(counts.own() + counts.loader),
        reference,
    );
    ui::note(&format!("of these the loader's: {}", counts.loader));
    ui::verdict("measured");
    Ok(())
}

fn boot(images: &Images, tree: &Tree, size: u32, arguments: &str) -> Result<Booted> {
    let folder = paths::folder(paths::target().join("budgets"))?;
    let limit = Duration::from_secs(120);
    let plan = UnattendedBoot {
        kernel: &images.kernel,
        tree,
        size,
        spoilt: None,
        arguments,
        folder: &folder,
        limit,
        virtual_time: false,
        restarts: false,
    };
    let outcome = guest::boot(&plan)?;
    if outcome.end != End::Pass {
        bail!(
            "the boot ended with {:?}; log in {}",
            outcome.end,
            folder.display()
        );
    }
    Ok(outcome)
}

fn private_bytes(boot: &Booted) -> Result<u64> {
    let dump: serde_json::Value = serde_json::from_str(
        boot.reader
            .part("dump-json")
            .context("the boot printed no dump")?,
    )?;
    let mut processes = dump["processes"].as_array().into_iter().flatten();
    let smss = processes
        .find(|process| process["name"] == "smss.exe")
        .context("the dump has no smss.exe")?;
    smss["privateBytes"]
        .as_u64()
        .context("the dump does not say how much smss.exe commits")
}

fn row(what: &str, measured: u64, budget: Option<u64>) {
    let verdict = match budget {
        None => String::from("no budget for this boot"),
        Some(budget) if measured <= budget => {
            ui::paint(Colour::Green, &format!("budget {budget}: met"))
        }
        Some(budget) => ui::paint(
            Colour::Yellow,
            &format!("budget {budget}: {} over", measured - budget),
        ),
    };
    ui::note(&format!("{what:40} {measured:8}   {verdict}"));
}
