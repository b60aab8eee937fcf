// SPDX-License-Identifier: GPL-2.0-or-later
//! Every call that fails, once and for good: sessions come up or are undone, and nothing is left
//! behind (spec 13.5).

use crate::sessions::{booted, cold};
use nt::Status;
use subsystems::Command;

const STATUSES: [Status; 3] = [
    Status::NO_MEMORY,
    Status::ACCESS_DENIED,
    Status::IO_DEVICE_ERROR,
];

/// Starting and ending a session with the N-th call failing, for every N.
#[test]
fn a_terminal_session_survives_the_failure_of_any_call() {
    let calls = {
        let world = booted(|plan| plan);
        let before = world.kernel.calls();
        let session = world.start("").unwrap().session;
        world.stop(session).unwrap();
        world.kernel.calls() - before
    };
    assert!(calls > 30, "{calls}");
    for status in STATUSES {
        for nth in 0..calls {
            let world = booted(|plan| plan);
            let (servers, sessions) = (
                world.manager.counts().servers,
                world.manager.counts().sessions,
            );
            world.kernel.fail(nth, status, false);
            let started = world.start("");
            if let Ok(started) = started {
                let stopped = world.stop(started.session);
                // A stop that could not even begin is asked for again.
                if stopped.is_err() {
                    world.kernel.fail_no_more();
                    let _ = world.stop(started.session);
                }
            }
            world.kernel.fail_no_more();
            let counts = world.manager.counts();
            assert_eq!(
                (counts.servers, counts.sessions),
                (servers, sessions),
                "call {nth} failing with {status}: {started:?}",
                started = started.err()
            );
            assert_eq!(
                world.kernel.state().bad_closes,
                0,
                "call {nth} failing with {status}"
            );
            // Whatever happened, smss still makes sessions.
            let again = world
                .start("")
                .unwrap_or_else(|error| panic!("call {nth} failing with {status}: then {error}"));
            assert_eq!(world.stop(again.session), Ok(()));
        }
    }
}

/// A boot with the N-th call failing, once and for good: it comes up or stops, and never waits for
/// what cannot come.
#[test]
fn session_0_comes_up_or_stops_whatever_call_fails() {
    let calls = {
        let (kernel, manager) = cold(|plan| plan);
        let before = kernel.calls();
        manager
            .load_session0(&mut Command::new())
            .unwrap()
            .start_initial()
            .unwrap();
        kernel.calls() - before
    };
    assert!(calls > 20, "{calls}");
    for status in STATUSES {
        for persistent in [false, true] {
            for nth in 0..calls {
                let (kernel, manager) = cold(|plan| plan);
                let handles = kernel.open_handles();
                kernel.fail(nth, status, persistent);
                let booted = manager
                    .load_session0(&mut Command::new())
                    .and_then(|session| session.start_initial());
                kernel.fail_no_more();
                assert_eq!(
                    kernel.state().bad_closes,
                    0,
                    "call {nth} failing with {status}"
                );
                match booted {
                    Ok(_) => assert_eq!(
                        kernel.running("winlogon.exe").len(),
                        1,
                        "call {nth} failing with {status}"
                    ),
                    Err(_) => assert!(
                        kernel.open_handles() <= handles + 11,
                        "call {nth} failing with {status}"
                    ),
                }
            }
        }
    }
}
