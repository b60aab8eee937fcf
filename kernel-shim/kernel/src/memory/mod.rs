// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory: physical frames, the kernel's heap, page tables.

pub mod frames;
mod heap;
pub mod paging;
pub mod physical;
