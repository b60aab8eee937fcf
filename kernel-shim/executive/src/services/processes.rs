// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about processes.

use super::argument::{UserAttributes, services};
use super::call::{Call, Done, success};
use super::encode::put_text;
use super::layout::{Layout, ProcessBasic, UnicodeString, Word, section_image};
use super::user::UserPtr;
use crate::layout::ClientId;
use crate::ob::System as _;
use crate::system::processes::create::CreateProcess;
use alloc::vec;
use alloc::vec::Vec;
use nt::access::Access;
use nt::object::Attributes;
use nt::{Handle, Result, Status};

services! {
    NtCreateProcess(
        process: UserPtr<Word>, access: Access, attributes: UserAttributes, parent: Handle,
        inherit: bool, section: Handle, debug: Handle, exception: Handle
    ) => create;
    NtCreateProcessEx(
        process: UserPtr<Word>, access: Access, attributes: UserAttributes, parent: Handle,
        flags: u32, section: Handle, debug: Handle, exception: Handle, job: u32
    ) => create_ex;
    NtOpenProcess(
        process: UserPtr<Word>, access: Access, attributes: UserAttributes,
        client: UserPtr<ClientId>
    ) => open;
    NtTerminateProcess(process: Handle, status: u32) => terminate;
    NtQueryInformationProcess(
        process: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query;
    NtSetInformationProcess(process: Handle, class: u32, buffer: UserPtr, size: u32) => set;
    NtIsProcessInJob(process: Handle, job: Handle) => is_in_job;
}

/// A bit for every processor.
pub(super) fn affinity(call: &Call<'_>) -> u64 {
    (1_u64 << call.exec.machine().processor().count.clamp(1, 63)) - 1
}

fn create(call: &mut Call<'_>, args: NtCreateProcess) -> Result<Done> {
    let request = Create {
        place: args.process,
        access: args.access,
        attributes: args.attributes,
        parent: args.parent,
        inherit_handles: args.inherit,
        section: args.section,
        debug: args.debug,
        exception_port: args.exception,
    };
    make(call, request)
}

fn create_ex(call: &mut Call<'_>, args: NtCreateProcessEx) -> Result<Done> {
    /// `PROCESS_CREATE_FLAGS_INHERIT_HANDLES`.
    const INHERIT_HANDLES: u32 = 4;
    if args.job != 0 {
        log::warn!("NtCreateProcessEx: jobs are not built");
        return Err(Status::NOT_IMPLEMENTED);
    }
    let request = Create {
        place: args.process,
        access: args.access,
        attributes: args.attributes,
        parent: args.parent,
        inherit_handles: args.flags & INHERIT_HANDLES != 0,
        section: args.section,
        debug: args.debug,
        exception_port: args.exception,
    };
    make(call, request)
}

/// NtCreateProcess and NtCreateProcessEx.
struct Create {
    place: UserPtr<Word>,
    access: Access,
    attributes: UserAttributes,
    parent: Handle,
    inherit_handles: bool,
    section: Handle,
    debug: Handle,
    exception_port: Handle,
}

fn make(call: &mut Call<'_>, wanted: Create) -> Result<Done> {
    call.probe(wanted.place)?;
    if wanted.parent.is_null() {
        return Err(Status::INVALID_PARAMETER);
    }
    if !wanted.debug.is_null() || wanted.section.is_null() {
        // A process that is a copy of its parent, or that is debugged from its birth.
        log::warn!("NtCreateProcess: forks and debug objects are not built");
        return Err(Status::NOT_IMPLEMENTED);
    }
    let attributes = call.attributes_or_none(wanted.attributes)?;
    let request = CreateProcess {
        parent: wanted.parent,
        section: wanted.section,
        exception_port: wanted.exception_port,
        inherit_handles: wanted.inherit_handles,
    };
    let handle =
        call.exec
            .create_process(call.thread, &attributes.view(), wanted.access, &request)?;
    call.give(wanted.place, handle)
}

/// CLIENT_ID and OBJ_ attributes of an opening call; a name is an alternative that these calls do
/// not have here.
pub(super) fn target(
    call: &mut Call<'_>,
    place: UserPtr<Word>,
    attributes: UserAttributes,
    client: UserPtr<ClientId>,
) -> Result<(ClientId, Attributes)> {
    call.probe(place)?;
    let attributes = call.attributes(attributes)?;
    let client = match client.optional() {
        Some(place) => Some(call.read_aligned(place, 4)?),
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

fn open(call: &mut Call<'_>, args: NtOpenProcess) -> Result<Done> {
    let (client, attributes) = target(call, args.process, args.attributes, args.client)?;
    let handle = call
        .exec
        .open_process(call.thread, client, args.access, attributes)?;
    call.give(args.process, handle)
}

/// How a call ends that may have ended its own thread.
pub(super) fn survived(call: &Call<'_>) -> Done {
    let alive = call
        .exec
        .thread(call.thread)
        .is_ok_and(|thread| !thread.ended);
    if alive && call.exec.bug_check().is_none() {
        Done::Returns(Status::SUCCESS)
    } else {
        Done::Gone
    }
}

fn terminate(call: &mut Call<'_>, args: NtTerminateProcess) -> Result<Done> {
    call.exec
        .terminate_process(call.thread, args.process, Status::new(args.status))?;
    Ok(survived(call))
}

/// Where the answer to a query goes.
pub(super) struct Room {
    pub(super) buffer: UserPtr,
    pub(super) size: u32,
    pub(super) length: UserPtr<u32>,
}

/// Delivers an answer for which the buffer must have exactly its size.
pub(super) fn answer<T: Layout>(call: &mut Call<'_>, to: &Room, value: T) -> Result<Done> {
    let bytes = call.bytes_of(value);
    answer_bytes(call, to, &bytes, true)
}

/// Delivers an answer. `exact`: the buffer must have exactly its size, else at least that.
pub(super) fn answer_bytes(
    call: &mut Call<'_>,
    to: &Room,
    bytes: &[u8],
    exact: bool,
) -> Result<Done> {
    let size = to.size as usize;
    if size < bytes.len() || (exact && size != bytes.len()) {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.write_bytes(to.buffer, bytes)?;
    call.write_optional(to.length, bytes.len() as u32)?;
    success()
}

fn query(call: &mut Call<'_>, args: NtQueryInformationProcess) -> Result<Done> {
    let (process, class) = (args.process, args.class);
    let (place, size, length) = (args.buffer, args.size, args.length);
    let to = &Room {
        buffer: place,
        size,
        length,
    };
    call.probe_write(place, u64::from(size), 4)?;
    call.probe_optional::<u32>(length)?;
    let own = process == Handle::CURRENT_PROCESS;
    match class {
        // ProcessBasicInformation
        0 => {
            let facts = call.exec.query_process(call.thread, process)?;
            let basic = ProcessBasic {
                exit_status: facts.exit_status.code(),
                peb: facts.peb,
                affinity: affinity(call),
                base_priority: facts.base_priority.into(),
                process: facts.process.0.into(),
                parent: facts.parent.0.into(),
                ..ProcessBasic::default()
            };
            answer(call, to, basic)
        }
        // ProcessTimes: processor time is not kept
        4 => {
            let id = call.exec.query_process(call.thread, process)?.process;
            let process = call.exec.process(id)?;
            let times = [process.create_time, process.exit_time, 0, 0];
            answer(call, to, times)
        }
        // ProcessDebugPort: none
        7 => {
            call.exec.query_process(call.thread, process)?;
            answer(call, to, Word(0))
        }
        12 => {
            let mode = call.exec.query_hard_error_mode(call.thread, process)?;
            answer(call, to, mode)
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
            answer(call, to, count)
        }
        23 => device_map(call, to, process),
        24 => {
            let session = call.exec.query_session(call.thread, process)?;
            answer(call, to, session)
        }
        // ProcessWow64Information: none
        26 => {
            call.exec.query_process(call.thread, process)?;
            answer(call, to, Word(0))
        }
        27 => {
            let id = call.exec.query_process(call.thread, process)?.process;
            let name = call.exec.image_path(id)?;
            let bytes = terminated(call, place, &name);
            answer_bytes(call, to, &bytes, false)
        }
        // ProcessLUIDDeviceMapsEnabled: they are not
        28 => answer(call, to, 0_u32),
        29 => {
            let critical = call.exec.query_process_critical(call.thread, process)?;
            answer(call, to, u32::from(critical))
        }
        34 if own => {
            let flags = call.exec.process(call.process)?.execute_flags;
            answer(call, to, flags)
        }
        // ProcessCookie: a number that a process keeps; the same on every run
        36 if own => {
            let cookie = call.process.0.wrapping_mul(0x9E37_79B9) | 1;
            answer(call, to, cookie)
        }
        37 if own => {
            let information = call.exec.own_image_information(call.process)?;
            answer(call, to, section_image(&information))
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
fn device_map(call: &mut Call<'_>, to: &Room, process: Handle) -> Result<Done> {
    let id = call.exec.query_process(call.thread, process)?.process;
    let map = call.exec.process(id)?.device_map;
    let mut bytes = vec![0; 4];
    let mut types = [0; 32];
    if let Some(map) = call.exec.ob().device_map(map) {
        bytes.copy_from_slice(&map.drives.to_le_bytes());
        types = map.types;
    }
    bytes.extend(types);
    answer_bytes(call, to, &bytes, true)
}

/// A UNICODE_STRING at `place`, and its text and terminator behind it.
pub(super) fn terminated(call: &Call<'_>, place: UserPtr, text: &[u16]) -> Vec<u8> {
    let length = (text.len() * 2) as u16;
    let head = call.size_of::<UnicodeString>() as u64;
    let mut bytes = call.bytes_of(UnicodeString {
        length,
        maximum_length: length + 2,
        buffer: place.address().wrapping_add(head),
        ..UnicodeString::default()
    });
    put_text(&mut bytes, text);
    bytes.extend([0, 0]);
    bytes
}

/// What a call that sets something was given: exactly a number as wide as a pointer.
pub(super) fn word(call: &mut Call<'_>, (place, size): (UserPtr, u32)) -> Result<u64> {
    if size as usize != call.size_of::<Word>() {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.read::<Word>(place.cast()).map(|Word(number)| number)
}

/// The same of a handle.
pub(super) fn handle(call: &mut Call<'_>, given: (UserPtr, u32)) -> Result<Handle> {
    let word = word(call, given)?;
    Ok(call.handle(word))
}

/// What a call that sets something was given: exactly `N` bytes.
pub(super) fn value<const N: usize>(
    call: &mut Call<'_>,
    (place, size): (UserPtr, u32),
) -> Result<[u8; N]> {
    if size as usize != N {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let bytes = call.bytes(place, N as u64)?;
    bytes.try_into().map_err(|_| Status::INFO_LENGTH_MISMATCH)
}

fn set(call: &mut Call<'_>, args: NtSetInformationProcess) -> Result<Done> {
    let (process, class) = (args.process, args.class);
    let given = (args.buffer, args.size);
    // ProcessEnableAlignmentFaultFixup, ProcessPriorityClass, ProcessForegroundInformation are bytes.
    let alignment = if matches!(class, 17 | 18 | 25) { 1 } else { 4 };
    call.probe_read(args.buffer, u64::from(args.size), alignment)?;
    match class {
        5 => {
            let priority = u32::from_le_bytes(value(call, given)?);
            call.exec
                .set_base_priority(call.thread, process, priority)?;
        }
        // ProcessExceptionPort
        8 => {
            let port = handle(call, given)?;
            call.exec.set_exception_port(call.thread, process, port)?;
        }
        // ProcessAccessToken: the token, and a thread that nobody looks at
        9 => {
            if given.1 as usize != 2 * call.size_of::<Word>() {
                return Err(Status::INFO_LENGTH_MISMATCH);
            }
            let token = call.read::<Word>(given.0.cast())?;
            let token = call.handle(token.0);
            call.exec.set_primary_token(call.thread, process, token)?;
        }
        12 => {
            let mode = u32::from_le_bytes(value(call, given)?);
            call.exec.set_hard_error_mode(call.thread, process, mode)?;
        }
        // ProcessUserModeIOPL: without a value, and of the caller's own process, whichever is named
        16 => call.exec.allow_ports(call.thread)?,
        // ProcessAffinityMask
        21 => {
            let wanted = word(call, given)?;
            call.exec
                .process_behind(call.thread, process, Access::PROCESS_SET_INFORMATION)?;
            if wanted == 0 || wanted & !affinity(call) != 0 {
                return Err(Status::INVALID_PARAMETER);
            }
        }
        // ProcessPriorityBoost: dynamic boosts are not made, so there is nothing to switch off
        22 => {
            value::<4>(call, given)?;
            call.exec
                .process_behind(call.thread, process, Access::PROCESS_SET_INFORMATION)?;
        }
        23 => {
            let directory = handle(call, given)?;
            call.exec.set_device_map(call.thread, process, directory)?;
        }
        24 => {
            let session = u32::from_le_bytes(value(call, given)?);
            call.exec.set_session(call.thread, process, session)?;
        }
        // ProcessForegroundInformation: the base priority is that of the class again, in the
        // foreground as in the background; quanta are all of one length
        25 => {
            value::<1>(call, given)?;
            call.exec.reset_base_priority(call.thread, process)?;
        }
        29 => {
            let critical = u32::from_le_bytes(value(call, given)?) != 0;
            call.exec
                .set_process_critical(call.thread, process, critical)?;
        }
        // ProcessExecuteFlags: until they are made permanent
        34 => {
            let flags = u32::from_le_bytes(value(call, given)?);
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

/// `MEM_EXECUTE_OPTION_ENABLE`, the two dispatch options that come with it,
/// `MEM_EXECUTE_OPTION_PERMANENT`, and all there are.
const EXECUTE_ENABLE: u32 = 2;
const EXECUTE_DISPATCH: u32 = 0x30;
const EXECUTE_PERMANENT: u32 = 8;
const EXECUTE_VALID: u32 = 0x3F;

fn is_in_job(call: &mut Call<'_>, args: NtIsProcessInJob) -> Result<Done> {
    call.exec
        .process_behind(call.thread, args.process, Access::PROCESS_QUERY_INFORMATION)?;
    Ok(Done::Returns(Status::PROCESS_NOT_IN_JOB))
}
