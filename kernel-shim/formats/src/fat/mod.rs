// SPDX-License-Identifier: GPL-2.0-or-later
//! FAT12, FAT16 and FAT32 volumes, read and write, with long names.
//!
//! A volume is mounted from a device of 512-byte sectors ([`crate::sectors`]); every call is handed
//! that device again. A file or directory is a [`NodeId`], which stays the same through renames and
//! finds nothing after the file is deleted. The file allocation table and every directory that was
//! looked into are kept in memory and written through; file data is not kept.
//!
//! **Power cuts.** A device may write the sectors that it was given since the last
//! [`Sectors::flush`] in any order, or only some of them; a single sector it writes whole or not at
//! all. Between two flushes there is therefore never anything that needs an order. What a cut
//! leaves on the volume, and what [`FatVolume::mount_mended`] makes of it (`|` is a flush):
//!
//! | operation | written, in this order | after a cut and a mount |
//! |---|---|---|
//! | create | (directory: its cluster and table \|) parts of the long name \| the entry | no file, or the file |
//! | extend | table for the new clusters \| link to them, data \| the entry | the old size or the new |
//! | truncate | the entry \| end of the chain \| table | the old size or the new |
//! | delete | the entry \| parts of the long name, table | the file, or none |
//! | rename, move | "leaving" in the old entry \| the new entry, "arriving" \| the old entry \| the mark | the old name or the new |
//! | replace | "leaving" in the old entry \| the target's entry, "arriving" \| the old entry \| the mark, table | both files, or the moved one under the target's name |
//!
//! Besides that, clusters may be lost and a chain may be longer than its file: space, not content.
//! The marks are two bits of the byte in which NT keeps the case of a short name; all other systems
//! ignore them. A volume that was not ended ([`FatVolume::settle`]) says so in its second table
//! entry, as NT's volumes do, and only such a one is looked through when it is mounted.
//!
//! Invariants: no directory entry on the medium ever points to clusters that are not yet its chain;
//! no two entries without marks own one cluster; the free count in memory is that of the table in
//! memory; slots after the end mark of a directory are zero in memory and written as zero before
//! the end mark moves.

mod check;
mod directory;
mod entries;
mod file;
mod format;
mod geometry;
mod listing;
mod mend;
mod names;
#[cfg(test)]
mod power_cut;
mod rename;
mod short;
mod table;
#[cfg(test)]
mod tests;

use crate::code_page::{self, CodePage};
use crate::path;
use crate::sectors::{SECTOR, Sectors};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use geometry::Geometry;
use listing::Listing;
use names::ShortName;
use nt::system::FileAttributes;
use nt::{Result, Status};
use table::{Run, Table};

pub use file::Fill;
pub use format::{Kind, format};
pub use names::check as check_name;
pub(crate) use names::days;

/// A file or directory of one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Times of a file: NT time, 100 ns since 1601; 0 where FAT says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Made.
    pub creation: u64,
    /// Last read or written (a date only).
    pub access: u64,
    /// Last written.
    pub write: u64,
}

/// A file or directory, as its directory entry has it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its directory; none for the root.
    pub parent: Option<NodeId>,
    /// Long name, or the 8.3 name where there is no long one. Empty for the root.
    pub name: Vec<u16>,
    /// The 8.3 name as text.
    pub short_name: Vec<u16>,
    /// Attributes as stored: READONLY, HIDDEN, SYSTEM, DIRECTORY, ARCHIVE.
    pub attributes: u32,
    /// Bytes in the file.
    pub size: u64,
    /// Times.
    pub times: Times,
    short: ShortName,
    /// First and one past the last slot in the directory.
    slots: (usize, usize),
    first_cluster: u32,
    runs: Option<Vec<Run>>,
    listing: Option<Listing>,
}

impl Node {
    /// Whether it is a directory.
    pub const fn is_directory(&self) -> bool {
        self.attributes & FileAttributes::DIRECTORY != 0
    }
}

/// A mounted volume.
#[derive(Clone, Debug)]
pub struct FatVolume {
    geometry: Geometry,
    table: Table,
    nodes: BTreeMap<NodeId, Node>,
    next: u32,
    label: Vec<u16>,
    /// What the bytes of short names mean.
    page: &'static CodePage,
    /// Entries with marks of a rename that was under way, as directories are read.
    marked: Vec<NodeId>,
    /// The time that stamps what is written: 100 ns since 1601. The caller keeps it going.
    pub now: u64,
}

const ROOT: NodeId = NodeId(0);

impl FatVolume {
    /// Mounts the volume on `device` as it is: nothing is written. `UNRECOGNIZED_VOLUME` if there is
    /// none.
    pub fn mount(device: &mut dyn Sectors) -> Result<Self> {
        Self::mount_from(device, code_page::DEFAULT, 1)
    }

