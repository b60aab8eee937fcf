// SPDX-License-Identifier: GPL-2.0-or-later
//! Replaces one file inside a cabinet (`reactos.cab` of the boot CD).
//!
//! The new content goes into a folder of its own behind all others, and the file's entry, last in
//! the table now, points there. So every folder that was there stays byte for byte, nothing is
//! compressed again, and folders and offsets still ascend, as readers expect. The old content is
//! left where no entry names it.
//!
//! Invariant: each data block is compressed by itself. MSZIP lets a block refer to the one before
//! it; ReactOS' text-mode setup skips blocks without looking into them and does not know such
//! references.

use anyhow::{Context, Result, bail, ensure};
use cab::Cabinet;
use flate2::{Compress, Compression, FlushCompress};
use std::io::{Cursor, Read};

/// Uncompressed bytes in a data block.
const BLOCK: usize = 0x8000;
/// Bytes of a folder's and of a file's entry, without reserve and name.
const FOLDER_ENTRY: usize = 8;
const FILE_ENTRY: usize = 16;
const MSZIP: u16 = 1;
/// Flags of the header: a cabinet before and after this one, and reserved areas.
const HAS_NEIGHBOUR: u16 = 3;
const HAS_RESERVE: u16 = 4;
/// Folder numbers from here on mean a neighbour's.
const FIRST_SPECIAL_FOLDER: u16 = 0xFFFD;

/// A cabinet with one file replaced.
pub struct Change<'n> {
    /// The new cabinet.
    pub cabinet: Vec<u8>,
    /// The file's name in it.
    pub name: String,
    /// The file's old content.
    pub old: Vec<u8>,
    /// Its new content.
    pub new: &'n [u8],
}

/// Replaces the first file named `leaf` for whose content `new` gives another one; `None` if there
/// is no such file.
pub fn replace<'n>(
    cabinet: &[u8],
    leaf: &str,
    new: impl Fn(&[u8]) -> Result<Option<&'n [u8]>>,
) -> Result<Option<Change<'n>>> {
    let layout = Layout::read(cabinet).context("the cabinet cannot be understood")?;
    let mut reader =
        Cabinet::new(Cursor::new(cabinet)).context("the cabinet cannot be understood")?;
    for (index, entry) in layout.files.iter().enumerate() {
        let name = entry.name();
        if !name
            .rsplit(['\\', '/'])
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case(leaf))
        {
            continue;
        }
        let mut old = Vec::new();
        reader
            .read_file(&name)
            .and_then(|mut file| file.read_to_end(&mut old))
            .with_context(|| format!("{name} in the cabinet"))?;
        if let Some(new) = new(&old)? {
            return Ok(Some(Change {
                cabinet: layout.with(index, new)?,
                name,
                old,
                new,
            }));
        }
    }
    Ok(None)
}

/// One entry of the file table: its bytes, as they are.
struct FileEntry<'c>(&'c [u8]);

impl FileEntry<'_> {
    fn name(&self) -> String {
        String::from_utf8_lossy(&self.0[FILE_ENTRY..self.0.len() - 1]).into_owned()
    }
}

/// Where everything is in a cabinet.
struct Layout<'c> {
    bytes: &'c [u8],
    /// Start of the folder table, and bytes of each entry.
    folders: usize,
    folder_size: usize,
    folder_count: u16,
    /// Reserved bytes in the header of each data block.
    data_reserve: usize,
    file_table: usize,
    files: Vec<FileEntry<'c>>,
}

impl<'c> Layout<'c> {
    fn read(bytes: &'c [u8]) -> Result<Self> {
        ensure!(
            bytes.get(..4) == Some(b"MSCF"),
            "it does not begin as a cabinet does"
        );
        let size = get32(bytes, 8)? as usize;
        let bytes = bytes
            .get(..size)
            .with_context(|| format!("it is cut short: {} bytes of {size}", bytes.len()))?;
        let flags = get16(bytes, 30)?;
        ensure!(
            flags & HAS_NEIGHBOUR == 0,
            "it is one of several that belong together"
        );
        let (folder_count, file_count) = (get16(bytes, 26)?, get16(bytes, 28)?);
        let reserve = if flags & HAS_RESERVE == 0 {
            None
        } else {
            Some((get16(bytes, 36)?, get16(bytes, 38)?.to_le_bytes()))
        };
        let (folders, [folder_reserve, data_reserve]) = reserve
            .map_or((36, [0, 0]), |(header, each)| {
                (40 + usize::from(header), each)
            });
        let folder_size = FOLDER_ENTRY + usize::from(folder_reserve);
        let file_table = get32(bytes, 16)? as usize;
        ensure!(
            folders + usize::from(folder_count) * folder_size <= file_table,
            "its folders reach into its files"
        );
        let mut files = Vec::with_capacity(usize::from(file_count));
        let mut at = file_table;
        for _ in 0..file_count {
            let rest = bytes
                .get(at..)
                .filter(|rest| rest.len() > FILE_ENTRY)
                .context("its list of files is cut short")?;
            let name = rest[FILE_ENTRY..]
                .iter()
                .position(|&byte| byte == 0)
                .context("a file's name has no end")?;
            files.push(FileEntry(&rest[..FILE_ENTRY + name + 1]));
            at += FILE_ENTRY + name + 1;
        }
        let this = Self {
            bytes,
            folders,
            folder_size,
            folder_count,
            data_reserve: usize::from(data_reserve),
            file_table,
            files,
        };
        this.check_files()?;
        Ok(this)
    }

