// SPDX-License-Identifier: GPL-2.0-or-later
//! The bare machine under the executive: its address spaces, frames, threads, screen and disks.
//!
//! Every space has the shared data page at its fixed address from the beginning; the executive
//! keeps that address for it.
//!
//! Invariants:
//! * a thread is in exactly one ready queue when it is runnable, and in none when it is not; the
//!   running one is at the front of its;
//! * the address space that the processor uses is kept in `spaces`, or is the kernel's own.

use crate::cpu::user::{Registers, Vectors};
use crate::cpu::{clock, fast_call, processor};
use crate::disk::{self, Medium};
use crate::memory::paging::{AddressSpace, Rights};
use crate::memory::{frames, physical};
use crate::schedule::Ready;
use crate::thread::shared_data::{self, SharedData};
use crate::{screen, serial};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use executive::ids::ThreadId;
use executive::machine::{
    Architecture, Context, Disk, DiskKind, Frame, Machine, PAGE, PageAccess, Processor, SpaceId,
    Stop,
};
use executive::ps::SystemCall;
use nt::{Result, Status};

/// What is to be done for a thread before it runs in ring 3 again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pending {
    /// Nothing: it goes on where it was.
    #[default]
    Nothing,
    /// It has never run.
    Start,
    /// Its service waited and has been completed.
    Service,
}

/// The machine's part of a thread.
pub struct Thread {
    /// What comes first when it runs again.
    pub pending: Pending,
    /// The address space it runs in.
    pub space: SpaceId,
    /// Its registers while it does not run.
    pub registers: Registers,
    /// Its x87 and SSE state while it does not run.
    pub vectors: Vectors,
    /// Its thread environment block.
    pub teb: u64,
}

/// The machine.
pub struct Bare {
    architecture: Architecture,
    kernel: AddressSpace,
    spaces: BTreeMap<SpaceId, AddressSpace>,
    next_space: u32,
    threads: BTreeMap<ThreadId, Thread>,
    /// Who may run, and who runs next.
    pub ready: Ready,
    /// References beyond the first, of frames that have more than one.
    references: BTreeMap<Frame, u32>,
    /// The page that every space has.
    shared_data: SharedData,
    disks: Vec<Box<dyn disk::Disk>>,
    start_time: u64,
    stop: Option<Stop>,
}

fn rights(access: PageAccess) -> Option<Rights> {
    (!access.is_empty()).then(|| Rights {
        write: access.contains(PageAccess::WRITE),
        execute: access.contains(PageAccess::EXECUTE),
    })
}

fn access(rights: Rights) -> PageAccess {
    let mut access = PageAccess::READ;
    access.set(PageAccess::WRITE, rights.write);
    access.set(PageAccess::EXECUTE, rights.execute);
    access
}

fn address(frame: Frame) -> u64 {
    frame.0 * physical::PAGE
}

impl Bare {
    /// Takes the machine over: its own page tables and its disks.
    pub fn new(
        architecture: Architecture,
        kernel: AddressSpace,
        disks: Vec<Box<dyn disk::Disk>>,
        shared_data: SharedData,
    ) -> Self {
        let start_time = clock::system_time() - clock::uptime();
        Self {
            architecture,
            kernel,
            spaces: BTreeMap::new(),
            next_space: 1,
            threads: BTreeMap::new(),
            ready: Ready::default(),
            references: BTreeMap::new(),
            shared_data,
            disks,
            start_time,
            stop: None,
        }
    }

    /// Why the system has ended, if it has.
    pub const fn stopped(&self) -> Option<Stop> {
        self.stop
    }

    /// A thread that has not ended.
    pub fn thread(&mut self, thread: ThreadId) -> Option<&mut Thread> {
        self.threads.get_mut(&thread)
    }

    /// Makes sure that what was written is on the disks.
    pub fn flush(&mut self) {
        for (number, disk) in self.disks.iter_mut().enumerate() {
            if disk.flush().is_err() {
                log::error!("disk {number} could not be flushed");
            }
        }
    }

    /// Tells i386 programs where to call the kernel.
    pub fn publish_system_call(&self, entries: &SystemCall) {
        match entries.fast {
            Some((call, back)) if fast_call::is_there() => {
                fast_call::set_return(back);
                self.shared_data.publish_system_call(call, back);
            }
            _ => self.shared_data.publish_system_call(entries.interrupt, 0),
        }
    }

    /// Brings the time in the shared data page up to date.
    pub fn update_time(&self) {
        self.shared_data.update();
    }

    /// Takes a thread's state out to run it, and makes its address space the processor's. `None` if
    /// it has ended or may not run.
    pub fn begin(&mut self, thread: ThreadId) -> Option<(Registers, Vectors, u64)> {
        if self.ready.next() != Some(thread) {
            return None;
        }
        let state = self.threads.get(&thread)?;
        self.activate(Some(state.space));
        Some((state.registers, state.vectors.clone(), state.teb))
    }

