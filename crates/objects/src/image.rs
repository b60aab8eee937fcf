// SPDX-License-Identifier: GPL-2.0-or-later
//! A PE image as far as known DLLs need it: is it a DLL, and which DLLs does it import (spec 7.2
//! #7, #8).
//!
//! Nothing is written and nothing is asked of the kernel but bytes. They come from an image
//! section's view, in which a relative virtual address is an index, or are the file itself, in
//! which the section headers say what is where. Every offset is checked; bytes that contradict
//! themselves are [`Unusable::Malformed`]. Behind the headers of a view nothing is looked at but
//! what a readable section covers, because a view has no readable bytes elsewhere.

use core::ops::Deref;
use nt::Status;
use nt::system::View;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, FromZeros, IntoBytes, transmute};

/// Why an image says nothing, or nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The bytes are not a PE image, or contradict themselves.
    Malformed,
    /// Its file cannot be read, for this reason.
    Unreadable(Status),
}

/// `IMAGE_FILE_DLL`.
const DLL: u16 = 0x2000;
const PE32: u16 = 0x10B;
const PE32_PLUS: u16 = 0x20B;
const IMPORT: u32 = 1;
const DESCRIPTOR: usize = 20;
const SECTION_HEADER: usize = size_of::<SectionHeader>();
/// `IMAGE_SCN_MEM_EXECUTE`, `_READ` and `_WRITE`: each makes pages that can be read.
const READABLE: u32 = 0xE000_0000;
/// The longest name of an import that is looked at, in bytes; a longer one comes cut off one byte
/// behind it.
pub const MAX_NAME: usize = 259;

/// Bytes of a name that are read at once, if they are of one page: what lies behind a name's end and
/// cannot be read does not count.
const PIECE: usize = 32;
const PAGE: usize = 4096;

/// A short name as a number, zeros behind it: two of them are compared at once.
pub type Spelling = u128;

/// The name of an import, as it stands in the image: no text that is known to be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; MAX_NAME + 1],
    length: usize,
    spelling: Option<Spelling>,
}

impl Name {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            bytes: [0; MAX_NAME + 1],
            length: 0,
            spelling: None,
        }
    }

    /// These bytes, or the first of them.
    #[cfg(test)]
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut name = Self::new();
        name.length = text.len().min(name.bytes.len());
        name.bytes[..name.length].copy_from_slice(&text[..name.length]);
        let short = name.bytes.first_chunk().and_then(spelled);
        name.spelling = short.map(|(spelling, _)| spelling);
        name
    }

    /// Its spelling, if it has fewer bytes than that.
    pub const fn spelling(&self) -> Option<Spelling> {
        self.spelling
    }
}

/// The spelling of what stands before the first zero, and how many bytes that is.
fn spelled(bytes: &[u8; size_of::<Spelling>()]) -> Option<(Spelling, usize)> {
    let mut spelling = [0; 4];
    let (words, _) = bytes.as_chunks::<4>();
    for (index, (place, &word)) in spelling.iter_mut().zip(words).enumerate() {
        let word = u32::from_le_bytes(word);
        // The top bit of each byte that is zero, and of none before the first of these.
        let zeros = word.wrapping_sub(0x0101_0101) & !word & 0x8080_8080;
        if zeros != 0 {
            let end = zeros.trailing_zeros() / 8;
            *place = word & !(u32::MAX << (8 * end));
            return Some((transmute!(spelling), 4 * index + end as usize));
        }
        *place = word;
    }
    None
}

impl Default for Name {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Name {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The signature `PE` and `IMAGE_FILE_HEADER`.
#[derive(Clone, Copy, FromBytes, IntoBytes)]
#[repr(C)]
struct FileHeader {
    signature: [u8; 4],
    machine: U16,
    sections: U16,
    of_object_files: [u8; 12],
    optional_size: U16,
    characteristics: U16,
}

/// `IMAGE_SECTION_HEADER`.
#[derive(Clone, Copy, FromBytes, IntoBytes)]
#[repr(C)]
struct SectionHeader {
    name: [u8; 8],
    size: U32,
    address: U32,
    raw_size: U32,
    raw_at: U32,
    of_object_files: [u8; 12],
    characteristics: U32,
}

const _: () = assert!(SECTION_HEADER == 40);

/// How an image's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As its section's view shows them.
    View,
    /// As they stand in its file.
    File,
}

/// A PE image whose headers are in order.
///
/// ```
/// use formats::pe::build::ImageFile;
/// use objects::image::{Layout, Name, PeImage};
///
/// let file = ImageFile {
///     name: "user32.dll",
///     dll: true,
///     imports: &[("gdi32.dll", "BitBlt"), ("ntdll.dll", "NtClose")],
///     ..ImageFile::default()
/// }
/// .bytes();
///
/// let image = PeImage::parse(&file, Layout::File).expect("the headers are in order");
/// assert!(image.is_dll());
/// let (mut imports, mut name) = (image.imports(), Name::new());
/// assert_eq!(imports.read_next(&mut name), Ok(true));
/// assert_eq!(*name, *b"gdi32.dll");
/// assert!(PeImage::parse(&&file[..0x50], Layout::File).is_err());
/// ```
#[derive(Clone, Copy)]
pub struct PeImage<'a> {
    bytes: &'a dyn View,
    layout: Layout,
    characteristics: u16,
    /// Where the section table is, and how many sections it has.
    sections: (usize, u16),
    /// Relative virtual address of the import table; 0 if there is none.
    imports: u32,
}

