// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass: every value of the Session Manager key, in the order of the table (spec 2.3).
//!
//! Each value is read once; the Environment key is enumerated once and applied twice from memory. What cannot be understood is reported
//! and left out; what stops the pass is missing memory, a key that cannot be read, a variable name that cannot be set, and a missing
//! `KnownDlls` or `SubSystems` key. Any other missing subkey counts as an empty one (deviation D28).

use crate::configuration::Configuration;
use crate::data::{self, Reached, number};
use crate::reader::{RawValue, Reader, Value, open_key};
use crate::store::{List, Span, Store};
use nt::access::Access;
use nt::environment::Environment;
use nt::failure::{Step, Stop, judge};
use nt::system::{Memory, Objects, Registry, ValueType};
use nt::{Handle, Owned, Result, Status, UnicodeStr, wide};

const SESSION_MANAGER: UnicodeStr<'_> = wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager");

/// Makes one object directory during the pass: the protection mode, and the directory's name (spec 2.3 #3).
pub type MakeDirectory<'v> = dyn FnMut(u32, UnicodeStr<'_>) + 'v;

/// Where in the pass something failed.
type Failed<'a> = (UnicodeStr<'a>, Status);

/// Runs the pass. `environment` is a copy of this process's own block, and comes back in the configuration as the default environment.
/// `sessions` says whether the values of NT 6 about initial sessions are wanted (spec 11.5).
///
/// # Errors
/// [`Stop`] as the table of failures says.
pub fn read<'s, S: Registry + Memory + Objects>(
    system: &'s S,
    environment: Environment<'s, S>,
    sessions: bool,
    make_directory: &mut MakeDirectory<'_>,
) -> Result<Configuration<'s, S>, Stop> {
    let run = || -> Result<Configuration<'s, S>, Failed<'static>> {
        let in_memory = |status| (wide!("memory"), status);
        let mut pass =
            Pass { system, reader: Reader::new(system).map_err(in_memory)?, configuration: Configuration::new(system, environment) };
        pass.all(sessions, make_directory)?;
        Ok(pass.configuration)
    };
    run().map_err(|(object, status)| Stop { step: Step::RegistryPass, status: tell_stop(object, status) })
}

/// What a child instance of smss needs to make a session (spec 11.5): subsystems, `Execute`, `S0InitialCommand`. `environment` is the one
/// its master gave it. Nothing is deleted and nothing is made: one-shot values there may be meant for the next boot.
///
/// # Errors
/// [`Stop`] as the table of failures says.
pub fn read_for_session<'s, S: Registry + Memory + Objects>(
    system: &'s S,
    environment: Environment<'s, S>,
) -> Result<Configuration<'s, S>, Stop> {
    let run = || -> Result<Configuration<'s, S>, Failed<'static>> {
        let in_memory = |status| (wide!("memory"), status);
        let mut pass =
            Pass { system, reader: Reader::new(system).map_err(in_memory)?, configuration: Configuration::new(system, environment) };
        pass.session_part()?;
        Ok(pass.configuration)
    };
    run().map_err(|(object, status)| Stop { step: Step::RegistryPass, status: tell_stop(object, status) })
}

fn tell_stop(object: UnicodeStr<'_>, status: Status) -> Status {
    match judge(Step::RegistryPass, object, status) {
        Ok(()) => status,
        Err(stop) => stop.status,
    }
}

struct Pass<'s, S: Memory> {
    system: &'s S,
    reader: Reader<'s, S>,
    configuration: Configuration<'s, S>,
}

impl<'s, S: Registry + Memory + Objects> Pass<'s, S> {
    fn top(&self) -> Result<Owned<'s, S>, Failed<'static>> {
        let access = Access::MAXIMUM_ALLOWED.union(Access::GENERIC_READ);
        let key = open_key(self.system, Handle::NULL, SESSION_MANAGER, access).and_then(|key| key.ok_or(Status::OBJECT_NAME_NOT_FOUND));
        key.map_err(|status| (SESSION_MANAGER, status))
    }

