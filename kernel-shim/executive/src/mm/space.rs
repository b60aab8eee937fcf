// SPDX-License-Identifier: GPL-2.0-or-later
//! A process's address space: virtual address descriptors, and the pages under them.
//!
//! Nothing is mapped until it is touched: [`AddressSpace::touch`] does that. Here is what is
//! reserved, committed, protected and free.
//!
//! Invariants: descriptors do not overlap and begin on 64 KB; the machine maps a page only if its
//! descriptor has it committed; `committed` counts the private pages of this space that are charged.

use super::protection::Protect;
use super::segment::Segments;
use super::vad::{PAGE_BYTES, PageState, Use, Vad, page_protection};
use crate::machine::{Architecture, Machine, SpaceId};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use nt::{Result, Status};

/// The granularity of reservations, in bytes.
pub const GRANULARITY: u64 = 0x1_0000;
/// The lowest address that can be allocated.
pub const LOWEST: u64 = 0x1_0000;
/// KUSER_SHARED_DATA, and the 64 KB around it that nothing else may have.
pub const SHARED_DATA: u64 = abi::shared_data::ADDRESS;

pub use abi::memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_FREE, MEM_IMAGE, MEM_MAPPED, MEM_PRIVATE, MEM_RELEASE,
    MEM_RESERVE, MEM_RESET, MEM_TOP_DOWN,
};

/// What is asked of [`AddressSpace::allocate`].
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// Where; 0 for anywhere.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// How many high bits of the address must be 0, or a mask of the bits that may be set.
    pub zero_bits: u64,
    /// `MEM_` type.
    pub kind: u32,
    /// `PAGE_` protection.
    pub protect: u32,
}

/// The address space of a process.
#[derive(Debug)]
pub struct AddressSpace {
    /// What the machine knows it by.
    pub(super) space: SpaceId,
    /// Whose addresses they are.
    architecture: Architecture,
    /// The descriptors, by first address.
    pub(super) vads: BTreeMap<u64, Vad>,
    /// Private pages that are charged.
    pub(super) committed: u64,
}

pub(super) const fn page_down(address: u64) -> u64 {
    address & !(PAGE_BYTES - 1)
}

impl AddressSpace {
    /// An empty address space, but for the shared data page.
    pub fn new(space: SpaceId, architecture: Architecture) -> Self {
        let shared = Vad {
            start: SHARED_DATA,
            pages: 16,
            protect: Protect::READ_ONLY,
            kind: Use::Shared,
            entries: BTreeMap::new(),
        };
        Self {
            space,
            architecture,
            vads: BTreeMap::from([(SHARED_DATA, shared)]),
            committed: 0,
        }
    }

    /// What the machine knows it by.
    pub const fn id(&self) -> SpaceId {
        self.space
    }

    /// The first address beyond it.
    pub(super) const fn end(&self) -> u64 {
        self.architecture.user_end()
    }

    /// One past the highest address that satisfies `ZeroBits`: how many of its high bits are 0, or,
    /// on x86-64, a mask of those that may be set.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_3`.
    pub(super) fn zero_bits_limit(&self, zero_bits: u64) -> Result<u64> {
        let limit = match (self.architecture, zero_bits) {
            (_, 0) => u64::MAX,
            (Architecture::Amd64, 1..=53) => u64::MAX >> zero_bits,
            (Architecture::Amd64, mask @ 0x1_0000..) => u64::MAX >> mask.leading_zeros(),
            (Architecture::I386, 1..=21) => u64::from(u32::MAX >> zero_bits),
            _ => return Err(Status::INVALID_PARAMETER_3),
        };
        Ok(limit.saturating_add(1).min(self.end()))
    }

    /// Private pages that are charged.
    pub const fn committed(&self) -> u64 {
        self.committed
    }

    /// How many descriptors there are.
    pub fn descriptors(&self) -> usize {
        self.vads.len()
    }

    /// The descriptor that covers an address.
    pub fn find(&self, address: u64) -> Option<&Vad> {
        self.vads
            .range(..=address)
            .next_back()
            .map(|(_, vad)| vad)
            .filter(|vad| address < vad.end())
    }

