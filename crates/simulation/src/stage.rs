// SPDX-License-Identifier: GPL-2.0-or-later
//! The stage that a history is played on: a world with its disk, registry and programs.

use crate::disturbance::{Disturbance, Noted, lock};
use crate::history::{HONEST, History, Operation, SESSIONS, Schedule};
use crate::invariants::{self, Violation};
use crate::machine::multi;
use crate::report::{Reached, Section};
use executive::host::{RunEnd, World};
use executive::ids::ProcessId;
use executive::ob::prelude::*;
use executive::{Executive, Version};
use formats::hive::reg_text::string_data;
use nt::Status;
use nt::system::{Processes as _, ValueType};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

thread_local! {
    /// A machine with every program on its volume, by the MiB of that: most of what it costs to make
    /// one is the same for all.
    static FURNISHED: RefCell<BTreeMap<usize, World>> = const { RefCell::new(BTreeMap::new()) };
}

/// A machine of such a volume with every program.
fn furnished(mebibytes: usize, version: Version) -> World {
    FURNISHED.with_borrow_mut(|worlds| {
        worlds
            .entry(mebibytes)
            .or_insert_with(|| {
                let mut world = World::with_volume(version, mebibytes);
                world.no_trace();
                programs::host::install(&mut world);
                world
            })
            .copy(version)
    })
}

/// A world and what happens to it.
pub struct Stage<'h> {
    pub(crate) history: &'h History,
    pub(crate) world: Option<World>,
    pub(crate) noted: Arc<Mutex<Noted>>,
    pub(crate) reached: Reached,
}

/// A client's program that runs or has run.
pub(crate) struct Client {
    pub(crate) operation: Operation,
    pub(crate) line: String,
    pub(crate) process: u32,
    pub(crate) object: executive::ids::ObjectId,
}

impl<'h> Stage<'h> {
    /// A machine as the history has it before its first boot.
    pub fn new(history: &'h History) -> Self {
        let mut world = furnished(history.machine.mebibytes(), history.version);
        history.machine.furnish(&mut world);
        settings(&mut world, history);
        let (disturbance, noted) = Disturbance::new(history);
        world.interfere(Box::new(disturbance));
        let mut reached = Reached::default();
        reached.count(Section::Total, "histories", 1);
        Self {
            history,
            world: Some(world),
            noted,
            reached,
        }
    }

    /// What was reached, every call, and the history with its schedule as it went.
    pub fn finish(mut self) -> (Reached, Vec<String>, History) {
        // Its threads unwind before what they noted is taken.
        drop(self.world.take());
        let noted = core::mem::take(&mut *lock(&self.noted));
        let mut recorded = self.history.clone();
        recorded.schedule = Schedule::Listed(noted.preemptions.clone());
        let reached = &mut self.reached;
        let preemptions = noted.preemptions.len() as u64;
        for (name, count) in [
            ("calls", noted.calls),
            ("deaths", noted.deaths),
            ("preemptions", preemptions),
        ] {
            reached.count(Section::Total, name, count);
        }
        for (section, calls) in [
            (Section::Called, &noted.called),
            (Section::Failed, &noted.failed),
            (Section::Preempted, &noted.preempted),
            (Section::Slow, &noted.slow),
        ] {
            calls
                .iter()
                .for_each(|call| reached.count(section, *call, 1));
        }
        for (section, places) in [
            (Section::Lock, &noted.locks),
            (Section::PreemptedAt, &noted.preempted_at),
        ] {
            places
                .iter()
                .for_each(|place| reached.count_place(section, *place));
        }
        noted
            .model
            .reached
            .iter()
            .for_each(|row| reached.count_row(row));
        (self.reached, noted.trace, recorded)
    }

    pub(crate) fn end(&mut self, how: &str) {
        let version = match self.history.version {
            Version::V5_2 => "5.2",
            Version::V6_1 => "6.1",
        };
        self.reached
            .count(Section::End, format!("{version}: {how}"), 1);
    }

    pub(crate) fn world(&mut self) -> &mut World {
        self.world
            .as_mut()
            .expect("a world stands until it is finished")
    }

    /// Boots: whether the system still runs. `first`: what is refused is refused in this boot.
    pub(crate) fn boot(&mut self, first: bool) -> Result<bool, Violation> {
        let noted = Arc::clone(&self.noted);
        {
            let mut noted = lock(&noted);
            noted.model.forget();
            noted.first = None;
        }
        self.world().start(move |seam| {
            let state: &'static smss::State<_> = Box::leak(Box::new(smss::State::new(seam)));
            // A process id is a small number.
            let process = ProcessId(seam.client_id().process as u32);
            lock(&noted).model.watch(process, state.tables());
            smss::run(seam, state)
        });
        if first {
            let frames = self.history.frames.iter().copied().collect();
            self.world().refuse_frames(&frames);
        }
        self.settle()
    }

