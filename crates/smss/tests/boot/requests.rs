// SPDX-License-Identifier: GPL-2.0-or-later
//! Faults after the boot: several clients ask at once, and calls of smss fail while it serves them.
//!
//! The clients start sessions, load an optional subsystem, have programs taken over, and end a
//! session, all concurrently (spec 10.4). The N-th call of smss from then on fails, for a sample of
//! N, alone and together with another one. Of every run it is asserted that
//! * the system goes on (spec 13.5: a failure while a request is served is the client's);
//! * every client has its answer: each one has ended, also one whose NtCompleteConnectPort failed,
//!   which no other call wakes (spec 10.2);
//! * every session that stands can be ended, and a new one be made, listed and ended;
//! * smss then holds the handles that it held before the requests, but for those that the kernel
//!   refused to close.
//!
//! `SMSS_FAULT_STEP=1` takes every call instead of the sample, as in the sweep of the boot.

use crate::system::{Booted, End, Setup};
use executive::trace::CallEnd;
use nt::Status;
use std::collections::BTreeMap;

/// What is asked at once.
const FIRST: [&str; 5] = [
    "smctl.exe start",
    "smctl.exe load Posix",
    "smctl.exe start",
    "smctl.exe exec 0 console.exe",
    "smctl.exe list",
];
/// What is asked at once when these have been answered.
const THEN: [&str; 4] = [
    "smctl.exe stop 1",
    "smctl.exe exec 2 console.exe",
    "smctl.exe load Posix",
    "smctl.exe start",
];
/// What a call fails with.
const STATUSES: [Status; 3] = [
    Status::NO_MEMORY,
    Status::ACCESS_DENIED,
    Status::INVALID_HANDLE,
];
/// In a plain run one call out of this many is made to fail.
const STEP: usize = 43;
/// How many pairs of failing calls are tried in a plain run.
const PAIRS: u64 = 16;

/// A booted system whose port has the threads that the requests need.
fn booted() -> Booted {
    let mut system = Setup::new().traced().boot();
    ask(&mut system);
    tidy(&mut system);
    system
}

/// All requests: what each client ended with.
fn ask(system: &mut Booted) -> Vec<(&'static str, Option<Status>)> {
    let mut answers = Vec::new();
    for lines in [&FIRST[..], &THEN[..]] {
        answers.extend(lines.iter().copied().zip(system.try_programs(lines)));
    }
    answers
}

/// Ends every session but the first one, and what the requests have left running in that.
fn tidy(system: &mut Booted) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut sessions = system.sessions_of("csrss.exe");
    sessions.extend(system.sessions_of("winlogon.exe"));
    sessions.sort_unstable();
    sessions.dedup();
    for session in sessions.into_iter().filter(|session| *session != 0) {
        let answer = system.try_program(&format!("smctl.exe stop {session}"));
        if answer != Some(Status::SUCCESS) {
            wrong.push(format!("session {session} is not ended: {answer:?}"));
        }
    }
    for image in ["console.exe", "psxss.exe"] {
        while system.runs(image) {
            system.kill(image, Status::SUCCESS);
        }
    }
    wrong
}

/// What is wrong after requests in which calls failed.
fn wrong(system: &mut Booted, answers: &[(&str, Option<Status>)], before: usize) -> Vec<String> {
    if system.end != End::Settled {
        return vec![format!("ended with {:?}", system.end)];
    }
    let mut wrong = Vec::new();
    let unanswered: Vec<&str> = answers
        .iter()
        .filter(|(_, answer)| answer.is_none())
        .map(|(line, _)| *line)
        .collect();
    if !unanswered.is_empty() {
        wrong.push(format!("no answer: {unanswered:?}"));
    }
    wrong.extend(tidy(system));
    for line in ["smctl.exe start", "smctl.exe list"] {
        let answer = system.try_program(line);
        if answer != Some(Status::SUCCESS) {
            wrong.push(format!("afterwards {line} ends with {answer:?}"));
        }
    }
    wrong.extend(tidy(system));
    let refused = failed(system, "NtClose");
    let after = system.handles("smss.exe");
    if after > before + refused {
        wrong.push(format!("smss has {after} handles instead of {before}"));
    }
    wrong
}

/// How many calls of this service smss was refused.
fn failed(system: &Booted, call: &str) -> usize {
    let trace = system.trace_of("smss.exe");
    let refused = trace.iter().filter(|record| {
        record.call == call
            && matches!(record.outcome, CallEnd::Returned(status) if !status.is_success())
    });
    refused.count()
}

/// One run with these calls failing, counted from the first request on.
fn run(faults: &[(u64, Status)], table: &mut BTreeMap<String, u64>) -> Vec<String> {
    let mut system = booted();
    let before = system.handles("smss.exe");
    for (nth, status) in faults {
        system.fail_from_now(*nth, *status);
    }
    let answers = ask(&mut system);
    system.no_more_faults();
    for (line, answer) in &answers {
        let answer = answer.map_or("nothing".to_owned(), |status| status.to_string());
        *table.entry(format!("{line}: {answer}")).or_default() += 1;
    }
    wrong(&mut system, &answers, before)
        .into_iter()
        .map(|what| format!("{faults:?}: {what}"))
        .collect()
}

/// How many calls of smss the requests make.
fn calls() -> u64 {
    let mut system = booted();
    let before = system.trace_of("smss.exe").len();
    let handles = system.handles("smss.exe");
    let answers = ask(&mut system);
    let calls = system.trace_of("smss.exe").len() - before;
    assert_eq!(wrong(&mut system, &answers, handles), Vec::<String>::new());
    calls as u64
}

fn report(name: &str, table: &BTreeMap<String, u64>, wrong: &[String]) {
    println!("{name}:");
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

#[test]
fn spec_13_5_any_call_may_fail_while_requests_are_served() {
    let step = std::env::var("SMSS_FAULT_STEP")
        .ok()
        .and_then(|step| step.parse().ok())
        .unwrap_or(STEP);
    let (mut table, mut wrong) = (BTreeMap::new(), Vec::new());
    for nth in (1..=calls()).step_by(step) {
        for status in STATUSES {
            wrong.extend(run(&[(nth, status)], &mut table));
        }
    }
    report("requests, one call fails", &table, &wrong);
}

#[test]
fn spec_10_2_a_client_is_released_although_completing_its_connection_fails_at_first() {
    let mut system = booted();
    let before = system.trace_of("smss.exe").len();
    ask(&mut system);
    let trace = system.trace_of("smss.exe");
    let complete = trace[before..]
        .iter()
        .position(|record| record.call == "NtCompleteConnectPort")
        .expect("a client connects") as u64;
    let (mut table, mut wrong) = (BTreeMap::new(), Vec::new());
    for status in STATUSES {
        wrong.extend(run(&[(complete + 1, status)], &mut table));
    }
    report("requests, a completion fails", &table, &wrong);
}

#[test]
fn spec_13_5_any_two_calls_may_fail_while_requests_are_served() {
    let calls = calls();
    let (mut table, mut wrong) = (BTreeMap::new(), Vec::new());
    // Spread over all pairs by steps that have no divisor in common with most counts.
    for pair in 0..PAIRS {
        let (first, second) = (1 + pair * 37 % calls, 1 + pair * 101 % calls);
        let status = STATUSES[pair as usize % STATUSES.len()];
        wrong.extend(run(&[(first, status), (second, status)], &mut table));
    }
    report("requests, two calls fail", &table, &wrong);
}
