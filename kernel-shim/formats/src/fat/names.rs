// SPDX-License-Identifier: GPL-2.0-or-later
//! Names in a FAT directory: 8.3 names and long names as they stand in slots, and the times beside them.

use crate::code_page::CodePage;
use alloc::vec::Vec;
use nt::{Result, Status};

/// Bytes in a directory slot.
pub const SLOT: usize = 32;
/// Units of a long name in one slot.
const LONG_UNITS: usize = 13;
const LONG_OFFSETS: [usize; LONG_UNITS] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// Attribute byte of a slot that holds part of a long name.
pub const LONG_NAME: u8 = 0x0F;
const LAST_PART: u8 = 0x40;

/// An 8.3 name as it stands in a slot.
pub type ShortName = [u8; 11];

/// Whether a name may be given to a file. `OBJECT_NAME_INVALID` if not.
pub fn check(name: &[u16]) -> Result<()> {
    let forbidden = |&unit: &u16| {
        unit < 0x20 || u8::try_from(unit).is_ok_and(|byte| b"\"*/:<>?\\|".contains(&byte))
    };
    let ends_badly = name
        .last()
        .is_none_or(|&unit| unit == u16::from(b'.') || unit == u16::from(b' '));
    if name.len() > 255 || ends_badly || name.iter().any(forbidden) {
        Err(Status::OBJECT_NAME_INVALID)
    } else {
        Ok(())
    }
}

/// The checksum that ties a long name to its 8.3 name.
pub fn checksum(short: &ShortName) -> u8 {
    short
        .iter()
        .fold(0u8, |sum, &byte| sum.rotate_right(1).wrapping_add(byte))
}

/// An 8.3 name as text; `case` is the byte by which NT keeps an all-lower-case base (8) or
/// extension (16).
pub fn short_text(short: &ShortName, case: u8, page: &CodePage) -> Vec<u16> {
    let (base, extension) = short.split_at(8);
    // The byte E5 marks a free slot, so a name that begins with it is stored with 05.
    let first = base
        .first()
        .map(|&byte| if byte == 0x05 { 0xE5 } else { byte });
    let base = first.into_iter().chain(base.iter().copied().skip(1));
    let mut text = unpadded(base, case & 0x08 != 0, page);
    let extension = unpadded(extension.iter().copied(), case & 0x10 != 0, page);
    if !extension.is_empty() {
        text.push(u16::from(b'.'));
        text.extend(extension);
    }
    text
}

/// The text of a field that is padded with blanks.
pub fn unpadded(padded: impl Iterator<Item = u8>, lower: bool, page: &CodePage) -> Vec<u16> {
    let mut text: Vec<u16> = padded
        .map(|byte| match byte {
            b'A'..=b'Z' if lower => byte.to_ascii_lowercase().into(),
            _ => page.decode(byte),
        })
        .collect();
    let end = text.iter().rposition(|&unit| unit != u16::from(b' '));
    text.truncate(end.map_or(0, |last| last + 1));
    text
}

/// The part of a long name that one slot holds: its number from 1, whether it is the last, its
/// checksum, its units.
pub struct LongPart {
    /// From 1.
    pub number: usize,
    /// The last part stands first in the directory.
    pub last: bool,
    /// Of the 8.3 name that follows.
    pub checksum: u8,
    /// Up to the terminator.
    pub units: Vec<u16>,
}

/// Reads a slot that holds part of a long name.
pub fn long_part(slot: &[u8; SLOT]) -> LongPart {
    let units = LONG_OFFSETS
        .iter()
        .map(|&at| u16::from_le_bytes([slot[at], slot[at + 1]]))
        .take_while(|&unit| unit != 0)
        .collect();
    LongPart {
        number: usize::from(slot[0] & 0x3F),
        last: slot[0] & LAST_PART != 0,
        checksum: slot[13],
        units,
    }
}

/// The slots of a long name, in the order in which they stand in the directory.
pub fn long_slots(name: &[u16], short: &ShortName) -> Vec<[u8; SLOT]> {
    let sum = checksum(short);
    let parts = name.len().div_ceil(LONG_UNITS);
    let encode = |number: usize| {
        let mut slot = [0; SLOT];
        slot[0] = number as u8 | if number == parts { LAST_PART } else { 0 };
        slot[11] = LONG_NAME;
        slot[13] = sum;
        let start = (number - 1) * LONG_UNITS;
        for (position, at) in LONG_OFFSETS.into_iter().enumerate() {
            let unit = match name.get(start + position) {
                Some(&unit) => unit,
                None if start + position == name.len() => 0,
                None => 0xFFFF,
            };
            slot[at..at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        slot
    };
    (1..=parts).rev().map(encode).collect()
}

/// Days from 1601-01-01 to the given date of the Gregorian calendar.
pub fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let years = year - 1600;
    years * 365 + years / 4 - years / 100 + years / 400 + (153 * month + 2) / 5 + day - 1 - 306
}

/// NT time (100 ns since 1601) of a FAT date and time; 0 for an impossible one.
pub fn from_fat_time(date: u16, time: u16) -> u64 {
    let (year, month, day) = (
        1980 + u64::from(date >> 9),
        u64::from(date >> 5 & 15),
        u64::from(date & 31),
    );
    if !(1..=12).contains(&month) || day == 0 {
        return 0;
    }
    let seconds =
        u64::from(time >> 11) * 3600 + u64::from(time >> 5 & 63) * 60 + u64::from(time & 31) * 2;
    (days(year, month, day) * 86400 + seconds) * 10_000_000
}

/// FAT date and time of an NT time, clamped to what FAT can say.
pub fn to_fat_time(nt: u64) -> (u16, u16) {
    let seconds = nt / 10_000_000;
    let (whole_days, rest) = (seconds / 86400, seconds % 86400);
    let mut year = 1601 + whole_days * 400 / 146_097;
    while days(year + 1, 1, 1) <= whole_days {
        year += 1;
    }
    while days(year, 1, 1) > whole_days {
        year -= 1;
    }
    if year < 1980 {
        return (0x21, 0);
    }
    if year > 2107 {
        return (0xFF9F, 0xBF7D);
    }
    let mut month = 12;
    while days(year, month, 1) > whole_days {
        month -= 1;
    }
    let day = whole_days - days(year, month, 1) + 1;
    let date = (year - 1980) << 9 | month << 5 | day;
    let time = (rest / 3600) << 11 | (rest % 3600 / 60) << 5 | (rest % 60 / 2);
    (date as u16, time as u16)
}
