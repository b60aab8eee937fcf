// SPDX-License-Identifier: GPL-2.0-or-later
//! NT 6, the master's side: a child instance of smss for every session (spec 11.5).
//!
//! The master creates the child with two hexadecimal words as arguments: the session's number
//! (FFFFFFFF for any) and the number of the instance. The child makes the session and reports over
//! `\SmApiPort` what it creates, before it lets it run, so that the master has the records of the
//! servers and can adopt their clients; when the session stands, the child ends with success. A
//! child that ends otherwise, or not in time, takes what it had made with it. Whether a message
//! comes from a child, the kernel says: its process id is that of a process whose handle the master
//! holds.

use crate::boot::stop;
use crate::clients::Client;
use crate::deadline::SERVER_TIMEOUT;
use crate::end::Watched;
use crate::manager::{Manager, new_event, terminate, wait_for_end};
use crate::sessions::Stage;
use crate::slots::{Key, Slots};
use launch::{Image, Start};
use nt::access::Access;
use nt::failure::{Step, Stop};
use nt::system::{System, Timeout};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, path, wide};
use sm_protocol::sm::{COMMAND_UNITS, ChildProcess, ChildSession};

/// Child instances at once.
const CHILDREN: usize = 40;
/// Initial sessions at most.
const INITIAL_SESSIONS: u32 = 32;
/// The number that asks for any session.
pub(crate) const ANY_SESSION: u32 = u32::MAX;
/// How long a child may take for a session other than 0, in milliseconds: its servers, then its
/// initial command.
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

    #[inline(never)]
    fn of(&mut self, client: u64) -> Option<&mut Instance> {
        self.0.find(|instance| instance.client == client)
    }
}

impl<S: System> Manager<S> {
    /// Whether `client` is a child instance.
    pub(crate) fn is_child(&self, client: &Client) -> bool {
        self.tables
            .lock()
            .children
            .of(client.client.process)
            .is_some()
    }

    /// Handle of the child instance with this process id; null if there is none.
    pub(crate) fn child_process_of(&self, client: u64) -> Handle {
        self.tables
            .lock()
            .children
            .of(client)
            .map_or(Handle::NULL, |instance| instance.process)
    }

    /// NT 6: makes the initial sessions, 0 and at least one for the console (spec 11.5): what to
    /// wait for. Blocks.
    ///
    /// # Errors
    /// [`Stop`] if session 0 does not come up.
    pub fn load_initial_sessions(&'static self) -> Result<Watched, Stop> {
        let plan = self
            .plan()
            .map_err(|status| stop(Step::SessionSpace, "configuration", status))?;
        let count = plan
            .initial_sessions()
            .unwrap_or(self.policy.initial_sessions);
        if count > INITIAL_SESSIONS {
            nt::warn!("NumberOfInitialSessions: {count}: {INITIAL_SESSIONS} are made");
        }
        let first = self
            .spawn(0, UnicodeStr::EMPTY)
            .map_err(|status| stop(Step::SessionSpace, "child instance 0", status))?;
        // The kernel numbers sessions in the order they are made. Each child makes its own; from
        // then on they work side by side.
        self.wait_for_session(first);
        let mut others = [None; INITIAL_SESSIONS as usize];
        for (session, other) in (1..count.min(INITIAL_SESSIONS)).zip(&mut others) {
            match self.spawn(session, UnicodeStr::EMPTY) {
                Ok(child) => {
                    self.wait_for_session(child);
                    *other = Some(child);
                }
                Err(status) => nt::error!("session {session}: child instance: {status}: skipped"),
            }
        }
        let result = self.finish(first, Timeout::Never);
        for child in others.into_iter().flatten() {
            if let Err((_, status)) = self.finish(child, Timeout::Milliseconds(CHILD_TIMEOUT)) {
                nt::error!("initial session: {status}: skipped");
            }
        }
        let session = result.map_err(|(step, status)| stop(step, "session 0", status))?;
        let initial = self.take_initial(session);
        Ok(Watched {
            server: self.lend_server(session),
            initial,
            initial_name: self.policy.initial_process_name,
        })
    }

    /// StartCsr by a child instance.
    pub(crate) fn start_by_child(&'static self, command: UnicodeStr<'_>) -> Result<u32> {
        let child = self.spawn(ANY_SESSION, command)?;
        self.finish(child, Timeout::Milliseconds(CHILD_TIMEOUT))
            .map_err(|(_, status)| status)
    }

    /// Creates a child instance and lets it run.
    fn spawn(&'static self, wanted: u32, command: UnicodeStr<'_>) -> Result<Key> {
        let system = self.system;
        let created = new_event(system)?;
        let instance = Instance {
            process: Handle::NULL,
            client: 0,
            wanted,
            session: None,
            created: created.get(),
            command: UnicodeBuf::copied(command)?,
        };
        let key = self
            .tables
            .lock()
            .children
            .0
            .insert(instance)
            .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
        // The record owns the event now.
        let _ = created.into_raw();
        if let Err(status) = self.run_child(key, wanted) {
            self.forget(key, status);
            return Err(status);
        }
        Ok(key)
    }

