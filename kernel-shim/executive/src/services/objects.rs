// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about objects in general, directories, symbolic links, and the objects threads
//! wait for.

use super::call::{Built, Call, Done, built, success};
use super::encode::put_text;
use super::layout::{DirectoryEntry as Layout, ObjectBasic, UnicodeString};
use super::user::{User, UserPtr};
use crate::object::Kind;
use crate::object::services::Duplicate;
use alloc::vec::Vec;
use nt::{Result, Status};
use zerocopy::IntoBytes;

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built("NtClose", &["handle"], close),
    built(
        "NtDuplicateObject",
        &[
            "source",
            "handle",
            "target",
            "result",
            "access",
            "attributes",
            "options",
        ],
        duplicate,
    ),
    built("NtMakeTemporaryObject", &["handle"], make_temporary),
    built("NtMakePermanentObject", &["handle"], make_permanent),
    built(
        "NtQueryObject",
        &["handle", "class", "buffer", "size", "length"],
        query_object,
    ),
    built(
        "NtSetInformationObject",
        &["handle", "class", "buffer", "size"],
        set_object,
    ),
    built(
        "NtQuerySecurityObject",
        &["handle", "parts", "buffer", "size", "length"],
        query_security,
    ),
    built(
        "NtSetSecurityObject",
        &["handle", "parts", "descriptor"],
        set_security,
    ),
    built(
        "NtCreateDirectoryObject",
        &["handle", "access", "@attributes"],
        create_directory,
    ),
    built(
        "NtOpenDirectoryObject",
        &["handle", "access", "@attributes"],
        open_directory,
    ),
    built(
        "NtQueryDirectoryObject",
        &[
            "directory",
            "buffer",
            "size",
            "single",
            "restart",
            "context",
            "length",
        ],
        query_directory,
    ),
    built(
        "NtCreateSymbolicLinkObject",
        &["handle", "access", "@attributes", "$target"],
        create_link,
    ),
    built(
        "NtOpenSymbolicLinkObject",
        &["handle", "access", "@attributes"],
        open_link,
    ),
    built(
        "NtQuerySymbolicLinkObject",
        &["link", "target", "length"],
        query_link,
    ),
    built(
        "NtCreateEvent",
        &["handle", "access", "@attributes", "type", "state"],
        create_event,
    ),
    built(
        "NtOpenEvent",
        &["handle", "access", "@attributes"],
        open_event,
    ),
    built("NtSetEvent", &["event", "previous"], set_event),
    built("NtResetEvent", &["event", "previous"], reset_event),
    built("NtClearEvent", &["event"], clear_event),
    built("NtPulseEvent", &["event", "previous"], pulse_event),
    built(
        "NtQueryEvent",
        &["event", "class", "buffer", "size", "length"],
        query_event,
    ),
    built(
        "NtCreateKeyedEvent",
        &["handle", "access", "@attributes", "flags"],
        create_keyed_event,
    ),
    built(
        "NtOpenKeyedEvent",
        &["handle", "access", "@attributes"],
        open_keyed_event,
    ),
];

fn close(call: &mut Call<'_>) -> Result<Done> {
    call.exec.close(call.thread, call.handle(0))?;
    success()
}

fn duplicate(call: &mut Call<'_>) -> Result<Done> {
    let result = call.pointer(3);
    call.probe_optional::<u64>(result)?;
    let request = Duplicate {
        source_process: call.handle(0),
        source: call.handle(1),
        target_process: call.handle(2),
        access: call.u32(4),
        attributes: call.u32(5),
        options: call.u32(6),
    };
    let made = call.exec.duplicate(call.thread, &request)?;
    call.write_optional(result, made.0)?;
    success()
}

fn make_temporary(call: &mut Call<'_>) -> Result<Done> {
    call.exec.make_temporary(call.thread, call.handle(0))?;
    success()
}

fn make_permanent(call: &mut Call<'_>) -> Result<Done> {
    call.exec.make_permanent(call.thread, call.handle(0))?;
    success()
}

fn create_directory(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes(call.pointer(2))?;
    let made = call
        .exec
        .create_directory(call.thread, &attributes.view(), call.u32(1))?;
    call.created(made)
}

fn open_directory(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::Directory)
}

fn create_link(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes(call.pointer(2))?;
    let target: UnicodeString = call.read_aligned(call.pointer(3), 8)?;
    // NT drops half a unit at the end of the buffer, and wants a target that fits into it.
    if target.maximum_length == 0
        || target.length > target.maximum_length
        || !target.length.is_multiple_of(2)
    {
        return Err(Status::INVALID_PARAMETER);
    }
    let target = call.string(call.pointer(3))?;
    let made =
        call.exec
            .create_symbolic_link(call.thread, &attributes.view(), call.u32(1), &target)?;
    call.created(made)
}

fn open_link(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::SymbolicLink)
}

