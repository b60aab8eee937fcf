// SPDX-License-Identifier: GPL-2.0-or-later
//! The NT executive of the shim: objects, processes, the registry, ports, memory, files, without a
//! line of machine code.
//!
//! One [`Executive`] is one running system. It stands on a [`machine::Machine`]: the shim's kernel
//! on the bare hardware, or a machine in memory on the host ([`host`]), where the same Session
//! Manager runs as threads of a test.
//!
//! How a module adds what it has:
//! * *a type of objects*: a variant of [`object::Body`], a row of [`object::types::INFO`] with its
//!   hooks;
//! * *a service*: a method of [`Executive`] that takes the calling thread's id and typed arguments
//!   and gives a typed result. System calls (`services`) and the host seam are two ways to call it;
//! * *a service that blocks*: it parks the thread ([`Executive::park`], [`Executive::wait`]) and
//!   says [`Outcome::Pending`]. Whoever ends the wait calls [`Executive::unpark`]; when the thread
//!   runs again, [`Executive::take_completion`] has the status of its call.
//!
//! Invariants: nothing here blocks the processor; nothing depends on addresses or on the host's
//! time, so that the same boot takes the same course every time.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "host"))]
extern crate std;

pub mod blocks;
mod boot;
pub mod cm;
pub mod dump;
pub mod harderror;
#[cfg(any(test, feature = "host"))]
pub mod host;
pub mod ids;
pub mod io;
pub mod lpc;
pub mod machine;
pub mod mm;
pub mod nls;
pub mod object;
pub mod process;
pub mod services;
pub mod sysinfo;
pub mod trace;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ids::{ObjectId, ProcessId, ThreadId};
use machine::Machine;

/// How a service that may block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
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
    pub machine: Box<dyn Machine>,
    /// The version it reports.
    pub version: Version,
    /// Every object.
    pub objects: object::Table,
    /// The root of the namespace, `\\`.
    pub root: ObjectId,
    /// Device maps; the first is the system's.
    pub device_maps: Vec<object::DeviceMap>,
    /// Processes, until the last reference to them goes.
    pub processes: BTreeMap<ProcessId, process::Process>,
    /// Threads, until the last reference to them goes.
    pub threads: BTreeMap<ThreadId, process::Thread>,
    /// Sessions and their spaces.
    pub sessions: process::Sessions,
    /// Ports and messages.
    pub lpc: lpc::Lpc,
    /// What ended a thread's wait for a port, until its call is finished.
    pub port_events: BTreeMap<ThreadId, lpc::Event>,
    /// The registry.
    pub registry: cm::Registry,
    /// Devices, volumes, paging files.
    pub io: io::Io,
    /// Section bookkeeping that belongs to no one object.
    pub mm: mm::Mm,
    /// Hard errors.
    pub hard_errors: harderror::HardErrors,
    /// The trace of system calls.
    pub trace: trace::Trace,
    /// The Session Manager, once it was started.
    pub session_manager: Option<ProcessId>,
    /// `NtGlobalFlag`.
    pub global_flag: u32,
    /// What stopped the system.
    pub bug_check: Option<harderror::BugCheck>,
    /// System calls of threads that wait.
    pub pending_calls: BTreeMap<ThreadId, services::Waiting>,
    next_id: u32,
}

impl Executive {
    /// A system that has nothing but its System process: no names, no devices, no registry.
    pub fn new(machine: Box<dyn Machine>, version: Version) -> Self {
        let mut objects = object::Table::new();
        let root = objects.insert(object::Body::Directory(object::Directory::default()));
        if let Some(root) = objects.get_mut(root) {
            root.permanent = true;
        }
        let mut this = Self {
            machine,
            version,
            objects,
            root,
            device_maps: Vec::new(),
            processes: BTreeMap::new(),
            threads: BTreeMap::new(),
            sessions: process::Sessions::default(),
            lpc: lpc::Lpc::new(),
            port_events: BTreeMap::new(),
            registry: cm::Registry::new(),
            io: io::Io::default(),
            mm: mm::Mm::default(),
            hard_errors: harderror::HardErrors::default(),
            trace: trace::Trace::default(),
            session_manager: None,
            global_flag: 0,
            bug_check: None,
            pending_calls: BTreeMap::new(),
            next_id: 0,
        };
        this.create_system_process();
        this
    }
}
