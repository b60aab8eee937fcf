// SPDX-License-Identifier: GPL-2.0-or-later
//! What runs before any subsystem: boot commands, pending file renames, computed environment
//! variables (spec 5.3, 6, 8.4, 8.5).
//!
//! In boot order: [`execute_commands`] for BootExecute, [`process_renames`], later
//! [`write_computed_variables`], and [`execute_commands`] again for SetupExecute. Only the computed
//! variables can stop the boot.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod barriers;
mod commands;
mod computed;
mod mark;
pub mod pairs;
mod renames;
mod volumes;

pub use commands::execute_commands;
pub use computed::write_computed_variables;
pub use renames::{Summary, forget_mark, process_renames};
