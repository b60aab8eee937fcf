// SPDX-License-Identifier: GPL-2.0-or-later
//! The state behind `\SmApiPort`: up to three clients at once, each with several threads and
//! connections, do what arbitrary bytes say, and the whole Session Manager serves them on the
//! executive's host, with its own threads, servers and sessions.
//!
//! The bytes also say when a thread gives way, before a call or a lock, and which program ends at
//! which of its calls. Whatever happens: no panic; every record changes as the table of states says;
//! every client comes to its end, so each request is answered; each answer is the one to its
//! request, and no request gets two. When what the input has started is gone, records, handles,
//! processes and ports are as they were before it.
#![no_main]

#[path = "../sm_port/script.rs"]
mod script;

use executive::host::interference::{Action, Interference, Site};
use executive::host::{ProcessReport, World};
use executive::ids::ProcessId;
use executive::ob::prelude::*;
use executive::trace::CallEnd;
use executive::{Executive, Version};
use libfuzzer_sys::fuzz_target;
use nt::Status;
use script::{CLIENTS, Script, Step};
use simulation::{invariants, model::Model};
use smss::Counts;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

/// Inputs before the machine is booted anew: ids, threads of the pool and the trace only grow.
const INPUTS: u32 = 100;

/// What the programs and the scheduler know of the input.
#[derive(Default)]
struct Stage {
    clients: [Vec<Step>; CLIENTS],
    preemption: u64,
    random: u64,
    gives_way: bool,
    death: Option<(&'static str, u64)>,
    /// The greatest id of a thread that has made a call, and that when the machine had booted.
    newest: u32,
    booted: u32,
    model: Model,
}

impl Stage {
    fn draw(&mut self) -> u64 {
        // Numerical Recipes' constants.
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.random >> 16
    }

    fn point(&mut self) {
        if let Err(seen) = self.model.step() {
            panic!("{seen}");
        }
        self.gives_way = self.preemption != 0 && self.draw().is_multiple_of(self.preemption);
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Stage>>);

impl Shared {
    fn with<R>(&self, act: impl FnOnce(&mut Stage) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Interference for Shared {
    fn at_call(&mut self, site: &Site<'_>) -> Action {
        self.with(|stage| {
            stage.newest = stage.newest.max(site.thread);
            stage.point();
            let mortal = stage.death.as_mut().filter(|(image, _)| {
                site.thread > stage.booted && site.image.eq_ignore_ascii_case(image)
            });
            match mortal {
                Some((_, 0)) => {
                    stage.death = None;
                    Action::Die
                }
                Some((_, calls)) => {
                    *calls -= 1;
                    Action::Proceed
                }
                None => Action::Proceed,
            }
        })
    }

    fn at_lock(&mut self, _: &str, _: u32, _: &'static Location<'static>) {
        self.with(Stage::point);
    }

    fn preempts(&mut self) -> bool {
        self.with(|stage| std::mem::take(&mut stage.gives_way))
    }

    fn next(&mut self, ready: usize) -> usize {
        self.with(|stage| match stage.preemption {
            0 => 0,
            _ => (stage.draw() % ready as u64) as usize,
        })
    }
}

/// What must be as before when an input is done.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    running: Vec<(u32, String)>,
    handles: BTreeMap<&'static str, usize>,
    ports: usize,
    counts: Option<Counts>,
}

/// A machine that has booted.
struct Machine {
    world: World,
    shared: Shared,
    resident: u32,
    inputs: u32,
    traced: usize,
}

impl Machine {
    fn boot(version: Version) -> Self {
        let shared = Shared(Arc::default());
        let mut world = World::with_volume(version, 10);
        programs::host::install(&mut world);
        let stage = shared.clone();
        let native = nt::system::ImageSubsystem::NATIVE;
        world.program("fuzzer.exe", native, move |seam| {
            let line = nt::system::Processes::own_command_line(seam).to_string();
            let number: usize = line[line.len() - 1..].parse().expect("a client's number");
            let steps = stage.with(|stage| stage.clients[number].clone());
            script::main(seam, &steps)
        });
        world.interfere(Box::new(shared.clone()));
        let stage = shared.clone();
        world.start(move |seam| {
            let state: &'static smss::State<_> = Box::leak(Box::new(smss::State::new(seam)));
            let process = nt::system::Processes::client_id(seam).process;
            stage.with(|stage| stage.model.watch(ProcessId(process as u32), state.tables()));
            smss::run(seam, state)
        });
        let mut machine = Self {
            world,
            shared,
            resident: 0,
            inputs: 0,
            traced: 0,
        };
        assert!(machine.settle(), "the boot succeeds");
        machine.resident = machine.world.process("smss.exe").expect("smss runs").id;
        machine.shared.with(|stage| stage.booted = stage.newest);
        // What the first session makes and what stays: threads of the pool, names of sessions.
        machine.ask("smctl.exe start sleep.exe");
        machine.tidy(&[]);
        machine
    }

