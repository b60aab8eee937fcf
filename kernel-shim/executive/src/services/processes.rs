// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about processes and threads.

use super::call::{Built, Call, Done, built, success};
use super::encode::put_text;
use super::layout::Context;
use super::layout::{InitialTeb, ProcessBasic, ThreadBasic, UnicodeString, client_id};
use crate::machine;
use crate::process::create::{CreateProcess, Stack};
use alloc::vec;
use alloc::vec::Vec;
use nt::object::{Attributes, ClientId};
use nt::{Handle, Result, Status};
use zerocopy::IntoBytes;

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtCreateProcess",
        &[
            "process",
            "access",
            "@attributes",
            "parent",
            "inherit",
            "section",
            "debug",
            "exception",
        ],
        create,
    ),
    built(
        "NtCreateProcessEx",
        &[
            "process",
            "access",
            "@attributes",
            "parent",
            "flags",
            "section",
            "debug",
            "exception",
            "job",
        ],
        create_ex,
    ),
    built(
        "NtOpenProcess",
        &["process", "access", "@attributes", "client"],
        open,
    ),
    built("NtTerminateProcess", &["process", "status"], terminate),
    built(
        "NtQueryInformationProcess",
        &["process", "class", "buffer", "size", "length"],
        query,
    ),
    built(
        "NtSetInformationProcess",
        &["process", "class", "buffer", "size"],
        set,
    ),
    built(
        "NtCreateThread",
        &[
            "thread",
            "access",
            "@attributes",
            "process",
            "client",
            "context",
            "stack",
            "suspended",
        ],
        create_thread,
    ),
    built(
        "NtOpenThread",
        &["thread", "access", "@attributes", "client"],
        open_thread,
    ),
    built("NtTerminateThread", &["thread", "status"], terminate_thread),
    built("NtSuspendThread", &["thread", "count"], suspend_thread),
    built("NtResumeThread", &["thread", "count"], resume_thread),
    built(
        "NtQueryInformationThread",
        &["thread", "class", "buffer", "size", "length"],
        query_thread,
    ),
    built(
        "NtSetInformationThread",
        &["thread", "class", "buffer", "size"],
        set_thread,
    ),
    built("NtTestAlert", &[], test_alert),
    built("NtIsProcessInJob", &["process", "job"], is_in_job),
];

/// A bit for every processor.
fn affinity(call: &Call<'_>) -> u64 {
    (1_u64 << call.exec.machine.processor().count.clamp(1, 63)) - 1
}

fn create(call: &mut Call<'_>) -> Result<Done> {
    make(call, call.flag(4), call.handle(6), call.handle(7))
}

fn create_ex(call: &mut Call<'_>) -> Result<Done> {
    /// `PROCESS_CREATE_FLAGS_INHERIT_HANDLES`.
    const INHERIT_HANDLES: u32 = 4;
    if call.u32(8) != 0 {
        log::warn!("NtCreateProcessEx: jobs are not built");
        return Err(Status::NOT_IMPLEMENTED);
    }
    make(
        call,
        call.u32(4) & INHERIT_HANDLES != 0,
        call.handle(6),
        call.handle(7),
    )
}

fn make(
    call: &mut Call<'_>,
    inherit_handles: bool,
    debug: Handle,
    exception_port: Handle,
) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    if call.handle(3).is_null() {
        return Err(Status::INVALID_PARAMETER);
    }
    if !debug.is_null() || call.handle(5).is_null() {
        // A process that is a copy of its parent, or that is debugged from its birth.
        log::warn!("NtCreateProcess: forks and debug objects are not built");
        return Err(Status::NOT_IMPLEMENTED);
    }
    let attributes = call.attributes_or_none(call.pointer(2))?;
    let request = CreateProcess {
        parent: call.handle(3),
        section: call.handle(5),
        exception_port,
        inherit_handles,
    };
    let handle =
        call.exec
            .create_process(call.thread, &attributes.view(), call.u32(1), &request)?;
    call.give(call.pointer(0), handle)
}

