// SPDX-License-Identifier: GPL-2.0-or-later
//! Open files: the bodies of file and device objects, and who shares what.
//!
//! Invariants: a [`Control`] stands for every file that is open or mapped; its share counts are
//! those of the opens that have a handle; a file whose delete is pending is deleted when the last
//! of its opens and sections goes.

use super::volume::Volume;
use crate::ids::ObjectId;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use formats::fat::NodeId;
use nt::access::Access;
use nt::{Result, Status};

/// The rights to write to a file's content.
pub const WRITES: Access = Access::FILE_WRITE_DATA.union(Access::FILE_APPEND_DATA);
/// The rights to change anything of a file: nobody has them on what is read-only.
pub const CHANGES: Access = WRITES
    .union(Access::FILE_WRITE_ATTRIBUTES)
    .union(Access::FILE_WRITE_EA)
    .union(Access::FILE_DELETE_CHILD)
    .union(Access::DELETE)
    .union(Access::WRITE_DAC);

/// A file of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The volume, by number.
    pub volume: usize,
    /// The file there.
    pub node: NodeId,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A mounted volume, by number.
    Volume(usize),
    /// A whole disk, by the machine's number.
    Disk(usize),
    /// `\Device\Null`.
    Null,
    /// `\Device\NamedPipe`: its root and nothing in it.
    NamedPipe,
    /// `\Device\MailSlot`: its root and nothing in it.
    MailSlot,
}

/// The body of a device object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub kind: DeviceKind,
}

/// Where a directory query stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The pattern, upcased; empty for all.
    pub pattern: Vec<u16>,
    /// Index of the next entry: 0 and 1 are `.` and `..` (not in a root).
    pub next: usize,
    /// Something matched.
    pub found: bool,
}

/// The body of a file object.
#[derive(Clone, Debug)]
pub struct File {
    /// The device, to which it holds a reference.
    pub device: ObjectId,
    /// What kind of device that is.
    pub kind: DeviceKind,
    /// The file on a volume; none for the device itself.
    pub node: Option<NodeId>,
    /// Granted access.
    pub access: Access,
    /// `FILE_SHARE_` bits.
    pub share: u32,
    /// Create options.
    pub options: u32,
    /// Current byte offset.
    pub position: u64,
    /// `FILE_DELETE_ON_CLOSE`.
    pub delete_on_close: bool,
    /// The share counts were taken back: no handle is left.
    pub cleaned: bool,
    /// A directory query under way.
    pub scan: Option<Scan>,
}

impl File {
    /// The file of a volume.
    pub const fn id(&self) -> Option<FileId> {
        match (self.kind, self.node) {
            (DeviceKind::Volume(volume), Some(node)) => Some(FileId { volume, node }),
            _ => None,
        }
    }
}

/// What is known of a file that is open or mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Opens with a handle that count for sharing.
    sharers: u32,
    readers: u32,
    writers: u32,
    deleters: u32,
    share_read: u32,
    share_write: u32,
    share_delete: u32,
    /// File objects, with or without handles.
    pub opens: u32,
    /// File objects that still have a handle.
    pub handles: u32,
    /// FileDispositionInformation has been set, or an open with `FILE_DELETE_ON_CLOSE` was closed.
    pub delete_pending: bool,
    /// It is a paging file.
    pub paging: bool,
    /// Those of the file objects with a handle that go through the cache.
    pub buffered: u32,
}

const fn wants(access: Access) -> (bool, bool, bool) {
    (
        access.intersects(Access::FILE_READ_DATA.union(Access::FILE_EXECUTE)),
        access.intersects(WRITES),
        access.contains(Access::DELETE),
    )
}

impl Control {
    /// Whether an open with this access and sharing goes with those that stand
    /// (IoCheckShareAccess).
    pub const fn check(&self, access: Access, share: u32) -> Result<()> {
        let (read, write, delete) = wants(access);
        if !read && !write && !delete {
            return Ok(());
        }
        let refused = read && self.share_read < self.sharers
            || write && self.share_write < self.sharers
            || delete && self.share_delete < self.sharers
            || self.readers > 0 && share & 1 == 0
            || self.writers > 0 && share & 2 == 0
            || self.deleters > 0 && share & 4 == 0;
        if refused {
            Err(Status::SHARING_VIOLATION)
        } else {
            Ok(())
        }
    }

    /// Counts an open.
    pub const fn add(&mut self, access: Access, share: u32) {
        let (read, write, delete) = wants(access);
        if read || write || delete {
            self.sharers += 1;
            self.readers += read as u32;
            self.writers += write as u32;
            self.deleters += delete as u32;
            self.share_read += share & 1;
            self.share_write += share >> 1 & 1;
            self.share_delete += share >> 2 & 1;
        }
    }

    /// Takes an open back.
    pub const fn remove(&mut self, access: Access, share: u32) {
        let (read, write, delete) = wants(access);
        if read || write || delete {
            self.sharers -= 1;
            self.readers -= read as u32;
            self.writers -= write as u32;
            self.deleters -= delete as u32;
            self.share_read -= share & 1;
            self.share_write -= share >> 1 & 1;
            self.share_delete -= share >> 2 & 1;
        }
    }
}

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
    /// Mounted volumes.
    pub volumes: Vec<Volume>,
    /// Files that are open or mapped.
    pub controls: BTreeMap<FileId, Control>,
    /// The system root: its volume and directory.
    pub system_root: Option<(usize, NodeId)>,
    /// The path of the system root on its volume, such as `\\ReactOS`.
    pub system_path: Vec<u16>,
    /// Files whose content the cache holds: read or written through it. They stay known to the file
    /// system, whether or not somebody has them open, until the cache is purged of them.
    pub cached: BTreeSet<FileId>,
    /// Paging files, in the order in which they were made.
    pub page_files: Vec<PageFile>,
}

impl Io {
    /// A volume, if there is one of this number.
    pub fn volume_at(&self, number: usize) -> Option<&Volume> {
        self.volumes.get(number)
    }

    /// A volume, to work on. `NO_SUCH_DEVICE`.
    pub fn volume(&mut self, number: usize) -> Result<&mut Volume> {
        self.volumes.get_mut(number).ok_or(Status::NO_SUCH_DEVICE)
    }
}
