// SPDX-License-Identifier: GPL-2.0-or-later
//! An image file: what an image section is made from.
//!
//! [`Image::parse`] looks at a whole file and refuses everything the memory manager could not map;
//! after that, every section lies inside the file and inside the image.

use super::{Headers, Parsed, bad};
use crate::bytes::u32_at;
use alloc::vec;
use alloc::vec::Vec;
use nt::narrowed;
use nt::system::{ImageSubsystem, SectionImageInformation};

const PAGE: u32 = 0x1000;
const MAX_SECTIONS: usize = 96;
const EXECUTABLE: u16 = 0x0002;
/// The largest image: 2 GB, as a relative address has 31 useful bits.
const LARGEST: u32 = 0x7FFF_0000;

/// Section holds code.
const SCN_CODE: u32 = 0x20;
/// Section is shared between processes.
pub const SCN_SHARED: u32 = 0x1000_0000;
/// Section may be executed.
pub const SCN_EXECUTE: u32 = 0x2000_0000;
/// Section may be read.
pub const SCN_READ: u32 = 0x4000_0000;
/// Section may be written.
pub const SCN_WRITE: u32 = 0x8000_0000;

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

/// A stretch of the file and where it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Relative virtual address.
    pub rva: u32,
    /// Where in the file.
    pub offset: u32,
    /// How many bytes.
    pub bytes: u32,
}

/// An image file that can be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What its headers say.
    pub headers: Headers,
    /// In the order of their addresses.
    pub sections: Vec<Section>,
    /// Bytes of the file.
    pub file_size: u32,
}

impl Image {
    /// Reads a file, all of which is in `file`, for a system of this machine
    /// (`IMAGE_FILE_MACHINE_`).
    ///
    /// # Errors
    /// As [`Headers::read`]; `INVALID_IMAGE_FORMAT` for another machine and for what cannot be mapped.
    pub fn parse(file: &[u8], machine: u16) -> Parsed<Self> {
        let file_size = u32::try_from(file.len()).or(bad(0, "the file is too large"))?;
        let headers = Headers::read(file)?;
        if headers.machine != machine {
            return bad(headers.pe + 4, "for another machine");
        }
        if headers.characteristics & EXECUTABLE == 0 {
            return bad(headers.pe + 22, "not linked to its end");
        }
        if headers.section_count > MAX_SECTIONS {
            return bad(headers.pe + 6, "too many sections");
        }
        let mut this = Self {
            headers,
            sections: Vec::new(),
            file_size,
        };
        this.check()?;
        for index in 0..headers.section_count {
            let at = headers.section_table + 40 * index;
            let section = parse_section(file, at)?;
            this.check_section(&section, at)?;
            this.sections.push(section);
        }
        Ok(this)
    }

    fn check(&self) -> Parsed<()> {
        let optional = self.headers.pe + 24;
        if !self.headers.file_alignment.is_power_of_two()
            || !(0x200..=0x1_0000).contains(&self.headers.file_alignment)
        {
            return bad(optional + 36, "the file alignment is wrong");
        }
        if !self.headers.section_alignment.is_power_of_two()
            || self.headers.section_alignment < PAGE
        {
            // Images with small alignment are drivers' business: user mode never maps them.
            return bad(optional + 32, "the section alignment is less than a page");
        }
        if !self.headers.image_base.is_multiple_of(0x1_0000) {
            return bad(
                optional + 32 - self.headers.word,
                "the image base is no multiple of 64 KB",
            );
        }
        if self.headers.size_of_image == 0 || self.headers.size_of_image > LARGEST {
            return bad(optional + 56, "the size of the image is wrong");
        }
        if self.headers.size_of_headers == 0
            || self.headers.size_of_headers > self.headers.size_of_image
            || self.headers.size_of_headers > self.file_size
        {
            return bad(optional + 60, "the size of the headers is wrong");
        }
        if self.headers.entry_point >= self.headers.size_of_image {
            return bad(optional + 16, "the entry point lies outside the image");
        }
        Ok(())
    }

    fn check_section(&self, section: &Section, at: usize) -> Parsed<()> {
        let next = self.sections.last().map_or(
            self.headers.size_of_headers.next_multiple_of(PAGE),
            |last| last.rva + last.span(),
        );
        if !section.rva.is_multiple_of(self.headers.section_alignment) || section.rva < next {
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
        if end.is_none_or(|end| end > self.headers.size_of_image.next_multiple_of(PAGE)) {
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
        self.headers.size_of_image.next_multiple_of(PAGE) as usize
    }

    /// What NtQuerySection tells of the image (spec 10.1).
    pub fn information(&self) -> SectionImageInformation {
        let code = self
            .sections
            .iter()
            .any(|section| section.characteristics & (SCN_CODE | SCN_EXECUTE) != 0);
        SectionImageInformation {
            transfer_address: narrowed(
                self.headers
                    .image_base
                    .wrapping_add(u64::from(self.headers.entry_point)),
            ),
            maximum_stack_size: narrowed(self.headers.stack_reserve),
            committed_stack_size: narrowed(self.headers.stack_commit),
            subsystem: ImageSubsystem(u32::from(self.headers.subsystem)),
            minor_version: self.headers.subsystem_version.1,
            major_version: self.headers.subsystem_version.0,
            image_characteristics: self.headers.characteristics,
            dll_characteristics: self.headers.dll_characteristics,
            machine: self.headers.machine,
            image_contains_code: u8::from(code),
            loader_flags: self.headers.loader_flags,
            image_file_size: self.file_size,
            ..SectionImageInformation::default()
        }
    }

    /// What of the file lies where: headers and sections.
    fn pieces(&self) -> impl Iterator<Item = Piece> {
        let headers = Piece {
            rva: 0,
            offset: 0,
            bytes: self.headers.size_of_headers,
        };
        let sections = self.sections.iter().map(|section| Piece {
            rva: section.rva,
            offset: section.raw_offset,
            bytes: section.raw_size.min(section.span()),
        });
        core::iter::once(headers).chain(sections)
    }

    /// What of the file lies in the page at this relative virtual address; the rest of it is zeros.
    pub fn pieces_of_page(&self, page: u32) -> impl Iterator<Item = Piece> {
        self.pieces().filter_map(move |piece| {
            let from = piece.rva.max(page);
            let to = (piece.rva + piece.bytes).min(page.saturating_add(PAGE));
            (from < to).then(|| Piece {
                rva: from,
                offset: piece.offset + (from - piece.rva),
                bytes: to - from,
            })
        })
    }

    /// The image as it lies in memory before relocation. `file` is the file that was parsed.
    pub fn layout(&self, file: &[u8]) -> Vec<u8> {
        let mut view = vec![0; self.span()];
        for piece in self.pieces() {
            let from = file
                .get(piece.offset as usize..piece.offset as usize + piece.bytes as usize)
                .unwrap_or_default();
            if let Some(to) = view.get_mut(piece.rva as usize..piece.rva as usize + from.len()) {
                to.copy_from_slice(from);
            }
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
