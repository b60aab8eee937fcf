// SPDX-License-Identifier: GPL-2.0-or-later
//! The partitions of a disk: a master boot record with its logical drives, a GUID partition table,
//! or none.
//!
//! Invariants: every range given lies on the disk; a chain of logical drives that leads in a circle
//! ends.

use crate::bytes::{u16_at, u32_at};
use crate::sectors::{Range, SECTOR, Sectors};
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use nt::Result;

/// Where in a boot record its four entries are.
const ENTRIES: core::ops::Range<usize> = 446..510;
/// Types of partitions that hold logical drives.
const EXTENDED: [u8; 3] = [0x05, 0x0F, 0x85];
/// The type of the one partition that tells old systems of a GUID partition table.
const PROTECTIVE: u8 = 0xEE;
/// More logical drives than any disk has.
const MOST_LOGICAL: usize = 64;
/// The largest GUID partition table read, in entries: four times what every disk has.
const MOST_ENTRIES: u32 = 512;

/// An entry of a boot record.
struct Entry {
    kind: u8,
    range: Range,
}

/// The entries of a boot record, if the sector is one. Their places are those in the record.
fn boot_record(sector: &[u8; SECTOR]) -> Option<Vec<Entry>> {
    let entries = sector[ENTRIES].chunks_exact(16).map(|entry| Entry {
        kind: entry[4],
        range: Range {
            start: u32_at(entry, 8).into(),
            count: u32_at(entry, 12).into(),
        },
    });
    (u16_at(sector, 510) == 0xAA55).then(|| entries.collect())
}

fn is_on(range: Range, device: &dyn Sectors) -> bool {
    let end = range.start.checked_add(range.count);
    range.start > 0 && range.count > 0 && end.is_some_and(|end| end <= device.count())
}

/// The partitions of a disk: primary ones in the order of their table, then logical drives, as NT
/// numbers them. The whole disk if there is no table (a "superfloppy", whose first sector is a FAT
/// boot sector and may carry the same signature).
pub fn partitions(device: &mut dyn Sectors) -> Result<Vec<Range>> {
    let mut sector = [0; SECTOR];
    device.read(0, &mut sector)?;
    let whole = vec![Range {
        start: 0,
        count: device.count(),
    }];
    let fat_boot_sector = matches!(sector[0], 0xEB | 0xE9) && u16_at(&sector, 11) == SECTOR as u16;
    let Some(entries) = boot_record(&sector).filter(|_| !fat_boot_sector) else {
        return Ok(whole);
    };
    if entries.iter().any(|entry| entry.kind == PROTECTIVE) {
        match guid_partitions(device) {
            Some(found) => return Ok(found),
            None => log::warn!("a disk with a GUID partition table that is damaged in both copies"),
        }
    }
    let (extended, primary): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .filter(|entry| entry.kind != 0 && is_on(entry.range, device))
        .partition(|entry| EXTENDED.contains(&entry.kind));
    let mut found: Vec<Range> = primary.into_iter().map(|entry| entry.range).collect();
    for entry in extended {
        logical_drives(device, entry.range, &mut found);
    }
    Ok(if found.is_empty() { whole } else { found })
}

/// The logical drives of an extended partition: a chain of boot records, each with one drive and
/// the way to the next.
fn logical_drives(device: &mut dyn Sectors, extended: Range, found: &mut Vec<Range>) {
    let mut at = extended.start;
    let mut seen = BTreeSet::new();
    while seen.insert(at) && seen.len() <= MOST_LOGICAL {
        let mut sector = [0; SECTOR];
        let record = match device.read(at, &mut sector) {
            Ok(()) => boot_record(&sector),
            Err(_) => None,
        };
        let Some(record) = record else {
            log::warn!("sector {at}: no boot record of a logical drive");
            return;
        };
        let mut next = None;
        for entry in record.into_iter().filter(|entry| entry.kind != 0) {
            if EXTENDED.contains(&entry.kind) {
                // Counted from the extended partition; a drive, from its own boot record.
                next = extended.start.checked_add(entry.range.start);
            } else if let Some(start) = at.checked_add(entry.range.start) {
                let count = entry.range.count;
                let range = Range { start, count };
                if is_on(range, device) && start > at {
                    found.push(range);
                }
            }
        }
        match next {
            Some(next) if next > extended.start => at = next,
            _ => return,
        }
    }
}

/// The partitions of a GUID partition table, from the first of its two copies that is whole.
fn guid_partitions(device: &mut dyn Sectors) -> Option<Vec<Range>> {
    let last = device.count().checked_sub(1)?;
    [1, last].into_iter().find_map(|at| guid_table(device, at))
}

