// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be seen of a world that runs: processes, the volume, the trace, the screen.

use super::super::disk::{LiveDisk, VolumeImage};
use super::super::machine::DiskEvent;
use super::super::seam::{Parameters, Shared};
use crate::ids::ProcessId;
use crate::ob::prelude::*;
use crate::trace::Record;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use nt::{Status, UnicodeStr};

use super::{World, must};

/// What is known of a process, also after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessReport {
    /// Its id.
    pub id: u32,
    /// Its parent's id.
    pub parent: u32,
    /// File name of its image.
    pub image: String,
    /// Its command line.
    pub command_line: String,
    /// Its environment block.
    pub environment: Vec<u16>,
    /// Its current directory.
    pub current_directory: String,
    /// Its `DllPath`.
    pub dll_path: String,
    /// Parameter flags its creator set.
    pub flags: u32,
    /// The session it reports.
    pub session: u32,
    /// `ProcessBreakOnTermination`.
    pub critical: bool,
    /// Base priority.
    pub base_priority: u8,
    /// `ProcessDefaultHardErrorMode`.
    pub hard_error_mode: u32,
    /// Threads that have not ended.
    pub threads: usize,
    /// Handles in its table.
    pub handles: usize,
    /// Exit status, once it has ended; `None` while it runs, and if nobody has kept its object.
    pub exit: Option<Status>,
    /// It runs.
    pub running: bool,
}

impl ProcessReport {
    /// A variable of its environment, by name without regard to case.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment
            .split(|&unit| unit == 0)
            .map(|entry| UnicodeStr(entry).to_string())
            .find_map(|entry| {
                let (key, value) = entry.split_once('=')?;
                key.eq_ignore_ascii_case(name).then(|| value.to_string())
            })
    }
}

impl World {
    /// How many calls were made to fail.
    pub fn faults_hit(&self) -> u64 {
        Shared::lock(&self.shared().faults).hits()
    }

    /// The bytes of C: at the start, and what its disk was asked to do since.
    ///
    /// # Panics
    /// Without [`World::record_disk`].
    pub fn disk_history(&self) -> (&[u8], Vec<DiskEvent>) {
        let state = self.shared().scheduler.machine.state();
        match (&self.recorded, &state.disks[0].journal) {
            (Some(start), Some(journal)) => (start, journal.clone()),
            _ => panic!("the disk is not recorded"),
        }
    }

    /// What is known of every process that was started, in the order of their ids.
    pub fn processes(&self) -> Vec<ProcessReport> {
        let told: Vec<(ProcessId, Arc<Parameters>)> = Shared::lock(&self.shared().parameters)
            .iter()
            .map(|(&id, parameters)| (id, Arc::clone(parameters)))
            .collect();
        let text = |units: &[u16]| UnicodeStr(units).to_string();
        self.look(|executive| {
            let report = |(id, parameters): (ProcessId, Arc<Parameters>)| {
                let process = executive.process(id).ok();
                ProcessReport {
                    id: id.0,
                    parent: parameters.parent,
                    image: parameters.image_name(),
                    command_line: text(&parameters.command_line),
                    environment: parameters.environment.clone(),
                    current_directory: text(&parameters.current_directory),
                    dll_path: text(&parameters.dll_path),
                    flags: parameters.flags,
                    session: executive.session_of(id).unwrap_or(0),
                    critical: process.is_some_and(|process| process.critical),
                    base_priority: process.map_or(0, |process| process.base_priority),
                    hard_error_mode: process.map_or(0, |process| process.hard_error_mode),
                    threads: process.map_or(0, |process| process.threads.len()),
                    handles: process
                        .and_then(|process| process.handles.as_ref())
                        .map_or(0, |table| table.len()),
                    exit: process
                        .filter(|process| process.ended)
                        .map(|process| process.exit_status),
                    running: process.is_some_and(|process| !process.ended),
                }
            };
            told.into_iter().map(report).collect()
        })
    }

    /// The running process of this image, the first if there are several.
    pub fn process(&self, image: &str) -> Option<ProcessReport> {
        self.processes()
            .into_iter()
            .find(|process| process.running && process.image.eq_ignore_ascii_case(image))
    }

    /// Types of the objects that a process has handles to, and how many of each.
    pub fn handles_of(&self, process: u32) -> BTreeMap<&'static str, usize> {
        self.look(|executive| {
            let mut types = BTreeMap::new();
            let table = executive
                .process(ProcessId(process))
                .ok()
                .and_then(|process| process.handles.as_ref());
            for (_, entry) in table.iter().flat_map(|table| table.iter()) {
                if let Ok(object) = executive.object(entry.object) {
                    *types
                        .entry(executive.type_of(object.kind).name)
                        .or_default() += 1;
                }
            }
            types
        })
    }

    /// Every call that was made, in order.
    pub fn trace(&self) -> Vec<Record> {
        self.look(|executive| executive.trace().records().to_vec())
    }

    /// Says at any time how many records the trace has, for a logger that places its lines among the
    /// calls. For threads of this world only, and for the test's own while it stands still.
    pub fn trace_length(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let shared = Arc::clone(self.shared());
        move || {
            shared
                .scheduler
                .with(|executive| executive.trace().records().len())
        }
    }

    /// How often each service was called.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.look(|executive| executive.trace().counts().clone())
    }

    /// What stands on the boot screen.
    pub fn boot_screen(&self) -> String {
        self.shared().scheduler.machine.state().screen.clone()
    }

    /// What was printed for the debugger.
    pub fn debug_output(&self) -> String {
        self.shared().scheduler.machine.state().debug.clone()
    }

    /// Virtual time since the machine started, in 100 ns.
    pub fn uptime(&self) -> u64 {
        self.shared().scheduler.machine.state().uptime
    }

    /// The volume C: as it is on its disk now.
    ///
    /// # Panics
    /// If it is no FAT volume any more.
    pub fn volume_now(&self) -> VolumeImage<LiveDisk> {
        must(
            "volume",
            VolumeImage::mount(LiveDisk::new(self.shared().scheduler.machine.clone(), 0)),
        )
    }

    /// A file's bytes, as they are on the disk of C: now; `None` if there is no such file.
    pub fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        self.volume_now().read(path).ok()
    }

    /// Whether a file or directory is on C: now.
    pub fn exists(&self, path: &str) -> bool {
        self.volume_now().facts(path).is_ok()
    }
}
