// SPDX-License-Identifier: GPL-2.0-or-later
//! Making a history that breaks a promise shorter, until nothing of it can be left out.

use crate::history::{HONEST, History, Schedule};
use crate::machine::Machine;
use crate::{Violation, play};

/// The shortest history found that breaks the same promise, and how: `most` plays at most.
pub fn shrink(history: &History, violation: Violation, most: usize) -> (History, Violation) {
    shrink_by(history, violation, most, &mut |history| {
        play(history).violation
    })
}

/// The same where `judge` plays a history and says what it breaks.
pub fn shrink_by(
    history: &History,
    violation: Violation,
    most: usize,
    judge: &mut dyn FnMut(&History) -> Option<Violation>,
) -> (History, Violation) {
    let (mut best, mut why) = (history.clone(), violation);
    let mut plays = 0;
    let mut progress = true;
    while progress && plays < most {
        progress = false;
        for candidate in candidates(&best) {
            if plays >= most {
                break;
            }
            plays += 1;
            if let Some(found) = judge(&candidate)
                && found.invariant == why.invariant
                && candidate.size() < best.size()
            {
                (best, why, progress) = (candidate, found, true);
                break;
            }
        }
    }
    (best, why)
}

/// Histories with a little less in them, the greatest steps first.
fn candidates(history: &History) -> Vec<History> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut History)| {
        let mut candidate = history.clone();
        change(&mut candidate);
        all.push(candidate);
    };
    match &history.schedule {
        Schedule::Drawn { .. } => with(&|history| history.schedule = Schedule::Listed(Vec::new())),
        Schedule::Listed(list) => {
            // Halves, quarters, and so on down to single ones.
            let mut length = list.len();
            while length > 0 {
                for start in (0..list.len()).step_by(length) {
                    let end = (start + length).min(list.len());
                    with(&|history| {
                        if let Schedule::Listed(list) = &mut history.schedule {
                            list.drain(start..end);
                        }
                    });
                }
                length /= 2;
            }
        }
    }
    with(&|history| history.machine = Machine::default());
    for at in 0..history.power_cuts.len() {
        with(&|history| {
            history.power_cuts.remove(at);
        });
    }
    for at in 0..history.settings.len() {
        with(&|history| {
            history.settings.remove(at);
        });
    }
    for at in (0..history.renames.len()).rev() {
        with(&|history| {
            history.renames.remove(at);
        });
    }
    for at in 0..history.slow.len() {
        with(&|history| {
            history.slow.remove(at);
        });
    }
    for at in 0..history.frames.len() {
        with(&|history| {
            history.frames.remove(at);
        });
    }
    for at in 0..history.faults.len() {
        with(&|history| {
            history.faults.remove(at);
        });
    }
    for at in 0..history.deaths.len() {
        with(&|history| {
            history.deaths.remove(at);
        });
    }
    for at in (0..history.rounds.len()).rev() {
        with(&|history| {
            history.rounds.remove(at);
        });
        for of in 0..history.rounds[at].len() {
            with(&|history| {
                history.rounds[at].remove(of);
            });
        }
    }
    for at in (0..history.servers.len()).rev() {
        with(&|history| {
            history.servers.remove(at);
        });
    }
    for at in (0..history.picks.len()).rev() {
        with(&|history| {
            history.picks.remove(at);
        });
    }
    with(&|history| history.posix = HONEST);
    for at in (0..history.boot_commands.len()).rev() {
        with(&|history| {
            history.boot_commands.remove(at);
        });
    }
    all
}
