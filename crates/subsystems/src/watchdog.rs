// SPDX-License-Identifier: GPL-2.0-or-later
//! A bound on a call into another process.
//!
//! An LPC request has no time limit. For the time of the call a thread stands by that ends the
//! called process when the time is over; the kernel then breaks its ports and the call returns with
//! an error. Used for servers of sessions other than 0 only: session 0's csrss is critical, and
//! ending it would end the system.

use crate::kernel::{new_event, terminate};
use crate::state::ids::ProcessId;
use crate::state::servers::Server;
use nt::lock::Mutex;
use nt::system::{MessageBuffer, System, ThreadBody, Timeout, Wait};
use nt::{Handle, Owned, Result, Status};

/// How long a server of a session other than 0 may take for anything (spec 9.4), in milliseconds.
pub const SERVER_TIMEOUT: u32 = 60_000;
/// Calls under way at once.
const CALLS: usize = 16;

#[derive(Clone, Copy)]
struct Call {
    done: Handle,
    process: Handle,
    /// Its id.
    process_id: Option<ProcessId>,
}

/// One bound, free or watching over a call.
struct Watchdog<S: System> {
    system: &'static S,
    call: Mutex<Option<Call>>,
}

impl<S: System> Watchdog<S> {
    /// Takes the place for `call` if it is free.
    fn take(&self, call: Call) -> bool {
        let mut place = self.call.lock();
        let free = place.is_none();
        if free {
            *place = Some(call);
        }
        free
    }
}

impl<S: System> ThreadBody for Watchdog<S> {
    fn run(&'static self) {
        let Some(call) = *self.call.lock() else {
            return;
        };
        if self
            .system
            .wait_one(call.done, Timeout::Milliseconds(SERVER_TIMEOUT))
            == Ok(Wait::Timeout)
        {
            nt::error!(
                "process {}: a subsystem server that does not answer in time: it is ended",
                call.process_id.map_or(0, ProcessId::number)
            );
            terminate(
                self.system,
                call.process,
                call.process_id,
                Status::IO_TIMEOUT,
            );
        }
    }
}

/// All the places there are for bounded calls.
pub(crate) struct Watchdogs<S: System> {
    system: &'static S,
    places: [Watchdog<S>; CALLS],
}

impl<S: System> Watchdogs<S> {
    pub(crate) fn new(system: &'static S) -> Self {
        Self {
            system,
            places: core::array::from_fn(|_| Watchdog {
                system,
                call: Mutex::new(None),
            }),
        }
    }

    /// Calls `server`, ending it if it takes longer than [`SERVER_TIMEOUT`].
    /// `INSUFF_SERVER_RESOURCES` if too many calls are under way. The caller keeps the handles
    /// of `server` open. Blocks.
    #[inline(never)]
    pub(crate) fn call(&'static self, server: &Server, message: &mut MessageBuffer) -> Result<()> {
        let system = self.system;
        let done = new_event(system)?;
        let call = Call {
            done: done.get(),
            process: server.process,
            process_id: server.process_id,
        };
        let Some(watchdog) = self.places.iter().find(|watchdog| watchdog.take(call)) else {
            return Err(Status::INSUFF_SERVER_RESOURCES);
        };
        let result = system.create_thread(watchdog).and_then(|thread| {
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
        *watchdog.call.lock() = None;
        result
    }
}
