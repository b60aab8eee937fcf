// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory management: images, segments, address spaces, section objects.
//!
//! [`segment`] holds the pages behind sections; [`space`] and [`view`] are one process's addresses.
//! Nothing here knows a handle or a process; the services around it are in
//! [`crate::system`].

pub mod protection;
mod query;
pub mod segment;
pub mod space;
#[cfg(test)]
mod tests;
mod vad;
pub mod view;

use crate::ids::ObjectId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use protection::Protect;
use segment::{SegmentId, Segments};

pub use query::Region;
pub use space::AddressSpace;
pub use vad::{Use, Vad};
pub use view::Mapped;

pub use abi::memory::{SEC_COMMIT, SEC_FILE, SEC_IMAGE, SEC_RESERVE};

/// The body of a section object.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its pages; the section holds one reference.
    pub segment: SegmentId,
    /// The protection it was made with: the most a view may have.
    pub protect: Protect,
    /// Bytes.
    pub size: u64,
    /// `SEC_` attributes.
    pub attributes: u32,
    /// The open file behind it, which it keeps open; none for memory.
    pub file: Option<ObjectId>,
}

/// What the memory manager keeps for the whole system. What [`Mm::keep_system_dll`] and its like
/// keep stays as it is for as long as the system runs.
#[derive(Debug, Default)]
pub struct Mm {
    segments: Segments,
    system_dll: Option<ObjectId>,
    system_dll_exports: BTreeMap<Vec<u8>, u32>,
    national_tables: Option<NationalTables>,
    drivers: Vec<ObjectId>,
}

/// The national language tables that every process sees.
#[derive(Clone, Copy, Debug)]
pub struct NationalTables {
    /// Where they are.
    pub segment: SegmentId,
    /// Where in the segment each of the three begins.
    pub offsets: [u64; 3],
}

impl Mm {
    /// Every segment.
    pub const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// The same, to change.
    pub const fn segments_mut(&mut self) -> &mut Segments {
        &mut self.segments
    }

    /// The section of ntdll.dll, once it was made.
    pub const fn system_dll(&self) -> Option<ObjectId> {
        self.system_dll
    }

    /// Takes over a reference to the section of ntdll.dll.
    pub const fn keep_system_dll(&mut self, section: ObjectId) {
        self.system_dll = Some(section);
    }

    /// An export of ntdll.dll that was found before: each process that is made asks for the same
    /// few.
    pub fn system_dll_export(&self, name: &[u8]) -> Option<u32> {
        self.system_dll_exports.get(name).copied()
    }

    /// Remembers the relative virtual address of an export of ntdll.dll.
    pub fn keep_system_dll_export(&mut self, name: &[u8], address: u32) {
        self.system_dll_exports.insert(name.to_vec(), address);
    }

    /// The national language tables, once they were made.
    pub const fn national_tables(&self) -> Option<NationalTables> {
        self.national_tables
    }

    /// Takes over a reference to the segment of the national language tables.
    pub const fn keep_national_tables(&mut self, tables: NationalTables) {
        self.national_tables = Some(tables);
    }

    /// Takes over a reference to the section of a driver that was loaded: drivers stay.
    pub fn keep_driver(&mut self, section: ObjectId) {
        self.drivers.push(section);
    }
}
