// SPDX-License-Identifier: GPL-2.0-or-later
//! The invariants find what they are for: kernel truths and records that break a promise, put
//! together by hand, since no history of a sound Session Manager has any.

use executive::ex::hard_errors::BugCheck;
use executive::host::{ProcessReport, RunEnd};
use executive::ids::ProcessId;
use nt::Status;
use nt::system::ShutdownAction;
use simulation::Violation;
use simulation::history::Operation;
use simulation::invariants::{
    answer, initial_commands, ports, processes, records, rest, rest_soon,
};
use simulation::machine::Rename;
use simulation::model::Model;
use simulation::settings::Setting;
use smss::{Counts, Kind, Record, Stage, TableSpace};

const SMSS: u32 = 8;

/// A running process.
fn process(id: u32, parent: u32, image: &str, session: u32) -> ProcessReport {
    ProcessReport {
        id,
        parent,
        image: image.into(),
        command_line: image.into(),
        environment: Vec::new(),
        current_directory: String::new(),
        dll_path: String::new(),
        flags: 0,
        session,
        critical: false,
        base_priority: 8,
        hard_error_mode: 0,
        threads: 1,
        handles: 1,
        exit: None,
        running: true,
    }
}

/// Session 0 and session 1, as they stand in NT 5.2.
fn system() -> Vec<ProcessReport> {
    vec![
        process(SMSS, 4, "smss.exe", 0),
        process(12, SMSS, "csrss.exe", 0),
        process(16, SMSS, "winlogon.exe", 0),
        process(20, SMSS, "csrss.exe", 1),
        process(24, SMSS, "winlogon.exe", 1),
    ]
}

const COUNTS: Counts = Counts {
    clients: 2,
    servers: 2,
    sessions: 2,
    environments: 0,
    threads: 2,
};

fn record(kind: Kind, stage: Stage, process: u32) -> Record {
    Record {
        kind,
        key: 1,
        stage,
        process: Some(process.into()),
        session: Some(1),
    }
}

/// What the Session Manager knows in that system.
type Known = [(ProcessId, Vec<Record>, Option<Counts>); 1];

fn known(records: Vec<Record>) -> Known {
    [(ProcessId(SMSS), records, Some(COUNTS))]
}

/// The records of the two servers.
fn servers() -> Vec<Record> {
    let first = Record {
        session: Some(0),
        ..record(Kind::Server, Stage::InService, 12)
    };
    vec![first, record(Kind::Server, Stage::InService, 20)]
}

/// What is seen of one record beside those of the servers in that system.
fn seen_of(record: Record) -> Result<(), Violation> {
    let mut all = servers();
    all.push(record);
    records(&known(all), &system())
}

fn seen(of: Result<(), Violation>) -> String {
    of.expect_err("a broken promise").seen
}

#[test]
fn a_session_without_its_csrss_is_found_unless_another_csrss_made_what_lives_there() {
    assert_eq!(processes(&system()), Ok(()));
    let mut orphaned = system();
    orphaned[3].running = false;
    assert_eq!(
        seen(processes(&orphaned)),
        "winlogon.exe (process 24) lives in session 1"
    );
    // What that csrss had made, for a client or for what it had made itself, is not smss'.
    orphaned[4].running = false;
    orphaned.push(process(28, 20, "console.exe", 1));
    orphaned.push(process(32, 28, "exit.exe", 1));
    assert_eq!(processes(&orphaned), Ok(()));
}

#[test]
fn an_end_of_the_session_manager_is_found() {
    let mut ended = system();
    ended[0].running = false;
    assert_eq!(seen(processes(&ended)), "no smss.exe runs");
}

