// SPDX-License-Identifier: GPL-2.0-or-later
//! The Session Manager: the boot sequence in order, and the wait at its end (spec 14).
//!
//! [`run`] is the whole program. It is generic over the seam, so that the same code runs in ring 3
//! and in a host test. All state that threads share is in one [`State`], which lives as long as the
//! process: there is no heap.
//!
//! Invariants: a failure is judged by the one table in [`nt::failure`]; when it is fatal, the boot
//! returns it and nothing but the hard error follows.
#![no_std]
#![forbid(unsafe_code)]

mod phases;
mod plan;

use nt::Status;
use nt::failure::{Attempt, Essential, Stop};
use nt::lock::Mutex;
use nt::system::System;
use plan::Loaded;
use subsystems::end::{self, Ending, Watched};
use subsystems::instance::{self, Arguments};
use subsystems::policy::{Order, SessionModel};
use subsystems::{Command, Manager};

pub use subsystems::{Counts, Kind, Record, SERVER_TIMEOUT, Stage, TableSpace};

/// Everything that lives as long as the process.
pub struct State<S: System> {
    manager: Manager<S>,
    /// Filled by the thread that boots, and not changed after.
    loaded: Mutex<Loaded<S>>,
}

impl<S: System> State<S> {
    /// The state before anything has happened: zeros.
    pub const fn new(system: S) -> Self {
        Self {
            manager: Manager::new(system),
            loaded: Mutex::new(Loaded::new(system)),
        }
    }

    /// Where what the registry says goes, for the one that reads it.
    fn loaded(&'static self) -> Result<&'static mut Loaded<S>, Stop> {
        let unread = self.loaded.claim().ok_or(Status::ALREADY_COMMITTED);
        unread.or_stop(Essential::RegistryPass, "configuration")
    }

    /// The tables of the server side.
    pub const fn tables(&self) -> &TableSpace {
        &self.manager.tables
    }

    /// How much the server side holds.
    pub fn counts(&self) -> Counts {
        self.manager.counts()
    }
}

/// Why the boot stops.
#[derive(Debug)]
enum Fatal {
    /// A step of the table.
    Step(Stop),
    /// A known DLL, for which the system was stopped by a hard error of its own.
    KnownDll(Status),
}

impl From<Stop> for Fatal {
    fn from(stop: Stop) -> Self {
        Self::Step(stop)
    }
}

/// The program. It returns only when the process is to end: the exit status. For the resident
/// instance that means that the system could not even be stopped.
pub fn run<S: System>(system: S, state: &'static State<S>) -> Status {
    if state.manager.policy().sessions == SessionModel::ChildInstance
        && let Some(arguments) = Arguments::parse(system.own_command_line())
    {
        return Status::from(make_session(system, state, arguments));
    }
    let ending = match boot(system, state) {
        Ok(watched) => {
            phase("39 settled: waiting for the Windows subsystem and the initial command");
            end::wait(system, &watched)
        }
        Err(Fatal::Step(stop)) => Ending::from(stop),
        Err(Fatal::KnownDll(status)) => return status,
    };
    end::stop(system, &ending);
    ending.status
}

/// Says that a phase begins, by its number in spec 14 and its name.
#[inline(never)]
fn phase(phase: &str) {
    nt::info!("phase: {phase}");
}

/// The boot, in the numbered order of spec 14: what to wait for when it has settled.
fn boot<S: System>(system: S, state: &'static State<S>) -> Result<Watched, Fatal> {
    let manager = &state.manager;
    let policy = manager.policy();
    phases::verbosity(system);
    nt::info!("phase: 2 Session Manager for {}", policy.name);
    phases::process_settings(system);

    phase("6 SM port");
    manager.open_port()?;
    let volumes = phases::volumes_event(system);

    phase("9 registry");
    let mini_nt = registry::is_mini_nt(system);
    let loaded = state.loaded()?;
    phases::read_registry(system, policy, loaded)?;
    let loaded: &'static Loaded<S> = loaded;
    manager.publish(loaded);
    let configuration = loaded.configuration();
    let protection = loaded.protection();

    phase("16 DOS devices");
    let devices = objects::dos_devices(system, protection, configuration.dos_devices())?.into_raw();

    phase("17 sessions directory");
    // Both directories stay open for the life of smss.
    let _ = objects::sessions(system, protection)?.into_raw();

    phase("18 boot commands");
    phases::boot_commands(loaded);

    let marked = phases::pending_renames(system, loaded, mini_nt);

    match policy.order {
        Order::KnownDllsFirst => {
            phases::known_dlls(system, loaded, policy)?;
            phases::until_registry_is_written(system, loaded, mini_nt, marked)?;
            phases::boot_directory(system, devices);
            phases::setup_commands(loaded);
        }
        Order::PagingFilesFirst => {
            phases::until_registry_is_written(system, loaded, mini_nt, marked)?;
            phases::setup_commands(loaded);
            phases::known_dlls(system, loaded, policy)?;
            phases::boot_directory(system, devices);
        }
    }

    match policy.sessions {
        SessionModel::Resident => {
            phase("28 session 0");
            let mut command = Command::new();
            let session = manager.load_session0(&mut command)?;
            phases::volumes_are_safe(system, volumes);
            phase("35 initial command");
            Ok(session.start_initial()?)
        }
        SessionModel::ChildInstance => {
            phase("28 initial sessions");
            let watched = manager.load_initial_sessions()?;
            phases::volumes_are_safe(system, volumes);
            Ok(watched)
        }
    }
}

/// A child instance of NT 6: makes one session and ends (spec 11.5).
fn make_session<S: System>(
    system: S,
    state: &'static State<S>,
    arguments: Arguments,
) -> nt::Result<()> {
    let loaded = state.loaded().map_err(|stop| stop.status)?;
    phases::read_for_session(system, loaded).map_err(|stop| stop.status)?;
    instance::run(system, state.manager.policy(), loaded, arguments)
}
