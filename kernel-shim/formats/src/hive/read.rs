// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading a regf file into a tree.
//!
//! Two passes: the bins are walked first and every cell's start is noted, so that the second pass,
//! which follows the references from key to key, only ever lands on a real, allocated cell. Each
//! key cell may be reached once; a loop is therefore an error, not a hang.

use super::tree::fold;
use super::{
    BASE_BLOCK, BIG_DATA_SEGMENT, BIN_HEADER, Hive, HiveError, Key, KeyId, NO_CELL, Value,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

const COMPRESSED_NAME: u16 = 0x20;
const SYMBOLIC_LINK: u16 = 0x10;
const VALUE_COMPRESSED_NAME: u16 = 1;
const INLINE_DATA: u32 = 0x8000_0000;

type Read<T> = Result<T, HiveError>;

fn err<T>(offset: usize, reason: &'static str) -> Read<T> {
    Err(HiveError { offset, reason })
}

/// A cell's content and where in the file it stands.
#[derive(Clone, Copy)]
struct Cell<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cell<'a> {
    fn slice(self, at: usize, len: usize) -> Read<&'a [u8]> {
        at.checked_add(len)
            .and_then(|end| self.bytes.get(at..end))
            .ok_or(HiveError {
                offset: self.offset,
                reason: "the cell is too short for what it says it holds",
            })
    }

    fn u16(self, at: usize) -> Read<u16> {
        Ok(self
            .slice(at, 2)?
            .try_into()
            .map(u16::from_le_bytes)
            .unwrap_or_default())
    }

    fn u32(self, at: usize) -> Read<u32> {
        Ok(self
            .slice(at, 4)?
            .try_into()
            .map(u32::from_le_bytes)
            .unwrap_or_default())
    }

    fn u64(self, at: usize) -> Read<u64> {
        Ok(self
            .slice(at, 8)?
            .try_into()
            .map(u64::from_le_bytes)
            .unwrap_or_default())
    }

    fn expect(self, signature: &[u8; 2], reason: &'static str) -> Read<()> {
        if self.slice(0, 2)? == signature {
            Ok(())
        } else {
            err(self.offset, reason)
        }
    }

    fn name(self, at: usize, len: usize, compressed: bool) -> Read<Vec<u16>> {
        let bytes = self.slice(at, len)?;
        if compressed {
            return Ok(bytes.iter().map(|&byte| u16::from(byte)).collect());
        }
        if !len.is_multiple_of(2) {
            return err(self.offset, "a UTF-16 name of odd length");
        }
        Ok(bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect())
    }
}

struct File<'a> {
    bytes: &'a [u8],
    cells: BTreeMap<u32, u32>,
}

