// SPDX-License-Identifier: GPL-2.0-or-later
//! Attributes of processes and threads that NtSetInformationProcess and NtSetInformationThread set
//! and that no other part of the executive does: exception port, device map, tokens; and what
//! can be queried about a process's image.

use crate::Executive;
use crate::ids::{ProcessId, ThreadId};
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::se::Token;
use crate::se::token::{self, NewToken};
use crate::system::Body;
use alloc::boxed::Box;
use alloc::vec::Vec;
use nt::access::Access;
use nt::system::SectionImageInformation;
use nt::{Handle, ObjectAttributes, Result, Status};

impl Executive {
    /// ProcessExceptionPort: once in a process's life.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeTcb, `PORT_ALREADY_SET`; as [`Lifetimes::resolve`].
    pub fn set_exception_port(
        &mut self,
        caller: ThreadId,
        process: Handle,
        port: Handle,
    ) -> Result<()> {
        let id = self.process_behind(
            caller,
            process,
            Access::PROCESS_SET_INFORMATION | Access::PROCESS_SUSPEND_RESUME,
        )?;
        if !self.privileged(caller, token::TCB)? {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let port = self.resolve(caller, port, Some(Kind::Port), Access::empty())?;
        let process = self.process_mut(id)?;
        if process.exception_port.is_some() {
            return Err(Status::PORT_ALREADY_SET);
        }
        process.exception_port = Some(port);
        self.reference(port);
        Ok(())
    }

    /// ProcessDeviceMap: `\??` of the process is this directory from now on.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    pub fn set_device_map(
        &mut self,
        caller: ThreadId,
        process: Handle,
        directory: Handle,
    ) -> Result<()> {
        let id = self.process_behind(caller, process, Access::PROCESS_SET_INFORMATION)?;
        let object = self.resolve(
            caller,
            directory,
            Some(Kind::Directory),
            Access::DIRECTORY_TRAVERSE,
        )?;
        let (map, new) = self
            .ob
            .device_map_for(object)
            .ok_or(Status::OBJECT_TYPE_MISMATCH)?;
        if new {
            self.reference(object);
        }
        self.process_mut(id)?.device_map = map;
        Ok(())
    }

    /// ThreadImpersonationToken: the thread acts with this token, or with its process's again if
    /// the handle is null.
    ///
    /// # Errors
    /// `BAD_TOKEN_TYPE` for a primary token; as [`Lifetimes::resolve`].
    pub fn set_impersonation(
        &mut self,
        caller: ThreadId,
        thread: Handle,
        token: Handle,
    ) -> Result<()> {
        let id = self.thread_behind(caller, thread, Access::THREAD_SET_THREAD_TOKEN)?;
        let new = if token.is_null() {
            None
        } else {
            let object =
                self.resolve(caller, token, Some(Kind::Token), Access::TOKEN_IMPERSONATE)?;
            if self.token_mut(object)?.impersonation.is_none() {
                return Err(Status::BAD_TOKEN_TYPE);
            }
            self.reference(object);
            Some(object)
        };
        let old = core::mem::replace(&mut self.thread_mut(id)?.impersonation, new);
        if let Some(old) = old {
            self.dereference(old);
        }
        Ok(())
    }

    /// A new token that the caller, who has SeCreateToken, gets a handle to.
    ///
    /// # Errors
    /// As [`Token::create`]; `NO_MEMORY`.
    pub fn create_token(
        &mut self,
        caller: ThreadId,
        token: NewToken,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        let token = Token::create(token)?;
        let object = self.new_object(Body::Token(Box::new(token)));
        let created = self.insert_object(caller, object, attributes, access)?;
        Ok(created.handle)
    }

    /// ProcessAccessToken: the process acts with this token from now on, which belongs to the
    /// process's session. One that another process acts with is taken by nobody else.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` without SeAssignPrimaryToken, which NT does not want for a duplicate of the
    /// caller's own; `BAD_TOKEN_TYPE` for an impersonation token; [`token::TOKEN_ALREADY_IN_USE`]; as
    /// [`Lifetimes::resolve`].
    pub fn set_primary_token(
        &mut self,
        caller: ThreadId,
        process: Handle,
        token: Handle,
    ) -> Result<()> {
        let id = self.process_behind(caller, process, Access::PROCESS_SET_INFORMATION)?;
        let new = self.resolve(
            caller,
            token,
            Some(Kind::Token),
            Access::TOKEN_ASSIGN_PRIMARY,
        )?;
        if !self.privileged(caller, token::ASSIGN_PRIMARY)? {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let old = self.process(id)?.token;
        if self.token_mut(new)?.impersonation.is_some() {
            return Err(Status::BAD_TOKEN_TYPE);
        }
        if new == old {
            return Ok(());
        }
        if self.processes.values().any(|process| process.token == new) {
            return Err(token::TOKEN_ALREADY_IN_USE);
        }
        let session = self.token_mut(old)?.session;
        self.token_mut(new)?.session = session;
        self.reference(new);
        self.process_mut(id)?.token = new;
        self.dereference(old);
        Ok(())
    }

    /// NT path of a process's image file; empty if it has none.
    ///
    /// # Errors
    /// `INVALID_CID`.
    pub fn image_path(&self, process: ProcessId) -> Result<Vec<u16>> {
        let Some(section) = self.process(process)?.section else {
            return Ok(Vec::new());
        };
        match &self.object(section)?.body {
            Body::Section(section) => Ok(self
                .mm
                .segments()
                .get(section.segment)
                .map(|segment| segment.path.clone())
                .unwrap_or_default()),
            _ => Err(Status::SECTION_NOT_IMAGE),
        }
    }

    /// SECTION_IMAGE_INFORMATION of a process's own image.
    ///
    /// # Errors
    /// `SECTION_NOT_IMAGE` if it has none.
    pub fn own_image_information(&self, process: ProcessId) -> Result<SectionImageInformation> {
        let section = self
            .process(process)?
            .section
            .ok_or(Status::SECTION_NOT_IMAGE)?;
        let Body::Section(section) = &self.object(section)?.body else {
            return Err(Status::SECTION_NOT_IMAGE);
        };
        let segment = self
            .mm
            .segments()
            .get(section.segment)
            .ok_or(Status::SECTION_NOT_IMAGE)?;
        segment
            .image()
            .map(|image| image.information())
            .ok_or(Status::SECTION_NOT_IMAGE)
    }
}
