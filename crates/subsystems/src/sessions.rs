// SPDX-License-Identifier: GPL-2.0-or-later
//! Terminal sessions: made, ended, and undone when something fails half-way (spec 9.2, 11.2, 11.3).
//!
//! In NT 5.2 the resident smss makes a session itself: it enters a new session space, starts the
//! servers and the initial command, which thereby join it, and leaves again. A failure at any step
//! ends what the step's predecessors started, and its own status is what the client gets (D4, D7).

use crate::callback;
use crate::initial;
use crate::kernel::{close, end};
use crate::manager::Manager;
use crate::policy::SERVER_TIMEOUT;
use crate::servers::{self, ServerRef};
use crate::session_space;
use crate::start;
use crate::state::environments::Environment;
use crate::state::ids::TerminalId;
use crate::state::slots::Key;
use nt::system::{ImageSubsystem, System};
use nt::{Result, Status, UnicodeStr};
use sm_protocol::sb::SbApi;

/// StartCsr in NT 5.2: a new session with its servers and `command`, or the default one if that is
/// empty (spec 11.3). Blocks until it stands.
pub(crate) fn start<S: System>(
    sm: &'static Manager<S>,
    command: UnicodeStr<'_>,
) -> Result<TerminalId> {
    let _inside = session_space::pass_gate(sm)?;
    // Without a Kmode entry there is no session space to make, and so only ever session 0.
    let terminal = session_space::enter(sm)?.ok_or(Status::NOT_SUPPORTED)?;
    let result = populate(sm, terminal, command);
    if let Err(status) = result {
        undo(sm, terminal, status);
    }
    // A failure has been told, and the next one inside the gate tries again.
    let _ = session_space::leave(sm);
    result.map(|()| terminal)
}

/// Everything that `terminal` consists of.
fn populate<S: System>(
    sm: &'static Manager<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
) -> Result<()> {
    let plan = sm.plan()?;
    sm.tables.lock().terminals.start(terminal)?;
    start::required(sm, plan, terminal)?;
    let mut text = initial::Command::new();
    initial::choose(sm.system, sm.policy(), plan, terminal.0, command, &mut text)?;
    initial::start(sm, terminal, text.as_str())
}

/// StopCsr (spec 11.3). `INVALID_PARAMETER` for session 0, `OBJECT_NAME_NOT_FOUND` for one that is
/// not there. Blocks.
pub(crate) fn stop<S: System>(sm: &'static Manager<S>, terminal: TerminalId) -> Result<()> {
    if terminal == TerminalId::CONSOLE {
        return Err(Status::INVALID_PARAMETER);
    }
    let _inside = session_space::pass_gate(sm)?;
    let known = sm.tables.lock().terminals.knows(terminal);
    if !known && !servers::any_in(sm, terminal) {
        return Err(Status::OBJECT_NAME_NOT_FOUND);
    }
    nt::info!("session {terminal}: ending");
    tear_down(sm, terminal);
    Ok(())
}

/// Ends `terminal`, whose start has failed with `status`.
pub(crate) fn undo<S: System>(sm: &'static Manager<S>, terminal: TerminalId, status: Status) {
    nt::error!("session {terminal}: {status}: what was started is ended again");
    tear_down(sm, terminal);
}

/// Ends everything of `terminal` that smss started there and forgets it: environment sessions,
/// initial command, servers, csrss last.
pub(crate) fn tear_down<S: System>(sm: &'static Manager<S>, terminal: TerminalId) {
    let record = sm.tables.lock().terminals.remove(terminal);
    while let Some(environment) = take_environment(sm, terminal) {
        callback::tell(
            sm,
            environment.owner,
            SbApi::TERMINATE_SESSION,
            environment.id,
        );
    }
    if let Some(record) = record {
        end(
            sm.system,
            record.initial,
            record.initial_id,
            Status::SUCCESS,
            SERVER_TIMEOUT,
        );
        close(sm.system, record.initial);
    }
    while let Some(server) = next_to_end(sm, terminal) {
        servers::retire(sm, server.key());
        let record = server.view();
        end(
            sm.system,
            record.process,
            record.process_id,
            Status::SUCCESS,
            SERVER_TIMEOUT,
        );
    }
}

fn take_environment<S: System>(sm: &Manager<S>, terminal: TerminalId) -> Option<Environment> {
    sm.tables.lock().environments.take_of(terminal)
}

/// The server of `terminal` to be ended next: csrss comes last.
fn next_to_end<S: System>(sm: &Manager<S>, terminal: TerminalId) -> Option<ServerRef<'_, S>> {
    servers::find(sm, &|server| {
        server.terminal == terminal && !server.serves(ImageSubsystem::WINDOWS_GUI)
    })
    .or_else(|| servers::find(sm, &|server| server.terminal == terminal))
}

/// A subsystem server has disconnected: it is out of service, and a session that stood on it ends
/// (D3). Blocks.
pub(crate) fn server_gone<S: System>(sm: &'static Manager<S>, key: Key) {
    let Some(record) = servers::retire(sm, key) else {
        return;
    };
    let terminal = record.terminal;
    nt::error!(
        "session {terminal}: the server for image type {} is gone",
        record.subsystem.0
    );
    // Session 0's csrss is what the main thread waits for.
    if terminal == TerminalId::CONSOLE || !record.serves(ImageSubsystem::WINDOWS_GUI) {
        return;
    }
    let stands = sm.tables.lock().terminals.server_lost(terminal);
    if stands {
        tear_down(sm, terminal);
    }
}

/// An environment session has ended. In NT 6 a session (other than 0) does not outlive its initial
/// command. Blocks then.
pub(crate) fn environment_ended<S: System>(
    sm: &'static Manager<S>,
    environment: &Environment,
) -> Result<()> {
    let terminal = environment.terminal;
    if terminal == TerminalId::CONSOLE || !sm.policy().session_ends_with_initial {
        return Ok(());
    }
    let ends = sm
        .tables
        .lock()
        .terminals
        .process_ended(terminal, environment.process);
    if !ends {
        return Ok(());
    }
    nt::info!("session {terminal}: its initial command has ended");
    stop(sm, terminal)
}
