// SPDX-License-Identifier: GPL-2.0-or-later
//! Session spaces (spec 9.3, 11.4, 11.5): who is in which, who may make one, and the driver that is
//! loaded into them.
//!
//! NT 5.2 has one session leader a boot, the process that made the first session; it reports
//! session 0 for ever. NT 6 lets each child instance of the Session Manager make its own.

use crate::ids::{ProcessId, ThreadId};
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::se::token::{self, LOAD_DRIVER};
use crate::system::{Body, Executive, Version};
use nt::access::Access;
use nt::{Handle, Result, Status};

/// The one driver that SystemExtendServiceTableInformation loads.
const WIN32K: &str = r"\SystemRoot\System32\win32k.sys";

impl Executive {
    /// NtSetInformationObject, ObjectSessionInformation: the directory is the caller's session's from
    /// now on.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeTcbPrivilege, and as [`Lifetimes::resolve`].
    pub fn set_directory_session(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        if !self.privileged(caller, token::TCB)? {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let session = self.session_of(self.process_of(caller)?.id)?;
        let object = self.resolve(caller, handle, Some(Kind::Directory), Access::empty())?;
        let Body::Directory(directory) = &mut self.object_mut(object)?.body else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        directory.session = Some(session);
        Ok(())
    }

    /// NtSetSystemInformation, SystemSessionCreate: the new session, which the caller's process is
    /// in from now on.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, `ALREADY_COMMITTED` if it is in one, `INVALID_SYSTEM_SERVICE` if NT
    /// 5.2 has another leader, `NO_MEMORY`.
    pub fn create_session(&mut self, caller: ThreadId) -> Result<u32> {
        self.demand_load_driver(caller)?;
        let process = self.process_of(caller)?;
        if process.session.is_some() {
            return Err(Status::ALREADY_COMMITTED);
        }
        let id = process.id;
        if self.version == Version::V5_2
            && self.sessions.leader().is_some_and(|leader| leader != id)
        {
            return Err(Status::INVALID_SYSTEM_SERVICE);
        }
        let session = self.sessions.free().ok_or(Status::NO_MEMORY)?;
        self.sessions.led_by(id);
        self.process_mut(id)?.session_leader = true;
        self.join_session(id, session);
        log::info!("session {session} is ready");
        Ok(session)
    }

    /// NtSetSystemInformation, SystemSessionDetach: the caller's process leaves its session.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`; `UNABLE_TO_FREE_VM` if it is in none or did not make it.
    pub fn detach_session(&mut self, caller: ThreadId, session: u32) -> Result<()> {
        self.demand_load_driver(caller)?;
        let process = self.process_of(caller)?;
        let id = process.id;
        if !process.session_leader || process.session != Some(session) {
            return Err(Status::UNABLE_TO_FREE_VM);
        }
        self.leave_session(id);
        Ok(())
    }

    /// NtSetSystemInformation, SystemExtendServiceTableInformation: loads win32k.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, also for every other name; what opening the image gives.
    pub fn extend_service_table(&mut self, caller: ThreadId, name: &[u16]) -> Result<()> {
        self.demand_load_driver(caller)?;
        if !name.iter().copied().eq(WIN32K.encode_utf16()) {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        // Sessions share the image; only the first one reads it.
        if self.sessions.drivers().is_empty() {
            self.load_driver(name)?;
            self.sessions.loaded(WIN32K);
        }
        Ok(())
    }

    fn demand_load_driver(&self, caller: ThreadId) -> Result<()> {
        if self.is_kernel(caller) {
            Ok(())
        } else {
            self.token_of(caller)?.demand(LOAD_DRIVER)
        }
    }

    /// Puts a process into a session.
    pub(crate) fn join_session(&mut self, process: ProcessId, session: u32) {
        if let Some(entry) = self.processes.get_mut(&process) {
            entry.session = Some(session);
            self.sessions.join(session);
        }
    }

    /// Takes a process out of its session; with the last one the session goes.
    pub(crate) fn leave_session(&mut self, process: ProcessId) {
        let Some(session) = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.session.take())
        else {
            return;
        };
        self.sessions.leave(session);
    }

    /// The session that a process reports.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn session_of(&self, process: ProcessId) -> Result<u32> {
        let process = self.process(process)?;
        let hidden = process.session_leader && self.version == Version::V5_2;
        Ok(process.session.filter(|_| !hidden).unwrap_or(0))
    }
}
