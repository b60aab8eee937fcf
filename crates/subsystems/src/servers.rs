// SPDX-License-Identifier: GPL-2.0-or-later
//! Subsystem servers in use: references to their records, lookups, and the end of their service
//! (spec 9.1).

use crate::end;
use crate::kernel::{close, new_event, terminate};
use crate::manager::Manager;
use crate::state::ids::{ProcessId, TerminalId};
use crate::state::servers::{self as state, Server};
use crate::state::slots::Key;
use nt::system::{ImageSubsystem, System};
use nt::{Handle, Result, Status};

/// A reference to a record: while it lives, the handles of the record stay open.
pub(crate) struct ServerRef<'m, S: System> {
    manager: &'m Manager<S>,
    key: Key,
}

impl<S: System> ServerRef<'_, S> {
    /// The record's key.
    pub(crate) const fn key(&self) -> Key {
        self.key
    }

    /// The record as it is now.
    #[inline(never)]
    pub(crate) fn view(&self) -> Server {
        // This reference keeps the record, so there is one.
        self.manager
            .tables
            .lock()
            .servers
            .get(self.key)
            .unwrap_or(Server::GONE)
    }
}

impl<S: System> Drop for ServerRef<'_, S> {
    fn drop(&mut self) {
        release(self.manager, self.key);
    }
}

/// A new record with its event, for a server that is about to be created in `terminal`.
pub(crate) fn reserve<S: System>(
    sm: &Manager<S>,
    terminal: TerminalId,
) -> Result<ServerRef<'_, S>> {
    let event = new_event(sm.system)?;
    let key = sm
        .tables
        .lock()
        .servers
        .reserve(event.get(), terminal)
        .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
    // The record owns the event now.
    let _ = event.into_raw();
    Ok(ServerRef { manager: sm, key })
}

/// Whether it is a server's turn to be started.
pub(crate) enum Turn<'m, S: System> {
    /// It has a record now.
    Now(ServerRef<'m, S>),
    /// Another one of its session is starting.
    After(ServerRef<'m, S>),
    /// The session has such a server.
    NotNeeded,
}

/// A new record if it is the turn of a server of `terminal` that will serve `serves`,
/// [`ImageSubsystem::UNKNOWN`] if that is not known: servers of a session are started one after the
/// other (spec 9.4 #2, #3).
pub(crate) fn take_turn<S: System>(
    sm: &Manager<S>,
    terminal: TerminalId,
    serves: ImageSubsystem,
) -> Result<Turn<'_, S>> {
    let event = new_event(sm.system)?;
    let turn = sm
        .tables
        .lock()
        .servers
        .reserve_next(event.get(), terminal, serves);
    match turn {
        state::Turn::Now(key) => {
            // The record owns the event now.
            let _ = event.into_raw();
            Ok(Turn::Now(ServerRef { manager: sm, key }))
        }
        state::Turn::After(key) => Ok(Turn::After(ServerRef { manager: sm, key })),
        state::Turn::NotNeeded => Ok(Turn::NotNeeded),
        state::Turn::Never => Err(Status::INSUFF_SERVER_RESOURCES),
    }
}

/// The first server in service that `matches`.
#[inline(never)]
pub(crate) fn find<'m, S: System>(
    sm: &'m Manager<S>,
    matches: &dyn Fn(&Server) -> bool,
) -> Option<ServerRef<'m, S>> {
    let key = sm.tables.lock().servers.acquire_first(matches)?;
    Some(ServerRef { manager: sm, key })
}

/// The server that `key` names, unless it is retired.
pub(crate) fn by_key<S: System>(sm: &Manager<S>, key: Key) -> Option<ServerRef<'_, S>> {
    let key = sm.tables.lock().servers.acquire(key)?;
    Some(ServerRef { manager: sm, key })
}

/// The server whose process this is.
pub(crate) fn of_process<S: System>(
    sm: &Manager<S>,
    process: ProcessId,
) -> Option<ServerRef<'_, S>> {
    find(sm, &|server| server.process_id == Some(process))
}

/// Whether any server, registered or not, belongs to `terminal`.
pub(crate) fn any_in<S: System>(sm: &Manager<S>, terminal: TerminalId) -> bool {
    find(sm, &|server| server.terminal == terminal).is_some()
}

/// The server for images of `subsystem` in `terminal`. csrss serves graphical and character images
/// alike (D32).
pub(crate) fn serving<S: System>(
    sm: &Manager<S>,
    terminal: TerminalId,
    subsystem: ImageSubsystem,
) -> Option<ServerRef<'_, S>> {
    let exactly = |subsystem| {
        find(sm, &|server| {
            server.terminal == terminal && server.serves(subsystem)
        })
    };
    let alike = match subsystem {
        ImageSubsystem::WINDOWS_CUI => ImageSubsystem::WINDOWS_GUI,
        ImageSubsystem::WINDOWS_GUI => ImageSubsystem::WINDOWS_CUI,
        other => other,
    };
    exactly(subsystem).or_else(|| exactly(alike))
}

/// The Windows server of `terminal`: csrss.
pub(crate) fn windows<S: System>(
    sm: &Manager<S>,
    terminal: TerminalId,
) -> Option<ServerRef<'_, S>> {
    serving(sm, terminal, ImageSubsystem::WINDOWS_GUI)
}

/// The process handle of the Windows server of `terminal`, which belongs to the caller from now on.
pub(crate) fn lend_windows<S: System>(sm: &Manager<S>, terminal: TerminalId) -> Option<Handle> {
    let server = windows(sm, terminal)?;
    // If it is retired, the wait for it tells.
    sm.tables.lock().servers.lend_process(server.key())
}

/// Takes a server out of service: it is no longer found, nobody waits for it, its environment
/// sessions are forgotten. What it was; `None` if it was out of service before.
#[inline(never)]
pub(crate) fn retire<S: System>(sm: &Manager<S>, key: Key) -> Option<Server> {
    let server = sm.tables.lock().retire_server(key);
    if let Some(server) = &server {
        // Its handles are open: the table's own reference is still there.
        release_starter(sm, server);
        release(sm, key);
    }
    server
}

/// Lets the starter of a server go on. It waits for the event or for the process: if it cannot have
/// the one, it gets the other. Session 0's csrss may be critical by now, and its end would say
/// nothing of the reason.
pub(crate) fn release_starter<S: System>(sm: &Manager<S>, server: &Server) {
    let Err(status) = sm.system.set_event(server.event) else {
        return;
    };
    nt::error!(
        "subsystem server: event: {status}: process {} is ended",
        server.process_id.map_or(0, ProcessId::number)
    );
    if server.terminal == TerminalId::CONSOLE && server.serves(ImageSubsystem::WINDOWS_GUI) {
        end::stop_and_end(sm.system, status);
    } else {
        terminate(sm.system, server.process, server.process_id, status);
    }
}

fn release<S: System>(sm: &Manager<S>, key: Key) {
    let gone = sm.tables.lock().servers.release(key);
    if let Some(server) = gone {
        close(sm.system, server.callback);
        close(sm.system, server.event);
        close(sm.system, server.own_process());
    }
}
