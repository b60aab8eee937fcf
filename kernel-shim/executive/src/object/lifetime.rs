// SPDX-License-Identifier: GPL-2.0-or-later
//! How objects come, are named, and go.

use super::lookup::Lookup;
use super::security::SecurityDescriptor;
use super::{AccessState, Body, DeviceMapId, Entry, Kind, Object};
use crate::Executive;
use crate::ids::{ObjectId, ProcessId, ThreadId};
use alloc::sync::Arc;
use core::any::Any;
use nt::object::Attributes;
use nt::system::Created;
use nt::{Handle, ObjectAttributes, Result, Status};

/// `OBJ_KERNEL_HANDLE`: honoured for callers in kernel mode only.
pub const OBJ_KERNEL_HANDLE: u32 = 0x200;
/// The attributes a caller may give (`OBJ_VALID_ATTRIBUTES`).
pub const OBJ_VALID: u32 = 0x7F2;

impl Executive {
    /// The object, which the caller knows to stand.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if it does not.
    pub fn object(&self, id: ObjectId) -> Result<&Object> {
        self.objects.get(id).ok_or(Status::INVALID_HANDLE)
    }

    /// The object, to change.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if it does not stand.
    pub fn object_mut(&mut self, id: ObjectId) -> Result<&mut Object> {
        self.objects.get_mut(id).ok_or(Status::INVALID_HANDLE)
    }

    /// Adds a reference (ObReferenceObject).
    pub fn reference(&mut self, id: ObjectId) {
        if let Some(object) = self.objects.get_mut(id) {
            object.references += 1;
        }
    }

    /// Takes a reference away (ObDereferenceObject); with the last one the object goes.
    pub fn dereference(&mut self, id: ObjectId) {
        let Some(object) = self.objects.get_mut(id) else {
            return;
        };
        object.references = object.references.saturating_sub(1);
        if object.references > 0 {
            return;
        }
        let Some(object) = self.objects.remove(id) else {
            return;
        };
        if let Some(name) = object.name {
            self.unlink(id, &name);
            self.dereference(name.directory);
        }
        match (object.kind.info().hooks.delete, object.body) {
            (Some(delete), body) => delete(self, id, body),
            // A body without a hook holds nothing that outlives it.
            (None, body) => drop(body),
        }
    }

    /// A new object without a name: its one reference is the caller's.
    pub fn new_object(&mut self, body: Body) -> ObjectId {
        self.objects.insert(body)
    }

    /// Gives an object that the kernel makes in a process's name the security that it would have
    /// got from that process: by its token.
    pub(crate) fn secure_by(&mut self, object: ObjectId, token: &crate::process::Token) {
        if let Some(object) = self.objects.get_mut(object) {
            let security =
                SecurityDescriptor::assign(None, None, false, token, &object.kind.info().mapping);
            object.security = Some(Arc::new(security));
        }
    }

    /// Names a new object, gives it its security, and makes the creator's handle (ObInsertObject).
    /// Takes over the caller's reference: if this fails, or if with `OBJ_OPENIF` another object
    /// was there already, the new one goes.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` for `OBJ_PERMANENT` without SeCreatePermanent, `OBJECT_NAME_COLLISION`,
    /// `OBJECT_TYPE_MISMATCH`, the lookup's errors, and errors of the security descriptor.
    pub fn insert_object(
        &mut self,
        caller: ThreadId,
        new: ObjectId,
        attributes: &ObjectAttributes<'_>,
        access: u32,
    ) -> Result<Created> {
        let inserted = self.try_insert(caller, new, attributes, access);
        self.dereference(new);
        inserted
    }

