// SPDX-License-Identifier: GPL-2.0-or-later
//! CONTEXT against the registers of ring 3: what it sees of them, and what it may set.
//!
//! Debug registers are reported as zero and what is set of them is dropped: this kernel leaves them
//! to the host's debugger.

use super::user::{Registers, Vectors};
use abi::amd64::{
    CONTEXT_AMD64, CONTEXT_CONTROL, CONTEXT_DEBUG_REGISTERS, CONTEXT_FLOATING_POINT,
    CONTEXT_INTEGER, CONTEXT_SEGMENTS,
};
use executive::layout::context::selectors;
use executive::layout::{Context, has_part};
use executive::machine::Architecture;
use zerocopy::{FromZeros, IntoBytes};

/// `CONTEXT_ALL`.
pub const ALL: u32 = CONTEXT_CONTROL
    | CONTEXT_INTEGER
    | CONTEXT_SEGMENTS
    | CONTEXT_FLOATING_POINT
    | CONTEXT_DEBUG_REGISTERS;

/// MXCSR bits that exist: loading any other faults.
const MXCSR_MASK: u32 = 0xffff;

/// The parts that `flags` asks for, of these registers; the rest is zero.
pub fn of(
    architecture: Architecture,
    registers: &Registers,
    vectors: &Vectors,
    flags: u32,
) -> Context {
    let selectors = selectors(architecture);
    let mut context = Context {
        flags: flags | CONTEXT_AMD64,
        ..Context::new_zeroed()
    };
    if has_part(&context, CONTEXT_CONTROL) {
        (context.rip, context.rsp, context.eflags) =
            (registers.rip, registers.rsp, registers.rflags as u32);
        (context.cs, context.ss) = (selectors.code, selectors.data);
    }
    if has_part(&context, CONTEXT_INTEGER) {
        (context.rax, context.rcx, context.rdx, context.rbx) =
            (registers.rax, registers.rcx, registers.rdx, registers.rbx);
        (context.rbp, context.rsi, context.rdi) = (registers.rbp, registers.rsi, registers.rdi);
        (context.r8, context.r9, context.r10, context.r11) =
            (registers.r8, registers.r9, registers.r10, registers.r11);
        (context.r12, context.r13, context.r14, context.r15) =
            (registers.r12, registers.r13, registers.r14, registers.r15);
    }
    if has_part(&context, CONTEXT_SEGMENTS) {
        (context.ds, context.es) = (selectors.data, selectors.data);
        (context.fs, context.gs) = (selectors.fs, selectors.gs);
    }
    if has_part(&context, CONTEXT_FLOATING_POINT) {
        context.float.as_mut_bytes().copy_from_slice(&vectors.0);
        context.mxcsr = vectors.mxcsr();
    }
    context
}

/// Sets the parts that the context's flags name. Selectors and reserved flags stay what they must
/// be.
pub fn apply(context: &Context, registers: &mut Registers, vectors: &mut Vectors) {
    if has_part(context, CONTEXT_CONTROL) {
        (registers.rip, registers.rsp, registers.rflags) =
            (context.rip, context.rsp, context.eflags.into());
    }
    if has_part(context, CONTEXT_INTEGER) {
        (registers.rax, registers.rcx, registers.rdx, registers.rbx) =
            (context.rax, context.rcx, context.rdx, context.rbx);
        (registers.rbp, registers.rsi, registers.rdi) = (context.rbp, context.rsi, context.rdi);
        (registers.r8, registers.r9, registers.r10, registers.r11) =
            (context.r8, context.r9, context.r10, context.r11);
        (registers.r12, registers.r13, registers.r14, registers.r15) =
            (context.r12, context.r13, context.r14, context.r15);
    }
    if has_part(context, CONTEXT_FLOATING_POINT) {
        vectors.0.copy_from_slice(context.float.as_bytes());
        vectors.set_mxcsr(context.mxcsr & MXCSR_MASK);
    }
}
