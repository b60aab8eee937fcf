// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be asked and set about processes, threads and tokens: the information classes of spec
//! 0.4, typed, and opening by id.

use crate::ids::{ProcessId, ThreadId};
use crate::layout::ClientId;
use crate::machine::Architecture;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::ps::Process;
use crate::ps::process::NORMAL_PRIORITY;
use crate::se::token::{Adjusted, DEBUG, INCREASE_BASE_PRIORITY, TCB};
use crate::system::Executive;
use nt::access::Access;
use nt::object::Attributes;
use nt::{Handle, Result, Status};

/// Bit 31 of a base priority: memory priority of the foreground.
const MEMORY_FOREGROUND: u32 = 0x8000_0000;
/// The highest base priority.
const HIGHEST_PRIORITY: u32 = 31;

/// PROCESS_BASIC_INFORMATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessBasic {
    /// Exit status; `PENDING` while it runs.
    pub exit_status: Status,
    /// Where its PEB is.
    pub peb: u64,
    /// Base priority.
    pub base_priority: u8,
    /// Its id.
    pub process: ProcessId,
    /// Its parent's id.
    pub parent: ProcessId,
}

/// THREAD_BASIC_INFORMATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadBasic {
    /// Exit status; `PENDING` while it runs.
    pub exit_status: Status,
    /// Where its TEB is.
    pub teb: u64,
    /// Itself.
    pub client: ClientId,
    /// Priority.
    pub priority: u8,
}

impl Executive {
    /// NtOpenProcess, by its id or by that of one of its threads. The holder of SeDebug gets every
    /// access.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a thread id of another process, `INVALID_CID`, `ACCESS_DENIED`.
    pub fn open_process(
        &mut self,
        caller: ThreadId,
        client: ClientId,
        access: Access,
        attributes: Attributes,
    ) -> Result<Handle> {
        let process = if client.thread == 0 {
            ProcessId(u32::try_from(client.process).map_err(|_| Status::INVALID_CID)?)
        } else {
            self.by_client(client)?.1
        };
        let object = self.process(process)?.object;
        self.open_or_debug(caller, object, access, attributes)
    }

    /// NtOpenThread.
    ///
    /// # Errors
    /// As [`Executive::open_process`].
    pub fn open_thread(
        &mut self,
        caller: ThreadId,
        client: ClientId,
        access: Access,
        attributes: Attributes,
    ) -> Result<Handle> {
        let object = self.thread(self.by_client(client)?.0)?.object;
        self.open_or_debug(caller, object, access, attributes)
    }

    fn by_client(&self, client: ClientId) -> Result<(ThreadId, ProcessId)> {
        let thread = ThreadId(u32::try_from(client.thread).map_err(|_| Status::INVALID_CID)?);
        let process = self.thread(thread)?.process;
        if client.process != 0 && client.process != u64::from(process.0) {
            return Err(Status::INVALID_CID);
        }
        Ok((thread, process))
    }

    fn open_or_debug(
        &mut self,
        caller: ThreadId,
        object: crate::ids::ObjectId,
        access: Access,
        attributes: Attributes,
    ) -> Result<Handle> {
        if self.token_of(caller)?.has(DEBUG) {
            let kind = self.object(object)?.kind;
            let mapping = self.type_of(kind).mapping;
            let mapped = mapping.map(access);
            let granted = if mapped.contains(Access::MAXIMUM_ALLOWED) {
                mapping.all
            } else {
                mapped
            };
            let process = self.process_of(caller)?.id;
            return self.create_handle(process, object, granted, attributes);
        }
        self.open_by_id(caller, object, access, attributes)
    }

    fn asked(&self, caller: ThreadId, process: Handle) -> Result<&Process> {
        self.process(self.process_behind(caller, process, Access::PROCESS_QUERY_INFORMATION)?)
    }

    fn settable(&mut self, caller: ThreadId, process: Handle) -> Result<&mut Process> {
        let id = self.process_behind(caller, process, Access::PROCESS_SET_INFORMATION)?;
        self.process_mut(id)
    }

