// SPDX-License-Identifier: GPL-2.0-or-later
//! How the kernel makes a thread call into `ntdll.dll`: the frames of KiUserExceptionDispatcher and
//! KiUserApcDispatcher.
//!
//! Both have a CONTEXT, to which NtContinue returns. On x86-64 it is at the new stack pointer, and
//! unwinders find a machine frame behind it; on i386 the dispatchers' arguments are in front of it.
//! The machine layer only builds the bytes: the owner of the address space writes them, and what a
//! failed write means is decided there.

use crate::cpu::context;
use crate::cpu::user::{Registers, Trap, Vectors};
use alloc::vec::Vec;
use executive::layout::context::selectors;
use executive::layout::{Context, ExceptionRecord, Word};
use executive::machine::Architecture;
use zerocopy::IntoBytes;

/// `EXCEPTION_ACCESS_VIOLATION` and its like: what ring 3 may raise by running (STATUS_ values).
mod code {
    pub const GUARD_PAGE_VIOLATION: u32 = 0x8000_0001;
    pub const DATATYPE_MISALIGNMENT: u32 = 0x8000_0002;
    pub const BREAKPOINT: u32 = 0x8000_0003;
    pub const SINGLE_STEP: u32 = 0x8000_0004;
    pub const ACCESS_VIOLATION: u32 = 0xc000_0005;
    pub const IN_PAGE_ERROR: u32 = 0xc000_0006;
    pub const ILLEGAL_INSTRUCTION: u32 = 0xc000_001d;
    pub const PRIVILEGED_INSTRUCTION: u32 = 0xc000_0096;
    pub const FLOAT_MULTIPLE_FAULTS: u32 = 0xc000_02b4;
    pub const FLOAT_DIVIDE_BY_ZERO: u32 = 0xc000_008e;
    pub const INTEGER_DIVIDE_BY_ZERO: u32 = 0xc000_0094;
    pub const INTEGER_OVERFLOW: u32 = 0xc000_0095;
    pub const STACK_OVERFLOW: u32 = 0xc000_00fd;
    pub const ASSERTION_FAILURE: u32 = 0xc000_0420;
    pub const STACK_BUFFER_OVERRUN: u32 = 0xc000_0409;
}

/// A record with parameters.
pub fn record(code: u32, address: u64, parameters: &[u64]) -> ExceptionRecord {
    let mut information = [0; 15];
    for (to, from) in information.iter_mut().zip(parameters) {
        *to = *from;
    }
    ExceptionRecord {
        code,
        address,
        parameters: parameters.len() as u32,
        information,
        ..ExceptionRecord::default()
    }
}

/// A page fault that came to nothing, as NT tells it: what was tried is in the fault's error code. A
/// page that may be touched, and was not to be had, is an in-page error with the reason.
pub fn page_fault(status: u32, rip: u64, address: u64, error: u64) -> ExceptionRecord {
    let kind = if error & 1 << 4 != 0 {
        8
    } else if error & 1 << 1 != 0 {
        1
    } else {
        0
    };
    match status {
        code::ACCESS_VIOLATION | code::GUARD_PAGE_VIOLATION | code::STACK_OVERFLOW => {
            record(status, rip, &[kind, address])
        }
        _ => record(code::IN_PAGE_ERROR, rip, &[kind, address, status.into()]),
    }
}

/// What NT makes of a trap that is no page fault. `opcode` is the byte at the instruction pointer,
/// to tell a privileged instruction from any other protection fault.
pub fn of_trap(trap: Trap, registers: &Registers, opcode: [u8; 2]) -> ExceptionRecord {
    let at = registers.rip;
    match trap {
        Trap::PageFault { address, error } => {
            page_fault(code::ACCESS_VIOLATION, at, address, error)
        }
        Trap::Exception { vector: 0, .. } => record(code::INTEGER_DIVIDE_BY_ZERO, at, &[]),
        Trap::Exception { vector: 1, .. } => record(code::SINGLE_STEP, at, &[]),
        // The address is that of the breakpoint itself, the context's is moved there when it is
        // delivered.
        Trap::Exception { vector: 3, .. } => record(code::BREAKPOINT, at.wrapping_sub(1), &[0]),
        Trap::Exception { vector: 4, .. } => record(code::INTEGER_OVERFLOW, at, &[]),
        Trap::Exception { vector: 6, .. } => record(code::ILLEGAL_INSTRUCTION, at, &[]),
        Trap::Exception { vector: 13, .. } if privileged(opcode) => {
            record(code::PRIVILEGED_INSTRUCTION, at, &[])
        }
        Trap::Exception { vector: 16, .. } => record(code::FLOAT_DIVIDE_BY_ZERO, at, &[0]),
        Trap::Exception { vector: 17, .. } => record(code::DATATYPE_MISALIGNMENT, at, &[]),
        Trap::Exception { vector: 19, .. } => record(code::FLOAT_MULTIPLE_FAULTS, at, &[0]),
        Trap::Exception { vector: 0x29, .. } => {
            record(code::STACK_BUFFER_OVERRUN, at, &[registers.rcx])
        }
        Trap::Exception { vector: 0x2c, .. } => record(code::ASSERTION_FAILURE, at, &[]),
        Trap::Exception { vector: 0x2d, .. } => record(code::BREAKPOINT, at, &[registers.rax]),
        // Everything else is a protection fault of some kind, for which NT knows no address.
        _ => record(code::ACCESS_VIOLATION, at, &[0, u64::MAX]),
    }
}