    /// The descriptor that covers an address, to change.
    pub fn find_mut(&mut self, address: u64) -> Option<&mut Vad> {
        self.vads
            .range_mut(..=address)
            .next_back()
            .map(|(_, vad)| vad)
            .filter(|vad| address < vad.end())
    }

    fn is_free(&self, start: u64, end: u64) -> bool {
        self.vads
            .range(..end)
            .next_back()
            .is_none_or(|(_, vad)| vad.end() <= start)
    }

    /// A free range of `size` bytes below `limit`, on 64 KB: the lowest one, or the highest.
    pub fn find_free(&self, size: u64, limit: u64, top_down: bool) -> Option<u64> {
        let fits = |start: u64, end: u64| end.checked_sub(start).is_some_and(|room| room >= size);
        let mut gaps: Vec<(u64, u64)> = Vec::new();
        let mut from = LOWEST;
        for vad in self.vads.values() {
            gaps.push((from, vad.start.min(limit)));
            from = vad.end().next_multiple_of(GRANULARITY);
        }
        gaps.push((from, limit));
        if top_down {
            let place = |end: u64| {
                end.checked_sub(size)
                    .map(|start| start & !(GRANULARITY - 1))
            };
            return gaps
                .into_iter()
                .rev()
                .find_map(|(start, end)| place(end).filter(|&at| at >= start && fits(at, end)));
        }
        gaps.into_iter()
            .find(|&(start, end)| fits(start, end))
            .map(|(start, _)| start)
    }

    /// NtAllocateVirtualMemory: where, and how many bytes.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2` to `_5`, `INVALID_PAGE_PROTECTION`, `CONFLICTING_ADDRESSES`,
    /// `NO_MEMORY`.
    pub fn allocate(
        &mut self,
        machine: &mut dyn Machine,
        segments: &mut Segments,
        request: Allocation,
    ) -> Result<(u64, u64)> {
        let limit = self.zero_bits_limit(request.zero_bits)?;
        let known = MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | MEM_RESET | 0x20_0000 | 0x40_0000;
        let reset = request.kind & MEM_RESET != 0;
        if request.kind & !known != 0
            || request.kind & (MEM_COMMIT | MEM_RESERVE | MEM_RESET) == 0
            || reset && request.kind != MEM_RESET
        {
            return Err(Status::INVALID_PARAMETER_5);
        }
        let protect = Protect::parse(request.protect)?;
        if protect.is_copy() {
            return Err(Status::INVALID_PAGE_PROTECTION);
        }
        if request.base >= self.end() {
            return Err(Status::INVALID_PARAMETER_2);
        }
        if request.size == 0 || request.size > self.end() - request.base {
            return Err(Status::INVALID_PARAMETER_4);
        }
        if request.base == 0 || request.kind & MEM_RESERVE != 0 {
            let (start, end) = self.place(request, limit)?;
            let pages = (end - start) / PAGE_BYTES;
            let commit = request.kind & MEM_COMMIT != 0;
            let mut entries = BTreeMap::new();
            if commit {
                charge(machine, pages)?;
                self.committed += pages;
                entries = (0..pages)
                    .map(|page| {
                        (
                            page,
                            PageState {
                                protect,
                                frame: None,
                            },
                        )
                    })
                    .collect();
            }
            self.vads.insert(
                start,
                Vad {
                    start,
                    pages,
                    protect,
                    kind: Use::Private,
                    entries,
                },
            );
            return Ok((start, end - start));
        }
        let start = page_down(request.base);
        let end = page_down(request.base + request.size + PAGE_BYTES - 1);
        if reset {
            // The content may be thrown away; keeping it is right too.
            return self
                .find(start)
                .filter(|vad| end <= vad.end())
                .map(|_| (start, end - start))
                .ok_or(Status::CONFLICTING_ADDRESSES);
        }
        self.commit(machine, segments, start, end, protect)?;
        Ok((start, end - start))
    }

