// SPDX-License-Identifier: GPL-2.0-or-later
//! Small images, built: stand-ins for DLLs, programs whose code is elsewhere, inputs of tests.
//!
//! The result is a real PE file that any loader can map, move and bind. Three sections: `.text` at
//! [`CODE`] with the code given, `.data` at [`DATA`] with pointers, imports and exports, `.reloc`
//! behind it.

use super::{MACHINE_AMD64, MACHINE_I386};
use alloc::vec;
use alloc::vec::Vec;
use nt::system::ImageSubsystem;

/// RVA of the code; the entry point and every export are its first byte.
pub const CODE: u32 = 0x1000;
/// RVA of the data, which begins with the pointers.
pub const DATA: u32 = 0x2000;
/// RVA of [`ImageFile::more`] in an image without pointers.
pub const MORE: u32 = DATA + 8;
/// Preferred base of a program; DLLs have [`DLL_BASE`].
pub const PROGRAM_BASE: u64 = 0x1_4000_0000;
/// Preferred base of a DLL: apart from a program's, so that neither has to move for the other.
pub const DLL_BASE: u64 = 0x1_8000_0000;
/// The same for i386.
pub const PROGRAM_BASE_I386: u64 = 0x40_0000;
const DLL_BASE_I386: u64 = 0x1000_0000;

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const DIRECTORIES: usize = 16;
const HEADERS: usize = 0x400;
const FILE_ALIGNMENT: usize = 0x200;
const PAGE: u32 = 0x1000;
/// `ret`.
const RETURN: &[u8] = &[0xC3];

/// What fills a page of code, so that the data of an image begins behind its file's first page.
pub const PAGE_OF_CODE: &[u8] = &[0xC3; PAGE as usize];
/// Where in the file the data begin if the code is [`PAGE_OF_CODE`].
pub const DATA_BEHIND_PAGE: usize = HEADERS + PAGE as usize;

/// What an image is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageFile<'a> {
    /// The name in its export table.
    pub name: &'a str,
    /// The subsystem in its header.
    pub subsystem: ImageSubsystem,
    /// PE32 for i386 instead of PE32+ for x86-64.
    pub i386: bool,
    /// `IMAGE_FILE_DLL` is set.
    pub dll: bool,
    /// Machine code, at most a page; a `ret` if empty.
    pub code: &'a [u8],
    /// RVAs whose addresses stand at the start of the data, and move with the image.
    pub pointers: &'a [u32],
    /// Bytes behind the pointers, in memory that the program may write.
    pub more: &'a [u8],
    /// DLLs, and what is imported from each: a name, or `#` and an ordinal.
    pub imports: &'a [(&'a str, &'a str)],
    /// Functions it exports.
    pub exports: &'a [&'a str],
    /// Functions it exports from another DLL: name, and `DLL.Name`.
    pub forwarders: &'a [(&'a str, &'a str)],
}

/// The bytes of the data section, which know where they will lie.
struct Data {
    bytes: Vec<u8>,
    /// Bytes of an address.
    word: usize,
}

impl Data {
    fn here(&self) -> u32 {
        DATA + self.bytes.len() as u32
    }

    /// Appends bytes, aligned to 8; where they lie.
    fn add(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = self.here();
        self.bytes.extend_from_slice(bytes);
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

    /// Addresses, one behind the other.
    fn words(&mut self, words: &[u64]) -> u32 {
        let word = self.word;
        let bytes = words.iter().map(|number| number.to_le_bytes());
        let bytes: Vec<u8> = bytes
            .flat_map(|bytes| bytes.into_iter().take(word))
            .collect();
        self.add(&bytes)
    }
}

impl ImageFile<'_> {
    const fn base(&self) -> u64 {
        match (self.i386, self.dll) {
            (false, false) => PROGRAM_BASE,
            (false, true) => DLL_BASE,
            (true, false) => PROGRAM_BASE_I386,
            (true, true) => DLL_BASE_I386,
        }
    }

    /// Bytes of an address.
    const fn word(&self) -> usize {
        if self.i386 { 4 } else { 8 }
    }

