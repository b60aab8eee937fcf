// SPDX-License-Identifier: GPL-2.0-or-later
//! Interference: code that decides at every system call of a world how it ends, and which thread
//! runs next.
//!
//! Without any, calls go through and threads run in the order in which they became runnable.

use core::panic::Location;
use nt::Status;

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// File name of the caller's image.
    pub image: &'a str,
    /// The calling process.
    pub process: u32,
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
    /// It is not made and gives this. A success code stands for the end of a wait; other calls give
    /// it as it is.
    Fail(Status),
    /// It is made after so much virtual time, in 100 ns.
    Delay(u64),
    /// The caller's process ends instead.
    Die,
}

/// Decides.
pub trait Interference: Send {
    /// Before every call, while the caller holds the baton.
    fn at_call(&mut self, site: &Site<'_>) -> Action;

    /// Before a lock of the program's own is taken at `place` of its source, while the caller holds
    /// the baton.
    fn at_lock(&mut self, image: &str, thread: u32, place: &'static Location<'static>);

    /// Asked once after each [`Self::at_call`] and each [`Self::at_lock`]: whether the caller gives
    /// the baton away first.
    fn preempts(&mut self) -> bool;

    /// Which of `ready` (at least 1) threads, in the order in which they became so, runs next.
    fn next(&mut self, ready: usize) -> usize;
}
