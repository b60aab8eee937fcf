// SPDX-License-Identifier: GPL-2.0-or-later
//! How objects get their names and their first handles, and how they are opened by them.

use super::lifetime::Lifetimes;
use super::link::link_made;
use super::lookup::{Lookup, Lookups};
use super::{Kind, System};
use crate::ids::{ObjectId, ThreadId};
use crate::se::{AccessState, SecurityDescriptor, token};
use alloc::sync::Arc;
use core::any::Any;
use nt::access::Access;
use nt::object::Attributes;
use nt::system::Created;
use nt::{Handle, ObjectAttributes, Result, Status};

/// `OBJ_KERNEL_HANDLE`: honoured for callers in kernel mode only.
pub const OBJ_KERNEL_HANDLE: u32 = 0x200;
/// The attributes a caller may give (`OBJ_VALID_ATTRIBUTES`).
pub const OBJ_VALID: u32 = 0x7F2;

/// Naming new objects, opening named ones.
pub trait Naming: System {
    /// Names a new object, gives it its security, and makes the creator's handle (ObInsertObject).
    /// Takes over the caller's reference: if this fails, or if with `OBJ_OPENIF` another object
    /// was there already, the new one goes.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` for `OBJ_PERMANENT` without SeCreatePermanent, `OBJECT_NAME_COLLISION`,
    /// `OBJECT_TYPE_MISMATCH`, the lookup's errors, and errors of the security descriptor.
    fn insert_object(
        &mut self,
        caller: ThreadId,
        new: ObjectId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Created> {
        let inserted = try_insert(self, caller, new, attributes, access);
        self.dereference(new);
        inserted
    }

    /// Opens an object by its name (ObOpenObjectByName). `context` goes to a parse hook.
    ///
    /// # Errors
    /// The lookup's errors, `ACCESS_DENIED`.
    fn open_by_name(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        kind: Option<Kind>,
        access: Access,
        context: Option<&mut dyn Any>,
    ) -> Result<Handle> {
        if attributes.attributes.bits() & !(OBJ_VALID | OBJ_KERNEL_HANDLE) != 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut state = AccessState::new(access, self.in_kernel_mode(caller));
        if let Some(kind) = kind {
            state.map(&self.type_of(kind).mapping);
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
        let opened = open_found(self, caller, found, attributes.attributes, &mut state);
        self.dereference(found);
        opened
    }

    /// Opens an object that the caller's module has found by itself (ObOpenObjectByPointer), such
    /// as a process by its id.
    ///
    /// # Errors
    /// `ACCESS_DENIED`.
    fn open_by_id(
        &mut self,
        caller: ThreadId,
        object: ObjectId,
        access: Access,
        attributes: Attributes,
    ) -> Result<Handle> {
        let mut state = AccessState::new(access, self.in_kernel_mode(caller));
        open_found(self, caller, object, attributes, &mut state)
    }
}

impl<S: System> Naming for S {}

fn try_insert<S: System>(
    system: &mut S,
    caller: ThreadId,
    new: ObjectId,
    attributes: &ObjectAttributes<'_>,
    access: Access,
) -> Result<Created> {
    let kind = system.object(new)?.kind;
    let kernel = system.in_kernel_mode(caller);
    let explicit = attributes
        .security
        .map(SecurityDescriptor::parse)
        .transpose()?;
    if attributes.attributes.bits() & !(OBJ_VALID | OBJ_KERNEL_HANDLE) != 0 {
        return Err(Status::INVALID_PARAMETER);
    }
    let permanent = attributes.attributes.contains(Attributes::PERMANENT);
    if permanent && !kernel && !system.caller_token(caller)?.has(token::CREATE_PERMANENT) {
        return Err(Status::PRIVILEGE_NOT_HELD);
    }
    let mut state = AccessState::new(access, kernel);
    state.map(&system.type_of(kind).mapping);
    system.object_mut(new)?.permanent = permanent;
    let named = !attributes.name.is_empty();
    if named {
        let found = system.lookup(Lookup {
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
            let opened = open_existing(system, caller, found, kind, attributes, &mut state);
            system.dereference(found);
            return opened.map(|handle| Created {
                handle,
                existed: true,
            });
        }
        system.dereference(found);
    }
    if named || system.type_of(kind).security_required {
        let parent = system.object(new)?.name.as_ref().map(|name| name.directory);
        let parent = parent.and_then(|parent| system.ob().get(parent)?.security.clone());
        let token = system.caller_token(caller)?;
        let container = kind == Kind::Directory;
        let security = SecurityDescriptor::assign(
            explicit.as_ref(),
            parent.as_deref(),
            container,
            token,
            &system.type_of(kind).mapping,
        );
        system.object_mut(new)?.security = Some(Arc::new(security));
    }
    if kind == Kind::SymbolicLink && named {
        link_made(system, new);
    }
    state.grant_all(&system.type_of(kind).mapping);
    let process = system.caller_process(caller)?;
    let made = system.create_handle(process, new, state.granted, attributes.attributes);
    if made.is_err() {
        system.object_mut(new)?.permanent = false;
        system.name_check(new);
    }
    made.map(|handle| Created {
        handle,
        existed: false,
    })
}

fn open_existing<S: System>(
    system: &mut S,
    caller: ThreadId,
    found: ObjectId,
    kind: Kind,
    attributes: &ObjectAttributes<'_>,
    state: &mut AccessState,
) -> Result<Handle> {
    if !attributes.attributes.contains(Attributes::OPENIF) {
        return Err(Status::OBJECT_NAME_COLLISION);
    }
    if system.object(found)?.kind != kind {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    }
    grant(system, caller, found, state)?;
    let process = system.caller_process(caller)?;
    system.create_handle(process, found, state.granted, attributes.attributes)
}

fn open_found<S: System>(
    system: &mut S,
    caller: ThreadId,
    found: ObjectId,
    attributes: Attributes,
    state: &mut AccessState,
) -> Result<Handle> {
    grant(system, caller, found, state)?;
    let process = system.caller_process(caller)?;
    system.create_handle(process, found, state.granted, attributes)
}

/// Checks what is still to be granted against the object's descriptor. A parse hook that has
/// granted everything itself leaves nothing to be checked.
fn grant<S: System>(
    system: &mut S,
    caller: ThreadId,
    object: ObjectId,
    state: &mut AccessState,
) -> Result<()> {
    let target = system.object(object)?;
    let mapping = &system.type_of(target.kind).mapping;
    state.map(mapping);
    let security = target.security.clone();
    match security {
        Some(security) if !state.kernel => {
            if !state.remaining.is_empty() || state.granted.is_empty() {
                state.granted |=
                    security.check(system.caller_token(caller)?, state.remaining, mapping)?;
                state.remaining = Access::empty();
            }
        }
        _ => state.grant_all(mapping),
    }
    Ok(())
}
