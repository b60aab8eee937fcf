// SPDX-License-Identifier: GPL-2.0-or-later
//! The course of a history: boots in which the power goes, a boot that stands, rounds of clients, and
//! the end, when nothing is disturbed any more.

use crate::disturbance::{Disturbance, lock};
use crate::invariants::Violation;
use crate::machine::{PowerCut, Rename};
use crate::recovery::RECOVERS;
use crate::report::Section;
use crate::stage::Stage;
use std::cell::RefCell;
use std::collections::BTreeSet;

impl Stage<'_> {
    /// Plays the history. The first broken promise ends it.
    pub fn play(&mut self) -> Result<(), Violation> {
        let history = self.history;
        for (number, cut) in history.power_cuts.iter().enumerate() {
            self.world().record_disk();
            self.boot(number == 0)?;
            self.reached.count(Section::Total, "power cuts", 1);
            self.power_goes(cut)?;
        }
        let cut = !history.power_cuts.is_empty();
        if cut {
            lock(&self.noted).calm = true;
        }
        let alive = self.boot(!cut)?;
        self.renames(alive && self.is_undisturbed())?;
        if cut {
            if !alive && history.settings.is_empty() {
                return Err(Violation::new(
                    RECOVERS,
                    "the boot after the power cut stopped",
                ));
            }
            self.end("the power went, and the next boot was good");
            return Ok(());
        }
        if !alive {
            self.end("the boot was stopped");
            return Ok(());
        }
        for round in &history.rounds {
            if !self.round(round)? {
                self.end("stopped by the loss of a critical process");
                return Ok(());
            }
        }
        lock(&self.noted).calm = true;
        self.world().refuse_frames(&BTreeSet::new());
        self.recovers()?;
        self.end("at rest");
        Ok(())
    }

    /// The power goes in the boot that has just been, and the next one is about to be: nothing is
    /// lost.
    fn power_goes(&mut self, cut: &PowerCut) -> Result<(), Violation> {
        let world = self
            .world
            .take()
            .expect("a world stands until it is finished");
        let medium = {
            let (start, journal) = world.disk_history();
            cut.medium(start, &journal)
        };
        let mut next = world.boot_from(medium);
        next.no_trace();
        next.interfere(Box::new(Disturbance::noting(self.history, &self.noted)));
        self.world = Some(next);
        let files = self.world().files();
        let find = |path: &str| {
            files
                .iter()
                .find(|(there, _)| there.eq_ignore_ascii_case(path))
                .map(|(_, bytes)| bytes.clone())
        };
        self.judge_renames(&find, false)
    }

    /// Whether nothing in the history keeps a rename from being done.
    const fn is_undisturbed(&self) -> bool {
        let history = self.history;
        history.faults.is_empty()
            && history.frames.is_empty()
            && history.settings.is_empty()
            && history.machine.full == 0
    }

    /// Every pending rename has been done, once, or not at all, and no content is gone. `done`: it
    /// must have been.
    fn renames(&mut self, done: bool) -> Result<(), Violation> {
        if self.history.renames.is_empty() {
            return Ok(());
        }
        let volume = RefCell::new(self.world().volume_now());
        self.judge_renames(&|path| volume.borrow_mut().read(path).ok(), done)
    }

    fn judge_renames(
        &self,
        find: &dyn Fn(&str) -> Option<Vec<u8>>,
        done: bool,
    ) -> Result<(), Violation> {
        for (number, rename) in self.history.renames.iter().enumerate() {
            let (from, to) = Rename::paths(number);
            if let Some(seen) = rename.fault(number, find(&from), find(&to), done) {
                return Err(Violation::new(
                    "each rename is done once or not at all, and no content is gone",
                    seen,
                ));
            }
        }
        Ok(())
    }
}
