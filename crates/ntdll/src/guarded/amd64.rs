// SPDX-License-Identifier: GPL-2.0-or-later
//! The copy that may fail, on x86-64.
//!
//! What the caller has in the registers of a string instruction is kept in others meanwhile: nothing
//! is on the stack but the return address, in all four pieces, so that each can be unwound without
//! a table of its own.

use core::arch::naked_asm;
use winapi::um::winnt::CONTEXT;

/// Copies `bytes` bytes: 0, or the code of the exception.
#[unsafe(naked)]
pub unsafe extern "system" fn begin(from: *const u8, to: *mut u8, bytes: usize) -> u32 {
    naked_asm!(
        "mov r9, rsi",
        "mov r10, rdi",
        "mov rsi, rcx",
        "mov rdi, rdx",
        "mov rcx, r8",
        "shr rcx, 3",
        "xor eax, eax",
        "jmp {move_words}",
        move_words = sym move_words
    )
}

/// The first instruction that may fail: words of eight bytes.
#[unsafe(naked)]
pub unsafe extern "system" fn move_words() {
    naked_asm!(
        "rep movsq",
        "mov rcx, r8",
        "and ecx, 7",
        "jmp {move_bytes}",
        move_bytes = sym move_bytes
    )
}

/// The second one: what is left.
#[unsafe(naked)]
pub unsafe extern "system" fn move_bytes() {
    naked_asm!("rep movsb", "jmp {end}", end = sym end)
}

#[unsafe(naked)]
unsafe extern "system" fn end() {
    naked_asm!("mov rsi, r9", "mov rdi, r10", "ret")
}

/// Makes the thread in `context`, which is in [`move_words`] or [`move_bytes`], return with `result`.
pub fn end_with(context: &mut CONTEXT, result: u32) {
    context.Rax = result.into();
    context.Rip = end as *const () as u64;
}
