// SPDX-License-Identifier: GPL-2.0-or-later
//! Replaces a file's content inside an ISO 9660 image, byte for byte everything else as it was.
//!
//! Re-mastering a ReactOS ISO rewrites its level-4 names, after which FreeLoader does not find the
//! hives any more. So the bytes are put in place where they fit into the file's own sectors, or
//! else appended, and the directory records (of every volume descriptor that has the file) and the
//! volume size are patched.
//!
//! Invariants: nothing is written before the whole image has been read and understood; every number
//! from the image is checked before use.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes in a logical sector.
pub const SECTOR: u64 = 2048;

/// More directories than any disc has, and more bytes than any path.
const MOST_DIRECTORIES: usize = 65_536;
const LONGEST_PATH: usize = 1024;

/// One file of the image.
#[derive(Clone, Debug)]
pub struct DiscFile {
    /// Path with `/` between names, versions (`;1`) removed.
    pub path: String,
    /// First sector of its content.
    pub extent: u32,
    /// Bytes of content.
    pub size: u32,
    /// Where its directory record begins in the image.
    record: u64,
}

/// An image that was read and understood.
pub struct Disc {
    file: File,
    sectors: u64,
    descriptors: Vec<u64>,
    /// Directories of the volume that is being read, by their first sectors.
    seen: BTreeSet<u32>,
    /// Every file, of the primary descriptor first.
    pub entries: Vec<DiscFile>,
}

impl Disc {
    /// Reads the directory trees of an image opened for reading (and for writing, if it is to be
    /// patched).
    pub fn read(file: File) -> Result<Self> {
        let length = file.metadata()?.len();
        let mut image = Self {
            file,
            sectors: length / SECTOR,
            descriptors: Vec::new(),
            seen: BTreeSet::new(),
            entries: Vec::new(),
        };
        for sector in 16..16 + 32 {
            let descriptor = image
                .bytes(sector * SECTOR, SECTOR as usize)
                .context("it ends before its volume descriptors")?;
            if descriptor.get(1..6) != Some(b"CD001") {
                bail!("it has no ISO 9660 volume descriptor");
            }
            match descriptor[0] {
                1 | 2 => {
                    image.descriptors.push(sector * SECTOR);
                    let volume = u64::from(le32(&descriptor, 80));
                    if volume > image.sectors {
                        bail!(
                            "it is cut short: its volume has {volume} sectors, the file {}",
                            image.sectors
                        );
                    }
                    let joliet = descriptor[0] == 2 && descriptor[88..90] == *b"%/";
                    image.seen.clear();
                    let (extent, size) = (le32(&descriptor, 158), le32(&descriptor, 166));
                    image.directory(extent, size, "", joliet)?;
                }
                255 => return Ok(image),
                _ => {}
            }
        }
        bail!("its volume descriptors have no end")
    }