    fn session_part(&mut self) -> Result<(), Failed<'static>> {
        let key = self.top()?;
        self.subsystems(key.get())?;
        self.session_zero_command(key.get())
    }

    /// `SubSystems` and `Execute`.
    fn subsystems(&mut self, top: Handle) -> Result<(), Failed<'static>> {
        self.subkey(top, wide!("SubSystems"), Presence::Needed, |this, value| this.subsystem(value))?;
        self.configuration.sort_subsystems().map_err(|status| (wide!("SubSystems"), status))?;
        self.commands(top, wide!("Execute"), List::Execute, None)
    }

    fn all(&mut self, sessions: bool, make_directory: &mut MakeDirectory<'_>) -> Result<(), Failed<'static>> {
        let key = self.top()?;
        let top = key.get();
        // Protected unless a number says otherwise (rows 1 and 2).
        self.configuration.protection_mode = self.number(top, wide!("ProtectionMode"))?.unwrap_or(1);
        self.configuration.allow_protected_renames = self.one_shot_number(top, wide!("AllowProtectedRenames"))?.unwrap_or(0);
        self.object_directories(top, make_directory)?;
        self.commands(top, wide!("BootExecute"), List::BootExecute, Some(wide!("autocheck AutoChk.exe *")))?;
        self.commands(top, wide!("SetupExecute"), List::SetupExecute, None)?;
        let first = self.one_shot_raw(top, wide!("PendingFileRenameOperations"))?;
        let second = self.one_shot_raw(top, wide!("PendingFileRenameOperations2"))?;
        self.configuration.renames = [first, second];
        self.commands(top, wide!("ExcludeFromKnownDlls"), List::ExcludeFromKnownDlls, None)?;
        self.paging_files(top)?;
        self.subkey(top, wide!("DOS Devices"), Presence::Tolerated, |this, value| {
            let Value { name, kind, data } = value;
            this.save_strings(List::DosDevices, name, kind, data)
        })?;
        self.subkey(top, wide!("KnownDlls"), Presence::Needed, |this, value| this.known_dll(value))?;
        self.environment(top)?;
        self.subsystems(top)?;
        if sessions {
            self.configuration.initial_sessions = self.number(top, wide!("NumberOfInitialSessions"))?;
            self.session_zero_command(top)?;
        }
        Ok(())
    }

    fn number(&mut self, key: Handle, name: UnicodeStr<'static>) -> Result<Option<u32>, Failed<'static>> {
        let value = self.reader.by_name(key, name).map_err(|status| (name, status))?;
        Ok(value.and_then(|value| {
            let found = number(value.kind, value.data);
            if found.is_none() {
                misunderstood(name, value.kind);
            }
            found
        }))
    }

    fn one_shot_number(&mut self, key: Handle, name: UnicodeStr<'static>) -> Result<Option<u32>, Failed<'static>> {
        let value = self.reader.by_name(key, name).map_err(|status| (name, status))?;
        let present = value.is_some();
        let found = value.and_then(|value| number(value.kind, value.data));
        if present {
            self.delete(Step::RegistryValue, key, name);
        }
        Ok(found)
    }

    fn one_shot_raw(&mut self, key: Handle, name: UnicodeStr<'static>) -> Result<Option<RawValue<S>>, Failed<'static>> {
        let value = self.reader.raw(key, name).map_err(|status| (name, status))?;
        if value.is_some() {
            self.delete(Step::RegistryValue, key, name);
        }
        Ok(value)
    }

    /// Deletes a value that has been read. If that fails the work is done again at the next boot, which its value is made for.
    fn delete(&self, step: Step, key: Handle, name: UnicodeStr<'_>) {
        if let Err(status) = self.system.delete_value(key, name) {
            let _ = judge(step, name, status);
        }
    }

    fn object_directories(&mut self, key: Handle, make: &mut MakeDirectory<'_>) -> Result<(), Failed<'static>> {
        let name = wide!("ObjectDirectories");
        let mode = self.configuration.protection_mode;
        match self.reader.by_name(key, name).map_err(|status| (name, status))? {
            None => [wide!("\\Windows"), wide!("\\RPC Control")].into_iter().for_each(|directory| make(mode, directory)),
            Some(value) if !data::is_text(value.kind) => misunderstood(name, value.kind),
            Some(value) => data::strings(value.kind, value.data, Reached::ByName).for_each(|directory| make(mode, directory)),
        }
        Ok(())
    }

    /// A list of strings read by its name; `default` is its content if there is no such value.
    fn commands(
        &mut self,
        key: Handle,
        name: UnicodeStr<'static>,
        list: List,
        default: Option<UnicodeStr<'static>>,
    ) -> Result<(), Failed<'static>> {
        let Pass { reader, configuration, .. } = self;
        let failed = |status| (name, status);
        match reader.by_name(key, name).map_err(failed)? {
            None => default.map_or(Ok(()), |default| configuration.store.save(list, default, None)),
            Some(value) if !data::is_text(value.kind) => {
                misunderstood(name, value.kind);
                Ok(())
            }
            Some(value) => each_string(configuration, value.kind, value.data, Reached::ByName, |store, text| match text {
                Text::Plain(text) => store.save(list, text, None),
                Text::Expanded(span) => store.save_name(list, span),
            }),
        }
        .map_err(failed)
    }

    fn paging_files(&mut self, top: Handle) -> Result<(), Failed<'static>> {
        let subkey = wide!("Memory Management");
        let name = wide!("PagingFiles");
        let default = wide!("?:\\pagefile.sys");
        match self.open(top, subkey, Presence::Tolerated)? {
            Some(key) => self.commands(key.get(), name, List::PagingFiles, Some(default)),
            None => self.configuration.store.save(List::PagingFiles, default, None).map_err(|status| (name, status)),
        }
    }

    fn open(&self, top: Handle, name: UnicodeStr<'static>, presence: Presence) -> Result<Option<Owned<'s, S>>, Failed<'static>> {
        match open_key(self.system, top, name, Access::MAXIMUM_ALLOWED) {
            Ok(Some(key)) => Ok(Some(key)),
            Ok(None) if presence == Presence::Tolerated => {
                let _ = judge(Step::RegistryValue, name, Status::OBJECT_NAME_NOT_FOUND);
                Ok(None)
            }
            Ok(None) => Err((name, Status::OBJECT_NAME_NOT_FOUND)),
            Err(status) => Err((name, status)),
        }
    }

    /// Enumerates the values of a subkey in the registry's order.
    fn subkey(
        &mut self,
        top: Handle,
        name: UnicodeStr<'static>,
        presence: Presence,
        mut visit: impl FnMut(&mut Configuration<'s, S>, Value<'_>) -> Result<()>,
    ) -> Result<(), Failed<'static>> {
        let Some(key) = self.open(top, name, presence)? else { return Ok(()) };
        self.values(key.get(), name, &mut visit)
    }

    fn values(
        &mut self,
        key: Handle,
        name: UnicodeStr<'static>,
        visit: &mut dyn FnMut(&mut Configuration<'s, S>, Value<'_>) -> Result<()>,
    ) -> Result<(), Failed<'static>> {
        let failed = |status| (name, status);
        for index in 0.. {
            let Some(value) = self.reader.by_index(key, index).map_err(failed)? else { break };
            visit(&mut self.configuration, value).map_err(failed)?;
        }
        Ok(())
    }

    /// Both passes over the Environment key (spec 5.1 #3): the first while it is enumerated, the second from what was kept.
    ///
    /// `SAFEBOOT_OPTION` is the last boot's: it is passed over and deleted, so that it never outlives that boot (spec 2.3).
    fn environment(&mut self, top: Handle) -> Result<(), Failed<'static>> {
        let name = wide!("Environment");
        let Some(key) = self.open(top, name, Presence::Tolerated)? else { return Ok(()) };
        let mut safe_boot = false;
        self.values(key.get(), name, &mut |this, value| {
            if value.name.eq_ascii("SAFEBOOT_OPTION") {
                safe_boot = true;
                return Ok(());
            }
            let list = if value.kind == ValueType::EXPAND_SZ { List::EnvironmentExpand } else { List::EnvironmentPlain };
            if !data::is_text(value.kind) {
                misunderstood(value.name, value.kind);
                return Ok(());
            }
            for text in data::strings(value.kind, value.data, Reached::ByEnumeration) {
                let kept = this.store.copy(text)?;
                let named = this.store.copy(value.name)?;
                this.store.append(list, named, Some(kept))?;
                this.set_variable(list, named, kept)?;
            }
            Ok(())
        })?;
        if safe_boot {
            self.delete(Step::BootOptions, key.get(), wide!("SAFEBOOT_OPTION"));
        }
        self.configuration.second_environment_pass().map_err(|status| (name, status))
    }

    fn session_zero_command(&mut self, top: Handle) -> Result<(), Failed<'static>> {
        let name = wide!("S0InitialCommand");
        let Pass { reader, configuration, .. } = self;
        let failed = |status| (name, status);
        let Some(value) = reader.by_name(top, name).map_err(failed)? else { return Ok(()) };
        let mut command = None;
        each_string(configuration, value.kind, value.data, Reached::ByName, |store, text| {
            command = Some(text.into_span(store)?);
            Ok(())
        })
        .map_err(failed)?;
        configuration.session_zero_command = command;
        Ok(())
    }
}

