// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about files: open, read, write, controls, paging files. What is asked of a file
//! is in `file_information`.
//!
//! Every request is carried out before its call returns; an event that was named is signalled then.
//! A completion routine is an APC, which this system does not have: a request with one is
//! `NOT_IMPLEMENTED`.

use super::argument::{UserAttributes, UserText, services};
use super::call::{Call, Done, success};
use super::layout::{FileBasic, FileNetworkOpen, IoStatusBlock, Word};
use super::user::UserPtr;
use crate::io::volume::FileFacts;
use crate::ob::prelude::*;
use crate::system::files::{At, CreateRequest, Disposition};
use alloc::vec;
use nt::access::Access;
use nt::{Handle, Result, Status, UnicodeStr};

services! {
    NtCreateFile(
        file: UserPtr<Word>, access: Access, attributes: UserAttributes,
        result: UserPtr<IoStatusBlock>, size: UserPtr<u64>, flags: u32, share: u32,
        disposition: u32, options: u32, ea: UserPtr, easize: u32
    ) => create;
    NtOpenFile(
        file: UserPtr<Word>, access: Access, attributes: UserAttributes,
        result: UserPtr<IoStatusBlock>, share: u32, options: u32
    ) => open;
    NtDeleteFile(attributes: UserAttributes) => delete;
    NtReadFile(
        file: Handle, event: Handle, routine: UserPtr, context: u64, result: UserPtr<IoStatusBlock>,
        buffer: UserPtr, size: u32, offset: UserPtr<i64>, key: UserPtr<u32>
    ) => read;
    NtWriteFile(
        file: Handle, event: Handle, routine: UserPtr, context: u64, result: UserPtr<IoStatusBlock>,
        buffer: UserPtr, size: u32, offset: UserPtr<i64>, key: UserPtr<u32>
    ) => write;
    NtFlushBuffersFile(file: Handle, result: UserPtr<IoStatusBlock>) => flush;
    NtQueryAttributesFile(
        attributes: UserAttributes, buffer: UserPtr<FileBasic>
    ) => query_attributes;
    NtQueryFullAttributesFile(
        attributes: UserAttributes, buffer: UserPtr<FileNetworkOpen>
    ) => query_full_attributes;
    NtFsControlFile(
        file: Handle, event: Handle, routine: UserPtr, context: u64, result: UserPtr<IoStatusBlock>,
        code: u32, input: UserPtr, insize: u32, output: UserPtr, outsize: u32
    ) => fs_control;
    NtDeviceIoControlFile(
        file: Handle, event: Handle, routine: UserPtr, context: u64, result: UserPtr<IoStatusBlock>,
        code: u32, input: UserPtr, insize: u32, output: UserPtr, outsize: u32
    ) => device_control;
    NtCreatePagingFile(
        name: UserText, minimum: UserPtr<u64>, maximum: UserPtr<u64>, flags: u32
    ) => create_paging_file;
}

/// The most that is read or written in one request, bytes.
const LARGEST_TRANSFER: u32 = 16 << 20;
/// `FILE_DELETE_ON_CLOSE`, `Access::DELETE`.
const DELETE_ON_CLOSE: u32 = 0x1000;

/// Tells how a request ended.
pub fn report(
    call: &mut Call<'_>,
    place: UserPtr<IoStatusBlock>,
    status: Status,
    information: u64,
) -> Result<Done> {
    call.write(
        place,
        IoStatusBlock {
            status: status.code(),
            information,
            ..IoStatusBlock::default()
        },
    )?;
    Ok(Done::Returns(status))
}

/// Checks where the result of a request goes.
pub fn probe_result(call: &mut Call<'_>, place: UserPtr<IoStatusBlock>) -> Result<()> {
    call.probe(place)
}

fn create_with(
    call: &mut Call<'_>,
    place: UserPtr<Word>,
    attributes: UserAttributes,
    result: UserPtr<IoStatusBlock>,
    request: CreateRequest,
) -> Result<Done> {
    call.probe(place)?;
    probe_result(call, result)?;
    let attributes = call.attributes(attributes)?;
    let (handle, information) = call
        .exec
        .create_file(call.thread, &attributes.view(), request)?;
    call.give(place, handle)?;
    report(call, result, Status::SUCCESS, information.into())
}

fn create(call: &mut Call<'_>, args: NtCreateFile) -> Result<Done> {
    if args.easize != 0 {
        // Neither FAT nor ISO 9660 has extended attributes.
        return Err(Status::EAS_NOT_SUPPORTED);
    }
    let disposition = Disposition::parse(args.disposition)?;
    let request = CreateRequest {
        access: args.access,
        share: args.share,
        options: args.options,
        disposition,
        attributes: args.flags,
    };
    create_with(call, args.file, args.attributes, args.result, request)
}

fn open(call: &mut Call<'_>, args: NtOpenFile) -> Result<Done> {
    let request = CreateRequest {
        access: args.access,
        share: args.share,
        options: args.options,
        disposition: Disposition::Open,
        attributes: 0,
    };
    create_with(call, args.file, args.attributes, args.result, request)
}

