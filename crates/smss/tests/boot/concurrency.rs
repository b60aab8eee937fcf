// SPDX-License-Identifier: GPL-2.0-or-later
//! Requests that are under way at once: none waits for ever, and none for another session's server
//! (spec 9.4, 9.6, 10.6, 11.3).

use crate::system::{Booted, End, Setup};
use nt::Status;

fn systems() -> [(Setup, u32); 2] {
    // Sessions that stand after the boot.
    [(Setup::new(), 1), (Setup::nt6(), 2)]
}

/// A system whose POSIX server never registers.
fn with_silent_posix(setup: Setup) -> Booted {
    setup
        .expand(
            "SubSystems",
            "Posix",
            "%SystemRoot%\\system32\\faulty.exe silent",
        )
        .boot()
}

fn line_of(system: &Booted, text: &str) -> usize {
    system
        .screen
        .lines()
        .position(|line| line.contains(text))
        .unwrap_or_else(|| panic!("{text}: {}", system.screen))
}

#[test]
fn spec_9_6_an_optional_server_of_session_0_that_stays_silent_is_given_up() {
    for (setup, _) in systems() {
        let mut system = with_silent_posix(setup);
        let before = system.handles("smss.exe");
        for _ in 0..3 {
            assert_eq!(
                system.try_program("smctl.exe load Posix"),
                Some(Status::IO_TIMEOUT)
            );
            assert!(!system.runs("faulty.exe"));
        }
        assert_eq!(
            (system.handles("smss.exe"), &system.end),
            (before, &End::Settled)
        );
    }
}

#[test]
fn spec_9_6_no_session_is_held_up_by_an_optional_server_of_another() {
    for (setup, stands) in systems() {
        let mut system = with_silent_posix(setup);
        system.start_program("smctl.exe start");
        let stop = format!("smctl.exe stop {stands}");
        let results = system.try_programs(&[
            "smctl.exe load Posix",
            "smctl.exe load Posix",
            &stop,
            "smctl.exe start",
            "smctl.exe exec 0 console.exe",
        ]);
        assert_eq!(
            results,
            [
                Some(Status::IO_TIMEOUT),
                Some(Status::IO_TIMEOUT),
                Some(Status::SUCCESS),
                Some(Status::SUCCESS),
                Some(Status::SUCCESS)
            ],
            "{}",
            system.screen
        );
        // Not only do they end: they end before the server is given up.
        let given_up = line_of(&system, "smctl: STATUS_IO_TIMEOUT");
        for done in ["has ended", "runs in session 0"] {
            assert!(line_of(&system, done) < given_up, "{}", system.screen);
        }
        let lines = system.screen.lines().enumerate();
        let started: Vec<usize> = lines
            .filter(|(_, line)| line.contains(" started: "))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(started.len(), 2, "{}", system.screen);
        assert!(started[1] < given_up, "{}", system.screen);
    }
}

#[test]
fn spec_11_3_as_many_sessions_at_once_as_the_kernel_has_room_for() {
    for (setup, stands) in systems() {
        let mut system = setup.boot();
        let requests = vec!["smctl.exe start"; 64 - stands as usize];
        let results = system.try_programs(&requests);
        assert_eq!(
            results,
            vec![Some(Status::SUCCESS); requests.len()],
            "{}",
            system.screen
        );
        assert_eq!(
            system.sessions_of("csrss.exe"),
            (0..64).collect::<Vec<u32>>()
        );
        let stops: Vec<String> = (stands..64)
            .map(|session| format!("smctl.exe stop {session}"))
            .collect();
        let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
        let results = system.try_programs(&stops);
        assert_eq!(results, vec![Some(Status::SUCCESS); stops.len()]);
        assert_eq!(system.sessions_of("csrss.exe").len(), stands as usize);
    }
}

#[test]
fn spec_9_4_a_server_that_has_answered_is_not_ended_because_a_signal_failed() {
    let mut nth = 1;
    loop {
        let mut system = Setup::new().boot();
        system.start_program("smctl.exe start");
        system.fail_next("NtSetEvent", nth, Status::NO_MEMORY);
        assert_eq!(
            system.try_program("smctl.exe exec 1 console.exe"),
            Some(Status::SUCCESS),
            "signal {nth}"
        );
        if system.faults_hit() == 0 {
            break;
        }
        assert_eq!(system.sessions_of("csrss.exe"), [0, 1], "signal {nth}");
        nth += 1;
    }
    assert!(nth > 1, "no call was bounded");
}

#[test]
fn spec_11_2_a_signal_that_fails_hangs_nobody_who_waits() {
    for kind in 0..2 {
        let setup = || [Setup::new, Setup::nt6][kind]();
        let mut nth = 1;
        loop {
            let mut system = setup().boot();
            system.fail_next("NtSetEvent", nth, Status::NO_MEMORY);
            let results = system.try_programs(&["smctl.exe start"; 2]);
            if system.faults_hit() == 0 {
                break;
            }
            assert!(
                results.iter().all(Option::is_some),
                "signal {nth}: {results:?}"
            );
            assert_eq!(system.end, End::Settled, "signal {nth}");
            assert_eq!(
                system.try_program("smctl.exe start"),
                Some(Status::SUCCESS),
                "signal {nth}"
            );
            nth += 1;
        }
        assert!(nth > 3, "{nth}");
    }
}

#[test]
fn spec_11_3_an_end_that_the_kernel_refuses_once_is_asked_for_again() {
    for (setup, stands) in [(Setup::new as fn() -> Setup, 1), (Setup::nt6, 2)] {
        let mut nth = 1;
        loop {
            let mut system = setup().boot();
            system.start_program("smctl.exe start");
            system.fail_next("NtTerminateProcess", nth, Status::NO_MEMORY);
            assert_eq!(
                system.try_program(&format!("smctl.exe stop {stands}")),
                Some(Status::SUCCESS),
                "end {nth}"
            );
            if system.faults_hit() == 0 {
                break;
            }
            for image in ["csrss.exe", "winlogon.exe"] {
                assert!(
                    !system.sessions_of(image).contains(&stands),
                    "end {nth}: {image} still runs"
                );
            }
            nth += 1;
        }
        assert!(nth > 2, "{nth}");
    }
}
