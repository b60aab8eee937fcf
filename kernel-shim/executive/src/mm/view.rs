// SPDX-License-Identifier: GPL-2.0-or-later
//! Views: segments in an address space, and what the first touch of a page does.

use super::protection::Protect;
use super::segment::{Backing, Segment, SegmentId, Segments};
use super::space::{AddressSpace, GRANULARITY, MEM_RESERVE, MEM_TOP_DOWN, charge};
use super::vad::{PAGE_BYTES, PageState, Use, Vad, page_protection};
use crate::machine::{Frame, Machine, PAGE, PageAccess};
use alloc::collections::BTreeMap;
use nt::{Result, Status};

/// What is asked of [`AddressSpace::map`].
#[derive(Clone, Copy, Debug)]
pub struct ViewRequest {
    /// The segment.
    pub segment: SegmentId,
    /// The protection of the section object.
    pub section: Protect,
    /// Where; 0 for anywhere, or where the segment is based.
    pub base: u64,
    /// As for allocations.
    pub zero_bits: u64,
    /// From which byte of the segment on.
    pub offset: u64,
    /// Bytes; 0 for all the rest.
    pub size: u64,
    /// `ViewShare`, else `ViewUnmap`.
    pub inherit: bool,
    /// `MEM_` type: `MEM_TOP_DOWN` and `MEM_RESERVE` mean something.
    pub kind: u32,
    /// `PAGE_` protection.
    pub protect: u32,
}

/// A new view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// Not an image that had to move from its preferred base (`IMAGE_NOT_AT_BASE`).
    pub at_base: bool,
}

/// What touching a page came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// The page is mapped.
    Done,
    /// This page of a file must be read first.
    Read {
        /// Its segment.
        segment: SegmentId,
        /// The page there.
        page: u32,
    },
}

impl AddressSpace {
    /// NtMapViewOfSection. The segment gets a reference.
    ///
    /// # Errors
    /// `INVALID_PAGE_PROTECTION`, `SECTION_PROTECTION`, `MAPPED_ALIGNMENT`, `INVALID_VIEW_SIZE`,
    /// `CONFLICTING_ADDRESSES`, `NO_MEMORY`.
    pub fn map(&mut self, segments: &mut Segments, request: ViewRequest) -> Result<Mapped> {
        let limit = self.zero_bits_limit(request.zero_bits)?;
        let protect = Protect::parse(request.protect)?;
        if protect.is_guard() {
            return Err(Status::INVALID_PAGE_PROTECTION);
        }
        if request.base >= self.end() {
            return Err(Status::INVALID_PARAMETER_3);
        }
        let segment = segments
            .get(request.segment)
            .ok_or(Status::SECTION_NOT_IMAGE)?;
        let top_down = request.kind & MEM_TOP_DOWN != 0;
        let mapped = match segment.image() {
            Some(image) => self.place_image(
                request,
                image.headers.image_base,
                segment.size,
                limit,
                top_down,
            )?,
            None => self.place_data(request, protect, segment, limit, top_down)?,
        };
        let image = segment.image().is_some();
        let first = if image {
            0
        } else {
            (request.offset / PAGE_BYTES) as u32
        };
        let kind = Use::View {
            segment: request.segment,
            first,
            image,
            inherit: request.inherit,
        };
        let protect = if image {
            Protect::EXECUTE_WRITE_COPY
        } else {
            protect
        };
        let vad = Vad {
            start: mapped.base,
            pages: mapped.size / PAGE_BYTES,
            protect,
            kind,
            entries: BTreeMap::new(),
        };
        self.vads.insert(mapped.base, vad);
        segments.reference(request.segment);
        Ok(mapped)
    }

    fn place_image(
        &self,
        request: ViewRequest,
        preferred: u64,
        size: u64,
        limit: u64,
        top_down: bool,
    ) -> Result<Mapped> {
        let free = |base: u64| {
            base >= super::space::LOWEST && base + size <= limit && self.is_unused(base, size)
        };
        if request.base != 0 {
            let base = request.base & !(GRANULARITY - 1);
            return if free(base) {
                Ok(Mapped {
                    base,
                    size,
                    at_base: base == preferred,
                })
            } else {
                Err(Status::CONFLICTING_ADDRESSES)
            };
        }
        if preferred < self.end() && free(preferred) {
            return Ok(Mapped {
                base: preferred,
                size,
                at_base: true,
            });
        }
        let base = self
            .find_free(size, limit, top_down)
            .ok_or(Status::NO_MEMORY)?;
        Ok(Mapped {
            base,
            size,
            at_base: false,
        })
    }