fn delete(call: &mut Call<'_>, args: NtDeleteFile) -> Result<Done> {
    let attributes = call.attributes(args.attributes)?;
    let request = CreateRequest {
        access: Access::DELETE,
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
pub fn begin(call: &mut Call<'_>, name: &str, event: Handle, routine: UserPtr) -> Result<Handle> {
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
    place: UserPtr<IoStatusBlock>,
    status: Status,
    information: u64,
) -> Result<Done> {
    let done = report(call, place, status, information)?;
    if !event.is_null() {
        call.exec.set_event(call.thread, event)?;
    }
    Ok(done)
}

fn position(call: &mut Call<'_>, place: UserPtr<i64>, writes: bool) -> Result<At> {
    const WRITE_TO_END: i64 = -1;
    const USE_POSITION: i64 = -2;
    let Some(place) = place.optional() else {
        return Ok(At::Position);
    };
    match call.read(place)? {
        USE_POSITION => Ok(At::Position),
        WRITE_TO_END if writes => Ok(At::End),
        offset => u64::try_from(offset)
            .map(At::Offset)
            .map_err(|_| Status::INVALID_PARAMETER),
    }
}

fn read(call: &mut Call<'_>, args: NtReadFile) -> Result<Done> {
    let (result, buffer, size) = (args.result, args.buffer, args.size);
    probe_result(call, result)?;
    call.probe_write(buffer, size.into(), 1)?;
    let at = position(call, args.offset, false)?;
    let event = begin(call, "NtReadFile", args.event, args.routine)?;
    let mut bytes = vec![0; size.min(LARGEST_TRANSFER) as usize];
    let read = call
        .exec
        .read_file(call.thread, args.file, at, &mut bytes)?;
    call.write_bytes(buffer, bytes.get(..read).unwrap_or_default())?;
    finish(call, event, result, Status::SUCCESS, read as u64)
}

fn write(call: &mut Call<'_>, args: NtWriteFile) -> Result<Done> {
    let (result, buffer, size) = (args.result, args.buffer, args.size);
    probe_result(call, result)?;
    let at = position(call, args.offset, true)?;
    let event = begin(call, "NtWriteFile", args.event, args.routine)?;
    let bytes = call.bytes(buffer, size.min(LARGEST_TRANSFER).into())?;
    let written = call.exec.write_file(call.thread, args.file, at, &bytes)?;
    finish(call, event, result, Status::SUCCESS, written as u64)
}

fn flush(call: &mut Call<'_>, args: NtFlushBuffersFile) -> Result<Done> {
    let result = args.result;
    probe_result(call, result)?;
    call.exec.flush_file(call.thread, args.file)?;
    report(call, result, Status::SUCCESS, 0)
}

fn attributes_of(call: &mut Call<'_>, attributes: UserAttributes) -> Result<FileFacts> {
    let attributes = call.attributes(attributes)?;
    call.exec.query_attributes(call.thread, &attributes.view())
}

fn query_attributes(call: &mut Call<'_>, args: NtQueryAttributesFile) -> Result<Done> {
    let place = args.buffer;
    call.probe_aligned(place, 8)?;
    let facts = attributes_of(call, args.attributes)?;
    call.write(place, super::file_information::basic(&facts))?;
    success()
}

fn query_full_attributes(call: &mut Call<'_>, args: NtQueryFullAttributesFile) -> Result<Done> {
    let place = args.buffer;
    call.probe_aligned(place, 8)?;
    let facts = attributes_of(call, args.attributes)?;
    call.write(place, super::file_information::network_open(&facts))?;
    success()
}

fn fs_control(call: &mut Call<'_>, args: NtFsControlFile) -> Result<Done> {
    let (result, output, room) = (args.result, args.output, args.outsize);
    probe_result(call, result)?;
    call.probe_read(args.input, args.insize.into(), 1)?;
    call.probe_write(output, room.into(), 1)?;
    let event = begin(call, "NtFsControlFile", args.event, args.routine)?;
    let answer = call
        .exec
        .fs_control(call.thread, args.file, args.code, room as usize)?;
    if answer.len() > room as usize {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    call.write_bytes(output, &answer)?;
    finish(call, event, result, Status::SUCCESS, answer.len() as u64)
}

fn device_control(call: &mut Call<'_>, args: NtDeviceIoControlFile) -> Result<Done> {
    probe_result(call, args.result)?;
    // Any file has a device behind it; none of these devices has a control code.
    call.exec.query_device(call.thread, args.file)?;
    log::warn!(
        "NtDeviceIoControlFile: control {:#x} is not built",
        args.code
    );
    Err(Status::INVALID_DEVICE_REQUEST)
}

fn create_paging_file(call: &mut Call<'_>, args: NtCreatePagingFile) -> Result<Done> {
    let minimum: u64 = call.read(args.minimum)?;
    let maximum: u64 = call.read(args.maximum)?;
    let name = call.string(args.name)?;
    call.exec
        .create_paging_file(call.thread, UnicodeStr(&name), minimum, maximum)?;
    success()
}