    /// Where the data directories are, behind sizes of a word each, flags and their count.
    const fn directories(&self) -> usize {
        OPTIONAL + 72 + 4 * self.word() + 8
    }

    /// Where the section table is.
    const fn sections(&self) -> usize {
        self.directories() + 8 * DIRECTORIES
    }

    fn import_directory(&self, data: &mut Data) -> (u32, u32) {
        if self.imports.is_empty() {
            return (0, 0);
        }
        let mut descriptors = Vec::new();
        for (dll, symbol) in self.imports {
            let entry = match symbol.strip_prefix('#').map(str::parse::<u16>) {
                Some(Ok(ordinal)) => 1 << (8 * data.word - 1) | u64::from(ordinal),
                _ => {
                    let hint = data.add(&[0, 0]);
                    data.bytes.extend_from_slice(symbol.as_bytes());
                    data.bytes.push(0);
                    u64::from(hint)
                }
            };
            let name = data.text(dll);
            let (lookup, addresses) = (data.words(&[entry, 0]), data.words(&[entry, 0]));
            descriptors.extend([lookup, 0, 0, name, addresses]);
        }
        descriptors.extend([0; 5]);
        (data.numbers(&descriptors), descriptors.len() as u32 * 4)
    }

    fn export_directory(&self, data: &mut Data) -> (u32, u32) {
        let own = self.exports.iter().map(|&name| (name, None));
        let others = self.forwarders.iter().map(|&(name, to)| (name, Some(to)));
        let mut exports: Vec<_> = own.chain(others).collect();
        if exports.is_empty() {
            return (0, 0);
        }
        // A loader searches the names by halves.
        exports.sort_unstable();
        let count = exports.len() as u32;
        // The directory, and within its range everything it points to, forwarders above all.
        let directory = data.add(&[0; 40]);
        let functions: Vec<u32> = exports
            .iter()
            .map(|(_, to)| to.map_or(CODE, |to| data.text(to)))
            .collect();
        let names: Vec<u32> = exports.iter().map(|(name, _)| data.text(name)).collect();
        let own_name = data.text(self.name);
        let functions = data.numbers(&functions);
        let names = data.numbers(&names);
        let ordinals: Vec<u8> = (0..count as u16).flat_map(u16::to_le_bytes).collect();
        let ordinals = data.add(&ordinals);
        let fields = [own_name, 1, count, count, functions, names, ordinals];
        let place = (directory - DATA) as usize + 12;
        for (place, field) in data
            .bytes
            .iter_mut()
            .skip(place)
            .zip(fields.iter().flat_map(|field| field.to_le_bytes()))
        {
            *place = field;
        }
        (directory, data.here() - directory)
    }

    /// One block: every pointer, or an entry that means nothing, so that the image may be moved.
    fn relocations(&self) -> Vec<u8> {
        // HIGHLOW or DIR64.
        let kind = if self.i386 { 3 } else { 10 };
        let mut entries: Vec<u16> = (0..self.pointers.len() as u16)
            .map(|index| kind << 12 | (self.word() as u16 * index))
            .collect();
        entries.resize(entries.len().next_multiple_of(2).max(2), 0);
        let bytes = 8 + 2 * entries.len() as u32;
        let mut block = [DATA.to_le_bytes(), bytes.to_le_bytes()].concat();
        block.extend(entries.into_iter().flat_map(u16::to_le_bytes));
        block
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut data = Data {
            bytes: Vec::new(),
            word: self.word(),
        };
        let address = |&pointer: &u32| self.base() + u64::from(pointer);
        let pointers: Vec<u64> = self.pointers.iter().map(address).collect();
        data.words(&pointers);
        // No table lies at the very start, and none is empty.
        data.add(&[0; 8]);
        data.add(self.more);
        let imports = self.import_directory(&mut data);
        let exports = self.export_directory(&mut data);
        let relocations = self.relocations();
        let moved = DATA + (data.bytes.len() as u32).next_multiple_of(PAGE);
        let code = if self.code.is_empty() {
            RETURN
        } else {
            self.code
        };
        let sections: [(&[u8; 8], u32, &[u8], u32); 3] = [
            (b".text\0\0\0", CODE, code, 0x6000_0020),
            (b".data\0\0\0", DATA, &data.bytes, 0xC000_0040),
            (b".reloc\0\0", moved, &relocations, 0x4200_0040),
        ];
        let directories = [
            (0, exports),
            (1, imports),
            (5, (moved, relocations.len() as u32)),
        ];
        let mut file = self.headers(moved + PAGE, &directories);
        let mut raw = HEADERS as u32;
        for (index, (name, rva, bytes, flags)) in sections.iter().enumerate() {
            let size = bytes.len().next_multiple_of(FILE_ALIGNMENT) as u32;
            let header = self.sections() + 40 * index;
            put(&mut file, header, *name);
            let fields = [
                (8, bytes.len() as u32),
                (12, *rva),
                (16, size),
                (20, raw),
                (36, *flags),
            ];
            for (field, number) in fields {
                put(&mut file, header + field, &number.to_le_bytes());
            }
            raw += size;
        }
        for (_, _, bytes, _) in sections {
            file.extend_from_slice(bytes);
            file.resize(file.len().next_multiple_of(FILE_ALIGNMENT), 0);
        }
        file
    }

