// SPDX-License-Identifier: GPL-2.0-or-later
//! Who has a file open, and what they let others do with it.
//!
//! Invariants: `handles <= opens`; the share counts are those of the file objects that have a handle
//! and want to read, write or delete.

use super::file::{File, WRITES};
use nt::access::Access;
use nt::{Result, Status};

/// What is known of a file that is open.
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
    opens: u32,
    /// File objects that still have a handle.
    handles: u32,
    /// FileDispositionInformation has been set, or an open with `FILE_DELETE_ON_CLOSE` was closed.
    pub(super) delete_pending: bool,
    /// It is a paging file.
    pub(super) paging: bool,
    /// Those of the file objects with a handle that go through the cache.
    buffered: u32,
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

    /// Whether somebody with a handle goes through the cache.
    pub const fn is_buffered(&self) -> bool {
        self.buffered > 0
    }

    /// File objects that still have a handle.
    pub const fn handles(&self) -> u32 {
        self.handles
    }

    /// Counts a new file object and its handle.
    pub fn open(&mut self, file: &File) {
        self.opens += 1;
        self.handles += 1;
        self.buffered += u32::from(file.is_buffered());
        let (read, write, delete) = wants(file.access);
        if read || write || delete {
            self.sharers += 1;
            self.readers += u32::from(read);
            self.writers += u32::from(write);
            self.deleters += u32::from(delete);
            self.share_read += file.share & 1;
            self.share_write += file.share >> 1 & 1;
            self.share_delete += file.share >> 2 & 1;
        }
    }

    /// The last handle of a file object is gone. Whether no file object has one any more.
    pub fn clean_up(&mut self, file: &File) -> bool {
        self.handles -= 1;
        self.buffered -= u32::from(file.is_buffered());
        self.delete_pending |= file.delete_on_close;
        let (read, write, delete) = wants(file.access);
        if read || write || delete {
            self.sharers -= 1;
            self.readers -= u32::from(read);
            self.writers -= u32::from(write);
            self.deleters -= u32::from(delete);
            self.share_read -= file.share & 1;
            self.share_write -= file.share >> 1 & 1;
            self.share_delete -= file.share >> 2 & 1;
        }
        self.handles == 0
    }

    /// A file object is gone. Whether it was the last one.
    pub const fn close(&mut self) -> bool {
        self.opens -= 1;
        self.opens == 0
    }
}
