// SPDX-License-Identifier: GPL-2.0-or-later
//! Counted UTF-16 strings: borrowed ([`UnicodeStr`]) and of fixed capacity ([`UnicodeBuf`]).
//!
//! Neither is NUL-terminated and neither promises well-formed UTF-16: registry data and messages
//! carry whatever they carry. A [`UnicodeBuf`] that is full refuses to grow; nothing is ever cut
//! off silently.

use crate::case::{same, upcase};
use crate::text::{Output, Text};
use crate::{Result, Status};
use core::fmt;

/// A borrowed counted string of UTF-16 units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct UnicodeStr<'a>(pub &'a [u16]);

/// A `UnicodeStr<'static>` from an ASCII literal, made at compile time.
///
/// ```
/// use nt::{UnicodeStr, wide};
///
/// assert_eq!(wide!("C:"), UnicodeStr(&[0x43, 0x3A]));
/// ```
#[macro_export]
macro_rules! wide {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const UNITS: [u16; TEXT.len()] = $crate::string::ascii_units::<{ TEXT.len() }>(TEXT);
        $crate::UnicodeStr(&UNITS)
    }};
}

/// The units of an ASCII text; a compile-time error for anything else. Used by [`wide!`].
pub const fn ascii_units<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        assert!(bytes[at] < 0x80, "wide! takes ASCII");
        units[at] = bytes[at] as u16;
        at += 1;
    }
    units
}

impl<'a> UnicodeStr<'a> {
    /// The empty string.
    pub const EMPTY: UnicodeStr<'static> = UnicodeStr(&[]);

    /// The units.
    pub const fn units(self) -> &'a [u16] {
        self.0
    }

    /// Length in UTF-16 units.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Length in bytes.
    pub const fn byte_len(self) -> usize {
        self.0.len() * 2
    }

    /// Whether there is no unit.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The part before the first NUL, or all of it.
    pub fn until_nul(self) -> Self {
        self.take(self.find(0).unwrap_or(self.len()))
    }

    /// Equal by the NT upcase rules.
    pub fn eq_ignore_case(self, other: UnicodeStr<'_>) -> bool {
        self.len() == other.len() && self.0.iter().zip(other.0).all(|(&a, &b)| same(a, b))
    }

    /// Equal to an ASCII text, case folded.
    pub fn eq_ascii(self, text: &str) -> bool {
        self.eq_bytes(text.as_bytes())
    }

    /// Equal to bytes each of which stands for the unit of its value, case folded.
    pub fn eq_bytes(self, bytes: &[u8]) -> bool {
        self.len() == bytes.len()
            && (self.0.iter().zip(bytes)).all(|(&unit, &byte)| same(unit, u16::from(byte)))
    }

    /// Order by the NT upcase rules, as object directories and environment blocks are sorted.
    pub fn cmp_ignore_case(self, other: UnicodeStr<'_>) -> core::cmp::Ordering {
        let fold = |&unit: &u16| {
            crate::steps::took(1);
            upcase(unit)
        };
        self.0.iter().map(fold).cmp(other.0.iter().map(fold))
    }

    /// Whether it starts with an ASCII text, case folded.
    pub fn starts_with_ascii(self, text: &str) -> bool {
        self.0
            .get(..text.len())
            .is_some_and(|head| UnicodeStr(head).eq_ascii(text))
    }

    /// What is left after the first `count` units; empty if there are not so many.
    pub fn skip(self, count: usize) -> Self {
        // Nothing, if there are not so many, at the end of the text and not elsewhere: the address needs
        // no choice then.
        let (_, rest) = self.0.split_at(count.min(self.len()));
        Self(rest)
    }

    /// The first `count` units, or all of them.
    pub fn take(self, count: usize) -> Self {
        Self(self.0.get(..count).unwrap_or(self.0))
    }

    /// What is left after the blanks at its start: units up to U+0020.
    pub fn after_blanks(self) -> Self {
        let start = self.0.iter().position(|&unit| !is_blank(unit));
        self.skip(start.unwrap_or(self.len()))
    }

    /// What is left without these ASCII characters at its end.
    #[inline(never)]
    pub fn trimmed_end(self, characters: &[u8]) -> Self {
        let is_other = |unit| characters.iter().all(|&byte| unit != u16::from(byte));
        let last = self.0.iter().rposition(|&unit| is_other(unit));
        self.take(last.map_or(0, |last| last + 1))
    }

    /// The first run of units that are not blanks, and what follows it and the blanks behind it;
    /// `None` if there is nothing but blanks. There is no quoting.
    ///
    /// ```
    /// use nt::wide;
    ///
    /// let line = wide!(" autocheck  autochk *");
    /// assert_eq!(line.token(), Some((wide!("autocheck"), wide!("autochk *"))));
    /// assert_eq!(wide!(" ").token(), None);
    /// ```
    pub fn token(self) -> Option<(Self, Self)> {
        let text = self.after_blanks();
        let end = text.0.iter().position(|&unit| is_blank(unit));
        let end = end.unwrap_or(text.len());
        (end > 0).then(|| (text.take(end), text.skip(end).after_blanks()))
    }

    /// Index of the first unit equal to an ASCII character.
    pub fn find(self, character: u8) -> Option<usize> {
        self.0.iter().position(|&unit| unit == u16::from(character))
    }

    /// Index of the last unit equal to an ASCII character.
    pub fn rfind(self, character: u8) -> Option<usize> {
        self.0
            .iter()
            .rposition(|&unit| unit == u16::from(character))
    }

    /// The first unit.
    pub fn first(self) -> Option<u16> {
        self.0.first().copied()
    }

    /// The last unit.
    pub fn last(self) -> Option<u16> {
        self.0.last().copied()
    }
}

