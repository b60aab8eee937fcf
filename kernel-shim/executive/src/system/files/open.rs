// SPDX-License-Identifier: GPL-2.0-or-later
//! The services that take a name: NtCreateFile, NtOpenFile, NtQueryAttributesFile.

use super::names::{Packet, Target};
use super::request::{
    CreateRequest, DELETE_ON_CLOSE, DIRECTORY_FILE, Disposition, NON_DIRECTORY_FILE,
    OPEN_BY_FILE_ID, OPEN_PAGING_FILE, SYNCHRONOUS, VALID_OPTIONS, information,
};
use crate::ids::ThreadId;
use crate::io::file::{self};
use crate::io::volume::FileFacts;
use crate::ob::Kind;
use crate::ob::lookup::Lookup;
use crate::ob::prelude::*;
use crate::se::AccessState;
use crate::system::Executive;
use nt::access::Access;
use nt::{Handle, ObjectAttributes, Result, Status};

impl Executive {
    fn follow_name(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        packet: &mut Packet,
    ) -> Result<()> {
        let mut access = AccessState::new(Access::FILE_READ_ATTRIBUTES, self.is_kernel(caller));
        let found = self.lookup(Lookup {
            caller,
            root: attributes.root,
            name: attributes.name.units(),
            attributes: attributes.attributes,
            kind: None,
            access: &mut access,
            context: Some(packet),
            insert: None,
        })?;
        self.dereference(found);
        Ok(())
    }

    /// Where a rename's new name leads.
    pub(super) fn find_target(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
    ) -> Result<Target> {
        let mut packet = Packet::Target(None);
        self.follow_name(caller, attributes, &mut packet)?;
        match packet {
            Packet::Target(Some(target)) => Ok(target),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtQueryAttributesFile and NtQueryFullAttributesFile.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, `OBJECT_NAME_INVALID`,
    /// `OBJECT_TYPE_MISMATCH` for a name that is no file's.
    pub fn query_attributes(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
    ) -> Result<FileFacts> {
        let mut packet = Packet::Query(None);
        self.follow_name(caller, attributes, &mut packet)?;
        match packet {
            Packet::Query(Some(facts)) => Ok(facts),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtCreateFile: the handle, and what was done ([`information`]).
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for options that contradict each other; `OBJECT_NAME_NOT_FOUND`,
    /// `OBJECT_PATH_NOT_FOUND`, `OBJECT_NAME_INVALID`, `OBJECT_NAME_COLLISION`,
    /// `SHARING_VIOLATION`, `DELETE_PENDING`, `ACCESS_DENIED`, `NOT_A_DIRECTORY`,
    /// `FILE_IS_A_DIRECTORY`, `MEDIA_WRITE_PROTECTED`, `DISK_FULL`, `CANNOT_DELETE`.
    pub fn create_file(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        request: CreateRequest,
    ) -> Result<(Handle, u32)> {
        let both = DIRECTORY_FILE | NON_DIRECTORY_FILE;
        let access = self.type_of(Kind::File).mapping.map(request.access);
        let asks = |needed: Access| access.intersects(needed | Access::MAXIMUM_ALLOWED);
        let synchronous = request.options & SYNCHRONOUS;
        let valid = match caller {
            ThreadId::SYSTEM => VALID_OPTIONS | OPEN_PAGING_FILE,
            _ => VALID_OPTIONS,
        };
        if request.options & !valid != 0
            || request.options & file::NO_INTERMEDIATE_BUFFERING != 0
                && access.contains(Access::FILE_APPEND_DATA)
            || request.options & both == both
            || request.share & !7 != 0
            || request.attributes & !0x7FFF != 0
            || synchronous == SYNCHRONOUS
            || synchronous != 0 && !asks(Access::SYNCHRONIZE)
            || request.options & DELETE_ON_CLOSE != 0 && !asks(Access::DELETE)
        {
            return Err(Status::INVALID_PARAMETER);
        }
        if request.options & OPEN_BY_FILE_ID != 0 {
            return Err(Status::NOT_SUPPORTED);
        }
        let mut packet = Packet::Create(request, information::OPENED);
        let handle = self.open_by_name(
            caller,
            attributes,
            Some(Kind::File),
            request.access,
            Some(&mut packet),
        )?;
        match packet {
            Packet::Create(_, done) => Ok((handle, done)),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtOpenFile.
    ///
    /// # Errors
    /// As [`Self::create_file`].
    pub fn open_file(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: u32,
        options: u32,
    ) -> Result<Handle> {
        let request = CreateRequest {
            access,
            share,
            options,
            disposition: Disposition::Open,
            attributes: 0,
        };
        self.create_file(caller, attributes, request)
            .map(|(handle, _)| handle)
    }
}
