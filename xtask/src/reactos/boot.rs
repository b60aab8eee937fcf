// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask run --base REACTOS.iso`: a real ReactOS with our Session Manager in it.
//!
//! The verdict is by what was seen: our smss's own lines on the debug port say that csrss
//! registered and that winlogon was adopted. A picture is taken when the screen has stopped
//! changing: the desktop, or the first message box.

use super::pack;
use crate::cli::RunOptions;
use crate::doctor::{self, Need};
use crate::qemu::{Boot, Machine, Setup};
use crate::serial::Reader;
use crate::{paths, qemu, screen, ui};
use anyhow::{Result, bail};
use std::path::Path;
use std::time::{Duration, Instant};

/// What our smss logs, in this order, on its way: text in the line, and what it proves.
const MILESTONES: [(&str, &str); 3] = [
    ("phase: 2 ", "our smss.exe runs"),
    ("phase: 28 ", "it came to the subsystems"),
    ("phase: 39 ", "csrss and winlogon run, adopted by it"),
];

/// Under TCG, 1 GiB and a live CD: winlogon after some 20 s, the desktop after some 100 s.
const LIMIT: Duration = Duration::from_secs(600);
/// What the kernel prints when it stops the system.
const STOPPED: &str = "*** Fatal System Error";
/// What a live CD is given unless the command line says otherwise, in MiB.
const MEMORY: u32 = 1024;
/// A screen that has not changed for this long stands.
const STILL: Duration = Duration::from_secs(15);

/// Runs the verb.
pub fn verb(options: &RunOptions, base: &Path) -> Result<()> {
    doctor::preflight(options.install, &[Need::Boot])?;
    let output = paths::output()?;
    let iso = output.join("reactos.iso");
    pack::iso(base, &iso)?;
    let log = output.join("reactos.log");
    let setup = Setup {
        boot: Boot::Iso(&iso),
        disk: None,
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
    let mut machine = Machine::start(&setup, &log)?;
    screen::remember(&machine.qmp)?;
    let mut reader = Reader::default();
    let mut reached = 0;
    let picture = options
        .shot
        .clone()
        .unwrap_or_else(|| output.join("reactos.png"));
    while reached < MILESTONES.len() {
        let Some(line) = machine.line(LIMIT)? else {
            bail!(
                "QEMU ended before our smss had settled; log: {}",
                log.display()
            )
        };
        let shown = reader.take(&line);
        if line.contains("SMSS:") {
            println!("{}", shown.unwrap_or_default());
        }
        if line.contains(STOPPED) {
            screen::shot(&machine.qmp, &picture)?;
            bail!(
                "ReactOS stopped: see {} and {}",
                log.display(),
                picture.display()
            );
        }
        if MILESTONES
            .get(reached)
            .is_some_and(|(text, _)| line.contains(text))
        {
            ui::step(&format!(
                "{} after {:.0} s",
                MILESTONES[reached].1,
                machine.started.elapsed().as_secs_f32()
            ));
            reached += 1;
        }
    }
    still(&mut machine, &picture)?;
    ui::note(&format!("picture: {}", picture.display()));
    qemu::see(&log);
    if !options.exit {
        ui::note("leave with Ctrl-C, or by closing the window");
        while machine.line(Duration::MAX)?.is_some() {}
    }
    ui::verdict("csrss and winlogon were started by our smss on a real ReactOS");
    Ok(())
}

/// Takes pictures until the screen has changed from the boot screen to something that stands still.
fn still(machine: &mut Machine, picture: &Path) -> Result<()> {
    let begun = Instant::now();
    let mut screens = 0;
    let mut last = Vec::new();
    let mut since = Instant::now();
    while begun.elapsed() < LIMIT {
        screen::shot(&machine.qmp, picture)?;
        let now = std::fs::read(picture)?;
        if now != last {
            screens += 1;
            last = now;
            since = Instant::now();
        } else if screens > 1 && since.elapsed() > STILL {
            return Ok(());
        }
        if machine.drain()?.iter().any(|line| line.contains(STOPPED)) {
            bail!("ReactOS stopped after its start: see {}", picture.display());
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    ui::note("the screen never stood still; the picture is the last one");
    Ok(())
}
