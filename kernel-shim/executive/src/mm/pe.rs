// SPDX-License-Identifier: GPL-2.0-or-later
//! Portable executables, PE32+ for x86-64: what an image section is made from.
//!
//! [`Image::parse`] looks at a whole file and refuses everything the memory manager could not map;
//! after that, every section lies inside the file and inside the image. The other functions look at
//! a view ([`Image::layout`]), where a relative virtual address is an index. A wrong file is an
//! error that says where and why; nothing here panics.

use crate::io::sectors::{u16_at, u32_at};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use nt::Status;
use nt::system::{ImageSubsystem, SectionImageInformation};

const PAGE: u32 = 0x1000;
const DOS_HEADER: usize = 64;
const MACHINE_AMD64: u16 = 0x8664;
const OPTIONAL_PE32_PLUS: u16 = 0x20B;
/// Bytes of the optional header before the data directories.
const OPTIONAL_FIXED: usize = 112;
const MAX_SECTIONS: usize = 96;
const EXECUTABLE: u16 = 0x0002;
/// The largest image: 2 GB, as a relative address has 31 useful bits.
const LARGEST: u32 = 0x7FFF_0000;

/// Data directory: exports.
pub const EXPORT: usize = 0;
/// Data directory: imports.
pub const IMPORT: usize = 1;
/// Data directory: base relocations.
pub const RELOCATIONS: usize = 5;

/// Section holds code.
pub const SCN_CODE: u32 = 0x20;
/// Section is shared between processes.
pub const SCN_SHARED: u32 = 0x1000_0000;
/// Section may be executed.
pub const SCN_EXECUTE: u32 = 0x2000_0000;
/// Section may be read.
pub const SCN_READ: u32 = 0x4000_0000;
/// Section may be written.
pub const SCN_WRITE: u32 = 0x8000_0000;

/// Why a file is no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeError {
    /// What NtCreateSection answers.
    pub status: Status,
    /// Offset in the file, or relative virtual address in a view.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for PeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "image, offset {:#x}: {}: {}",
            self.offset, self.reason, self.status
        )
    }
}

impl core::error::Error for PeError {}

type Parsed<T> = Result<T, PeError>;

fn bad<T>(offset: usize, reason: &'static str) -> Parsed<T> {
    Err(PeError {
        status: Status::INVALID_IMAGE_FORMAT,
        offset,
        reason,
    })
}

/// One section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Name, padded with NUL.
    pub name: [u8; 8],
    /// Relative virtual address.
    pub rva: u32,
    /// Bytes in memory.
    pub virtual_size: u32,
    /// Where in the file.
    pub raw_offset: u32,
    /// Bytes in the file.
    pub raw_size: u32,
    /// `IMAGE_SCN_` flags.
    pub characteristics: u32,
}

impl Section {
    /// Bytes of address space, whole pages.
    pub const fn span(&self) -> u32 {
        let size = if self.virtual_size == 0 {
            self.raw_size
        } else {
            self.virtual_size
        };
        size.next_multiple_of(PAGE)
    }
}

/// The headers of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields' names are those of the format")]
pub struct Image {
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
    /// Relative virtual address and size, at most sixteen.
    pub directories: Vec<(u32, u32)>,
    pub sections: Vec<Section>,
    pub file_size: u32,
}

/// What one module imports from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The other module's file name.
    pub module: Vec<u8>,
    /// Symbols, with the relative virtual address of the slot that takes each one's address.
    pub symbols: Vec<(Symbol, u32)>,
}

/// A symbol that is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// By name.
    Name(Vec<u8>),
    /// By ordinal.
    Ordinal(u16),
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

