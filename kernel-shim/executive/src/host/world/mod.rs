// SPDX-License-Identifier: GPL-2.0-or-later
//! A world: a machine in memory with its disk, registry and programs, built by a test, run, and
//! looked at.
//!
//! A world is built (files, hives, programs, memory), started with [`World::start`], and run with
//! [`World::run`] as often as something is to happen; between runs the test may look at everything
//! and do what an operator would do (end a process, start a program).

mod setup;
mod view;

use super::disk::VolumeImage;
use super::faults::{Fault, Faults};
use super::interference::Interference;
use super::machine::{MemoryDisk, MemoryMachine};
use super::scheduler::Scheduler;
use super::seam::{Main, Parameters, Seam, Shared};
use crate::ex::hard_errors::BugCheck;
use crate::ids::{ProcessId, ThreadId};
use crate::machine::{Architecture, Stop};
use crate::{Executive, Version};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use formats::hive::Hive;
use formats::{sectors, utf16};
use nt::system::ShutdownAction;
use nt::{Result, Status};
use std::sync::Mutex;

pub use view::ProcessReport;

/// Where the system is, unless a world says otherwise.
pub const SYSTEM_ROOT: &str = "C:\\ReactOS";

/// The image of the first process.
pub const SESSION_MANAGER: &str = "\\SystemRoot\\System32\\smss.exe";

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// Everybody waits, and no timer is set.
    Settled,
    /// The system stopped.
    Stopped(BugCheck),
    /// It was shut down.
    Shutdown(ShutdownAction),
}

/// A whole system.
pub struct World {
    architecture: Architecture,
    version: Version,
    /// Where the system is, as a DOS path.
    system_root: String,
    volume: Option<VolumeImage>,
    disks: Vec<MemoryDisk>,
    spoilt: Vec<Vec<u8>>,
    hives: Vec<(&'static str, Hive)>,
    programs: BTreeMap<String, Main>,
    physical_pages: u64,
    options: String,
    keep_trace: bool,
    shared: Option<Arc<Shared>>,
    /// What faults there are to be.
    faults: Vec<Fault>,
    /// The bytes of C: at the start, if its disk is recorded.
    recorded: Option<Vec<u8>>,
    interference: Option<Box<dyn Interference>>,
}

/// A failure to build a world is a mistake of the test.
fn must<T>(what: &str, result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(status) => panic!("the world cannot be built: {what}: {status}"),
    }
}

impl World {
    /// Disarms every fault.
    pub fn no_more_faults(&mut self) {
        self.faults.clear();
        if let Some(shared) = &self.shared {
            Shared::lock(&shared.faults).clear();
        }
    }

    /// From now on C: takes this many writes; the rest fail, as if the power had gone.
    pub fn cut_power_after(&mut self, writes: u64) {
        if let Some(disk) = self.shared().scheduler.machine.state().disks.first_mut() {
            disk.writes_left = Some(writes);
        }
    }

    /// From now on these requests for a frame of memory, counted from 0, are refused; an empty set
    /// ends it.
    pub fn refuse_frames(&mut self, numbers: &BTreeSet<u64>) {
        let mut state = self.shared().scheduler.machine.state();
        let asked = state.frames_asked;
        state.frames_refused = numbers.iter().map(|number| asked + number).collect();
    }

    /// Frames of memory that somebody owns.
    pub fn frames(&self) -> usize {
        self.shared().scheduler.machine.state().frames()
    }

    /// Without this, every call is recorded; with it they are only counted.
    pub const fn no_trace(&mut self) -> &mut Self {
        self.keep_trace = false;
        self
    }

    /// Another boot of this machine with `first` as the disk of C:, and nothing else of this one but
    /// its programs.
    pub fn boot_from(&self, first: Vec<u8>) -> Self {
        let programs = Shared::lock(&self.shared().programs).clone();
        self.next_boot(first, Vec::new(), programs)
    }

