// SPDX-License-Identifier: GPL-2.0-or-later
//! Base relocations: which addresses of an image change when it moves.

use super::{Headers, Parsed, View, bad, directory, u16_in, u32_in};

const HEADER: usize = 8;
const ABSOLUTE: u16 = 0;
const HIGHLOW: u16 = 3;
const DIR64: u16 = 10;

/// The relocations of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// RVA of the page.
    pub page: usize,
    /// RVA of the first entry, and of what follows the last.
    entries: (usize, usize),
    /// The kind of an entry, which is an address of the image's width.
    kind: u16,
}

/// The blocks of the table of an image, if it has one. An error is the last item.
pub fn relocation_blocks<'a, V: View<'a>>(
    view: V,
    headers: &Headers,
) -> Option<impl Iterator<Item = Parsed<Block>> + use<'a, V>> {
    let table = headers.directory(directory::RELOCATION)?;
    let kind = if headers.word == size_of::<u64>() {
        DIR64
    } else {
        HIGHLOW
    };
    let (mut at, end) = (table.rva, table.rva.saturating_add(table.size));
    Some(core::iter::from_fn(move || {
        if end.saturating_sub(at) < HEADER {
            return None;
        }
        let found = block(view, at, end, kind);
        at = found.as_ref().map_or(end, |block| block.entries.1);
        Some(found)
    }))
}

fn block<'a>(view: impl View<'a>, at: usize, end: usize, kind: u16) -> Parsed<Block> {
    let page = u32_in(view, at)? as usize;
    let bytes = u32_in(view, at + 4)? as usize;
    if bytes < HEADER || bytes > end - at {
        return bad(at, "a relocation block of wrong size");
    }
    let entries = (at + HEADER, at + bytes);
    Ok(Block {
        page,
        entries,
        kind,
    })
}

impl Block {
    /// RVAs of the addresses that move with the image.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT` for an entry of another kind, or one outside the image.
    pub fn targets<'a>(self, view: impl View<'a>) -> impl Iterator<Item = Parsed<usize>> {
        let (first, end) = self.entries;
        (first..end.saturating_sub(1))
            .step_by(2)
            .filter_map(move |at| {
                let entry = match u16_in(view, at) {
                    Ok(entry) => entry,
                    Err(error) => return Some(Err(error)),
                };
                match entry >> 12 {
                    ABSOLUTE => None,
                    kind if kind == self.kind => Some(Ok(self.page + usize::from(entry & 0xFFF))),
                    _ => Some(bad(at, "a relocation of another width")),
                }
            })
    }
}
