// SPDX-License-Identifier: GPL-2.0-or-later
//! The import walk over a known DLL (spec 7.2).
//!
//! The input is taken as an image, and as edits of a sound one, three bytes each: place and value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use objects::image::{Layout, MAX_NAME, PeImage, Place};

/// A PE32+ DLL with one section, which holds an import table of two names.
fn sound() -> Vec<u8> {
    let mut bytes = vec![0; 0x1080];
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    put(0, b"MZ");
    put(0x3C, &[0x40]);
    put(0x40, b"PE\0\0\x64\x86\x01\0");
    // Size of the optional header, characteristics, magic, number of directories, the second of them.
    put(0x54, &[0xF0, 0, 2, 0x20, 0x0B, 0x02]);
    put(0x58 + 108, &[16]);
    put(0x58 + 121, &[0x10]);
    // The section: size and address 0x1000, readable.
    put(0x148 + 9, &[0x10, 0, 0, 0, 0x10]);
    put(0x148 + 36, &[0x40, 0, 0, 0x40]);
    put(0x1000 + 12, &0x1040_u32.to_le_bytes());
    put(0x1014 + 12, &0x1050_u32.to_le_bytes());
    put(0x1040, b"KERNEL32.dll");
    put(0x1050, b"ntdll.dll");
    bytes
}

fn walk(bytes: &[u8], layout: Layout) {
    let mut place = Place::new();
    if let Ok(image) = PeImage::parse(&bytes, layout) {
        // A table that leads nowhere must end all the same.
        let mut walked = 0;
        let _: nt::Result<()> = image.imports(&mut place, |name| {
            assert!(name.len() <= MAX_NAME + 1);
            walked += 1;
            Ok(())
        });
        assert!(walked < bytes.len());
    }
}

fuzz_target!(|input: &[u8]| {
    walk(input, Layout::View);
    walk(input, Layout::File);
    let mut bytes = sound();
    for &[low, high, value] in input.as_chunks::<3>().0 {
        let place = usize::from(u16::from_le_bytes([low, high])) % bytes.len();
        bytes[place] = value;
    }
    walk(&bytes, Layout::View);
    walk(&bytes, Layout::File);
});
