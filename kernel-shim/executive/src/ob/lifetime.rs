// SPDX-License-Identifier: GPL-2.0-or-later
//! How objects come and go: references, handles, and the end of a name.

use super::{Body, link};
use super::{HandleEntry, Kind, Object, System, TypeInfo};
use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::se::{SecurityDescriptor, Token};
use alloc::sync::Arc;
use nt::access::Access;
use nt::object::Attributes;
use nt::{Handle, Result, Status};

/// References and handles.
pub trait Lifetimes: System {
    /// What objects of a type are like.
    fn type_of(&self, kind: Kind) -> &'static TypeInfo<Self> {
        self.ob().type_of(kind)
    }

    /// The object, which the caller knows to stand.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if it does not.
    fn object(&self, id: ObjectId) -> Result<&Object<Self::Body>> {
        self.ob().get(id).ok_or(Status::INVALID_HANDLE)
    }

    /// The object, to change.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if it does not stand.
    fn object_mut(&mut self, id: ObjectId) -> Result<&mut Object<Self::Body>> {
        self.ob_mut().get_mut(id).ok_or(Status::INVALID_HANDLE)
    }

    /// Adds a reference (ObReferenceObject).
    fn reference(&mut self, id: ObjectId) {
        if let Some(object) = self.ob_mut().get_mut(id) {
            object.references += 1;
        }
    }

    /// Takes a reference away (ObDereferenceObject); with the last one the object goes.
    fn dereference(&mut self, id: ObjectId) {
        let Some(object) = self.ob_mut().get_mut(id) else {
            return;
        };
        object.references = object.references.saturating_sub(1);
        if object.references > 0 {
            return;
        }
        let Some(object) = self.ob_mut().remove(id) else {
            return;
        };
        if let Some(name) = object.name {
            unlink(self, id, &name);
            self.dereference(name.directory);
        }
        match (self.type_of(object.kind).hooks.delete, object.body) {
            (Some(delete), body) => delete(self, id, body),
            // A body without a hook holds nothing that outlives it.
            (None, body) => drop(body),
        }
    }

    /// A new object without a name: its one reference is the caller's.
    fn new_object(&mut self, body: Self::Body) -> ObjectId {
        self.ob_mut().insert(body)
    }

    /// Gives an object that the kernel makes in a process's name the security that it would have
    /// got from that process: by its token.
    fn secure_by(&mut self, object: ObjectId, token: &Token) {
        let Some(kind) = self.ob().get(object).map(|object| object.kind) else {
            return;
        };
        let mapping = self.type_of(kind).mapping;
        if let Some(object) = self.ob_mut().get_mut(object) {
            let security = SecurityDescriptor::assign(None, None, false, token, &mapping);
            object.security = Some(Arc::new(security));
        }
    }

    /// Whether the caller's token gets `access` on an object; nothing is opened.
    ///
    /// # Errors
    /// `ACCESS_DENIED`.
    fn check_access(&self, caller: ThreadId, object: ObjectId, access: Access) -> Result<()> {
        let object = self.object(object)?;
        match &object.security {
            Some(security) if !self.in_kernel_mode(caller) => security
                .check(
                    self.caller_token(caller)?,
                    access,
                    &self.type_of(object.kind).mapping,
                )
                .map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Makes a handle in a process's table: the object gets a reference for it.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING` if the process has no table any more; `ACCESS_DENIED`,
    /// `INVALID_PARAMETER` by the rules of `OBJ_EXCLUSIVE`.
    fn create_handle(
        &mut self,
        process: ProcessId,
        object: ObjectId,
        access: Access,
        attributes: Attributes,
    ) -> Result<Handle> {
        let exclusive = attributes.contains(Attributes::EXCLUSIVE);
        let inherit = attributes.contains(Attributes::INHERIT);
        if exclusive && inherit {
            return Err(Status::INVALID_PARAMETER);
        }
        let target = self.object_mut(object)?;
        match target.exclusive {
            Some(owner) if owner != process || !exclusive => return Err(Status::ACCESS_DENIED),
            None if exclusive && target.handles > 0 => return Err(Status::ACCESS_DENIED),
            _ => {}
        }
        let kind = target.kind;
        let valid = self.type_of(kind).valid | Access::SYSTEM_SECURITY;
        let entry = HandleEntry {
            object,
            access: access & valid,
            inherit,
            protect: false,
        };
        let handle = self
            .handles_mut(process)
            .ok_or(Status::PROCESS_IS_TERMINATING)?
            .insert(entry);
        self.handle_added(object, exclusive.then_some(process));
        Ok(handle)
    }

    /// A handle to the object was entered somewhere: it counts, and holds a reference.
    fn handle_added(&mut self, object: ObjectId, exclusive: Option<ProcessId>) {
        if let Some(target) = self.ob_mut().get_mut(object) {
            target.handles += 1;
            target.references += 1;
            target.exclusive = exclusive.or(target.exclusive);
        }
    }

    /// The object of a handle, if it is of this type and the handle was granted `access`. It stands
    /// as long as the handle does. The pseudo handles of the current process and thread are
    /// understood where a process or a thread may be meant.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `OBJECT_TYPE_MISMATCH`, `ACCESS_DENIED`.
    fn resolve(
        &self,
        caller: ThreadId,
        handle: Handle,
        kind: Option<Kind>,
        access: Access,
    ) -> Result<ObjectId> {
        self.resolve_entry(caller, handle, kind, access)
            .map(|entry| entry.object)
    }

    /// The same, with all of the handle's entry.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    fn resolve_entry(
        &self,
        caller: ThreadId,
        handle: Handle,
        kind: Option<Kind>,
        access: Access,
    ) -> Result<HandleEntry> {
        let wanted = |is| kind.is_none_or(|kind| kind == is);
        // Both widths of -1 and -2 are understood, as handles are sign-extended 32-bit numbers.
        if matches!(handle, Handle::CURRENT_PROCESS | Handle::CURRENT_THREAD) {
            let (is, object) = self.pseudo_handle(caller, handle)?;
            if !wanted(is) {
                return Err(Status::OBJECT_TYPE_MISMATCH);
            }
            return Ok(HandleEntry {
                object,
                access: Access::PROCESS_ALL,
                inherit: false,
                protect: false,
            });
        }
        let entry = self
            .handles(self.caller_process(caller)?)
            .and_then(|table| table.get(handle))
            .ok_or(Status::INVALID_HANDLE)?;
        if !wanted(self.object(entry.object)?.kind) {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        if !entry.access.contains(access) && !self.in_kernel_mode(caller) {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(entry)
    }

    /// Closes a handle of a process, protected or not.
    fn close_entry(&mut self, process: ProcessId, entry: HandleEntry) {
        let Some(object) = self.ob_mut().get_mut(entry.object) else {
            return;
        };
        object.handles = object.handles.saturating_sub(1);
        let last = object.handles == 0;
        if last {
            object.exclusive = None;
        }
        let kind = object.kind;
        if let Some(close) = self.type_of(kind).hooks.close {
            close(self, process, entry.object, last);
        }
        if last {
            self.name_check(entry.object);
        }
        self.dereference(entry.object);
    }

    /// Takes the name away from an object that nobody has a handle to and that is not permanent
    /// (ObpDeleteNameCheck).
    fn name_check(&mut self, id: ObjectId) {
        let Some(object) = self.ob_mut().get_mut(id) else {
            return;
        };
        if object.handles > 0 || object.permanent {
            return;
        }
        let Some(name) = object.name.take() else {
            return;
        };
        unlink(self, id, &name);
        link::link_gone(self, id);
        self.dereference(name.directory);
        self.dereference(id);
    }
}

impl<S: System> Lifetimes for S {}

fn unlink<S: System>(system: &mut S, id: ObjectId, name: &super::Name) {
    let directory = system.ob_mut().get_mut(name.directory);
    if let Some(directory) = directory.and_then(|object| object.body.directory_mut()) {
        directory.remove(&name.name, id);
    }
}
