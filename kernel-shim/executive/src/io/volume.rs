// SPDX-License-Identifier: GPL-2.0-or-later
//! Volumes: one face for the file systems, over the machine's disks.
//!
//! Invariants: a [`FileId`](crate::io::FileId) names the same file as long as it exists; what is asked of a CD to
//! write is refused with `MEDIA_WRITE_PROTECTED`.

use super::sharing::Control;
use crate::machine::{Disk, DiskKind, Machine};
use alloc::vec;
use alloc::vec::Vec;
use formats::code_page::CodePage;
use formats::fat::{FatVolume, Fill, NodeId, Times};
use formats::iso9660::{self, IsoVolume};
use formats::partitions::partitions;
use formats::sectors::{Range, SECTOR, Sectors, Window};
use nt::system::FileAttributes;
use nt::{Result, Status, UnicodeStr};

/// A disk of the machine as a device of 512-byte sectors.
pub struct DiskSectors<'m> {
    machine: &'m mut dyn Machine,
    number: usize,
    disk: Disk,
}

impl<'m> DiskSectors<'m> {
    /// The disk with this number. `NO_SUCH_DEVICE`.
    pub fn new(machine: &'m mut dyn Machine, number: usize) -> Result<Self> {
        let disk = machine.disk(number).ok_or(Status::NO_SUCH_DEVICE)?;
        if !matches!(disk.sector_bytes, 512 | 1024 | 2048 | 4096) {
            return Err(Status::UNRECOGNIZED_VOLUME);
        }
        Ok(Self {
            machine,
            number,
            disk,
        })
    }
}

impl Sectors for DiskSectors<'_> {
    fn count(&self) -> u64 {
        self.disk.sectors * u64::from(self.disk.sector_bytes) / SECTOR as u64
    }

    fn read(&mut self, sector: u64, buffer: &mut [u8]) -> Result<()> {
        let size = self.disk.sector_bytes as usize;
        let per = (size / SECTOR) as u64;
        if sector.is_multiple_of(per) && buffer.len().is_multiple_of(size) {
            return self.machine.read_disk(self.number, sector / per, buffer);
        }
        // Part of the disk's own, larger sectors is wanted.
        let first = sector / per;
        let end = (sector + (buffer.len() / SECTOR) as u64).div_ceil(per);
        let mut whole = vec![0; (end - first) as usize * size];
        self.machine.read_disk(self.number, first, &mut whole)?;
        let skip = (sector % per) as usize * SECTOR;
        let wanted = whole
            .get(skip..skip + buffer.len())
            .ok_or(Status::INVALID_PARAMETER)?;
        buffer.copy_from_slice(wanted);
        Ok(())
    }

    fn write(&mut self, sector: u64, data: &[u8]) -> Result<()> {
        if self.disk.sector_bytes as usize != SECTOR {
            return Err(Status::MEDIA_WRITE_PROTECTED);
        }
        self.machine.write_disk(self.number, sector, data)
    }

    fn flush(&mut self) -> Result<()> {
        self.machine.flush_disk(self.number)
    }
}

/// A file system.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there are a handful of volumes")]
pub enum FileSystem {
    /// FAT12, FAT16 or FAT32.
    Fat(FatVolume),
    /// ISO 9660.
    Iso(IsoVolume),
}

/// A mounted volume.
#[derive(Debug)]
pub struct Volume {
    /// The machine's number of the disk it is on.
    pub disk: usize,
    /// Where on the disk.
    pub range: Range,
    /// What kind of disk that is.
    pub kind: DiskKind,
    /// Writes are refused.
    pub read_only: bool,
    /// The file system.
    pub system: FileSystem,
    /// The name of the device: `\Device\HarddiskVolume1`.
    pub name: Vec<u16>,
    /// It asked for a check when it was mounted, or somebody has asked since.
    pub check: bool,
    /// Who has the volume itself open.
    pub opens: Control,
    /// `FSCTL_LOCK_VOLUME`: nothing on it can be opened.
    pub locked: bool,
    /// Its sectors were written past the file system, which does not know of it yet.
    pub overwritten: bool,
}

