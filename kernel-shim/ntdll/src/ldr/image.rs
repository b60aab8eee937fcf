// SPDX-License-Identifier: GPL-2.0-or-later
//! A mapped PE image: its headers, its directories, its relocations.
//!
//! Every access goes through [`Image::read`] or [`Image::write`], which hold it against the size
//! that the image's headers say; the kernel has checked that size against the file when it made the
//! section, and maps all of it.

use crate::support::{CURRENT_PROCESS, PAGE, done};
use nt::Status;
use ntapi::ntmmapi::NtProtectVirtualMemory;
use winapi::ctypes::c_void;
use winapi::um::winnt::PAGE_READWRITE;

/// Data directories by index.
pub(crate) mod directory {
    /// Export table.
    pub(crate) const EXPORT: usize = 0;
    /// Import table.
    pub(crate) const IMPORT: usize = 1;
    /// Base relocations.
    pub(crate) const RELOCATION: usize = 5;
    /// Thread-local storage.
    pub(crate) const TLS: usize = 9;
}

const PE32_PLUS: u16 = 0x20B;
const AMD64: u16 = 0x8664;
const IS_DLL: u16 = 0x2000;
const RELOCATION_ABSOLUTE: u16 = 0;
const RELOCATION_DIR64: u16 = 10;

/// A number in the image.
pub(crate) trait Number: Copy {}
impl Number for u8 {}
impl Number for u16 {}
impl Number for u32 {}
impl Number for u64 {}

/// An image mapped into this process.
#[derive(Clone, Copy)]
pub(crate) struct Image {
    base: *mut u8,
    size: usize,
    /// RVA of the optional header.
    optional: usize,
}

// SAFETY: an address and two numbers; the mapping belongs to the process.
unsafe impl Send for Image {}

impl Image {
    /// Looks at the headers of what is mapped at `base`. `INVALID_IMAGE_FORMAT` if they are not
    /// those of a 64-bit image.
    ///
    /// # Safety
    /// An image section must be mapped at `base`, and stay mapped as long as the value or a copy of
    /// it is used.
    pub(crate) unsafe fn at(base: *mut c_void) -> Result<Self, Status> {
        // Until the real size is known, only the first page is looked at, which every image has.
        let headers = Self {
            base: base.cast(),
            size: PAGE,
            optional: 0,
        };
        let pe = headers.read::<u32>(0x3C)? as usize;
        let magic: u16 = headers.read(0)?;
        let signature: u32 = headers.read(pe)?;
        let machine: u16 = headers.read(pe.saturating_add(4))?;
        let optional = pe.saturating_add(24);
        let format: u16 = headers.read(optional)?;
        if magic != 0x5A4D || signature != 0x4550 || machine != AMD64 || format != PE32_PLUS {
            return Err(Status::INVALID_IMAGE_FORMAT);
        }
        let size = headers.read::<u32>(optional.saturating_add(56))? as usize;
        Ok(Self {
            base: base.cast(),
            size: size.max(PAGE),
            optional,
        })
    }

    /// The number at `rva`. `INVALID_IMAGE_FORMAT` outside the image.
    pub(crate) fn read<T: Number>(&self, rva: usize) -> Result<T, Status> {
        let at = self.address(rva, size_of::<T>())?;
        // SAFETY: inside the mapped image, and any bytes are a number.
        Ok(unsafe { at.cast::<T>().read_unaligned() })
    }

    /// Writes the number at `rva`, whose page must be writable.
    fn write<T: Number>(&self, rva: usize, value: T) -> Result<(), Status> {
        let at = self.address(rva, size_of::<T>())?;
        // SAFETY: inside the mapped image, and the callers have made the page writable.
        unsafe { at.cast::<T>().write_unaligned(value) };
        Ok(())
    }

    /// The address of `bytes` bytes at `rva`.
    pub(crate) fn address(&self, rva: usize, bytes: usize) -> Result<*mut u8, Status> {
        match rva.checked_add(bytes) {
            Some(end) if end <= self.size => Ok(self.base.wrapping_add(rva)),
            _ => Err(Status::INVALID_IMAGE_FORMAT),
        }
    }