fn query_link(call: &mut Call<'_>) -> Result<Done> {
    let (place, length) = (call.pointer(1), call.pointer(2));
    let mut string: UnicodeString = call.read(place)?;
    call.probe_write(UserPtr(string.buffer), u64::from(string.maximum_length), 1)?;
    call.probe_optional::<u32>(length)?;
    let target = call.exec.query_symbolic_link(call.thread, call.handle(0))?;
    let bytes = (target.len() * 2) as u32;
    // With a length wanted, the terminator counts and is delivered.
    let terminator = u32::from(!length.is_null()) * 2;
    call.write_optional(length, bytes + terminator)?;
    if bytes + terminator > u32::from(string.maximum_length) {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    let mut text = Vec::new();
    put_text(&mut text, &target);
    text.resize((bytes + terminator) as usize, 0);
    call.write_bytes(UserPtr(string.buffer), &text)?;
    string.length = bytes as u16;
    call.write(place, string)?;
    success()
}

fn query_directory(call: &mut Call<'_>) -> Result<Done> {
    const ENTRY: usize = size_of::<Layout>();
    let [_, buffer, _, _, _, context, length] = core::array::from_fn(|index| call.pointer(index));
    let (size, single) = (call.u32(2) as usize, call.flag(3));
    call.probe_write(buffer, size as u64, 2)?;
    call.probe::<u32>(context)?;
    call.probe_optional::<u32>(length)?;
    let first = if call.flag(4) {
        0
    } else {
        call.read::<u32>(context)?
    };
    let entries = call.exec.query_directory(call.thread, call.handle(0))?;
    // The structures and the empty one behind them first, then the texts.
    let mut taken = 0;
    let mut needed = ENTRY;
    let mut status = Status::SUCCESS;
    let rest = entries.get(first as usize..).unwrap_or_default();
    if rest.is_empty() {
        status = Status::NO_MORE_ENTRIES;
    }
    for entry in rest {
        let more = ENTRY + (entry.name.len() + entry.type_name.len() + 2) * 2;
        if needed + more > size {
            status = if single {
                Status::BUFFER_TOO_SMALL
            } else {
                Status::MORE_ENTRIES
            };
            if single {
                needed += more;
            }
            break;
        }
        needed += more;
        taken += 1;
        if single {
            break;
        }
    }
    let mut heads: Vec<u8> = Vec::new();
    let mut texts: Vec<u8> = Vec::new();
    let texts_at = buffer.0 + ((taken + 1) * ENTRY) as u64;
    for entry in rest.iter().take(taken) {
        let kind: Vec<u16> = entry.type_name.encode_utf16().collect();
        let mut place = |text: &[u16]| {
            let at = texts_at + texts.len() as u64;
            put_text(&mut texts, text);
            texts.extend([0, 0]);
            let length = (text.len() * 2) as u16;
            UnicodeString {
                length,
                maximum_length: length + 2,
                buffer: at,
                ..UnicodeString::default()
            }
        };
        let head = Layout {
            name: place(&entry.name),
            kind: place(&kind),
        };
        heads.extend(head.as_bytes());
    }
    if status.is_success() {
        heads.extend([0; ENTRY]);
        heads.extend(texts);
        call.write_bytes(buffer, &heads)?;
        call.write(context, first + taken as u32)?;
    }
    call.write_optional(length, needed as u32)?;
    Ok(Done::Returns(status))
}

fn create_event(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes_or_none(call.pointer(2))?;
    let notification = match call.u32(3) {
        0 => true,
        1 => false,
        _ => return Err(Status::INVALID_PARAMETER),
    };
    let signalled = call.flag(4);
    let made = call.exec.create_event(
        call.thread,
        &attributes.view(),
        call.u32(1),
        notification,
        signalled,
    )?;
    call.created(made)
}

fn open_event(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::Event)
}

fn previous_state(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut Call<'_>) -> Result<bool>,
) -> Result<Done> {
    let place = call.pointer(1);
    call.probe_optional::<u32>(place)?;
    let before = change(call)?;
    call.write_optional(place, u32::from(before))?;
    success()
}

fn set_event(call: &mut Call<'_>) -> Result<Done> {
    previous_state(call, |call| {
        call.exec.set_event(call.thread, call.handle(0))
    })
}

fn reset_event(call: &mut Call<'_>) -> Result<Done> {
    previous_state(call, |call| {
        call.exec.reset_event(call.thread, call.handle(0))
    })
}

fn clear_event(call: &mut Call<'_>) -> Result<Done> {
    call.exec.reset_event(call.thread, call.handle(0))?;
    success()
}

fn pulse_event(call: &mut Call<'_>) -> Result<Done> {
    previous_state(call, |call| {
        call.exec.pulse_event(call.thread, call.handle(0))
    })
}

fn query_event(call: &mut Call<'_>) -> Result<Done> {
    let (place, size, length) = (call.pointer(2), call.u32(3), call.pointer(4));
    if call.u32(1) != 0 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    if size != 8 {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.probe_write(place, 8, 4)?;
    call.probe_optional::<u32>(length)?;
    let (notification, signalled) = call.exec.query_event(call.thread, call.handle(0))?;
    call.write(place, [u32::from(!notification), u32::from(signalled)])?;
    call.write_optional(length, 8_u32)?;
    success()
}

fn create_keyed_event(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    if call.u32(3) != 0 {
        return Err(Status::INVALID_PARAMETER_4);
    }
    let attributes = call.attributes_or_none(call.pointer(2))?;
    let made = call
        .exec
        .create_keyed_event(call.thread, &attributes.view(), call.u32(1))?;
    call.created(made)
}

fn open_keyed_event(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::KeyedEvent)
}

