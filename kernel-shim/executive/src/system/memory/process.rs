// SPDX-License-Identifier: GPL-2.0-or-later
//! The memory of one process, as the rest of the executive uses it: what the kernel puts there,
//! faults, and reading and writing with everything that a first touch brings about.
//!
//! Invariant: a user address is only ever used through here; a page that is not mapped yet is
//! touched first, as ring 3 would.

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::layout::{Layout, Word, offset};
use crate::machine::{PAGE, PageAccess};
use crate::mm::protection::Protect;
use crate::mm::segment::SegmentId;
use crate::mm::space::{
    Allocation, GRANULARITY, MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, MEM_TOP_DOWN,
};
use crate::mm::view::{Touch, ViewRequest};
use crate::mm::{AddressSpace, Mapped, NationalTables};
use crate::ob::prelude::*;
use crate::ps::blocks::Far;
use crate::system::Body;
use crate::system::Executive;
use crate::system::processes::create::Stack;
use alloc::vec;
use alloc::vec::Vec;
use formats::pe::Piece;
use nt::system::SectionImageInformation;
use nt::{Result, Status};

const PAGE_BYTES: u64 = PAGE as u64;
/// Stack of a thread that asks for none.
const DEFAULT_STACK: u64 = 0x10_0000;
/// A guard page is an ordinary one after the first touch, and mapped after the second.
const TOUCHES: usize = 2;

impl Executive {
    fn memory_of(&mut self, process: ProcessId) -> Result<&mut AddressSpace> {
        self.process_mut(process)?
            .memory
            .as_mut()
            .ok_or(Status::PROCESS_IS_TERMINATING)
    }

    fn segment_of(&self, section: ObjectId) -> Result<SegmentId> {
        match &self.object(section)?.body {
            Body::Section(section) => Ok(section.segment),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// Maps the national language tables into a process, read-only, one copy for all processes:
    /// where each of them begins.
    ///
    /// # Errors
    /// `NO_MEMORY`, `PROCESS_IS_TERMINATING`.
    pub(crate) fn map_national_tables(&mut self, process: ProcessId) -> Result<[u64; 3]> {
        let view = |segment, protect| ViewRequest {
            segment,
            section: Protect::READ_WRITE,
            base: 0,
            zero_bits: 0,
            offset: 0,
            size: 0,
            inherit: false,
            kind: MEM_TOP_DOWN,
            protect,
        };
        let made = match self.mm.national_tables() {
            Some(made) => made,
            None => {
                let tables = crate::nls::tables();
                let segment =
                    self.mm
                        .segments_mut()
                        .make_memory(tables.bytes.len() as u64, true, None);
                let filled = self
                    .map_segment(process, view(segment, Protect::READ_WRITE.0))?
                    .base;
                self.write_process(process, filled, &tables.bytes)?;
                self.unmap_view_in(process, filled)?;
                let made = NationalTables {
                    segment,
                    offsets: tables.offsets,
                };
                self.mm.keep_national_tables(made);
                made
            }
        };
        let base = self
            .map_segment(process, view(made.segment, Protect::READ_ONLY.0))?
            .base;
        Ok(made.offsets.map(|offset| base + offset))
    }

    /// SECTION_IMAGE_INFORMATION of a section.
    ///
    /// # Errors
    /// `SECTION_NOT_IMAGE`.
    pub fn section_information(&self, section: ObjectId) -> Result<SectionImageInformation> {
        let segment = self.mm.segments().get(self.segment_of(section)?);
        let image = segment
            .and_then(|segment| segment.image())
            .ok_or(Status::SECTION_NOT_IMAGE)?;
        Ok(image.information())
    }

    /// Maps an image section into a process, at its preferred base if that is free.
    ///
    /// # Errors
    /// `SECTION_NOT_IMAGE`, `NO_MEMORY`, `PROCESS_IS_TERMINATING`.
    pub fn map_image(&mut self, process: ProcessId, section: ObjectId) -> Result<Mapped> {
        let segment = self.segment_of(section)?;
        if self
            .mm
            .segments()
            .get(segment)
            .and_then(|segment| segment.image())
            .is_none()
        {
            return Err(Status::SECTION_NOT_IMAGE);
        }
        let request = ViewRequest {
            segment,
            section: Protect::EXECUTE,
            base: 0,
            zero_bits: 0,
            offset: 0,
            size: 0,
            inherit: true,
            kind: 0,
            protect: Protect::EXECUTE.0,
        };
        let memory = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.memory.as_mut());
        memory
            .ok_or(Status::PROCESS_IS_TERMINATING)?
            .map(self.mm.segments_mut(), request)
    }

    /// Committed private memory in a process.
    ///
    /// # Errors
    /// `NO_MEMORY`, `PROCESS_IS_TERMINATING`.
    pub fn allocate_memory_in(
        &mut self,
        process: ProcessId,
        size: u64,
        protect: u32,
        top_down: bool,
    ) -> Result<u64> {
        let kind = MEM_RESERVE | MEM_COMMIT | if top_down { MEM_TOP_DOWN } else { 0 };
        self.allocate_at(
            process,
            Allocation {
                base: 0,
                size,
                zero_bits: 0,
                kind,
                protect,
            },
        )
    }

    fn allocate_at(&mut self, process: ProcessId, request: Allocation) -> Result<u64> {
        let memory = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.memory.as_mut());
        let memory = memory.ok_or(Status::PROCESS_IS_TERMINATING)?;
        memory
            .allocate(&mut *self.machine, self.mm.segments_mut(), request)
            .map(|(base, _)| base)
    }

