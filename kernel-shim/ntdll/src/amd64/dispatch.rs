// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the kernel enters user mode: the dispatchers for APCs, exceptions and callbacks, and the
//! thunk every thread starts in.
//!
//! The frames are those of ReactOS' kernel on x86-64. None of these is called, so none returns:
//! each gives its thread back with NtContinue, NtRaiseException or NtCallbackReturn.

use crate::exception::raise_status;
use core::arch::naked_asm;
use core::mem::offset_of;
use winapi::um::winnt::CONTEXT;

const _: () = {
    assert!(offset_of!(CONTEXT, P1Home) == 0x00);
    assert!(offset_of!(CONTEXT, P2Home) == 0x08);
    assert!(offset_of!(CONTEXT, P3Home) == 0x10);
    assert!(offset_of!(CONTEXT, P4Home) == 0x18);
};

/// The normal routine of a thread's first APC. R9 is the CONTEXT in which the thread goes on when
/// this returns; RDX is this DLL's base.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn LdrInitializeThunk() {
    naked_asm!("mov rcx, r9", "jmp {initialize}", initialize = sym crate::ldr::initialize)
}

/// An APC. RSP points to a CONTEXT, 16-byte aligned, whose home slots hold NormalContext,
/// SystemArgument1, SystemArgument2 and NormalRoutine; a machine frame follows it.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiUserApcDispatcher() {
    naked_asm!(
        "mov rcx, [rsp + 0x00]",
        "mov rdx, [rsp + 0x08]",
        "mov r8, [rsp + 0x10]",
        "mov r9, rsp",
        "call qword ptr [rsp + 0x18]",
        "mov rcx, rsp",
        "mov dl, 1",
        "call NtContinue",
        "mov ecx, eax",
        "call {raise_status}",
        "int3",
        raise_status = sym raise_status,
    )
}

/// An exception. RSP points to a CONTEXT, the EXCEPTION_RECORD follows it at 0x4D0; RCX is the
/// record and RDX the context.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiUserExceptionDispatcher() {
    naked_asm!(
        "cld",
        "call {dispatch}",
        "test al, al",
        "jz 2f",
        "mov rcx, rsp",
        "xor edx, edx",
        "call NtContinue",
        "jmp 3f",
        "2:",
        "lea rcx, [rsp + 0x4d0]",
        "mov rdx, rsp",
        "xor r8d, r8d",
        "call NtRaiseException",
        "3:",
        "mov ecx, eax",
        "call {raise_status}",
        "int3",
        dispatch = sym crate::exception::RtlDispatchException,
        raise_status = sym raise_status,
    )
}

/// A callback of the kernel's graphical part. RSP points to four home slots, then buffer, length
/// and routine number.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiUserCallbackDispatcher() {
    naked_asm!(
        "mov rcx, [rsp + 0x20]",
        "mov edx, [rsp + 0x28]",
        "mov r8d, [rsp + 0x2c]",
        "mov rax, gs:[0x60]",
        "mov rax, [rax + 0x58]", // PEB.KernelCallbackTable
        "call qword ptr [rax + r8 * 8]",
        "xor ecx, ecx",
        "xor edx, edx",
        "mov r8d, eax",
        "call NtCallbackReturn",
        "mov ecx, eax",
        "call {raise_status}",
        "int3",
        raise_status = sym raise_status,
    )
}

/// A system call that wants to raise in its caller: the code is in the TEB, and the caller's return
/// address is on the stack.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn KiRaiseUserExceptionDispatcher() {
    naked_asm!("mov ecx, gs:[0x2c0]", "jmp {raise_status}", raise_status = sym raise_status)
}
