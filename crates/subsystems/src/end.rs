// SPDX-License-Identifier: GPL-2.0-or-later
//! The wait at the end of the boot, and the end of the system (spec 12.3, 12.4).

use crate::kernel::terminate;
use crate::state::ids::ProcessId;
use nt::failure::{Essential, Stop, stop_system};
use nt::system::{HardErrorParameter, System, Timeout, Wait};
use nt::{Handle, Status, UnicodeStr, wide};

/// The processes whose end ends the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Session 0's csrss; `None` if no Windows subsystem was asked for.
    pub server: Option<Handle>,
    /// Session 0's initial command.
    pub initial: Handle,
    /// What the hard error calls the initial command.
    pub initial_name: UnicodeStr<'static>,
}

/// Why the system stops: the first two parameters of the hard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who has failed.
    pub name: UnicodeStr<'static>,
    /// How.
    pub status: Status,
}

impl From<Stop> for Ending {
    fn from(stop: Stop) -> Self {
        let name = match stop.step {
            Essential::InitialCommand => wide!("Session Manager ExecuteInitialCommand"),
            _ => wide!("Session Manager Initialization"),
        };
        Self {
            name,
            status: stop.status,
        }
    }
}

/// Waits until one of the two ends (spec 12.3). Blocks.
pub fn wait<S: System>(system: S, watched: &Watched) -> Ending {
    const SERVER: UnicodeStr<'static> = wide!("Windows SubSystem");
    let both = [watched.server.unwrap_or(Handle::NULL), watched.initial];
    let (handles, first) = match watched.server {
        Some(_) => (both.as_slice(), 0),
        None => (both.get(1..).unwrap_or_default(), 1),
    };
    let (name, process) = match system.wait_any(handles, Timeout::Never) {
        Ok(Wait::Object(index)) if index + first == 0 => (SERVER, both[0]),
        Ok(_) => (watched.initial_name, watched.initial),
        Err(status) => {
            return Ending {
                name: watched.initial_name,
                status,
            };
        }
    };
    let status = system
        .query_exit(process)
        .map_or(Status::UNSUCCESSFUL, |exit| exit.status);
    Ending { name, status }
}

/// Stops the system: hard error C000021A with the four parameters of spec 12.4, string mask 1.
/// Returns only if the kernel refuses.
pub fn stop<S: System>(system: S, ending: &Ending) {
    let parameters = [
        HardErrorParameter::Text(ending.name),
        HardErrorParameter::Value(u64::from(ending.status.code())),
        HardErrorParameter::Value(0),
        HardErrorParameter::Value(0),
    ];
    nt::error!("{}: {}: the system stops", ending.name, ending.status);
    stop_system(system, &parameters);
}

/// Stops the system from an API thread that the boot, or the booted system, cannot do without;
/// ends smss if the kernel refuses.
pub(crate) fn stop_and_end<S: System>(system: S, status: Status) {
    stop(
        system,
        &Ending {
            name: wide!("Session Manager Initialization"),
            status,
        },
    );
    terminate(
        system,
        Handle::CURRENT_PROCESS,
        ProcessId::of(system.client_id()),
        status,
    );
}

/// Stops the system for a bad known DLL: hard error C000021A with three parameters, string mask 5
/// (spec 7.2, 12.4).
pub fn stop_for_known_dll<S: System>(system: S, ending: &Ending, file: UnicodeStr<'_>) {
    let parameters = [
        HardErrorParameter::Text(ending.name),
        HardErrorParameter::Value(u64::from(ending.status.code())),
        HardErrorParameter::Text(file),
    ];
    nt::error!(
        "{} {file}: {}: the system stops",
        ending.name,
        ending.status
    );
    stop_system(system, &parameters);
}
