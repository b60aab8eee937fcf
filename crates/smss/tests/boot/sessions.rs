// SPDX-License-Identifier: GPL-2.0-or-later
//! Terminal sessions and clients, many of them, with the real programs (spec 11.3).

use crate::system::{Booted, End, Setup};
use nt::Status;
use nt::system::ValueType;

fn counts(system: &Booted) -> (usize, usize) {
    (
        system.handles("smss.exe"),
        system
            .processes()
            .iter()
            .filter(|process| process.running)
            .count(),
    )
}

#[test]
fn a_session_is_started_listed_and_ended_with_smctl() {
    let mut system = Setup::new().boot();
    assert_eq!(
        system.start_program("smctl.exe start"),
        Status::SUCCESS,
        "{}",
        system.screen
    );
    assert_eq!(system.sessions_of("csrss.exe"), [0, 1]);
    assert_eq!(system.sessions_of("winlogon.exe"), [0, 1]);
    assert_eq!(system.start_program("smctl.exe list"), Status::SUCCESS);
    assert!(
        system.screen.contains("smctl: session 1 type 2 "),
        "{}",
        system.screen
    );
    assert_eq!(
        system.start_program("smctl.exe stop 1"),
        Status::SUCCESS,
        "{}",
        system.screen
    );
    assert_eq!(system.sessions_of("csrss.exe"), [0]);
    assert_eq!(
        system.start_program("smctl.exe stop 1"),
        Status::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(
        system.start_program("smctl.exe stop 0"),
        Status::INVALID_PARAMETER
    );
    assert_eq!(system.end, End::Settled);
}

#[test]
fn sixty_four_sessions_come_and_go() {
    let mut system = Setup::new().boot();
    // Threads that the pool has grown by stay: the first session makes them.
    system.start_program("smctl.exe start");
    system.start_program("smctl.exe stop 1");
    let before = counts(&system);
    // A kernel of this version has 64 session spaces, the console's among them.
    for session in 1..64 {
        assert_eq!(
            system.start_program("smctl.exe start"),
            Status::SUCCESS,
            "{session}"
        );
    }
    assert_eq!(
        system.sessions_of("csrss.exe"),
        (0..64).collect::<Vec<u32>>()
    );
    assert_eq!(system.start_program("smctl.exe start"), Status::NO_MEMORY);
    for session in 1..64 {
        assert_eq!(
            system.start_program(&format!("smctl.exe stop {session}")),
            Status::SUCCESS,
            "{session}"
        );
    }
    assert_eq!(counts(&system), before);
}

#[test]
fn ten_thousand_connections_leave_the_handles_where_they_were() {
    let mut system = Setup::new().boot();
    system.start_program("smtest.exe churn");
    let before = counts(&system);
    assert_eq!(
        system.start_program("smtest.exe churn"),
        Status::SUCCESS,
        "{}",
        system.screen
    );
    assert_eq!(counts(&system), before);
}

#[test]
fn a_client_that_dies_at_any_step_leaves_nothing() {
    let mut system = Setup::new().boot();
    let before = counts(&system);
    for step in 0..=4 {
        system.start_program(&format!("smdie.exe {step}"));
        system.settle();
        assert_eq!(system.handles("smss.exe"), before.0, "{step}");
    }
    // A session whose client is gone is started nevertheless, and ended by the thread that finds it.
    system.start_program("smdie.exe 5");
    system.settle();
    assert_eq!(system.sessions_of("csrss.exe"), [0, 1]);
    assert_eq!(system.start_program("smctl.exe stop 1"), Status::SUCCESS);
    assert_eq!(system.end, End::Settled);
}

#[test]
fn a_server_that_breaks_the_contract_in_a_new_session_is_undone() {
    let ways = [
        ("silent", Status::IO_TIMEOUT),
        ("deaf", Status::IO_TIMEOUT),
        // STATUS_LPC_REPLY_LOST: the server was ended while it owed a reply.
        ("mute", Status::new(0xC000_0253)),
        ("refuses", Status::NO_MEMORY),
        ("leaves", Status::UNSUCCESSFUL),
        ("nameless", Status::PORT_DISCONNECTED),
        ("dies", Status::UNSUCCESSFUL),
    ];
    let list = ways.map(|(way, _)| way).join(",");
    let command = format!(
        "%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows Windows=On SubSystemType=Windows Elsewhere={list}"
    );
    for setup in [
        Setup::new(),
        Setup::nt6().value(
            "",
            "NumberOfInitialSessions",
            ValueType::DWORD,
            &[1, 0, 0, 0],
        ),
    ] {
        let mut system = setup
            .expand("SubSystems", "Windows", &format!("{command},{list}"))
            .boot();
        assert_eq!(system.end, End::Settled);
        let mut before = None;
        for (way, status) in ways.iter().chain(&ways) {
            assert_eq!(system.start_program("smctl.exe start"), *status, "{way}");
            // The first time around, the pool of threads grows.
            if *way == "dies" {
                assert_eq!(
                    *before.get_or_insert_with(|| counts(&system)),
                    counts(&system),
                    "{way}"
                );
            }
            assert_eq!(system.sessions_of("csrss.exe"), [0], "{way}");
        }
        // And a good one comes up as if nothing had been.
        assert_eq!(system.start_program("smctl.exe start"), Status::SUCCESS);
        assert_eq!(system.start_program("smctl.exe stop 1"), Status::SUCCESS);
        assert_eq!(Some(counts(&system)), before);
    }
}

#[test]
fn a_program_is_run_in_any_live_session_and_belongs_to_it() {
    for setup in [Setup::new(), Setup::nt6()] {
        let mut system = setup.boot();
        assert_eq!(
            system.start_program("smctl.exe start sleep.exe"),
            Status::SUCCESS,
            "{}",
            system.screen
        );
        let session = system.sessions_of("csrss.exe").last().copied().unwrap();
        // Graphical, character-mode, and native: the first two belong to that session's csrss,
        // the last to no server.
        for program in ["winlogon.exe", "console.exe", "sleep.exe"] {
            let before = system.sessions_of(program);
            let exec = format!("smctl.exe exec {session} {program}");
            assert_eq!(
                system.start_program(&exec),
                Status::SUCCESS,
                "{program}: {}",
                system.screen
            );
            assert_eq!(
                system.sessions_of(program).len(),
                before.len() + 1,
                "{program}"
            );
            assert_eq!(
                system.sessions_of(program).last(),
                Some(&session),
                "{program}"
            );
        }
        let before = counts(&system);
        let wrong = [
            (
                format!("smctl.exe exec {session} nosuch.exe"),
                Status::OBJECT_NAME_NOT_FOUND,
            ),
            (
                "smctl.exe exec 50 sleep.exe".to_owned(),
                Status::OBJECT_PATH_NOT_FOUND,
            ),
            (
                "smctl.exe exec x sleep.exe".to_owned(),
                Status::INVALID_PARAMETER,
            ),
            (
                format!("smctl.exe exec {session}"),
                Status::OBJECT_NAME_INVALID,
            ),
            (
                format!("smctl.exe exec {session} exit.exe {}", "x".repeat(120)),
                Status::NAME_TOO_LONG,
            ),
        ];
        for (line, status) in wrong {
            assert_eq!(system.start_program(&line), status, "{line}");
        }
        assert_eq!(counts(&system), before);
        assert_eq!(system.end, End::Settled);
    }
}

#[test]
fn d22_set_up_commands_run_once_a_boot_not_once_a_session() {
    let mut system = Setup::new().multi("", "SetupExecute", &["exit.exe"]).boot();
    let runs = |system: &Booted| {
        system
            .processes()
            .iter()
            .filter(|process| process.image.eq_ignore_ascii_case("exit.exe"))
            .count()
    };
    let at_boot = runs(&system);
    assert_eq!(
        system.start_program("smctl.exe start"),
        Status::SUCCESS,
        "{}",
        system.screen
    );
    assert_eq!(system.sessions_of("csrss.exe"), [0, 1]);
    assert_eq!((at_boot, runs(&system)), (1, 1));
}
