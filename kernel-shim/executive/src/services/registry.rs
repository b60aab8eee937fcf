// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about the registry (spec 2.1, 13.4).

use super::argument::{UserAttributes, UserText, services};
use super::call::{Call, Done, success};
use super::encode::{self, Answer};
use super::layout::Word;
use super::user::UserPtr;
use crate::system::registry::Disposition;
use nt::access::Access;
use nt::{Handle, Result, Status};

services! {
    NtOpenKey(key: UserPtr<Word>, access: Access, attributes: UserAttributes) => open_key;
    NtCreateKey(
        key: UserPtr<Word>, access: Access, attributes: UserAttributes, title: u32, class: UserText,
        options: u32, disposition: UserPtr<u32>
    ) => create_key;
    NtDeleteKey(key: Handle) => delete_key;
    NtFlushKey(key: Handle) => flush_key;
    NtQueryKey(
        key: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_key;
    NtEnumerateKey(
        key: Handle, index: u32, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => enumerate_key;
    NtQueryValueKey(
        key: Handle, name: UserText, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_value;
    NtEnumerateValueKey(
        key: Handle, index: u32, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => enumerate_value;
    NtSetValueKey(
        key: Handle, name: UserText, title: u32, r#type: u32, data: UserPtr, size: u32
    ) => set_value;
    NtDeleteValueKey(key: Handle, name: UserText) => delete_value;
    NtInitializeRegistry(flag: u16) => initialize;
}

/// The most data a value takes here, bytes.
const LARGEST_VALUE: u32 = 16 << 20;

fn open_key(call: &mut Call<'_>, args: NtOpenKey) -> Result<Done> {
    call.probe(args.key)?;
    let attributes = call.attributes(args.attributes)?;
    let handle = call
        .exec
        .open_key(call.thread, &attributes.view(), args.access)?;
    call.give(args.key, handle)
}

fn create_key(call: &mut Call<'_>, args: NtCreateKey) -> Result<Done> {
    let (place, disposition) = (args.key, args.disposition);
    call.probe(place)?;
    call.probe_optional::<u32>(disposition)?;
    let attributes = call.attributes(args.attributes)?;
    let class = match args.class.optional() {
        Some(class) => call.string(class)?,
        None => alloc::vec::Vec::new(),
    };
    let (handle, made) = call.exec.create_key(
        call.thread,
        &attributes.view(),
        args.access,
        &class,
        args.options,
    )?;
    let made: u32 = match made {
        Disposition::Created => 1,
        Disposition::Opened => 2,
    };
    call.write_optional(disposition, made)?;
    call.give(place, handle)
}

fn delete_key(call: &mut Call<'_>, args: NtDeleteKey) -> Result<Done> {
    call.exec.delete_key(call.thread, args.key)?;
    success()
}

fn flush_key(call: &mut Call<'_>, args: NtFlushKey) -> Result<Done> {
    call.exec.flush_key(call.thread, args.key)?;
    success()
}

/// Buffer, size and length of an asking call.
type Room = (UserPtr, u32, UserPtr<u32>);

/// Probes where an answer goes.
fn probed(call: &mut Call<'_>, (place, size, length): Room) -> Result<Room> {
    call.probe(length)?;
    call.probe_write(place, u64::from(size), 4)?;
    Ok((place, size, length))
}

fn deliver(call: &mut Call<'_>, answer: &Answer, (place, size, length): Room) -> Result<Done> {
    let (status, bytes) = answer.fit(size);
    call.write_bytes(place, bytes)?;
    call.write(length, answer.length())?;
    Ok(Done::Returns(status))
}

fn query_key(call: &mut Call<'_>, args: NtQueryKey) -> Result<Done> {
    /// KeyNameInformation, which needs no access.
    const NAME: u32 = 3;
    let room = probed(call, (args.buffer, args.size, args.length))?;
    let class = args.class;
    let facts = call.exec.query_key(call.thread, args.key, class == NAME)?;
    deliver(call, &encode::key(class, &facts)?, room)
}

fn enumerate_key(call: &mut Call<'_>, args: NtEnumerateKey) -> Result<Done> {
    let room = probed(call, (args.buffer, args.size, args.length))?;
    let facts = call.exec.enumerate_key(call.thread, args.key, args.index)?;
    match args.class {
        class @ 0..=2 => deliver(call, &encode::key(class, &facts)?, room),
        _ => Err(Status::INVALID_PARAMETER),
    }
}

fn query_value(call: &mut Call<'_>, args: NtQueryValueKey) -> Result<Done> {
    let name = call.string(args.name)?;
    let room = probed(call, (args.buffer, args.size, args.length))?;
    let value = call.exec.query_value(call.thread, args.key, &name)?;
    let answer = encode::value(args.class, value.into())?;
    deliver(call, &answer, room)
}

fn enumerate_value(call: &mut Call<'_>, args: NtEnumerateValueKey) -> Result<Done> {
    let room = probed(call, (args.buffer, args.size, args.length))?;
    let value = call
        .exec
        .enumerate_value(call.thread, args.key, args.index)?;
    let answer = encode::value(args.class, value.into())?;
    deliver(call, &answer, room)
}

fn set_value(call: &mut Call<'_>, args: NtSetValueKey) -> Result<Done> {
    let name = call.string(args.name)?;
    let size = args.size;
    if size > LARGEST_VALUE {
        return Err(Status::INSUFFICIENT_RESOURCES);
    }
    let data = call.bytes(args.data, u64::from(size))?;
    call.exec
        .set_value(call.thread, args.key, &name, args.r#type, data)?;
    success()
}

fn delete_value(call: &mut Call<'_>, args: NtDeleteValueKey) -> Result<Done> {
    let name = call.string(args.name)?;
    call.exec.delete_value(call.thread, args.key, &name)?;
    success()
}

fn initialize(call: &mut Call<'_>, args: NtInitializeRegistry) -> Result<Done> {
    let done = call.exec.initialize_registry(args.flag);
    if call.exec.bug_check().is_some() {
        return Ok(Done::Gone);
    }
    done?;
    success()
}
