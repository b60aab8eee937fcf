// SPDX-License-Identifier: GPL-2.0-or-later
//! A failing history is made shorter, and fails still.
//!
//! The Session Manager keeps its promises, so this holds one against it that it never made: that no
//! subsystem server dies.

use simulation::history::{HONEST, Preemption, Schedule};
use simulation::shrink::{shrink, shrink_by};
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

/// A history that has something of everything, from the histories of several seeds.
fn full() -> History {
    let mut full = History::draw(0);
    for more in (1..).map(History::draw) {
        let mut empty = false;
        macro_rules! take {
            ($($part:ident)*) => {
                $(if full.$part.is_empty() {
                    full.$part.clone_from(&more.$part);
                    empty |= full.$part.is_empty();
                })*
            };
        }
        take!(servers picks boot_commands settings renames rounds faults slow frames deaths power_cuts);
        if full.posix == HONEST {
            full.posix = more.posix;
        }
        if full.machine.size() == 0 {
            full.machine = more.machine;
        }
        empty |= full.posix == HONEST || full.machine.size() == 0;
        if !empty {
            break;
        }
    }
    full
}

#[test]
fn whatever_a_failure_does_not_need_is_left_out() {
    let mut history = full();
    let always = || Some(Violation::new("nothing is promised", "it breaks"));
    let violation = always().unwrap();
    let (shortest, _) = shrink_by(&history, violation.clone(), 10_000, &mut |_| always());
    assert_eq!(shortest.size(), 0, "{shortest:#?}");
    // What is needed stays, and the schedule goes preemption by preemption.
    let preempted = |point| Preemption { point, next: 1 };
    history.schedule = Schedule::Listed((0..9).map(preempted).collect());
    let needed = Preemption { point: 7, next: 1 };
    let (shortest, _) = shrink_by(&history, violation, 10_000, &mut |history| match &history
        .schedule
    {
        Schedule::Listed(list) if list.contains(&needed) => always(),
        _ => None,
    });
    assert_eq!(shortest.schedule, Schedule::Listed(vec![needed]));
    assert_eq!(shortest.size(), 1, "{shortest:#?}");
}

#[test]
fn a_history_that_breaks_nothing_when_it_is_played_again_stays_as_it_is() {
    let sound = History::draw(1);
    let violation = Violation::new("something", "it was broken once");
    let (same, why) = shrink(&sound, violation.clone(), 3);
    assert_eq!((same, why), (sound, violation));
}
