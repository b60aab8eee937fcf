// SPDX-License-Identifier: GPL-2.0-or-later
//! What this DLL does by instructions and registers of i386: where the kernel enters it and how it
//! calls the kernel, how it finds its blocks, captures registers, handles exceptions by frames, starts threads, prints, and its
//! lock-free lists. It is written for any Pentium.
//!
//! The same names stand in the module of the other machine; everything else in this DLL is written
//! for both.

/// The beginning of assembly that a stack is walked through: directives say where the caller's registers
/// are, and the assembler writes that where the compiler does, into the debug file alone.
macro_rules! frame_begins {
    () => {
        ".cfi_sections .debug_frame
        .cfi_startproc"
    };
}

/// The same for a function that keeps a frame pointer.
macro_rules! frame_pointer_begins {
    () => {
        concat!(
            frame_begins!(),
            "
            push ebp
            .cfi_def_cfa_offset 8
            .cfi_offset ebp, -8
            mov ebp, esp
            .cfi_def_cfa_register ebp"
        )
    };
}

mod capture;
mod dispatch;
mod frames;
mod slist;

pub(crate) use capture::RtlRaiseException;
pub(crate) use frames::dispatch;

use crate::support::same;
use abi::i386;
use core::arch::naked_asm;
use core::mem::offset_of;
use ntapi::ntpebteb::TEB;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::ULONG;
use winapi::um::winnt::CONTEXT;

/// TEB of NT 5.2: `FreeStackOnTermination`. The kernel looks at it when the thread ends.
pub(crate) const FREE_STACK_ON_TERMINATION: usize = i386::teb::FREE_STACK_ON_TERMINATION;

/// Selectors of user mode in every NT on i386.
const CODE: u32 = 0x1B;
const DATA: u32 = 0x23;
const TEB_SELECTOR: u32 = 0x3B;
/// CONTEXT_i386 with the control, integer and segment parts.
const CONTEXT_BASIC: u32 = 0x0001_0007;
const INTERRUPTS_ENABLED: u32 = 0x200;

same!(CONTEXT = i386::Context { ContextFlags = flags, Eax = eax, Ecx = ecx, Esp = esp, Eip = eip });
const _: () = assert!(size_of::<CONTEXT>() == size_of::<i386::Context>());

// A stub puts the service's number in EAX and calls what the shared data page names, KiFastSystemCall or
// KiIntSystemCall: it finds the arguments behind two return addresses.
core::arch::global_asm!(
    ".cfi_sections .debug_frame",
    include_str!(concat!(env!("OUT_DIR"), "/stubs.s"))
);

/// This thread's TEB.
pub(crate) fn teb() -> *mut TEB {
    let teb: *mut TEB;
    // SAFETY: FS points to the TEB in every thread, and TEB.NtTib.Self at 0x18 is the TEB's own
    // address.
    unsafe {
        core::arch::asm!("mov {}, fs:[0x18]", out(reg) teb, options(nostack, pure, readonly, preserves_flags));
    }
    teb
}

/// The debug service at interrupt 0x2D: EAX is the service, ECX the text, EDX its length, EBX the
/// component, EDI the level. The kernel skips the one-byte instruction after the interrupt.
pub(crate) fn debug_service(service: usize, text: &[u8], component: ULONG, level: ULONG) {
    // SAFETY: the kernel reads the text and changes nothing but EAX; the int3 is skipped.
    unsafe {
        core::arch::asm!(
            "int 0x2d",
            "int3",
            inout("eax") service => _,
            in("ecx") text.as_ptr(),
            in("edx") text.len(),
            in("ebx") component,
            in("edi") level,
        );
    }
}

/// Where a context says that its thread goes on.
pub(crate) fn instruction_pointer(context: &mut CONTEXT) -> &mut u32 {
    &mut context.Eip
}

/// What a new thread begins with: `start(parameter)` as if called, with nobody to return to, on a
/// stack that ends at `stack` in a process whose system DLL is where this one is. The call is made there
/// ([`thread_start`]): nobody else writes to the stack.
pub(crate) fn first_context(
    start: *mut c_void,
    parameter: *mut c_void,
    stack: *mut c_void,
) -> CONTEXT {
    // SAFETY: integers only; all zeros are a value.
    let mut context: CONTEXT = unsafe { core::mem::zeroed() };
    context.ContextFlags = CONTEXT_BASIC;
    context.Eax = start.addr() as u32;
    context.Ebx = parameter.addr() as u32;
    context.Eip = thread_start as *const () as u32;
    context.Esp = stack.addr() as u32;
    context.EFlags = INTERRUPTS_ENABLED;
    context.SegCs = CODE;
    context.SegDs = DATA;
    context.SegEs = DATA;
    context.SegFs = TEB_SELECTOR;
    context.SegSs = DATA;
    context
}

/// Where a thread begins: EAX is its function, EBX what that is called with.
#[unsafe(naked)]
unsafe extern "system" fn thread_start() {
    naked_asm!("push ebx", "xor ebx, ebx", "push ebx", "jmp eax")
}
