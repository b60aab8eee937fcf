// SPDX-License-Identifier: GPL-2.0-or-later
//! The copy that may fail, on i386.
//!
//! What the caller has in the registers of a string instruction is on the stack meanwhile, from the
//! first piece to the last.

use core::arch::naked_asm;
use winapi::um::winnt::CONTEXT;

/// Copies `bytes` bytes: 0, or the code of the exception.
#[unsafe(naked)]
pub unsafe extern "system" fn begin(from: *const u8, to: *mut u8, bytes: usize) -> u32 {
    naked_asm!(
        "push esi",
        "push edi",
        "mov esi, [esp + 12]",
        "mov edi, [esp + 16]",
        "mov ecx, [esp + 20]",
        "shr ecx, 2",
        "xor eax, eax",
        "jmp {move_words}",
        move_words = sym move_words
    )
}

/// The first instruction that may fail: words of four bytes.
#[unsafe(naked)]
pub unsafe extern "system" fn move_words() {
    naked_asm!(
        "rep movsd",
        "mov ecx, [esp + 20]",
        "and ecx, 3",
        "jmp {move_bytes}",
        move_bytes = sym move_bytes
    )
}

/// The second one: what is left.
#[unsafe(naked)]
pub unsafe extern "system" fn move_bytes() {
    naked_asm!("rep movsb", "jmp {end}", end = sym end)
}

/// Takes the arguments of [`begin`] off the stack as well.
#[unsafe(naked)]
unsafe extern "system" fn end() {
    naked_asm!("pop edi", "pop esi", "ret 12")
}

/// Makes the thread in `context`, which is in [`move_words`] or [`move_bytes`], return with `result`.
pub fn end_with(context: &mut CONTEXT, result: u32) {
    context.Eax = result;
    context.Eip = end as *const () as u32;
}
