// SPDX-License-Identifier: GPL-2.0-or-later
//! How many threads serve `\SmApiPort`, how many of them wait for a message, and how many are held
//! by requests of clients.
//!
//! A request that starts or ends something holds a thread until it is answered, and what it waits
//! for arrives as messages that need threads as well: a server registers, a child instance hands
//! its initial command over. So clients get no more than [`REQUESTS`] threads together, and as many
//! again and two more are for smss itself.

use nt::{Result, Status};

/// Threads at the start.
pub const INITIAL_THREADS: u32 = 2;
/// Requests of clients at once that hold a thread: a kernel has 64 session spaces.
pub const REQUESTS: u32 = 64;
/// Threads at most.
pub const MAXIMUM_THREADS: u32 = 2 * REQUESTS + 2;

/// The count.
pub(crate) struct Threads {
    total: u32,
    idle: u32,
    requests: u32,
}

impl Threads {
    pub(crate) const fn new() -> Self {
        Self {
            total: 0,
            idle: 0,
            requests: 0,
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

    /// A request of a client is about to hold a thread. `INSUFF_SERVER_RESOURCES` if too many do.
    pub(crate) fn hold(&mut self) -> Result<()> {
        if self.requests >= REQUESTS {
            return Err(Status::INSUFF_SERVER_RESOURCES);
        }
        self.requests += 1;
        Ok(())
    }

    /// It is answered.
    pub(crate) fn let_go(&mut self) {
        self.requests -= 1;
    }

    pub(crate) fn total(&self) -> u32 {
        self.total
    }
}