    /// Every file lies within the data blocks of its folder. The decompressor takes that for
    /// granted.
    fn check_files(&self) -> Result<()> {
        let sizes = (0..usize::from(self.folder_count))
            .map(|folder| {
                self.folder_bytes(folder)
                    .with_context(|| format!("folder {folder}"))
            })
            .collect::<Result<Vec<u64>>>()?;
        for file in &self.files {
            let name = file.name();
            let size = sizes
                .get(usize::from(get16(file.0, 8)?))
                .with_context(|| format!("{name} is in a folder that is not there"))?;
            let (length, start) = (get32(file.0, 0)?, get32(file.0, 4)?);
            ensure!(
                u64::from(start) + u64::from(length) <= *size && *size > 0,
                "{name} reaches out of its folder"
            );
        }
        Ok(())
    }

    /// Uncompressed bytes of a folder.
    fn folder_bytes(&self, folder: usize) -> Result<u64> {
        let entry = self.folders + folder * self.folder_size;
        let mut at = get32(self.bytes, entry)? as usize;
        let mut sum = 0;
        for _ in 0..get16(self.bytes, entry + 4)? {
            let (stored, content) = (get16(self.bytes, at + 4)?, get16(self.bytes, at + 6)?);
            ensure!(
                (1..=BLOCK).contains(&usize::from(content)) && stored > 0,
                "a data block of wrong size"
            );
            sum += u64::from(content);
            at += 8 + self.data_reserve + usize::from(stored);
            ensure!(at <= self.bytes.len(), "a data block is cut short");
        }
        Ok(sum)
    }

    /// The same cabinet, where the file at `index` has this content.
    fn with(&self, index: usize, content: &[u8]) -> Result<Vec<u8>> {
        ensure!(
            self.folder_count < FIRST_SPECIAL_FOLDER,
            "the cabinet has no room for another folder"
        );
        let blocks = content.len().div_ceil(BLOCK);
        let shift = self.folder_size;
        let folders_end = self.folders + usize::from(self.folder_count) * self.folder_size;
        let mut out = self.bytes[..folders_end].to_vec();
        for folder in 0..usize::from(self.folder_count) {
            let at = self.folders + folder * self.folder_size;
            put32(&mut out, at, get32(self.bytes, at)? as usize + shift)?;
        }
        out.extend(u32::try_from(self.bytes.len() + shift)?.to_le_bytes());
        out.extend(
            u16::try_from(blocks)
                .context("the file is too large for one folder")?
                .to_le_bytes(),
        );
        out.extend(MSZIP.to_le_bytes());
        out.resize(folders_end + shift, 0);
        out.extend(&self.bytes[folders_end..self.file_table]);
        let files = self.files.iter().enumerate().filter(|(at, _)| *at != index);
        out.extend(files.flat_map(|(_, entry)| entry.0));
        let moved = out.len();
        out.extend(self.files[index].0);
        put32(&mut out, moved, content.len())?;
        put32(&mut out, moved + 4, 0)?;
        out[moved + 8..moved + 10].copy_from_slice(&self.folder_count.to_le_bytes());
        out.extend(&self.bytes[out.len() - shift..]);
        for block in content.chunks(BLOCK) {
            data_block(&mut out, block, self.data_reserve)?;
        }
        let size = out.len();
        put32(&mut out, 8, size)?;
        put32(&mut out, 16, self.file_table + shift)?;
        out[26..28].copy_from_slice(&(self.folder_count + 1).to_le_bytes());
        Ok(out)
    }
}

/// Appends a data block with this content, compressed by itself.
fn data_block(out: &mut Vec<u8>, content: &[u8], reserve: usize) -> Result<()> {
    // What cannot be compressed grows by a few bytes only.
    let mut data = Vec::with_capacity(BLOCK + 64);
    data.extend(b"CK");
    Compress::new(Compression::best(), false).compress_vec(
        content,
        &mut data,
        FlushCompress::Finish,
    )?;
    let mut sizes = u16::try_from(data.len())?.to_le_bytes().to_vec();
    sizes.extend(u16::try_from(content.len())?.to_le_bytes());
    // Reserved bytes are zero, which no checksum sees.
    out.extend((checksum(&data) ^ checksum(&sizes)).to_le_bytes());
    out.extend(sizes);
    out.resize(out.len() + reserve, 0);
    out.extend(data);
    Ok(())
}

/// The checksum of a data block: words, little-endian, exclusive-or; the bytes left over count the
/// other way round.
fn checksum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks_exact(4);
    let rest = words
        .remainder()
        .iter()
        .fold(0, |word, &byte| word << 8 | u32::from(byte));
    words.fold(rest, |sum, word| {
        sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]])
    })
}

fn get16(bytes: &[u8], at: usize) -> Result<u16> {
    let two = bytes.get(at..at + 2).context("it is cut short")?;
    Ok(u16::from_le_bytes([two[0], two[1]]))
}

fn get32(bytes: &[u8], at: usize) -> Result<u32> {
    let four = bytes.get(at..at + 4).context("it is cut short")?;
    Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn put32(bytes: &mut [u8], at: usize, value: usize) -> Result<()> {
    let Ok(value) = u32::try_from(value) else {
        bail!("the cabinet grows past 4 GiB")
    };
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    Ok(())
}

#[cfg(test)]
#[path = "cabinet_tests.rs"]
mod tests;
