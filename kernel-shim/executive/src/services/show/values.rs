// SPDX-License-Identifier: GPL-2.0-or-later
//! Bytes in words: the data of a registry value by its type, names, texts. Pure: what lies in a
//! buffer is passed in, and what is too short to be what it should be has no words.

use crate::spelling;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zerocopy::FromBytes;

/// The most that is shown of one value, in characters or bytes: a line stays a line.
const SHOWN: usize = 200;

/// UTF-16 text without its terminator, in quotes.
pub fn text(bytes: &[u8]) -> String {
    let units = units(bytes);
    let units = units.strip_suffix(&[0]).unwrap_or(&units);
    quoted(&String::from_utf16_lossy(units))
}

/// The UTF-16 units of a text; an odd byte at its end is none.
fn units(bytes: &[u8]) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks();
    pairs.iter().copied().map(u16::from_le_bytes).collect()
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Bytes as hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits: String = bytes
        .iter()
        .take(SHOWN / 2)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if bytes.len() > SHOWN / 2 {
        digits += "...";
    }
    digits
}

/// The most that is shown of what a file holds, in characters or bytes.
const SHOWN_OF_A_FILE: usize = 64;
/// The most names of a listing.
const SHOWN_NAMES: usize = 8;

/// What was read or written: text where it is text, in UTF-16 or in ASCII, and hex digits where not.
/// `whole` is how many bytes there were.
pub fn data(bytes: &[u8], whole: u64) -> String {
    let is_text = |bytes: &[u8]| {
        bytes
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    };
    let (pairs, odd) = bytes.as_chunks::<2>();
    let low: Vec<u8> = pairs.iter().map(|[low, _]| *low).collect();
    let is_wide = odd.is_empty() && pairs.iter().all(|&[_, high]| high == 0) && is_text(&low);
    let text = match bytes {
        [] => return "{}".into(),
        _ if is_text(bytes) => bytes,
        _ if is_wide => &low,
        _ => {
            let more = if whole > SHOWN_OF_A_FILE as u64 {
                "..."
            } else {
                ""
            };
            let shown = bytes.get(..SHOWN_OF_A_FILE).unwrap_or(bytes);
            return format!("{{{}{more}}}", hex(shown));
        }
    };
    let wide = if is_wide { "L" } else { "" };
    let more = match text.len() as u64 {
        length if length > SHOWN_OF_A_FILE as u64 => "...",
        length if length * (1 + u64::from(is_wide)) < whole => "...",
        _ => "",
    };
    let shown = text.get(..SHOWN_OF_A_FILE).unwrap_or(text);
    format!("{{{wide}{:?}{more}}}", String::from_utf8_lossy(shown))
}

/// A listing: its first names, and how many it has.
pub fn names(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN_NAMES).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 => format!("{{{}}}", shown.join(" ")),
        more => format!("{{{} and {more} more}}", shown.join(" ")),
    }
}

/// The names in FILE_DIRECTORY_INFORMATION and what is like it.
pub fn directory(class: u32, bytes: &[u8]) -> Option<String> {
    /// FileNamesInformation.
    const NAMES: u32 = 12;
    let (length, name) = match class {
        1 => (0x3C, 0x40),
        2 => (0x3C, 0x44),
        3 => (0x3C, 0x5E),
        NAMES => (8, 0xC),
        37 => (0x3C, 0x68),
        38 => (0x3C, 0x50),
        _ => return None,
    };
    let mut found = Vec::new();
    let mut rest = bytes;
    loop {
        let ([next], _) = words(rest)?;
        let ([length], _) = words(rest.get(length..)?)?;
        found.push(text(rest.get(name..)?.get(..length as usize)?));
        if next == 0 {
            return Some(names(&found));
        }
        rest = rest.get(next as usize..)?;
    }
}

/// The data of a registry value with its type: `REG_SZ "text"`.
pub fn registry(kind: u32, data: &[u8]) -> String {
    let name =
        spelling::number("NtSetValueKey", "type", kind).unwrap_or_else(|| format!("{kind:#x}"));
    format!("{name} {}", registry_data(kind, data))
}

