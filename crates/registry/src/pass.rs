// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass: every value of the Session Manager key, in the order of the table (spec 2.3).
//!
//! Each value is read once; the Environment key is enumerated once and applied twice from memory.
//! What cannot be understood is reported and left out; what stops the pass is missing memory, a key
//! that cannot be read, a variable name that cannot be set, and a missing `KnownDlls` or
//! `SubSystems` key. Any other missing subkey counts as an empty one (deviation D28).

use crate::configuration::{Configuration, misunderstood};
use crate::data::{self, Reached, number};
use crate::reader::{RawValue, Reader, Value, Which};
use crate::store::List;
use nt::access::Access;
use nt::arena::Span;
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
    let reader = Reader::new(system).or_stop(STEP, "memory")?;
    let reserved = configuration.store.reserve();
    reserved.or_stop(STEP, "memory")?;
    let own = configuration.own_variables(block);
    own.or_stop(STEP, "own environment")?;
    let access = Access::MAXIMUM_ALLOWED.union(Access::GENERIC_READ);
    let key = Key::open(system, SESSION_MANAGER, access).or_stop(STEP, SESSION_MANAGER)?;
    let mut pass = Pass {
        system,
        reader,
        configuration,
    };
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
        let directories = [wide!("\\Windows"), wide!("\\RPC Control")];
        self.strings(
            Some(top),
            "ObjectDirectories",
            List::ObjectDirectories,
            &directories,
        )?;
        for directory in self.configuration.names(List::ObjectDirectories) {
            make_directory(self.configuration.protection_mode, directory);
        }
        self.strings(
            Some(top),
            "BootExecute",
            List::BootExecute,
            &[wide!("autocheck AutoChk.exe *")],
        )?;
        self.strings(Some(top), "SetupExecute", List::SetupExecute, &[])?;
        let first = self.renames(top, "PendingFileRenameOperations")?;
        let second = self.renames(top, "PendingFileRenameOperations2")?;
        self.configuration.renames = [first, second];
        self.strings(
            Some(top),
            "ExcludeFromKnownDlls",
            List::ExcludeFromKnownDlls,
            &[],
        )?;
        let memory_management = self.open(top, "Memory Management", Presence::Tolerated)?;
        let key = memory_management.as_ref().map(Key::handle);
        self.strings(
            key,
            "PagingFiles",
            List::PagingFiles,
            &[wide!("?:\\pagefile.sys")],
        )?;
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

    /// `SubSystems` and `Execute`.
    fn subsystems(&mut self, top: Handle) -> Result<(), Stop> {
        let name = "SubSystems";
        self.subkey(top, name, Presence::Needed, Configuration::subsystem)?;
        self.configuration.sort_subsystems().or_stop(STEP, name)?;
        self.strings(Some(top), "Execute", List::Execute, &[])
    }

    fn session_zero_command(&mut self, top: Handle) -> Result<(), Stop> {
        self.strings(Some(top), "S0InitialCommand", List::SessionZeroCommand, &[])
    }

    /// Both passes over the Environment key (spec 5.1 #3): the first while it is enumerated, the
    /// second from what was kept.
    ///
    /// The last boot's `SAFEBOOT_OPTION` is deleted, so that it never outlives that boot (spec
    /// 2.3).
    fn environment(&mut self, top: Handle) -> Result<(), Stop> {
        let name = "Environment";
        let key = self.subkey(top, name, Presence::Tolerated, Configuration::variable)?;
        if self.configuration.old_safe_boot
            && let Some(key) = key
        {
            self.delete(Skippable::BootOptions, key.handle(), "SAFEBOOT_OPTION");
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
        let value = self.reader.read(key, Which::Name(name));
        let Some(value) = value.or_stop(STEP, name)? else {
            return Ok(None);
        };
        let found = number(value.kind, value.data);
        if found.is_none() {
            misunderstood(value);
        }
        if one_shot {
            self.delete(Skippable::RegistryValue, key, name);
        }
        Ok(found)
    }

    fn renames(&mut self, key: Handle, name: &'static str) -> Result<Option<RawValue<S>>, Stop> {
        let value = self.reader.take(key, name).or_stop(STEP, name)?;
        if value.is_some() {
            self.delete(Skippable::RegistryValue, key, name);
        }
        Ok(value)
    }

    /// Deletes a value that has been read. If that fails the work is done again at the next boot,
    /// which its value is made for.
    fn delete(&self, step: Skippable, key: Handle, name: &str) {
        key::delete_value(self.system, key, name).or_skip(step, name);
    }

    /// A list of strings read by its name; `default` is its content if there is no such value, or
    /// no such key.
    fn strings(
        &mut self,
        key: Option<Handle>,
        name: &'static str,
        list: List,
        default: &[UnicodeStr<'_>],
    ) -> Result<(), Stop> {
        let configuration = &mut *self.configuration;
        let value = key.map_or(Ok(None), |key| self.reader.read(key, Which::Name(name)));
        let saved = match value.or_stop(STEP, name)? {
            Some(value) => configuration.save_strings(list, value, Reached::ByName),
            None => default.iter().try_for_each(|&text| {
                let text = configuration.store.copy(text)?;
                configuration.store.save(list, text, Span::EMPTY)
            }),
        };
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

    /// Enumerates the values of a subkey in the registry's order, and gives the key back. Its
    /// default value, which has no name, is not an entry.
    fn subkey(
        &mut self,
        top: Handle,
        name: &'static str,
        presence: Presence,
        visit: fn(&mut Configuration<S>, Value<'_>) -> Result<()>,
    ) -> Result<Option<Key<S>>, Stop> {
        let Some(key) = self.open(top, name, presence)? else {
            return Ok(None);
        };
        for index in 0.. {
            let value = self.reader.read(key.handle(), Which::Index(index));
            let Some(value) = value.or_stop(STEP, name)? else {
                break;
            };
            if !value.name.is_empty() {
                visit(self.configuration, value).or_stop(STEP, name)?;
            } else if !data::units(value.data).until_nul().is_empty() {
                Skippable::RegistryValue.report(name, Status::OBJECT_NAME_INVALID);
            }
        }
        Ok(Some(key))
    }
}

/// Whether a subkey must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Needed,
    Tolerated,
}
