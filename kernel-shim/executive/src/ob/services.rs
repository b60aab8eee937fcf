// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager's services: directories, symbolic links, handles (Nt... of the same names).

use super::directory::Directory;
use super::lifetime::Lifetimes;
use super::{Body, HandleEntry, Kind, SymbolicLink, System};
use crate::ids::{ProcessId, ThreadId};
use crate::ob::prelude::*;
use crate::se::token;
use alloc::vec::Vec;
use nt::access::Access;
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
    pub access: Access,
    /// `OBJ_INHERIT`, unless `DUPLICATE_SAME_ATTRIBUTES`.
    pub attributes: u32,
    /// `DUPLICATE_` bits.
    pub options: u32,
}

/// The services: directories, symbolic links, handles.
pub trait Services: System {
    /// Makes an object, names it and gives its creator a handle: what every NtCreate... service
    /// comes down to.
    ///
    /// # Errors
    /// As [`Naming::insert_object`].
    fn create_object(
        &mut self,
        caller: ThreadId,
        body: Self::Body,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Created> {
        let new = self.new_object(body);
        self.insert_object(caller, new, attributes, access)
    }

    /// NtCreateDirectoryObject.
    ///
    /// # Errors
    /// As [`Naming::insert_object`].
    fn create_directory(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Created> {
        self.create_object(caller, Directory::default().into(), attributes, access)
    }

    /// NtOpenDirectoryObject.
    ///
    /// # Errors
    /// As [`Naming::open_by_name`].
    fn open_directory(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.open_by_name(caller, attributes, Some(Kind::Directory), access, None)
    }

    /// NtQueryDirectoryObject: every entry, in order. Cutting it into buffers is the caller's.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`], for `DIRECTORY_QUERY`.
    fn query_directory(&self, caller: ThreadId, directory: Handle) -> Result<Vec<DirectoryEntry>> {
        let directory = self.resolve(
            caller,
            directory,
            Some(Kind::Directory),
            Access::DIRECTORY_QUERY,
        )?;
        let Some(body) = self.object(directory)?.body.directory() else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let entry = |(name, object): (&[u16], _)| {
            let kind = self.ob().get(object)?.kind;
            Some(DirectoryEntry {
                name: name.to_vec(),
                type_name: self.type_of(kind).name,
            })
        };
        Ok(body.iter().filter_map(entry).collect())
    }

    /// NtCreateSymbolicLinkObject. An empty target is the root of the namespace (spec 3.2).
    ///
    /// # Errors
    /// As [`Naming::insert_object`].
    fn create_symbolic_link(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        target: &[u16],
    ) -> Result<Created> {
        let link = SymbolicLink {
            target: target.to_vec(),
            created: self.time(),
            drive: None,
        };
        self.create_object(caller, link.into(), attributes, access)
    }

    /// NtOpenSymbolicLinkObject.
    ///
    /// # Errors
    /// As [`Naming::open_by_name`].
    fn open_symbolic_link(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.open_by_name(caller, attributes, Some(Kind::SymbolicLink), access, None)
    }

    /// NtQuerySymbolicLinkObject.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`], for `SYMBOLIC_LINK_QUERY`.
    fn query_symbolic_link(&self, caller: ThreadId, link: Handle) -> Result<Vec<u16>> {
        let link = self.resolve(
            caller,
            link,
            Some(Kind::SymbolicLink),
            Access::SYMBOLIC_LINK_QUERY,
        )?;
        let link = self.object(link)?.body.link();
        link.map(|body| body.target.clone())
            .ok_or(Status::OBJECT_TYPE_MISMATCH)
    }

    /// NtClose.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `HANDLE_NOT_CLOSABLE`.
    fn close(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        let process = self.caller_process(caller)?;
        self.close_in(process, handle)
    }

    /// Closes a handle of any process.
    ///
    /// # Errors
    /// As [`Self::close`].
    fn close_in(&mut self, process: ProcessId, handle: Handle) -> Result<()> {
        let table = self.handles_mut(process).ok_or(Status::INVALID_HANDLE)?;
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
    fn duplicate(&mut self, caller: ThreadId, request: &Duplicate) -> Result<Handle> {
        let source_process =
            self.process_of_handle(caller, request.source_process, Access::PROCESS_DUP_HANDLE)?;
        let target = match request.target_process {
            Handle::NULL => Err(Status::INVALID_HANDLE),
            target => self.process_of_handle(caller, target, Access::PROCESS_DUP_HANDLE),
        };
        let entry = entry_in(self, source_process, caller, request.source)?;
        let close = request.options & DUPLICATE_CLOSE_SOURCE != 0;
        // The object must outlive the closing of its source handle.
        self.reference(entry.object);
        let result =
            target.and_then(|target| duplicate_entry(self, caller, request, entry, target));
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

    /// NtMakeTemporaryObject: the name goes with the last handle.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`], for `DELETE`.
    fn make_temporary(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        let object = self.resolve(caller, handle, None, Access::DELETE)?;
        self.object_mut(object)?.permanent = false;
        self.name_check(object);
        Ok(())
    }

    /// NtMakePermanentObject.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`, and as [`Lifetimes::resolve`].
    fn make_permanent(&mut self, caller: ThreadId, handle: Handle) -> Result<()> {
        if !self.in_kernel_mode(caller) && !self.caller_token(caller)?.has(token::CREATE_PERMANENT)
        {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let object = self.resolve(caller, handle, None, Access::empty())?;
        self.object_mut(object)?.permanent = true;
        Ok(())
    }
}

impl<S: System> Services for S {}

fn duplicate_entry<S: System>(
    system: &mut S,
    caller: ThreadId,
    request: &Duplicate,
    entry: HandleEntry,
    target: ProcessId,
) -> Result<Handle> {
    let object = system.object(entry.object)?;
    let mapping = system.type_of(object.kind).mapping;
    let had = entry.access;
    let access = if request.options & DUPLICATE_SAME_ACCESS != 0 {
        had
    } else {
        mapping.map(request.access)
    };
    // More than the source has must be granted by the object itself.
    let granted = match &object.security {
        Some(security) if !had.contains(access) && !system.in_kernel_mode(caller) => {
            security.check(system.caller_token(caller)?, access, &mapping)?
        }
        _ if access.contains(Access::MAXIMUM_ALLOWED) => mapping.all,
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
    system.create_handle(target, entry.object, granted, attributes)
}

/// The entry of a handle in another process's table; pseudo handles mean that process and the
/// calling thread.
fn entry_in<S: System>(
    system: &S,
    process: ProcessId,
    caller: ThreadId,
    handle: Handle,
) -> Result<HandleEntry> {
    if handle == Handle::CURRENT_PROCESS || handle == Handle::CURRENT_THREAD {
        return system.resolve_entry(caller, handle, None, Access::empty());
    }
    system
        .handles(process)
        .ok_or(Status::PROCESS_IS_TERMINATING)?
        .get(handle)
        .ok_or(Status::INVALID_HANDLE)
}