    fn place_data(
        &self,
        request: ViewRequest,
        protect: Protect,
        segment: &Segment,
        limit: u64,
        top_down: bool,
    ) -> Result<Mapped> {
        let writes = protect.is_writable() && !protect.is_copy();
        if writes && (!request.section.is_writable() || request.section.is_copy()) {
            return Err(Status::SECTION_PROTECTION);
        }
        if protect.is_executable() && !request.section.is_executable() {
            return Err(Status::SECTION_PROTECTION);
        }
        if !request.offset.is_multiple_of(GRANULARITY) || !request.base.is_multiple_of(GRANULARITY)
        {
            return Err(Status::MAPPED_ALIGNMENT);
        }
        let whole = segment.size.next_multiple_of(PAGE_BYTES);
        let rest = whole
            .checked_sub(request.offset)
            .filter(|&rest| rest > 0)
            .ok_or(Status::INVALID_VIEW_SIZE)?;
        let size = if request.size == 0 {
            rest
        } else {
            request
                .size
                .checked_next_multiple_of(PAGE_BYTES)
                .unwrap_or(u64::MAX)
        };
        if size > rest && request.kind & MEM_RESERVE == 0 || size > self.end() {
            return Err(Status::INVALID_VIEW_SIZE);
        }
        let chosen = match segment.based {
            Some(based) if request.base == 0 => based + request.offset,
            _ => request.base,
        };
        if chosen == 0 {
            let base = self
                .find_free(size, limit, top_down)
                .ok_or(Status::NO_MEMORY)?;
            return Ok(Mapped {
                base,
                size,
                at_base: true,
            });
        }
        if chosen + size > self.end() || !self.is_unused(chosen, size) {
            return Err(Status::CONFLICTING_ADDRESSES);
        }
        Ok(Mapped {
            base: chosen,
            size,
            at_base: true,
        })
    }

    fn is_unused(&self, base: u64, size: u64) -> bool {
        self.vads
            .range(..base + size)
            .next_back()
            .is_none_or(|(_, vad)| vad.end() <= base)
    }

    /// NtUnmapViewOfSection of the view that covers `address`: its segment, which has one reference
    /// to be taken away.
    ///
    /// # Errors
    /// `NOT_MAPPED_VIEW`.
    pub fn unmap(&mut self, machine: &mut dyn Machine, address: u64) -> Result<SegmentId> {
        let vad = self.find(address).ok_or(Status::NOT_MAPPED_VIEW)?;
        let (start, Use::View { segment, .. }) = (vad.start, vad.kind) else {
            return Err(Status::NOT_MAPPED_VIEW);
        };
        if let Some(vad) = self.vads.remove(&start) {
            self.drop_pages(machine, &vad);
        }
        Ok(segment)
    }

    /// Unmaps a descriptor's pages and frees those that are this space's own.
    fn drop_pages(&mut self, machine: &mut dyn Machine, vad: &Vad) {
        if vad.kind == Use::Private {
            for (&page, _) in vad
                .entries
                .iter()
                .filter(|(_, entry)| entry.frame.is_some())
            {
                machine.unmap(self.space, vad.start + page * PAGE_BYTES);
            }
        } else {
            for page in 0..vad.pages {
                machine.unmap(self.space, vad.start + page * PAGE_BYTES);
            }
        }
        for entry in vad.entries.values() {
            if let Some(frame) = entry.frame {
                machine.free_frame(frame);
            }
            if vad.kind == Use::Private || entry.frame.is_some() {
                self.committed = self.committed.saturating_sub(1);
            }
        }
    }

    /// Empties the address space: the segments that were mapped, each with a reference to be taken
    /// away.
    pub fn clear(&mut self, machine: &mut dyn Machine) -> alloc::vec::Vec<SegmentId> {
        let vads = core::mem::take(&mut self.vads);
        let mut segments = alloc::vec::Vec::new();
        for vad in vads.values().filter(|vad| vad.kind != Use::Shared) {
            self.drop_pages(machine, vad);
            if let Use::View { segment, .. } = vad.kind {
                segments.push(segment);
            }
        }
        segments
    }

