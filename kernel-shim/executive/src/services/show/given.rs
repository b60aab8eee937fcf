// SPDX-License-Identifier: GPL-2.0-or-later
//! What the addresses in a call point to, where its caller has put something there: times, messages,
//! sizes, handles, the data of a registry value, and the buffers whose class says what they are.

use super::super::argument::Parameter;
use super::super::call::Call;
use super::super::layout::{FileRename, UnicodeString, Word};
use super::super::table::Service;
use super::super::user::{UserPtr, UserSlice};
use super::{handle, message, values};
use crate::spelling;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The most elements of an array that are read for the trace: NT takes no more anywhere.
const MOST: u32 = 64;
/// The most bytes of a buffer.
const MOST_BYTES: u32 = 4096;

/// What an address points to before the call, where the trace knows how to say it.
pub fn behind(
    call: &mut Call<'_>,
    service: &Service,
    parameter: &Parameter,
    slot: u64,
) -> Option<String> {
    match (service.name, parameter.name) {
        (_, "timeout") if slot == 0 => Some("forever".into()),
        _ if slot == 0 => None,
        (_, "timeout" | "interval") => call.read(UserPtr::new(slot)).ok().map(spelling::time),
        (name, "reply" | "message") if is_sent(name, parameter.name) => message(call, slot),
        ("NtWaitForMultipleObjects", "objects") => handles(call, slot),
        ("NtSetValueKey", "data") => {
            let (kind, size) = (call.arguments[3] as u32, call.arguments[5] as u32);
            let data = bytes(call, slot, size)?;
            Some(format!("{{{}}}", values::registry_data(kind, &data)))
        }
        ("NtCreatePagingFile", "minimum" | "maximum") | ("NtCreateSection", "size") => {
            let number: u64 = call.read(UserPtr::new(slot)).ok()?;
            Some(format!("[{number:#x}]"))
        }
        ("NtRaiseHardError", "parameters") => hard_error(call, slot),
        ("NtWriteFile", "buffer") => {
            let size = call.arguments[6] as u32;
            let data = bytes(call, slot, size)?;
            Some(values::data(&data, size.into()))
        }
        ("NtReadFile" | "NtWriteFile", "offset") => {
            let offset: i64 = call.read(UserPtr::new(slot)).ok()?;
            Some(match offset {
                -2 => "[current]".into(),
                -1 => "[end]".into(),
                offset => format!("[{offset:#x}]"),
            })
        }
        ("NtSetInformationFile", "buffer") => file_information(call, slot),
        (
            "NtSetInformationProcess" | "NtSetInformationThread" | "NtSetSystemInformation",
            "buffer",
        ) => information(call, service.name, slot),
        _ => None,
    }
}

/// Whether a message is what the caller sends, and not room for one.
fn is_sent(service: &str, parameter: &str) -> bool {
    match service {
        "NtAcceptConnectPort" | "NtRequestPort" | "NtRequestWaitReplyPort" => {
            parameter == "message"
        }
        "NtReplyPort"
        | "NtReplyWaitReceivePort"
        | "NtReplyWaitReceivePortEx"
        | "NtReplyWaitReplyPort" => parameter == "reply",
        _ => false,
    }
}

fn bytes(call: &mut Call<'_>, at: u64, size: u32) -> Option<Vec<u8>> {
    let size = size.min(MOST_BYTES);
    call.bytes(UserPtr::new(at), size.into()).ok()
}

/// The handles that are waited for, each with what it names.
fn handles(call: &mut Call<'_>, at: u64) -> Option<String> {
    let objects = UserSlice {
        pointer: UserPtr::<Word>::new(at),
        count: (call.arguments[0] as u32).min(MOST),
    };
    let words: Vec<String> = call
        .slice(objects, 1)
        .ok()?
        .into_iter()
        .map(|Word(slot)| handle(call, call.handle(slot)).unwrap_or_else(|| format!("{slot:#x}")))
        .collect();
    Some(format!("[{}]", words.join(", ")))
}

