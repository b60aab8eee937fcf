// SPDX-License-Identifier: GPL-2.0-or-later
//! A world: a machine in memory with its disk, registry and programs, built by a test, run, and
//! looked at.
//!
//! A world is built (files, hives, programs, memory), started with [`World::start`], and run with
//! [`World::run`] as often as something is to happen; between runs the test may look at everything
//! and do what an operator would do (end a process, start a program).

use super::disk::{LiveDisk, VolumeImage};
use super::faults::{Fault, Faults};
use super::interference::Interference;
use super::machine::{DiskEvent, MemoryDisk, MemoryMachine};
use super::scheduler::Scheduler;
use super::seam::{Main, Parameters, Seam, Shared};
use crate::ex::hard_errors::BugCheck;
use crate::ids::{ProcessId, ThreadId};
use crate::machine::Stop;
use crate::ob::prelude::*;
use crate::trace::Record;
use crate::{Executive, Version};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use formats::hive::{Hive, reg_text};
use formats::pe::build::ImageFile;
use formats::sectors;
use formats::utf16;
use nt::system::{ImageSubsystem, ShutdownAction};
use nt::{Result, Status, UnicodeStr};
use std::sync::Mutex;

/// Where the system is.
pub const SYSTEM_ROOT: &str = "C:\\ReactOS";
/// The image of the first process.
pub const SESSION_MANAGER: &str = "\\SystemRoot\\System32\\smss.exe";

const SYSTEM32: &str = "\\ReactOS\\System32";
const HIVES: [(&str, &str); 5] = [
    ("SYSTEM", include_str!("../../../../iso/hives/SYSTEM.reg")),
    (
        "SOFTWARE",
        include_str!("../../../../iso/hives/SOFTWARE.reg"),
    ),
    ("SAM", include_str!("../../../../iso/hives/SAM.reg")),
    (
        "SECURITY",
        include_str!("../../../../iso/hives/SECURITY.reg"),
    ),
    ("DEFAULT", include_str!("../../../../iso/hives/DEFAULT.reg")),
];
/// What the kernel enters the system DLL by.
const SYSTEM_DLL_EXPORTS: &[&str] = &[
    "KiUserApcDispatcher",
    "KiUserCallbackDispatcher",
    "KiUserExceptionDispatcher",
    "LdrInitializeThunk",
];

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

/// A whole system.
pub struct World {
    version: Version,
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
    /// A world with the default registry, 512 MiB of memory, a volume C: of 1 GiB with an empty
    /// system root, and the images of smss, win32k and ntdll.
    pub fn new(version: Version) -> Self {
        let volume = must("volume", VolumeImage::new(1024));
        Self::on(version, volume)
    }

    /// The same with a volume of `mebibytes` MiB.
    pub fn with_volume(version: Version, mebibytes: usize) -> Self {
        Self::on(version, must("volume", VolumeImage::new(mebibytes)))
    }

    /// The same on a volume that has files already; those of the same names are replaced.
    pub fn on(version: Version, volume: VolumeImage) -> Self {
        let hives = HIVES.map(|(name, text)| {
            let mut hive = Hive::new(UnicodeStr(&utf16(name)));
            if let Err(error) = reg_text::apply(&mut hive, text, "", 0) {
                panic!("{name}.reg: {error}");
            }
            (name, hive)
        });
        let mut this = Self {
            version,
            volume: Some(volume),
            disks: Vec::new(),
            spoilt: Vec::new(),
            hives: Vec::from(hives),
            programs: BTreeMap::new(),
            physical_pages: 512 << 8,
            options: String::new(),
            keep_trace: true,
            shared: None,
            faults: Vec::new(),
            recorded: None,
            interference: None,
        };
        let native = ImageFile {
            subsystem: ImageSubsystem::NATIVE,
            ..ImageFile::default()
        };
        this.file(&alloc::format!("{SYSTEM32}\\smss.exe"), &native.bytes());
        this.file(&alloc::format!("{SYSTEM32}\\win32k.sys"), &native.bytes());
        let ntdll = ImageFile {
            name: "ntdll.dll",
            dll: true,
            exports: SYSTEM_DLL_EXPORTS,
            ..native
        };
        this.file(&alloc::format!("{SYSTEM32}\\ntdll.dll"), &ntdll.bytes());
        this
    }

    fn volume(&mut self) -> &mut VolumeImage {
        match &mut self.volume {
            Some(volume) => volume,
            None => panic!("the world has started: its volume is the executive's"),
        }
    }

