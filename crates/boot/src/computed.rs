// SPDX-License-Identifier: GPL-2.0-or-later
//! The computed environment variables, written to the registry for the next boot and for
//! programs that read the registry later (spec 5.3).
//!
//! This boot's environment block was made earlier, so its children see what the last boot wrote. Every
//! value is a REG_SZ with its NUL.

use nt::access::Access;
use nt::failure::{Attempt, Essential, Skippable, Stop};
use nt::key::{Key, MAX_TEXT};
use nt::system::{ProcessorInformation, System, ValueType};
use nt::text::{Part, Show};
use nt::{Result, Status, UnicodeBuf};
use zerocopy::IntoBytes;

const ENVIRONMENT: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\Environment";
const PROCESSOR: &str = "\\Registry\\Machine\\Hardware\\Description\\System\\CentralProcessor\\0";
const SAFE_BOOT: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Safeboot\\Option";

/// The step of the table that all of this is.
const STEP: Essential = Essential::ComputedEnvironment;

const X86: u16 = 0;
const IA64: u16 = 6;
const AMD64: u16 = 9;

/// Computes and writes them.
///
/// # Errors
/// [`Stop`] if one cannot be computed or written. A processor whose `Identifier` is not text has no
/// PROCESSOR_IDENTIFIER; the others are written all the same.
pub fn write_computed_variables<S: System>(system: S) -> Result<(), Stop> {
    let key = Key::open(system, ENVIRONMENT, Access::GENERIC_WRITE).or_stop(STEP, ENVIRONMENT)?;
    let key = EnvironmentKey { system, key };
    key.set("OS", "Windows_NT")?;
    let name = "PROCESSOR_ARCHITECTURE";
    let processor = system.query_processor().or_stop(STEP, name)?;
    key.set(name, architecture(processor.architecture))?;
    key.set("PROCESSOR_LEVEL", processor.level)?;
    key.set_identifier("PROCESSOR_IDENTIFIER")?;
    key.set("PROCESSOR_REVISION", Revision(processor))?;
    let name = "NUMBER_OF_PROCESSORS";
    let processors = system.query_basic().or_stop(STEP, name)?.processors;
    key.set(name, processors)?;
    match safe_boot(system) {
        Some(option) => key.set("SAFEBOOT_OPTION", option),
        None => Ok(()),
    }
}

/// The key that the variables are written to.
struct EnvironmentKey<S: System> {
    system: S,
    key: Key<S>,
}

impl<S: System> EnvironmentKey<S> {
    fn set(&self, name: &str, value: impl Show) -> Result<(), Stop> {
        self.set_part(name, value.part())
    }

    #[inline(never)]
    fn set_part(&self, name: &str, value: Part<'_>) -> Result<(), Stop> {
        self.write(name, value).or_stop(STEP, name)
    }

    fn write(&self, name: &str, value: Part<'_>) -> Result<()> {
        let mut text = UnicodeBuf::<MAX_TEXT>::new();
        text.push_text(nt::text!("{value}"))?;
        text.push_unit(0)?;
        let data = text.as_str().units().as_bytes();
        self.key.set(name, ValueType::SZ, data)
    }

    /// Sets `name` to the processor's `Identifier`, and `, ` and `VendorIdentifier` if there is
    /// one; to nothing if the first is not text.
    #[inline(never)]
    fn set_identifier(&self, name: &str) -> Result<(), Stop> {
        let (mut identifier, mut vendor) = ([0; MAX_TEXT], [0; MAX_TEXT]);
        let processor = Key::open(self.system, PROCESSOR, Access::KEY_READ).or_stop(STEP, name)?;
        let identifier = match processor.text("Identifier", &mut identifier) {
            Err(status @ Status::OBJECT_TYPE_MISMATCH) => {
                Skippable::RegistryValue.report("Identifier", status);
                return Ok(());
            }
            identifier => identifier.or_stop(STEP, name)?,
        };
        match processor.text("VendorIdentifier", &mut vendor) {
            Ok(vendor) => self.set(name, nt::text!("{identifier}, {vendor}")),
            Err(_) => self.set(name, identifier),
        }
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

impl Show for Revision {
    fn part(&self) -> Part<'_> {
        let revision = u64::from(self.0.revision);
        match self.0.architecture {
            X86 if revision >> 8 == 0xFF => Part::Number(revision & 0xFF).upper_hex(2),
            X86 | IA64 | AMD64 => Part::Number(revision).hex(4),
            _ => Part::Number(revision),
        }
    }
}

/// The name of the safe boot option of this boot; nothing for a number that has none (deviation
/// D24).
fn safe_boot<S: System>(system: S) -> Option<&'static str> {
    let key = Key::open(system, SAFE_BOOT, Access::KEY_ALL).ok()?;
    match key.number("OptionValue")? {
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
        let revision = Revision(ProcessorInformation {
            architecture,
            level: 6,
            revision,
        });
        nt::text!("{revision}").to_string()
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