/// The parameters of a hard error: text where the mask says so, numbers otherwise.
fn hard_error(call: &mut Call<'_>, at: u64) -> Option<String> {
    let strings = call.arguments[2] as u32;
    let parameters = UserSlice {
        pointer: UserPtr::<Word>::new(at),
        count: (call.arguments[1] as u32).min(MOST),
    };
    let slots = call.slice(parameters, 1).ok()?;
    let mut words = Vec::new();
    for (place, Word(slot)) in slots.into_iter().enumerate() {
        let text = match strings >> place & 1 {
            0 => None,
            _ => call
                .read(UserPtr::<UnicodeString>::new(slot))
                .and_then(|string| call.text(string))
                .ok(),
        };
        words.push(text.map_or_else(
            || format!("{slot:#x}"),
            |text| format!("{:?}", String::from_utf16_lossy(&text)),
        ));
    }
    Some(format!("{{{}}}", words.join(", ")))
}

/// What NtSetInformationFile is given, by its class.
fn file_information(call: &mut Call<'_>, at: u64) -> Option<String> {
    const BASIC: u32 = 4;
    const RENAME: u32 = 10;
    const LINK: u32 = 11;
    const DISPOSITION: u32 = 13;
    const POSITION: u32 = 14;
    const ALLOCATION: u32 = 19;
    const END_OF_FILE: u32 = 20;
    match call.arguments[4] as u32 {
        RENAME | LINK => {
            let head: FileRename = call.read(UserPtr::new(at)).ok()?;
            let name = bytes(
                call,
                at.checked_add(call.size_of::<FileRename>() as u64)?,
                head.name_length,
            )?;
            let replaces = match head.replace {
                0 => "",
                _ => "replace ",
            };
            let root = match head.root {
                0 => String::new(),
                root => {
                    let named =
                        handle(call, call.handle(root)).unwrap_or_else(|| format!("{root:#x}"));
                    format!("below {named} ")
                }
            };
            Some(format!("{{{replaces}{root}{}}}", values::text(&name)))
        }
        DISPOSITION => Some(match bytes(call, at, 1)?.first()? {
            0 => "{keep}".into(),
            _ => "{delete}".into(),
        }),
        POSITION | ALLOCATION | END_OF_FILE => {
            let number: u64 = call.read(UserPtr::new(at)).ok()?;
            Some(format!("{{{number:#x}}}"))
        }
        BASIC => {
            let attributes: u32 = call.read(UserPtr::new(at.checked_add(0x20)?)).ok()?;
            let words = spelling::number("NtCreateFile", "flags", attributes)?;
            Some(format!("{{attributes {words}}}"))
        }
        _ => None,
    }
}

/// What a process, a thread or the system is to be told: a number, or the name of an image to load.
fn information(call: &mut Call<'_>, service: &str, at: u64) -> Option<String> {
    /// SystemLoadGdiDriverInformation and SystemExtendServiceTableInformation: a name first.
    const NAMED: [u32; 2] = [26, 38];
    let (class, size) = match service {
        "NtSetSystemInformation" => (call.arguments[0] as u32, call.arguments[2] as u32),
        _ => (call.arguments[1] as u32, call.arguments[3] as u32),
    };
    if service == "NtSetSystemInformation" && NAMED.contains(&class) {
        let name = call.read(UserPtr::<UnicodeString>::new(at)).ok()?;
        let name = call.text(name).ok()?;
        return Some(format!("{{{:?}}}", String::from_utf16_lossy(&name)));
    }
    let number = match size {
        4 => call.read::<u32>(UserPtr::new(at)).ok()?.into(),
        8 => call.read::<u64>(UserPtr::new(at)).ok()?,
        _ => return None,
    };
    Some(format!("{{{number:#x}}}"))
}