/// CLIENT_ID and OBJ_ attributes of an opening call; a name is an alternative that these calls do
/// not have here.
fn target(call: &mut Call<'_>) -> Result<(ClientId, Attributes)> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes(call.pointer(2))?;
    let client = match call.pointer(3).optional() {
        Some(place) => Some(call.read_aligned::<ClientId>(place, 4)?),
        None => None,
    };
    match (client, attributes.name) {
        (Some(client), None) => Ok((
            client,
            Attributes::from_bits_retain(attributes.attributes & Attributes::INHERIT.bits()),
        )),
        (Some(_), Some(_)) | (None, None) => Err(Status::INVALID_PARAMETER_MIX),
        // No process and no thread has a name here.
        (None, Some(_)) => Err(Status::OBJECT_NAME_NOT_FOUND),
    }
}

fn open(call: &mut Call<'_>) -> Result<Done> {
    let (client, attributes) = target(call)?;
    let handle = call
        .exec
        .open_process(call.thread, client, call.u32(1), attributes)?;
    call.give(call.pointer(0), handle)
}

fn open_thread(call: &mut Call<'_>) -> Result<Done> {
    let (client, attributes) = target(call)?;
    let handle = call
        .exec
        .open_thread(call.thread, client, call.u32(1), attributes)?;
    call.give(call.pointer(0), handle)
}

/// How a call ends that may have ended its own thread.
fn survived(call: &Call<'_>) -> Done {
    let alive = call
        .exec
        .thread(call.thread)
        .is_ok_and(|thread| !thread.ended);
    if alive && call.exec.bug_check.is_none() {
        Done::Returns(Status::SUCCESS)
    } else {
        Done::Gone
    }
}

fn terminate(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .terminate_process(call.thread, call.handle(0), Status(call.u32(1)))?;
    Ok(survived(call))
}

fn terminate_thread(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .terminate_thread(call.thread, call.handle(0), Status(call.u32(1)))?;
    Ok(survived(call))
}

fn counted(call: &mut Call<'_>, change: impl FnOnce(&mut Call<'_>) -> Result<u32>) -> Result<Done> {
    let place = call.pointer(1);
    call.probe_optional::<u32>(place)?;
    let before = change(call)?;
    call.write_optional(place, before)?;
    success()
}

fn suspend_thread(call: &mut Call<'_>) -> Result<Done> {
    counted(call, |call| {
        call.exec.suspend_thread(call.thread, call.handle(0))
    })
}

fn resume_thread(call: &mut Call<'_>) -> Result<Done> {
    counted(call, |call| {
        call.exec.resume_thread(call.thread, call.handle(0))
    })
}

