// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of known DLLs, which grows while it is walked: the registry's entries and whatever
//! those import (spec 7.2 #5, #7).
//!
//! An entry is a name and a file name. The same name with the same file is one entry; with another
//! file it takes that file as long as the walk has not come by, and is a new entry after that.

use nt::arena::{Span, TextArena};
use nt::pages::PageVec;
use nt::path::MAX_DOS;
use nt::system::Memory;
use nt::{Result, UnicodeBuf, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Row {
    name: Span,
    file: Span,
}

/// The list.
pub struct DllList<'s, S: Memory> {
    text: TextArena<'s, S>,
    rows: PageVec<'s, S, Row>,
    walked: usize,
}

impl<'s, S: Memory> DllList<'s, S> {
    /// An empty list.
    pub const fn new(system: &'s S) -> Self {
        Self {
            text: TextArena::new(system),
            rows: PageVec::new(system),
            walked: 0,
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn add(&mut self, name: UnicodeStr<'_>, file: UnicodeStr<'_>) -> Result<()> {
        let mut ahead = None;
        for (index, row) in self.rows.as_slice().iter().enumerate() {
            if self.text.get(row.name).eq_ignore_case(name) {
                if self.text.get(row.file).eq_ignore_case(file) {
                    return Ok(());
                }
                ahead = Some(index).filter(|&index| index >= self.walked);
            }
        }
        let file = self.text.add(file)?;
        if let Some(row) = ahead.and_then(|index| self.rows.as_mut_slice().get_mut(index)) {
            row.file = file;
            return Ok(());
        }
        let name = self.text.add(name)?;
        self.rows.push(Row { name, file })
    }

    /// Adds what an image imports: its name is the text before the first `.`. `ntdll.dll` is in
    /// every process anyway, and a name longer than a path names nothing.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn add_import(&mut self, import: &[u8]) -> Result<()> {
        if import.eq_ignore_ascii_case(b"ntdll.dll") || import.len() > crate::image::MAX_NAME {
            return Ok(());
        }
        let mut file = UnicodeBuf::<MAX_DOS>::new();
        import
            .iter()
            .try_for_each(|&byte| file.push_unit(u16::from(byte)))?;
        let file = file.as_str();
        self.add(file.take(file.find(b'.').unwrap_or(file.len())), file)
    }

    /// Name and file of the next entry that the walk has not come by.
    pub fn next_entry(&mut self) -> Option<(UnicodeStr<'_>, UnicodeStr<'_>)> {
        let row = self.rows.as_slice().get(self.walked).copied()?;
        self.walked += 1;
        Some((self.text.get(row.name), self.text.get(row.file)))
    }
}
