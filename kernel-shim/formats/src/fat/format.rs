// SPDX-License-Identifier: GPL-2.0-or-later
//! Making an empty FAT volume.

use crate::sectors::{SECTOR, Sectors};
use alloc::vec;
use nt::{Result, Status};

/// Which FAT to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// FAT12: up to 4084 clusters, 32 MB.
    Fat12,
    /// FAT16: up to 2 GB.
    Fat16,
    /// FAT32: from 33 MB.
    Fat32,
}

const ROOT_ENTRIES: u32 = 512;

struct Layout {
    reserved: u32,
    root_sectors: u32,
    fat_sectors: u32,
    cluster_sectors: u32,
    clusters: u32,
}

fn layout(total: u32, kind: Kind, cluster_sectors: u32) -> Option<Layout> {
    let root_sectors = ROOT_ENTRIES * 32 / SECTOR as u32;
    let (reserved, root_sectors, bits) = match kind {
        Kind::Fat12 => (1, root_sectors, 12),
        Kind::Fat16 => (1, root_sectors, 16),
        Kind::Fat32 => (32, 0, 32),
    };
    // Largest table first: its own sectors only ever make the number of clusters smaller.
    let data = total.checked_sub(reserved + root_sectors)?;
    let bits = u64::from(data / cluster_sectors + 2) * bits;
    let fat_sectors = u32::try_from(bits.div_ceil(8 * SECTOR as u64)).ok()?;
    let clusters = data.checked_sub(2 * fat_sectors)? / cluster_sectors;
    let fits = match kind {
        Kind::Fat12 => (1..4085).contains(&clusters),
        Kind::Fat16 => (4085..65525).contains(&clusters),
        Kind::Fat32 => (65525..0x0FFF_FFF5).contains(&clusters),
    };
    fits.then_some(Layout {
        reserved,
        root_sectors,
        fat_sectors,
        cluster_sectors,
        clusters,
    })
}

/// Makes an empty volume over the whole of `device`: boot sector (not bootable), two tables, root
/// directory. Nothing else is written.
///
/// `label` is padded with blanks. `hidden` is the number of sectors in front of the volume on its
/// disk. `INVALID_PARAMETER` if the device is too small or too large for `kind`.
pub fn format(
    device: &mut dyn Sectors,
    kind: Kind,
    label: &[u8; 11],
    serial: u32,
    hidden: u32,
) -> Result<()> {
    let total = u32::try_from(device.count()).map_err(|_| Status::INVALID_PARAMETER)?;
    let sizes: &[u32] = match kind {
        Kind::Fat12 => &[1, 2, 4, 8, 16],
        Kind::Fat16 => &[4, 8, 16, 32, 64, 1, 2],
        Kind::Fat32 => &[8, 4, 2, 1, 16, 32, 64],
    };
    let layout = sizes
        .iter()
        .find_map(|&size| layout(total, kind, size))
        .ok_or(Status::INVALID_PARAMETER)?;
    let mut boot = [0; SECTOR];
    boot[..3].copy_from_slice(&[0xEB, 0x3C, 0x90]);
    boot[3..11].copy_from_slice(b"MSWIN4.1");
    let mut put = |at: usize, bytes: &[u8]| boot[at..at + bytes.len()].copy_from_slice(bytes);
    put(11, &(SECTOR as u16).to_le_bytes());
    put(13, &[layout.cluster_sectors as u8]);
    put(14, &(layout.reserved as u16).to_le_bytes());
    put(16, &[2]);
    if kind != Kind::Fat32 {
        put(17, &(ROOT_ENTRIES as u16).to_le_bytes());
        put(22, &(layout.fat_sectors as u16).to_le_bytes());
    }
    match u16::try_from(total) {
        Ok(small) if kind != Kind::Fat32 => put(19, &small.to_le_bytes()),
        _ => put(32, &total.to_le_bytes()),
    }
    put(21, &[0xF8]);
    put(24, &63u16.to_le_bytes());
    put(26, &255u16.to_le_bytes());
    put(28, &hidden.to_le_bytes());
    let extended = match kind {
        Kind::Fat12 | Kind::Fat16 => 36,
        Kind::Fat32 => {
            put(36, &layout.fat_sectors.to_le_bytes());
            put(44, &2u32.to_le_bytes());
            put(48, &1u16.to_le_bytes());
            put(50, &6u16.to_le_bytes());
            64
        }
    };
    put(extended, &[0x80, 0, 0x29]);
    put(extended + 3, &serial.to_le_bytes());
    put(extended + 7, label);
    put(
        extended + 18,
        match kind {
            Kind::Fat12 => b"FAT12   ",
            Kind::Fat16 => b"FAT16   ",
            Kind::Fat32 => b"FAT32   ",
        },
    );
    put(510, &[0x55, 0xAA]);

    let media: &[u8] = match kind {
        Kind::Fat12 => &[0xF8, 0xFF, 0xFF],
        Kind::Fat16 => &[0xF8, 0xFF, 0xFF, 0xFF],
        // Cluster 2 is the root directory.
        Kind::Fat32 => &[
            0xF8, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0x0F,
        ],
    };
    let fat_start = u64::from(layout.reserved);
    for copy in 0..2 {
        let start = fat_start + copy * u64::from(layout.fat_sectors);
        let mut table = vec![0; layout.fat_sectors as usize * SECTOR];
        table[..media.len()].copy_from_slice(media);
        device.write(start, &table)?;
    }
    let root_start = fat_start + 2 * u64::from(layout.fat_sectors);
    let root_sectors = if kind == Kind::Fat32 {
        layout.cluster_sectors
    } else {
        layout.root_sectors
    };
    let mut root = vec![0; root_sectors as usize * SECTOR];
    if label.iter().any(|&byte| byte != b' ') {
        root[..11].copy_from_slice(label);
        root[11] = 0x08;
        root[24..26].copy_from_slice(&0x21u16.to_le_bytes());
    }
    device.write(root_start, &root)?;
    if kind == Kind::Fat32 {
        let mut info = [0; SECTOR];
        info[..4].copy_from_slice(b"RRaA");
        info[484..488].copy_from_slice(b"rrAa");
        info[488..492].copy_from_slice(&(layout.clusters - 1).to_le_bytes());
        info[492..496].copy_from_slice(&3u32.to_le_bytes());
        info[510..].copy_from_slice(&[0x55, 0xAA]);
        device.write(1, &info)?;
        device.write(6, &boot)?;
        device.write(7, &info)?;
    }
    device.write(0, &boot)
}
