// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about threads.

use super::argument::{UserAttributes, services};
use super::call::{Call, Done, success};
use super::layout::{Context, InitialTeb, ThreadBasic, Word};
use super::processes::{Room, affinity, answer, handle, survived, target, value, word};
use super::user::UserPtr;
use crate::layout::ClientId;
use crate::machine;
use crate::system::processes::create::Stack;
use nt::access::Access;
use nt::{Handle, Result, Status};

services! {
    NtCreateThread(
        thread: UserPtr<Word>, access: Access, attributes: UserAttributes, process: Handle,
        client: UserPtr<ClientId>, context: UserPtr<Context>, stack: UserPtr<InitialTeb>,
        suspended: bool
    ) => create_thread;
    NtOpenThread(
        thread: UserPtr<Word>, access: Access, attributes: UserAttributes,
        client: UserPtr<ClientId>
    ) => open_thread;
    NtTerminateThread(thread: Handle, status: u32) => terminate_thread;
    NtSuspendThread(thread: Handle, count: UserPtr<u32>) => suspend_thread;
    NtResumeThread(thread: Handle, count: UserPtr<u32>) => resume_thread;
    NtQueryInformationThread(
        thread: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_thread;
    NtSetInformationThread(thread: Handle, class: u32, buffer: UserPtr, size: u32) => set_thread;
    NtTestAlert() => test_alert;
}

fn open_thread(call: &mut Call<'_>, args: NtOpenThread) -> Result<Done> {
    let (client, attributes) = target(call, args.thread, args.attributes, args.client)?;
    let handle = call
        .exec
        .open_thread(call.thread, client, args.access, attributes)?;
    call.give(args.thread, handle)
}

fn terminate_thread(call: &mut Call<'_>, args: NtTerminateThread) -> Result<Done> {
    call.exec
        .terminate_thread(call.thread, args.thread, Status::new(args.status))?;
    Ok(survived(call))
}

fn suspend_thread(call: &mut Call<'_>, args: NtSuspendThread) -> Result<Done> {
    call.previous(args.count, |call| {
        call.exec.suspend_thread(call.thread, args.thread)
    })
}

fn resume_thread(call: &mut Call<'_>, args: NtResumeThread) -> Result<Done> {
    call.previous(args.count, |call| {
        call.exec.resume_thread(call.thread, args.thread)
    })
}

fn create_thread(call: &mut Call<'_>, args: NtCreateThread) -> Result<Done> {
    let (result, client) = (args.thread, args.client);
    call.probe(result)?;
    if let Some(client) = client.optional() {
        call.probe_aligned(client, 4)?;
    }
    let context = match args.context.optional() {
        Some(place) => call.read_aligned(place, 16)?,
        None => return Err(Status::INVALID_PARAMETER),
    };
    let teb = call.read_aligned(args.stack, 4)?;
    let stack = if teb.previous_stack_base == 0 && teb.previous_stack_limit == 0 {
        Stack {
            base: teb.stack_base,
            limit: teb.stack_limit,
            allocation: teb.allocated_stack_base,
        }
    } else {
        Stack {
            base: teb.previous_stack_base,
            limit: teb.previous_stack_limit,
            allocation: 0,
        }
    };
    let attributes = call.attributes_or_none(args.attributes)?;
    let registers = registers(&context);
    let (handle, made) = call.exec.create_thread(
        call.thread,
        &attributes.view(),
        args.access,
        args.process,
        &registers,
        stack,
        args.suspended,
    )?;
    call.write_optional(client, made)?;
    call.give(result, handle)
}

/// The integer registers of a CONTEXT.
pub const fn registers(context: &Context) -> machine::Context {
    machine::Context {
        rip: context.rip,
        rsp: context.rsp,
        rax: context.rax,
        rbx: context.rbx,
        rcx: context.rcx,
        rdx: context.rdx,
        rsi: context.rsi,
        rdi: context.rdi,
        rbp: context.rbp,
        r8: context.r8,
        r9: context.r9,
        r10: context.r10,
        r11: context.r11,
        r12: context.r12,
        r13: context.r13,
        r14: context.r14,
        r15: context.r15,
        flags: context.eflags,
        mxcsr: context.mxcsr,
    }
}

fn query_thread(call: &mut Call<'_>, args: NtQueryInformationThread) -> Result<Done> {
    let (thread, class) = (args.thread, args.class);
    let (place, size, length) = (args.buffer, args.size, args.length);
    let to = &Room {
        buffer: place,
        size,
        length,
    };
    call.probe_write(place, u64::from(size), 4)?;
    call.probe_optional::<u32>(length)?;
    match class {
        0 => {
            let facts = call.exec.query_thread(call.thread, thread)?;
            let basic = ThreadBasic {
                exit_status: facts.exit_status.code(),
                teb: facts.teb,
                client: facts.client,
                affinity: affinity(call),
                priority: facts.priority.into(),
                base_priority: 0,
                ..ThreadBasic::default()
            };
            answer(call, to, basic)
        }
        // ThreadTimes: processor time is not kept
        1 => {
            let id =
                call.exec
                    .thread_behind(call.thread, thread, Access::THREAD_QUERY_INFORMATION)?;
            let thread = call.exec.thread(id)?;
            let times = [thread.create_time, thread.exit_time, 0, 0];
            answer(call, to, times)
        }
        // ThreadQuerySetWin32StartAddress
        9 => {
            let id =
                call.exec
                    .thread_behind(call.thread, thread, Access::THREAD_QUERY_INFORMATION)?;
            let start = call.exec.thread(id)?.start_address;
            answer(call, to, Word(start))
        }
        // ThreadAmILastThread
        12 => {
            let id =
                call.exec
                    .thread_behind(call.thread, thread, Access::THREAD_QUERY_INFORMATION)?;
            let last = call.exec.process_of(id)?.threads.len() == 1;
            answer(call, to, u32::from(last))
        }
        18 => {
            let critical = call.exec.query_thread_critical(call.thread, thread)?;
            answer(call, to, u32::from(critical))
        }
        // ThreadIsTerminated
        20 => {
            let id =
                call.exec
                    .thread_behind(call.thread, thread, Access::THREAD_QUERY_INFORMATION)?;
            let ended = call.exec.thread(id)?.ended;
            answer(call, to, u32::from(ended))
        }
        class if class < 32 => {
            log::warn!("NtQueryInformationThread: class {class} is not built");
            Err(Status::NOT_IMPLEMENTED)
        }
        _ => Err(Status::INVALID_INFO_CLASS),
    }
}

fn set_thread(call: &mut Call<'_>, args: NtSetInformationThread) -> Result<Done> {
    let (thread, class) = (args.thread, args.class);
    let given = (args.buffer, args.size);
    call.probe_read(args.buffer, u64::from(args.size), 4)?;
    match class {
        // ThreadPriority, ThreadBasePriority
        2 | 3 => {
            let wanted = i32::from_le_bytes(value(call, given)?);
            let id =
                call.exec
                    .thread_behind(call.thread, thread, Access::THREAD_SET_INFORMATION)?;
            let base = i32::from(call.exec.process_of(id)?.base_priority);
            let priority = if class == 2 {
                wanted
            } else {
                base.saturating_add(wanted).clamp(1, 31)
            };
            match u8::try_from(priority) {
                Ok(priority @ 1..=31) => call.exec.machine_mut().set_priority(id, priority),
                _ => return Err(Status::INVALID_PARAMETER),
            }
        }
        // ThreadAffinityMask
        4 => {
            let wanted = word(call, given)?;
            call.exec
                .thread_behind(call.thread, thread, Access::THREAD_SET_INFORMATION)?;
            if wanted == 0 || wanted & !affinity(call) != 0 {
                return Err(Status::INVALID_PARAMETER);
            }
        }
        // ThreadImpersonationToken
        5 => {
            let token = handle(call, given)?;
            call.exec.set_impersonation(call.thread, thread, token)?;
        }
        // ThreadQuerySetWin32StartAddress
        9 => {
            let start = word(call, given)?;
            let id =
                call.exec
                    .thread_behind(call.thread, thread, Access::THREAD_SET_INFORMATION)?;
            call.exec.thread_mut(id)?.start_address = start;
        }
        18 => {
            let critical = u32::from_le_bytes(value(call, given)?) != 0;
            call.exec
                .set_thread_critical(call.thread, thread, critical)?;
        }
        _ => {
            log::warn!("NtSetInformationThread: class {class} is not built");
            return Err(if class < 32 {
                Status::NOT_IMPLEMENTED
            } else {
                Status::INVALID_INFO_CLASS
            });
        }
    }
    success()
}

fn test_alert(_call: &mut Call<'_>, _: NtTestAlert) -> Result<Done> {
    // Nobody can alert a thread here, and no APC is queued: there is never anything to deliver.
    success()
}
