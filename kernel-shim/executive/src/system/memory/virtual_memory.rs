// SPDX-License-Identifier: GPL-2.0-or-later
//! The typed services for the memory of a process that a handle names: allocate, free, protect,
//! query, map, unmap, copy.
//!
//! Invariant: a view holds one reference to its segment, which goes when the view goes.

use crate::ids::{ProcessId, ThreadId};
use crate::machine::Machine;
use crate::mm::space::{AddressSpace, Allocation, MEM_COMMIT, MEM_RELEASE, MEM_RESERVE};
use crate::mm::view::ViewRequest;
use crate::mm::{Mapped, Mm};
use crate::mm::{Region, Use};
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::Executive;
use alloc::vec;
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Handle, Result, Status};

/// What NtMapViewOfSection is asked.
#[derive(Clone, Copy, Debug)]
pub struct MapRequest {
    /// Where; 0 for anywhere.
    pub base: u64,
    /// As for allocations.
    pub zero_bits: u64,
    /// From which byte of the section on.
    pub offset: u64,
    /// Bytes; 0 for all the rest.
    pub size: u64,
    /// `ViewShare`, else `ViewUnmap`.
    pub inherit: bool,
    /// `MEM_` type.
    pub kind: u32,
    /// `PAGE_` protection.
    pub protect: u32,
}

/// What a section must have been opened for, to be mapped with this protection.
const fn section_access(protect: u32) -> Access {
    match protect & 0xFF {
        0x04 => Access::SECTION_MAP_WRITE,
        0x10 => Access::SECTION_MAP_EXECUTE,
        0x20 | 0x80 => Access::SECTION_MAP_READ.union(Access::SECTION_MAP_EXECUTE),
        0x40 => Access::SECTION_MAP_WRITE.union(Access::SECTION_MAP_EXECUTE),
        _ => Access::SECTION_MAP_READ,
    }
}

impl Executive {
    /// The address space of a process with what is needed to change it.
    fn space_of(
        &mut self,
        process: ProcessId,
    ) -> Result<(&mut AddressSpace, &mut dyn Machine, &mut Mm)> {
        let entry = self
            .processes
            .get_mut(&process)
            .ok_or(Status::INVALID_CID)?;
        let space = entry
            .memory
            .as_mut()
            .ok_or(Status::PROCESS_IS_TERMINATING)?;
        Ok((space, &mut *self.machine, &mut self.mm))
    }

    /// NtAllocateVirtualMemory: where, and how many bytes.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`AddressSpace::allocate`].
    pub fn allocate_virtual_memory(
        &mut self,
        caller: ThreadId,
        process: Handle,
        request: Allocation,
    ) -> Result<(u64, u64)> {
        let process = self.process_behind(caller, process, Access::PROCESS_VM_OPERATION)?;
        let (space, machine, mm) = self.space_of(process)?;
        space.allocate(machine, mm.segments_mut(), request)
    }

    /// NtFreeVirtualMemory: what was freed.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`AddressSpace::free`].
    pub fn free_virtual_memory(
        &mut self,
        caller: ThreadId,
        process: Handle,
        base: u64,
        size: u64,
        kind: u32,
    ) -> Result<(u64, u64)> {
        let process = self.process_behind(caller, process, Access::PROCESS_VM_OPERATION)?;
        let (space, machine, _) = self.space_of(process)?;
        space.free(machine, base, size, kind)
    }

    /// NtProtectVirtualMemory: base, size and the old protection.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`AddressSpace::protect`].
    pub fn protect_virtual_memory(
        &mut self,
        caller: ThreadId,
        process: Handle,
        base: u64,
        size: u64,
        protect: u32,
    ) -> Result<(u64, u64, u32)> {
        let process = self.process_behind(caller, process, Access::PROCESS_VM_OPERATION)?;
        let (space, machine, mm) = self.space_of(process)?;
        space.protect(machine, mm.segments(), base, size, protect)
    }

    /// NtQueryVirtualMemory, MemoryBasicInformation.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`AddressSpace::query`].
    pub fn query_virtual_memory(
        &mut self,
        caller: ThreadId,
        process: Handle,
        address: u64,
    ) -> Result<Region> {
        let process = self.process_behind(caller, process, Access::PROCESS_QUERY_INFORMATION)?;
        let (space, _, mm) = self.space_of(process)?;
        space.query(mm.segments(), address)
    }

    /// NtQueryVirtualMemory, MemorySectionName: the name of the file whose view covers the address.
    ///
    /// # Errors
    /// `INVALID_ADDRESS` where nothing is mapped, `SECTION_NOT_IMAGE` for a view of memory, and as
    /// [`Lifetimes::resolve`].
    pub fn query_mapped_name(
        &mut self,
        caller: ThreadId,
        process: Handle,
        address: u64,
    ) -> Result<Vec<u16>> {
        let process = self.process_behind(caller, process, Access::PROCESS_QUERY_INFORMATION)?;
        let (space, _, mm) = self.space_of(process)?;
        let Some(Use::View { segment, .. }) = space.find(address).map(|vad| vad.kind) else {
            return Err(Status::INVALID_ADDRESS);
        };
        let segment = mm.segments().get(segment).ok_or(Status::INVALID_ADDRESS)?;
        if segment.path.is_empty() {
            Err(Status::SECTION_NOT_IMAGE)
        } else {
            Ok(segment.path.clone())
        }
    }

