// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass: every value of the Session Manager key, in the order of the table (spec 2.3).
//!
//! Each value is read once; the Environment key is enumerated once and applied twice from memory.
//! What cannot be understood is reported and left out; what stops the pass is missing memory, a key
//! that cannot be read, a variable name that cannot be set, and a missing `KnownDlls` or
//! `SubSystems` key. Any other missing subkey counts as an empty one (deviation D28).

use crate::configuration::{Configuration, misunderstood};
use crate::data::{self, Reached, number};
use crate::reader::{Reader, Value};
use crate::store::List;
use nt::access::Access;
use nt::failure::{Attempt, Essential, Skippable, Stop};
use nt::key::{self, Key};
use nt::system::{Memory, Objects, Registry, ValueType};
use nt::{Handle, Result, Status, UnicodeStr, wide};
use zerocopy::IntoBytes;

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
    run(system, block, configuration, &mut |pass, top| {
        pass.all(top, sessions, make_directory)
    })
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
    run(system, block, configuration, &mut |pass, top| {
        pass.subsystems(top)?;
        pass.session_zero_command(top)?;
        let finished = pass.configuration.finish_environment(system);
        finished.or_stop(STEP, "environment")
    })
}

/// What is read of the key, whose handle it gets.
type Part<'p, S> = dyn FnMut(&mut Pass<'_, S>, Handle) -> Result<(), Stop> + 'p;

/// Reads a part of the key.
fn run<S: Registry + Memory + Objects>(
    system: S,
    block: &[u16],
    configuration: &mut Configuration<S>,
    part: &mut Part<'_, S>,
) -> Result<(), Stop> {
    let mut pass = Pass {
        system,
        reader: Reader::new(system).or_stop(STEP, "memory")?,
        configuration,
    };
    let reserved = pass.configuration.store.reserve();
    reserved.or_stop(STEP, "memory")?;
    let own = pass.configuration.own_variables(block);
    own.or_stop(STEP, "own environment")?;
    let access = Access::MAXIMUM_ALLOWED.union(Access::GENERIC_READ);
    let key = Key::open(system, SESSION_MANAGER, access).or_stop(STEP, SESSION_MANAGER)?;
    part(&mut pass, key.handle())
}

struct Pass<'c, S: Memory> {
    system: S,
    reader: Reader<S>,
    configuration: &'c mut Configuration<S>,
}

