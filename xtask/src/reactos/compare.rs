// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask compare --from REACTOS.iso`: both session managers on the shim, same hive, same
//! volume; what differs, and why.
//!
//! The two dumps and the two sets of system calls are compared. A difference is either explained by
//! an entry of `deviations.txt` beside this file (specification section 15), or it is a finding;
//! only without findings is the verdict good.
//!
//! The other side is ReactOS' own as well: its csrss.exe answers both, and its autochk.exe is the boot
//! command, unless `--with` says otherwise.
//!
//! Both have the registry values and the known DLLs of the live CD before them, so that the number
//! of system calls each needs until the initial command is created is that of a real boot. It is
//! told apart by who made the calls: ReactOS' loader, which is the same for both, or the session
//! manager.

use super::extract::Originals;
use super::{programs, volume};
use crate::build::{self, Images};
use crate::cli::CompareOptions;
use crate::doctor::{self, Need};
use crate::guest::{self, Booted, UnattendedBoot};
use crate::medium::tree::Tree;
use crate::paths;
use crate::qemu::End;
use crate::trace::Counts;
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DEVIATIONS: &str = include_str!("deviations.txt");

/// Size of the disk in MiB: room for the known DLLs and for a paging file of the system's own size.
pub const DISK_SIZE: u32 = 2048;

/// A known deviation: which lines it explains, and why they differ.
struct Deviation<'a> {
    /// `dump` or `calls`.
    part: &'a str,
    /// Text that the differing line contains.
    text: &'a str,
    reason: &'a str,
}

/// Runs the verb.
pub fn verb(options: &CompareOptions) -> Result<()> {
    doctor::preflight(false, &[Need::Machine])?;
    let originals = Originals::from_iso(&options.from)?;
    let arch = originals.machine(None)?;
    let images = build::all(arch, false)?;
    let mut base = Tree::system(&images)?;
    volume::put_on(&mut base, &options.from, options.hive.as_deref())?;
    programs::put_on(arch, &mut base, &options.from, &options.with)?;
    let mut theirs = base.clone();
    originals.put_on(&mut theirs);
    let mut ours = base;
    Originals {
        smss: None,
        ..originals
    }
    .put_on(&mut ours);

    let our_boot = boot(&images, &ours, "ours")?;
    let their_boot = boot(&images, &theirs, "reactos")?;
    let known = deviations()?;
    let mut findings = 0;
    ui::step("the two dumps");
    let dump = |boot: &Booted| {
        boot.reader
            .part("dump")
            .map(str::to_owned)
            .context("a boot printed no dump")
    };
    let (left, right) = (dump(&their_boot)?, dump(&our_boot)?);
    for change in TextDiff::from_lines(&left, &right)
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
    {
        findings += told("dump", change.tag(), change.value().trim_end(), &known);
    }
    ui::step("the two system-call traces");
    let (left, right) = (calls(&their_boot)?, calls(&our_boot)?);
    for (call, &count) in &left {
        if !right.contains_key(call) {
            findings += told(
                "calls",
                ChangeTag::Delete,
                &format!("{call} (x{count})"),
                &known,
            );
        }
    }
    for (call, &count) in &right {
        if !left.contains_key(call) {
            findings += told(
                "calls",
                ChangeTag::Insert,
                &format!("{call} (x{count})"),
                &known,
            );
        }
    }
    counts(&trace(&their_boot)?, &trace(&our_boot)?);
    if findings > 0 {
        bail!(
            "{findings} differences are not explained; explain each in xtask/src/reactos/deviations.txt or mend it"
        );
    }
    ui::verdict("no unexplained difference");
    Ok(())
}

fn boot(images: &Images, tree: &Tree, name: &str) -> Result<Booted> {
    ui::step(&format!("booting with {name}"));
    let folder = paths::folder(paths::target().join("compare").join(name))?;
    let plan = UnattendedBoot {
        size: DISK_SIZE,
        arguments: "dump trace exit=settled",
        limit: Duration::from_secs(300),
        virtual_time: false,
        ..UnattendedBoot::until_settled(images, tree, &folder)
    };
    let outcome = guest::boot(&plan)?;
    if outcome.end != End::Pass {
        bail!(
            "the boot with {name} ended with {:?}; log in {}",
            outcome.end,
            folder.display()
        );
    }
    Ok(outcome)
}

/// The calls smss made, in order, a line each: the line for the end of a wait is left out.
fn trace(boot: &Booted) -> Result<Vec<&str>> {
    Ok(crate::trace::calls_made(
        boot.reader
            .part("trace")
            .context("a boot printed no trace")?,
    ))
}

/// How often smss made each call, by what is compared of a call.
fn calls(boot: &Booted) -> Result<BTreeMap<String, u32>> {
    let mut calls = BTreeMap::new();
    for call in trace(boot)?.into_iter().filter_map(crate::trace::named) {
        *calls.entry(call).or_default() += 1;
    }
    Ok(calls)
}

/// Prints how many calls each made until it created the initial command, by name.
fn counts(theirs: &[&str], ours: &[&str]) {
    let (theirs, ours) = (Counts::of(theirs), Counts::of(ours));
    ui::step("system calls until the initial command is created");
    ui::note(&format!("{:32} {:>8} {:>8}", "", "ReactOS'", "ours"));
    let row =
        |name: &str, left: u32, right: u32| ui::note(&format!("{name:32} {left:8} {right:8}"));
    let names: BTreeSet<&String> = theirs.calls.keys().chain(ours.calls.keys()).collect();
    let count =
        |counts: &Counts, name: &String| counts.calls.get(name).copied().unwrap_or_default();
    let mut rows: Vec<_> = names
        .into_iter()
        .map(|name| (count(&theirs, name), count(&ours, name), name))
        .collect();
    rows.sort_by(|left, right| right.cmp(left));
    rows.iter()
        .for_each(|(left, right, name)| row(name, *left, *right));
    row("the session manager's", theirs.own(), ours.own());
    row("the loader's", theirs.loader, ours.loader);
    row(
        "together",
        theirs.own() + theirs.loader,
        ours.own() + ours.loader,
    );
}

fn deviations() -> Result<Vec<Deviation<'static>>> {
    let lines = DEVIATIONS
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split(" | ").map(str::trim);
            match (fields.next(), fields.next(), fields.next()) {
                (Some(part @ ("dump" | "calls")), Some(text), Some(reason)) => {
                    Ok(Deviation { part, text, reason })
                }
                _ => bail!("deviations.txt: `{line}` is not `part | text | reason`"),
            }
        })
        .collect()
}

/// Prints one difference; counts it if nothing explains it.
fn told(part: &str, tag: ChangeTag, line: &str, known: &[Deviation<'_>]) -> u32 {
    let sign = if tag == ChangeTag::Delete {
        "ReactOS only:"
    } else {
        "ours only:   "
    };
    let line = line.trim();
    match known
        .iter()
        .find(|deviation| deviation.part == part && line.contains(deviation.text))
    {
        Some(deviation) => {
            ui::note(&ui::paint(
                Colour::Grey,
                &format!("{sign} {line}   [{}]", deviation.reason),
            ));
            0
        }
        None => {
            ui::note(&ui::paint(
                Colour::Red,
                &format!("{sign} {line}   UNEXPLAINED"),
            ));
            1
        }
    }
}
