// SPDX-License-Identifier: GPL-2.0-or-later
//! The fault sweep: the N-th system call of smss in a boot fails, for every N, once and from then
//! on, with each of three statuses; and once with a status that is no error and yet says that the
//! call came to no end.
//!
//! Three courses: the default boot, one with something to do in every step, and one under NT 6.1
//! with its child instances. Of every single run it is asserted that
//! * it ends settled with the initial command of session 0 alive and every thread of smss there, or
//!   in a hard error of spec 12.4; a run in which the hard error itself is refused from then on
//!   ends in the bugcheck of a critical process (12.4 step 3), or in that of a first process that
//!   ends before it could make itself critical (1.1 row 6). A panic is the test's own, and a system
//!   that hangs is one that has settled with somebody missing;
//! * no process holds more handles of any type than after a boot without faults, but for those that
//!   the kernel refused to close (not asked of a run in which every call fails until the system
//!   stops, for threads stop in the middle of their work then);
//! * every file of the medium is there with its content, under its old name or under the one it was
//!   to get (6.4);
//! * the next boot of the same disk, without faults, settles and finishes what was left to do.
//!
//! A plain run takes a sample, one call out of a course's `step`; `SMSS_FAULT_STEP=1` takes every
//! call (`cargo xtask test --faults`), `SMSS_FAULT_FIRST` and `SMSS_FAULT_LAST` those in between.

use crate::system::{Booted, End, Setup};
use executive::host::VolumeImage;
use executive::trace::{CallEnd, Record};
use formats::sectors::Sectors;
use nt::Status;
use std::collections::BTreeMap;

pub(crate) const STATUSES: [Status; 3] = [
    Status::NO_MEMORY,
    Status::ACCESS_DENIED,
    Status::IO_DEVICE_ERROR,
];
/// Codes of success where a result was expected, in turn.
const ENDLESS: [Status; 4] = [
    Status::TIMEOUT,
    Status::PENDING,
    Status::USER_APC,
    Status::ALERTED,
];
/// What a hard error may say (spec 12.4).
const NAMES: [&str; 6] = [
    "Session Manager Initialization",
    "Session Manager ExecuteInitialCommand",
    "Windows SubSystem",
    "Windows Logon Process",
    "Verification of a KnownDLL failed.",
    "Non-DLL file included in KnownDLL list.",
];
/// What the hard error calls the initial command.
const INITIAL: [&str; 2] = ["Windows Logon Process", "initial session process or"];
const CRITICAL_OBJECT_TERMINATION: u32 = 0xF4;
const SESSION5_INITIALIZATION_FAILED: u32 = 0x71;
/// Programs whose handles are counted: those that a boot leaves running.
const COUNTED: [&str; 5] = [
    "smss.exe",
    "csrss.exe",
    "winlogon.exe",
    "wininit.exe",
    "services.exe",
];

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What the pending renames of a course want of a file.
pub(crate) enum Wanted {
    Deleted,
    MovedTo(&'static str),
    /// Replaced by the file that is moved there.
    Replaced,
}

/// A boot that is put to the test.
pub(crate) struct Course {
    pub(crate) name: &'static str,
    pub(crate) setup: fn() -> Setup,
    /// The initial command of session 0.
    initial: &'static str,
    pub(crate) wanted: &'static [(&'static str, Wanted)],
    /// In a plain run one call out of this many is made to fail.
    step: u64,
}

pub(crate) const DEFAULT: Course = Course {
    name: "default boot",
    setup: Setup::new,
    initial: "winlogon.exe",
    wanted: &[],
    step: 83,
};
pub(crate) const NT6: Course = Course {
    name: "NT 6.1",
    setup: Setup::nt6,
    initial: "wininit.exe",
    wanted: &[],
    step: 239,
};
pub(crate) const BUSY: Course = Course {
    name: "busy boot",
    setup: busy,
    initial: "winlogon.exe",
    wanted: &[
        ("\\gone.txt", Wanted::Deleted),
        ("\\old name.txt", Wanted::MovedTo("\\new name.txt")),
        ("\\new.dll", Wanted::MovedTo("\\old.dll")),
        ("\\old.dll", Wanted::Replaced),
        ("\\tree\\leaf.txt", Wanted::MovedTo("\\forest\\leaf.txt")),
    ],
    step: 151,
};

