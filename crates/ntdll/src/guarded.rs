// SPDX-License-Identifier: GPL-2.0-or-later
//! Copies that may fail: of bytes behind which there is a file.
//!
//! A view's page is read from the disk when it is first touched. If the disk fails, the load ends in
//! an exception (`IN_PAGE_ERROR`), and what reads a view must be able to take that for an answer. So
//! views are read by one instruction only, the first of [`move_bytes`]; the program's exception handler
//! knows its address and makes the copy end with the exception's code for a result ([`recover`]). That
//! is what a kernel does that reads what a program has named.

use core::arch::naked_asm;
use nt::{Result, Status};
use winapi::um::winnt::CONTEXT;

/// Copies what lies from `from` on to `to`. The error is the code of the exception that the copy has come
/// to; some of it may have been made.
///
/// # Safety
/// As many bytes from `from` on must lie in memory that nobody else gives back, writes to or puts to
/// another use meanwhile. They need not be readable.
pub unsafe fn copy(from: *const u8, to: &mut [u8]) -> Result<()> {
    // SAFETY: the caller's own promise, and a buffer of this length; a load that fails is resumed by
    // `recover`.
    let failed = unsafe { begin(from, to.as_mut_ptr(), to.len()) };
    Status(failed).ok()
}

/// Makes the thread in `context` go on behind a copy that has ended in an exception with this code
/// at `address`; false if the exception is of something else.
pub fn recover(code: Status, address: usize, context: &mut CONTEXT) -> bool {
    if address != move_bytes as *const () as usize {
        return false;
    }
    context.Rax = code.0.into();
    context.Rip = end as *const () as u64;
    true
}

/// 0, or the code of the exception. What the caller has in the registers of a string instruction is
/// kept in others meanwhile: nothing is on the stack but the return address, in all three pieces.
#[unsafe(naked)]
unsafe extern "system" fn begin(from: *const u8, to: *mut u8, bytes: usize) -> u32 {
    naked_asm!(
        "mov r9, rsi",
        "mov r10, rdi",
        "mov rsi, rcx",
        "mov rdi, rdx",
        "mov rcx, r8",
        "xor eax, eax",
        "jmp {move_bytes}",
        move_bytes = sym move_bytes
    )
}

#[unsafe(naked)]
unsafe extern "system" fn move_bytes() {
    naked_asm!("rep movsb", "jmp {end}", end = sym end)
}

#[unsafe(naked)]
unsafe extern "system" fn end() {
    naked_asm!("mov rsi, r9", "mov rdi, r10", "ret")
}
