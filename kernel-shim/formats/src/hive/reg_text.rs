// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading `.reg` text ("Windows Registry Editor Version 5.00", or "REGEDIT4") into a hive.
//!
//! The text may be UTF-8, with a byte order mark UTF-16LE, or in the ANSI code page, taken to be
//! 1252, as the editor of NT 4 writes it ([`decode`]). Lines are applied in their order:
//! `[key]` makes a key, `[-key]` deletes one with all below it, `"name"=data` and `@=data` set a
//! value, `"name"=-` deletes it. An error names its line; what stood before that line has been
//! applied, so a caller that wants all or nothing applies to a clone.
//!
//! Below "REGEDIT4" the bytes of string data in hex (types 1, 2 and 7) are of that code page, one a
//! character, and become UTF-16, as a call with ANSI text makes them on NT; all other data is as it
//! stands.
//!
//! Beside the forms of the original, `str(n):"text"` is string data of type n (hex), and `\0` in a
//! quoted text is a NUL, so that expandable and multiple strings can be read by people:
//! `"Path"=str(2):"%SystemRoot%"`, `"List"=str(7):"one\0two\0"`.

use super::{Hive, KeyId};
use crate::code_page::ANSI;
use crate::utf16;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use nt::UnicodeStr;
use nt::system::ValueType;

/// What is wrong with a `.reg` text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegTextError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for RegTextError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.reason)
    }
}

impl core::error::Error for RegTextError {}

/// How text in UTF-16 data begins.
const HEADER: &str = "Windows Registry Editor Version 5.00";
/// How text with strings in ANSI data begins.
const ANSI_HEADER: &str = "REGEDIT4";

/// Decodes the bytes of a `.reg` file: what its byte order mark says; without one, below
/// "REGEDIT4", the ANSI code page; else UTF-8, or the ANSI code page if it is not UTF-8 and begins as
/// such a text does.
///
/// # Errors
/// It is no text of these.
pub fn decode(bytes: &[u8]) -> Result<String, RegTextError> {
    let bad = RegTextError {
        line: 1,
        reason: "neither UTF-8 nor UTF-16LE text, nor ANSI text that begins as .reg text does",
    };
    if let Some(wide) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        let units: Vec<u16> = wide
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        return String::from_utf16(&units).map_err(|_| bad);
    }
    let marked = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]);
    let ansi = marked.is_none() && bytes.starts_with(ANSI_HEADER.as_bytes());
    match core::str::from_utf8(marked.unwrap_or(bytes)) {
        Ok(text) if !ansi => Ok(String::from(text)),
        _ if ansi || bytes.starts_with(HEADER.as_bytes()) => {
            let units: Vec<u16> = bytes.iter().map(|&byte| ANSI.decode(byte)).collect();
            String::from_utf16(&units).map_err(|_| bad)
        }
        _ => Err(bad),
    }
}

/// The data of a string value: its UTF-16 units, little-endian, and a terminating NUL.
pub fn string_data(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// The data of a REG_MULTI_SZ value.
pub fn multi_string_data(strings: &[&str]) -> Vec<u8> {
    strings
        .iter()
        .flat_map(|text| string_data(text))
        .chain([0, 0])
        .collect()
}

/// Applies `text` to `hive`. Only keys at or below `mount` (for example
/// `HKEY_LOCAL_MACHINE\SYSTEM`, compared without regard to case) may occur; `mount` itself is the
/// hive's root. `now` stamps what is written.
pub fn apply(hive: &mut Hive, text: &str, mount: &str, now: u64) -> Result<(), RegTextError> {
    let mut lines = Lines {
        rest: text.lines(),
        number: 0,
    };
    let fail = |line, reason| Err(RegTextError { line, reason });
    let ansi = match lines.next() {
        Some((_, header)) if header.trim_end() == HEADER => false,
        Some((_, header)) if header.trim_end() == ANSI_HEADER => true,
        _ => {
            return fail(
                lines.number.max(1),
                "the first line must be `Windows Registry Editor Version 5.00` or `REGEDIT4`",
            );
        }
    };
    let mut current: Option<KeyId> = None;
    while let Some((number, line)) = lines.next() {
        let error = |reason| RegTextError {
            line: number,
            reason,
        };
        if let Some(inner) = line.trim_end().strip_prefix('[') {
            let name = inner
                .strip_suffix(']')
                .ok_or(error("no `]` at the end of a key line"))?;
            let (name, delete) = name
                .strip_prefix('-')
                .map_or((name, false), |name| (name, true));
            let path = below(name, mount).ok_or(error("the key is not in this hive"))?;
            let units = utf16(path);
            current = None;
            if delete {
                if let Some(id) = hive.find(hive.root(), UnicodeStr(&units)) {
                    hive.delete_tree(id, now)
                        .map_err(|_| error("the root of the hive cannot be deleted"))?;
                }
            } else {
                let made = hive.create_path(hive.root(), UnicodeStr(&units), false, now);
                current = Some(made.map_err(|_| error("a key name is too long"))?);
            }
            continue;
        }
        let Some(key) = current else {
            return fail(number, "a value before any key, or after a deleted one");
        };
        let (name, data) = split_name(line).ok_or(error("no `name=data`"))?;
        let name = utf16(&name);
        if data.trim() == "-" {
            // A value that is not there is as deleted as it can be.
            let _ = hive.delete_value(key, UnicodeStr(&name), now);
            continue;
        }
        let (kind, bytes) = parse_data(data, &mut lines, ansi).map_err(error)?;
        hive.set_value(key, UnicodeStr(&name), kind, bytes, now)
            .map_err(|_| error("the value's name is too long"))?;
    }
    Ok(())
}

/// Lines without blank lines and comments, with their numbers.
struct Lines<'t> {
    rest: core::str::Lines<'t>,
    number: usize,
}

