// SPDX-License-Identifier: GPL-2.0-or-later
//! The frame allocator: which 4 KiB frames of physical memory are free.
//!
//! One bit a frame, for the first 4 GiB (what the direct map covers). Single frames come from the
//! lowest free address on, runs of frames (page tables never need them, the heap and the disks do)
//! from anywhere. A frame is handed out zeroed.

use super::physical::{DIRECT_LIMIT, PAGE, Untouched, virtual_address};
use crate::boot::Region;
use spin::Mutex;

const FRAMES: usize = (DIRECT_LIMIT / PAGE) as usize;
const WORDS: usize = FRAMES / 64;

struct Bitmap {
    /// A set bit is a free frame.
    free: [u64; WORDS],
    /// No free frame below this word.
    hint: usize,
    available: usize,
    total: usize,
    /// Frames given out one by one.
    single: usize,
}

static BITMAP: Mutex<Bitmap> = Mutex::new(Bitmap {
    free: [0; WORDS],
    hint: 0,
    available: 0,
    total: 0,
    single: 0,
});

/// Takes the usable regions of the memory map, without what lies below `reserved_end` (the
/// firmware's megabyte and the kernel). From now on frames can be given out.
pub fn initialize(_untouched: Untouched, regions: &[Region], reserved_end: u64) {
    let mut bitmap = BITMAP.lock();
    for region in regions {
        let start = region.start.max(reserved_end).div_ceil(PAGE);
        let end = region.start.saturating_add(region.length).min(DIRECT_LIMIT) / PAGE;
        let (start, end) = (start as usize, end as usize);
        for (index, word) in bitmap
            .free
            .iter_mut()
            .enumerate()
            .take(end.div_ceil(64))
            .skip(start / 64)
        {
            let first = index * 64;
            let low = u64::MAX << start.saturating_sub(first);
            let high = if end - first >= 64 {
                u64::MAX
            } else {
                !(u64::MAX << (end - first))
            };
            *word |= low & high;
        }
    }
    bitmap.available = bitmap
        .free
        .iter()
        .map(|word| word.count_ones() as usize)
        .sum();
    bitmap.total = bitmap.available;
}

/// Takes one frame, zeroed: its physical address. `None` if memory is used up.
pub fn allocate() -> Option<u64> {
    let frame = {
        let mut bitmap = BITMAP.lock();
        let hint = bitmap.hint;
        let found = bitmap
            .free
            .iter()
            .enumerate()
            .skip(hint)
            .find(|(_, word)| **word != 0)
            .map(|(index, word)| (index, word.trailing_zeros()));
        let (index, bit) = found?;
        bitmap.free[index] &= !(1 << bit);
        bitmap.hint = index;
        bitmap.available -= 1;
        bitmap.single += 1;
        (index as u64 * 64 + u64::from(bit)) * PAGE
    };
    zero(frame, 1);
    Some(frame)
}

/// Takes `count` adjoining frames, zeroed: the physical address of the first.
pub fn allocate_run(count: usize) -> Option<u64> {
    let first = {
        let mut bitmap = BITMAP.lock();
        let mut run = 0;
        let mut found = None;
        let mut frame = bitmap.hint * 64;
        while frame < FRAMES {
            let word = bitmap.free[frame / 64];
            if frame.is_multiple_of(64) && word == 0 {
                run = 0;
                frame += 64;
                continue;
            }
            run = if word & (1 << (frame % 64)) != 0 {
                run + 1
            } else {
                0
            };
            frame += 1;
            if run == count {
                found = Some(frame - count);
                break;
            }
        }
        let first = found?;
        for frame in first..first + count {
            bitmap.free[frame / 64] &= !(1 << (frame % 64));
        }
        bitmap.available -= count;
        first as u64 * PAGE
    };
    zero(first, count);
    Some(first)
}

/// Gives `count` frames back.
///
/// # Safety
/// The frames came from this allocator, and nothing refers to them any more.
pub unsafe fn free(first: u64, count: usize) {
    let mut bitmap = BITMAP.lock();
    let start = (first / PAGE) as usize;
    for frame in start..start + count {
        assert!(
            bitmap.free[frame / 64] & (1 << (frame % 64)) == 0,
            "frame {frame:#x} freed twice"
        );
        bitmap.free[frame / 64] |= 1 << (frame % 64);
    }
    bitmap.available += count;
    if count == 1 {
        bitmap.single -= 1;
    }
    bitmap.hint = bitmap.hint.min(start / 64);
}

/// Free frames, and all frames that were ever free.
pub fn counts() -> (usize, usize) {
    let bitmap = BITMAP.lock();
    (bitmap.available, bitmap.total)
}

/// Frames that were given out one by one and have not come back: what processes use.
pub fn single() -> usize {
    BITMAP.lock().single
}

fn zero(first: u64, count: usize) {
    let length = count as u64 * PAGE;
    if let Some(at) = virtual_address(first, length) {
        // SAFETY: the frames were just taken out of the bitmap, so that nothing refers to them, and
        // the direct map covers them.
        unsafe { core::ptr::write_bytes(at as *mut u8, 0, length as usize) };
    }
}
