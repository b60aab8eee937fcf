// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls that move threads: NtContinue, NtRaiseException, NtGetContextThread,
//! NtSetContextThread.
//!
//! The machine keeps floating-point and vector registers; a thread that goes on with a whole
//! CONTEXT is handed to it whole.

use super::argument::services;
use super::call::{Call, Done, success};
use super::layout::context::selectors;
use super::layout::{Context, ExceptionRecord, has_part};
use super::threads::registers;
use super::user::UserPtr;
use crate::machine;
use abi::amd64::{CONTEXT_CONTROL, CONTEXT_FLOATING_POINT, CONTEXT_INTEGER, CONTEXT_SEGMENTS};
use alloc::boxed::Box;
use nt::access::Access;
use nt::{Handle, Result, Status};

services! {
    NtContinue(context: UserPtr<Context>, alert: bool) => go_on;
    NtRaiseException(
        record: UserPtr<ExceptionRecord>, context: UserPtr<Context>, first: bool
    ) => raise;
    NtGetContextThread(thread: Handle, context: UserPtr<Context>) => get;
    NtSetContextThread(thread: Handle, context: UserPtr<Context>) => set;
    NtFlushInstructionCache(process: Handle, address: u64, size: u64) => flush_cache;
}

/// How many numbers of information an EXCEPTION_RECORD holds.
const EXCEPTION_MAXIMUM_PARAMETERS: usize = 15;
/// The flags user mode may have set; interrupts are always on.
const USER_FLAGS: u32 = 0x0021_0DD5;
const INTERRUPTS: u32 = 0x200;
/// Every address below this is canonical and the user's.
const USER_LIMIT: u64 = 0x0000_8000_0000_0000;

/// A CONTEXT that user mode may go on with: segments and flags are made what they must be.
fn sanitized(call: &Call<'_>, mut context: Context) -> Result<Context> {
    if context.rip >= USER_LIMIT {
        return Err(Status::ACCESS_VIOLATION);
    }
    let selectors = selectors(call.exec.architecture());
    (context.cs, context.ss) = (selectors.code, selectors.data);
    context.eflags = context.eflags & USER_FLAGS | INTERRUPTS | 2;
    // Reserved bits of MXCSR would fault in the kernel's hands.
    context.mxcsr &= 0xFFFF;
    Ok(context)
}

fn go_on(call: &mut Call<'_>, args: NtContinue) -> Result<Done> {
    let context: Context = call.read_aligned(args.context, 16)?;
    Ok(Done::Continues(Box::new(sanitized(call, context)?)))
}

fn raise(call: &mut Call<'_>, args: NtRaiseException) -> Result<Done> {
    let record: ExceptionRecord = call.read_aligned(args.record, 8)?;
    let context: Context = call.read_aligned(args.context, 16)?;
    if record.parameters as usize > EXCEPTION_MAXIMUM_PARAMETERS {
        return Err(Status::INVALID_PARAMETER);
    }
    Ok(Done::Raises(
        Box::new(record),
        Box::new(sanitized(call, context)?),
        args.first,
    ))
}

fn get(call: &mut Call<'_>, args: NtGetContextThread) -> Result<Done> {
    let place = args.context;
    call.probe_aligned(place, 16)?;
    let mut context: Context = call.read(place)?;
    let thread = call
        .exec
        .thread_behind(call.thread, args.thread, Access::THREAD_GET_CONTEXT)?;
    if call.exec.thread(thread)?.ended {
        return Err(Status::UNSUCCESSFUL);
    }
    let now = call.exec.machine().context(thread);
    let selectors = selectors(call.exec.architecture());
    if has_part(&context, CONTEXT_CONTROL) {
        (context.rip, context.rsp, context.eflags) = (now.rip, now.rsp, now.flags);
        (context.cs, context.ss) = (selectors.code, selectors.data);
    }
    if has_part(&context, CONTEXT_INTEGER) {
        (context.rax, context.rcx, context.rdx, context.rbx) = (now.rax, now.rcx, now.rdx, now.rbx);
        (context.rbp, context.rsi, context.rdi) = (now.rbp, now.rsi, now.rdi);
        (context.r8, context.r9, context.r10, context.r11) = (now.r8, now.r9, now.r10, now.r11);
        (context.r12, context.r13, context.r14, context.r15) = (now.r12, now.r13, now.r14, now.r15);
    }
    if has_part(&context, CONTEXT_SEGMENTS) {
        (context.ds, context.es) = (selectors.data, selectors.data);
        (context.fs, context.gs) = (selectors.fs, selectors.gs);
    }
    context.mxcsr = now.mxcsr;
    call.write(place, context)?;
    success()
}

fn set(call: &mut Call<'_>, args: NtSetContextThread) -> Result<Done> {
    let context = call.read_aligned(args.context, 16)?;
    let context = sanitized(call, context)?;
    let thread = call
        .exec
        .thread_behind(call.thread, args.thread, Access::THREAD_SET_CONTEXT)?;
    if call.exec.thread(thread)?.ended {
        return Err(Status::UNSUCCESSFUL);
    }
    if thread == call.thread {
        // The calling thread goes on with it at once.
        return Ok(Done::Continues(Box::new(context)));
    }
    let now = call.exec.machine().context(thread);
    let wanted = registers(&context);
    let mut new = now;
    if has_part(&context, CONTEXT_INTEGER) {
        new = machine::Context {
            rip: now.rip,
            rsp: now.rsp,
            flags: now.flags,
            mxcsr: now.mxcsr,
            ..wanted
        };
    }
    if has_part(&context, CONTEXT_CONTROL) {
        (new.rip, new.rsp, new.flags) = (wanted.rip, wanted.rsp, wanted.flags);
    }
    if has_part(&context, CONTEXT_FLOATING_POINT) {
        new.mxcsr = wanted.mxcsr;
    }
    call.exec.machine_mut().set_context(thread, &new);
    success()
}

fn flush_cache(call: &mut Call<'_>, args: NtFlushInstructionCache) -> Result<Done> {
    call.exec
        .process_behind(call.thread, args.process, Access::PROCESS_VM_WRITE)?;
    // Instruction fetches see every store.
    success()
}
