// SPDX-License-Identifier: GPL-2.0-or-later
//! How the trace spells a number: as the names that the public headers have for it.
//!
//! The words are data ([`words`]). A rule names a parameter, and the calls it belongs to where several calls use one
//! name for different things. A bit or a value that no rule knows is shown in hex, so that nothing
//! is ever left out.

mod words;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use nt::Status;
use words::{Bits, MESSAGES, RIGHTS, RULES, Rule, STANDARD_RIGHTS, Words};

/// A number of this parameter in words; `None` if it has none.
pub fn number(call: &str, parameter: &str, value: u32) -> Option<String> {
    let fits = |rule: &&Rule| {
        rule.parameter == parameter
            && (rule.calls.is_empty() || rule.calls.iter().any(|name| call.starts_with(name)))
    };
    match RULES.iter().find(fits)?.words {
        Words::Bits(names) => Some(bits(value, &[names])),
        Words::One(names) => one(value, names),
        Words::Status => Some(status(Status::new(value))),
    }
}

/// An access mask.
pub fn access(call: &str, mask: u32) -> String {
    let own = RIGHTS
        .iter()
        .find(|(calls, _)| calls.iter().any(|name| call.starts_with(name)))
        .map_or(&[][..], |(_, names)| *names);
    bits(mask, &[own, STANDARD_RIGHTS])
}

/// The type of a message.
pub fn message(kind: u16) -> String {
    let kind = u32::from(kind & 0xFF);
    one(kind, MESSAGES).unwrap_or_else(|| format!("{kind:#x}"))
}

/// A status by name, without `STATUS_`, or in hex.
pub fn status(status: Status) -> String {
    if let Some(name) = status.name() {
        return name.into();
    }
    match ntstatus::ntstatus::NtStatus::from_u32(status.code()) {
        Some(name) => name.trim_start_matches("STATUS_").into(),
        None => format!("{:08X}", status.code()),
    }
}

/// A time: relative in seconds, absolute as it is.
pub fn time(units: i64) -> String {
    match units {
        0 => "at once".into(),
        i64::MIN => "never".into(),
        negative if negative < 0 => {
            let units = units.unsigned_abs();
            format!("{}.{:03}s", units / 10_000_000, units / 10_000 % 1000)
        }
        _ => format!("until {units:#x}"),
    }
}

fn one(value: u32, names: &'static [&'static str]) -> Option<String> {
    names
        .get(value as usize)
        .filter(|name| !name.is_empty())
        .map(|name| (*name).into())
}

fn bits(value: u32, tables: &[Bits]) -> String {
    let mut rest = value;
    let mut names = Vec::new();
    for &(mask, name) in tables.iter().copied().flatten() {
        if rest & mask == mask {
            rest &= !mask;
            names.push(name);
        }
    }
    let mut text = names.join("|");
    if rest != 0 || text.is_empty() {
        let bar = if text.is_empty() { "" } else { "|" };
        // A String never refuses.
        let _ = write!(text, "{bar}{rest:#x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_their_names_and_what_has_none_stays() {
        assert_eq!(
            access("NtOpenFile", 0x10_0081),
            "READ_DATA|READ_ATTRIBUTES|SYNCHRONIZE"
        );
        assert_eq!(access("NtOpenKey", 0x2_0019), "KEY_READ");
        assert_eq!(access("NtOpenEvent", 0x1F_0003), "EVENT_ALL_ACCESS");
        assert_eq!(access("NtCreatePort", 0x1), "0x1");
        assert_eq!(access("NtOpenFile", 0), "0x0");
        assert_eq!(
            number("NtOpenFile", "options", 0x0100_0020).as_deref(),
            Some("SYNCHRONOUS_IO_NONALERT|0x1000000")
        );
        assert_eq!(
            number("NtOpenFile", "share", 7).as_deref(),
            Some("READ|WRITE|DELETE")
        );
    }

    #[test]
    fn classes_are_those_of_their_call() {
        assert_eq!(
            number("NtQueryInformationFile", "class", 5).as_deref(),
            Some("Standard")
        );
        assert_eq!(
            number("NtQueryVolumeInformationFile", "class", 5).as_deref(),
            Some("Attribute")
        );
        assert_eq!(
            number("NtSetInformationProcess", "class", 29).as_deref(),
            Some("BreakOnTermination")
        );
        assert_eq!(number("NtQueryInformationFile", "class", 0), None);
        assert_eq!(number("NtQueryInformationFile", "class", 400), None);
        assert_eq!(number("NtQueryInformationFile", "size", 5), None);
    }

    #[test]
    fn any_public_status_has_its_name() {
        assert_eq!(
            status(Status::OBJECT_NAME_NOT_FOUND),
            "OBJECT_NAME_NOT_FOUND"
        );
        // Not among those that this project has a use for.
        assert_eq!(status(Status::new(0xC000_00A1)), "WORKING_SET_QUOTA");
        assert_eq!(status(Status::new(0xC0FF_EE00)), "C0FFEE00");
    }

    #[test]
    fn times_and_messages_read_as_what_they_are() {
        assert_eq!(time(-15_000_000), "1.500s");
        assert_eq!(time(0), "at once");
        assert_eq!(message(10), "CONNECTION_REQUEST");
        assert_eq!(message(0x4001), "REQUEST");
        assert_eq!(message(99), "0x63");
    }
}