    /// Private pages that a process has committed.
    pub fn committed_pages(&self, process: ProcessId) -> u64 {
        self.processes
            .get(&process)
            .and_then(|process| process.memory.as_ref())
            .map_or(0, |memory| memory.committed())
    }

    /// NtMapViewOfSection.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`AddressSpace::map`].
    pub fn map_view_of_section(
        &mut self,
        caller: ThreadId,
        section: Handle,
        process: Handle,
        request: MapRequest,
    ) -> Result<Mapped> {
        let process = self.process_behind(caller, process, Access::PROCESS_VM_OPERATION)?;
        let section = self.resolve(
            caller,
            section,
            Some(Kind::Section),
            section_access(request.protect),
        )?;
        let Body::Section(body) = &self.object(section)?.body else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let view = ViewRequest {
            segment: body.segment,
            section: body.protect,
            base: request.base,
            zero_bits: request.zero_bits,
            offset: request.offset,
            size: request.size,
            inherit: request.inherit,
            kind: request.kind,
            protect: request.protect,
        };
        self.map_segment(process, view)
    }

    /// Maps a segment into a process.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`, and as [`AddressSpace::map`].
    pub(crate) fn map_segment(&mut self, process: ProcessId, view: ViewRequest) -> Result<Mapped> {
        let (space, _, mm) = self.space_of(process)?;
        space.map(mm.segments_mut(), view)
    }

    /// NtUnmapViewOfSection.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`]; `NOT_MAPPED_VIEW`.
    pub fn unmap_view_of_section(
        &mut self,
        caller: ThreadId,
        process: Handle,
        address: u64,
    ) -> Result<()> {
        let process = self.process_behind(caller, process, Access::PROCESS_VM_OPERATION)?;
        self.unmap_view_in(process, address)
    }

    /// Unmaps a view of a process.
    ///
    /// # Errors
    /// `NOT_MAPPED_VIEW`.
    pub(crate) fn unmap_view_in(&mut self, process: ProcessId, address: u64) -> Result<()> {
        let (space, machine, _) = self.space_of(process)?;
        let segment = space.unmap(machine, address)?;
        self.drop_segment(segment);
        Ok(())
    }

    /// NtAllocateVirtualMemory of committed memory anywhere: where it is.
    ///
    /// # Errors
    /// As [`Executive::allocate_virtual_memory`].
    pub fn allocate_memory(
        &mut self,
        caller: ThreadId,
        process: Handle,
        size: u64,
        protect: u32,
    ) -> Result<u64> {
        let request = Allocation {
            base: 0,
            size,
            zero_bits: 0,
            kind: MEM_RESERVE | MEM_COMMIT,
            protect,
        };
        self.allocate_virtual_memory(caller, process, request)
            .map(|(base, _)| base)
    }

    /// NtFreeVirtualMemory of a whole allocation.
    ///
    /// # Errors
    /// As [`Executive::free_virtual_memory`].
    pub fn free_memory(&mut self, caller: ThreadId, process: Handle, base: u64) -> Result<()> {
        self.free_virtual_memory(caller, process, base, 0, MEM_RELEASE)
            .map(|_| ())
    }

    /// NtMapViewOfSection of the whole section anywhere.
    ///
    /// # Errors
    /// As [`Executive::map_view_of_section`].
    pub fn map_view(
        &mut self,
        caller: ThreadId,
        section: Handle,
        process: Handle,
        protect: u32,
    ) -> Result<Mapped> {
        let request = MapRequest {
            base: 0,
            zero_bits: 0,
            offset: 0,
            size: 0,
            inherit: false,
            kind: 0,
            protect,
        };
        self.map_view_of_section(caller, section, process, request)
    }

    /// NtUnmapViewOfSection.
    ///
    /// # Errors
    /// As [`Executive::unmap_view_of_section`].
    pub fn unmap_view(&mut self, caller: ThreadId, process: Handle, address: u64) -> Result<()> {
        self.unmap_view_of_section(caller, process, address)
    }

    /// NtReadVirtualMemory and NtWriteVirtualMemory: copies page by page. How many bytes were
    /// copied, and `PARTIAL_COPY` if not all.
    pub fn copy_virtual_memory(
        &mut self,
        from: (ProcessId, u64),
        to: (ProcessId, u64),
        length: u64,
    ) -> (u64, Result<()>) {
        const PAGE: u64 = crate::machine::PAGE as u64;
        let mut done = 0;
        while done < length {
            let (Some(source), Some(target)) = (from.1.checked_add(done), to.1.checked_add(done))
            else {
                break;
            };
            let part = (length - done)
                .min(PAGE - source % PAGE)
                .min(PAGE - target % PAGE);
            let mut bytes = vec![0; part as usize];
            let copied = self
                .read_process(from.0, source, &mut bytes)
                .and_then(|()| self.write_process(to.0, target, &bytes));
            if copied.is_err() {
                break;
            }
            done += part;
        }
        (
            done,
            if done == length {
                Ok(())
            } else {
                Err(Status::PARTIAL_COPY)
            },
        )
    }
}