impl<S: Registry + Memory + Objects> Pass<'_, S> {
    fn all(
        &mut self,
        top: Handle,
        sessions: bool,
        make_directory: &mut MakeDirectory<'_>,
    ) -> Result<(), Stop> {
        // Protected unless a number says otherwise (rows 1 and 2).
        self.configuration.protection_mode =
            self.number(top, "ProtectionMode", false)?.unwrap_or(1);
        self.configuration.allow_protected_renames = self
            .number(top, "AllowProtectedRenames", true)?
            .unwrap_or(0);
        self.strings(
            top,
            "ObjectDirectories",
            List::ObjectDirectories,
            wide!("\\Windows\0\\RPC Control\0"),
        )?;
        for directory in self.configuration.names(List::ObjectDirectories) {
            make_directory(self.configuration.protection_mode, directory);
        }
        self.strings(
            top,
            "BootExecute",
            List::BootExecute,
            wide!("autocheck AutoChk.exe *\0"),
        )?;
        self.strings(top, "SetupExecute", List::SetupExecute, NONE)?;
        self.renames(top, "PendingFileRenameOperations", 0)?;
        self.renames(top, "PendingFileRenameOperations2", 1)?;
        self.strings(
            top,
            "ExcludeFromKnownDlls",
            List::ExcludeFromKnownDlls,
            NONE,
        )?;
        self.paging_files(top)?;
        self.subkey(
            top,
            "DOS Devices",
            Presence::Tolerated,
            Configuration::dos_device,
        )?;
        self.subkey(top, "KnownDlls", Presence::Needed, Configuration::known_dll)?;
        self.environment(top)?;
        self.subsystems(top)?;
        if sessions {
            self.configuration.initial_sessions =
                self.number(top, "NumberOfInitialSessions", false)?;
            self.session_zero_command(top)?;
        }
        Ok(())
    }

    fn paging_files(&mut self, top: Handle) -> Result<(), Stop> {
        let key = self.open(top, "Memory Management", Presence::Tolerated)?;
        self.strings(
            key.as_ref().map_or(Handle::NULL, Key::handle),
            "PagingFiles",
            List::PagingFiles,
            wide!("?:\\pagefile.sys\0"),
        )
    }

    /// `SubSystems` and `Execute`.
    fn subsystems(&mut self, top: Handle) -> Result<(), Stop> {
        let name = "SubSystems";
        self.subkey(top, name, Presence::Needed, Configuration::subsystem)?;
        self.configuration.sort_subsystems().or_stop(STEP, name)?;
        self.strings(top, "Execute", List::Execute, NONE)
    }

    fn session_zero_command(&mut self, top: Handle) -> Result<(), Stop> {
        self.strings(top, "S0InitialCommand", List::SessionZeroCommand, NONE)
    }

    /// Both passes over the Environment key (spec 5.1 #3): the first while it is enumerated, the
    /// second from what was kept.
    ///
    /// The last boot's `SAFEBOOT_OPTION` is deleted, so that it never outlives that boot (spec
    /// 2.3).
    fn environment(&mut self, top: Handle) -> Result<(), Stop> {
        let name = "Environment";
        if let Some(key) = self.open(top, name, Presence::Tolerated)? {
            self.values(key.handle(), name, Configuration::variable)?;
            if self.configuration.old_safe_boot {
                self.delete(Skippable::BootOptions, key.handle(), "SAFEBOOT_OPTION");
            }
        }
        self.configuration
            .second_environment_pass()
            .and_then(|()| self.configuration.finish_environment(self.system))
            .or_stop(STEP, name)
    }

    fn number(
        &mut self,
        key: Handle,
        name: &'static str,
        one_shot: bool,
    ) -> Result<Option<u32>, Stop> {
        if !self.reader.named(key, name).or_stop(STEP, name)? {
            return Ok(None);
        }
        let value = self.reader.value();
        let found = number(value.kind, value.data);
        if found.is_none() {
            misunderstood(&value);
        }
        if one_shot {
            self.delete(Skippable::RegistryValue, key, name);
        }
        Ok(found)
    }

    /// The renames of this place.
    fn renames(&mut self, key: Handle, name: &'static str, place: usize) -> Result<(), Stop> {
        if !self.reader.named(key, name).or_stop(STEP, name)? {
            return Ok(());
        }
        let value = self.reader.take().or_stop(STEP, name)?;
        if let Some(place) = self.configuration.renames.get_mut(place) {
            *place = Some(value);
        }
        self.delete(Skippable::RegistryValue, key, name);
        Ok(())
    }

    /// Deletes a value that has been read. If that fails the work is done again at the next boot,
    /// which its value is made for.
    fn delete(&self, step: Skippable, key: Handle, name: &str) {
        key::delete_value(self.system, key, name).or_skip(step, name);
    }

    /// A list of strings read by its name; `default` is the REG_MULTI_SZ taken for it if there is no
    /// such value, or no such key, which the null handle stands for.
    fn strings(
        &mut self,
        key: Handle,
        name: &'static str,
        list: List,
        default: UnicodeStr<'_>,
    ) -> Result<(), Stop> {
        let there = !key.is_null() && self.reader.named(key, name).or_stop(STEP, name)?;
        let value = if there {
            self.reader.value()
        } else {
            Value {
                name: UnicodeStr::EMPTY,
                kind: ValueType::MULTI_SZ,
                data: default.units().as_bytes(),
                reached: Reached::ByName,
            }
        };
        let saved = self.configuration.save_strings(list, &value);
        saved.or_stop(STEP, name)
    }

    fn open(
        &mut self,
        top: Handle,
        name: &'static str,
        presence: Presence,
    ) -> Result<Option<Key<S>>, Stop> {
        let key = Key::open_under(self.system, top, name, Access::MAXIMUM_ALLOWED);
        let key = key::if_there(key).or_stop(STEP, name)?;
        if key.is_none() {
            let missing = Status::OBJECT_NAME_NOT_FOUND;
            match presence {
                Presence::Needed => return Err(STEP.stop(name, missing)),
                Presence::Tolerated => Skippable::RegistryValue.report(name, missing),
            }
        }
        Ok(key)
    }

    /// Looks at the values of a subkey.
    fn subkey(
        &mut self,
        top: Handle,
        name: &'static str,
        presence: Presence,
        visit: Visit<S>,
    ) -> Result<(), Stop> {
        match self.open(top, name, presence)? {
            Some(key) => self.values(key.handle(), name, visit),
            None => Ok(()),
        }
    }

    /// Enumerates the values of a key in the registry's order. Its default value, which has no name,
    /// is not an entry.
    fn values(&mut self, key: Handle, name: &'static str, visit: Visit<S>) -> Result<(), Stop> {
        for index in 0.. {
            if !self.reader.enumerated(key, index).or_stop(STEP, name)? {
                break;
            }
            let value = self.reader.value();
            if !value.name.is_empty() {
                visit(self.configuration, &value).or_stop(STEP, name)?;
            } else if !data::units(value.data).until_nul().is_empty() {
                Skippable::RegistryValue.report(name, Status::OBJECT_NAME_INVALID);
            }
        }
        Ok(())
    }
}

/// What takes one value of a key.
type Visit<S> = fn(&mut Configuration<S>, &Value<'_>) -> Result<()>;

/// No strings.
const NONE: UnicodeStr<'static> = UnicodeStr::EMPTY;

/// Whether a subkey must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Needed,
    Tolerated,
}
