// SPDX-License-Identifier: GPL-2.0-or-later
//! What only an x86-64 NT has: registers, and the far parts of the environment blocks.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `CONTEXT_AMD64`.
pub const CONTEXT_AMD64: u32 = 0x0010_0000;
/// `CONTEXT_CONTROL`: cs, ss, rip, rsp, eflags.
pub const CONTEXT_CONTROL: u32 = CONTEXT_AMD64 | 1;
/// `CONTEXT_INTEGER`.
pub const CONTEXT_INTEGER: u32 = CONTEXT_AMD64 | 2;
/// `CONTEXT_SEGMENTS`.
pub const CONTEXT_SEGMENTS: u32 = CONTEXT_AMD64 | 4;
/// `CONTEXT_FLOATING_POINT`.
pub const CONTEXT_FLOATING_POINT: u32 = CONTEXT_AMD64 | 8;
/// `CONTEXT_DEBUG_REGISTERS`.
pub const CONTEXT_DEBUG_REGISTERS: u32 = CONTEXT_AMD64 | 0x10;

/// CONTEXT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Context {
    pub home: [u64; 6],
    /// `CONTEXT_`: which parts count.
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
    /// As FXSAVE writes it.
    pub float: [u64; 64],
    pub vector: [u64; 52],
    pub vector_control: u64,
    pub debug_control: u64,
    pub last_branch_to: u64,
    pub last_branch_from: u64,
    pub last_exception_to: u64,
    pub last_exception_from: u64,
}

layout!(Context {
    size: 0x4D0,
    flags: 0x30,
    cs: 0x38,
    eflags: 0x44,
    rax: 0x78,
    rsp: 0x98,
    rip: 0xF8,
    float: 0x100,
    vector: 0x300,
    debug_control: 0x4A8
});

/// Offsets in the PEB behind what [`crate::process::Peb`] names.
pub mod peb {
    /// `SessionId`.
    pub const SESSION_ID: usize = 0x2C0;
    /// `MinimumStackCommit`.
    pub const MINIMUM_STACK_COMMIT: usize = 0x318;
    /// Bytes of the whole.
    pub const SIZE: usize = 0x358;
}

/// Offsets in the TEB behind what [`crate::process::Teb`] names.
pub mod teb {
    /// `RealClientId`.
    pub const REAL_CLIENT_ID: usize = 0x7D8;
    /// `StaticUnicodeString`.
    pub const STATIC_UNICODE_STRING: usize = 0x1258;
    /// `StaticUnicodeBuffer`.
    pub const STATIC_UNICODE_BUFFER: usize = 0x1268;
    /// Bytes of `StaticUnicodeBuffer`.
    pub const STATIC_UNICODE_BYTES: u16 = 522;
    /// `DeallocationStack`.
    pub const DEALLOCATION_STACK: usize = 0x1478;
    /// `FreeStackOnTermination`.
    pub const FREE_STACK_ON_TERMINATION: usize = 0x1745;
    /// Bytes of the two pages that hold the whole.
    pub const SIZE: usize = 0x2000;
}
