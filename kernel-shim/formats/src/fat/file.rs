// SPDX-License-Identifier: GPL-2.0-or-later
//! The content of files: read, write, change the size.

use super::{FatVolume, NodeId, Run};
use crate::sectors::{SECTOR, Sectors};
use alloc::vec;
use alloc::vec::Vec;
use nt::system::FileAttributes;
use nt::{Result, Status};

/// The largest file FAT can hold, in bytes.
const LARGEST: u64 = u32::MAX as u64;
/// Bytes of zero written in one request.
const ZEROES: u64 = 64 * 1024;

/// What is in the clusters a file gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Zero, as everybody who reads them must see.
    Zero,
    /// Whatever was there: for a paging file, which nobody reads before it was written.
    Nothing,
}

/// Sectors that lie side by side on the device and hold a file's bytes.
struct Piece {
    sector: u64,
    sectors: u64,
}

impl FatVolume {
    /// Where byte `offset` (a multiple of the sector size) of a file is, and how many sectors
    /// follow it there.
    fn piece(&self, runs: &[Run], offset: u64) -> Option<Piece> {
        let mut left = offset / SECTOR as u64;
        for run in runs {
            let sectors = u64::from(run.count) * u64::from(self.geometry.cluster_sectors);
            if left < sectors {
                return Some(Piece {
                    sector: self.geometry.cluster_start(run.first) + left,
                    sectors: sectors - left,
                });
            }
            left -= sectors;
        }
        None
    }

    /// Reads at most `buffer.len()` bytes at `offset`: how many were read, 0 at and past the end.
    /// `FILE_IS_A_DIRECTORY`.
    pub fn read(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize> {
        let node = self.get(id)?;
        if node.is_directory() {
            return Err(Status::FILE_IS_A_DIRECTORY);
        }
        let left = node.size.saturating_sub(offset);
        let total = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let runs = self.runs(id)?.to_vec();
        let mut done = 0;
        while done < total {
            let at = offset + done as u64;
            let within = (at % SECTOR as u64) as usize;
            let piece = self
                .piece(&runs, at - within as u64)
                .ok_or(Status::FILE_CORRUPT_ERROR)?;
            let rest = buffer.get_mut(done..total).unwrap_or_default();
            if within == 0 && rest.len() >= SECTOR {
                let sectors = piece.sectors.min((rest.len() / SECTOR) as u64) as usize;
                device.read(
                    piece.sector,
                    rest.get_mut(..sectors * SECTOR).unwrap_or_default(),
                )?;
                done += sectors * SECTOR;
            } else {
                let mut sector = [0; SECTOR];
                device.read(piece.sector, &mut sector)?;
                let count = rest.len().min(SECTOR - within);
                rest.get_mut(..count)
                    .unwrap_or_default()
                    .copy_from_slice(&sector[within..within + count]);
                done += count;
            }
        }
        Ok(total)
    }

    /// Writes `data` at `offset`, making the file longer if need be; a gap is filled with zero.
    /// `DISK_FULL` leaves the file as it was.
    pub fn write(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        let node = self.get(id)?;
        if node.is_directory() {
            return Err(Status::FILE_IS_A_DIRECTORY);
        }
        if data.is_empty() {
            return Ok(());
        }
        let old = node.size;
        self.begin(device)?;
        let end = offset
            .checked_add(data.len() as u64)
            .filter(|&end| end <= LARGEST)
            .ok_or(Status::DISK_FULL)?;
        let runs = if end > old {
            self.reserve(device, id, end)?
        } else {
            self.runs(id)?.to_vec()
        };
        if offset > old {
            self.zero(device, &runs, old, offset)?;
        }
        self.put(device, &runs, offset, data)?;
        if end > old {
            // The entry must not promise what is not on the medium yet.
            device.flush()?;
        }
        let now = self.now;
        let node = self.get_mut(id)?;
        node.size = old.max(end);
        node.times.write = now;
        node.attributes |= FileAttributes::ARCHIVE;
        self.update_entry(device, id)
    }

    fn put(
        &mut self,
        device: &mut dyn Sectors,
        runs: &[Run],
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let within = (at % SECTOR as u64) as usize;
            let piece = self
                .piece(runs, at - within as u64)
                .ok_or(Status::FILE_CORRUPT_ERROR)?;
            let rest = data.get(done..).unwrap_or_default();
            if within == 0 && rest.len() >= SECTOR {
                let sectors = piece.sectors.min((rest.len() / SECTOR) as u64) as usize;
                device.write(
                    piece.sector,
                    rest.get(..sectors * SECTOR).unwrap_or_default(),
                )?;
                done += sectors * SECTOR;
            } else {
                let mut sector = [0; SECTOR];
                device.read(piece.sector, &mut sector)?;
                let count = rest.len().min(SECTOR - within);
                sector[within..within + count]
                    .copy_from_slice(rest.get(..count).unwrap_or_default());
                device.write(piece.sector, &sector)?;
                done += count;
            }
        }
        Ok(())
    }

