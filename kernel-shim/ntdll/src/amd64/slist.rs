// SPDX-License-Identifier: GPL-2.0-or-later
//! Interlocked singly linked lists, with the 16-byte header of x86-64.
//!
//! The header's first half is a depth of 16 bits below a sequence number of 48, the second half the
//! first entry's address with two flag bits below (bit 0: this form of header, bit 1: initialised).
//! Every change counts the sequence up, so that a list which came back to the same first entry is
//! not taken for the same list.
//!
//! A pop reads the next pointer of an entry that somebody else may just have popped and freed. The
//! kernel knows the three places by their exports: a fault at `...Fault` goes on at `...Resume` if
//! the list has changed meanwhile.

use core::arch::naked_asm;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::USHORT;

type Header = *mut [u64; 2];

/// This form of header, initialised.
const FLAGS: u64 = 3;

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitializeSListHead(header: Header) {
    // SAFETY: the caller's new header, which nobody else uses yet.
    unsafe { header.write([0, FLAGS]) };
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlQueryDepthSList(header: Header) -> USHORT {
    // SAFETY: the caller's header; one of its words.
    unsafe { header.cast::<u16>().read_volatile() }
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlInterlockedPopEntrySList(header: Header) -> *mut c_void {
    naked_asm!(
        "push rbx",
        "mov r10, rcx",
        ".globl ExpInterlockedPopEntrySListResume",
        "ExpInterlockedPopEntrySListResume:",
        "mov rax, [r10]",
        "mov rdx, [r10 + 8]",
        "2:",
        "mov r9, rdx",
        "and r9, -16",
        "jz 3f",
        ".globl ExpInterlockedPopEntrySListFault",
        "ExpInterlockedPopEntrySListFault:",
        "mov r11, [r9]",
        "mov ecx, edx",
        "and ecx, 15",
        "or rcx, r11",
        "lea rbx, [rax + 0xffff]", // one more change, one entry fewer
        ".globl ExpInterlockedPopEntrySListEnd",
        "ExpInterlockedPopEntrySListEnd:",
        "lock cmpxchg16b [r10]",
        "jnz 2b",
        "3:",
        "mov rax, r9",
        "pop rbx",
        "ret",
    )
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlInterlockedPushEntrySList(
    header: Header,
    entry: *mut c_void,
) -> *mut c_void {
    naked_asm!(
        "push rbx",
        "mov r10, rcx",
        "mov r11, rdx",
        "mov rax, [r10]",
        "mov rdx, [r10 + 8]",
        "2:",
        "mov r9, rdx",
        "and r9, -16",
        "mov [r11], r9",
        "mov ecx, edx",
        "and ecx, 15",
        "or rcx, r11",
        "lea rbx, [rax + 0x10001]", // one more change, one entry more
        "lock cmpxchg16b [r10]",
        "jnz 2b",
        "mov rax, r9",
        "pop rbx",
        "ret",
    )
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlInterlockedFlushSList(header: Header) -> *mut c_void {
    naked_asm!(
        "push rbx",
        "mov r10, rcx",
        "mov rax, [r10]",
        "mov rdx, [r10 + 8]",
        "2:",
        "mov r9, rdx",
        "and r9, -16",
        "mov ecx, edx",
        "and ecx, 15",
        "lea rbx, [rax + 0x10000]", // one more change, no entry
        "xor bx, bx",
        "lock cmpxchg16b [r10]",
        "jnz 2b",
        "mov rax, r9",
        "pop rbx",
        "ret",
    )
}
