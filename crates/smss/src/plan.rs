// SPDX-License-Identifier: GPL-2.0-or-later
//! What was read from the registry, kept for the life of the process, and as [`subsystems`] wants
//! to be told of it.

use core::mem::ManuallyDrop;
use launch::Launcher;
use nt::UnicodeStr;
use nt::pages::PageVec;
use nt::system::System;
use objects::Protection;
use registry::Configuration;
use subsystems::{Plan, Subsystem};

/// The configuration and what follows from it for every child. Nothing of it is ever dropped.
pub(crate) struct Loaded<S: System> {
    system: S,
    pub(crate) configuration: ManuallyDrop<Configuration<S>>,
    pub(crate) library_path: ManuallyDrop<PageVec<S, u16>>,
}

impl<S: System> Loaded<S> {
    /// What it is before anything was read.
    pub(crate) const fn new(system: S) -> Self {
        Self {
            system,
            configuration: ManuallyDrop::new(Configuration::new(system)),
            library_path: ManuallyDrop::new(PageVec::new(system)),
        }
    }

    pub(crate) fn configuration(&self) -> &Configuration<S> {
        &self.configuration
    }

    /// Whether objects are to be protected.
    pub(crate) fn protection(&self) -> Protection {
        Protection::from_mode(self.configuration.protection_mode)
    }
}

/// One code for both lists.
#[inline(never)]
fn nth<'a>(
    mut subsystems: impl Iterator<Item = (UnicodeStr<'a>, UnicodeStr<'a>)>,
    index: usize,
) -> Option<Subsystem<'a>> {
    let (name, command) = subsystems.nth(index)?;
    Some(Subsystem { name, command })
}

impl<S: System> Plan<S> for Loaded<S> {
    fn kmode(&self, index: usize) -> Option<UnicodeStr<'_>> {
        self.configuration
            .subsystems()
            .filter(|(name, _)| name.eq_ascii("Kmode"))
            .nth(index)
            .map(|(_, path)| path)
    }

    fn required(&self, index: usize) -> Option<Subsystem<'_>> {
        nth(self.configuration.required(), index)
    }

    fn optional(&self, index: usize) -> Option<Subsystem<'_>> {
        nth(self.configuration.optional(), index)
    }

    fn execute(&self, index: usize) -> Option<UnicodeStr<'_>> {
        self.configuration.execute().nth(index)
    }

    fn posix_single_instance(&self) -> bool {
        self.configuration.posix_single_instance
    }

    fn session0_command(&self) -> Option<UnicodeStr<'_>> {
        self.configuration.session_zero_command()
    }

    fn initial_sessions(&self) -> Option<u32> {
        self.configuration.initial_sessions
    }

    fn launcher(&self) -> Launcher<'_, S> {
        Launcher {
            system: self.system,
            environment: &self.configuration.environment,
            library_path: self.library_path.as_str(),
            debug: self.system.own_debug_flags() != 0,
        }
    }
}
