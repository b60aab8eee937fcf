// SPDX-License-Identifier: GPL-2.0-or-later
//! The kernel's heap: the talc allocator, fed with runs of frames as it grows.
//!
//! It never shrinks. When memory is used up, allocation fails and the kernel stops: what a process
//! asks for comes from the frame allocator directly, which reports `NO_MEMORY` instead.

use super::{frames, physical};
use core::alloc::Layout;
use talc::TalcLock;
use talc::base::{Talc, binning::Binning};
use talc::source::Source;

/// The heap grows by at least this many frames (4 MiB).
const STEP: usize = 1024;

#[derive(Debug)]
struct Frames;

// SAFETY: `acquire` claims only memory that it has just taken from the frame allocator.
unsafe impl Source for Frames {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        // Room for the allocation, its alignment and the allocator's own records.
        let bytes = layout.size().checked_add(layout.align()).ok_or(())?;
        let pages = (bytes / physical::PAGE as usize)
            .checked_add(16)
            .ok_or(())?
            .max(STEP);
        let first = frames::allocate_run(pages).ok_or(())?;
        let at = physical::virtual_address(first, pages as u64 * physical::PAGE).ok_or(())?;
        // SAFETY: the run is ours alone from here on, mapped writable, and never given back.
        unsafe { talc.claim(at as *mut u8, pages * physical::PAGE as usize) }
            .map(|_| ())
            .ok_or(())
    }
}

#[global_allocator]
static HEAP: TalcLock<spin::Mutex<()>, Frames> = TalcLock::new(Frames);
