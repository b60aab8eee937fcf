// SPDX-License-Identifier: GPL-2.0-or-later
//! Writing a tree as a regf file.
//!
//! The file is laid out afresh each time: no free cells but the rest of each bin. Volatile keys are
//! left out.

use super::read::checksum;
use super::{BASE_BLOCK, BIG_DATA_SEGMENT, BIN_HEADER, Hive, Key, KeyId, NO_CELL, Value};
use alloc::vec;
use alloc::vec::Vec;
use nt::case::upcase;

const ROOT_FLAGS: u16 = 0x0C; // KEY_HIVE_ENTRY | KEY_NO_DELETE
const SYMBOLIC_LINK: u16 = 0x10;
const COMPRESSED_NAME: u16 = 0x20;
const LEAF_CAPACITY: usize = 500;
const BIN_ALIGN: usize = 4096;

/// The bins while they are filled. Offsets count from the first bin, as cell indices do.
struct Bins {
    bytes: Vec<u8>,
    bin: usize,
    used: usize,
}

impl Bins {
    fn new() -> Self {
        Self {
            bytes: Vec::new(),
            bin: 0,
            used: 0,
        }
    }

    /// Makes what is left of the current bin one free cell.
    fn close_bin(&mut self) {
        let left = self.bytes.len() - self.used;
        if left > 0 {
            let at = self.used;
            self.put32(at, left as u32);
            self.used = self.bytes.len();
        }
    }

    /// A new cell with room for `len` bytes: the offset of the cell. Zeroed.
    fn allocate(&mut self, len: usize) -> usize {
        let size = (len + 4).next_multiple_of(8);
        if self.bytes.len() - self.used < size {
            self.close_bin();
            self.bin = self.bytes.len();
            let bin_size = (size + BIN_HEADER).next_multiple_of(BIN_ALIGN);
            self.bytes.resize(self.bin + bin_size, 0);
            let bin = self.bin;
            self.put(bin, b"hbin");
            self.put32(bin + 4, bin as u32);
            self.put32(bin + 8, bin_size as u32);
            self.used = bin + BIN_HEADER;
        }
        let cell = self.used;
        self.used += size;
        self.put32(cell, (size as u32).wrapping_neg());
        cell
    }

    /// A new cell with this content.
    fn add(&mut self, content: &[u8]) -> u32 {
        let cell = self.allocate(content.len());
        self.put(cell + 4, content);
        cell as u32
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }
}

/// The bytes of a name, and whether they are one a unit.
fn encode_name(name: &[u16]) -> (Vec<u8>, bool) {
    match name
        .iter()
        .map(|&unit| u8::try_from(unit))
        .collect::<Result<Vec<u8>, _>>()
    {
        Ok(narrow) => (narrow, true),
        Err(_) => (
            name.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            false,
        ),
    }
}

fn add_data(bins: &mut Bins, data: &[u8], minor_version: u32) -> u32 {
    if data.len() <= BIG_DATA_SEGMENT || minor_version < 4 {
        return bins.add(data);
    }
    // Every segment's cell is as large as a full one's, the last one's as well: readers take a
    // segment's length from its cell.
    let list: Vec<u8> = data
        .chunks(BIG_DATA_SEGMENT)
        .flat_map(|segment| {
            let cell = bins.allocate(BIG_DATA_SEGMENT + 4);
            bins.put(cell + 4, segment);
            (cell as u32).to_le_bytes()
        })
        .collect();
    let count = (list.len() / 4) as u16;
    let list = bins.add(&list);
    let mut record = vec![0; 12];
    record[..2].copy_from_slice(b"db");
    record[2..4].copy_from_slice(&count.to_le_bytes());
    record[4..8].copy_from_slice(&list.to_le_bytes());
    bins.add(&record)
}

fn add_value(bins: &mut Bins, value: &Value, minor_version: u32) -> u32 {
    let (name, compressed) = encode_name(&value.name);
    let mut record = vec![0; 0x14 + name.len()];
    record[..2].copy_from_slice(b"vk");
    record[2..4].copy_from_slice(&(name.len() as u16).to_le_bytes());
    let len = value.data.len() as u32;
    if value.data.len() <= 4 {
        record[4..8].copy_from_slice(&(len | 0x8000_0000).to_le_bytes());
        record[8..8 + value.data.len()].copy_from_slice(&value.data);
    } else {
        record[4..8].copy_from_slice(&len.to_le_bytes());
        record[8..12].copy_from_slice(&add_data(bins, &value.data, minor_version).to_le_bytes());
    }
    record[0xC..0x10].copy_from_slice(&value.kind.to_le_bytes());
    record[0x10..0x12].copy_from_slice(&u16::from(compressed).to_le_bytes());
    record[0x14..].copy_from_slice(&name);
    bins.add(&record)
}

