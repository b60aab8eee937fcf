// SPDX-License-Identifier: GPL-2.0-or-later
//! Sector devices: what a file system stands on.
//!
//! A file system never owns its device: every call is handed one. So the executive can lend the
//! machine's disk for the length of a service, and the tests can lend one that stops in the middle.

use alloc::collections::BTreeMap;
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

    /// Writes whole sectors. Until [`Self::flush`] has returned, each of them may or may not be on
    /// the medium, in any order; reads give what was written all the same.
    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()>;

    /// Waits until everything that was written is on the medium: what is written afterwards comes
    /// after it.
    fn flush(&mut self) -> Result<()>;
}

/// The one sector of a medium with this content; `None` if there is none, or more than one.
pub fn only(medium: &[u8], content: &[u8]) -> Option<u64> {
    let sectors = medium.chunks_exact(SECTOR).zip(0..);
    let mut found = sectors.filter(|(bytes, _)| *bytes == content);
    let (_, sector) = found.next()?;
    found.next().is_none().then_some(sector)
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

    fn flush(&mut self) -> Result<()> {
        self.device.flush()
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

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A medium, and the sectors that were written to it since: they can be left out, so that a power cut
/// can be played.
#[derive(Clone)]
pub struct Overlay<'m> {
    medium: &'m [u8],
    /// What was written, by sector.
    pub written: BTreeMap<u64, Vec<u8>>,
}

impl<'m> Overlay<'m> {
    /// A medium of 512-byte sectors that nothing was written to yet.
    pub const fn of(medium: &'m [u8]) -> Self {
        Self {
            medium,
            written: BTreeMap::new(),
        }
    }

    /// Every byte of it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.medium.to_vec();
        for (&sector, data) in &self.written {
            bytes[sector as usize * SECTOR..][..SECTOR].copy_from_slice(data);
        }
        bytes
    }
}

impl Sectors for Overlay<'_> {
    fn count(&self) -> u64 {
        (self.medium.len() / SECTOR) as u64
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()> {
        let start = sector as usize * SECTOR;
        let bytes = self.medium.get(start..start + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(Status::INVALID_PARAMETER)?);
        let end = sector + (buffer.len() / SECTOR) as u64;
        for (at, data) in self.written.range(sector..end) {
            buffer[(at - sector) as usize * SECTOR..][..SECTOR].copy_from_slice(data);
        }
        Ok(())
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()> {
        let sectors = (sector..).zip(data.chunks_exact(SECTOR));
        self.written
            .extend(sectors.map(|(at, bytes)| (at, bytes.to_vec())));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