impl Image {
    /// Reads the headers of a file, all of which is in `file`.
    pub fn parse(file: &[u8]) -> Parsed<Self> {
        let file_size = u32::try_from(file.len()).or(bad(0, "the file is too large"))?;
        if file.get(..2) != Some(b"MZ") {
            return Err(PeError {
                status: Status::INVALID_IMAGE_NOT_MZ,
                offset: 0,
                reason: "no MZ signature",
            });
        }
        let pe = u32_at(file, 60) as usize;
        if file.len() < DOS_HEADER || pe < 4 || !pe.is_multiple_of(4) || pe > file.len() {
            return Err(PeError {
                status: Status::INVALID_IMAGE_PROTECT,
                offset: 60,
                reason: "a DOS program",
            });
        }
        let headers = file.get(pe..).unwrap_or_default();
        match headers.get(..4) {
            Some(b"PE\0\0") => {}
            Some([b'N', b'E', ..]) => {
                return Err(PeError {
                    status: Status::INVALID_IMAGE_WIN_16,
                    offset: pe,
                    reason: "a 16-bit Windows program",
                });
            }
            Some([b'L', b'E', ..]) => {
                return Err(PeError {
                    status: Status::INVALID_IMAGE_LE_FORMAT,
                    offset: pe,
                    reason: "an LE program",
                });
            }
            _ => {
                return Err(PeError {
                    status: Status::INVALID_IMAGE_PROTECT,
                    offset: pe,
                    reason: "a DOS program",
                });
            }
        }
        if u16_at(headers, 4) != MACHINE_AMD64 {
            return bad(pe + 4, "not for x86-64");
        }
        let section_count = usize::from(u16_at(headers, 6));
        let optional_size = usize::from(u16_at(headers, 20));
        let characteristics = u16_at(headers, 22);
        let Some(optional) = headers
            .get(24..24 + optional_size)
            .filter(|optional| optional.len() >= OPTIONAL_FIXED)
        else {
            return bad(pe + 20, "the optional header is too short");
        };
        if u16_at(optional, 0) != OPTIONAL_PE32_PLUS {
            return bad(pe + 24, "the optional header is not PE32+");
        }
        if characteristics & EXECUTABLE == 0 {
            return bad(pe + 22, "not linked to its end");
        }
        if section_count > MAX_SECTIONS {
            return bad(pe + 6, "too many sections");
        }
        let count = (u32_at(optional, 108) as usize)
            .min(16)
            .min((optional.len() - OPTIONAL_FIXED) / 8);
        let directory = |at: usize| {
            (
                u32_at(optional, OPTIONAL_FIXED + 8 * at),
                u32_at(optional, OPTIONAL_FIXED + 8 * at + 4),
            )
        };
        let table_at = pe + 24 + optional_size;
        let mut this = Self {
            characteristics,
            time_stamp: u32_at(headers, 8),
            entry_point: u32_at(optional, 16),
            image_base: u64_at(optional, 24),
            section_alignment: u32_at(optional, 32),
            file_alignment: u32_at(optional, 36),
            subsystem_version: (u16_at(optional, 48), u16_at(optional, 50)),
            size_of_image: u32_at(optional, 56),
            size_of_headers: u32_at(optional, 60),
            checksum: u32_at(optional, 64),
            subsystem: u16_at(optional, 68),
            dll_characteristics: u16_at(optional, 70),
            stack_reserve: u64_at(optional, 72),
            stack_commit: u64_at(optional, 80),
            heap_reserve: u64_at(optional, 88),
            heap_commit: u64_at(optional, 96),
            loader_flags: u32_at(optional, 104),
            directories: (0..count).map(directory).collect(),
            sections: Vec::new(),
            file_size,
        };
        this.check(pe)?;
        for index in 0..section_count {
            let at = table_at + 40 * index;
            let section = parse_section(file, at)?;
            this.check_section(&section, at)?;
            this.sections.push(section);
        }
        Ok(this)
    }

    fn check(&self, pe: usize) -> Parsed<()> {
        let optional = pe + 24;
        if !self.file_alignment.is_power_of_two()
            || !(0x200..=0x1_0000).contains(&self.file_alignment)
        {
            return bad(optional + 36, "the file alignment is wrong");
        }
        if !self.section_alignment.is_power_of_two() || self.section_alignment < PAGE {
            // Images with small alignment are drivers' business: user mode never maps them.
            return bad(optional + 32, "the section alignment is less than a page");
        }
        if !self.image_base.is_multiple_of(0x1_0000) {
            return bad(optional + 24, "the image base is no multiple of 64 KB");
        }
        if self.size_of_image == 0 || self.size_of_image > LARGEST {
            return bad(optional + 56, "the size of the image is wrong");
        }
        if self.size_of_headers == 0
            || self.size_of_headers > self.size_of_image
            || self.size_of_headers > self.file_size
        {
            return bad(optional + 60, "the size of the headers is wrong");
        }
        if self.entry_point >= self.size_of_image {
            return bad(optional + 16, "the entry point lies outside the image");
        }
        Ok(())
    }

