// SPDX-License-Identifier: GPL-2.0-or-later
//! One at a time: the right to create processes while smss may be inside a session's space.
//!
//! A process that smss creates joins the session smss is in (spec 9.3), so nobody may create one
//! while somebody else has smss inside a session. A spin lock cannot guard that, because the holder
//! waits for servers to come up; a thread that finds the gate shut waits on an event that the
//! holder signals.
//!
//! No wait is without a limit: the event only makes it quick. A waiter looks again by itself after
//! a while, so a signal that fails costs only time, and it gives up when the same holder stays
//! inside for too long.

use crate::kernel::new_event;
use crate::policy::SERVER_TIMEOUT;
use nt::access::Access;
use nt::lock::Mutex;
use nt::system::{Objects, Timeout, Wait};
use nt::{Handle, Owned, Result, Status};

/// How often a waiting thread looks whether the gate is open, in milliseconds.
const LOOK: u32 = 5_000;
/// How long one holder may keep the others waiting, in milliseconds: as long as the servers and the
/// initial command of a session may take.
const HOLDER_TIMEOUT: u32 = 3 * SERVER_TIMEOUT;

struct State {
    shut: bool,
    /// How often the gate has been shut: which holder it is.
    holder: u32,
    /// Signalled and forgotten when the gate opens; null while nobody waits.
    opens: Handle,
}

/// The gate.
pub(crate) struct Gate(Mutex<State>);

impl Gate {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State {
            shut: false,
            holder: 0,
            opens: Handle::NULL,
        }))
    }

    /// Waits until the gate is open and shuts it behind the caller. `IO_TIMEOUT` if one holder stays
    /// inside for too long. Blocks.
    pub(crate) fn enter<'g, S: Objects>(&'g self, system: &'g S) -> Result<Inside<'g, S>> {
        let (mut holder, mut waited) = (None, 0);
        loop {
            let event = {
                let mut state = self.0.lock();
                if !state.shut {
                    state.shut = true;
                    state.holder = state.holder.wrapping_add(1);
                    return Ok(Inside { gate: self, system });
                }
                if holder.replace(state.holder) != Some(state.holder) {
                    waited = 0;
                } else if waited >= HOLDER_TIMEOUT {
                    return Err(Status::IO_TIMEOUT);
                }
                if state.opens.is_null() {
                    state.opens = new_event(system)?.into_raw();
                }
                // The holder closes its handle when it opens the gate; the wait needs one of its
                // own.
                let own = system.duplicate(
                    Handle::CURRENT_PROCESS,
                    state.opens,
                    Handle::CURRENT_PROCESS,
                    Access::EVENT_ALL,
                )?;
                Owned::new(system, own)
            };
            if system.wait_one(event.get(), Timeout::Milliseconds(LOOK))? == Wait::Timeout {
                waited += LOOK;
            }
        }
    }
}

/// The caller is inside; dropping this opens the gate.
pub(crate) struct Inside<'g, S: Objects> {
    gate: &'g Gate,
    system: &'g S,
}

impl<S: Objects> Drop for Inside<'_, S> {
    fn drop(&mut self) {
        let opens = {
            let mut state = self.gate.0.lock();
            state.shut = false;
            core::mem::replace(&mut state.opens, Handle::NULL)
        };
        if !opens.is_null() {
            let event = Owned::new(self.system, opens);
            if let Err(status) = self.system.set_event(event.get()) {
                nt::warn!("session gate: {status}: who waits for it looks again by itself");
            }
        }
    }
}