/// Something to do in every step.
fn busy() -> Setup {
    Setup::new()
        .multi(
            "",
            "ObjectDirectories",
            &["\\Windows", "\\RPC Control", "\\Third"],
        )
        .multi(
            "",
            "BootExecute",
            &[
                "autocheck autochk *",
                "async exit.exe",
                "nosuch",
                "console.exe",
            ],
        )
        .multi("", "SetupExecute", &["exit.exe"])
        .multi("", "ExcludeFromKnownDlls", &["gdi32.dll"])
        .multi(
            "",
            "PendingFileRenameOperations",
            &[
                "\\??\\C:\\gone.txt",
                "",
                "\\??\\C:\\old name.txt",
                "\\??\\C:\\new name.txt",
                "\\??\\C:\\new.dll",
                "!\\??\\C:\\old.dll",
            ],
        )
        .multi(
            "",
            "PendingFileRenameOperations2",
            &["\\??\\C:\\tree", "\\??\\C:\\forest"],
        )
        .multi(
            "Memory Management",
            "PagingFiles",
            &["C:\\pagefile.sys 20 30", "D:\\pagefile.sys 20 30"],
        )
        .sz("DOS Devices", "PRN", "")
        .sz("DOS Devices", "Q:", "\\??\\C:\\ReactOS")
        .expand("Environment", "A", "%B%")
        .sz("Environment", "B", "x")
        .file("\\gone.txt", b"to be deleted")
        .file("\\old name.txt", b"to be renamed")
        .file("\\new.dll", b"the new content")
        .file("\\old.dll", b"the old content")
        .attributes("\\old.dll", 1)
        .file("\\tree\\leaf.txt", b"in a directory")
        .file("\\ReactOS\\bootstat.dat", &[0; 2048])
}

pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
}

/// One run, for messages.
fn run_name(course: &Course, faults: &[(u64, Status)], persistent: bool) -> String {
    let how = if persistent {
        "and all that follow"
    } else {
        "once"
    };
    let faults: Vec<String> = faults
        .iter()
        .map(|(nth, status)| format!("call {nth} {how}: {status}"))
        .collect();
    format!("{}: {}", course.name, faults.join(", "))
}

/// How the run ended, if it may end so; `untold`: the hard error may have been refused.
fn ending(
    course: &Course,
    system: &Booted,
    uncritical: bool,
    untold: bool,
    statuses: &[Status],
) -> Result<String, String> {
    match &system.end {
        End::Settled if !system.runs(course.initial) => {
            Err(format!("hangs without {}", course.initial))
        }
        End::Settled if system.report("smss.exe").threads < 3 => {
            Err("an API thread is missing".to_owned())
        }
        End::Settled => Ok("settled".to_owned()),
        End::Stopped {
            text, status: told, ..
        } if NAMES.contains(&text.as_str()) => match statuses.contains(told) {
            true => Ok(format!(
                "hard error \"{text}\" with the status of the fault"
            )),
            false => Ok(format!("hard error \"{text}\" with {told}")),
        },
        // smss ends an initial command that it cannot hand over, with what stood in the way; where
        // another call fails as well, that end may be what is told.
        End::Stopped {
            text, status: told, ..
        } if untold && INITIAL.contains(&text.as_str()) && statuses.contains(told) => Ok(format!(
            "hard error \"{text}\" with the status of the fault"
        )),
        // The hard error is a call as well.
        End::Bugcheck(CRITICAL_OBJECT_TERMINATION) if untold => {
            Ok("bugcheck 0xF4: the hard error is refused".to_owned())
        }
        End::Bugcheck(SESSION5_INITIALIZATION_FAILED) if untold && uncritical => {
            Ok("bugcheck 0x71: not even critical".to_owned())
        }
        other => Err(format!("ended with {other:?}")),
    }
}

/// Handles by type and program.
fn handles(system: &Booted) -> BTreeMap<(String, String), usize> {
    let counted = system.snapshot_of(&COUNTED);
    let each = |process: &executive::dump::ProcessEntry| {
        process
            .handles
            .iter()
            .map(|(kind, count)| ((process.image.clone(), kind.clone()), *count))
            .collect::<Vec<_>>()
    };
    let mut sums = BTreeMap::new();
    for (key, count) in counted.into_iter().flat_map(each) {
        *sums.entry(key).or_default() += count;
    }
    sums
}

