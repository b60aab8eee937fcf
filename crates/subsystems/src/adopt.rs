// SPDX-License-Identifier: GPL-2.0-or-later
//! Handing a suspended process to its subsystem server: ExecPgm and SbCreateSession (spec 10.5,
//! 10.7).
//!
//! The server, not smss, lets the process run. Handles in a call-back are valid in the server,
//! because it uses them as they are (C7).

use crate::clients::Client;
use crate::manager::Manager;
use crate::servers::{Server, ServerRef};
use crate::slots::Key;
use nt::access::Access;
use nt::system::{ImageSubsystem, MessageBuffer, System, UserProcessInformation};
use nt::{ClientId, Handle, Owned, Result, Status};
use sm_protocol::result_of;
use sm_protocol::sb::{SbApi, SbCreateSession, SbSession, callback};
use sm_protocol::sm::ExecPgm;
use zerocopy::FromZeros;

impl<S: System> Manager<S> {
    /// ExecPgm (spec 10.5).
    #[inline(never)]
    pub(crate) fn exec_pgm(&'static self, client: &Client, body: &ExecPgm) -> Result<()> {
        let system = self.system;
        let caller = Owned::new(
            system,
            system.open_process(client.client, Access::PROCESS_DUP_HANDLE)?,
        );
        let take = |handle: u64, access| {
            // A pseudo handle names whoever uses it, which here would be smss.
            if handle.cast_signed() < 0 {
                return Err(Status::INVALID_HANDLE);
            }
            let own = system.duplicate(
                caller.get(),
                Handle(handle),
                Handle::CURRENT_PROCESS,
                access,
            )?;
            Ok::<_, Status>(Owned::new(system, own))
        };
        let process = take(body.process.process, Access::PROCESS_ALL)?;
        let thread = take(body.process.thread, Access::THREAD_ALL)?;
        let suspended = UserProcessInformation {
            process: process.get().0,
            thread: thread.get().0,
            ..body.process
        };
        let debugger = if body.debug != 0 {
            client.client
        } else {
            ClientId::default()
        };
        self.adopt(&suspended, debugger)
    }

    /// Gives `suspended` to the server for its image type in its session; a native process needs
    /// none and is resumed (spec 10.5).
    #[inline(never)]
    fn adopt(&'static self, suspended: &UserProcessInformation, debugger: ClientId) -> Result<()> {
        let session = self.system.query_session(Handle(suspended.process))?;
        if !self.has_servers(session) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let subsystem = suspended.image.subsystem;
        if let Some(server) = self.server_for(session, subsystem) {
            let id = self.create_session(&server, suspended, None, debugger)?;
            if let Some(terminal) = self.tables.lock().session(session)
                && terminal.initial_client == suspended.client.process
            {
                terminal.initial_environment = id;
            }
            Ok(())
        } else if subsystem == ImageSubsystem::NATIVE {
            self.system.resume_thread(Handle(suspended.thread))
        } else {
            nt::warn!(
                "session {session}: no server for image type {}",
                subsystem.0
            );
            Err(Status::UNSUCCESSFUL)
        }
    }

    /// SbCreateSession: `server` takes the process over, under a new environment session, whose id
    /// is given.
    pub(crate) fn create_session(
        &'static self,
        server: &ServerRef<'_, S>,
        suspended: &UserProcessInformation,
        foreign: Option<Key>,
        debugger: ClientId,
    ) -> Result<u32> {
        let record = server.view();
        let into_server = |handle, access| {
            self.system.duplicate(
                Handle::CURRENT_PROCESS,
                Handle(handle),
                record.process,
                access,
            )
        };
        let process = into_server(suspended.process, Access::PROCESS_ALL)?;
        let thread = into_server(suspended.thread, Access::THREAD_ALL)?;
        let id = self
            .tables
            .lock()
            .environments
            .create(server.key(), foreign, record.session)
            .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
        let mut body = SbCreateSession::new_zeroed();
        body.session = id;
        body.process = *suspended;
        body.process.size = size_of::<UserProcessInformation>() as u32;
        body.process.process = process.0;
        body.process.thread = thread.0;
        body.debugger = debugger;
        let result = self.call_server(&record, &mut callback(SbApi::CREATE_SESSION, &body));
        if let Err(status) = result {
            nt::warn!(
                "session {}: the server refuses process {}: {status}",
                record.session,
                suspended.client.process
            );
            self.tables.lock().environments.delete(id);
        }
        result.map(|()| id)
    }

    /// Tells a server what becomes of an environment session: [`SbApi::TERMINATE_SESSION`], or, if
    /// it only takes part in it, [`SbApi::FOREIGN_SESSION_COMPLETE`]. Servers may not know the
    /// calls; the session is forgotten all the same.
    pub(crate) fn tell_server(&'static self, server: Key, api: SbApi, session: u32) {
        let Some(server) = self.server(server) else {
            return;
        };
        match self.call_server(&server.view(), &mut callback(api, &SbSession { session })) {
            Ok(()) | Err(Status::NOT_IMPLEMENTED) => {}
            Err(status) => nt::warn!(
                "environment session {session}: call-back {}: {status}",
                api.0
            ),
        }
    }

    /// One call to a server's call-back port: the reply takes the message's place, its result is
    /// the call's. In a session other than 0 a server that does not answer in time is ended.
    /// `PORT_DISCONNECTED` if the call-back port was never reached. The caller holds the
    /// reference that `server` was copied from.
    pub(crate) fn call_server(
        &'static self,
        server: &Server,
        message: &mut MessageBuffer,
    ) -> Result<()> {
        if server.callback.is_null() || server.terminating {
            return Err(Status::PORT_DISCONNECTED);
        }
        if server.session == 0 {
            self.system.request_wait_reply(server.callback, message)?;
        } else {
            self.bounded_call(server, message)?;
        }
        result_of(message)
    }
}
