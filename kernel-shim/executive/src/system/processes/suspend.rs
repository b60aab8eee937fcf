// SPDX-License-Identifier: GPL-2.0-or-later
//! How a thread is stopped and let go on.

use crate::ids::ThreadId;
use crate::system::Executive;
use nt::access::Access;
use nt::{Handle, Result, Status};

/// `MAXIMUM_SUSPEND_COUNT`.
const MAXIMUM_SUSPEND_COUNT: u32 = 0x7f;

impl Executive {
    /// NtSuspendThread: the count before.
    ///
    /// # Errors
    /// `SUSPEND_COUNT_EXCEEDED`, `THREAD_IS_TERMINATING`, and as [`resolve`](crate::ob::lifetime::Lifetimes::resolve).
    pub fn suspend_thread(&mut self, caller: ThreadId, thread: Handle) -> Result<u32> {
        let id = self.thread_behind(caller, thread, Access::THREAD_SUSPEND_RESUME)?;
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
    /// As [`resolve`](crate::ob::lifetime::Lifetimes::resolve).
    pub fn resume_thread(&mut self, caller: ThreadId, thread: Handle) -> Result<u32> {
        let id = self.thread_behind(caller, thread, Access::THREAD_SUSPEND_RESUME)?;
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
