// SPDX-License-Identifier: GPL-2.0-or-later
//! NT 6, the master's side: a child instance of smss for every session (spec 11.5).
//!
//! The master creates the child with two hexadecimal words as arguments: the session's number (FFFFFFFF for any) and the number of the
//! instance. The child makes the session and reports over `\SmApiPort` what it creates, before it lets it run, so that the master has the
//! records of the servers and can adopt their clients; when the session stands, the child ends with success. A child that ends otherwise,
//! or not in time, takes what it had made with it. Whether a message comes from a child, the kernel says: its process id is that of a
//! process whose handle the master holds.

use crate::boot::stop;
use crate::clients::Client;
use crate::deadline::SERVER_TIMEOUT;
use crate::end::Watched;
use crate::manager::Manager;
use crate::messages::{COMMAND_UNITS, ChildProcess, ChildSession};
use crate::sessions::{Stage, Started};
use crate::slots::{Key, Slots};
use launch::{Image, Start};
use nt::access::Access;
use nt::failure::{Step, Stop};
use nt::system::{ImageSubsystem, System, Timeout, Wait};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeBuf, UnicodeStr, path, wide};
use zerocopy::FromZeros;

/// Child instances at once.
const CHILDREN: usize = 40;
/// Initial sessions at most.
const INITIAL_SESSIONS: u32 = 32;
/// The number that asks for any session.
pub(crate) const ANY_SESSION: u32 = u32::MAX;
/// How long a child may take for a session other than 0, in milliseconds: its servers, then its initial command.
const CHILD_TIMEOUT: u32 = 3 * SERVER_TIMEOUT;

/// One child instance.
pub(crate) struct Instance {
    process: Handle,
    client: u64,
    wanted: u32,
    session: Option<u32>,
    /// Signalled when `session` is known.
    created: Handle,
    /// The initial command it is to start; empty for the default one.
    command: UnicodeBuf<COMMAND_UNITS>,
}

/// All of them.
pub(crate) struct Children(Slots<Instance, CHILDREN>);

impl Children {
    pub(crate) const fn new() -> Self {
        Self(Slots::new())
    }

    fn of(&mut self, client: u64) -> Option<&mut Instance> {
        let key = self.0.iter().find(|(_, instance)| instance.client == client).map(|(key, _)| key)?;
        self.0.get(key)
    }
}

impl<S: System> Manager<S> {
    /// Whether `client` is a child instance.
    pub(crate) fn is_child(&self, client: &Client) -> bool {
        self.tables.lock().children.of(client.client.process).is_some()
    }

    /// Handle of the child instance with this process id.
    pub(crate) fn child_process_of(&self, client: u64) -> Option<Handle> {
        self.tables.lock().children.of(client).map(|instance| instance.process)
    }

    /// NT 6: makes the initial sessions, 0 and at least one for the console (spec 11.5): what to wait for. Blocks.
    ///
    /// # Errors
    /// [`Stop`] if session 0 does not come up.
    pub fn load_initial_sessions(&'static self) -> Result<Watched, Stop> {
        let plan = self.plan().map_err(|status| stop(Step::SessionSpace, "configuration", status))?;
        let count = plan.initial_sessions().unwrap_or(self.policy.initial_sessions);
        if count > INITIAL_SESSIONS {
            nt::warn!("NumberOfInitialSessions: {count}: {INITIAL_SESSIONS} are made");
        }
        let first = self.spawn(0, UnicodeStr::EMPTY).map_err(|status| stop(Step::SessionSpace, "child instance 0", status))?;
        // The kernel numbers sessions in the order they are made. Each child makes its own; from then on they work side by side.
        self.wait_for_session(first);
        let mut others = heapless::Vec::<Key, { INITIAL_SESSIONS as usize }>::new();
        for session in 1..count.clamp(1, INITIAL_SESSIONS) {
            match self.spawn(session, UnicodeStr::EMPTY) {
                Ok(child) => {
                    self.wait_for_session(child);
                    // Cannot overflow: there are fewer than its capacity.
                    let _ = others.push(child);
                }
                Err(status) => nt::error!("session {session}: child instance: {status}: skipped"),
            }
        }
        let result = self.finish(first, Timeout::Never);
        for child in others {
            if let Err((status, _)) = self.finish(child, Timeout::Milliseconds(CHILD_TIMEOUT)) {
                nt::error!("initial session: {status}: skipped");
            }
        }
        let started = result.map_err(|(status, step)| stop(step, "session 0", status))?;
        let mut initial = Handle::NULL;
        self.with_session(started.session, |terminal| initial = core::mem::replace(&mut terminal.initial, Handle::NULL));
        Ok(Watched { server: self.lend_server(started.session), initial, initial_name: self.policy.initial_process_name })
    }

