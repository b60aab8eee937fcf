// SPDX-License-Identifier: GPL-2.0-or-later
//! The bodies of file and device objects.

use crate::ids::ObjectId;
use alloc::vec::Vec;
use formats::fat::NodeId;
use nt::access::Access;

/// The rights to write to a file's content.
pub const WRITES: Access = Access::FILE_WRITE_DATA.union(Access::FILE_APPEND_DATA);
/// The rights to change anything of a file: nobody has them on what is read-only.
pub const CHANGES: Access = WRITES
    .union(Access::FILE_WRITE_ATTRIBUTES)
    .union(Access::FILE_WRITE_EA)
    .union(Access::FILE_DELETE_CHILD)
    .union(Access::DELETE)
    .union(Access::WRITE_DAC);

/// `FILE_NO_INTERMEDIATE_BUFFERING`.
pub const NO_INTERMEDIATE_BUFFERING: u32 = 0x8;

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
    /// Where the next entry is looked for: 0 and 1 are `.` and `..` (not in a root), places in the
    /// directory come behind them.
    pub next: usize,
    /// Where the one behind it is looked for.
    pub after: usize,
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
    /// Whether what is read and written goes through the cache.
    pub const fn is_buffered(&self) -> bool {
        self.options & NO_INTERMEDIATE_BUFFERING == 0
    }

    /// The file of a volume.
    pub const fn id(&self) -> Option<FileId> {
        match (self.kind, self.node) {
            (DeviceKind::Volume(volume), Some(node)) => Some(FileId { volume, node }),
            _ => None,
        }
    }
}
