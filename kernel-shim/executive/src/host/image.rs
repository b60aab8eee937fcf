// SPDX-License-Identifier: GPL-2.0-or-later
//! Images without code: what stands on a world's volume for programs that are host threads, and for
//! the DLLs that are only looked at.

use alloc::vec;
use alloc::vec::Vec;
use nt::system::ImageSubsystem;

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const SECTIONS: usize = OPTIONAL + 240;
const RAW: usize = 0x400;
const TEXT: u32 = 0x1000;
const DATA: u32 = 0x2000;
const PAGE: u32 = 0x1000;
/// Preferred bases, apart from each other so that no image in a process of a world has to move.
const PROGRAM_BASE: u64 = 0x1_4000_0000;
const DLL_BASE: u64 = 0x1_8000_0000;
/// Where the entry point and every export is: a `ret`.
const CODE: u32 = TEXT;

/// What an image is.
#[derive(Clone, Debug, Default)]
pub struct ImageFile<'a> {
    /// The subsystem in its header.
    pub subsystem: ImageSubsystem,
    /// `IMAGE_FILE_DLL` is set.
    pub dll: bool,
    /// DLLs it imports one function each from.
    pub imports: &'a [&'a str],
    /// Functions it exports, in alphabetical order.
    pub exports: &'a [&'a str],
}

/// The bytes of one section, which know where they will lie.
struct Data {
    bytes: Vec<u8>,
}

impl Data {
    /// Appends bytes; where they lie. What follows is aligned.
    fn add(&mut self, bytes: &[u8]) -> u32 {
        let at = DATA + self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        at
    }

    fn text(&mut self, text: &str) -> u32 {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.add(&bytes)
    }

    fn numbers(&mut self, numbers: &[u32]) -> u32 {
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        self.add(&bytes)
    }
}

impl ImageFile<'_> {
    fn import_directory(&self, data: &mut Data) -> (u32, u32) {
        if self.imports.is_empty() {
            return (0, 0);
        }
        let hint = data.add(b"\0\0Function\0");
        let mut descriptors = Vec::new();
        for import in self.imports {
            let name = data.text(import);
            let names = data.numbers(&[hint, 0, 0, 0]);
            let addresses = data.numbers(&[hint, 0, 0, 0]);
            descriptors.extend([names, 0, 0, name, addresses]);
        }
        descriptors.extend([0; 5]);
        (data.numbers(&descriptors), descriptors.len() as u32 * 4)
    }

    fn export_directory(&self, data: &mut Data) -> (u32, u32) {
        if self.exports.is_empty() {
            return (0, 0);
        }
        let count = self.exports.len() as u32;
        let names: Vec<u32> = self.exports.iter().map(|name| data.text(name)).collect();
        let own = data.text("image.dll");
        let functions = data.numbers(&vec![CODE; self.exports.len()]);
        let names = data.numbers(&names);
        let ordinals: Vec<u8> = (0..count as u16).flat_map(u16::to_le_bytes).collect();
        let ordinals = data.add(&ordinals);
        let directory = data.numbers(&[0, 0, 0, own, 1, count, count, functions, names, ordinals]);
        (directory, 40)
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut data = Data { bytes: Vec::new() };
        data.add(&[0; 8]);
        let imports = self.import_directory(&mut data);
        let exports = self.export_directory(&mut data);
        let raw = data.bytes.len().next_multiple_of(0x200);
        data.bytes.resize(raw, 0);
        let image_size = DATA + (raw as u32).next_multiple_of(PAGE);
        let mut file = vec![0; RAW];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(60, &(PE as u32).to_le_bytes());
        put(PE, b"PE\0\0\x64\x86\x02\0");
        put(PE + 20, &240u16.to_le_bytes());
        put(
            PE + 22,
            &(if self.dll { 0x2022u16 } else { 0x0022 }).to_le_bytes(),
        );
        put(OPTIONAL, &0x20Bu16.to_le_bytes());
        let numbers = [
            (16, CODE),
            (20, TEXT),
            (32, PAGE),
            (36, 0x200),
            (56, image_size),
            (60, RAW as u32),
            (108, 16),
        ];
        for (at, number) in numbers {
            put(OPTIONAL + at, &number.to_le_bytes());
        }
        let base: u64 = if self.dll { DLL_BASE } else { PROGRAM_BASE };
        put(OPTIONAL + 24, &base.to_le_bytes());
        for at in [40, 48] {
            put(OPTIONAL + at, &[5, 0, 2, 0]);
        }
        put(OPTIONAL + 68, &(self.subsystem.0 as u16).to_le_bytes());
        put(OPTIONAL + 70, &0x0140u16.to_le_bytes());
        for (at, size) in [
            (72, 0x4_0000u64),
            (80, 0x1000),
            (88, 0x10_0000),
            (96, 0x1000),
        ] {
            put(OPTIONAL + at, &size.to_le_bytes());
        }
        for (index, (rva, size)) in [(0, exports), (1, imports)] {
            put(OPTIONAL + 112 + 8 * index, &rva.to_le_bytes());
            put(OPTIONAL + 116 + 8 * index, &size.to_le_bytes());
        }
        let sections: [(&[u8; 8], u32, u32, u32, u32); 2] = [
            (b".text\0\0\0", TEXT, 0x200, RAW as u32, 0x6000_0020),
            (
                b".data\0\0\0",
                DATA,
                raw as u32,
                RAW as u32 + 0x200,
                0xC000_0040,
            ),
        ];
        for (index, (name, rva, size, at, flags)) in sections.into_iter().enumerate() {
            let header = SECTIONS + 40 * index;
            put(header, name);
            for (field, number) in [(8, size), (12, rva), (16, size), (20, at), (36, flags)] {
                put(header + field, &number.to_le_bytes());
            }
        }
        let mut text = vec![0xCC; 0x200];
        text[0] = 0xC3;
        file.extend(text);
        file.extend(data.bytes);
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mm::pe::Image;

    #[test]
    fn an_image_says_what_it_was_told_to_say() {
        let file = ImageFile {
            subsystem: ImageSubsystem::NATIVE,
            dll: true,
            imports: &["ntdll.dll", "b.dll"],
            exports: &["A", "B"],
        };
        let bytes = file.bytes();
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(image.information().subsystem, ImageSubsystem::NATIVE);
        assert_ne!(image.information().image_characteristics & 0x2000, 0);
        let view = image.layout(&bytes);
        assert_eq!(image.export(&view, b"B"), Some(CODE));
        assert_eq!(image.export(&view, b"C"), None);
        let imports = image.imports(&view).unwrap();
        assert_eq!(imports.len(), 2);
    }
}
