// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask run`: build, medium, boot; then say what came up.

use crate::arch::Arch;
use crate::build;
use crate::cli::RunOptions;
use crate::doctor::{self, Need};
use crate::medium::program::Role;
use crate::medium::tree::Tree;
use crate::medium::{iso, supplies};
use crate::platform::Door;
use crate::qemu::{Boot, End, Qemu, Setup};
use crate::reactos::extract::Originals;
use crate::reactos::programs;
use crate::serial::Reader;
use crate::symbols::Symbols;
use crate::{paths, qemu, reactos, report, screen, sm, ui};
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A boot that has not settled by then never will.
const LIMIT: Duration = Duration::from_secs(120);

/// What the machine has unless told otherwise, in MiB.
const MEMORY: u32 = 512;

/// A system that has lost what it cannot be without stops at once; one that stands this long after
/// it has settled goes on without.
const KILLED: Duration = Duration::from_secs(60);

/// Runs the verb.
pub fn verb(options: &RunOptions) -> Result<()> {
    if let Some(base) = &options.base {
        return reactos::boot::verb(options, base);
    }
    if options.json {
        ui::keep_output_for_json();
    }
    doctor::preflight(options.install, &[Need::Machine])?;
    qemu::nobody_in(&paths::output()?)?;
    let direct = options.direct || !may_boot_from_disc(options)?;
    // What cannot be booted is told before anything is built.
    let originals = Originals::read(
        options.smss.as_deref(),
        options.ntdll.as_deref(),
        options.from.as_deref(),
    )?;
    let arch = originals.machine(options.arch)?;
    let images = build::all(arch, false)?;
    let output = paths::output()?;
    ui::step("making the disk: FAT32 volume C: with the system and its hives");
    let mut tree = Tree::system(&images)?;
    originals.put_on(&mut tree);
    if let Some(iso) = &options.from {
        programs::put_on(arch, &mut tree, iso, &options.with)?;
    }
    let disk_image = output.join("disk.img");
    let disk = options
        .supplies
        .make_disk(&disk_image, &mut tree, &images)?;

    let words = [Some(arguments(options)), disk.root.word()];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let arguments = arch.kernel_words(&words.join(" "));
    let iso_image = output.join("smss.iso");
    if !direct {
        ui::step("making the boot ISO");
        iso::make(&iso_image, &images, &tree, &arguments)?;
    }
    let log = output.join("boot.log");
    let boot = if direct {
        Boot::Direct(&images.kernel)
    } else {
        Boot::Iso(&iso_image)
    };
    let door = Door::new(&format!("smss-sm-{}", std::process::id()))?;
    let more = vec!["-serial".into(), door.for_qemu()];
    let setup = Setup {
        processor: Arch::Amd64,
        boot,
        disk: Some(&disk.image),
        unreadable: None,
        memory: options.memory.unwrap_or(MEMORY),
        arguments,
        window: !options.headless,
        restarts: false,
        more,
    };
    ui::step(&format!("booting in QEMU ({})", qemu::accelerator()));
    if !options.exit && options.kill.is_none() {
        ui::note("leave with Ctrl-C, or by closing the window");
    }
    let mut machine = Qemu::start(&setup, &log)?;
    screen::remember(&machine.qmp)?;
    std::fs::write(sm::socket_file()?, door.to_string())?;
    let mut reader = Reader::default();
    let mut symbols = Symbols::new(&images);
    let mut settled = None;
    let mut reported = false;
    let mut program = disk.program.clone().map(Program::named);
    // Once settled, the machine is the user's: no limit any more.
    let limit = |settled: Option<Duration>| match settled {
        None => LIMIT,
        Some(after) if options.kill.is_some() => after + KILLED,
        Some(_) => Duration::MAX,
    };
    while let Some(line) = machine.line(limit(settled))? {
        if let Some(program) = &mut program {
            program.follow(&line);
        }
        if let Some(shown) = reader.take(&line) {
            ui::say(&shown);
        }
        for more in symbols.follow(&line, &reader) {
            ui::say(&more);
        }
        if settled.is_none() && line.contains("SHIM-SETTLED") {
            settled = Some(machine.started.elapsed());
            if let (Some(file), None) = (&options.shot, options.kill) {
                screen::shot(&machine.qmp, file)?;
            }
            came_up(&reader, machine.started);
        }
        if let Some(file) = &options.shot
            && line.contains("held: the stop screen")
        {
            screen::shot(&machine.qmp, file)?;
        }
        // A machine that stays up has its report while it does.
        if options.report
            && !options.exit
            && settled.is_some()
            && !reported
            && reader.part("trace-json").is_some()
        {
            reported = true;
            make_report(&output, &reader)?;
        }
    }
    door.remove();
    leave_files(&output, &reader)?;
    if options.report {
        make_report(&output, &reader)?;
    }
    supplies::write_back(&disk, &output)?;
    if let (true, Some(dump)) = (
        options.dump,
        reader.part(if options.json { "dump-json" } else { "dump" }),
    ) {
        println!("{dump}");
    }
    qemu::see(&log);
    let end = machine.judge()?;
    if let Some(program) = &program {
        program.judge()?;
    }
    match end {
        End::Bugcheck if options.kill.is_some() => {
            ui::verdict("the system stopped, as it must when this process ends")
        }
        end if options.kill.is_some() => {
            bail!(
                "the system did not stop when the process was ended: the machine ended with {end:?}"
            )
        }
        End::Pass => ui::verdict("the Session Manager settled, and the machine ended as asked"),
        End::PowerOff => ui::verdict("the machine has switched itself off"),
        End::Bugcheck if options.supplies.program.role == Role::Initial => {
            bail!("the system stopped, as it must when its initial command ends")
        }
        end => bail!("the machine ended with {end:?}: see the log's last lines"),
    }
    Ok(())
}

