// SPDX-License-Identifier: GPL-2.0-or-later
//! What the I/O manager keeps: volumes, open files, what the cache holds, paging files.
//!
//! Invariants: a [`Control`] stands for every file that is open; a file whose deletion is pending
//! is deleted when the last of its handles and its data section goes; the number of a volume never
//! changes.

use super::file::{File, FileId};
use super::sharing::Control;
use super::volume::Volume;
use crate::ids::ObjectId;
use crate::machine::{DiskKind, Machine};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use formats::code_page::CodePage;
use nt::access::Access;
use nt::{Result, Status};

/// How many disks are looked for.
const MAX_DISKS: usize = 64;

/// A paging file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFile {
    /// The file object, which stays open.
    pub object: ObjectId,
    /// The file.
    pub file: FileId,
    /// Its name, as it was given.
    pub name: Vec<u16>,
    /// Bytes.
    pub minimum: u64,
    /// Bytes.
    pub maximum: u64,
}

/// What the I/O manager keeps.
#[derive(Debug, Default)]
pub struct Io {
    volumes: Vec<Volume>,
    controls: BTreeMap<FileId, Control>,
    system_root: Option<FileId>,
    system_path: Vec<u16>,
    /// Files whose content the cache holds: read or written through it. They stay known to the file
    /// system, whether or not somebody has them open, until the cache is purged of them.
    cached: BTreeSet<FileId>,
    page_files: Vec<PageFile>,
}

/// Volumes.
impl Io {
    /// Mounts every volume of every disk, and finds the system root: `path` (such as `\\ReactOS`) on
    /// the first volume that has it.
    ///
    /// # Errors
    /// `OBJECT_PATH_NOT_FOUND` if no volume has it.
    pub fn mount_disks(&mut self, machine: &mut dyn Machine, path: &[u16]) -> Result<()> {
        for number in 0..MAX_DISKS {
            if machine.disk(number).is_none() {
                break;
            }
            match Volume::mount_all(machine, number) {
                Ok(mounted) => self.volumes.extend(mounted),
                Err(status) => log::warn!("disk {number}: no volume: {status}"),
            }
        }
        // Hard disks before CDs, so that they have the lower letters.
        self.volumes
            .sort_by_key(|volume: &Volume| volume.kind == DiskKind::CdRom);
        self.system_path = path.to_vec();
        for (number, volume) in self.volumes.iter_mut().enumerate() {
            let mut at = Ok(volume.root());
            for name in path
                .split(|&unit| unit == 0x5C)
                .filter(|name| !name.is_empty())
            {
                at = at.and_then(|directory| volume.lookup(machine, directory, name));
            }
            if let Ok(node) = at
                && volume.is_directory(node)
            {
                self.system_root = Some(FileId {
                    volume: number,
                    node,
                });
                return Ok(());
            }
        }
        Err(Status::OBJECT_PATH_NOT_FOUND)
    }

    /// The code page of short names, on every volume.
    pub fn set_code_page(&mut self, page: &'static CodePage) {
        for volume in &mut self.volumes {
            volume.set_code_page(page);
        }
    }

    /// The mounted volumes, by number.
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// The same, to work on.
    pub fn volumes_mut(&mut self) -> &mut [Volume] {
        &mut self.volumes
    }

    /// The numbers of a disk's volumes.
    pub fn volumes_of_disk(&self, disk: usize) -> impl Iterator<Item = usize> + '_ {
        let volumes = self.volumes.iter().enumerate();
        volumes.filter_map(move |(number, volume)| (volume.disk == disk).then_some(number))
    }

    /// A volume, if there is one of this number.
    pub fn volume_at(&self, number: usize) -> Option<&Volume> {
        self.volumes.get(number)
    }

    /// A volume, to work on.
    ///
    /// # Errors
    /// `NO_SUCH_DEVICE`.
    pub fn volume(&mut self, number: usize) -> Result<&mut Volume> {
        self.volumes.get_mut(number).ok_or(Status::NO_SUCH_DEVICE)
    }

    /// The directory of the system root.
    ///
    /// # Errors
    /// `OBJECT_PATH_NOT_FOUND` before it was found.
    pub fn system_root(&self) -> Result<FileId> {
        self.system_root.ok_or(Status::OBJECT_PATH_NOT_FOUND)
    }

    /// The path of the system root on its volume, such as `\\ReactOS`.
    pub fn system_path(&self) -> &[u16] {
        &self.system_path
    }
}

