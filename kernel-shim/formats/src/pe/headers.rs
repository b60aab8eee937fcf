// SPDX-License-Identifier: GPL-2.0-or-later
//! The DOS, file and optional headers of an image, and its data directories.

use super::{Parsed, PeError, View, bad, u16_in, u32_in, word_in};
use nt::Status;

/// `IMAGE_FILE_MACHINE_AMD64`.
pub const MACHINE_AMD64: u16 = 0x8664;
/// `IMAGE_FILE_MACHINE_I386`.
pub const MACHINE_I386: u16 = 0x14C;
const OPTIONAL_PE32: u16 = 0x10B;
const OPTIONAL_PE32_PLUS: u16 = 0x20B;
/// Where the optional header has its first size, of four of a word each.
const SIZES: usize = 72;
const DIRECTORIES: usize = 16;
/// `IMAGE_FILE_DLL`.
const DLL: u16 = 0x2000;

/// Data directories by index.
pub mod directory {
    /// Export table.
    pub const EXPORT: usize = 0;
    /// Import table.
    pub const IMPORT: usize = 1;
    /// Base relocations.
    pub const RELOCATION: usize = 5;
    /// Thread-local storage.
    pub const TLS: usize = 9;
}

/// Where a data directory is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// Relative virtual address.
    pub rva: usize,
    /// Bytes, as the image says.
    pub size: usize,
}

/// What the headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields' names are those of the format")]
pub struct Headers {
    /// Offset of the `PE` signature.
    pub pe: usize,
    /// `IMAGE_FILE_MACHINE_`.
    pub machine: u16,
    /// Bytes of an address in the image: 8 in PE32+, 4 in PE32.
    pub word: usize,
    pub section_count: usize,
    /// Offset of the section table.
    pub section_table: usize,
    pub characteristics: u16,
    pub time_stamp: u32,
    pub entry_point: u32,
    pub image_base: u64,
    pub section_alignment: u32,
    pub file_alignment: u32,
    pub subsystem_version: (u16, u16),
    pub size_of_image: u32,
    pub size_of_headers: u32,
    pub checksum: u32,
    pub subsystem: u16,
    pub dll_characteristics: u16,
    pub stack_reserve: u64,
    pub stack_commit: u64,
    pub heap_reserve: u64,
    pub heap_commit: u64,
    pub loader_flags: u32,
    directories: [Directory; DIRECTORIES],
}

fn not<T>(status: Status, offset: usize, reason: &'static str) -> Parsed<T> {
    Err(PeError {
        status,
        offset,
        reason,
    })
}

impl Headers {
    /// Reads the headers at the start of a file or a view.
    ///
    /// # Errors
    /// `INVALID_IMAGE_NOT_MZ`, `INVALID_IMAGE_PROTECT` (a DOS program), `INVALID_IMAGE_WIN_16`,
    /// `INVALID_IMAGE_LE_FORMAT`; `INVALID_IMAGE_FORMAT` for another machine than x86-64 and i386 or
    /// headers that run out of what is there.
    pub fn read<'a>(view: impl View<'a>) -> Parsed<Self> {
        if view.bytes(0) != Some(*b"MZ") {
            return not(Status::INVALID_IMAGE_NOT_MZ, 0, "no MZ signature");
        }
        let signature = view
            .bytes(60)
            .map(|at| u32::from_le_bytes(at) as usize)
            .filter(|&at| at >= 4 && at.is_multiple_of(4))
            .and_then(|at| Some((at, view.bytes(at)?)));
        let (pe, signature): (usize, [u8; 4]) = match signature {
            Some(found) => found,
            None => return not(Status::INVALID_IMAGE_PROTECT, 60, "a DOS program"),
        };
        match &signature {
            b"PE\0\0" => {}
            [b'N', b'E', ..] => {
                return not(Status::INVALID_IMAGE_WIN_16, pe, "a 16-bit Windows program");
            }
            [b'L', b'E', ..] => {
                return not(Status::INVALID_IMAGE_LE_FORMAT, pe, "an LE program");
            }
            _ => return not(Status::INVALID_IMAGE_PROTECT, pe, "a DOS program"),
        }
        let machine = u16_in(view, pe + 4)?;
        let (magic, word) = match machine {
            MACHINE_AMD64 => (OPTIONAL_PE32_PLUS, size_of::<u64>()),
            MACHINE_I386 => (OPTIONAL_PE32, size_of::<u32>()),
            _ => return bad(pe + 4, "neither for x86-64 nor for i386"),
        };
        // Loader flags and the count of directories follow the sizes; then these.
        let fixed = SIZES + 4 * word + 8;
        let size = usize::from(u16_in(view, pe + 20)?);
        let at = pe + 24;
        // The last byte: what lies in front of it is there as well.
        if size < fixed || view.bytes::<1>(at + size - 1).is_none() {
            return bad(pe + 20, "the optional header is too short");
        }
        if u16_in(view, at)? != magic {
            return bad(at, "the optional header is not that of its machine");
        }
        let count = (u32_in(view, at + fixed - 4)? as usize)
            .min(DIRECTORIES)
            .min((size - fixed) / 8);
        let mut directories = [Directory::default(); DIRECTORIES];
        for (index, directory) in directories.iter_mut().take(count).enumerate() {
            let entry = at + fixed + 8 * index;
            directory.rva = u32_in(view, entry)? as usize;
            directory.size = u32_in(view, entry + 4)? as usize;
        }
        let sized = |index: usize| word_in(view, at + SIZES + word * index, word);
        Ok(Self {
            pe,
            machine,
            word,
            section_count: usize::from(u16_in(view, pe + 6)?),
            section_table: at + size,
            characteristics: u16_in(view, pe + 22)?,
            time_stamp: u32_in(view, pe + 8)?,
            entry_point: u32_in(view, at + 16)?,
            // PE32 has the base of its data in front.
            image_base: word_in(view, at + 32 - word, word)?,
            section_alignment: u32_in(view, at + 32)?,
            file_alignment: u32_in(view, at + 36)?,
            subsystem_version: (u16_in(view, at + 48)?, u16_in(view, at + 50)?),
            size_of_image: u32_in(view, at + 56)?,
            size_of_headers: u32_in(view, at + 60)?,
            checksum: u32_in(view, at + 64)?,
            subsystem: u16_in(view, at + 68)?,
            dll_characteristics: u16_in(view, at + 70)?,
            stack_reserve: sized(0)?,
            stack_commit: sized(1)?,
            heap_reserve: sized(2)?,
            heap_commit: sized(3)?,
            loader_flags: u32_in(view, at + fixed - 8)?,
            directories,
        })
    }

    /// A data directory, if the image has it: what has an address is there, whatever its size says.
    /// Loaders bind by the address alone, and images made by hand count on it.
    pub fn directory(&self, index: usize) -> Option<Directory> {
        self.directories
            .get(index)
            .copied()
            .filter(|found| found.rva != 0)
    }

    /// Whether the file header says DLL.
    pub const fn is_dll(&self) -> bool {
        self.characteristics & DLL != 0
    }
}
