// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about the registry (spec 2.1, 13.4).

use super::call::{Built, Call, Done, built, success};
use super::encode::{self, Answer, ValueFacts};
use super::user::UserPtr;
use crate::cm::services::Disposition;
use nt::{Result, Status};

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built("NtOpenKey", &["key", "access", "@attributes"], open_key),
    built(
        "NtCreateKey",
        &[
            "key",
            "access",
            "@attributes",
            "title",
            "$class",
            "options",
            "disposition",
        ],
        create_key,
    ),
    built("NtDeleteKey", &["key"], delete_key),
    built("NtFlushKey", &["key"], flush_key),
    built(
        "NtQueryKey",
        &["key", "class", "buffer", "size", "length"],
        query_key,
    ),
    built(
        "NtEnumerateKey",
        &["key", "index", "class", "buffer", "size", "length"],
        enumerate_key,
    ),
    built(
        "NtQueryValueKey",
        &["key", "$name", "class", "buffer", "size", "length"],
        query_value,
    ),
    built(
        "NtEnumerateValueKey",
        &["key", "index", "class", "buffer", "size", "length"],
        enumerate_value,
    ),
    built(
        "NtSetValueKey",
        &["key", "$name", "title", "type", "data", "size"],
        set_value,
    ),
    built("NtDeleteValueKey", &["key", "$name"], delete_value),
    built("NtInitializeRegistry", &["flag"], initialize),
];

/// The most data a value takes here, bytes.
const LARGEST_VALUE: u32 = 16 << 20;

fn open_key(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes(call.pointer(2))?;
    let handle = call
        .exec
        .open_key(call.thread, &attributes.view(), call.u32(1))?;
    call.give(call.pointer(0), handle)
}

fn create_key(call: &mut Call<'_>) -> Result<Done> {
    let (place, disposition) = (call.pointer(0), call.pointer(6));
    call.probe::<u64>(place)?;
    call.probe_optional::<u32>(disposition)?;
    let attributes = call.attributes(call.pointer(2))?;
    let class = match call.pointer(4).optional() {
        Some(class) => call.string(class)?,
        None => alloc::vec::Vec::new(),
    };
    let (handle, made) = call.exec.create_key(
        call.thread,
        &attributes.view(),
        call.u32(1),
        &class,
        call.u32(5),
    )?;
    let made: u32 = match made {
        Disposition::Created => 1,
        Disposition::Opened => 2,
    };
    call.write_optional(disposition, made)?;
    call.give(place, handle)
}

fn delete_key(call: &mut Call<'_>) -> Result<Done> {
    call.exec.delete_key(call.thread, call.handle(0))?;
    success()
}

fn flush_key(call: &mut Call<'_>) -> Result<Done> {
    call.exec.flush_key(call.thread, call.handle(0))?;
    success()
}

/// Buffer, size and length of an asking call, probed.
fn room(call: &mut Call<'_>, first: usize) -> Result<(UserPtr, u32, UserPtr)> {
    let (place, size, length) = (
        call.pointer(first),
        call.u32(first + 1),
        call.pointer(first + 2),
    );
    call.probe::<u32>(length)?;
    call.probe_write(place, u64::from(size), 4)?;
    Ok((place, size, length))
}

fn deliver(
    call: &mut Call<'_>,
    answer: &Answer,
    (place, size, length): (UserPtr, u32, UserPtr),
) -> Result<Done> {
    let (status, bytes) = answer.fit(size);
    call.write_bytes(place, bytes)?;
    call.write(length, answer.length())?;
    Ok(Done::Returns(status))
}

fn query_key(call: &mut Call<'_>) -> Result<Done> {
    /// KeyNameInformation, which needs no access.
    const NAME: u32 = 3;
    let room = room(call, 2)?;
    let class = call.u32(1);
    let facts = call
        .exec
        .query_key(call.thread, call.handle(0), class == NAME)?;
    deliver(call, &encode::key(class, &facts)?, room)
}

fn enumerate_key(call: &mut Call<'_>) -> Result<Done> {
    let room = room(call, 3)?;
    let facts = call
        .exec
        .enumerate_key(call.thread, call.handle(0), call.u32(1))?;
    match call.u32(2) {
        class @ 0..=2 => deliver(call, &encode::key(class, &facts)?, room),
        _ => Err(Status::INVALID_PARAMETER),
    }
}

fn query_value(call: &mut Call<'_>) -> Result<Done> {
    let name = call.string(call.pointer(1))?;
    let room = room(call, 3)?;
    let value = call.exec.query_value(call.thread, call.handle(0), &name)?;
    let answer = encode::value(
        call.u32(2),
        ValueFacts {
            name: &value.name,
            kind: value.kind,
            data: &value.data,
        },
    )?;
    deliver(call, &answer, room)
}

fn enumerate_value(call: &mut Call<'_>) -> Result<Done> {
    let room = room(call, 3)?;
    let value = call
        .exec
        .enumerate_value(call.thread, call.handle(0), call.u32(1))?;
    let answer = encode::value(
        call.u32(2),
        ValueFacts {
            name: &value.name,
            kind: value.kind,
            data: &value.data,
        },
    )?;
    deliver(call, &answer, room)
}

fn set_value(call: &mut Call<'_>) -> Result<Done> {
    let name = call.string(call.pointer(1))?;
    let size = call.u32(5);
    if size > LARGEST_VALUE {
        return Err(Status::INSUFFICIENT_RESOURCES);
    }
    let data = call.bytes(call.pointer(4), u64::from(size))?;
    call.exec
        .set_value(call.thread, call.handle(0), &name, call.u32(3), data)?;
    success()
}

fn delete_value(call: &mut Call<'_>) -> Result<Done> {
    let name = call.string(call.pointer(1))?;
    call.exec.delete_value(call.thread, call.handle(0), &name)?;
    success()
}

fn initialize(call: &mut Call<'_>) -> Result<Done> {
    call.exec.initialize_registry(call.raw(0) as u16)?;
    success()
}