    fn bytes(&self, at: u64, count: usize) -> Result<Vec<u8>> {
        // Nobody allocates what the image only says that it has.
        let end = at.checked_add(count as u64);
        if end.is_none_or(|end| end > self.sectors * SECTOR) {
            bail!("it is cut short: {count} bytes at {at} are missing");
        }
        let mut bytes = vec![0; count];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut bytes))
            .with_context(|| format!("it is cut short: {count} bytes at {at} are missing"))?;
        Ok(bytes)
    }

    fn directory(&mut self, extent: u32, size: u32, path: &str, joliet: bool) -> Result<()> {
        if !self.seen.insert(extent) {
            bail!("the directory /{path} is reached twice");
        }
        if self.seen.len() > MOST_DIRECTORIES || path.len() > LONGEST_PATH {
            bail!("the directory /{path} is nested too deeply");
        }
        let start = u64::from(extent) * SECTOR;
        let bytes = self
            .bytes(start, size as usize)
            .with_context(|| format!("directory /{path}"))?;
        let mut at = 0;
        while at < bytes.len() {
            let length = usize::from(bytes[at]);
            if length == 0 {
                // Records do not cross sectors: the rest of this one is padding.
                at = (at / SECTOR as usize + 1) * SECTOR as usize;
                continue;
            }
            let record = bytes
                .get(at..at + length)
                .filter(|record| record.len() >= 34)
                .with_context(|| format!("bad record in /{path}"))?;
            let name = record
                .get(33..33 + usize::from(record[32]))
                .with_context(|| format!("bad name in /{path}"))?;
            let (extent, size) = (le32(record, 2), le32(record, 10));
            if name != [0] && name != [1] {
                let name = decoded(name, joliet);
                let path = if path.is_empty() {
                    name
                } else {
                    format!("{path}/{name}")
                };
                if record[25] & 2 != 0 {
                    self.directory(extent, size, &path, joliet)?;
                } else {
                    self.entries.push(DiscFile {
                        path,
                        extent,
                        size,
                        record: start + at as u64,
                    });
                }
            }
            at += length;
        }
        Ok(())
    }

    /// The content of a file.
    pub fn content(&self, entry: &DiscFile) -> Result<Vec<u8>> {
        self.bytes(u64::from(entry.extent) * SECTOR, entry.size as usize)
            .with_context(|| format!("/{}", entry.path))
    }

    /// Entries of the file at this path: one a volume descriptor that shows it.
    fn meant(&self, path: &str) -> Vec<usize> {
        let is_meant = |at: &usize| self.entries[*at].path.eq_ignore_ascii_case(path);
        (0..self.entries.len()).filter(is_meant).collect()
    }

    /// Whether a file at another path has its content in one of these sectors. An empty file has
    /// none, whatever its record says.
    fn is_shared(&self, path: &str, first: u32, sectors: u64) -> bool {
        let end = u64::from(first) + sectors;
        self.entries.iter().any(|other| {
            let start = u64::from(other.extent);
            let other_end = start + u64::from(other.size).div_ceil(SECTOR);
            other.size > 0
                && start < end
                && u64::from(first) < other_end
                && !other.path.eq_ignore_ascii_case(path)
        })
    }

    /// Puts `content` in the place of a file's content: in its own sectors if it fits there and
    /// they are nobody else's. Only the records of this path change.
    pub fn replace(&mut self, entry: &DiscFile, content: &[u8]) -> Result<()> {
        let size =
            u32::try_from(content.len()).context("an ISO 9660 file is shorter than 4 GiB")?;
        let room = u64::from(entry.size).div_ceil(SECTOR) * SECTOR;
        let mut padded = content.to_vec();
        let meant = self.meant(&entry.path);
        let fits = content.len() as u64 <= room
            && !self.is_shared(&entry.path, entry.extent, room / SECTOR);
        let extent = if fits {
            padded.resize(room as usize, 0);
            entry.extent
        } else {
            padded.resize(content.len().next_multiple_of(SECTOR as usize), 0);
            let first = self.file.metadata()?.len().div_ceil(SECTOR);
            u32::try_from(first).context("the image is too large")?
        };
        write_at(&self.file, &padded, u64::from(extent) * SECTOR)?;
        self.sectors = self
            .sectors
            .max(u64::from(extent) + padded.len() as u64 / SECTOR);
        for at in meant {
            let record = self.entries[at].record;
            self.put32(record + 2, extent)?;
            self.put32(record + 10, size)?;
            (self.entries[at].extent, self.entries[at].size) = (extent, size);
        }
        if extent != entry.extent {
            let sectors = u32::try_from(self.sectors).context("the image is too large")?;
            for descriptor in self.descriptors.clone() {
                self.put32(descriptor + 80, sectors)?;
            }
        }
        Ok(())
    }

    /// Writes a number the way ISO 9660 has it: little-endian, then big-endian.
    fn put32(&self, at: u64, value: u32) -> Result<()> {
        let mut both = value.to_le_bytes().to_vec();
        both.extend(value.to_be_bytes());
        Ok(write_at(&self.file, &both, at)?)
    }
}

/// Writes at a place of a file, on every system alike.
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| {
        u32::from_le_bytes([four[0], four[1], four[2], four[3]])
    })
}

