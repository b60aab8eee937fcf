// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask run --base REACTOS`: a real ReactOS, a CD or an installed system's disk image, with
//! our Session Manager in it.
//!
//! The verdict is by what was seen: our smss's own lines on the debug port say that csrss
//! registered and that winlogon was adopted, and none of the ends that ReactOS prints came before
//! the screen had stopped changing: the desktop, or the first message box.

use super::judge;
use super::pack::{self, Replacement};
use crate::arch::Arch;
use crate::cli::RunOptions;
use crate::doctor::{self, Need};
use crate::qemu::{Boot, Next, Qemu, Setup};
use crate::serial::Reader;
use crate::{paths, qemu, screen, ui};
use anyhow::{Context, Result, bail};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What our smss logs, in this order, on its way: text in the line, and what it proves.
const MILESTONES: [(&str, &str); 3] = [
    ("phase: 2 ", "our smss.exe runs"),
    ("phase: 28 ", "it came to the subsystems"),
    ("phase: 39 ", "csrss and winlogon run, adopted by it"),
];

/// Under TCG, 1 GiB and a live CD: winlogon after some 20 s, the desktop after some 100 s.
const LIMIT: Duration = Duration::from_secs(600);
/// A screen that has not changed for this long counts as still.
const STILL: Duration = Duration::from_secs(15);
/// Between two looks at the screen, and at what has come of an unfinished line.
const LOOK: Duration = Duration::from_secs(2);
/// What ReactOS is given unless the command line says otherwise, in MiB: what a live CD needs.
pub const MEMORY: u32 = 1024;

/// A boot under way, and what it has said so far.
struct Watched {
    machine: Qemu,
    reader: Reader,
    log: PathBuf,
    picture: PathBuf,
}

/// Runs the verb.
pub fn verb(options: &RunOptions, base: &Path) -> Result<()> {
    doctor::preflight(options.install, &[Need::Machine])?;
    let output = paths::output()?;
    qemu::nobody_in(&output)?;
    let medium = Medium::with(base, &output, &Replacement::default())?;
    let setup = Setup {
        processor: Arch::Amd64,
        boot: medium.boot(),
        disk: None,
        unreadable: None,
        memory: options.memory.unwrap_or(MEMORY),
        arguments: String::new(),
        window: !options.headless,
        restarts: false,
        more: Vec::new(),
    };
    ui::step(&format!(
        "booting ReactOS in QEMU ({})",
        qemu::accelerator()
    ));
    let log = output.join("reactos.log");
    let machine = Qemu::start(&setup, &log)?;
    screen::remember(&machine.qmp)?;
    let mut boot = Watched {
        machine,
        reader: Reader::default(),
        log,
        picture: options
            .shot
            .clone()
            .unwrap_or_else(|| output.join("reactos.png")),
    };
    boot.milestones()?;
    boot.still()?;
    ui::note(&format!("picture: {}", boot.picture.display()));
    qemu::see(&boot.log);
    if !options.exit {
        ui::note("leave with Ctrl-C, or by closing the window");
        while boot.next(LOOK)?.is_some() {}
        if let Some(reason) = boot
            .machine
            .reason()
            .filter(|reason| reason == "guest-reset")
        {
            bail!(
                "the machine was reset ({reason}) after it had come up: {}",
                boot.tail()
            );
        }
    }
    ui::verdict("csrss and winlogon were started by our smss on a real ReactOS");
    Ok(())
}

/// A medium of ReactOS with our smss.exe in it.
pub enum Medium {
    /// A CD.
    Iso(PathBuf),
    /// The disk of an installed system.
    Disk(PathBuf),
}

impl Medium {
    /// Copies `base` into `folder` and puts this smss.exe into the copy.
    pub fn with(base: &Path, folder: &Path, smss: &Replacement) -> Result<Self> {
        if is_iso(base)? {
            let iso = folder.join("reactos.iso");
            pack::iso(base, &iso, smss)?;
            Ok(Self::Iso(iso))
        } else {
            let disk = folder.join("reactos.img");
            pack::disk(base, &disk, smss)?;
            Ok(Self::Disk(disk))
        }
    }

    /// As QEMU boots it.
    pub fn boot(&self) -> Boot<'_> {
        match self {
            Self::Iso(iso) => Boot::Iso(iso),
            Self::Disk(disk) => Boot::Disk(disk),
        }
    }
}

/// The machine that a medium of ReactOS, a CD or a disk image, is for; none if that cannot be seen
/// without unpacking it.
///
/// # Errors
/// It has no Session Manager that ours could replace; what cannot be read.
pub fn machine(base: &Path) -> Result<Option<Arch>> {
    if is_iso(base)? {
        pack::machine_of_disc(base)
    } else {
        pack::machine_of_disk(base).map(Some)
    }
}

