// SPDX-License-Identifier: GPL-2.0-or-later
//! Case folding by the NT upcase rules: one UTF-16 unit to one UTF-16 unit.
//!
//! On target the table is the kernel's own (`RtlUpcaseUnicodeChar`), installed once at start. On
//! the host the Unicode simple mapping inside the BMP stands in for it, with NT's exception that a
//! mapping which would change the number of units is left out.

use crate::once::{self, Installed};
use spin::Once;

static UPCASE: Once<Installed> = Once::new();

/// Installs the system's own upcase table. The first call wins.
pub fn install(upcase: fn(u16) -> u16) {
    once::install(&UPCASE, Installed::Upcase(upcase));
}

/// `unit` in upper case. ASCII takes no call.
#[inline]
pub fn upcase(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A => unit - 0x20,
        0..=0x7F => unit,
        _ => beyond_ascii(unit),
    }
}

#[cold]
#[inline(never)]
fn beyond_ascii(unit: u16) -> u16 {
    match UPCASE.get() {
        Some(Installed::Upcase(table)) => table(unit),
        _ => simple_mapping(unit),
    }
}

/// Whether two units are the same letter.
#[inline]
pub fn same(left: u16, right: u16) -> bool {
    crate::steps::took(1);
    left == right || folded(left, right)
}

/// The same of two that differ: usually in their case, or else the comparison is at its end.
#[inline(never)]
fn folded(left: u16, right: u16) -> bool {
    upcase(left) == upcase(right)
}

#[cfg(not(target_os = "windows"))]
fn simple_mapping(unit: u16) -> u16 {
    let Some(character) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

/// Before the table is installed nothing but ASCII is compared, and Unicode's own tables would cost
/// the image several KiB.
#[cfg(target_os = "windows")]
const fn simple_mapping(unit: u16) -> u16 {
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_and_latin_letters_fold() {
        assert_eq!(upcase(u16::from(b'a')), u16::from(b'A'));
        assert_eq!(upcase(u16::from(b'[')), u16::from(b'['));
        assert_eq!(upcase(0xE9), 0xC9);
        assert_eq!(upcase(0xDF), 0xDF, "sharp s has no single-unit upper case");
        assert_eq!(
            upcase(0xD800),
            0xD800,
            "half of a surrogate pair stays as it is"
        );
    }
}
