// SPDX-License-Identifier: GPL-2.0-or-later
//! The system-call stubs, and the two routines whose calling convention is not that of a function.
//!
//! A stub moves RCX to R10, because `syscall` overwrites RCX with the return address, puts the
//! service's number in EAX, and leaves the stack arguments where the caller put them, above the
//! return address and four home slots.

core::arch::global_asm!(include_str!(concat!(env!("OUT_DIR"), "/stubs.s")));

// The stack probe that images of other compilers import: RAX bytes below the stack pointer are
// touched page by page, and no register changes. The compiler's own probe has the same contract
// under another name.
core::arch::global_asm!(".globl __chkstk", "__chkstk:", "jmp ___chkstk_ms");
