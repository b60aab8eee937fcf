// SPDX-License-Identifier: GPL-2.0-or-later
//! The 8.3 name that is made for a long one, as NT makes it (RtlGenerate8dot3Name).
//!
//! The first four files of a directory whose names begin alike are numbered: `LONGFI~1` to
//! `LONGFI~4`. From the fifth on a checksum of the whole name stands behind its first two
//! characters, so that a directory of thousands of such names costs each of them a few tries only.

use super::names::ShortName;
use crate::code_page::CodePage;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use nt::case::upcase;
use nt::{Result, Status, steps};

/// Files that are told apart by the number alone.
const NUMBERED: u32 = 4;
const DOT: u16 = b'.' as u16;

/// Whether an 8.3 name may have this byte.
const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b')' | b'-' | b'@' | b'^'..=b'`')
        || matches!(byte, b'{' | b'}' | b'~')
}

/// The byte of an ASCII unit, upcased, if an 8.3 name may have it.
fn short_byte(unit: u16) -> Option<u8> {
    u8::try_from(upcase(unit))
        .ok()
        .filter(|&byte| is_allowed(byte))
}

/// The 8.3 name that says exactly the same, if there is one: then no long name is needed.
fn exact(name: &[u16], page: &CodePage) -> Option<ShortName> {
    let mut short = *b"           ";
    let dot = name.iter().rposition(|&unit| unit == DOT);
    let (base, extension) = match dot {
        Some(dot) => (name.get(..dot)?, name.get(dot + 1..)?),
        None => (name, [].as_slice()),
    };
    if base.is_empty()
        || base.len() > 8
        || extension.len() > 3
        || (dot.is_some() && extension.is_empty())
    {
        return None;
    }
    for (at, &unit) in (0..8).zip(base).chain((8..11).zip(extension)) {
        short[at] = match short_byte(unit) {
            Some(byte) => Some(byte).filter(|&byte| u16::from(byte) == unit),
            None if upcase(unit) == unit => page.encode(unit).filter(|&byte| byte >= 0x80),
            None => None,
        }?;
    }
    if short[0] == 0xE5 {
        short[0] = 0x05;
    }
    Some(short)
}

/// What an 8.3 name keeps of a part of a long one: its first characters of ASCII, with `_` for
/// those that only a long name may have.
fn kept(part: &[u16], most: usize) -> Vec<u8> {
    part.iter()
        .filter(|&&unit| unit > 0x20 && unit < 0x7F && unit != DOT)
        .map(|&unit| short_byte(unit).unwrap_or(b'_'))
        .take(most)
        .collect()
}

/// NT's checksum of a name, pair by pair of its units, as four digits from the lowest on.
fn digits(name: &[u16]) -> [u8; 4] {
    let mut pairs = name.chunks(2).map(|pair| match *pair {
        [one] => (one, 0),
        [one, two] => (one, two),
        _ => (0, 0),
    });
    let first = match name {
        [only] => *only,
        _ => pairs
            .next()
            .map_or(0, |(one, two)| (one << 8).wrapping_add(two)),
    };
    let sum = pairs.fold(first, |sum, (one, two)| {
        let high = (sum << 7).wrapping_add(one) << 8;
        (sum >> 1).wrapping_add(high).wrapping_add(two)
    });
    [0, 4, 8, 12].map(|shift| b"0123456789ABCDEF"[usize::from(sum >> shift & 0xF)])
}

/// A base and an extension with a number between them; the base gives way to a long number.
fn numbered(base: &[u8], number: u32, extension: &[u8]) -> ShortName {
    let tail = format!("~{number}");
    let base = base.iter().take(8usize.saturating_sub(tail.len()));
    let mut short = *b"           ";
    let (first, last) = short.split_at_mut(8);
    for (to, from) in first.iter_mut().zip(base.copied().chain(tail.bytes())) {
        *to = from;
    }
    for (to, from) in last.iter_mut().zip(extension) {
        *to = *from;
    }
    short
}

/// The 8.3 name for a new file that no other file of the directory (`taken`) has, and whether a
/// long name must go with it.
///
/// # Errors
/// `DISK_FULL` if all are taken.
pub fn make(
    name: &[u16],
    taken: &BTreeSet<ShortName>,
    page: &CodePage,
) -> Result<(ShortName, bool)> {
    if let Some(short) = exact(name, page)
        && !taken.contains(&short)
    {
        return Ok((short, false));
    }
    let dot = name.iter().rposition(|&unit| unit == DOT);
    let (base, extension) = name.split_at(dot.unwrap_or(name.len()));
    let (mut base, extension) = (kept(base, 6), kept(extension, 3));
    // Too little of the name is left to be told by.
    let simple = if base.len() > 2 { NUMBERED } else { 0 };
    let spelled = base.clone();
    base.truncate(2);
    base.extend(digits(name));
    let spelled = (1..=simple).map(|number| numbered(&spelled, number, &extension));
    let summed = (1..1_000_000).map(|number| numbered(&base, number, &extension));
    spelled
        .chain(summed)
        .inspect(|_| steps::took(1))
        .find(|short| !taken.contains(short))
        .map(|short| (short, true))
        .ok_or(Status::DISK_FULL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{code_page, utf16};

    fn made(name: &str, taken: &BTreeSet<ShortName>) -> ShortName {
        make(&utf16(name), taken, code_page::DEFAULT).unwrap().0
    }

    #[test]
    fn four_names_are_numbered_and_the_others_have_a_checksum() {
        let mut taken = BTreeSet::new();
        let names: Vec<ShortName> = (0..7)
            .map(|number| {
                let short = made(&format!("long file name {number}.text"), &taken);
                taken.insert(short);
                short
            })
            .collect();
        assert_eq!(
            names[..4],
            [1, 2, 3, 4].map(|number| numbered(b"LONGFI", number, b"TEX"))
        );
        for short in &names[4..] {
            assert!(
                short.starts_with(b"LO") && short.ends_with(b"~1TEX"),
                "{short:?}"
            );
        }
        assert_eq!(taken.len(), 7);
    }

    #[test]
    fn what_has_no_place_in_a_short_name_is_left_out_or_stood_in_for() {
        let taken = BTreeSet::new();
        for (name, short) in [
            ("a+b c.html", b"A_BC~1  HTM"),
            ("two.dots.here", b"TWODOT~1HER"),
            ("\u{e4}rger mit.x", b"RGERMI~1X  "),
        ] {
            assert_eq!(made(name, &taken), *short, "{name}");
        }
    }

    #[test]
    fn a_name_of_which_little_is_left_has_a_checksum_at_once() {
        let taken = BTreeSet::new();
        // 'a' << 8 | 'b', then '.' and 'l' and so on, by hand for a name of two pairs.
        let sum = |a: u16, b: u16, c: u16, d: u16| {
            let one = a << 8 | b;
            let high = (one << 7).wrapping_add(c) << 8;
            (one >> 1).wrapping_add(high).wrapping_add(d)
        };
        let expected = sum(0x61, 0x62, 0x2E, 0x71);
        assert_eq!(&digits(&utf16("ab.q")), &expected_digits(expected));
        let short = made("ab.qrst", &taken);
        assert!(
            short.starts_with(b"AB") && short.ends_with(b"~1QRS"),
            "{short:?}"
        );
        let short = made(".profile", &taken);
        assert!(short[4..] == *b"~1  PRO", "{short:?}");
    }

    fn expected_digits(sum: u16) -> [u8; 4] {
        let text: Vec<u8> = format!("{sum:04X}").bytes().rev().collect();
        [text[0], text[1], text[2], text[3]]
    }
}
