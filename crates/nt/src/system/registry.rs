// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, registry: keys and values as bytes.

use crate::access::Access;
use crate::{Handle, ObjectAttributes, Result, UnicodeStr};

/// The type of a registry value: an open set of 32-bit numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueType(pub u32);

impl ValueType {
    /// `REG_NONE`.
    pub const NONE: Self = Self(0);
    /// `REG_SZ`.
    pub const SZ: Self = Self(1);
    /// `REG_EXPAND_SZ`.
    pub const EXPAND_SZ: Self = Self(2);
    /// `REG_BINARY`.
    pub const BINARY: Self = Self(3);
    /// `REG_DWORD`.
    pub const DWORD: Self = Self(4);
    /// `REG_MULTI_SZ`.
    pub const MULTI_SZ: Self = Self(7);
}

/// What was read of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueInformation {
    /// Its type.
    pub kind: ValueType,
    /// Length of the name in units, at the start of the name buffer (enumeration only; else 0).
    pub name_units: usize,
    /// Length of the data in bytes. More than the data buffer holds means that nothing of the data
    /// was delivered: ask again with a buffer of this size.
    pub data_bytes: usize,
}

/// Argument of NtInitializeRegistry (spec 0.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryBoot {
    /// `CM_BOOT_FLAG_SMSS` 0: load the remaining hives, allow writes.
    Smss,
    /// Any other flag word: 1 set-up, 2 and above boot accepted.
    Raw(u16),
}

/// Requests about registry keys.
pub trait Registry: Copy {
    /// NtOpenKey.
    fn open_key(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle>;

    /// NtCreateKey with `REG_OPTION_VOLATILE`: the key, made or opened. Its parent must be there.
    fn create_volatile_key(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle>;

    /// NtQueryValueKey: data of the value `name` into `data`. A value that does not fit is no
    /// error: see [`ValueInformation::data_bytes`]. `OBJECT_NAME_NOT_FOUND` if there is no such
    /// value.
    fn query_value(
        self,
        key: Handle,
        name: UnicodeStr<'_>,
        data: &mut [u8],
    ) -> Result<ValueInformation>;

    /// NtEnumerateValueKey: name and data of the value with this index. The name goes into `name`,
    /// and if it or the data does not fit, nothing is delivered and both lengths in the answer
    /// say what is needed. `NO_MORE_ENTRIES` past the end.
    fn enumerate_value(
        self,
        key: Handle,
        index: u32,
        name: &mut [u16],
        data: &mut [u8],
    ) -> Result<ValueInformation>;

    /// NtSetValueKey.
    fn set_value(
        self,
        key: Handle,
        name: UnicodeStr<'_>,
        kind: ValueType,
        data: &[u8],
    ) -> Result<()>;

    /// NtDeleteValueKey.
    fn delete_value(self, key: Handle, name: UnicodeStr<'_>) -> Result<()>;

    /// NtFlushKey: the key's hive is on the disk afterwards, if hives may be written yet.
    fn flush_key(self, key: Handle) -> Result<()>;

    /// NtInitializeRegistry.
    fn initialize_registry(self, boot: RegistryBoot) -> Result<()>;
}