fn create_thread(call: &mut Call<'_>) -> Result<Done> {
    let [result, _, attributes, _, client, context, stack, _] =
        core::array::from_fn(|index| call.pointer(index));
    call.probe::<u64>(result)?;
    if let Some(client) = client.optional() {
        call.probe_write(client, size_of::<ClientId>() as u64, 4)?;
    }
    let context: Context = match context.optional() {
        Some(place) => call.read_aligned(place, 16)?,
        None => return Err(Status::INVALID_PARAMETER),
    };
    let teb: InitialTeb = call.read_aligned(stack, 4)?;
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
    let attributes = call.attributes_or_none(attributes)?;
    let registers = registers(&context);
    let (handle, made) = call.exec.create_thread(
        call.thread,
        &attributes.view(),
        call.u32(1),
        call.handle(3),
        &registers,
        stack,
        call.flag(7),
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

/// Whether a buffer must have exactly the size of the answer, or at least that.
fn answer(call: &mut Call<'_>, bytes: &[u8], exact: bool) -> Result<Done> {
    let (place, size, length) = (call.pointer(2), call.u32(3) as usize, call.pointer(4));
    if size < bytes.len() || (exact && size != bytes.len()) {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.write_bytes(place, bytes)?;
    call.write_optional(length, bytes.len() as u32)?;
    success()
}

fn query(call: &mut Call<'_>) -> Result<Done> {
    let (process, class) = (call.handle(0), call.u32(1));
    let (place, size, length) = (call.pointer(2), call.u32(3), call.pointer(4));
    call.probe_write(place, u64::from(size), 4)?;
    call.probe_optional::<u32>(length)?;
    let own = process == Handle::CURRENT_PROCESS;
    match class {
        // ProcessBasicInformation
        0 => {
            let facts = call.exec.query_process(call.thread, process)?;
            let basic = ProcessBasic {
                exit_status: facts.exit_status.0,
                peb: facts.peb,
                affinity: affinity(call),
                base_priority: facts.base_priority.into(),
                process: facts.process.0.into(),
                parent: facts.parent.0.into(),
                ..ProcessBasic::default()
            };
            answer(call, basic.as_bytes(), true)
        }
        // ProcessTimes: processor time is not kept
        4 => {
            let id = call.exec.query_process(call.thread, process)?.process;
            let mut times = [0_u64; 4];
            times[0] = call.exec.process(id)?.create_time;
            answer(call, times.as_bytes(), true)
        }
        // ProcessDebugPort: none
        7 => {
            call.exec.query_process(call.thread, process)?;
            answer(call, &[0; 8], true)
        }
        12 => {
            let mode = call.exec.query_hard_error_mode(call.thread, process)?;
            answer(call, mode.as_bytes(), true)
        }
        // ProcessHandleCount
        20 => {
            let id = call.exec.query_process(call.thread, process)?.process;
            let count = call
                .exec
                .process(id)?
                .handles
                .as_ref()
                .map_or(0, |table| table.len()) as u32;
            answer(call, count.as_bytes(), true)
        }
        23 => device_map(call, process),
        24 => {
            let session = call.exec.query_session(call.thread, process)?;
            answer(call, session.as_bytes(), true)
        }
        // ProcessWow64Information: none
        26 => {
            call.exec.query_process(call.thread, process)?;
            answer(call, &[0; 8], true)
        }
        27 => {
            let id = call.exec.query_process(call.thread, process)?.process;
            let name = call.exec.image_path(id)?;
            let text = (name.len() * 2) as u16;
            let string = UnicodeString {
                length: text,
                maximum_length: text + 2,
                buffer: place.0.wrapping_add(size_of::<UnicodeString>() as u64),
                ..UnicodeString::default()
            };
            let mut bytes = Vec::from(string.as_bytes());
            put_text(&mut bytes, &name);
            bytes.extend([0, 0]);
            answer(call, &bytes, false)
        }
        // ProcessLUIDDeviceMapsEnabled: they are not
        28 => answer(call, 0_u32.as_bytes(), true),
        29 => {
            let critical = call.exec.query_process_critical(call.thread, process)?;
            answer(call, u32::from(critical).as_bytes(), true)
        }
        34 if own => {
            let flags = call.exec.process(call.process)?.execute_flags;
            answer(call, flags.as_bytes(), true)
        }
        // ProcessCookie: a number that a process keeps; the same on every run
        36 if own => {
            let cookie = call.process.0.wrapping_mul(0x9E37_79B9) | 1;
            answer(call, cookie.as_bytes(), true)
        }
        37 if own => {
            let information = call.exec.own_image_information(call.process)?;
            answer(call, information.as_bytes(), true)
        }
        34 | 36 | 37 => Err(Status::INVALID_PARAMETER),
        class if class < 48 => {
            log::warn!("NtQueryInformationProcess: class {class} is not built");
            Err(Status::NOT_IMPLEMENTED)
        }
        _ => Err(Status::INVALID_INFO_CLASS),
    }
}

/// ProcessDeviceMap: 0x24 bytes exactly, drive bits and types (spec 13.4).
fn device_map(call: &mut Call<'_>, process: Handle) -> Result<Done> {
    let id = call.exec.query_process(call.thread, process)?.process;
    let map = call.exec.process(id)?.device_map;
    let mut bytes = vec![0; 4];
    let mut types = [0; 32];
    if let Some(map) = call.exec.device_maps.get(map.0) {
        bytes.copy_from_slice(&map.drives.to_le_bytes());
        types = map.types;
    }
    bytes.extend(types);
    answer(call, &bytes, true)
}

fn value<const N: usize>(call: &mut Call<'_>) -> Result<[u8; N]> {
    if call.u32(3) as usize != N {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let bytes = call.bytes(call.pointer(2), N as u64)?;
    bytes.try_into().map_err(|_| Status::INFO_LENGTH_MISMATCH)
}

fn set(call: &mut Call<'_>) -> Result<Done> {
    let (process, class) = (call.handle(0), call.u32(1));
    call.probe_read(call.pointer(2), u64::from(call.u32(3)), 4)?;
    match class {
        5 => {
            let priority = u32::from_le_bytes(value(call)?);
            call.exec
                .set_base_priority(call.thread, process, priority)?;
        }
        // ProcessExceptionPort
        8 => {
            let port = Handle(u64::from_le_bytes(value(call)?));
            call.exec.set_exception_port(call.thread, process, port)?;
        }
        12 => {
            let mode = u32::from_le_bytes(value(call)?);
            call.exec.set_hard_error_mode(call.thread, process, mode)?;
        }
        // ProcessAffinityMask
        21 => {
            let wanted = u64::from_le_bytes(value(call)?);
            call.exec
                .process_behind(call.thread, process, PROCESS_SET_INFORMATION)?;
            if wanted == 0 || wanted & !affinity(call) != 0 {
                return Err(Status::INVALID_PARAMETER);
            }
        }
        // ProcessPriorityBoost: dynamic boosts are not made, so there is nothing to switch off
        22 => {
            value::<4>(call)?;
            call.exec
                .process_behind(call.thread, process, PROCESS_SET_INFORMATION)?;
        }
        23 => {
            let directory = Handle(u64::from_le_bytes(value(call)?));
            call.exec.set_device_map(call.thread, process, directory)?;
        }
        24 => {
            let session = u32::from_le_bytes(value(call)?);
            call.exec.set_session(call.thread, process, session)?;
        }
        29 => {
            let critical = u32::from_le_bytes(value(call)?) != 0;
            call.exec
                .set_process_critical(call.thread, process, critical)?;
        }
        // ProcessExecuteFlags: until they are made permanent
        34 => {
            let flags = u32::from_le_bytes(value(call)?);
            if process != Handle::CURRENT_PROCESS || flags & !EXECUTE_VALID != 0 {
                return Err(Status::INVALID_PARAMETER);
            }
            let own = call.exec.process_mut(call.process)?;
            if own.execute_flags & EXECUTE_PERMANENT != 0 {
                return Err(Status::ACCESS_DENIED);
            }
            let dispatch = if flags & EXECUTE_ENABLE != 0 {
                EXECUTE_DISPATCH
            } else {
                0
            };
            own.execute_flags = flags | dispatch;
        }
        _ => {
            log::warn!("NtSetInformationProcess: class {class} is not built");
            return Err(if class < 48 {
                Status::NOT_IMPLEMENTED
            } else {
                Status::INVALID_INFO_CLASS
            });
        }
    }
    success()
}

const PROCESS_SET_INFORMATION: u32 = 0x200;
const THREAD_SET_INFORMATION: u32 = 0x20;
/// `MEM_EXECUTE_OPTION_ENABLE`, the two dispatch options that come with it,
/// `MEM_EXECUTE_OPTION_PERMANENT`, and all there are.
const EXECUTE_ENABLE: u32 = 2;
const EXECUTE_DISPATCH: u32 = 0x30;
const EXECUTE_PERMANENT: u32 = 8;
const EXECUTE_VALID: u32 = 0x3F;

fn query_thread(call: &mut Call<'_>) -> Result<Done> {
    let (thread, class) = (call.handle(0), call.u32(1));
    let (place, size, length) = (call.pointer(2), call.u32(3), call.pointer(4));
    call.probe_write(place, u64::from(size), 4)?;
    call.probe_optional::<u32>(length)?;
    match class {
        0 => {
            let facts = call.exec.query_thread(call.thread, thread)?;
            let basic = ThreadBasic {
                exit_status: facts.exit_status.0,
                teb: facts.teb,
                client: client_id(facts.client),
                affinity: affinity(call),
                priority: facts.priority.into(),
                base_priority: 0,
                ..ThreadBasic::default()
            };
            answer(call, basic.as_bytes(), true)
        }
        // ThreadQuerySetWin32StartAddress
        9 => {
            let id = call.exec.thread_behind(call.thread, thread, 0x40)?;
            let start = call.exec.thread(id)?.start_address;
            answer(call, start.as_bytes(), true)
        }
        // ThreadAmILastThread
        12 => {
            let id = call.exec.thread_behind(call.thread, thread, 0x40)?;
            let last = call.exec.process_of(id)?.threads.len() == 1;
            answer(call, u32::from(last).as_bytes(), true)
        }
        18 => {
            let critical = call.exec.query_thread_critical(call.thread, thread)?;
            answer(call, u32::from(critical).as_bytes(), true)
        }
        class if class < 32 => {
            log::warn!("NtQueryInformationThread: class {class} is not built");
            Err(Status::NOT_IMPLEMENTED)
        }
        _ => Err(Status::INVALID_INFO_CLASS),
    }
}

fn set_thread(call: &mut Call<'_>) -> Result<Done> {
    let (thread, class) = (call.handle(0), call.u32(1));
    call.probe_read(call.pointer(2), u64::from(call.u32(3)), 4)?;
    match class {
        // ThreadPriority, ThreadBasePriority
        2 | 3 => {
            let wanted = i32::from_le_bytes(value(call)?);
            let id = call
                .exec
                .thread_behind(call.thread, thread, THREAD_SET_INFORMATION)?;
            let base = i32::from(call.exec.process_of(id)?.base_priority);
            let priority = if class == 2 {
                wanted
            } else {
                base.saturating_add(wanted).clamp(1, 31)
            };
            match u8::try_from(priority) {
                Ok(priority @ 1..=31) => call.exec.machine.set_priority(id, priority),
                _ => return Err(Status::INVALID_PARAMETER),
            }
        }
        // ThreadAffinityMask
        4 => {
            let wanted = u64::from_le_bytes(value(call)?);
            call.exec
                .thread_behind(call.thread, thread, THREAD_SET_INFORMATION)?;
            if wanted == 0 || wanted & !affinity(call) != 0 {
                return Err(Status::INVALID_PARAMETER);
            }
        }
        // ThreadImpersonationToken
        5 => {
            let token = Handle(u64::from_le_bytes(value(call)?));
            call.exec.set_impersonation(call.thread, thread, token)?;
        }
        // ThreadQuerySetWin32StartAddress
        9 => {
            let start = u64::from_le_bytes(value(call)?);
            let id = call
                .exec
                .thread_behind(call.thread, thread, THREAD_SET_INFORMATION)?;
            call.exec.thread_mut(id)?.start_address = start;
        }
        18 => {
            let critical = u32::from_le_bytes(value(call)?) != 0;
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

fn test_alert(_call: &mut Call<'_>) -> Result<Done> {
    // Nobody can alert a thread here, and no APC is queued: there is never anything to deliver.
    success()
}

fn is_in_job(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .process_behind(call.thread, call.handle(0), 0x400)?;
    Ok(Done::Returns(Status::PROCESS_NOT_IN_JOB))
}
