// SPDX-License-Identifier: GPL-2.0-or-later
//! Changing the directories of a FAT volume: entries that are added, changed, marked and removed.
//!
//! Invariant: what a power cut leaves of each change is in the table of [`super`].

use super::directory::{ARRIVING, KEPT_ATTRIBUTES, LARGEST, LEAVING, MARKS_AT};
use super::names::{self, SLOT};
use super::{FatVolume, Listing, Node, NodeId, ROOT, Times, short};
use crate::sectors::{SECTOR, Sectors};
use alloc::vec;
use alloc::vec::Vec;
use nt::system::FileAttributes;
use nt::{Result, Status, UnicodeStr};

impl FatVolume {
    /// Makes an empty file or directory. `OBJECT_NAME_COLLISION`, `OBJECT_NAME_INVALID`,
    /// `DISK_FULL`.
    pub fn create(
        &mut self,
        device: &mut dyn Sectors,
        parent: NodeId,
        name: UnicodeStr<'_>,
        attributes: u32,
    ) -> Result<NodeId> {
        names::check(name.units())?;
        match self.lookup(device, parent, name.units()) {
            Ok(_) => return Err(Status::OBJECT_NAME_COLLISION),
            Err(Status::OBJECT_NAME_NOT_FOUND) => {}
            Err(other) => return Err(other),
        }
        self.begin(device)?;
        let directory = attributes & FileAttributes::DIRECTORY != 0;
        let mut node = Node {
            parent: Some(parent),
            name: name.units().to_vec(),
            short_name: Vec::new(),
            attributes: attributes & KEPT_ATTRIBUTES,
            size: 0,
            times: Times {
                creation: self.now,
                access: self.now,
                write: self.now,
            },
            short: [b' '; 11],
            slots: (0, 0),
            first_cluster: 0,
            runs: Some(Vec::new()),
            listing: None,
        };
        let taken = if directory {
            self.new_directory_cluster(device, parent, &mut node)?
        } else {
            Vec::new()
        };
        match self.add_entry(device, parent, node) {
            Ok(id) => Ok(id),
            Err(status) => {
                self.table.release(&taken);
                self.table.commit(device)?;
                Err(status)
            }
        }
    }

    fn new_directory_cluster(
        &mut self,
        device: &mut dyn Sectors,
        parent: NodeId,
        node: &mut Node,
    ) -> Result<Vec<super::Run>> {
        let taken = self.table.allocate(1, 0)?;
        let Some(first) = taken.first().map(|run| run.first) else {
            return Err(Status::DISK_FULL);
        };
        node.first_cluster = first;
        node.runs = Some(taken.clone());
        let mut bytes = vec![0; self.geometry.cluster_bytes() as usize];
        let up = if parent == ROOT {
            0
        } else {
            self.get(parent)?.first_cluster
        };
        for (at, (text, cluster)) in [(b".          ", first), (b"..         ", up)]
            .into_iter()
            .enumerate()
        {
            let dot = Node {
                short: *text,
                first_cluster: cluster,
                ..node.clone()
            };
            let dot = Node {
                attributes: FileAttributes::DIRECTORY,
                ..dot
            };
            bytes[at * SLOT..(at + 1) * SLOT].copy_from_slice(&encode(&dot));
        }
        device.write(self.geometry.cluster_start(first), &bytes)?;
        self.table.commit(device)?;
        device.flush()?;
        Ok(taken)
    }

    /// Writes the slots of a new entry for `node`, whose clusters are in place, and gives it an id.
    pub(super) fn add_entry(
        &mut self,
        device: &mut dyn Sectors,
        parent: NodeId,
        mut node: Node,
    ) -> Result<NodeId> {
        self.place_entry(device, parent, &mut node, 0)?;
        let mut listing = self
            .get_mut(parent)?
            .listing
            .take()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        let id = self.adopt(&mut listing, node);
        self.get_mut(parent)?.listing = Some(listing);
        Ok(id)
    }