const fn privileged(opcode: [u8; 2]) -> bool {
    matches!(opcode, [0xf4 | 0xfa | 0xfb, _] | [0x0f, 0x00 | 0x01 | 0x06..=0x09 | 0x20..=0x23 | 0x30 | 0x32 | 0x33 | 0x35])
}

/// A frame to be written to the user stack, and what the registers are once it stands there.
#[derive(Debug)]
pub struct UserFrame {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where they go: the new stack pointer.
    pub address: u64,
    /// The registers that call the dispatcher.
    pub registers: Registers,
}

/// The registers for a dispatcher: neither single-stepped nor with the direction flag set.
fn entering(registers: &Registers) -> Registers {
    const TRAP: u64 = 1 << 8;
    const DIRECTION: u64 = 1 << 10;
    let mut entered = *registers;
    entered.rflags &= !(TRAP | DIRECTION);
    entered
}

fn machine_frame(rip: u64, rsp: u64, flags: u64) -> [u64; 5] {
    let selectors = selectors(Architecture::Amd64);
    [
        rip,
        selectors.code.into(),
        flags,
        rsp,
        selectors.data.into(),
    ]
}

/// The frame of KiUserExceptionDispatcher. x86-64: CONTEXT, EXCEPTION_RECORD, alignment, machine
/// frame; RCX and RDX point to the record and the context as well. i386: pointers to the record and
/// the context, the record as far as it has parameters, CONTEXT.
pub fn exception(
    architecture: Architecture,
    registers: &Registers,
    vectors: &Vectors,
    record: &ExceptionRecord,
    dispatcher: u64,
) -> UserFrame {
    let mut context = context::of(architecture, registers, vectors, context::ALL);
    if record.code == code::BREAKPOINT {
        context.rip = context.rip.wrapping_sub(1);
    }
    let mut entered = entering(registers);
    entered.rip = dispatcher;
    let mut bytes = architecture.bytes_of(context);
    match architecture {
        Architecture::Amd64 => {
            bytes.extend_from_slice(record.as_bytes());
            bytes.extend_from_slice(&[0; 8]);
            let frame = machine_frame(context.rip, context.rsp, context.eflags.into());
            bytes.extend_from_slice(frame.as_bytes());
            let address = registers.rsp.wrapping_sub(bytes.len() as u64) & !15;
            entered.rsp = address;
            (entered.rcx, entered.rdx) = (address + size_of::<Context>() as u64, address);
        }
        Architecture::I386 => {
            let context_at = (registers.rsp & !3).wrapping_sub(bytes.len() as u64);
            let mut whole = architecture.bytes_of(*record);
            let unused = { record.information }
                .len()
                .saturating_sub(record.parameters as usize);
            whole.truncate(whole.len() - unused * architecture.size_of::<Word>());
            let record_at = context_at.wrapping_sub(whole.len() as u64);
            let mut frame = words(&[record_at, context_at]);
            entered.rsp = record_at.wrapping_sub(frame.len() as u64);
            frame.extend(whole);
            frame.extend(bytes);
            bytes = frame;
        }
    }
    UserFrame {
        bytes,
        address: entered.rsp,
        registers: entered,
    }
}

/// The frame of KiUserApcDispatcher. x86-64: CONTEXT, whose home area carries context, both
/// arguments and the routine, and machine frame. i386: routine, context, both arguments, CONTEXT,
/// and room for the dispatcher's own record of its exception handler.
pub fn apc(
    architecture: Architecture,
    registers: &Registers,
    vectors: &Vectors,
    routine: u64,
    arguments: [u64; 3],
    dispatcher: u64,
) -> UserFrame {
    let mut context = context::of(architecture, registers, vectors, context::ALL);
    let [normal_context, first, second] = arguments;
    let mut entered = entering(registers);
    entered.rip = dispatcher;
    let bytes = match architecture {
        Architecture::Amd64 => {
            context.home = [normal_context, first, second, routine, 0, 0];
            let mut bytes = Vec::from(context.as_bytes());
            let frame = machine_frame(context.rip, context.rsp, context.eflags.into());
            bytes.extend_from_slice(frame.as_bytes());
            entered.rsp = registers.rsp.wrapping_sub(bytes.len() as u64) & !15;
            bytes
        }
        Architecture::I386 => {
            let mut bytes = words(&[routine, normal_context, first, second]);
            bytes.extend(architecture.bytes_of(context));
            bytes.extend_from_slice(&[0; 8]);
            entered.rsp = (registers.rsp & !3).wrapping_sub(bytes.len() as u64);
            bytes
        }
    };
    UserFrame {
        bytes,
        address: entered.rsp,
        registers: entered,
    }
}

/// Words of an i386 program.
fn words(words: &[u64]) -> Vec<u8> {
    let word = |&word: &u64| Architecture::I386.bytes_of(Word(word));
    words.iter().flat_map(word).collect()
}
