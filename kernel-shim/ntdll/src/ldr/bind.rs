// SPDX-License-Identifier: GPL-2.0-or-later
//! Imports and exports: which address a name has, and the import table filled with such addresses.

use super::image::{Image, directory};
use super::{load, module};
use alloc::vec::Vec;
use nt::{Status, UnicodeStr};

const BY_ORDINAL: u64 = 1 << 63;
/// An import descriptor: names, time stamp, forwarder chain, DLL name, addresses.
const DESCRIPTOR: usize = 20;
/// Forwarders that lead in a circle end here.
const MAXIMUM_DEPTH: usize = 16;

/// What is looked for in an export table.
#[derive(Clone, Copy)]
pub(crate) enum Symbol<'a> {
    /// By its name, with the place where it probably stands.
    Name(&'a [u8], usize),
    /// By its ordinal.
    Ordinal(u16),
}

/// The export table of an image.
struct Exports {
    image: Image,
    start: usize,
    end: usize,
    ordinal_base: u32,
    functions: (usize, usize),
    names: (usize, usize),
    ordinals: usize,
}

impl Exports {
    fn of(image: Image) -> Result<Option<Self>, Status> {
        let Some((start, size)) = image.directory(directory::EXPORT)? else {
            return Ok(None);
        };
        let word = |at: usize| image.read::<u32>(start + at);
        Ok(Some(Self {
            image,
            start,
            end: start
                .checked_add(size)
                .ok_or(Status::INVALID_IMAGE_FORMAT)?,
            ordinal_base: word(16)?,
            functions: (word(28)? as usize, word(20)? as usize),
            names: (word(32)? as usize, word(24)? as usize),
            ordinals: word(36)? as usize,
        }))
    }

