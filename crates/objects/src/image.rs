// SPDX-License-Identifier: GPL-2.0-or-later
//! A PE image as far as known DLLs need it: is it a DLL, and which DLLs does it import (spec 7.2
//! #7, #8).
//!
//! Pure: bytes in, names out. The bytes are an image section's view, in which a relative virtual
//! address is an index, or the file itself, in which the section headers say what is where. Every
//! offset is checked; bytes that contradict themselves are [`Malformed`]. Behind the headers of a
//! view nothing is looked at but what a readable section covers, because a view has no readable
//! bytes elsewhere.

/// The bytes are not a PE image, or contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// `IMAGE_FILE_DLL`.
const DLL: u16 = 0x2000;
const PE32: u16 = 0x10B;
const PE32_PLUS: u16 = 0x20B;
const IMPORT: usize = 1;
const DESCRIPTOR: usize = 20;
const SECTION_HEADER: usize = 40;
/// `IMAGE_SCN_MEM_EXECUTE`, `_READ` and `_WRITE`: each makes pages that can be read.
const READABLE: u32 = 0xE000_0000;
/// The longest name of an import that is looked at, in bytes; a longer one comes cut off one byte
/// behind it.
pub const MAX_NAME: usize = 259;

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
/// use objects::image::{Layout, Malformed, PeImage};
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
/// let imports: Result<Vec<&[u8]>, Malformed> = image.imports().collect();
/// assert_eq!(imports, Ok(vec![&b"gdi32.dll"[..], b"ntdll.dll"]));
/// assert!(PeImage::parse(&file[..0x50], Layout::File).is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PeImage<'a> {
    bytes: &'a [u8],
    layout: Layout,
    characteristics: u16,
    sections: &'a [u8],
    /// Relative virtual address of the import table; 0 if there is none.
    imports: u32,
}

impl<'a> PeImage<'a> {
    /// Looks at the headers.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(bytes: &'a [u8], layout: Layout) -> Result<Self, Malformed> {
        if bytes.get(..2) != Some(b"MZ") {
            return Err(Malformed);
        }
        let header = index(u32_at(bytes, 0x3C)?);
        if slice(bytes, header, 4)? != b"PE\0\0" {
            return Err(Malformed);
        }
        let sections = usize::from(u16_at(bytes, add(header, 6)?)?);
        let optional_size = usize::from(u16_at(bytes, add(header, 20)?)?);
        let characteristics = u16_at(bytes, add(header, 22)?)?;
        let optional_at = add(header, 24)?;
        let optional = slice(bytes, optional_at, optional_size)?;
        let directories = match u16_at(optional, 0)? {
            PE32 => 96,
            PE32_PLUS => 112,
            _ => return Err(Malformed),
        };
        let count = index(u32_at(optional, directories - 4)?);
        let imports = if count > IMPORT {
            u32_at(optional, directories + IMPORT * 8)?
        } else {
            0
        };
        let sections = slice(
            bytes,
            add(optional_at, optional_size)?,
            sections * SECTION_HEADER,
        )?;
        Ok(Self {
            bytes,
            layout,
            characteristics,
            sections,
            imports,
        })
    }

    /// Whether `IMAGE_FILE_DLL` is set.
    pub const fn is_dll(&self) -> bool {
        self.characteristics & DLL != 0
    }

    /// The names of the DLLs it imports, in the table's order. After [`Malformed`] nothing more
    /// comes.
    pub fn imports(&self) -> Imports<'a> {
        let rest = if self.imports == 0 {
            Ok(&[][..])
        } else {
            self.at(self.imports)
        };
        Imports { image: *self, rest }
    }

    /// What lies at a relative virtual address, to the end of its section.
    fn at(&self, address: u32) -> Result<&'a [u8], Malformed> {
        for section in self.sections.chunks_exact(SECTION_HEADER) {
            let (start, raw_size) = (u32_at(section, 12)?, u32_at(section, 16)?);
            let (size, at) = match self.layout {
                Layout::View if u32_at(section, 36)? & READABLE == 0 => continue,
                Layout::View => (u32_at(section, 8)?.max(raw_size), start),
                Layout::File => (raw_size, u32_at(section, 20)?),
            };
            if let Some(inside) = address.checked_sub(start)
                && inside < size
            {
                let from = add(index(at), index(inside))?;
                let rest = self.bytes.get(from..).ok_or(Malformed)?;
                return Ok(rest.get(..index(size - inside)).unwrap_or(rest));
            }
        }
        Err(Malformed)
    }
}

