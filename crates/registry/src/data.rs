// SPDX-License-Identifier: GPL-2.0-or-later
//! What the bytes of a value mean: strings, lists of strings, numbers (spec 2.1). Pure; any bytes
//! are normal input.

use nt::UnicodeStr;
use nt::system::ValueType;
use zerocopy::FromBytes;

/// How a value was reached: a REG_MULTI_SZ read by its name has one NUL more than its bytes (spec
/// 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// NtQueryValueKey.
    ByName,
    /// NtEnumerateValueKey.
    ByEnumeration,
}

/// The units of a string's bytes; an odd byte at the end is left out. Bytes that begin at an odd
/// address have none: a caller reads into aligned memory.
pub fn units(data: &[u8]) -> UnicodeStr<'_> {
    let even = data.get(..data.len() & !1).unwrap_or_default();
    UnicodeStr(<[u16]>::ref_from_bytes(even).unwrap_or_default())
}

/// Whether values of this type are text.
pub const fn is_text(kind: ValueType) -> bool {
    matches!(
        kind,
        ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ
    )
}

/// The strings that a value delivers: those of a REG_MULTI_SZ, empty ones inside it included, or
/// the one of any other text. A value that is not text has none.
///
/// ```
/// use nt::system::ValueType;
/// use nt::wide;
/// use registry::data::{Reached, strings};
///
/// use zerocopy::IntoBytes;
///
/// let data = [0x61u16, 0, 0x62, 0, 0];
/// let data = data.as_bytes();
/// let all: Vec<_> = strings(ValueType::MULTI_SZ, data, Reached::ByName).collect();
/// assert_eq!(all, [wide!("a"), wide!("b")]);
/// ```
pub fn strings(kind: ValueType, data: &[u8], reached: Reached) -> Strings<'_> {
    let text = units(data);
    match kind {
        ValueType::MULTI_SZ => multi_string(text, reached),
        ValueType::SZ | ValueType::EXPAND_SZ => Strings {
            text,
            at: 0,
            end: 1,
        },
        _ => Strings {
            text,
            at: 0,
            end: 0,
        },
    }
}

/// The strings of a REG_MULTI_SZ: one is delivered for every position that lies more than two units
/// before the end (spec 2.1).
pub fn multi_string(text: UnicodeStr<'_>, reached: Reached) -> Strings<'_> {
    Strings {
        text,
        at: 0,
        end: (text.len() + usize::from(reached == Reached::ByName)).saturating_sub(2),
    }
}

/// The strings of a text, one after the other, each with its NUL.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strings<'a> {
    text: UnicodeStr<'a>,
    /// Where the next one begins.
    at: usize,
    /// None begins here or behind.
    end: usize,
}

impl<'a> Iterator for Strings<'a> {
    type Item = UnicodeStr<'a>;

    fn next(&mut self) -> Option<UnicodeStr<'a>> {
        if self.at >= self.end {
            return None;
        }
        let string = self.text.skip(self.at).until_nul();
        self.at += string.len() + 1;
        Some(string)
    }
}

/// The strings of a REG_MULTI_SZ up to the first empty one, as a value delivered in one piece is
/// read (NOEXPAND, spec 2.1).
pub fn plain_list(text: UnicodeStr<'_>) -> impl Iterator<Item = UnicodeStr<'_>> {
    let end = text.len();
    Strings { text, at: 0, end }.take_while(|string| !string.is_empty())
}

/// A number of four bytes; a text of that length does not count.
pub fn number(kind: ValueType, data: &[u8]) -> Option<u32> {
    if is_text(kind) {
        None
    } else {
        data.try_into().ok().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::vec::Vec;
    use zerocopy::IntoBytes;

    fn by_name(text: &str) -> Vec<String> {
        let units: Vec<u16> = text.encode_utf16().collect();
        multi_string(UnicodeStr(&units), Reached::ByName)
            .map(|string| string.to_string())
            .collect()
    }

    #[test]
    fn multi_strings_by_name_as_spec_2_1_lists_them() {
        assert_eq!(by_name("a\0b\0\0"), ["a", "b"]);
        assert_eq!(by_name("a\0\0\0"), ["a", ""]);
        assert_eq!(by_name("a\0\0b\0\0\0"), ["a", "", "b", ""]);
        assert_eq!(by_name("\0"), [""; 0]);
        assert_eq!(by_name("\0\0"), [""]);
        assert_eq!(by_name(""), [""; 0]);
        assert_eq!(by_name("autochk\0"), ["autochk"]);
    }

    #[test]
    fn an_enumerated_multi_string_has_no_extra_nul() {
        let units: Vec<u16> = "a\0b\0\0".encode_utf16().collect();
        assert_eq!(
            multi_string(UnicodeStr(&units), Reached::ByEnumeration).count(),
            2
        );
        assert_eq!(
            multi_string(UnicodeStr(&units[3..]), Reached::ByEnumeration).count(),
            0
        );
    }

    #[test]
    fn text_ends_at_its_first_nul_and_odd_bytes_are_dropped() {
        let data: Vec<u16> = "C:\\x\0junk".encode_utf16().collect();
        let strings: Vec<_> =
            strings(ValueType::SZ, &data.as_bytes()[..17], Reached::ByName).collect();
        assert_eq!(strings, [nt::wide!("C:\\x")]);
    }

    #[test]
    fn numbers_have_four_bytes_and_are_no_text() {
        assert_eq!(number(ValueType::DWORD, &[1, 0, 0, 0]), Some(1));
        assert_eq!(number(ValueType::DWORD, &[1, 0]), None);
        assert_eq!(number(ValueType::SZ, &[1, 0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_deliver_strings_without_nuls_inside_the_bounds(
            data in prop::collection::vec(prop_oneof![Just(0u16), any::<u16>()], 0..40),
            odd in 0usize..2,
            kind in 0u32..12,
            named in any::<bool>(),
        ) {
            let bytes = data.as_bytes();
            let bytes = &bytes[..bytes.len().saturating_sub(odd)];
            let reached = if named { Reached::ByName } else { Reached::ByEnumeration };
            let all: Vec<_> = strings(ValueType(kind), bytes, reached).collect();
            prop_assert!(all.iter().all(|string| string.find(0).is_none()));
            prop_assert!(all.iter().map(|string| string.len() + 1).sum::<usize>() <= data.len() + 1);
            prop_assert!(plain_list(units(bytes)).all(|string| !string.is_empty()));
        }
    }
}