/// What became of the user's program, by what the kernel says.
struct Program {
    name: String,
    started: bool,
    /// Its exit status, with its code in brackets.
    ended: Option<String>,
}

impl Program {
    const fn named(name: String) -> Self {
        Self {
            name,
            started: false,
            ended: None,
        }
    }

    fn follow(&mut self, line: &str) {
        let name = &self.name;
        self.started |= line.contains(&format!("image {name} base "));
        if let Some((_, rest)) = line.split_once(&format!("ended {name} process ")) {
            let status = rest.split_once(' ').map_or(rest, |(_, status)| status);
            self.ended = Some(status.trim().to_owned());
        }
    }

    fn judge(&self) -> Result<()> {
        let name = &self.name;
        if !self.started {
            bail!("the program was not started: there is no `image {name}` in the log");
        }
        match &self.ended {
            // A code of 0xC0000000 and above is an error.
            Some(status) if status.contains("(C") => bail!("{name} ended with {status}"),
            Some(status) => ui::note(&format!("{name} ended with {status}")),
            None => ui::note(&format!("{name} was running to the end")),
        }
        Ok(())
    }
}

/// Whether there is what a boot disc is made with; without it the kernel is booted directly, which
/// leaves out nothing but the boot menu.
fn may_boot_from_disc(options: &RunOptions) -> Result<bool> {
    if options.install {
        doctor::preflight(true, &[Need::Disc])?;
    }
    let missing = doctor::missing(&[Need::Disc]);
    if let (Some(tool), false) = (missing.first(), options.direct) {
        ui::note(&format!(
            "no boot disc without {}: the kernel is booted directly",
            tool.name
        ));
    }
    Ok(missing.is_empty())
}

/// The kernel's command line for these options.
fn arguments(options: &RunOptions) -> String {
    let mut words = vec![format!("nt={}", options.nt.text()), "dump".to_owned()];
    if options.trace || options.report {
        words.push("trace".to_owned());
    }
    if options.exit {
        words.push("exit=settled".to_owned());
    }
    if let Some(process) = options.kill {
        words.push(format!("kill={}", process.text()));
        // For a person to read, or for a picture.
        match (options.headless, &options.shot) {
            (false, _) => words.push("hold=15".to_owned()),
            (true, Some(_)) => words.push("hold=2".to_owned()),
            (true, None) => {}
        }
    }
    words.extend(options.supplies.words().map(str::to_owned));
    words.join(" ")
}

fn came_up(reader: &Reader, started: Instant) {
    ui::say("");
    ui::step(&format!(
        "settled after {:.1} s",
        started.elapsed().as_secs_f32()
    ));
    for line in reader.shown.iter().filter(|line| line.contains("phase: ")) {
        ui::note(line);
    }
}

/// Makes the page of a run that has been traced so far.
fn make_report(output: &std::path::Path, reader: &Reader) -> Result<()> {
    leave_files(output, reader)?;
    let page = output.join("report.html");
    report::write(output, None, &page)?;
    ui::note(&format!("the report: {}", page.display()));
    Ok(())
}

/// Puts the marked parts of the log into files of their own. None of an earlier run stays: it would be
/// taken for this one's.
fn leave_files(output: &std::path::Path, reader: &Reader) -> Result<()> {
    for stale in ["trace.txt", "trace.jsonl", "before.json"] {
        let _ = std::fs::remove_file(output.join(stale));
    }
    for (name, text) in &reader.parts {
        let file: PathBuf = output.join(match name.as_str() {
            "dump-json" => "dump.json".to_owned(),
            "before-json" => "before.json".to_owned(),
            "trace-json" => "trace.jsonl".to_owned(),
            other => format!("{other}.txt"),
        });
        std::fs::write(&file, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_judged_by_what_the_kernel_says_of_it() {
        let judged = |lines: &[&str]| {
            let mut program = Program::named("a.exe".to_owned());
            lines.iter().for_each(|line| program.follow(line));
            program.judge().map_err(|error| error.to_string())
        };
        let started = "[    0.127] image a.exe base 0x164000000 process 36";
        let ended = |status: &str| format!("[    0.130] ended a.exe process 36 {status}\n");
        assert!(judged(&["image b.exe base 0x1 process 9"]).is_err());
        assert_eq!(judged(&[started]), Ok(()));
        let good = ended("STATUS_SUCCESS (00000000)");
        assert_eq!(judged(&[started, &good]), Ok(()));
        let bad = ended("STATUS_ACCESS_DENIED (C0000022)");
        assert_eq!(
            judged(&[started, &bad]),
            Err("a.exe ended with STATUS_ACCESS_DENIED (C0000022)".to_owned())
        );
    }
}
