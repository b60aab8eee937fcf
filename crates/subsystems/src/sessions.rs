// SPDX-License-Identifier: GPL-2.0-or-later
//! Terminal sessions: made, ended, and undone when something fails half-way (spec 9.2, 9.3, 11.2,
//! 11.3).
//!
//! In NT 5.2 the resident smss makes a session itself: it enters a new session space, starts the
//! servers and the initial command, which thereby join it, and leaves again. All of that happens
//! behind the [`crate::gate`], for a process that somebody else created meanwhile would land in the
//! wrong session. A failure at any step ends what the step's predecessors started, and its own
//! status is what the client gets (D4, D7).

use crate::deadline::SERVER_TIMEOUT;
use crate::environments::Environment;
use crate::gate::Inside;
use crate::initial;
use crate::manager::{Manager, Tables, terminate, wait_for_end};
use crate::plan::Plan;
use crate::policy::{SessionModel, Win32kLoader};
use crate::privilege::Privileged;
use crate::servers::Server;
use crate::slots::Key;
use nt::system::{ImageSubsystem, Privilege, System, Timeout};
use nt::{Handle, Result, Status, UnicodeStr, wide};
use sm_protocol::sb::SbApi;

/// The only name under which the kernel loads win32k, case and all (spec 9.3).
const WIN32K: UnicodeStr<'static> = wide!("\\SystemRoot\\System32\\win32k.sys");

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Being made: who makes it also undoes it.
    Starting,
    /// Stands.
    Running,
}

/// One terminal session.
pub(crate) struct Terminal {
    /// Its id.
    pub(crate) id: u32,
    /// How far it has come.
    pub(crate) stage: Stage,
    /// The initial command's process; null while there is none, and once the main thread holds it
    /// ([`Manager::take_initial`]).
    pub(crate) initial: Handle,
    /// Its process id; 0 while there is none.
    pub(crate) initial_client: u64,
    /// Its environment session; 0 while there is none.
    pub(crate) initial_environment: u32,
}

impl Terminal {
    /// A session in which nothing runs yet.
    pub(crate) const fn new(id: u32) -> Self {
        Self {
            id,
            stage: Stage::Starting,
            initial: Handle::NULL,
            initial_client: 0,
            initial_environment: 0,
        }
    }
}

impl Tables {
    /// The record of `session`.
    #[inline(never)]
    pub(crate) fn session(&mut self, session: u32) -> Option<&mut Terminal> {
        self.sessions.find(|terminal| terminal.id == session)
    }
}

impl<S: System> Manager<S> {
    /// StartCsr: a new session with its servers and `command`, or the default one if that is empty
    /// (spec 11.3).
    #[inline(never)]
    pub(crate) fn start_session(&'static self, command: UnicodeStr<'_>) -> Result<u32> {
        match self.policy.sessions {
            SessionModel::Resident => self.start_resident(command),
            SessionModel::ChildInstance => self.start_by_child(command),
        }
    }

    fn start_resident(&'static self, command: UnicodeStr<'_>) -> Result<u32> {
        let _inside = self.enter_gate()?;
        // Without a Kmode entry there is no session space to make, and so only ever session 0.
        let session = self.enter_session_space()?.ok_or(Status::NOT_SUPPORTED)?;
        let result = self.populate(session, command);
        if let Err(status) = result {
            self.undo(session, status);
        }
        // A failure has been told, and the next one inside the gate tries again.
        let _ = self.leave_session_space();
        result.map(|()| session)
    }

    /// Everything that `session` consists of.
    fn populate(&'static self, session: u32, command: UnicodeStr<'_>) -> Result<()> {
        let plan = self.plan()?;
        self.add_session(session)?;
        self.start_required(plan, session)?;
        let mut text = initial::Command::new();
        initial::choose(self.system, self.policy, plan, session, command, &mut text)?;
        self.start_initial(session, text.as_str())
    }

