// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading values of any size: one system call for each, two for one that is larger than any before
//! it.

use crate::data::{self, Strings};
use nt::system::{Memory, Registry, ValueInformation, ValueType};
use nt::{Handle, Result, Status, UnicodeStr, key};
use zerocopy::FromBytes;

const PAGE: usize = 4096;

/// A value as it was read.
#[derive(Clone, Copy)]
pub(crate) struct Value<'b> {
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
        data::strings(self.kind, self.data(), data::Reached::ByName)
    }
}

/// How a value is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    Name(&'static str),
    Index(u32),
}

/// The buffers that values are read into, one after the other.
pub(crate) struct Reader<S: Memory> {
    system: S,
    /// The name that was asked for last.
    asked: key::Name,
    name: S::Pages,
    data: S::Pages,
}

impl<S: Memory + Registry> Reader<S> {
    pub(crate) fn new(system: S) -> Result<Self> {
        Ok(Self {
            system,
            asked: key::Name::new(),
            name: system.allocate_pages(PAGE)?,
            data: system.allocate_pages(PAGE)?,
        })
    }

    /// A value of `key`; `None` if there is none, or none more. Asks once more with larger buffers
    /// if they were too small.
    pub(crate) fn read(&mut self, key: Handle, which: Which) -> Result<Option<Value<'_>>> {
        self.asked.clear();
        if let Which::Name(name) = which {
            self.asked.push_ascii(name)?;
        }
        for _ in 0..2 {
            let data = self.data.as_mut();
            let read = match which {
                Which::Name(_) => self.system.query_value(key, self.asked.as_str(), data),
                Which::Index(index) => {
                    let name = <[u16]>::mut_from_bytes(self.name.as_mut()).unwrap_or_default();
                    self.system.enumerate_value(key, index, name, data)
                }
            };
            let ValueInformation {
                kind,
                name_units,
                data_bytes,
            } = match read {
                Ok(information) => information,
                Err(Status::OBJECT_NAME_NOT_FOUND | Status::NO_MORE_ENTRIES) => return Ok(None),
                Err(status) => return Err(status),
            };
            let name_bytes = name_units.saturating_mul(2);
            let name_fits = name_bytes <= self.name.as_ref().len();
            if name_fits && data_bytes <= self.data.as_ref().len() {
                let name = match which {
                    Which::Name(_) => self.asked.as_str(),
                    Which::Index(_) => data::units(self.name.as_ref()).take(name_units).until_nul(),
                };
                return Ok(Some(Value {
                    name,
                    kind,
                    data: self.data.as_ref().get(..data_bytes).unwrap_or_default(),
                }));
            }
            if !name_fits {
                self.name = self.system.allocate_pages(name_bytes)?;
            }
            self.data = self.system.allocate_pages(data_bytes.max(PAGE))?;
        }
        Err(Status::BUFFER_TOO_SMALL)
    }

    /// The value `name` of `key` for good: it takes the pages it was read into along.
    pub(crate) fn take(&mut self, key: Handle, name: &'static str) -> Result<Option<RawValue<S>>> {
        let Some(Value { kind, data, .. }) = self.read(key, Which::Name(name))? else {
            return Ok(None);
        };
        let length = data.len();
        let pages = core::mem::replace(&mut self.data, self.system.allocate_pages(PAGE)?);
        Ok(Some(RawValue {
            pages,
            length,
            kind,
        }))
    }
}
