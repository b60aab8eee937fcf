// SPDX-License-Identifier: GPL-2.0-or-later
//! A PE image as far as known DLLs need it: is it a DLL, and which DLLs does it import (spec 7.2
//! #7, #8).
//!
//! Nothing is written and nothing is asked of the kernel but bytes. They come from an image
//! section's view, in which a relative virtual address is an index and which knows itself what of it
//! can be read, or are the file itself, in which the section headers say what is where. Every offset
//! is checked; bytes that contradict themselves are [`MALFORMED`].

use core::ops::Deref;
use nt::system::View;
use nt::{Result, Status};
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, FromZeros, IntoBytes, transmute};

/// The bytes are not a PE image, or contradict themselves: what an image should not have named is not in
/// its view. Any other status is why its file cannot be read.
pub const MALFORMED: Status = Status::ACCESS_VIOLATION;

/// `IMAGE_FILE_DLL`.
const DLL: u16 = 0x2000;
const PE32: u16 = 0x10B;
const PE32_PLUS: u16 = 0x20B;
const IMPORT: u32 = 1;
const DESCRIPTOR: usize = size_of::<Descriptor>();
const SECTION_HEADER: usize = size_of::<SectionHeader>();
/// The longest name of an import that is looked at, in bytes; a longer one comes cut off one byte
/// behind it.
pub const MAX_NAME: usize = 259;

/// Descriptors that are read at once, and bytes of a long name, if they are of one page: what lies
/// behind the end and cannot be read does not count.
const BATCH: usize = 8;
const PIECE: usize = 32;
const PAGE: usize = 4096;

/// A short name as a number, zeros behind it: two of them are compared at once. 0 is no spelling.
pub type Spelling = u128;

/// The name of an import, as it stands in the image: no text that is known to be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; MAX_NAME + 1],
    length: usize,
    spelling: [u32; 4],
}

impl Name {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            bytes: [0; MAX_NAME + 1],
            length: 0,
            spelling: [0; 4],
        }
    }

    /// These bytes, or the first of them.
    #[cfg(test)]
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut name = Self::new();
        let length = text.len().min(name.bytes.len());
        name.bytes[..length].copy_from_slice(&text[..length]);
        if !name.spell() {
            name.length = length;
        }
        name
    }

    /// Its spelling, if it has fewer bytes than that.
    pub const fn spelling(&self) -> Spelling {
        transmute!(self.spelling)
    }

    /// Takes what stands in front of the first zero for the name; false, and no spelling, if none is
    /// among as many bytes as a spelling has.
    fn spell(&mut self) -> bool {
        self.spelling = [0; 4];
        let (words, _) = self.bytes.as_chunks::<4>();
        for (index, (place, &word)) in self.spelling.iter_mut().zip(words).enumerate() {
            let word = u32::from_le_bytes(word);
            // The top bit of each byte that is zero, and of none before the first of these.
            let zeros = word.wrapping_sub(0x0101_0101) & !word & 0x8080_8080;
            if zeros != 0 {
                let end = zeros.trailing_zeros() / 8;
                *place = word & !(u32::MAX << (8 * end));
                self.length = 4 * index + end as usize;
                return true;
            }
            *place = word;
        }
        self.spelling = [0; 4];
        false
    }
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

/// `IMAGE_DOS_HEADER`.
#[derive(FromBytes, IntoBytes)]
#[repr(C)]
struct DosHeader {
    signature: [u8; 2],
    of_dos: [u8; 58],
    new_header: U32,
}

/// The signature `PE`, `IMAGE_FILE_HEADER`, and the word that the optional header begins with.
#[derive(FromBytes, IntoBytes)]
#[repr(C)]
struct FileHeader {
    signature: [u8; 4],
    machine: U16,
    sections: U16,
    of_object_files: [u8; 12],
    optional_size: U16,
    characteristics: U16,
    magic: U16,
}

/// The end of the optional header: how many directories there are, and of these the first two.
#[derive(FromBytes, IntoBytes)]
#[repr(C)]
struct Directories {
    count: U32,
    exports: [U32; 2],
    imports: U32,
}

/// `IMAGE_SECTION_HEADER`.
#[derive(FromBytes, IntoBytes)]
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

/// `IMAGE_IMPORT_DESCRIPTOR`.
#[derive(Clone, Copy, FromBytes, IntoBytes)]
#[repr(C)]
struct Descriptor {
    of_binding: [u8; 12],
    name: U32,
    addresses: U32,
}

