// SPDX-License-Identifier: GPL-2.0-or-later
//! ExecPgm: handing a suspended process to its subsystem server (spec 10.5).
//!
//! The server, not smss, lets the process run.

use crate::callback;
use crate::identity;
use crate::manager::Manager;
use crate::servers;
use crate::state::ids::TerminalId;
use nt::access::Access;
use nt::system::{ImageSubsystem, System, UserProcessInformation};
use nt::{ClientId, Handle, Owned, Result, Status};
use sm_protocol::sm::ExecPgm;

/// ExecPgm of `caller` (spec 10.5). Blocks until the server has answered.
#[inline(never)]
pub(crate) fn exec_pgm<S: System>(
    sm: &'static Manager<S>,
    caller: ClientId,
    body: &ExecPgm,
) -> Result<()> {
    let system = sm.system;
    let client = Owned::new(
        system,
        system.open_process(caller, Access::PROCESS_DUP_HANDLE)?,
    );
    let take = |handle, access| identity::take(system, client.get(), handle, access);
    let process = take(body.process.process, Access::PROCESS_ALL)?;
    let thread = take(body.process.thread, Access::THREAD_ALL)?;
    let mut suspended = UserProcessInformation {
        process: process.get().0,
        thread: thread.get().0,
        ..body.process
    };
    // Not whom the message names: the server keeps the process under this id.
    identity::name(system, &mut suspended)?;
    let debugger = if body.debug != 0 {
        caller
    } else {
        ClientId::default()
    };
    let terminal = TerminalId(system.query_session(process.get())?);
    adopt(sm, terminal, &suspended, debugger)
}

/// Gives `suspended`, which is in the session `terminal`, to the server for its image type there; a
/// native process needs none and is resumed.
#[inline(never)]
pub(crate) fn adopt<S: System>(
    sm: &'static Manager<S>,
    terminal: TerminalId,
    suspended: &UserProcessInformation,
    debugger: ClientId,
) -> Result<()> {
    if !servers::any_in(sm, terminal) {
        return Err(Status::OBJECT_NAME_NOT_FOUND);
    }
    let subsystem = suspended.image.subsystem;
    if let Some(server) = servers::serving(sm, terminal, subsystem) {
        callback::create_session(sm, &server, suspended, None, debugger)
    } else if subsystem == ImageSubsystem::NATIVE {
        sm.system.resume_thread(Handle(suspended.thread))
    } else {
        nt::warn!(
            "session {terminal}: no server for image type {}",
            subsystem.0
        );
        Err(Status::UNSUCCESSFUL)
    }
}
