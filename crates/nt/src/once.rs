// SPDX-License-Identifier: GPL-2.0-or-later
//! What is installed once at start: one type for all of it, so that there is one piece of code.

use crate::text::Text;
use log::Level;
use spin::Once;

/// What can be installed, each in a place of its own.
pub(crate) enum Installed {
    /// The upcase table.
    Upcase(fn(u16) -> u16),
    /// How a thread gives up the processor.
    Yield(fn()),
    /// Where log lines end, and what each begins with.
    Sink(fn(Level, &Text<'_>), &'static str),
    /// What is told before a lock is taken.
    #[cfg(feature = "lock-points")]
    Point(fn(&'static core::panic::Location<'static>)),
}

/// Puts `value` in its place, unless there is one.
#[inline(never)]
pub(crate) fn install(place: &Once<Installed>, value: Installed) {
    place.call_once(|| value);
}
