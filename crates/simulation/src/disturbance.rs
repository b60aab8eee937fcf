// SPDX-License-Identifier: GPL-2.0-or-later
//! What a history does to a running world: at every call, and whenever somebody is to run next.
//!
//! It counts the calls, so that the same history hits the same ones, and notes what it did.

use crate::history::{History, Preemption, Schedule};
use crate::random::Random;
use executive::host::interference::{Action, Interference, Site};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More calls than any history needs: a thread that makes more is in an endless loop.
const MOST_CALLS: u64 = 400_000;

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Noted {
    /// Calls of all processes.
    pub calls: u64,
    /// Calls by image.
    pub calls_by_image: BTreeMap<String, u64>,
    /// The services that were made to fail.
    pub failed: BTreeSet<&'static str>,
    /// The services before which a thread was preempted.
    pub preempted: BTreeSet<&'static str>,
    /// Every preemption that took place.
    pub preemptions: Vec<Preemption>,
    /// Processes that died.
    pub deaths: u64,
    /// Nothing is disturbed any more.
    pub calm: bool,
    /// The last calls.
    pub trace: Vec<String>,
    next: Option<u64>,
}

impl Noted {
    /// Says at the last call what became of it.
    fn mark(&mut self, what: &str) {
        if let Some(line) = self.trace.last_mut() {
            line.push_str(": ");
            line.push_str(what);
        }
    }
}

/// The disturbance of one history.
pub struct Disturbance {
    history: History,
    random: Option<(Random, u64)>,
    noted: Arc<Mutex<Noted>>,
}

impl Disturbance {
    /// The disturbance, and what it notes.
    pub fn new(history: &History) -> (Self, Arc<Mutex<Noted>>) {
        let noted = Arc::new(Mutex::new(Noted::default()));
        (Self::noting(history, &noted), noted)
    }

    /// The same for a later boot, with the counts going on.
    pub fn noting(history: &History, noted: &Arc<Mutex<Noted>>) -> Self {
        let random = match &history.schedule {
            Schedule::Drawn { seed, one_in } => Some((Random::new(*seed), *one_in)),
            Schedule::Listed(_) => None,
        };
        Self {
            history: history.clone(),
            random,
            noted: Arc::clone(noted),
        }
    }

    /// Whether the running thread gives way before this call, and to whom.
    fn preemption(&mut self, point: u64) -> Option<u64> {
        match (&mut self.random, &self.history.schedule) {
            (Some((random, one_in)), _) => random.one_in(*one_in).then(|| random.bits()),
            (None, Schedule::Listed(list)) => list
                .iter()
                .find(|preemption| preemption.point == point)
                .map(|preemption| preemption.next),
            (None, Schedule::Drawn { .. }) => None,
        }
    }
}

/// Locks, whatever a thread that unwound has left.
pub fn lock(noted: &Mutex<Noted>) -> MutexGuard<'_, Noted> {
    noted.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Interference for Disturbance {
    fn at_call(&mut self, site: &Site<'_>) -> Action {
        let noted = Arc::clone(&self.noted);
        let mut noted = lock(&noted);
        let point = noted.calls;
        noted.calls += 1;
        assert!(point < MOST_CALLS, "the system runs in a circle");
        let line = format!(
            "{point} {} {}.{} {}",
            site.time, site.image, site.thread, site.call
        );
        noted.trace.push(line);
        let image = site.image.to_ascii_lowercase();
        let own = image == "smss.exe";
        let of_image = noted.calls_by_image.entry(image.clone()).or_default();
        let nth = *of_image;
        *of_image += 1;
        if noted.calm {
            return Action::Proceed;
        }
        if let Some(next) = self.preemption(point) {
            noted.preempted.insert(site.call);
            noted.preemptions.push(Preemption { point, next });
            noted.mark("others first");
            noted.next = Some(next);
        }
        let dies = self
            .history
            .deaths
            .iter()
            .any(|death| death.image == image && death.call == nth);
        if dies {
            noted.deaths += 1;
            noted.mark("dies here");
            return Action::Die;
        }
        let fault = self.history.faults.iter().find(|fault| fault.call == nth);
        match fault {
            Some(fault) if own => {
                noted.failed.insert(site.call);
                noted.mark(&format!("fails: {}", fault.status));
                Action::Fail(fault.status)
            }
            _ => Action::Proceed,
        }
    }

    fn preempts(&mut self) -> bool {
        lock(&self.noted).next.is_some()
    }

    fn next(&mut self, ready: usize) -> usize {
        let drawn = lock(&self.noted).next.take();
        drawn.map_or(0, |drawn| (drawn % ready as u64) as usize)
    }
}