    /// Maps the page at `address` so that `access` succeeds: demand zero, a segment's frame, a copy
    /// on write.
    ///
    /// # Errors
    /// `ACCESS_VIOLATION`; `GUARD_PAGE_VIOLATION`, after which the page is an ordinary one;
    /// `NO_MEMORY`.
    pub fn touch(
        &mut self,
        machine: &mut dyn Machine,
        segments: &mut Segments,
        address: u64,
        access: PageAccess,
    ) -> Result<Touch> {
        let space = self.space;
        let vad = self.find_mut(address).ok_or(Status::ACCESS_VIOLATION)?;
        let page = (address - vad.start) / PAGE_BYTES;
        let at = vad.start + page * PAGE_BYTES;
        let segment = match vad.kind {
            Use::View { segment, .. } => segments.get(segment),
            _ => None,
        };
        let protect = page_protection(vad, segment, page).ok_or(Status::ACCESS_VIOLATION)?;
        if vad.kind == Use::Shared {
            return Err(Status::ACCESS_VIOLATION);
        }
        if protect.is_guard() {
            let frame = vad.entries.get(&page).and_then(|entry| entry.frame);
            vad.entries.insert(
                page,
                PageState {
                    protect: protect.unguarded(),
                    frame,
                },
            );
            machine.protect(space, at, protect.unguarded().machine(true));
            return Err(Status::GUARD_PAGE_VIOLATION);
        }
        if !protect.allows(access) {
            return Err(Status::ACCESS_VIOLATION);
        }
        if let Some(frame) = vad.entries.get(&page).and_then(|entry| entry.frame) {
            machine.map(space, at, frame, protect.machine(true))?;
            return Ok(Touch::Done);
        }
        let Use::View {
            segment: id, first, ..
        } = vad.kind
        else {
            let frame = machine.allocate_frame()?;
            vad.entries.insert(
                page,
                PageState {
                    protect,
                    frame: Some(frame),
                },
            );
            machine.map(space, at, frame, protect.machine(true))?;
            return Ok(Touch::Done);
        };
        let segment = segments.get_mut(id).ok_or(Status::ACCESS_VIOLATION)?;
        let of_segment = first + page as u32;
        let frame = match (segment.frames.get(&of_segment), &segment.backing) {
            (Some(&frame), _) => frame,
            (None, Backing::Memory { .. }) => {
                let frame = machine.allocate_frame()?;
                segment.frames.insert(of_segment, frame);
                frame
            }
            (None, Backing::File | Backing::Image(_))
                if u64::from(of_segment) < segment.pages() =>
            {
                return Ok(Touch::Read {
                    segment: id,
                    page: of_segment,
                });
            }
            (None, _) => return Err(Status::ACCESS_VIOLATION),
        };
        if access.contains(PageAccess::WRITE) && protect.is_copy() {
            charge(machine, 1)?;
            let copy = copy_of(machine, frame)?;
            let protect = protect.copied();
            vad.entries.insert(
                page,
                PageState {
                    protect,
                    frame: Some(copy),
                },
            );
            machine.map(space, at, copy, protect.machine(true))?;
            self.committed += 1;
            return Ok(Touch::Done);
        }
        let mut allowed = protect.machine(false);
        if matches!(segment.backing, Backing::File) {
            // Only a page that was written goes back to the file, so the first write to each must
            // be seen.
            if access.contains(PageAccess::WRITE) {
                segment.written.insert(of_segment);
            } else if !segment.written.contains(&of_segment) {
                allowed.remove(PageAccess::WRITE);
            }
        }
        machine.map(space, at, frame, allowed)?;
        Ok(Touch::Done)
    }
}

fn copy_of(machine: &mut dyn Machine, frame: Frame) -> Result<Frame> {
    let copy = machine.allocate_frame()?;
    let mut bytes = [0; PAGE];
    machine.read_frame(frame, 0, &mut bytes);
    machine.write_frame(copy, 0, &bytes);
    Ok(copy)
}
