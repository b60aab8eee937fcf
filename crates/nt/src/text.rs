// SPDX-License-Identifier: GPL-2.0-or-later
//! Texts made of parts: log lines, and the strings that smss composes for the registry, for command
//! lines and for the boot screen.
//!
//! [`text!`](crate::text!) and the macros of [`logging`](crate::logging) are written as `format!` is.
//! They give a [`Text`]: a template with a mark at every place, and a [`Part`] for each mark. `core::fmt`
//! would do the same; it costs ten times the code, and smss pays for every byte.
//!
//! ```
//! use nt::{Status, UnicodeBuf, wide};
//!
//! let (letter, mut line) = (wide!("C:"), UnicodeBuf::<64>::new());
//! line.push_text(nt::text!("{letter} has {} MB: {:08x}", 32_u64, 0xC0DE_u32))?;
//! assert_eq!(line.as_str(), wide!("C: has 32 MB: 0000c0de"));
//! # Ok::<(), Status>(())
//! ```

use crate::{Handle, Status, UnicodeBuf, UnicodeStr, widened};
use core::fmt;

/// What stands for a part in a template; no text of ours has it.
const PLACE: u8 = b'%';

/// A [`Text`], written as for `format!`: `{}`, `{name}`, and for numbers `:x`, `:X`, `:08x`. It borrows
/// its parts, so it lives as long as the statement.
#[macro_export]
macro_rules! text {
    ($($text:tt)*) => { $crate::text_for!($crate::text::Text::new, $($text)*) };
}

/// A text that was not written out yet.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    template: &'static str,
    parts: &'a [Part<'a>],
}

/// What can stand in a text.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// Text of this program, in bytes as an [`Output`] takes it.
    Narrow(&'a [u8]),
    /// Text from outside. What is no character in it is written as U+FFFD.
    Wide(UnicodeStr<'a>),
    /// A number in decimal digits.
    Number(u64),
    /// A number in hexadecimal digits.
    Hex {
        /// The number.
        number: u64,
        /// How many digits there are at least, with zeros before the number.
        digits: u8,
        /// Whether its letters are capitals.
        capitals: bool,
    },
    /// `STATUS_NAME (C0000034)`, or `NTSTATUS C0FFEE00` for one without a name.
    Status(Status),
    /// A text of parts itself.
    Text(&'a Text<'a>),
}

/// What has a written form.
pub trait Show {
    /// The form.
    fn part(&self) -> Part<'_>;
}

/// Where a text is written to, piece by piece. One that is full says so at the end only.
pub trait Output {
    /// Takes a piece of UTF-8, in bytes: a cut between two characters of a text of the program needs no
    /// check.
    fn narrow(&mut self, piece: &[u8]);
    /// Takes a piece of UTF-16.
    fn wide(&mut self, piece: UnicodeStr<'_>);
}

impl<'a> Text<'a> {
    /// A text; [`text!`](crate::text!) sees to it that there are as many parts as places.
    pub const fn new(template: &'static str, parts: &'a [Part<'a>]) -> Self {
        Self { template, parts }
    }

    /// Writes it out.
    pub fn write(&self, out: &mut dyn Output) {
        let mut parts = self.parts.iter();
        for piece in self.template.as_bytes().split(|&byte| byte == PLACE) {
            out.narrow(piece);
            if let Some(part) = parts.next() {
                part.write(out);
            }
        }
    }
}

impl Part<'_> {
    /// A number in at least `digits` hexadecimal digits instead of decimal ones.
    #[must_use]
    pub const fn hex(self, digits: u8) -> Self {
        self.in_hex(digits, false)
    }

    /// The same with capital letters.
    #[must_use]
    pub const fn upper_hex(self, digits: u8) -> Self {
        self.in_hex(digits, true)
    }

    const fn in_hex(self, digits: u8, capitals: bool) -> Self {
        match self {
            Self::Number(number) => Self::Hex {
                number,
                digits,
                capitals,
            },
            other => other,
        }
    }

    fn write(&self, out: &mut dyn Output) {
        match *self {
            Self::Narrow(text) => out.narrow(text),
            Self::Wide(text) => out.wide(text),
            Self::Number(number) => write_digits(out, number, 10, 1, 0),
            Self::Hex {
                number,
                digits,
                capitals,
            } => {
                let small = if capitals { 0 } else { 0x20 };
                write_digits(out, number, 16, digits, small);
            }
            Self::Status(status) => write_status(out, status),
            Self::Text(text) => text.write(out),
        }
    }
}

/// Writes `number` in digits of this base, with zeros before it if there are fewer than `least`; its letters
/// are capitals but for the bits `small`.
fn write_digits(out: &mut dyn Output, mut number: u64, base: u64, least: u8, small: u8) {
    let mut digits = [0; 20];
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        if number == 0 && count >= least {
            break;
        }
        let digit = (number % base) as u8;
        *place = small
            | if digit < 10 {
                b'0' + digit
            } else {
                b'A' - 10 + digit
            };
        number /= base;
        count += 1;
    }
    out.narrow(
        digits
            .get(digits.len() - usize::from(count)..)
            .unwrap_or_default(),
    );
}

#[inline(never)]
fn write_status(out: &mut dyn Output, status: Status) {
    let (before, behind): (&[u8], &[u8]) = match status.letters() {
        Some(name) => {
            out.narrow(b"STATUS_");
            out.narrow(name);
            (b" (", b")")
        }
        None => (b"NTSTATUS ", b""),
    };
    out.narrow(before);
    write_digits(out, status.code().into(), 16, 8, 0);
    out.narrow(behind);
}

/// The text with this index among texts each of which ends with a NUL: far smaller than a `match`.
#[inline(never)]
pub(crate) fn nth(texts: &'static [u8], index: usize) -> &'static [u8] {
    let (mut first, mut left) = (0, index);
    for (at, &byte) in texts.iter().enumerate() {
        if byte == 0 {
            if left == 0 {
                return texts.get(first..at).unwrap_or_default();
            }
            left -= 1;
            first = at + 1;
        }
    }
    &[]
}

impl Show for str {
    fn part(&self) -> Part<'_> {
        Part::Narrow(self.as_bytes())
    }
}

impl Show for UnicodeStr<'_> {
    fn part(&self) -> Part<'_> {
        Part::Wide(*self)
    }
}