    /// Creates the process of the child instance `key` and lets it run.
    #[inline(never)]
    fn run_child(&'static self, key: Key, wanted: u32) -> Result<()> {
        let own = launch::grammar::token(self.system.own_command_line());
        let own = own.map_or(wide!("\\SystemRoot\\System32\\smss.exe"), |(image, _)| {
            image
        });
        let mut image = Image {
            path: UnicodeBuf::new(),
            directory: UnicodeBuf::new(),
        };
        image.path.push(own)?;
        // An NT path has no directory to start in.
        if own.first() != Some(u16::from(b'\\')) {
            image.directory.push(path::directory(own))?;
        }
        let mut line = UnicodeBuf::<256>::new();
        line.push_fmt(format_args!(
            "{own} {wanted:08x} {:08x}",
            key.to_context() as u32
        ))?;
        let start = Start {
            image: &image,
            command_line: line.as_str(),
            session: 0,
            debug: false,
            subsystem: false,
        };
        let child = self.plan()?.launcher().create(&start)?;
        let client = child.client().process;
        let (process, thread) = child.into_handles();
        if let Some(instance) = self.tables.lock().children.0.get(key) {
            instance.client = client;
            instance.process = process.into_raw();
        }
        self.system.resume_thread(thread.get())
    }

    /// Waits until a child has made its session, or has ended.
    fn wait_for_session(&self, child: Key) {
        let handles = self
            .tables
            .lock()
            .children
            .0
            .get(child)
            .map(|instance| [instance.created, instance.process]);
        if let Some(handles) = handles
            && let Err(status) = self
                .system
                .wait_any(&handles, Timeout::Milliseconds(CHILD_TIMEOUT))
        {
            nt::warn!("child instance: {status}");
        }
    }

    /// Waits for the end of a child, and makes its session a running one, or undoes it: with the
    /// step that failed.
    fn finish(&'static self, child: Key, timeout: Timeout) -> Result<u32, (Step, Status)> {
        let process = self
            .tables
            .lock()
            .children
            .0
            .get(child)
            .map_or(Handle::NULL, |instance| instance.process);
        let ended = wait_for_end(self.system, process, timeout)
            .and_then(|()| self.system.query_exit(process)?.status.ok());
        let Some(session) = self.forget(child, Status::IO_TIMEOUT) else {
            return Err((
                Step::SessionSpace,
                ended.err().unwrap_or(Status::UNSUCCESSFUL),
            ));
        };
        if let Err(status) = ended {
            let step = if self.initial_client(session) != 0 {
                Step::InitialCommand
            } else {
                Step::RequiredSubsystem
            };
            // Session 0 may have critical processes by now, and their end would hide why the system
            // stops.
            if session != 0 {
                self.undo(session, status);
            }
            return Err((step, status));
        }
        if let Some(terminal) = self.tables.lock().session(session) {
            terminal.stage = Stage::Running;
        }
        Ok(session)
    }

    /// Takes a child out of the table, ending it with `status` if it still runs: the session it had
    /// made.
    fn forget(&self, child: Key, status: Status) -> Option<u32> {
        let instance = self.tables.lock().children.0.remove(child)?;
        self.close(instance.created);
        terminate(self.system, instance.process, instance.client, status);
        self.close(instance.process);
        instance.session
    }

    /// CHILD_SESSION: the child has made `body.session`.
    #[inline(never)]
    pub(crate) fn child_session(&self, client: &Client, body: &mut ChildSession) -> Result<()> {
        let session = body.session;
        let mut tables = self.tables.lock();
        let known = tables.session(session).is_some();
        let instance = tables
            .children
            .of(client.client.process)
            .ok_or(Status::NOT_IMPLEMENTED)?;
        if known
            || instance.session.is_some()
            || (instance.wanted != ANY_SESSION && instance.wanted != session)
        {
            return Err(Status::INVALID_PARAMETER);
        }
        instance.session = Some(session);
        let created = instance.created;
        body.set_command(instance.command.as_str());
        drop(tables);
        let added = self.add_session(session);
        self.system.set_event(created)?;
        added
    }

    /// CHILD_PROCESS: the child has created a server, still suspended, or the initial command.
    #[inline(never)]
    pub(crate) fn child_process(
        &'static self,
        client: &Client,
        body: &mut ChildProcess,
    ) -> Result<()> {
        let system = self.system;
        let session = self
            .tables
            .lock()
            .children
            .of(client.client.process)
            .and_then(|instance| instance.session);
        if session != Some(body.session) || body.role > ChildProcess::INITIAL {
            return Err(Status::INVALID_PARAMETER);
        }
        let child = Owned::new(
            system,
            system.open_process(client.client, Access::PROCESS_DUP_HANDLE)?,
        );
        let process = system.duplicate(
            child.get(),
            Handle(body.process),
            Handle::CURRENT_PROCESS,
            Access::PROCESS_ALL,
        )?;
        let process = Owned::new(system, process);
        if body.role == ChildProcess::INITIAL {
            if let Some(terminal) = self.tables.lock().session(body.session) {
                terminal.initial_client = body.client.process;
                terminal.initial = process.into_raw();
            }
            return Ok(());
        }
        let server = self.new_server(body.session)?;
        let process = process.into_raw();
        let noted = server.update(&mut |record| {
            record.process = process;
            record.client = body.client;
        });
        let event = noted.and_then(|()| {
            system.duplicate(
                Handle::CURRENT_PROCESS,
                server.view().event,
                child.get(),
                Access::EVENT_ALL,
            )
        });
        match event {
            Ok(event) => {
                body.event = event.0;
                Ok(())
            }
            Err(status) => {
                self.retire_server(server.key());
                Err(status)
            }
        }
    }
}