impl<'a> PeImage<'a> {
    /// Looks at the headers.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn parse(bytes: &'a dyn View, layout: Layout) -> Result<Self, Unusable> {
        if read::<[u8; 2]>(bytes, 0)? != *b"MZ" {
            return Err(Unusable::Malformed);
        }
        let at = index(u32_at(bytes, 0x3C)?);
        let header: FileHeader = read(bytes, at)?;
        if header.signature != *b"PE\0\0" {
            return Err(Unusable::Malformed);
        }
        let optional = add(at, size_of::<FileHeader>())?;
        let optional_size = usize::from(header.optional_size.get());
        // Nothing of the optional header is looked at that does not belong to it.
        let inside = |at: usize, size: usize| {
            (at + size <= optional_size)
                .then_some(at)
                .ok_or(Unusable::Malformed)
                .and_then(|at| add(optional, at))
        };
        let directories = match u16_at(bytes, inside(0, 2)?)? {
            PE32 => 96,
            PE32_PLUS => 112,
            _ => return Err(Unusable::Malformed),
        };
        let count = u32_at(bytes, inside(directories - 4, 4)?)?;
        let imports = if count > IMPORT {
            u32_at(bytes, inside(directories + index(IMPORT) * 8, 4)?)?
        } else {
            0
        };
        let sections = (add(optional, optional_size)?, header.sections.get());
        let table = usize::from(sections.1) * SECTION_HEADER;
        if let Some(last) = add(sections.0, table)?.checked_sub(1) {
            // Then all of it is there.
            read::<u8>(bytes, last)?;
        }
        Ok(Self {
            bytes,
            layout,
            characteristics: header.characteristics.get(),
            sections,
            imports,
        })
    }

    /// Whether `IMAGE_FILE_DLL` is set.
    pub const fn is_dll(&self) -> bool {
        self.characteristics & DLL != 0
    }

    /// The names of the DLLs it imports, in the table's order. After [`Unusable`] nothing more comes.
    pub fn imports(&self) -> Imports<'a> {
        let mut imports = Imports {
            image: *self,
            section: Section::default(),
            rest: Ok(None),
        };
        if self.imports != 0 {
            imports.rest = imports.at(self.imports).map(Some);
        }
        imports
    }

    /// The section with this relative virtual address.
    fn section(&self, address: u32) -> Result<Section, Unusable> {
        let (mut table, count) = self.sections;
        let mut header = SectionHeader::new_zeroed();
        for _ in 0..count {
            fill(self.bytes, table, header.as_mut_bytes())?;
            table = add(table, SECTION_HEADER)?;
            let (start, raw_size) = (header.address.get(), header.raw_size.get());
            let (size, at) = match self.layout {
                Layout::View if header.characteristics.get() & READABLE == 0 => continue,
                Layout::View => (header.size.get().max(raw_size), start),
                Layout::File => (raw_size, header.raw_at.get()),
            };
            let section = Section { start, size, at };
            if section.from(address).is_some() {
                return Ok(section);
            }
        }
        Err(Unusable::Malformed)
    }
}

/// What the section headers say of a section that can be looked at.
#[derive(Clone, Copy, Default)]
struct Section {
    /// The first relative virtual address, and how many there are.
    start: u32,
    size: u32,
    /// Where the first is, in the view or the file.
    at: u32,
}

impl Section {
    /// What lies from a relative virtual address on, if it is in the section.
    fn from(self, address: u32) -> Option<Run> {
        let inside = address.checked_sub(self.start)?;
        let bytes = self.size.checked_sub(inside)?;
        (bytes != 0).then_some(())?;
        Some(Run {
            at: index(self.at).checked_add(index(inside))?,
            bytes: index(bytes),
        })
    }
}

/// A stretch of an image that belongs to one section.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Where it begins in the view or the file.
    at: usize,
    bytes: usize,
}

impl Run {
    /// How many bytes are read at once.
    fn piece(self) -> usize {
        PIECE.min(PAGE - self.at % PAGE).min(self.bytes)
    }

