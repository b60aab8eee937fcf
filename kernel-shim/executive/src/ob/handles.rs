// SPDX-License-Identifier: GPL-2.0-or-later
//! Handle tables, one a process.
//!
//! Invariants: a handle value is `4 * (slot + 1)`, so 0 is never one; the two low bits of a value
//! that a caller hands in are ignored, as NT does; a free slot is used again, the lowest first, so
//! that handle values are the same on every run.

use crate::ids::ObjectId;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use nt::Handle;
use nt::access::Access;

/// One handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleEntry {
    /// The object.
    pub object: ObjectId,
    /// What it was granted.
    pub access: Access,
    /// Children that inherit handles get a copy (`OBJ_INHERIT`).
    pub inherit: bool,
    /// NtClose refuses it (`HANDLE_FLAG_PROTECT_FROM_CLOSE`).
    pub protect: bool,
}

/// A handle table.
#[derive(Debug, Default)]
pub struct HandleTable {
    entries: Vec<Option<HandleEntry>>,
    /// The slots of `entries` that are free: a new handle is found without a walk through the table,
    /// whose length its process chooses.
    free: BTreeSet<usize>,
}

fn slot(handle: Handle) -> Option<usize> {
    usize::try_from(handle.0 >> 2).ok()?.checked_sub(1)
}

impl HandleTable {
    /// Enters a handle.
    pub fn insert(&mut self, entry: HandleEntry) -> Handle {
        let at = self.free.pop_first().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        self.entries[at] = Some(entry);
        Handle::from_slot((at as u64 + 1) << 2)
    }

    /// The entry of a handle.
    pub fn get(&self, handle: Handle) -> Option<HandleEntry> {
        *self.entries.get(slot(handle)?)?
    }

    /// The entry of a handle, to change.
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut HandleEntry> {
        self.entries.get_mut(slot(handle)?)?.as_mut()
    }

    /// Takes a handle out.
    pub fn remove(&mut self, handle: Handle) -> Option<HandleEntry> {
        let at = slot(handle)?;
        let entry = self.entries.get_mut(at)?.take()?;
        self.free.insert(at);
        Some(entry)
    }

    /// Every handle, by value.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, HandleEntry)> + '_ {
        self.entries.iter().enumerate().filter_map(|(at, entry)| {
            entry.map(|entry| (Handle::from_slot((at as u64 + 1) << 2), entry))
        })
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
        let free = (0..entries.len())
            .filter(|&at| entries[at].is_none())
            .collect();
        (Self { entries, free }, objects)
    }

    /// How many handles there are.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(inherit: bool) -> HandleEntry {
        HandleEntry {
            object: ObjectId {
                index: 0,
                generation: 0,
            },
            access: Access::empty(),
            inherit,
            protect: false,
        }
    }

    #[test]
    fn the_lowest_free_handle_is_used_again_first() {
        let mut table = HandleTable::default();
        let handles: Vec<Handle> = (0..5).map(|_| table.insert(entry(false))).collect();
        assert_eq!(handles[4], Handle(20));
        for at in [3, 1] {
            assert!(table.remove(handles[at]).is_some());
            assert!(table.remove(handles[at]).is_none());
        }
        assert_eq!(table.len(), 3);
        assert_eq!(table.insert(entry(false)), handles[1]);
        assert_eq!(table.insert(entry(false)), handles[3]);
        assert_eq!(table.insert(entry(false)), Handle(24));
    }

    #[test]
    fn what_a_child_does_not_inherit_is_free_in_its_table() {
        let mut table = HandleTable::default();
        for inherit in [false, true, false, true] {
            table.insert(entry(inherit));
        }
        let (mut child, objects) = table.inherited();
        assert_eq!((child.len(), objects.len()), (2, 2));
        assert_eq!(child.insert(entry(false)), Handle(4));
        assert_eq!(child.insert(entry(false)), Handle(12));
        assert_eq!(child.insert(entry(false)), Handle(20));
    }
}