/// Handles beyond those of a boot without faults and those that could not be closed, because a call
/// gave one of these statuses.
fn leaked(
    system: &Booted,
    reference: &BTreeMap<(String, String), usize>,
    statuses: &[Status],
) -> Vec<String> {
    let refused = |record: &&Record| {
        record.call == "NtClose"
            && statuses
                .iter()
                .any(|status| record.outcome == CallEnd::Returned(*status))
    };
    let kept = system.trace_of("smss.exe").iter().filter(refused).count();
    let mut excess = Vec::new();
    let mut sum = 0;
    for (key, count) in handles(system) {
        let most = reference.get(&key).copied().unwrap_or(0);
        if count > most {
            sum += count - most;
            excess.push(format!(
                "{} has {count} {} handles instead of {most}",
                key.0, key.1
            ));
        }
    }
    if sum > kept { excess } else { Vec::new() }
}

/// Whether no thread of smss was stopped in the middle of its work: the system has settled, or its
/// one main thread has stopped it.
fn stands_still(system: &Booted, persistent: bool) -> bool {
    let trace = system.trace_of("smss.exe");
    let main = trace.first().map(|record| record.client);
    let raised = trace
        .iter()
        .find(|record| record.call == "NtRaiseHardError")
        .map(|record| record.client);
    system.end == End::Settled
        || !persistent && raised == main && system.sessions_of("smss.exe").len() == 1
}

/// Files that are lost: neither under their old name nor where they were to go.
pub(crate) fn lost<D: Sectors>(
    course: &Course,
    before: &Files,
    volume: &mut VolumeImage<D>,
) -> Vec<String> {
    let wanted = |path: &str| {
        course
            .wanted
            .iter()
            .find(|(from, _)| path == *from)
            .map(|(_, wanted)| wanted)
    };
    let replacing = |path: &str| {
        let moved = course
            .wanted
            .iter()
            .find(|(_, wanted)| matches!(wanted, Wanted::MovedTo(to) if *to == path));
        moved.and_then(|(from, _)| before.get(*from))
    };
    let mut here = |path: &str, content: &[u8]| match volume.read(path) {
        // The kernel writes the hives and the boot status; that they are sound, the next boot
        // shows.
        Ok(bytes) => {
            path.contains("\\config\\") || path.ends_with("bootstat.dat") || bytes == content
        }
        Err(_) => false,
    };
    let mut kept = |path: &str, content: &[u8]| {
        here(path, content)
            || match wanted(path) {
                None => false,
                Some(Wanted::Deleted) => true,
                Some(Wanted::MovedTo(to)) => here(to, content),
                Some(Wanted::Replaced) => replacing(path).is_some_and(|new| here(path, new)),
            }
    };
    before
        .iter()
        .filter(|(path, content)| !kept(path, content))
        .map(|(path, _)| format!("{path} is lost"))
        .collect()
}

/// What the pending renames have left undone.
pub(crate) fn undone<D: Sectors>(
    course: &Course,
    before: &Files,
    volume: &mut VolumeImage<D>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, wanted) in course.wanted {
        let right = match wanted {
            Wanted::Deleted => volume.read(path).is_err(),
            Wanted::MovedTo(to) => {
                volume.read(path).is_err() && volume.read(to).ok().as_ref() == before.get(*path)
            }
            Wanted::Replaced => true,
        };
        if !right {
            wrong.push(format!("{path} is not where it was to go"));
        }
    }
    wrong
}

/// Whether a system that has settled is one: smss answers its clients, unless all its calls fail,
/// and waits for the initial command.
fn unserved(course: &Course, mut system: Booted, persistent: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    if !persistent {
        match system.try_program("smctl.exe list") {
            Some(Status::SUCCESS) => {}
            answer => wrong.push(format!("smctl ends with {answer:?}")),
        }
    }
    if !system.runs(course.initial) {
        return wrong;
    }
    system.kill(course.initial, Status::new(0x1234));
    let told = matches!(&system.end, End::Stopped { text, status, .. } if INITIAL.contains(&text.as_str()) && status.code() == 0x1234);
    let untold = persistent && system.end == End::Bugcheck(CRITICAL_OBJECT_TERMINATION);
    if !told && !untold {
        wrong.push(format!(
            "the end of {} ends in {:?}",
            course.initial, system.end
        ));
    }
    wrong
}

/// A course without faults: what the others are held against.
pub(crate) struct Reference {
    course: &'static Course,
    before: Files,
    most: BTreeMap<(String, String), usize>,
    /// How many calls smss makes, and which one makes it critical.
    pub(crate) calls: u64,
    critical: u64,
}