    /// Lets everybody run until nobody can: whether the system still stands.
    fn settle(&mut self) -> bool {
        let before = self.world.uptime();
        let end = self.world.run();
        let spent = self.world.uptime() - before;
        invariants::rest(&end, spent).unwrap_or_else(|broken| panic!("{broken:?}"))
    }

    fn ask(&mut self, line: &str) {
        let image = line.split(' ').next().unwrap_or_default();
        if self.world.spawn(image, line).is_ok() {
            assert!(self.settle(), "{line}");
        }
    }

    fn running(&self) -> Vec<ProcessReport> {
        let processes = self.world.processes().into_iter();
        processes.filter(|process| process.running).collect()
    }

    fn held(&mut self) -> Held {
        let resident = ProcessId(self.resident);
        let known = self
            .shared
            .with(|stage| stage.model.at_rest(|process| process == resident));
        Held {
            running: self
                .running()
                .into_iter()
                .map(|process| (process.id, process.image))
                .collect(),
            handles: self.world.handles_of(self.resident),
            ports: self.world.look(|executive| ports(executive)),
            counts: known.first().and_then(|(_, _, counts)| *counts),
        }
    }

    /// Ends every session, and every process that was not there before.
    fn tidy(&mut self, before: &[(u32, String)]) {
        for process in self.running() {
            if process.session != 0 && self.is_new(process.id, before) {
                self.ask(&format!("smctl.exe stop {}", process.session));
            }
        }
        if before.is_empty() {
            return;
        }
        for process in self.running() {
            if self.is_new(process.id, before) {
                // It may have ended with another one.
                let _ = self.world.kill(process.id, Status::UNSUCCESSFUL);
                assert!(self.settle(), "the end of {process:?}");
            }
        }
    }

    fn is_new(&self, id: u32, before: &[(u32, String)]) -> bool {
        before.iter().all(|(there, _)| *there != id)
    }

    /// Replies of the Session Manager to a thread that did not wait for them, since this was last
    /// asked. One to a thread that has ended in the meantime is none of them: its status is another.
    fn second_replies(&mut self) -> usize {
        let resident = u64::from(self.resident);
        let mismatch = CallEnd::Returned(Status::REPLY_MESSAGE_MISMATCH);
        let traced = self.traced;
        let (count, second) = self.world.look(|executive| {
            let records = executive.trace().records();
            let second = records[traced..].iter().filter(|record| {
                record.call == "NtReplyWaitReceivePort"
                    && { record.client.process } == resident
                    && record.outcome == mismatch
            });
            (records.len(), second.count())
        });
        self.traced = count;
        second
    }

    /// Plays an input: whether the system still stands.
    fn play(&mut self, script: &Script) -> bool {
        self.inputs += 1;
        let before = self.held();
        self.second_replies();
        self.shared.with(|stage| {
            stage.clients.clone_from(&script.clients);
            stage.preemption = script.preemption;
            stage.random = script.seed;
            stage.death = script.death;
        });
        for (number, steps) in script.clients.iter().enumerate() {
            if !steps.is_empty() {
                let line = format!("fuzzer.exe {number}");
                self.world.spawn("fuzzer.exe", &line).expect("a client");
            }
        }
        let alive = self.settle();
        self.shared.with(|stage| {
            stage.preemption = 0;
            stage.death = None;
        });
        if !alive {
            return false;
        }
        let waits = self
            .running()
            .into_iter()
            .find(|process| process.image.eq_ignore_ascii_case("fuzzer.exe"));
        assert_eq!(waits, None, "a client waits, and nobody will wake it");
        assert_eq!(self.second_replies(), 0, "a request got two replies");
        let known = self.shared.with(|stage| {
            let running = self.world.processes();
            stage.model.at_rest(|process| {
                running
                    .iter()
                    .any(|report| report.running && report.id == process.0)
            })
        });
        let processes = self.world.processes();
        invariants::records(&known, &processes).unwrap_or_else(|broken| panic!("{broken:?}"));
        self.tidy(&before.running);
        let mut after = self.held();
        if let (Some(before), Some(after)) = (&before.counts, &mut after.counts) {
            // The pool keeps the threads that it has made.
            assert!(after.threads >= before.threads);
            after.threads = before.threads;
        }
        assert_eq!(before, after, "what the input has started is gone");
        true
    }
}

/// Ports of the whole system.
fn ports(executive: &Executive) -> usize {
    let objects = executive.ob().iter();
    objects
        .filter(|(_, object)| executive.type_of(object.kind).name == "Port")
        .count()
}

thread_local! {
    static MACHINES: RefCell<[Option<Machine>; 2]> = const { RefCell::new([None, None]) };
}

fuzz_target!(|input: &[u8]| {
    let Some((version, bytes)) = input.split_first() else {
        return;
    };
    let (number, version) = match version % 2 {
        0 => (0, Version::V5_2),
        _ => (1, Version::V6_1),
    };
    let script = Script::of(bytes);
    MACHINES.with_borrow_mut(|machines| {
        let place = &mut machines[number];
        let machine = place.get_or_insert_with(|| Machine::boot(version));
        if !machine.play(&script) || machine.inputs >= INPUTS {
            *place = None;
        }
    });
});
