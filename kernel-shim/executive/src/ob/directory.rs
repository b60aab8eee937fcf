// SPDX-License-Identifier: GPL-2.0-or-later
//! Object directories and device maps (spec 3.1).
//!
//! Invariants: names are found by their upcased form first; two names that differ only in case can
//! both be there if they were made with case sensitivity. The order of enumeration is that of the
//! upcased names, so it is the same on every run.

use crate::ids::ObjectId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use nt::case::upcase;

/// A device map, by its place in the object manager's list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMapId(pub usize);

impl DeviceMapId {
    /// The system's own, which belongs to `\GLOBAL??`.
    pub const SYSTEM: Self = Self(0);
}

/// A device map: what `\??` is for the processes that have it.
#[derive(Clone, Debug)]
pub struct DeviceMap {
    /// The directory.
    pub directory: ObjectId,
    /// Bit n: drive n has a link there.
    pub drives: u32,
    /// `DOSDEVICE_DRIVE_` type of each drive.
    pub types: [u8; 32],
}

/// The body of an object directory.
#[derive(Debug, Default)]
pub struct Directory {
    entries: BTreeMap<Vec<u16>, Vec<(Vec<u16>, ObjectId)>>,
    /// The device map that the directory belongs to.
    pub device_map: Option<DeviceMapId>,
    /// The session whose directory it is, if it is one's: others make neither sections nor symbolic
    /// links in it, unless they may make global objects.
    pub session: Option<u32>,
}

/// `name` upcased.
pub fn fold(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&unit| upcase(unit)).collect()
}

impl Directory {
    /// The object of this name.
    pub fn get(&self, name: &[u16], ignore_case: bool) -> Option<ObjectId> {
        let same = self.entries.get(&fold(name))?;
        let exact = same.iter().find(|(spelled, _)| spelled == name);
        exact
            .or_else(|| same.first().filter(|_| ignore_case))
            .map(|&(_, object)| object)
    }

    /// Enters an object.
    pub fn insert(&mut self, name: &[u16], object: ObjectId) {
        self.entries
            .entry(fold(name))
            .or_default()
            .push((name.to_vec(), object));
    }

    /// Takes an object out.
    pub fn remove(&mut self, name: &[u16], object: ObjectId) {
        let folded = fold(name);
        if let Some(same) = self.entries.get_mut(&folded) {
            same.retain(|&(_, other)| other != object);
            if same.is_empty() {
                self.entries.remove(&folded);
            }
        }
    }

    /// Every entry, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u16], ObjectId)> {
        self.entries
            .values()
            .flatten()
            .map(|(name, object)| (name.as_slice(), *object))
    }
}