    fn place(&self, request: Allocation, limit: u64) -> Result<(u64, u64)> {
        if request.base == 0 {
            let size = request.size.next_multiple_of(PAGE_BYTES);
            let start = self
                .find_free(size, limit, request.kind & MEM_TOP_DOWN != 0)
                .ok_or(Status::NO_MEMORY)?;
            return Ok((start, start + size));
        }
        // A caller that names an address in the first 64 KB gets it: the first megabyte is reserved
        // like that (spec 9.4).
        let start = request.base & !(GRANULARITY - 1);
        let end = page_down(request.base + request.size + PAGE_BYTES - 1);
        if end > self.end() || !self.is_free(start, end) {
            return Err(Status::CONFLICTING_ADDRESSES);
        }
        Ok((start, end))
    }

    fn commit(
        &mut self,
        machine: &mut dyn Machine,
        segments: &mut Segments,
        start: u64,
        end: u64,
        protect: Protect,
    ) -> Result<()> {
        let space = self.space;
        let vad = self
            .find_mut(start)
            .filter(|vad| end <= vad.end())
            .ok_or(Status::CONFLICTING_ADDRESSES)?;
        let pages = (start - vad.start) / PAGE_BYTES..(end - vad.start) / PAGE_BYTES;
        match vad.kind {
            Use::Private => {
                let fresh = pages
                    .clone()
                    .filter(|page| !vad.entries.contains_key(page))
                    .count() as u64;
                charge(machine, fresh)?;
                for page in pages {
                    let entry = vad.entries.entry(page).or_insert(PageState {
                        protect,
                        frame: None,
                    });
                    entry.protect = protect;
                    machine.protect(space, vad.start + page * PAGE_BYTES, protect.machine(true));
                }
                self.committed += fresh;
                Ok(())
            }
            Use::View {
                segment,
                first,
                image: false,
                ..
            } => {
                let segment = segments
                    .get_mut(segment)
                    .ok_or(Status::CONFLICTING_ADDRESSES)?;
                if let super::segment::Backing::Memory {
                    all: false,
                    committed,
                } = &mut segment.backing
                {
                    committed.extend(pages.map(|page| first + page as u32));
                    return Ok(());
                }
                Err(Status::ALREADY_COMMITTED)
            }
            Use::View { .. } | Use::Shared => Err(Status::CONFLICTING_ADDRESSES),
        }
    }

    /// NtFreeVirtualMemory: what was freed.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_4` for the type, `MEMORY_NOT_ALLOCATED`, `UNABLE_TO_DELETE_SECTION` for a
    /// view, `UNABLE_TO_FREE_VM`, `FREE_VM_NOT_AT_BASE`.
    pub fn free(
        &mut self,
        machine: &mut dyn Machine,
        base: u64,
        size: u64,
        kind: u32,
    ) -> Result<(u64, u64)> {
        if !matches!(kind, MEM_DECOMMIT | MEM_RELEASE) {
            return Err(Status::INVALID_PARAMETER_4);
        }
        if base >= self.end() {
            return Err(Status::INVALID_PARAMETER_2);
        }
        if size > self.end() - base {
            return Err(Status::INVALID_PARAMETER_3);
        }
        let mut start = page_down(base);
        let mut end = page_down(base + size + PAGE_BYTES - 1);
        let vad = self.find(start).ok_or(Status::MEMORY_NOT_ALLOCATED)?;
        if vad.kind != Use::Private {
            return Err(Status::UNABLE_TO_DELETE_SECTION);
        }
        if size == 0 {
            if start != vad.start {
                return Err(Status::FREE_VM_NOT_AT_BASE);
            }
            (start, end) = (vad.start, vad.end());
        }
        if end > vad.end() {
            return Err(Status::UNABLE_TO_FREE_VM);
        }
        let whole = vad.start;
        self.decommit(machine, start, end);
        if kind == MEM_RELEASE
            && let Some(mut vad) = self.vads.remove(&whole)
        {
            // What is left on either side stays reserved.
            let (before, after) = (
                (start - vad.start) / PAGE_BYTES,
                (end - vad.start) / PAGE_BYTES,
            );
            if after < vad.pages {
                let rest = vad.entries.split_off(&after);
                let entries = rest
                    .into_iter()
                    .map(|(page, entry)| (page - after, entry))
                    .collect();
                let right = Vad {
                    start: end,
                    pages: vad.pages - after,
                    entries,
                    ..vad.clone()
                };
                self.vads.insert(end, right);
            }
            if before > 0 {
                vad.pages = before;
                self.vads.insert(vad.start, vad);
            }
        }
        Ok((start, end - start))
    }

