// SPDX-License-Identifier: GPL-2.0-or-later
//! NT 6, the side of the resident instance: child instances created, listened to, and waited for
//! (spec 11.5).

use super::orphans;
use crate::end::Watched;
use crate::identity;
use crate::kernel::{close, end, new_event, terminate, wait_for};
use crate::manager::Manager;
use crate::policy::SERVER_TIMEOUT;
use crate::servers;
use crate::sessions;
use crate::state::clients::Client;
use crate::state::ids::{ProcessId, TerminalId};
use crate::state::slots::Key;
use crate::state::terminals::Terminal;
use launch::{Program, Start};
use nt::access::Access;
use nt::failure::{Attempt, Essential, Stop};
use nt::system::{System, Timeout, UserProcessInformation};
use nt::{ClientId, Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, path, wide};
use sm_protocol::sm::{ChildProcess, ChildSession};

/// Initial sessions at most.
const INITIAL_SESSIONS: u32 = 32;
/// The number that asks for any session.
const ANY_SESSION: u32 = u32::MAX;
/// How long a child may take for a session other than 0, in milliseconds: its servers, then its
/// initial command.
const CHILD_TIMEOUT: u32 = 3 * SERVER_TIMEOUT;

/// Whether `client` is a child instance.
pub(crate) fn is_child<S: System>(sm: &Manager<S>, client: &Client) -> bool {
    sm.tables.lock().instances.of(client.process_id).is_some()
}

/// Ends the child instance with this process id, if it is one.
pub(crate) fn end_child<S: System>(sm: &Manager<S>, id: ProcessId, status: Status) {
    let process = sm
        .tables
        .lock()
        .instances
        .of(id)
        .map_or(Handle::NULL, |instance| instance.process);
    terminate(sm.system, process, Some(id), status);
}

impl<S: System> Manager<S> {
    /// NT 6: makes the initial sessions, 0 and at least one for the console (spec 11.5): what to
    /// wait for. Blocks.
    ///
    /// # Errors
    /// [`Stop`] if session 0 does not come up.
    pub fn load_initial_sessions(&'static self) -> Result<Watched, Stop> {
        let plan = self
            .plan()
            .or_stop(Essential::SessionSpace, "configuration")?;
        let count = plan
            .initial_sessions()
            .unwrap_or(self.policy().initial_sessions);
        if count > INITIAL_SESSIONS {
            nt::warn!("NumberOfInitialSessions: {count}: {INITIAL_SESSIONS} are made");
        }
        let first = spawn(self, Some(TerminalId::CONSOLE), UnicodeStr::EMPTY)
            .or_stop(Essential::SessionSpace, "child instance 0")?;
        // The kernel numbers sessions in the order they are made. Each child makes its own; from
        // then on they work side by side.
        wait_for_session(self, first);
        let mut others = heapless::Vec::<Key, { INITIAL_SESSIONS as usize }>::new();
        for session in 1..count.min(INITIAL_SESSIONS) {
            match spawn(self, Some(TerminalId(session)), UnicodeStr::EMPTY) {
                Ok(child) => {
                    wait_for_session(self, child);
                    // There is room for all of them.
                    let _ = others.push(child);
                }
                Err(status) => nt::error!("session {session}: child instance: {status}: skipped"),
            }
        }
        let result = finish(self, first, Timeout::Never);
        for &child in &others {
            if let Err((_, status)) = finish(self, child, Timeout::Milliseconds(CHILD_TIMEOUT)) {
                nt::error!("initial session: {status}: skipped");
            }
        }
        let terminal = result.map_err(|(step, status)| step.stop("session 0", status))?;
        let initial = self.tables.lock().terminals.take_initial(terminal);
        Ok(Watched {
            server: servers::lend_windows(self, terminal),
            initial,
            initial_name: self.policy().initial_process_name,
        })
    }
}

