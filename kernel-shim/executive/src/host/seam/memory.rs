// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory: pages and views. The bytes a program works on are the host's own; the executive keeps
//! the books of the address space.

use super::{Seam, Shared, name, number};
use crate::Executive;
use crate::ids::ProcessId;
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
    bytes: Vec<u8>,
    _region: Region,
}

impl AsRef<[u8]> for View {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
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

impl Memory for Seam {
    type Pages = Pages;
    type View = View;

    fn allocate_pages(&self, bytes: usize) -> Result<Pages> {
        let size = bytes.max(1).next_multiple_of(crate::machine::PAGE);
        let address = self.allocate_in(Handle::CURRENT_PROCESS, size)?;
        Ok(Pages {
            bytes: vec![0; size],
            _region: self.region(address, false),
        })
    }

    fn create_image_section(
        &self,
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

    fn map_view(&self, section: Handle) -> Result<View> {
        let (address, bytes) = self.call(
            "NtMapViewOfSection",
            || number("handle", section.0),
            |executive, thread| {
                let mapped =
                    executive.map_view(thread, section, Handle::CURRENT_PROCESS, PAGE_EXECUTE)?;
                let process = executive.process_of(thread)?.id;
                read_view(executive, process, mapped.base, mapped.size)
                    .map(|bytes| (mapped.base, bytes))
            },
        )?;
        Ok(View {
            bytes,
            _region: self.region(address, true),
        })
    }
}

/// The bytes of a view; what its pages do not let be read (a hole between image sections) is zeros.
fn read_view(
    executive: &mut Executive,
    process: ProcessId,
    base: u64,
    size: u64,
) -> Result<Vec<u8>> {
    let size = usize::try_from(size).map_err(|_| Status::NO_MEMORY)?;
    let mut bytes = vec![0; size];
    let mut at = base;
    for page in bytes.chunks_mut(crate::machine::PAGE) {
        match executive.read_process(process, at, page) {
            Ok(()) | Err(Status::ACCESS_VIOLATION) => {}
            Err(status) => return Err(status),
        }
        at += page.len() as u64;
    }
    Ok(bytes)
}
