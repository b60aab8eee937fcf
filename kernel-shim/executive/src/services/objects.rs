// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about objects in general, directories, symbolic links, and the objects threads
//! wait for.

use super::argument::{UserAttributes, UserText, services};
use super::call::{Call, Done, success};
use super::encode::put_text;
use super::layout::{DirectoryEntry as Layout, ObjectBasic, UnicodeString, Word};
use super::user::{User, UserPtr};
use crate::Executive;
use crate::ob::prelude::*;
use crate::ob::services::Duplicate;
use crate::ob::{Kind, TypeInfo};
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::{Handle, Result, Status};

services! {
    NtClose(handle: Handle) => close;
    NtDuplicateObject(
        source: Handle, handle: Handle, target: Handle, result: UserPtr<Word>, access: Access,
        attributes: u32, options: u32
    ) => duplicate;
    NtMakeTemporaryObject(handle: Handle) => make_temporary;
    NtMakePermanentObject(handle: Handle) => make_permanent;
    NtQueryObject(
        handle: Handle, class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_object;
    NtSetInformationObject(
        handle: Handle, class: u32, buffer: UserPtr<[u8; 2]>, size: u32
    ) => set_object;
    NtQuerySecurityObject(
        handle: Handle, parts: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_security;
    NtSetSecurityObject(handle: Handle, parts: u32, descriptor: UserPtr) => set_security;
    NtCreateDirectoryObject(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes
    ) => create_directory;
    NtOpenDirectoryObject(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes
    ) => open_directory;
    NtQueryDirectoryObject(
        directory: Handle, buffer: UserPtr, size: u32, single: bool, restart: bool,
        context: UserPtr<u32>, length: UserPtr<u32>
    ) => query_directory;
    NtCreateSymbolicLinkObject(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes, target: UserText
    ) => create_link;
    NtOpenSymbolicLinkObject(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes
    ) => open_link;
    NtQuerySymbolicLinkObject(
        link: Handle, target: UserPtr<UnicodeString>, length: UserPtr<u32>
    ) => query_link;
    NtCreateEvent(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes, r#type: u32, state: bool
    ) => create_event;
    NtOpenEvent(handle: UserPtr<Word>, access: Access, attributes: UserAttributes) => open_event;
    NtSetEvent(event: Handle, previous: UserPtr<u32>) => set_event;
    NtResetEvent(event: Handle, previous: UserPtr<u32>) => reset_event;
    NtClearEvent(event: Handle) => clear_event;
    NtPulseEvent(event: Handle, previous: UserPtr<u32>) => pulse_event;
    NtQueryEvent(
        event: Handle, class: u32, buffer: UserPtr<[u32; 2]>, size: u32, length: UserPtr<u32>
    ) => query_event;
    NtCreateKeyedEvent(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes, flags: u32
    ) => create_keyed_event;
    NtOpenKeyedEvent(
        handle: UserPtr<Word>, access: Access, attributes: UserAttributes
    ) => open_keyed_event;
}

fn close(call: &mut Call<'_>, args: NtClose) -> Result<Done> {
    call.exec.close(call.thread, args.handle)?;
    success()
}

fn duplicate(call: &mut Call<'_>, args: NtDuplicateObject) -> Result<Done> {
    let result = args.result;
    call.probe_optional(result)?;
    let request = Duplicate {
        source_process: args.source,
        source: args.handle,
        target_process: args.target,
        access: args.access,
        attributes: args.attributes,
        options: args.options,
    };
    let made = call.exec.duplicate(call.thread, &request)?;
    call.write_optional(result, Word(made.to_slot()))?;
    success()
}

fn make_temporary(call: &mut Call<'_>, args: NtMakeTemporaryObject) -> Result<Done> {
    call.exec.make_temporary(call.thread, args.handle)?;
    success()
}

fn make_permanent(call: &mut Call<'_>, args: NtMakePermanentObject) -> Result<Done> {
    call.exec.make_permanent(call.thread, args.handle)?;
    success()
}

fn create_directory(call: &mut Call<'_>, args: NtCreateDirectoryObject) -> Result<Done> {
    call.probe(args.handle)?;
    let attributes = call.attributes(args.attributes)?;
    let made = call
        .exec
        .create_directory(call.thread, &attributes.view(), args.access)?;
    call.created(args.handle, made)
}

fn open_directory(call: &mut Call<'_>, args: NtOpenDirectoryObject) -> Result<Done> {
    call.open(args.handle, args.access, args.attributes, Kind::Directory)
}

fn create_link(call: &mut Call<'_>, args: NtCreateSymbolicLinkObject) -> Result<Done> {
    call.probe(args.handle)?;
    let attributes = call.attributes(args.attributes)?;
    let target = call.read_aligned(args.target.0, 8)?;
    // NT drops half a unit at the end of the buffer, and wants a target that fits into it.
    if target.maximum_length == 0
        || target.length > target.maximum_length
        || !target.length.is_multiple_of(2)
    {
        return Err(Status::INVALID_PARAMETER);
    }
    let target = call.string(args.target)?;
    let made =
        call.exec
            .create_symbolic_link(call.thread, &attributes.view(), args.access, &target)?;
    call.created(args.handle, made)
}

fn open_link(call: &mut Call<'_>, args: NtOpenSymbolicLinkObject) -> Result<Done> {
    call.open(
        args.handle,
        args.access,
        args.attributes,
        Kind::SymbolicLink,
    )
}

fn query_link(call: &mut Call<'_>, args: NtQuerySymbolicLinkObject) -> Result<Done> {
    let (place, length) = (args.target, args.length);
    let mut string: UnicodeString = call.read(place)?;
    call.probe_write(
        UserPtr::new(string.buffer),
        u64::from(string.maximum_length),
        1,
    )?;
    call.probe_optional::<u32>(length)?;
    let target = call.exec.query_symbolic_link(call.thread, args.link)?;
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
    call.write_bytes(UserPtr::new(string.buffer), &text)?;
    string.length = bytes as u16;
    call.write(place, string)?;
    success()
}

fn query_directory(call: &mut Call<'_>, args: NtQueryDirectoryObject) -> Result<Done> {
    let head_bytes = call.size_of::<Layout>();
    let (buffer, context, length) = (args.buffer, args.context, args.length);
    let (size, single) = (args.size as usize, args.single);
    call.probe_write(buffer, size as u64, 2)?;
    call.probe::<u32>(context)?;
    call.probe_optional::<u32>(length)?;
    let first = if args.restart {
        0
    } else {
        call.read::<u32>(context)?
    };
    let entries = call.exec.query_directory(call.thread, args.directory)?;
    // The structures and the empty one behind them first, then the texts.
    let mut taken = 0;
    let mut needed = head_bytes;
    let mut status = Status::SUCCESS;
    let rest = entries.get(first as usize..).unwrap_or_default();
    if rest.is_empty() {
        status = Status::NO_MORE_ENTRIES;
    }
    for entry in rest {
        let more = head_bytes + (entry.name.len() + entry.type_name.len() + 2) * 2;
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
    let texts_at = buffer.address() + ((taken + 1) * head_bytes) as u64;
    for entry in rest.iter().take(taken) {
        let kind = utf16(entry.type_name);
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
        heads.extend(call.bytes_of(head));
    }
    if status.is_success() {
        heads.extend(call.bytes_of(Layout::default()));
        heads.extend(texts);
        call.write_bytes(buffer, &heads)?;
        call.write(context, first + taken as u32)?;
    }
    call.write_optional(length, needed as u32)?;
    Ok(Done::Returns(status))
}

fn create_event(call: &mut Call<'_>, args: NtCreateEvent) -> Result<Done> {
    call.probe(args.handle)?;
    let attributes = call.attributes_or_none(args.attributes)?;
    let notification = match args.r#type {
        0 => true,
        1 => false,
        _ => return Err(Status::INVALID_PARAMETER),
    };
    let signalled = args.state;
    let made = call.exec.create_event(
        call.thread,
        &attributes.view(),
        args.access,
        notification,
        signalled,
    )?;
    call.created(args.handle, made)
}

fn open_event(call: &mut Call<'_>, args: NtOpenEvent) -> Result<Done> {
    call.open(args.handle, args.access, args.attributes, Kind::Event)
}

fn set_event(call: &mut Call<'_>, args: NtSetEvent) -> Result<Done> {
    call.previous(args.previous, |call| {
        call.exec.set_event(call.thread, args.event).map(u32::from)
    })
}

fn reset_event(call: &mut Call<'_>, args: NtResetEvent) -> Result<Done> {
    call.previous(args.previous, |call| {
        call.exec
            .reset_event(call.thread, args.event)
            .map(u32::from)
    })
}

fn clear_event(call: &mut Call<'_>, args: NtClearEvent) -> Result<Done> {
    call.exec.reset_event(call.thread, args.event)?;
    success()
}

fn pulse_event(call: &mut Call<'_>, args: NtPulseEvent) -> Result<Done> {
    call.previous(args.previous, |call| {
        call.exec
            .pulse_event(call.thread, args.event)
            .map(u32::from)
    })
}

fn query_event(call: &mut Call<'_>, args: NtQueryEvent) -> Result<Done> {
    let (place, size, length) = (args.buffer, args.size, args.length);
    if args.class != 0 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    if size != 8 {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    call.probe_aligned(place, 4)?;
    call.probe_optional::<u32>(length)?;
    let (notification, signalled) = call.exec.query_event(call.thread, args.event)?;
    call.write(place, [u32::from(!notification), u32::from(signalled)])?;
    call.write_optional(length, 8_u32)?;
    success()
}

fn create_keyed_event(call: &mut Call<'_>, args: NtCreateKeyedEvent) -> Result<Done> {
    call.probe(args.handle)?;
    if args.flags != 0 {
        return Err(Status::INVALID_PARAMETER_4);
    }
    let attributes = call.attributes_or_none(args.attributes)?;
    let made = call
        .exec
        .create_keyed_event(call.thread, &attributes.view(), args.access)?;
    call.created(args.handle, made)
}

fn open_keyed_event(call: &mut Call<'_>, args: NtOpenKeyedEvent) -> Result<Done> {
    call.open(args.handle, args.access, args.attributes, Kind::KeyedEvent)
}

fn query_object(call: &mut Call<'_>, args: NtQueryObject) -> Result<Done> {
    let (place, size, length) = (args.buffer, args.size, args.length);
    call.probe_write(place, u64::from(size), 1)?;
    call.probe_optional::<u32>(length)?;
    let facts = call.exec.query_object(call.thread, args.handle)?;
    let type_name = utf16(call.exec.type_of(facts.kind).name);
    let (bytes, needed) = match args.class {
        0 => {
            let name = call.exec.query_object_name(call.thread, args.handle)?;
            let name_size = if name.is_empty() {
                0
            } else {
                call.size_of::<UnicodeString>() + name.len() * 2 + 2
            };
            let basic = ObjectBasic {
                attributes: facts.attributes,
                access: facts.access.bits(),
                handles: facts.handles,
                references: facts.references,
                name_size: name_size as u32,
                type_size: (type_bytes(call) + type_name.len() * 2 + 2) as u32,
                security_size: facts.security_length as u32,
                create_time: facts.created,
                ..ObjectBasic::default()
            };
            (call.bytes_of(basic), Needs::Exactly)
        }
        1 => {
            let name = call.exec.query_object_name(call.thread, args.handle)?;
            (
                named(call, &name, call.size_of::<UnicodeString>(), place),
                Needs::AtLeast,
            )
        }
        2 => (
            type_information(call, call.exec.type_of(facts.kind), &type_name, place),
            Needs::AtLeast,
        ),
        3 => return Err(Status::NOT_IMPLEMENTED),
        4 => {
            let (inherit, protect) = call.exec.query_handle_flags(call.thread, args.handle)?;
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

/// Bytes of OBJECT_TYPE_INFORMATION before the name: a UNICODE_STRING, and the same for all.
fn type_bytes(call: &Call<'_>) -> usize {
    call.size_of::<UnicodeString>() + 0x58
}

/// A UNICODE_STRING in `head` bytes, and its text and terminator behind it; an empty one points
/// nowhere.
fn named(call: &Call<'_>, name: &[u16], head: usize, place: UserPtr) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = (name.len() * 2) as u16;
    let string = match length {
        0 => UnicodeString::default(),
        _ => UnicodeString {
            length,
            maximum_length: length + 2,
            buffer: place.address().wrapping_add(head as u64),
            ..UnicodeString::default()
        },
    };
    bytes.extend(call.bytes_of(string));
    bytes.resize(head, 0);
    if length != 0 {
        put_text(&mut bytes, name);
        bytes.extend([0, 0]);
    }
    bytes
}

/// OBJECT_TYPE_INFORMATION: name, and from there generic mapping at 0x34, valid access mask at 0x44.
/// Counters are not kept.
fn type_information(
    call: &Call<'_>,
    info: &TypeInfo<Executive>,
    name: &[u16],
    place: UserPtr,
) -> Vec<u8> {
    let mut bytes = named(call, name, type_bytes(call), place);
    let mapping = call.size_of::<UnicodeString>() + 0x34;
    let words = [
        info.mapping.read.bits(),
        info.mapping.write.bits(),
        info.mapping.execute.bits(),
        info.mapping.all.bits(),
        info.valid.bits(),
    ];
    for (place, word) in bytes
        .get_mut(mapping..mapping + 0x14)
        .unwrap_or_default()
        .chunks_exact_mut(4)
        .zip(words)
    {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// `ObjectHandleFlagInformation`.
const HANDLE_FLAGS: u32 = 4;
/// `ObjectSessionInformation`, which has no content.
const SESSION: u32 = 5;

fn set_object(call: &mut Call<'_>, args: NtSetInformationObject) -> Result<Done> {
    match args.class {
        HANDLE_FLAGS if args.size != 2 => return Err(Status::INFO_LENGTH_MISMATCH),
        HANDLE_FLAGS => {
            let [inherit, protect] = call.read::<[u8; 2]>(args.buffer)?;
            let (inherit, protect) = (inherit != 0, protect != 0);
            call.exec
                .set_handle_flags(call.thread, args.handle, inherit, protect)?;
        }
        SESSION => call.exec.set_directory_session(call.thread, args.handle)?,
        _ => return Err(Status::INVALID_INFO_CLASS),
    }
    success()
}

fn query_security(call: &mut Call<'_>, args: NtQuerySecurityObject) -> Result<Done> {
    let (place, size, length) = (args.buffer, args.size, args.length);
    call.probe_write(place, u64::from(size), 4)?;
    call.probe::<u32>(length)?;
    let descriptor = call
        .exec
        .query_security(call.thread, args.handle, args.parts)?;
    call.write(length, descriptor.len() as u32)?;
    if (size as usize) < descriptor.len() {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    call.write_bytes(place, &descriptor)?;
    success()
}

fn set_security(call: &mut Call<'_>, args: NtSetSecurityObject) -> Result<Done> {
    let place = args.descriptor;
    if place.is_null() {
        return Err(Status::ACCESS_VIOLATION);
    }
    let descriptor = User(&mut call.memory()).descriptor(place)?;
    call.exec
        .set_security(call.thread, args.handle, args.parts, &descriptor)?;
    success()
}