    fn headers(&self, image_size: u32, directories: &[(usize, (u32, u32))]) -> Vec<u8> {
        let mut file = vec![0; HEADERS];
        put(&mut file, 0, b"MZ");
        put(&mut file, 60, &(PE as u32).to_le_bytes());
        put(&mut file, PE, b"PE\0\0");
        // EXECUTABLE_IMAGE, with LARGE_ADDRESS_AWARE or 32BIT_MACHINE, and DLL.
        let (machine, magic, kind) = if self.i386 {
            (MACHINE_I386, 0x10B, 0x0102)
        } else {
            (MACHINE_AMD64, 0x20B, 0x0022)
        };
        let characteristics: u16 = kind | if self.dll { 0x2000 } else { 0 };
        let size = (self.sections() - OPTIONAL) as u16;
        let short: [(usize, u16); 5] = [
            (PE + 4, machine),
            (PE + 6, 3),
            (PE + 20, size),
            (PE + 22, characteristics),
            (OPTIONAL, magic),
        ];
        for (at, number) in short {
            put(&mut file, at, &number.to_le_bytes());
        }
        let numbers = [
            (16, CODE),
            (20, CODE),
            (32, PAGE),
            (36, FILE_ALIGNMENT as u32),
            (56, image_size),
            (60, HEADERS as u32),
        ];
        for (at, number) in numbers {
            put(&mut file, OPTIONAL + at, &number.to_le_bytes());
        }
        let count = (DIRECTORIES as u32).to_le_bytes();
        put(&mut file, self.directories() - 4, &count);
        let word = self.word();
        // PE32 has the base of its data in front.
        let base = &self.base().to_le_bytes()[..word];
        put(&mut file, OPTIONAL + 32 - word, base);
        for at in [40, 48] {
            put(&mut file, OPTIONAL + at, &[5, 0, 2, 0]);
        }
        let subsystem = self.subsystem.0 as u16;
        put(&mut file, OPTIONAL + 68, &subsystem.to_le_bytes());
        // DYNAMIC_BASE | NX_COMPAT.
        put(&mut file, OPTIONAL + 70, &0x0140u16.to_le_bytes());
        // Of stack and heap: reserved, committed.
        let sizes: [u64; 4] = [0x4_0000, 0x1000, 0x10_0000, 0x1000];
        for (index, size) in sizes.iter().enumerate() {
            let at = OPTIONAL + 72 + word * index;
            put(&mut file, at, &size.to_le_bytes()[..word]);
        }
        for (index, (rva, size)) in directories {
            let at = self.directories() + 8 * index;
            put(&mut file, at, &rva.to_le_bytes());
            put(&mut file, at + 4, &size.to_le_bytes());
        }
        file
    }
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}