fn query_object(call: &mut Call<'_>) -> Result<Done> {
    let (place, size, length) = (call.pointer(2), call.u32(3), call.pointer(4));
    call.probe_write(place, u64::from(size), 1)?;
    call.probe_optional::<u32>(length)?;
    let facts = call.exec.query_object(call.thread, call.handle(0))?;
    let type_name: Vec<u16> = facts.kind.info().name.encode_utf16().collect();
    let (bytes, needed) = match call.u32(1) {
        0 => {
            let name = call.exec.query_object_name(call.thread, call.handle(0))?;
            let name_size = if name.is_empty() {
                0
            } else {
                0x10 + name.len() * 2 + 2
            };
            let basic = ObjectBasic {
                attributes: facts.attributes,
                access: facts.access,
                handles: facts.handles,
                references: facts.references,
                name_size: name_size as u32,
                type_size: (TYPE_INFORMATION + type_name.len() * 2 + 2) as u32,
                security_size: facts.security_length as u32,
                create_time: facts.created,
                ..ObjectBasic::default()
            };
            (basic.as_bytes().to_vec(), Needs::Exactly)
        }
        1 => {
            let name = call.exec.query_object_name(call.thread, call.handle(0))?;
            (named(&name, 0x10, place), Needs::AtLeast)
        }
        2 => (
            type_information(facts.kind, &type_name, place),
            Needs::AtLeast,
        ),
        3 => return Err(Status::NOT_IMPLEMENTED),
        4 => {
            let (inherit, protect) = call.exec.query_handle_flags(call.thread, call.handle(0))?;
            (
                Vec::from([u8::from(inherit), u8::from(protect)]),
                Needs::Exactly,
            )
        }
        _ => return Err(Status::INVALID_INFO_CLASS),
    };
    call.write_optional(length, bytes.len() as u32)?;
    let fits = match needed {
        Needs::Exactly => size as usize == bytes.len(),
        Needs::AtLeast => size as usize >= bytes.len(),
    };
    if !fits {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.write_bytes(place, &bytes)?;
    success()
}

enum Needs {
    Exactly,
    AtLeast,
}

/// Bytes of OBJECT_TYPE_INFORMATION before the name.
const TYPE_INFORMATION: usize = 0x68;

/// A UNICODE_STRING in `head` bytes, and its text and terminator behind it; an empty one points
/// nowhere.
fn named(name: &[u16], head: usize, place: UserPtr) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = (name.len() * 2) as u16;
    let string = match length {
        0 => UnicodeString::default(),
        _ => UnicodeString {
            length,
            maximum_length: length + 2,
            buffer: place.0.wrapping_add(head as u64),
            ..UnicodeString::default()
        },
    };
    bytes.extend(string.as_bytes());
    bytes.resize(head, 0);
    if length != 0 {
        put_text(&mut bytes, name);
        bytes.extend([0, 0]);
    }
    bytes
}

/// OBJECT_TYPE_INFORMATION: name, generic mapping at 0x44, valid access mask at 0x54. Counters are
/// not kept.
fn type_information(kind: Kind, name: &[u16], place: UserPtr) -> Vec<u8> {
    let info = kind.info();
    let mut bytes = named(name, TYPE_INFORMATION, place);
    let words = [
        info.mapping.read,
        info.mapping.write,
        info.mapping.execute,
        info.mapping.all,
        info.valid,
    ];
    for (place, word) in bytes
        .get_mut(0x44..0x58)
        .unwrap_or_default()
        .chunks_exact_mut(4)
        .zip(words)
    {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn set_object(call: &mut Call<'_>) -> Result<Done> {
    if call.u32(1) != 4 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    if call.u32(3) != 2 {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let [inherit, protect] = call.read::<[u8; 2]>(call.pointer(2))?;
    call.exec
        .set_handle_flags(call.thread, call.handle(0), inherit != 0, protect != 0)?;
    success()
}

fn query_security(call: &mut Call<'_>) -> Result<Done> {
    let (place, size, length) = (call.pointer(2), call.u32(3), call.pointer(4));
    call.probe_write(place, u64::from(size), 4)?;
    call.probe::<u32>(length)?;
    let descriptor = call
        .exec
        .query_security(call.thread, call.handle(0), call.u32(1))?;
    call.write(length, descriptor.len() as u32)?;
    if (size as usize) < descriptor.len() {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    call.write_bytes(place, &descriptor)?;
    success()
}

fn set_security(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(2);
    if place.is_null() {
        return Err(Status::ACCESS_VIOLATION);
    }
    let descriptor = User(&mut call.memory()).descriptor(place)?;
    call.exec
        .set_security(call.thread, call.handle(0), call.u32(1), &descriptor)?;
    success()
}