    fn zero(&mut self, device: &mut dyn Sectors, runs: &[Run], from: u64, to: u64) -> Result<()> {
        let zeroes = vec![0; ZEROES.min(to.saturating_sub(from)) as usize];
        let mut at = from;
        while at < to {
            // The first write brings `at` to a sector, so that all others are whole sectors.
            let to_boundary = (SECTOR as u64 - at % SECTOR as u64) % SECTOR as u64;
            let count = (to - at).min(if to_boundary > 0 { to_boundary } else { ZEROES });
            self.put(
                device,
                runs,
                at,
                zeroes.get(..count as usize).unwrap_or_default(),
            )?;
            at += count;
        }
        Ok(())
    }

    /// Gives a file clusters for `bytes` bytes; its size stays, and its entry is the caller's to
    /// write. The chain is on the medium before anything points to it.
    fn reserve(&mut self, device: &mut dyn Sectors, id: NodeId, bytes: u64) -> Result<Vec<Run>> {
        let mut runs = self.runs(id)?.to_vec();
        let have: u64 = runs.iter().map(|run| u64::from(run.count)).sum();
        let want = bytes.div_ceil(self.geometry.cluster_bytes());
        let Some(missing) = want.checked_sub(have).filter(|&missing| missing > 0) else {
            return Ok(runs);
        };
        let tail = runs.last().map(|run| run.first + run.count - 1);
        let added = self.table.allocate(
            u32::try_from(missing).map_err(|_| Status::DISK_FULL)?,
            tail.unwrap_or(0),
        )?;
        self.table.commit(device)?;
        device.flush()?;
        let first = added.first().map(|run| run.first);
        runs.extend_from_slice(&added);
        match tail {
            Some(tail) => {
                self.table.link(tail, first);
                self.table.commit(device)?;
            }
            None => self.get_mut(id)?.first_cluster = first.unwrap_or(0),
        }
        self.get_mut(id)?.runs = Some(runs.clone());
        Ok(runs)
    }

    /// Sets the size of a file. `DISK_FULL` leaves it as it was; `FILE_IS_A_DIRECTORY`.
    pub fn set_size(
        &mut self,
        device: &mut dyn Sectors,
        id: NodeId,
        size: u64,
        fill: Fill,
    ) -> Result<()> {
        let node = self.get(id)?;
        if node.is_directory() {
            return Err(Status::FILE_IS_A_DIRECTORY);
        }
        if size > LARGEST {
            return Err(Status::DISK_FULL);
        }
        let old = node.size;
        let now = self.now;
        self.begin(device)?;
        if size > old {
            let runs = self.reserve(device, id, size)?;
            if fill == Fill::Zero {
                self.zero(device, &runs, old, size)?;
            }
            device.flush()?;
        }
        let keep = size.div_ceil(self.geometry.cluster_bytes());
        let (kept, freed) = split(self.runs(id)?, keep);
        let node = self.get_mut(id)?;
        node.size = size;
        node.times.write = now;
        node.attributes |= FileAttributes::ARCHIVE;
        if kept.is_empty() {
            node.first_cluster = 0;
        }
        node.runs = Some(kept.clone());
        self.update_entry(device, id)?;
        if !freed.is_empty() {
            device.flush()?;
            if let Some(run) = kept.last() {
                self.table.link(run.first + run.count - 1, None);
                self.table.commit(device)?;
                device.flush()?;
            }
            self.table.release(&freed);
            self.table.commit(device)?;
        }
        Ok(())
    }
}

/// The first `keep` clusters, and the rest.
fn split(runs: &[Run], keep: u64) -> (Vec<Run>, Vec<Run>) {
    let (mut kept, mut freed) = (Vec::new(), Vec::new());
    let mut left = keep;
    for &run in runs {
        let take = left.min(u64::from(run.count)) as u32;
        left -= u64::from(take);
        if take > 0 {
            kept.push(Run {
                first: run.first,
                count: take,
            });
        }
        if take < run.count {
            freed.push(Run {
                first: run.first + take,
                count: run.count - take,
            });
        }
    }
    (kept, freed)
}
