// SPDX-License-Identifier: GPL-2.0-or-later
//! The services of processes, threads and sessions (spec 1.1, 1.4, 9.3, 9.7, 12.5), and how
//! everybody finds the records of them.

pub mod create;
pub mod end;
pub mod query;
pub mod session;
mod settings;
pub mod start;
pub mod suspend;
#[cfg(test)]
mod tests;

use super::{Body, Executive};
use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::layout::ClientId;
use crate::ob::prelude::*;
use crate::ob::{Hooks, Kind};
use crate::ps::{Process, Thread};
use crate::se::{Sid, Token};
use nt::access::Access;
use nt::{Handle, Result, Status};

/// What the object manager asks of a process object.
pub const PROCESS_HOOKS: Hooks<Executive> = Hooks {
    delete: Some(forget),
    ..Hooks::NONE
};
/// What the object manager asks of a thread object.
pub const THREAD_HOOKS: Hooks<Executive> = Hooks {
    delete: Some(forget),
    ..Hooks::NONE
};

/// The last reference to the object has gone.
fn forget(executive: &mut Executive, _: ObjectId, body: Body) {
    match body {
        Body::Process(process) => {
            if let Some(process) = executive.processes.remove(&process) {
                executive.dereference(process.token);
            }
        }
        Body::Thread(thread) => {
            if let Some(thread) = executive.threads.remove(&thread) {
                let owner = executive
                    .processes
                    .get(&thread.process)
                    .map(|process| process.object);
                if let Some(owner) = owner {
                    executive.dereference(owner);
                }
            }
        }
        _ => {}
    }
}

impl Executive {
    /// A thread that somebody still refers to.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn thread(&self, thread: ThreadId) -> Result<&Thread> {
        self.threads.get(&thread).ok_or(Status::INVALID_CID)
    }

    /// The same, to change.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn thread_mut(&mut self, thread: ThreadId) -> Result<&mut Thread> {
        self.threads.get_mut(&thread).ok_or(Status::INVALID_CID)
    }

    /// A process that somebody still refers to.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn process(&self, process: ProcessId) -> Result<&Process> {
        self.processes.get(&process).ok_or(Status::INVALID_CID)
    }

    /// The same, to change.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn process_mut(&mut self, process: ProcessId) -> Result<&mut Process> {
        self.processes.get_mut(&process).ok_or(Status::INVALID_CID)
    }

    /// The process of a thread.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn process_of(&self, thread: ThreadId) -> Result<&Process> {
        self.process(self.thread(thread)?.process)
    }

    /// Whether what the thread does is done in kernel mode, without access checks: it is one of the
    /// System process's.
    pub fn is_kernel(&self, thread: ThreadId) -> bool {
        self.thread(thread)
            .is_ok_and(|thread| thread.process == ProcessId::SYSTEM)
    }

    /// CLIENT_ID of a thread.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn client_id(&self, thread: ThreadId) -> Result<ClientId> {
        let process = self.thread(thread)?.process;
        Ok(ClientId {
            process: process.0.into(),
            thread: thread.0.into(),
        })
    }

    /// The token a thread acts with: its impersonation token, or its process's.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn token_of(&self, thread: ThreadId) -> Result<&Token> {
        let object = match self.thread(thread)?.impersonation {
            Some(token) => token,
            None => self.process_of(thread)?.token,
        };
        match &self.object(object)?.body {
            Body::Token(token) => Ok(token),
            _ => Err(Status::NO_TOKEN),
        }
    }

    /// A token object's token, to change.
    ///
    /// # Errors
    /// `NO_TOKEN` if it is not one.
    pub fn token_mut(&mut self, object: ObjectId) -> Result<&mut Token> {
        match &mut self.object_mut(object)?.body {
            Body::Token(token) => Ok(token),
            _ => Err(Status::NO_TOKEN),
        }
    }

    /// The user of a process.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn process_user(&self, process: ProcessId) -> Result<Sid> {
        match &self.object(self.process(process)?.token)?.body {
            Body::Token(token) => Ok(token.user.clone()),
            _ => Err(Status::NO_TOKEN),
        }
    }

    /// When a process was made, NT time; 0 if it is not there.
    pub fn process_create_time(&self, process: ProcessId) -> u64 {
        self.process(process)
            .map_or(0, |process| process.create_time)
    }

    /// NT time: 100 ns since 1601.
    pub fn now(&self) -> u64 {
        self.machine.start_time() + self.machine.uptime()
    }

    /// The process behind a handle that was granted `access`.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn process_behind(
        &self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<ProcessId> {
        let object = self.resolve(caller, handle, Some(Kind::Process), access)?;
        match self.object(object)?.body {
            Body::Process(process) => Ok(process),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// The thread behind a handle that was granted `access`.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn thread_behind(
        &self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<ThreadId> {
        let object = self.resolve(caller, handle, Some(Kind::Thread), access)?;
        match self.object(object)?.body {
            Body::Thread(thread) => Ok(thread),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// An id that neither a process nor a thread has or has had.
    pub(crate) fn new_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 4;
        id
    }
}
