// SPDX-License-Identifier: GPL-2.0-or-later
//! What a call has written for its caller: handles with what they name, addresses, sizes, counts, the
//! message it brought, and the answers whose class says what they are.

use super::super::BUILT;
use super::super::argument::{Parameter, Shape};
use super::super::call::{Call, Done};
use super::super::layout::{
    ClientId, DirectoryEntry, FileStandard, IoStatusBlock, UnicodeString, Word,
};
use super::super::table::Service;
use super::super::user::UserPtr;
use super::{handle, message, values};
use crate::spelling;
use crate::trace::Argument;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nt::{Handle, Status};

/// The calls that end with a message, and which argument says where it goes.
const BRINGING: [(&str, usize); 5] = [
    ("NtListenPort", 1),
    ("NtReplyWaitReceivePort", 3),
    ("NtReplyWaitReceivePortEx", 3),
    ("NtReplyWaitReplyPort", 1),
    ("NtRequestWaitReplyPort", 2),
];

/// The most bytes of an answer that are read for the trace.
const MOST_BYTES: u32 = 4096;

/// Puts what a successful call has written into its arguments, in place of the addresses. What a
/// call has brought that waited stands alone: its arguments were shown when it was made.
pub fn results(
    call: &mut Call<'_>,
    service: &Service,
    shown: &mut Vec<(&'static str, Argument)>,
    done: &Done,
) {
    let Done::Returns(status) = *done else { return };
    if status.is_error() {
        return;
    }
    if let Some(built) = BUILT.get(service.number as usize).and_then(Option::as_ref) {
        let waited = shown.is_empty();
        for (place, parameter) in built.parameters.iter().enumerate() {
            let slot = call.arguments[place];
            if parameter.shape != Shape::Pointer || slot == 0 {
                continue;
            }
            let Some(words) = written(call, service, parameter, slot, status) else {
                continue;
            };
            if waited {
                shown.push((parameter.name, Argument::Words(words)));
            } else if let Some((_, argument @ Argument::Number(_))) = shown.get_mut(place) {
                *argument = Argument::Words(words);
            }
        }
    }
    let brought = BRINGING.iter().find(|(name, _)| *name == service.name);
    if let Some(&(_, place)) = brought
        && status.is_success()
        && let Some(message) = message(call, call.arguments[place])
    {
        shown.push(("received", Argument::Words(message)));
    }
}

/// What lies at an address now.
fn written(
    call: &mut Call<'_>,
    service: &Service,
    parameter: &Parameter,
    slot: u64,
    status: Status,
) -> Option<String> {
    match (service.name, parameter.name) {
        // An I/O request.
        (
            "NtCreateFile"
            | "NtOpenFile"
            | "NtQueryInformationFile"
            | "NtSetInformationFile"
            | "NtQueryVolumeInformationFile"
            | "NtQueryDirectoryFile"
            | "NtReadFile"
            | "NtWriteFile"
            | "NtFlushBuffersFile"
            | "NtDeviceIoControlFile"
            | "NtFsControlFile",
            "result",
        ) => {
            let block: IoStatusBlock = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("{{{:#x}}}", { block.information }))
        }
        // A handle in a table that may be another process's.
        ("NtDuplicateObject", "result") => {
            let Word(value) = call.read(UserPtr::new(slot)).ok()?;
            let own = Handle::from_slot(call.arguments[2]) == Handle::CURRENT_PROCESS;
            own.then(|| handle(call, Handle::from_slot(value)))
                .flatten()
                .or_else(|| Some(format!("{value:#x}")))
        }
        ("NtReplyWaitReceivePort" | "NtReplyWaitReceivePortEx", "context") => {
            let Word(value) = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("[{value:#x}]"))
        }
        // New handles.
        (_, "client") => {
            let client: ClientId = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("{:x}.{:x}", { client.process }, { client.thread }))
        }
        (
            _,
            "key" | "port" | "thread" | "process" | "event" | "file" | "section" | "mutant"
            | "semaphore" | "token" | "handle" | "result",
        ) => {
            let Word(value) = call.read(UserPtr::new(slot)).ok()?;
            Some(handle(call, Handle::from_slot(value)).unwrap_or_else(|| format!("{value:#x}")))
        }
        // Memory.
        (
            "NtAllocateVirtualMemory"
            | "NtFreeVirtualMemory"
            | "NtProtectVirtualMemory"
            | "NtMapViewOfSection",
            "base" | "size",
        ) => {
            let Word(value) = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("[{value:#x}]"))
        }
        ("NtMapViewOfSection", "offset") => {
            let value: u64 = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("[{value:#x}]"))
        }
        ("NtProtectVirtualMemory", "old") => {
            let old = call.read(UserPtr::new(slot)).ok()?;
            Some(format!(
                "[{}]",
                spelling::number(service.name, "protect", old)?
            ))
        }
        // Counts and lengths.
        ("NtQueryDirectoryObject", "context") => {
            let next: u32 = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("[{next:#x}]"))
        }
        (_, "length" | "previous" | "count" | "response" | "disposition")
            if service.name != "NtAdjustPrivilegesToken" =>
        {
            let value: u32 = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("[{value:#x}]"))
        }
        ("NtQuerySymbolicLinkObject", "target") => {
            let target: UnicodeString = call.read(UserPtr::new(slot)).ok()?;
            let text = call.text(target).ok()?;
            Some(format!("{:?}", String::from_utf16_lossy(&text)))
        }
        ("NtReadFile" | "NtQueryDirectoryFile", "buffer") if status.is_success() => {
            brought(call, service.name, slot)
        }
        ("NtQueryDirectoryObject", "buffer") if status.is_success() => listing(call, slot),
        (_, "buffer") if status.is_success() => answer(call, service.name, slot),
        _ => None,
    }
}

