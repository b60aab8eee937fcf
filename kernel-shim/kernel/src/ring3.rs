// SPDX-License-Identifier: GPL-2.0-or-later
//! How much each process has run in ring 3, by the time stamp counter, for the host to print.
//!
//! Under `-icount` the counter counts instructions, so this is exact and the same at every run. It is
//! read at the last moment before ring 3 and at the first one after it (`trap.s`); what lies between
//! the two is `WAY` instructions of the kernel each time.

use crate::cpu::user;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use executive::ids::ProcessId;

/// Ring 3, of every process that has run.
#[derive(Default)]
pub struct Ring3(BTreeMap<ProcessId, Parts>);

/// What a process did before its image had the word, and after that.
#[derive(Default)]
struct Parts {
    entered: bool,
    loader: Spent,
    image: Spent,
}

#[derive(Default)]
struct Spent {
    /// How often ring 3 was entered.
    turns: u64,
    /// Ticks of the counter.
    ticks: u64,
}

impl Ring3 {
    /// `process` was in ring 3 just now.
    pub fn was_in(&mut self, process: ProcessId) {
        let parts = self.0.entry(process).or_default();
        let spent = if parts.entered {
            &mut parts.image
        } else {
            &mut parts.loader
        };
        spent.turns += 1;
        spent.ticks += user::last_ticks();
    }

    /// A thread of `process` goes on where it is told to: the first time that is the loader, which
    /// hands over to the image.
    pub fn continues(&mut self, process: ProcessId) {
        self.0.entry(process).or_default().entered = true;
    }

    /// A line a process: name, id; turns and ticks before its image began; the same afterwards; how
    /// many instructions of a turn are the kernel's.
    pub fn lines(&self, images: &BTreeMap<ProcessId, String>) -> Vec<String> {
        let line = |(id, parts): (&ProcessId, &Parts)| {
            let name = images.get(id).map_or("?", String::as_str);
            let Parts { loader, image, .. } = parts;
            format!(
                "{name} {} {} {} {} {} {}",
                id.0,
                loader.turns,
                loader.ticks,
                image.turns,
                image.ticks,
                user::WAY
            )
        };
        self.0.iter().map(line).collect()
    }
}
