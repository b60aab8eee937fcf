// SPDX-License-Identifier: GPL-2.0-or-later
//! What this DLL does by instructions and registers of x86-64: where the kernel enters it, how it
//! finds its blocks, captures registers, starts threads, prints, and its lock-free lists.
//!
//! The same names stand in the module of the other machine; everything else in this DLL is written
//! for both.

mod capture;
mod dispatch;
mod slist;

pub(crate) use capture::RtlRaiseException;

use crate::support::same;
use abi::amd64;
use core::mem::offset_of;
use ntapi::ntpebteb::TEB;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::ULONG;
use winapi::um::winnt::{CONTEXT, EXCEPTION_RECORD};

/// TEB of NT 5.2: `FreeStackOnTermination`. The kernel looks at it when the thread ends.
pub(crate) const FREE_STACK_ON_TERMINATION: usize = amd64::teb::FREE_STACK_ON_TERMINATION;

/// Selectors of user mode in every NT on x86-64.
const CODE: u16 = 0x33;
const DATA: u16 = 0x2B;
const TEB32: u16 = 0x53;
/// CONTEXT_AMD64 with the control, integer, segment and floating-point parts.
const CONTEXT_BASIC: u32 = 0x0010_000F;
const INTERRUPTS_ENABLED: u32 = 0x200;
const INITIAL_MXCSR: u32 = 0x1F80;

same!(CONTEXT = amd64::Context { ContextFlags = flags, Rax = rax, Rcx = rcx, Rsp = rsp, Rip = rip });
const _: () = assert!(size_of::<CONTEXT>() == size_of::<amd64::Context>());

// A stub moves RCX to R10, because `syscall` overwrites RCX with the return address, puts the
// service's number in EAX, and leaves the stack arguments where the caller put them, above the
// return address and four home slots.
core::arch::global_asm!(include_str!(concat!(env!("OUT_DIR"), "/stubs.s")));

// The stack probe that images of other compilers import: RAX bytes below the stack pointer are
// touched page by page, and no register changes. The compiler's own probe has the same contract
// under another name.
core::arch::global_asm!(".globl __chkstk", "__chkstk:", "jmp ___chkstk_ms");

/// This thread's TEB.
pub(crate) fn teb() -> *mut TEB {
    let teb: *mut TEB;
    // SAFETY: GS points to the TEB in every thread, and TEB.NtTib.Self at 0x30 is the TEB's own
    // address.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x30]", out(reg) teb, options(nostack, pure, readonly, preserves_flags));
    }
    teb
}

/// Whether a handler of a frame takes the exception: the tables that say where frames and handlers are
/// are not read.
pub(crate) fn dispatch(_: &mut EXCEPTION_RECORD, _: &mut CONTEXT) -> bool {
    false
}

/// The debug service at interrupt 0x2D: EAX is the service, RCX the text, EDX its length, R8 the
/// component, R9 the level. The kernel skips the one-byte instruction after the interrupt.
pub(crate) fn debug_service(service: usize, text: &[u8], component: ULONG, level: ULONG) {
    // SAFETY: the kernel reads the text and changes nothing but RAX; the int3 is skipped.
    unsafe {
        core::arch::asm!(
            "int 0x2d",
            "int3",
            inout("rax") service => _,
            in("rcx") text.as_ptr(),
            in("rdx") text.len(),
            in("r8") u64::from(component),
            in("r9") u64::from(level),
        );
    }
}

/// Where a context says that its thread goes on.
pub(crate) fn instruction_pointer(context: &mut CONTEXT) -> &mut u64 {
    &mut context.Rip
}

/// What a new thread begins with: `start(parameter)` as if called, with nobody to return to, on a
/// stack that ends at `stack` in `_process`.
pub(crate) fn first_context(
    start: *mut c_void,
    parameter: *mut c_void,
    stack: *mut c_void,
) -> CONTEXT {
    // SAFETY: integers only; all zeros are a value.
    let mut context: CONTEXT = unsafe { core::mem::zeroed() };
    context.ContextFlags = CONTEXT_BASIC;
    context.Rip = start.addr() as u64;
    context.Rcx = parameter.addr() as u64;
    // Home slots for the callee, then the misalignment that a call leaves behind.
    context.Rsp = ((stack.addr() as u64 - 0x30) & !15) - 8;
    context.EFlags = INTERRUPTS_ENABLED;
    context.MxCsr = INITIAL_MXCSR;
    context.SegCs = CODE;
    context.SegDs = DATA;
    context.SegEs = DATA;
    context.SegFs = TEB32;
    context.SegGs = DATA;
    context.SegSs = DATA;
    context
}