/// StartCsr in NT 6: a new session with its servers and `command`, or the default one if that is
/// empty. Blocks until it stands.
pub(crate) fn start<S: System>(
    sm: &'static Manager<S>,
    command: UnicodeStr<'_>,
) -> Result<TerminalId> {
    let child = spawn(sm, None, command)?;
    finish(sm, child, Timeout::Milliseconds(CHILD_TIMEOUT)).map_err(|(_, status)| status)
}

/// Creates a child instance and lets it run.
fn spawn<S: System>(
    sm: &'static Manager<S>,
    wanted: Option<TerminalId>,
    command: UnicodeStr<'_>,
) -> Result<Key> {
    let made = new_event(sm.system)?;
    let key = sm
        .tables
        .lock()
        .instances
        .reserve(wanted, made.get(), command)?;
    // The record owns the event now.
    let _ = made.into_raw();
    if let Err(status) = run_child(sm, key, wanted) {
        forget(sm, key, status);
        return Err(status);
    }
    Ok(key)
}

/// Creates the process of the child instance `key` and lets it run.
#[inline(never)]
fn run_child<S: System>(
    sm: &'static Manager<S>,
    key: Key,
    wanted: Option<TerminalId>,
) -> Result<()> {
    let own = sm.system.own_command_line().token();
    let own = own.map_or(wide!("\\SystemRoot\\System32\\smss.exe"), |(image, _)| {
        image
    });
    let mut image = Program::default();
    image.path.push(own)?;
    // An NT path has no directory to start in.
    if own.first() != Some(u16::from(b'\\')) {
        image.directory.push(path::directory(own))?;
    }
    let mut line = UnicodeBuf::<256>::new();
    line.push_text(nt::text!(
        "{own} {:08x} {:08x}",
        wanted.map_or(ANY_SESSION, |terminal| terminal.0),
        key.index()
    ))?;
    let start = Start {
        image: &image,
        command_line: line.as_str(),
        session: 0,
        debug: false,
        subsystem: false,
    };
    let mut told = UserProcessInformation::untold();
    let child = sm.plan()?.launcher().create(&start, &mut told)?;
    let process_id = ProcessId::of(child.client());
    let (process, thread) = child.into_handles();
    sm.tables
        .lock()
        .instances
        .created(key, process.into_raw(), process_id);
    sm.system.resume_thread(thread.get())
}

/// Waits until a child has made its session, or has ended.
fn wait_for_session<S: System>(sm: &Manager<S>, child: Key) {
    let handles = sm
        .tables
        .lock()
        .instances
        .get(child)
        .map(|instance| [instance.made, instance.process]);
    if let Some(handles) = handles
        && let Err(status) = sm
            .system
            .wait_any(&handles, Timeout::Milliseconds(CHILD_TIMEOUT))
    {
        nt::warn!("child instance: {status}");
    }
}

/// Waits for the end of a child, and makes its session a running one, or undoes it: with the step
/// that failed.
fn finish<S: System>(
    sm: &'static Manager<S>,
    child: Key,
    timeout: Timeout,
) -> Result<TerminalId, (Essential, Status)> {
    let process = sm
        .tables
        .lock()
        .instances
        .get(child)
        .map_or(Handle::NULL, |instance| instance.process);
    let ended = wait_for(sm.system, process, timeout)
        .and_then(|()| sm.system.query_exit(process)?.status.ended());
    if ended.is_err() {
        end_with_orphans(sm, child);
    }
    let Some(terminal) = forget(sm, child, Status::IO_TIMEOUT) else {
        return Err((
            Essential::SessionSpace,
            ended.err().unwrap_or(Status::UNSUCCESSFUL),
        ));
    };
    let stands = ended.and_then(|()| {
        let mut tables = sm.tables.lock();
        tables
            .terminals
            .stands(terminal)
            .map(Terminal::initial_ended)
    });
    if let Err(status) = stands {
        let initial = sm.tables.lock().terminals.initial_id(terminal);
        let step = if initial.is_some() {
            Essential::InitialCommand
        } else {
            Essential::RequiredSubsystem
        };
        // Session 0 may have critical processes by now, and their end would hide why the system
        // stops.
        if terminal != TerminalId::CONSOLE {
            sessions::undo(sm, terminal, status);
        }
        return Err((step, status));
    }
    if stands == Ok(true) && terminal != TerminalId::CONSOLE {
        nt::info!("session {terminal}: its initial command has ended already");
        sessions::tear_down(sm, terminal);
    }
    Ok(terminal)
}

