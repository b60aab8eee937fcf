// SPDX-License-Identifier: GPL-2.0-or-later
//! Loads that may fail: bytes behind which there is a file.
//!
//! A view's page is read from the disk when it is first touched. If the disk fails, the load ends in
//! an exception (`IN_PAGE_ERROR`), and what reads a view must be able to take that for an answer. So
//! views are read by two instructions only, the first of [`load`] and that of [`load_word`]; the program's
//! exception handler knows their addresses and makes the load's caller go on with the exception's code
//! for a result ([`recover`]). That is what a kernel does that reads what a program has named.

use core::arch::naked_asm;
use nt::{Result, Status};
use winapi::um::winnt::CONTEXT;

/// The byte at `from`, or the code of the exception that the load has come to.
///
/// # Safety
/// `from` must lie in memory that nobody else gives back or puts to another use meanwhile. It need
/// not be readable.
pub unsafe fn byte(from: *const u8) -> Result<u8> {
    // SAFETY: the caller's own promise; a load that fails is resumed by `recover`.
    let loaded = unsafe { load(from) };
    // A code that says error is no byte: its upper bits are set.
    u8::try_from(loaded).map_err(|_| Status(loaded))
}

/// The eight bytes from `from` on, or the code of the exception that the load has come to.
///
/// # Safety
/// As for [`byte`], of all eight.
pub unsafe fn word(from: *const u8) -> Result<[u8; 8]> {
    let mut loaded = [0; 8];
    // SAFETY: the caller's own promise, and a live local; a load that fails is resumed by `recover`.
    let failed = unsafe { load_word(from, &raw mut loaded) };
    Status(failed).ok().map(|()| loaded)
}

/// Makes the thread in `context` go on behind a load that has ended in an exception with this code
/// at `address`; false if the exception is of something else.
pub fn recover(code: Status, address: usize, context: &mut CONTEXT) -> bool {
    let loads = [load as *const () as usize, load_word as *const () as usize];
    if !loads.contains(&address) {
        return false;
    }
    // Nothing is on the stack but the return address: any return is the load's own.
    context.Rax = code.0.into();
    context.Rip = failed as *const () as u64;
    true
}

#[unsafe(naked)]
unsafe extern "system" fn load(from: *const u8) -> u32 {
    naked_asm!("movzx eax, byte ptr [rcx]", "ret")
}

/// 0, or the code; not aligned to anything.
#[unsafe(naked)]
unsafe extern "system" fn load_word(from: *const u8, to: *mut [u8; 8]) -> u32 {
    naked_asm!("mov rax, [rcx]", "mov [rdx], rax", "xor eax, eax", "ret")
}

#[unsafe(naked)]
unsafe extern "system" fn failed() {
    naked_asm!("ret")
}
