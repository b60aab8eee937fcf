// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading values of any size: one system call for each, two for one that is larger than any before it.

use crate::data;
use nt::access::Access;
use nt::object::ObjectAttributes;
use nt::system::{Memory, Objects, Registry, ValueInformation, ValueType};
use nt::{Handle, Owned, Result, Status, UnicodeStr};

/// Units of the name buffer at first: the longest name of a value that anybody uses.
const FIRST_NAME: usize = 256;
const PAGE: usize = 4096;

/// A value as it was read.
#[derive(Clone, Copy)]
pub(crate) struct Value<'b> {
    /// Its name; empty if it was asked for by name.
    pub name: UnicodeStr<'b>,
    pub kind: ValueType,
    pub data: &'b [u8],
}

/// A value kept in pages of its own, of any size.
pub struct RawValue<S: Memory> {
    pages: S::Pages,
    length: usize,
    kind: ValueType,
}

impl<S: Memory> RawValue<S> {
    /// Its type.
    pub const fn kind(&self) -> ValueType {
        self.kind
    }

    /// Its data.
    pub fn data(&self) -> &[u8] {
        self.pages.as_ref().get(..self.length).unwrap_or_default()
    }

    /// Its data as units.
    pub fn text(&self) -> UnicodeStr<'_> {
        data::units(self.data())
    }

    /// The strings it delivers, walked in place.
    pub fn strings(&self) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
        data::strings(self.kind, self.data(), data::Reached::ByName)
    }
}

/// Opens a key that may be missing.
pub(crate) fn open_key<'s, S: Registry + Objects>(
    system: &'s S,
    root: Handle,
    name: UnicodeStr<'_>,
    access: Access,
) -> Result<Option<Owned<'s, S>>> {
    match system.open_key(&ObjectAttributes::named(name).under(root), access) {
        Ok(key) => Ok(Some(Owned::new(system, key))),
        Err(Status::OBJECT_NAME_NOT_FOUND | Status::OBJECT_PATH_NOT_FOUND) => Ok(None),
        Err(status) => Err(status),
    }
}

/// A buffer that values are read into, one after the other: the name at its start, the data behind it.
pub(crate) struct Reader<'s, S: Memory> {
    system: &'s S,
    pages: S::Pages,
    name_units: usize,
}

impl<'s, S: Memory + Registry> Reader<'s, S> {
    pub(crate) fn new(system: &'s S) -> Result<Self> {
        Ok(Self { system, pages: system.allocate_pages(PAGE)?, name_units: FIRST_NAME })
    }

    /// The value `name` of `key`; `None` if there is none.
    pub(crate) fn by_name(&mut self, key: Handle, name: UnicodeStr<'_>) -> Result<Option<Value<'_>>> {
        let read = self.fit(|system, _, data| system.query_value(key, name, data));
        match read {
            Ok(information) => Ok(Some(Value { name: UnicodeStr::EMPTY, ..self.value(information) })),
            Err(Status::OBJECT_NAME_NOT_FOUND) => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// The value of `key` with this index; `None` past the last.
    pub(crate) fn by_index(&mut self, key: Handle, index: u32) -> Result<Option<Value<'_>>> {
        let read = self.fit(|system, name, data| system.enumerate_value(key, index, name, data));
        match read {
            Ok(information) => Ok(Some(self.value(information))),
            Err(Status::NO_MORE_ENTRIES) => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// The value `name` of `key` in pages of its own.
    pub(crate) fn raw(&mut self, key: Handle, name: UnicodeStr<'_>) -> Result<Option<RawValue<S>>> {
        let system = self.system;
        let first = match system.query_value(key, name, self.halves().1) {
            Ok(information) => information,
            Err(Status::OBJECT_NAME_NOT_FOUND) => return Ok(None),
            Err(status) => return Err(status),
        };
        let mut pages = system.allocate_pages(first.data_bytes.max(1))?;
        let held = self.halves().1.get(..first.data_bytes);
        let information = match (held, pages.as_mut().get_mut(..first.data_bytes)) {
            (Some(held), Some(place)) => {
                place.copy_from_slice(held);
                first
            }
            _ => system.query_value(key, name, pages.as_mut())?,
        };
        if information.data_bytes > pages.as_ref().len() {
            // Nobody else changes this key during the boot.
            return Err(Status::BUFFER_TOO_SMALL);
        }
        Ok(Some(RawValue { pages, length: information.data_bytes, kind: information.kind }))
    }

    /// Calls `read` with the two buffers, and once more with larger ones if they were too small.
    fn fit(&mut self, read: impl Fn(&S, &mut [u16], &mut [u8]) -> Result<ValueInformation>) -> Result<ValueInformation> {
        for _ in 0..2 {
            let system = self.system;
            let (name, data) = self.halves();
            let information = read(system, name, data)?;
            if information.name_units <= name.len() && information.data_bytes <= data.len() {
                return Ok(information);
            }
            let name_units = self.name_units.max(information.name_units);
            let bytes = name_units.checked_mul(2).and_then(|name| name.checked_add(information.data_bytes)).ok_or(Status::NO_MEMORY)?;
            self.pages = system.allocate_pages(bytes)?;
            self.name_units = name_units;
        }
        Err(Status::BUFFER_TOO_SMALL)
    }

    fn halves(&mut self) -> (&mut [u16], &mut [u8]) {
        let all = self.pages.as_mut();
        let (name, data) = all.split_at_mut_checked(self.name_units * 2).unwrap_or_default();
        (zerocopy::FromBytes::mut_from_bytes(name).unwrap_or_default(), data)
    }

    fn value(&mut self, information: ValueInformation) -> Value<'_> {
        let (name, data) = self.halves();
        Value {
            name: UnicodeStr(name.get(..information.name_units).unwrap_or_default()).until_nul(),
            kind: information.kind,
            data: data.get(..information.data_bytes).unwrap_or_default(),
        }
    }
}
