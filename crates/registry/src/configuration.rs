// SPDX-License-Identifier: GPL-2.0-or-later
//! What the pass came to: the typed configuration of this boot (spec 2.3).

use crate::data::{self, Reached};
use crate::pass::{each_string, misunderstood};
use crate::reader::{RawValue, Value};
use crate::store::{List, Span, Store};
use nt::environment::Environment;
use nt::failure::{Step, judge};
use nt::system::{Memory, ValueType};
use nt::{Result, Status, UnicodeStr, wide};

/// The configuration of the Session Manager. Lists are in the registry's order.
pub struct Configuration<'s, S: Memory> {
    /// `ProtectionMode`: bit 0 says that objects are protected (spec 2.2).
    pub protection_mode: u32,
    /// `AllowProtectedRenames` (spec 6.6).
    pub allow_protected_renames: u32,
    /// The default environment, which every child gets (spec 5.1).
    pub environment: Environment<'s, S>,
    /// `PendingFileRenameOperations` and `PendingFileRenameOperations2`, as they were (spec 6.1).
    pub renames: [Option<RawValue<S>>; 2],
    /// There is a `PosixSingleInstance` (spec 9.6).
    pub posix_single_instance: bool,
    /// `NumberOfInitialSessions`, if it was asked for (spec 11.5).
    pub initial_sessions: Option<u32>,
    pub(crate) session_zero_command: Option<Span>,
    pub(crate) dll_directory: Option<Span>,
    pub(crate) dll_directory32: Option<Span>,
    pub(crate) path: Option<Span>,
    pub(crate) store: Store<'s, S>,
}

impl<'s, S: Memory> Configuration<'s, S> {
    pub(crate) const fn new(system: &'s S, environment: Environment<'s, S>) -> Self {
        Self {
            protection_mode: 1,
            allow_protected_renames: 0,
            environment,
            renames: [None, None],
            posix_single_instance: false,
            initial_sessions: None,
            session_zero_command: None,
            dll_directory: None,
            dll_directory32: None,
            path: None,
            store: Store::new(system),
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

    /// `ExcludeFromKnownDlls`: names.
    pub fn excluded_dlls(&self) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.names(List::ExcludeFromKnownDlls)
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
        self.dll_directory.and_then(|span| self.store.get(span))
    }

    /// `KnownDlls\DllDirectory32`, expanded.
    pub fn dll_directory32(&self) -> Option<UnicodeStr<'_>> {
        self.dll_directory32.and_then(|span| self.store.get(span))
    }

    /// Values of `SubSystems` that are neither required nor optional, `Kmode` among them: names and command lines.
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