    /// The NUL-terminated text at `rva`, without the NUL.
    pub(crate) fn text(&self, rva: usize) -> Result<&'static [u8], Status> {
        let mut length = 0;
        while self.read::<u8>(rva.saturating_add(length))? != 0 {
            length += 1;
        }
        // SAFETY: these bytes were just read, and the image stays mapped.
        Ok(unsafe { core::slice::from_raw_parts(self.address(rva, length)?, length) })
    }

    /// RVA and size of a data directory, if the image has it.
    pub(crate) fn directory(&self, index: usize) -> Result<Option<(usize, usize)>, Status> {
        if index >= self.read::<u32>(self.optional + 108)? as usize {
            return Ok(None);
        }
        let at = self.optional + 112 + 8 * index;
        let rva = self.read::<u32>(at)? as usize;
        let size = self.read::<u32>(at + 4)? as usize;
        Ok((rva != 0 && size != 0).then_some((rva, size)))
    }

    /// Where it is mapped.
    pub(crate) fn base(&self) -> *mut c_void {
        self.base.cast()
    }

    /// Bytes mapped.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// `ImageBase`: where it wants to be.
    pub(crate) fn preferred_base(&self) -> Result<u64, Status> {
        self.read(self.optional + 24)
    }

    /// Address of the entry point, if it has one.
    pub(crate) fn entry_point(&self) -> Result<Option<*mut c_void>, Status> {
        let rva = self.read::<u32>(self.optional + 16)? as usize;
        if rva == 0 {
            Ok(None)
        } else {
            Ok(Some(self.address(rva, 1)?.cast()))
        }
    }

    /// `SizeOfStackReserve` and `SizeOfStackCommit`.
    pub(crate) fn stack_sizes(&self) -> Result<(usize, usize), Status> {
        Ok((
            self.read::<u64>(self.optional + 72)? as usize,
            self.read::<u64>(self.optional + 80)? as usize,
        ))
    }

    /// TimeDateStamp.
    pub(crate) fn time_stamp(&self) -> Result<u32, Status> {
        self.read(self.optional - 16)
    }

    /// Whether its file header says DLL.
    pub(crate) fn is_dll(&self) -> Result<bool, Status> {
        Ok(self.read::<u16>(self.optional - 2)? & IS_DLL != 0)
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
    pub(crate) fn patch(&self, rva: usize, values: &[u64]) -> Result<(), Status> {
        if values.is_empty() {
            return Ok(());
        }
        self.writable(rva, size_of_val(values), || {
            values
                .iter()
                .enumerate()
                .try_for_each(|(index, &value)| self.write(rva + 8 * index, value))
        })
    }

    /// Applies the base relocations for where it is mapped. `CONFLICTING_ADDRESSES` if it must move
    /// and has none.
    pub(crate) fn relocate(&self) -> Result<(), Status> {
        let delta = (self.base.addr() as u64).wrapping_sub(self.preferred_base()?);
        if delta == 0 {
            return Ok(());
        }
        let Some((start, size)) = self.directory(directory::RELOCATION)? else {
            return Err(Status::CONFLICTING_ADDRESSES);
        };
        let end = start
            .checked_add(size)
            .ok_or(Status::INVALID_IMAGE_FORMAT)?;
        let mut block = start;
        while block + 8 <= end {
            let page = self.read::<u32>(block)? as usize;
            let bytes = self.read::<u32>(block + 4)? as usize;
            let next = block
                .checked_add(bytes)
                .filter(|&next| bytes >= 8 && next <= end)
                .ok_or(Status::INVALID_IMAGE_FORMAT)?;
            // A fixup may begin on the last bytes of its page.
            let span = (2 * PAGE).min(self.size.saturating_sub(page));
            self.writable(page, span, || self.fix(page, block + 8, next, delta))?;
            block = next;
        }
        Ok(())
    }

    /// Applies the entries of one block.
    fn fix(&self, page: usize, first: usize, end: usize, delta: u64) -> Result<(), Status> {
        let mut at = first;
        while at + 2 <= end {
            let entry: u16 = self.read(at)?;
            at += 2;
            match entry >> 12 {
                RELOCATION_ABSOLUTE => {}
                RELOCATION_DIR64 => {
                    let rva = page + usize::from(entry & 0xFFF);
                    let value: u64 = self.read(rva)?;
                    self.write(rva, value.wrapping_add(delta))?;
                }
                _ => return Err(Status::INVALID_IMAGE_FORMAT),
            }
        }
        Ok(())
    }
}
