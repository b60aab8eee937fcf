// SPDX-License-Identifier: GPL-2.0-or-later
//! A mapped PE image: its memory, held against the size that its headers say.
//!
//! What the bytes mean is read by the crate `formats`, through the [`View`] that an [`Image`] is.
//! Every access is held against the size of the image; the kernel has checked that size against the
//! file when it made the section, and maps all of it.

use crate::support::{CURRENT_PROCESS, PAGE, done};
use formats::pe::{self, Headers, View};
use nt::Status;
use ntapi::ntmmapi::NtProtectVirtualMemory;
use winapi::ctypes::c_void;
use winapi::um::winnt::PAGE_READWRITE;

/// An image mapped into this process.
#[derive(Clone, Copy)]
pub(crate) struct Image {
    base: *mut u8,
    size: usize,
}

// SAFETY: an address and a number; the mapping belongs to the process.
unsafe impl Send for Image {}

/// Takes what the reader says for a status.
pub(crate) fn parsed<T>(result: pe::Parsed<T>) -> Result<T, Status> {
    result.map_err(|error| error.status)
}

impl View<'static> for Image {
    fn bytes<const N: usize>(self, rva: usize) -> Option<[u8; N]> {
        let at = self.address(rva, N).ok()?;
        // SAFETY: inside the mapped image, and any bytes are an array of bytes.
        Some(unsafe { at.cast::<[u8; N]>().read() })
    }

    fn text(self, rva: usize) -> Option<&'static [u8]> {
        let mut length = 0;
        while self.bytes(rva.checked_add(length)?)? != [0] {
            length += 1;
        }
        let start = self.address(rva, length).ok()?;
        // SAFETY: these bytes were just read, and the image stays mapped. The loader writes into an
        // image by `write` only, whose callers hold no text of it; the program itself does not run
        // before its images are bound.
        Some(unsafe { core::slice::from_raw_parts(start, length) })
    }
}

impl Image {
    /// Looks at the headers of what is mapped at `base`. `INVALID_IMAGE_FORMAT` if they are not
    /// those of an image for this machine.
    ///
    /// # Safety
    /// An image section must be mapped at `base`, and stay mapped as long as the value or a copy of
    /// it is used.
    pub(crate) unsafe fn at(base: *mut c_void) -> Result<Self, Status> {
        // Until the real size is known, only the first page is looked at, which every image has.
        let first = Self {
            base: base.cast(),
            size: PAGE,
        };
        let headers = first.headers()?;
        if headers.word != size_of::<usize>() {
            return Err(Status::INVALID_IMAGE_FORMAT);
        }
        let size = headers.size_of_image as usize;
        Ok(Self {
            size: size.max(PAGE),
            ..first
        })
    }

    /// What the headers say.
    pub(crate) fn headers(&self) -> Result<Headers, Status> {
        parsed(Headers::read(*self))
    }

    /// Writes the number at `rva`.
    ///
    /// # Safety
    /// The page must be writable, and nobody may hold text of this image that lies there.
    unsafe fn write(&self, rva: usize, value: usize) -> Result<(), Status> {
        let at = self.address(rva, size_of::<usize>())?;
        // SAFETY: inside the mapped image; the rest is the caller's promise.
        unsafe { at.cast::<usize>().write_unaligned(value) };
        Ok(())
    }

    /// The address of `bytes` bytes at `rva`.
    pub(crate) fn address(&self, rva: usize, bytes: usize) -> Result<*mut u8, Status> {
        match rva.checked_add(bytes) {
            Some(end) if end <= self.size => Ok(self.base.wrapping_add(rva)),
            _ => Err(Status::INVALID_IMAGE_FORMAT),
        }
    }

    /// Where it is mapped.
    pub(crate) fn base(&self) -> *mut c_void {
        self.base.cast()
    }

    /// Bytes mapped.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Address of the entry point, if it has one.
    pub(crate) fn entry_point(&self) -> Result<Option<*mut c_void>, Status> {
        match self.headers()?.entry_point as usize {
            0 => Ok(None),
            rva => Ok(Some(self.address(rva, 1)?.cast())),
        }
    }

    /// Makes `bytes` bytes at `rva` writable while `change` runs.
    fn writable<T>(
        &self,
        rva: usize,
        bytes: usize,
        change: impl FnOnce() -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut base: *mut c_void = self.address(rva, bytes)?.cast();
        let mut size = bytes;
        let mut before = 0;
        // SAFETY: pages of a private copy-on-write view; the three out-pointers are live locals.
        done(unsafe {
            NtProtectVirtualMemory(
                CURRENT_PROCESS,
                &raw mut base,
                &raw mut size,
                PAGE_READWRITE,
                &raw mut before,
            )
        })?;
        let answer = change();
        let mut ignored = 0;
        // SAFETY: the same pages get their protection back.
        done(unsafe {
            NtProtectVirtualMemory(
                CURRENT_PROCESS,
                &raw mut base,
                &raw mut size,
                before,
                &raw mut ignored,
            )
        })?;
        answer
    }

    /// Writes `values` one after the other from `rva` on, which need not be writable.
    ///
    /// # Safety
    /// Nobody may hold text of this image.
    pub(crate) unsafe fn patch(&self, rva: usize, values: &[usize]) -> Result<(), Status> {
        if values.is_empty() {
            return Ok(());
        }
        self.writable(rva, size_of_val(values), || {
            values.iter().enumerate().try_for_each(|(index, &value)| {
                // SAFETY: `writable` has made the pages so; by this function's contract nobody
                // holds text of the image.
                unsafe { self.write(rva + size_of::<usize>() * index, value) }
            })
        })
    }

    /// Applies the base relocations for where it is mapped. `CONFLICTING_ADDRESSES` if it must move
    /// and has none.
    pub(crate) fn relocate(&self) -> Result<(), Status> {
        let headers = self.headers()?;
        let delta = self.base.addr().wrapping_sub(headers.image_base as usize);
        if delta == 0 {
            return Ok(());
        }
        let Some(blocks) = pe::relocation_blocks(*self, &headers) else {
            return Err(Status::CONFLICTING_ADDRESSES);
        };
        for block in blocks {
            let block = parsed(block)?;
            // A fixup may begin on the last bytes of its page.
            let span = (2 * PAGE).min(self.size.saturating_sub(block.page));
            self.writable(block.page, span, || {
                block
                    .targets(*self)
                    .try_for_each(|target| self.fix(parsed(target)?, delta))
            })?;
        }
        Ok(())
    }

    fn fix(&self, rva: usize, delta: usize) -> Result<(), Status> {
        let value = self.bytes(rva).ok_or(Status::INVALID_IMAGE_FORMAT)?;
        // SAFETY: the caller has made the page writable, and an image is relocated before any text
        // of it is looked at.
        unsafe { self.write(rva, usize::from_le_bytes(value).wrapping_add(delta)) }
    }
}