/// The same without the type.
pub fn registry_data(kind: u32, data: &[u8]) -> String {
    const SZ: u32 = 1;
    const EXPAND_SZ: u32 = 2;
    const DWORD: u32 = 4;
    const MULTI_SZ: u32 = 7;
    const QWORD: u32 = 11;
    match (kind, data) {
        (SZ | EXPAND_SZ, _) if data.len().is_multiple_of(2) => text(data),
        (MULTI_SZ, _) if data.len().is_multiple_of(2) => {
            let units = units(data);
            let mut strings: Vec<&[u16]> = units.split(|&unit| unit == 0).collect();
            // The last string is terminated, and so is the list.
            while strings.last().is_some_and(|string| string.is_empty()) {
                strings.pop();
            }
            let strings: Vec<String> = strings
                .into_iter()
                .map(|string| quoted(&String::from_utf16_lossy(string)))
                .collect();
            format!("[{}]", strings.join(" "))
        }
        (DWORD, &[a, b, c, d]) => format!("{:#x}", u32::from_le_bytes([a, b, c, d])),
        (QWORD, &[a, b, c, d, e, f, g, h]) => {
            format!("{:#x}", u64::from_le_bytes([a, b, c, d, e, f, g, h]))
        }
        _ => hex(data),
    }
}

/// KEY_VALUE_INFORMATION of a class: name, type and data as far as the class has them.
pub fn key_value(class: u32, bytes: &[u8]) -> Option<String> {
    match class {
        0 => {
            let ([_, kind, length], _) = words(bytes)?;
            let name = text(bytes.get(12..12 + length as usize)?);
            let kind = spelling::number("NtSetValueKey", "type", kind)
                .unwrap_or_else(|| format!("{kind:#x}"));
            Some(format!("{{{name} {kind}}}"))
        }
        1 | 3 => {
            let ([_, kind, offset, length, name], rest) = words(bytes)?;
            let name = text(rest.get(..name as usize)?);
            let data = match length {
                0 => &[],
                _ => bytes.get(offset as usize..)?.get(..length as usize)?,
            };
            Some(format!("{{{name} {}}}", registry(kind, data)))
        }
        2 => {
            let ([_, kind, length], rest) = words(bytes)?;
            let data = rest.get(..length as usize)?;
            Some(format!("{{{}}}", registry(kind, data)))
        }
        4 => {
            let ([kind, length], rest) = words(bytes)?;
            let data = rest.get(..length as usize)?;
            Some(format!("{{{}}}", registry(kind, data)))
        }
        _ => None,
    }
}

/// KEY_INFORMATION of a class: the key's name or path, or how many subkeys and values it has.
pub fn key(class: u32, bytes: &[u8]) -> Option<String> {
    let named = |place: usize, length: u32| bytes.get(place..place + length as usize).map(text);
    match class {
        // The time of the last write comes first.
        0 => {
            let ([_, _, _, length], _) = words(bytes)?;
            named(0x10, length)
        }
        1 => {
            let ([_, _, _, _, _, length], _) = words(bytes)?;
            named(0x18, length)
        }
        2 => {
            let ([_, _, _, _, _, subkeys, _, _, values], _) = words(bytes)?;
            Some(format!("{{{subkeys} subkeys, {values} values}}"))
        }
        3 => {
            let ([length], _) = words(bytes)?;
            named(4, length)
        }
        _ => None,
    }
}

