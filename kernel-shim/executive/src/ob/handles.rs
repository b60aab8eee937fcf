// SPDX-License-Identifier: GPL-2.0-or-later
//! Handle tables, one a process.
//!
//! Invariants: a handle value is `4 * (slot + 1)`, so 0 is never one; the two low bits of a value
//! that a caller hands in are ignored, as NT does; a free slot is used again, the lowest first, so
//! that handle values are the same on every run.

use crate::ids::ObjectId;
use alloc::vec::Vec;
use nt::Handle;

/// One handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The object.
    pub object: ObjectId,
    /// What it was granted.
    pub access: u32,
    /// Children that inherit handles get a copy (`OBJ_INHERIT`).
    pub inherit: bool,
    /// NtClose refuses it (`HANDLE_FLAG_PROTECT_FROM_CLOSE`).
    pub protect: bool,
}

/// A handle table.
#[derive(Debug, Default)]
pub struct HandleTable {
    entries: Vec<Option<Entry>>,
}

fn slot(handle: Handle) -> Option<usize> {
    usize::try_from(handle.0 >> 2).ok()?.checked_sub(1)
}

impl HandleTable {
    /// Enters a handle.
    pub fn insert(&mut self, entry: Entry) -> Handle {
        let at = self
            .entries
            .iter()
            .position(Option::is_none)
            .unwrap_or_else(|| {
                self.entries.push(None);
                self.entries.len() - 1
            });
        self.entries[at] = Some(entry);
        Handle((at as u64 + 1) << 2)
    }

    /// The entry of a handle.
    pub fn get(&self, handle: Handle) -> Option<Entry> {
        *self.entries.get(slot(handle)?)?
    }

    /// The entry of a handle, to change.
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut Entry> {
        self.entries.get_mut(slot(handle)?)?.as_mut()
    }

    /// Takes a handle out.
    pub fn remove(&mut self, handle: Handle) -> Option<Entry> {
        self.entries.get_mut(slot(handle)?)?.take()
    }

    /// Every handle, by value.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, Entry)> + '_ {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| entry.map(|entry| (Handle((at as u64 + 1) << 2), entry)))
    }

    /// What a child that inherits handles gets: the inheritable ones under the same values, and the
    /// objects they are to.
    pub fn inherited(&self) -> (Self, Vec<ObjectId>) {
        let entries: Vec<_> = self
            .entries
            .iter()
            .map(|entry| entry.filter(|entry| entry.inherit))
            .collect();
        let objects = entries.iter().flatten().map(|entry| entry.object).collect();
        (Self { entries }, objects)
    }

    /// How many handles there are.
    pub fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