fn guid_table(device: &mut dyn Sectors, at: u64) -> Option<Vec<Range>> {
    let mut header = [0; SECTOR];
    device.read(at, &mut header).ok()?;
    let size = u32_at(&header, 12) as usize;
    let stated = u32_at(&header, 16);
    if header[..8] != *b"EFI PART" || !(92..=SECTOR).contains(&size) {
        return None;
    }
    header[16..20].fill(0);
    if crc32fast::hash(&header[..size]) != stated {
        return None;
    }
    let u64_at =
        |bytes: &[u8], at| u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32;
    let (count, entry_size) = (u32_at(&header, 80), u32_at(&header, 84) as usize);
    if count > MOST_ENTRIES || !(128..=4096).contains(&entry_size) {
        return None;
    }
    let bytes = count as usize * entry_size;
    let mut table = vec![0; bytes.next_multiple_of(SECTOR)];
    device.read(u64_at(&header, 72), &mut table).ok()?;
    if crc32fast::hash(&table[..bytes]) != u32_at(&header, 88) {
        return None;
    }
    let entries = table[..bytes].chunks_exact(entry_size);
    let ranges = entries
        .filter(|entry| entry[..16] != [0; 16])
        .filter_map(|entry| {
            let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
            let count = last.checked_sub(first)?.checked_add(1)?;
            let range = Range {
                start: first,
                count,
            };
            is_on(range, device).then_some(range)
        });
    Some(ranges.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sectors::MemoryDevice;

    /// An entry of a boot record.
    fn put(
        device: &mut MemoryDevice,
        sector: usize,
        index: usize,
        kind: u8,
        start: u32,
        count: u32,
    ) {
        let at = sector * SECTOR + 446 + 16 * index;
        device.bytes[at + 4] = kind;
        device.bytes[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        device.bytes[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
        device.bytes[sector * SECTOR + 510..][..2].copy_from_slice(&[0x55, 0xAA]);
    }

    fn ranges(device: &mut MemoryDevice) -> Vec<(u64, u64)> {
        let found = partitions(device).unwrap();
        found
            .into_iter()
            .map(|range| (range.start, range.count))
            .collect()
    }

    #[test]
    fn primary_partitions_come_first_then_logical_drives() {
        let mut device = MemoryDevice::new(1000);
        put(&mut device, 0, 0, 0x0F, 400, 600);
        put(&mut device, 0, 1, 0x06, 63, 100);
        put(&mut device, 0, 2, 0x06, 900, 200);
        put(&mut device, 400, 0, 0x06, 10, 90);
        put(&mut device, 400, 1, 0x05, 100, 100);
        put(&mut device, 500, 0, 0x0B, 10, 90);
        assert_eq!(ranges(&mut device), [(63, 100), (410, 90), (510, 90)]);
        // A chain that leads back.
        put(&mut device, 500, 1, 0x05, 100, 100);
        assert_eq!(ranges(&mut device), [(63, 100), (410, 90), (510, 90)]);
    }

    #[test]
    fn a_disk_without_a_table_is_one_volume() {
        let mut device = MemoryDevice::new(100);
        assert_eq!(ranges(&mut device), [(0, 100)]);
        device.bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        assert_eq!(ranges(&mut device), [(0, 100)]);
    }

    /// A table with two partitions and one that is not on the disk.
    fn guid_disk() -> MemoryDevice {
        let mut device = MemoryDevice::new(200);
        put(&mut device, 0, 0, PROTECTIVE, 1, 199);
        let mut entries = vec![0; 4 * 128];
        for (at, (first, last)) in [(0, (40u64, 79u64)), (1, (300, 400)), (3, (80, 80))] {
            let entry = &mut entries[128 * at..128 * (at + 1)];
            entry[..16].fill(7);
            entry[32..40].copy_from_slice(&first.to_le_bytes());
            entry[40..48].copy_from_slice(&last.to_le_bytes());
        }
        for (at, table) in [(1usize, 2u64), (199, 198)] {
            let mut header = [0; 92];
            header[..8].copy_from_slice(b"EFI PART");
            header[12] = 92;
            header[72..80].copy_from_slice(&table.to_le_bytes());
            header[80] = 4;
            header[84] = 128;
            header[88..].copy_from_slice(&crc32fast::hash(&entries).to_le_bytes());
            let sum = crc32fast::hash(&header);
            header[16..20].copy_from_slice(&sum.to_le_bytes());
            device.bytes[at * SECTOR..][..92].copy_from_slice(&header);
            device.bytes[table as usize * SECTOR..][..512].copy_from_slice(&entries);
        }
        device
    }

    #[test]
    fn a_guid_table_is_read_from_the_copy_that_is_whole() {
        let wanted = [(40, 40), (80, 1)];
        let mut device = guid_disk();
        assert_eq!(ranges(&mut device), wanted);
        device.bytes[2 * SECTOR] = 9;
        assert_eq!(ranges(&mut device), wanted, "the second copy");
        device.bytes[199 * SECTOR + 20] = 9;
        assert_eq!(
            ranges(&mut device),
            [(1, 199)],
            "neither: what the old table says"
        );
    }
}
