// SPDX-License-Identifier: GPL-2.0-or-later
//! Handles: numbers that name an object in one process's handle table.
//!
//! [`Handle`] is a plain value, as it travels in messages and structures. [`Owned`] is a handle
//! this process must close: it closes itself when dropped, so that no early return leaks one.

use crate::system::Objects;
use crate::{Word, narrowed};
use core::fmt;

/// A handle value, or one of the pseudo handles.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Handle(pub Word);

impl Handle {
    /// No object.
    pub const NULL: Self = Self(0);
    /// `NtCurrentProcess()`.
    pub const CURRENT_PROCESS: Self = Self(Word::MAX);
    /// `NtCurrentThread()`.
    pub const CURRENT_THREAD: Self = Self(Word::MAX - 1);

    /// The handle in a slot of 64 bits, which is how a 64-bit kernel has it.
    pub const fn from_slot(slot: u64) -> Self {
        Self(narrowed(slot))
    }

    /// The handle as a slot of 64 bits has it: a pseudo handle has all its upper bits set.
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "a word is as wide as what this is compiled for"
    )]
    pub const fn to_slot(self) -> u64 {
        (self.0.cast_signed() as i64).cast_unsigned()
    }

    /// Whether this is the null handle.
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#x}", self.0)
    }
}

/// A handle that is closed when it goes out of scope.
pub struct Owned<S: Objects> {
    system: S,
    handle: Handle,
}

impl<S: Objects> Owned<S> {
    /// Takes `handle`, which `system` gave to this process, into ownership.
    pub const fn new(system: S, handle: Handle) -> Self {
        Self { system, handle }
    }

    /// The handle, still owned.
    pub const fn get(&self) -> Handle {
        self.handle
    }

    /// Gives the handle away unclosed: its new owner closes it, or it lives as long as the process.
    pub fn into_raw(self) -> Handle {
        let handle = self.handle;
        core::mem::forget(self);
        handle
    }
}

impl<S: Objects> Drop for Owned<S> {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // A close that fails leaves nothing to do: the handle was not ours to begin with.
            let _ = self.system.close(self.handle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_handle_prints_as_debuggers_show_it() {
        assert_eq!(format!("{:?}", Handle(0x24)), "0x24");
        let pseudo = format!("{:?}", Handle::CURRENT_THREAD);
        assert_eq!(pseudo, format!("{:#x}", usize::MAX - 1));
    }

    #[test]
    fn a_pseudo_handle_fills_a_slot_of_64_bits() {
        for (handle, slot) in [
            (Handle(0x24), 0x24),
            (Handle::CURRENT_PROCESS, u64::MAX),
            (Handle::CURRENT_THREAD, u64::MAX - 1),
        ] {
            assert_eq!(handle.to_slot(), slot);
            assert_eq!(Handle::from_slot(slot), handle);
        }
    }
}