    /// Puts the state back after the run.
    pub fn leave(&mut self, thread: ThreadId, registers: &Registers, vectors: Vectors) {
        if let Some(state) = self.threads.get_mut(&thread) {
            state.registers = *registers;
            state.vectors = vectors;
        }
    }

    /// Makes the thread's address space the processor's; without one, the kernel's own.
    pub fn activate(&self, space: Option<SpaceId>) {
        let space = space
            .and_then(|space| self.spaces.get(&space))
            .unwrap_or(&self.kernel);
        // SAFETY: `delete_space` activates the kernel's space before it drops one, and nothing else
        // drops any.
        unsafe { space.activate() };
    }
}

impl Machine for Bare {
    fn architecture(&self) -> Architecture {
        self.architecture
    }

    fn create_space(&mut self) -> Result<SpaceId> {
        let mut space = AddressSpace::new(&self.kernel).map_err(|_| Status::NO_MEMORY)?;
        let read_only = Rights {
            write: false,
            execute: false,
        };
        // SAFETY: the shared page's frame, which is never given back, for reading only.
        unsafe { space.map(shared_data::ADDRESS, self.shared_data.frame(), read_only) }
            .map_err(|_| Status::NO_MEMORY)?;
        let id = SpaceId(self.next_space);
        self.next_space += 1;
        self.spaces.insert(id, space);
        Ok(id)
    }

    fn delete_space(&mut self, space: SpaceId) {
        self.activate(None);
        self.spaces.remove(&space);
    }

    fn allocate_frame(&mut self) -> Result<Frame> {
        frames::allocate()
            .map(|address| Frame(address / physical::PAGE))
            .ok_or(Status::NO_MEMORY)
    }

    fn share_frame(&mut self, frame: Frame) {
        *self.references.entry(frame).or_insert(0) += 1;
    }

    fn free_frame(&mut self, frame: Frame) {
        match self.references.get_mut(&frame) {
            Some(1) => {
                self.references.remove(&frame);
            }
            Some(more) => *more -= 1,
            // SAFETY: the last reference is given back: by the trait's contract nothing maps the
            // frame any more.
            None => unsafe { frames::free(address(frame), 1) },
        }
    }

    fn read_frame(&self, frame: Frame, offset: usize, buffer: &mut [u8]) {
        assert!(offset + buffer.len() <= PAGE);
        // SAFETY: the frame is one the executive holds: the kernel keeps no reference into such a
        // frame, and `buffer` is the kernel's own memory.
        let read = unsafe { physical::read(address(frame) + offset as u64, buffer) };
        assert!(read, "{frame:?} is no frame");
    }

    fn write_frame(&mut self, frame: Frame, offset: usize, data: &[u8]) {
        assert!(offset + data.len() <= PAGE);
        // SAFETY: the frame is one the executive holds: the kernel keeps no reference into such a
        // frame.
        let written = unsafe { physical::write(address(frame) + offset as u64, data) };
        assert!(written, "{frame:?} is no frame");
    }

    fn map(&mut self, space: SpaceId, at: u64, frame: Frame, access: PageAccess) -> Result<()> {
        let space = self
            .spaces
            .get_mut(&space)
            .ok_or(Status::INVALID_PARAMETER)?;
        let result = match rights(access) {
            // SAFETY: the frame is one the executive holds for processes: the kernel keeps no
            // reference into such a frame, and by the trait's contract it stays held while mapped.
            Some(rights) => unsafe { space.map(at, address(frame), rights) },
            // SAFETY: the frame is held for processes while it is mapped, and the kernel has no
            // reference into it.
            None => unsafe { space.map_hidden(at, address(frame)) },
        };
        result.map_err(|_| Status::NO_MEMORY)
    }

    fn unmap(&mut self, space: SpaceId, at: u64) -> Option<Frame> {
        self.spaces
            .get_mut(&space)?
            .unmap(at)
            .map(|address| Frame(address / physical::PAGE))
    }

    fn protect(&mut self, space: SpaceId, at: u64, access: PageAccess) {
        if let Some(space) = self.spaces.get_mut(&space) {
            space.protect(at, rights(access));
        }
    }

    fn translate(&self, space: SpaceId, at: u64) -> Option<(Frame, PageAccess)> {
        let (address, rights) = self.spaces.get(&space)?.translate(at)?;
        Some((
            Frame(address / physical::PAGE),
            rights.map_or(PageAccess::empty(), access),
        ))
    }

    fn create_thread(
        &mut self,
        thread: ThreadId,
        space: SpaceId,
        context: &Context,
        teb: u64,
    ) -> Result<()> {
        let pending = Pending::Start;
        let mut new = Thread {
            pending,
            space,
            registers: Registers::default(),
            vectors: Vectors::default(),
            teb,
        };
        set(&mut new, context);
        self.threads.insert(thread, new);
        self.ready.add(thread);
        Ok(())
    }

    fn set_runnable(&mut self, thread: ThreadId, runnable: bool) {
        self.ready.set(thread, runnable);
    }