impl<const N: usize> Show for UnicodeBuf<N> {
    fn part(&self) -> Part<'_> {
        Part::Wide(self.as_str())
    }
}

impl Show for Status {
    fn part(&self) -> Part<'_> {
        Part::Status(*self)
    }
}

impl Show for Text<'_> {
    fn part(&self) -> Part<'_> {
        Part::Text(self)
    }
}

impl Show for Part<'_> {
    fn part(&self) -> Part<'_> {
        *self
    }
}

impl Show for Handle {
    fn part(&self) -> Part<'_> {
        Part::Number(widened(self.0))
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn part(&self) -> Part<'_> {
        T::part(self)
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Show for $number {
            fn part(&self) -> Part<'_> {
                Part::Number(*self as u64)
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 usize);

/// On the host, and wherever `core::fmt` is there anyway.
impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Formatted<'o, 'f>(&'o mut fmt::Formatter<'f>, fmt::Result);

        impl Output for Formatted<'_, '_> {
            fn narrow(&mut self, piece: &[u8]) {
                let piece = str::from_utf8(piece).map_err(|_| fmt::Error);
                self.1 = self.1.and_then(|()| self.0.write_str(piece?));
            }

            fn wide(&mut self, piece: UnicodeStr<'_>) {
                self.1 = self.1.and_then(|()| write!(self.0, "{piece}"));
            }
        }

        let mut formatted = Formatted(out, Ok(()));
        self.write(&mut formatted);
        formatted.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide;
    use std::format;
    use std::string::ToString;

    #[test]
    fn the_parts_stand_in_their_places() {
        let (name, count) = (wide!("wide"), 7_u32);
        assert_eq!(
            crate::text!("{name}, {}: {count} of {}", "narrow", 10_u64).to_string(),
            "wide, narrow: 7 of 10"
        );
        assert_eq!(crate::text!("nothing in it").to_string(), "nothing in it");
        assert_eq!(crate::text!("{}{}", "a", "b").to_string(), "ab");
    }

    #[test]
    fn a_text_can_stand_in_a_text() {
        let of = "chkdsk";
        let text = crate::text!("[{}]", crate::text!("arguments of {of}")).to_string();
        assert_eq!(text, "[arguments of chkdsk]");
    }

    #[test]
    fn numbers_are_written_as_core_writes_them() {
        for number in [0, 9, 10, 0xAB, 0x6B01, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(crate::text!("{number}").to_string(), format!("{number}"));
            assert_eq!(
                crate::text!("{number:x} {number:08x} {number:02X}").to_string(),
                format!("{number:x} {number:08x} {number:02X}")
            );
        }
    }

    #[test]
    fn a_status_has_its_name_and_its_number() {
        for status in [Status::OBJECT_NAME_NOT_FOUND, Status::new(0xC0FF_EE00)] {
            assert_eq!(crate::text!("{status}").to_string(), format!("{status}"));
        }
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        let broken = UnicodeStr(&[0x41, 0xD800, 0x42]);
        assert_eq!(crate::text!("<{broken}>").to_string(), "<A\u{FFFD}B>");
    }

    #[test]
    fn a_string_takes_a_text_whole_or_not_at_all() {
        let mut line = UnicodeBuf::<4>::new();
        line.push(wide!("ab")).unwrap();
        let refused = line.push_text(crate::text!("{}", 100_u32));
        assert_eq!(refused, Err(Status::NAME_TOO_LONG));
        line.push_text(crate::text!("{}", 10_u32)).unwrap();
        assert_eq!(line.as_str(), wide!("ab10"));
    }
}
