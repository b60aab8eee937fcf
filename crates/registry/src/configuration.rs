// SPDX-License-Identifier: GPL-2.0-or-later
//! What the pass came to: the typed configuration of this boot (spec 2.3).

use crate::data::{self, Reached};
use crate::reader::{RawValue, Value};
use crate::store::{List, Row, Store};
use nt::arena::Span;
use nt::environment::{self, Environment};
use nt::failure::Skippable;
use nt::pages::PageVec;
use nt::system::{Memory, ValueType};
use nt::{Result, Status, UnicodeStr, wide};

/// The configuration of the Session Manager. Lists are in the registry's order.
pub struct Configuration<S: Memory> {
    /// `ProtectionMode`: bit 0 says that objects are protected (spec 2.2).
    pub protection_mode: u32,
    /// `AllowProtectedRenames` (spec 6.6).
    pub allow_protected_renames: u32,
    /// The default environment, which every child gets (spec 5.1).
    pub environment: Environment<S>,
    /// `PendingFileRenameOperations` and `PendingFileRenameOperations2`, as they were (spec 6.1).
    pub renames: [Option<RawValue<S>>; 2],
    /// There is a `PosixSingleInstance` (spec 9.6).
    pub posix_single_instance: bool,
    /// `NumberOfInitialSessions`, if it was asked for (spec 11.5).
    pub initial_sessions: Option<u32>,
    /// The last boot left its `SAFEBOOT_OPTION`.
    pub(crate) old_safe_boot: bool,
    /// There is a `Required` value, even if it is empty.
    required_named: bool,
    path: Span,
    pub(crate) store: Store<S>,
    /// What is being expanded: kept, so that its memory is asked for once.
    expanded: PageVec<S, u16>,
}

impl<S: Memory> Configuration<S> {
    /// A configuration before anything was read.
    pub const fn new(system: S) -> Self {
        Self {
            protection_mode: 0,
            allow_protected_renames: 0,
            environment: Environment::none(system),
            renames: [None, None],
            posix_single_instance: false,
            initial_sessions: None,
            old_safe_boot: false,
            required_named: false,
            path: Span::EMPTY,
            store: Store::new(system),
            expanded: PageVec::new(system),
        }
    }

