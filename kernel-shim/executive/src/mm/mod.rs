// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory management: images, segments, address spaces, section objects.
//!
//! [`segment`] holds the pages behind sections; [`space`] and [`view`] are one process's addresses.
//! Nothing here knows a handle or a process; the services around it are in
//! [`crate::system`].

pub mod protection;
pub mod segment;
pub mod space;
#[cfg(test)]
mod tests;
pub mod view;

use crate::ids::ObjectId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use protection::Protect;
use segment::{SegmentId, Segments};

pub use space::AddressSpace;
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

/// What the memory manager keeps for the whole system.
#[derive(Debug, Default)]
pub struct Mm {
    /// Every segment.
    pub segments: Segments,
    /// The section of ntdll.dll, once it was made.
    pub system_dll: Option<ObjectId>,
    /// What was found of its exports: each process that is made asks for the same few.
    pub system_dll_exports: BTreeMap<Vec<u8>, u32>,
    /// The national language tables that every process sees, once they were made, and where in
    /// them each table begins.
    pub national: Option<(SegmentId, [u64; 3])>,
    /// The sections of the drivers that were loaded.
    pub drivers: Vec<ObjectId>,
}
