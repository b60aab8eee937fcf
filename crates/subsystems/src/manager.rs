// SPDX-License-Identifier: GPL-2.0-or-later
//! The Session Manager's server side as one value that lives as long as the process: the tables,
//! what guards them, and what the boot has told.
//!
//! The verbs are functions over it, one file a subject; this file knows none of them.

use crate::gate::Gate;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::state::{Counts, TableSpace};
use crate::watchdog::Watchdogs;
use nt::lock::Mutex;
use nt::system::System;
use nt::{Result, Status};

/// The Session Manager's server side. Before anything has happened all of it is zeros, so that in the
/// image it takes neither a place in the file nor any of the stack.
///
/// The tables come first, and the layout keeps them there: most of the code that is given a manager
/// takes their lock, which is the manager's own address then.
#[repr(C)]
pub struct Manager<S: System> {
    /// The tables.
    pub tables: TableSpace,
    pub(crate) system: S,
    plan: Mutex<Option<&'static dyn Plan<S>>>,
    pub(crate) gate: Gate,
    pub(crate) watchdogs: Watchdogs<S>,
}

impl<S: System> Manager<S> {
    /// The state before anything has happened: empty tables, an open gate, no call under way.
    pub const fn new(system: S) -> Self {
        Self {
            tables: TableSpace::new(),
            system,
            plan: Mutex::new(None),
            gate: Gate::new(),
            watchdogs: Watchdogs::new(),
        }
    }

    /// What the NT version decides, for the one that the system reports.
    #[inline(never)]
    pub fn policy(&self) -> &'static Policy {
        Policy::for_version(self.system.version())
    }

    /// Tells what the registry says. Requests that need it are refused before. The first call wins.
    pub fn publish(&self, plan: &'static dyn Plan<S>) {
        self.plan.lock().get_or_insert(plan);
    }

    /// What the registry says. `DEVICE_NOT_READY` while the boot has not read it yet.
    #[inline(always)]
    pub(crate) fn plan(&self) -> Result<&'static dyn Plan<S>> {
        self.published().ok_or(Status::DEVICE_NOT_READY)
    }

    #[inline(never)]
    fn published(&self) -> Option<&'static dyn Plan<S>> {
        *self.plan.lock()
    }

    /// How much is in the tables now.
    pub fn counts(&self) -> Counts {
        self.tables.lock().counts()
    }
}
