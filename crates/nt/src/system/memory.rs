// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory: private pages and section objects.

use crate::access::Access;
use crate::{Handle, ObjectAttributes, Result, Status};

/// A read-only view of an image section. Its bytes are copied out, never lent: behind a view lies a
/// file, and a page of it that cannot be read any more must be a status, not the end of the
/// program.
pub trait View {
    /// Copies what lies at `at`, an index from the view's first byte, into `buffer`; after an error
    /// some of it may be there.
    ///
    /// # Errors
    /// `IN_PAGE_ERROR` for what the disk does not give, `ACCESS_VIOLATION` outside the view and
    /// where the image's own section headers do not let it be read.
    fn read(&self, at: usize, buffer: &mut [u8]) -> Result<()>;
}

/// Bytes that are there already.
impl<T: AsRef<[u8]> + ?Sized> View for T {
    fn read(&self, at: usize, buffer: &mut [u8]) -> Result<()> {
        let bytes = self.as_ref().get(at..);
        let bytes = bytes.and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(Status::ACCESS_VIOLATION)?);
        Ok(())
    }
}

/// Requests about memory.
pub trait Memory: Copy {
    /// Zeroed private memory of this process, freed when dropped.
    type Pages: AsRef<[u8]> + AsMut<[u8]> + Send + Sync;
    /// A view of a section, unmapped when dropped.
    type View: View;

    /// NtAllocateVirtualMemory, committed and writable: at least `bytes` bytes. `NO_MEMORY` when
    /// there is none.
    fn allocate_pages(self, bytes: usize) -> Result<Self::Pages>;

    /// NtCreateSection of `file` as an executable image: `SEC_IMAGE`, `PAGE_EXECUTE`, laid out by
    /// its section headers.
    fn create_image_section(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        file: Handle,
    ) -> Result<Handle>;

    /// NtMapViewOfSection of a whole image section into this process: a relative virtual address is
    /// an index into the view. `IMAGE_NOT_AT_BASE` is not an error, and no relocation is applied.
    fn map_view(self, section: Handle) -> Result<Self::View>;
}
