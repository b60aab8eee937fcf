// SPDX-License-Identifier: GPL-2.0-or-later
//! Calls to a subsystem server's call-back port (spec 10.7).
//!
//! Handles in a call are valid in the server, because it uses them as they are (C7).

use crate::manager::Manager;
use crate::servers::{self, ServerRef};
use crate::state::ids::{EnvironmentId, ProcessId, TerminalId};
use crate::state::servers::Server;
use crate::state::slots::Key;
use nt::access::Access;
use nt::system::{MessageBuffer, System, UserProcessInformation};
use nt::{ClientId, Handle, Result, Status};
use sm_protocol::result_of;
use sm_protocol::sb::{SbApi, SbCreateSession, SbSession, callback};
use zerocopy::FromZeros;

/// SbCreateSession: `server` takes the suspended process over, under a new environment session,
/// and lets it run. `foreign` is the record of a process that is itself a server.
pub(crate) fn create_session<S: System>(
    sm: &'static Manager<S>,
    server: &ServerRef<'_, S>,
    suspended: &UserProcessInformation,
    foreign: Option<Key>,
    debugger: ClientId,
) -> Result<()> {
    let record = server.view();
    let into_server = |handle, access| {
        sm.system.duplicate(
            Handle::CURRENT_PROCESS,
            Handle(handle),
            record.process,
            access,
        )
    };
    let process = into_server(suspended.process, Access::PROCESS_ALL)?;
    let thread = into_server(suspended.thread, Access::THREAD_ALL)?;
    let environment = sm
        .tables
        .lock()
        .environments
        .create(
            server.key(),
            foreign,
            record.terminal,
            ProcessId::of(suspended.client),
        )
        .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
    let mut body = SbCreateSession::new_zeroed();
    body.session = environment.0;
    body.process = *suspended;
    body.process.size = size_of::<UserProcessInformation>() as u32;
    body.process.process = process.0;
    body.process.thread = thread.0;
    body.debugger = debugger;
    let result = call(sm, &record, &mut callback(SbApi::CREATE_SESSION, &body));
    if let Err(status) = result {
        sm.tables.lock().environments.delete(environment);
        nt::warn!(
            "session {}: the server refuses process {}: {status}",
            record.terminal,
            suspended.client.process
        );
    }
    result
}

/// Tells a server what becomes of an environment session: [`SbApi::TERMINATE_SESSION`], or, if it
/// only takes part in it, [`SbApi::FOREIGN_SESSION_COMPLETE`]. Servers may not know the calls; the
/// session is forgotten all the same.
pub(crate) fn tell<S: System>(
    sm: &'static Manager<S>,
    server: Key,
    api: SbApi,
    environment: EnvironmentId,
) {
    let Some(server) = servers::by_key(sm, server) else {
        return;
    };
    let body = SbSession {
        session: environment.0,
    };
    match call(sm, &server.view(), &mut callback(api, &body)) {
        Ok(()) | Err(Status::NOT_IMPLEMENTED) => {}
        Err(status) => nt::warn!(
            "environment session {environment}: call-back {}: {status}",
            api.0
        ),
    }
}

/// One call to a server's call-back port: the reply takes the message's place, its result is the
/// call's. In a session other than 0 a server that does not answer in time is ended.
/// `PORT_DISCONNECTED` if the call-back port was never reached. The caller holds the reference that
/// `server` was copied from. Blocks.
pub(crate) fn call<S: System>(
    sm: &'static Manager<S>,
    server: &Server,
    message: &mut MessageBuffer,
) -> Result<()> {
    if server.callback.is_null() || server.retired {
        return Err(Status::PORT_DISCONNECTED);
    }
    if server.terminal == TerminalId::CONSOLE {
        sm.system.request_wait_reply(server.callback, message)?;
    } else {
        sm.watchdogs.call(sm.system, server, message)?;
    }
    result_of(message)
}
