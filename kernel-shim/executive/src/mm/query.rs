// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be asked about an address space: its regions, and how much memory is its own.

use super::protection::Protect;
use super::segment::Segments;
use super::space::{AddressSpace, page_down};
use super::vad::{PAGE_BYTES, Use, page_protection};
pub use abi::memory::{MEM_COMMIT, MEM_FREE, MEM_IMAGE, MEM_MAPPED, MEM_PRIVATE, MEM_RESERVE};
use nt::{Result, Status};

/// MEMORY_BASIC_INFORMATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First address of the region.
    pub base: u64,
    /// First address of the allocation it belongs to; 0 for a free one.
    pub allocation: u64,
    /// The protection that was given when it was reserved.
    pub allocation_protect: u32,
    /// Bytes with the same state from `base` on.
    pub size: u64,
    /// `MEM_COMMIT`, `MEM_RESERVE` or `MEM_FREE`.
    pub state: u32,
    /// Protection of committed pages, else 0; `PAGE_NOACCESS` for free ones.
    pub protect: u32,
    /// `MEM_PRIVATE`, `MEM_MAPPED`, `MEM_IMAGE`, or 0.
    pub kind: u32,
}

impl AddressSpace {
    /// Bytes that must be promised to this process alone: its committed private pages, and the
    /// pages of images that it may write, touched or not.
    pub fn private_bytes(&self, segments: &Segments) -> u64 {
        let pages = self.vads.values().map(|vad| {
            let segment = match vad.kind {
                Use::Private => None,
                Use::View {
                    segment,
                    image: true,
                    ..
                } => segments.get(segment),
                Use::View { .. } | Use::Shared => return 0,
            };
            let promised =
                |protect: Protect| segment.is_none() || protect.is_copy() || protect.is_writable();
            (0..vad.pages)
                .filter(|&page| page_protection(vad, segment, page).is_some_and(promised))
                .count() as u64
        });
        pages.sum::<u64>() * PAGE_BYTES
    }

    /// NtQueryVirtualMemory, MemoryBasicInformation. `INVALID_PARAMETER` past the end of user
    /// space.
    pub fn query(&self, segments: &Segments, address: u64) -> Result<Region> {
        if address >= self.end() {
            return Err(Status::INVALID_PARAMETER);
        }
        let base = page_down(address);
        let Some(vad) = self.find(base) else {
            let next = self
                .vads
                .range(base..)
                .next()
                .map_or(self.end(), |(&start, _)| start);
            let free = Region {
                base,
                allocation: 0,
                allocation_protect: 0,
                size: next - base,
                state: MEM_FREE,
                protect: 1,
                kind: 0,
            };
            return Ok(free);
        };
        let (segment, kind) = match vad.kind {
            Use::Private | Use::Shared => (None, MEM_PRIVATE),
            Use::View { segment, image, .. } => (
                segments.get(segment),
                if image { MEM_IMAGE } else { MEM_MAPPED },
            ),
        };
        let first = (base - vad.start) / PAGE_BYTES;
        let state = page_protection(vad, segment, first);
        let same = (first..vad.pages)
            .take_while(|&page| page_protection(vad, segment, page) == state)
            .count() as u64;
        Ok(Region {
            base,
            allocation: vad.start,
            allocation_protect: vad.protect.0,
            size: same * PAGE_BYTES,
            state: if state.is_some() {
                MEM_COMMIT
            } else {
                MEM_RESERVE
            },
            protect: state.map_or(0, |protect| protect.0),
            kind,
        })
    }
}
