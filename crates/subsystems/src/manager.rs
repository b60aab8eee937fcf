// SPDX-License-Identifier: GPL-2.0-or-later
//! The state behind `\SmApiPort`: one value that lives as long as the process.
//!
//! Everything that more than one thread sees is in [`Tables`], behind one lock that is held for
//! table work only, never across a wait, an LPC call or a process creation (spec 9.4). Handles in
//! the tables are closed by whoever takes them out.

use crate::children::Children;
use crate::clients::Client;
use crate::deadline::{DEADLINES, Deadline};
use crate::environments::Environments;
use crate::gate::Gate;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::servers::Server;
use crate::sessions::Terminal;
use crate::slots::Slots;
use nt::access::Access;
use nt::relax::Mutex;
use nt::system::{Objects, System, Timeout, Wait};
use nt::{Handle, ObjectAttributes, Owned, Result, Status};
use spin::Once;

/// Clients connected at once; more are refused.
pub const CLIENTS: usize = 512;
/// Subsystem servers at once.
pub const SERVERS: usize = 256;
/// Terminal sessions at once.
pub const SESSIONS: usize = 128;

/// Small things first: the layout keeps them, and the lock in front of them, within short reach of
/// the code.
#[repr(C)]
pub(crate) struct Tables {
    /// The connection port `\SmApiPort`.
    pub(crate) port: Handle,
    /// smss's own connection to it, as a client.
    pub(crate) own_client: Handle,
    /// The session whose space smss is in.
    pub(crate) attached: Option<u32>,
    /// API threads, and how many of them wait for a message.
    pub(crate) threads: u32,
    pub(crate) idle: u32,
    pub(crate) clients: Slots<Client, CLIENTS>,
    pub(crate) servers: Slots<Server, SERVERS>,
    pub(crate) sessions: Slots<Terminal, SESSIONS>,
    pub(crate) environments: Environments,
    pub(crate) children: Children,
}

/// Room for the tables: zeros in the image, so that they take neither a place in the file nor any
/// of the stack.
pub struct TableSpace(Mutex<Tables>);

impl TableSpace {
    /// Empty tables.
    #[allow(clippy::new_without_default, reason = "a constant, for a static")]
    pub const fn new() -> Self {
        Self(Mutex::new(Tables {
            clients: Slots::new(),
            servers: Slots::new(),
            sessions: Slots::new(),
            environments: Environments::new(),
            children: Children::new(),
            port: Handle::NULL,
            own_client: Handle::NULL,
            attached: None,
            threads: 0,
            idle: 0,
        }))
    }
}

/// The Session Manager's server side.
pub struct Manager<S: System> {
    pub(crate) system: &'static S,
    pub(crate) policy: &'static Policy,
    plan: Once<&'static dyn Plan<S>>,
    pub(crate) tables: &'static Mutex<Tables>,
    pub(crate) gate: Gate,
    pub(crate) deadlines: [Deadline<S>; DEADLINES],
}

/// How much is in the tables: what must be back at its start after clients and sessions came and
/// went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Connected clients.
    pub clients: usize,
    /// Subsystem server records.
    pub servers: usize,
    /// Terminal sessions.
    pub sessions: usize,
    /// Environment sessions.
    pub environments: usize,
    /// API threads.
    pub threads: u32,
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
            deadlines: core::array::from_fn(|_| Deadline::new(system)),
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
        let tables = self.tables.lock();
        Counts {
            clients: tables.clients.len(),
            servers: tables.servers.len(),
            sessions: tables.sessions.len(),
            environments: tables.environments.len(),
            threads: tables.threads,
        }
    }

    /// Closes `handle` if it is one.
    #[inline(never)]
    pub(crate) fn close(&self, handle: Handle) {
        if !handle.is_null()
            && let Err(status) = self.system.close(handle)
        {
            nt::warn!("handle {handle:?}: {status}: not closed");
        }
    }
}

/// An event without a name, not signalled.
#[inline(never)]
pub(crate) fn new_event<S: Objects>(system: &S) -> Result<Owned<'_, S>> {
    Ok(Owned::new(
        system,
        system.create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)?,
    ))
}

/// Ends `process`, whose id is `id`, with `status`, if there is one and it has not ended by itself.
#[inline(never)]
pub(crate) fn terminate<S: System>(system: &S, process: Handle, id: u64, status: Status) {
    if process.is_null() {
        return;
    }
    match system.terminate_process(process, status) {
        Ok(()) | Err(Status::PROCESS_IS_TERMINATING) => {}
        Err(status) => nt::error!("process {id}: {status}: not ended"),
    }
}

/// Waits until `process` has ended. `IO_TIMEOUT` if it does not in time.
#[inline(never)]
pub(crate) fn wait_for_end<S: System>(system: &S, process: Handle, timeout: Timeout) -> Result<()> {
    match system.wait_one(process, timeout)? {
        Wait::Object(_) => Ok(()),
        Wait::Timeout => Err(Status::IO_TIMEOUT),
    }
}
