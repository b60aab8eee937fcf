// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of the machine's disk: an MBR with one active FAT32 partition that holds a [`Tree`].
//!
//! The FAT code of the shim makes, fills and reads it, so that nothing need be installed; the tests
//! have the word of `mtools` and `fsck.fat` on it.

use super::system_root;
use super::tree::Tree;
use anyhow::{Context, Result, anyhow};
use executive::host::VolumeImage;
use formats::fat::{FatVolume, Kind};
use formats::partitions::partitions;
use formats::sectors::{Range, SECTOR, Sectors, Window};
use nt::Status;
use nt::system::FileAttributes;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The partition starts here, in sectors of 512 bytes.
const START: u32 = 2048;
/// The serial number of the volume.
const SERIAL: u32 = 0x534D_5353;

/// A disk of the default size, in MiB.
pub const DEFAULT_SIZE: u32 = 256;

/// Sectors of a disk image.
struct Image {
    file: File,
    range: Range,
}

impl Image {
    /// The whole image.
    fn open(file: &Path, written: bool) -> Result<Self> {
        let cannot = || format!("cannot open {}", file.display());
        let image = OpenOptions::new()
            .read(true)
            .write(written)
            .open(file)
            .with_context(cannot)?;
        let length = image.metadata().with_context(cannot)?.len();
        Ok(Self {
            file: image,
            range: Range {
                start: 0,
                count: length / SECTOR as u64,
            },
        })
    }

    fn seek(&mut self, sector: u64, bytes: usize) -> nt::Result<&mut File> {
        let end = sector.checked_add((bytes / SECTOR) as u64);
        if end.is_none_or(|end| end > self.range.count) {
            return Err(Status::INVALID_PARAMETER);
        }
        let at = (self.range.start + sector) * SECTOR as u64;
        self.file
            .seek(SeekFrom::Start(at))
            .map_err(|_| Status::IO_DEVICE_ERROR)?;
        Ok(&mut self.file)
    }
}

impl Sectors for Image {
    fn count(&self) -> u64 {
        self.range.count
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> nt::Result<()> {
        let file = self.seek(sector, buffer.len())?;
        file.read_exact(buffer).map_err(|_| Status::IO_DEVICE_ERROR)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> nt::Result<()> {
        let file = self.seek(sector, data.len())?;
        file.write_all(data).map_err(|_| Status::IO_DEVICE_ERROR)
    }

    /// An image that is being made need not outlive a power cut.
    fn flush(&mut self) -> nt::Result<()> {
        Ok(())
    }
}

/// Makes the disk image `file` of `size` MiB with the files of `tree`.
pub fn make(file: &Path, size: u32, tree: &Tree) -> Result<()> {
    let sectors = size * 2048 - START;
    let cannot = || format!("cannot make the disk image {}", file.display());
    let mut image = File::create(file).with_context(cannot)?;
    image.set_len(u64::from(size) << 20).with_context(cannot)?;
    let mut mbr = [0u8; SECTOR];
    // Active, FAT32 with LBA; the CHS fields say "see LBA".
    mbr[446..462].copy_from_slice(&[
        0x80, 0xFE, 0xFF, 0xFF, 0x0C, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    mbr[454..458].copy_from_slice(&START.to_le_bytes());
    mbr[458..462].copy_from_slice(&sectors.to_le_bytes());
    mbr[440..444].copy_from_slice(b"SMSS");
    mbr[510..].copy_from_slice(&[0x55, 0xAA]);
    image.write_all(&mbr).with_context(cannot)?;
    drop(image);
    let mut volume = Image::open(file, true)?;
    volume.range = Range {
        start: START.into(),
        count: sectors.into(),
    };
    let label = b"SYSTEM     ";
    formats::fat::format(&mut volume, Kind::Fat32, label, SERIAL, START)
        .map_err(|status| anyhow!("{}: {status}", cannot()))?;
    fill(file, tree)
}

/// Puts the files of `tree` on the FAT volume of a disk image; one that is there is replaced.
pub fn fill(file: &Path, tree: &Tree) -> Result<()> {
    let mut volume = mount(file, true)?;
    for (path, content) in &tree.files {
        let place = path.replace('/', "\\");
        let done = match content {
            Some(bytes) => volume.write(&place, bytes),
            None => volume.make_directory(&place).map(drop),
        };
        done.map_err(|status| anyhow!("cannot write {path} to {}: {status}", file.display()))?;
    }
    finish(volume, file)
}

/// Replaces the content of a file on the volume of a disk image.
pub fn write(file: &Path, path: &str, content: &[u8]) -> Result<()> {
    let mut volume = mount(file, true)?;
    volume
        .write(&path.replace('/', "\\"), content)
        .map_err(|status| anyhow!("cannot write {path} to {}: {status}", file.display()))?;
    finish(volume, file)
}

/// The content of a file on the volume of a disk image; none if there is no such file.
pub fn read(file: &Path, path: &str) -> Result<Option<Vec<u8>>> {
    match mount(file, false)?.read(&path.replace('/', "\\")) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(
            Status::OBJECT_NAME_NOT_FOUND
            | Status::OBJECT_PATH_NOT_FOUND
            | Status::NOT_A_DIRECTORY
            | Status::FILE_IS_A_DIRECTORY,
        ) => Ok(None),
        Err(status) => Err(anyhow!(
            "cannot read {path} of {}: {status}",
            file.display()
        )),
    }
}

/// The volume of a disk image, to be looked at.
pub struct Shown<'f>(pub &'f Path);

impl system_root::Volume for Shown<'_> {
    fn folders(&self) -> Result<Vec<String>> {
        let mut volume = mount(self.0, false)?;
        let cannot = |status| anyhow!("cannot list {}: {status}", self.0.display());
        let names = volume.list("\\").map_err(cannot)?;
        let folder = |name: &String| {
            let facts = volume.facts(name);
            facts.is_ok_and(|(attributes, _)| attributes & FileAttributes::DIRECTORY != 0)
        };
        Ok(names.into_iter().filter(folder).collect())
    }

    fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        read(self.0, path)
    }

