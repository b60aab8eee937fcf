// SPDX-License-Identifier: GPL-2.0-or-later
//! The phases of the boot, one function each (spec 14).
//!
//! They join what the registry says to the crates that act on it, and hold no policy of their own.

use crate::plan::Loaded;
use crate::{Fatal, phase};
use nt::access::Access;
use nt::failure::{Attempt, Essential, Skippable, Stop};
use nt::logging::{self, LevelFilter};
use nt::object::Attributes;
use nt::path::MAX_DOS;
use nt::system::{RegistryBoot, System};
use nt::{Handle, ObjectAttributes, Owned, UnicodeBuf, UnicodeStr, wide};
use objects::{Failure, KnownDlls, Protection};
use registry::RawValue;
use registry::data::Strings;
use subsystems::Plan;
use subsystems::end::{self, Ending};
use subsystems::policy::{Policy, SessionModel};

const VOLUMES_EVENT: UnicodeStr<'static> = wide!("\\Device\\VolumesSafeForWriteAccess");
/// Base priority of smss (spec 1.3 #3).
const BASE_PRIORITY: u32 = 11;
/// The sense of `SEM_FAILCRITICALERRORS` in which hard errors are delivered (spec 1.5 #2).
const HARD_ERROR_MODE: u32 = 1;

/// Steps 2 to 4: critical process and thread, base priority, hard-error mode (spec 1.3, 1.5).
pub(crate) fn process_settings<S: System>(system: S) {
    let judge = |setting: UnicodeStr<'_>, result: nt::Result<()>| {
        result.or_skip(Skippable::ProcessSettings, setting);
    };
    judge(wide!("critical process"), system.set_process_critical(true));
    judge(wide!("critical thread"), system.set_thread_critical(true));
    let result = system.set_base_priority(BASE_PRIORITY);
    judge(wide!("base priority"), result);
    let result = system.set_hard_error_mode(HARD_ERROR_MODE);
    judge(wide!("hard-error mode"), result);
}

/// Takes the verbosity of the log from the registry, if it is named there (`Debug Print Filter`,
/// the value `SMSS`).
pub(crate) fn verbosity<S: System>(system: S) {
    let Some(mask) = registry::debug_print_filter(system) else {
        return;
    };
    logging::limit(level(mask));
}

/// The most that is told with this mask of message levels.
fn level(mask: u32) -> LevelFilter {
    match mask {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2..=3 => LevelFilter::Warn,
        _ if mask & 4 != 0 => LevelFilter::Debug,
        _ => LevelFilter::Info,
    }
}

/// Step 8: the event on which the mount manager waits before it writes to volumes (spec 1.5 #7).
pub(crate) fn volumes_event<S: System>(system: S) -> Option<Owned<S>> {
    let attributes = ObjectAttributes::named(VOLUMES_EVENT).with(Attributes::PERMANENT);
    let event = system
        .create_event(&attributes, Access::EVENT_ALL)
        .or_skip(Skippable::VolumesEvent, VOLUMES_EVENT)?;
    Some(Owned::new(system, event))
}

/// Step 34: the event is signalled, once, and its handle closed (spec 1.5 #9).
pub(crate) fn volumes_are_safe<S: System>(system: S, event: Option<Owned<S>>) {
    if let Some(event) = event {
        system
            .set_event(event.get())
            .or_skip(Skippable::VolumesEvent, VOLUMES_EVENT);
    }
}

/// Steps 9 to 15: the default environment and the registry pass (spec 2, 5.1).
pub(crate) fn read_registry<S: System>(
    system: S,
    policy: &Policy,
    loaded: &mut Loaded<S>,
) -> Result<(), Stop> {
    let mut make_directory = |mode, name: UnicodeStr<'_>| {
        objects::object_directory(system, Protection::from_mode(mode), name)
    };
    let configuration = &mut loaded.configuration;
    registry::read(
        system,
        system.own_environment(),
        policy.sessions == SessionModel::ChildInstance,
        &mut make_directory,
        configuration,
    )?;
    let search_path = configuration.library_search_path();
    launch::library_path(system, search_path, &mut loaded.library_path)
        .or_stop(Essential::Environment, "library path")
}

/// What a child instance reads (spec 11.5): its environment and library path are those its master
/// gave it.
pub(crate) fn read_for_session<S: System>(system: S, loaded: &mut Loaded<S>) -> Result<(), Stop> {
    let block = system.own_environment();
    registry::read_for_session(system, block, &mut loaded.configuration)?;
    loaded
        .library_path
        .extend(system.own_dll_path().units())
        .or_stop(Essential::Environment, "library path")
}