impl<'a> File<'a> {
    fn base(&self) -> Cell<'a> {
        Cell {
            bytes: self.bytes,
            offset: 0,
        }
    }

    /// Walks all bins and notes the allocated cells: start (relative to the first bin) to length of
    /// content.
    fn index(&mut self, length: usize) -> Read<()> {
        let file = self.base();
        let end = BASE_BLOCK
            .checked_add(length)
            .filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return err(0x28, "the file is shorter than its base block says");
        };
        let mut bin = BASE_BLOCK;
        while bin < end {
            if file.slice(bin, 4)? != b"hbin" {
                return err(bin, "no hbin signature");
            }
            if usize::try_from(file.u32(bin + 4)?) != Ok(bin - BASE_BLOCK) {
                return err(bin, "the bin is not where it says it is");
            }
            let size = file.u32(bin + 8)? as usize;
            if size == 0 || !size.is_multiple_of(4096) || size > end - bin {
                return err(bin, "the bin's size is wrong");
            }
            let bin_end = bin + size;
            let mut at = bin + BIN_HEADER;
            while at < bin_end {
                let raw = file.u32(at)?.cast_signed();
                let cell = raw.unsigned_abs() as usize;
                if cell < 8 || !cell.is_multiple_of(8) || cell > bin_end - at {
                    return err(at, "the cell's size is wrong");
                }
                if raw < 0 {
                    let start = u32::try_from(at - BASE_BLOCK).map_err(|_| HiveError {
                        offset: at,
                        reason: "the hive is too large",
                    })?;
                    self.cells.insert(start, raw.unsigned_abs() - 4);
                }
                at += cell;
            }
            bin = bin_end;
        }
        Ok(())
    }

    fn cell(&self, index: u32, from: usize) -> Read<Cell<'a>> {
        let Some(&len) = self.cells.get(&index) else {
            return err(from, "it refers to something that is no allocated cell");
        };
        let offset = BASE_BLOCK + index as usize;
        let bytes = self.base().slice(offset + 4, len as usize)?;
        Ok(Cell { bytes, offset })
    }

    /// The key cells of a subkey list.
    fn subkey_list(&self, index: u32, from: usize) -> Read<Vec<u32>> {
        let list = self.cell(index, from)?;
        let count = usize::from(list.u16(2)?);
        let mut found = Vec::new();
        if list.slice(0, 2)? == b"ri" {
            for at in 0..count {
                let leaf = self.cell(list.u32(4 + 4 * at)?, list.offset)?;
                self.leaf(leaf, &mut found)?;
            }
        } else {
            self.leaf(list, &mut found)?;
        }
        Ok(found)
    }

    fn leaf(&self, list: Cell<'a>, found: &mut Vec<u32>) -> Read<()> {
        let step = match list.slice(0, 2)? {
            b"li" => 4,
            b"lf" | b"lh" => 8,
            _ => return err(list.offset, "a subkey list of no known kind"),
        };
        for at in 0..usize::from(list.u16(2)?) {
            found.push(list.u32(4 + step * at)?);
        }
        Ok(())
    }

    fn value(&self, index: u32, from: usize) -> Read<Value> {
        let cell = self.cell(index, from)?;
        cell.expect(b"vk", "no vk signature")?;
        let compressed = cell.u16(0x10)? & VALUE_COMPRESSED_NAME != 0;
        let name = cell.name(0x14, usize::from(cell.u16(2)?), compressed)?;
        let raw = cell.u32(4)?;
        let kind = cell.u32(0xC)?;
        let data = if raw & INLINE_DATA != 0 {
            let len = (raw & !INLINE_DATA) as usize;
            if len > 4 {
                return err(cell.offset, "more than four bytes of data in place");
            }
            cell.slice(8, len)?.to_vec()
        } else if raw == 0 {
            Vec::new()
        } else {
            self.data(cell.u32(8)?, raw as usize, cell.offset)?
        };
        Ok(Value { name, kind, data })
    }

    fn data(&self, index: u32, len: usize, from: usize) -> Read<Vec<u8>> {
        let cell = self.cell(index, from)?;
        // A file of format 1.3 holds any length in one cell; only a cell that is too small can be a
        // `db` record.
        if len <= cell.bytes.len() {
            return Ok(cell.slice(0, len)?.to_vec());
        }
        cell.expect(
            b"db",
            "the data is longer than its cell and not split into segments",
        )?;
        let count = usize::from(cell.u16(2)?);
        let list = self.cell(cell.u32(4)?, cell.offset)?;
        let mut data = Vec::new();
        for at in 0..count {
            let segment = self.cell(list.u32(4 * at)?, list.offset)?;
            let take = (len - data.len()).min(BIG_DATA_SEGMENT);
            data.extend_from_slice(segment.slice(0, take)?);
        }
        if data.len() == len {
            Ok(data)
        } else {
            err(cell.offset, "the segments hold less than the data's length")
        }
    }

    fn values(&self, key: Cell<'a>) -> Read<Vec<Value>> {
        let count = key.u32(0x24)? as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let list = self.cell(key.u32(0x28)?, key.offset)?;
        if count > list.bytes.len() / 4 {
            return err(list.offset, "the value list is shorter than its count");
        }
        (0..count)
            .map(|at| self.value(list.u32(4 * at)?, list.offset))
            .collect()
    }
}

struct Builder<'a> {
    file: File<'a>,
    descriptors: Vec<Vec<u8>>,
    known: BTreeMap<u32, usize>,
}

impl<'a> Builder<'a> {
    fn security(&mut self, index: u32, from: usize) -> Read<usize> {
        if let Some(&known) = self.known.get(&index) {
            return Ok(known);
        }
        let cell = self.file.cell(index, from)?;
        cell.expect(b"sk", "no sk signature")?;
        let descriptor = cell.slice(0x14, cell.u32(0x10)? as usize)?;
        let at = match self
            .descriptors
            .iter()
            .position(|known| known == descriptor)
        {
            Some(at) => at,
            None => {
                self.descriptors.push(descriptor.to_vec());
                self.descriptors.len() - 1
            }
        };
        self.known.insert(index, at);
        Ok(at)
    }

