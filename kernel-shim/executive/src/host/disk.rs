// SPDX-License-Identifier: GPL-2.0-or-later
//! A world's volumes, while nobody runs: files put on them before a boot, and looked at after it.

use super::machine::{DiskEvent, MemoryMachine};
use crate::machine::Machine;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use formats::fat::{FatVolume, Kind, NodeId, format};
use formats::sectors::{MemoryDevice, Overlay, SECTOR, Sectors};
use formats::utf16;
use nt::system::FileAttributes;
use nt::{Result, Status, UnicodeStr};

/// A FAT volume in memory.
#[derive(Clone)]
pub struct VolumeImage<D = MemoryDevice> {
    device: D,
    volume: FatVolume,
    /// Whether it was ended when it was mounted.
    ended: bool,
}

/// A disk of a machine in memory, as it is at each moment.
pub struct LiveDisk {
    machine: MemoryMachine,
    number: usize,
}

impl LiveDisk {
    /// The machine's disk with this number, of 512-byte sectors.
    pub const fn new(machine: MemoryMachine, number: usize) -> Self {
        Self { machine, number }
    }
}

impl Sectors for LiveDisk {
    fn count(&self) -> u64 {
        self.machine.disk(self.number).map_or(0, |disk| {
            disk.sectors * u64::from(disk.sector_bytes) / SECTOR as u64
        })
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()> {
        self.machine.read_disk(self.number, sector, buffer)
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()> {
        self.machine.write_disk(self.number, sector, data)
    }

    fn flush(&mut self) -> Result<()> {
        self.machine.flush_disk(self.number)
    }
}

/// A medium of 512-byte sectors that began as `start`, after the power went at the end of `journal`:
/// all is there that came before the last flush, and of the later writes those that `keep` says have
/// reached it.
pub fn after_power_cut<'m>(
    start: &'m [u8],
    journal: &[DiskEvent],
    mut keep: impl FnMut() -> bool,
) -> Overlay<'m> {
    let last_flush = journal.iter().rposition(|event| *event == DiskEvent::Flush);
    let safe = last_flush.unwrap_or(0);
    let mut left = Overlay::of(start);
    for (at, event) in journal.iter().enumerate() {
        if let DiskEvent::Write(sector, data) = event
            && (at < safe || keep())
        {
            left.written.insert(*sector, data.clone());
        }
    }
    left
}

impl VolumeImage {
    /// An empty FAT16 volume of `mebibytes` MiB (8 to 2047).
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for any other size.
    pub fn new(mebibytes: usize) -> Result<Self> {
        let mut device = MemoryDevice {
            bytes: vec![0; mebibytes << 20],
        };
        format(&mut device, Kind::Fat16, b"REACTOS    ", 0x1234_5678, 0)?;
        Self::open(device.bytes)
    }

    /// The volume in these bytes, mended if it was not ended.
    ///
    /// # Errors
    /// `UNRECOGNIZED_VOLUME`.
    pub fn open(bytes: Vec<u8>) -> Result<Self> {
        Self::mount_mended(MemoryDevice { bytes })
    }

    /// The volume's bytes.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn into_bytes(mut self) -> Result<Vec<u8>> {
        self.volume.settle(&mut self.device)?;
        Ok(self.device.bytes)
    }
}

impl<D: Sectors> VolumeImage<D> {
    /// The volume on a device.
    ///
    /// # Errors
    /// `UNRECOGNIZED_VOLUME`.
    pub fn mount(mut device: D) -> Result<Self> {
        let volume = FatVolume::mount(&mut device)?;
        Ok(Self {
            ended: !volume.is_in_use(),
            device,
            volume,
        })
    }

    /// The volume on a device that nobody has ended, mended as the next boot mends it.
    ///
    /// # Errors
    /// `UNRECOGNIZED_VOLUME`.
    pub fn mount_mended(mut device: D) -> Result<Self> {
        let volume = FatVolume::mount_mended(&mut device)?;
        Ok(Self {
            ended: !volume.is_in_use(),
            device,
            volume,
        })
    }

