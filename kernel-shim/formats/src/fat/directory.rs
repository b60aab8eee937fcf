// SPDX-License-Identifier: GPL-2.0-or-later
//! Directories of a FAT volume: reading them, and finding what is in them.

use super::names::{self, LONG_NAME, SLOT, ShortName};
use super::{FatVolume, Listing, Node, NodeId, ROOT, Times};
use crate::bytes::{u16_at, u32_at};
use crate::sectors::{SECTOR, Sectors};
use alloc::vec::Vec;
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
        let mut listing = Listing::new(self.directory_places(id)?);
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

    /// A directory's content, read if it was not.
    pub(super) fn listing(
        &mut self,
        device: &mut dyn Sectors,
        directory: NodeId,
    ) -> Result<&mut Listing> {
        self.load_listing(device, directory)?;
        self.get_mut(directory)?
            .listing
            .as_mut()
            .ok_or(Status::FILE_CORRUPT_ERROR)
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
        let mut long: Vec<names::LongPart> = Vec::new();
        for index in 0.. {
            let Some(slot) = listing.slot(index) else {
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
        for child in listing.unlist_all() {
            let Some(node) = self.nodes.get_mut(&child) else {
                continue;
            };
            let last = node.slots.1 - 1;
            let case = listing.slot(last).map_or(0, |slot| slot[MARKS_AT]);
            let without_long_name = node.name == node.short_name;
            node.short_name = names::short_text(&node.short, case, page);
            if without_long_name {
                node.name = node.short_name.clone();
            }
            listing.enlist(child, node);
        }
        if let Some(node) = self.nodes.get_mut(&directory) {
            node.listing = Some(listing);
        }
    }

    pub(super) fn adopt(&mut self, listing: &mut Listing, node: Node) -> NodeId {
        let id = NodeId(self.next);
        self.next += 1;
        listing.enlist(id, &node);
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
        let listing = self.listing(device, directory)?;
        listing.named(name).ok_or(Status::OBJECT_NAME_NOT_FOUND)
    }

    /// The entries of a directory, in the order in which they stand there.
    pub fn children(&mut self, device: &mut dyn Sectors, directory: NodeId) -> Result<Vec<NodeId>> {
        Ok(self.listing(device, directory)?.children().collect())
    }

    /// The first entry at or behind a place in a directory, and the place behind it. Entries that
    /// come and go meanwhile do not move the others.
    pub fn next_child(
        &mut self,
        device: &mut dyn Sectors,
        directory: NodeId,
        from: usize,
    ) -> Result<Option<(NodeId, usize)>> {
        let next = self.listing(device, directory)?.next_child(from);
        Ok(next.map(|(slot, id)| (id, slot + 1)))
    }

    /// Takes a node out of its directory's list; its slots are not touched.
    pub(super) fn unlist(&mut self, id: NodeId) -> Result<()> {
        self.with_parent(id, Listing::unlist)
    }

    /// Puts a node into its directory's list.
    pub(super) fn relist(&mut self, id: NodeId) -> Result<()> {
        self.with_parent(id, Listing::enlist)
    }

    /// Does something to the list of the directory that a node is in.
    fn with_parent(
        &mut self,
        id: NodeId,
        act: impl FnOnce(&mut Listing, NodeId, &Node),
    ) -> Result<()> {
        let parent = self.get(id)?.parent.ok_or(Status::CANNOT_DELETE)?;
        let mut listing = self
            .get_mut(parent)?
            .listing
            .take()
            .ok_or(Status::FILE_CORRUPT_ERROR)?;
        if let Some(node) = self.nodes.get(&id) {
            act(&mut listing, id, node);
        }
        self.get_mut(parent)?.listing = Some(listing);
        Ok(())
    }
}