    /// A world like this one before its start, with these disks and programs.
    fn next_boot(
        &self,
        first: Vec<u8>,
        disks: Vec<MemoryDisk>,
        programs: BTreeMap<String, Main>,
    ) -> Self {
        Self {
            architecture: self.architecture,
            version: self.version,
            system_root: self.system_root.clone(),
            volume: Some(must("volume", VolumeImage::open(first))),
            disks,
            spoilt: Vec::new(),
            hives: Vec::new(),
            programs,
            physical_pages: self.physical_pages,
            options: self.options.clone(),
            keep_trace: self.keep_trace,
            shared: None,
            faults: Vec::new(),
            recorded: None,
            interference: None,
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        match &self.shared {
            Some(shared) => shared,
            None => panic!("the world has not started"),
        }
    }

    fn build(&mut self, image: Option<&str>) {
        must("hives", self.write_hives());
        let Some(volume) = self.volume.take() else {
            panic!("a world starts once")
        };
        let bytes = must("volume", volume.into_bytes());
        let mut first = MemoryDisk::fixed(bytes);
        for content in &self.spoilt {
            match sectors::only(&first.bytes, content) {
                Some(sector) => first.unreadable.insert(sector),
                None => panic!("no sector of its own has the content to spoil"),
            };
        }
        if let Some(start) = &mut self.recorded {
            start.clone_from(&first.bytes);
            first.journal = Some(Vec::new());
        }
        let mut disks = Vec::from([first]);
        disks.append(&mut self.disks);
        let machine = MemoryMachine::new(self.physical_pages, disks);
        machine.state().architecture = self.architecture;
        let mut executive = Executive::new(Box::new(machine.clone()), self.version);
        if self.keep_trace {
            executive.trace_mut().keep();
        }
        let root = &self.system_root;
        match image {
            Some(image) => executive.start_system(root, &self.options, image),
            // The failure is the bugcheck that the next run reports.
            None => drop(executive.build_system(root, &self.options)),
        }
        let session_manager = executive.session_manager();
        let first = session_manager
            .and_then(|process| executive.process(process).ok()?.threads.first().copied());
        let mut faults = Faults::default();
        self.faults.drain(..).for_each(|fault| faults.arm(fault));
        let shared = Arc::new(Shared {
            scheduler: Scheduler::new(executive, machine),
            programs: Mutex::new(core::mem::take(&mut self.programs)),
            faults: Mutex::new(faults),
            parameters: Mutex::new(BTreeMap::new()),
            system_root: utf16(root),
        });
        if let (Some(process), Some(thread)) = (session_manager, first) {
            shared.equip(
                process,
                thread,
                kernel_parameters(root, image.unwrap_or_default()),
            );
        }
        if let Some(interference) = self.interference.take() {
            shared.scheduler.set_interference(interference);
        }
        self.shared = Some(shared);
    }

    /// Boots: the kernel starts the Session Manager, whose process runs `main`.
    pub fn start(
        &mut self,
        main: impl Fn(&'static Seam) -> Status + Send + Sync + 'static,
    ) -> &mut Self {
        self.code("smss.exe", main);
        self.build(Some(SESSION_MANAGER));
        self
    }

    /// Lets the system run until it has settled or ended. A panic in one of its threads goes on
    /// here.
    pub fn run(&mut self) -> RunEnd {
        if self.shared.is_none() {
            self.build(None);
        }
        self.shared().scheduler.run();
        self.outcome()
    }

    fn outcome(&self) -> RunEnd {
        let stop = self.shared().scheduler.machine.state().stop;
        match stop {
            None => RunEnd::Settled,
            Some(Stop::Shutdown(action)) => RunEnd::Shutdown(action),
            Some(Stop::Bugcheck { code, parameters }) => RunEnd::Stopped(
                self.look(|executive| executive.bug_check().cloned())
                    .unwrap_or_else(|| BugCheck::new(code, parameters)),
            ),
        }
    }

    /// Looks at the executive, or does something with it in kernel mode, while nobody runs.
    pub fn look<R>(&self, act: impl FnOnce(&mut Executive) -> R) -> R {
        self.shared().scheduler.with(act)
    }

    /// Ends a process, as an operator would; a critical one takes the system with it at the next
    /// run.
    ///
    /// # Errors
    /// `INVALID_CID`, `PROCESS_IS_TERMINATING`.
    pub fn kill(&mut self, process: u32, status: Status) -> Result<()> {
        self.look(|executive| executive.kill_process(ProcessId(process), None, status))
    }

    /// Takes the critical flag from a process and its threads (spec 1.4, row 3).
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn clear_critical(&mut self, process: u32) -> Result<()> {
        self.look(|executive| {
            let entry = executive.process_mut(ProcessId(process))?;
            entry.critical = false;
            for thread in entry.threads.clone() {
                executive.thread_mut(thread)?.critical = false;
            }
            Ok(())
        })
    }

    /// Moves virtual time on, as if nothing had happened meanwhile; what is due happens at the next
    /// run.
    pub fn pass_time(&mut self, hundred_nanoseconds: u64) {
        self.shared().scheduler.machine.state().uptime += hundred_nanoseconds;
        self.look(Executive::expire_timers);
    }

    /// The next boot of the same machine: its disks as they are now (what was not written is lost),
    /// its programs, nothing else.
    pub fn reboot(mut self) -> Self {
        let shared = match self.shared.take() {
            Some(shared) => shared,
            None => panic!("the world has not started"),
        };
        shared.scheduler.close();
        let mut disks = core::mem::take(&mut shared.scheduler.machine.state().disks);
        let programs = core::mem::take(&mut *Shared::lock(&shared.programs));
        let first = disks.remove(0);
        self.next_boot(first.bytes, disks, programs)
    }

    /// Starts a program of System32 as a child of the System process: its process id. `command_line`
    /// is what the program is told, its own name first.
    ///
    /// # Errors
    /// What opening and mapping the image gives.
    pub fn spawn(&mut self, image: &str, command_line: &str) -> Result<u32> {
        let shared = Arc::clone(self.shared());
        let path = alloc::format!("\\SystemRoot\\System32\\{image}");
        let (process, thread) = self.look(|executive| executive.spawn_image(&utf16(&path)))?;
        let mut parameters = kernel_parameters(&self.system_root, &path);
        parameters.command_line = utf16(command_line);
        shared.equip(process, thread, parameters);
        self.look(|executive| executive.resume(thread))?;
        Ok(process.0)
    }
}

/// What the kernel tells the first process (spec 1.1 rows 4 and 5).
fn kernel_parameters(root: &str, image: &str) -> Parameters {
    let path = image.split(' ').next().unwrap_or(image);
    let environment = alloc::format!("Path={root}\\System32\0SystemDrive=C:\0SystemRoot={root}\0");
    Parameters {
        image: utf16(path),
        dll_path: utf16(&alloc::format!("{root}\\System32")),
        current_directory: utf16(&alloc::format!("{root}\\")),
        command_line: utf16(image),
        environment: utf16(&environment),
        flags: 0x20,
        debug: 0,
        parent: 0,
    }
}

impl Executive {
    /// A suspended process of an image, as a child of the System process, with its first thread.
    fn spawn_image(&mut self, path: &[u16]) -> Result<(ProcessId, ThreadId)> {
        let process = self.make_image_process(path)?;
        let peb = self.process(process)?.peb;
        let context = crate::machine::Context {
            rcx: peb,
            ..crate::machine::Context::default()
        };
        let stack = crate::system::processes::create::Stack::default();
        let thread = self.make_thread(process, &context, stack)?;
        Ok((process, thread))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.scheduler.close();
        }
    }
}
