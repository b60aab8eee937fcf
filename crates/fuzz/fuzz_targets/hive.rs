// SPDX-License-Identifier: GPL-2.0-or-later
//! Registry hives: what is read can be written and read again.
//!
//! The input is taken as a file, and as edits of a sound one, three bytes each: place and value. The checksum of the base block is made
//! right afterwards, or no input would get past it.
#![no_main]

use formats::hive::Hive;
use formats::utf16;
use libfuzzer_sys::fuzz_target;
use nt::UnicodeStr;
use std::sync::OnceLock;

/// Every kind of cell: keys below keys, lists of subkeys, small and large values, a class, a link, two descriptors.
fn sound() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let mut hive = Hive::new(nt::wide!("ROOT"));
        for number in 0..24 {
            let path = utf16(&format!("Select\\Key{number}\\Deep"));
            let key = hive
                .create_path(hive.root(), UnicodeStr(&path), false, 1)
                .expect("a new key");
            for (name, length) in [("", 3), ("Dword", 4), ("Name", 40 * number)] {
                let name = utf16(name);
                hive.set_value(key, UnicodeStr(&name), 1, vec![number as u8; length], 1)
                    .expect("a new value");
            }
            match number {
                3 => hive.set_class(key, b"c\0l\0a\0s\0s\0").expect("a class"),
                5 => hive.set_link(key, true).expect("a link"),
                7 => hive
                    .set_security(
                        key,
                        &[
                            1, 0, 0x04, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        ],
                    )
                    .expect("a descriptor"),
                _ => {}
            }
        }
        // More than one cell holds.
        hive.set_value(hive.root(), nt::wide!("Big"), 3, vec![0xB1; 20_000], 1)
            .expect("a large value");
        hive.serialise(1)
    })
}

/// XOR of the first 127 words; 0 and -1 are stepped aside.
fn checksum(base: &[u8]) -> u32 {
    let words = base.as_chunks::<4>().0.iter().take(127);
    match words.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

fn read(bytes: &[u8]) {
    if let Ok(hive) = Hive::parse(bytes) {
        let again = Hive::parse(&hive.serialise(0)).expect("what was written can be read");
        assert_eq!(again.len(), hive.len());
    }
}

fuzz_target!(|input: &[u8]| {
    read(input);
    let mut file = sound().to_vec();
    for &[low, high, value] in input.as_chunks::<3>().0 {
        let place = usize::from(u16::from_le_bytes([low, high])) % file.len();
        file[place] = value;
    }
    let sum = checksum(&file);
    file[0x1FC..0x200].copy_from_slice(&sum.to_le_bytes());
    read(&file);
});
