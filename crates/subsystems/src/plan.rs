// SPDX-License-Identifier: GPL-2.0-or-later
//! What the registry says about subsystems and commands, as this crate wants to be told.
//!
//! The registry crate is not known here; the image implements [`Plan`] over it. Lists are asked for
//! by index, in order, until `None`.

use launch::Launcher;
use nt::system::System;
use nt::{Result, UnicodeStr};

/// A named subsystem and its command line, expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subsystem<'a> {
    /// Value name, such as `Windows`.
    pub name: UnicodeStr<'a>,
    /// Command line.
    pub command: UnicodeStr<'a>,
}

/// The configuration, as it stands after the registry pass.
pub trait Plan<S: System>: Sync {
    /// Entries of `Kmode` in the general list (spec 9.2 step 3): paths.
    fn kmode(&self, index: usize) -> Option<UnicodeStr<'_>>;

    /// The load list: `Required` names that have a value, in the order written.
    fn required(&self, index: usize) -> Option<Subsystem<'_>>;

    /// The deferred list: `Optional` names that have a value.
    fn optional(&self, index: usize) -> Option<Subsystem<'_>>;

    /// `Execute`.
    fn execute(&self, index: usize) -> Option<UnicodeStr<'_>>;

    /// `PosixSingleInstance` exists.
    fn posix_single_instance(&self) -> bool;

    /// `S0InitialCommand` (NT 6).
    fn session0_command(&self) -> Option<UnicodeStr<'_>>;

    /// `NumberOfInitialSessions` (NT 6).
    fn initial_sessions(&self) -> Option<u32>;

    /// What every child of smss gets: environment, library path, debug flag.
    fn launcher(&self) -> Launcher<'_, S>;
}

/// Calls `start` with the command of every required server of a session, in order (spec 9.2 #4);
/// `session` is for the log.
pub(crate) fn each_required<S: System>(
    plan: &dyn Plan<S>,
    session: u32,
    start: &mut dyn FnMut(UnicodeStr<'_>) -> Result<()>,
) -> Result<()> {
    for entry in (0..).map_while(|index| plan.required(index)) {
        // The debug subsystem is in the kernel since NT 5.1.
        if entry.name.eq_ascii("Debug") {
            continue;
        }
        if let Err(status) = start(entry.command) {
            nt::error!(
                "session {session}: subsystem {}: {}: {status}",
                entry.name,
                entry.command
            );
            return Err(status);
        }
    }
    Ok(())
}
