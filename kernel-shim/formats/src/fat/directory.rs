// SPDX-License-Identifier: GPL-2.0-or-later
//! Directories of a FAT volume: reading them, and finding what is in them.

use super::names::{self, LONG_NAME, SLOT, ShortName};
use super::{FatVolume, Listing, Node, NodeId, ROOT, Times};
use crate::bytes::{u16_at, u32_at};
use crate::sectors::{SECTOR, Sectors};
use alloc::vec;
use alloc::vec::Vec;
use nt::case::upcase;
use nt::{Result, Status};

pub(super) const FREE: u8 = 0xE5;
/// Where in a slot NT keeps the case of a short name, and this code its marks.
pub(super) const MARKS_AT: usize = 12;
/// Mark of an entry that is about to go: the file is being renamed.
pub(super) const LEAVING: u8 = 0x40;
/// Mark of a renamed file's new entry while the old one may still be there.
pub(super) const ARRIVING: u8 = 0x80;
const VOLUME_LABEL: u8 = 0x08;
pub(super) const KEPT_ATTRIBUTES: u32 = 0x37;
/// The largest directory FAT allows, in bytes.
pub(super) const LARGEST: usize = 65536 * SLOT;

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

    pub(super) fn directory_places(&mut self, id: NodeId) -> Result<Vec<u64>> {
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

    pub(super) fn adopt(&mut self, listing: &mut Listing, node: Node) -> NodeId {
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
}

fn enlist(listing: &mut Listing, id: NodeId, node: &Node) {
    listing.children.push(id);
    listing.shorts.insert(node.short);
    // On a damaged volume two entries may share a name: the first one has it.
    listing.by_name.entry(fold(&node.name)).or_insert(id);
    listing.by_name.entry(fold(&node.short_name)).or_insert(id);
}

pub(super) fn slot_at(raw: &[u8], index: usize) -> Option<[u8; SLOT]> {
    raw.get(index * SLOT..(index + 1) * SLOT)?.try_into().ok()
}
