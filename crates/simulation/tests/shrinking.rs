// SPDX-License-Identifier: GPL-2.0-or-later
//! A failing history is made shorter, and fails still.
//!
//! The Session Manager keeps its promises, so this holds one against it that it never made: that no
//! subsystem server dies.

use simulation::shrink::shrink_by;
use simulation::{History, Violation, play};

fn dies(history: &History) -> Option<Violation> {
    let played = play(history);
    let line = played
        .trace
        .into_iter()
        .find(|line| line.contains("dies here"))?;
    Some(Violation::new("no program dies", line))
}

#[test]
fn the_shortest_history_found_is_shorter_and_breaks_the_same_promise() {
    let failing = (0..).map(History::draw).find_map(|history| {
        // One with much in it that has nothing to do with the death.
        let much = history.rounds.len() > 1 && !history.faults.is_empty();
        let played = much.then(|| play(&history))?;
        dies(&history).map(|violation| (played.recorded, violation))
    });
    let (history, violation) = failing.expect("the seeds do not end");
    let (shortest, why) = shrink_by(&history, violation, 150, &mut dies);
    assert_eq!(why.invariant, "no program dies");
    assert!(dies(&shortest).is_some());
    assert!(shortest.size() < history.size() / 2, "{shortest:#?}");
    assert_eq!(shortest.deaths.len(), 1, "{shortest:#?}");
    assert!(shortest.faults.is_empty(), "{shortest:#?}");
    assert!(shortest.renames.is_empty(), "{shortest:#?}");
}