const fn is_blank(unit: u16) -> bool {
    unit <= 0x20
}

/// Prints the text; units that are not a character print as U+FFFD, so that a log line is always
/// well-formed.
impl fmt::Display for UnicodeStr<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        char::decode_utf16(self.0.iter().copied())
            .try_for_each(|decoded| out.write_char(decoded.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

impl fmt::Debug for UnicodeStr<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

/// A string of at most `N` UTF-16 units, held in place.
#[derive(Clone, Default)]
pub struct UnicodeBuf<const N: usize>(heapless::Vec<u16, N>);

impl<const N: usize> UnicodeBuf<N> {
    /// The empty string.
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    /// A copy of `text`. `NAME_TOO_LONG` if it has more than `N` units.
    pub fn copied(text: UnicodeStr<'_>) -> Result<Self> {
        let mut buf = Self::new();
        buf.push(text)?;
        Ok(buf)
    }

    /// Appends `text` whole, or nothing with `NAME_TOO_LONG`.
    pub fn push(&mut self, text: UnicodeStr<'_>) -> Result<()> {
        append(&mut self.0, text)
    }

    /// Appends an ASCII text whole, or nothing with `NAME_TOO_LONG`.
    pub fn push_ascii(&mut self, text: &str) -> Result<()> {
        self.push_bytes(text.as_bytes())
    }

    /// Appends bytes each of which stands for the unit of its value, or nothing with `NAME_TOO_LONG`.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        append_ascii(&mut self.0, bytes)
    }

    /// Appends one unit, or nothing with `NAME_TOO_LONG`.
    pub fn push_unit(&mut self, unit: u16) -> Result<()> {
        self.0.push(unit).map_err(|_| Status::NAME_TOO_LONG)
    }

    /// Appends a composed text whole, or nothing with `NAME_TOO_LONG`.
    pub fn push_text(&mut self, text: Text<'_>) -> Result<()> {
        append_text(&mut self.0, text)
    }

    /// Removes everything after the first `len` units.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The string.
    pub fn as_str(&self) -> UnicodeStr<'_> {
        UnicodeStr(&self.0)
    }

    /// The units, to change in place.
    pub fn units_mut(&mut self) -> &mut [u16] {
        &mut self.0
    }
}

