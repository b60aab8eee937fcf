// SPDX-License-Identifier: GPL-2.0-or-later
//! What a disk check has to do with a volume: the mark that asks for one, and a volume whose sectors
//! somebody has written past it.
//!
//! The mark is a bit of a byte in the boot sector that NT calls reserved: the driver of ReactOS and
//! `fsck.fat` keep it there. FAT12 has none. It is apart from the bit of the second table entry,
//! which says that a change is under way ([`FatVolume::begin`]).
//!
//! Invariant: after [`FatVolume::reread`] a [`NodeId`] names the file that has the same path as
//! before, or nothing; a number never comes to stand for another path.

use super::geometry::Width;
use super::{FatVolume, Node, NodeId, ROOT};
use crate::sectors::{SECTOR, Sectors};
use alloc::vec;
use nt::{Result, UnicodeStr};

/// The mark in its byte.
const WANTS_CHECK: u8 = 1;

impl FatVolume {
    /// Where the byte with the mark is in the boot sector.
    const fn mark_at(&self) -> Option<usize> {
        match self.geometry.width {
            Width::Fat12 => None,
            Width::Fat16 => Some(0x25),
            Width::Fat32 => Some(0x41),
        }
    }

    /// Whether the volume asks for a check.
    ///
    /// # Errors
    /// What the device says.
    pub fn wants_check(&self, device: &mut dyn Sectors) -> Result<bool> {
        let Some(at) = self.mark_at() else {
            return Ok(false);
        };
        let mut sector = [0; SECTOR];
        device.read(0, &mut sector)?;
        Ok(sector.get(at).is_some_and(|byte| byte & WANTS_CHECK != 0))
    }

    /// Asks for a check, on the medium at once. A FAT12 volume cannot, which is no error.
    ///
    /// # Errors
    /// What the device says.
    pub fn mark_for_check(&self, device: &mut dyn Sectors) -> Result<()> {
        let Some(at) = self.mark_at() else {
            return Ok(());
        };
        let mut sector = [0; SECTOR];
        device.read(0, &mut sector)?;
        if let Some(byte) = sector.get_mut(at) {
            *byte |= WANTS_CHECK;
        }
        device.write(0, &sector)?;
        device.flush()
    }

    /// Reads the volume again, whose sectors somebody has written directly. What has kept its path
    /// keeps its number.
    ///
    /// # Errors
    /// `UNRECOGNIZED_VOLUME` and what the device says: the volume is what it was then.
    pub fn reread(&mut self, device: &mut dyn Sectors) -> Result<()> {
        let mut fresh = Self::mount_from(device, self.page, self.next)?;
        fresh.now = self.now;
        let old = core::mem::replace(self, fresh);
        let mut directories = vec![ROOT];
        while let Some(directory) = directories.pop() {
            let Some(listing) = old
                .nodes
                .get(&directory)
                .and_then(|node| node.listing.as_ref())
            else {
                continue;
            };
            if self.load_listing(device, directory).is_err() {
                continue;
            }
            for id in listing.children() {
                let Some(before) = old.nodes.get(&id) else {
                    continue;
                };
                if self.rename_node(device, directory, id, before, old.next)
                    && before.is_directory()
                {
                    directories.push(id);
                }
            }
        }
        Ok(())
    }

    /// Gives the entry that has a node's name and kind the node's number, if its own is `first` or
    /// above. Whether there is one.
    fn rename_node(
        &mut self,
        device: &mut dyn Sectors,
        directory: NodeId,
        id: NodeId,
        before: &Node,
        first: u32,
    ) -> bool {
        let Ok(new) = self.lookup(device, directory, &before.name) else {
            return false;
        };
        let same = |node: &Node| {
            node.is_directory() == before.is_directory()
                && UnicodeStr(&node.name).eq_ignore_case(UnicodeStr(&before.name))
        };
        // Of two entries of one name the first keeps its number.
        if new.0 < first || !self.nodes.get(&new).is_some_and(same) {
            return false;
        }
        let Some(node) = self.nodes.remove(&new) else {
            return false;
        };
        let listing = self
            .nodes
            .get_mut(&directory)
            .and_then(|node| node.listing.as_mut());
        if let Some(listing) = listing {
            listing.renumber(new, id, &node);
        }
        self.nodes.insert(id, node);
        true
    }
}
