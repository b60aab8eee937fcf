// SPDX-License-Identifier: GPL-2.0-or-later
//! CONTEXT, whose two forms have different registers: how an i386 one lies in this kernel's.
//!
//! EAX is the lower half of RAX, and so for all; what an i386 program does not have is zero. Its
//! SSE state is what FXSAVE wrote, as on x86-64. Its older form of the x87 state, of FNSAVE, is made
//! of that for a program to read; what a program sets counts if it sets no newer one.

use super::{Context, Layout};
use crate::machine::Architecture;
use abi::amd64::{
    CONTEXT_AMD64, CONTEXT_CONTROL, CONTEXT_FLOATING_POINT, CONTEXT_INTEGER, CONTEXT_SEGMENTS,
};
use abi::i386::{self, CONTEXT_EXTENDED_REGISTERS, CONTEXT_I386, FloatingSaveArea};
use zerocopy::{FromZeros, IntoBytes, transmute};

/// Whether a CONTEXT's flags say that `part` (`CONTEXT_`) counts.
pub const fn has_part(context: &Context, part: u32) -> bool {
    context.flags & part == part
}

/// What the segment registers of a program hold, privilege level included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selectors {
    /// CS.
    pub code: u16,
    /// DS, ES, SS.
    pub data: u16,
    /// FS: on i386, that of the TEB.
    pub fs: u16,
    /// GS.
    pub gs: u16,
}

/// The selectors of programs of this kind.
pub const fn selectors(architecture: Architecture) -> Selectors {
    match architecture {
        Architecture::Amd64 => Selectors {
            code: 0x33,
            data: 0x2B,
            fs: 0x53,
            gs: 0x2B,
        },
        Architecture::I386 => Selectors {
            code: 0x1B,
            data: 0x23,
            fs: 0x3B,
            gs: 0,
        },
    }
}

/// The parts that both forms have under the same bits.
const COMMON: u32 = (CONTEXT_CONTROL
    | CONTEXT_INTEGER
    | CONTEXT_SEGMENTS
    | CONTEXT_FLOATING_POINT
    | abi::amd64::CONTEXT_DEBUG_REGISTERS)
    & !CONTEXT_AMD64;
/// Bytes of FXSAVE's area: control, status and tag of the x87; MXCSR; the registers, 16 bytes each.
const TAG: usize = 4;
const MXCSR: usize = 24;
const REGISTERS: usize = 32;
/// MXCSR with every exception masked.
const MXCSR_DEFAULT: u32 = 0x1F80;

impl Layout for Context {
    type Narrow = i386::Context;

    fn widened(narrow: i386::Context) -> Self {
        let mut flags = CONTEXT_AMD64 | narrow.flags & COMMON;
        let mut float: [u8; 512] = transmute!(narrow.extended);
        if narrow.flags & CONTEXT_EXTENDED_REGISTERS == CONTEXT_EXTENDED_REGISTERS {
            flags |= CONTEXT_FLOATING_POINT;
        } else {
            float = newer(&narrow.float);
        }
        let [.., a, b, c, d] = *float.first_chunk::<{ MXCSR + 4 }>().unwrap_or(&[0; 28]);
        Self {
            flags,
            mxcsr: u32::from_le_bytes([a, b, c, d]),
            cs: narrow.cs as u16,
            ds: narrow.ds as u16,
            es: narrow.es as u16,
            fs: narrow.fs as u16,
            gs: narrow.gs as u16,
            ss: narrow.ss as u16,
            eflags: narrow.eflags,
            debug: narrow.debug.map(u64::from),
            rax: narrow.eax.into(),
            rcx: narrow.ecx.into(),
            rdx: narrow.edx.into(),
            rbx: narrow.ebx.into(),
            rsp: narrow.esp.into(),
            rbp: narrow.ebp.into(),
            rsi: narrow.esi.into(),
            rdi: narrow.edi.into(),
            rip: narrow.eip.into(),
            float: transmute!(float),
            ..Self::new_zeroed()
        }
    }

    fn narrowed(self) -> i386::Context {
        let float: [u8; 512] = transmute!(self.float);
        let mut flags = CONTEXT_I386 | self.flags & COMMON;
        if has_part(&self, CONTEXT_FLOATING_POINT) {
            flags |= CONTEXT_EXTENDED_REGISTERS;
        }
        i386::Context {
            flags,
            debug: self.debug.map(|register| register as u32),
            float: older(&float),
            gs: self.gs.into(),
            fs: self.fs.into(),
            es: self.es.into(),
            ds: self.ds.into(),
            edi: self.rdi as u32,
            esi: self.rsi as u32,
            ebx: self.rbx as u32,
            edx: self.rdx as u32,
            ecx: self.rcx as u32,
            eax: self.rax as u32,
            ebp: self.rbp as u32,
            eip: self.rip as u32,
            cs: self.cs.into(),
            eflags: self.eflags,
            esp: self.rsp as u32,
            ss: self.ss.into(),
            extended: transmute!(float),
        }
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    found.copied().unwrap_or([0; N])
}

/// FNSAVE's form of FXSAVE's. Its tag word has two bits a register: 3 is an empty one, and all that
/// are not are called valid, as nothing computes with the difference.
fn older(float: &[u8; 512]) -> FloatingSaveArea {
    let word = |at| u32::from(u16::from_le_bytes(number(float, at)));
    let used = float[TAG];
    let tag = (0..8)
        .filter(|register| used >> register & 1 == 0)
        .fold(0_u32, |tag, register| tag | 3 << (2 * register));
    let mut registers = [0; 80];
    for (to, from) in registers
        .chunks_exact_mut(10)
        .zip(float[REGISTERS..].chunks_exact(16))
    {
        to.copy_from_slice(from.get(..10).unwrap_or_default());
    }
    FloatingSaveArea {
        control: 0xFFFF_0000 | word(0),
        status: 0xFFFF_0000 | word(2),
        tag: 0xFFFF_0000 | tag,
        error_offset: u32::from_le_bytes(number(float, 8)),
        error_selector: word(12) | word(6) << 16,
        data_offset: u32::from_le_bytes(number(float, 16)),
        data_selector: 0xFFFF_0000 | word(20),
        registers,
        cr0: 0,
    }
}

/// FXSAVE's form of FNSAVE's, with the SSE state of a new thread.
fn newer(float: &FloatingSaveArea) -> [u8; 512] {
    let mut area = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = area.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    let used = (0..8)
        .filter(|register| float.tag >> (2 * register) & 3 != 3)
        .fold(0_u8, |used, register| used | 1 << register);
    put(0, (float.control as u16).as_bytes());
    put(2, (float.status as u16).as_bytes());
    put(TAG, &[used]);
    put(6, ((float.error_selector >> 16) as u16).as_bytes());
    put(8, float.error_offset.as_bytes());
    put(12, (float.error_selector as u16).as_bytes());
    put(16, float.data_offset.as_bytes());
    put(20, (float.data_selector as u16).as_bytes());
    put(MXCSR, MXCSR_DEFAULT.as_bytes());
    for (index, register) in float.registers.chunks_exact(10).enumerate() {
        put(REGISTERS + 16 * index, register);
    }
    area
}
