// SPDX-License-Identifier: GPL-2.0-or-later
//! The API numbers of `\SmApiPort` (spec 10.4).
//!
//! Lengths are checked against the layouts before anything is looked at; a number that is not served is answered NOT_IMPLEMENTED.

use crate::clients::Client;
use crate::manager::Manager;
use crate::messages::{
    ApiMessage, ChildProcess, ChildSession, ExecPgm, LoadDeferred, QUERY_ENTRIES, QuerySessions, SessionComplete, SessionEntry, SmApi,
    StartCsr, StopCsr, counted,
};
use nt::system::{ImageSubsystem, MessageBuffer, System};
use nt::{Result, Status};
use zerocopy::FromZeros;

impl<S: System> Manager<S> {
    /// Serves one request; what it gives out is written into `message`.
    pub(crate) fn request(&'static self, client: &Client, message: &mut MessageBuffer) -> Result<()> {
        let number = SmApi(message.api()?.number);
        match number {
            SmApi::CREATE_FOREIGN_SESSION | SmApi::SESSION_COMPLETE | SmApi::TERMINATE_FOREIGN_SESSION if client.server.is_none() => {
                Err(Status::INVALID_PARAMETER)
            }
            SmApi::SESSION_COMPLETE => self.session_complete(client, &message.body()?),
            SmApi::EXEC_PGM => {
                let body: ExecPgm = message.body()?;
                self.leave_a_receiver()?;
                self.exec_pgm(client, &body)
            }
            SmApi::LOAD_DEFERRED_SUBSYSTEM => {
                let body: LoadDeferred = message.body()?;
                let name = counted(&body.name, body.length)?;
                if name.is_empty() {
                    return Err(Status::INVALID_PARAMETER);
                }
                self.leave_a_receiver()?;
                self.load_deferred(client.session, name)
            }
            SmApi::START_CSR => {
                let mut body: StartCsr = message.body()?;
                let command = counted(&body.command, body.length)?;
                self.leave_a_receiver()?;
                let started = self.start_session(command)?;
                body.session = started.session;
                body.server = started.server;
                body.initial = started.initial;
                message.set_body(&body);
                Ok(())
            }
            SmApi::STOP_CSR => {
                let body: StopCsr = message.body()?;
                self.leave_a_receiver()?;
                self.stop_session(body.session)
            }
            SmApi::QUERY_INFORMATION => {
                let body: QuerySessions = message.body()?;
                message.set_body(&self.query_sessions(&body)?);
                Ok(())
            }
            SmApi::CHILD_SESSION if self.is_child(client) => {
                let body: ChildSession = message.body()?;
                message.set_body(&self.child_session(client, body.session)?);
                Ok(())
            }
            SmApi::CHILD_PROCESS if self.is_child(client) => {
                let body: ChildProcess = message.body()?;
                message.set_body(&self.child_process(client, &body)?);
                Ok(())
            }
            SmApi(_) => Err(Status::NOT_IMPLEMENTED),
        }
    }

    /// SessionComplete: an environment session of the caller's has ended (spec 10.4 #1).
    fn session_complete(&'static self, client: &Client, body: &SessionComplete) -> Result<()> {
        let environment = {
            let mut tables = self.tables.lock();
            let environment = tables.environments.find(body.session).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
            if client.server != Some(environment.owner) {
                return Err(Status::ACCESS_DENIED);
            }
            tables.environments.delete(environment.id);
            environment
        };
        nt::info!("session {}: environment session {} has ended: {}", environment.session, environment.id, Status(body.status));
        if let Some(foreign) = environment.foreign
            && self.leave_a_receiver().is_ok()
        {
            self.foreign_session_complete(foreign, environment.id);
        }
        self.environment_ended(&environment)
    }

    /// QueryInformation, our class: the subsystem servers, their sessions, and the sessions' initial commands.
    fn query_sessions(&self, body: &QuerySessions) -> Result<QuerySessions> {
        if body.class != QuerySessions::CLASS {
            return Err(Status::NOT_IMPLEMENTED);
        }
        let mut answer = QuerySessions::new_zeroed();
        answer.class = body.class;
        answer.first = body.first;
        let tables = self.tables.lock();
        let servers = tables.servers.iter().map(|(_, server)| server).filter(|server| server.client.process != 0);
        let first = usize::try_from(body.first).map_err(|_| Status::INVALID_PARAMETER)?;
        for (place, server) in answer.entries.iter_mut().zip(servers.skip(first)) {
            let session = tables.sessions.iter().map(|(_, session)| session).find(|session| session.id == server.session);
            *place = SessionEntry {
                session: server.session,
                subsystem: server.subsystem.unwrap_or(ImageSubsystem::UNKNOWN),
                server: u32::try_from(server.client.process).unwrap_or(u32::MAX),
                initial: session.and_then(|session| u32::try_from(session.initial_client).ok()).unwrap_or(0),
            };
            answer.count += 1;
        }
        // At most 16 entries of 16 bytes.
        answer.length = 8 + answer.count * size_of::<SessionEntry>() as u32;
        debug_assert!(answer.count as usize <= QUERY_ENTRIES);
        Ok(answer)
    }
}
