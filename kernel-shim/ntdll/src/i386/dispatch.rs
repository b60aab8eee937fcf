// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the kernel enters user mode: the dispatchers for APCs, exceptions and callbacks, and the
//! thunk every thread starts in; and where user mode calls the kernel.
//!
//! The frames are those of ReactOS' kernel on i386. None of the dispatchers is called, so none
//! returns: each gives its thread back with NtContinue, NtRaiseException or NtCallbackReturn.

use crate::exception::raise_status;
use abi::process::{Peb, Teb};
use core::arch::naked_asm;
use core::mem::offset_of;

/// The normal routine of a thread's first APC, called with its three arguments, of which the second
/// is this DLL's base. Behind them lies the CONTEXT in which the thread goes on when this returns.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn LdrInitializeThunk() {
    naked_asm!(
        "mov ecx, [esp + 8]",
        "lea eax, [esp + 16]",
        "push ecx",
        "push eax",
        "call {initialize}",
        "ret 12",
        initialize = sym crate::ldr::initialize,
    )
}

/// An APC. ESP points to NormalRoutine, NormalContext, SystemArgument1, SystemArgument2 and a
/// CONTEXT. The routine takes the three off the stack.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiUserApcDispatcher() {
    naked_asm!(
        "pop eax",
        "lea edi, [esp + 12]",
        "call eax",
        "push 1",
        "push edi",
        "call _NtContinue@8",
        "push eax",
        "call {raise_status}",
        "int3",
        raise_status = sym raise_status,
    )
}

/// An exception. ESP points to the addresses of an EXCEPTION_RECORD and a CONTEXT.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiUserExceptionDispatcher() {
    naked_asm!(
        "cld",
        "mov ebx, [esp]",
        "mov edi, [esp + 4]",
        "push edi",
        "push ebx",
        "call {dispatch}",
        "test al, al",
        "jz 2f",
        "push 0",
        "push edi",
        "call _NtContinue@8",
        "jmp 3f",
        "2:",
        "push 0",
        "push edi",
        "push ebx",
        "call _NtRaiseException@12",
        "3:",
        "push eax",
        "call {raise_status}",
        "int3",
        dispatch = sym crate::exception::RtlDispatchException,
        raise_status = sym raise_status,
    )
}

/// A callback of the kernel's graphical part. ESP points to a return address that is none, the
/// routine's number, and what it is called with: buffer and length.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiUserCallbackDispatcher() {
    naked_asm!(
        "add esp, 4",
        "pop edx",
        "mov eax, fs:[{peb}]",
        "mov eax, [eax + {table}]",
        "call dword ptr [eax + edx * 4]",
        "push eax",
        "push 0",
        "push 0",
        "call _NtCallbackReturn@12",
        "push eax",
        "call {raise_status}",
        "int3",
        peb = const offset_of!(Teb<u32>, peb),
        table = const offset_of!(Peb<u32>, kernel_callback_table),
        raise_status = sym raise_status,
    )
}

/// A system call that wants to raise in its caller: the code is in the TEB, and the caller's return
/// address is on the stack.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiRaiseUserExceptionDispatcher() {
    naked_asm!(
        "push dword ptr fs:[{code}]",
        "call {raise_status}",
        "int3",
        code = const offset_of!(Teb<u32>, exception_code),
        raise_status = sym raise_status,
    )
}

/// Calls the kernel: EAX is the service's number, and EDX becomes the address of its arguments,
/// which lie behind the return address of this and that of the stub.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiIntSystemCall() {
    naked_asm!(
        frame_begins!(),
        "lea edx, [esp + 8]",
        "int 0x2e",
        "ret",
        ".cfi_endproc",
    )
}

/// The same without an interrupt, where the processor can: EDX becomes the stack as it is, and the kernel
/// goes on at KiFastSystemCallRet, wherever it was called.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiFastSystemCall() {
    naked_asm!(
        frame_begins!(),
        "mov edx, esp",
        "sysenter",
        ".globl _KiFastSystemCallRet",
        "_KiFastSystemCallRet:",
        "ret",
        ".cfi_endproc",
    )
}
