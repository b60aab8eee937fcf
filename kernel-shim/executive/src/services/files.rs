// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about files: open, read, write, controls, paging files. What is asked of a file
//! is in `file_information`.
//!
//! Every request is carried out before its call returns; an event that was named is signalled then.
//! A completion routine is an APC, which this system has not got: a request with one is
//! `NOT_IMPLEMENTED`.

use super::call::{Built, Call, Done, built, success};
use super::layout::{FileBasic, FileNetworkOpen, IoStatusBlock};
use super::user::{CapturedAttributes, UserPtr};
use crate::io::volume::FileFacts;
use crate::io::{At, CreateRequest, Disposition};
use alloc::vec;
use nt::{Handle, Result, Status, UnicodeStr};

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtCreateFile",
        &[
            "file",
            "access",
            "@attributes",
            "result",
            "size",
            "flags",
            "share",
            "disposition",
            "options",
            "ea",
            "easize",
        ],
        create,
    ),
    built(
        "NtOpenFile",
        &[
            "file",
            "access",
            "@attributes",
            "result",
            "share",
            "options",
        ],
        open,
    ),
    built("NtDeleteFile", &["@attributes"], delete),
    built(
        "NtReadFile",
        &[
            "file", "event", "routine", "context", "result", "buffer", "size", "offset", "key",
        ],
        read,
    ),
    built(
        "NtWriteFile",
        &[
            "file", "event", "routine", "context", "result", "buffer", "size", "offset", "key",
        ],
        write,
    ),
    built("NtFlushBuffersFile", &["file", "result"], flush),
    built(
        "NtQueryAttributesFile",
        &["@attributes", "buffer"],
        query_attributes,
    ),
    built(
        "NtQueryFullAttributesFile",
        &["@attributes", "buffer"],
        query_full_attributes,
    ),
    built(
        "NtFsControlFile",
        &[
            "file", "event", "routine", "context", "result", "code", "input", "insize", "output",
            "outsize",
        ],
        fs_control,
    ),
    built(
        "NtDeviceIoControlFile",
        &[
            "file", "event", "routine", "context", "result", "code", "input", "insize", "output",
            "outsize",
        ],
        device_control,
    ),
    built(
        "NtCreatePagingFile",
        &["$name", "minimum", "maximum", "flags"],
        create_paging_file,
    ),
];

/// The most that is read or written in one request, bytes.
const LARGEST_TRANSFER: u32 = 16 << 20;
/// `FILE_DELETE_ON_CLOSE`, `DELETE`.
const DELETE_ON_CLOSE: u32 = 0x1000;
const DELETE: u32 = 0x1_0000;

/// Tells how a request ended.
pub fn report(
    call: &mut Call<'_>,
    place: UserPtr,
    status: Status,
    information: u64,
) -> Result<Done> {
    call.write(
        place,
        IoStatusBlock {
            status: status.0,
            information,
            ..IoStatusBlock::default()
        },
    )?;
    Ok(Done::Returns(status))
}

/// Checks where the result of a request goes.
pub fn probe_result(call: &mut Call<'_>, place: UserPtr) -> Result<()> {
    call.probe::<IoStatusBlock>(place)
}

fn create_with(call: &mut Call<'_>, request: CreateRequest) -> Result<Done> {
    let (place, result) = (call.pointer(0), call.pointer(3));
    call.probe::<u64>(place)?;
    probe_result(call, result)?;
    let attributes = call.attributes(call.pointer(2))?;
    let (handle, information) = call
        .exec
        .create_file(call.thread, &attributes.view(), request)?;
    call.give(place, handle)?;
    report(call, result, Status::SUCCESS, information.into())
}

fn create(call: &mut Call<'_>) -> Result<Done> {
    if call.u32(10) != 0 {
        // Neither FAT nor ISO 9660 has extended attributes.
        return Err(Status::EAS_NOT_SUPPORTED);
    }
    let disposition = Disposition::parse(call.u32(7))?;
    let request = CreateRequest {
        access: call.u32(1),
        share: call.u32(6),
        options: call.u32(8),
        disposition,
        attributes: call.u32(5),
    };
    create_with(call, request)
}

fn open(call: &mut Call<'_>) -> Result<Done> {
    let request = CreateRequest {
        access: call.u32(1),
        share: call.u32(4),
        options: call.u32(5),
        disposition: Disposition::Open,
        attributes: 0,
    };
    create_with(call, request)
}

fn delete(call: &mut Call<'_>) -> Result<Done> {
    let attributes = call.attributes(call.pointer(0))?;
    let request = CreateRequest {
        access: DELETE,
        share: 7,
        options: DELETE_ON_CLOSE,
        disposition: Disposition::Open,
        attributes: 0,
    };
    let (handle, _) = call
        .exec
        .create_file(call.thread, &attributes.view(), request)?;
    call.exec.close(call.thread, handle)?;
    success()
}

