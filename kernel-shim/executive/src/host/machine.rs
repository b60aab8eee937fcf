// SPDX-License-Identifier: GPL-2.0-or-later
//! A machine in memory: frames are boxes, an address space is a map, a disk is a vector, and the
//! clock stands still until it is moved.
//!
//! The executive owns one handle to it, the scheduler another. Nothing here depends on the host's
//! time or threads, so that a boot is the same every time.

use crate::ids::ThreadId;
use crate::machine::{
    Architecture, Context, Disk, DiskKind, Frame, Machine, PAGE, PageAccess, Processor, SpaceId,
    Stop,
};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nt::{Result, Status};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// NT time at which every machine in memory starts: 2026-01-01.
pub const START_TIME: u64 = 134_117_856_000_000_000;

/// What a disk was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskEvent {
    /// One sector was written: which, and its bytes.
    Write(u64, Vec<u8>),
    /// What was written before is on the medium before what comes after.
    Flush,
}

/// A disk and its bytes.
#[derive(Clone, Debug)]
pub struct MemoryDisk {
    /// What it is.
    pub disk: Disk,
    /// Every byte of it.
    pub bytes: Vec<u8>,
    /// Writes that are still let through; `None`: all. At zero, every write fails with
    /// `IO_DEVICE_ERROR`: the power cut of the tests.
    pub writes_left: Option<u64>,
    /// Sectors that cannot be read: a read of any of them fails with `IO_DEVICE_ERROR`.
    pub unreadable: BTreeSet<u64>,
    /// Every sector written and every flush, if somebody wants to know.
    pub journal: Option<Vec<DiskEvent>>,
}

impl MemoryDisk {
    /// A fixed disk with these bytes.
    pub fn fixed(bytes: Vec<u8>) -> Self {
        Self::new(DiskKind::Fixed, 512, bytes)
    }

    /// A CD-ROM with these bytes.
    pub fn cd_rom(bytes: Vec<u8>) -> Self {
        Self::new(DiskKind::CdRom, 2048, bytes)
    }

    fn new(kind: DiskKind, sector_bytes: u32, bytes: Vec<u8>) -> Self {
        let disk = Disk {
            kind,
            sector_bytes,
            sectors: bytes.len() as u64 / u64::from(sector_bytes),
            read_only: kind == DiskKind::CdRom,
        };
        Self {
            disk,
            bytes,
            writes_left: None,
            unreadable: BTreeSet::new(),
            journal: None,
        }
    }

    fn range(&self, sector: u64, length: usize) -> Result<core::ops::Range<usize>> {
        let start = sector
            .checked_mul(u64::from(self.disk.sector_bytes))
            .and_then(|start| usize::try_from(start).ok());
        let start = start.ok_or(Status::INVALID_PARAMETER)?;
        let end = start
            .checked_add(length)
            .filter(|&end| end <= self.bytes.len())
            .ok_or(Status::INVALID_PARAMETER)?;
        Ok(start..end)
    }
}

struct Page {
    bytes: Vec<u8>,
    references: u32,
}

/// What a thread is, to the machine.
#[derive(Clone, Copy, Debug)]
struct Thread {
    context: Context,
    runnable: bool,
}

/// Everything of the machine.
#[derive(Default)]
pub struct State {
    /// What its programs are made for.
    pub architecture: Architecture,
    pages: BTreeMap<u64, Page>,
    next_frame: u64,
    spaces: BTreeMap<SpaceId, BTreeMap<u64, (Frame, PageAccess)>>,
    next_space: u32,
    threads: BTreeMap<ThreadId, Thread>,
    ready: VecDeque<ThreadId>,
    /// Threads that have ended and whose host threads have not been told yet.
    pub ended: Vec<ThreadId>,
    /// Time since the start, 100 ns.
    pub uptime: u64,
    /// Pages of physical memory.
    pub physical_pages: u64,
    /// The disks.
    pub disks: Vec<MemoryDisk>,
    /// What stands on the boot screen.
    pub screen: String,
    /// What was printed for the debugger.
    pub debug: String,
    /// How the system ended.
    pub stop: Option<Stop>,
    /// Frames that were asked for since the start.
    pub frames_asked: u64,
    /// Which of them, by that count, are refused as if there were no memory.
    pub frames_refused: BTreeSet<u64>,
}

impl State {
    /// The next thread to run, taken out of the ready queue.
    pub fn next_ready(&mut self) -> Option<ThreadId> {
        while let Some(thread) = self.ready.pop_front() {
            if self.is_runnable(thread) {
                return Some(thread);
            }
        }
        None
    }

