// SPDX-License-Identifier: GPL-2.0-or-later
//! CONTEXT and EXCEPTION_RECORD of x86-64: what NtCreateThread, NtContinue, NtGetContextThread and
//! exceptions carry.

use core::mem::offset_of;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// CONTEXT, 0x4D0 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: the names are the fields' own"
)]
pub struct Context {
    pub home: [u64; 6],
    pub flags: u32,
    pub mxcsr: u32,
    pub cs: u16,
    pub ds: u16,
    pub es: u16,
    pub fs: u16,
    pub gs: u16,
    pub ss: u16,
    pub eflags: u32,
    pub debug: [u64; 6],
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rbx: u64,
    pub rsp: u64,
    pub rbp: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub float: [u64; 64],
    pub vector: [u64; 52],
    pub vector_control: u64,
    pub debug_control: u64,
    pub last_branch_to: u64,
    pub last_branch_from: u64,
    pub last_exception_to: u64,
    pub last_exception_from: u64,
}

impl Context {
    /// `CONTEXT_AMD64`.
    pub const AMD64: u32 = 0x0010_0000;
    /// `CONTEXT_CONTROL`: cs, ss, rip, rsp, eflags.
    pub const CONTROL: u32 = Self::AMD64 | 1;
    /// `CONTEXT_INTEGER`.
    pub const INTEGER: u32 = Self::AMD64 | 2;
    /// `CONTEXT_SEGMENTS`.
    pub const SEGMENTS: u32 = Self::AMD64 | 4;
    /// `CONTEXT_FLOATING_POINT`.
    pub const FLOATING_POINT: u32 = Self::AMD64 | 8;
    /// `CONTEXT_DEBUG_REGISTERS`.
    pub const DEBUG_REGISTERS: u32 = Self::AMD64 | 0x10;

    /// Whether this part is meant to count.
    pub const fn has(&self, part: u32) -> bool {
        self.flags & part == part
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new_zeroed()
    }
}

const _: () = assert!(size_of::<Context>() == 0x4D0);
const _: () = assert!(offset_of!(Context, flags) == 0x30);
const _: () = assert!(offset_of!(Context, cs) == 0x38);
const _: () = assert!(offset_of!(Context, eflags) == 0x44);
const _: () = assert!(offset_of!(Context, rax) == 0x78);
const _: () = assert!(offset_of!(Context, rsp) == 0x98);
const _: () = assert!(offset_of!(Context, rip) == 0xF8);
const _: () = assert!(offset_of!(Context, float) == 0x100);
const _: () = assert!(offset_of!(Context, vector) == 0x300);
const _: () = assert!(offset_of!(Context, debug_control) == 0x4A8);

/// EXCEPTION_RECORD, 0x98 bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: the names are the fields' own"
)]
pub struct ExceptionRecord {
    pub code: u32,
    pub flags: u32,
    pub next: u64,
    pub address: u64,
    pub parameters: u32,
    pub padding: u32,
    pub information: [u64; 15],
}

const _: () = assert!(size_of::<ExceptionRecord>() == 0x98);
const _: () = assert!(offset_of!(ExceptionRecord, information) == 0x20);