impl Reference {
    /// Plays the course without faults, which must go well.
    pub(crate) fn of(course: &'static Course) -> Self {
        let before = (course.setup)().files();
        let reference = (course.setup)().traced().boot();
        assert_eq!(
            (
                &reference.end,
                undone(course, &before, &mut reference.volume())
            ),
            (&End::Settled, Vec::new()),
            "{}",
            course.name
        );
        let trace = reference.trace_of("smss.exe");
        let critical = trace
            .iter()
            .position(|record| record.call == "NtSetInformationProcess");
        let calls = trace.len() as u64;
        assert!(calls > 200, "{}: {calls} calls", course.name);
        Self {
            course,
            before,
            most: handles(&reference),
            calls,
            critical: critical.unwrap_or(0) as u64 + 1,
        }
    }

    /// One run, in which these calls fail, or all from the first one on: notes how it ended, and
    /// gives what was wrong.
    pub(crate) fn judge(
        &self,
        faults: &[(u64, Status)],
        persistent: bool,
        table: &mut BTreeMap<String, u64>,
    ) -> Vec<String> {
        let course = self.course;
        let mut setup = (course.setup)().traced();
        for (nth, status) in faults {
            setup = setup.fail_nth(*nth, *status, persistent);
        }
        let mut system = setup.boot();
        // What smss sees of it.
        let seen: Vec<Status> = faults
            .iter()
            .map(|(_, status)| status.ended().err().unwrap_or(*status))
            .collect();
        let uncritical = faults.iter().any(|(nth, _)| *nth <= self.critical);
        // Where several calls fail, the hard error may be among them.
        let untold = persistent || faults.len() > 1;
        let mut wrong = if stands_still(&system, persistent) {
            leaked(&system, &self.most, &seen)
        } else {
            Vec::new()
        };
        wrong.extend(lost(course, &self.before, &mut system.volume()));
        match ending(course, &system, uncritical, untold, &seen) {
            Ok(outcome) => *table.entry(outcome).or_default() += 1,
            Err(fault) => wrong.push(fault),
        }
        if system.end == End::Settled {
            if !persistent {
                // One that has not come yet belongs to the boot.
                system.no_more_faults();
            }
            wrong.extend(unserved(course, system, persistent));
        } else {
            let next = system.reboot();
            if next.end == End::Settled {
                wrong.extend(undone(course, &self.before, &mut next.volume()));
            } else {
                wrong.push(format!("the next boot ends with {:?}", next.end));
            }
        }
        let name = run_name(course, faults, persistent);
        wrong
            .into_iter()
            .map(|fault| format!("{name}: {fault}"))
            .collect()
    }
}

/// Says how the runs of a course ended; none may have been wrong.
pub(crate) fn report(course: &Course, table: &BTreeMap<String, u64>, wrong: &[String]) {
    let sum: u64 = table.values().sum();
    println!("{}: {sum} cases", course.name);
    for (outcome, count) in table {
        println!("{count:6}  {outcome}");
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Sweeps a course: a table of outcomes, and what was wrong.
fn sweep(course: &'static Course) {
    let reference = Reference::of(course);
    let (first, last) = (
        setting("SMSS_FAULT_FIRST").unwrap_or(1),
        setting("SMSS_FAULT_LAST").map_or(reference.calls, |last| last.min(reference.calls)),
    );
    let mut table = BTreeMap::<String, u64>::new();
    let mut wrong = Vec::new();
    for nth in (first..=last).step_by(setting("SMSS_FAULT_STEP").unwrap_or(course.step) as usize) {
        let endless = ENDLESS[nth as usize % ENDLESS.len()];
        for (status, persistent) in STATUSES
            .into_iter()
            .flat_map(|status| [(status, false), (status, true)])
            .chain([(endless, false)])
        {
            wrong.extend(reference.judge(&[(nth, status)], persistent, &mut table));
        }
    }
    report(course, &table, &wrong);
}

#[test]
fn every_call_of_a_default_boot_may_fail() {
    sweep(&DEFAULT);
}

#[test]
fn every_call_of_a_boot_with_much_to_do_may_fail() {
    sweep(&BUSY);
}

#[test]
fn every_call_of_an_nt_6_boot_may_fail() {
    sweep(&NT6);
}

#[test]
#[ignore = "prints the calls of a default boot by number"]
fn print_the_calls() {
    for (index, record) in Setup::new()
        .traced()
        .boot()
        .trace_of("smss.exe")
        .iter()
        .enumerate()
    {
        println!(
            "{} t{} {} {:?} {:?}",
            index + 1,
            { record.client.thread },
            record.call,
            record.arguments,
            record.outcome
        );
    }
}