/// See [`PeImage::imports`].
#[derive(Clone, Debug)]
pub struct Imports<'a> {
    image: PeImage<'a>,
    /// The table from the next descriptor on; empty at the end.
    rest: Result<&'a [u8], Malformed>,
}

impl<'a> Imports<'a> {
    fn advance(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let table = self.rest?;
        if table.is_empty() {
            return Ok(None);
        }
        let (descriptor, rest) = table.split_at_checked(DESCRIPTOR).ok_or(Malformed)?;
        let name = u32_at(descriptor, 12)?;
        if name == 0 {
            self.rest = Ok(&[]);
            return Ok(None);
        }
        // A table that runs into the end of its section lacks its terminator.
        self.rest = if rest.is_empty() {
            Err(Malformed)
        } else {
            Ok(rest)
        };
        let text = self.image.at(name)?;
        let text = text.get(..=MAX_NAME).unwrap_or(text);
        let end = text
            .iter()
            .position(|&byte| byte == 0)
            .or((text.len() > MAX_NAME).then_some(text.len()))
            .ok_or(Malformed)?;
        text.get(..end).map(Some).ok_or(Malformed)
    }
}

impl<'a> Iterator for Imports<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.rest = Ok(&[]);
        }
        next.transpose()
    }
}

fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn add(left: usize, right: usize) -> Result<usize, Malformed> {
    left.checked_add(right).ok_or(Malformed)
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], Malformed> {
    bytes
        .get(at..)
        .and_then(|rest| rest.get(..length))
        .ok_or(Malformed)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Malformed> {
    slice(bytes, at, 2)?
        .try_into()
        .map(u16::from_le_bytes)
        .map_err(|_| Malformed)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    slice(bytes, at, 4)?
        .try_into()
        .map(u32::from_le_bytes)
        .map_err(|_| Malformed)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// A PE32+ image as its view shows it: one readable section at address 0x1000, which holds its
    /// import table.
    pub(crate) fn image(characteristics: u16, imports: &[&str]) -> Vec<u8> {
        let mut bytes = vec![0; 0x200];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3C] = 0x40;
        bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
        bytes[0x44..0x48].copy_from_slice(&[0x64, 0x86, 1, 0]);
        bytes[0x54] = 0xF0;
        bytes[0x56..0x58].copy_from_slice(&characteristics.to_le_bytes());
        bytes[0x58..0x5A].copy_from_slice(&PE32_PLUS.to_le_bytes());
        bytes[0x58 + 108] = 16;
        bytes[0x58 + 120..0x58 + 124].copy_from_slice(&0x1000u32.to_le_bytes());
        let section = 0x58 + 0xF0;
        bytes[section + 8..section + 12].copy_from_slice(&0x1000u32.to_le_bytes());
        bytes[section + 12..section + 16].copy_from_slice(&0x1000u32.to_le_bytes());
        bytes[section + 36..section + 40].copy_from_slice(&0x4000_0040u32.to_le_bytes());
        let mut table = vec![0; (imports.len() + 1) * DESCRIPTOR];
        for (number, name) in imports.iter().enumerate() {
            let at = u32::try_from(0x1000 + table.len()).unwrap();
            table[number * DESCRIPTOR + 12..][..4].copy_from_slice(&at.to_le_bytes());
            table.extend(name.bytes().chain([0]));
        }
        table.resize(0x1000, 0);
        bytes.resize(0x1000, 0);
        bytes.extend(table);
        bytes
    }

    #[test]
    fn imports_are_found_in_order() {
        let bytes = image(DLL, &["KERNEL32.dll", "ntdll.dll"]);
        let image = PeImage::parse(&bytes, Layout::View).unwrap();
        assert!(image.is_dll());
        let names: Vec<_> = image.imports().collect();
        assert_eq!(names, [Ok(&b"KERNEL32.dll"[..]), Ok(&b"ntdll.dll"[..])]);
    }

    #[test]
    fn in_a_file_the_section_headers_say_where_an_address_is() {
        let mut bytes = image(DLL, &["a.dll"]);
        let section = 0x58 + 0xF0;
        // The section's bytes follow the headers in the file, and it need not be readable.
        bytes.drain(0x200..0x1000);
        bytes[section + 16..section + 20].copy_from_slice(&0x1000u32.to_le_bytes());
        bytes[section + 20..section + 24].copy_from_slice(&0x200u32.to_le_bytes());
        bytes[section + 39] = 0;
        let image = PeImage::parse(&bytes, Layout::File).unwrap();
        let names: Vec<_> = image.imports().collect();
        assert_eq!(names, [Ok(&b"a.dll"[..])]);
    }

    #[test]
    fn an_executable_is_no_dll_and_no_import_table_is_no_error() {
        let mut bytes = image(0x0102, &[]);
        bytes[0x58 + 120..0x58 + 124].fill(0);
        let image = PeImage::parse(&bytes, Layout::View).unwrap();
        assert!(!image.is_dll());
        assert_eq!(image.imports().count(), 0);
    }

    #[test]
    fn what_is_no_pe_is_malformed() {
        assert_eq!(PeImage::parse(b"MZ", Layout::View).err(), Some(Malformed));
        assert_eq!(
            PeImage::parse(
                b"just a text that is somewhat longer than a DOS header would be....",
                Layout::File
            )
            .err(),
            Some(Malformed)
        );
    }

    #[test]
    fn an_import_table_outside_the_image_is_malformed() {
        let mut bytes = image(DLL, &["a.dll"]);
        bytes[0x58 + 120..0x58 + 124].copy_from_slice(&0x00FF_0000u32.to_le_bytes());
        let names: Vec<_> = PeImage::parse(&bytes, Layout::View)
            .unwrap()
            .imports()
            .collect();
        assert_eq!(names, [Err(Malformed)]);
    }

    #[test]
    fn what_lies_in_no_readable_section_is_not_looked_at() {
        let mut bytes = image(DLL, &["a.dll"]);
        bytes[0x58 + 0xF0 + 39] = 0;
        let names: Vec<_> = PeImage::parse(&bytes, Layout::View)
            .unwrap()
            .imports()
            .collect();
        assert_eq!(names, [Err(Malformed)]);
    }

    #[test]
    fn a_table_without_an_end_is_malformed() {
        let mut bytes = image(DLL, &["a.dll"]);
        let section = 0x58 + 0xF0;
        bytes[section + 8..section + 12].copy_from_slice(&20u32.to_le_bytes());
        let names: Vec<_> = PeImage::parse(&bytes, Layout::View)
            .unwrap()
            .imports()
            .collect();
        assert_eq!(names.last(), Some(&Err(Malformed)));
    }

    proptest! {
        #[test]
        fn any_change_of_an_image_ends_in_names_or_malformed(
            changes in prop::collection::vec((0x1000usize..0x1100, any::<u8>()), 0..40),
            headers in prop::collection::vec((0x3Cusize..0x180, any::<u8>()), 0..8),
            length in 0usize..0x2100,
        ) {
            let mut bytes = image(DLL, &["a.dll", "b.dll"]);
            for (at, value) in changes.into_iter().chain(headers) {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(length);
            for layout in [Layout::View, Layout::File] {
                let Ok(image) = PeImage::parse(&bytes, layout) else { continue };
                let names: Vec<_> = image.imports().collect();
                prop_assert!(names.len() <= bytes.len() / DESCRIPTOR + 1);
                prop_assert!(names.iter().flatten().all(|name| !name.contains(&0) && name.len() <= MAX_NAME + 1));
            }
        }

        #[test]
        fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            if let Ok(image) = PeImage::parse(&bytes, Layout::View) {
                prop_assert!(image.imports().count() <= bytes.len());
            }
        }
    }
}
