// SPDX-License-Identifier: GPL-2.0-or-later
//! The API numbers of `\SmApiPort` (spec 10.4).
//!
//! Lengths are checked against the layouts before anything is looked at; a number that is not
//! served is answered NOT_IMPLEMENTED.

use crate::clients::Client;
use crate::manager::Manager;
use nt::system::{ImageSubsystem, MessageBuffer, System};
use nt::{Result, Status};
use sm_protocol::sb::SbApi;
use sm_protocol::sm::{
    LoadDeferred, QUERY_ENTRIES, QuerySessions, SessionComplete, SessionEntry, SmApi, StartCsr,
    StopCsr,
};
use sm_protocol::{ApiMessage, counted};

impl<S: System> Manager<S> {
    /// Serves one request; what it gives out is written into `message`.
    #[inline(never)]
    pub(crate) fn request(
        &'static self,
        client: &Client,
        message: &mut MessageBuffer,
    ) -> Result<()> {
        let number = SmApi(message.api()?.number);
        match number {
            SmApi::CREATE_FOREIGN_SESSION
            | SmApi::SESSION_COMPLETE
            | SmApi::TERMINATE_FOREIGN_SESSION
                if client.server.is_none() =>
            {
                Err(Status::INVALID_PARAMETER)
            }
            SmApi::SESSION_COMPLETE => self.session_complete(client, message.body_mut()?),
            SmApi::EXEC_PGM => {
                let body = message.body_mut()?;
                self.leave_a_receiver()?;
                self.exec_pgm(client, body)
            }
            SmApi::LOAD_DEFERRED_SUBSYSTEM => {
                let body: &mut LoadDeferred = message.body_mut()?;
                let name = counted(&body.name, body.length)?;
                if name.is_empty() {
                    return Err(Status::INVALID_PARAMETER);
                }
                self.leave_a_receiver()?;
                self.load_deferred(client.session, name)
            }
            SmApi::START_CSR => {
                let body: &mut StartCsr = message.body_mut()?;
                let command = counted(&body.command, body.length)?;
                self.leave_a_receiver()?;
                let session = self.start_session(command)?;
                body.session = session;
                body.server = self
                    .windows_server(session)
                    .map_or(0, |server| server.view().client.process);
                body.initial = self.initial_client(session);
                Ok(())
            }
            SmApi::STOP_CSR => {
                let body: &mut StopCsr = message.body_mut()?;
                self.leave_a_receiver()?;
                self.stop_session(body.session)
            }
            SmApi::QUERY_INFORMATION => self.query_sessions(message.body_mut()?),
            SmApi::CHILD_SESSION if self.is_child(client) => {
                self.child_session(client, message.body_mut()?)
            }
            SmApi::CHILD_PROCESS if self.is_child(client) => {
                self.child_process(client, message.body_mut()?)
            }
            SmApi(_) => Err(Status::NOT_IMPLEMENTED),
        }
    }

    /// SessionComplete: an environment session of the caller's has ended (spec 10.4 #1).
    #[inline(never)]
    fn session_complete(&'static self, client: &Client, body: &SessionComplete) -> Result<()> {
        let environment = {
            let mut tables = self.tables.lock();
            let environment = tables
                .environments
                .find(body.session)
                .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
            if client.server != Some(environment.owner) {
                return Err(Status::ACCESS_DENIED);
            }
            tables.environments.delete(environment.id);
            environment
        };
        nt::info!(
            "session {}: environment session {} has ended: {}",
            environment.session,
            environment.id,
            Status(body.status)
        );
        if let Some(foreign) = environment.foreign
            && self.leave_a_receiver().is_ok()
        {
            self.tell_server(foreign, SbApi::FOREIGN_SESSION_COMPLETE, environment.id);
        }
        self.environment_ended(&environment)
    }

    /// QueryInformation, our class: the subsystem servers, their sessions, and the sessions'
    /// initial commands.
    #[inline(never)]
    fn query_sessions(&self, body: &mut QuerySessions) -> Result<()> {
        if body.class != QuerySessions::CLASS {
            return Err(Status::NOT_IMPLEMENTED);
        }
        body.entries = [SessionEntry::default(); QUERY_ENTRIES];
        body.count = 0;
        let mut passed = 0;
        let tables = self.tables.lock();
        for server in tables
            .servers
            .iter()
            .filter(|server| server.client.process != 0)
        {
            passed += 1;
            let Some(place) = body.entries.get_mut(body.count as usize) else {
                break;
            };
            if passed <= body.first {
                continue;
            }
            let session = tables
                .sessions
                .iter()
                .find(|session| session.id == server.session);
            *place = SessionEntry {
                session: server.session,
                subsystem: server.subsystem.unwrap_or(ImageSubsystem::UNKNOWN),
                // Ids of processes are those of handles: multiples of 4 far below 2^32.
                server: server.client.process as u32,
                initial: session.map_or(0, |session| session.initial_client as u32),
            };
            body.count += 1;
        }
        // At most 16 entries of 16 bytes.
        body.length = 8 + body.count * size_of::<SessionEntry>() as u32;
        Ok(())
    }
}
