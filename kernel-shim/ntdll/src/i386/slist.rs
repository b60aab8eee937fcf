// SPDX-License-Identifier: GPL-2.0-or-later
//! Interlocked singly linked lists, with the 8-byte header of i386.
//!
//! The header's first half is the first entry's address, the second half a depth of 16 bits below a
//! sequence number of 16. Every change counts the sequence up, so that a list which came back to
//! the same first entry is not taken for the same list.
//!
//! A pop reads the next pointer of an entry that somebody else may just have popped and freed. The
//! kernel knows the three places by their exports: a fault at `...Fault` goes on at `...Resume` if
//! the list has changed meanwhile.

use core::arch::naked_asm;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::USHORT;

type Header = *mut [u32; 2];

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitializeSListHead(header: Header) {
    // SAFETY: the caller's new header, which nobody else uses yet.
    unsafe { header.write([0; 2]) };
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlQueryDepthSList(header: Header) -> USHORT {
    // SAFETY: the caller's header; the lower half of its second word.
    unsafe { header.cast::<u16>().wrapping_add(2).read_volatile() }
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlInterlockedPopEntrySList(header: Header) -> *mut c_void {
    naked_asm!(
        "push ebx",
        "push ebp",
        "mov ebp, [esp + 12]",
        ".globl _ExpInterlockedPopEntrySListResume",
        "_ExpInterlockedPopEntrySListResume:",
        "mov edx, [ebp + 4]",
        "mov eax, [ebp]",
        "2:",
        "test eax, eax",
        "jz 3f",
        "lea ecx, [edx + 0xffff]", // one more change, one entry fewer
        ".globl _ExpInterlockedPopEntrySListFault",
        "_ExpInterlockedPopEntrySListFault:",
        "mov ebx, [eax]",
        ".globl _ExpInterlockedPopEntrySListEnd",
        "_ExpInterlockedPopEntrySListEnd:",
        "lock cmpxchg8b qword ptr [ebp]",
        "jnz 2b",
        "3:",
        "pop ebp",
        "pop ebx",
        "ret 4",
    )
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlInterlockedPushEntrySList(
    header: Header,
    entry: *mut c_void,
) -> *mut c_void {
    naked_asm!(
        "push ebx",
        "push ebp",
        "mov ebp, [esp + 12]",
        "mov ebx, [esp + 16]",
        "mov edx, [ebp + 4]",
        "mov eax, [ebp]",
        "2:",
        "mov [ebx], eax",
        "lea ecx, [edx + 0x10001]", // one more change, one entry more
        "lock cmpxchg8b qword ptr [ebp]",
        "jnz 2b",
        "pop ebp",
        "pop ebx",
        "ret 8",
    )
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlInterlockedFlushSList(header: Header) -> *mut c_void {
    naked_asm!(
        "push ebx",
        "push ebp",
        "mov ebp, [esp + 12]",
        "mov edx, [ebp + 4]",
        "mov eax, [ebp]",
        "xor ebx, ebx",
        "2:",
        "lea ecx, [edx + 0x10000]", // one more change, no entry
        "xor cx, cx",
        "lock cmpxchg8b qword ptr [ebp]",
        "jnz 2b",
        "pop ebp",
        "pop ebx",
        "ret 4",
    )
}
