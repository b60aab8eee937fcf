// SPDX-License-Identifier: GPL-2.0-or-later
//! The QEMU tests: every scenario as a boot of the real image in ring 3, and the debugger.
//!
//! They are tests like any other: listed, filtered by a part of their name, one verdict each. One
//! runs at a time, because a machine takes a processor of the host's whole. A test that fails says
//! with which QEMU and which command line, so that it can be repeated by hand.

use super::{Tally, examples_case, fuzz_case, gdb_case, plan_case, reactos_case, scenario};
use crate::arch::Arch;
use crate::build::{self, Images};
use crate::cli::TestOptions;
use crate::ui;
use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::{Scenario, World};
use std::sync::{Arc, Mutex, PoisonError};

/// A test by its name.
type Case = (&'static str, fn(&Images) -> Result<()>);

/// What is no scenario: it boots the same images with something of its own.
const WITH_IMAGES: [Case; 3] = [
    (examples_case::NAME, examples_case::run),
    (fuzz_case::NAME, fuzz_case::run),
    (plan_case::NAME, plan_case::run),
];

/// Which scenarios run on which machine: all on the one that is asked for; if none is, all on amd64
/// and every third on i386, whose services and programs are the same code.
fn cases(arch: Option<Arch>) -> Box<dyn Iterator<Item = (Arch, &'static Scenario)>> {
    let on = |arch| {
        scenarios::all()
            .filter(|scenario| scenario.runs_in(World::Qemu))
            .map(move |scenario| (arch, scenario))
    };
    match arch {
        Some(arch) => Box::new(on(arch)),
        None => Box::new(on(Arch::Amd64).chain(on(Arch::I386).step_by(3))),
    }
}

/// Runs or lists those that the options ask for.
pub fn run(options: &TestOptions, tally: &mut Tally) -> Result<()> {
    let arguments = Arguments {
        filter: options.filter.clone(),
        list: options.list,
        test_threads: Some(1),
        ..Arguments::default()
    };
    let wanted = |name: &str| {
        options
            .filter
            .as_deref()
            .is_none_or(|filter| name.contains(filter))
    };
    let scenarios = || cases(options.arch);
    let amd64 = options.arch.is_none_or(|arch| arch == Arch::Amd64);
    let iso = reactos_case::iso().filter(|_| amd64);
    let on_reactos = || reactos_case::CASES.iter().filter(|_| iso.is_some());
    let skipped: Vec<_> = reactos_case::CASES.iter().map(|case| case.name).collect();
    if iso.is_none() && amd64 && skipped.iter().any(|name| wanted(name)) {
        ui::note(&format!(
            "skipped: {} tests of ReactOS' own programs; {}=REACTOS.iso names a live CD",
            skipped.len(),
            reactos_case::ISO
        ));
    }
    // Built before the first test, not in it.
    let build = |arch, mut names: Box<dyn Iterator<Item = String>>| {
        let built = (!options.list && names.any(|name| wanted(&name)))
            .then(|| build::all(arch, false).map(Arc::new));
        built.transpose()
    };
    let of =
        |arch| scenarios().filter_map(move |(of, it)| (of == arch).then(|| scenario::name(of, it)));
    let others = on_reactos()
        .map(|case| case.name)
        .chain(WITH_IMAGES.map(|(name, _)| name));
    let images = build(
        Arch::Amd64,
        Box::new(of(Arch::Amd64).chain(others.filter(|_| amd64).map(str::to_owned))),
    )?;
    let narrow = build(Arch::I386, Box::new(of(Arch::I386)))?;
    let failed = Arc::new(Mutex::new(Vec::new()));
    let test = |name: String, run: Box<dyn FnOnce() -> Result<()> + Send>| {
        let failed = Arc::clone(&failed);
        Trial::test(name.clone(), move || {
            run().map_err(|error| {
                failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(format!("qemu: {name}"));
                Failed::from(format!("{error:#}"))
            })
        })
        .with_kind("qemu")
    };
    let bless = options.bless;
    let mut trials: Vec<Trial> = scenarios()
        .map(|(arch, it)| {
            let images: Option<Arc<Images>> = match arch {
                Arch::Amd64 => images.clone(),
                Arch::I386 => narrow.clone(),
            };
            let run = move || match images {
                Some(images) => scenario::run(it, &images, bless),
                None => anyhow::bail!("the images were not built"),
            };
            test(scenario::name(arch, it), Box::new(run))
        })
        .collect();
    for (name, run) in WITH_IMAGES.into_iter().filter(|_| amd64) {
        let images = images.clone();
        let run = move || match images {
            Some(images) => run(&images),
            None => anyhow::bail!("the images were not built"),
        };
        trials.push(test(name.to_owned(), Box::new(run)));
    }
    for case in on_reactos() {
        let (images, iso): (Option<Arc<Images>>, _) = (images.clone(), iso.clone());
        let run = move || match (images, iso) {
            (Some(images), Some(iso)) => case.run(&images, &iso),
            _ => anyhow::bail!("the images were not built"),
        };
        trials.push(test(case.name.to_owned(), Box::new(run)));
    }
    if amd64 {
        trials.push(test(gdb_case::NAME.to_owned(), Box::new(gdb_case::run)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    tally.passed += u32::try_from(conclusion.num_passed)?;
    tally
        .failed
        .append(&mut failed.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}
