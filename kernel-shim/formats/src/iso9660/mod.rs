// SPDX-License-Identifier: GPL-2.0-or-later
//! ISO 9660 volumes, with Joliet names where there are any: what is on a CD. Read-only.
//!
//! Invariants: a node's id stays the same while the volume is mounted; a directory record that
//! points outside the volume, or a directory that is its own ancestor, is an error and not a hang.

pub mod build;
#[cfg(test)]
mod tests;

use crate::bytes::{u16_at, u32_at};
use crate::fat::NodeId;
use crate::path;
use crate::sectors::{SECTOR, Sectors};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use nt::case::upcase;
use nt::{Result, Status};

/// Bytes in a block.
pub const BLOCK: usize = 2048;
const DESCRIPTORS: u64 = 16;
/// More directories deep than any disc is.
const DEEPEST: usize = 64;
/// The largest directory read, in bytes.
const LARGEST_DIRECTORY: u64 = 4 << 20;

/// A file or directory.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its directory; none for the root.
    pub parent: Option<NodeId>,
    /// The name, without version number. Empty for the root.
    pub name: Vec<u16>,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether the record says so.
    pub hidden: bool,
    /// Bytes in the file.
    pub size: u64,
    /// When it was recorded: 100 ns since 1601, UTC; 0 if unknown.
    pub time: u64,
    /// First block and bytes of each part.
    extents: Vec<(u32, u32)>,
    children: Option<Vec<NodeId>>,
    depth: usize,
}

/// A mounted disc.
#[derive(Debug)]
pub struct IsoVolume {
    nodes: BTreeMap<NodeId, Node>,
    next: u32,
    joliet: bool,
    blocks: u32,
    label: Vec<u16>,
}

const ROOT: NodeId = NodeId(0);

fn read_block(device: &mut dyn Sectors, block: u64) -> Result<[u8; BLOCK]> {
    let mut bytes = [0; BLOCK];
    device.read(block * (BLOCK / SECTOR) as u64, &mut bytes)?;
    Ok(bytes)
}

impl IsoVolume {
    /// Mounts the disc in `device`. `UNRECOGNIZED_VOLUME` if it is no ISO 9660 disc of 2048-byte
    /// blocks.
    pub fn mount(device: &mut dyn Sectors) -> Result<Self> {
        let mut chosen: Option<([u8; BLOCK], bool)> = None;
        for at in DESCRIPTORS..DESCRIPTORS + 32 {
            let Ok(descriptor) = read_block(device, at) else {
                break;
            };
            if descriptor[1..6] != *b"CD001" || descriptor[0] == 255 {
                break;
            }
            let joliet =
                descriptor[0] == 2 && matches!(&descriptor[88..91], b"%/@" | b"%/C" | b"%/E");
            if joliet || descriptor[0] == 1 && chosen.is_none() {
                chosen = Some((descriptor, joliet));
            }
        }
        let Some((descriptor, joliet)) = chosen else {
            return Err(Status::UNRECOGNIZED_VOLUME);
        };
        if usize::from(u16_at(&descriptor, 128)) != BLOCK {
            return Err(Status::UNRECOGNIZED_VOLUME);
        }
        let mut label = decode_name(&descriptor[40..72], joliet);
        while label
            .last()
            .is_some_and(|&unit| unit == u16::from(b' ') || unit == 0)
        {
            label.pop();
        }
        let mut this = Self {
            nodes: BTreeMap::new(),
            next: 1,
            joliet,
            blocks: u32_at(&descriptor, 80),
            label,
        };
        let root = this
            .record(&descriptor[156..190], None, 0)
            .ok_or(Status::UNRECOGNIZED_VOLUME)?;
        if !root.directory {
            return Err(Status::UNRECOGNIZED_VOLUME);
        }
        this.nodes.insert(
            ROOT,
            Node {
                name: Vec::new(),
                ..root
            },
        );
        Ok(this)
    }

