// SPDX-License-Identifier: GPL-2.0-or-later
//! A directory in memory: its slots as they are on the medium, and what finds an entry or a place
//! for one without looking at all the others.
//!
//! Invariants: an entry is listed under its first slot, its name, its short name, and its 8.3 name;
//! before `room[n]` no `n` free slots lie side by side. Nothing here writes to the medium.

use super::directory::FREE;
use super::names::{SLOT, ShortName};
use super::{Node, NodeId};
use crate::sectors::SECTOR;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use nt::case::upcase;
use nt::steps;

/// The most slots that an entry takes: a name of 255 units, and itself.
const MOST: usize = 255usize.div_ceil(13) + 1;

/// A directory's content in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    /// All its slots.
    pub raw: Vec<u8>,
    /// Where each sector of `raw` is on the device.
    pub places: Vec<u64>,
    /// By first slot, which is the order of enumeration.
    children: BTreeMap<usize, NodeId>,
    by_name: BTreeMap<Vec<u16>, NodeId>,
    shorts: BTreeSet<ShortName>,
    room: [usize; MOST + 1],
}

fn fold(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&unit| upcase(unit)).collect()
}

impl Listing {
    /// An empty directory in these sectors.
    pub fn new(places: Vec<u64>) -> Self {
        Self {
            raw: vec![0; places.len() * SECTOR],
            places,
            ..Self::default()
        }
    }

    /// The entry of this name, long or short, without regard to case.
    pub fn named(&self, name: &[u16]) -> Option<NodeId> {
        self.by_name.get(&fold(name)).copied()
    }

    /// The 8.3 names that are taken.
    pub const fn shorts(&self) -> &BTreeSet<ShortName> {
        &self.shorts
    }

    /// The entries, in the order in which they stand in the directory.
    pub fn children(&self) -> impl Iterator<Item = NodeId> {
        self.children.values().copied()
    }

    /// The first entry at or behind a slot, with the slot that it begins in.
    pub fn next_child(&self, from: usize) -> Option<(usize, NodeId)> {
        self.children
            .range(from..)
            .next()
            .map(|(&slot, &id)| (slot, id))
    }

    /// Lists an entry whose slots are in place.
    pub fn enlist(&mut self, id: NodeId, node: &Node) {
        self.children.insert(node.slots.0, id);
        self.shorts.insert(node.short);
        // On a damaged volume two entries may share a name: the first one has it.
        self.by_name.entry(fold(&node.name)).or_insert(id);
        self.by_name.entry(fold(&node.short_name)).or_insert(id);
    }

    /// Takes an entry out of the list; its slots stay as they are.
    pub fn unlist(&mut self, id: NodeId, node: &Node) {
        self.children.remove(&node.slots.0);
        self.shorts.remove(&node.short);
        for name in [&node.name, &node.short_name] {
            let name = fold(name);
            if self.by_name.get(&name) == Some(&id) {
                self.by_name.remove(&name);
            }
        }
    }

    /// Lists an entry under another number.
    pub fn renumber(&mut self, old: NodeId, new: NodeId, node: &Node) {
        for name in [&node.name, &node.short_name] {
            if let Some(number) = self.by_name.get_mut(&fold(name))
                && *number == old
            {
                *number = new;
            }
        }
        if let Some(number) = self.children.get_mut(&node.slots.0) {
            *number = new;
        }
    }

    /// Takes every entry out of the list, to be listed again under other names.
    pub fn unlist_all(&mut self) -> Vec<NodeId> {
        self.by_name.clear();
        core::mem::take(&mut self.children).into_values().collect()
    }

    /// The slot of this number.
    pub fn slot(&self, index: usize) -> Option<[u8; SLOT]> {
        self.raw
            .get(index * SLOT..(index + 1) * SLOT)?
            .try_into()
            .ok()
    }

    /// Puts a slot in place of another. Room that is taken so must have been found before.
    pub fn put(&mut self, index: usize, slot: &[u8; SLOT]) {
        if let Some(place) = self.raw.get_mut(index * SLOT..(index + 1) * SLOT) {
            place.copy_from_slice(slot);
        }
    }

    /// The first of `count` free slots side by side.
    pub fn find_room(&mut self, count: usize) -> Option<usize> {
        let start = self.room.get(count).copied()?;
        let mut run = 0;
        let mut end = start;
        let slots = self.raw.get(start * SLOT..).unwrap_or_default();
        for slot in slots.chunks_exact(SLOT) {
            if run == count {
                break;
            }
            steps::took(1);
            end += 1;
            run = match slot.first() {
                Some(0 | &FREE) => run + 1,
                _ => 0,
            };
        }
        // Those at the end may become a run of the right length once the directory has grown.
        let first = end - run;
        for bound in self.room.iter_mut().skip(count) {
            *bound = (*bound).max(first);
        }
        (run == count).then_some(first)
    }

    /// Marks slots free.
    pub fn free(&mut self, slots: (usize, usize)) {
        for at in slots.0..slots.1 {
            if let Some(byte) = self.raw.get_mut(at * SLOT) {
                *byte = FREE;
            }
        }
        // A run may begin with the free slots in front of these.
        for (count, bound) in self.room.iter_mut().enumerate() {
            *bound = (*bound).min((slots.0 + 1).saturating_sub(count));
        }
    }
}