#[test]
fn a_record_that_outlives_its_process_or_its_making_is_found() {
    assert_eq!(seen_of(record(Kind::Server, Stage::InService, 20)), Ok(()));
    assert_eq!(seen_of(record(Kind::Terminal, Stage::Running, 24)), Ok(()));
    assert_eq!(seen_of(record(Kind::Server, Stage::Retired, 99)), Ok(()));
    for (broken, what) in [
        (
            record(Kind::Server, Stage::InService, 99),
            "its process is gone",
        ),
        (
            record(Kind::Instance, Stage::Created, 99),
            "its process is gone",
        ),
        (
            record(Kind::Server, Stage::InService, 12),
            "its process is in another session",
        ),
        (
            record(Kind::Server, Stage::Reserved, 20),
            "at rest, nobody creates it",
        ),
        (
            record(Kind::Terminal, Stage::Starting, 24),
            "at rest, nobody makes it",
        ),
    ] {
        let seen = seen(seen_of(broken));
        assert!(seen.ends_with(what), "{seen}");
    }
}

#[test]
fn a_server_without_a_record_is_found_whichever_session_manager_has_started_it() {
    assert_eq!(records(&known(servers()), &system()), Ok(()));
    let mut without = servers();
    without.pop();
    let unknown = "csrss.exe (process 20) of session 1 has none";
    assert_eq!(seen(records(&known(without.clone()), &system())), unknown);
    // A child instance that has ended by now.
    let mut child = system();
    child.push(process(28, SMSS, "smss.exe", 1));
    child[5].running = false;
    child[3].parent = 28;
    assert_eq!(seen(records(&known(without.clone()), &child)), unknown);
    // Not one that somebody else has started, nor one that has ended.
    let mut ended = system();
    ended[3].running = false;
    assert_eq!(records(&known(without.clone()), &ended), Ok(()));
    let mut foreign = system();
    foreign[3].parent = 24;
    assert_eq!(records(&known(without), &foreign), Ok(()));
}

#[test]
fn a_wait_for_what_has_been_answered_is_found() {
    assert_eq!(rest_soon(10_000_000), Ok(()));
    let minute = "the system is at rest after 60000 ms";
    assert_eq!(seen(rest_soon(600_000_000)), minute);
}

#[test]
fn a_port_without_a_record_and_a_record_without_a_port_are_found() {
    // Its own, two clients, two servers that it has called back.
    let seen_of = |records: Vec<Record>, count| ports(&known(records), Some(SMSS), count);
    assert_eq!(seen_of(servers(), 5), Ok(()));
    for count in [4, 6] {
        assert!(seen(seen_of(servers(), count)).starts_with(&format!("{count} ports")));
    }
    // One that is on its way out may have its port still.
    let mut retired = servers();
    retired[1].stage = Stage::Retired;
    for (count, right) in [(3, false), (4, true), (5, true), (6, false)] {
        assert_eq!(seen_of(retired.clone(), count).is_ok(), right, "{count}");
    }
    // Of another Session Manager, or of one whose tables are being changed, nothing is known.
    assert_eq!(ports(&known(servers()), None, 99), Ok(()));
    let locked = [(ProcessId(SMSS), servers(), None)];
    assert_eq!(ports(&locked, Some(SMSS), 99), Ok(()));
}

#[test]
fn a_session_that_outlives_its_initial_command_is_found() {
    let seen_of = |record: Record| initial_commands(&known(vec![record]), &system());
    let running = record(Kind::Terminal, Stage::Running, 24);
    assert_eq!(seen_of(running), Ok(()));
    let outlived = record(Kind::Terminal, Stage::Running, 99);
    assert!(seen(seen_of(outlived)).contains("99"));
    // Session 0 ends with the system, and one that is being made has none yet.
    let first = Record {
        session: Some(0),
        ..outlived
    };
    assert_eq!(seen_of(first), Ok(()));
    assert_eq!(seen_of(record(Kind::Terminal, Stage::Starting, 99)), Ok(()));
}

#[test]
fn an_answer_that_is_refused_or_late_without_a_reason_is_found() {
    const MINUTE: u64 = 600_000_000;
    let judge = |operation: Operation, status, took| answer(&operation, "smctl.exe", status, took);
    let (good, refused) = (Status::SUCCESS, Status::NO_MEMORY);
    let start = || Operation::Start(None);
    assert_eq!(judge(start(), good, 0), Ok(()));
    assert_eq!(
        judge(start(), refused, 0).unwrap_err().invariant,
        "what nothing stands in the way of is not refused"
    );
    let broken = judge(Operation::Break("query"), refused, 0).unwrap_err();
    assert_eq!(
        broken.invariant,
        "who breaks the protocol is answered as specified"
    );
    // There may be no such session, or no such program.
    assert_eq!(judge(Operation::Stop(3), refused, 0), Ok(()));
    for late in [
        start(),
        Operation::Stop(1),
        Operation::List,
        Operation::Exec(0, "exit.exe"),
    ] {
        assert_eq!(
            judge(late, good, MINUTE).unwrap_err().invariant,
            "no session is held up by an optional server of another"
        );
    }
    assert_eq!(judge(Operation::Load("Posix"), refused, MINUTE), Ok(()));
}