/// What there is to know of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Name in its directory; empty for a root.
    pub name: Vec<u16>,
    /// 8.3 name, if it is another one.
    pub short_name: Vec<u16>,
    /// `FILE_ATTRIBUTE_` bits; `NORMAL` if there is no other.
    pub attributes: u32,
    /// Bytes in the file.
    pub size: u64,
    /// Bytes it occupies on the volume.
    pub allocation: u64,
    /// Whether it is a directory.
    pub directory: bool,
    /// 100 ns since 1601.
    pub creation: u64,
    /// 100 ns since 1601.
    pub access: u64,
    /// 100 ns since 1601.
    pub write: u64,
    /// A number that is the file's alone.
    pub index: u64,
}

/// FileFsSizeInformation and what else is known of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFacts {
    /// All allocation units.
    pub total_units: u64,
    /// Free allocation units.
    pub free_units: u64,
    /// Sectors in a unit.
    pub sectors_per_unit: u32,
    /// Bytes in a sector.
    pub bytes_per_sector: u32,
    /// Serial number.
    pub serial: u32,
    /// Label.
    pub label: Vec<u16>,
    /// `FILE_DEVICE_DISK` 7 or `FILE_DEVICE_CD_ROM` 2.
    pub device_type: u32,
    /// `FILE_REMOVABLE_MEDIA` 1, `FILE_READ_ONLY_DEVICE` 2, `FILE_FLOPPY_DISKETTE` 4,
    /// `FILE_REMOTE_DEVICE` 0x10.
    pub characteristics: u32,
    /// `FILE_CASE_PRESERVED_NAMES` 2, `FILE_UNICODE_ON_DISK` 4, `FILE_READ_ONLY_VOLUME` 0x80000.
    pub flags: u32,
    /// `FAT`, `FAT32` or `CDFS`.
    pub system_name: &'static str,
}

/// A file system's work on a volume's sectors.
pub(super) type Work<'w, T> = &'w mut dyn FnMut(&mut FileSystem, &mut dyn Sectors) -> Result<T>;

impl Volume {
    /// Mounts every volume of a disk.
    pub fn mount_all(machine: &mut dyn Machine, number: usize) -> Result<Vec<Self>> {
        let disk = machine.disk(number).ok_or(Status::NO_SUCH_DEVICE)?;
        let mut device = DiskSectors::new(machine, number)?;
        let whole = Range {
            start: 0,
            count: device.count(),
        };
        let ranges = if disk.kind == DiskKind::CdRom {
            vec![whole]
        } else {
            partitions(&mut device)?
        };
        let mut volumes = Vec::new();
        for range in ranges {
            let mut window = Window::new(&mut device, range);
            let mounted = if disk.read_only {
                FatVolume::mount(&mut window)
            } else {
                FatVolume::mount_mended(&mut window)
            };
            let system = match mounted {
                Ok(volume) => Ok(FileSystem::Fat(volume)),
                Err(_) => IsoVolume::mount(&mut window).map(FileSystem::Iso),
            };
            match system {
                Ok(system) => {
                    let check = match &system {
                        FileSystem::Fat(volume) => volume.wants_check(&mut window)?,
                        FileSystem::Iso(_) => false,
                    };
                    let read_only = disk.read_only || matches!(system, FileSystem::Iso(_));
                    volumes.push(Self {
                        disk: number,
                        range,
                        kind: disk.kind,
                        read_only,
                        system,
                        name: Vec::new(),
                        check,
                        opens: Control::default(),
                        locked: false,
                        overwritten: false,
                    });
                }
                Err(status) => log::warn!(
                    "disk {number}, sector {}: no file system that can be mounted: {status}",
                    range.start
                ),
            }
        }
        Ok(volumes)
    }

