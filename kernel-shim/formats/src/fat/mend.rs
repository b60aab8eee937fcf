// SPDX-License-Identifier: GPL-2.0-or-later
//! Mounting a volume that was left in the middle of a change.
//!
//! Only what the order of writes can leave behind is mended (see the table in [`super`]): a rename
//! of which both entries, or the marks, are there, and copies of the table that differ. Lost
//! clusters and whatever else is wrong are a disk check's business. Every step may be cut and
//! repeated.

use super::directory::{ARRIVING, LEAVING};
use super::{FatVolume, NodeId, ROOT};
use crate::sectors::Sectors;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use nt::{Result, Status};

impl FatVolume {
    /// Mounts the volume on `device`, and ends the rename that a power cut has left half done.
    ///
    /// # Errors
    /// As [`Self::mount`]. A device that cannot be written is mounted as it is.
    pub fn mount_mended(device: &mut dyn Sectors) -> Result<Self> {
        let mut this = Self::mount(device)?;
        if !this.table.is_in_use() {
            return Ok(this);
        }
        match this.mend(device) {
            Ok(()) => {}
            Err(status) => log::warn!("a FAT volume was not ended, and not mended: {status}"),
        }
        // What was read on the way is not kept: there may be much of it.
        Self::mount(device)
    }

    /// Pairs of paths that own one cluster.
    ///
    /// # Errors
    /// `FILE_CORRUPT_ERROR` for a chain that does not end, or is too short for its file; what the
    /// device says.
    pub fn crossed_files(&mut self, device: &mut dyn Sectors) -> Result<Vec<(Vec<u16>, Vec<u16>)>> {
        let mut owners: BTreeMap<u32, NodeId> = BTreeMap::new();
        let mut crossed = Vec::new();
        let mut pending = vec![ROOT];
        while let Some(id) = pending.pop() {
            let runs = self.runs(id)?.to_vec();
            for cluster in runs.iter().flat_map(|run| run.first..run.first + run.count) {
                if let Some(other) = owners.insert(cluster, id) {
                    crossed.push((self.path(other), self.path(id)));
                }
            }
            let node = self.get(id)?;
            if node.is_directory() {
                // Behind a crossed directory everything is crossed, for ever if it is its own.
                if crossed.is_empty() {
                    pending.extend(self.children(device, id)?);
                }
            } else {
                let size = node.size;
                if size > self.allocation(id)? {
                    return Err(Status::FILE_CORRUPT_ERROR);
                }
            }
        }
        Ok(crossed)
    }

    fn mend(&mut self, device: &mut dyn Sectors) -> Result<()> {
        self.table.mend_copies(device)?;
        self.read_every_directory(device);
        let marked = core::mem::take(&mut self.marked);
        for &new in &marked {
            if self.mark(new) != ARRIVING {
                continue;
            }
            for &old in &marked {
                if old != new && self.mark(old) == LEAVING && self.is_one_file(old, new) {
                    self.forget(device, old)?;
                }
            }
        }
        for id in marked {
            if self.node(id).is_some() {
                self.settle_name(device, id)?;
            }
        }
        device.flush()
    }

    /// Loads every listing there is. One that cannot be read is left out: nothing was written there
    /// either.
    fn read_every_directory(&mut self, device: &mut dyn Sectors) {
        let mut seen = BTreeSet::new();
        let mut pending = vec![ROOT];
        while let Some(directory) = pending.pop() {
            let children = self.children(device, directory).unwrap_or_default();
            pending.extend(children.into_iter().filter(|child| {
                self.node(*child)
                    .is_some_and(|node| node.is_directory() && seen.insert(node.first_cluster))
            }));
        }
    }

    /// Whether two entries are those of one file that was being renamed.
    fn is_one_file(&self, one: NodeId, other: NodeId) -> bool {
        let facts = |id| {
            let node = self.node(id)?;
            let place = (node.first_cluster, node.size, node.attributes);
            Some((place, node.times.creation, node.times.write))
        };
        facts(one).is_some() && facts(one) == facts(other)
    }

    /// Takes the old entry away. Its clusters are the new one's.
    fn forget(&mut self, device: &mut dyn Sectors, id: NodeId) -> Result<()> {
        let node = self.get(id)?;
        let (parent, slots) = (node.parent.ok_or(Status::CANNOT_DELETE)?, node.slots);
        log::info!("a rename was under way when the power went: it is ended");
        self.erase_slots(device, parent, slots)?;
        self.unlist(id)?;
        self.nodes.remove(&id);
        Ok(())
    }

    /// The entry is the only one now: `..` below it must say so, and then the mark can go.
    fn settle_name(&mut self, device: &mut dyn Sectors, id: NodeId) -> Result<()> {
        let node = self.get(id)?;
        if let (true, Some(parent)) = (node.is_directory(), node.parent) {
            self.point_up(device, id, parent)?;
            device.flush()?;
        }
        self.set_mark(Some(device), id, 0)
    }
}
