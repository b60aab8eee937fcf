// SPDX-License-Identifier: GPL-2.0-or-later
//! The export table of an image: what a name or an ordinal stands for.

use super::{Headers, Parsed, Symbol, View, bad, directory, text_in, u16_in, u32_in};
use core::cmp::Ordering;

/// What an export leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A relative virtual address of the image.
    Address(usize),
    /// Another module's export: `DLL.Name` or `DLL.#ordinal`.
    Forwarder(&'a [u8]),
}

/// The export table of a view.
#[derive(Clone, Copy, Debug)]
pub struct Exports<V> {
    view: V,
    /// First and one past the last address of the table: what points between them is a forwarder.
    range: (usize, usize),
    ordinal_base: u32,
    functions: (usize, usize),
    names: (usize, usize),
    ordinals: usize,
}

impl<'a, V: View<'a>> Exports<V> {
    /// The table, if the image has one.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT` if it lies outside the image; so for all functions here.
    pub fn of(view: V, headers: &Headers) -> Parsed<Option<Self>> {
        let Some(table) = headers.directory(directory::EXPORT) else {
            return Ok(None);
        };
        let Some(end) = table.rva.checked_add(table.size) else {
            return bad(table.rva, "the exports lie outside the image");
        };
        let word = |at: usize| u32_in(view, table.rva + at);
        Ok(Some(Self {
            view,
            range: (table.rva, end),
            ordinal_base: word(16)?,
            functions: (word(28)? as usize, word(20)? as usize),
            names: (word(32)? as usize, word(24)? as usize),
            ordinals: word(36)? as usize,
        }))
    }

    fn name(&self, index: usize) -> Parsed<&'a [u8]> {
        let at = u32_in(self.view, self.names.0.saturating_add(4 * index))?;
        text_in(self.view, at as usize)
    }

    /// Index of a name in the table, which is sorted.
    fn position(&self, name: &[u8], hint: usize) -> Parsed<Option<usize>> {
        if hint < self.names.1 && self.name(hint)? == name {
            return Ok(Some(hint));
        }
        let (mut low, mut high) = (0, self.names.1);
        while low < high {
            let middle = low.midpoint(high);
            match self.name(middle)?.cmp(name) {
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// What a symbol leads to; none if it is not exported.
    pub fn find(&self, symbol: Symbol<'_>) -> Parsed<Option<Target<'a>>> {
        let index = match symbol {
            Symbol::Name(name, hint) => match self.position(name, hint)? {
                Some(at) => usize::from(u16_in(self.view, self.ordinals.saturating_add(2 * at))?),
                None => return Ok(None),
            },
            Symbol::Ordinal(ordinal) => match u32::from(ordinal).checked_sub(self.ordinal_base) {
                Some(index) => index as usize,
                None => return Ok(None),
            },
        };
        if index >= self.functions.1 {
            return Ok(None);
        }
        let rva = u32_in(self.view, self.functions.0.saturating_add(4 * index))? as usize;
        if rva == 0 {
            return Ok(None);
        }
        if (self.range.0..self.range.1).contains(&rva) {
            return text_in(self.view, rva).map(|text| Some(Target::Forwarder(text)));
        }
        Ok(Some(Target::Address(rva)))
    }
}
