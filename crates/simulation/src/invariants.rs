// SPDX-License-Identifier: GPL-2.0-or-later
//! What must hold in every history, held against what the kernel knows.
//!
//! | invariant | when |
//! |---|---|
//! | no thread panics | always |
//! | the system comes to rest within an hour of virtual time and a bounded number of calls | every boot, every round |
//! | every request is answered: no client waits when the system is at rest | every round |
//! | the Session Manager does not end by itself | always |
//! | a stop is a defined one: the hard error of a lost critical process (spec 12.4, 12.5) | always |
//! | what smss has started in a session, or what came of it, has a csrss of that session | at rest |
//! | each rename is done once or not at all, and no content is gone | after every power cut and boot |
//! | a record changes as the table of states says ([`crate::model`]) | after every step |
//! | what has been answered is not waited for any longer | every boot and round in which nothing fails but signals |
//! | every record has its process, and no lock is held | at rest |
//! | every server that smss has started has its record | at rest |
//! | every port of smss has its record, unless a handle could not be closed | at rest |
//! | on 6.1 a running session has its initial command, if its server tells of ends | at rest |
//! | what nothing stands in the way of is not refused | every round of a quiet history |
//! | who breaks the protocol is answered as specified | every round of a quiet history |
//! | no session is held up by an optional server of another | every round of a quiet history |
//! | a client is known by its process, not by the thread that connected | at the end |
//! | once nothing is disturbed, a session can be started, listed and ended | at the end |
//! | a session that was started and ended leaves no handle, thread, object, frame, record or process | at the end |

use crate::history::Operation;
use executive::ex::hard_errors::BugCheck;
use executive::host::{ProcessReport, RunEnd};
use executive::ids::ProcessId;
use nt::Status;
use smss::{Counts, Kind, Record, Stage};
use std::any::Any;
use std::collections::BTreeSet;

/// An hour, in 100 ns: more than every limit of the Session Manager together.
const HOUR: u64 = 36_000_000_000;

/// Half of what a server is given to come up, in 100 ns: who is answered later has waited for one.
const HELD_UP: u64 = smss::SERVER_TIMEOUT as u64 * 10_000 / 2;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: &'static str,
    /// What was seen.
    pub seen: String,
}

impl Violation {
    /// This invariant does not hold.
    pub fn new(invariant: &'static str, seen: impl Into<String>) -> Self {
        Self {
            invariant,
            seen: seen.into(),
        }
    }

    /// A thread of the system panicked.
    pub fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a text");
        Self::new("no thread panics", text)
    }
}

/// The system has come to rest in time, or has stopped in a defined way. `Ok(false)`: it has
/// stopped.
pub fn rest(outcome: &RunEnd, spent: u64) -> Result<bool, Violation> {
    if spent > HOUR {
        return Err(Violation::new(
            "the system comes to rest within an hour",
            format!("after {} s of virtual time", spent / 10_000_000),
        ));
    }
    match outcome {
        RunEnd::Settled => Ok(true),
        RunEnd::Shutdown(_) => Ok(false),
        RunEnd::Stopped(check) if is_defined(check) => Ok(false),
        RunEnd::Stopped(check) => Err(Violation::new("a stop is a defined one", check.text())),
    }
}

/// The hard error C000021A, the end of a process that smss had marked as critical, or, where the
/// hard error itself cannot be raised, the end of smss in its first five seconds, of which the kernel
/// makes a stop (spec 1.1 #6).
fn is_defined(check: &BugCheck) -> bool {
    const CRITICAL_OBJECT_TERMINATION: u32 = 0xF4;
    const SESSION5_INITIALIZATION_FAILED: u32 = 0x71;
    match &check.hard_error {
        Some((status, _)) => *status == Status::SYSTEM_PROCESS_TERMINATED,
        None => matches!(
            check.code,
            CRITICAL_OBJECT_TERMINATION | SESSION5_INITIALIZATION_FAILED
        ),
    }
}

