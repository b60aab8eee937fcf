// SPDX-License-Identifier: GPL-2.0-or-later
//! How much each process has run in ring 3, by the time stamp counter, for the host to print; and of
//! one of them, if the command line asks for it (`steps=`), every instruction by its address.
//!
//! Under `-icount` the counter counts instructions, so this is exact and the same at every run. It is
//! read at the last moment before ring 3 and at the first one after it (`trap.s`); what lies between
//! the two is `WAY` instructions of the kernel each time.
//!
//! Instructions are told apart by single steps: ring 3 runs one, and the kernel notes where that was.
//! A boot with steps takes longer in virtual time than one without, so its threads may take turns
//! differently; the counter is for figures, steps are for finding out what they consist of.

use crate::cpu::user::{self, Registers, Trap, Vectors};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use executive::ids::ProcessId;
use executive::machine::Architecture;

/// Vector of the exception after a single step.
const STEPPED: u8 = 1;

/// Ring 3, of every process that has run.
#[derive(Default)]
pub struct Ring3 {
    processes: BTreeMap<ProcessId, Parts>,
    /// Whose instructions are told apart.
    stepping: Option<ProcessId>,
    /// How often the instruction at an address has run.
    steps: BTreeMap<u64, u64>,
}

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
    /// Runs a thread of `process` until its next trap.
    pub fn run(
        &mut self,
        architecture: Architecture,
        process: ProcessId,
        registers: &mut Registers,
        vectors: &mut Vectors,
        teb: u64,
    ) -> Trap {
        let parts = self.processes.entry(process).or_default();
        let steps = parts.entered && self.stepping == Some(process);
        let spent = if parts.entered {
            &mut parts.image
        } else {
            &mut parts.loader
        };
        loop {
            let at = registers.rip;
            if steps {
                registers.set_stepping(true);
            }
            let trap = user::run(architecture, registers, vectors, teb);
            spent.turns += 1;
            spent.ticks += user::last_ticks();
            if steps {
                registers.set_stepping(false);
                // Neither a fault nor an interrupt lets the instruction happen that it stands before.
                if !matches!(trap, Trap::PageFault { .. } | Trap::Interrupt(_)) {
                    *self.steps.entry(at).or_default() += 1;
                }
                if matches!(trap, Trap::Exception { vector, .. } if vector == STEPPED) {
                    continue;
                }
            }
            return trap;
        }
    }

    /// A thread of `process` goes on where it is told to: the first time that is the loader, which
    /// hands over to the image.
    pub fn continues(&mut self, process: ProcessId) {
        self.processes.entry(process).or_default().entered = true;
    }

    /// Tells the instructions of `process` apart from now on, unless another's are.
    pub fn step(&mut self, process: ProcessId) {
        self.stepping.get_or_insert(process);
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
        self.processes.iter().map(line).collect()
    }

    /// A line an instruction that was told apart: its address, in hexadecimal, and how often it ran.
    pub fn steps(&self) -> Vec<String> {
        let line = |(at, count): (&u64, &u64)| format!("{at:x} {count}");
        self.steps.iter().map(line).collect()
    }
}
