// SPDX-License-Identifier: GPL-2.0-or-later
//! The fixed seeds of every test run; `cargo xtask simulate --seeds N` plays as many as one likes.

use simulation::report::{Reached, Section};
use simulation::{History, play};

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
    // What the histories are for: calls fail in many places, and threads are preempted in many.
    for section in [Section::Failed, Section::Preempted, Section::PreemptedAt] {
        assert!(reached.kinds(section) > 20, "{reached}");
    }
}
