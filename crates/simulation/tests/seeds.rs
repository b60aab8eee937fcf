// SPDX-License-Identifier: GPL-2.0-or-later
//! The fixed seeds of every test run; `cargo xtask simulate --seeds N` plays as many as one likes.

use simulation::report::{Reached, Section};
use simulation::statuses::SERVICES;
use simulation::{History, play};

/// The end of one's own thread is not refused, and a failed yield is a yield.
const NEVER_REFUSED: [&str; 3] = ["NtTerminateThread", "NtYieldExecution", "NtShutdownSystem"];

#[test]
fn every_promise_is_kept_in_two_hundred_histories() {
    let mut reached = Reached::default();
    let mut broken = Vec::new();
    for seed in 0..200 {
        let played = play(&History::draw(seed));
        reached.add(played.reached);
        if let Some(violation) = played.violation {
            broken.push(format!(
                "seed {seed}: {}: {}",
                violation.invariant, violation.seen
            ));
        }
    }
    assert!(broken.is_empty(), "{}\n{reached}", broken.join("\n"));
    let unknown: Vec<&str> = reached
        .names(Section::Called)
        .map(|(name, _)| name)
        .filter(|name| !SERVICES.contains(name) && !NEVER_REFUSED.contains(name))
        .collect();
    assert!(unknown.is_empty(), "no fault is drawn for {unknown:?}");
    // What the histories are for: calls fail in many places, and threads are preempted in many.
    for section in [Section::Failed, Section::Preempted, Section::PreemptedAt] {
        assert!(reached.kinds(section) > 20, "{reached}");
    }
}

#[test]
fn as_many_sessions_at_once_as_there_is_room_for_are_all_made() {
    let crowd = (0..).map(History::draw).find(|history| {
        let starts = history.rounds.first().map_or(0, Vec::len);
        history.rounds.len() == 1 && starts > 60
    });
    let played = play(&crowd.expect("one history in 200 is a crowd"));
    assert_eq!(played.violation, None);
    let made = played.reached.of(
        Section::Answer,
        "smctl.exe start: STATUS_SUCCESS (00000000)",
    );
    assert!(made > 60, "{}", played.reached);
}
