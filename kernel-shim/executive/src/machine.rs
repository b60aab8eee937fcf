// SPDX-License-Identifier: GPL-2.0-or-later
//! What the executive needs of the machine under it: address spaces, threads, time, the boot
//! screen, disks.
//!
//! Two machines exist: the bare one (the shim's kernel) and the one in memory that the host seam
//! and the tests run on. The trait is kept small; everything that can be said in terms of it is
//! said in the executive.
//!
//! Invariants:
//! * a frame is reference-counted by the machine: [`Machine::allocate_frame`] gives one reference,
//!   [`Machine::share_frame`] adds one, [`Machine::free_frame`] takes one. A mapping holds no
//!   reference: the one who maps a frame owns the reference;
//! * addresses given to [`Machine::map`], [`Machine::unmap`] and [`Machine::protect`] are
//!   page-aligned user addresses;
//! * the machine never decides what a thread does next in the executive's terms: it runs threads
//!   that are runnable, and stops running those that are not before they execute another user
//!   instruction.

use crate::ids::ThreadId;
use alloc::string::String;
use bitflags::bitflags;
use nt::system::ShutdownAction;
use nt::{Result, Status};

/// Bytes in a page.
pub const PAGE: usize = 0x1000;

/// What the programs of a system are made for: one machine for the whole system, from its start.
///
/// The kernel itself is of 64 bits. To an i386 program it is an i386 NT: addresses, layouts,
/// registers and images are that machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Architecture {
    /// x86-64.
    #[default]
    Amd64,
    /// 32-bit x86.
    I386,
}

impl Architecture {
    /// First address user mode may not touch (`MmUserProbeAddress`): the 64 KB below the end of 8 TB
    /// or of 2 GB are a guard.
    pub const fn user_end(self) -> u64 {
        match self {
            Self::Amd64 => 0x0000_07FF_FFFF_0000,
            Self::I386 => 0x7FFF_0000,
        }
    }

    /// The number that image headers have for it (`IMAGE_FILE_MACHINE_`).
    pub const fn image_machine(self) -> u16 {
        match self {
            Self::Amd64 => formats::pe::MACHINE_AMD64,
            Self::I386 => formats::pe::MACHINE_I386,
        }
    }
}

/// An address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceId(pub u32);

/// A page of physical memory, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame(pub u64);

bitflags! {
    /// What user mode may do with a mapped page.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PageAccess: u8 {
        /// Read.
        const READ = 1;
        /// Write.
        const WRITE = 2;
        /// Execute.
        const EXECUTE = 4;
    }
}

/// The integer registers of a user thread (the part of CONTEXT that starts and moves threads).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registers' own names")]
pub struct Context {
    pub rip: u64,
    pub rsp: u64,
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub flags: u32,
    pub mxcsr: u32,
}

/// The processors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processor {
    /// How many.
    pub count: u8,
    /// 9: AMD64, 0: x86, as the programs see it.
    pub architecture: u16,
    /// Family.
    pub level: u16,
    /// Model and stepping: `model << 8 | stepping`.
    pub revision: u16,
    /// `FeatureBits` of SYSTEM_PROCESSOR_INFORMATION.
    pub features: u32,
    /// `VendorIdentifier`, such as `AuthenticAMD`.
    pub vendor: String,
    /// `Identifier`, such as `AMD64 Family 15 Model 107 Stepping 1`.
    pub identifier: String,
    /// Clock in MHz.
    pub megahertz: u32,
}

/// What kind of thing a disk is (FILE_DEVICE_ type and characteristics follow from it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskKind {
    /// A fixed disk.
    Fixed,
    /// A disk whose medium can be taken out.
    Removable,
    /// A CD-ROM drive, 2048-byte sectors, read-only.
    CdRom,
}

/// A disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What it is.
    pub kind: DiskKind,
    /// Bytes in a sector.
    pub sector_bytes: u32,
    /// Sectors.
    pub sectors: u64,
    /// Writes are refused.
    pub read_only: bool,
}

/// The end of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// KeBugCheckEx.
    Bugcheck {
        /// The stop code.
        code: u32,
        /// Its four parameters.
        parameters: [u64; 4],
    },
    /// NtShutdownSystem went through.
    Shutdown(ShutdownAction),
}

/// The machine.
pub trait Machine: Send {
    /// What its programs are made for. It never changes.
    fn architecture(&self) -> Architecture;

    /// A new, empty user address space.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn create_space(&mut self) -> Result<SpaceId>;

    /// Deletes a space nobody runs in. Its mappings go; frames are their owners' to free.
    fn delete_space(&mut self, space: SpaceId);

    /// A zeroed frame with one reference.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn allocate_frame(&mut self) -> Result<Frame>;

    /// Adds a reference.
    fn share_frame(&mut self, frame: Frame);

    /// Takes a reference away; the last one gives the page back.
    fn free_frame(&mut self, frame: Frame);

    /// Copies out of a frame. `offset + buffer.len()` is at most [`PAGE`].
    fn read_frame(&self, frame: Frame, offset: usize, buffer: &mut [u8]);

    /// Copies into a frame. `offset + data.len()` is at most [`PAGE`].
    fn write_frame(&mut self, frame: Frame, offset: usize, data: &[u8]);

    /// Maps `frame` at `address`, replacing what is mapped there.
    ///
    /// # Errors
    /// `NO_MEMORY` for a page table.
    fn map(&mut self, space: SpaceId, address: u64, frame: Frame, access: PageAccess)
    -> Result<()>;

    /// Removes a mapping: the frame that was there.
    fn unmap(&mut self, space: SpaceId, address: u64) -> Option<Frame>;

