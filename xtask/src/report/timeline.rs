// SPDX-License-Identifier: GPL-2.0-or-later
//! A trace as a history: phases of the boot, processes with their threads, and every call with where
//! its time went.
//!
//! All times are units of 100 ns since the Session Manager was made. A call that waited is one call
//! here, though the trace has a line for its beginning and one for its end.

use crate::trace::line::{Line, Outcome, What};
use crate::trace::stat::{PHASE, failed};
use std::collections::BTreeMap;

/// Units of time in a millisecond.
pub const MILLISECOND: u64 = 10_000;

/// What a call's time was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Work inside the kernel.
    Call,
    /// Files and disks.
    Disk,
    /// Waited for a process or a thread, mostly one of its own making.
    Child,
    /// Waited for a message, or for the answer to one.
    Message,
    /// Waited for something else: an event, a time.
    Other,
}

impl Kind {
    /// The word for it in the chart's classes and in the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Disk => "disk",
            Self::Child => "child",
            Self::Message => "message",
            Self::Other => "other",
        }
    }

    /// Whether the thread stood still meanwhile.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Child | Self::Message | Self::Other)
    }
}

/// One system call.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it was made.
    pub begins: u64,
    /// When it returned; the end of the trace if it never did.
    pub ends: u64,
    /// Which of the timeline's processes made it.
    pub process: usize,
    /// The thread's id.
    pub thread: u32,
    /// Its name.
    pub name: String,
    /// Its arguments, and what it brought, as the trace has them.
    pub arguments: String,
    /// Its status by name; what became of it if it did not return.
    pub status: String,
    /// Whether that is a warning or an error.
    pub failed: bool,
    /// What its time was spent on.
    pub kind: Kind,
    /// The phase it was made in, if any had begun.
    pub phase: Option<usize>,
}

/// One phase of the Session Manager.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its number in the specification, and its name.
    pub name: String,
    /// When it begins.
    pub begins: u64,
    /// When the next one begins.
    pub ends: u64,
}

/// One process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// Its image file.
    pub image: String,
    /// Its creator's id.
    pub parent: u32,
    /// The session space it is in.
    pub session: Option<u32>,
    /// When it was made.
    pub begins: u64,
    /// When it ended and with which status; none if it outlived the trace.
    pub ended: Option<(u64, String)>,
    /// The ids of the threads that made calls, in the order of their first.
    pub threads: Vec<u32>,
}

/// The whole history.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// When the Session Manager was made, since the kernel's start.
    pub origin: u64,
    /// When the trace ends.
    pub end: u64,
    /// Phases, in order.
    pub phases: Vec<Phase>,
    /// Processes, in the order of their making.
    pub processes: Vec<Process>,
    /// Calls, in the order of their beginnings.
    pub calls: Vec<Call>,
}

impl Timeline {
    /// Reads a trace's text.
    pub fn of(trace: &str) -> Self {
        let mut this = Self::default();
        let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
        for (line, text) in trace
            .lines()
            .filter_map(|text| Some((Line::parse(text)?, text)))
        {
            if this.processes.is_empty() {
                this.origin = line.time;
            }
            let time = line.time.saturating_sub(this.origin);
            this.end = this.end.max(time);
            let Some((process, thread)) = ids(line.client) else {
                continue;
            };
            match line.what {
                What::Starts {
                    image,
                    parent,
                    session,
                } => this.processes.push(Process {
                    id: process,
                    image: image.to_owned(),
                    parent,
                    session,
                    begins: time,
                    ended: None,
                    threads: Vec::new(),
                }),
                What::Ends(status) => {
                    if let Some(place) = this.place(process) {
                        this.processes[place].ended = Some((time, status.to_owned()));
                    }
                }
                What::Prints(text) => this.printed(text, time),
                What::Call(name, outcome) => {
                    let place = this.enter(process, thread, line.image, time);
                    this.called(
                        &mut waiting,
                        (place, thread, line.client),
                        (name, arguments(text)),
                        time,
                        outcome,
                    );
                }
            }
        }
        let end = this.end;
        for call in waiting.into_values() {
            this.calls[call].ends = this.processes[this.calls[call].process]
                .ended
                .as_ref()
                .map_or(end, |(time, _)| *time);
        }
        if let Some(last) = this.phases.last_mut() {
            last.ends = end;
        }
        this.sort();
        this
    }

