// SPDX-License-Identifier: GPL-2.0-or-later
//! One at a time: the right to create processes while smss may be inside a session's space.
//!
//! A process that smss creates joins the session smss is in (spec 9.3), so nobody may create one
//! while somebody else has smss inside a session. A spin lock cannot guard that, because the holder
//! waits for servers to come up: a thread that finds the gate shut hangs a bell of its own there, an
//! event, and waits for it.
//!
//! Who leaves lets in who came first, takes that one's bell off and rings it. A bell that hangs
//! belongs to the gate, and whoever takes it off closes it, so nobody rings what its owner has
//! closed. Nothing is asked of the kernel while the gate's own lock is held.
//!
//! No wait is without a limit: the bell only makes it quick. A waiter looks again by itself after
//! a while, so a signal that fails costs only time, and it gives up when the same holder stays
//! inside for too long.

use crate::kernel::{close, new_event};
use crate::policy::SERVER_TIMEOUT;
use crate::state::threads::MAXIMUM_THREADS;
use core::num::NonZeroU32;
use nt::access::Access;
use nt::lock::Mutex;
use nt::system::{Objects, Timeout};
use nt::{Handle, Owned, Result, Status};

/// How often a waiting thread looks whether its turn has come, in milliseconds.
const LOOK: u32 = 5_000;
/// How long one holder may keep the others waiting, in milliseconds: as long as the servers and the
/// initial command of a session may take.
const HOLDER_TIMEOUT: u32 = 3 * SERVER_TIMEOUT;
/// Who may wait at once: of all API threads and the main thread one is inside.
const WAITERS: usize = MAXIMUM_THREADS as usize;

/// One passage through the gate.
type Ticket = NonZeroU32;

struct Bell {
    ticket: Ticket,
    event: Handle,
}

struct State {
    /// Who is inside, or is let in and has not looked yet.
    holder: Option<Ticket>,
    /// The last one that was given out; 0 before the first.
    last: u32,
    /// The bells of those that wait, who came first first.
    bells: heapless::Vec<Bell, WAITERS>,
}

impl State {
    /// The next ticket.
    fn ticket(&mut self) -> Ticket {
        let next = Ticket::new(self.last.wrapping_add(1)).unwrap_or(Ticket::MIN);
        self.last = next.get();
        next
    }

    /// Takes the gate if it is open: whether it was.
    fn take(&mut self) -> bool {
        let open = self.holder.is_none();
        if open {
            self.holder = Some(self.ticket());
        }
        open
    }

    /// Lets in who came first, if anybody waits: that one's bell, which belongs to the caller.
    fn open(&mut self) -> Option<Bell> {
        let first = (!self.bells.is_empty()).then(|| self.bells.remove(0));
        self.holder = first.as_ref().map(|bell| bell.ticket);
        first
    }

    /// Takes off the bell of one that waits no more; null if it hangs no more. It belongs to the
    /// caller.
    fn take_off(&mut self, ticket: Ticket) -> Handle {
        let at = self.bells.iter().position(|bell| bell.ticket == ticket);
        at.map_or(Handle::NULL, |at| self.bells.remove(at).event)
    }
}

/// What a waiter has seen of who is inside.
struct Patience {
    holder: Option<Ticket>,
    /// How long it has been this one, in milliseconds.
    waited: u32,
}

impl Patience {
    const NEW: Self = Self {
        holder: None,
        waited: 0,
    };

    /// One look more has found `holder` inside: whether that one has been there for too long.
    fn ends(&mut self, holder: Option<Ticket>) -> bool {
        if self.holder == holder {
            self.waited += LOOK;
        } else {
            *self = Self { holder, waited: 0 };
        }
        self.waited >= HOLDER_TIMEOUT
    }
}

/// The gate.
pub(crate) struct Gate(Mutex<State>);

