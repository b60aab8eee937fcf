// SPDX-License-Identifier: GPL-2.0-or-later
//! One boot from beginning to end, unattended: a tree of files in, log, dump and trace out.

use crate::arch::Arch;
use crate::build::Images;
use crate::medium::{disk, tree::Tree};
use crate::qemu::{Boot, End, Qemu, Setup};
use crate::serial::Reader;
use anyhow::{Context, Result};
use formats::sectors;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Ticks of the time stamp counter an instruction takes in virtual time; one is 1 ns.
pub const TICKS: u64 = 2;
/// The same, as QEMU wants it.
const VIRTUAL_TIME: [&str; 4] = ["-icount", "shift=1,sleep=off", "-rtc", "clock=vm"];

/// A boot to make, with nobody watching.
pub struct UnattendedBoot<'a> {
    /// What the programs are for.
    pub arch: Arch,
    /// The kernel.
    pub kernel: &'a Path,
    /// What is on the volume.
    pub tree: &'a Tree,
    /// Size of the disk in MiB.
    pub size: u32,
    /// Content of the one sector of the disk that cannot be read.
    pub spoilt: Option<&'a [u8]>,
    /// Words for the kernel's command line.
    pub arguments: &'a str,
    /// More words for QEMU's.
    pub more: &'a [&'a str],
    /// Where log, dump, trace and disk image go.
    pub folder: &'a Path,
    /// Whether a reset starts the machine again.
    pub restarts: bool,
    /// A boot that takes longer hangs.
    pub limit: Duration,
    /// The machine's time is counted in instructions and jumps over what nobody works in: a minute
    /// of waiting takes no time, and no outcome depends on the host's speed.
    pub virtual_time: bool,
}

impl<'a> UnattendedBoot<'a> {
    /// A boot of this tree until the Session Manager has settled, in virtual time, on a disk of the
    /// usual size: what most boots differ from in a field or two.
    pub fn until_settled(images: &'a Images, tree: &'a Tree, folder: &'a Path) -> Self {
        Self {
            arch: images.arch,
            kernel: &images.kernel,
            tree,
            size: disk::DEFAULT_SIZE,
            spoilt: None,
            arguments: "exit=settled",
            more: &[],
            folder,
            restarts: false,
            limit: Duration::from_secs(90),
            virtual_time: true,
        }
    }
}

/// The result of one.
pub struct Booted {
    /// How the machine ended.
    pub end: End,
    /// What it said.
    pub reader: Reader,
    /// Its disk afterwards.
    pub disk: PathBuf,
    /// From QEMU's start until smss.exe is mapped, just before its first instruction in ring 3.
    pub ring3: Option<Duration>,
}

/// Boots, waits for the end, judges it.
pub fn boot(plan: &UnattendedBoot<'_>) -> Result<Booted> {
    let image = plan.folder.join("disk.img");
    disk::make(&image, plan.size, plan.tree)?;
    boot_disk(plan, image)
}

/// The same from a disk that is made already, whatever became of it.
///
/// # Errors
/// As [`boot`].
pub fn boot_disk(plan: &UnattendedBoot<'_>, image: PathBuf) -> Result<Booted> {
    let log = plan.folder.join("boot.log");
    let unreadable = match plan.spoilt {
        None => None,
        Some(content) => Some(
            sectors::only(&std::fs::read(&image)?, content)
                .context("no sector of its own has the content to spoil")?,
        ),
    };
    let virtual_time = VIRTUAL_TIME.iter().filter(|_| plan.virtual_time);
    let setup = Setup {
        processor: Arch::Amd64,
        boot: Boot::Direct(plan.kernel),
        disk: Some(&image),
        unreadable,
        memory: 512,
        arguments: plan.arch.kernel_words(plan.arguments),
        window: false,
        more: virtual_time
            .chain(plan.more)
            .map(|&word| word.to_owned())
            .collect(),
        restarts: plan.restarts,
    };
    let mut reader = Reader::default();
    let mut machine = Qemu::start(&setup, &log)?;
    let mut ring3 = None;
    let seen = || format!("log: {}", log.display());
    while let Some(line) = machine.line(plan.limit).with_context(seen)? {
        if ring3.is_none() && line.contains("image smss.exe") {
            ring3 = Some(machine.started.elapsed());
        }
        reader.take(&line);
    }
    for (name, text) in &reader.parts {
        std::fs::write(plan.folder.join(format!("{name}.txt")), text)?;
    }
    let end = machine.judge().with_context(seen)?;
    Ok(Booted {
        end,
        reader,
        disk: image,
        ring3,
    })
}