impl<'t> Lines<'t> {
    fn raw(&mut self) -> Option<&'t str> {
        let line = self.rest.next()?;
        self.number += 1;
        Some(line)
    }

    fn next(&mut self) -> Option<(usize, &'t str)> {
        loop {
            let line = self.raw()?.trim_start();
            if !line.trim().is_empty() && !line.starts_with(';') {
                return Some((self.number, line));
            }
        }
    }
}

/// What is left of `name` below `mount`, without a leading backslash.
fn below<'n>(name: &'n str, mount: &str) -> Option<&'n str> {
    let mount = mount.trim_end_matches('\\');
    let head = name.get(..mount.len())?;
    if !head.eq_ignore_ascii_case(mount) {
        return None;
    }
    let rest = name.get(mount.len()..)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('\\')
    }
}

/// Splits `"name"=data` or `@=data`, with the escapes of the name undone.
fn split_name(line: &str) -> Option<(String, &str)> {
    if let Some(rest) = line.strip_prefix('@') {
        return Some((String::new(), rest.trim_start().strip_prefix('=')?));
    }
    let (name, rest) = quoted(line)?;
    Some((name, rest.trim_start().strip_prefix('=')?))
}

/// A quoted string at the start of `text`, its escapes undone, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.strip_prefix('"')?.chars();
    let mut found = String::new();
    loop {
        match characters.next()? {
            '"' => return Some((found, characters.as_str())),
            '\\' => match characters.next()? {
                '0' => found.push('\0'),
                other => found.push(other),
            },
            other => found.push(other),
        }
    }
}

/// Type and data of a value; `ansi` says that strings in hex are ANSI ones.
fn parse_data(
    data: &str,
    lines: &mut Lines<'_>,
    ansi: bool,
) -> Result<(u32, Vec<u8>), &'static str> {
    let data = data.trim();
    if data.starts_with('"') {
        let (text, rest) = quoted(data).ok_or("the string does not end on its line")?;
        return if blank(rest) {
            Ok((ValueType::SZ.0, string_data(&text)))
        } else {
            Err("something after the string")
        };
    }
    if let Some(digits) = data.strip_prefix("dword:") {
        let digits = digits.split(';').next().unwrap_or_default().trim();
        let number =
            u32::from_str_radix(digits, 16).map_err(|_| "dword: wants up to eight hex digits")?;
        return Ok((ValueType::DWORD.0, number.to_le_bytes().to_vec()));
    }
    if let Some(numbered) = data.strip_prefix("str(") {
        let (digits, text) = numbered
            .split_once("):")
            .ok_or("str( wants a number and `):`")?;
        let kind = u32::from_str_radix(digits.trim(), 16).map_err(|_| "str( wants a hex number")?;
        let (text, rest) = quoted(text).ok_or("the string does not end on its line")?;
        return if blank(rest) {
            Ok((kind, string_data(&text)))
        } else {
            Err("something after the string")
        };
    }
    let rest = data
        .strip_prefix("hex")
        .ok_or("the data is no string, dword or hex")?;
    let (kind, mut part) = match rest.strip_prefix('(') {
        Some(numbered) => {
            let (digits, after) = numbered
                .split_once("):")
                .ok_or("hex( wants a number and `):`")?;
            (
                u32::from_str_radix(digits.trim(), 16).map_err(|_| "hex( wants a hex number")?,
                after,
            )
        }
        None => (
            ValueType::BINARY.0,
            rest.strip_prefix(':').ok_or("hex wants `:`")?,
        ),
    };
    let mut bytes = Vec::new();
    loop {
        part = part.split(';').next().unwrap_or_default().trim();
        let continued = part.strip_suffix('\\');
        for digits in continued
            .unwrap_or(part)
            .split(',')
            .map(str::trim)
            .filter(|digits| !digits.is_empty())
        {
            bytes.push(
                u8::from_str_radix(digits, 16).map_err(|_| "a byte that is not two hex digits")?,
            );
        }
        if continued.is_none() {
            return Ok((kind, if ansi { widened(kind, bytes) } else { bytes }));
        }
        part = lines.raw().ok_or("the text ends after a `\\`")?;
    }
}

/// The data of a value that was given as ANSI data of its type.
fn widened(kind: u32, bytes: Vec<u8>) -> Vec<u8> {
    let strings = [ValueType::SZ, ValueType::EXPAND_SZ, ValueType::MULTI_SZ];
    if !strings.contains(&ValueType(kind)) {
        return bytes;
    }
    let units = bytes.iter().map(|&byte| ANSI.decode(byte));
    units.flat_map(u16::to_le_bytes).collect()
}

fn blank(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with(';')
}