/// Ends a child that has failed, if it still runs, and what it had created but not reported. Nothing
/// of session 0, which may have critical processes by now.
fn end_with_orphans<S: System>(sm: &Manager<S>, child: Key) {
    let Some((process, Some(id))) = sm
        .tables
        .lock()
        .instances
        .get(child)
        .filter(|instance| !instance.is_of(TerminalId::CONSOLE))
        .map(|instance| (instance.process, instance.process_id))
    else {
        return;
    };
    // It creates nothing any more once it has ended.
    end(
        sm.system,
        process,
        Some(id),
        Status::IO_TIMEOUT,
        SERVER_TIMEOUT,
    );
    orphans::end_of(sm, id);
}

/// Takes a child out of the table, ending it with `status` if it still runs: the session it had
/// made.
fn forget<S: System>(sm: &Manager<S>, child: Key, status: Status) -> Option<TerminalId> {
    let instance = sm.tables.lock().instances.remove(child)?;
    close(sm.system, instance.made);
    terminate(sm.system, instance.process, instance.process_id, status);
    close(sm.system, instance.process);
    instance.terminal
}

/// CHILD_SESSION: the child has made `body.session`.
pub(crate) fn child_session<S: System>(
    sm: &Manager<S>,
    client: &Client,
    body: &mut ChildSession,
) -> Result<()> {
    let made = {
        let mut tables = sm.tables.lock();
        let instance = tables.instance_has_made(client.process_id, TerminalId(body.session))?;
        body.set_command(instance.command.as_str());
        instance.made
    };
    sm.system.set_event(made)
}

/// CHILD_PROCESS: the child `caller` has created a server, still suspended, or the initial command.
pub(crate) fn child_process<S: System>(
    sm: &'static Manager<S>,
    client: &Client,
    caller: ClientId,
    body: &mut ChildProcess,
) -> Result<()> {
    let system = sm.system;
    let terminal = TerminalId(body.session);
    let made = sm
        .tables
        .lock()
        .instances
        .of(client.process_id)
        .and_then(|instance| instance.terminal);
    if made != Some(terminal) || body.role > ChildProcess::INITIAL {
        return Err(Status::INVALID_PARAMETER);
    }
    let child = Owned::new(
        system,
        system.open_process(caller, Access::PROCESS_DUP_HANDLE)?,
    );
    let process = identity::take(system, child.get(), body.process, Access::PROCESS_ALL)?;
    let basic = system.query_exit(process.get())?;
    let process_id = ProcessId::of(ClientId {
        process: basic.process,
        ..body.client
    });
    // A child instance reports what it has created itself, in its session, and once.
    if basic.parent != caller.process
        || system.query_session(process.get())? != terminal.0
        || process_id.is_none_or(|process_id| sm.tables.lock().knows(process_id))
    {
        return Err(Status::INVALID_PARAMETER);
    }
    if body.role == ChildProcess::INITIAL {
        let mut tables = sm.tables.lock();
        tables.terminals.initial_created(terminal, process_id);
        if !tables.terminals.keep_initial(terminal, process.get()) {
            return Err(Status::DELETE_PENDING);
        }
        // The record owns it now.
        let _ = process.into_raw();
        return Ok(());
    }
    // Somebody may have ended the session while it is being made.
    if !sm.tables.lock().terminals.knows(terminal) {
        return Err(Status::DELETE_PENDING);
    }
    let server = servers::reserve(sm, terminal)?;
    let noted = sm
        .tables
        .lock()
        .servers
        .created(server.key(), process.into_raw(), process_id);
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
            servers::retire(sm, server.key());
            Err(status)
        }
    }
}