impl Gate {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State {
            holder: None,
            last: 0,
            bells: heapless::Vec::new(),
        }))
    }

    /// Waits until the gate is open and shuts it behind the caller. `IO_TIMEOUT` if one holder stays
    /// inside for too long. Blocks.
    pub(crate) fn enter<S: Objects>(&self, system: S) -> Result<Inside<'_, S>> {
        let open = self.0.lock().take();
        if !open {
            let event = new_event(system)?;
            // The bell is rung and closed by whoever takes it off; the wait needs a handle of its own.
            let bell = system.duplicate(
                Handle::CURRENT_PROCESS,
                event.get(),
                Handle::CURRENT_PROCESS,
                Access::EVENT_ALL,
            )?;
            if let Some(ticket) = self.hang(Owned::new(system, bell))? {
                self.wait(system, event.get(), ticket)?;
            }
        }
        Ok(Inside { gate: self, system })
    }

    /// Hangs a bell: the ticket of the one that waits for it. `None` if the gate has been opened by
    /// now; the caller is inside then. `INSUFF_SERVER_RESOURCES` if too many wait.
    fn hang<S: Objects>(&self, bell: Owned<S>) -> Result<Option<Ticket>> {
        let mut state = self.0.lock();
        if state.take() {
            return Ok(None);
        }
        let ticket = state.ticket();
        let event = bell.get();
        state
            .bells
            .push(Bell { ticket, event })
            .map_err(|_| Status::INSUFF_SERVER_RESOURCES)?;
        // The gate owns it now.
        let _ = bell.into_raw();
        Ok(Some(ticket))
    }

    /// Waits for the turn of `ticket`, whose bell rings `event`. If the wait comes to no end, the
    /// bell is taken off again.
    fn wait<S: Objects>(&self, system: S, event: Handle, ticket: Ticket) -> Result<()> {
        let mut patience = Patience::NEW;
        let (bell, status) = loop {
            let rung = system.wait_one(event, Timeout::Milliseconds(LOOK));
            let mut state = self.0.lock();
            // However the wait has ended.
            if state.holder == Some(ticket) {
                return Ok(());
            }
            let over = patience.ends(state.holder);
            match rung {
                Err(status) => break (state.take_off(ticket), status),
                Ok(_) if over => break (state.take_off(ticket), Status::IO_TIMEOUT),
                Ok(_) => {}
            }
        };
        close(system, bell);
        Err(status)
    }
}

/// The caller is inside; dropping this opens the gate.
pub(crate) struct Inside<'g, S: Objects> {
    gate: &'g Gate,
    system: S,
}

impl<S: Objects> Drop for Inside<'_, S> {
    fn drop(&mut self) {
        let next = self.gate.0.lock().open();
        if let Some(bell) = next {
            let event = Owned::new(self.system, bell.event);
            if let Err(status) = self.system.set_event(event.get()) {
                nt::warn!("session gate: {status}: who waits for it looks again by itself");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;

    fn gate() -> Box<State> {
        let mut state = Box::new(State {
            holder: None,
            last: u32::MAX - 1,
            bells: heapless::Vec::new(),
        });
        assert!(state.take());
        assert!(!state.take(), "one at a time");
        state
    }

    fn hang(state: &mut State, event: nt::Word) -> Ticket {
        let ticket = state.ticket();
        let event = Handle(event);
        assert!(state.bells.push(Bell { ticket, event }).is_ok());
        ticket
    }

    #[test]
    fn who_came_first_is_let_in_first_and_nobody_else_meanwhile() {
        let mut state = gate();
        for event in [4, 8, 12] {
            hang(&mut state, event);
        }
        for event in [4, 8, 12] {
            let bell = state.open().unwrap();
            assert_eq!(bell.event, Handle(event));
            assert_eq!(state.holder, Some(bell.ticket));
            assert!(!state.take(), "it is that one's turn");
        }
        assert!(state.open().is_none());
        assert!(state.take(), "nobody waits");
    }

    #[test]
    fn a_bell_is_taken_off_once() {
        let mut state = gate();
        let (first, second) = (hang(&mut state, 4), hang(&mut state, 8));
        assert_eq!(state.take_off(second), Handle(8));
        assert_eq!(state.take_off(second), Handle::NULL);
        assert_eq!(state.open().map(|bell| bell.ticket), Some(first));
        assert_eq!(state.take_off(first), Handle::NULL, "it has been rung");
    }

    #[test]
    fn a_waiter_gives_up_on_one_holder_only_and_not_on_many_in_turn() {
        let mut patience = Patience::NEW;
        for holder in 1..=9 {
            for look in 0..HOLDER_TIMEOUT / LOOK {
                assert!(!patience.ends(Ticket::new(holder)), "{holder}: {look}");
            }
        }
        assert!(patience.ends(Ticket::new(9)));
    }
}