    fn check_section(&self, section: &Section, at: usize) -> Parsed<()> {
        let next = self
            .sections
            .last()
            .map_or(self.size_of_headers.next_multiple_of(PAGE), |last| {
                last.rva + last.span()
            });
        if !section.rva.is_multiple_of(self.section_alignment) || section.rva < next {
            return bad(
                at + 12,
                "the section overlaps the one before or is not aligned",
            );
        }
        let span = if section.virtual_size == 0 {
            section.raw_size
        } else {
            section.virtual_size
        };
        let end = span
            .checked_add(PAGE - 1)
            .map(|span| span & !(PAGE - 1))
            .and_then(|span| section.rva.checked_add(span));
        if end.is_none_or(|end| end > self.size_of_image.next_multiple_of(PAGE)) {
            return bad(at + 8, "the section lies outside the image");
        }
        if section.raw_size > 0
            && section
                .raw_offset
                .checked_add(section.raw_size)
                .is_none_or(|end| end > self.file_size)
        {
            return bad(at + 16, "the section lies outside the file");
        }
        Ok(())
    }

    /// Bytes of address space, whole pages.
    pub const fn span(&self) -> usize {
        self.size_of_image.next_multiple_of(PAGE) as usize
    }

    /// What NtQuerySection tells of the image (spec 10.1).
    pub fn information(&self) -> SectionImageInformation {
        let code = self
            .sections
            .iter()
            .any(|section| section.characteristics & (SCN_CODE | SCN_EXECUTE) != 0);
        SectionImageInformation {
            transfer_address: self.image_base.wrapping_add(u64::from(self.entry_point)),
            maximum_stack_size: self.stack_reserve,
            committed_stack_size: self.stack_commit,
            subsystem: ImageSubsystem(u32::from(self.subsystem)),
            minor_version: self.subsystem_version.1,
            major_version: self.subsystem_version.0,
            image_characteristics: self.characteristics,
            dll_characteristics: self.dll_characteristics,
            machine: MACHINE_AMD64,
            image_contains_code: u8::from(code),
            loader_flags: self.loader_flags,
            image_file_size: self.file_size,
            ..SectionImageInformation::default()
        }
    }

    /// The image as it lies in memory before relocation. `file` is the file that was parsed.
    pub fn layout(&self, file: &[u8]) -> Vec<u8> {
        let mut view = vec![0; self.span()];
        let mut put = |rva: u32, offset: u32, len: u32| {
            let from = file
                .get(offset as usize..offset as usize + len as usize)
                .unwrap_or_default();
            if let Some(to) = view.get_mut(rva as usize..rva as usize + from.len()) {
                to.copy_from_slice(from);
            }
        };
        put(0, 0, self.size_of_headers);
        for section in &self.sections {
            put(
                section.rva,
                section.raw_offset,
                section.raw_size.min(section.span()),
            );
        }
        view
    }

    /// What may be done with the page at this relative virtual address: `IMAGE_SCN_` flags; headers
    /// and gaps are readable.
    pub fn page_characteristics(&self, rva: u32) -> u32 {
        let found = self
            .sections
            .iter()
            .find(|section| rva >= section.rva && rva < section.rva + section.span());
        found.map_or(SCN_READ, |section| section.characteristics)
    }

    fn directory(&self, index: usize) -> Option<(usize, usize)> {
        let &(rva, size) = self.directories.get(index)?;
        (rva != 0 && size != 0).then_some((rva as usize, size as usize))
    }

    /// Moves a view to another base: adds `delta` to every address its relocations name.
    pub fn relocate(&self, view: &mut [u8], delta: u64) -> Parsed<()> {
        let Some((start, size)) = self.directory(RELOCATIONS) else {
            return Ok(());
        };
        let Some(end) = start.checked_add(size).filter(|&end| end <= view.len()) else {
            return bad(start, "the relocations lie outside the image");
        };
        let mut at = start;
        while at + 8 <= end {
            let (page, block) = (u32_at(view, at) as usize, u32_at(view, at + 4) as usize);
            if block < 8 || block > end - at {
                return bad(at, "a relocation block of wrong size");
            }
            for entry in (at + 8..at + block - 1).step_by(2) {
                let entry = u16_at(view, entry);
                let target = page + usize::from(entry & 0xFFF);
                match entry >> 12 {
                    0 => {}
                    10 => match view.get_mut(target..target + 8) {
                        Some(slot) => {
                            let moved = u64_at(slot, 0).wrapping_add(delta);
                            slot.copy_from_slice(&moved.to_le_bytes());
                        }
                        None => return bad(target, "a relocation outside the image"),
                    },
                    _ => return bad(at, "a relocation that is not DIR64"),
                }
            }
            at += block;
        }
        Ok(())
    }

