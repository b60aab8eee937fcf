// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask budgets`: what the image costs, against what it may cost.
//!
//! A budget is a benchmark, not a test: what is over it is said, and the verb is content as soon as
//! everything could be measured. What must not grow unnoticed is in a checked-in file ([`record`]), and
//! what must hold between the machines in [`machines`]. With a live CD (`--from`) the same is measured of
//! ReactOS' own Session Manager, on its ntdll.dll, hive and known DLLs.

mod growth;
mod machines;
mod profile;
mod record;
mod ring3;
mod rooms;

use crate::arch::Arch;
use crate::build::{self, Images};
use crate::cli::BudgetsOptions;
use crate::doctor::{self, Need};
use crate::guest::{self, Booted, UnattendedBoot};
use crate::medium::tree::Tree;
use crate::paths;
use crate::qemu::End;
use crate::reactos::extract::Originals;
use crate::reactos::volume;
use crate::trace::{Counts, calls_made};
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use profile::Source;
use record::{Figures, Record};
use ring3::Instructions;
use std::path::Path;
use std::time::Duration;

/// Bytes of private commit: half of the state is pointers, handles and lengths.
const fn private(arch: Arch) -> u64 {
    match arch {
        Arch::Amd64 => 256 * 1024,
        Arch::I386 => 192 * 1024,
    }
}
/// Milliseconds from QEMU's start until ring 3, on the direct path.
const RING3: u64 = 500;

/// Names of figures that are shown or compared by themselves.
const IMAGE: &str = "bytes of smss.exe, stripped";
const COMMIT: &str = "bytes of private commit";
const LOADER: &str = "instructions in ring 3 before the image";
const INSTRUCTIONS: &str = "instructions in ring 3 from then on";
const CALLS: &str = "system calls until the initial command";
const LOADER_CALLS: &str = "system calls of the loader";
/// What the count of one system call begins with.
const ONE_CALL: &str = "calls of ";

/// Runs the verb.
pub fn verb(options: &BudgetsOptions) -> Result<()> {
    doctor::preflight(false, &[Need::Machine])?;
    if options.record {
        return record_both();
    }
    let originals = options
        .from
        .as_deref()
        .map(Originals::from_iso)
        .transpose()?;
    let of = originals.clone().unwrap_or_default();
    let images = build::all(of.machine(options.arch)?, false)?;
    if options.growth {
        growth::show(&images)?;
        ui::verdict("measured");
        return Ok(());
    }
    let figures = measure(&images)?;
    ui::step("budgets");
    show(&images, &figures)?;
    let sources = [own("smss.exe", &images)?, own("ntdll.dll", &images)?];
    by_image(&Medium::usual(&images)?, &sources, options.functions)?;
    if let (Some(iso), Some(originals)) = (&options.from, originals) {
        against(&images, iso, originals, options)?;
    }
    let record = Record::read()?;
    let column = figures.iter().cloned().collect();
    let between = match images.arch {
        Arch::Amd64 => machines::broken(&column, record.of(Arch::I386)),
        Arch::I386 => machines::broken(record.of(Arch::Amd64), &column),
    };
    let grown = record.grown(images.arch, &figures).into_iter();
    for line in grown.map(|line| format!("grown: {line}")).chain(between) {
        ui::note(&ui::paint(Colour::Yellow, &line));
    }
    ui::verdict("measured");
    Ok(())
}

/// Measures the images of both machines and writes the file.
fn record_both() -> Result<()> {
    let wide = measure(&build::all(Arch::Amd64, false)?)?;
    let narrow = measure(&build::all(Arch::I386, false)?)?;
    record::write(&wide, &narrow)?;
    ui::verdict("written to docs/budgets.txt");
    Ok(())
}