    /// StartCsr by a child instance.
    pub(crate) fn start_by_child(&'static self, command: UnicodeStr<'_>) -> Result<Started> {
        let child = self.spawn(ANY_SESSION, command)?;
        self.finish(child, Timeout::Milliseconds(CHILD_TIMEOUT)).map_err(|(status, _)| status)
    }

    /// Creates a child instance and lets it run.
    fn spawn(&'static self, wanted: u32, command: UnicodeStr<'_>) -> Result<Key> {
        let system = self.system;
        let own = launch::grammar::token(system.own_command_line()).map_or(wide!("\\SystemRoot\\System32\\smss.exe"), |(image, _)| image);
        let image = Image { path: UnicodeBuf::copied(own)?, directory: UnicodeBuf::copied(path::directory(own))? };
        let image = Image { directory: if own.first() == Some(u16::from(b'\\')) { UnicodeBuf::new() } else { image.directory }, ..image };
        let created = Owned::new(system, system.create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)?);
        let instance = Instance {
            process: Handle::NULL,
            client: 0,
            wanted,
            session: None,
            created: created.get(),
            command: UnicodeBuf::copied(command)?,
        };
        let key = self.tables.lock().children.0.insert(instance).map_err(|_| Status::INSUFF_SERVER_RESOURCES)?;
        // The record owns the event now.
        let _ = created.into_raw();
        let mut line = UnicodeBuf::<256>::new();
        let spawned = line.push_fmt(format_args!("{own} {wanted:08x} {:08x}", key.to_context() as u32)).and_then(|()| {
            let start = Start { image: &image, command_line: line.as_str(), session: 0, debug: false, subsystem: false };
            let child = self.plan()?.launcher().create(&start)?;
            let client = child.client().process;
            let (process, thread) = child.into_handles();
            if let Some(instance) = self.tables.lock().children.0.get(key) {
                instance.client = client;
                instance.process = process.into_raw();
            }
            system.resume_thread(thread.get())
        });
        if let Err(status) = spawned {
            self.forget(key, status);
            return Err(status);
        }
        Ok(key)
    }

    /// Waits until a child has made its session, or has ended.
    fn wait_for_session(&self, child: Key) {
        let handles = self.tables.lock().children.0.get(child).map(|instance| [instance.created, instance.process]);
        if let Some(handles) = handles
            && let Err(status) = self.system.wait_any(&handles, Timeout::Milliseconds(CHILD_TIMEOUT))
        {
            nt::warn!("child instance: {status}");
        }
    }

    /// Waits for the end of a child, and makes its session a running one or undoes it: with the step that failed.
    fn finish(&'static self, child: Key, timeout: Timeout) -> Result<Started, (Status, Step)> {
        let process = self.tables.lock().children.0.get(child).map_or(Handle::NULL, |instance| instance.process);
        let result = match self.system.wait_one(process, timeout) {
            Ok(Wait::Object(_)) => self.system.query_exit(process).and_then(|exit| exit.status.ok()),
            Ok(Wait::Timeout) => Err(Status::IO_TIMEOUT),
            Err(status) => Err(status),
        };
        let session = self.forget(child, Status::IO_TIMEOUT);
        let result = match (result, session) {
            (Ok(()), Some(session)) => Ok(session),
            (Ok(()), None) => Err((Status::UNSUCCESSFUL, Step::SessionSpace)),
            (Err(status), None) => Err((status, Step::SessionSpace)),
            (Err(status), Some(session)) => {
                let step = if self.initial_client(session) != 0 { Step::InitialCommand } else { Step::RequiredSubsystem };
                // Session 0 may have critical processes by now, and their end would hide why the system stops.
                if session != 0 {
                    nt::error!("session {session}: {status}: what was started is ended again");
                    self.tear_down(session);
                }
                Err((status, step))
            }
        };
        let session = result?;
        self.with_session(session, |terminal| terminal.stage = Stage::Running);
        let server = self.server_for(session, ImageSubsystem::WINDOWS_GUI).map_or(0, |server| server.view().client.process);
        Ok(Started { session, server, initial: self.initial_client(session) })
    }

    /// Takes a child out of the table, ending it with `status` if it still runs: the session it had made.
    fn forget(&self, child: Key, status: Status) -> Option<u32> {
        let instance = self.tables.lock().children.0.remove(child)?;
        self.close(instance.created);
        if !instance.process.is_null() {
            let process = Owned::new(self.system, instance.process);
            if self.system.query_exit(process.get()).is_ok_and(|exit| exit.status == Status::PENDING)
                && let Err(status) = self.system.terminate_process(process.get(), status)
            {
                nt::warn!("child instance: {status}: not ended");
            }
        }
        instance.session
    }

    /// CHILD_SESSION: the child has made `session`.
    pub(crate) fn child_session(&self, client: &Client, session: u32) -> Result<ChildSession> {
        let mut answer = ChildSession::new_zeroed();
        let mut tables = self.tables.lock();
        let known = tables.sessions.iter().any(|(_, terminal)| terminal.id == session);
        let instance = tables.children.of(client.client.process).ok_or(Status::NOT_IMPLEMENTED)?;
        if known || instance.session.is_some() || (instance.wanted != ANY_SESSION && instance.wanted != session) {
            return Err(Status::INVALID_PARAMETER);
        }
        instance.session = Some(session);
        let created = instance.created;
        answer.session = session;
        // At most 128 units.
        answer.length = instance.command.as_str().byte_len() as u32;
        for (to, from) in answer.command.iter_mut().zip(instance.command.as_str().units()) {
            *to = *from;
        }
        drop(tables);
        let added = self.add_session(session);
        self.system.set_event(created)?;
        added.map(|()| answer)
    }

    /// CHILD_PROCESS: the child has created a server, still suspended, or the initial command.
    pub(crate) fn child_process(&'static self, client: &Client, body: &ChildProcess) -> Result<ChildProcess> {
        let system = self.system;
        let session = self.tables.lock().children.of(client.client.process).and_then(|instance| instance.session);
        if session != Some(body.session) {
            return Err(Status::INVALID_PARAMETER);
        }
        let child = Owned::new(system, system.open_process(client.client, Access::PROCESS_DUP_HANDLE)?);
        let process = system.duplicate(child.get(), Handle(body.process), Handle::CURRENT_PROCESS, Access::PROCESS_ALL)?;
        let mut process = Some(Owned::new(system, process));
        let mut answer = *body;
        match body.role {
            ChildProcess::SERVER => {
                let server = self.new_server(body.session)?;
                let event = system.duplicate(Handle::CURRENT_PROCESS, server.view().event, child.get(), Access::EVENT_ALL);
                let noted = event.and_then(|event| {
                    answer.event = event.0;
                    server.update(|record| {
                        record.process = process.take().map_or(Handle::NULL, Owned::into_raw);
                        record.client = body.client;
                    })
                });
                if noted.is_err() {
                    self.retire_server(server.key());
                }
                noted.map(|()| answer)
            }
            ChildProcess::INITIAL => {
                self.with_session(body.session, |terminal| {
                    terminal.initial_client = body.client.process;
                    terminal.initial = process.take().map_or(Handle::NULL, Owned::into_raw);
                });
                Ok(answer)
            }
            _ => Err(Status::INVALID_PARAMETER),
        }
    }
}