    pub(super) fn with<T>(&mut self, machine: &mut dyn Machine, work: Work<'_, T>) -> Result<T> {
        let now = machine.start_time() + machine.uptime();
        let mut disk = DiskSectors::new(machine, self.disk)?;
        let mut window = Window::new(&mut disk, self.range);
        if let FileSystem::Fat(volume) = &mut self.system {
            volume.now = now;
        }
        work(&mut self.system, &mut window)
    }

    fn writing<T>(
        &mut self,
        machine: &mut dyn Machine,
        work: &mut dyn FnMut(&mut FatVolume, &mut dyn Sectors) -> Result<T>,
    ) -> Result<T> {
        if self.read_only {
            return Err(Status::MEDIA_WRITE_PROTECTED);
        }
        self.with(machine, &mut |system, sectors| match system {
            FileSystem::Fat(volume) => work(volume, sectors),
            FileSystem::Iso(_) => Err(Status::MEDIA_WRITE_PROTECTED),
        })
    }

    /// The root directory.
    pub const fn root(&self) -> NodeId {
        match &self.system {
            FileSystem::Fat(volume) => volume.root(),
            FileSystem::Iso(volume) => volume.root(),
        }
    }

    /// The entry of this name in a directory. `OBJECT_NAME_NOT_FOUND`, `NOT_A_DIRECTORY`.
    pub fn lookup(
        &mut self,
        machine: &mut dyn Machine,
        directory: NodeId,
        name: &[u16],
    ) -> Result<NodeId> {
        self.with(machine, &mut |system, sectors| match system {
            FileSystem::Fat(volume) => volume.lookup(sectors, directory, name),
            FileSystem::Iso(volume) => volume.lookup(sectors, directory, name),
        })
    }

    /// The entries of a directory.
    pub fn children(
        &mut self,
        machine: &mut dyn Machine,
        directory: NodeId,
    ) -> Result<Vec<NodeId>> {
        self.with(machine, &mut |system, sectors| match system {
            FileSystem::Fat(volume) => volume.children(sectors, directory),
            FileSystem::Iso(volume) => volume.children(sectors, directory),
        })
    }

    /// The first entry at or behind a place in a directory, and the place behind it.
    pub fn next_child(
        &mut self,
        machine: &mut dyn Machine,
        directory: NodeId,
        from: usize,
    ) -> Result<Option<(NodeId, usize)>> {
        self.with(machine, &mut |system, sectors| match system {
            FileSystem::Fat(volume) => volume.next_child(sectors, directory, from),
            FileSystem::Iso(volume) => volume.next_child(sectors, directory, from),
        })
    }

    /// Whether it is a directory; false for a file that has gone.
    pub fn is_directory(&self, node: NodeId) -> bool {
        match &self.system {
            FileSystem::Fat(volume) => volume
                .node(node)
                .is_some_and(formats::fat::Node::is_directory),
            FileSystem::Iso(volume) => volume.node(node).is_some_and(|node| node.directory),
        }
    }

