// SPDX-License-Identifier: GPL-2.0-or-later
//! Registry keys that are opened for a value or two, read as what they have to be.
//!
//! Names of keys and values are ASCII, as those are that a program asks for by name: half the bytes of
//! UTF-16 until they are needed.
//!
//! The Session Manager key itself, whose values may have any size, is read by the `registry` crate.

use crate::access::Access;
use crate::system::{Objects, Registry, ValueInformation, ValueType};
use crate::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeBuf, UnicodeStr};
use zerocopy::IntoBytes;

/// Units of the longest text that [`Key::text`] reads (spec 13.2).
pub const MAX_TEXT: usize = 512;

/// Units of the longest name that is asked for.
const MAX_NAME: usize = 96;

/// A name as the seam takes it.
pub type Name = UnicodeBuf<MAX_NAME>;

/// An open key.
pub struct Key<S: Objects + Registry> {
    system: S,
    handle: Owned<S>,
}

impl<S: Objects + Registry> Key<S> {
    /// Opens the key `name`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(system: S, name: &str, access: Access) -> Result<Self> {
        Self::open_under(system, Handle::NULL, name, access)
    }

    /// Opens the key `name` below `root`; null stands for the namespace's root.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open_under(system: S, root: Handle, name: &str, access: Access) -> Result<Self> {
        let mut wide = Name::new();
        wide.push_ascii(name)?;
        let attributes = ObjectAttributes::named(wide.as_str()).under(root);
        let handle = Owned::new(system, system.open_key(&attributes, access)?);
        Ok(Self { system, handle })
    }

    /// Opens the key `name`, or makes it, for as long as the system runs.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn create_volatile(system: S, name: &str, access: Access) -> Result<Self> {
        let mut wide = Name::new();
        wide.push_ascii(name)?;
        let attributes = ObjectAttributes::named(wide.as_str());
        let handle = Owned::new(system, system.create_volatile_key(&attributes, access)?);
        Ok(Self { system, handle })
    }

    /// The handle, still owned by this key.
    pub const fn handle(&self) -> Handle {
        self.handle.get()
    }

    /// The text of the value `name`, up to its NUL if it has one.
    ///
    /// # Errors
    /// `OBJECT_TYPE_MISMATCH` if it is not text, `BUFFER_TOO_SMALL` if it is too long, or what the
    /// kernel says.
    pub fn text<'b>(&self, name: &str, buffer: &'b mut [u16; MAX_TEXT]) -> Result<UnicodeStr<'b>> {
        let information = self.query(name, buffer.as_mut_bytes())?;
        if !matches!(information.kind, ValueType::SZ | ValueType::EXPAND_SZ) {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        let text = buffer
            .get(..information.data_bytes / 2)
            .ok_or(Status::BUFFER_TOO_SMALL)?;
        Ok(UnicodeStr(text).until_nul())
    }

    /// The number in the REG_DWORD value `name`; `None` if there is no such value, or if it is
    /// anything else.
    pub fn number(&self, name: &str) -> Option<u32> {
        let mut data = [0; 4];
        let value = self.query(name, &mut data).ok()?;
        (value.kind == ValueType::DWORD && value.data_bytes == data.len())
            .then(|| u32::from_le_bytes(data))
    }

    /// Sets the value `name`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set(&self, name: &str, kind: ValueType, data: &[u8]) -> Result<()> {
        let mut wide = Name::new();
        wide.push_ascii(name)?;
        self.system
            .set_value(self.handle(), wide.as_str(), kind, data)
    }

    fn query(&self, name: &str, data: &mut [u8]) -> Result<ValueInformation> {
        let mut wide = Name::new();
        wide.push_ascii(name)?;
        self.system.query_value(self.handle(), wide.as_str(), data)
    }
}

/// Deletes the value `name` of a key.
///
/// # Errors
/// What the kernel says.
pub fn delete_value<S: Registry>(system: S, key: Handle, name: &str) -> Result<()> {
    let mut wide = Name::new();
    wide.push_ascii(name)?;
    system.delete_value(key, wide.as_str())
}

/// What an attempt to open a key came to that may be missing.
///
/// # Errors
/// Any error except that there is no such key.
pub fn if_there<T>(opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Ok(key) => Ok(Some(key)),
        Err(Status::OBJECT_NAME_NOT_FOUND | Status::OBJECT_PATH_NOT_FOUND) => Ok(None),
        Err(status) => Err(status),
    }
}