/// The first 32-bit words of a structure, and what is behind them.
pub fn words<const COUNT: usize>(bytes: &[u8]) -> Option<([u32; COUNT], &[u8])> {
    <[u32; COUNT]>::read_from_prefix(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use formats::utf16_bytes;

    #[test]
    fn data_is_shown_by_its_type() {
        assert_eq!(registry(1, &utf16_bytes("a\"b\0")), r#"REG_SZ "a\"b""#);
        assert_eq!(
            registry(7, &utf16_bytes("autochk *\0b\0\0")),
            r#"REG_MULTI_SZ ["autochk *" "b"]"#
        );
        assert_eq!(registry(4, &[1, 2, 0, 0]), "REG_DWORD 0x201");
        assert_eq!(registry(4, &[1, 2]), "REG_DWORD 0102");
        assert_eq!(registry(1, &[0x41]), "REG_SZ 41");
        assert_eq!(registry(0x77, &[0xAB]), "0x77 ab");
    }

    #[test]
    fn long_data_is_cut_and_says_so() {
        let long = registry(3, &[0xEE; 4096]);
        assert!(long.len() < 250 && long.ends_with("..."), "{long}");
        let long = registry(1, &utf16_bytes(&"x".repeat(4096)));
        assert!(long.len() < 250 && long.ends_with("\"..."), "{long}");
    }

    #[test]
    fn what_a_file_holds_is_text_or_digits_and_short() {
        assert_eq!(data(b"a\r\n", 3), r#"{"a\r\n"}"#);
        assert_eq!(data(&utf16_bytes("on"), 4), r#"{L"on"}"#);
        assert_eq!(data(b"MZ\x90\0", 4), "{4d5a9000}");
        assert_eq!(data(b"", 0), "{}");
        // What was looked at is less than what there was.
        assert_eq!(data(b"abc", 5000), r#"{"abc"...}"#);
        for long in [data(&[b'x'; 4096], 4096), data(&[0xEE; 4096], 4096)] {
            assert!(long.len() < 150 && long.ends_with("...}"), "{long}");
        }
    }

    #[test]
    fn a_listing_of_every_class_has_its_names_and_is_short() {
        let listing = |class: u32, names: &[&str]| {
            let (length, name) = match class {
                12 => (8, 0xC),
                1 => (0x3C, 0x40),
                2 => (0x3C, 0x44),
                3 => (0x3C, 0x5E),
                37 => (0x3C, 0x68),
                _ => (0x3C, 0x50),
            };
            let mut bytes = Vec::new();
            for (place, text) in names.iter().enumerate() {
                let text = utf16_bytes(text);
                let mut entry = vec![0; name];
                entry[length] = text.len() as u8;
                entry.extend(&text);
                entry.resize(entry.len().next_multiple_of(8), 0);
                if place + 1 < names.len() {
                    entry[0] = entry.len() as u8;
                }
                bytes.extend(entry);
            }
            bytes
        };
        for class in [1, 2, 3, 12, 37, 38] {
            let shown = directory(class, &listing(class, &[".", "a b.txt"]));
            assert_eq!(shown.as_deref(), Some(r#"{"." "a b.txt"}"#), "{class}");
        }
        let many = directory(12, &listing(12, &["x"; 11])).unwrap();
        assert!(many.ends_with(r#""x" and 3 more}"#), "{many}");
        // An entry that is said to lie behind the end has no words.
        let mut wrong = listing(12, &["x"]);
        wrong[0] = 200;
        assert_eq!(directory(12, &wrong), None);
        assert_eq!(directory(99, &wrong), None);
    }

    #[test]
    fn values_of_every_class_have_their_parts() {
        let data = utf16_bytes("x\0");
        let mut partial = vec![0; 12];
        partial[4] = 1;
        partial[8] = 4;
        partial.extend(&data);
        assert_eq!(key_value(2, &partial).as_deref(), Some(r#"{REG_SZ "x"}"#));
        let mut full = vec![0; 0x14];
        full[4] = 1;
        full[8] = 0x18;
        full[12] = 4;
        full[16] = 4;
        full.extend(utf16_bytes("C:"));
        full.extend(&data);
        assert_eq!(key_value(1, &full).as_deref(), Some(r#"{"C:" REG_SZ "x"}"#));
        // A length that lies has no words.
        partial[8] = 200;
        assert_eq!(key_value(2, &partial), None);
        assert_eq!(key_value(1, &full[..10]), None);
        assert_eq!(key_value(99, &full), None);
    }
}
