// SPDX-License-Identifier: GPL-2.0-or-later
//! A few pages that are part of the image, for what an ordinary boot asks for: no system call to
//! get them, none to give them back.
//!
//! Invariants: a set bit of the map is a page that is owned; the caller that sets a bit owns its page
//! until it is given back; a page is zeroed when it is taken, unless nobody has had it yet. What does
//! not fit comes from the kernel.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

const PAGE: usize = 4096;
/// The pool's size: the registry pass of an ordinary installation and the list of known DLLs.
const COUNT: usize = 12;

#[repr(C, align(4096))]
struct Memory(UnsafeCell<[[u8; PAGE]; COUNT]>);

// SAFETY: a page is touched only by the owner that `MAP` gives it.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([[0; PAGE]; COUNT]));
/// Bit n: page n has an owner.
static MAP: AtomicU32 = AtomicU32::new(0);
/// Bit n: page n has had an owner.
static USED: AtomicU32 = AtomicU32::new(0);

const _: () = assert!(COUNT < 32);

/// The bits of `count` pages from the first on.
const fn run(count: usize) -> u32 {
    (1 << count) - 1
}

/// A run of zeroed pages of at least `bytes` bytes, with its size; `None` if no such run is free.
pub(crate) fn take(bytes: usize) -> Option<(NonNull<u8>, usize)> {
    let count = bytes.max(1).div_ceil(PAGE);
    for first in 0..(COUNT + 1).saturating_sub(count) {
        let wanted = run(count) << first;
        // Nobody else's bits change by this: it is taken whole or not at all.
        let taken = MAP.fetch_update(Ordering::Acquire, Ordering::Relaxed, |map| {
            (map & wanted == 0).then_some(map | wanted)
        });
        if taken.is_ok() {
            let base = MEMORY.0.get().cast::<u8>().wrapping_add(first * PAGE);
            // Set before the pages are given back, and so seen by whoever takes them again.
            if USED.fetch_or(wanted, Ordering::Relaxed) & wanted != 0 {
                // SAFETY: these pages lie in `MEMORY` and have no owner but this call.
                unsafe { base.write_bytes(0, count * PAGE) };
            }
            return NonNull::new(base).map(|base| (base, count * PAGE));
        }
    }
    None
}

/// Whether a page is one of the pool's.
pub(crate) fn has(page: NonNull<u8>) -> bool {
    let pool = MEMORY.0.get().addr();
    page.addr().get().wrapping_sub(pool) < COUNT * PAGE
}

/// Ends the ownership of a run.
///
/// # Safety
/// [`take`] gave the run, and its owner uses it no more.
pub(crate) unsafe fn give_back(base: NonNull<u8>, bytes: usize) {
    let first = (base.as_ptr().addr() - MEMORY.0.get().addr()) / PAGE;
    MAP.fetch_and(!(run(bytes / PAGE) << first), Ordering::Release);
}
