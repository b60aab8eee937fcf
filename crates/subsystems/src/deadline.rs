// SPDX-License-Identifier: GPL-2.0-or-later
//! A bound on a call into another process.
//!
//! An LPC request has no time limit. For the time of the call a thread stands by that ends the
//! called process when the time is over; the kernel then breaks its ports and the call returns with
//! an error. Used for servers of sessions other than 0 only: session 0's csrss is critical, and
//! ending it would end the system.

use crate::manager::{Manager, new_event, terminate};
use crate::servers::Server;
use nt::relax::Mutex;
use nt::system::{MessageBuffer, System, ThreadBody, Timeout, Wait};
use nt::{Handle, Owned, Result, Status};

/// How long a server of a session other than 0 may take for anything (spec 9.4), in milliseconds.
pub const SERVER_TIMEOUT: u32 = 60_000;
/// Calls under way at once.
pub(crate) const DEADLINES: usize = 16;

#[derive(Clone, Copy)]
struct Armed {
    done: Handle,
    process: Handle,
    /// Its id.
    id: u64,
}

/// One bound, free or armed.
pub(crate) struct Deadline<S: System> {
    system: &'static S,
    armed: Mutex<Option<Armed>>,
}

impl<S: System> Deadline<S> {
    pub(crate) const fn new(system: &'static S) -> Self {
        Self {
            system,
            armed: Mutex::new(None),
        }
    }

    fn arm(&self, armed: Armed) -> bool {
        let mut place = self.armed.lock();
        let free = place.is_none();
        if free {
            *place = Some(armed);
        }
        free
    }
}

impl<S: System> ThreadBody for Deadline<S> {
    fn run(&'static self) {
        let Some(armed) = *self.armed.lock() else {
            return;
        };
        if self
            .system
            .wait_one(armed.done, Timeout::Milliseconds(SERVER_TIMEOUT))
            == Ok(Wait::Timeout)
        {
            nt::error!(
                "process {}: a subsystem server that does not answer in time: it is ended",
                armed.id
            );
            terminate(self.system, armed.process, armed.id, Status::IO_TIMEOUT);
        }
    }
}

impl<S: System> Manager<S> {
    /// Calls `server`, ending it if it takes longer than [`SERVER_TIMEOUT`].
    /// `INSUFF_SERVER_RESOURCES` if too many calls are under way. The caller keeps the handles
    /// of `server` open.
    #[inline(never)]
    pub(crate) fn bounded_call(
        &'static self,
        server: &Server,
        message: &mut MessageBuffer,
    ) -> Result<()> {
        let system = self.system;
        let done = new_event(system)?;
        let armed = Armed {
            done: done.get(),
            process: server.process,
            id: server.client.process,
        };
        let Some(deadline) = self.deadlines.iter().find(|deadline| deadline.arm(armed)) else {
            return Err(Status::INSUFF_SERVER_RESOURCES);
        };
        let result = system.create_thread(deadline).and_then(|thread| {
            let thread = Owned::new(system, thread);
            let result = system.request_wait_reply(server.callback, message);
            // The thread still reads `done` and `process`: neither may be closed before it has
            // ended.
            let over = system
                .set_event(done.get())
                .and_then(|()| system.wait_one(thread.get(), Timeout::Never));
            if let Err(status) = over {
                nt::warn!("subsystem server: time limit: {status}");
            }
            result
        });
        *deadline.armed.lock() = None;
        result
    }
}