    pub(crate) fn settle(&mut self) -> Result<bool, Violation> {
        let before = self.world().uptime();
        let outcome: RunEnd = self.world().run();
        let spent = self.world().uptime() - before;
        let alive = invariants::rest(&outcome, spent)?;
        if alive && self.history.posix == HONEST && self.history.only_signals_fail() {
            invariants::rest_soon(spent)?;
        }
        if alive {
            let processes = self.world().processes();
            invariants::processes(&processes)?;
            let smss = self.world().process("smss.exe").map(|smss| smss.id);
            let ports = smss.map_or(0, |smss| {
                let handles = self.world().handles_of(smss);
                handles.get("Port").copied().unwrap_or_default()
            });
            let known = lock(&self.noted).model.at_rest(|process| {
                processes
                    .iter()
                    .any(|report| report.running && report.id == process.0)
            });
            invariants::records(&known, &processes)?;
            // A handle that the kernel would not close stays.
            if !lock(&self.noted).failed.contains("NtClose") {
                invariants::ports(&known, smss, ports)?;
            }
            if self.history.version == Version::V6_1 && self.every_server_tells() {
                invariants::initial_commands(&known, &processes)?;
            }
        }
        Ok(alive)
    }

    /// Lets clients do something at the same time: whether the system still runs.
    pub(crate) fn round(&mut self, operations: &[Operation]) -> Result<bool, Violation> {
        let begun = self.world().uptime();
        let mut clients = Vec::new();
        let sessions: Vec<u32> = self.sessions().into_keys().collect();
        for operation in operations {
            let line = operation.command_line(&sessions);
            let image = line.split(' ').next().unwrap_or_default();
            if let Ok(process) = self.world().spawn(image, &line) {
                let object = self.world().look(|executive| keep(executive, process));
                clients.push(Client {
                    operation: operation.clone(),
                    line,
                    process,
                    object,
                });
            }
        }
        let alive = self.settle()?;
        let new = operations.iter().filter(|operation| operation.may_start());
        let room = sessions.len() + new.count() < SESSIONS as usize;
        for client in clients {
            let status = self.world().look(|executive| exit_of(executive, &client));
            match status {
                Some(status) => {
                    let verb: Vec<&str> = client.line.split(' ').take(2).collect();
                    let answer = format!("{}: {status}", verb.join(" "));
                    self.reached.count(Section::Answer, answer, 1);
                    if room && alive && self.history.is_quiet() {
                        let ended = lock(&self.noted).last_calls.get(&client.process).copied();
                        let took = ended.map_or(0, |ended| ended - begun);
                        invariants::answer(&client.operation, &client.line, status, took)?;
                    }
                }
                None if alive => {
                    return Err(Violation::new(
                        "every request is answered",
                        format!(
                            "{} (process {}) waits, and nobody will wake it",
                            client.line, client.process
                        ),
                    ));
                }
                None => {}
            }
        }
        Ok(alive)
    }
}

impl Stage<'_> {
    /// Whether every server of a session tells the Session Manager of the end of what it was given.
    fn every_server_tells(&self) -> bool {
        self.history.servers.iter().all(|way| *way == HONEST)
    }
}

/// The registry and the files that a history begins with.
fn settings(world: &mut World, history: &History) {
    let ways = history.servers.join(",");
    let mut windows = "%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows Windows=On SubSystemType=Windows".to_owned();
    if !ways.is_empty() {
        windows.push_str(" Elsewhere=");
        windows.push_str(&ways);
    }
    let picks = history.picks.iter().map(|handle| format!("{handle:x}"));
    let picks: Vec<String> = picks.collect();
    if !picks.is_empty() {
        windows.push_str(" Picks=");
        windows.push_str(&picks.join(","));
    }
    let text = string_data(&windows);
    world.set_value("SubSystems", "Windows", ValueType::EXPAND_SZ.0, &text);
    if history.posix != HONEST {
        let posix = format!(
            "%SystemRoot%\\system32\\faulty.exe {} SubSystemType=posix",
            history.posix
        );
        let text = string_data(&posix);
        world.set_value("SubSystems", "Posix", ValueType::EXPAND_SZ.0, &text);
    }
    let optional = multi(&["Posix".to_owned()]);
    world.set_value("SubSystems", "Optional", ValueType::MULTI_SZ.0, &optional);
    let commands: Vec<String> = history
        .boot_commands
        .iter()
        .map(|command| (*command).to_owned())
        .collect();
    world.set_value("", "BootExecute", ValueType::MULTI_SZ.0, &multi(&commands));
    let mut pairs = Vec::new();
    for (number, rename) in history.renames.iter().enumerate() {
        rename.furnish(number, world);
        pairs.extend(rename.strings(number));
    }
    for setting in &history.settings {
        setting.furnish(world);
    }
    if !pairs.is_empty() {
        world.set_value(
            "",
            "PendingFileRenameOperations",
            ValueType::MULTI_SZ.0,
            &multi(&pairs),
        );
    }
}

/// Keeps a process's object, so that its exit status is known after its end.
pub(crate) fn keep(executive: &mut Executive, process: u32) -> executive::ids::ObjectId {
    let object = executive.process(ProcessId(process)).unwrap().object;
    executive.reference(object);
    object
}

/// What a client ended with, if it has ended; its object is given back.
pub(crate) fn exit_of(executive: &mut Executive, client: &Client) -> Option<Status> {
    let status = executive
        .process(ProcessId(client.process))
        .ok()
        .filter(|process| process.ended)
        .map(|process| process.exit_status);
    executive.dereference(client.object);
    status
}