/// Whether a subkey must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Needed,
    Tolerated,
}

/// A string of a value: as it stands, or expanded into the arena.
pub(crate) enum Text<'t> {
    Plain(UnicodeStr<'t>),
    Expanded(Span),
}

impl Text<'_> {
    /// Its place in the arena.
    pub(crate) fn into_span<S: Memory>(self, store: &mut Store<'_, S>) -> Result<Span> {
        match self {
            Self::Plain(text) => store.copy(text),
            Self::Expanded(span) => Ok(span),
        }
    }
}

/// Gives every string of a value to `visit`, a REG_EXPAND_SZ expanded with the environment as it is now (spec 2.1).
pub(crate) fn each_string<'s, S: Memory>(
    configuration: &mut Configuration<'s, S>,
    kind: ValueType,
    data: &[u8],
    reached: Reached,
    mut visit: impl FnMut(&mut Store<'s, S>, Text<'_>) -> Result<()>,
) -> Result<()> {
    for text in data::strings(kind, data, reached) {
        let text = if kind == ValueType::EXPAND_SZ && text.find(b'%').is_some() {
            let Configuration { environment, store, .. } = configuration;
            Text::Expanded(store.write(|arena| environment.expand(text, arena))?)
        } else {
            Text::Plain(text)
        };
        visit(&mut configuration.store, text)?;
    }
    Ok(())
}

pub(crate) fn misunderstood(name: UnicodeStr<'_>, kind: ValueType) {
    nt::debug!("{name}: type {} is not understood here", kind.0);
    let _ = judge(Step::RegistryValue, name, Status::OBJECT_TYPE_MISMATCH);
}
