// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory: private pages and section objects.

use crate::access::Access;
use crate::{Handle, ObjectAttributes, Result};

/// What a section is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// `SEC_COMMIT`: the file's bytes as they are.
    Data,
    /// `SEC_IMAGE`: an executable image, laid out by its section headers.
    Image,
}

/// Page protection of a section or view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// `PAGE_READONLY`.
    ReadOnly,
    /// `PAGE_EXECUTE`.
    Execute,
}

/// Requests about memory.
pub trait Memory {
    /// Zeroed private memory of this process, freed when dropped.
    type Pages: AsRef<[u8]> + AsMut<[u8]> + Send + Sync;
    /// A read-only view of a section, unmapped when dropped.
    type View: AsRef<[u8]>;

    /// NtAllocateVirtualMemory, committed and writable: at least `bytes` bytes. `NO_MEMORY` when there is none.
    fn allocate_pages(&self, bytes: usize) -> Result<Self::Pages>;

    /// NtCreateSection backed by `file`.
    fn create_section(
        &self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        protection: Protection,
        kind: SectionKind,
        file: Handle,
    ) -> Result<Handle>;

    /// NtMapViewOfSection of the whole section into this process, readable. An image's view is laid out by its section headers (so a
    /// relative virtual address is an index into the slice); `IMAGE_NOT_AT_BASE` is no error, and no relocation is applied.
    fn map_view(&self, section: Handle) -> Result<Self::View>;
}