    /// The run behind the first `bytes` bytes; `None` if it does not have as many.
    fn skip(self, bytes: usize) -> Option<Self> {
        Some(Self {
            at: self.at.checked_add(bytes)?,
            bytes: self.bytes.checked_sub(bytes)?,
        })
    }
}

/// See [`PeImage::imports`].
#[derive(Clone)]
pub struct Imports<'a> {
    image: PeImage<'a>,
    /// Where something was found last: the table and its names are in one section, usually.
    section: Section,
    /// The table from the next descriptor on; nothing at the end.
    rest: Result<Option<Run>, Unusable>,
}

impl Imports<'_> {
    /// Puts the next name into `name`; false if there is none more. Like the iterator, without a copy of
    /// each name on its way.
    ///
    /// # Errors
    /// [`Unusable`], after which nothing more comes.
    pub fn read_next(&mut self, name: &mut Name) -> Result<bool, Unusable> {
        let next = self.advance(name);
        if next.is_err() {
            self.rest = Ok(None);
        }
        next
    }

    /// What lies at a relative virtual address, to the end of its section.
    fn at(&mut self, address: u32) -> Result<Run, Unusable> {
        if let Some(run) = self.section.from(address) {
            return Ok(run);
        }
        self.section = self.image.section(address)?;
        self.section.from(address).ok_or(Unusable::Malformed)
    }

    fn advance(&mut self, into: &mut Name) -> Result<bool, Unusable> {
        let Some(table) = self.rest? else {
            return Ok(false);
        };
        let rest = table.skip(DESCRIPTOR).ok_or(Unusable::Malformed)?;
        let name = u32_at(self.image.bytes, add(table.at, 12)?)?;
        if name == 0 {
            self.rest = Ok(None);
            return Ok(false);
        }
        // A table that runs into the end of its section lacks its terminator.
        self.rest = if rest.bytes == 0 {
            Err(Unusable::Malformed)
        } else {
            Ok(Some(rest))
        };
        self.name(name, into).map(|()| true)
    }

    /// The text at a relative virtual address, up to its NUL or the most that is looked at.
    fn name(&mut self, address: u32, name: &mut Name) -> Result<(), Unusable> {
        let run = self.at(address)?;
        let piece = name.bytes.get_mut(..run.piece()).unwrap_or_default();
        fill(self.image.bytes, run.at, piece)?;
        match piece.first_chunk().and_then(spelled) {
            Some((spelling, length)) => {
                (name.length, name.spelling) = (length, Some(spelling));
                Ok(())
            }
            None => self.long_name(run, name),
        }
    }

    /// The same of a name without a spelling.
    #[inline(never)]
    fn long_name(&self, mut run: Run, name: &mut Name) -> Result<(), Unusable> {
        (name.length, name.spelling) = (0, None);
        while run.bytes != 0 {
            let rest = name.bytes.get_mut(name.length..).unwrap_or_default();
            let length = run.piece().min(rest.len());
            let piece = rest.get_mut(..length).unwrap_or_default();
            fill(self.image.bytes, run.at, piece)?;
            let end = piece.iter().position(|&byte| byte == 0);
            name.length += end.unwrap_or(length);
            if end.is_some() || length == rest.len() {
                return Ok(());
            }
            run = run.skip(length).ok_or(Unusable::Malformed)?;
        }
        Err(Unusable::Malformed)
    }
}

impl Iterator for Imports<'_> {
    type Item = Result<Name, Unusable>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut name = Name::new();
        match self.read_next(&mut name) {
            Ok(more) => more.then_some(Ok(name)),
            Err(unusable) => Some(Err(unusable)),
        }
    }
}

fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn add(left: usize, right: usize) -> Result<usize, Unusable> {
    left.checked_add(right).ok_or(Unusable::Malformed)
}

/// What is not in the view or the file, the image should not have named.
fn read<T: FromBytes + IntoBytes>(bytes: &dyn View, at: usize) -> Result<T, Unusable> {
    let mut value = T::new_zeroed();
    fill(bytes, at, value.as_mut_bytes())?;
    Ok(value)
}

fn fill(bytes: &dyn View, at: usize, buffer: &mut [u8]) -> Result<(), Unusable> {
    match bytes.read(at, buffer) {
        Ok(()) => Ok(()),
        Err(Status::ACCESS_VIOLATION) => Err(Unusable::Malformed),
        Err(status) => Err(Unusable::Unreadable(status)),
    }
}

fn u16_at(bytes: &dyn View, at: usize) -> Result<u16, Unusable> {
    read(bytes, at).map(U16::get)
}

fn u32_at(bytes: &dyn View, at: usize) -> Result<u32, Unusable> {
    read(bytes, at).map(U32::get)
}

#[cfg(test)]
mod tests;
