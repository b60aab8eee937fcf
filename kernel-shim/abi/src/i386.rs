// SPDX-License-Identifier: GPL-2.0-or-later
//! What only an i386 NT has: registers, the far parts of the environment blocks, the place in the
//! shared data page through which programs call the kernel.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `CONTEXT_i386`.
pub const CONTEXT_I386: u32 = 0x0001_0000;
/// `CONTEXT_EXTENDED_REGISTERS`: what FXSAVE writes; the low bits of all the other parts are those
/// of x86-64.
pub const CONTEXT_EXTENDED_REGISTERS: u32 = CONTEXT_I386 | 0x20;

/// `SystemCall` in KUSER_SHARED_DATA: the address that a program calls with a service's number in
/// EAX.
pub const SYSTEM_CALL: u64 = 0x300;
/// `SystemCallReturn`: where a program goes on behind `sysenter`.
pub const SYSTEM_CALL_RETURN: u64 = 0x304;

/// CONTEXT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Context {
    /// `CONTEXT_`: which parts count.
    pub flags: u32,
    pub debug: [u32; 6],
    pub float: FloatingSaveArea,
    pub gs: u32,
    pub fs: u32,
    pub es: u32,
    pub ds: u32,
    pub edi: u32,
    pub esi: u32,
    pub ebx: u32,
    pub edx: u32,
    pub ecx: u32,
    pub eax: u32,
    pub ebp: u32,
    pub eip: u32,
    pub cs: u32,
    pub eflags: u32,
    pub esp: u32,
    pub ss: u32,
    /// As FXSAVE writes it.
    pub extended: [u32; 128],
}

layout!(Context {
    size: 0x2CC,
    float: 0x1C,
    gs: 0x8C,
    edi: 0x9C,
    eax: 0xB0,
    eip: 0xB8,
    esp: 0xC4,
    extended: 0xCC
});

/// FLOATING_SAVE_AREA, as FNSAVE writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FloatingSaveArea {
    pub control: u32,
    pub status: u32,
    pub tag: u32,
    pub error_offset: u32,
    pub error_selector: u32,
    pub data_offset: u32,
    pub data_selector: u32,
    /// Eight registers of ten bytes.
    pub registers: [u8; 80],
    pub cr0: u32,
}

layout!(FloatingSaveArea {
    size: 0x70,
    registers: 0x1C,
    cr0: 0x6C
});

/// Offsets in the PEB behind what [`crate::process::Peb`] names.
pub mod peb {
    /// `SessionId`.
    pub const SESSION_ID: usize = 0x1D4;
    /// `MinimumStackCommit`.
    pub const MINIMUM_STACK_COMMIT: usize = 0x208;
    /// Bytes of the whole.
    pub const SIZE: usize = 0x230;
}

/// Offsets in the TEB behind what [`crate::process::Teb`] names.
pub mod teb {
    /// `RealClientId`.
    pub const REAL_CLIENT_ID: usize = 0x6B4;
    /// `StaticUnicodeString`.
    pub const STATIC_UNICODE_STRING: usize = 0xBF8;
    /// `StaticUnicodeBuffer`.
    pub const STATIC_UNICODE_BUFFER: usize = 0xC00;
    /// Bytes of `StaticUnicodeBuffer`.
    pub const STATIC_UNICODE_BYTES: u16 = 522;
    /// `DeallocationStack`.
    pub const DEALLOCATION_STACK: usize = 0xE0C;
    /// `FreeStackOnTermination`.
    pub const FREE_STACK_ON_TERMINATION: usize = 0xF75;
    /// Bytes of the page that holds the whole.
    pub const SIZE: usize = 0x1000;
}
