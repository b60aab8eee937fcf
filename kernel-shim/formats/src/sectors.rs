// SPDX-License-Identifier: GPL-2.0-or-later
//! Sector devices: what a file system stands on, and where on a disk it begins.
//!
//! A file system never owns its device: every call is handed one. So the executive can lend the
//! machine's disk for the length of a service, and the tests can lend one that stops in the middle.

use crate::bytes::{u16_at, u32_at};
use alloc::vec;
use alloc::vec::Vec;
use nt::{Result, Status};

/// Bytes in a sector of a device.
pub const SECTOR: usize = 512;

/// A device of 512-byte sectors.
pub trait Sectors {
    /// How many sectors there are.
    fn count(&self) -> u64;

    /// Reads whole sectors. `INVALID_PARAMETER` past the end, `IO_DEVICE_ERROR` if the device
    /// fails.
    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()>;

    /// Writes whole sectors, in order and before it returns.
    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()>;
}

/// A range of another device: a partition.
pub struct Window<'d> {
    device: &'d mut dyn Sectors,
    range: Range,
}

/// A range of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub start: u64,
    /// How many.
    pub count: u64,
}

impl<'d> Window<'d> {
    /// The sectors of `range`, as a device of its own.
    pub fn new(device: &'d mut dyn Sectors, range: Range) -> Self {
        Self { device, range }
    }

    fn check(&self, sector: u64, bytes: usize) -> Result<u64> {
        let count = (bytes / SECTOR) as u64;
        match sector.checked_add(count) {
            Some(end) if end <= self.range.count => Ok(self.range.start + sector),
            _ => Err(Status::INVALID_PARAMETER),
        }
    }
}

impl Sectors for Window<'_> {
    fn count(&self) -> u64 {
        self.range.count
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()> {
        let at = self.check(sector, buffer.len())?;
        self.device.read(at, buffer)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()> {
        let at = self.check(sector, data.len())?;
        self.device.write(at, data)
    }
}

/// A device in memory.
#[derive(Clone, Default)]
pub struct MemoryDevice {
    /// The sectors.
    pub bytes: Vec<u8>,
}

impl MemoryDevice {
    /// A zeroed device.
    pub fn new(sectors: usize) -> Self {
        Self {
            bytes: vec![0; sectors * SECTOR],
        }
    }

    fn at(&self, sector: u64, len: usize) -> Result<core::ops::Range<usize>> {
        let start = usize::try_from(sector)
            .ok()
            .and_then(|sector| sector.checked_mul(SECTOR))
            .ok_or(Status::INVALID_PARAMETER)?;
        let end = start
            .checked_add(len)
            .filter(|&end| end <= self.bytes.len())
            .ok_or(Status::INVALID_PARAMETER)?;
        Ok(start..end)
    }
}

impl Sectors for MemoryDevice {
    fn count(&self) -> u64 {
        (self.bytes.len() / SECTOR) as u64
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()> {
        let range = self.at(sector, buffer.len())?;
        buffer.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()> {
        let range = self.at(sector, data.len())?;
        self.bytes[range].copy_from_slice(data);
        Ok(())
    }
}

/// The primary partitions of a disk with a master boot record, in table order; the whole disk if
/// there is none (a "superfloppy", whose first sector is a FAT boot sector and may carry the same
/// signature).
pub fn partitions(device: &mut dyn Sectors) -> Result<Vec<Range>> {
    let mut sector = [0; SECTOR];
    device.read(0, &mut sector)?;
    let whole = vec![Range {
        start: 0,
        count: device.count(),
    }];
    let fat_boot_sector = matches!(sector[0], 0xEB | 0xE9) && u16_at(&sector, 11) == SECTOR as u16;
    if u16_at(&sector, 510) != 0xAA55 || fat_boot_sector {
        return Ok(whole);
    }
    let mut found = Vec::new();
    for entry in sector[446..510].chunks_exact(16) {
        let range = Range {
            start: u64::from(u32_at(entry, 8)),
            count: u64::from(u32_at(entry, 12)),
        };
        let inside = range
            .start
            .checked_add(range.count)
            .is_some_and(|end| end <= device.count());
        if entry[4] != 0 && range.start > 0 && range.count > 0 && inside {
            found.push(range);
        }
    }
    Ok(if found.is_empty() { whole } else { found })
}
