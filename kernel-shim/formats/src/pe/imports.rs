// SPDX-License-Identifier: GPL-2.0-or-later
//! The import table of an image: which modules it needs, and which symbols of each.

use super::{Headers, Parsed, Symbol, View, directory, text_in, u16_in, u32_in, word_in};

/// An import descriptor: lookup table, time stamp, forwarder chain, module name, addresses.
const DESCRIPTOR: usize = 20;

/// What one module is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import<'a> {
    /// The module's file name, as it is spelled.
    pub module: &'a [u8],
    /// RVA of the table that names the symbols.
    pub lookup: usize,
    /// RVA of the table that gets their addresses.
    pub addresses: usize,
}

/// The modules that an image imports from, in their order. An error is the last item.
pub fn imports<'a>(
    view: impl View<'a>,
    headers: &Headers,
) -> impl Iterator<Item = Parsed<Import<'a>>> {
    let table = headers.directory(directory::IMPORT);
    walk(table.map(|table| table.rva), DESCRIPTOR, move |at| {
        descriptor(view, at)
    })
}

/// The symbols of a lookup table ([`Import::lookup`]), in the order of their addresses. An error is
/// the last item.
pub fn symbols<'a, V: View<'a>>(
    view: V,
    headers: &Headers,
    lookup: usize,
) -> impl Iterator<Item = Parsed<Symbol<'a>>> + use<'a, V> {
    let word = headers.word;
    walk(Some(lookup), word, move |at| symbol(view, at, word))
}

/// The entries of a table that ends with an entry of zero, which `read` gives as none.
fn walk<T>(
    first: Option<usize>,
    step: usize,
    read: impl Fn(usize) -> Parsed<Option<T>>,
) -> impl Iterator<Item = Parsed<T>> {
    let mut next = first;
    core::iter::from_fn(move || {
        let at = next.take()?;
        let entry = read(at).transpose()?;
        if entry.is_ok() {
            next = at.checked_add(step);
        }
        Some(entry)
    })
}

fn descriptor<'a>(view: impl View<'a>, at: usize) -> Parsed<Option<Import<'a>>> {
    let word = |field: usize| u32_in(view, at.saturating_add(field));
    let (name, addresses) = (word(12)? as usize, word(16)? as usize);
    if name == 0 || addresses == 0 {
        return Ok(None);
    }
    let lookup = match word(0)? as usize {
        0 => addresses,
        lookup => lookup,
    };
    Ok(Some(Import {
        module: text_in(view, name)?,
        lookup,
        addresses,
    }))
}

fn symbol<'a>(view: impl View<'a>, at: usize, word: usize) -> Parsed<Option<Symbol<'a>>> {
    let entry = word_in(view, at, word)?;
    if entry == 0 {
        return Ok(None);
    }
    // Its highest bit.
    if entry >> (8 * word - 1) != 0 {
        return Ok(Some(Symbol::Ordinal(entry as u16)));
    }
    let at = (entry & 0x7FFF_FFFF) as usize;
    let hint = usize::from(u16_in(view, at)?);
    Ok(Some(Symbol::Name(text_in(view, at + 2)?, hint)))
}