/// The first Session Manager runs, and nothing that came of it lives in a session without a csrss.
/// What a csrss has created there on behalf of a client is not smss': it was handed over by ExecPgm,
/// and StopCsr ends what smss has started (spec 11.3), not a native program that needs no csrss.
pub fn processes(processes: &[ProcessReport]) -> Result<(), Violation> {
    let running = || processes.iter().filter(|process| process.running);
    let named = |process: &&ProcessReport, image: &str| process.image.eq_ignore_ascii_case(image);
    if !running().any(|process| named(&process, "smss.exe")) {
        return Err(Violation::new(
            "the Session Manager does not end by itself",
            "no smss.exe runs",
        ));
    }
    let served: BTreeSet<u32> = running()
        .filter(|process| named(process, "csrss.exe"))
        .map(|process| process.session)
        .collect();
    // A process has a greater id than its parent, and they are listed in that order.
    let mut foreign: BTreeSet<u32> = processes
        .iter()
        .filter(|process| named(process, "csrss.exe"))
        .map(|process| process.id)
        .collect();
    for process in processes {
        if foreign.contains(&process.parent) {
            foreign.insert(process.id);
        }
    }
    let orphan = running().find(|process| {
        process.session != 0 && !served.contains(&process.session) && !foreign.contains(&process.id)
    });
    match orphan {
        None => Ok(()),
        Some(process) => Err(Violation::new(
            "what smss has started in a session has a csrss of that session",
            format!(
                "{} (process {}) lives in session {}",
                process.image, process.id, process.session
            ),
        )),
    }
}

/// Where everybody keeps the contract and nothing fails but signals, nothing is waited for until a
/// limit is over: what ends it has been looked for before. `spent` is in 100 ns.
pub fn rest_soon(spent: u64) -> Result<(), Violation> {
    if spent <= HELD_UP {
        return Ok(());
    }
    Err(Violation::new(
        "what has been answered is not waited for any longer",
        format!("the system is at rest after {} ms", spent / 10_000),
    ))
}

/// What the Session Managers know and what the kernel knows are the same: every record in service has
/// its process, in its session, and every server's process a record. Sessions under way have been
/// left behind by then: the system is at rest.
pub fn records(
    known: &[(ProcessId, Vec<Record>, Option<Counts>)],
    processes: &[ProcessReport],
) -> Result<(), Violation> {
    let running = |id: u64| {
        processes
            .iter()
            .find(|process| process.running && u64::from(process.id) == id)
    };
    let broken = |smss: ProcessId, record: &Record, what: &str| {
        Err(Violation::new(
            "every record has its process",
            format!("{record:?} of smss {}: {what}", smss.0),
        ))
    };
    for (smss, records, counts) in known {
        if counts.is_none() {
            return Err(Violation::new(
                "no lock is held at rest",
                format!("somebody in smss {} sleeps with the tables' lock", smss.0),
            ));
        }
        for record in records {
            let process = record.process.and_then(running);
            match (record.kind, record.stage, process) {
                (Kind::Server, Stage::Retired, _) => {}
                (Kind::Server, Stage::Reserved, _) => {
                    return broken(*smss, record, "at rest, nobody creates it");
                }
                (Kind::Server, _, None) => return broken(*smss, record, "its process is gone"),
                (Kind::Server, _, Some(process)) if record.session != Some(process.session) => {
                    return broken(*smss, record, "its process is in another session");
                }
                (Kind::Terminal, Stage::Starting | Stage::StartingNoted, _) => {
                    return broken(*smss, record, "at rest, nobody makes it");
                }
                (Kind::Instance, _, None) => return broken(*smss, record, "its process is gone"),
                _ => {}
            }
        }
    }
    // Whoever started it, this or a child instance, its record is in one of the tables.
    let started_by_smss = |process: &ProcessReport| {
        let of = |other: &&ProcessReport| other.id == process.parent;
        processes
            .iter()
            .find(of)
            .is_some_and(|parent| parent.image.eq_ignore_ascii_case("smss.exe"))
    };
    let unknown = processes.iter().find(|process| {
        let recorded = || {
            let records = known.iter().flat_map(|(_, records, _)| records);
            records
                .filter(|record| record.kind == Kind::Server)
                .any(|record| record.process == Some(process.id.into()))
        };
        process.running
            && process.image.eq_ignore_ascii_case("csrss.exe")
            && started_by_smss(process)
            && !recorded()
    });
    match unknown {
        None => Ok(()),
        Some(process) => Err(Violation::new(
            "every server that smss has started has its record",
            format!(
                "{} (process {}) of session {} has none",
                process.image, process.id, process.session
            ),
        )),
    }
}