    fn key(&mut self, index: u32, from: usize) -> Read<(Key, Cell<'a>)> {
        let cell = self.file.cell(index, from)?;
        cell.expect(b"nk", "no nk signature")?;
        let flags = cell.u16(2)?;
        let name = cell.name(
            0x4C,
            usize::from(cell.u16(0x48)?),
            flags & COMPRESSED_NAME != 0,
        )?;
        let class_length = usize::from(cell.u16(0x4A)?);
        let class_cell = cell.u32(0x30)?;
        let class = if class_length == 0 || class_cell == NO_CELL {
            Vec::new()
        } else {
            self.file
                .cell(class_cell, cell.offset)?
                .slice(0, class_length)?
                .to_vec()
        };
        let security = self.security(cell.u32(0x2C)?, cell.offset)?;
        let key = Key {
            folded: fold(&name),
            name,
            class,
            last_write: cell.u64(4)?,
            volatile: false,
            link: flags & SYMBOLIC_LINK != 0,
            parent: None,
            subkeys: Vec::new(),
            values: self.file.values(cell)?,
            security,
        };
        Ok((key, cell))
    }
}

/// XOR of the first 127 words of the base block, with 0 and -1 stepped aside.
pub(super) fn checksum(base: &[u8]) -> u32 {
    let sum = base.chunks_exact(4).take(127).fold(0, |sum, word| {
        sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]])
    });
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        other => other,
    }
}

impl Hive {
    /// Reads a regf file. An error names the offset of the first cell found wrong.
    ///
    /// A file whose two sequence numbers differ was being written when the machine stopped: it is
    /// refused, so that the caller turns to the copy it keeps for that case.
    pub fn parse(bytes: &[u8]) -> Result<Self, HiveError> {
        let mut file = File {
            bytes,
            cells: BTreeMap::new(),
        };
        let base = file.base();
        if base.slice(0, BASE_BLOCK)?.get(..4) != Some(b"regf") {
            return err(0, "no regf signature");
        }
        if base.u32(0x1FC)? != checksum(bytes) {
            return err(0x1FC, "the base block's checksum is wrong");
        }
        if base.u32(4)? != base.u32(8)? {
            return err(
                4,
                "the file was not written to its end; its .LOG, .LOG1 and .LOG2 belong beside it",
            );
        }
        let minor_version = base.u32(0x18)?;
        if base.u32(0x14)? != 1 || !(3..=6).contains(&minor_version) {
            return err(0x14, "a format version other than 1.3 to 1.6");
        }
        file.index(base.u32(0x28)? as usize)?;
        let file_name = base
            .slice(0x30, 64)?
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .take_while(|&unit| unit != 0);
        let file_name: Vec<u16> = file_name.collect();
        let root_cell = base.u32(0x24)?;

        let mut builder = Builder {
            file,
            descriptors: Vec::new(),
            known: BTreeMap::new(),
        };
        let (root, cell) = builder.key(root_cell, 0x24)?;
        let mut hive = Self::from_parts(root, Vec::new());
        hive.file_name = file_name;
        hive.minor_version = minor_version;
        hive.sequence = base.u32(4)?;
        let mut seen = BTreeSet::from([root_cell]);
        let mut pending: Vec<(KeyId, Cell<'_>)> = vec![(hive.root(), cell)];
        while let Some((parent, cell)) = pending.pop() {
            let count = cell.u32(0x14)? as usize;
            if count == 0 {
                continue;
            }
            let list = builder.file.subkey_list(cell.u32(0x1C)?, cell.offset)?;
            if list.len() != count {
                return err(
                    cell.offset,
                    "the subkey list does not have as many entries as the key says",
                );
            }
            for index in list {
                if !seen.insert(index) {
                    return err(BASE_BLOCK + index as usize, "the key is reached twice");
                }
                let (key, sub) = builder.key(index, cell.offset)?;
                let Some(id) = hive.adopt(parent, key) else {
                    return err(sub.offset, "two subkeys of one name");
                };
                pending.push((id, sub));
            }
        }
        hive.security = builder.descriptors;
        Ok(hive)
    }
}