    /// The latest process with an id.
    fn place(&self, id: u32) -> Option<usize> {
        self.processes.iter().rposition(|process| process.id == id)
    }

    /// The process that makes a call: one whose start the trace did not see starts with it.
    fn enter(&mut self, id: u32, thread: u32, image: &str, time: u64) -> usize {
        let place = self.place(id).unwrap_or_else(|| {
            self.processes.push(Process {
                id,
                image: image.to_owned(),
                parent: 0,
                session: None,
                begins: time,
                ended: None,
                threads: Vec::new(),
            });
            self.processes.len() - 1
        });
        let threads = &mut self.processes[place].threads;
        if !threads.contains(&thread) {
            threads.push(thread);
        }
        place
    }

    fn printed(&mut self, text: &str, time: u64) {
        let Some(name) = text.strip_prefix(PHASE) else {
            return;
        };
        if let Some(last) = self.phases.last_mut() {
            last.ends = time;
        }
        self.phases.push(Phase {
            name: name.to_owned(),
            begins: time,
            ends: time,
        });
    }

    fn called<'a>(
        &mut self,
        waiting: &mut BTreeMap<&'a str, usize>,
        (process, thread, client): (usize, u32, &'a str),
        (name, arguments): (&str, String),
        time: u64,
        outcome: Outcome<'_>,
    ) {
        let (status, took) = match outcome {
            Outcome::Returned(status, took) => (status, took),
            Outcome::Waits => ("still waits", 0),
            Outcome::Gone => ("does not return", 0),
        };
        let failed = matches!(outcome, Outcome::Returned(status, _) if failed(status));
        if let Some(&place) = waiting.get(client) {
            if outcome == Outcome::Waits {
                return;
            }
            waiting.remove(client);
            let call = &mut self.calls[place];
            call.ends = time;
            call.status = status.to_owned();
            call.failed = failed;
            if !arguments.is_empty() {
                call.arguments += ", ";
                call.arguments += &arguments;
            }
            return;
        }
        if outcome == Outcome::Waits {
            waiting.insert(client, self.calls.len());
        }
        self.calls.push(Call {
            begins: time.saturating_sub(took),
            ends: time,
            process,
            thread,
            kind: kind(name, &arguments, outcome == Outcome::Waits),
            name: name.to_owned(),
            arguments,
            status: status.to_owned(),
            failed,
            phase: self.phases.len().checked_sub(1),
        });
    }

    /// Calls by their beginnings. They were added by their ends.
    fn sort(&mut self) {
        self.calls.sort_by_key(|call| call.begins);
    }
}

/// Process and thread of `c.10`.
fn ids(client: &str) -> Option<(u32, u32)> {
    let (process, thread) = client.split_once('.')?;
    let number = |text| u32::from_str_radix(text, 16).ok();
    Some((number(process)?, number(thread)?))
}

