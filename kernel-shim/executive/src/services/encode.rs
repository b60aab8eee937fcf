// SPDX-License-Identifier: GPL-2.0-or-later
//! Answers of variable length, as they lie in the caller's buffer: registry keys and values, names.
//!
//! Every answer has a fixed part and a tail. A buffer that cannot hold the fixed part gets nothing
//! (`BUFFER_TOO_SMALL`), one that cannot hold the tail gets what fits (`BUFFER_OVERFLOW`); either
//! way the caller learns the length of the whole.

use crate::cm::KeyFacts;
use alloc::vec::Vec;
use formats::hive::Value;
use nt::{Result, Status};

/// An answer, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    bytes: Vec<u8>,
    fixed: usize,
}

impl Answer {
    /// An answer whose first `fixed` bytes are indivisible.
    pub const fn new(bytes: Vec<u8>, fixed: usize) -> Self {
        Self { bytes, fixed }
    }

    /// Length of the whole, bytes.
    pub fn length(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// What a buffer of `capacity` bytes gets, and the status that goes with it.
    pub fn fit(&self, capacity: u32) -> (Status, &[u8]) {
        let capacity = capacity as usize;
        if capacity < self.fixed {
            (Status::BUFFER_TOO_SMALL, &[])
        } else if capacity < self.bytes.len() {
            (
                Status::BUFFER_OVERFLOW,
                self.bytes.get(..capacity).unwrap_or_default(),
            )
        } else {
            (Status::SUCCESS, &self.bytes)
        }
    }
}

/// A value as it is answered.
#[derive(Clone, Copy, Debug)]
pub struct ValueFacts<'a> {
    /// Its name.
    pub name: &'a [u16],
    /// `REG_` type.
    pub kind: u32,
    /// Its data.
    pub data: &'a [u8],
}

impl<'a> From<&'a Value> for ValueFacts<'a> {
    fn from(value: &'a Value) -> Self {
        Self {
            name: &value.name,
            kind: value.kind,
            data: &value.data,
        }
    }
}

/// KEY_INFORMATION_CLASS: basic 0, node 1, full 2, name 3.
pub fn key(class: u32, key: &KeyFacts) -> Result<Answer> {
    let mut out = Vec::new();
    let fixed = match class {
        0 => {
            put64(&mut out, key.last_write);
            put32s(&mut out, &[0, bytes_of(&key.name)]);
            0x10
        }
        1 => {
            let class_offset = if key.class.is_empty() {
                u32::MAX
            } else {
                (0x18 + bytes_of(&key.name)).next_multiple_of(4)
            };
            put64(&mut out, key.last_write);
            put32s(
                &mut out,
                &[0, class_offset, bytes_of(&key.class), bytes_of(&key.name)],
            );
            0x18
        }
        2 => {
            let class_offset = if key.class.is_empty() { u32::MAX } else { 0x2C };
            put64(&mut out, key.last_write);
            put32s(
                &mut out,
                &[
                    0,
                    class_offset,
                    bytes_of(&key.class),
                    key.subkeys,
                    key.longest_name,
                    key.longest_class,
                ],
            );
            put32s(
                &mut out,
                &[key.values, key.longest_value_name, key.longest_value_data],
            );
            0x2C
        }
        3 => {
            put32s(&mut out, &[bytes_of(&key.path)]);
            4
        }
        _ => return Err(Status::INVALID_PARAMETER),
    };
    match class {
        0 => put_text(&mut out, &key.name),
        1 => {
            put_text(&mut out, &key.name);
            if !key.class.is_empty() {
                out.resize(out.len().next_multiple_of(4), 0);
                put_text(&mut out, &key.class);
            }
        }
        2 => put_text(&mut out, &key.class),
        _ => put_text(&mut out, &key.path),
    }
    Ok(Answer::new(out, fixed))
}

