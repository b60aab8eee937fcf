// SPDX-License-Identifier: GPL-2.0-or-later
//! The file allocation table: kept whole in memory, written through sector by sector.
//!
//! Changes are made in memory and reach the device with [`Table::commit`]; the callers commit in an
//! order that never leaves a directory entry pointing to a chain that is not there yet. Every copy
//! of the table is written, the first one first.

use super::geometry::{Geometry, Width};
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

/// The second entry of a table: set in a volume where nothing is under way (FAT16, FAT32).
const CLEAN_16: u32 = 0x8000;
const CLEAN_32: u32 = 0x0800_0000;

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    /// As FAT32 has them, whatever the width.
    entries: Vec<u32>,
    geometry: Geometry,
    dirty: BTreeSet<u32>,
    free: u32,
    next: u32,
    in_use: bool,
}

impl Table {
    /// Reads the first copy.
    pub fn load(device: &mut dyn Sectors, geometry: Geometry) -> Result<Self> {
        let bits = geometry.width.bits();
        let total = geometry.clusters as usize + 2;
        let mut raw = vec![0; (total * bits).div_ceil(8 * SECTOR) * SECTOR];
        for (at, part) in (0..).step_by(BATCH).zip(raw.chunks_mut(BATCH * SECTOR)) {
            device.read(geometry.fat_start + at, part)?;
        }
        let entries: Vec<u32> = (0..total)
            .map(|cluster| decode(&raw, cluster, geometry.width))
            .collect();
        let free = entries
            .iter()
            .skip(2)
            .filter(|&&entry| entry & MASK == 0)
            .count() as u32;
        let second = entries.get(1).copied().unwrap_or_default();
        let in_use = match geometry.width {
            // It has no such bit.
            Width::Fat12 => true,
            Width::Fat16 => second & CLEAN_16 == 0,
            Width::Fat32 => second & CLEAN_32 == 0,
        };
        Ok(Self {
            entries,
            geometry,
            dirty: BTreeSet::new(),
            free,
            next: 2,
            in_use,
        })
    }

    /// Whether the volume says that a change is under way. A FAT12 volume cannot say that it is not.
    pub const fn is_in_use(&self) -> bool {
        self.in_use
    }

    /// Says on the volume that changes are under way, or that none is.
    pub fn set_in_use(&mut self, device: &mut dyn Sectors, in_use: bool) -> Result<()> {
        let bit = match self.geometry.width {
            Width::Fat12 => return Ok(()),
            Width::Fat16 => CLEAN_16,
            Width::Fat32 => CLEAN_32,
        };
        if let Some(second) = self.entries.get_mut(1) {
            *second = if in_use {
                *second & !bit
            } else {
                *second | bit
            };
        }
        self.dirty.insert(0);
        self.commit(device)?;
        self.in_use = in_use;
        Ok(())
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
        // An entry of 12 bits may lie in two sectors.
        let bits = self.geometry.width.bits();
        let first = cluster as usize * bits / 8;
        let last = (cluster as usize * bits + bits - 1) / 8;
        for at in [first, last] {
            self.dirty.insert((at / SECTOR) as u32);
        }
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

    /// Makes the other copies of the table what the first one is.
    pub fn mend_copies(&self, device: &mut dyn Sectors) -> Result<()> {
        for copy in 1..u64::from(self.geometry.fat_copies) {
            let start = self.geometry.fat_start + copy * u64::from(self.geometry.fat_sectors);
            let bits = self.entries.len() * self.geometry.width.bits();
            for sector in 0..bits.div_ceil(8 * SECTOR) as u32 {
                let (mut wanted, mut found) = (Vec::new(), [0; SECTOR]);
                self.encode(sector, &mut wanted);
                device.read(start + u64::from(sector), &mut found)?;
                if found != *wanted {
                    device.write(start + u64::from(sector), &wanted)?;
                }
            }
        }
        Ok(())
    }

    /// Appends a sector of the table as it is on the device.
    fn encode(&self, sector: u32, bytes: &mut Vec<u8>) {
        let start = sector as usize * SECTOR;
        let width = self.geometry.width;
        let entry = |cluster: usize| self.entries.get(cluster).copied().unwrap_or(0);
        bytes.extend((start..start + SECTOR).map(|at| match width {
            Width::Fat12 => {
                // Three bytes hold two entries.
                let pair = entry(at / 3 * 2) & 0xFFF | (entry(at / 3 * 2 + 1) & 0xFFF) << 12;
                (pair >> (at % 3 * 8)) as u8
            }
            Width::Fat16 => (entry(at / 2) >> (at % 2 * 8)) as u8,
            Width::Fat32 => (entry(at / 4) >> (at % 4 * 8)) as u8,
        }));
    }
}

/// The entry of a cluster, as FAT32 has it: the marks at the top keep their meaning.
fn decode(raw: &[u8], cluster: usize, width: Width) -> u32 {
    let byte = |at: usize| u32::from(raw.get(at).copied().unwrap_or_default());
    let word = |at: usize| byte(at) | byte(at + 1) << 8;
    let (entry, marks) = match width {
        Width::Fat12 => (word(cluster * 3 / 2) >> (cluster % 2 * 4) & 0xFFF, 0xFF0),
        Width::Fat16 => (word(cluster * 2), 0xFFF0),
        Width::Fat32 => return word(cluster * 4) | word(cluster * 4 + 2) << 16,
    };
    if entry >= marks {
        0x0FFF_FFF0 | entry
    } else {
        entry
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