    /// Makes a session space and loads win32k into it, if the registry asks for it (spec 9.3): the
    /// new session, which smss is now inside.
    pub(crate) fn enter_session_space(&'static self) -> Result<Option<u32>> {
        if self.policy.win32k != Win32kLoader::SessionManager {
            return Ok(None);
        }
        let plan = self.plan()?;
        // The value is a trigger only: the kernel loads no other driver than its own win32k (D30).
        let mut entries = (0..).map_while(|index| plan.kmode(index));
        let driver = loop {
            match entries.next() {
                None => return Ok(None),
                Some(path) if initial::is_dos_path(path) => break path,
                Some(path) => {
                    nt::warn!("Kmode: {path}: {}: skipped", Status::OBJECT_PATH_SYNTAX_BAD)
                }
            }
        };
        let _privilege = Privileged::acquire(self.system, Privilege::LoadDriver)?;
        let session = self.system.create_session()?;
        self.tables.lock().attached = Some(session);
        nt::info!("session {session}: created; win32k is loaded for Kmode {driver}");
        if let Err(status) = self.system.extend_service_table(WIN32K) {
            nt::error!("session {session}: win32k: {status}");
            let _ = self.leave_session_space();
            return Err(status);
        }
        Ok(Some(session))
    }

    /// Waits for the right to create processes (see [`crate::gate`]). A session space that could
    /// not be left before is left now.
    pub(crate) fn enter_gate(&'static self) -> Result<Inside<'static, S>> {
        let inside = self.gate.enter(self.system)?;
        self.leave_session_space()
            .map_err(|_| Status::ALREADY_COMMITTED)?;
        Ok(inside)
    }

    /// Leaves the session space smss is inside, if it is in one (spec 1.3 #8). A failure is told
    /// here.
    #[inline(never)]
    pub(crate) fn leave_session_space(&self) -> Result<()> {
        let Some(session) = self.tables.lock().attached else {
            return Ok(());
        };
        let left = Privileged::acquire(self.system, Privilege::LoadDriver)
            .and_then(|_held| self.system.detach_session(session));
        match left {
            Ok(()) => self.tables.lock().attached = None,
            Err(status) => {
                nt::warn!("session detach: session {session}: {status}: tried again later")
            }
        }
        left
    }

    /// Notes a session that is being made.
    pub(crate) fn add_session(&self, session: u32) -> Result<()> {
        self.tables
            .lock()
            .sessions
            .insert(Terminal::new(session))
            .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
        Ok(())
    }

    /// Process id of the initial command of `session`; 0 if there is none.
    pub(crate) fn initial_client(&self, session: u32) -> u64 {
        self.tables
            .lock()
            .session(session)
            .map_or(0, |terminal| terminal.initial_client)
    }

    /// The process of the initial command of `session`, which belongs to the caller from now on.
    pub(crate) fn take_initial(&self, session: u32) -> Handle {
        self.tables
            .lock()
            .session(session)
            .map_or(Handle::NULL, |terminal| {
                core::mem::replace(&mut terminal.initial, Handle::NULL)
            })
    }

    /// StopCsr (spec 11.3). `INVALID_PARAMETER` for session 0, `OBJECT_NAME_NOT_FOUND` for one that
    /// is not there.
    pub(crate) fn stop_session(&'static self, session: u32) -> Result<()> {
        if session == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let _inside = self.enter_gate()?;
        let known = self.tables.lock().session(session).is_some();
        if !known && !self.has_servers(session) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        nt::info!("session {session}: ending");
        self.tear_down(session);
        Ok(())
    }

    /// Ends `session`, which has come to nothing with `status`.
    pub(crate) fn undo(&'static self, session: u32, status: Status) {
        nt::error!("session {session}: {status}: what was started is ended again");
        self.tear_down(session);
    }

    /// Ends everything of `session` that smss started there and forgets it: environment sessions,
    /// initial command, servers, csrss last.
    pub(crate) fn tear_down(&'static self, session: u32) {
        let terminal = self
            .tables
            .lock()
            .sessions
            .take(|terminal| terminal.id == session);
        while let Some(environment) = self.take_environment(session) {
            self.tell_server(environment.owner, SbApi::TERMINATE_SESSION, environment.id);
        }
        if let Some(terminal) = terminal {
            self.end_process(terminal.initial, terminal.initial_client);
            self.close(terminal.initial);
        }
        self.stop_servers(&|server| {
            server.session == session && server.subsystem != Some(ImageSubsystem::WINDOWS_GUI)
        });
        self.stop_servers(&|server| server.session == session);
    }

    fn take_environment(&self, session: u32) -> Option<Environment> {
        self.tables.lock().environments.take_of_session(session)
    }

    fn stop_servers(&'static self, which: &dyn Fn(&Server) -> bool) {
        while let Some(server) = self.find_server(which) {
            self.retire_server(server.key());
            let record = server.view();
            self.end_process(record.process, record.client.process);
        }
    }

    /// Ends `process`, whose id is `id`, if there is one, and waits until it is gone, for a bounded
    /// time.
    fn end_process(&self, process: Handle, id: u64) {
        if process.is_null() {
            return;
        }
        terminate(self.system, process, id, Status::SUCCESS);
        if let Err(status) =
            wait_for_end(self.system, process, Timeout::Milliseconds(SERVER_TIMEOUT))
        {
            nt::warn!("process {id}: wait for its end: {status}");
        }
    }

    /// A subsystem server has disconnected: it is out of service, and a session that stood on it
    /// ends (D3).
    pub(crate) fn server_gone(&'static self, key: Key) {
        let Some(server) = self.server(key) else {
            return;
        };
        let record = server.view();
        if !self.retire_server(key) {
            return;
        }
        let session = record.session;
        nt::error!(
            "session {session}: the server for image type {} is gone",
            record.subsystem.unwrap_or_default().0
        );
        // Session 0's csrss is what the main thread waits for.
        if session != 0
            && record.subsystem == Some(ImageSubsystem::WINDOWS_GUI)
            && self
                .tables
                .lock()
                .session(session)
                .is_some_and(|terminal| terminal.stage == Stage::Running)
            && self.leave_a_receiver().is_ok()
        {
            drop(server);
            self.tear_down(session);
        }
    }

    /// An environment session has ended. In NT 6 a session (other than 0) does not outlive its
    /// initial command.
    pub(crate) fn environment_ended(&'static self, environment: &Environment) -> Result<()> {
        let session = environment.session;
        let ends = self.tables.lock().session(session).is_some_and(|terminal| {
            terminal.stage == Stage::Running && terminal.initial_environment == environment.id
        });
        if !ends || session == 0 || !self.policy.session_ends_with_initial {
            return Ok(());
        }
        self.leave_a_receiver()?;
        nt::info!("session {session}: its initial command has ended");
        self.stop_session(session)
    }

    /// Starts the required servers of `session`, in order (spec 9.2 #4).
    pub(crate) fn start_required(
        &'static self,
        plan: &'static dyn Plan<S>,
        session: u32,
    ) -> Result<()> {
        each_required(plan, session, &mut |command| {
            self.start_server(plan, session, command, None)
        })
    }
}

/// Calls `start` with the command of every required server of `session`, in order (spec 9.2 #4).
pub(crate) fn each_required<S: System>(
    plan: &dyn Plan<S>,
    session: u32,
    start: &mut dyn FnMut(UnicodeStr<'_>) -> Result<()>,
) -> Result<()> {
    for entry in (0..).map_while(|index| plan.required(index)) {
        // The debug subsystem is in the kernel since NT 5.1.
        if entry.name.eq_ascii("Debug") {
            continue;
        }
        if let Err(status) = start(entry.command) {
            nt::error!(
                "session {session}: subsystem {}: {}: {status}",
                entry.name,
                entry.command
            );
            return Err(status);
        }
    }
    Ok(())
}
