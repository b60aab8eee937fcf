// SPDX-License-Identifier: GPL-2.0-or-later
//! Elementary steps, counted: units that are folded, compared or copied, rows that are looked at.
//!
//! Host tests hold the growth of what a big registry costs to them, because steps, unlike time, are
//! the same on every run. Nothing is counted, and nothing is left of this, without the feature
//! `steps`.

/// Counts `count` steps of this thread.
#[inline(always)]
#[cfg(not(any(test, feature = "steps")))]
pub const fn took(_: usize) {}

#[cfg(any(test, feature = "steps"))]
mod counted {
    use core::cell::Cell;

    std::thread_local! {
        static TAKEN: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts `count` steps of this thread.
    pub fn took(count: usize) {
        TAKEN.with(|taken| taken.set(taken.get() + count));
    }

    /// How many steps this thread has taken.
    pub fn taken() -> usize {
        TAKEN.with(Cell::get)
    }
}

#[cfg(any(test, feature = "steps"))]
pub use counted::{taken, took};
