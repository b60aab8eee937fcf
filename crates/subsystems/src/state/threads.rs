// SPDX-License-Identifier: GPL-2.0-or-later
//! How many threads serve `\SmApiPort`, how many of them wait for a message, and how many are held
//! by requests of clients.
//!
//! A request that starts or ends something holds a thread until it is answered, and what it waits
//! for arrives as messages that need threads as well: a server registers, a child instance hands
//! its initial command over. So clients get no more than [`REQUESTS`] threads together, a few
//! more are kept for processes that hold none ([`RESERVED`]), and as many again and two more are for
//! smss itself.

use super::ids::ProcessId;
use nt::{Result, Status};

/// Threads at the start.
pub const INITIAL_THREADS: u32 = 2;
/// Requests of clients at once that hold a thread: a kernel has 64 session spaces.
pub const REQUESTS: usize = 64;
/// Threads beyond those for client processes that hold none yet, so that one process with a
/// request in every thread keeps nobody else from being served.
const RESERVED: usize = 8;
/// Requests of clients that hold a thread, at most.
const HELD: usize = REQUESTS + RESERVED;
/// Threads at most.
pub const MAXIMUM_THREADS: u32 = 2 * HELD as u32 + 2;

/// The count.
pub(crate) struct Threads {
    total: u32,
    idle: u32,
    /// For each request that holds a thread, whose it is.
    held: heapless::Vec<ProcessId, HELD>,
}

impl Threads {
    pub(crate) const fn new() -> Self {
        Self {
            total: 0,
            idle: 0,
            held: heapless::Vec::new(),
        }
    }

    /// One more is about to be created. It counts as idle from now on: it goes nowhere but to the
    /// port.
    pub(crate) fn add(&mut self) -> Result<()> {
        if self.total >= MAXIMUM_THREADS {
            return Err(Status::INSUFF_SERVER_RESOURCES);
        }
        self.total += 1;
        self.idle += 1;
        Ok(())
    }

    /// It could not be created.
    pub(crate) fn give_up(&mut self) {
        self.total -= 1;
        self.idle -= 1;
    }

    /// One has received a message.
    pub(crate) fn received(&mut self) {
        self.idle -= 1;
    }

    /// It waits for the next one.
    pub(crate) fn waits(&mut self) {
        self.idle += 1;
    }

    /// Whether a message that arrives now is received at once.
    pub(crate) fn any_idle(&self) -> bool {
        self.idle > 0
    }

    /// A request of the client `process` is about to hold a thread. `INSUFF_SERVER_RESOURCES` if too
    /// many do.
    pub(crate) fn hold(&mut self, process: ProcessId) -> Result<()> {
        let one_of_many = self.held.len() >= REQUESTS && self.held.contains(&process);
        if one_of_many || self.held.push(process).is_err() {
            return Err(Status::INSUFF_SERVER_RESOURCES);
        }
        Ok(())
    }

    /// A request of `process` is answered.
    pub(crate) fn let_go(&mut self, process: ProcessId) {
        if let Some(at) = self.held.iter().position(|held| *held == process) {
            self.held.swap_remove(at);
        }
    }

    pub(crate) fn total(&self) -> u32 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(number: nt::Word) -> ProcessId {
        let client = nt::ClientId {
            process: number,
            thread: 0,
        };
        ProcessId::of(client).unwrap()
    }

    #[test]
    fn spec_10_6_clients_hold_64_threads_and_8_more_and_smss_has_as_many_again_and_two() {
        assert_eq!((REQUESTS, RESERVED), (64, 8));
        let mut threads = Threads::new();
        let held = (1..1_000).take_while(|number| threads.hold(process(4 * number)).is_ok());
        let held = held.count();
        assert_eq!(held, 72);
        let all = (0..1_000).take_while(|_| threads.add().is_ok());
        assert_eq!(all.count(), held + 72 + 2);
    }

    #[test]
    fn a_process_that_holds_many_threads_leaves_some_to_those_that_hold_none() {
        let mut threads = Threads::new();
        for _ in 0..REQUESTS {
            threads.hold(process(4)).unwrap();
        }
        let full = Err(Status::INSUFF_SERVER_RESOURCES);
        assert_eq!(threads.hold(process(4)), full);
        for other in 1..=RESERVED as nt::Word {
            threads.hold(process(4 + 4 * other)).unwrap();
            assert_eq!(threads.hold(process(4 + 4 * other)), full, "one each");
        }
        assert_eq!(threads.hold(process(400)), full, "nothing is left");
        threads.let_go(process(8));
        threads.hold(process(400)).unwrap();
        for _ in 0..REQUESTS {
            threads.let_go(process(4));
        }
        threads.hold(process(4)).unwrap();
    }

    #[test]
    fn a_thread_is_idle_but_while_it_deals_with_a_message_and_there_are_not_too_many() {
        let mut threads = Threads::new();
        assert!(!threads.any_idle());
        for total in 1..=MAXIMUM_THREADS {
            assert_eq!(threads.add(), Ok(()));
            assert_eq!(threads.total(), total);
            assert!(threads.any_idle());
            threads.received();
            assert!(!threads.any_idle());
        }
        assert_eq!(threads.add(), Err(Status::INSUFF_SERVER_RESOURCES));
        threads.waits();
        assert!(threads.any_idle());
        // One that could not be created was never idle, and its place is free.
        threads.give_up();
        assert!(!threads.any_idle());
        assert_eq!(threads.add(), Ok(()));
        assert_eq!(threads.total(), MAXIMUM_THREADS);
    }
}
