// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory: pages and views. The bytes a program works on are the host's own; the executive keeps
//! the books of the address space.

use super::{Seam, Shared, name, number};
use abi::memory::{PAGE_EXECUTE, SEC_IMAGE};
use alloc::sync::Weak;
use alloc::vec;
use alloc::vec::Vec;
use nt::access::Access;
use nt::system::Memory;
use nt::{Handle, ObjectAttributes, Result, Status};

/// Part of a process's address space that is given back when it goes.
#[derive(Debug)]
struct Region {
    shared: Weak<Shared>,
    address: u64,
    view: bool,
}

impl core::fmt::Debug for Shared {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Shared")
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let (Some(shared), Ok(thread)) = (self.shared.upgrade(), Seam::current()) else {
            return;
        };
        let (address, view) = (self.address, self.view);
        // A thread that unwinds is past making calls; its process's memory is gone already.
        let _ = shared.scheduler.enter(thread, |executive| {
            let freed = if view {
                executive.trace_mut().count("NtUnmapViewOfSection");
                executive.unmap_view(thread, Handle::CURRENT_PROCESS, address)
            } else {
                executive.trace_mut().count("NtFreeVirtualMemory");
                executive.free_memory(thread, Handle::CURRENT_PROCESS, address)
            };
            if let Err(status) = freed {
                log::error!("memory at {address:#x} could not be given back: {status}");
            }
        });
    }
}

/// Zeroed private memory.
#[derive(Debug)]
pub struct Pages {
    bytes: Vec<u8>,
    _region: Region,
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Pages {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// A view of a section.
#[derive(Debug)]
pub struct View {
    region: Region,
    bytes: usize,
}

impl nt::system::View for View {
    fn read(&self, at: usize, buffer: &mut [u8]) -> Result<()> {
        let end = at.checked_add(buffer.len());
        if end.is_none_or(|end| end > self.bytes) {
            return Err(Status::ACCESS_VIOLATION);
        }
        let shared = self.region.shared.upgrade();
        let shared = shared.ok_or(Status::PROCESS_IS_TERMINATING)?;
        let (thread, address) = (Seam::current()?, self.region.address + at as u64);
        // As ring 3 would: no system call, but what the first touch of a page brings about.
        let read = shared.scheduler.enter(thread, |executive| {
            let process = executive.process_of(thread)?.id;
            executive.read_process(process, address, buffer)
        });
        read.unwrap_or(Err(Status::PROCESS_IS_TERMINATING))
    }
}

impl Seam {
    fn region(&self, address: u64, view: bool) -> Region {
        Region {
            shared: self.shared.clone(),
            address,
            view,
        }
    }
}

impl Memory for &Seam {
    type Pages = Pages;
    type View = View;

    fn allocate_pages(self, bytes: usize) -> Result<Pages> {
        let size = bytes.max(1).next_multiple_of(crate::machine::PAGE);
        let address = self.allocate_in(Handle::CURRENT_PROCESS, size)?;
        Ok(Pages {
            bytes: vec![0; size],
            _region: self.region(address, false),
        })
    }

    fn create_image_section(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        file: Handle,
    ) -> Result<Handle> {
        self.call(
            "NtCreateSection",
            || name("name", attributes.name),
            |executive, thread| {
                let made = executive.create_section(
                    thread,
                    attributes,
                    access,
                    0,
                    PAGE_EXECUTE,
                    SEC_IMAGE,
                    file,
                )?;
                Ok(made.handle)
            },
        )
    }

    fn map_view(self, section: Handle) -> Result<View> {
        let mapped = self.call(
            "NtMapViewOfSection",
            || number("handle", section.0),
            |executive, thread| {
                executive.map_view(thread, section, Handle::CURRENT_PROCESS, PAGE_EXECUTE)
            },
        )?;
        Ok(View {
            region: self.region(mapped.base, true),
            bytes: usize::try_from(mapped.size).map_err(|_| Status::NO_MEMORY)?,
        })
    }
}