/// What requests have in common: no completion routine, and an event that is reset now.
pub fn begin(call: &mut Call<'_>, name: &str) -> Result<Handle> {
    let (event, routine) = (call.handle(1), call.pointer(2));
    if !routine.is_null() {
        log::warn!("{name}: completion routines are not built");
        return Err(Status::NOT_IMPLEMENTED);
    }
    if !event.is_null() {
        call.exec.reset_event(call.thread, event)?;
    }
    Ok(event)
}

/// The end of a request: its result and its event.
pub fn finish(
    call: &mut Call<'_>,
    event: Handle,
    place: UserPtr,
    status: Status,
    information: u64,
) -> Result<Done> {
    let done = report(call, place, status, information)?;
    if !event.is_null() {
        call.exec.set_event(call.thread, event)?;
    }
    Ok(done)
}

fn position(call: &mut Call<'_>, place: UserPtr, writes: bool) -> Result<At> {
    const WRITE_TO_END: i64 = -1;
    const USE_POSITION: i64 = -2;
    let Some(place) = place.optional() else {
        return Ok(At::Position);
    };
    match call.read::<i64>(place)? {
        USE_POSITION => Ok(At::Position),
        WRITE_TO_END if writes => Ok(At::End),
        offset => u64::try_from(offset)
            .map(At::Offset)
            .map_err(|_| Status::INVALID_PARAMETER),
    }
}

fn read(call: &mut Call<'_>) -> Result<Done> {
    let (result, buffer, size) = (call.pointer(4), call.pointer(5), call.u32(6));
    probe_result(call, result)?;
    call.probe_write(buffer, size.into(), 1)?;
    let at = position(call, call.pointer(7), false)?;
    let event = begin(call, "NtReadFile")?;
    let mut bytes = vec![0; size.min(LARGEST_TRANSFER) as usize];
    let read = call
        .exec
        .read_file(call.thread, call.handle(0), at, &mut bytes)?;
    call.write_bytes(buffer, bytes.get(..read).unwrap_or_default())?;
    finish(call, event, result, Status::SUCCESS, read as u64)
}

fn write(call: &mut Call<'_>) -> Result<Done> {
    let (result, buffer, size) = (call.pointer(4), call.pointer(5), call.u32(6));
    probe_result(call, result)?;
    let at = position(call, call.pointer(7), true)?;
    let event = begin(call, "NtWriteFile")?;
    let bytes = call.bytes(buffer, size.min(LARGEST_TRANSFER).into())?;
    let written = call
        .exec
        .write_file(call.thread, call.handle(0), at, &bytes)?;
    finish(call, event, result, Status::SUCCESS, written as u64)
}

fn flush(call: &mut Call<'_>) -> Result<Done> {
    let result = call.pointer(1);
    probe_result(call, result)?;
    call.exec.flush_file(call.thread, call.handle(0))?;
    report(call, result, Status::SUCCESS, 0)
}

fn attributes_of(call: &mut Call<'_>) -> Result<FileFacts> {
    let attributes: CapturedAttributes = call.attributes(call.pointer(0))?;
    call.exec.query_attributes(call.thread, &attributes.view())
}

fn query_attributes(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(1);
    call.probe_write(place, size_of::<FileBasic>() as u64, 8)?;
    let facts = attributes_of(call)?;
    call.write(place, super::file_information::basic(&facts))?;
    success()
}

fn query_full_attributes(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(1);
    call.probe_write(place, size_of::<FileNetworkOpen>() as u64, 8)?;
    let facts = attributes_of(call)?;
    call.write(place, super::file_information::network_open(&facts))?;
    success()
}

fn fs_control(call: &mut Call<'_>) -> Result<Done> {
    let (result, output, room) = (call.pointer(4), call.pointer(8), call.u32(9));
    probe_result(call, result)?;
    call.probe_read(call.pointer(6), call.u32(7).into(), 1)?;
    call.probe_write(output, room.into(), 1)?;
    let event = begin(call, "NtFsControlFile")?;
    let answer = call
        .exec
        .fs_control(call.thread, call.handle(0), call.u32(5))?;
    if answer.len() > room as usize {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    call.write_bytes(output, &answer)?;
    finish(call, event, result, Status::SUCCESS, answer.len() as u64)
}

fn device_control(call: &mut Call<'_>) -> Result<Done> {
    probe_result(call, call.pointer(4))?;
    // Any file has a device behind it; none of these devices has a control code.
    call.exec.query_device(call.thread, call.handle(0))?;
    log::warn!(
        "NtDeviceIoControlFile: control {:#x} is not built",
        call.u32(5)
    );
    Err(Status::INVALID_DEVICE_REQUEST)
}

fn create_paging_file(call: &mut Call<'_>) -> Result<Done> {
    let minimum: u64 = call.read(call.pointer(1))?;
    let maximum: u64 = call.read(call.pointer(2))?;
    let name = call.string(call.pointer(0))?;
    call.exec
        .create_paging_file(call.thread, UnicodeStr(&name), minimum, maximum)?;
    success()
}
