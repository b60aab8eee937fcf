// SPDX-License-Identifier: GPL-2.0-or-later
//! The API numbers of `\SmApiPort` (spec 10.4).
//!
//! Lengths are checked against the layouts before anything is looked at; a number that is not
//! served is answered NOT_IMPLEMENTED.

use super::pool::{hold, leave_a_receiver, try_to_leave_a_receiver};
use super::query;
use crate::callback;
use crate::exec;
use crate::manager::Manager;
use crate::nt6::resident;
use crate::policy::SessionModel;
use crate::servers;
use crate::sessions;
use crate::start;
use crate::state::clients::Client;
use crate::state::ids::{EnvironmentId, ProcessId, TerminalId};
use nt::system::{MessageBuffer, System};
use nt::{Result, Status};
use sm_protocol::sb::SbApi;
use sm_protocol::sm::{LoadDeferred, SessionComplete, SmApi, StartCsr, StopCsr};
use sm_protocol::{ApiMessage, body_in, counted};

/// Serves one request of `client`; what it gives out is written into `message`. Blocks while the
/// verb does.
pub(super) fn serve<S: System>(
    sm: &'static Manager<S>,
    client: &Client,
    message: &mut MessageBuffer,
) -> Result<()> {
    let sender = message.header.client;
    let (header, sent) = message.parts_mut()?;
    let is_child = resident::is_child(sm, client);
    match SmApi(header.number) {
        SmApi::CREATE_FOREIGN_SESSION
        | SmApi::SESSION_COMPLETE
        | SmApi::TERMINATE_FOREIGN_SESSION
            if client.server.is_none() =>
        {
            Err(Status::INVALID_PARAMETER)
        }
        SmApi::SESSION_COMPLETE => session_complete(sm, client, body_in(sent)?),
        SmApi::EXEC_PGM => {
            let body = body_in(sent)?;
            // What a child instance asks for is what a client's request waits for.
            let _held = if is_child {
                leave_a_receiver(sm)?;
                None
            } else {
                Some(hold(sm, client.process_id)?)
            };
            exec::exec_pgm(sm, sender, body)
        }
        SmApi::LOAD_DEFERRED_SUBSYSTEM => {
            let body: &mut LoadDeferred = body_in(sent)?;
            let name = counted(&body.name, body.length)?;
            if name.is_empty() {
                return Err(Status::INVALID_PARAMETER);
            }
            let _held = hold(sm, client.process_id)?;
            start::deferred(sm, client.terminal, name)
        }
        SmApi::START_CSR => start_csr(sm, client, body_in(sent)?),
        SmApi::STOP_CSR => {
            let body: &mut StopCsr = body_in(sent)?;
            let _held = hold(sm, client.process_id)?;
            sessions::stop(sm, TerminalId(body.session))
        }
        SmApi::QUERY_INFORMATION => query::sessions(sm, body_in(sent)?),
        SmApi::CHILD_SESSION if is_child => resident::child_session(sm, client, body_in(sent)?),
        SmApi::CHILD_PROCESS if is_child => {
            resident::child_process(sm, client, sender, body_in(sent)?)
        }
        SmApi(_) => Err(Status::NOT_IMPLEMENTED),
    }
}

/// StartCsr: a new terminal session (spec 10.4 #5).
fn start_csr<S: System>(
    sm: &'static Manager<S>,
    client: &Client,
    body: &mut StartCsr,
) -> Result<()> {
    let command = counted(&body.command, body.length)?;
    let _held = hold(sm, client.process_id)?;
    let terminal = match sm.policy().sessions {
        SessionModel::Resident => sessions::start(sm, command),
        SessionModel::ChildInstance => resident::start(sm, command),
    }?;
    let server = servers::windows(sm, terminal).and_then(|server| server.view().process_id);
    let initial = sm.tables.lock().terminals.initial_id(terminal);
    body.session = terminal.0;
    body.server = server.map_or(0, ProcessId::number);
    body.initial = initial.map_or(0, ProcessId::number);
    Ok(())
}

/// SessionComplete: an environment session of the caller's has ended (spec 10.4 #1).
fn session_complete<S: System>(
    sm: &'static Manager<S>,
    client: &Client,
    body: &SessionComplete,
) -> Result<()> {
    let environment = {
        let mut tables = sm.tables.lock();
        let environment = tables
            .environments
            .find(EnvironmentId(body.session))
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if client.server != Some(environment.owner) {
            return Err(Status::ACCESS_DENIED);
        }
        tables.environments.delete(environment.id);
        environment
    };
    nt::info!(
        "session {}: environment session {} has ended: {}",
        environment.terminal,
        environment.id,
        Status::new(body.status)
    );
    // It has ended, whether a thread can be had or not, and every wait that follows has a bound.
    try_to_leave_a_receiver(sm);
    if let Some(foreign) = environment.foreign {
        callback::tell(sm, foreign, SbApi::FOREIGN_SESSION_COMPLETE, environment.id);
    }
    sessions::environment_ended(sm, &environment)
}