    /// The directory that holds it; none for the root.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        match &self.system {
            FileSystem::Fat(volume) => volume.node(node)?.parent,
            FileSystem::Iso(volume) => volume.node(node)?.parent,
        }
    }

    /// The path from the root, with backslashes.
    pub fn path(&self, node: NodeId) -> Vec<u16> {
        match &self.system {
            FileSystem::Fat(volume) => volume.path(node),
            FileSystem::Iso(volume) => volume.path(node),
        }
    }

    /// What there is to know. `FILE_DELETED`.
    pub fn facts(&mut self, node: NodeId) -> Result<FileFacts> {
        let index = u64::from(node.0) + 1;
        match &mut self.system {
            FileSystem::Fat(volume) => {
                let allocation = volume.allocation(node).unwrap_or(0);
                let found = volume.node(node).ok_or(Status::FILE_DELETED)?;
                let Times {
                    creation,
                    access,
                    write,
                } = found.times;
                let same = found.short_name == found.name;
                Ok(FileFacts {
                    name: found.name.clone(),
                    short_name: if same {
                        Vec::new()
                    } else {
                        found.short_name.clone()
                    },
                    attributes: if found.attributes == 0 {
                        FileAttributes::NORMAL
                    } else {
                        found.attributes
                    },
                    size: found.size,
                    allocation: if found.is_directory() { 0 } else { allocation },
                    directory: found.is_directory(),
                    creation,
                    access,
                    write,
                    index,
                })
            }
            FileSystem::Iso(volume) => {
                let found = volume.node(node).ok_or(Status::FILE_DELETED)?;
                let kind = if found.directory {
                    FileAttributes::DIRECTORY
                } else {
                    0
                };
                let hidden = if found.hidden {
                    FileAttributes::HIDDEN
                } else {
                    0
                };
                let size = if found.directory { 0 } else { found.size };
                Ok(FileFacts {
                    name: found.name.clone(),
                    short_name: Vec::new(),
                    attributes: FileAttributes::READONLY | kind | hidden,
                    size,
                    allocation: size.next_multiple_of(iso9660::BLOCK as u64),
                    directory: found.directory,
                    creation: found.time,
                    access: found.time,
                    write: found.time,
                    index,
                })
            }
        }
    }

    /// What there is to know of the volume.
    pub fn volume_facts(&self) -> VolumeFacts {
        let (device_type, removable) = match self.kind {
            DiskKind::Fixed => (7, 0),
            DiskKind::Removable => (7, 1),
            DiskKind::CdRom => (2, 1),
        };
        let characteristics = removable | if self.read_only { 2 } else { 0 };
        let read_only = if self.read_only { 0x8_0000 } else { 0 };
        match &self.system {
            FileSystem::Fat(volume) => {
                let (cluster, total, free) = volume.space();
                VolumeFacts {
                    total_units: u64::from(total),
                    free_units: u64::from(free),
                    sectors_per_unit: (cluster / SECTOR as u64) as u32,
                    bytes_per_sector: SECTOR as u32,
                    serial: volume.serial(),
                    label: volume.label().to_vec(),
                    device_type,
                    characteristics,
                    flags: 2 | 4 | read_only,
                    system_name: if volume.is_fat32() { "FAT32" } else { "FAT" },
                }
            }
            FileSystem::Iso(volume) => VolumeFacts {
                total_units: u64::from(volume.blocks()),
                free_units: 0,
                sectors_per_unit: 1,
                bytes_per_sector: iso9660::BLOCK as u32,
                serial: 0,
                label: volume.label().to_vec(),
                device_type,
                characteristics,
                flags: 4 | read_only,
                system_name: "CDFS",
            },
        }
    }

    /// Reads at most `buffer.len()` bytes: how many, 0 at and past the end.
    pub fn read(
        &mut self,
        machine: &mut dyn Machine,
        node: NodeId,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize> {
        self.with(machine, &mut |system, sectors| match system {
            FileSystem::Fat(volume) => volume.read(sectors, node, offset, buffer),
            FileSystem::Iso(volume) => volume.read(sectors, node, offset, buffer),
        })
    }

    /// Reads a whole file.
    pub fn read_all(&mut self, machine: &mut dyn Machine, node: NodeId) -> Result<Vec<u8>> {
        let size = usize::try_from(self.facts(node)?.size).map_err(|_| Status::NO_MEMORY)?;
        let mut bytes = vec![0; size];
        let read = self.read(machine, node, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Writes.
    pub fn write(
        &mut self,
        machine: &mut dyn Machine,
        node: NodeId,
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        self.writing(machine, &mut |volume, sectors| {
            volume.write(sectors, node, offset, data)
        })
    }

    /// Makes a file or directory.
    pub fn create(
        &mut self,
        machine: &mut dyn Machine,
        parent: NodeId,
        name: &[u16],
        attributes: u32,
    ) -> Result<NodeId> {
        self.writing(machine, &mut |volume, sectors| {
            volume.create(sectors, parent, UnicodeStr(name), attributes)
        })
    }

    /// Deletes a file or an empty directory.
    pub fn delete(&mut self, machine: &mut dyn Machine, node: NodeId) -> Result<()> {
        self.writing(machine, &mut |volume, sectors| volume.delete(sectors, node))
    }

    /// Gives a file another name or directory.
    pub fn rename(
        &mut self,
        machine: &mut dyn Machine,
        node: NodeId,
        parent: NodeId,
        name: &[u16],
        replace: bool,
    ) -> Result<()> {
        self.writing(machine, &mut |volume, sectors| {
            volume.rename(sectors, node, parent, UnicodeStr(name), replace)
        })
    }

    /// Changes the size.
    pub fn set_size(
        &mut self,
        machine: &mut dyn Machine,
        node: NodeId,
        size: u64,
        fill: Fill,
    ) -> Result<()> {
        self.writing(machine, &mut |volume, sectors| {
            volume.set_size(sectors, node, size, fill)
        })
    }

    /// Changes attributes and times.
    pub fn set_basic(
        &mut self,
        machine: &mut dyn Machine,
        node: NodeId,
        attributes: Option<u32>,
        times: [Option<u64>; 3],
    ) -> Result<()> {
        self.writing(machine, &mut |volume, sectors| {
            volume.set_basic(sectors, node, attributes, times)
        })
    }

    /// Gives short names of FAT another code page.
    pub fn set_code_page(&mut self, page: &'static CodePage) {
        if let FileSystem::Fat(volume) = &mut self.system {
            volume.set_code_page(page);
        }
    }

    /// Writes what is kept back, and says on the volume that it was ended. Nothing to do for a volume
    /// that is only read.
    pub fn settle(&mut self, machine: &mut dyn Machine) -> Result<()> {
        if self.read_only {
            return Ok(());
        }
        self.writing(machine, &mut |volume, sectors| volume.settle(sectors))
    }

    /// Marks the volume for a check at the next boot (`FSCTL_MARK_VOLUME_DIRTY`).
    pub fn mark_for_check(&mut self, machine: &mut dyn Machine) -> Result<()> {
        self.writing(machine, &mut |volume, sectors| {
            volume.mark_for_check(sectors)
        })?;
        self.check = true;
        Ok(())
    }

    /// Writes sectors past the file system, which learns of it with [`Self::reread`].
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for anything but whole sectors of the volume, `MEDIA_WRITE_PROTECTED`, what
    /// the disk says.
    pub fn write_sectors(
        &mut self,
        machine: &mut dyn Machine,
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        let sector = SECTOR as u64;
        let end = offset.checked_add(data.len() as u64);
        if !offset.is_multiple_of(sector)
            || !data.len().is_multiple_of(SECTOR)
            || end.is_none_or(|end| end > self.range.count * sector)
        {
            return Err(Status::INVALID_PARAMETER);
        }
        self.writing(machine, &mut |_, sectors| {
            sectors.write(offset / sector, data)
        })?;
        self.overwritten = true;
        Ok(())
    }

    /// The file system learns what was written past it, if anything was.
    pub fn reread(&mut self, machine: &mut dyn Machine) -> Result<()> {
        if !core::mem::take(&mut self.overwritten) {
            return Ok(());
        }
        self.writing(machine, &mut |volume, sectors| volume.reread(sectors))
    }

    /// Writes what is kept back. Nothing to do for a volume that is only read.
    pub fn flush(&mut self, machine: &mut dyn Machine) -> Result<()> {
        if self.read_only {
            return Ok(());
        }
        self.writing(machine, &mut |volume, sectors| volume.flush(sectors))
    }
}