    /// Chooses slots and an 8.3 name for `node` in `parent`, and writes them, the last of them with
    /// this mark. The parts of the long name are on the medium before the entry is written.
    pub(super) fn place_entry(
        &mut self,
        device: &mut dyn Sectors,
        parent: NodeId,
        node: &mut Node,
        mark: u8,
    ) -> Result<()> {
        let page = self.page;
        let listing = self.listing(device, parent)?;
        let (short, needs_long) = short::make(&node.name, listing.shorts(), page)?;
        let mut slots = if needs_long {
            names::long_slots(&node.name, &short)
        } else {
            Vec::new()
        };
        node.short = short;
        node.short_name = names::short_text(&short, 0, page);
        node.parent = Some(parent);
        let mut entry = encode(node);
        entry[MARKS_AT] |= mark;
        slots.push(entry);
        let first = match listing.find_room(slots.len()) {
            Some(first) => first,
            None => self.grow_directory(device, parent, slots.len())?,
        };
        let end = first + slots.len();
        node.slots = (first, end);
        let listing = self
            .get_mut(parent)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        for (at, slot) in slots.iter().enumerate() {
            listing.put(first + at, slot);
        }
        // Where the end mark moves to must be zero on the device before the slots in front of it
        // are written.
        let past = end * SLOT / SECTOR;
        let (first, last) = (first * SLOT / SECTOR, (end * SLOT - 1) / SECTOR);
        let moves_mark = past > last && listing.raw.get(end * SLOT) == Some(&0);
        if moves_mark {
            write_sectors(device, listing, [past])?;
        }
        if moves_mark || first < last {
            write_sectors(device, listing, first..last)?;
            device.flush()?;
        }
        write_sectors(device, listing, [last])
    }

    fn grow_directory(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        needed: usize,
    ) -> Result<usize> {
        if id == ROOT && !self.geometry.width.is_wide() {
            return Err(Status::DISK_FULL);
        }
        let tail = self
            .runs(id)?
            .last()
            .map(|run| run.first + run.count - 1)
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        let old = self
            .get(id)?
            .listing
            .as_ref()
            .map_or(0, |listing| listing.raw.len());
        let clusters = (needed * SLOT).div_ceil(self.geometry.cluster_bytes() as usize) as u32;
        if old + clusters as usize * self.geometry.cluster_bytes() as usize > LARGEST {
            return Err(Status::DISK_FULL);
        }
        let added = self.table.allocate(clusters, tail)?;
        let zero = vec![0; self.geometry.cluster_bytes() as usize];
        for cluster in added
            .iter()
            .flat_map(|run| run.first..run.first + run.count)
        {
            device.write(self.geometry.cluster_start(cluster), &zero)?;
        }
        self.table.commit(device)?;
        device.flush()?;
        if let Some(run) = added.first() {
            self.table.link(tail, Some(run.first));
            self.table.commit(device)?;
        }
        let node = self.get_mut(id)?;
        node.runs = None;
        let places = self.directory_places(id)?;
        let listing = self
            .get_mut(id)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        listing.raw.resize(places.len() * SECTOR, 0);
        listing.places = places;
        listing.find_room(needed).ok_or(Status::FILE_CORRUPT_ERROR)
    }

    /// Rewrites the slot that holds a node's size, clusters, attributes and times. One sector: all
    /// of it or nothing.
    pub(super) fn update_entry(&mut self, device: &mut dyn Sectors, id: NodeId) -> Result<()> {
        let node = self.get(id)?;
        let Some(parent) = node.parent else {
            return Ok(());
        };
        let (slot, at) = (encode(node), node.slots.1 - 1);
        let listing = self
            .get_mut(parent)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        let marks = listing.slot(at).map_or(0, |old| old[MARKS_AT]);
        listing.put(at, &slot);
        if let Some(byte) = listing.raw.get_mut(at * SLOT + MARKS_AT) {
            *byte = marks;
        }
        write_sectors(device, listing, [at * SLOT / SECTOR])
    }

    /// The mark in a node's entry: [`LEAVING`], [`ARRIVING`] or none.
    pub(super) fn mark(&self, id: NodeId) -> u8 {
        let byte = self.nodes.get(&id).and_then(|node| {
            let listing = self.nodes.get(&node.parent?)?.listing.as_ref()?;
            listing.raw.get((node.slots.1 - 1) * SLOT + MARKS_AT)
        });
        byte.map_or(0, |byte| byte & (LEAVING | ARRIVING))
    }

