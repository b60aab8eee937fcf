// SPDX-License-Identifier: GPL-2.0-or-later
//! Physical memory through the direct map.
//!
//! The first 4 GiB of physical addresses (all memory this kernel uses, and the devices' registers)
//! stand at [`DIRECT_MAP`]. Everything goes by copy: nothing here hands out a reference to memory
//! that something else may write.
//!
//! Invariant: a frame's bytes are touched only by the holder of its address, which the frame
//! allocator gave to one holder. What firmware and loader have left is read before the allocator
//! gives out the first frame ([`Untouched`]).

use zerocopy::FromBytes;

/// Bytes in a page and in a frame.
pub const PAGE: u64 = 4096;

/// Virtual address of physical address 0.
pub const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;

/// How much of physical memory is mapped there.
pub const DIRECT_LIMIT: u64 = 4 << 30;

/// Virtual address of a physical one. `None` if the range is not covered by the direct map.
pub fn virtual_address(address: u64, length: u64) -> Option<u64> {
    let end = address.checked_add(length)?;
    (end <= DIRECT_LIMIT).then_some(DIRECT_MAP + address)
}

/// Physical address of a virtual one inside the direct map.
pub fn physical_address(address: u64) -> Option<u64> {
    address
        .checked_sub(DIRECT_MAP)
        .filter(|address| *address < DIRECT_LIMIT)
}

/// Physical memory of which the kernel has nothing yet but its own image: what firmware and loader
/// have left there can be read, at whatever address their tables name.
#[derive(Debug)]
pub struct Untouched(());

impl Untouched {
    /// # Safety
    /// No frame has been given out yet, and the direct map stands.
    pub const unsafe fn new() -> Self {
        Self(())
    }

    /// Copies bytes. `false`, and nothing copied, if the range is not covered.
    #[must_use]
    pub fn read(&self, address: u64, into: &mut [u8]) -> bool {
        // SAFETY: as long as this value lives no frame is given out, so that nobody writes but to
        // the kernel's image; of that, a copy is taken while its one thread of execution is here.
        unsafe { read(address, into) }
    }

    /// Reads a plain value. `None` if the range is not covered.
    pub fn read_value<T: FromBytes>(&self, address: u64) -> Option<T> {
        // SAFETY: as for `read`.
        unsafe { read_value(address) }
    }
}

/// Copies bytes out of physical memory. `false`, and nothing copied, if the range is not covered.
///
/// # Safety
/// The caller holds the frames of the range: no reference of the kernel that may write points into
/// them, `into` among them.
#[must_use]
pub unsafe fn read(address: u64, into: &mut [u8]) -> bool {
    let Some(from) = virtual_address(address, into.len() as u64) else {
        return false;
    };
    // SAFETY: the direct map covers the whole range with present pages (checked above) for as long
    // as the kernel runs; by this function's contract `into` does not overlap it.
    unsafe { core::ptr::copy_nonoverlapping(from as *const u8, into.as_mut_ptr(), into.len()) };
    true
}

/// Copies bytes into physical memory. `false`, and nothing copied, if the range is not covered.
///
/// # Safety
/// The caller holds the frames of the range: no reference of the kernel points into them.
#[must_use]
pub unsafe fn write(address: u64, from: &[u8]) -> bool {
    let Some(to) = virtual_address(address, from.len() as u64) else {
        return false;
    };
    // SAFETY: the direct map covers the whole range with writable pages (checked above), and by
    // this function's contract nothing else refers to it.
    unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to as *mut u8, from.len()) };
    true
}

/// Reads a plain value. `None` if the range is not covered.
///
/// # Safety
/// As for [`read`].
pub unsafe fn read_value<T: FromBytes>(address: u64) -> Option<T> {
    let at = virtual_address(address, size_of::<T>() as u64)?;
    // SAFETY: the direct map covers the value (checked above), any bytes are a valid `T`
    // (`FromBytes`), and no alignment is asked for.
    Some(unsafe { core::ptr::read_unaligned(at as *const T) })
}
