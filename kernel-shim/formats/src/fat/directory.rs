// SPDX-License-Identifier: GPL-2.0-or-later
//! Directories of a FAT volume: reading them, finding, adding and removing entries.

use super::names::{self, LONG_NAME, SLOT, ShortName};
use super::{FatVolume, Listing, Node, NodeId, ROOT, Times};
use crate::bytes::{u16_at, u32_at};
use crate::sectors::{SECTOR, Sectors};
use alloc::vec;
use alloc::vec::Vec;
use nt::case::upcase;
use nt::system::FileAttributes;
use nt::{Result, Status, UnicodeStr};

const FREE: u8 = 0xE5;
/// Where in a slot NT keeps the case of a short name, and this code its marks.
const MARKS_AT: usize = 12;
/// Mark of an entry that is about to go: the file is being renamed.
pub(super) const LEAVING: u8 = 0x40;
/// Mark of a renamed file's new entry while the old one may still be there.
pub(super) const ARRIVING: u8 = 0x80;
const VOLUME_LABEL: u8 = 0x08;
const KEPT_ATTRIBUTES: u32 = 0x37;
/// The largest directory FAT allows, in bytes.
const LARGEST: usize = 65536 * SLOT;

fn fold(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&unit| upcase(unit)).collect()
}

impl FatVolume {
    /// Reads a directory and makes a node of every entry.
    pub(super) fn load_listing(&mut self, device: &mut dyn Sectors, id: NodeId) -> Result<()> {
        let node = self.get(id)?;
        if !node.is_directory() {
            return Err(Status::NOT_A_DIRECTORY);
        }
        if node.listing.is_some() {
            return Ok(());
        }
        let mut listing = Listing {
            places: self.directory_places(id)?,
            ..Listing::default()
        };
        listing.raw = vec![0; listing.places.len() * SECTOR];
        let mut at = 0;
        while let Some(&first) = listing.places.get(at) {
            // One request for as many sectors as lie side by side.
            let count = listing
                .places
                .iter()
                .skip(at)
                .zip(first..)
                .take_while(|(have, want)| **have == *want)
                .count();
            let bytes = listing
                .raw
                .get_mut(at * SECTOR..(at + count) * SECTOR)
                .unwrap_or_default();
            device.read(first, bytes)?;
            at += count;
        }
        self.parse_listing(id, &mut listing);
        self.get_mut(id)?.listing = Some(listing);
        Ok(())
    }

    fn directory_places(&mut self, id: NodeId) -> Result<Vec<u64>> {
        let geometry = self.geometry;
        if id == ROOT && !geometry.width.is_wide() {
            return Ok((geometry.root_start
                ..geometry.root_start + u64::from(geometry.root_sectors))
                .collect());
        }
        let runs = self.runs(id)?;
        let bytes =
            runs.iter().map(|run| u64::from(run.count)).sum::<u64>() * geometry.cluster_bytes();
        if runs.is_empty() || bytes > LARGEST as u64 {
            return Err(Status::FILE_CORRUPT_ERROR);
        }
        let clusters = runs.iter().flat_map(|run| run.first..run.first + run.count);
        Ok(clusters
            .flat_map(|cluster| {
                (0..u64::from(geometry.cluster_sectors))
                    .map(move |n| geometry.cluster_start(cluster) + n)
            })
            .collect())
    }

    fn parse_listing(&mut self, id: NodeId, listing: &mut Listing) {
        let slots = listing.raw.len() / SLOT;
        let mut long: Vec<names::LongPart> = Vec::new();
        for index in 0..slots {
            let Some(slot) = slot_at(&listing.raw, index) else {
                break;
            };
            if slot[0] == 0 {
                // What follows the end mark means nothing, so that it may be written back as zero.
                listing
                    .raw
                    .get_mut(index * SLOT..)
                    .unwrap_or_default()
                    .fill(0);
                break;
            }
            if slot[0] == FREE {
                long.clear();
            } else if slot[11] & 0x3F == LONG_NAME {
                let part = names::long_part(&slot);
                if part.last {
                    long.clear();
                }
                long.push(part);
            } else {
                let parts = core::mem::take(&mut long);
                self.parse_entry(id, listing, index, &slot, &parts);
            }
        }
    }

