// SPDX-License-Identifier: GPL-2.0-or-later
//! The CD-ROM on a PC's IDE channels, by programmed input (packet commands, polled).
//!
//! This is where the medium stands that GRUB started the kernel from, on the machine `pc`.

use super::{Disk, DiskError, Medium};
use crate::cpu::port;
use alloc::boxed::Box;
use alloc::vec::Vec;

const SECTOR: usize = 2048;
/// One command reads at most this many sectors.
const TRANSFER: usize = 16;

const BUSY: u8 = 0x80;
const REQUEST: u8 = 0x08;
const ERROR: u8 = 0x01;

struct Cd {
    /// Base of the channel's registers.
    base: u16,
    /// 0 or 1 on the channel.
    unit: u8,
    sectors: u64,
}

impl Cd {
    fn status(&self) -> u8 {
        port::read8(self.base + 7)
    }

    /// Waits until the device is not busy: its status.
    fn ready(&self) -> Result<u8, DiskError> {
        (0..1_000_000)
            .map(|_| self.status())
            .find(|status| status & BUSY == 0)
            .ok_or(DiskError)
    }

    /// Sends a packet that answers with `into.len()` bytes.
    fn packet(&self, command: [u8; 12], into: &mut [u8]) -> Result<(), DiskError> {
        port::write8(self.base + 6, 0xa0 | self.unit << 4);
        self.ready()?;
        port::write8(self.base + 1, 0);
        // The device gives its answer in parts of at most one sector.
        port::write8(self.base + 4, (SECTOR & 0xff) as u8);
        port::write8(self.base + 5, (SECTOR >> 8) as u8);
        port::write8(self.base + 7, 0xa0);
        if self.ready()? & (REQUEST | ERROR) != REQUEST {
            return Err(DiskError);
        }
        for pair in command.chunks_exact(2) {
            port::write16(self.base, u16::from_le_bytes([pair[0], pair[1]]));
        }
        let mut rest = into;
        loop {
            let status = self.ready()?;
            if status & ERROR != 0 {
                return Err(DiskError);
            }
            if status & REQUEST == 0 {
                return if rest.is_empty() {
                    Ok(())
                } else {
                    Err(DiskError)
                };
            }
            let count = usize::from(port::read8(self.base + 4))
                | usize::from(port::read8(self.base + 5)) << 8;
            for _ in 0..count.div_ceil(2) {
                let word = port::read16(self.base).to_le_bytes();
                let take = rest.len().min(2);
                let (now, later) = rest.split_at_mut(take);
                now.copy_from_slice(&word[..take]);
                rest = later;
            }
        }
    }

    fn open(base: u16, unit: u8) -> Option<Self> {
        let cd = Self {
            base,
            unit,
            sectors: 0,
        };
        if cd.status() == 0xff {
            return None;
        }
        port::write8(base + 6, 0xa0 | unit << 4);
        // IDENTIFY PACKET DEVICE: an error, or no answer, from everything else.
        port::write8(base + 7, 0xa1);
        if cd.status() == 0 || cd.ready().ok()? & (REQUEST | ERROR) != REQUEST {
            return None;
        }
        for _ in 0..256 {
            let _ = port::read16(base);
        }
        let mut answer = [0; 8];
        // READ CAPACITY; the first command after a medium change fails once, to tell of the change.
        (0..3).find(|_| {
            cd.packet([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &mut answer)
                .is_ok()
        })?;
        let [a, b, c, d, ..] = answer;
        Some(Self {
            sectors: u64::from(u32::from_be_bytes([a, b, c, d])) + 1,
            ..cd
        })
    }
}

impl Disk for Cd {
    fn medium(&self) -> Medium {
        Medium::Cd
    }

    fn sector_size(&self) -> u32 {
        SECTOR as u32
    }

    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, sector: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let count = (into.len() / SECTOR) as u64;
        if !into.len().is_multiple_of(SECTOR)
            || sector
                .checked_add(count)
                .is_none_or(|end| end > self.sectors)
        {
            return Err(DiskError);
        }
        for (part, bytes) in into.chunks_mut(TRANSFER * SECTOR).enumerate() {
            let [a, b, c, d] = u32::try_from(sector as usize + part * TRANSFER)
                .map_err(|_| DiskError)?
                .to_be_bytes();
            let count = (bytes.len() / SECTOR) as u8;
            // READ (10).
            self.packet([0x28, 0, a, b, c, d, 0, 0, count, 0, 0, 0], bytes)?;
        }
        Ok(())
    }

    fn write(&mut self, _: u64, _: &[u8]) -> Result<(), DiskError> {
        Err(DiskError)
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

/// Adds every CD-ROM on the two channels that has a medium in it.
pub fn find(disks: &mut Vec<Box<dyn Disk>>) {
    for base in [0x1f0, 0x170] {
        for unit in [0, 1] {
            if let Some(cd) = Cd::open(base, unit) {
                disks.push(Box::new(cd));
            }
        }
    }
}
