// SPDX-License-Identifier: GPL-2.0-or-later
//! Names of things inside the executive: processes, threads, objects.
//!
//! Process and thread ids are what user mode sees: multiples of 4 from one number space, never
//! reused while the process or thread object exists. An [`ObjectId`] never leaves the executive; it
//! carries a generation, so a stale one finds nothing instead of a stranger.

use core::fmt;

/// `UniqueProcess`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

impl ProcessId {
    /// The System process.
    pub const SYSTEM: Self = Self(4);
}

/// `UniqueThread`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u32);

impl ThreadId {
    /// The System process's own thread: what it does is done in kernel mode, without access checks.
    pub const SYSTEM: Self = Self(8);
}

/// An object of the object table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl fmt::Debug for ProcessId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pid {}", self.0)
    }
}

impl fmt::Debug for ThreadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "tid {}", self.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "object {}.{}", self.index, self.generation)
    }
}