/// Open files.
impl Io {
    /// The files that are open on a volume, with the number of file objects that have a handle.
    pub(super) fn open_files(&self, volume: usize) -> impl Iterator<Item = (FileId, u32)> + '_ {
        let open = self.controls.iter();
        open.filter(move |(file, _)| file.volume == volume)
            .map(|(&file, control)| (file, control.handles()))
    }

    /// Whether a file object stands for the file.
    pub fn is_open(&self, file: FileId) -> bool {
        self.controls.contains_key(&file)
    }

    /// Whether the file goes with its last handle.
    pub fn is_delete_pending(&self, file: FileId) -> bool {
        let control = self.controls.get(&file);
        control.is_some_and(|control| control.delete_pending)
    }

    /// FileDispositionInformation was set.
    pub fn set_delete_pending(&mut self, file: FileId, delete: bool) {
        if let Some(control) = self.controls.get_mut(&file) {
            control.delete_pending = delete;
        }
    }

    /// Whether an open with this access and sharing goes with those that stand.
    ///
    /// # Errors
    /// `DELETE_PENDING`, `SHARING_VIOLATION`.
    pub fn check_open(&self, file: FileId, access: Access, share: u32) -> Result<()> {
        if self.is_delete_pending(file) {
            return Err(Status::DELETE_PENDING);
        }
        let control = self.controls.get(&file);
        control.map_or(Ok(()), |control| control.check(access, share))
    }

    /// A file object was made.
    pub fn open(&mut self, id: FileId, file: &File) {
        self.controls.entry(id).or_default().open(file);
    }

    /// The last handle of a file object is gone. Whether the file is to be deleted now: one that is
    /// still mapped as data is needed until its section goes.
    pub fn clean_up(&mut self, id: FileId, file: &File, mapped: bool) -> bool {
        let Some(control) = self.controls.get_mut(&id) else {
            return false;
        };
        let delete = control.clean_up(file) && control.delete_pending && !mapped;
        control.delete_pending &= !delete;
        delete
    }

    /// A file object is gone. Whether the file is to be deleted now.
    pub fn close(&mut self, id: FileId) -> bool {
        let Some(control) = self.controls.get_mut(&id) else {
            return false;
        };
        let (last, delete) = (control.close(), control.delete_pending);
        if last {
            self.controls.remove(&id);
        }
        last && delete
    }

    /// Whether something in the directory, or below it, is open.
    pub fn is_open_below(&self, directory: FileId) -> bool {
        let Some(volume) = self.volume_at(directory.volume) else {
            return false;
        };
        let below = |open: &FileId| {
            core::iter::successors(volume.parent(open.node), |&above| volume.parent(above))
                .any(|above| above == directory.node)
        };
        let mut open = self.controls.keys();
        open.any(|open| {
            open.volume == directory.volume && open.node != directory.node && below(open)
        })
    }
}

/// The cache and paging files.
impl Io {
    /// The cache holds the file from now on.
    pub fn cache(&mut self, file: FileId) {
        self.cached.insert(file);
    }

    /// The cache forgets the file.
    pub fn purge(&mut self, file: FileId) {
        self.cached.remove(&file);
    }

    /// Whether somebody with a handle goes through the cache.
    pub fn is_buffered(&self, file: FileId) -> bool {
        self.controls.get(&file).is_some_and(Control::is_buffered)
    }

    /// Whether the file system knows the file as another than a paging file, even if only from the
    /// cache.
    pub fn is_ordinary(&self, file: FileId) -> bool {
        let control = self.controls.get(&file);
        control.map_or_else(|| self.cached.contains(&file), |control| !control.paging)
    }

    /// Paging files, in the order in which they were made.
    pub fn page_files(&self) -> &[PageFile] {
        &self.page_files
    }

    /// A file that is open is a paging file from now on.
    pub fn add_page_file(&mut self, page_file: PageFile) {
        if let Some(control) = self.controls.get_mut(&page_file.file) {
            control.paging = true;
        }
        self.page_files.push(page_file);
    }
}
