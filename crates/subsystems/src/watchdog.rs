// SPDX-License-Identifier: GPL-2.0-or-later
//! A bound on a call into another process.
//!
//! An LPC request has no time limit. For the time of the call a thread stands by that ends the
//! called process when the time is over; the kernel then breaks its ports and the call returns with
//! an error. Used for servers of sessions other than 0 only: session 0's csrss is critical, and
//! ending it would end the system.
//!
//! Who may touch what while the two threads part is decided by the place they share: the process is
//! ended only by a thread that found the call unanswered and said so first, and the caller, whose
//! handles are used for that, waits for it then. So neither a wait nor a signal that fails lets one
//! pull something from under the other.

use crate::kernel::{new_event, terminate};
use crate::policy::SERVER_TIMEOUT;
use crate::state::ids::ProcessId;
use crate::state::servers::Server;
use crate::state::threads::MAXIMUM_THREADS;
use nt::lock::Mutex;
use nt::system::{MessageBuffer, System, ThreadBody, Timeout, Wait};
use nt::{Handle, Owned, Result, Status};

/// How often the thread looks whether the call is answered even though it was not signalled, in
/// milliseconds.
const LOOK: u32 = 5_000;
/// Calls under way at once: every API thread may be in one, and the main thread.
const CALLS: usize = MAXIMUM_THREADS as usize + 1;

#[derive(Clone, Copy)]
struct Call<S: System> {
    system: S,
    /// Signalled when the call is answered.
    done: Handle,
    process: Handle,
    /// Its id.
    process_id: Option<ProcessId>,
}

/// What a place is used for.
enum Use<C> {
    /// Nothing.
    Free,
    /// The call is under way.
    Watched(C),
    /// The call is answered; the thread has not looked yet, and frees the place.
    Answered,
    /// The thread ends the called process, and the caller frees the place.
    Ending,
    /// The thread has ended; the caller frees the place.
    Left,
}

/// What the caller and the thread that watches over the call share.
struct Place<C>(Mutex<Use<C>>);

impl<C: Copy> Place<C> {
    const fn new() -> Self {
        Self(Mutex::new(Use::Free))
    }

    /// Takes the place for `call` if it is free.
    fn take(&self, call: C) -> bool {
        let mut place = self.0.lock();
        let free = matches!(*place, Use::Free);
        if free {
            *place = Use::Watched(call);
        }
        free
    }

    /// The call, if it is still under way.
    fn call(&self) -> Option<C> {
        match *self.0.lock() {
            Use::Watched(call) => Some(call),
            _ => None,
        }
    }

    /// The same; who asks ends the called process.
    fn end(&self) -> Option<C> {
        let mut place = self.0.lock();
        let Use::Watched(call) = *place else {
            return None;
        };
        *place = Use::Ending;
        Some(call)
    }

    /// Whether the thread is ending the called process, with the caller's handles.
    fn is_ending(&self) -> bool {
        matches!(*self.0.lock(), Use::Ending)
    }

    /// The thread no longer touches anything that belongs to the caller.
    fn leave(&self) {
        let mut place = self.0.lock();
        *place = match *place {
            Use::Answered => Use::Free,
            _ => Use::Left,
        };
    }

    /// The call is answered: whether the thread still uses the caller's handles.
    fn answered(&self) -> bool {
        let mut place = self.0.lock();
        match *place {
            Use::Watched(_) => *place = Use::Answered,
            Use::Ending => return true,
            _ => *place = Use::Free,
        }
        false
    }

    /// There is no thread, or it has left.
    fn free(&self) {
        *self.0.lock() = Use::Free;
    }
}

impl<S: System> ThreadBody for Place<Call<S>> {
    fn run(&'static self) {
        let mut waited = 0;
        while let Some(call) = self.call() {
            let system = call.system;
            if waited >= SERVER_TIMEOUT {
                if let Some(call) = self.end() {
                    nt::error!(
                        "process {}: a subsystem server that does not answer in time: it is ended",
                        call.process_id.map_or(0, ProcessId::number)
                    );
                    terminate(system, call.process, call.process_id, Status::IO_TIMEOUT);
                }
                break;
            }
            match system.wait_one(call.done, Timeout::Milliseconds(LOOK)) {
                Ok(Wait::Object(_)) => break,
                Ok(Wait::Timeout) => {}
                // The bound holds all the same.
                Err(_) => drop(system.delay(LOOK)),
            }
            waited += LOOK;
        }
        self.leave();
    }
}

/// All the places there are for bounded calls.
pub(crate) struct Watchdogs<S: System>([Place<Call<S>>; CALLS]);

impl<S: System> Watchdogs<S> {
    pub(crate) const fn new() -> Self {
        Self([const { Place::new() }; CALLS])
    }

    /// Calls `server`, ending it if it takes longer than [`SERVER_TIMEOUT`].
    /// `INSUFF_SERVER_RESOURCES` if too many calls are under way. The caller keeps the handles
    /// of `server` open. Blocks.
    pub(crate) fn call(
        &'static self,
        system: S,
        server: &Server,
        message: &mut MessageBuffer,
    ) -> Result<()> {
        let done = new_event(system)?;
        let call = Call {
            system,
            done: done.get(),
            process: server.process,
            process_id: server.process_id,
        };
        let Some(place) = self.0.iter().find(|place| place.take(call)) else {
            return Err(Status::INSUFF_SERVER_RESOURCES);
        };
        let thread = match system.create_thread(place) {
            Ok(thread) => Owned::new(system, thread),
            Err(status) => {
                place.free();
                return Err(status);
            }
        };
        let result = system.request_wait_reply(server.callback, message);
        let signalled = system.set_event(done.get());
        if place.answered() {
            // It is about to be done, and a wait that fails must not let it act on closed handles.
            while place.is_ending() {
                let _ = system.wait_one(thread.get(), Timeout::Milliseconds(LOOK));
            }
            place.free();
        } else if signalled.is_ok() {
            // Its handles go with it, so that nothing is left of the call. If it cannot be waited
            // for, it finds the call answered all the same.
            let _ = system.wait_one(thread.get(), Timeout::Milliseconds(SERVER_TIMEOUT));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: u32 = 7;

    fn taken() -> Place<u32> {
        let place = Place::new();
        assert!(place.take(CALL));
        assert!(!place.take(CALL), "one call at a time");
        place
    }

    #[test]
    fn a_call_that_is_answered_first_is_not_ended_and_the_thread_frees_its_place() {
        let place = taken();
        assert!(place.call().is_some());
        assert!(!place.answered());
        assert!(place.call().is_none() && place.end().is_none());
        assert!(!place.take(CALL), "the thread has not looked yet");
        place.leave();
        assert!(place.take(CALL));
    }

    #[test]
    fn a_caller_waits_for_the_thread_that_ends_the_called_process_and_frees_the_place() {
        let place = taken();
        assert_eq!(place.end(), Some(CALL));
        assert!(place.end().is_none(), "once");
        assert!(place.answered() && place.is_ending());
        assert!(place.call().is_none());
        place.leave();
        assert!(!place.is_ending());
        assert!(!place.take(CALL), "the caller's handles go first");
        place.free();
        assert!(place.take(CALL));
    }

    #[test]
    fn a_thread_that_left_before_the_answer_leaves_the_place_to_the_caller() {
        let place = taken();
        assert!(place.end().is_some());
        place.leave();
        assert!(!place.answered());
        assert!(place.take(CALL));
    }
}
