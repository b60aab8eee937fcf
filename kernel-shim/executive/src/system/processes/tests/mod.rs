// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes, threads, waits, tokens and sessions, rule by rule (spec 1.1, 1.4, 9.3, 9.7, 11.1,
//! 12.5).

mod life;
mod rights;
mod waits;

use super::create::Stack;
use super::*;
use crate::host::machine::MemoryMachine;
use crate::machine::{Context, Stop};
use crate::se::token::{CHANGE_NOTIFY, DEBUG, LOAD_DRIVER};
use crate::{Completion, Version};
use alloc::boxed::Box;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::object::{Attributes, ObjectAttributes};
use nt::{UnicodeStr, wide};

const MILLISECOND: i64 = 10_000;

/// A system with its namespace and some processes of the System's token.
struct Bench {
    executive: Executive,
    machine: MemoryMachine,
    thread: ThreadId,
}

impl Bench {
    fn new(version: Version) -> Self {
        let machine = MemoryMachine::new(65536, Vec::new());
        let mut executive = Executive::new(Box::new(machine.clone()), version);
        executive.make_namespace(true).unwrap();
        let mut this = Self {
            executive,
            machine,
            thread: ThreadId::SYSTEM,
        };
        this.thread = this.process(ProcessId::SYSTEM).1;
        this
    }

    fn process(&mut self, parent: ProcessId) -> (ProcessId, ThreadId) {
        let process = self.executive.make_process(parent, false).unwrap();
        (process, self.thread_of(process))
    }

    fn thread_of(&mut self, process: ProcessId) -> ThreadId {
        let thread = self
            .executive
            .make_thread(process, &Context::default(), Stack::default())
            .unwrap();
        self.executive.resume(thread).unwrap();
        thread
    }

    fn own(&self) -> ProcessId {
        self.executive.thread(self.thread).unwrap().process
    }

    /// A handle of the bench's process to another one.
    fn handle_to(&mut self, process: ProcessId, access: Access) -> Handle {
        let object = self.executive.process(process).unwrap().object;
        self.executive
            .open_by_id(self.thread, object, access, Attributes::empty())
            .unwrap()
    }

    fn handle_to_thread(&mut self, thread: ThreadId) -> Handle {
        let object = self.executive.thread(thread).unwrap().object;
        self.executive
            .open_by_id(self.thread, object, Access::THREAD_ALL, Attributes::empty())
            .unwrap()
    }

    fn event(&mut self, notification: bool) -> Handle {
        self.executive
            .create_event(
                self.thread,
                &ObjectAttributes::unnamed(),
                Access::EVENT_ALL,
                notification,
                false,
            )
            .unwrap()
            .handle
    }

    fn runnable(&self, thread: ThreadId) -> bool {
        self.machine.state().is_runnable(thread)
    }

    fn pass(&mut self, hundred_nanoseconds: u64) {
        self.machine.state().uptime += hundred_nanoseconds;
        self.executive.expire_timers();
    }

    fn enable(&mut self, privilege: u32, on: bool) {
        let token = self.executive.process_of(self.thread).unwrap().token;
        let attributes = if on { 2 } else { 0 };
        self.executive
            .token_mut(token)
            .unwrap()
            .adjust(Some(&[(privilege.into(), attributes)]), true);
    }

    fn stop(&self) -> Option<u32> {
        match self.machine.state().stop {
            Some(Stop::Bugcheck { code, .. }) => Some(code),
            _ => None,
        }
    }
}

fn bench() -> Bench {
    Bench::new(Version::V5_2)
}
