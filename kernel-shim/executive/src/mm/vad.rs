// SPDX-License-Identifier: GPL-2.0-or-later
//! Virtual address descriptors: what a range of addresses is for, and which of its pages differ.
//!
//! Invariant: a page with an entry lies inside its descriptor.

use super::protection::Protect;
use super::segment::{Segment, SegmentId};
use crate::machine::{Frame, PAGE};
use alloc::collections::BTreeMap;

pub(super) const PAGE_BYTES: u64 = PAGE as u64;

/// What a range of addresses is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Private memory.
    Private,
    /// A view of a segment, from this page of it on.
    View {
        /// The segment.
        segment: SegmentId,
        /// The first page.
        first: u32,
        /// Whether it is an image.
        image: bool,
        /// Children get it too (`ViewShare`).
        inherit: bool,
    },
    /// The page every process shares with the kernel; the machine maps it.
    Shared,
}

/// A page that differs from what its descriptor says of all its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageState {
    /// Its protection; none for a page of a private range that is not committed.
    pub protect: Protect,
    /// A frame of this space's own.
    pub frame: Option<Frame>,
}

/// A virtual address descriptor.
#[derive(Clone, Debug)]
pub struct Vad {
    /// First address.
    pub start: u64,
    /// Pages.
    pub pages: u64,
    /// `AllocationProtect`.
    pub protect: Protect,
    /// What it is for.
    pub kind: Use,
    /// Committed pages (private), changed or copied pages (view), by page from `start`.
    pub entries: BTreeMap<u64, PageState>,
}

impl Vad {
    /// One past the last address.
    pub const fn end(&self) -> u64 {
        self.start + self.pages * PAGE_BYTES
    }
}

/// The protection of a committed page; none if it is only reserved.
pub(super) fn page_protection(vad: &Vad, segment: Option<&Segment>, page: u64) -> Option<Protect> {
    if let Some(entry) = vad.entries.get(&page) {
        return Some(entry.protect);
    }
    match (vad.kind, segment) {
        (Use::View { first, image, .. }, Some(segment)) => {
            let page = first + page as u32;
            match segment.image() {
                Some(header) if image => Some(Segment::image_protection(header, page)),
                _ => segment.is_committed(page).then_some(vad.protect),
            }
        }
        (Use::Shared, _) => (page == 0).then_some(Protect::READ_ONLY),
        _ => None,
    }
}