    fn try_insert(
        &mut self,
        caller: ThreadId,
        new: ObjectId,
        attributes: &ObjectAttributes<'_>,
        access: u32,
    ) -> Result<Created> {
        let kind = self.object(new)?.kind;
        let kernel = self.is_kernel(caller);
        let explicit = attributes
            .security
            .map(SecurityDescriptor::parse)
            .transpose()?;
        if attributes.attributes.bits() & !(OBJ_VALID | OBJ_KERNEL_HANDLE) != 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let permanent = attributes.attributes.contains(Attributes::PERMANENT);
        if permanent
            && !kernel
            && !self
                .token_of(caller)?
                .has(crate::process::token::CREATE_PERMANENT)
        {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let mut state = AccessState::new(access, kernel);
        state.map(&kind.info().mapping);
        self.object_mut(new)?.permanent = permanent;
        let named = !attributes.name.is_empty();
        if named {
            let found = self.lookup(Lookup {
                caller,
                root: attributes.root,
                name: attributes.name.units(),
                attributes: attributes.attributes,
                kind: Some(kind),
                access: &mut state,
                context: None,
                insert: Some(new),
            })?;
            if found != new {
                let opened = self.open_existing(caller, found, kind, attributes, &mut state);
                self.dereference(found);
                return opened.map(|handle| Created {
                    handle,
                    existed: true,
                });
            }
            self.dereference(found);
        }
        if named || kind.info().security_required {
            let parent = self.object(new)?.name.as_ref().map(|name| name.directory);
            let parent = parent.and_then(|parent| self.objects.get(parent)?.security.clone());
            let token = self.token_of(caller)?;
            let container = kind == Kind::Directory;
            let security = SecurityDescriptor::assign(
                explicit.as_ref(),
                parent.as_deref(),
                container,
                token,
                &kind.info().mapping,
            );
            self.object_mut(new)?.security = Some(Arc::new(security));
        }
        if kind == Kind::SymbolicLink && named {
            self.link_made(new);
        }
        state.grant_all(&kind.info().mapping);
        let process = self.process_of(caller)?.id;
        let made = self.create_handle(process, new, state.granted, attributes.attributes);
        if made.is_err() {
            self.object_mut(new)?.permanent = false;
            self.name_check(new);
        }
        made.map(|handle| Created {
            handle,
            existed: false,
        })
    }

    fn open_existing(
        &mut self,
        caller: ThreadId,
        found: ObjectId,
        kind: Kind,
        attributes: &ObjectAttributes<'_>,
        state: &mut AccessState,
    ) -> Result<Handle> {
        if !attributes.attributes.contains(Attributes::OPENIF) {
            return Err(Status::OBJECT_NAME_COLLISION);
        }
        if self.object(found)?.kind != kind {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        self.grant(caller, found, state)?;
        let process = self.process_of(caller)?.id;
        self.create_handle(process, found, state.granted, attributes.attributes)
    }

    /// Opens an object by its name (ObOpenObjectByName). `context` goes to a parse hook.
    ///
    /// # Errors
    /// The lookup's errors, `ACCESS_DENIED`.
    pub fn open_by_name(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        kind: Option<Kind>,
        access: u32,
        context: Option<&mut dyn Any>,
    ) -> Result<Handle> {
        if attributes.attributes.bits() & !(OBJ_VALID | OBJ_KERNEL_HANDLE) != 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut state = AccessState::new(access, self.is_kernel(caller));
        if let Some(kind) = kind {
            state.map(&kind.info().mapping);
        }
        let found = self.lookup(Lookup {
            caller,
            root: attributes.root,
            name: attributes.name.units(),
            attributes: attributes.attributes,
            kind,
            access: &mut state,
            context,
            insert: None,
        })?;
        let opened = self.open_found(caller, found, attributes.attributes, &mut state);
        self.dereference(found);
        opened
    }

    fn open_found(
        &mut self,
        caller: ThreadId,
        found: ObjectId,
        attributes: Attributes,
        state: &mut AccessState,
    ) -> Result<Handle> {
        self.grant(caller, found, state)?;
        let process = self.process_of(caller)?.id;
        self.create_handle(process, found, state.granted, attributes)
    }

    /// Opens an object that the caller's module has found by itself (ObOpenObjectByPointer), such
    /// as a process by its id.
    ///
    /// # Errors
    /// `ACCESS_DENIED`.
    pub fn open_by_id(
        &mut self,
        caller: ThreadId,
        object: ObjectId,
        access: u32,
        attributes: Attributes,
    ) -> Result<Handle> {
        let mut state = AccessState::new(access, self.is_kernel(caller));
        self.open_found(caller, object, attributes, &mut state)
    }

    /// Checks what is still to be granted against the object's descriptor. A parse hook that has
    /// granted everything itself leaves nothing to be checked.
    fn grant(&mut self, caller: ThreadId, object: ObjectId, state: &mut AccessState) -> Result<()> {
        let target = self.object(object)?;
        let mapping = &target.kind.info().mapping;
        state.map(mapping);
        let security = target.security.clone();
        match security {
            Some(security) if !state.kernel => {
                if state.remaining != 0 || state.granted == 0 {
                    state.granted |=
                        security.check(self.token_of(caller)?, state.remaining, mapping)?;
                    state.remaining = 0;
                }
            }
            _ => state.grant_all(mapping),
        }
        Ok(())
    }

    /// Whether the caller's token gets `access` on an object; nothing is opened.
    ///
    /// # Errors
    /// `ACCESS_DENIED`.
    pub fn check_access(&self, caller: ThreadId, object: ObjectId, access: u32) -> Result<()> {
        let object = self.object(object)?;
        match &object.security {
            Some(security) if !self.is_kernel(caller) => security
                .check(self.token_of(caller)?, access, &object.kind.info().mapping)
                .map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Makes a handle in a process's table: the object gets a reference for it.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING` if the process has no table any more; `ACCESS_DENIED`,
    /// `INVALID_PARAMETER` by the rules of `OBJ_EXCLUSIVE`.
    pub fn create_handle(
        &mut self,
        process: ProcessId,
        object: ObjectId,
        access: u32,
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
        let valid = target.kind.info().valid | 0x0100_0000;
        let entry = Entry {
            object,
            access: access & valid,
            inherit,
            protect: false,
        };
        let table = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.handles.as_mut());
        let handle = table.ok_or(Status::PROCESS_IS_TERMINATING)?.insert(entry);
        self.handle_added(object, exclusive.then_some(process));
        Ok(handle)
    }

    pub(crate) fn handle_added(&mut self, object: ObjectId, exclusive: Option<ProcessId>) {
        if let Some(target) = self.objects.get_mut(object) {
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
    pub fn resolve(
        &self,
        caller: ThreadId,
        handle: Handle,
        kind: Option<Kind>,
        access: u32,
    ) -> Result<ObjectId> {
        self.resolve_entry(caller, handle, kind, access)
            .map(|entry| entry.object)
    }

    /// The same, with all of the handle's entry.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_entry(
        &self,
        caller: ThreadId,
        handle: Handle,
        kind: Option<Kind>,
        access: u32,
    ) -> Result<Entry> {
        let process = self.process_of(caller)?;
        let pseudo = |object| {
            Ok(Entry {
                object,
                access: 0x1F_0FFF,
                inherit: false,
                protect: false,
            })
        };
        let wanted = |is| kind.is_none_or(|kind| kind == is);
        match handle {
            // Both widths of -1 and -2 are understood, as handles are sign-extended 32-bit numbers.
            Handle::CURRENT_PROCESS if wanted(Kind::Process) => return pseudo(process.object),
            Handle::CURRENT_THREAD if wanted(Kind::Thread) => {
                return pseudo(self.thread(caller)?.object);
            }
            Handle::CURRENT_PROCESS | Handle::CURRENT_THREAD => {
                return Err(Status::OBJECT_TYPE_MISMATCH);
            }
            _ => {}
        }
        let entry = process
            .handles
            .as_ref()
            .and_then(|table| table.get(handle))
            .ok_or(Status::INVALID_HANDLE)?;
        if !wanted(self.object(entry.object)?.kind) {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        if access & !entry.access != 0 && !self.is_kernel(caller) {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(entry)
    }

    /// Closes a handle of a process, protected or not.
    pub(crate) fn close_entry(&mut self, process: ProcessId, entry: Entry) {
        let Some(object) = self.objects.get_mut(entry.object) else {
            return;
        };
        object.handles = object.handles.saturating_sub(1);
        let last = object.handles == 0;
        if last {
            object.exclusive = None;
        }
        if let Some(close) = object.kind.info().hooks.close {
            close(self, process, entry.object, last);
        }
        if last {
            self.name_check(entry.object);
        }
        self.dereference(entry.object);
    }

    /// Takes the name away from an object that nobody has a handle to and that is not permanent
    /// (ObpDeleteNameCheck).
    pub(crate) fn name_check(&mut self, id: ObjectId) {
        let Some(object) = self.objects.get_mut(id) else {
            return;
        };
        if object.handles > 0 || object.permanent {
            return;
        }
        let Some(name) = object.name.take() else {
            return;
        };
        self.unlink(id, &name);
        self.link_gone(id);
        self.dereference(name.directory);
        self.dereference(id);
    }

    fn unlink(&mut self, id: ObjectId, name: &super::Name) {
        if let Some(Object {
            body: Body::Directory(directory),
            ..
        }) = self.objects.get_mut(name.directory)
        {
            directory.remove(&name.name, id);
        }
    }

    /// The device map of the directory that an object is named in.
    pub(crate) fn device_map_around(&self, id: ObjectId) -> Option<DeviceMapId> {
        let directory = self.objects.get(id)?.name.as_ref()?.directory;
        match &self.objects.get(directory)?.body {
            Body::Directory(body) => body.device_map,
            _ => None,
        }
    }
}