    fn end_thread(&mut self, thread: ThreadId) {
        self.ready.remove(thread);
        self.threads.remove(&thread);
    }

    fn context(&self, thread: ThreadId) -> Context {
        let Some(thread) = self.threads.get(&thread) else {
            return Context::default();
        };
        let registers = &thread.registers;
        Context {
            rip: registers.rip,
            rsp: registers.rsp,
            rax: registers.rax,
            rbx: registers.rbx,
            rcx: registers.rcx,
            rdx: registers.rdx,
            rsi: registers.rsi,
            rdi: registers.rdi,
            rbp: registers.rbp,
            r8: registers.r8,
            r9: registers.r9,
            r10: registers.r10,
            r11: registers.r11,
            r12: registers.r12,
            r13: registers.r13,
            r14: registers.r14,
            r15: registers.r15,
            flags: registers.rflags as u32,
            mxcsr: thread.vectors.mxcsr(),
        }
    }

    fn set_context(&mut self, thread: ThreadId, context: &Context) {
        if let Some(thread) = self.threads.get_mut(&thread) {
            set(thread, context);
        }
    }

    fn set_priority(&mut self, thread: ThreadId, priority: u8) {
        self.ready.set_priority(thread, priority);
    }

    fn uptime(&self) -> u64 {
        clock::uptime()
    }

    fn start_time(&self) -> u64 {
        self.start_time
    }

    fn display(&mut self, text: &str) {
        screen::write(text);
    }

    fn debug_print(&mut self, text: &str) {
        serial::debug_print(text);
    }

    fn physical_pages(&self) -> u64 {
        frames::counts().1 as u64
    }

    fn available_pages(&self) -> u64 {
        frames::counts().0 as u64
    }

    fn committed_pages(&self) -> u64 {
        frames::single() as u64
    }

    fn processor(&self) -> Processor {
        processor::identify(self.architecture)
    }

    fn disk(&self, number: usize) -> Option<Disk> {
        let disk = self.disks.get(number)?;
        let cd = disk.medium() == Medium::Cd;
        Some(Disk {
            kind: if cd { DiskKind::CdRom } else { DiskKind::Fixed },
            sector_bytes: disk.sector_size(),
            sectors: disk.sectors(),
            read_only: cd,
        })
    }

    fn read_disk(&mut self, number: usize, sector: u64, buffer: &mut [u8]) -> Result<()> {
        let disk = self
            .disks
            .get_mut(number)
            .ok_or(Status::NO_MEDIA_IN_DEVICE)?;
        in_range(disk.as_ref(), sector, buffer.len())?;
        disk.read(sector, buffer)
            .map_err(|_| Status::IO_DEVICE_ERROR)
    }

    fn write_disk(&mut self, number: usize, sector: u64, data: &[u8]) -> Result<()> {
        let disk = self
            .disks
            .get_mut(number)
            .ok_or(Status::NO_MEDIA_IN_DEVICE)?;
        if disk.medium() == Medium::Cd {
            return Err(Status::MEDIA_WRITE_PROTECTED);
        }
        in_range(disk.as_ref(), sector, data.len())?;
        disk.write(sector, data)
            .map_err(|_| Status::IO_DEVICE_ERROR)
    }

    fn flush_disk(&mut self, number: usize) -> Result<()> {
        let disk = self
            .disks
            .get_mut(number)
            .ok_or(Status::NO_MEDIA_IN_DEVICE)?;
        disk.flush().map_err(|_| Status::IO_DEVICE_ERROR)
    }

    fn stop(&mut self, stop: &Stop) {
        self.stop.get_or_insert(*stop);
    }
}

fn in_range(disk: &dyn disk::Disk, sector: u64, bytes: usize) -> Result<()> {
    let size = disk.sector_size() as usize;
    let end = sector.checked_add((bytes / size) as u64);
    if bytes.is_multiple_of(size) && end.is_some_and(|end| end <= disk.sectors()) {
        Ok(())
    } else {
        Err(Status::INVALID_PARAMETER)
    }
}

fn set(thread: &mut Thread, context: &Context) {
    let registers = &mut thread.registers;
    (registers.rip, registers.rsp, registers.rflags) =
        (context.rip, context.rsp, context.flags.into());
    (registers.rax, registers.rbx, registers.rcx, registers.rdx) =
        (context.rax, context.rbx, context.rcx, context.rdx);
    (registers.rsi, registers.rdi, registers.rbp) = (context.rsi, context.rdi, context.rbp);
    (registers.r8, registers.r9, registers.r10, registers.r11) =
        (context.r8, context.r9, context.r10, context.r11);
    (registers.r12, registers.r13, registers.r14, registers.r15) =
        (context.r12, context.r13, context.r14, context.r15);
    // 0 stands for "not given": with every exception unmasked nothing could run.
    if context.mxcsr != 0 {
        thread.vectors.set_mxcsr(context.mxcsr & 0xffff);
    }
}