/// The four bytes beside a key's cell index in a list: the first characters (`lf`), or a hash of
/// the whole upcased name (`lh`).
fn hint(name: &[u16], hashed: bool) -> [u8; 4] {
    if hashed {
        return name
            .iter()
            .fold(0u32, |hash, &unit| {
                hash.wrapping_mul(37).wrapping_add(u32::from(upcase(unit)))
            })
            .to_le_bytes();
    }
    let mut hint = [0; 4];
    for (byte, &unit) in hint.iter_mut().zip(name) {
        match u8::try_from(unit) {
            Ok(narrow) => *byte = narrow,
            Err(_) => return [0; 4],
        }
    }
    hint
}

struct Writer<'h> {
    hive: &'h Hive,
    bins: Bins,
    /// Cell of each security descriptor.
    security: Vec<u32>,
}

impl Writer<'_> {
    /// Security cells form a ring; each counts the keys that refer to it.
    fn add_security(&mut self, references: &[u32]) {
        let mut ring = Vec::new();
        for (index, descriptor) in self.hive.descriptors().iter().enumerate() {
            let count = references.get(index).copied().unwrap_or(0);
            if count == 0 {
                self.security.push(NO_CELL);
                continue;
            }
            let mut record = vec![0; 0x14 + descriptor.len()];
            record[..2].copy_from_slice(b"sk");
            record[0xC..0x10].copy_from_slice(&count.to_le_bytes());
            record[0x10..0x14].copy_from_slice(&(descriptor.len() as u32).to_le_bytes());
            record[0x14..].copy_from_slice(descriptor);
            let cell = self.bins.add(&record);
            self.security.push(cell);
            ring.push(cell);
        }
        for (at, &cell) in ring.iter().enumerate() {
            let next = ring[(at + 1) % ring.len()];
            let previous = ring[(at + ring.len() - 1) % ring.len()];
            self.bins.put32(cell as usize + 4 + 4, next);
            self.bins.put32(cell as usize + 4 + 8, previous);
        }
    }

    fn stable_subkeys(&self, key: &Key) -> Vec<KeyId> {
        key.subkeys
            .iter()
            .copied()
            .filter(|&id| self.hive.key(id).is_some_and(|sub| !sub.volatile))
            .collect()
    }

    fn add_key(&mut self, key: &Key, parent: u32) -> u32 {
        let (name, compressed) = encode_name(&key.name);
        let mut flags = if key.parent.is_none() { ROOT_FLAGS } else { 0 };
        if compressed {
            flags |= COMPRESSED_NAME;
        }
        if key.link {
            flags |= SYMBOLIC_LINK;
        }
        let class = if key.class.is_empty() {
            NO_CELL
        } else {
            self.bins.add(&key.class)
        };
        let values: Vec<u8> = key
            .values
            .iter()
            .flat_map(|value| {
                add_value(&mut self.bins, value, self.hive.minor_version).to_le_bytes()
            })
            .collect();
        let value_list = if values.is_empty() {
            NO_CELL
        } else {
            self.bins.add(&values)
        };
        let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0) as u32;
        let mut record = vec![0; 0x4C + name.len()];
        record[..2].copy_from_slice(b"nk");
        record[2..4].copy_from_slice(&flags.to_le_bytes());
        record[4..12].copy_from_slice(&key.last_write.to_le_bytes());
        let mut put =
            |at: usize, value: u32| record[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(0x10, parent);
        put(0x1C, NO_CELL);
        put(0x20, NO_CELL);
        put(0x24, key.values.len() as u32);
        put(0x28, value_list);
        put(
            0x2C,
            self.security.get(key.security).copied().unwrap_or(NO_CELL),
        );
        put(0x30, class);
        let subkeys = self.stable_subkeys(key);
        put(0x14, subkeys.len() as u32);
        put(
            0x34,
            widest(
                &mut subkeys
                    .iter()
                    .filter_map(|&id| self.hive.key(id))
                    .map(|sub| sub.name.len() * 2),
            ),
        );
        put(
            0x38,
            widest(
                &mut subkeys
                    .iter()
                    .filter_map(|&id| self.hive.key(id))
                    .map(|sub| sub.class.len()),
            ),
        );
        put(
            0x3C,
            widest(&mut key.values.iter().map(|value| value.name.len() * 2)),
        );
        put(
            0x40,
            widest(&mut key.values.iter().map(|value| value.data.len())),
        );
        record[0x48..0x4A].copy_from_slice(&(name.len() as u16).to_le_bytes());
        record[0x4A..0x4C].copy_from_slice(&(key.class.len() as u16).to_le_bytes());
        record[0x4C..].copy_from_slice(&name);
        self.bins.add(&record)
    }

    fn add_subkey_list(&mut self, subkeys: &[(u32, KeyId)]) -> u32 {
        let hashed = self.hive.minor_version >= 5;
        let leaves: Vec<u32> = subkeys
            .chunks(LEAF_CAPACITY)
            .map(|chunk| {
                let mut leaf = Vec::from(if hashed { *b"lh" } else { *b"lf" });
                leaf.extend_from_slice(&(chunk.len() as u16).to_le_bytes());
                for &(cell, id) in chunk {
                    leaf.extend_from_slice(&cell.to_le_bytes());
                    leaf.extend_from_slice(&hint(
                        self.hive
                            .key(id)
                            .map(|key| key.name.as_slice())
                            .unwrap_or_default(),
                        hashed,
                    ));
                }
                self.bins.add(&leaf)
            })
            .collect();
        if let [only] = leaves.as_slice() {
            return *only;
        }
        let mut index = Vec::from(*b"ri");
        index.extend_from_slice(&(leaves.len() as u16).to_le_bytes());
        index.extend(leaves.iter().flat_map(|leaf| leaf.to_le_bytes()));
        self.bins.add(&index)
    }

    fn add_tree(&mut self) -> u32 {
        let Some(root) = self.hive.key(self.hive.root()) else {
            return NO_CELL;
        };
        let root_cell = self.add_key(root, NO_CELL);
        let mut pending = vec![(root_cell, root)];
        while let Some((cell, key)) = pending.pop() {
            let mut list = Vec::new();
            for id in self.stable_subkeys(key) {
                if let Some(sub) = self.hive.key(id) {
                    let sub_cell = self.add_key(sub, cell);
                    list.push((sub_cell, id));
                    pending.push((sub_cell, sub));
                }
            }
            if !list.is_empty() {
                let list = self.add_subkey_list(&list);
                self.bins.put32(cell as usize + 4 + 0x1C, list);
            }
        }
        root_cell
    }
}

