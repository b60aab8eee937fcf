// SPDX-License-Identifier: GPL-2.0-or-later
//! winlogon.exe and wininit.exe: the initial commands (spec 11.5, 12.1).
//!
//! In session 0 they are critical, accept the boot, and start services.exe and lsass.exe; which of
//! the two does it, the NT version says. In any other session winlogon waits for a user who never
//! comes.
//!
//! shutdown.exe is the user who comes and shuts the system down at once, as winlogon does it (spec
//! 12.2). Its first argument is how often the machine is to boot: it counts the boots in the
//! registry, has the machine start again until there were so many, and then switched off. So the
//! last boot proves that what was written before each restart has reached the disk.

use crate::arguments::{number, words};
use crate::{Statics, processes, screen};
use nt::access::Access;
use nt::system::{Privilege, PrivilegeHolder, RegistryBoot, ShutdownAction, System, ValueType};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr, wide};

/// `CM_BOOT_FLAG_ACCEPTED` for control set 1.
const ACCEPTED: u16 = 2 + 1;

/// winlogon.exe.
pub fn winlogon<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
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
pub fn wininit<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    session0(system)
}

/// shutdown.exe.
pub fn shutdown<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    Status::from(shut_down(system))
}

fn shut_down<S: System>(system: S) -> Result<()> {
    let boots = words(system.own_command_line())
        .next()
        .and_then(|word| number(word, 10))
        .ok_or(Status::INVALID_PARAMETER)?;
    let boot = count_boot(system)?;
    let action = if boot < boots {
        ShutdownAction::Reboot
    } else {
        ShutdownAction::PowerOff
    };
    screen::show(
        system,
        format_args!("shutdown: boot {boot} of {boots}: {action:?}"),
    );
    system.adjust_privilege(Privilege::Shutdown, true, PrivilegeHolder::Process)?;
    system.shut_down(action)?;
    // It is under way; this thread has nothing more to do.
    processes::wait_for_ever(system).ok()
}

/// Adds one to the number of boots that the registry has: the new number.
fn count_boot<S: System>(system: S) -> Result<u32> {
    const KEY: UnicodeStr<'static> = wide!("\\Registry\\Machine\\System\\Setup");
    const VALUE: UnicodeStr<'static> = wide!("Boots");
    let key = Owned::new(
        system,
        system.open_key(&ObjectAttributes::named(KEY), Access::KEY_ALL)?,
    );
    let mut data = [0; 16];
    let known = match system.query_value(key.get(), VALUE, &mut data) {
        Ok(_) => data
            .first_chunk()
            .map_or(0, |bytes| u32::from_le_bytes(*bytes)),
        Err(Status::OBJECT_NAME_NOT_FOUND) => 0,
        Err(status) => return Err(status),
    };
    let boot = known.checked_add(1).ok_or(Status::INVALID_PARAMETER)?;
    system.set_value(key.get(), VALUE, ValueType::DWORD, &boot.to_le_bytes())?;
    Ok(boot)
}

fn session0<S: System>(system: S) -> Status {
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