    /// Changes the access of a mapped page; nothing happens if none is mapped.
    fn protect(&mut self, space: SpaceId, address: u64, access: PageAccess);

    /// What is mapped at the page of `address`.
    fn translate(&self, space: SpaceId, address: u64) -> Option<(Frame, PageAccess)>;

    /// Makes the machine's part of a thread. It is not runnable until [`Machine::set_runnable`]
    /// says so. `teb` is where a program's GS, or FS on i386, leads to.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn create_thread(
        &mut self,
        thread: ThreadId,
        space: SpaceId,
        context: &Context,
        teb: u64,
    ) -> Result<()>;

    /// Lets a thread run, or stops it. A thread is stopped while it is suspended or waits for a
    /// service's completion; when it runs again after a service that gave
    /// [`crate::Completion::Pending`], its completion is there
    /// ([`crate::Executive::take_completion`]).
    fn set_runnable(&mut self, thread: ThreadId, runnable: bool);

    /// The thread has ended: it never runs again. May be called from a service of that same thread.
    fn end_thread(&mut self, thread: ThreadId);

    /// The user registers of a stopped thread, or of the calling one.
    fn context(&self, thread: ThreadId) -> Context;

    /// Replaces the user registers of a stopped thread, or of the calling one.
    fn set_context(&mut self, thread: ThreadId, context: &Context);

    /// Priority 0..31 of a thread, for the scheduler.
    fn set_priority(&mut self, thread: ThreadId, priority: u8) {
        let _ = (thread, priority);
    }

    /// Time since the machine started, in 100 ns.
    fn uptime(&self) -> u64;

    /// NT time (100 ns since 1601) at the moment the machine started.
    fn start_time(&self) -> u64;

    /// Text on the boot screen.
    fn display(&mut self, text: &str);

    /// Text for the debugger.
    fn debug_print(&mut self, text: &str);

    /// Pages of physical memory.
    fn physical_pages(&self) -> u64;

    /// Pages nobody uses.
    fn available_pages(&self) -> u64;

    /// Pages in use on behalf of processes: the frames given out and the tables that map them,
    /// without what the kernel keeps for itself.
    fn committed_pages(&self) -> u64;

    /// The processors.
    fn processor(&self) -> Processor;

    /// The disk with this number.
    fn disk(&self, number: usize) -> Option<Disk>;

    /// Reads whole sectors.
    ///
    /// # Errors
    /// `IO_DEVICE_ERROR`, `NO_MEDIA_IN_DEVICE`; `INVALID_PARAMETER` past the end.
    fn read_disk(&mut self, number: usize, sector: u64, buffer: &mut [u8]) -> Result<()>;

    /// Writes whole sectors. Until [`Machine::flush_disk`] has returned, each of them may or may not
    /// be on the medium.
    ///
    /// # Errors
    /// As [`Machine::read_disk`], and `MEDIA_WRITE_PROTECTED`.
    fn write_disk(&mut self, number: usize, sector: u64, data: &[u8]) -> Result<()>;

    /// Waits until everything that was written is on the medium: a barrier between what is written
    /// before and after it.
    ///
    /// # Errors
    /// `IO_DEVICE_ERROR`, `NO_SUCH_DEVICE`.
    fn flush_disk(&mut self, number: usize) -> Result<()>;

    /// The system has ended: show it, and run no thread any more. The executive calls this once.
    fn stop(&mut self, stop: &Stop);

    /// Checked copy out of a space's user memory. Nothing is paged in: see
    /// [`crate::Executive::page_fault`].
    ///
    /// # Errors
    /// `ACCESS_VIOLATION` if a byte of it is not user memory that may be read.
    fn read(&self, space: SpaceId, address: u64, buffer: &mut [u8]) -> Result<()> {
        let mut at = check_range(self.architecture(), address, buffer.len())?;
        let mut rest = buffer;
        while !rest.is_empty() {
            let (frame, access) = self
                .translate(space, at & !(PAGE as u64 - 1))
                .ok_or(Status::ACCESS_VIOLATION)?;
            if access.is_empty() {
                return Err(Status::ACCESS_VIOLATION);
            }
            let (offset, length) = in_page(at, rest.len());
            let (now, later) = rest.split_at_mut(length);
            self.read_frame(frame, offset, now);
            at += length as u64;
            rest = later;
        }
        Ok(())
    }

    /// Checked copy into a space's user memory.
    ///
    /// # Errors
    /// `ACCESS_VIOLATION` if a byte of it is not user memory that may be written; pages before it
    /// are written.
    fn write(&mut self, space: SpaceId, address: u64, data: &[u8]) -> Result<()> {
        let mut at = check_range(self.architecture(), address, data.len())?;
        let mut rest = data;
        while !rest.is_empty() {
            let (frame, access) = self
                .translate(space, at & !(PAGE as u64 - 1))
                .ok_or(Status::ACCESS_VIOLATION)?;
            if !access.contains(PageAccess::WRITE) {
                return Err(Status::ACCESS_VIOLATION);
            }
            let (offset, length) = in_page(at, rest.len());
            let (now, later) = rest.split_at(length);
            self.write_frame(frame, offset, now);
            at += length as u64;
            rest = later;
        }
        Ok(())
    }
}

/// Offset in its page of `at`, and how many of `length` bytes lie in that page.
fn in_page(at: u64, length: usize) -> (usize, usize) {
    let offset = (at & (PAGE as u64 - 1)) as usize;
    (offset, length.min(PAGE - offset))
}

fn check_range(architecture: Architecture, address: u64, length: usize) -> Result<u64> {
    match address.checked_add(length as u64) {
        Some(end) if end <= architecture.user_end() => Ok(address),
        _ if length == 0 => Ok(address),
        _ => Err(Status::ACCESS_VIOLATION),
    }
}
