// SPDX-License-Identifier: GPL-2.0-or-later
//! winlogon.exe and wininit.exe: the initial commands (spec 11.5, 12.1).
//!
//! In session 0 they are critical, accept the boot, and start services.exe and lsass.exe; which of the two does it, the NT version says.
//! In any other session winlogon waits for a user who never comes.

use crate::{Statics, processes};
use nt::system::{RegistryBoot, System};
use nt::{Handle, Status, UnicodeStr, wide};

/// `CM_BOOT_FLAG_ACCEPTED` for control set 1.
const ACCEPTED: u16 = 2 + 1;

/// winlogon.exe.
pub fn winlogon<S: System>(system: &'static S, _statics: &'static Statics<S>) -> Status {
    match system.query_session(Handle::CURRENT_PROCESS) {
        Ok(0) => session0(system),
        Ok(session) => {
            log::info!("winlogon: session {session}");
            processes::wait_for_ever(system)
        }
        Err(status) => status,
    }
}

/// wininit.exe.
pub fn wininit<S: System>(system: &'static S, _statics: &'static Statics<S>) -> Status {
    session0(system)
}

fn session0<S: System>(system: &'static S) -> Status {
    const CHILDREN: [UnicodeStr<'static>; 2] = [wide!("services.exe"), wide!("lsass.exe")];
    if let Err(status) = system.set_process_critical(true) {
        log::warn!("initial command: critical flag: {status}");
    }
    for child in CHILDREN {
        match processes::start(system, child) {
            // Its parent keeps no handle: it is there for the system, not for us.
            Ok(process) => drop(process),
            Err(status) => log::error!("{child}: {status}: not started"),
        }
    }
    if let Err(status) = system.initialize_registry(RegistryBoot::Raw(ACCEPTED)) {
        log::warn!("boot not accepted: {status}");
    }
    processes::wait_for_ever(system)
}
