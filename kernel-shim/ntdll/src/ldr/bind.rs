// SPDX-License-Identifier: GPL-2.0-or-later
//! Imports and exports: which address a name has, and the import table filled with such addresses.

use super::image::{Image, parsed};
use super::{load, module};
use alloc::vec::Vec;
pub(crate) use formats::pe::Symbol;
use formats::pe::{Exports, Target};
use nt::{Status, UnicodeStr};

/// Forwarders that lead in a circle end here.
const MAXIMUM_DEPTH: usize = 16;

/// The address that a module exports as `symbol`, forwarders followed. `ENTRYPOINT_NOT_FOUND` or
/// `ORDINAL_NOT_FOUND` if it does not.
pub(crate) fn export(index: usize, symbol: Symbol<'_>) -> Result<usize, Status> {
    Exporter::of(index)?.address(symbol, 0)
}

/// A module that is looked into: its headers are read once, however many symbols are looked up.
struct Exporter {
    image: Image,
    exports: Option<Exports<Image>>,
}

impl Exporter {
    fn of(index: usize) -> Result<Self, Status> {
        let image = module::get(index).ok_or(Status::DLL_NOT_FOUND)?.image;
        let exports = parsed(Exports::of(image, &image.headers()?))?;
        Ok(Self { image, exports })
    }

    /// `depth` forwarders have led here.
    fn address(&self, symbol: Symbol<'_>, depth: usize) -> Result<usize, Status> {
        let missing = match symbol {
            Symbol::Name(..) => Status::ENTRYPOINT_NOT_FOUND,
            Symbol::Ordinal(_) => Status::ORDINAL_NOT_FOUND,
        };
        let exports = self.exports.as_ref().ok_or(missing)?;
        let text = match parsed(exports.find(symbol))?.ok_or(missing)? {
            Target::Address(rva) => return Ok(self.image.address(rva, 1)?.addr()),
            Target::Forwarder(text) => text,
        };
        if depth == MAXIMUM_DEPTH {
            return Err(Status::INVALID_IMAGE_FORMAT);
        }
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
        Self::of(target)?.address(symbol, depth + 1)
    }
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
    for import in formats::pe::imports(image, &image.headers()?) {
        let import = parsed(import)?;
        // A copy: filling the table may write over the name of an image that is made so.
        let dll = &import.module.to_vec();
        let target =
            module_ascii(dll).inspect_err(|&status| report(module.name, dll, None, status))?;
        bind(image, import.lookup, import.addresses, target).map_err(|(symbol, status)| {
            report(module.name, dll, symbol, status);
            status
        })?;
    }
    Ok(())
}

type Missing = (Option<Symbol<'static>>, Status);

/// Fills the addresses of one imported DLL.
fn bind(image: Image, lookup: usize, addresses: usize, target: usize) -> Result<(), Missing> {
    let mut values = Vec::new();
    let format = |status| (None, status);
    let headers = image.headers().map_err(format)?;
    let exporter = Exporter::of(target).map_err(format)?;
    for symbol in formats::pe::symbols(image, &headers, lookup) {
        let symbol = parsed(symbol).map_err(format)?;
        let value = exporter
            .address(symbol, 0)
            .map_err(|status| (Some(symbol), status))?;
        values.push(value);
    }
    // SAFETY: what was looked up by name is addresses now, and the caller has a copy of the DLL's
    // name.
    unsafe { image.patch(addresses, &values) }.map_err(format)
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
