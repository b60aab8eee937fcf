// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of known DLLs, which grows while it is walked: the registry's entries and whatever those import (spec 7.2 #5, #7).
//!
//! An entry is a name and a file name. The same name with the same file is one entry; with another file it takes that file as long as
//! the walk has not come by, and is a new entry after that.

use nt::pages::PageVec;
use nt::path::MAX_DOS;
use nt::system::Memory;
use nt::{Result, Status, UnicodeBuf, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Row {
    name_at: u32,
    name_length: u32,
    file_at: u32,
    file_length: u32,
}

/// The list.
pub struct DllList<'s, S: Memory> {
    text: PageVec<'s, S, u16>,
    rows: PageVec<'s, S, Row>,
    walked: usize,
}

impl<'s, S: Memory> DllList<'s, S> {
    /// An empty list.
    pub const fn new(system: &'s S) -> Self {
        Self { text: PageVec::new(system), rows: PageVec::new(system), walked: 0 }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn add(&mut self, name: UnicodeStr<'_>, file: UnicodeStr<'_>) -> Result<()> {
        let known = self.rows.as_slice().iter().position(|row| self.name(row).eq_ignore_case(name));
        let same = known.and_then(|index| self.rows.as_slice().get(index)).is_some_and(|row| self.file(row).eq_ignore_case(file));
        if same
            || self
                .rows
                .as_slice()
                .iter()
                .take(self.walked)
                .any(|row| self.name(row).eq_ignore_case(name) && self.file(row).eq_ignore_case(file))
        {
            return Ok(());
        }
        let (file_at, file_length) = self.copy(file)?;
        if let Some(row) = known.filter(|&index| index >= self.walked).and_then(|index| self.rows.as_mut_slice().get_mut(index)) {
            (row.file_at, row.file_length) = (file_at, file_length);
            return Ok(());
        }
        let (name_at, name_length) = self.copy(name)?;
        self.rows.push(Row { name_at, name_length, file_at, file_length })
    }

    /// Adds what an image imports: its name is the text before the first `.`. `ntdll.dll` is in every process anyway, and a name longer
    /// than a path names nothing.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn add_import(&mut self, import: &[u8]) -> Result<()> {
        if import.eq_ignore_ascii_case(b"ntdll.dll") || import.len() > crate::image::MAX_NAME {
            return Ok(());
        }
        let mut file = UnicodeBuf::<MAX_DOS>::new();
        import.iter().try_for_each(|&byte| file.push_unit(u16::from(byte)))?;
        let file = file.as_str();
        self.add(file.take(file.find(b'.').unwrap_or(file.len())), file)
    }

    /// Name and file of the next entry that the walk has not come by. A file name too long for a path is passed over with
    /// `NAME_TOO_LONG`.
    pub fn next_entry(&mut self) -> Option<(UnicodeStr<'_>, Result<UnicodeBuf<MAX_DOS>>)> {
        let row = self.rows.as_slice().get(self.walked).copied()?;
        self.walked += 1;
        Some((self.name(&row), UnicodeBuf::copied(self.file(&row))))
    }

    fn copy(&mut self, text: UnicodeStr<'_>) -> Result<(u32, u32)> {
        let at = u32::try_from(self.text.len()).map_err(|_| Status::NO_MEMORY)?;
        let length = u32::try_from(text.len()).map_err(|_| Status::NO_MEMORY)?;
        self.text.extend(text.units())?;
        Ok((at, length))
    }

    fn name(&self, row: &Row) -> UnicodeStr<'_> {
        self.at(row.name_at, row.name_length)
    }

    fn file(&self, row: &Row) -> UnicodeStr<'_> {
        self.at(row.file_at, row.file_length)
    }

    fn at(&self, at: u32, length: u32) -> UnicodeStr<'_> {
        match (usize::try_from(at), usize::try_from(length)) {
            (Ok(at), Ok(length)) => self.text.as_str().skip(at).take(length),
            _ => UnicodeStr::EMPTY,
        }
    }
}
