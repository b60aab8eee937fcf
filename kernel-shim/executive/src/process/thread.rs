// SPDX-License-Identifier: GPL-2.0-or-later
//! What a thread is, and how it is stopped and let go on.

use super::wait::Waiting;
use crate::Executive;
use crate::ids::{ObjectId, ProcessId, ThreadId};
use nt::{Handle, Result, Status};

/// `THREAD_SUSPEND_RESUME`.
const THREAD_SUSPEND_RESUME: u32 = 2;
/// `MAXIMUM_SUSPEND_COUNT`.
const MAXIMUM_SUSPEND_COUNT: u32 = 0x7f;

/// A thread.
#[derive(Debug)]
pub struct Thread {
    /// `UniqueThread`.
    pub id: ThreadId,
    /// Its object.
    pub object: ObjectId,
    /// Its process.
    pub process: ProcessId,
    /// Where its TEB is; 0 for a thread of the System process.
    pub teb: u64,
    /// Where it starts, as NtQueryInformationThread tells.
    pub start_address: u64,
    /// What it waits for.
    pub wait: Option<Waiting>,
    /// What its wait gave, until its call takes it.
    pub completion: Option<Status>,
    /// How often it was suspended.
    pub suspended: u32,
    /// It has ended.
    pub ended: bool,
    /// Exit status; `PENDING` before.
    pub exit_status: Status,
    /// `ThreadBreakOnTermination`.
    pub critical: bool,
    /// `HardErrorsAreDisabled`.
    pub hard_errors_disabled: bool,
    /// The token it acts with instead of its process's: an object, to which it holds a reference.
    pub impersonation: Option<ObjectId>,
    /// When it was made, NT time.
    pub create_time: u64,
}

impl Executive {
    /// NtSuspendThread: the count before.
    ///
    /// # Errors
    /// `SUSPEND_COUNT_EXCEEDED`, `THREAD_IS_TERMINATING`, and as [`Executive::resolve`].
    pub fn suspend_thread(&mut self, caller: ThreadId, thread: Handle) -> Result<u32> {
        let id = self.thread_behind(caller, thread, THREAD_SUSPEND_RESUME)?;
        let thread = self.thread_mut(id)?;
        if thread.ended {
            return Err(Status::THREAD_IS_TERMINATING);
        }
        let before = thread.suspended;
        if before >= MAXIMUM_SUSPEND_COUNT {
            return Err(Status::SUSPEND_COUNT_EXCEEDED);
        }
        thread.suspended += 1;
        self.update_runnable(id);
        Ok(before)
    }

    /// NtResumeThread: the count before. A thread that is not suspended stays as it is.
    ///
    /// # Errors
    /// As [`Executive::resolve`].
    pub fn resume_thread(&mut self, caller: ThreadId, thread: Handle) -> Result<u32> {
        let id = self.thread_behind(caller, thread, THREAD_SUSPEND_RESUME)?;
        self.resume(id)
    }

    pub(crate) fn resume(&mut self, id: ThreadId) -> Result<u32> {
        let thread = self.thread_mut(id)?;
        let before = thread.suspended;
        thread.suspended = before.saturating_sub(1);
        self.update_runnable(id);
        Ok(before)
    }
}