/// Steps 21 to 25, which follow one another in every version.
pub(crate) fn until_registry_is_written<S: System>(
    system: S,
    loaded: &Loaded<S>,
    mini_nt: bool,
    marked: bool,
) -> Result<(), Stop> {
    paging_files(system, loaded, mini_nt);
    initialize_registry(system, marked);
    computed_environment(system)
}

/// Step 20: known DLLs (spec 7).
pub(crate) fn known_dlls<S: System>(
    system: S,
    loaded: &Loaded<S>,
    policy: &Policy,
) -> Result<(), Fatal> {
    phase("20 known DLLs");
    let mut system32 = UnicodeBuf::<MAX_DOS>::new();
    let default = system32
        .push(system.system_root())
        .and_then(|()| system32.push(wide!("\\System32")))
        .is_ok_and(|()| policy.default_dll_directory)
        .then(|| system32.as_str());
    let configuration = loaded.configuration();
    let known_dlls = KnownDlls {
        system,
        protection: loaded.protection(),
        dlls: configuration.known_dlls(),
        is_excluded: |name: UnicodeStr<'_>| configuration.is_excluded_dll(name),
    };
    let mut file = UnicodeBuf::new();
    known_dlls
        .make(configuration.dll_directory().or(default), &mut file)
        .map_err(|failure| match failure {
            Failure::Stop(stop) => Fatal::Step(stop),
            Failure::BadImage(bad) => {
                let ending = Ending {
                    name: bad.text,
                    status: bad.status,
                };
                end::stop_for_known_dll(system, &ending, file.as_str());
                Fatal::KnownDll(bad.status)
            }
        })?;
    // A 32-bit system has one kind of DLL (spec 7.2), whatever its registry says.
    if !system.is_narrow() {
        known_dlls.make32(configuration.dll_directory32(), &mut file);
    }
    Ok(())
}

/// Step 23: the remaining hives, and writing (spec 14).
/// From here on the disk can learn that the values of pending renames are gone, and what is `marked`
/// for their repetition can go as well (spec 6.4).
fn initialize_registry<S: System>(system: S, marked: bool) {
    phase("23 remaining hives");
    system
        .initialize_registry(RegistryBoot::Smss)
        .or_skip(Skippable::InitializeRegistry, "remaining hives");
    if marked {
        boot::forget_mark(system);
    }
}

/// Step 26: BootDir (spec 9.2 #1).
pub(crate) fn boot_directory<S: System>(system: S, devices: Handle) {
    phase("26 boot directory");
    objects::write_boot_directory(system, devices);
}

/// Step 27: SetupExecute, once a boot (D22).
pub(crate) fn setup_commands<S: System>(loaded: &Loaded<S>) {
    phase("27 set-up commands");
    let lines = loaded.configuration().setup_execute();
    boot::execute_commands(&loaded.launcher(), Skippable::SetupExecute, lines);
}

/// Step 18: BootExecute (spec 8).
pub(crate) fn boot_commands<S: System>(loaded: &Loaded<S>) {
    let lines = loaded.configuration().boot_execute();
    boot::execute_commands(&loaded.launcher(), Skippable::BootExecute, lines);
}

/// Step 19: pending file renames (spec 6); whether there is a mark of how far they have got.
pub(crate) fn pending_renames<S: System>(system: S, loaded: &Loaded<S>, mini_nt: bool) -> bool {
    if mini_nt {
        phase("19 no pending file renames: MiniNT");
        return false;
    }
    phase("19 pending file renames");
    let [first, second] = &loaded.configuration().renames;
    boot::process_renames(system, [rename_list(first), rename_list(second)]).marked
}

/// No value is one without strings.
fn rename_list<S: System>(value: &Option<RawValue<S>>) -> Strings<'_> {
    value.as_ref().map(RawValue::strings).unwrap_or_default()
}

/// Step 21: paging files (spec 4).
fn paging_files<S: System>(system: S, loaded: &Loaded<S>, mini_nt: bool) {
    if mini_nt {
        phase("21 no paging files: MiniNT");
    } else {
        phase("21 paging files");
        pagefile::create_paging_files(system, loaded.configuration().paging_files());
    }
}

/// Step 25: the computed variables (spec 5.3).
fn computed_environment<S: System>(system: S) -> Result<(), Stop> {
    phase("25 computed environment");
    boot::write_computed_variables(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_of_levels_tells_down_to_its_most_talkative_bit() {
        for (mask, expected) in [
            (0, LevelFilter::Off),
            (1, LevelFilter::Error),
            (2, LevelFilter::Warn),
            (3, LevelFilter::Warn),
            (8, LevelFilter::Info),
            (0xB, LevelFilter::Info),
            (4, LevelFilter::Debug),
            (u32::MAX, LevelFilter::Debug),
        ] {
            assert_eq!(level(mask), expected, "{mask:#x}");
        }
    }
}
