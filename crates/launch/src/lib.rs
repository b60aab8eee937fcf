// SPDX-License-Identifier: GPL-2.0-or-later
//! From a command line in the registry to a process: grammar, search, creation (spec 8.1 to 8.3,
//! 5.2).
//!
//! BootExecute, SetupExecute, Execute, subsystem servers and the initial command all go this way.
//! [`grammar::parse`] takes the line apart, [`Launcher::find`] looks for the program,
//! [`Launcher::create`] makes it suspended, [`Launcher::run`] runs it to its end.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod grammar;
mod process;
pub mod search;

pub use grammar::{Command, Modifiers, parse};
pub use process::{Child, Launcher, Start, terminate};
pub use search::Program;

use nt::pages::PageVec;
use nt::system::System;
use nt::{Result, UnicodeStr, wide};

/// Puts the default library path into `whole`, which is empty: `<root>\system32;` and then `path`, what the
/// registry's `Path` variable came to (spec 5.2).
///
/// # Errors
/// `NO_MEMORY`.
pub fn library_path<S: System>(
    system: S,
    path: UnicodeStr<'_>,
    whole: &mut PageVec<S, u16>,
) -> Result<()> {
    whole.extend(system.system_root().units())?;
    whole.extend(wide!("\\system32;").units())?;
    whole.extend(path.units())
}
