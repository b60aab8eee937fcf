// SPDX-License-Identifier: GPL-2.0-or-later
//! Copies that may fail: of bytes behind which there is a file.
//!
//! A view's page is read from the disk when it is first touched. If the disk fails, the load ends in
//! an exception (`IN_PAGE_ERROR`), and what reads a view must be able to take that for an answer. So
//! views are read by two instructions only, the first of [`move_words`] and of [`move_bytes`]; the
//! program's exception handler knows their addresses and makes the copy end with the exception's code
//! for a result ([`recover`]). That is what a kernel does that reads what a program has named.

#[cfg(target_arch = "x86_64")]
#[path = "guarded/amd64.rs"]
mod machine;
#[cfg(target_arch = "x86")]
#[path = "guarded/i386.rs"]
mod machine;

use machine::{begin, end_with, move_bytes, move_words};
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
    Status::new(failed).ok()
}

/// Makes the thread in `context` go on behind a copy that has ended in an exception with this code
/// at `address`; false if the exception is of something else.
pub fn recover(code: Status, address: usize, context: &mut CONTEXT) -> bool {
    let may_fail = [move_words as *const (), move_bytes as *const ()];
    if !may_fail.iter().any(|one| one.addr() == address) {
        return false;
    }
    end_with(context, code.code());
    true
}