    fn decommit(&mut self, machine: &mut dyn Machine, start: u64, end: u64) {
        let space = self.space;
        let Some(vad) = self.find_mut(start) else {
            return;
        };
        let mut gone = 0;
        for page in (start - vad.start) / PAGE_BYTES..(end - vad.start) / PAGE_BYTES {
            if let Some(entry) = vad.entries.remove(&page) {
                gone += 1;
                if let Some(frame) = entry.frame {
                    machine.unmap(space, vad.start + page * PAGE_BYTES);
                    machine.free_frame(frame);
                }
            }
        }
        self.committed = self.committed.saturating_sub(gone);
    }

    /// NtProtectVirtualMemory: base, size and the old protection of the first page.
    ///
    /// # Errors
    /// `INVALID_PAGE_PROTECTION`, `CONFLICTING_ADDRESSES`, `NOT_COMMITTED`; `SECTION_PROTECTION`
    /// for write access to a view without it.
    pub fn protect(
        &mut self,
        machine: &mut dyn Machine,
        segments: &Segments,
        base: u64,
        size: u64,
        protect: u32,
    ) -> Result<(u64, u64, u32)> {
        let wanted = Protect::parse(protect)?;
        if base >= self.end() {
            return Err(Status::INVALID_PARAMETER_2);
        }
        if size == 0 || size > self.end() - base {
            return Err(Status::INVALID_PARAMETER_3);
        }
        let (start, end) = (page_down(base), page_down(base + size + PAGE_BYTES - 1));
        let space = self.space;
        let vad = self
            .find_mut(start)
            .filter(|vad| end <= vad.end())
            .ok_or(Status::CONFLICTING_ADDRESSES)?;
        let pages = (start - vad.start) / PAGE_BYTES..(end - vad.start) / PAGE_BYTES;
        let (segment, wanted) = match vad.kind {
            Use::Private if wanted.is_copy() => return Err(Status::INVALID_PAGE_PROTECTION),
            Use::Private => (None, wanted),
            Use::View {
                segment,
                image: true,
                ..
            } => (Some(segment), wanted.sharing()),
            Use::View { segment, .. } => {
                let exceeds =
                    wanted.is_writable() && !wanted.is_copy() && !vad.protect.is_writable();
                if exceeds || vad.protect.is_copy() && wanted.is_writable() && !wanted.is_copy() {
                    return Err(Status::SECTION_PROTECTION);
                }
                (Some(segment), wanted)
            }
            Use::Shared => return Err(Status::INVALID_PAGE_PROTECTION),
        };
        let segment = segment.and_then(|id| segments.get(id));
        let states: Option<Vec<Protect>> = pages
            .clone()
            .map(|page| page_protection(vad, segment, page))
            .collect();
        let old = states
            .ok_or(Status::NOT_COMMITTED)?
            .first()
            .copied()
            .ok_or(Status::NOT_COMMITTED)?;
        for page in pages {
            let frame = vad.entries.get(&page).and_then(|entry| entry.frame);
            // A page that was copied already is private: it is written, not copied again.
            let now = if frame.is_some() {
                wanted.copied()
            } else {
                wanted
            };
            vad.entries.insert(
                page,
                PageState {
                    protect: now,
                    frame,
                },
            );
            machine.protect(
                space,
                vad.start + page * PAGE_BYTES,
                now.machine(frame.is_some()),
            );
        }
        Ok((start, end - start, old.0))
    }
}

/// Whether this many pages may be promised: nothing is ever paged out, so a promise must have a
/// free page behind it.
pub fn charge(machine: &dyn Machine, pages: u64) -> Result<()> {
    if pages > machine.available_pages() {
        Err(Status::NO_MEMORY)
    } else {
        Ok(())
    }
}
