// SPDX-License-Identifier: GPL-2.0-or-later
//! Handing a suspended process to its subsystem server: ExecPgm and SbCreateSession (spec 10.5, 10.7).
//!
//! The server, not smss, lets the process run. Handles in a call-back are valid in the server, because it uses them as they are (C7).

use crate::callbacks::{SbApi, SbCreateSession, SbSession, callback};
use crate::clients::Client;
use crate::manager::Manager;
use crate::messages::{ExecPgm, result_of};
use crate::servers::{ServerRef, ServerView};
use crate::slots::Key;
use launch::Child;
use nt::access::Access;
use nt::system::{ImageSubsystem, MessageBuffer, System, UserProcessInformation};
use nt::{ClientId, Handle, Owned, Result, Status};
use zerocopy::FromZeros;

impl<S: System> Manager<S> {
    /// ExecPgm (spec 10.5).
    pub(crate) fn exec_pgm(&'static self, client: &Client, body: &ExecPgm) -> Result<()> {
        let system = self.system;
        let caller = Owned::new(system, system.open_process(client.client, Access::PROCESS_DUP_HANDLE)?);
        let take = |handle: u64, access| {
            // A pseudo handle names whoever uses it, which here would be smss.
            if handle.cast_signed() < 0 {
                return Err(Status::INVALID_HANDLE);
            }
            let own = system.duplicate(caller.get(), Handle(handle), Handle::CURRENT_PROCESS, access)?;
            Ok::<_, Status>(Owned::new(system, own))
        };
        let process = take(body.process.process, Access::PROCESS_ALL)?;
        let thread = take(body.process.thread, Access::THREAD_ALL)?;
        let information = UserProcessInformation { process: process.into_raw().0, thread: thread.into_raw().0, ..body.process };
        let debugger = if body.debug != 0 { client.client } else { ClientId::default() };
        self.adopt(&Child::adopted(system, information), debugger)
    }

    /// Gives `suspended` to the server for its image type in its session; a native process needs none and is resumed (spec 10.5).
    fn adopt(&'static self, suspended: &Child<'_, S>, debugger: ClientId) -> Result<()> {
        let session = self.system.query_session(suspended.process())?;
        if !self.has_servers(session) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let subsystem = suspended.subsystem();
        if let Some(server) = self.server_for(session, subsystem) {
            let id = self.create_session(&server, suspended, None, debugger)?;
            self.note_environment(session, suspended.client().process, id);
            Ok(())
        } else if subsystem == ImageSubsystem::NATIVE {
            self.system.resume_thread(suspended.thread())
        } else {
            nt::warn!("session {session}: no server for image type {}", subsystem.0);
            Err(Status::UNSUCCESSFUL)
        }
    }

    /// Whether any server, connected or not, belongs to `session`.
    pub(crate) fn has_servers(&self, session: u32) -> bool {
        self.find_server(|server| server.session == session).is_some()
    }

    /// SbCreateSession: `server` takes the process over, under a new environment session, whose id is given.
    pub(crate) fn create_session(
        &'static self,
        server: &ServerRef<'_, S>,
        suspended: &Child<'_, S>,
        foreign: Option<Key>,
        debugger: ClientId,
    ) -> Result<u32> {
        let system = self.system;
        let view = server.view();
        let into_server = |handle, access| system.duplicate(Handle::CURRENT_PROCESS, handle, view.process, access);
        let process = into_server(suspended.process(), Access::PROCESS_ALL)?;
        let thread = into_server(suspended.thread(), Access::THREAD_ALL)?;
        let id = self.tables.lock().environments.create(server.key(), foreign, view.session).ok_or(Status::INSUFF_SERVER_RESOURCES)?;
        let mut body = SbCreateSession::new_zeroed();
        body.session = id;
        body.process = UserProcessInformation {
            size: size_of::<UserProcessInformation>() as u32,
            process: process.0,
            thread: thread.0,
            ..*suspended.information()
        };
        body.debugger = debugger;
        let result = self.call_server(&view, callback(SbApi::CREATE_SESSION, &body)).and_then(|reply| result_of(&reply));
        if let Err(status) = result {
            nt::warn!("session {}: the server refuses process {}: {status}", view.session, suspended.client().process);
            self.tables.lock().environments.delete(id);
        }
        result.map(|()| id)
    }

    /// SbTerminateSession: an environment session is to end. Servers may not know the call; the session is forgotten all the same.
    pub(crate) fn terminate_environment(&'static self, owner: Key, id: u32) {
        self.tell_server(owner, SbApi::TERMINATE_SESSION, id);
    }

    /// SbForeignSessionComplete: a session that the server takes part in has ended.
    pub(crate) fn foreign_session_complete(&'static self, server: Key, id: u32) {
        self.tell_server(server, SbApi::FOREIGN_SESSION_COMPLETE, id);
    }

    fn tell_server(&'static self, server: Key, api: SbApi, session: u32) {
        let Some(server) = self.server(server) else { return };
        let told = self.call_server(&server.view(), callback(api, &SbSession { session })).and_then(|reply| result_of(&reply));
        match told {
            Ok(()) | Err(Status::NOT_IMPLEMENTED) => {}
            Err(status) => nt::warn!("environment session {session}: call-back {}: {status}", api.0),
        }
    }

    /// One call to a server's call-back port: the reply. In a session other than 0 a server that does not answer in time is ended.
    /// `PORT_DISCONNECTED` if the call-back port was never reached. The caller holds the reference that `view` was taken from.
    pub(crate) fn call_server(&'static self, view: &ServerView, message: MessageBuffer) -> Result<MessageBuffer> {
        if view.callback.is_null() || view.terminating {
            return Err(Status::PORT_DISCONNECTED);
        }
        let mut message = message;
        if view.session == 0 {
            self.system.request_wait_reply(view.callback, &mut message)?;
        } else {
            self.bounded(view.process, || self.system.request_wait_reply(view.callback, &mut message))?;
        }
        Ok(message)
    }
}
