// SPDX-License-Identifier: GPL-2.0-or-later
//! Exceptions of an i386 program as the shim's ntdll.dll hands them to the handlers of its frames: a
//! breakpoint that one lets go on, and a fault for which the frames within another are given up.

use crate::build::Images;
use crate::guest::{self, UnattendedBoot};
use crate::medium::tree::{self, Tree};
use crate::medium::{handler_program, hive_file, supplies};
use crate::paths;
use crate::qemu::{self, End};
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;

/// Name among the tests.
pub const NAME: &str = "exceptions_reach_the_handlers_of_frames";

const CHANGES: &str = "Windows Registry Editor Version 5.00\n\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager]\n\
    \"BootExecute\"=str(7):\"frames\\0\"\n";

/// Runs it; a failure says how QEMU was run.
pub fn run(images: &Images) -> Result<()> {
    let folder = paths::folder(paths::target().join("qemu-tests").join(NAME))?;
    let log = folder.join("boot.log");
    boot(images, &folder)
        .map_err(|error| anyhow!("{error:#}\n{}\nlog: {}", qemu::how(&log), log.display()))
}

fn boot(images: &Images, folder: &Path) -> Result<()> {
    let mut tree = Tree::system(images)?;
    let place = tree.system32("frames.exe");
    tree.files.insert(place, Some(handler_program::bytes()?));
    let mut hive = hive_file::of_tree(&tree, "SYSTEM")?;
    supplies::merge(&mut hive, "SYSTEM", CHANGES)?;
    let place = tree.hive_path("SYSTEM");
    tree.files.insert(place, Some(hive.serialise(tree::NOW)));
    let booted = guest::boot(&UnattendedBoot::until_settled(images, &tree, folder))?;
    if booted.end != End::Pass {
        bail!("the machine ended with {:?}", booted.end);
    }
    let mut lines = booted.reader.shown.iter();
    let end = lines.find(|line| line.contains("ended frames.exe"));
    let end = end.context("frames.exe has not ended")?;
    if !end.ends_with(&format!(" {:08X}", handler_program::HANDLED)) {
        bail!("its handlers were not called as they must: {end}");
    }
    Ok(())
}
