// SPDX-License-Identifier: GPL-2.0-or-later
//! How a run ends: the sentinel line and QEMU's exit code.
//!
//! A test passes only when it saw both the line and the code. A triple fault (QEMU's 0 under
//! `-no-reboot`), a QEMU error (1) and a plain power-off (0) are different from all of them.

use crate::cpu::port;
use crate::serial::{Serial, line};
use core::fmt::Write;

/// Where `isa-debug-exit` listens.
const DEBUG_EXIT: u16 = 0xf4;

/// The outcome of a run. QEMU's exit code is twice the value plus one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Exit code 33.
    Pass = 0x10,
    /// Exit code 35.
    Failure = 0x11,
    /// Exit code 37.
    Bugcheck = 0x12,
}

/// Prints the sentinel line and ends QEMU with the outcome's code; without the device, stops the
/// processor.
pub fn exit(outcome: Verdict) -> ! {
    let name = match outcome {
        Verdict::Pass => "pass",
        Verdict::Failure => "failure",
        Verdict::Bugcheck => "bugcheck",
    };
    line(format_args!("kernel exit: {name}"));
    port::write8(DEBUG_EXIT, outcome as u8);
    let _ = writeln!(Serial, "no debug exit device: halted");
    halt()
}

/// Stops the processor for good.
pub fn halt() -> ! {
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}