    /// The root directory.
    pub const fn root(&self) -> NodeId {
        ROOT
    }

    /// The node.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Volume label.
    pub fn label(&self) -> &[u16] {
        &self.label
    }

    /// How many blocks the disc says it has.
    pub const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// A directory record as a node.
    fn record(&self, bytes: &[u8], parent: Option<NodeId>, depth: usize) -> Option<Node> {
        let flags = *bytes.get(25)?;
        let name_length = usize::from(*bytes.get(32)?);
        let name = bytes.get(33..33 + name_length)?;
        let size = u32_at(bytes, 10);
        Some(Node {
            parent,
            name: file_name(name, self.joliet),
            directory: flags & 2 != 0,
            hidden: flags & 1 != 0,
            size: u64::from(size),
            time: record_time(bytes.get(18..25)?),
            extents: vec![(u32_at(bytes, 2), size)],
            children: None,
            depth,
        })
    }

    /// The entries of a directory. `NOT_A_DIRECTORY`, `FILE_CORRUPT_ERROR`.
    pub fn children(&mut self, device: &mut dyn Sectors, id: NodeId) -> Result<Vec<NodeId>> {
        let node = self.nodes.get(&id).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if !node.directory {
            return Err(Status::NOT_A_DIRECTORY);
        }
        if let Some(children) = &node.children {
            return Ok(children.clone());
        }
        let depth = node.depth + 1;
        if depth > DEEPEST || node.size > LARGEST_DIRECTORY {
            return Err(Status::FILE_CORRUPT_ERROR);
        }
        let mut bytes =
            vec![0; usize::try_from(node.size).map_err(|_| Status::FILE_CORRUPT_ERROR)?];
        self.read_extents(device, id, 0, &mut bytes)?;
        let mut children: Vec<NodeId> = Vec::new();
        let mut continued = false;
        for block in bytes.chunks(BLOCK) {
            let mut at = 0;
            // A record never crosses a block; a zero length ends the block.
            while let Some(&length) = block.get(at).filter(|&&length| length != 0) {
                let Some(bytes) = block.get(at..at + usize::from(length)) else {
                    return Err(Status::FILE_CORRUPT_ERROR);
                };
                at += usize::from(length);
                let itself =
                    bytes.get(32) == Some(&1) && bytes.get(33).is_some_and(|&name| name <= 1);
                let Some(node) = self.record(bytes, Some(id), depth) else {
                    return Err(Status::FILE_CORRUPT_ERROR);
                };
                if itself {
                    continue;
                }
                let more = bytes.get(25).is_some_and(|flags| flags & 0x80 != 0);
                if continued
                    && let Some(last) = children.last().and_then(|last| self.nodes.get_mut(last))
                {
                    last.size += node.size;
                    last.extents.extend(node.extents);
                } else {
                    let child = NodeId(self.next);
                    self.next += 1;
                    self.nodes.insert(child, node);
                    children.push(child);
                }
                continued = more;
            }
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.children = Some(children.clone());
        }
        Ok(children)
    }

    /// The first entry at or behind a place in a directory, and the place behind it.
    pub fn next_child(
        &mut self,
        device: &mut dyn Sectors,
        directory: NodeId,
        from: usize,
    ) -> Result<Option<(NodeId, usize)>> {
        let loaded = |node: &Node| Some(node.children.as_ref()?.get(from).copied());
        let next = match self.nodes.get(&directory).and_then(loaded) {
            Some(next) => next,
            None => self.children(device, directory)?.get(from).copied(),
        };
        Ok(next.map(|id| (id, from + 1)))
    }

    /// The entry of this name, without regard to case. `OBJECT_NAME_NOT_FOUND`.
    pub fn lookup(
        &mut self,
        device: &mut dyn Sectors,
        directory: NodeId,
        name: &[u16],
    ) -> Result<NodeId> {
        let same = |a: &[u16]| {
            a.len() == name.len() && a.iter().zip(name).all(|(&a, &b)| upcase(a) == upcase(b))
        };
        let children = self.children(device, directory)?;
        let found = children
            .into_iter()
            .find(|child| self.nodes.get(child).is_some_and(|node| same(&node.name)));
        found.ok_or(Status::OBJECT_NAME_NOT_FOUND)
    }

