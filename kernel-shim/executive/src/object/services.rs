// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager's services: directories, symbolic links, handles (Nt... of the same names).

use super::directory::{DIRECTORY_QUERY, Directory};
use super::{Body, Kind, SymbolicLink};
use crate::Executive;
use crate::ids::ThreadId;
use alloc::vec::Vec;
use nt::object::Attributes;
use nt::system::Created;
use nt::{Handle, ObjectAttributes, Result, Status};

/// `DUPLICATE_CLOSE_SOURCE`.
pub const DUPLICATE_CLOSE_SOURCE: u32 = 1;
/// `DUPLICATE_SAME_ACCESS`.
pub const DUPLICATE_SAME_ACCESS: u32 = 2;
/// `DUPLICATE_SAME_ATTRIBUTES`.
pub const DUPLICATE_SAME_ATTRIBUTES: u32 = 4;

/// One entry of an object directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Name in the directory.
    pub name: Vec<u16>,
    /// Name of the type.
    pub type_name: &'static str,
}

/// NtDuplicateObject's arguments.
#[derive(Clone, Copy, Debug)]
pub struct Duplicate {
    /// Process of the handle.
    pub source_process: Handle,
    /// The handle there.
    pub source: Handle,
    /// Process that gets a handle, unless null.
    pub target_process: Handle,
    /// What it wants, unless `DUPLICATE_SAME_ACCESS`.
    pub access: u32,
    /// `OBJ_INHERIT`, unless `DUPLICATE_SAME_ATTRIBUTES`.
    pub attributes: u32,
    /// `DUPLICATE_` bits.
    pub options: u32,
}

impl Executive {
    /// Makes an object, names it and gives its creator a handle: what every NtCreate... service
    /// comes down to.
    ///
    /// # Errors
    /// As [`Self::insert_object`].
    pub fn create_object(
        &mut self,
        caller: ThreadId,
        body: Body,
        attributes: &ObjectAttributes<'_>,
        access: u32,
    ) -> Result<Created> {
        let new = self.new_object(body);
        self.insert_object(caller, new, attributes, access)
    }

    /// NtCreateDirectoryObject.
    ///
    /// # Errors
    /// As [`Self::insert_object`].
    pub fn create_directory(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: u32,
    ) -> Result<Created> {
        self.create_object(
            caller,
            Body::Directory(Directory::default()),
            attributes,
            access,
        )
    }

    /// NtOpenDirectoryObject.
    ///
    /// # Errors
    /// As [`Self::open_by_name`].
    pub fn open_directory(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: u32,
    ) -> Result<Handle> {
        self.open_by_name(caller, attributes, Some(Kind::Directory), access, None)
    }

    /// NtQueryDirectoryObject: every entry, in order. Cutting it into buffers is the caller's.
    ///
    /// # Errors
    /// As [`Self::resolve`], for `DIRECTORY_QUERY`.
    pub fn query_directory(
        &self,
        caller: ThreadId,
        directory: Handle,
    ) -> Result<Vec<DirectoryEntry>> {
        let directory = self.resolve(caller, directory, Some(Kind::Directory), DIRECTORY_QUERY)?;
        let Body::Directory(body) = &self.object(directory)?.body else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let entry = |(name, object): (&[u16], _)| {
            let kind = self.objects.get(object)?.kind;
            Some(DirectoryEntry {
                name: name.to_vec(),
                type_name: kind.info().name,
            })
        };
        Ok(body.iter().filter_map(entry).collect())
    }

    /// NtCreateSymbolicLinkObject. An empty target is the root of the namespace (spec 3.2).
    ///
    /// # Errors
    /// As [`Self::insert_object`].
    pub fn create_symbolic_link(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: u32,
        target: &[u16],
    ) -> Result<Created> {
        let link = SymbolicLink {
            target: target.to_vec(),
            created: self.now(),
            drive: None,
        };
        self.create_object(caller, Body::SymbolicLink(link), attributes, access)
    }

    /// NtOpenSymbolicLinkObject.
    ///
    /// # Errors
    /// As [`Self::open_by_name`].
    pub fn open_symbolic_link(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: u32,
    ) -> Result<Handle> {
        self.open_by_name(caller, attributes, Some(Kind::SymbolicLink), access, None)
    }

