// SPDX-License-Identifier: GPL-2.0-or-later
//! The end of a kernel that is wrong: panics and faults in ring 0, with registers and a backtrace.
//!
//! The backtrace is a line `backtrace <hex> <hex> ...`: link addresses of the kernel, innermost
//! first, for the host to turn into source lines. It follows the frame pointers and reads through
//! the kernel's own range only.

use crate::cpu::{fast_call, interrupt, user};
use crate::exit::{Verdict, exit};
use crate::serial::{Serial, line};
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

static STOPPING: AtomicBool = AtomicBool::new(false);

/// The registers of ring 0 at a trap, in the order in which `trap.s` stores them.
#[repr(transparent)]
pub struct KernelFrame([u64; 22]);

unsafe extern "C" {
    static kernel_stack: u8;
    static kernel_stack_end: u8;
}

/// Writes the backtrace line, beginning with `first` and the frame at `frame`.
pub fn backtrace(first: Option<u64>, frame: u64) {
    let low = &raw const kernel_stack as u64;
    let high = &raw const kernel_stack_end as u64;
    let _ = write!(Serial, "backtrace");
    if let Some(first) = first {
        let _ = write!(Serial, " {first:#x}");
    }
    let mut frame = frame;
    for _ in 0..64 {
        if frame < low || frame.saturating_add(16) > high || !frame.is_multiple_of(8) {
            break;
        }
        // SAFETY: both words lie in the kernel's stack (checked above).
        let [next, address] = unsafe { core::ptr::read(frame as *const [u64; 2]) };
        if address == 0 {
            break;
        }
        let _ = write!(Serial, " {address:#x}");
        if next <= frame {
            break;
        }
        frame = next;
    }
    let _ = writeln!(Serial);
}

fn frame_pointer() -> u64 {
    let frame: u64;
    // SAFETY: copies a register.
    unsafe {
        core::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags))
    };
    frame
}

/// A trap while in ring 0: the timer while idle, a step over `sysenter`, else a bug.
#[unsafe(no_mangle)]
extern "C" fn kernel_trap(frame: &mut KernelFrame) {
    if fast_call::was_stepped(&mut frame.0) {
        return;
    }
    let [.., vector, error, rip, _cs, flags, rsp, _ss] = frame.0;
    if let interrupt::FIRST_VECTOR..=0xff = vector as u8 {
        interrupt::handle(vector as u8);
        return;
    }
    if !STOPPING.swap(true, Ordering::Relaxed) {
        let address = x86_64::registers::control::Cr2::read_raw();
        line(format_args!(
            "kernel fault: vector {vector} error {error:#x} at {rip:#x}, address {address:#x}"
        ));
        line(format_args!("rsp {rsp:#x} flags {flags:#x}"));
        for (name, value) in user::NAMES.iter().zip(frame.0) {
            let _ = write!(Serial, "{name} {value:#018x} ");
        }
        let _ = writeln!(Serial);
        backtrace(Some(rip), frame.0[10]);
    }
    exit(Verdict::Bugcheck)
}

#[panic_handler]
fn panic(information: &PanicInfo<'_>) -> ! {
    if !STOPPING.swap(true, Ordering::Relaxed) {
        line(format_args!("kernel panic: {information}"));
        backtrace(None, frame_pointer());
    }
    exit(Verdict::Bugcheck)
}
