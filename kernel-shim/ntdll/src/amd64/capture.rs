// SPDX-License-Identifier: GPL-2.0-or-later
//! A thread's own registers as a CONTEXT, and an exception raised with them.

use core::arch::naked_asm;
use core::mem::offset_of;
use winapi::um::winnt::{CONTEXT, EXCEPTION_RECORD};

/// CONTEXT_AMD64 with the control, integer, segment and floating-point parts.
const CONTEXT_CAPTURED: u32 = 0x0010_000F;

/// The caller's registers, as they are after this returns.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub(crate) unsafe extern "system" fn RtlCaptureContext(context: *mut CONTEXT) {
    naked_asm!(
        "pushfq",
        "mov [rcx + {rax}], rax",
        "mov [rcx + {rcx}], rcx",
        "mov [rcx + {rdx}], rdx",
        "mov [rcx + {rbx}], rbx",
        "mov [rcx + {rbp}], rbp",
        "mov [rcx + {rsi}], rsi",
        "mov [rcx + {rdi}], rdi",
        "mov [rcx + {r8}], r8",
        "mov [rcx + {r8} + 8], r9",
        "mov [rcx + {r8} + 16], r10",
        "mov [rcx + {r8} + 24], r11",
        "mov [rcx + {r8} + 32], r12",
        "mov [rcx + {r8} + 40], r13",
        "mov [rcx + {r8} + 48], r14",
        "mov [rcx + {r8} + 56], r15",
        "mov [rcx + {segments}], cs",
        "mov [rcx + {segments} + 2], ds",
        "mov [rcx + {segments} + 4], es",
        "mov [rcx + {segments} + 6], fs",
        "mov [rcx + {segments} + 8], gs",
        "mov [rcx + {segments} + 10], ss",
        "fxsave [rcx + {float}]",
        "stmxcsr [rcx + {mxcsr}]",
        "mov eax, [rsp]",
        "mov [rcx + {eflags}], eax",
        "mov rax, [rsp + 8]",
        "mov [rcx + {rip}], rax",
        "lea rax, [rsp + 16]",
        "mov [rcx + {rsp}], rax",
        "mov dword ptr [rcx + {flags}], {captured}",
        "mov rax, [rcx + {rax}]",
        "popfq",
        "ret",
        rax = const offset_of!(CONTEXT, Rax),
        rcx = const offset_of!(CONTEXT, Rcx),
        rdx = const offset_of!(CONTEXT, Rdx),
        rbx = const offset_of!(CONTEXT, Rbx),
        rbp = const offset_of!(CONTEXT, Rbp),
        rsi = const offset_of!(CONTEXT, Rsi),
        rdi = const offset_of!(CONTEXT, Rdi),
        r8 = const offset_of!(CONTEXT, R8),
        segments = const offset_of!(CONTEXT, SegCs),
        float = const offset_of!(CONTEXT, u),
        mxcsr = const offset_of!(CONTEXT, MxCsr),
        eflags = const offset_of!(CONTEXT, EFlags),
        rip = const offset_of!(CONTEXT, Rip),
        rsp = const offset_of!(CONTEXT, Rsp),
        flags = const offset_of!(CONTEXT, ContextFlags),
        captured = const CONTEXT_CAPTURED,
    )
}

/// Raises `record` in the caller: its address becomes the return address.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub(crate) unsafe extern "system" fn RtlRaiseException(record: *mut EXCEPTION_RECORD) {
    naked_asm!(
        "sub rsp, 0x4f8", // a CONTEXT, home slots for two calls, and alignment
        "mov [rsp + 0x500], rcx",
        "lea rcx, [rsp + 0x20]",
        "call {capture}",
        "lea rdx, [rsp + 0x20]",
        "mov rax, [rsp + 0x4f8]",
        "mov [rdx + {rip}], rax",
        "lea rcx, [rsp + 0x500]",
        "mov [rdx + {rsp}], rcx",
        "mov rcx, [rsp + 0x500]",
        "mov [rcx + {address}], rax",
        "call {raise}",
        "int3",
        capture = sym RtlCaptureContext,
        raise = sym crate::exception::raise,
        rip = const offset_of!(CONTEXT, Rip),
        rsp = const offset_of!(CONTEXT, Rsp),
        address = const offset_of!(EXCEPTION_RECORD, ExceptionAddress),
    )
}
