// SPDX-License-Identifier: GPL-2.0-or-later
//! A system that has booted, or has tried: what can be seen of it, and what an operator does.

use super::{End, Setup};
use executive::dump::{ObjectEntry, ProcessEntry, Snapshot};
use executive::host::{DiskEvent, Fault, LiveDisk, ProcessReport, VolumeImage, World};
use executive::ids::{ObjectId, ProcessId};
use executive::ob::prelude::*;
use executive::trace::Record;
use nt::Status;

/// A system that has booted, or has tried.
pub struct Booted {
    world: World,
    pub end: End,
    pub trace: Vec<Record>,
    pub screen: String,
    snapshot: Snapshot,
}

impl Booted {
    /// A world that was started, once it stands still.
    pub fn settled(world: World) -> Self {
        let mut booted = Self {
            world,
            end: End::Settled,
            trace: Vec::new(),
            screen: String::new(),
            snapshot: Snapshot::default(),
        };
        booted.settle();
        booted
    }

    /// Lets it run until it stands still.
    pub fn settle(&mut self) {
        self.end = self.world.run().into();
        self.trace = self.world.trace();
        self.screen = self.world.boot_screen();
        self.snapshot = self.world.look(|executive| executive.snapshot());
    }

    /// Every process there was.
    pub fn processes(&self) -> Vec<ProcessReport> {
        self.world.processes()
    }

    fn running(&self) -> impl Iterator<Item = ProcessReport> {
        self.processes()
            .into_iter()
            .filter(|process| process.running)
    }

    /// The first running process of this image.
    pub fn report(&self, image: &str) -> ProcessReport {
        self.running()
            .find(|process| process.image.eq_ignore_ascii_case(image))
            .unwrap_or_else(|| panic!("{image} does not run"))
    }

    /// The same, as the snapshot has it.
    pub fn process(&self, image: &str) -> &ProcessEntry {
        let found = self
            .snapshot
            .processes
            .iter()
            .find(|process| process.image.eq_ignore_ascii_case(image));
        found.unwrap_or_else(|| panic!("{image} does not run"))
    }

    pub fn runs(&self, image: &str) -> bool {
        self.running()
            .any(|process| process.image.eq_ignore_ascii_case(image))
    }

    /// Images of the running children of the first running process of this image.
    pub fn children(&self, image: &str) -> Vec<String> {
        let parent = self.report(image).id;
        self.running()
            .filter(|process| process.parent == parent)
            .map(|process| process.image)
            .collect()
    }

    /// Sessions of the running processes of this image.
    pub fn sessions_of(&self, image: &str) -> Vec<u32> {
        let mut sessions: Vec<u32> = self
            .running()
            .filter(|process| process.image == image)
            .map(|process| process.session)
            .collect();
        sessions.sort_unstable();
        sessions
    }

    /// A named object.
    pub fn object(&self, path: &str) -> &ObjectEntry {
        let found = self
            .snapshot
            .objects
            .iter()
            .find(|object| object.path.eq_ignore_ascii_case(path));
        found.unwrap_or_else(|| panic!("there is no {path}"))
    }

    /// The processes of these images, as the snapshot has them.
    pub fn snapshot_of(&self, images: &[&str]) -> Vec<&ProcessEntry> {
        self.snapshot
            .processes
            .iter()
            .filter(|process| {
                images
                    .iter()
                    .any(|image| process.image.eq_ignore_ascii_case(image))
            })
            .collect()
    }

    /// The volume C: as it is on its disk now.
    pub fn volume(&self) -> VolumeImage<LiveDisk> {
        self.world.volume_now()
    }

    /// Writes the hives and ends the volumes, as a shutdown does.
    pub fn end_work(&self) {
        self.world.look(|executive| {
            executive.flush_hives();
            executive.flush_volumes();
        });
    }

    /// The bytes of C: at the start, and what its disk was asked to do since.
    pub fn disk_history(&self) -> (&[u8], Vec<DiskEvent>) {
        self.world.disk_history()
    }

    /// A boot of this machine with another content of C:.
    pub fn boot_from(&self, disk: Vec<u8>) -> Self {
        Setup {
            world: self.world.boot_from(disk),
            traced: false,
        }
        .boot()
    }

    /// The next boot of the same disk, without faults.
    pub fn reboot(self) -> Self {
        Setup {
            world: self.world.reboot(),
            traced: false,
        }
        .boot()
    }