    fn parse_entry(
        &mut self,
        parent: NodeId,
        listing: &mut Listing,
        index: usize,
        slot: &[u8; SLOT],
        parts: &[names::LongPart],
    ) {
        let short: ShortName = core::array::from_fn(|at| slot[at]);
        if slot[11] & VOLUME_LABEL != 0 {
            if parent == ROOT && self.label.is_empty() {
                self.label = self.label_text(&short);
            }
            return;
        }
        if short[0] == b'.' {
            return;
        }
        let short_name = names::short_text(&short, slot[12], self.page);
        let sum = names::checksum(&short);
        let whole = !parts.is_empty()
            && parts
                .iter()
                .rev()
                .enumerate()
                .all(|(at, part)| part.number == at + 1 && part.checksum == sum);
        let name: Vec<u16> = if whole {
            parts
                .iter()
                .rev()
                .flat_map(|part| part.units.iter().copied())
                .collect()
        } else {
            Vec::new()
        };
        let (name, first) = if name.is_empty() {
            (short_name.clone(), index)
        } else {
            (name, index - parts.len())
        };
        let high = if self.geometry.width.is_wide() {
            u32::from(u16_at(slot, 20)) << 16
        } else {
            0
        };
        let directory = slot[11] & 0x10 != 0;
        let node = Node {
            parent: Some(parent),
            attributes: u32::from(slot[11]) & KEPT_ATTRIBUTES,
            size: if directory {
                0
            } else {
                u64::from(u32_at(slot, 28))
            },
            times: Times {
                creation: match names::from_fat_time(u16_at(slot, 16), u16_at(slot, 14)) {
                    0 => 0,
                    time => time + u64::from(slot[13]) * 100_000,
                },
                access: names::from_fat_time(u16_at(slot, 18), 0),
                write: names::from_fat_time(u16_at(slot, 24), u16_at(slot, 22)),
            },
            name,
            short_name,
            short,
            slots: (first, index + 1),
            first_cluster: high | u32::from(u16_at(slot, 26)),
            runs: None,
            listing: None,
        };
        let id = self.adopt(listing, node);
        if slot[MARKS_AT] & (LEAVING | ARRIVING) != 0 {
            self.marked.push(id);
        }
    }

    /// Reads the names of a directory's entries again, in the code page of now.
    pub(super) fn decode_names(&mut self, directory: NodeId) {
        let page = self.page;
        let Some(mut listing) = self
            .nodes
            .get_mut(&directory)
            .and_then(|node| node.listing.take())
        else {
            return;
        };
        listing.by_name.clear();
        for child in core::mem::take(&mut listing.children) {
            let Some(node) = self.nodes.get_mut(&child) else {
                continue;
            };
            let last = node.slots.1 - 1;
            let case = slot_at(&listing.raw, last).map_or(0, |slot| slot[MARKS_AT]);
            let without_long_name = node.name == node.short_name;
            node.short_name = names::short_text(&node.short, case, page);
            if without_long_name {
                node.name = node.short_name.clone();
            }
            enlist(&mut listing, child, node);
        }
        if let Some(node) = self.nodes.get_mut(&directory) {
            node.listing = Some(listing);
        }
    }

    fn adopt(&mut self, listing: &mut Listing, node: Node) -> NodeId {
        let id = NodeId(self.next);
        self.next += 1;
        enlist(listing, id, &node);
        self.nodes.insert(id, node);
        id
    }

