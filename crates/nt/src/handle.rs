// SPDX-License-Identifier: GPL-2.0-or-later
//! Handles: numbers that name an object in one process's handle table.
//!
//! [`Handle`] is a plain value, as it travels in messages and structures. [`Owned`] is a handle
//! this process must close: it closes itself when dropped, so that no early return leaks one.

use crate::Word;
use crate::system::Objects;
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
pub struct Owned<'s, S: Objects + ?Sized> {
    system: &'s S,
    handle: Handle,
}

impl<'s, S: Objects + ?Sized> Owned<'s, S> {
    /// Takes `handle`, which `system` gave to this process, into ownership.
    pub const fn new(system: &'s S, handle: Handle) -> Self {
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

impl<S: Objects + ?Sized> Drop for Owned<'_, S> {
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
        assert_eq!(
            format!("{:?}", Handle::CURRENT_THREAD),
            "0xfffffffffffffffe"
        );
    }
}
