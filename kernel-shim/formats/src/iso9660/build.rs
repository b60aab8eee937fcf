// SPDX-License-Identifier: GPL-2.0-or-later
//! A small disc, built: what tests and the fuzz target read.
//!
//! In its root a directory `reactos` with a hidden, empty file `file`, and `Long file name.txt`,
//! whose 5010 bytes lie in two extents.

use super::BLOCK;
use crate::sectors::MemoryDevice;
use alloc::vec;
use alloc::vec::Vec;

fn record(name: &[u8], block: u32, size: u32, flags: u8) -> Vec<u8> {
    let mut bytes = vec![0; 33];
    bytes[2..6].copy_from_slice(&block.to_le_bytes());
    bytes[10..14].copy_from_slice(&size.to_le_bytes());
    bytes[18..25].copy_from_slice(&[126, 11, 23, 13, 0, 0, 4]);
    bytes[25] = flags;
    bytes[32] = name.len() as u8;
    bytes.extend_from_slice(name);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes[0] = bytes.len() as u8;
    bytes
}

fn descriptor(kind: u8, root: u32) -> Vec<u8> {
    let mut bytes = vec![0; BLOCK];
    bytes[0] = kind;
    bytes[1..6].copy_from_slice(b"CD001");
    bytes[40..72].copy_from_slice(&[b' '; 32]);
    bytes[40..44].copy_from_slice(if kind == 2 {
        &[0, b'C', 0, b'D']
    } else {
        b"DISC"
    });
    if kind == 2 {
        bytes[44..72].fill(0);
        bytes[88..91].copy_from_slice(b"%/E");
    }
    bytes[80..84].copy_from_slice(&40u32.to_le_bytes());
    bytes[128..130].copy_from_slice(&2048u16.to_le_bytes());
    bytes[156..190].copy_from_slice(&record(&[0], root, BLOCK as u32, 2));
    bytes
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The disc, with Joliet names besides the short ones or without.
pub fn disc(joliet: bool) -> MemoryDevice {
    let mut device = MemoryDevice::new(40 * 4);
    let mut put = |block: usize, bytes: &[u8]| {
        device.bytes[block * BLOCK..block * BLOCK + bytes.len()].copy_from_slice(bytes)
    };
    put(16, &descriptor(1, 20));
    if joliet {
        put(17, &descriptor(2, 21));
    }
    put(if joliet { 18 } else { 17 }, &{
        let mut end = descriptor(255, 0);
        end.truncate(8);
        end
    });
    let name = |long: &str, short: &str| {
        if joliet {
            wide(long)
        } else {
            short.as_bytes().to_vec()
        }
    };
    let dots = [record(&[0], 20, 2048, 2), record(&[1], 20, 2048, 2)].concat();
    let root = [
        dots.clone(),
        record(&name("reactos", "REACTOS"), 22, 2048, 2),
        record(
            &name("Long file name.txt;1", "LONGFI_1.TXT;1"),
            23,
            5000,
            0x80,
        ),
        record(&name("Long file name.txt;1", "LONGFI_1.TXT;1"), 30, 10, 0),
    ]
    .concat();
    put(if joliet { 21 } else { 20 }, &root);
    put(
        22,
        &[dots, record(&name("file", "FILE.;1"), 23, 0, 1)].concat(),
    );
    put(23, &[0xAB; 5000]);
    put(30, &[0xCD; 10]);
    device
}
