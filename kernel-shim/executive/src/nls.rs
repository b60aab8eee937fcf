// SPDX-License-Identifier: GPL-2.0-or-later
//! National language tables: code page 1252, the default OEM code page and the case tables, in the layout in
//! which NT's `.nls` files have them.
//!
//! A kernel maps them into every process and puts their addresses into the PEB; ReactOS'
//! `ntdll.dll` cannot start without them. They are made here from the character sets themselves, so
//! that no file is needed. The layout is one of 16-bit units: a code page is a header with its own
//! length, the 256 characters, no glyphs, no double bytes, and a byte for each of the 65536 units;
//! a case table is a three-level tree of differences (8, 4 and 4 bits).

use alloc::vec;
use alloc::vec::Vec;
use formats::code_page::DEFAULT as OEM;

/// Code page 1252, bytes 0x80 to 0x9F; those without a character stand for themselves. From 0xA0 on
/// it is Latin-1.
const ANSI: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// Units in a code page's header.
const HEADER: u16 = 13;
/// What stands for a character that a code page does not have.
const DEFAULT: u8 = b'?';

/// The tables in one block, and where each begins, bytes.
#[derive(Clone, Debug)]
pub struct Tables {
    /// All of them.
    pub bytes: Vec<u8>,
    /// Offsets of `AnsiCodePageData`, `OemCodePageData` and `UnicodeCaseTableData`.
    pub offsets: [u64; 3],
}

/// Makes the tables.
pub fn tables() -> Tables {
    let latin = ANSI
        .chars()
        .filter_map(|character| u16::try_from(u32::from(character)).ok());
    let parts = [
        code_page(1252, latin),
        code_page(OEM.number, OEM.upper()),
        case_tables(),
    ];
    let mut bytes = Vec::new();
    let offsets = parts.map(|part| {
        let offset = bytes.len() as u64;
        bytes.extend(part.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        offset
    });
    Tables { bytes, offsets }
}

fn code_page(number: u16, upper: impl Iterator<Item = u16>) -> Vec<u16> {
    let mut characters: Vec<u16> = (0..0x80).collect();
    characters.extend(upper);
    for byte in characters.len()..0x100 {
        characters.push(byte as u16);
    }
    let default = u16::from(DEFAULT);
    let mut table = vec![HEADER, number, 1, default, default, default, default];
    table.resize(usize::from(HEADER), 0);
    // From behind this unit to the table of bytes: 256 characters, no glyphs, no double bytes.
    table.push(258);
    table.extend_from_slice(&characters);
    table.extend_from_slice(&[0, 0]);
    let mut bytes = vec![DEFAULT; 0x1_0000];
    for (byte, character) in characters.iter().enumerate() {
        bytes[usize::from(*character)] = byte as u8;
    }
    table.extend(
        bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]])),
    );
    table
}

fn case_tables() -> Vec<u16> {
    let upper = tree(|character| single(character.to_uppercase()));
    let lower = tree(|character| single(character.to_lowercase()));
    let mut table = vec![1, upper.len() as u16];
    table.extend(upper);
    table.extend(lower);
    table
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    mapped.next().filter(|_| mapped.next().is_none())
}

/// A mapping that leaves the letters of ASCII to themselves: no other letter becomes one of them.
fn tree(map: impl Fn(char) -> Option<char>) -> Vec<u16> {
    let difference = |unit: u16| {
        let mapped = char::from_u32(u32::from(unit))
            .and_then(&map)
            .and_then(|mapped| u16::try_from(u32::from(mapped)).ok())
            .filter(|mapped| unit < 0x80 || (*mapped >= 0x80 && unit != 0xb5));
        mapped.map_or(0, |mapped| mapped.wrapping_sub(unit))
    };
    let mut table = vec![0_u16; 0x100];
    let mut middles: Vec<([u16; 16], u16)> = Vec::new();
    let mut leaves: Vec<([u16; 16], u16)> = Vec::new();
    for high in 0..0x100_u16 {
        let mut middle = [0; 16];
        for (place, at) in (0_u16..).zip(&mut middle) {
            let mut leaf = [0; 16];
            for (low, to) in (0_u16..).zip(&mut leaf) {
                *to = difference(high << 8 | place << 4 | low);
            }
            *at = block(&mut table, &mut leaves, leaf);
        }
        table[usize::from(high)] = block(&mut table, &mut middles, middle);
    }
    table
}

/// The place of a block in the table; one that is there already is not put there again.
fn block(table: &mut Vec<u16>, known: &mut Vec<([u16; 16], u16)>, wanted: [u16; 16]) -> u16 {
    if let Some((_, place)) = known.iter().find(|(have, _)| *have == wanted) {
        return *place;
    }
    let place = table.len() as u16;
    table.extend_from_slice(&wanted);
    known.push((wanted, place));
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(tables: &Tables, part: usize) -> Vec<u16> {
        let from = tables.offsets[part] as usize;
        tables.bytes[from..]
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect()
    }

    /// As a reader of the layout does it.
    fn fold(table: &[u16], unit: u16) -> u16 {
        let middle = table[usize::from(unit >> 8)] + (unit >> 4 & 15);
        let leaf = table[usize::from(middle)] + (unit & 15);
        unit.wrapping_add(table[usize::from(leaf)])
    }

    #[test]
    fn a_code_page_maps_there_and_back() {
        let tables = tables();
        for (part, number, samples) in [
            (0, 1252, [(0x80, '€'), (0xe4, 'ä'), (0x41, 'A')]),
            (1, 437, [(0x84, 'ä'), (0xb0, '░'), (0xff, '\u{a0}')]),
        ] {
            let page = units(&tables, part);
            assert_eq!((page[0], page[1], page[2]), (13, number, 1));
            let characters = 14;
            let wide = usize::from(page[0] + 1 + page[13]);
            assert_eq!(
                (page[characters + 256], page[characters + 257]),
                (0, 0),
                "no glyphs, no double bytes"
            );
            for (byte, character) in samples {
                let character = u32::from(character) as usize;
                assert_eq!(usize::from(page[characters + byte]), character);
                assert_eq!(
                    usize::from(page[wide + character / 2].to_le_bytes()[character % 2]),
                    byte
                );
            }
            assert_eq!(page[wide + 0x4e00 / 2].to_le_bytes()[0], DEFAULT);
        }
    }

    #[test]
    fn the_case_tables_fold_letters_and_nothing_else() {
        let units = units(&tables(), 2);
        let upper = &units[2..];
        let lower = &units[2 + usize::from(units[1])..];
        for (small, large) in [('a', 'A'), ('ä', 'Ä'), ('ÿ', 'Ÿ'), ('я', 'Я'), ('ω', 'Ω')] {
            let (small, large) = (u32::from(small) as u16, u32::from(large) as u16);
            assert_eq!((fold(upper, small), fold(lower, large)), (large, small));
            assert_eq!((fold(upper, large), fold(lower, small)), (large, small));
        }
        for unit in ['ß', 'ı', 'ſ', 'µ', '1', '中'].map(|character| u32::from(character) as u16)
        {
            assert_eq!(fold(upper, unit), unit);
        }
    }
}
