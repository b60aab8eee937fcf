// SPDX-License-Identifier: GPL-2.0-or-later
//! Terminal sessions: made, ended, and undone when something fails half-way (spec 9.2, 9.3, 11.2, 11.3).
//!
//! In NT 5.2 the resident smss makes a session itself: it enters a new session space, starts the servers and the initial command, which
//! thereby join it, and leaves again. All of that happens behind the [`crate::gate`], for a process that somebody else created meanwhile
//! would land in the wrong session. A failure at any step ends what the step's predecessors started, and its own status is what the
//! client gets (D4, D7).

use crate::deadline::SERVER_TIMEOUT;
use crate::environments::Environment;
use crate::gate::Inside;
use crate::initial;
use crate::load::Kind;
use crate::manager::Manager;
use crate::policy::{SessionModel, Win32kLoader};
use crate::privilege::Privileged;
use crate::servers::Server;
use crate::slots::Key;
use nt::system::{ImageSubsystem, Privilege, System, Timeout, Wait};
use nt::{Handle, Owned, Result, Status, UnicodeStr, wide};

/// The only name under which the kernel loads win32k, case and all (spec 9.3).
pub const WIN32K: UnicodeStr<'static> = wide!("\\SystemRoot\\System32\\win32k.sys");

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
    /// The initial command's process; null while there is none, and for session 0, whose main thread holds it.
    pub(crate) initial: Handle,
    /// Its process id; 0 while there is none.
    pub(crate) initial_client: u64,
    /// Its environment session; 0 while there is none.
    pub(crate) initial_environment: u32,
}

impl Terminal {
    /// A session in which nothing runs yet.
    pub(crate) const fn new(id: u32) -> Self {
        Self { id, stage: Stage::Starting, initial: Handle::NULL, initial_client: 0, initial_environment: 0 }
    }
}

/// What a new session consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    /// Its id.
    pub(crate) session: u32,
    /// Process id of its Windows subsystem server.
    pub(crate) server: u64,
    /// Process id of its initial command.
    pub(crate) initial: u64,
}

impl<S: System> Manager<S> {
    /// StartCsr: a new session with its servers and `command`, or the default one if that is empty (spec 11.3).
    pub(crate) fn start_session(&'static self, command: UnicodeStr<'_>) -> Result<Started> {
        match self.policy.sessions {
            SessionModel::Resident => self.start_resident(command),
            SessionModel::ChildInstance => self.start_by_child(command),
        }
    }

    fn start_resident(&'static self, command: UnicodeStr<'_>) -> Result<Started> {
        let plan = self.plan()?;
        let _inside = self.enter_gate()?;
        // Without a Kmode entry there is no session space to make, and so only ever session 0.
        let session = self.enter_session_space()?.ok_or(Status::NOT_SUPPORTED)?;
        let result = self.add_session(session).and_then(|()| {
            let server = self.start_required(session)?;
            let mut text = initial::Command::new();
            initial::choose(self.system, &self.policy, plan, session, command, &mut text)?;
            let process = self.start_initial(session, text.as_str())?;
            self.session_stands(session, process);
            Ok(Started { session, server, initial: self.initial_client(session) })
        });
        if let Err(status) = result {
            nt::error!("session {session}: {status}: what was started is ended again");
            self.tear_down(session);
        }
        self.leave_session_space();
        result
    }

    /// Makes a session space and loads win32k into it, if the registry asks for it (spec 9.3): the new session, which smss is now inside.
    pub(crate) fn enter_session_space(&'static self) -> Result<Option<u32>> {
        if self.policy.win32k != Win32kLoader::SessionManager {
            return Ok(None);
        }
        let plan = self.plan()?;
        let mut entries = (0..).map_while(|index| plan.kmode(index));
        // The value is a trigger only: the kernel loads no other driver than its own win32k (D30).
        let Some(driver) = entries.find(|path| {
            let valid = initial::is_dos_path(*path);
            if !valid {
                nt::warn!("Kmode: {path}: {}: skipped", Status::OBJECT_PATH_SYNTAX_BAD);
            }
            valid
        }) else {
            return Ok(None);
        };
        let _privilege = Privileged::acquire(self.system, Privilege::LoadDriver)?;
        let session = self.system.create_session()?;
        self.tables.lock().attached = Some(session);
        nt::info!("session {session}: created; loading {WIN32K} for Kmode {driver}");
        if let Err(status) = self.system.extend_service_table(WIN32K) {
            nt::error!("session {session}: {WIN32K}: {status}");
            self.detach();
            return Err(status);
        }
        Ok(Some(session))
    }

