// SPDX-License-Identifier: GPL-2.0-or-later
//! The QEMU tests: every scenario as a boot of the real image in ring 3, and the debugger.
//!
//! They are tests like any other: listed, filtered by a part of their name, one verdict each. One
//! runs at a time, because a machine takes a processor of the host's whole. A test that fails says
//! with which QEMU and which command line, so that it can be repeated by hand.

use super::scenario::named;
use super::{
    Tally, examples_case, fast_call_case, frames_case, fuzz_case, gdb_case, plan_case,
    reactos_case, scenario,
};
use crate::arch::Arch;
use crate::build::{self, Images};
use crate::cli::TestOptions;
use crate::reactos::extract::Originals;
use crate::ui;
use anyhow::{Result, bail};
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::World;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What boots images and judges what was seen.
type Boot = Box<dyn FnOnce(&Images) -> Result<()> + Send>;

/// A test that boots the images of a machine.
struct Case {
    arch: Arch,
    name: String,
    run: Boot,
}

impl Case {
    fn new(
        arch: Arch,
        name: &str,
        run: impl FnOnce(&Images) -> Result<()> + Send + 'static,
    ) -> Self {
        Self {
            arch,
            name: named(arch, name),
            run: Box::new(run),
        }
    }
}

/// Those of a machine.
fn cases(arch: Arch, bless: bool) -> Vec<Case> {
    let scenarios = scenarios::all()
        .filter(|scenario| scenario.runs_in(World::Qemu))
        .map(|it| {
            Case::new(arch, it.name, move |images| {
                scenario::run(it, images, bless)
            })
        });
    let mut cases: Vec<Case> = scenarios.collect();
    cases.push(Case::new(arch, examples_case::NAME, examples_case::run));
    cases.push(Case::new(arch, fuzz_case::NAME, fuzz_case::run));
    cases.push(Case::new(arch, plan_case::NAME, plan_case::run));
    cases
}

/// Those of ReactOS' own programs, on the machine that a live CD is for.
fn reactos(iso: &Path) -> Result<Vec<Case>> {
    let arch = Originals::from_iso(iso)?.machine(None)?;
    let case = |case: reactos_case::Case| {
        let iso = iso.to_owned();
        Case::new(arch, case.name, move |images| case.run(images, &iso))
    };
    Ok(reactos_case::CASES.into_iter().map(case).collect())
}

/// Those that are asked for: of one machine all; otherwise all of amd64 and every third of i386, whose
/// services and programs are the same code.
fn all(options: &TestOptions, iso: Option<&Path>) -> Result<Vec<Case>> {
    let mut all = match options.arch {
        Some(arch) => cases(arch, options.bless),
        None => {
            let narrow = cases(Arch::I386, false).into_iter().step_by(3);
            let mut all = cases(Arch::Amd64, options.bless);
            all.extend(narrow);
            all
        }
    };
    all.extend([
        Case::new(Arch::I386, fast_call_case::NAME, fast_call_case::run),
        Case::new(Arch::I386, frames_case::NAME, frames_case::run),
    ]);
    let reactos = iso.map(reactos).transpose()?.unwrap_or_default();
    let asked = |case: &Case| options.arch.is_none_or(|arch| arch == case.arch);
    all.extend(reactos);
    all.retain(asked);
    Ok(all)
}

/// Whether the filter, if there is one, has this name.
fn wanted(options: &TestOptions, name: &str) -> bool {
    let filter = options.filter.as_deref();
    filter.is_none_or(|filter| name.contains(filter))
}

/// The debugger's, on either machine that is asked for: what it reads of a program is not the same. It
/// has images of its own.
fn debuggers(options: &TestOptions) -> impl Iterator<Item = (Arch, String)> {
    let asked = options.arch;
    [Arch::Amd64, Arch::I386]
        .into_iter()
        .filter(move |arch| asked.is_none_or(|asked| asked == *arch))
        .map(|arch| (arch, named(arch, gdb_case::NAME)))
}

/// Whether one of them may be among those that are asked for: one of ReactOS' programs counts even where
/// there is no live CD, which is told then.
pub fn may_match(options: &TestOptions) -> bool {
    let reactos = reactos_case::CASES.iter().map(|case| case.name);
    let ours = all(options, None).unwrap_or_default();
    ours.iter().any(|case| wanted(options, &case.name))
        || debuggers(options).any(|(_, name)| wanted(options, &name))
        || reactos
            .flat_map(|name| [Arch::Amd64, Arch::I386].map(|arch| named(arch, name)))
            .any(|name| wanted(options, &name))
}

/// Runs or lists those that the options ask for.
pub fn run(options: &TestOptions, tally: &mut Tally) -> Result<()> {
    let arguments = Arguments {
        filter: options.filter.clone(),
        list: options.list,
        test_threads: Some(1),
        ..Arguments::default()
    };
    let wanted = |name: &str| wanted(options, name);
    let iso = reactos_case::iso();
    let skipped: Vec<_> = reactos_case::CASES.iter().map(|case| case.name).collect();
    if iso.is_none() && skipped.iter().any(|name| wanted(name)) {
        ui::note(&format!(
            "skipped: {} tests of ReactOS' own programs; {}=REACTOS.iso names a live CD",
            skipped.len(),
            reactos_case::ISO
        ));
    }
    let cases = all(options, iso.as_deref())?;
    // Built before the first test, not in it.
    let build = |arch| -> Result<Option<Arc<Images>>> {
        let mut of = cases.iter().filter(|case| case.arch == arch);
        if options.list || !of.any(|case| wanted(&case.name)) {
            return Ok(None);
        }
        Ok(Some(Arc::new(build::all(arch, false)?)))
    };
    let (wide, narrow) = (build(Arch::Amd64)?, build(Arch::I386)?);
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
    let mut trials: Vec<Trial> = cases
        .into_iter()
        .map(|Case { arch, name, run }| {
            let images = match arch {
                Arch::Amd64 => wide.clone(),
                Arch::I386 => narrow.clone(),
            };
            let boot = move || match images {
                Some(images) => run(&images),
                None => bail!("the images were not built"),
            };
            test(name, Box::new(boot))
        })
        .collect();
    for (arch, name) in debuggers(options) {
        trials.push(test(name, Box::new(move || gdb_case::run(arch))));
    }
    if options.list {
        let listed = trials.iter().filter(|trial| wanted(trial.name()));
        tally.listed += u32::try_from(listed.count())?;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    tally.passed += u32::try_from(conclusion.num_passed)?;
    tally
        .failed
        .append(&mut failed.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}