    /// The entry of this name, long or short, without regard to case. `OBJECT_NAME_NOT_FOUND` if
    /// there is none.
    pub fn lookup(
        &mut self,
        device: &mut dyn Sectors,
        directory: NodeId,
        name: &[u16],
    ) -> Result<NodeId> {
        self.load_listing(device, directory)?;
        let listing = self
            .get(directory)?
            .listing
            .as_ref()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        listing
            .by_name
            .get(&fold(name))
            .copied()
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)
    }

    /// The entries of a directory, in the order in which they stand there.
    pub fn children(&mut self, device: &mut dyn Sectors, directory: NodeId) -> Result<Vec<NodeId>> {
        self.load_listing(device, directory)?;
        let listing = self
            .get(directory)?
            .listing
            .as_ref()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        let mut children = listing.children.clone();
        children.sort_by_key(|child| self.nodes.get(child).map(|node| node.slots));
        Ok(children)
    }

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
        self.load_listing(device, parent)?;
        let listing = self
            .get(parent)?
            .listing
            .as_ref()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        let (short, needs_long) = names::make_short(&node.name, &listing.shorts, self.page)?;
        let mut slots = if needs_long {
            names::long_slots(&node.name, &short)
        } else {
            Vec::new()
        };
        node.short = short;
        node.short_name = names::short_text(&short, 0, self.page);
        node.parent = Some(parent);
        let mut entry = encode(node);
        entry[MARKS_AT] |= mark;
        slots.push(entry);
        let first = match find_space(&listing.raw, slots.len()) {
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
            put_slot(&mut listing.raw, first + at, slot);
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
        find_space(&listing.raw, needed).ok_or(Status::FILE_CORRUPT_ERROR)
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
        let marks = slot_at(&listing.raw, at).map_or(0, |old| old[MARKS_AT]);
        put_slot(&mut listing.raw, at, &slot);
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
        for at in slots.0..slots.1 {
            if let Some(byte) = listing.raw.get_mut(at * SLOT) {
                *byte = FREE;
            }
        }
        let (first, last) = (slots.0 * SLOT / SECTOR, (slots.1 * SLOT - 1) / SECTOR);
        write_sectors(device, listing, [last])?;
        device.flush()?;
        write_sectors(device, listing, first..last)
    }

    /// Takes a node out of its directory's maps; its slots are not touched.
    pub(super) fn unlist(&mut self, id: NodeId) -> Result<()> {
        let node = self.get(id)?;
        let (Some(parent), name, short_name, short) = (
            node.parent,
            fold(&node.name),
            fold(&node.short_name),
            node.short,
        ) else {
            return Err(Status::CANNOT_DELETE);
        };
        let listing = self
            .get_mut(parent)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        listing.children.retain(|&child| child != id);
        listing.shorts.remove(&short);
        for key in [name, short_name] {
            if listing.by_name.get(&key) == Some(&id) {
                listing.by_name.remove(&key);
            }
        }
        Ok(())
    }

    /// Puts a node into its directory's maps.
    pub(super) fn relist(&mut self, id: NodeId) -> Result<()> {
        let node = self.get(id)?.clone();
        let parent = node.parent.ok_or(Status::CANNOT_DELETE)?;
        enlist(
            self.get_mut(parent)?
                .listing
                .as_mut()
                .ok_or(Status::FILE_CORRUPT_ERROR)?,
            id,
            &node,
        );
        Ok(())
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

fn enlist(listing: &mut Listing, id: NodeId, node: &Node) {
    listing.children.push(id);
    listing.shorts.insert(node.short);
    // On a damaged volume two entries may share a name: the first one has it.
    listing.by_name.entry(fold(&node.name)).or_insert(id);
    listing.by_name.entry(fold(&node.short_name)).or_insert(id);
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

fn slot_at(raw: &[u8], index: usize) -> Option<[u8; SLOT]> {
    raw.get(index * SLOT..(index + 1) * SLOT)?.try_into().ok()
}

fn put_slot(raw: &mut [u8], index: usize, slot: &[u8; SLOT]) {
    if let Some(place) = raw.get_mut(index * SLOT..(index + 1) * SLOT) {
        place.copy_from_slice(slot);
    }
}

/// The first of `count` free slots side by side.
fn find_space(raw: &[u8], count: usize) -> Option<usize> {
    let mut run = 0;
    for (index, slot) in raw.chunks_exact(SLOT).enumerate() {
        run = if matches!(slot.first(), Some(0 | &FREE)) {
            run + 1
        } else {
            0
        };
        if run == count {
            return Some(index + 1 - count);
        }
    }
    None
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