    /// `BootExecute`: command lines.
    pub fn boot_execute(&self) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.names(List::BootExecute)
    }

    /// `SetupExecute`: command lines.
    pub fn setup_execute(&self) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.names(List::SetupExecute)
    }

    /// `Execute`: command lines.
    pub fn execute(&self) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.names(List::Execute)
    }

    /// Whether `ExcludeFromKnownDlls` has this name.
    pub fn is_excluded_dll(&self, name: UnicodeStr<'_>) -> bool {
        let list = List::ExcludeFromKnownDlls;
        // Usually there is none, and then a hash would be for nothing.
        self.store.first(list) != 0 && self.store.value_of(list, name).is_some()
    }

    /// `PagingFiles`: tokens.
    pub fn paging_files(&self) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.names(List::PagingFiles)
    }

    /// `DOS Devices`: link names and targets; an empty target removes the link.
    pub fn dos_devices(&self) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> + Clone {
        self.store.list(List::DosDevices)
    }

    /// `KnownDlls`: names and file names.
    pub fn known_dlls(&self) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> + Clone {
        self.store.list(List::KnownDlls)
    }

    /// `KnownDlls\DllDirectory`, expanded.
    pub fn dll_directory(&self) -> Option<UnicodeStr<'_>> {
        self.store
            .value_of(List::DllDirectories, wide!("DllDirectory"))
    }

    /// `KnownDlls\DllDirectory32`, expanded.
    pub fn dll_directory32(&self) -> Option<UnicodeStr<'_>> {
        self.store
            .value_of(List::DllDirectories, wide!("DllDirectory32"))
    }

    /// Values of `SubSystems` that are neither required nor optional, `Kmode` among them: names and
    /// command lines.
    pub fn subsystems(&self) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> + Clone {
        self.store.list(List::SubSystems)
    }

    /// The required subsystems in the order of `Required`.
    pub fn required(&self) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> + Clone {
        self.store.list(List::Required)
    }

    /// The optional subsystems in the order of `Optional`.
    pub fn optional(&self) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> + Clone {
        self.store.list(List::Optional)
    }

    /// What `Path` came to in the second pass over `Environment`; empty if it is not there (spec
    /// 5.1 #6).
    pub fn library_search_path(&self) -> UnicodeStr<'_> {
        self.store.get(self.path)
    }

    /// `S0InitialCommand`, if it was asked for (spec 11.5); of several strings the last.
    pub fn session_zero_command(&self) -> Option<UnicodeStr<'_>> {
        self.names(List::SessionZeroCommand).last()
    }

    pub(crate) fn names(&self, list: List) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.store.list(list).map(|(name, _)| name)
    }

    /// Saves the strings of a value: each under the name that was enumerated, so that of several
    /// the last stays, or as a name itself (spec 2.1). One of the environment is set as well.
    pub(crate) fn save_strings(&mut self, list: List, value: &Value<S>) -> Result<()> {
        if !data::is_text(value.kind) {
            misunderstood(value);
        }
        let expand = value.kind == ValueType::EXPAND_SZ;
        for text in value.strings() {
            let plain = self.store.copy(text)?;
            let text = self.expanded(expand, plain)?;
            let (name, text) = match value.reached {
                Reached::ByName => (text, Span::EMPTY),
                Reached::ByEnumeration => (self.store.copy(value.name())?, text),
            };
            if let List::EnvironmentPlain | List::EnvironmentExpand = list {
                self.store.append(list, name, plain)?;
                self.set_variable(name, text)?;
            } else {
                self.store.save(list, name, text)?;
            }
        }
        Ok(())
    }

    /// A text of the arena, expanded with the environment as it is now if it is to be and there is
    /// anything to expand.
    fn expanded(&mut self, expand: bool, plain: Span) -> Result<Span> {
        let text = self.store.get(plain);
        if !expand || text.find(b'%').is_none() {
            return Ok(plain);
        }
        let value_of = |name: UnicodeStr<'_>| self.store.value_of(List::Variables, name);
        self.expanded.clear();
        environment::expand(text, value_of, &mut self.expanded)?;
        self.store.copy(self.expanded.as_str())
    }

    /// One value of `DOS Devices`. A link of `\??` has a name of one component.
    pub(crate) fn dos_device(&mut self, value: &Value<S>) -> Result<()> {
        if value.name().find(b'\\').is_some() {
            Skippable::RegistryValue.report(value.name(), Status::OBJECT_NAME_INVALID);
            return Ok(());
        }
        self.save_strings(List::DosDevices, value)
    }

    /// One value of `KnownDlls`.
    pub(crate) fn known_dll(&mut self, value: &Value<S>) -> Result<()> {
        let is_directory =
            value.name().eq_ascii("DllDirectory") || value.name().eq_ascii("DllDirectory32");
        self.save_strings(
            if is_directory {
                List::DllDirectories
            } else {
                List::KnownDlls
            },
            value,
        )
    }

    /// One value of `SubSystems`. `Required` and `Optional` are kept until all the others are
    /// known.
    pub(crate) fn subsystem(&mut self, value: &Value<S>) -> Result<()> {
        if value.name().eq_ascii("PosixSingleInstance") {
            self.posix_single_instance = value.kind == ValueType::DWORD;
            if !self.posix_single_instance {
                misunderstood(value);
            }
            return Ok(());
        }
        let names = if value.name().eq_ascii("Required") {
            self.required_named = true;
            List::RequiredNames
        } else if value.name().eq_ascii("Optional") {
            List::OptionalNames
        } else {
            return self.save_strings(List::SubSystems, value);
        };
        if value.kind != ValueType::MULTI_SZ {
            misunderstood(value);
            return Ok(());
        }
        self.append_names(names, data::units(value.data()))
    }

    fn append_names(&mut self, list: List, names: UnicodeStr<'_>) -> Result<()> {
        data::plain_list(names).try_for_each(|name| {
            let name = self.store.copy(name)?;
            self.store.append(list, name, Span::EMPTY)
        })
    }

    /// Moves the required and the optional subsystems to their lists; `Kmode` stays in the general
    /// one (rows 15 to 17).
    pub(crate) fn sort_subsystems(&mut self) -> Result<()> {
        if !self.required_named {
            self.append_names(List::RequiredNames, wide!("Debug\0Windows"))?;
        }
        self.move_subsystems(List::RequiredNames, List::Required)?;
        self.move_subsystems(List::OptionalNames, List::Optional)
    }

    fn move_subsystems(&mut self, names: List, to: List) -> Result<()> {
        let mut place = self.store.first(names);
        while let Some(&Row { name, next, .. }) = self.store.at(place) {
            place = next;
            if !self.store.move_row(List::SubSystems, to, name)? {
                let name = self.store.get(name);
                Skippable::UndefinedSubsystem.report(name, Status::OBJECT_NAME_NOT_FOUND);
            }
        }
        Ok(())
    }

    /// One value of `Environment`, set at once and kept for the second pass. `SAFEBOOT_OPTION` is
    /// the last boot's: it is passed over.
    pub(crate) fn variable(&mut self, value: &Value<S>) -> Result<()> {
        if value.name().eq_ascii("SAFEBOOT_OPTION") {
            self.old_safe_boot = true;
            return Ok(());
        }
        let list = if value.kind == ValueType::EXPAND_SZ {
            List::EnvironmentExpand
        } else {
            List::EnvironmentPlain
        };
        self.save_strings(list, value)
    }

    /// Sets one variable; `Path` is remembered for the library path.
    fn set_variable(&mut self, name: Span, value: Span) -> Result<()> {
        self.store.set_variable(name, value)?;
        if self.store.get(name).eq_ascii("Path") {
            self.path = value;
        }
        Ok(())
    }

    /// Sets every variable again, in the same order: what was defined later is known by now (spec
    /// 5.1 #3, #5).
    pub(crate) fn second_environment_pass(&mut self) -> Result<()> {
        let mut place = self.store.first(List::EnvironmentPlain);
        while let Some(&row) = self.store.at(place) {
            place = row.next;
            let value = self.expanded(row.is_in(List::EnvironmentExpand), row.value)?;
            self.set_variable(row.name, value)?;
        }
        Ok(())
    }

    /// The variables that this process was given, as the first ones.
    pub(crate) fn own_variables(&mut self, block: &[u16]) -> Result<()> {
        environment::variables(block).try_for_each(|(name, value)| {
            let (name, value) = (self.store.copy(name)?, self.store.copy(value)?);
            self.store.set_variable(name, value)
        })
    }

    /// Makes the environment block of the variables.
    pub(crate) fn finish_environment(&mut self) -> Result<()> {
        self.store.sort(List::Variables);
        self.environment.fill(self.store.list(List::Variables))
    }
}

pub(crate) fn misunderstood<S: Memory>(value: &Value<S>) {
    nt::debug!(
        "{}: type {} is not understood here",
        value.name(),
        value.kind.0
    );
    Skippable::RegistryValue.report(value.name(), Status::OBJECT_TYPE_MISMATCH);
}