/// The gate of `ci`: no figure has grown since docs/budgets.txt was written, and what must hold between the
/// machines does.
pub fn gate() -> Result<()> {
    let record = Record::read()?;
    let mut wrong = Vec::new();
    let mut column = |arch| -> Result<machines::Column> {
        let figures = measure(&build::all(arch, false)?)?;
        let grown = record.grown(arch, &figures).into_iter();
        wrong.extend(grown.map(|line| format!("grown by more than 2 %: {line}")));
        Ok(figures.into_iter().collect())
    };
    let (wide, narrow) = (column(Arch::Amd64)?, column(Arch::I386)?);
    wrong.extend(machines::broken(&wide, &narrow));
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nif growth is worth it, `cargo xtask budgets --record` and commit docs/budgets.txt with the change",
        wrong.join("\n")
    );
}

/// Everything that is the same at every run, of the default medium.
fn measure(images: &Images) -> Result<Figures> {
    ui::step(&format!(
        "booting {} in virtual time, with a trace of every system call",
        images.arch
    ));
    let cost = Cost::of(&Medium::usual(images)?.boot(TRACED)?)?;
    let mut figures = vec![
        (IMAGE.to_owned(), build::size(images)?),
        (COMMIT.to_owned(), cost.private),
        (LOADER.to_owned(), cost.instructions.loader),
        (INSTRUCTIONS.to_owned(), cost.instructions.image),
        (LOADER_CALLS.to_owned(), u64::from(cost.calls.loader)),
        (CALLS.to_owned(), u64::from(cost.calls.own())),
    ];
    for (name, count) in &cost.calls.calls {
        figures.push((format!("{ONE_CALL}{name}"), u64::from(*count)));
    }
    for (name, bytes) in rooms::of(&images.folder.join("smss.exe.dbg"))? {
        figures.push((format!("{}{name}", record::ROOM), bytes));
    }
    Ok(figures)
}

/// Prints the figures, those that have a budget with it.
fn show(images: &Images, figures: &Figures) -> Result<()> {
    for (name, value) in figures {
        let budget = match name.as_str() {
            IMAGE => Some(build::SMSS_BUDGET),
            COMMIT => Some(private(images.arch)),
            _ => None,
        };
        row(name, *value, budget);
    }
    let plain = Medium::usual(images)?.boot(PLAIN)?;
    let ring3 = plain.ring3.context("smss.exe never came to ring 3")?;
    let milliseconds = u64::try_from(ring3.as_millis())?;
    row(
        "ms from QEMU's start until ring 3",
        milliseconds,
        Some(RING3),
    );
    Ok(())
}

/// The image as the kernel knows it, with the symbols of its debug file.
fn own(name: &'static str, images: &Images) -> Result<Source> {
    let debug = images.folder.join(format!("{name}.dbg"));
    let bytes =
        std::fs::read(&debug).with_context(|| format!("cannot read {}", debug.display()))?;
    Ok(Source { name, bytes })
}

/// Prints how many instructions are of which image, and the first `functions` functions of each.
fn by_image(medium: &Medium<'_>, sources: &[Source], functions: usize) -> Result<()> {
    let booted = medium.boot(STEPPED)?;
    for image in profile::of(&booted, sources)? {
        row(
            &format!("instructions of {}", image.name),
            image.instructions,
            None,
        );
        for (name, count) in image.functions.iter().take(functions) {
            ui::note(&format!("{count:>12} {name}"));
        }
    }
    Ok(())
}

