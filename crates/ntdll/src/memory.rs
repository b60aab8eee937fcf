// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, memory: pages and views that give themselves back.

use crate::convert::{Named, done, handle, raw};
use crate::imports::{
    NtAllocateVirtualMemory, NtCreateSection, NtFreeVirtualMemory, NtMapViewOfSection,
    NtUnmapViewOfSection,
};
use crate::{Native, guarded, page_pool};
use core::ptr::NonNull;
use nt::access::Access;
use nt::system::Memory;
use nt::{Handle, ObjectAttributes, Result, Status};
use ntapi::ntmmapi::ViewUnmap;
use winapi::um::winnt::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_EXECUTE, PAGE_READWRITE, SEC_IMAGE,
};

/// Private memory of this process: a run of the [page_pool]'s pages, or an allocation of
/// the kernel's. Which of the two its address says.
pub struct Pages {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the memory belongs to the process, not to a thread, and is reached through `&self` and
// `&mut self` only.
unsafe impl Send for Pages {}
// SAFETY: `&self` gives nothing but shared reads.
unsafe impl Sync for Pages {}

impl Pages {
    /// At least `bytes` bytes, zeroed. `NO_MEMORY` if there are none.
    pub(crate) fn allocate(bytes: usize) -> Result<Self> {
        if let Some((base, bytes)) = page_pool::take(bytes) {
            return Ok(Self { base, bytes });
        }
        let mut base = core::ptr::null_mut();
        let mut size = bytes.max(1);
        // SAFETY: asks for new memory at an address of the kernel's choice; both out-pointers are
        // live locals.
        let status = unsafe {
            NtAllocateVirtualMemory(
                raw(Handle::CURRENT_PROCESS),
                &raw mut base,
                0,
                &raw mut size,
                MEM_RESERVE | MEM_COMMIT,
                PAGE_READWRITE,
            )
        };
        done(status)?;
        let base = NonNull::new(base.cast()).ok_or(Status::NO_MEMORY)?;
        Ok(Self { base, bytes: size })
    }
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `bytes` zeroed bytes at `base` were given to this value alone.
        unsafe { core::slice::from_raw_parts(self.base.as_ptr(), self.bytes) }
    }
}

impl AsMut<[u8]> for Pages {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: `bytes` bytes at `base` were given to this value alone, and `&mut self` is the only
        // way to them now.
        unsafe { core::slice::from_raw_parts_mut(self.base.as_ptr(), self.bytes) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if page_pool::has(self.base) {
            // SAFETY: `allocate` took it for this value, from which nothing borrows any more.
            unsafe { page_pool::give_back(self.base, self.bytes) };
            return;
        }
        let mut base = self.base.as_ptr().cast();
        let mut size = 0;
        // SAFETY: the base of an allocation that this value owns; nothing borrows from it any more.
        let _ = unsafe {
            NtFreeVirtualMemory(
                raw(Handle::CURRENT_PROCESS),
                &raw mut base,
                &raw mut size,
                MEM_RELEASE,
            )
        };
    }
}

/// A view of an image section.
pub struct View {
    base: NonNull<u8>,
    bytes: usize,
}

impl nt::system::View for View {
    fn read(&self, at: usize, buffer: &mut [u8]) -> Result<()> {
        let end = at.checked_add(buffer.len());
        if end.is_none_or(|end| end > self.bytes) {
            return Err(Status::ACCESS_VIOLATION);
        }
        // SAFETY: inside the view, as was just checked, or at its end.
        let from = unsafe { self.base.add(at) };
        // SAFETY: all of it is inside the view, which stays where it is as long as this value lives;
        // views are not written to.
        unsafe { guarded::copy(from.as_ptr(), buffer) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the base of a view that this value owns; nothing borrows from it any more.
        let _ = unsafe {
            NtUnmapViewOfSection(raw(Handle::CURRENT_PROCESS), self.base.as_ptr().cast())
        };
    }
}

impl Memory for Native {
    type Pages = Pages;
    type View = View;

    fn allocate_pages(self, bytes: usize) -> Result<Pages> {
        Pages::allocate(bytes)
    }

    fn create_image_section(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        file: Handle,
    ) -> Result<Handle> {
        let mut named = Named::new(attributes);
        let mut section = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local and the attributes borrow from the caller for the
        // call.
        let status = unsafe {
            NtCreateSection(
                &raw mut section,
                access.bits(),
                named.pointer()?,
                core::ptr::null_mut(),
                PAGE_EXECUTE,
                SEC_IMAGE,
                raw(file),
            )
        };
        done(status)?;
        Ok(handle(section))
    }

    fn map_view(self, section: Handle) -> Result<View> {
        let mut base = core::ptr::null_mut();
        let mut size = 0;
        // SAFETY: asks for a new view at an address of the kernel's choice; both out-pointers are
        // live locals.
        let status = unsafe {
            NtMapViewOfSection(
                raw(section),
                raw(Handle::CURRENT_PROCESS),
                &raw mut base,
                0,
                0,
                core::ptr::null_mut(),
                &raw mut size,
                ViewUnmap,
                0,
                PAGE_EXECUTE,
            )
        };
        done(status)?;
        let base = NonNull::new(base.cast()).ok_or(Status::INVALID_VIEW_SIZE)?;
        Ok(View { base, bytes: size })
    }
}
