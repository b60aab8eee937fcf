// SPDX-License-Identifier: GPL-2.0-or-later
//! The file allocation table: kept whole in memory, written through sector by sector.
//!
//! Changes are made in memory and reach the device with [`Table::commit`]; the callers commit in an
//! order that never leaves a directory entry pointing to a chain that is not there yet. Every copy
//! of the table is written, the first one first.

use super::geometry::Geometry;
use crate::sectors::{SECTOR, Sectors};
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use nt::{Result, Status};

/// Clusters that follow each other on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

const MASK: u32 = 0x0FFF_FFFF;
const END: u32 = 0x0FFF_FFFF;
/// Sectors moved in one request.
const BATCH: usize = 128;

/// The table.
#[derive(Debug)]
pub struct Table {
    entries: Vec<u32>,
    geometry: Geometry,
    dirty: BTreeSet<u32>,
    free: u32,
    next: u32,
}

impl Table {
    /// Reads the first copy.
    pub fn load(device: &mut dyn Sectors, geometry: Geometry) -> Result<Self> {
        let width = if geometry.wide { 4 } else { 2 };
        let total = geometry.clusters as usize + 2;
        let mut entries = Vec::with_capacity(total);
        let sectors = (total * width).div_ceil(SECTOR);
        let mut buffer = vec![0; BATCH * SECTOR];
        let mut at = 0;
        while at < sectors {
            let bytes = buffer
                .get_mut(..(sectors - at).min(BATCH) * SECTOR)
                .unwrap_or_default();
            device.read(geometry.fat_start + at as u64, bytes)?;
            for entry in bytes.chunks_exact(width) {
                entries.push(match *entry {
                    [a, b] => widen(u16::from_le_bytes([a, b])),
                    [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
                    _ => 0,
                });
            }
            at += bytes.len() / SECTOR;
        }
        entries.truncate(total);
        let free = entries
            .iter()
            .skip(2)
            .filter(|&&entry| entry & MASK == 0)
            .count() as u32;
        Ok(Self {
            entries,
            geometry,
            dirty: BTreeSet::new(),
            free,
            next: 2,
        })
    }

    /// Free clusters.
    pub const fn free(&self) -> u32 {
        self.free
    }

    fn get(&self, cluster: u32) -> Result<u32> {
        if cluster < 2 {
            return Err(Status::FILE_CORRUPT_ERROR);
        }
        self.entries
            .get(cluster as usize)
            .map(|entry| entry & MASK)
            .ok_or(Status::FILE_CORRUPT_ERROR)
    }

    fn set(&mut self, cluster: u32, value: u32) {
        let Some(entry) = self.entries.get_mut(cluster as usize) else {
            return;
        };
        match (*entry & MASK, value) {
            (0, 1..) => self.free -= 1,
            (1.., 0) => self.free += 1,
            _ => {}
        }
        *entry = *entry & !MASK | value;
        let per_sector = if self.geometry.wide {
            SECTOR / 4
        } else {
            SECTOR / 2
        };
        self.dirty.insert((cluster as usize / per_sector) as u32);
    }

    /// The runs of the chain that starts at `first`. `FILE_CORRUPT_ERROR` for a loop, a free
    /// cluster or one that is not there.
    pub fn chain(&self, first: u32) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        let mut at = first;
        let mut left = self.geometry.clusters;
        loop {
            let next = self.get(at)?;
            push(&mut runs, at);
            match next {
                0x0FFF_FFF8.. => return Ok(runs),
                0 | 1 | 0x0FFF_FFF7 => return Err(Status::FILE_CORRUPT_ERROR),
                _ => at = next,
            }
            left = left.checked_sub(1).ok_or(Status::FILE_CORRUPT_ERROR)?;
        }
    }

    /// Takes `count` free clusters and makes a chain of them, ended. Nothing is taken if there are
    /// not so many: `DISK_FULL`.
    ///
    /// The search starts at `near` if that is not 0, so that a file grows in place; else where the
    /// last one ended.
    pub fn allocate(&mut self, count: u32, near: u32) -> Result<Vec<Run>> {
        if count > self.free {
            return Err(Status::DISK_FULL);
        }
        let end = self.geometry.clusters + 2;
        let start = if (2..end).contains(&near) {
            near
        } else {
            self.next
        };
        let start = if (2..end).contains(&start) { start } else { 2 };
        let mut runs = Vec::new();
        let mut left = count;
        for cluster in (start..end).chain(2..start) {
            if left == 0 {
                break;
            }
            if self.get(cluster)? == 0 {
                push(&mut runs, cluster);
                left -= 1;
            }
        }
        if left > 0 {
            return Err(Status::DISK_FULL);
        }
        self.link_all(&runs);
        self.next = runs.last().map_or(2, |run| run.first + run.count);
        Ok(runs)
    }

    fn link_all(&mut self, runs: &[Run]) {
        for (at, run) in runs.iter().enumerate() {
            for cluster in run.first..run.first + run.count - 1 {
                self.set(cluster, cluster + 1);
            }
            let next = runs.get(at + 1).map_or(END, |next| next.first);
            self.set(run.first + run.count - 1, next);
        }
    }

    /// Makes `next` follow `tail`, or ends the chain there.
    pub fn link(&mut self, tail: u32, next: Option<u32>) {
        self.set(tail, next.unwrap_or(END));
    }

    /// Gives clusters back.
    pub fn release(&mut self, runs: &[Run]) {
        for run in runs {
            for cluster in run.first..run.first + run.count {
                self.set(cluster, 0);
            }
        }
    }

    /// Writes what changed, to every copy.
    pub fn commit(&mut self, device: &mut dyn Sectors) -> Result<()> {
        let dirty: Vec<u32> = self.dirty.iter().copied().collect();
        for copy in 0..u64::from(self.geometry.fat_copies) {
            let start = self.geometry.fat_start + copy * u64::from(self.geometry.fat_sectors);
            let mut rest = dirty.as_slice();
            while let Some(&first) = rest.first() {
                let batch = rest
                    .iter()
                    .zip(first..)
                    .take(BATCH)
                    .take_while(|(have, want)| *have == want)
                    .count();
                let mut bytes = Vec::with_capacity(batch * SECTOR);
                for sector in first..first + batch as u32 {
                    self.encode(sector, &mut bytes);
                }
                device.write(start + u64::from(first), &bytes)?;
                rest = rest.get(batch..).unwrap_or_default();
            }
        }
        self.dirty.clear();
        Ok(())
    }

    fn encode(&self, sector: u32, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let per_sector = if self.geometry.wide {
            SECTOR / 4
        } else {
            SECTOR / 2
        };
        let first = sector as usize * per_sector;
        for &entry in self.entries.iter().skip(first).take(per_sector) {
            if self.geometry.wide {
                bytes.extend_from_slice(&entry.to_le_bytes());
            } else {
                bytes.extend_from_slice(&(entry as u16).to_le_bytes());
            }
        }
        bytes.resize(start + SECTOR, 0);
    }
}

/// A FAT16 entry as a FAT32 one: the marks at the top keep their meaning.
fn widen(entry: u16) -> u32 {
    if entry >= 0xFFF0 {
        0x0FFF_0000 | u32::from(entry)
    } else {
        u32::from(entry)
    }
}

fn push(runs: &mut Vec<Run>, cluster: u32) {
    match runs.last_mut() {
        Some(run) if run.first + run.count == cluster => run.count += 1,
        _ => runs.push(Run {
            first: cluster,
            count: 1,
        }),
    }
}