    /// Gives back what [`Executive::allocate_memory_in`] gave. In a process that has ended there is
    /// nothing left to give back.
    pub fn release_memory_in(&mut self, process: ProcessId, address: u64) {
        if let Some(memory) = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.memory.as_mut())
        {
            // It stands since the allocation; a program that has freed it itself has changed that,
            // which is its business.
            let _ = memory.free(&mut *self.machine, address, 0, MEM_RELEASE);
        }
    }

    /// The memory of a thread that ends: its stack, if it has asked for that, and its TEB.
    pub fn release_thread_memory(&mut self, process: ProcessId, teb: u64) {
        let far = Far::of(self.architecture());
        // A TEB that cannot be read asks for nothing. RtlExitUserThread says whether the stack goes.
        let free = self.read_as::<u8>(process, teb + far.free_stack as u64);
        if free.is_ok_and(|free| free != 0)
            && let Ok(Word(stack)) = self.read_as(process, teb + far.deallocation_stack as u64)
        {
            self.release_memory_in(process, stack);
        }
        self.release_memory_in(process, teb);
    }

    /// A thread's stack: reserved, committed at its upper end, with a guard page below that.
    ///
    /// # Errors
    /// `NO_MEMORY`, `PROCESS_IS_TERMINATING`.
    pub fn reserve_stack(
        &mut self,
        process: ProcessId,
        reserve: u64,
        commit: u64,
    ) -> Result<Stack> {
        let commit = commit
            .max(PAGE_BYTES)
            .checked_next_multiple_of(PAGE_BYTES)
            .ok_or(Status::NO_MEMORY)?;
        let reserve = if reserve == 0 { DEFAULT_STACK } else { reserve };
        let wanted = reserve.max(commit.saturating_add(2 * PAGE_BYTES));
        let reserve = wanted
            .checked_next_multiple_of(GRANULARITY)
            .filter(|bytes| *bytes < self.architecture().user_end())
            .ok_or(Status::NO_MEMORY)?;
        let protect = Protect::READ_WRITE.0;
        let allocation = self.allocate_at(
            process,
            Allocation {
                base: 0,
                size: reserve,
                zero_bits: 0,
                kind: MEM_RESERVE,
                protect,
            },
        )?;
        let base = allocation + reserve;
        let limit = base - commit;
        let made = self
            .allocate_at(
                process,
                Allocation {
                    base: limit,
                    size: commit,
                    zero_bits: 0,
                    kind: MEM_COMMIT,
                    protect,
                },
            )
            .and_then(|_| self.commit_guard(process, limit - PAGE_BYTES));
        if let Err(status) = made {
            self.release_memory_in(process, allocation);
            return Err(status);
        }
        Ok(Stack {
            base,
            limit,
            allocation,
        })
    }

    fn commit_guard(&mut self, process: ProcessId, address: u64) -> Result<u64> {
        let protect = Protect::READ_WRITE.0 | Protect::GUARD;
        self.allocate_at(
            process,
            Allocation {
                base: address,
                size: PAGE_BYTES,
                zero_bits: 0,
                kind: MEM_COMMIT,
                protect,
            },
        )
    }

    /// Makes an access of ring 3 to this page succeed.
    ///
    /// # Errors
    /// `ACCESS_VIOLATION`, `GUARD_PAGE_VIOLATION`, `STACK_OVERFLOW`, `IN_PAGE_ERROR`, `NO_MEMORY`.
    pub fn page_fault(&mut self, thread: ThreadId, address: u64, access: PageAccess) -> Result<()> {
        let process = self.process_of(thread)?.id;
        self.touch(process, address, access)
    }

    fn touch(&mut self, process: ProcessId, address: u64, access: PageAccess) -> Result<()> {
        loop {
            let memory = self
                .processes
                .get_mut(&process)
                .and_then(|process| process.memory.as_mut());
            let memory = memory.ok_or(Status::ACCESS_VIOLATION)?;
            match memory.touch(&mut *self.machine, self.mm.segments_mut(), address, access) {
                Ok(Touch::Done) => return Ok(()),
                Ok(Touch::Read { segment, page }) => self.read_in(segment, page)?,
                Err(Status::GUARD_PAGE_VIOLATION) => return self.grow_stack(process, address),
                Err(status) => return Err(status),
            }
        }
    }

    /// Reads a page of a file into its segment.
    ///
    /// # Errors
    /// `IN_PAGE_ERROR`, `NO_MEMORY`.
    fn read_in(&mut self, id: SegmentId, page: u32) -> Result<()> {
        let segment = self.mm.segments().get(id).ok_or(Status::ACCESS_VIOLATION)?;
        let file = segment.file.ok_or(Status::IN_PAGE_ERROR)?;
        // Where in the page, where in the file, how many bytes.
        let pieces: Vec<(usize, u64, usize)> = match segment.image() {
            None => vec![(0, u64::from(page) * PAGE_BYTES, PAGE)],
            Some(image) => {
                let rva = page.wrapping_mul(PAGE as u32);
                let piece = |piece: Piece| {
                    let at = (piece.rva - rva) as usize;
                    (at, piece.offset.into(), piece.bytes as usize)
                };
                image.pieces_of_page(rva).map(piece).collect()
            }
        };
        let mut bytes = vec![0; PAGE];
        let volume = self
            .io
            .volume(file.volume)
            .map_err(|_| Status::IN_PAGE_ERROR)?;
        for (at, offset, count) in pieces {
            let into = bytes.get_mut(at..at + count).unwrap_or_default();
            volume
                .read(&mut *self.machine, file.node, offset, into)
                .map_err(|_| Status::IN_PAGE_ERROR)?;
        }
        let frame = self.machine.allocate_frame()?;
        self.machine.write_frame(frame, 0, &bytes);
        if let Some(segment) = self.mm.segments_mut().get_mut(id) {
            segment.frames.insert(page, frame);
        }
        Ok(())
    }

    /// The guard page below a thread's stack was touched: the stack grows by it, and the page below
    /// becomes the guard.
    ///
    /// # Errors
    /// `GUARD_PAGE_VIOLATION` if it is no thread's stack, `STACK_OVERFLOW` if there is no room for
    /// another guard.
    fn grow_stack(&mut self, process: ProcessId, address: u64) -> Result<()> {
        let page = address & !(PAGE_BYTES - 1);
        let tebs: alloc::vec::Vec<u64> = self
            .process(process)?
            .threads
            .iter()
            .filter_map(|thread| self.thread(*thread).ok())
            .map(|thread| thread.teb)
            .collect();
        let architecture = self.architecture();
        let lowest_at = Far::of(architecture).deallocation_stack as u64;
        let limit_at = offset!(architecture, Teb, stack_limit);
        for teb in tebs.into_iter().filter(|teb| *teb != 0) {
            let Word(limit) = self.read_as(process, teb + limit_at)?;
            let Word(lowest) = self.read_as(process, teb + lowest_at)?;
            if page >= limit || page < lowest || limit - page > PAGE_BYTES {
                continue;
            }
            self.write_as(process, teb + limit_at, Word(page))?;
            // The lowest page is never given to the stack.
            if page < lowest + 2 * PAGE_BYTES {
                return Err(Status::STACK_OVERFLOW);
            }
            return self
                .commit_guard(process, page - PAGE_BYTES)
                .map(|_| ())
                .map_err(|_| Status::STACK_OVERFLOW);
        }
        Err(Status::GUARD_PAGE_VIOLATION)
    }

    /// A structure of the program's out of a process's memory.
    ///
    /// # Errors
    /// As [`Executive::read_process`].
    pub(crate) fn read_as<T: Layout>(&mut self, process: ProcessId, address: u64) -> Result<T> {
        self.architecture()
            .take(|bytes| self.read_process(process, address, bytes))
    }

    /// A structure for the program into a process's memory.
    ///
    /// # Errors
    /// As [`Executive::write_process`].
    pub(crate) fn write_as<T: Layout>(
        &mut self,
        process: ProcessId,
        address: u64,
        value: T,
    ) -> Result<()> {
        let bytes = self.architecture().bytes_of(value);
        self.write_process(process, address, &bytes)
    }

    /// Copies out of a process's memory.
    ///
    /// # Errors
    /// `ACCESS_VIOLATION`, and what a touch gives.
    pub fn read_process(
        &mut self,
        process: ProcessId,
        address: u64,
        buffer: &mut [u8],
    ) -> Result<()> {
        let space = self.memory_of(process)?.id();
        let end = self.architecture().user_end();
        let mut at = address;
        let mut rest = buffer;
        while !rest.is_empty() {
            let length = in_page(end, at, rest.len())?;
            let (now, later) = rest.split_at_mut(length);
            for _ in 0..TOUCHES {
                if self.machine.read(space, at, now).is_ok() {
                    break;
                }
                self.touch(process, at, PageAccess::READ)?;
            }
            self.machine.read(space, at, now)?;
            at += length as u64;
            rest = later;
        }
        Ok(())
    }

    /// Copies into a process's memory.
    ///
    /// # Errors
    /// `ACCESS_VIOLATION`, and what a touch gives; the pages before are written.
    pub fn write_process(&mut self, process: ProcessId, address: u64, data: &[u8]) -> Result<()> {
        let space = self.memory_of(process)?.id();
        let end = self.architecture().user_end();
        let mut at = address;
        let mut rest = data;
        while !rest.is_empty() {
            let length = in_page(end, at, rest.len())?;
            let (now, later) = rest.split_at(length);
            for _ in 0..TOUCHES {
                if self.machine.write(space, at, now).is_ok() {
                    break;
                }
                self.touch(process, at, PageAccess::WRITE)?;
            }
            self.machine.write(space, at, now)?;
            at += length as u64;
            rest = later;
        }
        Ok(())
    }

    /// A process has ended: everything in its address space goes, and the address space.
    pub fn delete_memory(&mut self, process: ProcessId) {
        let Some(mut memory) = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.memory.take())
        else {
            return;
        };
        for segment in memory.clear(&mut *self.machine) {
            self.drop_segment(segment);
        }
        self.machine.delete_space(memory.id());
    }
}

/// How many of `length` bytes from `at` on lie in its page. `ACCESS_VIOLATION` if they leave user
/// memory, which ends at `end`.
fn in_page(end: u64, at: u64, length: usize) -> Result<usize> {
    if at.checked_add(length as u64).is_none_or(|last| last > end) {
        return Err(Status::ACCESS_VIOLATION);
    }
    Ok(length.min(PAGE - (at % PAGE_BYTES) as usize))
}
