// SPDX-License-Identifier: GPL-2.0-or-later
//! The process heap: the talc allocator, fed with committed memory as it grows, behind the Rtl heap
//! routines and behind `alloc`.
//!
//! There is one heap. A block of RtlAllocateHeap has its size in the 16 bytes before it, because
//! its owner gives no size back.

use crate::support::{CURRENT_PROCESS, GRANULARITY, PAGE};
use core::alloc::Layout;
use core::ptr::NonNull;
use nt::lock::Yield;
use ntapi::ntmmapi::NtAllocateVirtualMemory;
use talc::TalcLock;
use talc::base::{Talc, binning::Binning};
use talc::source::Source;
use winapi::ctypes::c_void;
use winapi::shared::basetsd::SIZE_T;
use winapi::shared::ntdef::{BOOLEAN, ULONG};
use winapi::um::winnt::{HEAP_ZERO_MEMORY, MEM_COMMIT, MEM_RESERVE, PAGE_READWRITE};

/// The heap grows by at least this much: most processes here never need more than one step.
const STEP: usize = 4 * PAGE;
/// What the allocator needs for itself beside the block that is asked for.
const OVERHEAD: usize = PAGE;

#[derive(Debug)]
struct Committed;

// SAFETY: `acquire` claims only memory that it has just been given.
unsafe impl Source for Committed {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let wanted = layout
            .size()
            .checked_add(layout.align())
            .and_then(|bytes| bytes.checked_add(OVERHEAD))
            .ok_or(())?;
        let mut size = if wanted <= STEP {
            STEP
        } else {
            wanted.checked_next_multiple_of(GRANULARITY).ok_or(())?
        };
        let mut base = core::ptr::null_mut();
        // SAFETY: asks for new memory at an address of the kernel's choice; both out-pointers are
        // live locals.
        let answer = unsafe {
            NtAllocateVirtualMemory(
                CURRENT_PROCESS,
                &raw mut base,
                0,
                &raw mut size,
                MEM_RESERVE | MEM_COMMIT,
                PAGE_READWRITE,
            )
        };
        if answer < 0 {
            return Err(());
        }
        // SAFETY: these bytes are the heap's alone from here on, writable, and never given back.
        unsafe { talc.claim(base.cast(), size) }
            .map(|_| ())
            .ok_or(())
    }
}

#[global_allocator]
static HEAP: TalcLock<spin::mutex::SpinMutex<(), Yield>, Committed> = TalcLock::new(Committed);

const HEADER: usize = 16;

/// What PEB.ProcessHeap holds.
pub(crate) fn handle() -> *mut c_void {
    (&raw const HEAP).cast_mut().cast()
}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEADER)?, HEADER).ok()
}

fn allocate(bytes: usize) -> Option<NonNull<u8>> {
    let layout = layout(bytes)?;
    // SAFETY: the size is not zero.
    let block = unsafe { HEAP.lock().allocate(layout) }?;
    // SAFETY: the block begins with room for the size, aligned to 16.
    unsafe { block.cast::<usize>().write(bytes) };
    // SAFETY: the header is inside the block.
    Some(unsafe { block.add(HEADER) })
}

/// Size of a block of [`allocate`].
///
/// # Safety
/// `block` must have come from `allocate` and not be freed.
unsafe fn size_of_block(block: NonNull<u8>) -> usize {
    // SAFETY: the caller's promise: the header stands before the block.
    let header = unsafe { block.sub(HEADER) };
    // SAFETY: `allocate` wrote it.
    unsafe { header.cast::<usize>().read() }
}

/// # Safety
/// As for [`size_of_block`], and the block is not used afterwards.
unsafe fn free(block: NonNull<u8>) {
    // SAFETY: the caller's promise.
    let bytes = unsafe { size_of_block(block) };
    let Some(layout) = layout(bytes) else { return };
    // SAFETY: the header is the start of what was allocated.
    let start = unsafe { block.sub(HEADER) };
    // SAFETY: allocated with this layout.
    unsafe { HEAP.lock().deallocate(start.as_ptr(), layout) };
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn RtlAllocateHeap(
    _heap: *mut c_void,
    flags: ULONG,
    bytes: SIZE_T,
) -> *mut c_void {
    let Some(block) = allocate(bytes) else {
        return core::ptr::null_mut();
    };
    if flags & HEAP_ZERO_MEMORY != 0 {
        // SAFETY: the block has this many bytes.
        unsafe { block.write_bytes(0, bytes) };
    }
    block.as_ptr().cast()
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn RtlFreeHeap(
    _heap: *mut c_void,
    _flags: ULONG,
    block: *mut c_void,
) -> BOOLEAN {
    if let Some(block) = NonNull::new(block.cast()) {
        // SAFETY: the caller gives back what RtlAllocateHeap gave.
        unsafe { free(block) };
    }
    1
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlReAllocateHeap(
    heap: *mut c_void,
    flags: ULONG,
    block: *mut c_void,
    bytes: SIZE_T,
) -> *mut c_void {
    let Some(old) = NonNull::new(block.cast::<u8>()) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the caller passes what RtlAllocateHeap gave.
    let before = unsafe { size_of_block(old) };
    // SAFETY: an allocation like any other.
    let new = unsafe { RtlAllocateHeap(heap, flags, bytes) }.cast::<u8>();
    if !new.is_null() {
        // SAFETY: two different blocks, each with at least this many bytes.
        unsafe { core::ptr::copy_nonoverlapping(old.as_ptr(), new, before.min(bytes)) };
        // SAFETY: the caller gave the old block away: it has the new one instead.
        unsafe { free(old) };
    }
    new.cast()
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlSizeHeap(
    _heap: *mut c_void,
    _flags: ULONG,
    block: *mut c_void,
) -> SIZE_T {
    // SAFETY: the caller passes what RtlAllocateHeap gave.
    NonNull::new(block.cast()).map_or(usize::MAX, |block| unsafe { size_of_block(block) })
}
