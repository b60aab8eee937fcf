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

/// The Session Manager's server side.
pub struct Manager<S: System> {
    pub(crate) system: &'static S,
    pub(crate) policy: &'static Policy,
    plan: Once<&'static dyn Plan<S>>,
    pub(crate) tables: &'static Mutex<Tables>,
    pub(crate) gate: Gate,
    pub(crate) watchdogs: Watchdogs<S>,
}

impl<S: System> Manager<S> {
    /// The state before anything has happened, for the version that `system` reports. `tables` are
    /// this manager's alone.
    pub fn new(system: &'static S, tables: &'static TableSpace) -> Self {
        Self {
            system,
            policy: Policy::for_version(system.version()),
            plan: Once::new(),
            tables: &tables.0,
            gate: Gate::new(),
            watchdogs: Watchdogs::new(system),
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
