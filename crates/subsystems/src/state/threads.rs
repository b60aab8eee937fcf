// SPDX-License-Identifier: GPL-2.0-or-later
//! How many threads serve `\SmApiPort`, and how many of them wait for a message.

use nt::{Result, Status};

/// Threads at the start.
pub const INITIAL_THREADS: u32 = 2;
/// Threads at most.
pub const MAXIMUM_THREADS: u32 = 64;

/// The count.
pub(crate) struct Threads {
    total: u32,
    idle: u32,
}

impl Threads {
    pub(crate) const fn new() -> Self {
        Self { total: 0, idle: 0 }
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

    pub(crate) fn total(&self) -> u32 {
        self.total
    }
}