    /// Type and data of a value below the Session Manager key.
    pub fn sm_value(&self, key: &str, name: &str) -> Option<(u32, Vec<u8>)> {
        let path = format!("Control\\Session Manager{key}");
        let key = self
            .snapshot
            .keys
            .iter()
            .find(|entry| entry.path.to_lowercase().ends_with(&path.to_lowercase()))?;
        key.values
            .iter()
            .find(|value| value.name.eq_ignore_ascii_case(name))
            .map(|value| (value.kind, value.data.clone()))
    }

    /// How many paging files there are.
    pub fn paging_files(&self) -> usize {
        self.snapshot.page_files.len()
    }

    pub fn file_exists(&self, path: &str) -> bool {
        self.world.exists(path)
    }

    /// Content of a file on C:.
    pub fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        self.world.read_file(path)
    }

    /// What stands.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Handles of the first running process of this image.
    pub fn handles(&self, image: &str) -> usize {
        self.report(image).handles
    }

    /// Calls of the processes of this image; the boot must be traced.
    pub fn trace_of(&self, image: &str) -> Vec<Record> {
        let ids: Vec<u64> = self
            .processes()
            .iter()
            .filter(|process| process.image == image)
            .map(|process| process.id.into())
            .collect();
        self.trace
            .iter()
            .filter(|record| ids.contains(&{ record.client.process }))
            .cloned()
            .collect()
    }

    /// When a process of this image made its first call of this service, in 100 ns since the start.
    pub fn time_of(&self, image: &str, call: &str) -> Option<u64> {
        self.trace_of(image)
            .iter()
            .find(|record| record.call == call)
            .map(|record| record.time)
    }

    /// Ends the first process of this image, whatever its critical flag says, and lets the system
    /// run.
    pub fn kill(&mut self, image: &str, status: Status) {
        self.kill_process(self.report(image).id, status);
    }

    /// The same for the last one.
    pub fn kill_last(&mut self, image: &str, status: Status) {
        let process = self
            .running()
            .filter(|process| process.image == image)
            .last()
            .unwrap_or_else(|| panic!("{image} does not run"));
        self.kill_process(process.id, status);
    }

    fn kill_process(&mut self, process: u32, status: Status) {
        self.world.clear_critical(process).expect("it runs");
        self.world.kill(process, status).expect("it runs");
        self.settle();
    }

    /// Runs a program of System32 to its end: its exit status.
    pub fn start_program(&mut self, command_line: &str) -> Status {
        self.try_program(command_line)
            .unwrap_or_else(|| panic!("{command_line} does not end"))
    }

    /// The same; `None` if it does not end.
    pub fn try_program(&mut self, command_line: &str) -> Option<Status> {
        self.try_programs(&[command_line])[0]
    }

    /// The same for several that run at once.
    pub fn try_programs(&mut self, command_lines: &[&str]) -> Vec<Option<Status>> {
        let started: Vec<_> = command_lines.iter().map(|line| self.begin(line)).collect();
        self.settle();
        let reports = self.processes();
        let exit = |(process, object)| {
            let report = reports.iter().find(|report| report.id == process);
            self.world.look(|executive| executive.dereference(object));
            report.expect("it was started").exit
        };
        started.into_iter().map(exit).collect()
    }

    /// Starts a program of System32, to run when the system does next: its id, and its object,
    /// referred to, because what it ended with is only known while somebody has it.
    fn begin(&mut self, command_line: &str) -> (u32, ObjectId) {
        let image = command_line.split(' ').next().unwrap_or_default();
        let process = self
            .world
            .spawn(image, command_line)
            .expect("the program can be started");
        let object = self.world.look(|executive| {
            let object = executive.process(ProcessId(process)).unwrap().object;
            executive.reference(object);
            object
        });
        (process, object)
    }

    /// The `nth` call of smss from now on fails, whatever it is.
    pub fn fail_from_now(&mut self, nth: u64, status: Status) {
        self.world.fault(Fault {
            image: Some("smss.exe".to_owned()),
            call: None,
            nth,
            persistent: false,
            status,
        });
    }

    /// Fails the `nth` call of this service by smss from now on.
    pub fn fail_next(&mut self, call: &str, nth: u64, status: Status) {
        self.world.fault(Fault {
            image: Some("smss.exe".to_owned()),
            call: Some(call.to_owned()),
            nth,
            persistent: false,
            status,
        });
    }

    /// How many calls were made to fail.
    pub fn faults_hit(&self) -> u64 {
        self.world.faults_hit()
    }

    /// No call fails any more.
    pub fn no_more_faults(&mut self) {
        self.world.no_more_faults();
    }
}
