// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot sector of a FAT volume: where everything is.

use crate::bytes::{u16_at, u32_at};
use crate::sectors::{SECTOR, Sectors};
use nt::{Result, Status};

/// How wide a table entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 12 bits: below 4085 clusters.
    Fat12,
    /// 16 bits: below 65525 clusters.
    Fat16,
    /// 32 bits, of which 28 count.
    Fat32,
}

impl Width {
    /// Bits of an entry.
    pub const fn bits(self) -> usize {
        match self {
            Self::Fat12 => 12,
            Self::Fat16 => 16,
            Self::Fat32 => 32,
        }
    }

    /// FAT32: the root is a directory like others, and a cluster's number has two halves.
    pub const fn is_wide(self) -> bool {
        matches!(self, Self::Fat32)
    }
}

/// Where the parts of a volume are, in sectors from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// How wide a table entry is.
    pub width: Width,
    /// Sectors in a cluster.
    pub cluster_sectors: u32,
    /// The first sector of the first FAT.
    pub fat_start: u64,
    /// Sectors in one FAT.
    pub fat_sectors: u32,
    /// How many copies of the FAT.
    pub fat_copies: u32,
    /// FAT12 and FAT16: the first sector of the root directory.
    pub root_start: u64,
    /// FAT12 and FAT16: sectors of the root directory.
    pub root_sectors: u32,
    /// FAT32: first cluster of the root directory.
    pub root_cluster: u32,
    /// FAT32: the sector that holds the free count, if there is one.
    pub info_sector: Option<u64>,
    /// The first sector of cluster 2.
    pub data_start: u64,
    /// How many clusters there are; they are numbered from 2.
    pub clusters: u32,
    /// Serial number.
    pub serial: u32,
    /// Volume label of the boot sector, padded with blanks.
    pub label: [u8; 11],
}

impl Geometry {
    /// Reads the boot sector. `UNRECOGNIZED_VOLUME` if it is no FAT volume of 512-byte sectors that
    /// fits its device.
    pub fn read(device: &mut dyn Sectors) -> Result<Self> {
        let mut boot = [0; SECTOR];
        device.read(0, &mut boot)?;
        let bytes = u16_at(&boot, 11);
        if boot[..54].ends_with(b"    ") && usize::from(bytes) != SECTOR {
            log::warn!("a FAT volume of {bytes}-byte sectors: only 512 are supported");
        }
        Self::parse(&boot, device.count()).ok_or(Status::UNRECOGNIZED_VOLUME)
    }

    fn parse(boot: &[u8; SECTOR], sectors: u64) -> Option<Self> {
        if u16_at(boot, 510) != 0xAA55 || usize::from(u16_at(boot, 11)) != SECTOR {
            return None;
        }
        let cluster_sectors = u32::from(boot[13]);
        let reserved = u32::from(u16_at(boot, 14));
        let fat_copies = u32::from(boot[16]);
        if !cluster_sectors.is_power_of_two() || reserved == 0 || !(1..=4).contains(&fat_copies) {
            return None;
        }
        let root_entries = u32::from(u16_at(boot, 17));
        let small_total = u32::from(u16_at(boot, 19));
        let total = if small_total == 0 {
            u32_at(boot, 32)
        } else {
            small_total
        };
        let narrow_fat = u32::from(u16_at(boot, 22));
        let wide = narrow_fat == 0;
        let fat_sectors = if wide { u32_at(boot, 36) } else { narrow_fat };
        let root_sectors = (root_entries * 32).div_ceil(SECTOR as u32);
        let fat_start = u64::from(reserved);
        let root_start = fat_start + u64::from(fat_sectors) * u64::from(fat_copies);
        let data_start = root_start + u64::from(root_sectors);
        let data = u64::from(total).checked_sub(data_start)?;
        let clusters = u32::try_from(data / u64::from(cluster_sectors)).ok()?;
        let width = match clusters {
            1..0x0FFF_FFF5 if wide => Width::Fat32,
            1..4085 => Width::Fat12,
            4085..65525 => Width::Fat16,
            _ => return None,
        };
        let entries = u64::from(fat_sectors) * SECTOR as u64 * 8 / width.bits() as u64;
        if u64::from(total) > sectors
            || entries < u64::from(clusters) + 2
            || wide == (root_entries != 0)
        {
            return None;
        }
        let root_cluster = if wide { u32_at(boot, 44) } else { 0 };
        if wide && !(2..clusters + 2).contains(&root_cluster) {
            return None;
        }
        let info = u64::from(u16_at(boot, 48));
        let extended = if wide { 64 } else { 36 };
        let mut label = *b"           ";
        if boot[extended + 2] == 0x29 {
            label.copy_from_slice(&boot[extended + 7..extended + 18]);
        }
        Some(Self {
            width,
            cluster_sectors,
            fat_start,
            fat_sectors,
            fat_copies,
            root_start,
            root_sectors,
            root_cluster,
            info_sector: (wide && info != 0 && info < fat_start).then_some(info),
            data_start,
            clusters,
            serial: u32_at(boot, extended + 3),
            label,
        })
    }

    /// Bytes in a cluster.
    pub const fn cluster_bytes(&self) -> u64 {
        self.cluster_sectors as u64 * SECTOR as u64
    }

    /// The first sector of a cluster.
    pub const fn cluster_start(&self, cluster: u32) -> u64 {
        self.data_start + (cluster as u64 - 2) * self.cluster_sectors as u64
    }
}
