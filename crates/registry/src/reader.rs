// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading values of any size: one system call for each, two for one that is larger than any before
//! it.

use crate::data::{self, Reached, Strings};
use nt::system::{Memory, Registry, ValueType};
use nt::{Handle, Result, Status, UnicodeStr};
use zerocopy::{FromBytes, IntoBytes};

const PAGE: usize = 4096;

/// A value kept in pages of its own, of any size.
pub struct RawValue<S: Memory> {
    pages: S::Pages,
    length: usize,
    kind: ValueType,
}

impl<S: Memory> RawValue<S> {
    /// Its data.
    pub fn data(&self) -> &[u8] {
        self.pages.as_ref().get(..self.length).unwrap_or_default()
    }

    /// Its data as units.
    pub fn text(&self) -> UnicodeStr<'_> {
        data::units(self.data())
    }

    /// The strings it delivers, walked in place.
    pub fn strings(&self) -> Strings<'_> {
        data::strings(self.kind, self.data(), Reached::ByName)
    }
}

/// A value as it was read, in buffers that the next one is read into as well.
pub(crate) struct Value<S: Memory> {
    system: S,
    /// The name that was asked for, or that was enumerated.
    name: S::Pages,
    name_units: usize,
    data: S::Pages,
    data_bytes: usize,
    pub kind: ValueType,
    pub reached: Reached,
}

impl<S: Memory> Value<S> {
    /// No value yet.
    pub(crate) fn new(system: S) -> Result<Self> {
        Ok(Self {
            system,
            name: system.allocate_pages(PAGE)?,
            name_units: 0,
            data: system.allocate_pages(PAGE)?,
            data_bytes: 0,
            kind: ValueType::NONE,
            reached: Reached::ByName,
        })
    }

    /// Its name.
    #[inline(never)]
    pub(crate) fn name(&self) -> UnicodeStr<'_> {
        let name = data::units(self.name.as_ref()).take(self.name_units);
        name.until_nul()
    }

    /// Its data.
    pub(crate) fn data(&self) -> &[u8] {
        let data = self.data.as_ref().get(..self.data_bytes);
        data.unwrap_or_default()
    }

    /// The strings it delivers.
    pub(crate) fn strings(&self) -> Strings<'_> {
        data::strings(self.kind, self.data(), self.reached)
    }

    /// Takes a REG_MULTI_SZ in place of the value that was asked for by its name.
    pub(crate) fn replace(&mut self, list: UnicodeStr<'_>) -> &Self {
        let list = list.units().as_bytes();
        if let Some(data) = self.data.as_mut().get_mut(..list.len()) {
            data.copy_from_slice(list);
        }
        self.data_bytes = list.len();
        self.kind = ValueType::MULTI_SZ;
        self
    }

    /// Its data for good: it takes the pages it was read into along.
    pub(crate) fn take(&mut self) -> Result<RawValue<S>> {
        Ok(RawValue {
            pages: core::mem::replace(&mut self.data, self.system.allocate_pages(PAGE)?),
            length: self.data_bytes,
            kind: self.kind,
        })
    }
}

impl<S: Memory + Registry> Value<S> {
    /// Reads the value `name` of `key`, if there is one. The null handle has none.
    pub(crate) fn read_named(&mut self, key: Handle, name: &'static str) -> Result<Option<&Self>> {
        let units = wide(&mut self.name).iter_mut().zip(name.bytes());
        self.name_units = units.map(|(unit, byte)| *unit = byte.into()).count();
        self.reached = Reached::ByName;
        self.read(key, 0)
    }

    /// Reads the value of `key` with this index, if there is one. The null handle has none.
    pub(crate) fn read_enumerated(&mut self, key: Handle, index: u32) -> Result<Option<&Self>> {
        self.reached = Reached::ByEnumeration;
        self.read(key, index)
    }

    /// Asks once more with larger buffers if they were too small.
    fn read(&mut self, key: Handle, index: u32) -> Result<Option<&Self>> {
        if key.is_null() {
            return Ok(None);
        }
        for _ in 0..2 {
            let (name, data) = (wide(&mut self.name), self.data.as_mut());
            let room = name.len();
            let read = match self.reached {
                Reached::ByName => {
                    let name = UnicodeStr(name).take(self.name_units);
                    self.system.query_value(key, name, data)
                }
                Reached::ByEnumeration => self.system.enumerate_value(key, index, name, data),
            };
            let information = match read {
                Ok(information) => information,
                Err(Status::OBJECT_NAME_NOT_FOUND | Status::NO_MORE_ENTRIES) => return Ok(None),
                Err(status) => return Err(status),
            };
            if self.reached == Reached::ByEnumeration {
                self.name_units = information.name_units;
            }
            self.kind = information.kind;
            self.data_bytes = information.data_bytes;
            if self.name_units > room {
                grow(self.system, &mut self.name, 2 * self.name_units)?;
            } else if self.data_bytes <= self.data.as_ref().len() {
                return Ok(Some(self));
            }
            grow(self.system, &mut self.data, self.data_bytes.max(PAGE))?;
        }
        Err(Status::BUFFER_TOO_SMALL)
    }
}

/// Larger pages in place of these.
#[inline(never)]
fn grow<S: Memory>(system: S, pages: &mut S::Pages, bytes: usize) -> Result<()> {
    *pages = system.allocate_pages(bytes)?;
    Ok(())
}

/// Pages as units.
fn wide(pages: &mut impl AsMut<[u8]>) -> &mut [u16] {
    <[u16]>::mut_from_bytes(pages.as_mut()).unwrap_or_default()
}
