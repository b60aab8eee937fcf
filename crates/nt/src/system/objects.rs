// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, objects: handles, object directories, symbolic links, events, waits.

use crate::access::Access;
use crate::{Handle, ObjectAttributes, Result, UnicodeStr};

/// A new object's handle, and whether the object stood there before (`OBJECT_NAME_EXISTS`, possible
/// with `OBJ_OPENIF` only).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Handle to the object.
    pub handle: Handle,
    /// The name existed and was opened.
    pub existed: bool,
}

/// How long a wait or a delay may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// For ever.
    Never,
    /// At most this many milliseconds from now.
    Milliseconds(u32),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The object with this index is signalled.
    Object(usize),
    /// The time is over (`STATUS_TIMEOUT`, a success code).
    Timeout,
}

/// One entry of an object directory, as [`Objects::query_directory`] hands it to its visitor.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryEntry<'a> {
    /// The object's name in its directory.
    pub name: UnicodeStr<'a>,
    /// The name of its type, such as `SymbolicLink`.
    pub type_name: UnicodeStr<'a>,
}

/// Requests about objects in general, and the small object types.
pub trait Objects: Copy {
    /// NtClose.
    fn close(self, handle: Handle) -> Result<()>;

    /// NtDuplicateObject without options: `handle` of `source` becomes a handle of `target` with
    /// `access`. The returned value is valid in `target`.
    fn duplicate(
        self,
        source: Handle,
        handle: Handle,
        target: Handle,
        access: Access,
    ) -> Result<Handle>;

    /// NtMakeTemporaryObject.
    fn make_temporary(self, handle: Handle) -> Result<()>;

    /// NtCreateDirectoryObject.
    fn create_directory(self, attributes: &ObjectAttributes<'_>, access: Access)
    -> Result<Created>;

    /// NtOpenDirectoryObject.
    fn open_directory(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle>;

    /// NtQueryDirectoryObject, called with a buffer of several entries until the directory is at
    /// its end: `visit` sees every entry in the directory's order, and stops the walk by
    /// returning `false`.
    fn query_directory(
        self,
        directory: Handle,
        visit: &mut dyn FnMut(DirectoryEntry<'_>) -> bool,
    ) -> Result<()>;

    /// NtCreateSymbolicLinkObject.
    fn create_symbolic_link(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        target: UnicodeStr<'_>,
    ) -> Result<Created>;

    /// NtOpenSymbolicLinkObject.
    fn open_symbolic_link(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle>;

    /// NtQuerySymbolicLinkObject into `buffer`. `BUFFER_TOO_SMALL` if the target does not fit.
    fn query_symbolic_link<'b>(self, link: Handle, buffer: &'b mut [u16])
    -> Result<UnicodeStr<'b>>;

    /// NtCreateEvent: a notification event, not signalled.
    fn create_event(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle>;

    /// NtSetEvent.
    fn set_event(self, event: Handle) -> Result<()>;

    /// NtWaitForSingleObject, not alertable. Blocks.
    fn wait_one(self, object: Handle, timeout: Timeout) -> Result<Wait>;

    /// NtWaitForMultipleObjects, WaitAny, not alertable. Blocks. At most 64 objects.
    fn wait_any(self, objects: &[Handle], timeout: Timeout) -> Result<Wait>;

    /// NtDelayExecution, relative, not alertable. Blocks.
    fn delay(self, milliseconds: u32) -> Result<()>;
}