/// Whether a file is a CD: the first volume descriptor's identifier says so.
fn is_iso(file: &Path) -> Result<bool> {
    let mut identifier = [0; 5];
    let mut image =
        std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    image.seek(SeekFrom::Start(16 * 2048 + 1))?;
    // What ends before it is no CD.
    Ok(image.read_exact(&mut identifier).is_ok() && &identifier == b"CD001")
}

impl Watched {
    /// Follows the boot until our smss has settled.
    fn milestones(&mut self) -> Result<()> {
        let mut milestones = MILESTONES.into_iter().peekable();
        while let Some((sign, meaning)) = milestones.peek() {
            let elapsed = self.machine.started.elapsed();
            if elapsed > LIMIT {
                bail!(
                    "after {} s there is no `{sign}` of our smss; an installed system says it on COM1 \
                     only with a debug entry of its boot menu: {}",
                    LIMIT.as_secs(),
                    self.tail()
                );
            }
            let Some(line) = self.next(LOOK)? else {
                let reason = self.machine.reason();
                bail!(
                    "the machine ended ({}) before our smss had settled: {}",
                    reason.as_deref().unwrap_or("QEMU gave no reason"),
                    self.tail()
                );
            };
            if line.contains("SMSS:") {
                println!("{}", line.trim_end());
            }
            if line.contains(sign) {
                ui::step(&format!("{meaning} after {:.0} s", elapsed.as_secs_f32()));
                milestones.next();
            }
        }
        Ok(())
    }

    /// The next line, empty if none came within `wait`; none at the machine's end. An end that
    /// ReactOS prints is an error, with the lines before it and a picture.
    fn next(&mut self, wait: Duration) -> Result<Option<String>> {
        let line = match self.machine.next(wait)? {
            Next::Line(line) => line,
            Next::Silence => String::new(),
            Next::End => return Ok(None),
        };
        let prompt = self.machine.unfinished();
        for text in [&line, &prompt] {
            if !text.is_empty() && judge::death(text).is_some() {
                self.reader.take(text);
                return Err(self.dead());
            }
        }
        if !line.is_empty() {
            self.reader.take(&line);
        }
        Ok(Some(line))
    }

    fn dead(&mut self) -> anyhow::Error {
        // What the debugger says on its entry, such as the stack, follows within a moment.
        let until = Instant::now() + LOOK;
        while let Ok(Next::Line(line)) = self
            .machine
            .next(until.saturating_duration_since(Instant::now()))
        {
            self.reader.take(&line);
        }
        let picture = match screen::shot(&self.machine.qmp, &self.picture) {
            Ok(()) => format!(" and {}", self.picture.display()),
            // A machine that is gone has no screen.
            Err(_) => String::new(),
        };
        let Some((death, lines)) = judge::judge(&self.reader.shown) else {
            return anyhow::anyhow!("ReactOS ended: see {}", self.log.display());
        };
        ui::step("the last lines before the end");
        lines.iter().for_each(|line| ui::note(line));
        anyhow::anyhow!(
            "ReactOS is dead: {death}; see {}{picture}",
            self.log.display()
        )
    }

    /// Shows the log's last lines; gives where the whole log is.
    fn tail(&self) -> String {
        let shown = &self.reader.shown;
        ui::step("the log's last lines");
        shown[shown.len().saturating_sub(10)..]
            .iter()
            .for_each(|line| ui::note(line));
        format!("see {}", self.log.display())
    }

    /// Takes pictures until the screen has changed from the boot screen to something that stands
    /// still.
    fn still(&mut self) -> Result<()> {
        let begun = Instant::now();
        let mut screens = 0;
        let mut last = Vec::new();
        let mut since = Instant::now();
        while begun.elapsed() < LIMIT {
            screen::shot(&self.machine.qmp, &self.picture)?;
            let now = std::fs::read(&self.picture)?;
            if now != last {
                screens += 1;
                last = now;
                since = Instant::now();
            } else if screens > 1 && since.elapsed() > STILL {
                return Ok(());
            }
            let look = Instant::now() + LOOK;
            while Instant::now() < look {
                let left = look.saturating_duration_since(Instant::now());
                if self.next(left)?.is_none() {
                    bail!("the machine ended before its screen stood: {}", self.tail());
                }
            }
        }
        bail!(
            "the screen has not come to a stand in {} s: {}",
            LIMIT.as_secs(),
            self.tail()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cd_and_a_disk_are_told_apart_by_what_they_hold() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!is_iso(file.path()).unwrap(), "an empty file");
        let mut image = vec![0; 17 * 2048];
        std::fs::write(file.path(), &image).unwrap();
        assert!(!is_iso(file.path()).unwrap(), "zeros");
        image[16 * 2048..16 * 2048 + 6].copy_from_slice(b"\x01CD001");
        std::fs::write(file.path(), &image).unwrap();
        assert!(is_iso(file.path()).unwrap(), "a primary volume descriptor");
    }
}
