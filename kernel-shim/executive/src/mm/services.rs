// SPDX-License-Identifier: GPL-2.0-or-later
//! The services of virtual memory: NtAllocate-, NtFree-, NtProtect-, NtQuery-, NtRead- and NtWriteVirtualMemory.

use super::space::{Region, Request, Use};
use crate::Executive;
use crate::ids::{ProcessId, ThreadId};
use alloc::vec::Vec;
use nt::{Handle, Result, Status};

const PROCESS_VM_OPERATION: u32 = 0x8;
const PROCESS_VM_READ: u32 = 0x10;
const PROCESS_VM_WRITE: u32 = 0x20;
const PROCESS_QUERY_INFORMATION: u32 = 0x400;

impl Executive {
    /// NtAllocateVirtualMemory: where, and how many bytes.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2` to `_5`, `INVALID_PAGE_PROTECTION`, `CONFLICTING_ADDRESSES`, `NO_MEMORY`, `PROCESS_IS_TERMINATING`, and as
    /// [`Self::resolve`].
    pub fn allocate_memory(&mut self, caller: ThreadId, process: Handle, request: Request) -> Result<(u64, u64)> {
        let process = self.process_behind(caller, process, PROCESS_VM_OPERATION)?;
        let memory = self.processes.get_mut(&process).and_then(|process| process.memory.as_mut());
        memory.ok_or(Status::PROCESS_IS_TERMINATING)?.allocate(&mut *self.machine, &mut self.mm.segments, request)
    }

    /// NtFreeVirtualMemory: what was freed. `kind` is `MEM_DECOMMIT` or `MEM_RELEASE`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_2` to `_4`, `MEMORY_NOT_ALLOCATED`, `UNABLE_TO_DELETE_SECTION`, `UNABLE_TO_FREE_VM`, `FREE_VM_NOT_AT_BASE`,
    /// `PROCESS_IS_TERMINATING`, and as [`Self::resolve`].
    pub fn free_memory(&mut self, caller: ThreadId, process: Handle, base: u64, size: u64, kind: u32) -> Result<(u64, u64)> {
        let process = self.process_behind(caller, process, PROCESS_VM_OPERATION)?;
        let memory = self.processes.get_mut(&process).and_then(|process| process.memory.as_mut());
        memory.ok_or(Status::PROCESS_IS_TERMINATING)?.free(&mut *self.machine, base, size, kind)
    }

    /// NtProtectVirtualMemory: base, bytes, and the old protection of the first page.
    ///
    /// # Errors
    /// `INVALID_PAGE_PROTECTION`, `CONFLICTING_ADDRESSES`, `NOT_COMMITTED`, `SECTION_PROTECTION`, `PROCESS_IS_TERMINATING`, and as
    /// [`Self::resolve`].
    pub fn protect_memory(&mut self, caller: ThreadId, process: Handle, base: u64, size: u64, protect: u32) -> Result<(u64, u64, u32)> {
        let process = self.process_behind(caller, process, PROCESS_VM_OPERATION)?;
        let memory = self.processes.get_mut(&process).and_then(|process| process.memory.as_mut());
        memory.ok_or(Status::PROCESS_IS_TERMINATING)?.protect(&mut *self.machine, &self.mm.segments, base, size, protect)
    }

    /// NtQueryVirtualMemory, MemoryBasicInformation.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` past the end of user memory, `PROCESS_IS_TERMINATING`, and as [`Self::resolve`].
    pub fn query_memory(&self, caller: ThreadId, process: Handle, address: u64) -> Result<Region> {
        let process = self.process_behind(caller, process, PROCESS_QUERY_INFORMATION)?;
        let memory = self.processes.get(&process).and_then(|process| process.memory.as_ref());
        memory.ok_or(Status::PROCESS_IS_TERMINATING)?.query(&self.mm.segments, address)
    }

    /// NtQueryVirtualMemory, MemorySectionName: the name of the file whose view covers the address.
    ///
    /// # Errors
    /// `INVALID_ADDRESS` where nothing is mapped, `SECTION_NOT_IMAGE` for a view of memory, and as [`Self::query_memory`].
    pub fn query_mapped_name(&self, caller: ThreadId, process: Handle, address: u64) -> Result<Vec<u16>> {
        let process = self.process_behind(caller, process, PROCESS_QUERY_INFORMATION)?;
        let memory = self.processes.get(&process).and_then(|process| process.memory.as_ref()).ok_or(Status::PROCESS_IS_TERMINATING)?;
        let Some(Use::View { segment, .. }) = memory.find(address).map(|vad| vad.kind) else { return Err(Status::INVALID_ADDRESS) };
        let segment = self.mm.segments.get(segment).ok_or(Status::INVALID_ADDRESS)?;
        if segment.path.is_empty() { Err(Status::SECTION_NOT_IMAGE) } else { Ok(segment.path.clone()) }
    }

    /// NtReadVirtualMemory: all of it or, with `PARTIAL_COPY`, nothing that counts.
    ///
    /// # Errors
    /// `PARTIAL_COPY` if a byte of it cannot be read, `PROCESS_IS_TERMINATING`, and as [`Self::resolve`].
    pub fn read_memory(&mut self, caller: ThreadId, process: Handle, address: u64, buffer: &mut [u8]) -> Result<()> {
        let process = self.process_behind(caller, process, PROCESS_VM_READ)?;
        self.alive(process)?;
        self.read_process(process, address, buffer).map_err(|_| Status::PARTIAL_COPY)
    }

    /// NtWriteVirtualMemory.
    ///
    /// # Errors
    /// `PARTIAL_COPY` if a byte of it cannot be written; the pages before are written. `PROCESS_IS_TERMINATING`, and as
    /// [`Self::resolve`].
    pub fn write_memory(&mut self, caller: ThreadId, process: Handle, address: u64, data: &[u8]) -> Result<()> {
        let process = self.process_behind(caller, process, PROCESS_VM_WRITE)?;
        self.alive(process)?;
        self.write_process(process, address, data).map_err(|_| Status::PARTIAL_COPY)
    }

    fn alive(&self, process: ProcessId) -> Result<()> {
        let memory = self.processes.get(&process).and_then(|process| process.memory.as_ref());
        memory.map(|_| ()).ok_or(Status::PROCESS_IS_TERMINATING)
    }

    /// Private pages that a process has committed.
    pub fn committed_pages(&self, process: ProcessId) -> u64 {
        self.processes.get(&process).and_then(|process| process.memory.as_ref()).map_or(0, |memory| memory.committed)
    }
}
