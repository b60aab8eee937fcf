// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask run`: build, medium, boot; then say what came up.

use crate::arch::Arch;
use crate::build;
use crate::cli::RunOptions;
use crate::doctor::{self, Need};
use crate::medium::program::Role;
use crate::medium::tree::Tree;
use crate::medium::{iso, supplies};
use crate::outcome::{self, Program};
use crate::platform::Door;
use crate::qemu::{Boot, Qemu, Setup};
use crate::reactos::extract::Originals;
use crate::reactos::programs;
use crate::serial::Reader;
use crate::symbols::Symbols;
use crate::{paths, qemu, reactos, report, screen, sm, ui};
use anyhow::Result;
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
    if starts_program(options) == Some(Role::Initial) {
        ui::note("an initial command of yours starts after a pause of 5 s, as on NT");
    }
    let mut machine = Qemu::start(&setup, &log)?;
    screen::remember(&machine.qmp)?;
    std::fs::write(sm::socket_file()?, door.to_string())?;
    let mut reader = Reader::default();
    let mut symbols = Symbols::new(&images);
    let mut settled = None;
    let mut reported = false;
    let role = options.supplies.program.role;
    let mut program = disk.program.clone().map(|name| Program::new(name, role));
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
            && (options.kill.is_some() || settled.is_none())
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
    let killed = options.kill.is_some();
    ui::verdict(&outcome::verdict(end, killed, program.as_ref(), &reader)?);
    Ok(())
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

/// As what a program of the user's is started; none if there is no such program.
fn starts_program(options: &RunOptions) -> Option<Role> {
    let program = &options.supplies.program;
    program.program.as_ref().map(|_| program.role)
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
    }
    if options.kill.is_some() || starts_program(options) == Some(Role::Initial) {
        // The stop screen: for a person to read, or for a picture.
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