    /// How many threads are ready.
    pub fn count_ready(&mut self) -> usize {
        let mut ready = core::mem::take(&mut self.ready);
        let mut seen = BTreeSet::new();
        ready.retain(|&thread| self.is_runnable(thread) && seen.insert(thread));
        self.ready = ready;
        self.ready.len()
    }

    /// Takes one of the ready threads out of the queue, by its place in it.
    pub fn take_ready(&mut self, place: usize) -> Option<ThreadId> {
        self.ready.remove(place)
    }

    /// Whether a thread may run.
    pub fn is_runnable(&self, thread: ThreadId) -> bool {
        self.threads
            .get(&thread)
            .is_some_and(|thread| thread.runnable)
    }

    /// Whether a thread exists and has not ended.
    pub fn is_alive(&self, thread: ThreadId) -> bool {
        self.threads.contains_key(&thread)
    }

    /// Puts a thread that gave up the processor behind the others.
    pub fn requeue(&mut self, thread: ThreadId) {
        self.ready.push_back(thread);
    }

    /// Frames that somebody owns.
    pub fn frames(&self) -> usize {
        self.pages.len()
    }
}

/// A handle to the machine.
#[derive(Clone)]
pub struct MemoryMachine(Arc<Mutex<State>>);

impl MemoryMachine {
    /// A machine with so much memory and these disks.
    pub fn new(physical_pages: u64, disks: Vec<MemoryDisk>) -> Self {
        Self(Arc::new(Mutex::new(State {
            physical_pages,
            disks,
            next_frame: 1,
            next_space: 1,
            ..State::default()
        })))
    }

    /// The machine's state. A host thread that unwinds while it holds it leaves it whole: no method
    /// here panics half-way.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for MemoryMachine {
    fn architecture(&self) -> Architecture {
        self.state().architecture
    }

    fn create_space(&mut self) -> Result<SpaceId> {
        let mut state = self.state();
        let space = SpaceId(state.next_space);
        state.next_space += 1;
        state.spaces.insert(space, BTreeMap::new());
        Ok(space)
    }

    fn delete_space(&mut self, space: SpaceId) {
        self.state().spaces.remove(&space);
    }

    fn allocate_frame(&mut self) -> Result<Frame> {
        let mut state = self.state();
        let number = state.frames_asked;
        state.frames_asked += 1;
        if state.pages.len() as u64 >= state.physical_pages
            || state.frames_refused.contains(&number)
        {
            return Err(Status::NO_MEMORY);
        }
        let frame = state.next_frame;
        state.next_frame += 1;
        state.pages.insert(
            frame,
            Page {
                bytes: alloc::vec![0; PAGE],
                references: 1,
            },
        );
        Ok(Frame(frame))
    }

    fn share_frame(&mut self, frame: Frame) {
        if let Some(page) = self.state().pages.get_mut(&frame.0) {
            page.references += 1;
        }
    }

    fn free_frame(&mut self, frame: Frame) {
        let mut state = self.state();
        if let Some(page) = state.pages.get_mut(&frame.0) {
            page.references -= 1;
            if page.references == 0 {
                state.pages.remove(&frame.0);
            }
        }
    }

    fn read_frame(&self, frame: Frame, offset: usize, buffer: &mut [u8]) {
        if let Some(page) = self.state().pages.get(&frame.0) {
            buffer.copy_from_slice(&page.bytes[offset..offset + buffer.len()]);
        }
    }

    fn write_frame(&mut self, frame: Frame, offset: usize, data: &[u8]) {
        if let Some(page) = self.state().pages.get_mut(&frame.0) {
            page.bytes[offset..offset + data.len()].copy_from_slice(data);
        }
    }

    fn map(
        &mut self,
        space: SpaceId,
        address: u64,
        frame: Frame,
        access: PageAccess,
    ) -> Result<()> {
        let mut state = self.state();
        state
            .spaces
            .get_mut(&space)
            .ok_or(Status::INVALID_PARAMETER)?
            .insert(address, (frame, access));
        Ok(())
    }

    fn unmap(&mut self, space: SpaceId, address: u64) -> Option<Frame> {
        self.state()
            .spaces
            .get_mut(&space)?
            .remove(&address)
            .map(|(frame, _)| frame)
    }

    fn protect(&mut self, space: SpaceId, address: u64, access: PageAccess) {
        if let Some(mapping) = self
            .state()
            .spaces
            .get_mut(&space)
            .and_then(|space| space.get_mut(&address))
        {
            mapping.1 = access;
        }
    }

    fn translate(&self, space: SpaceId, address: u64) -> Option<(Frame, PageAccess)> {
        self.state()
            .spaces
            .get(&space)?
            .get(&(address & !(PAGE as u64 - 1)))
            .copied()
    }