fn decoded(name: &[u8], joliet: bool) -> String {
    let text = if joliet {
        let units: Vec<u16> = name
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(name).into_owned()
    };
    text.split(';')
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::small_disc::{self, record};
    use super::*;
    use std::io::Write;

    /// A directory record.
    fn sample(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&small_disc::bytes(content)).unwrap();
        file
    }

    fn replaced(content: &[u8]) -> Disc {
        let mut image = Disc::read(sample(b"the original")).unwrap();
        let entry = image.entries[0].clone();
        assert_eq!(entry.path, "system32/smss.exe");
        assert_eq!(image.content(&entry).unwrap(), b"the original");
        image.replace(&entry, content).unwrap();
        Disc::read(image.file).unwrap()
    }

    #[test]
    fn a_file_that_fits_stays_in_its_sectors() {
        let image = replaced(b"ours, a bit longer than before");
        assert_eq!(image.entries[0].extent, 20);
        assert_eq!(
            image.content(&image.entries[0]).unwrap(),
            b"ours, a bit longer than before"
        );
        assert_eq!(image.bytes(21 * SECTOR, 6).unwrap(), b"marker");
        assert_eq!(image.sectors, 22);
    }

    #[test]
    fn a_file_that_does_not_fit_is_appended() {
        let large = vec![7; 3000];
        let image = replaced(&large);
        assert_eq!(image.entries[0].extent, 22);
        assert_eq!(image.content(&image.entries[0]).unwrap(), large);
        assert_eq!(image.bytes(21 * SECTOR, 6).unwrap(), b"marker");
        assert_eq!(
            le32(&image.bytes(16 * SECTOR, 2048).unwrap(), 80),
            24,
            "the volume has grown by two sectors"
        );
    }

    /// The sample with one more record in `system32`.
    fn with(content: &[u8], name: &[u8], extent: u32, size: u32) -> Disc {
        let file = sample(content);
        let at = 19 * SECTOR + record(b"smss.exe;1", 0, 0, 0).len() as u64;
        write_at(&file, &record(name, extent, size, 0), at).unwrap();
        Disc::read(file).unwrap()
    }

    fn is(image: &Disc, path: &str, content: &[u8]) {
        let mut entries = image.entries.iter();
        let entry = entries.find(|entry| entry.path == path).unwrap();
        assert!(image.content(entry).unwrap() == content, "{path}");
    }

    #[test]
    fn an_empty_file_at_the_same_sector_stays_empty() {
        let mut image = with(b"the original", b"empty.txt;1", 20, 0);
        let smss = image.entries[0].clone();
        image.replace(&smss, b"ours").unwrap();
        let mut image = Disc::read(image.file).unwrap();
        is(&image, "system32/smss.exe", b"ours");
        is(&image, "system32/empty.txt", b"");
        assert_eq!(image.entries[0].extent, 20, "nobody shares its sector");
        // An empty file that is itself replaced gets a place of its own.
        let empty = image.entries[1].clone();
        image.replace(&empty, b"not any more").unwrap();
        let image = Disc::read(image.file).unwrap();
        is(&image, "system32/smss.exe", b"ours");
        is(&image, "system32/empty.txt", b"not any more");
    }

    #[test]
    fn a_file_that_shares_its_sectors_gets_others() {
        let mut image = with(b"the original", b"copy.exe;1", 20, 12);
        let smss = image.entries[0].clone();
        image.replace(&smss, b"ours").unwrap();
        let image = Disc::read(image.file).unwrap();
        is(&image, "system32/smss.exe", b"ours");
        is(&image, "system32/copy.exe", b"the original");
    }

    #[test]
    fn a_directory_that_contains_itself_is_refused() {
        let file = sample(b"x");
        write_at(&file, &record(b"again", 18, 2048, 2), 19 * SECTOR).unwrap();
        assert!(Disc::read(file).is_err());
    }

    #[test]
    fn an_image_that_is_cut_short_is_refused() {
        let file = sample(b"x");
        file.set_len(20 * SECTOR).unwrap();
        assert!(Disc::read(file).is_err());
        let empty = tempfile::tempfile().unwrap();
        assert!(Disc::read(empty).is_err());
    }
}