/// What a file was asked for: its data, or the names in a folder.
fn brought(call: &mut Call<'_>, service: &str, at: u64) -> Option<String> {
    const RESULT: usize = 4;
    const CLASS: usize = 7;
    let block: IoStatusBlock = call.read(UserPtr::new(call.arguments[RESULT])).ok()?;
    let whole = { block.information };
    let bytes = call
        .bytes(UserPtr::new(at), whole.min(MOST_BYTES.into()))
        .ok()?;
    match service {
        "NtReadFile" => Some(values::data(&bytes, whole)),
        _ => values::directory(call.arguments[CLASS] as u32, &bytes),
    }
}

/// The names in a directory of objects, each with its type. An empty entry ends the list.
fn listing(call: &mut Call<'_>, at: u64) -> Option<String> {
    let most = MOST_BYTES as u64 / size_of::<DirectoryEntry>() as u64;
    let mut found = Vec::new();
    let mut place = UserPtr::<DirectoryEntry>::new(at);
    for _ in 0..most {
        let entry: DirectoryEntry = call.read(place).ok()?;
        if { entry.name.buffer } == 0 {
            break;
        }
        let mut text = |string| {
            let text = call.text(string).ok()?;
            Some(String::from_utf16_lossy(&text))
        };
        found.push(format!("{:?} {}", text(entry.name)?, text(entry.kind)?));
        place = place.at(size_of::<DirectoryEntry>() as u64).ok()?;
    }
    Some(values::names(&found))
}

/// The answer to a question, by its class.
fn answer(call: &mut Call<'_>, service: &str, at: u64) -> Option<String> {
    let argument = |place: usize| call.arguments.get(place).map_or(0, |&slot| slot as u32);
    let (class, size, length) = match service {
        "NtQueryKey" => (argument(1), argument(3), call.arguments[4]),
        "NtEnumerateKey" | "NtQueryValueKey" | "NtEnumerateValueKey" => {
            (argument(2), argument(4), call.arguments[5])
        }
        "NtQueryInformationProcess" | "NtQueryInformationThread" | "NtQueryInformationToken" => {
            (argument(1), argument(3), 0)
        }
        "NtQueryInformationFile" => (argument(4), argument(3), 0),
        _ => return None,
    };
    let written: u32 = match length {
        0 => size,
        length => call.read(UserPtr::new(length)).ok()?,
    };
    let count = written.min(size).min(MOST_BYTES);
    let bytes = call.bytes(UserPtr::new(at), count.into()).ok()?;
    match service {
        "NtQueryKey" | "NtEnumerateKey" => values::key(class, &bytes),
        "NtQueryValueKey" | "NtEnumerateValueKey" => values::key_value(class, &bytes),
        "NtQueryInformationFile" => file(class, &bytes),
        // Of the rest, what is one number.
        _ => match *bytes.as_slice() {
            [a, b, c, d] => Some(format!("{{{:#x}}}", u32::from_le_bytes([a, b, c, d]))),
            _ => None,
        },
    }
}

/// FILE_STANDARD_INFORMATION and FILE_NAME_INFORMATION.
fn file(class: u32, bytes: &[u8]) -> Option<String> {
    use zerocopy::FromBytes;
    const STANDARD: u32 = 5;
    const NAME: u32 = 9;
    match class {
        STANDARD => {
            let (standard, _) = FileStandard::read_from_prefix(bytes).ok()?;
            let kind = match standard.directory {
                0 => "",
                _ => ", directory",
            };
            Some(format!("{{{:#x} bytes{kind}}}", { standard.end_of_file }))
        }
        NAME => {
            let ([length], rest) = values::words(bytes)?;
            rest.get(..length as usize).map(values::text)
        }
        _ => None,
    }
}
