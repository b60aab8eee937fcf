// SPDX-License-Identifier: GPL-2.0-or-later
//! Deterministic simulation: one seed gives one history of a machine, from its registry to its last
//! session, and the Session Manager must keep its promises in every one of them.
//!
//! A [`History`] is drawn from a seed before anything runs: the version, the settings, who the
//! subsystem servers are, what clients ask for and when, which calls fail with what, which processes
//! die at which call, where the running thread is preempted and by whom, when the power goes. It is
//! played ([`play`]) on the host's world with virtual time, so the same history gives the same calls
//! in the same order, every time. What must hold is in [`invariants`]. A history that breaks one is
//! made shorter ([`shrink`]) until nothing of it can be left out.
//!
//! The way is that of FoundationDB's simulation and TigerBeetle's VOPR.
#![forbid(unsafe_code)]

mod course;
mod disturbance;
pub mod history;
pub mod invariants;
pub mod machine;
pub mod model;
mod random;
mod recovery;
pub mod report;
pub mod settings;
pub mod shrink;
mod stage;
pub mod statuses;

pub use history::History;
pub use invariants::Violation;
pub use report::Reached;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What became of a history.
pub struct Played {
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// What was reached on the way.
    pub reached: Reached,
    /// Every call in order, as a line each.
    pub trace: Vec<String>,
    /// The same history with its schedule as it was drawn: preemptions one by one, for shrinking.
    pub recorded: History,
}

/// Plays a history from its first boot to its end.
pub fn play(history: &History) -> Played {
    let mut stage = stage::Stage::new(history);
    let result = catch_unwind(AssertUnwindSafe(|| stage.play()));
    let violation = match result {
        Ok(Ok(())) => None,
        Ok(Err(violation)) => Some(violation),
        Err(payload) => Some(Violation::from_panic(payload.as_ref())),
    };
    let (reached, trace, recorded) = stage.finish();
    Played {
        violation,
        reached,
        trace,
        recorded,
    }
}