/// What a client is answered, and after how long (100 ns), in a history in which nothing stands in
/// anybody's way, but that the optional server of session 0 may do as it likes.
pub fn answer(
    operation: &Operation,
    line: &str,
    status: Status,
    took: u64,
) -> Result<(), Violation> {
    let invariant = match operation {
        Operation::Start(None) if status.is_error() => {
            "what nothing stands in the way of is not refused"
        }
        Operation::Break(_) if status.is_error() => {
            "who breaks the protocol is answered as specified"
        }
        // It is that server that these wait for.
        Operation::Load(_) | Operation::Die(_) => return Ok(()),
        _ if took > HELD_UP => "no session is held up by an optional server of another",
        _ => return Ok(()),
    };
    Err(Violation::new(
        invariant,
        format!("{line} is answered {status} after {} ms", took / 10_000),
    ))
}

/// The first Session Manager has a port for itself, one for each client and one for each server that
/// it has called back, and no other.
pub fn ports(
    known: &[(ProcessId, Vec<Record>, Option<Counts>)],
    first: Option<u32>,
    ports: usize,
) -> Result<(), Violation> {
    let first = known.iter().find(|(smss, ..)| Some(smss.0) == first);
    let Some((_, records, Some(counts))) = first else {
        return Ok(());
    };
    let servers = |stage| {
        let of = |record: &&Record| record.kind == Kind::Server && record.stage == stage;
        records.iter().filter(of).count()
    };
    // One that somebody still refers to may have been called back or not.
    let least = 1 + counts.clients + servers(Stage::InService);
    let most = least + servers(Stage::Retired);
    if (least..=most).contains(&ports) {
        return Ok(());
    }
    Err(Violation::new(
        "every port of smss has its record",
        format!("{ports} ports, {counts:?}, {records:?}"),
    ))
}

/// A session does not outlive its initial command (NT 6; spec 11.5).
pub fn initial_commands(
    known: &[(ProcessId, Vec<Record>, Option<Counts>)],
    processes: &[ProcessReport],
) -> Result<(), Violation> {
    let runs = |id: u64| {
        processes
            .iter()
            .any(|process| process.running && u64::from(process.id) == id)
    };
    let records = known.iter().flat_map(|(_, records, _)| records);
    let outlived = records
        .filter(|record| record.kind == Kind::Terminal && record.stage == Stage::Running)
        .find(|record| record.session != Some(0) && !record.process.is_some_and(runs));
    match outlived {
        None => Ok(()),
        Some(record) => Err(Violation::new(
            "on 6.1 a running session has its initial command",
            format!("{record:?}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bugcheck_of_the_kernel_itself_is_no_defined_stop() {
        let page_fault = BugCheck::new(0x50, [0; 4]);
        assert!(rest(&RunEnd::Stopped(page_fault), 0).is_err());
        let lost = BugCheck::of_hard_error(Status::SYSTEM_PROCESS_TERMINATED, Vec::new());
        assert_eq!(rest(&RunEnd::Stopped(lost), 0), Ok(false));
        assert!(rest(&RunEnd::Settled, HOUR + 1).is_err());
    }
}
