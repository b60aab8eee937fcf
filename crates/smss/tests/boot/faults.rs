// SPDX-License-Identifier: GPL-2.0-or-later
//! The fault sweep: the N-th system call of smss in a default boot fails, for every N (issue 3).
//!
//! Each boot ends settled or in a hard error of the specification; no panic, no hang (a system that neither runs nor stops is settled
//! without winlogon, and that is found), and no file of the medium lost. The whole sweep takes minutes: every
//! 29th call fails here, every one with `SMSS_FAULT_STEP=1`, and those from
//! `SMSS_FAULT_FIRST` to `SMSS_FAULT_LAST` with these two.

use crate::system::{End, Setup};
use executive::trace::{Outcome, Record};
use nt::Status;
use std::collections::BTreeMap;

const STATUSES: [Status; 3] = [Status::NO_MEMORY, Status::ACCESS_DENIED, Status::IO_DEVICE_ERROR];
const NAMES: [&str; 6] = [
    "Session Manager Initialization",
    "Session Manager ExecuteInitialCommand",
    "Windows SubSystem",
    "Windows Logon Process",
    "Verification of a KnownDLL failed.",
    "Non-DLL file included in KnownDLL list.",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn step() -> u64 {
    setting("SMSS_FAULT_STEP", 29)
}

#[test]
fn every_call_of_a_default_boot_may_fail() {
    let calls = Setup::new().traced().boot().trace_of("smss.exe").len() as u64;
    assert!(calls > 200, "{calls}");
    let mut table = BTreeMap::<String, u64>::new();
    let mut wrong = Vec::new();
    for status in STATUSES {
        for persistent in [false, true] {
            for nth in (setting("SMSS_FAULT_FIRST", 1)..=setting("SMSS_FAULT_LAST", calls)).step_by(step() as usize) {
                let system = Setup::new().fail_nth(nth, status, persistent).boot();
                let outcome = match &system.end {
                    End::Settled if system.runs("winlogon.exe") => "settled".to_owned(),
                    End::Stopped { text, .. } if NAMES.contains(&text.as_str()) => text.clone(),
                    // Nothing can be reported by a process whose every call fails: it ends, and being critical takes the system with it.
                    End::Bugcheck(code) => format!("bugcheck {code:#x}"),
                    End::Settled => "settled without winlogon".to_owned(),
                    other => format!("{other:?}"),
                };
                if outcome == "settled without winlogon" {
                    wrong.push(format!("call {nth} failing with {status}, persistent: {persistent}"));
                }
                *table.entry(outcome).or_default() += 1;
            }
        }
    }
    println!("{table:#?}");
    assert!(wrong.is_empty(), "{} hang: {:?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn a_boot_with_one_failed_call_that_settles_leaks_no_handle() {
    let reference = Setup::new().traced().boot();
    let calls = reference.trace_of("smss.exe").len() as u64;
    let count = |system: &crate::system::Booted| system.process("smss.exe").handles.iter().map(|(_, count)| count).sum::<usize>();
    let most = count(&reference);
    for nth in (1..=calls).step_by(3 * step() as usize) {
        let system = Setup::new().traced().fail_nth(nth, Status::ACCESS_DENIED, false).boot();
        // A handle that the kernel refuses to close stays.
        let refused = |record: &Record| record.call == "NtClose" && record.outcome == Outcome::Returned(Status::ACCESS_DENIED);
        if system.end == End::Settled && !system.trace_of("smss.exe").iter().any(refused) {
            assert!(count(&system) <= most, "call {nth}: {:?}", system.process("smss.exe").handles);
        }
    }
}

#[test]
#[ignore = "prints the calls of a default boot by number"]
fn print_the_calls() {
    for (index, record) in Setup::new().traced().boot().trace_of("smss.exe").iter().enumerate() {
        println!("{} t{} {} {:?} {:?}", index + 1, record.client.thread, record.call, record.arguments, record.outcome);
    }
}