    /// Sets the mark in a node's entry, and writes that sector if `device` is given.
    pub(super) fn set_mark(
        &mut self,
        device: Option<&mut dyn Sectors>,
        id: NodeId,
        mark: u8,
    ) -> Result<()> {
        let node = self.get(id)?;
        let at = node.slots.1 - 1;
        let parent = node.parent.ok_or(Status::CANNOT_DELETE)?;
        let listing = self
            .get_mut(parent)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        if let Some(byte) = listing.raw.get_mut(at * SLOT + MARKS_AT) {
            *byte = *byte & !(LEAVING | ARRIVING) | mark;
        }
        match device {
            Some(device) => write_sectors(device, listing, [at * SLOT / SECTOR]),
            None => Ok(()),
        }
    }

    /// Marks a node's slots free. The last one, which is the file itself, is gone from the medium
    /// before the parts of its long name are, and before this returns.
    pub(super) fn erase_slots(
        &mut self,
        device: &mut dyn Sectors,
        parent: NodeId,
        slots: (usize, usize),
    ) -> Result<()> {
        let listing = self
            .get_mut(parent)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        listing.free(slots);
        let (first, last) = (slots.0 * SLOT / SECTOR, (slots.1 * SLOT - 1) / SECTOR);
        write_sectors(device, listing, [last])?;
        device.flush()?;
        write_sectors(device, listing, first..last)
    }

    /// Deletes a file or an empty directory. `DIRECTORY_NOT_EMPTY`; `CANNOT_DELETE` for the root.
    pub fn delete(&mut self, device: &mut dyn Sectors, id: NodeId) -> Result<()> {
        let node = self.get(id)?;
        let (Some(parent), slots) = (node.parent, node.slots) else {
            return Err(Status::CANNOT_DELETE);
        };
        if node.is_directory() && !self.children(device, id)?.is_empty() {
            return Err(Status::DIRECTORY_NOT_EMPTY);
        }
        let runs = self.runs(id)?.to_vec();
        self.begin(device)?;
        self.erase_slots(device, parent, slots)?;
        self.unlist(id)?;
        self.nodes.remove(&id);
        self.table.release(&runs);
        self.table.commit(device)
    }

    /// Sets the attributes that FAT can store (`DIRECTORY` stays as it is), and those times that
    /// are given.
    pub fn set_basic(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        attributes: Option<u32>,
        times: [Option<u64>; 3],
    ) -> Result<()> {
        self.begin(device)?;
        let node = self.get_mut(id)?;
        if let Some(attributes) = attributes {
            let kept = node.attributes & FileAttributes::DIRECTORY;
            node.attributes = attributes & KEPT_ATTRIBUTES & !FileAttributes::DIRECTORY | kept;
        }
        let [creation, access, write] = times;
        node.times.creation = creation.unwrap_or(node.times.creation);
        node.times.access = access.unwrap_or(node.times.access);
        node.times.write = write.unwrap_or(node.times.write);
        self.update_entry(device, id)
    }
}

pub(super) fn encode(node: &Node) -> [u8; SLOT] {
    let mut slot = [0; SLOT];
    slot[..11].copy_from_slice(&node.short);
    slot[11] = node.attributes as u8;
    let (date, time) = names::to_fat_time(node.times.creation);
    slot[13] = (node.times.creation / 100_000 % 200) as u8;
    let high = (node.first_cluster >> 16) as u16;
    let (written, written_at) = names::to_fat_time(node.times.write);
    let (accessed, _) = names::to_fat_time(node.times.access);
    let words = [
        (14, time),
        (16, date),
        (18, accessed),
        (20, high),
        (22, written_at),
        (24, written),
        (26, node.first_cluster as u16),
    ];
    for (at, word) in words {
        slot[at..at + 2].copy_from_slice(&word.to_le_bytes());
    }
    let size = if node.is_directory() {
        0
    } else {
        node.size as u32
    };
    slot[28..32].copy_from_slice(&size.to_le_bytes());
    slot
}

fn write_sectors(
    device: &mut dyn Sectors,
    listing: &Listing,
    sectors: impl IntoIterator<Item = usize>,
) -> Result<()> {
    for sector in sectors {
        let (Some(&place), Some(bytes)) = (
            listing.places.get(sector),
            listing.raw.get(sector * SECTOR..(sector + 1) * SECTOR),
        ) else {
            continue;
        };
        device.write(place, bytes)?;
    }
    Ok(())
}
