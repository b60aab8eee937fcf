// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass: every value of the Session Manager key, in the order of the table (spec 2.3).
//!
//! Each value is read once; the Environment key is enumerated once and applied twice from memory.
//! What cannot be understood is reported and left out; what stops the pass is missing memory, a key
//! that cannot be read, a variable name that cannot be set, and a missing `KnownDlls` or
//! `SubSystems` key. Any other missing subkey counts as an empty one (deviation D28).

use crate::configuration::{Configuration, misunderstood};
use crate::data::{self, number};
use crate::reader::Value;
use crate::store::List;
use nt::access::Access;
use nt::failure::{Attempt, Essential, Skippable, Stop};
use nt::key::{self, Key};
use nt::system::{Memory, Objects, Registry};
use nt::{Handle, Result, Status, UnicodeStr, wide};

/// The step of the table that all of this is.
const STEP: Essential = Essential::RegistryPass;

const SESSION_MANAGER: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";

/// Makes one object directory during the pass: the protection mode, and the directory's name (spec
/// 2.3 #3).
pub type MakeDirectory<'v> = dyn FnMut(u32, UnicodeStr<'_>) + 'v;

/// Runs the pass. `block` is this process's own environment block, with which the default environment
/// begins. `sessions` says whether the values of NT 6 about
/// initial sessions are wanted (spec 11.5). `configuration` is a new one, and is filled where it is.
///
/// # Errors
/// [`Stop`] as the table of failures says.
pub fn read<S: Registry + Memory + Objects>(
    system: S,
    block: &[u16],
    sessions: bool,
    make_directory: &mut MakeDirectory<'_>,
    configuration: &mut Configuration<S>,
) -> Result<(), Stop> {
    let whole = Whole {
        sessions,
        make_directory,
    };
    run(system, block, Some(whole), configuration)
}

/// What a child instance of smss needs to make a session (spec 11.5): subsystems, `Execute`,
/// `S0InitialCommand`. `block` is the environment that its master gave it, which stays as it is.
/// Nothing is deleted and nothing is made: one-shot values there may be meant for the next boot.
///
/// # Errors
/// [`Stop`] as the table of failures says.
pub fn read_for_session<S: Registry + Memory + Objects>(
    system: S,
    block: &[u16],
    configuration: &mut Configuration<S>,
) -> Result<(), Stop> {
    run(system, block, None, configuration)
}

/// What is wanted of the key besides what a session needs.
struct Whole<'m, 'v> {
    sessions: bool,
    make_directory: &'m mut MakeDirectory<'v>,
}

fn run<S: Registry + Memory + Objects>(
    system: S,
    block: &[u16],
    whole: Option<Whole<'_, '_>>,
    configuration: &mut Configuration<S>,
) -> Result<(), Stop> {
    let memory = "memory";
    let mut pass = Pass {
        system,
        value: Value::new(system).or_stop(STEP, memory)?,
        configuration,
        key: Handle::NULL,
        at: memory,
    };
    let done = pass.run(block, whole);
    done.or_stop(STEP, pass.at)
}

struct Pass<'c, S: Memory> {
    system: S,
    value: Value<S>,
    configuration: &'c mut Configuration<S>,
    /// The key at hand; null for one that is not there.
    key: Handle,
    /// What is at hand, a key or a value: it is named if the pass stops here.
    at: &'static str,
}