    /// Mounts the volume; its nodes are numbered from `first` on.
    fn mount_from(device: &mut dyn Sectors, page: &'static CodePage, first: u32) -> Result<Self> {
        let geometry = Geometry::read(device)?;
        let table = Table::load(device, geometry)?;
        let root = Node {
            parent: None,
            name: Vec::new(),
            short_name: Vec::new(),
            attributes: FileAttributes::DIRECTORY,
            size: 0,
            times: Times::default(),
            short: [b' '; 11],
            slots: (0, 0),
            first_cluster: geometry.root_cluster,
            runs: None,
            listing: None,
        };
        let mut this = Self {
            geometry,
            table,
            nodes: BTreeMap::from([(ROOT, root)]),
            next: first,
            label: Vec::new(),
            page,
            marked: Vec::new(),
            now: 0,
        };
        this.load_listing(device, ROOT)?;
        if this.label.is_empty() {
            this.label = this.label_text(&geometry.label);
        }
        Ok(this)
    }

    /// The root directory.
    pub const fn root(&self) -> NodeId {
        ROOT
    }

    /// The node, if it is still there.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Volume label; empty if there is none.
    pub fn label(&self) -> &[u16] {
        &self.label
    }

    /// Serial number.
    pub const fn serial(&self) -> u32 {
        self.geometry.serial
    }

    /// Whether it is FAT32, else FAT12 or FAT16.
    pub const fn is_fat32(&self) -> bool {
        self.geometry.width.is_wide()
    }

    /// Gives the bytes of short names another meaning. Nodes stay what they are; only names change.
    pub fn set_code_page(&mut self, page: &'static CodePage) {
        if core::ptr::eq(self.page, page) {
            return;
        }
        self.page = page;
        let listed: Vec<NodeId> = self.nodes.keys().copied().collect();
        for id in listed {
            self.decode_names(id);
        }
    }

    /// Bytes in a cluster, all clusters, free clusters.
    pub const fn space(&self) -> (u64, u32, u32) {
        (
            self.geometry.cluster_bytes(),
            self.geometry.clusters,
            self.table.free(),
        )
    }

    /// Bytes that a file's clusters hold.
    pub fn allocation(&mut self, id: NodeId) -> Result<u64> {
        let runs = self.runs(id)?;
        let clusters: u64 = runs.iter().map(|run| u64::from(run.count)).sum();
        Ok(clusters * self.geometry.cluster_bytes())
    }

    /// Writes the free count, which other systems like to find, and waits until everything that was
    /// written is on the medium.
    pub fn flush(&mut self, device: &mut dyn Sectors) -> Result<()> {
        if let Some(at) = self.geometry.info_sector {
            let mut sector = [0; SECTOR];
            device.read(at, &mut sector)?;
            if sector[..4] == *b"RRaA" && sector[484..488] == *b"rrAa" {
                sector[488..492].copy_from_slice(&self.table.free().to_le_bytes());
                sector[492..496].copy_from_slice(&u32::MAX.to_le_bytes());
                device.write(at, &sector)?;
            }
        }
        device.flush()
    }

    /// Flushes, and says on the volume that nothing is under way. The next change takes that back.
    pub fn settle(&mut self, device: &mut dyn Sectors) -> Result<()> {
        if !self.table.is_in_use() {
            return Ok(());
        }
        self.flush(device)?;
        self.table.set_in_use(device, false)?;
        device.flush()
    }

    /// Whether the volume says that a change is under way, which one that was not ended does.
    pub const fn is_in_use(&self) -> bool {
        self.table.is_in_use()
    }

    /// Says on the volume that a change is under way. Comes before every change: a volume that is
    /// left in the middle of one must say so.
    pub fn begin(&mut self, device: &mut dyn Sectors) -> Result<()> {
        if self.table.is_in_use() {
            return Ok(());
        }
        self.table.set_in_use(device, true)?;
        device.flush()
    }

    fn get(&self, id: NodeId) -> Result<&Node> {
        self.nodes.get(&id).ok_or(Status::FILE_DELETED)
    }

    fn get_mut(&mut self, id: NodeId) -> Result<&mut Node> {
        self.nodes.get_mut(&id).ok_or(Status::FILE_DELETED)
    }

    /// The clusters of a node, read from the table once.
    fn runs(&mut self, id: NodeId) -> Result<&[Run]> {
        let node = self.nodes.get_mut(&id).ok_or(Status::FILE_DELETED)?;
        if node.runs.is_none() {
            node.runs = Some(if node.first_cluster == 0 {
                Vec::new()
            } else {
                self.table.chain(node.first_cluster)?
            });
        }
        Ok(node.runs.as_deref().unwrap_or_default())
    }

    /// A volume label without its padding.
    fn label_text(&self, padded: &[u8; 11]) -> Vec<u16> {
        names::unpadded(padded.iter().copied(), false, self.page)
    }

    /// The path from the root, with backslashes; `\` for the root itself.
    pub fn path(&self, id: NodeId) -> Vec<u16> {
        path::upwards(id, |id| {
            let node = self.nodes.get(&id)?;
            Some((node.parent?, node.name.as_slice()))
        })
    }
}