/// One piece of code for strings of every capacity.
#[inline(never)]
fn append(units: &mut heapless::VecView<u16>, text: UnicodeStr<'_>) -> Result<()> {
    units
        .extend_from_slice(text.0)
        .map_err(|_| Status::NAME_TOO_LONG)
}

/// The same for a text of the program, each byte of which is a character.
#[inline(never)]
fn append_ascii(units: &mut heapless::VecView<u16>, text: &[u8]) -> Result<()> {
    let before = units.len();
    for &byte in text {
        if units.push(u16::from(byte)).is_err() {
            units.truncate(before);
            return Err(Status::NAME_TOO_LONG);
        }
    }
    Ok(())
}

#[inline(never)]
fn append_text(units: &mut heapless::VecView<u16>, text: Text<'_>) -> Result<()> {
    struct Appended<'u> {
        units: &'u mut heapless::VecView<u16>,
        result: Result<()>,
    }

    impl Output for Appended<'_> {
        fn narrow(&mut self, piece: &[u8]) {
            self.result = self.result.and_then(|()| append_ascii(self.units, piece));
        }

        fn wide(&mut self, piece: UnicodeStr<'_>) {
            self.result = self.result.and_then(|()| append(self.units, piece));
        }
    }

    let before = units.len();
    let mut appended = Appended {
        units,
        result: Ok(()),
    };
    text.write(&mut appended);
    let result = appended.result;
    if result.is_err() {
        units.truncate(before);
    }
    result
}

impl<const N: usize> fmt::Display for UnicodeBuf<N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_str(), out)
    }
}

impl<const N: usize> fmt::Debug for UnicodeBuf<N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_str(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn comparison_folds_case() {
        assert!(wide!("\\Windows").eq_ignore_case(wide!("\\WINDOWS")));
        assert!(wide!("AutoCheck").eq_ascii("autocheck"));
        assert!(!wide!("auto").eq_ascii("autocheck"));
        assert!(wide!("autocheck x").starts_with_ascii("AUTO"));
    }

    #[test]
    fn a_full_buffer_keeps_what_it_has_and_says_so() {
        let mut buf = UnicodeBuf::<4>::new();
        assert_eq!(buf.push(wide!("abc")), Ok(()));
        assert_eq!(buf.push(wide!("de")), Err(Status::NAME_TOO_LONG));
        assert_eq!(
            buf.push_text(crate::text!("{}", 10_u32)),
            Err(Status::NAME_TOO_LONG)
        );
        assert_eq!(format!("{buf}"), "abc");
    }

    #[test]
    fn half_a_surrogate_prints_as_replacement() {
        assert_eq!(
            format!("{}", UnicodeStr(&[0x41, 0xD800, 0x42])),
            "A\u{FFFD}B"
        );
    }

    #[test]
    fn an_ascii_text_becomes_units_and_nothing_else_does() {
        assert_eq!(ascii_units::<4>("a\\Z~"), [0x61, 0x5C, 0x5A, 0x7E]);
        assert!(std::panic::catch_unwind(|| ascii_units::<2>("\u{e9}")).is_err());
    }

    #[test]
    fn a_debug_print_is_quoted() {
        let mut buf = UnicodeBuf::<4>::new();
        assert_eq!(buf.push(wide!("ab")), Ok(()));
        assert_eq!(format!("{:?} {buf:?}", wide!("x y")), "\"x y\" \"ab\"");
    }

    #[test]
    fn until_nul_stops_at_the_first() {
        assert_eq!(UnicodeStr(&[1, 0, 2, 0]).until_nul(), UnicodeStr(&[1]));
        assert_eq!(UnicodeStr(&[1, 2]).until_nul(), UnicodeStr(&[1, 2]));
    }
}
