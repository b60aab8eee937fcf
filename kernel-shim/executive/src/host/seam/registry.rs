// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, registry.

use super::{Arguments, Seam, name, number};
use crate::trace::Argument;
use alloc::string::ToString;
use formats::hive::Value;
use nt::access::Access;
use nt::system::{Registry, RegistryBoot, ValueInformation, ValueType};
use nt::{Handle, ObjectAttributes, Result, UnicodeStr};

/// `REG_OPTION_VOLATILE`.
const VOLATILE: u32 = 1;

fn value_arguments(key: Handle, value: UnicodeStr<'_>) -> Arguments {
    Arguments::from([
        ("key", Argument::Number(key.to_slot())),
        ("name", Argument::Text(value.to_string())),
    ])
}

/// Copies data that fit; a buffer too small gets nothing.
fn copy(value: &Value, data: &mut [u8]) {
    if let Some(space) = data.get_mut(..value.data.len()) {
        space.copy_from_slice(&value.data);
    }
}

impl Registry for &Seam {
    fn open_key(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        self.call(
            "NtOpenKey",
            || name("name", attributes.name),
            |executive, thread| executive.open_key(thread, attributes, access),
        )
    }

    fn create_volatile_key(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.call(
            "NtCreateKey",
            || name("name", attributes.name),
            |executive, thread| {
                executive
                    .create_key(thread, attributes, access, &[], VOLATILE)
                    .map(|(handle, _)| handle)
            },
        )
    }

    fn query_value(
        self,
        key: Handle,
        value: UnicodeStr<'_>,
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        self.call(
            "NtQueryValueKey",
            || value_arguments(key, value),
            |executive, thread| {
                let found = executive.query_value(thread, key, value.units())?;
                copy(found, data);
                Ok(ValueInformation {
                    kind: ValueType(found.kind),
                    name_units: 0,
                    data_bytes: found.data.len(),
                })
            },
        )
    }

    fn enumerate_value(
        self,
        key: Handle,
        index: u32,
        name: &mut [u16],
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        self.call(
            "NtEnumerateValueKey",
            || {
                Arguments::from([
                    ("key", Argument::Number(key.to_slot())),
                    ("index", Argument::Number(u64::from(index))),
                ])
            },
            |executive, thread| {
                let found = executive.enumerate_value(thread, key, index)?;
                if found.name.len() <= name.len()
                    && found.data.len() <= data.len()
                    && let Some(space) = name.get_mut(..found.name.len())
                {
                    space.copy_from_slice(&found.name);
                    copy(found, data);
                }
                Ok(ValueInformation {
                    kind: ValueType(found.kind),
                    name_units: found.name.len(),
                    data_bytes: found.data.len(),
                })
            },
        )
    }

    fn set_value(
        self,
        key: Handle,
        value: UnicodeStr<'_>,
        kind: ValueType,
        data: &[u8],
    ) -> Result<()> {
        self.call(
            "NtSetValueKey",
            || value_arguments(key, value),
            |executive, thread| {
                executive.set_value(thread, key, value.units(), kind.0, data.to_vec())
            },
        )
    }

    fn delete_value(self, key: Handle, value: UnicodeStr<'_>) -> Result<()> {
        self.call(
            "NtDeleteValueKey",
            || value_arguments(key, value),
            |executive, thread| executive.delete_value(thread, key, value.units()),
        )
    }

    fn flush_key(self, key: Handle) -> Result<()> {
        self.call(
            "NtFlushKey",
            || number("key", key.0),
            |executive, thread| executive.flush_key(thread, key),
        )
    }

    fn initialize_registry(self, boot: RegistryBoot) -> Result<()> {
        let flag = match boot {
            RegistryBoot::Smss => 0,
            RegistryBoot::Raw(flag) => flag,
        };
        self.call(
            "NtInitializeRegistry",
            || number("flag", u64::from(flag)),
            |executive, _| executive.initialize_registry(flag),
        )
    }
}