    /// NtQuerySymbolicLinkObject.
    ///
    /// # Errors
    /// As [`Self::resolve`], for `SYMBOLIC_LINK_QUERY`.
    pub fn query_symbolic_link(&self, caller: ThreadId, link: Handle) -> Result<Vec<u16>> {
        let link = self.resolve(caller, link, Some(Kind::SymbolicLink), 1)?;
        match &self.object(link)?.body {
            Body::SymbolicLink(body) => Ok(body.target.clone()),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtClose.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `HANDLE_NOT_CLOSABLE`.
    pub fn close(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        let process = self.process_of(caller)?.id;
        self.close_in(process, handle)
    }

    /// Closes a handle of any process.
    ///
    /// # Errors
    /// As [`Self::close`].
    pub fn close_in(&mut self, process: crate::ProcessId, handle: Handle) -> Result<()> {
        let owner = self
            .processes
            .get_mut(&process)
            .ok_or(Status::INVALID_HANDLE)?;
        let table = owner.handles.as_mut().ok_or(Status::INVALID_HANDLE)?;
        if table.get(handle).ok_or(Status::INVALID_HANDLE)?.protect {
            return Err(Status::HANDLE_NOT_CLOSABLE);
        }
        let entry = table.remove(handle).ok_or(Status::INVALID_HANDLE)?;
        self.close_entry(process, entry);
        Ok(())
    }

    /// NtDuplicateObject: the new handle, valid in the target process; null if only the source was
    /// to be closed.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `ACCESS_DENIED`, `PROCESS_IS_TERMINATING`.
    pub fn duplicate(&mut self, caller: ThreadId, request: &Duplicate) -> Result<Handle> {
        const PROCESS_DUP_HANDLE: u32 = 0x40;
        let source_process =
            self.process_behind(caller, request.source_process, PROCESS_DUP_HANDLE)?;
        let target = match request.target_process {
            Handle::NULL => Err(Status::INVALID_HANDLE),
            target => self.process_behind(caller, target, PROCESS_DUP_HANDLE),
        };
        let entry = self.entry_in(source_process, caller, request.source)?;
        let close = request.options & DUPLICATE_CLOSE_SOURCE != 0;
        // The object must outlive the closing of its source handle.
        self.reference(entry.object);
        let result = target.and_then(|target| self.duplicate_entry(caller, request, entry, target));
        if close {
            // A pseudo handle cannot be closed, and a protected one stays: the duplicate is made
            // all the same.
            let _ = self.close_in(source_process, request.source);
        }
        self.dereference(entry.object);
        match result {
            Err(_) if close && request.target_process.is_null() => Ok(Handle::NULL),
            other => other,
        }
    }

    fn duplicate_entry(
        &mut self,
        caller: ThreadId,
        request: &Duplicate,
        entry: super::Entry,
        target: crate::ProcessId,
    ) -> Result<Handle> {
        let object = self.object(entry.object)?;
        let mapping = object.kind.info().mapping;
        let access = if request.options & DUPLICATE_SAME_ACCESS != 0 {
            entry.access
        } else {
            mapping.map(request.access)
        };
        // More than the source has must be granted by the object itself.
        let granted = match &object.security {
            Some(security) if access & !entry.access != 0 && !self.is_kernel(caller) => {
                security.check(self.token_of(caller)?, access, &mapping)?
            }
            _ if access & 0x0200_0000 != 0 => mapping.all,
            _ => access,
        };
        let inherit = if request.options & DUPLICATE_SAME_ATTRIBUTES != 0 {
            entry.inherit
        } else {
            Attributes::from_bits_retain(request.attributes).contains(Attributes::INHERIT)
        };
        let attributes = if inherit {
            Attributes::INHERIT
        } else {
            Attributes::empty()
        };
        self.create_handle(target, entry.object, granted, attributes)
    }

    /// The entry of a handle in another process's table; pseudo handles mean that process and the
    /// calling thread.
    fn entry_in(
        &self,
        process: crate::ProcessId,
        caller: ThreadId,
        handle: Handle,
    ) -> Result<super::Entry> {
        if handle == Handle::CURRENT_PROCESS || handle == Handle::CURRENT_THREAD {
            return self.resolve_entry(caller, handle, None, 0);
        }
        let owner = self.processes.get(&process).ok_or(Status::INVALID_HANDLE)?;
        owner
            .handles
            .as_ref()
            .ok_or(Status::PROCESS_IS_TERMINATING)?
            .get(handle)
            .ok_or(Status::INVALID_HANDLE)
    }

    /// NtMakeTemporaryObject: the name goes with the last handle.
    ///
    /// # Errors
    /// As [`Self::resolve`], for `DELETE`.
    pub fn make_temporary(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        let object = self.resolve(caller, handle, None, 0x1_0000)?;
        self.object_mut(object)?.permanent = false;
        self.name_check(object);
        Ok(())
    }

    /// NtMakePermanentObject.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, and as [`Self::resolve`].
    pub fn make_permanent(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        if !self.is_kernel(caller)
            && !self
                .token_of(caller)?
                .has(crate::process::token::CREATE_PERMANENT)
        {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let object = self.resolve(caller, handle, None, 0)?;
        self.object_mut(object)?.permanent = true;
        Ok(())
    }
}
