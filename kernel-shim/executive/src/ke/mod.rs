// SPDX-License-Identifier: GPL-2.0-or-later
//! Dispatcher objects: what threads wait for (events, mutants, semaphores, keyed events), and
//! what a wait is.
//!
//! Plain state and its transitions. Who waits, and who is let go on, is the whole system's matter
//! ([`crate::system`]).

use crate::ids::{ObjectId, ThreadId};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// A notification event stays signalled; a synchronisation event lets one waiter through.
    pub notification: bool,
    /// Its state.
    pub signalled: bool,
}

/// A mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Mutant {
    /// Who owns it.
    pub owner: Option<ThreadId>,
    /// How often the owner has taken it.
    pub count: u32,
    /// Its owner ended without giving it back.
    pub abandoned: bool,
}

/// A semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semaphore {
    /// Units left.
    pub count: u32,
    /// The most there may be.
    pub limit: u32,
}

/// A keyed event: threads that wait for a key, and threads that wait to hand one over.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyedEvent {
    /// Waiters by key.
    pub waiting: VecDeque<(u64, ThreadId)>,
    /// Releasers by key.
    pub releasing: VecDeque<(u64, ThreadId)>,
}

/// What a parked thread waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Its place among those that wait for each of the objects: the lower came first.
    pub ticket: u64,
    /// The objects; none for a delay or a wait that another module ends.
    pub objects: Vec<ObjectId>,
    /// All of them at once.
    pub all: bool,
    /// Uptime at which the wait ends with `TIMEOUT`.
    pub deadline: Option<u64>,
}