impl Hive {
    /// The hive as a regf file, complete and consistent: both sequence numbers are `self.sequence`.
    ///
    /// `now` is the time stamp of the base block, in 100 ns units since 1601.
    pub fn serialise(&self, now: u64) -> Vec<u8> {
        let mut references = vec![0; self.descriptors().len()];
        let mut walk = vec![self.root()];
        while let Some(key) = walk.pop().and_then(|id| self.key(id)) {
            if let Some(count) = references.get_mut(key.security) {
                *count += 1;
            }
            walk.extend(
                key.subkeys
                    .iter()
                    .copied()
                    .filter(|&id| self.key(id).is_some_and(|sub| !sub.volatile)),
            );
        }
        let mut writer = Writer {
            hive: self,
            bins: Bins::new(),
            security: Vec::new(),
        };
        writer.add_security(&references);
        let root = writer.add_tree();
        writer.bins.close_bin();

        let bins = writer.bins.bytes;
        let mut file = vec![0; BASE_BLOCK];
        file[..4].copy_from_slice(b"regf");
        let mut put =
            |at: usize, value: u32| file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(4, self.sequence);
        put(8, self.sequence);
        put(0xC, now as u32);
        put(0x10, (now >> 32) as u32);
        put(0x14, 1);
        put(0x18, self.minor_version);
        put(0x20, 1);
        put(0x24, root);
        put(0x28, bins.len() as u32);
        put(0x2C, 1);
        for (at, unit) in self.file_name.iter().take(31).enumerate() {
            file[0x30 + 2 * at..0x32 + 2 * at].copy_from_slice(&unit.to_le_bytes());
        }
        let sum = checksum(&file);
        file[0x1FC..0x200].copy_from_slice(&sum.to_le_bytes());
        file.extend_from_slice(&bins);
        file
    }
}