    /// Reads at most `buffer.len()` bytes at `offset`: how many were read, 0 at and past the end.
    /// `FILE_IS_A_DIRECTORY`.
    pub fn read(
        &self,
        device: &mut dyn Sectors,
        id: NodeId,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize> {
        let node = self.nodes.get(&id).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if node.directory {
            return Err(Status::FILE_IS_A_DIRECTORY);
        }
        let left = usize::try_from(node.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let total = buffer.len().min(left);
        self.read_extents(
            device,
            id,
            offset,
            buffer.get_mut(..total).unwrap_or_default(),
        )?;
        Ok(total)
    }

    fn read_extents(
        &self,
        device: &mut dyn Sectors,
        id: NodeId,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<()> {
        let node = self.nodes.get(&id).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        let mut start = 0;
        for &(block, bytes) in &node.extents {
            let end = start + u64::from(bytes);
            let from = offset.max(start);
            let to = (offset + buffer.len() as u64).min(end);
            if from < to {
                let part = buffer
                    .get_mut((from - offset) as usize..(to - offset) as usize)
                    .unwrap_or_default();
                read_bytes(
                    device,
                    u64::from(block) * BLOCK as u64 + (from - start),
                    part,
                )?;
            }
            start = end;
        }
        Ok(())
    }

    /// The path from the root, with backslashes; `\` for the root itself.
    pub fn path(&self, id: NodeId) -> Vec<u16> {
        path::upwards(id, |id| {
            let node = self.nodes.get(&id)?;
            Some((node.parent?, node.name.as_slice()))
        })
    }
}

fn read_bytes(device: &mut dyn Sectors, offset: u64, buffer: &mut [u8]) -> Result<()> {
    let mut done = 0;
    while done < buffer.len() {
        let at = offset + done as u64;
        let within = (at % SECTOR as u64) as usize;
        let rest = buffer.get_mut(done..).unwrap_or_default();
        if within == 0 && rest.len() >= SECTOR {
            let whole = rest.len() / SECTOR * SECTOR;
            device.read(
                at / SECTOR as u64,
                rest.get_mut(..whole).unwrap_or_default(),
            )?;
            done += whole;
        } else {
            let mut sector = [0; SECTOR];
            device.read(at / SECTOR as u64, &mut sector)?;
            let count = rest.len().min(SECTOR - within);
            rest.get_mut(..count)
                .unwrap_or_default()
                .copy_from_slice(&sector[within..within + count]);
            done += count;
        }
    }
    Ok(())
}

fn decode_name(bytes: &[u8], joliet: bool) -> Vec<u16> {
    if joliet {
        bytes
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect()
    } else {
        bytes.iter().map(|&byte| u16::from(byte)).collect()
    }
}

/// A name without `;1`, and without the dot that a name without extension ends in.
fn file_name(bytes: &[u8], joliet: bool) -> Vec<u16> {
    let mut name = decode_name(bytes, joliet);
    if let Some(version) = name.iter().rposition(|&unit| unit == u16::from(b';')) {
        name.truncate(version);
    }
    if name.last() == Some(&u16::from(b'.')) {
        name.pop();
    }
    name
}

fn record_time(bytes: &[u8]) -> u64 {
    let &[year, month, day, hour, minute, second, zone] = bytes else {
        return 0;
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return 0;
    }
    let days = crate::fat::days(1900 + u64::from(year), u64::from(month), u64::from(day));
    let local = days * 86400 + u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second);
    // The zone counts quarters of an hour east of Greenwich.
    let utc = local.saturating_add_signed(-i64::from(zone.cast_signed()) * 900);
    utc * 10_000_000
}