    /// Waits for the right to create processes (see [`crate::gate`]). A session space that could not be left before is left now.
    pub(crate) fn enter_gate(&'static self) -> Result<Inside<'static, S>> {
        let inside = self.gate.enter(self.system)?;
        self.leave_session_space();
        if self.tables.lock().attached.is_some() { Err(Status::ALREADY_COMMITTED) } else { Ok(inside) }
    }

    /// Leaves the session space smss is inside, if it is in one (spec 1.3 #8).
    pub(crate) fn leave_session_space(&self) {
        if self.tables.lock().attached.is_none() {
            return;
        }
        match Privileged::acquire(self.system, Privilege::LoadDriver) {
            Ok(_privilege) => self.detach(),
            Err(status) => nt::warn!("session detach: {status}"),
        }
    }

    /// Detaches; the caller holds SeLoadDriver.
    fn detach(&self) {
        let Some(session) = self.tables.lock().attached else { return };
        match self.system.detach_session(session) {
            Ok(()) => self.tables.lock().attached = None,
            Err(status) => nt::warn!("session detach: session {session}: {status}: tried again later"),
        }
    }

    /// Notes a session that is being made.
    pub(crate) fn add_session(&self, session: u32) -> Result<()> {
        let added = self.tables.lock().sessions.insert(Terminal::new(session));
        added.map(drop).map_err(|_| Status::INSUFF_SERVER_RESOURCES)
    }

    /// Changes the record of `session`; whether there is one.
    pub(crate) fn with_session(&self, session: u32, change: impl FnOnce(&mut Terminal)) -> bool {
        let mut tables = self.tables.lock();
        let Some(key) = tables.sessions.iter().find(|(_, terminal)| terminal.id == session).map(|(key, _)| key) else {
            return false;
        };
        tables.sessions.get(key).map(change).is_some()
    }

    /// The session is complete. It owns `initial` from now on.
    pub(crate) fn session_stands(&'static self, session: u32, initial: Owned<'static, S>) {
        let mut initial = Some(initial);
        self.with_session(session, |terminal| {
            terminal.stage = Stage::Running;
            terminal.initial = initial.take().map_or(Handle::NULL, Owned::into_raw);
        });
    }

    /// Process id of the initial command of `session`; 0 if there is none.
    pub(crate) fn initial_client(&self, session: u32) -> u64 {
        let mut client = 0;
        self.with_session(session, |terminal| client = terminal.initial_client);
        client
    }

    /// Notes the environment session of a process, if it is the initial command of its session.
    pub(crate) fn note_environment(&self, session: u32, client: u64, environment: u32) {
        self.with_session(session, |terminal| {
            if terminal.initial_client == client {
                terminal.initial_environment = environment;
            }
        });
    }

    /// StopCsr (spec 11.3). `INVALID_PARAMETER` for session 0, `OBJECT_NAME_NOT_FOUND` for one that is not there.
    pub(crate) fn stop_session(&'static self, session: u32) -> Result<()> {
        if session == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let _inside = self.enter_gate()?;
        if !self.with_session(session, |_| {}) && !self.has_servers(session) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        nt::info!("session {session}: ending");
        self.tear_down(session);
        Ok(())
    }

    /// Ends everything of `session` that smss started there and forgets it: environment sessions, initial command, servers, csrss last.
    pub(crate) fn tear_down(&'static self, session: u32) {
        let terminal = {
            let mut tables = self.tables.lock();
            let key = tables.sessions.iter().find(|(_, terminal)| terminal.id == session).map(|(key, _)| key);
            key.and_then(|key| tables.sessions.remove(key))
        };
        while let Some(environment) = self.take_environment(session) {
            self.terminate_environment(environment.owner, environment.id);
        }
        if let Some(terminal) = terminal
            && !terminal.initial.is_null()
        {
            let process = Owned::new(self.system, terminal.initial);
            self.end_process(process.get(), session);
        }
        self.stop_servers(session, |server| server.subsystem != Some(ImageSubsystem::WINDOWS_GUI));
        self.stop_servers(session, |_| true);
    }

    fn take_environment(&self, session: u32) -> Option<Environment> {
        self.tables.lock().environments.delete_first(|environment| environment.session == session)
    }

    fn stop_servers(&'static self, session: u32, which: impl Fn(&Server) -> bool) {
        while let Some(server) = self.find_server(|server| server.session == session && which(server)) {
            self.retire_server(server.key());
            let process = server.view().process;
            if !process.is_null() {
                self.end_process(process, session);
            }
        }
    }

    /// Ends a process and waits until it is gone, for a bounded time.
    pub(crate) fn end_process(&self, process: Handle, session: u32) {
        match self.system.terminate_process(process, Status::SUCCESS) {
            Ok(()) | Err(Status::PROCESS_IS_TERMINATING) => {}
            Err(status) => nt::warn!("session {session}: a process is not ended: {status}"),
        }
        match self.system.wait_one(process, Timeout::Milliseconds(SERVER_TIMEOUT)) {
            Ok(Wait::Object(_)) => {}
            Ok(Wait::Timeout) => nt::warn!("session {session}: a process does not end"),
            Err(status) => nt::warn!("session {session}: wait for a process: {status}"),
        }
    }

    /// A subsystem server has disconnected: it is out of service, and a session that stood on it ends (D3).
    pub(crate) fn server_gone(&'static self, key: Key) {
        let Some(server) = self.server(key) else { return };
        let view = server.view();
        if !self.retire_server(key) {
            return;
        }
        nt::error!("session {}: the server for image type {} is gone", view.session, view.subsystem.unwrap_or_default().0);
        let windows = view.subsystem == Some(ImageSubsystem::WINDOWS_GUI);
        if view.session == 0 || !windows {
            // Session 0's csrss is what the main thread waits for.
            return;
        }
        let mut running = false;
        self.with_session(view.session, |terminal| running = terminal.stage == Stage::Running);
        if running && self.leave_a_receiver().is_ok() {
            drop(server);
            self.tear_down(view.session);
        }
    }

    /// An environment session has ended. In NT 6 a session (other than 0) does not outlive its initial command.
    pub(crate) fn environment_ended(&'static self, environment: &Environment) -> Result<()> {
        let mut ends = false;
        self.with_session(environment.session, |terminal| {
            ends = terminal.stage == Stage::Running && terminal.initial_environment == environment.id;
        });
        if !ends || environment.session == 0 || !self.policy.session_ends_with_initial {
            return Ok(());
        }
        self.leave_a_receiver()?;
        nt::info!("session {}: its initial command has ended", environment.session);
        self.stop_session(environment.session)
    }

    /// Starts the required servers of `session`, in order (spec 9.2 #4): process id of its Windows server, 0 if none was asked for.
    pub(crate) fn start_required(&'static self, session: u32) -> Result<u64> {
        let plan = self.plan()?;
        for entry in (0..).map_while(|index| plan.required(index)) {
            // The debug subsystem is in the kernel since NT 5.1.
            if entry.name.eq_ascii("Debug") {
                continue;
            }
            if let Err(status) = self.start_server(session, entry.command, Kind::Plain) {
                nt::error!("session {session}: subsystem {}: {}: {status}", entry.name, entry.command);
                return Err(status);
            }
        }
        let windows = self.server_for(session, ImageSubsystem::WINDOWS_GUI);
        Ok(windows.map_or(0, |server| server.view().client.process))
    }
}
