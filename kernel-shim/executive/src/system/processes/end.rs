// SPDX-License-Identifier: GPL-2.0-or-later
//! How threads, processes and the system end (spec 1.1 row 6, 1.4, 12.5).
//!
//! A thread that ends leaves its wait, gives back its mutants, tells the ports that want to know,
//! and is signalled. With the last thread the process ends: its handles are closed, its memory
//! goes, it is signalled. Critical ones take the system with them.

use crate::ex::hard_errors::BugCheck;
use crate::ids::{ProcessId, ThreadId};
use crate::machine::Stop;
use crate::ob::prelude::*;
use crate::system::Executive;
use nt::access::Access;
use nt::{Handle, Result, Status};

/// `SESSION5_INITIALIZATION_FAILED`.
const SESSION5_INITIALIZATION_FAILED: u32 = 0x71;
/// `CRITICAL_PROCESS_DIED`.
const CRITICAL_PROCESS_DIED: u32 = 0xef;
/// `CRITICAL_OBJECT_TERMINATION`.
const CRITICAL_OBJECT_TERMINATION: u32 = 0xf4;
/// Dispatcher types, the first parameter of [`CRITICAL_OBJECT_TERMINATION`].
const PROCESS_OBJECT: u64 = 3;
const THREAD_OBJECT: u64 = 6;
/// The Session Manager must not end within this time from its start: 5 s.
const SESSION_MANAGER_WATCH: u64 = 50_000_000;

impl Executive {
    /// KeBugCheckEx: the first one counts. The machine runs nobody any more.
    pub fn stop_system(&mut self, check: BugCheck) {
        if self.bug_check.is_some() {
            return;
        }
        self.machine.stop(&Stop::Bugcheck {
            code: check.code,
            parameters: check.parameters,
        });
        self.bug_check = Some(check);
    }

    /// NtTerminateProcess. A null handle ends the caller's process's other threads only. A caller
    /// that ends its own process has ended when this returns.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`]; `PROCESS_IS_TERMINATING` for one that has ended.
    pub fn terminate_process(
        &mut self,
        caller: ThreadId,
        process: Handle,
        status: Status,
    ) -> Result<()> {
        let others_only = process.is_null();
        let wanted = if others_only {
            Handle::CURRENT_PROCESS
        } else {
            process
        };
        let id = self.process_behind(caller, wanted, Access::PROCESS_TERMINATE)?;
        let keep = others_only.then_some(caller);
        self.kill_process(id, keep, status)
    }

    /// Ends every thread of a process but `keep`, and with the last one the process.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`.
    pub fn kill_process(
        &mut self,
        process: ProcessId,
        keep: Option<ThreadId>,
        status: Status,
    ) -> Result<()> {
        let entry = self.process(process)?;
        if entry.ended {
            return Err(Status::PROCESS_IS_TERMINATING);
        }
        if entry.critical {
            self.stop_system(BugCheck::new(
                CRITICAL_OBJECT_TERMINATION,
                [PROCESS_OBJECT, process.0.into(), 0, 0],
            ));
            return Ok(());
        }
        let threads = entry.threads.clone();
        if threads.is_empty() {
            self.end_process(process, status);
        }
        for thread in threads.into_iter().filter(|thread| Some(*thread) != keep) {
            self.end_thread(thread, status);
        }
        Ok(())
    }

    /// NtTerminateThread. A null handle is the calling thread, unless it is its process's last one.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`]; `CANT_TERMINATE_SELF`.
    pub fn terminate_thread(
        &mut self,
        caller: ThreadId,
        thread: Handle,
        status: Status,
    ) -> Result<()> {
        if thread.is_null() && self.process_of(caller)?.threads.len() == 1 {
            return Err(Status::CANT_TERMINATE_SELF);
        }
        let wanted = if thread.is_null() {
            Handle::CURRENT_THREAD
        } else {
            thread
        };
        let id = self.thread_behind(caller, wanted, Access::THREAD_TERMINATE)?;
        if self.thread(id)?.critical {
            self.stop_system(BugCheck::new(
                CRITICAL_OBJECT_TERMINATION,
                [THREAD_OBJECT, id.0.into(), 0, 0],
            ));
            return Ok(());
        }
        self.end_thread(id, status);
        Ok(())
    }

    /// A host thread's body has returned: the thread ends.
    pub fn thread_returned(&mut self, thread: ThreadId) {
        self.end_thread(thread, Status::SUCCESS);
    }

    /// Ends a thread that runs, waits or is suspended.
    pub fn end_thread(&mut self, id: ThreadId, status: Status) {
        let now = self.now();
        let Some(thread) = self.threads.get_mut(&id).filter(|thread| !thread.ended) else {
            return;
        };
        thread.ended = true;
        thread.exit_time = now;
        thread.exit_status = status;
        let (object, process, teb) = (thread.object, thread.process, thread.teb);
        let impersonation = thread.impersonation.take();
        self.abandon_wait(id);
        self.leave_ports(id);
        self.abandon_mutants(id);
        self.machine.end_thread(id);
        if let Some(token) = impersonation {
            self.dereference(token);
        }
        if teb != 0 {
            self.release_thread_memory(process, teb);
        }
        let last = self.processes.get_mut(&process).is_some_and(|owner| {
            owner.threads.remove(&id);
            owner.threads.is_empty()
        });
        self.signal(object);
        // The reference that running held.
        self.dereference(object);
        if last {
            self.end_process(process, status);
        }
    }

    /// Ends a process without threads.
    pub fn end_process(&mut self, id: ProcessId, status: Status) {
        let now = self.now();
        let Some(process) = self.processes.get_mut(&id).filter(|process| !process.ended) else {
            return;
        };
        process.ended = true;
        process.exit_time = now;
        process.exit_status = status;
        let critical = process.critical;
        let (object, create_time) = (process.object, process.create_time);
        let (handles, section, port) = (
            process.handles.take(),
            process.section.take(),
            process.exception_port.take(),
        );
        self.process_ended(id, status);
        if critical {
            self.stop_system(BugCheck::new(CRITICAL_PROCESS_DIED, [id.0.into(), 0, 0, 0]));
        }
        if self.session_manager == Some(id) && self.now() < create_time + SESSION_MANAGER_WATCH {
            self.stop_system(BugCheck::new(
                SESSION5_INITIALIZATION_FAILED,
                [status.code().into(), 0, 0, 0],
            ));
        }
        for (_, entry) in handles.iter().flat_map(|handles| handles.iter()) {
            self.close_entry(id, entry);
        }
        self.leave_session(id);
        for object in section.into_iter().chain(port) {
            self.dereference(object);
        }
        self.delete_memory(id);
        self.signal(object);
        // The reference that running held.
        self.dereference(object);
    }
}
