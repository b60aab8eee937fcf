// SPDX-License-Identifier: GPL-2.0-or-later
//! The Session Manager's server side as one value that lives as long as the process: the tables,
//! what guards them, and what the boot has told.
//!
//! The verbs are functions over it, one file a subject; this file knows none of them.

use crate::gate::Gate;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::state::{Counts, TableSpace, Tables};
use crate::watchdog::Watchdogs;
use nt::lock::Mutex;
use nt::system::System;
use nt::{Result, Status};
use spin::Once;

/// Room for all that many threads share: zeros in the image, so that it takes neither a place in the
/// file nor any of the stack.
pub struct Space<S: System> {
    /// The tables.
    pub tables: TableSpace,
    gate: Gate,
    watchdogs: Watchdogs<S>,
}

impl<S: System> Space<S> {
    /// Empty tables, an open gate, no call under way.
    #[allow(clippy::new_without_default, reason = "a constant, for a static")]
    pub const fn new() -> Self {
        Self {
            tables: TableSpace::new(),
            gate: Gate::new(),
            watchdogs: Watchdogs::new(),
        }
    }
}

/// The Session Manager's server side.
pub struct Manager<S: System> {
    pub(crate) system: S,
    pub(crate) policy: &'static Policy,
    plan: Once<&'static dyn Plan<S>>,
    pub(crate) tables: &'static Mutex<Tables>,
    pub(crate) gate: &'static Gate,
    pub(crate) watchdogs: &'static Watchdogs<S>,
}

impl<S: System> Manager<S> {
    /// The state before anything has happened, for the version that `system` reports. `space` is
    /// this manager's alone.
    pub fn new(system: S, space: &'static Space<S>) -> Self {
        Self {
            system,
            policy: Policy::for_version(system.version()),
            plan: Once::new(),
            tables: &space.tables.0,
            gate: &space.gate,
            watchdogs: &space.watchdogs,
        }
    }

    /// What the NT version decides.
    pub const fn policy(&self) -> &'static Policy {
        self.policy
    }

    /// Tells what the registry says. Requests that need it are refused before. The first call wins.
    pub fn publish(&self, plan: &'static dyn Plan<S>) {
        self.plan.call_once(|| plan);
    }

    /// What the registry says. `DEVICE_NOT_READY` while the boot has not read it yet.
    pub(crate) fn plan(&self) -> Result<&'static dyn Plan<S>> {
        self.published().ok_or(Status::DEVICE_NOT_READY)
    }

    #[inline(never)]
    fn published(&self) -> Option<&'static dyn Plan<S>> {
        self.plan.get().copied()
    }

    /// How much is in the tables now.
    pub fn counts(&self) -> Counts {
        self.tables.lock().counts()
    }
}
