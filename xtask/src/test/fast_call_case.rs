// SPDX-License-Identifier: GPL-2.0-or-later
//! The fast call of i386 programs: a boot on a processor that has `sysenter` while the kernel is one of
//! 64 bits, which QEMU's usual one, of AMD's kind, has not.
//!
//! The second boot takes smss.exe by single steps, so that each call leaves the trap flag on at the
//! kernel's first instruction; and with every instruction told apart, the way by `sysenter` is seen in
//! the counts.

use crate::build::Images;
use crate::guest::{self, Booted, UnattendedBoot};
use crate::medium::tree::Tree;
use crate::qemu::{self, End};
use crate::{paths, symbols};
use anyhow::{Context, Result, anyhow, bail};
use object::Object;
use std::path::Path;

/// Name among the tests.
pub const NAME: &str = "programs_call_the_kernel_by_sysenter_where_there_is_one";

/// QEMU's usual processor, as if it were one of Intel's.
const INTELS: [&str; 2] = ["-cpu", "qemu64,vendor=GenuineIntel"];
/// What the kernel says where programs may use it.
const SAID: &str = "programs call the kernel by sysenter";

/// Runs it; a failure says how QEMU was run.
pub fn run(images: &Images) -> Result<()> {
    let folder = paths::folder(paths::target().join("qemu-tests").join(NAME))?;
    let log = folder.join("boot.log");
    both(images, &folder)
        .map_err(|error| anyhow!("{error:#}\n{}\nlog: {}", qemu::how(&log), log.display()))
}

fn both(images: &Images, folder: &Path) -> Result<()> {
    let tree = Tree::system(images)?;
    let usual = guest::boot(&UnattendedBoot::until_settled(images, &tree, folder))?;
    if says(&usual) {
        bail!("the kernel takes a processor of AMD's kind for one that has the instruction");
    }
    let booted = guest::boot(&UnattendedBoot {
        arguments: "steps=smss.exe exit=settled",
        more: &INTELS,
        ..UnattendedBoot::until_settled(images, &tree, folder)
    })?;
    if booted.end != End::Pass {
        bail!("the machine ended with {:?}", booted.end);
    }
    if !says(&booted) {
        bail!("no line of the log has `{SAID}`");
    }
    let (entry, back) = (
        runs(images, &booted, "KiFastSystemCall")?,
        runs(images, &booted, "KiFastSystemCallRet")?,
    );
    // Entered at least as often as left: the last call has not come back.
    if entry < 100 || back < 100 || back > entry {
        bail!("KiFastSystemCall ran {entry} times, KiFastSystemCallRet {back} times");
    }
    Ok(())
}

fn says(booted: &Booted) -> bool {
    booted.reader.shown.iter().any(|line| line.contains(SAID))
}

/// How often smss.exe ran the first instruction of an export of ntdll.dll.
fn runs(images: &Images, booted: &Booted, name: &str) -> Result<u64> {
    let bytes = std::fs::read(images.folder.join("ntdll.dll"))?;
    let image = object::File::parse(&*bytes)?;
    let mut exports = image.exports()?.into_iter();
    let export = exports.find(|export| export.name() == name.as_bytes());
    let export = export.with_context(|| format!("ntdll.dll has no {name}"))?;
    let base = booted.reader.shown.iter().find_map(|line| {
        let (image, base) = symbols::announced(line)?;
        (image == "ntdll.dll").then_some(base)
    });
    let place = base.context("ntdll.dll was never mapped")? + export.address()
        - image.relative_address_base();
    let steps = booted
        .reader
        .part("steps")
        .context("the boot took no steps")?;
    let count = steps
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(at, _)| u64::from_str_radix(at, 16).is_ok_and(|at| at == place));
    count.map_or(Ok(0), |(_, count)| Ok(count.parse()?))
}