    /// Writes everything out, and says on the volume that nothing is under way, unless it had not
    /// been ended before: then it still wants its check.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn finish(&mut self) -> Result<()> {
        match self.ended {
            true => self.volume.settle(&mut self.device),
            false => self.volume.flush(&mut self.device),
        }
    }

    /// Pairs of paths that own one cluster: none on a sound volume.
    ///
    /// # Errors
    /// Errors of the device; `FILE_CORRUPT_ERROR`.
    pub fn crossed_files(&mut self) -> Result<Vec<(String, String)>> {
        let crossed = self.volume.crossed_files(&mut self.device)?;
        let text = |path: Vec<u16>| String::from_utf16_lossy(&path);
        Ok(crossed
            .into_iter()
            .map(|(one, other)| (text(one), text(other)))
            .collect())
    }

    fn find(&mut self, path: &str) -> Result<NodeId> {
        let names = path.split('\\').filter(|name| !name.is_empty());
        names.map(utf16).try_fold(self.volume.root(), |at, name| {
            self.volume.lookup(&mut self.device, at, &name)
        })
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// `DISK_FULL`, `OBJECT_NAME_INVALID`.
    pub fn make_directory(&mut self, path: &str) -> Result<NodeId> {
        let mut at = self.volume.root();
        for name in path.split('\\').filter(|name| !name.is_empty()).map(utf16) {
            at = match self.volume.lookup(&mut self.device, at, &name) {
                Ok(found) => found,
                Err(Status::OBJECT_NAME_NOT_FOUND) => self.volume.create(
                    &mut self.device,
                    at,
                    UnicodeStr(&name),
                    FileAttributes::DIRECTORY,
                )?,
                Err(status) => return Err(status),
            };
        }
        Ok(at)
    }

    /// Writes a file, making its directories; one that is there is replaced.
    ///
    /// # Errors
    /// `DISK_FULL`, `OBJECT_NAME_INVALID`.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let (directory, name) = path.rsplit_once('\\').unwrap_or(("", path));
        if let Ok(old) = self.find(path) {
            self.volume.delete(&mut self.device, old)?;
        }
        let directory = self.make_directory(directory)?;
        let file = self.volume.create(
            &mut self.device,
            directory,
            UnicodeStr(&utf16(name)),
            FileAttributes::ARCHIVE,
        )?;
        self.volume.write(&mut self.device, file, 0, bytes)
    }

    /// Gives a file attributes.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`.
    pub fn set_attributes(&mut self, path: &str, attributes: u32) -> Result<()> {
        let file = self.find(path)?;
        self.volume
            .set_basic(&mut self.device, file, Some(attributes), [None; 3])
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `FILE_IS_A_DIRECTORY`.
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>> {
        let file = self.find(path)?;
        let size = self.volume.node(file).map_or(0, |node| node.size) as usize;
        let mut bytes = vec![0; size];
        let read = self.volume.read(&mut self.device, file, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Attributes and size of a file or directory.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`.
    pub fn facts(&mut self, path: &str) -> Result<(u32, u64)> {
        let file = self.find(path)?;
        let node = self
            .volume
            .node(file)
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        Ok((node.attributes, node.size))
    }

    /// Names in a directory, in the order in which they stand there.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>> {
        let directory = self.find(path)?;
        let children = self.volume.children(&mut self.device, directory)?;
        Ok(children
            .into_iter()
            .filter_map(|child| Some(String::from_utf16_lossy(&self.volume.node(child)?.name)))
            .collect())
    }

    /// Paths of every file, each from a backslash on, in the order of the directories.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn files(&mut self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let mut directories = vec![(self.volume.root(), String::new())];
        while let Some((directory, path)) = directories.pop() {
            for child in self.volume.children(&mut self.device, directory)? {
                let Some(node) = self.volume.node(child) else {
                    continue;
                };
                let name = alloc::format!("{path}\\{}", String::from_utf16_lossy(&node.name));
                match node.attributes & FileAttributes::DIRECTORY {
                    0 => files.push(name),
                    _ => directories.push((child, name)),
                }
            }
        }
        Ok(files)
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `DIRECTORY_NOT_EMPTY`.
    pub fn remove(&mut self, path: &str) -> Result<()> {
        let file = self.find(path)?;
        self.volume.delete(&mut self.device, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_after_reopening() {
        let mut volume = VolumeImage::new(64).unwrap();
        volume
            .write("\\ReactOS\\System32\\a file.txt", b"hello")
            .unwrap();
        volume
            .write("ReactOS\\System32\\a file.txt", b"again")
            .unwrap();
        let mut volume = VolumeImage::open(volume.into_bytes().unwrap()).unwrap();
        assert_eq!(
            volume.read("\\reactos\\system32\\A FILE.TXT").unwrap(),
            b"again"
        );
        assert_eq!(volume.list("\\ReactOS\\System32").unwrap(), ["a file.txt"]);
        assert_eq!(volume.files().unwrap(), ["\\ReactOS\\System32\\a file.txt"]);
        assert_eq!(
            volume.facts("\\ReactOS").unwrap().0 & FileAttributes::DIRECTORY,
            FileAttributes::DIRECTORY
        );
        assert_eq!(volume.read("\\nothing"), Err(Status::OBJECT_NAME_NOT_FOUND));
    }
}