    /// ProcessBasicInformation.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_process(&self, caller: ThreadId, process: Handle) -> Result<ProcessBasic> {
        let process = self.asked(caller, process)?;
        Ok(ProcessBasic {
            exit_status: process.exit_status,
            peb: process.peb,
            base_priority: process.base_priority,
            process: process.id,
            parent: process.parent,
        })
    }

    /// ProcessDefaultHardErrorMode.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_hard_error_mode(&self, caller: ThreadId, process: Handle) -> Result<u32> {
        self.asked(caller, process)
            .map(|process| process.hard_error_mode)
    }

    /// ProcessDefaultHardErrorMode.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn set_hard_error_mode(
        &mut self,
        caller: ThreadId,
        process: Handle,
        mode: u32,
    ) -> Result<()> {
        self.settable(caller, process)?.hard_error_mode = mode;
        Ok(())
    }

    /// ProcessSessionInformation.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_session(&self, caller: ThreadId, process: Handle) -> Result<u32> {
        self.session_of(self.asked(caller, process)?.id)
    }

    /// ProcessSessionInformation: it cannot be changed any more, but setting what it is succeeds.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeTcb, `ACCESS_DENIED` for another session; as
    /// [`Lifetimes::resolve`].
    pub fn set_session(&mut self, caller: ThreadId, process: Handle, session: u32) -> Result<()> {
        let id = self.settable(caller, process)?.id;
        self.token_of(caller)?.demand(TCB)?;
        if self.session_of(id)? == session {
            Ok(())
        } else {
            Err(Status::ACCESS_DENIED)
        }
    }

    /// ProcessBreakOnTermination.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_process_critical(&self, caller: ThreadId, process: Handle) -> Result<bool> {
        self.asked(caller, process).map(|process| process.critical)
    }

    /// ProcessBreakOnTermination.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeDebug; as [`Lifetimes::resolve`].
    pub fn set_process_critical(
        &mut self,
        caller: ThreadId,
        process: Handle,
        critical: bool,
    ) -> Result<()> {
        let id = self.settable(caller, process)?.id;
        self.token_of(caller)?.demand(DEBUG)?;
        self.process_mut(id)?.critical = critical;
        Ok(())
    }

    /// ProcessUserModeIOPL of the caller's process. On x86-64 it has no effect, and succeeds all the same.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeTcb.
    pub fn allow_ports(&mut self, caller: ThreadId) -> Result<()> {
        self.token_of(caller)?.demand(TCB)?;
        let i386 = self.architecture() == Architecture::I386;
        let id = self.process_of(caller)?.id;
        self.process_mut(id)?.ports |= i386;
        Ok(())
    }

    /// ThreadBreakOnTermination.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_thread_critical(&self, caller: ThreadId, thread: Handle) -> Result<bool> {
        let id = self.thread_behind(caller, thread, Access::THREAD_QUERY_INFORMATION)?;
        self.thread(id).map(|thread| thread.critical)
    }

    /// ThreadBreakOnTermination.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeDebug; as [`Lifetimes::resolve`].
    pub fn set_thread_critical(
        &mut self,
        caller: ThreadId,
        thread: Handle,
        critical: bool,
    ) -> Result<()> {
        let id = self.thread_behind(caller, thread, Access::THREAD_SET_INFORMATION)?;
        self.token_of(caller)?.demand(DEBUG)?;
        self.thread_mut(id)?.critical = critical;
        Ok(())
    }

    /// ThreadBasicInformation.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn query_thread(&self, caller: ThreadId, thread: Handle) -> Result<ThreadBasic> {
        let id = self.thread_behind(caller, thread, Access::THREAD_QUERY_INFORMATION)?;
        let thread = self.thread(id)?;
        Ok(ThreadBasic {
            exit_status: thread.exit_status,
            teb: thread.teb,
            client: self.client_id(id)?,
            priority: self.process(thread.process)?.base_priority,
        })
    }

    /// ProcessBasePriority: bit 31 is the memory priority of the foreground, which this system does
    /// not keep.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for 0 or more than 31; `PRIVILEGE_NOT_HELD` to raise it without
    /// SeIncreaseBasePriority; as [`Lifetimes::resolve`].
    pub fn set_base_priority(
        &mut self,
        caller: ThreadId,
        process: Handle,
        value: u32,
    ) -> Result<()> {
        let entry = self.settable(caller, process)?;
        let (id, before) = (entry.id, entry.base_priority);
        let wanted = value & !MEMORY_FOREGROUND;
        if wanted == 0 || wanted > HIGHEST_PRIORITY {
            return Err(Status::INVALID_PARAMETER);
        }
        if wanted > u32::from(before) {
            self.token_of(caller)?.demand(INCREASE_BASE_PRIORITY)?;
        }
        self.give_priority(id, wanted as u8)
    }

    /// ProcessForegroundInformation: the base priority is the one of the process's class, which is the
    /// normal one for every process of this system.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn reset_base_priority(&mut self, caller: ThreadId, process: Handle) -> Result<()> {
        let id = self.settable(caller, process)?.id;
        self.give_priority(id, NORMAL_PRIORITY)
    }

    fn give_priority(&mut self, id: ProcessId, priority: u8) -> Result<()> {
        let process = self.process_mut(id)?;
        process.base_priority = priority;
        for thread in process.threads.clone() {
            self.machine.set_priority(thread, priority);
        }
        Ok(())
    }

    /// NtOpenProcessToken.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`], `ACCESS_DENIED`.
    pub fn open_process_token(
        &mut self,
        caller: ThreadId,
        process: Handle,
        access: Access,
    ) -> Result<Handle> {
        let token = self.asked(caller, process)?.token;
        self.open_by_id(caller, token, access, Attributes::empty())
    }

    /// NtOpenThreadToken.
    ///
    /// # Errors
    /// `NO_TOKEN` if it does not impersonate; as [`Lifetimes::resolve`], `ACCESS_DENIED`.
    pub fn open_thread_token(
        &mut self,
        caller: ThreadId,
        thread: Handle,
        access: Access,
    ) -> Result<Handle> {
        let id = self.thread_behind(caller, thread, Access::THREAD_QUERY_INFORMATION)?;
        let token = self.thread(id)?.impersonation.ok_or(Status::NO_TOKEN)?;
        self.open_by_id(caller, token, access, Attributes::empty())
    }

    /// NtAdjustPrivilegesToken (spec 9.7), with `changes` as `(LUID, attributes)`, or all disabled.
    /// `fits` is asked with the number of privileges that the previous state has; if it says
    /// no, nothing changes and the answer is `BUFFER_TOO_SMALL`.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`]; `BUFFER_TOO_SMALL`.
    pub fn adjust_privileges(
        &mut self,
        caller: ThreadId,
        token: Handle,
        changes: Option<&[(u64, u32)]>,
        fits: impl FnOnce(usize) -> bool,
    ) -> Result<Adjusted> {
        let object = self.resolve(
            caller,
            token,
            Some(Kind::Token),
            Access::TOKEN_ADJUST_PRIVILEGES,
        )?;
        let token = self.token_mut(object)?;
        if !fits(token.adjust(changes, false).previous.len()) {
            return Err(Status::BUFFER_TOO_SMALL);
        }
        Ok(token.adjust(changes, true))
    }
}