/// KEY_VALUE_INFORMATION_CLASS: basic 0, full 1 and 3, partial 2, partial with the data aligned 4
/// (spec 13.4).
pub fn value(class: u32, value: ValueFacts<'_>) -> Result<Answer> {
    let mut out = Vec::new();
    let (name, data) = (bytes_of(value.name), value.data.len() as u32);
    let fixed = match class {
        0 => {
            put32s(&mut out, &[0, value.kind, name]);
            put_text(&mut out, value.name);
            0xC
        }
        1 | 3 => {
            let offset = if data == 0 {
                u32::MAX
            } else {
                (0x14 + name).next_multiple_of(8)
            };
            put32s(&mut out, &[0, value.kind, offset, data, name]);
            put_text(&mut out, value.name);
            if data != 0 {
                out.resize(offset as usize, 0);
                out.extend(value.data);
            }
            0x14
        }
        2 => {
            put32s(&mut out, &[0, value.kind, data]);
            out.extend(value.data);
            0xC
        }
        4 => {
            put32s(&mut out, &[value.kind, data]);
            out.extend(value.data);
            8
        }
        _ => return Err(Status::INVALID_PARAMETER),
    };
    Ok(Answer::new(out, fixed))
}

fn bytes_of(text: &[u16]) -> u32 {
    (text.len() * 2) as u32
}

fn put32s(out: &mut Vec<u8>, values: &[u32]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}

/// Appends UTF-16 text as bytes.
pub fn put_text(out: &mut Vec<u8>, text: &[u16]) {
    out.extend(text.iter().flat_map(|unit| unit.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const NAME: &[u16] = &[0x61, 0x62, 0x63];

    #[test]
    fn spec_13_4_a_partial_value_has_its_data_at_0xc() {
        let answer = value(
            2,
            ValueFacts {
                name: NAME,
                kind: 1,
                data: &[9, 8],
            },
        )
        .expect("a class");
        assert_eq!(
            answer.fit(0x10),
            (
                Status::SUCCESS,
                [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 8].as_slice()
            )
        );
        assert_eq!(answer.length(), 0xE);
    }

    #[test]
    fn a_buffer_without_room_gets_what_fits_or_nothing() {
        let answer = value(
            2,
            ValueFacts {
                name: NAME,
                kind: 1,
                data: &[9, 8],
            },
        )
        .expect("a class");
        let (status, bytes) = answer.fit(0xD);
        assert_eq!(
            (status, bytes.len(), bytes.last()),
            (Status::BUFFER_OVERFLOW, 0xD, Some(&9))
        );
        assert_eq!(answer.fit(0xB), (Status::BUFFER_TOO_SMALL, [].as_slice()));
    }

    #[test]
    fn a_full_value_has_its_data_on_the_next_eighth_byte() {
        let answer = value(
            1,
            ValueFacts {
                name: NAME,
                kind: 4,
                data: &[1, 0, 0, 0],
            },
        )
        .expect("a class");
        let (status, bytes) = answer.fit(0x100);
        assert_eq!(
            (status, bytes.len(), &bytes[8..12]),
            (Status::SUCCESS, 0x24, [0x20, 0, 0, 0].as_slice())
        );
        let empty = value(
            1,
            ValueFacts {
                name: NAME,
                kind: 4,
                data: &[],
            },
        )
        .expect("a class");
        assert_eq!(&empty.fit(0x100).1[8..12], [0xFF; 4]);
        assert_eq!(empty.length(), 0x1A);
    }

    #[test]
    fn keys_have_their_fixed_parts_and_tails() {
        let facts = KeyFacts {
            name: NAME.to_vec(),
            class: vec![0x7A],
            subkeys: 5,
            values: 6,
            ..KeyFacts::default()
        };
        for (class, length) in [(0, 0x10 + 6), (1, 0x20 + 2), (2, 0x2C + 2), (3, 4)] {
            assert_eq!(
                key(class, &facts).expect("a class").length(),
                length,
                "class {class}"
            );
        }
        let full = key(2, &facts).expect("a class");
        let bytes = full.fit(0x100).1;
        assert_eq!((bytes[0x14], bytes[0x20]), (5, 6));
        assert_eq!(key(9, &facts), Err(Status::INVALID_PARAMETER));
        assert!(
            value(
                5,
                ValueFacts {
                    name: &[],
                    kind: 0,
                    data: &[]
                }
            )
            .is_err()
        );
    }
}
