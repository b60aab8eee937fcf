// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory: physical frames, the kernel's heap, page tables.

pub mod frames;
mod heap;
pub mod paging;
pub mod physical;

/// Where the kernel image is linked, less where it is loaded.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;
