// SPDX-License-Identifier: GPL-2.0-or-later
//! The system: the areas' states in one [`Executive`], and what spans them.
//!
//! An area (`ob`, `se`, `ke`, `ps`, `mm`, `io`, `cm`, `lpc`, `ex`) is a folder whose types keep their
//! own invariants and know no [`Executive`]. A service mostly needs several of them at once: a file's
//! section is a handle, an object, a file, a segment and its pages; a thread's end is a wait, ports,
//! mutants, memory, a signal. Such services are methods of [`Executive`], here, by subject. That is
//! also where the borrow checker draws the line: an area that called another would have to be lent
//! it, and everything that it may call in turn.
//!
//! Below it stand the areas, above it the system calls, the host's seam and the dump; the test
//! `imports_run_one_way` holds all of them to that order.

mod boot;
pub mod files;
pub mod hard_errors;
mod locks;
pub mod memory;
mod namespace;
mod noted;
mod objects;
#[cfg(test)]
mod objects_tests;
pub mod ports;
pub mod processes;
pub mod registry;
mod types;
pub mod waits;

use crate::ids::{ProcessId, ThreadId};
use crate::machine::{Architecture, Machine};
use crate::{cm, ex, io, lpc, mm, ob, ps, trace};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use core::any::Any;

pub use types::{Body, TYPES};

/// How a service that may block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion<T> {
    /// It is done.
    Done(T),
    /// The calling thread is parked; [`Executive::take_completion`] has the status once it runs
    /// again.
    Pending,
}

/// The version the system reports, and with it what the kernel allows (spec 11.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Server 2003.
    V5_2,
    /// Windows 7.
    V6_1,
}

/// One running system.
pub struct Executive {
    /// What it stands on.
    machine: Box<dyn Machine>,
    /// The version it reports.
    version: Version,
    /// Objects, their names, device maps, types.
    ob: ob::Manager<Self>,
    /// Processes, until the last reference to them goes.
    processes: BTreeMap<ProcessId, ps::Process>,
    /// Threads, until the last reference to them goes.
    threads: BTreeMap<ThreadId, ps::Thread>,
    /// Sessions and their spaces.
    sessions: ps::Sessions,
    /// Ports and messages.
    lpc: lpc::Lpc,
    /// What ended a thread's wait for a port, until its call is finished.
    port_events: BTreeMap<ThreadId, lpc::Event>,
    /// The views that go with an end of a connection: whose, and where.
    port_views: BTreeMap<lpc::PortId, (ProcessId, u64)>,
    /// The registry.
    registry: cm::Registry,
    /// Devices, volumes, paging files.
    io: io::Io,
    /// Section bookkeeping that belongs to no one object.
    mm: mm::Mm,
    /// Hard errors.
    hard_errors: ex::hard_errors::HardErrors,
    /// The trace of system calls.
    trace: trace::Trace,
    /// The Session Manager, once it was started.
    session_manager: Option<ProcessId>,
    /// `NtGlobalFlag`.
    global_flag: u32,
    /// `ObjectSecurityMode` of the Session Manager key.
    object_security_mode: u32,
    /// What stopped the system.
    bug_check: Option<ex::hard_errors::BugCheck>,
    /// What the layer of the system calls keeps of a call whose thread waits: its own affair, but it
    /// goes with the thread.
    pending_calls: BTreeMap<ThreadId, Box<dyn Any + Send>>,
    /// When the waits of threads time out, the next one first; as their [`crate::ke::Waiting`] has it.
    deadlines: BTreeSet<(u64, ThreadId)>,
    next_ticket: u64,
    next_id: u32,
}

impl Executive {
    /// A system that has nothing but its System process: no names, no devices, no registry.
    pub fn new(machine: Box<dyn Machine>, version: Version) -> Self {
        let lpc = lpc::Lpc::new(machine.architecture());
        let mut this = Self {
            machine,
            version,
            ob: ob::Manager::new(&TYPES),
            processes: BTreeMap::new(),
            threads: BTreeMap::new(),
            sessions: ps::Sessions::default(),
            lpc,
            port_events: BTreeMap::new(),
            port_views: BTreeMap::new(),
            registry: cm::Registry::new(),
            io: io::Io::default(),
            mm: mm::Mm::default(),
            hard_errors: ex::hard_errors::HardErrors::default(),
            trace: trace::Trace::default(),
            session_manager: None,
            global_flag: 0,
            object_security_mode: 0,
            bug_check: None,
            pending_calls: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            next_ticket: 0,
            next_id: 0,
        };
        this.create_system_process();
        this
    }

    /// What the system stands on.
    pub fn machine(&self) -> &dyn Machine {
        &*self.machine
    }

    /// The same, to work with.
    pub fn machine_mut(&mut self) -> &mut dyn Machine {
        &mut *self.machine
    }

    /// What its programs are made for.
    pub fn architecture(&self) -> Architecture {
        self.machine.architecture()
    }

    /// The version it reports.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The trace of system calls.
    pub const fn trace(&self) -> &trace::Trace {
        &self.trace
    }

    /// The same, to write to.
    pub const fn trace_mut(&mut self) -> &mut trace::Trace {
        &mut self.trace
    }

    /// What stopped the system.
    pub const fn bug_check(&self) -> Option<&ex::hard_errors::BugCheck> {
        self.bug_check.as_ref()
    }

    /// `NtGlobalFlag`.
    pub const fn global_flag(&self) -> u32 {
        self.global_flag
    }

    /// `ObjectSecurityMode` of the Session Manager key, as it was when the system started.
    pub const fn object_security_mode(&self) -> u32 {
        self.object_security_mode
    }

    /// Sets `NtGlobalFlag`.
    pub(crate) const fn set_global_flag(&mut self, flags: u32) {
        self.global_flag = flags;
    }

    /// The Session Manager, once it was started.
    pub const fn session_manager(&self) -> Option<ProcessId> {
        self.session_manager
    }

    /// Processes, until the last reference to them goes.
    pub fn processes(&self) -> impl Iterator<Item = &ps::Process> {
        self.processes.values()
    }

    /// Sessions and their spaces.
    pub(crate) const fn sessions(&self) -> &ps::Sessions {
        &self.sessions
    }

    /// The registry.
    pub(crate) const fn registry(&self) -> &cm::Registry {
        &self.registry
    }

    /// Devices, volumes, paging files.
    pub(crate) const fn io(&self) -> &io::Io {
        &self.io
    }

    /// The volumes, and the machine whose disks they lie on.
    pub(crate) fn volumes_and_machine(&mut self) -> (&mut [io::Volume], &mut dyn Machine) {
        (self.io.volumes_mut(), &mut *self.machine)
    }

    /// Every segment of the memory manager.
    pub(crate) const fn segments(&self) -> &mm::segment::Segments {
        self.mm.segments()
    }

    /// Keeps what a call of a waiting thread will need when the thread runs again.
    pub(crate) fn keep_call(&mut self, thread: ThreadId, call: Box<dyn Any + Send>) {
        self.pending_calls.insert(thread, call);
    }

    /// What [`Self::keep_call`] kept, if the thread has not ended.
    pub(crate) fn take_call(&mut self, thread: ThreadId) -> Option<Box<dyn Any + Send>> {
        self.pending_calls.remove(&thread)
    }
}
