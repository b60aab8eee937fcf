// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask compare --from REACTOS.iso`: both session managers on the shim, same hive, same volume; what differs, and why.
//!
//! The two dumps and the two sets of system calls are compared. A difference is either explained by an entry of `deviations.txt` beside
//! this file (specification section 15), or it is a finding; only without findings is the verdict good.

use super::extract::Originals;
use crate::build::{self, Images};
use crate::cli::CompareOptions;
use crate::guest::{self, Outcome, Plan};
use crate::medium::{disk, tree::Tree};
use crate::qemu::End;
use crate::ui::{self, Colour};
use crate::{doctor, paths, trace};
use anyhow::{Context, Result, bail};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::time::Duration;

const DEVIATIONS: &str = include_str!("deviations.txt");

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
    doctor::preflight(false)?;
    let images = build::all(false)?;
    let originals = Originals::from_iso(&options.from)?;
    let base = Tree::system(&images)?;
    let mut theirs = base.clone();
    originals.put_on(&mut theirs);
    let mut ours = base;
    Originals { smss: None, ..originals }.put_on(&mut ours);

    let our_boot = boot(&images, &ours, "ours")?;
    let their_boot = boot(&images, &theirs, "reactos")?;
    let known = deviations()?;
    let mut findings = 0;
    ui::step("the two dumps");
    let dump = |boot: &Outcome| boot.reader.part("dump").map(str::to_owned).context("a boot printed no dump");
    let (left, right) = (dump(&their_boot)?, dump(&our_boot)?);
    for change in TextDiff::from_lines(&left, &right).iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal) {
        findings += told("dump", change.tag(), change.value().trim_end(), &known);
    }
    ui::step("the two system-call traces");
    let (left, right) = (calls(&their_boot)?, calls(&our_boot)?);
    for (call, &count) in &left {
        if !right.contains_key(call) {
            findings += told("calls", ChangeTag::Delete, &format!("{call} (x{count})"), &known);
        }
    }
    for (call, &count) in &right {
        if !left.contains_key(call) {
            findings += told("calls", ChangeTag::Insert, &format!("{call} (x{count})"), &known);
        }
    }
    let sum = |calls: &BTreeMap<String, u32>| calls.values().sum::<u32>();
    ui::note(&format!("system calls: ReactOS' smss {}, ours {}", sum(&left), sum(&right)));
    if findings > 0 {
        bail!("{findings} differences are not explained; explain each in xtask/src/reactos/deviations.txt or mend it");
    }
    ui::verdict("no unexplained difference");
    Ok(())
}

fn boot(images: &Images, tree: &Tree, name: &str) -> Result<Outcome> {
    ui::step(&format!("booting with {name}"));
    let folder = paths::folder(paths::target().join("compare").join(name))?;
    let plan = Plan {
        kernel: &images.kernel,
        tree,
        size: disk::DEFAULT_SIZE,
        arguments: "dump trace exit=settled",
        folder: &folder,
        limit: Duration::from_secs(120),
    };
    let outcome = guest::boot(&plan)?;
    if outcome.end != End::Pass {
        bail!("the boot with {name} ended with {:?}; log in {}", outcome.end, folder.display());
    }
    Ok(outcome)
}

/// How often smss made each call, by what is compared of a call.
fn calls(boot: &Outcome) -> Result<BTreeMap<String, u32>> {
    let text = boot.reader.part("trace").context("a boot printed no trace")?;
    let mut calls = BTreeMap::new();
    for call in text.lines().filter(|line| line.contains("smss")).filter_map(trace::essence) {
        *calls.entry(call).or_default() += 1;
    }
    Ok(calls)
}

fn deviations() -> Result<Vec<Deviation<'static>>> {
    let lines = DEVIATIONS.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split(" | ").map(str::trim);
            match (fields.next(), fields.next(), fields.next()) {
                (Some(part @ ("dump" | "calls")), Some(text), Some(reason)) => Ok(Deviation { part, text, reason }),
                _ => bail!("deviations.txt: `{line}` is not `part | text | reason`"),
            }
        })
        .collect()
}

/// Prints one difference; counts it if nothing explains it.
fn told(part: &str, tag: ChangeTag, line: &str, known: &[Deviation<'_>]) -> u32 {
    let sign = if tag == ChangeTag::Delete { "ReactOS only:" } else { "ours only:   " };
    let line = line.trim();
    match known.iter().find(|deviation| deviation.part == part && line.contains(deviation.text)) {
        Some(deviation) => {
            ui::note(&ui::paint(Colour::Grey, &format!("{sign} {line}   [{}]", deviation.reason)));
            0
        }
        None => {
            ui::note(&ui::paint(Colour::Red, &format!("{sign} {line}   UNEXPLAINED")));
            1
        }
    }
}
