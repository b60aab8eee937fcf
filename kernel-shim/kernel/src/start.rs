// SPDX-License-Identifier: GPL-2.0-or-later
//! From a bare machine to a system whose first process may run (spec 1.1).

use crate::boot::options::Options;
use crate::cpu::interrupt;
use crate::serial::line;
use crate::shared::Shared;
use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, Ordering};
use executive::{Executive, Version};

/// The first process, unless the command line names another.
const SESSION_MANAGER: &str = r"\SystemRoot\System32\smss.exe";

/// What a debugger sets to 1 to end `gdbwait`.
#[unsafe(no_mangle)]
static GDB_GO: AtomicU32 = AtomicU32::new(0);

/// Builds the system and starts the Session Manager. What fails here is a bugcheck, which the loop
/// shows.
pub fn executive(machine: &Shared, options: &Options, command_line: &str) -> Executive {
    let version = if options.version >= (6, 0) {
        Version::V6_1
    } else {
        Version::V5_2
    };
    let mut executive = Executive::new(Box::new(machine.clone()), version);
    if options.trace {
        executive.trace_mut().keep();
    }
    if options.gdb_wait {
        line(format_args!("waiting for a debugger to set GDB_GO"));
        while GDB_GO.load(Ordering::Relaxed) == 0 {
            interrupt::idle();
        }
    }
    let image = if options.image.is_empty() {
        SESSION_MANAGER
    } else {
        &options.image
    };
    executive.start_system(&options.system_root(), command_line, image);
    executive
}