    fn create_thread(
        &mut self,
        thread: ThreadId,
        _space: SpaceId,
        context: &Context,
        _teb: u64,
    ) -> Result<()> {
        self.state().threads.insert(
            thread,
            Thread {
                context: *context,
                runnable: false,
            },
        );
        Ok(())
    }

    fn set_runnable(&mut self, thread: ThreadId, runnable: bool) {
        let mut state = self.state();
        let Some(entry) = state.threads.get_mut(&thread) else {
            return;
        };
        let before = core::mem::replace(&mut entry.runnable, runnable);
        if runnable && !before {
            state.ready.push_back(thread);
        }
    }

    fn end_thread(&mut self, thread: ThreadId) {
        let mut state = self.state();
        if state.threads.remove(&thread).is_some() {
            state.ended.push(thread);
        }
    }

    fn context(&self, thread: ThreadId) -> Context {
        self.state()
            .threads
            .get(&thread)
            .map(|thread| thread.context)
            .unwrap_or_default()
    }

    fn set_context(&mut self, thread: ThreadId, context: &Context) {
        if let Some(thread) = self.state().threads.get_mut(&thread) {
            thread.context = *context;
        }
    }

    fn uptime(&self) -> u64 {
        self.state().uptime
    }

    fn start_time(&self) -> u64 {
        START_TIME
    }

    fn display(&mut self, text: &str) {
        self.state().screen.push_str(text);
    }

    fn debug_print(&mut self, text: &str) {
        self.state().debug.push_str(text);
    }

    fn physical_pages(&self) -> u64 {
        self.state().physical_pages
    }

    fn available_pages(&self) -> u64 {
        let state = self.state();
        state
            .physical_pages
            .saturating_sub(state.pages.len() as u64)
    }

    fn committed_pages(&self) -> u64 {
        self.state().pages.len() as u64
    }

    fn processor(&self) -> Processor {
        let (architecture, name) = match self.architecture() {
            Architecture::Amd64 => (9, "AMD64"),
            Architecture::I386 => (0, "x86"),
        };
        Processor {
            count: 1,
            architecture,
            level: 15,
            revision: 0x6B01,
            features: 0x2199_3FFF,
            vendor: "AuthenticAMD".into(),
            identifier: alloc::format!("{name} Family 15 Model 107 Stepping 1"),
            megahertz: 2000,
        }
    }

    fn disk(&self, number: usize) -> Option<Disk> {
        self.state().disks.get(number).map(|disk| disk.disk)
    }

    fn read_disk(&mut self, number: usize, sector: u64, buffer: &mut [u8]) -> Result<()> {
        let state = self.state();
        let disk = state.disks.get(number).ok_or(Status::NO_SUCH_DEVICE)?;
        let range = disk.range(sector, buffer.len())?;
        let count = buffer.len() as u64 / u64::from(disk.disk.sector_bytes);
        if disk
            .unreadable
            .range(sector..sector + count)
            .next()
            .is_some()
        {
            return Err(Status::IO_DEVICE_ERROR);
        }
        buffer.copy_from_slice(&disk.bytes[range]);
        Ok(())
    }

    fn write_disk(&mut self, number: usize, sector: u64, data: &[u8]) -> Result<()> {
        let mut state = self.state();
        let disk = state.disks.get_mut(number).ok_or(Status::NO_SUCH_DEVICE)?;
        if disk.disk.read_only {
            return Err(Status::MEDIA_WRITE_PROTECTED);
        }
        match &mut disk.writes_left {
            Some(0) => return Err(Status::IO_DEVICE_ERROR),
            Some(left) => *left -= 1,
            None => {}
        }
        let range = disk.range(sector, data.len())?;
        disk.bytes[range].copy_from_slice(data);
        let size = disk.disk.sector_bytes as usize;
        if let Some(journal) = &mut disk.journal {
            let sectors = (sector..).zip(data.chunks(size));
            journal.extend(sectors.map(|(at, bytes)| DiskEvent::Write(at, bytes.to_vec())));
        }
        Ok(())
    }

    fn flush_disk(&mut self, number: usize) -> Result<()> {
        let mut state = self.state();
        let disk = state.disks.get_mut(number).ok_or(Status::NO_SUCH_DEVICE)?;
        if disk.writes_left == Some(0) {
            return Err(Status::IO_DEVICE_ERROR);
        }
        if let Some(journal) = &mut disk.journal {
            journal.push(DiskEvent::Flush);
        }
        Ok(())
    }

    fn stop(&mut self, stop: &Stop) {
        self.state().stop = Some(*stop);
    }
}