    /// What `Path` came to in the second pass over `Environment`; empty if it is not there (spec 5.1 #6).
    pub fn library_search_path(&self) -> UnicodeStr<'_> {
        self.path.and_then(|span| self.store.get(span)).unwrap_or_default()
    }

    /// `S0InitialCommand`, if it was asked for (spec 11.5).
    pub fn session_zero_command(&self) -> Option<UnicodeStr<'_>> {
        self.session_zero_command.and_then(|span| self.store.get(span))
    }

    fn names(&self, list: List) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        self.store.list(list).map(|(name, _)| name)
    }

    /// Saves the strings of an enumerated value under its name; of several the last stays (spec 2.1).
    pub(crate) fn save_strings(&mut self, list: List, name: UnicodeStr<'_>, kind: ValueType, data: &[u8]) -> Result<()> {
        if !data::is_text(kind) {
            misunderstood(name, kind);
            return Ok(());
        }
        each_string(self, kind, data, Reached::ByEnumeration, |store, text| {
            let value = text.into_span(store)?;
            store.save(list, name, Some(value))
        })
    }

    /// One value of `KnownDlls`.
    pub(crate) fn known_dll(&mut self, value: Value<'_>) -> Result<()> {
        let thirty_two = value.name.eq_ascii("DllDirectory32");
        if !thirty_two && !value.name.eq_ascii("DllDirectory") {
            return self.save_strings(List::KnownDlls, value.name, value.kind, value.data);
        }
        if !data::is_text(value.kind) {
            misunderstood(value.name, value.kind);
        }
        let mut directory = None;
        each_string(self, value.kind, value.data, Reached::ByEnumeration, |store, text| {
            directory = Some(text.into_span(store)?);
            Ok(())
        })?;
        if thirty_two {
            self.dll_directory32 = directory;
        } else {
            self.dll_directory = directory;
        }
        Ok(())
    }

    /// One value of `SubSystems`. `Required` and `Optional` are kept until all the others are known.
    pub(crate) fn subsystem(&mut self, value: Value<'_>) -> Result<()> {
        let Value { name, kind, data } = value;
        if name.eq_ascii("PosixSingleInstance") {
            if kind == ValueType::DWORD {
                self.posix_single_instance = true;
            } else {
                misunderstood(name, kind);
            }
            return Ok(());
        }
        let names = match () {
            () if name.eq_ascii("Required") => List::RequiredNames,
            () if name.eq_ascii("Optional") => List::OptionalNames,
            () => return self.save_strings(List::SubSystems, name, kind, data),
        };
        if kind != ValueType::MULTI_SZ {
            misunderstood(name, kind);
        }
        // The list's own name stands first, so that a list that is there and empty differs from one that is not there.
        let own = self.store.copy(name)?;
        self.store.append(names, own, None)?;
        if kind == ValueType::MULTI_SZ {
            for name in data::plain_list(data::units(data)) {
                let name = self.store.copy(name)?;
                self.store.append(names, name, None)?;
            }
        }
        Ok(())
    }

    /// Moves the required and the optional subsystems to their lists, and sees to it that `Kmode` is in the general one (rows 15 to 17).
    pub(crate) fn sort_subsystems(&mut self) -> Result<()> {
        let kmode = self.store.value_of(List::SubSystems, wide!("Kmode"));
        if !self.store.has(List::RequiredNames) {
            for name in [wide!("Required"), wide!("Debug"), wide!("Windows")] {
                let name = self.store.copy(name)?;
                self.store.append(List::RequiredNames, name, None)?;
            }
        }
        for (names, to) in [(List::RequiredNames, List::Required), (List::OptionalNames, List::Optional)] {
            let mut own = true;
            for index in 0..self.store.len() {
                let Some(entry) = self.store.entry(index).filter(|entry| entry.is_in(names)) else { continue };
                if !core::mem::take(&mut own) && !self.store.move_entry(List::SubSystems, to, entry.name)? {
                    let _ = judge(Step::UndefinedSubsystem, self.store.get(entry.name).unwrap_or_default(), Status::OBJECT_NAME_NOT_FOUND);
                }
            }
        }
        let there = self.subsystems().any(|(name, _)| name.eq_ascii("Kmode"));
        match kmode {
            Some(kmode) if !there => self.store.save(List::SubSystems, wide!("Kmode"), Some(kmode)),
            _ => Ok(()),
        }
    }

    /// Sets one variable; `Path` is remembered for the library path.
    pub(crate) fn set_variable(&mut self, list: List, name: Span, plain: Span) -> Result<()> {
        let text = self.store.get(plain).unwrap_or_default();
        let value = match list {
            List::EnvironmentExpand if text.find(b'%').is_some() => self.store.expand(&self.environment, plain)?,
            _ => plain,
        };
        let name = self.store.get(name).unwrap_or_default();
        self.environment.set(name, self.store.get(value).unwrap_or_default())?;
        if name.eq_ascii("Path") {
            self.path = Some(value);
        }
        Ok(())
    }

    /// Sets every variable again, in the same order: what was defined later is known by now (spec 5.1 #3, #5).
    pub(crate) fn second_environment_pass(&mut self) -> Result<()> {
        self.path = None;
        for index in 0..self.store.len() {
            let Some(entry) = self.store.entry(index) else { continue };
            for list in [List::EnvironmentPlain, List::EnvironmentExpand] {
                if let Some(value) = entry.value.filter(|_| entry.is_in(list)) {
                    self.set_variable(list, entry.name, value)?;
                }
            }
        }
        Ok(())
    }
}