    fn name(&self, index: usize) -> Result<&'static [u8], Status> {
        self.image
            .text(self.image.read::<u32>(self.names.0 + 4 * index)? as usize)
    }

    /// Index of a name in the table, which is sorted.
    fn position(&self, name: &[u8], hint: usize) -> Result<Option<usize>, Status> {
        if hint < self.names.1 && self.name(hint)? == name {
            return Ok(Some(hint));
        }
        let (mut low, mut high) = (0, self.names.1);
        while low < high {
            let middle = low.midpoint(high);
            match self.name(middle)?.cmp(name) {
                core::cmp::Ordering::Equal => return Ok(Some(middle)),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// RVA of what a symbol names; `None` if it is not exported.
    fn find(&self, symbol: Symbol<'_>) -> Result<Option<usize>, Status> {
        let index = match symbol {
            Symbol::Name(name, hint) => match self.position(name, hint)? {
                Some(position) => {
                    usize::from(self.image.read::<u16>(self.ordinals + 2 * position)?)
                }
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
        let rva = self.image.read::<u32>(self.functions.0 + 4 * index)? as usize;
        Ok((rva != 0).then_some(rva))
    }
}

/// The address that a module exports as `symbol`, forwarders followed. `ENTRYPOINT_NOT_FOUND` or
/// `ORDINAL_NOT_FOUND` if it does not.
pub(crate) fn export(index: usize, symbol: Symbol<'_>) -> Result<usize, Status> {
    resolve(index, symbol, 0)
}

fn resolve(index: usize, symbol: Symbol<'_>, depth: usize) -> Result<usize, Status> {
    let missing = match symbol {
        Symbol::Name(..) => Status::ENTRYPOINT_NOT_FOUND,
        Symbol::Ordinal(_) => Status::ORDINAL_NOT_FOUND,
    };
    let image = module::get(index).ok_or(Status::DLL_NOT_FOUND)?.image;
    let Some(exports) = Exports::of(image)? else {
        return Err(missing);
    };
    let rva = exports.find(symbol)?.ok_or(missing)?;
    if rva < exports.start || rva >= exports.end {
        return Ok(image.address(rva, 1)?.addr());
    }
    // An address inside the export table is the text `DLL.Name` or `DLL.#ordinal`.
    if depth == MAXIMUM_DEPTH {
        return Err(Status::INVALID_IMAGE_FORMAT);
    }
    let text = image.text(rva)?;
    let dot = text
        .iter()
        .position(|&byte| byte == b'.')
        .ok_or(Status::INVALID_IMAGE_FORMAT)?;
    let (dll, name) = text.split_at(dot);
    let name = name.get(1..).unwrap_or_default();
    let mut file = dll.to_vec();
    file.extend_from_slice(b".dll");
    let target = module_ascii(&file)?;
    let symbol = match name.strip_prefix(b"#") {
        Some(digits) => Symbol::Ordinal(ordinal(digits)?),
        None => Symbol::Name(name, usize::MAX),
    };
    resolve(target, symbol, depth + 1)
}

fn ordinal(digits: &[u8]) -> Result<u16, Status> {
    core::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(Status::INVALID_IMAGE_FORMAT)
}

/// The module of this file name, ready to be called into: loads it, and what it imports, if need be.
/// `DLL_NOT_FOUND` if there is none.
pub(crate) fn module(name: UnicodeStr<'_>) -> Result<usize, Status> {
    let index = load::module(name)?;
    imports(index)?;
    Ok(index)
}

fn module_ascii(name: &[u8]) -> Result<usize, Status> {
    let name: Vec<u16> = name.iter().map(|&byte| u16::from(byte)).collect();
    module(UnicodeStr(&name))
}

/// Fills the import table of a module, loading what it needs.
pub(crate) fn imports(index: usize) -> Result<(), Status> {
    let module = module::get(index).ok_or(Status::DLL_NOT_FOUND)?;
    if module.bound {
        return Ok(());
    }
    // Set first, so that DLLs which import each other do not go round for ever.
    module::update(index, |module| module.bound = true);
    let image = module.image;
    let Some((start, _)) = image.directory(directory::IMPORT)? else {
        return Ok(());
    };
    let mut at = start;
    loop {
        let name = image.read::<u32>(at + 12)? as usize;
        let addresses = image.read::<u32>(at + 16)? as usize;
        if name == 0 || addresses == 0 {
            return Ok(());
        }
        let names = image.read::<u32>(at)? as usize;
        let dll = image.text(name)?;
        let target =
            module_ascii(dll).inspect_err(|&status| report(module.name, dll, None, status))?;
        bind(
            image,
            if names == 0 { addresses } else { names },
            addresses,
            target,
        )
        .map_err(|(symbol, status)| {
            report(module.name, dll, symbol, status);
            status
        })?;
        at += DESCRIPTOR;
    }
}

type Missing = (Option<Symbol<'static>>, Status);

/// Fills the addresses of one imported DLL.
fn bind(image: Image, names: usize, addresses: usize, target: usize) -> Result<(), Missing> {
    let mut values = Vec::new();
    let format = |status| (None, status);
    loop {
        let entry: u64 = image.read(names + 8 * values.len()).map_err(format)?;
        if entry == 0 {
            break;
        }
        let symbol = if entry & BY_ORDINAL != 0 {
            Symbol::Ordinal(entry as u16)
        } else {
            let at = (entry & 0x7FFF_FFFF) as usize;
            Symbol::Name(
                image.text(at + 2).map_err(format)?,
                usize::from(image.read::<u16>(at).map_err(format)?),
            )
        };
        let value = export(target, symbol).map_err(|status| (Some(symbol), status))?;
        values.push(value as u64);
    }
    image.patch(addresses, &values).map_err(format)
}

/// Says which import of which module is missing.
fn report(importer: UnicodeStr<'_>, dll: &[u8], symbol: Option<Symbol<'_>>, status: Status) {
    let dll = core::str::from_utf8(dll).unwrap_or("?");
    match symbol {
        None => crate::debug::print(format_args!("LDR: {importer} needs {dll}: {status}\n")),
        Some(Symbol::Ordinal(ordinal)) => crate::debug::print(format_args!(
            "LDR: {importer} needs {dll}#{ordinal}: {status}\n"
        )),
        Some(Symbol::Name(name, _)) => {
            let name = core::str::from_utf8(name).unwrap_or("?");
            crate::debug::print(format_args!(
                "LDR: {importer} needs {dll}!{name}: {status}\n"
            ));
        }
    }
}