/// What ReactOS' own Session Manager and ours cost on ReactOS' ntdll.dll, hive and DLLs.
fn against(
    images: &Images,
    iso: &Path,
    originals: Originals,
    options: &BudgetsOptions,
) -> Result<()> {
    let ntdll = Originals {
        smss: None,
        ..originals.clone()
    };
    let medium = |smss: &Originals| -> Result<Medium<'_>> {
        let mut medium = Medium::usual(images)?;
        medium.size = crate::reactos::compare::DISK_SIZE;
        volume::put_on(&mut medium.tree, iso, options.hive.as_deref())?;
        smss.put_on(&mut medium.tree);
        Ok(medium)
    };
    let (their_medium, our_medium) = (medium(&originals)?, medium(&ntdll)?);
    ui::step("booting with ReactOS' own smss.exe, then with ours, both on its ntdll.dll");
    let theirs = Cost::of(&their_medium.boot(TRACED)?)?;
    let ours = Cost::of(&our_medium.boot(TRACED)?)?;
    ui::step("against ReactOS' own");
    ui::note(&format!("{:40} {:>8} {:>8}", "", "ReactOS'", "ours"));
    let compared = |name: &str, left: u64, right: u64| {
        let ratio = right as f64 / left.max(1) as f64;
        ui::note(&format!("{name:40} {left:8} {right:8}   {ratio:.2}"));
    };
    compared(
        INSTRUCTIONS,
        theirs.instructions.image,
        ours.instructions.image,
    );
    let calls = |cost: &Cost| u64::from(cost.calls.own());
    compared(CALLS, calls(&theirs), calls(&ours));
    let all = |cost: &Cost| calls(cost) + u64::from(cost.calls.loader);
    compared("the same and the loader's", all(&theirs), all(&ours));
    compared(COMMIT, theirs.private, ours.private);
    let bytes = |image: Option<Vec<u8>>| image.context("the live CD lacks it");
    let (smss, dll) = (bytes(originals.smss)?, bytes(originals.ntdll)?);
    let dll = || Source {
        name: "ntdll.dll",
        bytes: dll.clone(),
    };
    let smss = Source {
        name: "smss.exe",
        bytes: smss,
    };
    ui::step("ReactOS' own by image, then ours");
    by_image(&their_medium, &[smss, dll()], options.functions)?;
    let sources = [own("smss.exe", images)?, dll()];
    by_image(&our_medium, &sources, options.functions)
}

/// What a boot with a trace, in virtual time, tells of the Session Manager.
struct Cost {
    calls: Counts,
    instructions: Instructions,
    private: u64,
}

impl Cost {
    fn of(boot: &Booted) -> Result<Self> {
        let part = |name| {
            let part = boot.reader.part(name);
            part.with_context(|| format!("the boot printed no {name}"))
        };
        Ok(Self {
            calls: Counts::of(&calls_made(part("trace")?)),
            instructions: Instructions::of(part("ring3")?, "smss.exe")?,
            private: private_bytes(boot)?,
        })
    }
}

/// A way to boot: words for the kernel, and whether its time is counted in instructions.
type Way = (&'static str, bool);
/// With a trace of every system call.
const TRACED: Way = ("dump trace exit=settled", true);
/// With smss.exe by single steps.
const STEPPED: Way = ("steps=smss.exe exit=settled", true);
/// As on any day.
const PLAIN: Way = ("exit=settled", false);

/// What is booted.
struct Medium<'a> {
    images: &'a Images,
    tree: Tree,
    /// Of the disk, in MiB.
    size: u32,
}

impl<'a> Medium<'a> {
    /// The default one.
    fn usual(images: &'a Images) -> Result<Self> {
        Ok(Self {
            images,
            tree: Tree::system(images)?,
            size: crate::medium::disk::DEFAULT_SIZE,
        })
    }

    /// Boots until it settles.
    fn boot(&self, (arguments, virtual_time): Way) -> Result<Booted> {
        let folder = paths::folder(paths::target().join("budgets"))?;
        let outcome = guest::boot(&UnattendedBoot {
            size: self.size,
            arguments,
            limit: Duration::from_secs(120),
            virtual_time,
            ..UnattendedBoot::until_settled(self.images, &self.tree, &folder)
        })?;
        if outcome.end != End::Pass {
            bail!(
                "the boot ended with {:?}; log in {}",
                outcome.end,
                folder.display()
            );
        }
        Ok(outcome)
    }
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
        None => String::new(),
        Some(budget) if measured <= budget => {
            ui::paint(Colour::Green, &format!("   budget {budget}: met"))
        }
        Some(budget) => ui::paint(
            Colour::Yellow,
            &format!("   budget {budget}: {} over", measured - budget),
        ),
    };
    ui::note(&format!("{what:40} {measured:8}{verdict}"));
}