/// What stands between the parentheses of a line's call, with single backslashes.
fn arguments(line: &str) -> String {
    let (_, rest) = crate::trace::line::call(line).unwrap_or_default();
    let end = match [") waits", ") does not return"]
        .iter()
        .find(|end| rest.ends_with(**end))
    {
        Some(end) => rest.len() - end.len(),
        None => rest.rfind(") = ").unwrap_or(rest.len()),
    };
    rest.get(..end).unwrap_or(rest).replace(r"\\", r"\")
}

/// What a call's time is spent on.
fn kind(name: &str, arguments: &str, waits: bool) -> Kind {
    const FOR_MESSAGES: [&str; 7] = [
        "NtListenPort",
        "NtConnectPort",
        "NtSecureConnectPort",
        "NtReplyWaitReceive",
        "NtReplyWaitReply",
        "NtRequestWaitReply",
        "NtRaiseHardError",
    ];
    const ON_DISKS: [&str; 16] = [
        "NtCreateFile",
        "NtOpenFile",
        "NtReadFile",
        "NtWriteFile",
        "NtDeleteFile",
        "NtFlushBuffersFile",
        "NtFlushKey",
        "NtQueryAttributesFile",
        "NtQueryFullAttributesFile",
        "NtQueryDirectoryFile",
        "NtQueryInformationFile",
        "NtSetInformationFile",
        "NtQueryVolumeInformationFile",
        "NtCreatePagingFile",
        "NtInitializeRegistry",
        "NtLoadKey",
    ];
    let is = |names: &[&str]| names.iter().any(|prefix| name.starts_with(prefix));
    if !waits {
        return if is(&ON_DISKS) {
            Kind::Disk
        } else {
            Kind::Call
        };
    }
    if is(&FOR_MESSAGES) {
        Kind::Message
    } else if name.starts_with("NtWaitFor")
        && (arguments.contains("<Process ") || arguments.contains("<Thread "))
    {
        Kind::Child
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"smss.exe  0.1000000 c.0 +++ smss.exe started by 4, session none +++
smss.exe  0.1000200 c.10 NtContinue(context=0x1) does not return
smss.exe  0.1100000 c.10 --- SMSS: phase: 18 boot commands ---
smss.exe  0.1200000 c.10 NtOpenFile(name="\\??\\C:\\a (1) = b") = SUCCESS <0.0050000>
smss.exe  0.1300000 c.10 NtWaitForSingleObject(object=0x1c<Process 1c autochk.exe>, timeout=forever) waits
autochk.exe  0.1290000 1c.0 +++ autochk.exe started by c, session 0 +++
autochk.exe  0.1500000 1c.0 +++ ended with SUCCESS +++
smss.exe  0.1600000 c.10 NtWaitForSingleObject(count=[0x0]) = SUCCESS <0.0300000>
smss.exe  0.1700000 c.10 --- SMSS: phase: 39 settled ---
smss.exe  0.1800000 c.14 NtReplyWaitReceivePort(port=0x4<\A) = b>) waits
smss.exe  0.2000000 c.10 NtOpenKey(key=0x8) = OBJECT_NAME_NOT_FOUND <0.0000100>
"#;

    #[test]
    fn a_wait_is_one_call_from_its_beginning_to_its_end() {
        let timeline = Timeline::of(TRACE);
        let wait = timeline
            .calls
            .iter()
            .find(|call| call.name == "NtWaitForSingleObject")
            .unwrap();
        assert_eq!((wait.begins, wait.ends), (300_000, 600_000));
        assert_eq!((wait.kind, wait.status.as_str()), (Kind::Child, "SUCCESS"));
        assert_eq!(
            wait.arguments,
            "object=0x1c<Process 1c autochk.exe>, timeout=forever, count=[0x0]"
        );
        assert_eq!(wait.phase, Some(0));
    }

    #[test]
    fn a_wait_that_never_ends_lasts_until_the_end() {
        let timeline = Timeline::of(TRACE);
        let wait = timeline
            .calls
            .iter()
            .find(|call| call.kind == Kind::Message)
            .unwrap();
        assert_eq!((wait.begins, wait.ends), (800_000, timeline.end));
        assert_eq!(wait.status, "still waits");
    }

    #[test]
    fn what_stands_in_quotes_ends_no_call() {
        let timeline = Timeline::of(TRACE);
        let open = timeline
            .calls
            .iter()
            .find(|call| call.name == "NtOpenFile")
            .unwrap();
        assert_eq!(open.arguments, r#"name="\??\C:\a (1) = b""#);
        assert_eq!(
            (open.begins, open.ends, open.kind),
            (150_000, 200_000, Kind::Disk)
        );
    }

    #[test]
    fn phases_and_processes_have_their_times() {
        let timeline = Timeline::of(TRACE);
        assert_eq!((timeline.origin, timeline.end), (1_000_000, 1_000_000));
        let phases: Vec<(&str, u64, u64)> = timeline
            .phases
            .iter()
            .map(|phase| (phase.name.as_str(), phase.begins, phase.ends))
            .collect();
        assert_eq!(
            phases,
            [
                ("18 boot commands", 100_000, 700_000),
                ("39 settled", 700_000, 1_000_000)
            ]
        );
        let [smss, autochk] = timeline.processes.as_slice() else {
            panic!("two processes");
        };
        assert_eq!(
            (smss.ended.clone(), smss.threads.clone()),
            (None, vec![0x10, 0x14])
        );
        assert_eq!((autochk.parent, autochk.session), (0xC, Some(0)));
        assert_eq!(autochk.ended, Some((500_000, "SUCCESS".to_owned())));
        assert!(timeline.calls.last().unwrap().failed);
    }
}
