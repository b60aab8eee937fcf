// SPDX-License-Identifier: GPL-2.0-or-later
//! The three kinds of number that name something here, each a type of its own (spec 11.1).
//!
//! "Session" alone means two things in the specification: a terminal session is a session space of
//! the kernel, an environment session is one process in the care of a subsystem server.

use core::num::NonZeroU32;
use nt::text::{Part, Show};
use nt::{ClientId, Word, widened};

/// A process, by the id that the kernel gave it: 32 bits that are never all 0, so that an optional one
/// takes no more room in the tables than one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId(NonZeroU32);

impl ProcessId {
    /// The process of a client id. `None` for an id that no process has: 0, or more than 32 bits, as
    /// a kernel never gives.
    #[inline(never)]
    pub fn of(client: ClientId) -> Option<Self> {
        let process = u32::try_from(widened(client.process)).ok()?;
        NonZeroU32::new(process).map(Self)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The number, as messages carry it.
    pub fn number(self) -> Word {
        self.0.get() as Word
    }
}

/// A terminal session: `MuSessionId`, a session space of the kernel. Session 0 is the console's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalId(pub u32);

impl TerminalId {
    /// The one whose end is the end of the system.
    pub const CONSOLE: Self = Self(0);
}

/// An environment session: `SessionId`, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvironmentId(pub u32);

impl Show for ProcessId {
    fn part(&self) -> Part<'_> {
        Part::Number(self.0.get().into())
    }
}

impl Show for TerminalId {
    fn part(&self) -> Part<'_> {
        self.0.part()
    }
}

impl Show for EnvironmentId {
    fn part(&self) -> Part<'_> {
        self.0.part()
    }
}
