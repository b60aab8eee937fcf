// SPDX-License-Identifier: GPL-2.0-or-later
//! The computed environment variables, written to the registry for the next boot and for whoever
//! reads it later (spec 5.3).
//!
//! This boot's environment block was made before: its children see what the last boot wrote. Every
//! value is a REG_SZ with its NUL.

use crate::text::{TEXT, open_key, text_value};
use core::fmt;
use nt::access::Access;
use nt::failure::{Step, Stop, judge};
use nt::system::{ProcessorInformation, System, ValueType};
use nt::{Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};
use zerocopy::IntoBytes;

const ENVIRONMENT: UnicodeStr<'_> =
    wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\Environment");
const PROCESSOR: UnicodeStr<'_> =
    wide!("\\Registry\\Machine\\Hardware\\Description\\System\\CentralProcessor\\0");
const SAFE_BOOT: UnicodeStr<'_> =
    wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Safeboot\\Option");

const X86: u16 = 0;
const IA64: u16 = 6;
const AMD64: u16 = 9;

/// Computes and writes them.
///
/// # Errors
/// [`Stop`] if one cannot be computed or written. A processor whose `Identifier` is no text has no
/// PROCESSOR_IDENTIFIER, and the others are written all the same.
pub fn write_computed_variables<S: System>(system: &S) -> Result<(), Stop> {
    let mut at = ENVIRONMENT;
    write_all(system, &mut at).map_err(|status| {
        let step = Step::ComputedEnvironment;
        judge(step, at, status)
            .err()
            .unwrap_or(Stop { step, status })
    })
}

/// `at` is the variable that is being computed and written.
fn write_all<S: System>(system: &S, at: &mut UnicodeStr<'static>) -> Result<()> {
    let key = open_key(system, ENVIRONMENT, Access::GENERIC_WRITE)?;
    *at = wide!("OS");
    write(&key, system, *at, format_args!("Windows_NT"))?;
    *at = wide!("PROCESSOR_ARCHITECTURE");
    let processor = system.query_processor()?;
    write(
        &key,
        system,
        *at,
        format_args!("{}", architecture(processor.architecture)),
    )?;
    *at = wide!("PROCESSOR_LEVEL");
    write(&key, system, *at, format_args!("{}", processor.level))?;
    *at = wide!("PROCESSOR_IDENTIFIER");
    write_identifier(&key, system, *at)?;
    *at = wide!("PROCESSOR_REVISION");
    write(&key, system, *at, format_args!("{}", Revision(processor)))?;
    *at = wide!("NUMBER_OF_PROCESSORS");
    write(
        &key,
        system,
        *at,
        format_args!("{}", system.query_basic()?.processors),
    )?;
    let Some(option) = safe_boot(system) else {
        return Ok(());
    };
    *at = wide!("SAFEBOOT_OPTION");
    write(&key, system, *at, format_args!("{option}"))
}

fn write<S: System>(
    key: &Owned<'_, S>,
    system: &S,
    name: UnicodeStr<'_>,
    value: fmt::Arguments<'_>,
) -> Result<()> {
    let mut text = UnicodeBuf::<TEXT>::new();
    text.push_fmt(value)?;
    text.push_unit(0)?;
    system.set_value(
        key.get(),
        name,
        ValueType::SZ,
        text.as_str().units().as_bytes(),
    )
}

/// Writes the processor's `Identifier`, and `, ` and `VendorIdentifier` if there is one; nothing if
/// the first is no text.
#[inline(never)]
fn write_identifier<S: System>(key: &Owned<'_, S>, system: &S, name: UnicodeStr<'_>) -> Result<()> {
    let (mut identifier, mut vendor) = ([0; TEXT], [0; TEXT]);
    let processor = open_key(system, PROCESSOR, Access::KEY_READ)?;
    let identifier = match text_value(
        system,
        processor.get(),
        wide!("Identifier"),
        &mut identifier,
    ) {
        Err(status @ Status::OBJECT_TYPE_MISMATCH) => {
            let _ = judge(Step::RegistryValue, wide!("Identifier"), status);
            return Ok(());
        }
        identifier => identifier?,
    };
    match text_value(
        system,
        processor.get(),
        wide!("VendorIdentifier"),
        &mut vendor,
    ) {
        Ok(vendor) => write(key, system, name, format_args!("{identifier}, {vendor}")),
        Err(_) => write(key, system, name, format_args!("{identifier}")),
    }
}

const fn architecture(architecture: u16) -> &'static str {
    match architecture {
        X86 => "x86",
        AMD64 => "AMD64",
        IA64 => "IA64",
        _ => "Unknown",
    }
}

/// The revision as `PROCESSOR_REVISION` has it.
struct Revision(ProcessorInformation);

impl fmt::Display for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.0.revision;
        match self.0.architecture {
            X86 if revision >> 8 == 0xFF => write!(out, "{:02X}", revision & 0xFF),
            X86 | IA64 | AMD64 => write!(out, "{revision:04x}"),
            _ => write!(out, "{revision}"),
        }
    }
}

/// The name of the safe boot option of this boot; nothing for a number that has none (deviation
/// D24).
fn safe_boot<S: System>(system: &S) -> Option<&'static str> {
    let key = open_key(system, SAFE_BOOT, Access::KEY_ALL).ok()?;
    let mut data = [0; 4];
    let information = system
        .query_value(key.get(), wide!("OptionValue"), &mut data)
        .ok()?;
    if information.kind != ValueType::DWORD || information.data_bytes != data.len() {
        return None;
    }
    match u32::from_le_bytes(data) {
        1 => Some("MINIMAL"),
        2 => Some("NETWORK"),
        3 => Some("DSREPAIR"),
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
        Revision(ProcessorInformation {
            architecture,
            level: 6,
            revision,
        })
        .to_string()
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
        assert_eq!(architecture(9), "AMD64");
        assert_eq!(architecture(0), "x86");
        assert_eq!(architecture(6), "IA64");
        assert_eq!(architecture(7), "Unknown");
    }
}
