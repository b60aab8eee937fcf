// SPDX-License-Identifier: GPL-2.0-or-later
//! One at a time: the right to create processes while smss may be inside a session's space.
//!
//! A process that smss creates joins the session smss is in (spec 9.3), so nobody may create one
//! while somebody else has smss inside a session. A spin lock cannot guard that, because the holder
//! waits for servers to come up; whoever finds the gate shut waits on an event that the holder
//! signals.

use crate::kernel::new_event;
use nt::access::Access;
use nt::lock::Mutex;
use nt::system::{Objects, Timeout};
use nt::{Handle, Owned, Result};

struct State {
    shut: bool,
    /// Signalled and forgotten when the gate opens; null while nobody waits.
    opens: Handle,
}

/// The gate.
pub(crate) struct Gate(Mutex<State>);

impl Gate {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State {
            shut: false,
            opens: Handle::NULL,
        }))
    }

    /// Waits until the gate is open and shuts it behind the caller. Blocks for as long as others
    /// hold it.
    pub(crate) fn enter<'g, S: Objects>(&'g self, system: &'g S) -> Result<Inside<'g, S>> {
        loop {
            let event = {
                let mut state = self.0.lock();
                if !state.shut {
                    state.shut = true;
                    return Ok(Inside { gate: self, system });
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
            system.wait_one(event.get(), Timeout::Never)?;
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
                nt::error!("session gate: {status}: waiting requests stay unanswered");
            }
        }
    }
}
