// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading values of any size: one system call for each, two for one that is larger than any before
//! it.

use crate::data::{self, Reached, Strings};
use nt::system::{Memory, Registry, ValueInformation, ValueType};
use nt::{Handle, Result, Status, UnicodeStr};
use zerocopy::FromBytes;

const PAGE: usize = 4096;

/// A value as it was read.
pub(crate) struct Value<'b> {
    pub name: UnicodeStr<'b>,
    pub kind: ValueType,
    pub data: &'b [u8],
    pub reached: Reached,
}

impl<'b> Value<'b> {
    /// The strings it delivers.
    pub(crate) fn strings(&self) -> Strings<'b> {
        data::strings(self.kind, self.data, self.reached)
    }
}

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

/// The buffers that values are read into, one after the other.
pub(crate) struct Reader<S: Memory> {
    system: S,
    /// The name that was asked for, or that was enumerated.
    name: S::Pages,
    data: S::Pages,
    /// What was read last, and how.
    information: ValueInformation,
    reached: Reached,
}

impl<S: Memory + Registry> Reader<S> {
    pub(crate) fn new(system: S) -> Result<Self> {
        Ok(Self {
            system,
            name: system.allocate_pages(PAGE)?,
            data: system.allocate_pages(PAGE)?,
            information: ValueInformation {
                kind: ValueType::NONE,
                name_units: 0,
                data_bytes: 0,
            },
            reached: Reached::ByName,
        })
    }

    /// Reads the value `name` of `key`; false if there is none.
    pub(crate) fn named(&mut self, key: Handle, name: &'static str) -> Result<bool> {
        self.reached = Reached::ByName;
        let units = wide(&mut self.name).iter_mut().zip(name.bytes());
        self.information.name_units = units.map(|(unit, byte)| *unit = byte.into()).count();
        self.read(key, 0)
    }

    /// Reads the value of `key` with this index; false if there is none more.
    pub(crate) fn enumerated(&mut self, key: Handle, index: u32) -> Result<bool> {
        self.reached = Reached::ByEnumeration;
        self.read(key, index)
    }

    /// Asks once more with larger buffers if they were too small.
    fn read(&mut self, key: Handle, index: u32) -> Result<bool> {
        for _ in 0..2 {
            let (name, data) = (wide(&mut self.name), self.data.as_mut());
            let read = match self.reached {
                Reached::ByName => {
                    let name = UnicodeStr(name).take(self.information.name_units);
                    let read = self.system.query_value(key, name, data);
                    read.map(|information| ValueInformation {
                        name_units: name.len(),
                        ..information
                    })
                }
                Reached::ByEnumeration => self.system.enumerate_value(key, index, name, data),
            };
            self.information = match read {
                Ok(information) => information,
                Err(Status::OBJECT_NAME_NOT_FOUND | Status::NO_MORE_ENTRIES) => return Ok(false),
                Err(status) => return Err(status),
            };
            let name_bytes = self.information.name_units.saturating_mul(2);
            let name_fits = name_bytes <= self.name.as_ref().len();
            let data_bytes = self.information.data_bytes;
            if name_fits && data_bytes <= self.data.as_ref().len() {
                return Ok(true);
            }
            if !name_fits {
                self.name = self.system.allocate_pages(name_bytes)?;
            }
            self.data = self.system.allocate_pages(data_bytes.max(PAGE))?;
        }
        Err(Status::BUFFER_TOO_SMALL)
    }

    /// The value that was read last.
    pub(crate) fn value(&self) -> Value<'_> {
        let ValueInformation {
            kind,
            name_units,
            data_bytes,
        } = self.information;
        Value {
            name: data::units(self.name.as_ref()).take(name_units).until_nul(),
            kind,
            data: self.data.as_ref().get(..data_bytes).unwrap_or_default(),
            reached: self.reached,
        }
    }

    /// The value that was read last, for good: it takes the pages it was read into along.
    pub(crate) fn take(&mut self) -> Result<RawValue<S>> {
        Ok(RawValue {
            pages: core::mem::replace(&mut self.data, self.system.allocate_pages(PAGE)?),
            length: self.information.data_bytes,
            kind: self.information.kind,
        })
    }
}

/// Pages as units.
fn wide(pages: &mut impl AsMut<[u8]>) -> &mut [u16] {
    <[u16]>::mut_from_bytes(pages.as_mut()).unwrap_or_default()
}