    fn has_folder(&self, path: &str) -> Result<bool> {
        let facts = mount(self.0, false)?.facts(&path.replace('/', "\\"));
        Ok(facts.is_ok_and(|(attributes, _)| attributes & FileAttributes::DIRECTORY != 0))
    }
}

/// Where the first FAT volume of a disk image is, in sectors of 512 bytes.
///
/// # Errors
/// It has none.
pub fn range(file: &Path) -> Result<Range> {
    let mut image = Image::open(file, false)?;
    // An image too short for a partition table holds no volume either.
    let ranges = partitions(&mut image).unwrap_or_default();
    ranges
        .into_iter()
        .find(|range| FatVolume::mount(&mut Window::new(&mut image, *range)).is_ok())
        .with_context(|| format!("{} holds no FAT volume that can be read", file.display()))
}

fn mount(file: &Path, written: bool) -> Result<VolumeImage<Image>> {
    let mut image = Image::open(file, written)?;
    image.range = range(file)?;
    let mounted = match written {
        // What is written to is mended first, as a boot does it.
        true => VolumeImage::mount_mended(image),
        false => VolumeImage::mount(image),
    };
    mounted.map_err(|status| anyhow!("cannot read the volume of {}: {status}", file.display()))
}

fn finish(mut volume: VolumeImage<Image>, file: &Path) -> Result<()> {
    volume
        .finish()
        .map_err(|status| anyhow!("cannot write to {}: {status}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn tree(files: &[(&str, Option<&[u8]>)]) -> Tree {
        let files = files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), content.map(<[u8]>::to_vec)));
        Tree::of(files.collect())
    }

    /// Runs a tool on the volume of an image; none, and a line, where it is not installed.
    fn opinion(tool: &str, arguments: &[&str]) -> Option<String> {
        let done = Command::new(tool)
            .args(arguments)
            .env("MTOOLS_SKIP_CHECK", "1")
            .output();
        let Ok(done) = done else {
            println!("skipped: there is no {tool} here");
            return None;
        };
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{tool}: {text}");
        Some(text)
    }

    #[test]
    fn a_disk_that_was_made_and_filled_again_is_sound_and_others_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk.img");
        let long = vec![7; 100_000];
        let files = [
            ("A folder/Inner/a long name.txt", Some(&long[..])),
            ("ReactOS/TEMP", None),
        ];
        make(&image, 64, &tree(&files)).unwrap();
        fill(
            &image,
            &tree(&[("a FOLDER/inner/A long name.txt", Some(b"x"))]),
        )
        .unwrap();
        write(&image, "a folder/other", b"y").unwrap();
        let content = read(&image, "A FOLDER/INNER/A LONG NAME.TXT").unwrap();
        assert_eq!(content, Some(b"x".to_vec()));
        for none in [
            "a folder",
            "a folder/none",
            "other/none",
            "a folder/other/none",
        ] {
            assert_eq!(read(&image, none).unwrap(), None, "{none}");
        }
        let at = range(&image).unwrap().start * SECTOR as u64;
        let volume = format!("{}@@{at}", image.display());
        if let Some(text) = opinion(
            "mtype",
            &["-i", &volume, "::A folder/Inner/A long name.txt"],
        ) {
            assert_eq!(text, "x");
        }
        let alone = folder.path().join("volume");
        let bytes = std::fs::read(&image).unwrap();
        std::fs::write(&alone, &bytes[at as usize..]).unwrap();
        opinion("fsck.fat", &["-n", alone.to_str().unwrap()]);
    }

    /// The mark of a volume that nobody ended says that it is to be checked: it is not ours to take.
    #[test]
    fn a_volume_that_was_not_ended_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk.img");
        make(&image, 64, &Tree::default()).unwrap();
        // The second entry of the table, at the end of the reserved sectors.
        let table = range(&image).unwrap().start + 32;
        let mut device = Image::open(&image, true).unwrap();
        let mut sector = [0; SECTOR];
        device.read(table, &mut sector).unwrap();
        assert_eq!(sector[7] & 0x08, 0x08, "it was ended");
        sector[7] &= !0x08;
        device.write(table, &sector).unwrap();
        write(&image, "new", b"x").unwrap();
        device.read(table, &mut sector).unwrap();
        assert_eq!(sector[7] & 0x08, 0);
    }

    #[test]
    fn a_disk_that_others_made_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk.img");
        let theirs = folder.path().join("theirs.txt");
        std::fs::write(&theirs, "theirs").unwrap();
        File::create(&image).unwrap().set_len(32 << 20).unwrap();
        let [image_name, theirs] = [&image, &theirs].map(|path| path.to_str().unwrap());
        let made = opinion("mformat", &["-i", image_name, "-v", "OTHERS", "::"]);
        if made.is_none() {
            return;
        }
        opinion("mmd", &["-i", image_name, "::A folder of theirs"]);
        opinion(
            "mcopy",
            &["-i", image_name, theirs, "::A folder of theirs/file.txt"],
        );
        let content = read(&image, "A folder of theirs/FILE.TXT").unwrap();
        assert_eq!(content, Some(b"theirs".to_vec()));
    }

    #[test]
    fn a_disk_without_a_volume_is_told_before_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk.img");
        std::fs::write(&image, vec![0; 1 << 20]).unwrap();
        let error = range(&image).unwrap_err().to_string();
        assert!(error.contains("no FAT volume"), "{error}");
        assert!(read(&image, "a").is_err());
    }
}