    /// Puts a file on C:, replacing one that is there. The path has no drive letter.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> &mut Self {
        must(path, self.volume().write(path, bytes));
        self
    }

    /// Makes a directory on C:.
    pub fn directory(&mut self, path: &str) -> &mut Self {
        must(path, self.volume().make_directory(path));
        self
    }

    /// Takes a file off C:.
    pub fn remove_file(&mut self, path: &str) -> &mut Self {
        must(path, self.volume().remove(path));
        self
    }

    /// Gives a file on C: its attributes.
    pub fn file_attributes(&mut self, path: &str, attributes: u32) -> &mut Self {
        must(path, self.volume().set_attributes(path, attributes));
        self
    }

    /// Adds another disk behind C:; hard disks come before CDs in drive letters.
    pub fn disk(&mut self, disk: MemoryDisk) -> &mut Self {
        self.disks.push(disk);
        self
    }

    /// How many MiB of memory there are.
    pub const fn memory(&mut self, mebibytes: u64) -> &mut Self {
        self.physical_pages = mebibytes << 8;
        self
    }

    /// The loader's options, such as `MININT SOS`.
    pub fn boot_options(&mut self, options: &str) -> &mut Self {
        self.options = options.to_string();
        self
    }

    /// A hive before the boot: `SYSTEM`, `SOFTWARE`, `SAM`, `SECURITY`, `DEFAULT`.
    pub fn hive(&mut self, name: &str) -> &mut Hive {
        match self.hives.iter_mut().find(|(known, _)| *known == name) {
            Some((_, hive)) => hive,
            None => panic!("there is no hive {name}"),
        }
    }

    /// Applies `.reg` text to the SYSTEM hive (keys begin with a backslash:
    /// `[\ControlSet001\...]`).
    pub fn registry(&mut self, text: &str) -> &mut Self {
        let text = alloc::format!("Windows Registry Editor Version 5.00\n\n{text}");
        if let Err(error) = reg_text::apply(self.hive("SYSTEM"), &text, "", 0) {
            panic!("registry text: {error}");
        }
        self
    }

    /// Sets a value below the Session Manager key, such as `("Environment", "Path", 2, ..)`; an
    /// empty key is that key itself.
    pub fn set_value(&mut self, key: &str, name: &str, kind: u32, data: &[u8]) -> &mut Self {
        let hive = self.hive("SYSTEM");
        let path = utf16(&alloc::format!(
            "ControlSet001\\Control\\Session Manager\\{key}"
        ));
        let made = hive.create_path(hive.root(), UnicodeStr(&path), false, 0);
        let name = utf16(name);
        if made
            .and_then(|at| hive.set_value(at, UnicodeStr(&name), kind, data.to_vec(), 0))
            .is_err()
        {
            panic!("the value cannot be set");
        }
        self
    }

    /// Deletes a value below the Session Manager key; nothing happens if there is none.
    pub fn delete_value(&mut self, key: &str, name: &str) -> &mut Self {
        let hive = self.hive("SYSTEM");
        let path = utf16(&alloc::format!(
            "ControlSet001\\Control\\Session Manager\\{key}"
        ));
        if let Some(at) = hive.find(hive.root(), UnicodeStr(&path)) {
            let name = utf16(name);
            // A value that does not exist counts as deleted.
            let _ = hive.delete_value(at, UnicodeStr(&name), 0);
        }
        self
    }

    /// A program: its image in System32, and what its process runs.
    pub fn program(
        &mut self,
        name: &str,
        subsystem: ImageSubsystem,
        main: impl Fn(&'static Seam) -> Status + Send + Sync + 'static,
    ) -> &mut Self {
        let image = ImageFile {
            subsystem,
            ..ImageFile::default()
        };
        self.file(&alloc::format!("{SYSTEM32}\\{name}"), &image.bytes());
        self.code(name, main)
    }

    /// What the processes of images of this name run, without an image.
    pub fn code(
        &mut self,
        name: &str,
        main: impl Fn(&'static Seam) -> Status + Send + Sync + 'static,
    ) -> &mut Self {
        self.programs.insert(name.to_uppercase(), Arc::new(main));
        self
    }

    /// A DLL in System32 that imports from others.
    pub fn library(&mut self, name: &str, imports: &[&str]) -> &mut Self {
        let imports: Vec<_> = imports.iter().map(|&dll| (dll, "Function")).collect();
        let image = ImageFile {
            name,
            subsystem: ImageSubsystem::NATIVE,
            dll: true,
            imports: &imports,
            exports: &["Function"],
            ..ImageFile::default()
        };
        self.file(&alloc::format!("{SYSTEM32}\\{name}"), &image.bytes())
    }

    /// The sector of C: with this content, of which there must be one, cannot be read.
    pub fn spoil(&mut self, content: &[u8]) -> &mut Self {
        self.spoilt.push(content.to_vec());
        self
    }

    /// Arms a fault, before the start or between runs.
    pub fn fault(&mut self, fault: Fault) -> &mut Self {
        match &self.shared {
            Some(shared) => Shared::lock(&shared.faults).arm(fault),
            None => self.faults.push(fault),
        }
        self
    }

    /// Disarms every fault.
    pub fn no_more_faults(&mut self) {
        self.faults.clear();
        if let Some(shared) = &self.shared {
            Shared::lock(&shared.faults).clear();
        }
    }

    /// Lets somebody decide at every call what becomes of it, and who runs next: before the start or
    /// between runs.
    pub fn interfere(&mut self, interference: Box<dyn Interference>) -> &mut Self {
        match &self.shared {
            Some(shared) => shared.scheduler.set_interference(interference),
            None => self.interference = Some(interference),
        }
        self
    }

    /// From now on C: takes this many writes; the rest fail, as if the power had gone.
    pub fn cut_power_after(&mut self, writes: u64) {
        if let Some(disk) = self.shared().scheduler.machine.state().disks.first_mut() {
            disk.writes_left = Some(writes);
        }
    }

    /// How many calls were made to fail.
    pub fn faults_hit(&self) -> u64 {
        Shared::lock(&self.shared().faults).hits()
    }

    /// Without this, every call is recorded; with it they are only counted.
    pub const fn no_trace(&mut self) -> &mut Self {
        self.keep_trace = false;
        self
    }

    /// Keeps everything that the disk of C: is asked to do ([`World::disk_history`]).
    pub fn record_disk(&mut self) -> &mut Self {
        self.recorded = Some(Vec::new());
        self
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

    /// Another boot of this machine with `first` as the disk of C:, and nothing else of this one but
    /// its programs.
    pub fn boot_from(&self, first: Vec<u8>) -> Self {
        let programs = Shared::lock(&self.shared().programs).clone();
        Self {
            version: self.version,
            volume: Some(must("volume", VolumeImage::open(first))),
            disks: Vec::new(),
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

    /// Leaves the hive files on the volume as the test has put them there.
    pub fn hives_are_not_written(&mut self) -> &mut Self {
        self.hives.clear();
        self
    }

    fn shared(&self) -> &Arc<Shared> {
        match &self.shared {
            Some(shared) => shared,
            None => panic!("the world has not started"),
        }
    }

    fn build(&mut self, image: Option<&str>) {
        let hives: Vec<_> = self
            .hives
            .iter()
            .map(|(name, hive)| (*name, hive.serialise(0)))
            .collect();
        for (name, bytes) in hives {
            self.file(&alloc::format!("{SYSTEM32}\\config\\{name}"), &bytes);
        }
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
        let mut executive = Executive::new(Box::new(machine.clone()), self.version);
        if self.keep_trace {
            executive.trace_mut().keep();
        }
        match image {
            Some(image) => executive.start_system(SYSTEM_ROOT, &self.options, image),
            // The failure is the bugcheck that the next run reports.
            None => drop(executive.build_system(SYSTEM_ROOT, &self.options)),
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
            system_root: utf16(SYSTEM_ROOT),
        });
        if let (Some(process), Some(thread)) = (session_manager, first) {
            shared.equip(
                process,
                thread,
                kernel_parameters(image.unwrap_or_default()),
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

    /// Moves virtual time on, as if nothing had happened meanwhile; what is due happens at the next
    /// run.
    pub fn pass_time(&mut self, hundred_nanoseconds: u64) {
        self.shared().scheduler.machine.state().uptime += hundred_nanoseconds;
        self.look(Executive::expire_timers);
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

    /// Every file of C: with its bytes, before the start: by its path from a backslash on.
    ///
    /// # Panics
    /// After the start.
    pub fn files(&mut self) -> BTreeMap<String, Vec<u8>> {
        let volume = self.volume();
        let paths = must("volume", volume.files());
        paths
            .into_iter()
            .map(|path| (path.clone(), must(&path, volume.read(&path))))
            .collect()
    }

    /// Whether a file or directory is on C: now.
    pub fn exists(&self, path: &str) -> bool {
        self.volume_now().facts(path).is_ok()
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
        Self {
            version: self.version,
            volume: Some(must("volume", VolumeImage::open(first.bytes))),
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

    /// Starts a program of System32 as a child of the System process: its process id. `command_line`
    /// is what the program is told, its own name first.
    ///
    /// # Errors
    /// What opening and mapping the image gives.
    pub fn spawn(&mut self, image: &str, command_line: &str) -> Result<u32> {
        let shared = Arc::clone(self.shared());
        let path = alloc::format!("\\SystemRoot\\System32\\{image}");
        let (process, thread) = self.look(|executive| executive.spawn_image(&utf16(&path)))?;
        let mut parameters = kernel_parameters(&path);
        parameters.command_line = utf16(command_line);
        shared.equip(process, thread, parameters);
        self.look(|executive| executive.resume(thread))?;
        Ok(process.0)
    }
}

/// What the kernel tells the first process (spec 1.1 rows 4 and 5).
fn kernel_parameters(image: &str) -> Parameters {
    let path = image.split(' ').next().unwrap_or(image);
    let environment =
        alloc::format!("Path={SYSTEM_ROOT}\\System32\0SystemDrive=C:\0SystemRoot={SYSTEM_ROOT}\0");
    Parameters {
        image: utf16(path),
        dll_path: utf16(&alloc::format!("{SYSTEM_ROOT}\\System32")),
        current_directory: utf16(&alloc::format!("{SYSTEM_ROOT}\\")),
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
