// SPDX-License-Identifier: GPL-2.0-or-later
//! What is installed once at start: one piece of code for all of it.

use spin::Once;

/// Puts `value` in its place, unless there is one.
#[inline(never)]
pub(crate) fn install<T>(place: &Once<T>, value: T) {
    place.call_once(|| value);
}
