// SPDX-License-Identifier: GPL-2.0-or-later
//! The end of a history: nothing is disturbed any more, and what has been must have left nothing
//! behind. A session comes, is listed and goes, twice, and the second leaves the machine as the
//! first did.

use crate::history::{Operation, SESSIONS};
use crate::invariants::Violation;
use crate::settings::Setting;
use crate::stage::{Client, Stage, exit_of, keep};
use executive::ob::prelude::*;
use nt::Status;
use std::collections::{BTreeMap, BTreeSet};

/// Ways in which a server ends of itself after smss has seen it register.
const ENDS_REGISTERED: &[&str] = &["leaves", "twice"];

/// The promise that is held here.
pub(crate) const RECOVERS: &str =
    "once nothing is disturbed, a session can be started, listed and ended";

/// What is counted before and after a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    /// A handle of the first Session Manager, to an object of this type.
    Handle(&'static str),
    /// Its threads.
    Threads,
    /// Frames of memory of the whole system.
    Frames,
    /// Objects of this type of the whole system.
    Object(&'static str),
}

impl Stage<'_> {
    /// Runs one client, undisturbed: what it was answered.
    fn ask(&mut self, operation: &Operation) -> Result<Status, Violation> {
        let sessions: Vec<u32> = self.sessions().into_keys().collect();
        let line = operation.command_line(&sessions);
        let image = line.split(' ').next().unwrap_or_default();
        let process = self.world().spawn(image, &line).map_err(|status| {
            Violation::new(RECOVERS, format!("{line} cannot be started: {status}"))
        })?;
        let object = self.world().look(|executive| keep(executive, process));
        let alive = self.settle()?;
        let client = Client {
            operation: operation.clone(),
            line: line.clone(),
            process,
            object,
        };
        match self.world().look(|executive| exit_of(executive, &client)) {
            Some(status) if alive => Ok(status),
            _ => Err(Violation::new(RECOVERS, format!("{line} is not answered"))),
        }
    }

    /// Once nothing is disturbed any more: a session comes, is listed, goes, and leaves nothing.
    pub(crate) fn recovers(&mut self) -> Result<(), Violation> {
        self.make_room()?;
        // The first one makes what stays: threads of the pool.
        self.session_comes_and_goes()?;
        let before = self.held();
        self.session_comes_and_goes()?;
        let after = self.held();
        if before == after {
            Ok(())
        } else {
            let kinds: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let count = |of: &BTreeMap<_, usize>, kind| of.get(kind).copied().unwrap_or_default();
            let differences: Vec<String> = kinds
                .into_iter()
                .map(|kind| (kind, count(&before, kind), count(&after, kind)))
                .filter(|(_, before, after)| before != after)
                .map(|(kind, before, after)| format!("{kind:?} {before}, then {after}"))
                .collect();
            Err(Violation::new(
                "a session that was started and ended leaves nothing",
                differences.join("; "),
            ))
        }
    }

    /// A kernel that is full of sessions has no room for the one that is to come.
    fn make_room(&mut self) -> Result<(), Violation> {
        while self.sessions().len() + 1 >= SESSIONS as usize {
            let ended = self.ask(&Operation::Stop(1))?;
            if ended.is_error() {
                let seen = format!("one of too many sessions cannot be ended: {ended}");
                return Err(Violation::new(RECOVERS, seen));
            }
        }
        Ok(())
    }

    fn session_comes_and_goes(&mut self) -> Result<(), Violation> {
        let before = self.sessions();
        // Servers that misbehave are still to come: each takes its turn.
        let mut status = Status::UNSUCCESSFUL;
        for _ in 0..=self.history.servers.len() {
            let turn = self.turns();
            status = self.ask(&Operation::Start(Some("sleep.exe")))?;
            let servers = &self.history.servers;
            let took_turns = servers.get(turn..self.turns()).unwrap_or_default();
            let stands = self.sessions().keys().any(|id| !before.contains_key(id));
            // A server that ends once it has registered takes its session with it, and it is a race
            // whether smss is told of that before or after the session stands: both are right, since
            // the client could not tell it from a server that ends after the answer. Nothing else
            // excuses a session that is not there.
            let left = took_turns.iter().any(|way| ENDS_REGISTERED.contains(way));
            if !status.is_error() && (stands || !left) {
                break;
            }
        }
        let failed = |what: String| Err(Violation::new(RECOVERS, what));
        // A registry that says that a session cannot be: it is refused, and leaves nothing.
        if status.is_error()
            && self
                .history
                .settings
                .iter()
                .any(Setting::may_refuse_sessions)
        {
            return if self.sessions() == before {
                Ok(())
            } else {
                failed(format!("a session that was refused with {status} is there"))
            };
        }
        if status.is_error() {
            return failed(format!("a new session is refused: {status}"));
        }
        let new: Vec<u32> = self
            .sessions()
            .into_keys()
            .filter(|session| !before.contains_key(session))
            .collect();
        let &[session] = new.as_slice() else {
            return failed(format!(
                "StartCsr says SUCCESS, and new sessions are {new:?}"
            ));
        };
        let listed = self.ask(&Operation::List)?;
        if listed.is_error() {
            return failed(format!("the list is refused: {listed}"));
        }
        // The first session has a server for it, unless the registry asks for none.
        let later = self.ask(&Operation::ExecLater(0, "logoff.exe"))?;
        if later == Status::INVALID_CID {
            return failed("a client is not known without the thread that connected".to_owned());
        }
        let place = self.sessions().into_keys().position(|id| id == session);
        let place = place.map_or(session, |place| place as u32 + 1);
        let ended = self.ask(&Operation::Stop(place))?;
        if ended.is_error() {
            return failed(format!("the end of session {session} is refused: {ended}"));
        }
        let after = self.sessions();
        if after == before {
            Ok(())
        } else {
            failed(format!("sessions before {before:?}, after {after:?}"))
        }
    }

    /// How many processes are in each session but the first.
    pub(crate) fn sessions(&mut self) -> BTreeMap<u32, usize> {
        let mut sessions = BTreeMap::new();
        for process in self.world().processes() {
            if process.running && process.session != 0 {
                *sessions.entry(process.session).or_default() += 1;
            }
        }
        sessions
    }

    /// What the first Session Manager holds, and what there is in the whole system.
    fn held(&mut self) -> BTreeMap<Held, usize> {
        let Some(smss) = self.world().process("smss.exe") else {
            return BTreeMap::new();
        };
        let handles = self.world().handles_of(smss.id);
        let mut held: BTreeMap<_, _> = handles
            .into_iter()
            .map(|(kind, count)| (Held::Handle(kind), count))
            .collect();
        held.insert(Held::Threads, smss.threads);
        held.insert(Held::Frames, self.world().frames());
        let objects = self.world().look(|executive| {
            let mut objects = BTreeMap::<_, usize>::new();
            for (id, object) in executive.ob().iter() {
                if object.permanent && is_of_a_stand_in(&executive.name_of(id)) {
                    continue;
                }
                let kind = executive.type_of(object.kind).name;
                *objects.entry(kind).or_default() += 1;
            }
            objects
        });
        for (kind, count) in objects {
            held.insert(Held::Object(kind), count);
        }
        held
    }

    /// How many servers have taken their turn to misbehave.
    fn turns(&mut self) -> usize {
        self.world().look(|executive| {
            let names = executive.ob().iter().map(|(id, _)| executive.name_of(id));
            names.filter(|name| begins(name, TURN)).count()
        })
    }
}

/// What a server has there that keeps count of those that misbehave.
const TURN: &str = "\\FaultyTurn";

/// Whether an object with this name is one of those that a csrss makes permanent: the names of its
/// session stay for the next session of that number (spec 9.5), so the first server of a number that
/// keeps the contract adds them, and so does each server that counts its turn.
fn is_of_a_stand_in(name: &[u16]) -> bool {
    begins(name, "\\Sessions\\") || begins(name, TURN)
}

fn begins(name: &[u16], start: &str) -> bool {
    name.iter()
        .copied()
        .zip(start.encode_utf16())
        .filter(|(one, other)| one == other)
        .count()
        == start.len()
}
