// SPDX-License-Identifier: GPL-2.0-or-later
//! A small ISO 9660 disc with a Session Manager on it: what the tests of packing work on.

use super::iso9660::SECTOR;

/// The sector of the file.
pub const CONTENT: u64 = 20;

/// An image with one file, `/system32/smss.exe`, in sector [`CONTENT`], and behind it a last sector
/// that begins with `marker`.
pub fn bytes(content: &[u8]) -> Vec<u8> {
    let sectors = content.len().div_ceil(SECTOR as usize).max(1) as u32;
    let total = CONTENT as u32 + sectors + 1;
    let mut bytes = vec![0; total as usize * SECTOR as usize];
    let mut put = |sector: u32, offset: usize, what: &[u8]| {
        let at = sector as usize * SECTOR as usize + offset;
        bytes[at..at + what.len()].copy_from_slice(what);
    };
    put(16, 0, b"\x01CD001\x01");
    put(16, 80, &total.to_le_bytes());
    put(16, 156, &record(&[0], 18, 2048, 2));
    put(17, 0, b"\xFFCD001\x01");
    let root = [
        record(&[0], 18, 2048, 2),
        record(&[1], 18, 2048, 2),
        record(b"system32", 19, 2048, 2),
    ];
    put(18, 0, &root.concat());
    let size = content.len() as u32;
    put(19, 0, &record(b"smss.exe;1", CONTENT as u32, size, 0));
    put(CONTENT as u32, 0, content);
    put(total - 1, 0, b"marker");
    bytes
}

/// An image of a live CD with these files in `/reactos/system32`.
#[cfg(test)]
pub fn live_cd(files: &[(&str, &[u8])]) -> Vec<u8> {
    /// Behind the descriptors and the three folders.
    const FIRST: usize = 21;
    let sector = SECTOR as usize;
    let mut contents = Vec::new();
    let dots = || {
        record(&[0], 18, 2048, 2)
            .into_iter()
            .chain(record(&[1], 18, 2048, 2))
    };
    let mut folder: Vec<u8> = dots().collect();
    for (name, content) in files {
        let extent = FIRST + contents.len() / sector;
        let name = format!("{name};1");
        folder.extend(record(
            name.as_bytes(),
            extent as u32,
            content.len() as u32,
            0,
        ));
        contents.extend_from_slice(content);
        contents.resize(contents.len().next_multiple_of(sector), 0);
    }
    let mut bytes = vec![0; FIRST * sector];
    let total = (FIRST + contents.len() / sector) as u32;
    let mut put = |number: usize, offset: usize, what: &[u8]| {
        let at = number * sector + offset;
        bytes[at..at + what.len()].copy_from_slice(what);
    };
    put(16, 0, b"\x01CD001\x01");
    put(16, 80, &total.to_le_bytes());
    put(16, 156, &record(&[0], 18, 2048, 2));
    put(17, 0, b"\xFFCD001\x01");
    for (number, name) in [(18, b"reactos".as_slice()), (19, b"system32")] {
        let below: Vec<u8> = dots()
            .chain(record(name, number as u32 + 1, 2048, 2))
            .collect();
        put(number, 0, &below);
    }
    put(20, 0, &folder);
    bytes.extend(contents);
    bytes
}

/// A directory record.
pub fn record(name: &[u8], extent: u32, size: u32, flags: u8) -> Vec<u8> {
    let mut record = vec![0; 33];
    record.extend(name);
    if record.len() % 2 == 1 {
        record.push(0);
    }
    record[0] = record.len() as u8;
    record[2..6].copy_from_slice(&extent.to_le_bytes());
    record[6..10].copy_from_slice(&extent.to_be_bytes());
    record[10..14].copy_from_slice(&size.to_le_bytes());
    record[14..18].copy_from_slice(&size.to_be_bytes());
    record[25] = flags;
    record[32] = name.len() as u8;
    record
}
