// SPDX-License-Identifier: GPL-2.0-or-later
//! What a boot leaves to be told: its lines and its calls, in the order in which they happened.

use executive::trace::Record;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Moment {
    /// The Session Manager logged a line.
    Said(log::Level, String),
    /// It made a system call.
    Called(Record),
}

/// The phase that a line begins, if it begins one.
pub fn phase(line: &str) -> Option<u32> {
    let (number, _) = line.strip_prefix("phase: ")?.split_once(' ')?;
    number.parse().ok()
}