    /// The relative virtual address of an exported name; none if it is not there or is forwarded to
    /// another module.
    pub fn export(&self, view: &[u8], name: &[u8]) -> Option<u32> {
        let (start, size) = self.directory(EXPORT)?;
        let directory = view.get(start..start.checked_add(size)?)?;
        let names = u32_at(directory, 24) as usize;
        let (functions, pointers, ordinals) = (
            u32_at(directory, 28),
            u32_at(directory, 32),
            u32_at(directory, 36),
        );
        let count = names.min(view.len() / 4);
        let text = |at: usize| c_string(view, u32_at(view, pointers as usize + 4 * at) as usize);
        let found = (0..count).find(|&at| text(at) == Some(name))?;
        let ordinal = u16_at(view, ordinals as usize + 2 * found);
        if u32::from(ordinal) >= u32_at(directory, 20) {
            return None;
        }
        let rva = u32_at(view, functions as usize + 4 * usize::from(ordinal));
        let forwarded = (start..start + size).contains(&(rva as usize));
        (rva != 0 && !forwarded && rva < self.size_of_image).then_some(rva)
    }

    /// Every module and symbol the image imports.
    pub fn imports(&self, view: &[u8]) -> Parsed<Vec<Import>> {
        let Some((start, _)) = self.directory(IMPORT) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for at in (start..).step_by(20) {
            let Some(descriptor) = view.get(at..at + 20) else {
                return bad(at, "the imports run out of the image");
            };
            let (lookup, module, slots) = (
                u32_at(descriptor, 0),
                u32_at(descriptor, 12),
                u32_at(descriptor, 16),
            );
            if module == 0 {
                break;
            }
            let Some(module) = c_string(view, module as usize) else {
                return bad(at + 12, "an import without a module's name");
            };
            let lookup = if lookup == 0 { slots } else { lookup } as usize;
            let symbols = symbols(view, lookup, slots as usize)?;
            found.push(Import {
                module: module.to_vec(),
                symbols,
            });
        }
        Ok(found)
    }
}

fn symbols(view: &[u8], lookup: usize, slots: usize) -> Parsed<Vec<(Symbol, u32)>> {
    let mut found = Vec::new();
    for at in (0..view.len()).step_by(8) {
        let Some(entry) = view.get(lookup + at..lookup + at + 8) else {
            return bad(lookup, "the import table runs out of the image");
        };
        let entry = u64_at(entry, 0);
        if entry == 0 {
            break;
        }
        let symbol = if entry >> 63 != 0 {
            Symbol::Ordinal(entry as u16)
        } else {
            match c_string(view, (entry as u32 & 0x7FFF_FFFF) as usize + 2) {
                Some(name) => Symbol::Name(name.to_vec()),
                None => return bad(lookup + at, "an import without a name"),
            }
        };
        found.push((symbol, (slots + at) as u32));
    }
    Ok(found)
}

fn parse_section(file: &[u8], at: usize) -> Parsed<Section> {
    let Some(bytes) = file.get(at..at + 40) else {
        return bad(at, "the section table runs out of the file");
    };
    let name = core::array::from_fn(|at| bytes[at]);
    Ok(Section {
        name,
        virtual_size: u32_at(bytes, 8),
        rva: u32_at(bytes, 12),
        raw_size: u32_at(bytes, 16),
        // The loader has always read from whole sectors, whatever the low bits say.
        raw_offset: u32_at(bytes, 20) & !0x1FF,
        characteristics: u32_at(bytes, 36),
    })
}

fn c_string(view: &[u8], at: usize) -> Option<&[u8]> {
    let rest = view.get(at..)?;
    let end = rest.iter().take(4096).position(|&byte| byte == 0)?;
    rest.get(..end)
}
