// SPDX-License-Identifier: GPL-2.0-or-later
//! What a history does to a running world: at every call, and whenever somebody is to run next.
//!
//! It counts the calls, so that the same history hits the same ones, and notes what it did.

use crate::history::{CHILD, History, Nth, Preemption, Schedule};
use crate::model::Model;
use crate::random::Random;
use core::panic::Location;
use executive::host::interference::{Action, Interference, Site};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More points than any history needs: a thread that comes to more is in an endless loop.
const MOST_POINTS: u64 = 800_000;

/// A place in the sources: file and line.
pub type Place = (&'static str, u32);

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Noted {
    /// Calls of all processes.
    pub calls: u64,
    /// Places where another thread may be let run: calls, and locks that are about to be taken.
    pub points: u64,
    /// Calls by image; a child instance counts under [`CHILD`] as well.
    pub calls_by_image: BTreeMap<String, u64>,
    /// Calls of smss by service.
    pub calls_by_service: BTreeMap<&'static str, u64>,
    /// The first Session Manager of this boot, once it has made a call.
    pub first: Option<u32>,
    /// The services that smss called.
    pub called: BTreeSet<&'static str>,
    /// Those of them that were made to fail.
    pub failed: BTreeSet<&'static str>,
    /// The services that were slow.
    pub slow: BTreeSet<&'static str>,
    /// The services before which a thread of smss was preempted.
    pub preempted: BTreeSet<&'static str>,
    /// The locks before which a thread was preempted, by where they are taken.
    pub preempted_at: BTreeSet<Place>,
    /// The locks that were taken, by where.
    pub locks: BTreeSet<Place>,
    /// Every preemption that took place.
    pub preemptions: Vec<Preemption>,
    /// Processes that died.
    pub deaths: u64,
    /// When each process made its last call, 100 ns.
    pub last_calls: BTreeMap<u32, u64>,
    /// Nothing is disturbed any more.
    pub calm: bool,
    /// The last calls.
    pub trace: Vec<String>,
    /// The model, held against the records of every Session Manager that runs.
    pub model: Model,
    next: Option<u64>,
}

impl Noted {
    /// Holds the model against the records, as they are after the last step.
    fn watch(&mut self) {
        if let Err(seen) = self.model.step() {
            panic!("{seen}");
        }
    }

    /// Counts a call of an image: which one it is, from 0.
    fn count_image(&mut self, image: &str) -> u64 {
        let calls = match self.calls_by_image.get_mut(image) {
            Some(calls) => calls,
            None => self.calls_by_image.entry(image.to_owned()).or_default(),
        };
        *calls += 1;
        *calls - 1
    }

    /// Counts a call of smss by its service: which one it is, from 0.
    fn count_service(&mut self, call: &'static str) -> u64 {
        let calls = self.calls_by_service.entry(call).or_default();
        *calls += 1;
        *calls - 1
    }

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
        let point = noted.points;
        noted.points += 1;
        noted.calls += 1;
        assert!(point < MOST_POINTS, "the system runs in a circle");
        let line = format!(
            "{point} {} {}.{} {}",
            site.time, site.image, site.thread, site.call
        );
        noted.trace.push(line);
        noted.last_calls.insert(site.process, site.time);
        let image = site.image.to_ascii_lowercase();
        let own = image == "smss.exe";
        let mut of_service = 0;
        let mut of_child = None;
        if own {
            noted.watch();
            noted.called.insert(site.call);
            of_service = noted.count_service(site.call);
            if *noted.first.get_or_insert(site.process) != site.process {
                of_child = Some(noted.count_image(CHILD));
            }
        }
        let nth = noted.count_image(&image);
        if noted.calm {
            return Action::Proceed;
        }
        if let Some(next) = self.preemption(point) {
            if own {
                noted.preempted.insert(site.call);
            }
            noted.preemptions.push(Preemption { point, next });
            noted.mark("others first");
            noted.next = Some(next);
        }
        let dies = self.history.deaths.iter().any(|death| match death.image {
            CHILD => of_child == Some(death.call),
            mortal => mortal == image && death.call == nth,
        });
        if dies {
            noted.deaths += 1;
            noted.mark("dies here");
            return Action::Die;
        }
        if let Some(slow) = self
            .history
            .slow
            .iter()
            .find(|slow| slow.image == image && slow.call == nth)
        {
            noted.slow.insert(site.call);
            noted.mark(&format!("takes {} s", slow.seconds));
            return Action::Delay(slow.seconds * 10_000_000);
        }
        let fault = self.history.faults.iter().find(|fault| match fault.call {
            Nth::Call(call) => call == nth,
            Nth::Of(service, call) => service == site.call && call == of_service,
        });
        match fault {
            Some(fault) if own => {
                noted.failed.insert(site.call);
                let status = fault.status(site.call);
                noted.mark(&format!("fails: {status}"));
                Action::Fail(status)
            }
            _ => Action::Proceed,
        }
    }

    fn at_lock(&mut self, image: &str, thread: u32, place: &'static Location<'static>) {
        let noted = Arc::clone(&self.noted);
        let mut noted = lock(&noted);
        let point = noted.points;
        noted.points += 1;
        assert!(point < MOST_POINTS, "the system runs in a circle");
        if !image.eq_ignore_ascii_case("smss.exe") {
            return;
        }
        noted.watch();
        if noted.calm {
            return;
        }
        let place = (place.file(), place.line());
        if let Some(next) = self.preemption(point) {
            noted.preemptions.push(Preemption { point, next });
            let line = format!(
                "{point} {image}.{thread} lock {}:{}: others first",
                place.0, place.1
            );
            noted.trace.push(line);
            noted.preempted_at.insert(place);
            noted.next = Some(next);
        }
        noted.locks.insert(place);
    }

    fn preempts(&mut self) -> bool {
        lock(&self.noted).next.is_some()
    }

    fn next(&mut self, ready: usize) -> usize {
        let drawn = lock(&self.noted).next.take();
        drawn.map_or(0, |drawn| (drawn % ready as u64) as usize)
    }
}