#[test]
fn a_lock_that_somebody_sleeps_with_is_found() {
    let known = [(ProcessId(SMSS), Vec::new(), None)];
    let seen = seen(records(&known, &system()));
    assert_eq!(seen, "somebody in smss 8 sleeps with the tables' lock");
}

#[test]
fn a_shutdown_is_an_end_and_a_stop_without_a_hard_error_is_one_if_a_critical_process_is_gone() {
    let off = RunEnd::Shutdown(ShutdownAction::PowerOff);
    assert_eq!(rest(&off, 0), Ok(false));
    let critical = RunEnd::Stopped(BugCheck::new(0xF4, [0; 4]));
    assert_eq!(rest(&critical, 0), Ok(false));
    let broken = rest(&RunEnd::Stopped(BugCheck::new(0x50, [0; 4])), 0).unwrap_err();
    assert_eq!(broken.invariant, "a stop is a defined one");
}

#[test]
fn a_panic_is_told_by_its_text() {
    let told =
        |payload: Box<dyn std::any::Any + Send>| Violation::from_panic(payload.as_ref()).seen;
    assert_eq!(told(Box::new("literal")), "literal");
    assert_eq!(told(Box::new(String::from("made"))), "made");
    assert_eq!(told(Box::new(7)), "a panic without a text");
}

#[test]
fn a_content_that_is_gone_or_a_rename_half_done_is_found() {
    let (new, old) = Rename::contents(3);
    let (new, old) = (Some(new), Some(old));
    let fault = |rename: Rename, from: &Option<Vec<u8>>, to: &Option<Vec<u8>>, done| {
        rename.fault(3, from.clone(), to.clone(), done)
    };
    for rename in [Rename::Move, Rename::Replace] {
        // Done, and not begun: right unless it had to be done.
        assert_eq!(fault(rename, &None, &new, true), None);
        let target = if rename == Rename::Replace {
            &old
        } else {
            &None
        };
        assert_eq!(fault(rename, &new, target, false), None);
        assert!(fault(rename, &new, target, true).is_some());
        // Both names, neither name.
        assert!(fault(rename, &new, &new, false).is_some());
        assert!(fault(rename, &None, &None, false).is_some());
    }
    assert_eq!(fault(Rename::Replace, &new, &None, false), None);
    assert_eq!(fault(Rename::Delete, &None, &None, true), None);
    assert_eq!(fault(Rename::Delete, &new, &None, false), None);
    assert_eq!(
        fault(Rename::Delete, &new, &None, true).as_deref(),
        Some(
            "Delete of file 3: \"the new content of file 3\" at its old place, nothing at its new one"
        )
    );
}

#[test]
fn only_a_missing_session_space_and_a_required_server_excuse_a_refused_session() {
    let may = |key, name| {
        let (kind, data) = (1, Vec::new());
        let setting = Setting {
            key,
            name,
            kind,
            data,
        };
        setting.may_refuse_sessions()
    };
    assert!(may("SubSystems", "Kmode") && may("SubSystems", "Required"));
    assert!(!may("SubSystems", "Optional") && !may("Environment", "Kmode"));
}

#[test]
fn a_model_says_how_many_session_managers_it_watches() {
    let mut model = Model::default();
    model.watch(ProcessId(SMSS), Box::leak(Box::new(TableSpace::new())));
    assert_eq!(format!("{model:?}"), "1 Session Managers");
    assert_eq!(model.step(), Ok(()));
    assert_eq!(model.at_rest(|_| true).len(), 1);
    assert!(model.at_rest(|_| false).is_empty(), "it has ended");
}
