// SPDX-License-Identifier: GPL-2.0-or-later
//! A thread's own registers as a CONTEXT, and an exception raised with them.

use core::arch::naked_asm;
use core::mem::offset_of;
use winapi::um::winnt::{CONTEXT, EXCEPTION_RECORD};

/// CONTEXT_i386 with the control, integer and segment parts.
const CONTEXT_CAPTURED: u32 = 0x0001_0007;

/// The caller's registers, as they are after this returns.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub(crate) unsafe extern "system" fn RtlCaptureContext(context: *mut CONTEXT) {
    naked_asm!(
        "pushfd",
        "push ebx",
        "mov ebx, [esp + 12]",
        "mov [ebx + {eax}], eax",
        "mov [ebx + {ecx}], ecx",
        "mov [ebx + {edx}], edx",
        "mov [ebx + {esi}], esi",
        "mov [ebx + {edi}], edi",
        "mov [ebx + {ebp}], ebp",
        "pop eax",
        "mov [ebx + {ebx}], eax",
        "pop eax",
        "mov [ebx + {eflags}], eax",
        "mov eax, [esp]",
        "mov [ebx + {eip}], eax",
        "lea eax, [esp + 8]",
        "mov [ebx + {esp}], eax",
        "mov eax, cs",
        "mov [ebx + {cs}], eax",
        "mov eax, ds",
        "mov [ebx + {ds}], eax",
        "mov eax, es",
        "mov [ebx + {es}], eax",
        "mov eax, fs",
        "mov [ebx + {fs}], eax",
        "mov eax, gs",
        "mov [ebx + {gs}], eax",
        "mov eax, ss",
        "mov [ebx + {ss}], eax",
        "mov dword ptr [ebx + {flags}], {captured}",
        "mov eax, [ebx + {eax}]",
        "mov ebx, [ebx + {ebx}]",
        "ret 4",
        eax = const offset_of!(CONTEXT, Eax),
        ecx = const offset_of!(CONTEXT, Ecx),
        edx = const offset_of!(CONTEXT, Edx),
        ebx = const offset_of!(CONTEXT, Ebx),
        esi = const offset_of!(CONTEXT, Esi),
        edi = const offset_of!(CONTEXT, Edi),
        ebp = const offset_of!(CONTEXT, Ebp),
        esp = const offset_of!(CONTEXT, Esp),
        eip = const offset_of!(CONTEXT, Eip),
        eflags = const offset_of!(CONTEXT, EFlags),
        cs = const offset_of!(CONTEXT, SegCs),
        ds = const offset_of!(CONTEXT, SegDs),
        es = const offset_of!(CONTEXT, SegEs),
        fs = const offset_of!(CONTEXT, SegFs),
        gs = const offset_of!(CONTEXT, SegGs),
        ss = const offset_of!(CONTEXT, SegSs),
        flags = const offset_of!(CONTEXT, ContextFlags),
        captured = const CONTEXT_CAPTURED,
    )
}

/// The beginning of a function with `{arguments}` bytes of arguments that does not return: the context of
/// its caller as it would be after the return, at EDX and on the stack. EAX is the return address.
macro_rules! callers_context {
    () => {
        concat!(
            frame_pointer_begins!(),
            "
            sub esp, {context}
            push esp
            call {capture}
            mov edx, esp
            mov eax, [ebp]
            mov [edx + {ebp}], eax
            lea eax, [ebp + 8 + {arguments}]
            mov [edx + {esp}], eax
            mov eax, [ebp + 4]
            mov [edx + {eip}], eax"
        )
    };
}
pub(super) use callers_context;

/// Raises `record` in the caller: its address becomes the return address.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub(crate) unsafe extern "system" fn RtlRaiseException(record: *mut EXCEPTION_RECORD) {
    naked_asm!(
        callers_context!(),
        "mov ecx, [ebp + 8]",
        "mov [ecx + {address}], eax",
        "push edx",
        "push ecx",
        "call {raise}",
        "int3",
        ".cfi_endproc",
        context = const size_of::<CONTEXT>(),
        capture = sym RtlCaptureContext,
        raise = sym crate::exception::raise,
        arguments = const size_of::<*mut EXCEPTION_RECORD>(),
        ebp = const offset_of!(CONTEXT, Ebp),
        esp = const offset_of!(CONTEXT, Esp),
        eip = const offset_of!(CONTEXT, Eip),
        address = const offset_of!(EXCEPTION_RECORD, ExceptionAddress),
    )
}
