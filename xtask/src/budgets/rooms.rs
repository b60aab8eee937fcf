// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the image's code is: bytes by room, that is by crate, from the symbols of its debug file.
//!
//! A generic function counts for the room that defines it, and what is inlined for the room that calls
//! it. COFF symbols have no sizes: a function ends where the next symbol begins.

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol, SymbolKind};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of code by room, most first.
pub fn of(debug: &Path) -> Result<Vec<(String, u64)>> {
    let bytes = std::fs::read(debug).with_context(|| format!("cannot read {}", debug.display()))?;
    let image = object::File::parse(&*bytes)?;
    let mut symbols: Vec<_> = image.symbols().collect();
    symbols.sort_by_key(ObjectSymbol::address);
    let mut rooms = BTreeMap::<String, u64>::new();
    for pair in symbols.windows(2) {
        let [symbol, next] = pair else { continue };
        if symbol.kind() == SymbolKind::Text
            && let Ok(name) = symbol.name()
            && let Some(room) = room(&demangled(name))
        {
            *rooms.entry(room).or_default() += next.address() - symbol.address();
        }
    }
    let mut rooms: Vec<_> = rooms.into_iter().collect();
    rooms.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    Ok(rooms)
}

/// Where each function of an image begins, by its symbols and its exports, and what it is called.
pub fn functions(image: &object::File<'_>) -> Result<BTreeMap<u64, String>> {
    let mut functions = BTreeMap::new();
    for export in image.exports()? {
        let name = String::from_utf8_lossy(export.name()).into_owned();
        functions.insert(export.address(), name);
    }
    for symbol in image.symbols() {
        if symbol.kind() == SymbolKind::Text
            && let Ok(name) = symbol.name()
        {
            functions.insert(symbol.address(), demangled(name));
        }
    }
    Ok(functions)
}

fn demangled(name: &str) -> String {
    addr2line::demangle_auto(Cow::from(name), None).into_owned()
}

/// The crate that a function's demangled name begins with.
fn room(name: &str) -> Option<String> {
    let end = name.find("::")?;
    let before = name.get(..end)?;
    let begin = before
        .rfind(|one: char| !one.is_ascii_alphanumeric() && one != '_')
        .map_or(0, |at| at + 1);
    let room = before.get(begin..)?;
    (!room.is_empty()).then(|| room.to_owned())
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn a_function_is_in_the_room_that_its_name_begins_with() {
        for (name, wanted) in [
            ("nt::path::full_path", Some("nt")),
            (
                "<ntdll::Native as nt::system::files::Files>::rename",
                Some("ntdll"),
            ),
            ("boot::renames::process::<ntdll::Native>", Some("boot")),
            ("memcpy", None),
            ("<&[u8]>::get", None),
        ] {
            assert_eq!(room(name).as_deref(), wanted, "{name}");
        }
    }
}
