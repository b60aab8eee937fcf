// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory: private pages and section objects.

use crate::access::Access;
use crate::{Handle, ObjectAttributes, Result};

/// Requests about memory.
pub trait Memory {
    /// Zeroed private memory of this process, freed when dropped.
    type Pages: AsRef<[u8]> + AsMut<[u8]> + Send + Sync;
    /// A read-only view of a section, unmapped when dropped.
    type View: AsRef<[u8]>;

    /// NtAllocateVirtualMemory, committed and writable: at least `bytes` bytes. `NO_MEMORY` when
    /// there is none.
    fn allocate_pages(&self, bytes: usize) -> Result<Self::Pages>;

    /// NtCreateSection of `file` as an executable image: `SEC_IMAGE`, `PAGE_EXECUTE`, laid out by
    /// its section headers.
    fn create_image_section(
        &self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        file: Handle,
    ) -> Result<Handle>;

    /// NtMapViewOfSection of a whole image section into this process: a relative virtual address is
    /// an index into the slice. Bytes that the image's own section headers do not make readable
    /// must not be looked at. `IMAGE_NOT_AT_BASE` is not an error, and no relocation is applied.
    fn map_view(&self, section: Handle) -> Result<Self::View>;
}