const _: () = assert!(SECTION_HEADER == 40 && DESCRIPTOR == 20);

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
/// use objects::image::{Layout, PeImage, Place};
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
/// let mut place = Place::new();
/// let mut names = Vec::new();
/// let walked: nt::Result<()> = image.imports(&mut place, |name| {
///     names.push(name.to_vec());
///     Ok(())
/// });
/// assert_eq!((walked, &names[0][..]), (Ok(()), &b"gdi32.dll"[..]));
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
    /// [`MALFORMED`], or why the file cannot be read.
    pub fn parse(bytes: &'a dyn View, layout: Layout) -> Result<Self> {
        let dos: DosHeader = read(bytes, 0)?;
        let at = index(dos.new_header.get());
        if dos.signature != *b"MZ" {
            return Err(MALFORMED);
        }
        let header: FileHeader = read(bytes, at)?;
        if header.signature != *b"PE\0\0" {
            return Err(MALFORMED);
        }
        let optional = add(at, size_of::<FileHeader>() - size_of::<U16>())?;
        let size = usize::from(header.optional_size.get());
        let before = match header.magic.get() {
            PE32 => 92,
            PE32_PLUS => 108,
            _ => return Err(MALFORMED),
        };
        // Nothing of the optional header is looked at that does not belong to it.
        let have = size.checked_sub(before).ok_or(MALFORMED)?;
        let mut directories = Directories::new_zeroed();
        let there = directories.as_mut_bytes();
        let there = there.get_mut(..have.min(size_of::<Directories>()));
        bytes.read(add(optional, before)?, there.unwrap_or_default())?;
        let (imports, needed) = if directories.count.get() > IMPORT {
            (directories.imports.get(), size_of::<Directories>())
        } else {
            (0, size_of::<U32>())
        };
        if have < needed {
            return Err(MALFORMED);
        }
        Ok(Self {
            bytes,
            layout,
            characteristics: header.characteristics.get(),
            sections: (add(optional, size)?, header.sections.get()),
            imports,
        })
    }

    /// Whether `IMAGE_FILE_DLL` is set.
    pub const fn is_dll(&self) -> bool {
        self.characteristics & DLL != 0
    }

    /// Shows the names of the DLLs it imports, in the table's order.
    ///
    /// # Errors
    /// [`MALFORMED`], why the file cannot be read, or what `visit` says.
    pub fn imports<E: From<Status>>(
        &self,
        place: &mut Place,
        mut visit: impl FnMut(&Name) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.imports == 0 {
            return Ok(());
        }
        let mut table = self.at(self.imports)?;
        loop {
            // As many descriptors as there are on a page, one at least. A table that runs into the end of
            // its section lacks its terminator.
            let count = (table.piece(BATCH * DESCRIPTOR) / DESCRIPTOR).max(1);
            let rest = table.skip(count * DESCRIPTOR).ok_or(MALFORMED)?;
            let descriptors = place.table.get_mut(..count).unwrap_or_default();
            self.bytes.read(table.at, descriptors.as_mut_bytes())?;
            for descriptor in descriptors {
                let name = descriptor.name.get();
                if name == 0 {
                    return Ok(());
                }
                self.read_name(name, &mut place.name)?;
                visit(&place.name)?;
            }
            table = rest;
        }
    }

    /// What lies at a relative virtual address.
    fn at(&self, address: u32) -> Result<Run> {
        match self.layout {
            Layout::View => Ok(Run {
                at: index(address),
                bytes: usize::MAX,
            }),
            Layout::File => self.in_section(address),
        }
    }

    /// The same in a file, to the end of the section.
    #[inline(never)]
    fn in_section(&self, address: u32) -> Result<Run> {
        let (mut table, count) = self.sections;
        for _ in 0..count {
            let header: SectionHeader = read(self.bytes, table)?;
            table = add(table, SECTION_HEADER)?;
            let inside = address.checked_sub(header.address.get());
            let run = inside.and_then(|inside| {
                Run {
                    at: index(header.raw_at.get()),
                    bytes: index(header.raw_size.get()),
                }
                .skip(index(inside))
            });
            if let Some(run) = run.filter(|run| run.bytes != 0) {
                return Ok(run);
            }
        }
        Err(MALFORMED)
    }

    /// The text at a relative virtual address, up to its NUL or the most that is looked at.
    fn read_name(&self, address: u32, name: &mut Name) -> Result<()> {
        let run = self.at(address)?;
        let piece = run.piece(size_of::<Spelling>());
        let piece = name.bytes.get_mut(..piece).unwrap_or_default();
        self.bytes.read(run.at, piece)?;
        // What is behind a shorter piece is of another name.
        if piece.len() == size_of::<Spelling>() && name.spell() {
            Ok(())
        } else {
            self.read_long_name(run, name)
        }
    }

    /// The same of a name without a spelling.
    #[inline(never)]
    fn read_long_name(&self, mut run: Run, name: &mut Name) -> Result<()> {
        (name.length, name.spelling) = (0, [0; 4]);
        while run.bytes != 0 {
            let rest = name.bytes.get_mut(name.length..).unwrap_or_default();
            let length = run.piece(PIECE).min(rest.len());
            let piece = rest.get_mut(..length).unwrap_or_default();
            self.bytes.read(run.at, piece)?;
            let end = piece.iter().position(|&byte| byte == 0);
            name.length += end.unwrap_or(length);
            if end.is_some() || length == rest.len() {
                return Ok(());
            }
            run = run.skip(length).ok_or(MALFORMED)?;
        }
        Err(MALFORMED)
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
    /// How many bytes of it are read at once, of `most`.
    fn piece(self, most: usize) -> usize {
        most.min(PAGE - self.at % PAGE).min(self.bytes)
    }

    /// The run behind the first `bytes` bytes; `None` if it does not have as many.
    fn skip(self, bytes: usize) -> Option<Self> {
        Some(Self {
            at: self.at.checked_add(bytes)?,
            bytes: self.bytes.checked_sub(bytes)?,
        })
    }
}

/// Where imports are read to. It is large, and so there is one for all images of a walk.
pub struct Place {
    table: [Descriptor; BATCH],
    name: Name,
}

impl Place {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            table: FromZeros::new_zeroed(),
            name: Name::new(),
        }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn add(left: usize, right: usize) -> Result<usize> {
    left.checked_add(right).ok_or(MALFORMED)
}

fn read<T: FromBytes + IntoBytes>(bytes: &dyn View, at: usize) -> Result<T> {
    let mut value = T::new_zeroed();
    bytes.read(at, value.as_mut_bytes())?;
    Ok(value)
}

#[cfg(test)]
mod tests;
