// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios of `crates/scenarios` on the executive in this process; `cargo xtask test` boots
//! the same ones in QEMU.
//!
//! A test target of its own, one scenario after the other: `log` has one backend for the whole
//! process, and a scenario says what the log must have.

#[path = "../boot/system/mod.rs"]
mod system;

use libtest_mimic::{Arguments, Trial};
use nt::system::ShutdownAction;
use scenarios::{Change, End, Object, Process, Scenario, Seen, Version, World};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use system::{Booted, Setup, VOLUME};

/// Where the lines of smss and of the programs go.
struct Log(Mutex<Vec<String>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // In ring 3 the image puts this in front.
        let who = match record.target().split("::").next() {
            Some("executive") => "",
            Some("programs") => "program: ",
            _ => "SMSS: ",
        };
        let line = format!("{who}{}", record.args());
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    fn flush(&self) {}
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    log::set_logger(&LOG).expect("nobody else logs here");
    nt::logging::install_log();
    nt::logging::limit(log::LevelFilter::Info);
    let trials = scenarios::all()
        .filter(|scenario| scenario.runs_in(World::Host))
        .map(|scenario| {
            Trial::test(scenario.name, || {
                scenario.judge(&boot(scenario)).map_err(Into::into)
            })
        });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// A path of a scenario as the host's worlds have it.
fn on_volume(path: &str) -> String {
    format!("\\{}", path.replace('/', "\\"))
}

/// Boots a scenario and looks.
fn boot(scenario: &Scenario) -> Seen {
    LOG.take();
    let mut booted = setup(scenario).boot();
    if let Some(image) = scenario.kill {
        booted.kill(image, nt::Status::UNSUCCESSFUL);
    }
    let mut screen = lines(&booted);
    while booted.end == system::End::Shutdown(ShutdownAction::Reboot) {
        booted = booted.reboot();
        screen.extend(lines(&booted));
    }
    seen(booted, screen)
}

fn setup(scenario: &Scenario) -> Setup {
    let version = match scenario.version {
        Version::Nt5_2 => executive::Version::V5_2,
        Version::Nt6_1 => executive::Version::V6_1,
    };
    let size = scenario.before.iter().find_map(|change| match change {
        Change::DiskSize(mebibytes) => usize::try_from(*mebibytes).ok(),
        _ => None,
    });
    let medium = scenarios::DLLS.iter().fold(
        Setup::of(version, size.unwrap_or(VOLUME)),
        |setup, (name, imports)| setup.library(name, imports),
    );
    scenario
        .before
        .iter()
        .fold(medium, |setup, change| match change {
            Change::Registry { hive, text } => setup.reg_text(hive, text),
            Change::Remove(path) => setup.without_file(&on_volume(path)),
            Change::File(path, content) => setup.file(&on_volume(path), content.as_bytes()),
            Change::Fill(path, bytes) => setup.file(&on_volume(path), &vec![0; *bytes]),
            Change::SpoiltLibrary(name) => setup.spoilt_library(name),
            Change::DiskSize(_) => setup,
        })
}

fn lines(booted: &Booted) -> Vec<String> {
    booted.screen.lines().map(str::to_owned).collect()
}

fn seen(booted: Booted, screen: Vec<String>) -> Seen {
    let snapshot = booted.snapshot();
    let objects = snapshot.objects.iter().map(|entry| Object {
        path: entry.path.clone(),
        kind: entry.kind.clone(),
        target: entry.target.clone(),
        permanent: entry.permanent,
        detail: entry.detail.clone(),
    });
    let processes = snapshot.processes.iter().map(|entry| Process {
        name: snapshot.alias(entry.id),
        parent: snapshot.alias(entry.parent),
        session: entry.session,
    });
    let values = snapshot
        .keys
        .iter()
        .filter(|key| key.path.contains("\\Control\\Session Manager"))
        .flat_map(|key| &key.values)
        .map(|value| value.name.clone());
    Seen {
        end: end(&booted.end),
        log: LOG.take(),
        screen,
        objects: objects.collect(),
        processes: processes.collect(),
        values: values.collect(),
        read: Box::new(move |path| booted.read_file(&on_volume(path))),
    }
}

fn end(end: &system::End) -> End<String> {
    match end {
        system::End::Settled => End::Settled,
        system::End::Shutdown(ShutdownAction::PowerOff) => End::PowerOff,
        system::End::Stopped { text, status, .. } => End::Stopped(text.clone(), *status),
        other => panic!("the system ended with {other:?}"),
    }
}
