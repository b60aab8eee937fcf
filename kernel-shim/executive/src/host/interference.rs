// SPDX-License-Identifier: GPL-2.0-or-later
//! Interference: code that decides at every system call of a world how it ends, and which thread
//! runs next.
//!
//! Without any, calls go through and threads run in the order in which they became runnable.

use nt::Status;

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// File name of the caller's image.
    pub image: &'a str,
    /// The calling thread.
    pub thread: u32,
    /// The service.
    pub call: &'static str,
    /// Virtual time since the machine started, 100 ns.
    pub time: u64,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Proceed,
    /// It is not made and gives this.
    Fail(Status),
    /// The caller's process ends instead.
    Die,
}

/// Decides.
pub trait Interference: Send {
    /// Before every call, while the caller holds the baton.
    fn at_call(&mut self, site: &Site<'_>) -> Action;

    /// Asked once after each [`Self::at_call`]: whether the caller gives the baton away first.
    fn preempts(&mut self) -> bool;

    /// Which of `ready` (at least 1) threads, in the order in which they became so, runs next.
    fn next(&mut self, ready: usize) -> usize;
}
