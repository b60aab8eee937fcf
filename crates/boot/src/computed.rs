// SPDX-License-Identifier: GPL-2.0-or-later
//! The computed environment variables, written to the registry for the next boot and for whoever reads it later (spec 5.3).
//!
//! This boot's environment block was made before: its children see what the last boot wrote. Every value is a REG_SZ with its NUL.

use nt::access::Access;
use nt::failure::{Step, Stop, judge};
use nt::object::ObjectAttributes;
use nt::system::{ProcessorInformation, System, ValueType};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};
use zerocopy::{FromBytes, IntoBytes};

/// Units of the longest value and of the longest text read for one (spec 13.2).
const TEXT: usize = 512;

const ENVIRONMENT: UnicodeStr<'_> = wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\Environment");
const PROCESSOR: UnicodeStr<'_> = wide!("\\Registry\\Machine\\Hardware\\Description\\System\\CentralProcessor\\0");
const SAFE_BOOT: UnicodeStr<'_> = wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Safeboot\\Option");

const X86: u16 = 0;
const IA64: u16 = 6;
const AMD64: u16 = 9;

type Text = UnicodeBuf<TEXT>;

/// Computes and writes them.
///
/// # Errors
/// [`Stop`] if one cannot be computed or written. A processor whose `Identifier` is no text has no PROCESSOR_IDENTIFIER, and the others
/// are written all the same.
pub fn write_computed_variables<S: System>(system: &S) -> Result<(), Stop> {
    write_all(system).map_err(|(object, status)| {
        judge(Step::ComputedEnvironment, object, status).err().unwrap_or(Stop { step: Step::ComputedEnvironment, status })
    })
}

fn write_all<S: System>(system: &S) -> Result<(), (UnicodeStr<'static>, Status)> {
    let key = open(system, ENVIRONMENT, Access::GENERIC_WRITE).map_err(|status| (ENVIRONMENT, status))?;
    let write = |name, value: Result<Text>| value.and_then(|value| write(system, key.get(), name, value)).map_err(|status| (name, status));
    write(wide!("OS"), UnicodeBuf::copied(wide!("Windows_NT")))?;
    let processor = system.query_processor().map_err(|status| (wide!("PROCESSOR_ARCHITECTURE"), status))?;
    write(wide!("PROCESSOR_ARCHITECTURE"), UnicodeBuf::copied(architecture(processor.architecture)))?;
    write(wide!("PROCESSOR_LEVEL"), formatted(format_args!("{}", processor.level)))?;
    let name = wide!("PROCESSOR_IDENTIFIER");
    match identifier(system).map_err(|status| (name, status))? {
        Some(identifier) => write(name, Ok(identifier))?,
        None => {
            let _ = judge(Step::RegistryValue, wide!("Identifier"), Status::OBJECT_TYPE_MISMATCH);
        }
    }
    write(wide!("PROCESSOR_REVISION"), revision(processor))?;
    let name = wide!("NUMBER_OF_PROCESSORS");
    let processors = system.query_basic().map_err(|status| (name, status))?.processors;
    write(name, formatted(format_args!("{processors}")))?;
    match safe_boot(system) {
        Some(option) => write(wide!("SAFEBOOT_OPTION"), UnicodeBuf::copied(option)),
        None => Ok(()),
    }
}

fn open<'s, S: System>(system: &'s S, name: UnicodeStr<'_>, access: Access) -> Result<Owned<'s, S>> {
    Ok(Owned::new(system, system.open_key(&ObjectAttributes::named(name), access)?))
}

fn write<S: System>(system: &S, key: Handle, name: UnicodeStr<'_>, mut value: Text) -> Result<()> {
    value.push_unit(0)?;
    system.set_value(key, name, ValueType::SZ, value.as_str().units().as_bytes())
}

fn formatted(text: core::fmt::Arguments<'_>) -> Result<Text> {
    let mut value = Text::new();
    value.push_fmt(text)?;
    Ok(value)
}

const fn architecture(architecture: u16) -> UnicodeStr<'static> {
    match architecture {
        X86 => wide!("x86"),
        AMD64 => wide!("AMD64"),
        IA64 => wide!("IA64"),
        _ => wide!("Unknown"),
    }
}

fn revision(processor: ProcessorInformation) -> Result<Text> {
    let revision = processor.revision;
    match processor.architecture {
        X86 if revision >> 8 == 0xFF => formatted(format_args!("{:02X}", revision & 0xFF)),
        X86 | IA64 | AMD64 => formatted(format_args!("{revision:04x}")),
        _ => formatted(format_args!("{revision}")),
    }
}

/// `Identifier`, and `, ` and `VendorIdentifier` if there is one; `None` if the first is no text.
fn identifier<S: System>(system: &S) -> Result<Option<Text>> {
    let key = open(system, PROCESSOR, Access::KEY_READ)?;
    let Some(mut whole) = text_value(system, key.get(), wide!("Identifier"))? else { return Ok(None) };
    if let Ok(Some(vendor)) = text_value(system, key.get(), wide!("VendorIdentifier")) {
        whole.push(wide!(", "))?;
        whole.push(vendor.as_str())?;
    }
    Ok(Some(whole))
}

fn text_value<S: System>(system: &S, key: Handle, name: UnicodeStr<'_>) -> Result<Option<Text>> {
    let mut buffer = [0u16; TEXT];
    let information = system.query_value(key, name, buffer.as_mut_bytes())?;
    if !matches!(information.kind, ValueType::SZ | ValueType::EXPAND_SZ) {
        return Ok(None);
    }
    let data = buffer.as_bytes().get(..information.data_bytes & !1).ok_or(Status::BUFFER_TOO_SMALL)?;
    let units = <[u16]>::ref_from_bytes(data).map_err(|_| Status::DATATYPE_MISALIGNMENT)?;
    UnicodeBuf::copied(UnicodeStr(units).until_nul()).map(Some)
}

/// The name of the safe boot option of this boot; nothing for a number that has none (deviation D24).
fn safe_boot<S: System>(system: &S) -> Option<UnicodeStr<'static>> {
    let key = open(system, SAFE_BOOT, Access::KEY_ALL).ok()?;
    let mut data = [0; 4];
    let information = system.query_value(key.get(), wide!("OptionValue"), &mut data).ok()?;
    if information.kind != ValueType::DWORD || information.data_bytes != data.len() {
        return None;
    }
    match u32::from_le_bytes(data) {
        1 => Some(wide!("MINIMAL")),
        2 => Some(wide!("NETWORK")),
        3 => Some(wide!("DSREPAIR")),
        other => {
            nt::warn!("safe boot option {other} has no name");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn of(architecture: u16, revision: u16) -> std::string::String {
        super::revision(ProcessorInformation { architecture, level: 6, revision }).unwrap().to_string()
    }

    #[test]
    fn spec_5_3_processor_revision() {
        assert_eq!(of(AMD64, 0x6B01), "6b01");
        assert_eq!(of(X86, 0xFF0A), "0A");
        assert_eq!(of(X86, 0x0A0B), "0a0b");
        assert_eq!(of(AMD64, 0xFF0A), "ff0a");
        assert_eq!(of(5, 0x10), "16");
    }

    #[test]
    fn spec_5_3_processor_architecture() {
        assert_eq!(architecture(9), wide!("AMD64"));
        assert_eq!(architecture(0), wide!("x86"));
        assert_eq!(architecture(6), wide!("IA64"));
        assert_eq!(architecture(7), wide!("Unknown"));
    }
}