impl<S: Registry + Memory + Objects> Pass<'_, S> {
    fn run(&mut self, block: &[u16], whole: Option<Whole<'_, '_>>) -> Result<()> {
        self.configuration.store.reserve()?;
        self.at = "own environment";
        self.configuration.own_variables(block)?;
        self.at = SESSION_MANAGER;
        let access = Access::MAXIMUM_ALLOWED.union(Access::GENERIC_READ);
        let key = Key::open(self.system, SESSION_MANAGER, access)?;
        self.key = key.handle();
        if let Some(whole) = whole {
            return self.whole(whole);
        }
        self.subsystems()?;
        self.session_zero_command()?;
        self.at = "environment";
        self.configuration.finish_environment()
    }

    #[inline(never)]
    fn whole(&mut self, whole: Whole<'_, '_>) -> Result<()> {
        // Protected unless a number says otherwise (rows 1 and 2).
        self.configuration.protection_mode = self.number("ProtectionMode", false)?.unwrap_or(1);
        self.configuration.allow_protected_renames =
            self.number("AllowProtectedRenames", true)?.unwrap_or(0);
        self.strings("ObjectDirectories", List::ObjectDirectories)?;
        for directory in self.configuration.names(List::ObjectDirectories) {
            (whole.make_directory)(self.configuration.protection_mode, directory);
        }
        self.strings("BootExecute", List::BootExecute)?;
        self.strings("SetupExecute", List::SetupExecute)?;
        self.renames("PendingFileRenameOperations", 0)?;
        self.renames("PendingFileRenameOperations2", 1)?;
        self.strings("ExcludeFromKnownDlls", List::ExcludeFromKnownDlls)?;
        self.within("Memory Management", Presence::Tolerated, |pass| {
            pass.strings("PagingFiles", List::PagingFiles)
        })?;
        self.within("DOS Devices", Presence::Tolerated, |pass| {
            pass.values(Configuration::dos_device)
        })?;
        self.within("KnownDlls", Presence::Needed, |pass| {
            pass.values(Configuration::known_dll)
        })?;
        self.environment()?;
        self.subsystems()?;
        if whole.sessions {
            self.configuration.initial_sessions = self.number("NumberOfInitialSessions", false)?;
            self.session_zero_command()?;
        }
        Ok(())
    }

    /// `SubSystems` and `Execute`.
    fn subsystems(&mut self) -> Result<()> {
        self.within("SubSystems", Presence::Needed, |pass| {
            pass.values(Configuration::subsystem)
        })?;
        self.configuration.sort_subsystems()?;
        self.strings("Execute", List::Execute)
    }

    fn session_zero_command(&mut self) -> Result<()> {
        self.strings("S0InitialCommand", List::SessionZeroCommand)
    }

    /// Both passes over the Environment key (spec 5.1 #3): the first while it is enumerated, the
    /// second from what was kept.
    ///
    /// The last boot's `SAFEBOOT_OPTION` is deleted, so that it never outlives that boot (spec
    /// 2.3).
    fn environment(&mut self) -> Result<()> {
        self.within("Environment", Presence::Tolerated, |pass| {
            pass.values(Configuration::variable)?;
            if pass.configuration.old_safe_boot {
                pass.delete(Skippable::BootOptions, "SAFEBOOT_OPTION");
            }
            Ok(())
        })?;
        self.configuration.second_environment_pass()?;
        self.configuration.finish_environment()
    }

    fn number(&mut self, name: &'static str, one_shot: bool) -> Result<Option<u32>> {
        self.at = name;
        let Some(value) = self.value.read_named(self.key, name)? else {
            return Ok(None);
        };
        let found = number(value.kind, value.data());
        if found.is_none() {
            misunderstood(value);
        }
        if one_shot {
            self.delete(Skippable::RegistryValue, name);
        }
        Ok(found)
    }

    /// The renames of this place.
    fn renames(&mut self, name: &'static str, place: usize) -> Result<()> {
        self.at = name;
        if self.value.read_named(self.key, name)?.is_none() {
            return Ok(());
        }
        let value = self.value.take()?;
        if let Some(place) = self.configuration.renames.get_mut(place) {
            *place = Some(value);
        }
        self.delete(Skippable::RegistryValue, name);
        Ok(())
    }

    /// Deletes a value that has been read. If that fails the work is done again at the next boot,
    /// which its value is made for.
    fn delete(&self, step: Skippable, name: &str) {
        key::delete_value(self.system, self.key, name).or_skip(step, name);
    }

    /// A list of strings read by its name.
    fn strings(&mut self, name: &'static str, list: List) -> Result<()> {
        self.at = name;
        let value = match self.value.read_named(self.key, name)? {
            Some(value) => value,
            None => self.value.replace(default(list)),
        };
        self.configuration.save_strings(list, value)
    }

    /// Does something with a subkey at hand.
    fn within(
        &mut self,
        name: &'static str,
        presence: Presence,
        act: fn(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.at = name;
        let key = Key::open_under(self.system, self.key, name, Access::MAXIMUM_ALLOWED);
        let key = key::if_there(key)?;
        if key.is_none() {
            let missing = Status::OBJECT_NAME_NOT_FOUND;
            match presence {
                Presence::Needed => return Err(missing),
                Presence::Tolerated => Skippable::RegistryValue.report(name, missing),
            }
        }
        let handle = key.as_ref().map_or(Handle::NULL, Key::handle);
        let above = core::mem::replace(&mut self.key, handle);
        let done = act(self);
        self.key = above;
        done
    }

    /// Enumerates the values of the key in the registry's order. Its default value, which has no name,
    /// is not an entry.
    fn values(&mut self, visit: Visit<S>) -> Result<()> {
        for index in 0.. {
            let Some(value) = self.value.read_enumerated(self.key, index)? else {
                break;
            };
            if !value.name().is_empty() {
                visit(self.configuration, value)?;
            } else if !data::units(value.data()).until_nul().is_empty() {
                Skippable::RegistryValue.report(self.at, Status::OBJECT_NAME_INVALID);
            }
        }
        Ok(())
    }
}

/// What takes one value of a key.
type Visit<S> = fn(&mut Configuration<S>, &Value<S>) -> Result<()>;

/// The REG_MULTI_SZ taken for a list that is not there (spec 2.3).
fn default(list: List) -> UnicodeStr<'static> {
    match list {
        List::ObjectDirectories => wide!("\\Windows\0\\RPC Control\0"),
        List::BootExecute => wide!("autocheck AutoChk.exe *\0"),
        List::PagingFiles => wide!("?:\\pagefile.sys\0"),
        _ => UnicodeStr::EMPTY,
    }
}

/// Whether a subkey must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Needed,
    Tolerated,
}
