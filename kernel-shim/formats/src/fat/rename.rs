// SPDX-License-Identifier: GPL-2.0-or-later
//! Renaming and moving: both entries marked while both may be there (see the table in [`super`]).

use super::directory::{ARRIVING, LEAVING};
use super::names;
use super::{FatVolume, NodeId, ROOT};
use crate::sectors::{SECTOR, Sectors};
use nt::system::FileAttributes;
use nt::{Result, Status, UnicodeStr};

impl FatVolume {
    /// Gives a file or directory the name `name` in `parent`.
    ///
    /// `OBJECT_NAME_COLLISION` if another file has that name and `replace` is not set, or it is a
    /// directory or read-only (spec 6.2, row 4). `INVALID_PARAMETER` for a directory that would
    /// come to lie inside itself. A file that is replaced keeps its spelling of the
    /// name: its entry is turned over to the new content in one sector, so that the name is never
    /// without a file.
    pub fn rename(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        parent: NodeId,
        name: UnicodeStr<'_>,
        replace: bool,
    ) -> Result<()> {
        names::check(name.units())?;
        let node = self.get(id)?;
        let (Some(old_parent), old_slots) = (node.parent, node.slots) else {
            return Err(Status::INVALID_PARAMETER);
        };
        if old_parent == parent && node.name == name.units() {
            return Ok(());
        }
        let mut above = Some(parent);
        while let Some(at) = above {
            if at == id {
                return Err(Status::INVALID_PARAMETER);
            }
            above = self.get(at)?.parent;
        }
        match self.lookup(device, parent, name.units()) {
            Ok(target) if target != id => {
                let found = self.get(target)?;
                if !replace
                    || found.attributes & (FileAttributes::DIRECTORY | FileAttributes::READONLY)
                        != 0
                {
                    return Err(Status::OBJECT_NAME_COLLISION);
                }
                return self.take_over(device, id, target);
            }
            Ok(_) | Err(Status::OBJECT_NAME_NOT_FOUND) => {}
            Err(other) => return Err(other),
        }
        self.begin(device)?;
        self.set_mark(Some(device), id, LEAVING)?;
        device.flush()?;
        let mut moved = self.get(id)?.clone();
        moved.name = name.units().to_vec();
        if let Err(status) = self.place_entry(device, parent, &mut moved, ARRIVING) {
            self.set_mark(Some(device), id, 0)?;
            return Err(status);
        }
        if moved.is_directory() && old_parent != parent {
            self.point_up(device, id, parent)?;
        }
        device.flush()?;
        self.erase_slots(device, old_parent, old_slots)?;
        self.unlist(id)?;
        // `..` was read with the listing and may have been rewritten, so the node's own listing is
        // the newer one.
        moved.listing = self.get_mut(id)?.listing.take();
        *self.get_mut(id)? = moved;
        self.relist(id)?;
        self.set_mark(Some(device), id, 0)
    }

    /// `id` takes the entry of `target`, whose clusters are given back.
    fn take_over(&mut self, device: &mut dyn Sectors, id: NodeId, target: NodeId) -> Result<()> {
        let node = self.get(id)?;
        let (Some(old_parent), old_slots) = (node.parent, node.slots) else {
            return Err(Status::INVALID_PARAMETER);
        };
        let mut moved = node.clone();
        if moved.is_directory() {
            return Err(Status::OBJECT_NAME_COLLISION);
        }
        let freed = self.runs(target)?.to_vec();
        self.begin(device)?;
        self.set_mark(Some(device), id, LEAVING)?;
        device.flush()?;
        let replaced = self.get(target)?;
        moved.parent = replaced.parent;
        moved.name = replaced.name.clone();
        moved.short_name = replaced.short_name.clone();
        moved.short = replaced.short;
        moved.slots = replaced.slots;
        self.unlist(id)?;
        self.unlist(target)?;
        self.nodes.remove(&target);
        *self.get_mut(id)? = moved;
        self.relist(id)?;
        self.set_mark(None, id, ARRIVING)?;
        self.update_entry(device, id)?;
        device.flush()?;
        self.erase_slots(device, old_parent, old_slots)?;
        self.set_mark(Some(device), id, 0)?;
        self.table.release(&freed);
        self.table.commit(device)
    }

    /// Points the `..` entry of a directory to its parent.
    pub(super) fn point_up(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        parent: NodeId,
    ) -> Result<()> {
        let up = if parent == ROOT {
            0
        } else {
            self.get(parent)?.first_cluster
        };
        // A chain that was read begins with a cluster that there is.
        let first = self.runs(id)?.first().map(|run| run.first);
        let place = self
            .geometry
            .cluster_start(first.ok_or(Status::FILE_CORRUPT_ERROR)?);
        let mut sector = [0; SECTOR];
        device.read(place, &mut sector)?;
        if sector[32..34] != *b".." {
            return Err(Status::FILE_CORRUPT_ERROR);
        }
        sector[32 + 20..32 + 22].copy_from_slice(&((up >> 16) as u16).to_le_bytes());
        sector[32 + 26..32 + 28].copy_from_slice(&(up as u16).to_le_bytes());
        if let Some(listing) = self.get_mut(id)?.listing.as_mut()
            && let Some(slot) = listing.raw.get_mut(32..64)
        {
            slot.copy_from_slice(&sector[32..64]);
        }
        device.write(place, &sector)
    }
}
