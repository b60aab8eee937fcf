// SPDX-License-Identifier: GPL-2.0-or-later
//! One seed is one history, played the same way every time.

use simulation::{History, play};

#[test]
fn the_same_seed_gives_the_same_calls_twice() {
    let mut calls = 0;
    for seed in 0..6 {
        let history = History::draw(seed);
        let (first, second) = (play(&history), play(&history));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        calls += first.trace.len();
        assert_eq!(first.violation, second.violation, "seed {seed}");
    }
    // A boot that a fault stops early makes few.
    assert!(calls > 1000, "{calls}");
}

#[test]
fn a_history_with_its_schedule_written_out_gives_the_same_calls() {
    for seed in 0..6 {
        let first = play(&History::draw(seed));
        let again = play(&first.recorded);
        assert_eq!(first.trace, again.trace, "seed {seed}");
    }
}
