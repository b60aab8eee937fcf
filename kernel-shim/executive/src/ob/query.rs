// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be asked about an object (NtQueryObject, NtQuerySecurityObject), and what can be set.

use super::lifetime::Lifetimes;
use super::{Body, Kind, System};
use crate::ids::{ObjectId, ThreadId};
use crate::se::SecurityDescriptor;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Handle, Result, Status};

/// OBJECT_BASIC_INFORMATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicInformation {
    /// `OBJ_` attributes that still mean something: inherit, permanent, exclusive.
    pub attributes: u32,
    /// What the handle was granted.
    pub access: Access,
    /// Handles in the whole system.
    pub handles: u32,
    /// References.
    pub references: u32,
    /// Its type.
    pub kind: Kind,
    /// When it was made (symbolic links only), NT time.
    pub created: u64,
    /// Bytes of its self-relative security descriptor.
    pub security_length: usize,
}

/// What can be asked about an object, and what can be set.
pub trait Queries: System {
    /// The full name of an object: empty if it has none. A type with names of its own (files, keys)
    /// is asked first.
    fn name_of(&self, object: ObjectId) -> Vec<u16> {
        if object == self.ob().root() {
            return Vec::from([0x5C]);
        }
        let Some(target) = self.ob().get(object) else {
            return Vec::new();
        };
        if let Some(own) = self.type_of(target.kind).hooks.name {
            return own(self, object);
        }
        let Some(name) = &target.name else {
            return Vec::new();
        };
        let mut full = if name.directory == self.ob().root() {
            Vec::new()
        } else {
            self.name_of(name.directory)
        };
        full.push(0x5C);
        full.extend_from_slice(&name.name);
        full
    }

    /// NtQueryObject, ObjectBasicInformation.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    fn query_object(&self, caller: ThreadId, handle: Handle) -> Result<BasicInformation> {
        let entry = self.resolve_entry(caller, handle, None, Access::empty())?;
        let object = self.object(entry.object)?;
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        Ok(BasicInformation {
            attributes: flag(entry.inherit, 2)
                | flag(object.permanent, 0x10)
                | flag(object.exclusive.is_some(), 0x20),
            access: entry.access,
            handles: object.handles,
            references: object.references,
            kind: object.kind,
            created: object.body.link().map_or(0, |link| link.created),
            security_length: object
                .security
                .as_ref()
                .map_or(0, |security| security.bytes().len()),
        })
    }

    /// NtQueryObject, ObjectNameInformation.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    fn query_object_name(&self, caller: ThreadId, handle: Handle) -> Result<Vec<u16>> {
        self.resolve(caller, handle, None, Access::empty())
            .map(|object| self.name_of(object))
    }

    /// NtQueryObject, ObjectHandleFlagInformation: inherit, protect from close.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`].
    fn query_handle_flags(&self, caller: ThreadId, handle: Handle) -> Result<(bool, bool)> {
        self.resolve_entry(caller, handle, None, Access::empty())
            .map(|entry| (entry.inherit, entry.protect))
    }

    /// NtSetInformationObject, ObjectHandleFlagInformation.
    ///
    /// # Errors
    /// `INVALID_HANDLE`.
    fn set_handle_flags(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        inherit: bool,
        protect: bool,
    ) -> Result<()> {
        let process = self.caller_process(caller)?;
        let entry = self
            .handles_mut(process)
            .and_then(|table| table.get_mut(handle))
            .ok_or(Status::INVALID_HANDLE)?;
        entry.inherit = inherit;
        entry.protect = protect;
        Ok(())
    }

    /// NtQuerySecurityObject: the parts that `information` names (owner 1, group 2, DACL 4, SACL
    /// 8).
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`], for `READ_CONTROL` and `ACCESS_SYSTEM_SECURITY`.
    fn query_security(
        &self,
        caller: ThreadId,
        handle: Handle,
        information: u32,
    ) -> Result<Vec<u8>> {
        let mut access = Access::empty();
        if information & 7 != 0 {
            access |= Access::READ_CONTROL;
        }
        if information & 8 != 0 {
            access |= Access::SYSTEM_SECURITY;
        }
        let object = self.resolve(caller, handle, None, access)?;
        let whole = self.object(object)?.security.clone();
        Ok(whole.map_or_else(
            || SecurityDescriptor::EMPTY.bytes(),
            |whole| whole.parts(information).bytes(),
        ))
    }

    /// NtSetSecurityObject: replaces the parts that `information` names.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`], for `WRITE_DAC` and `WRITE_OWNER`; errors of the descriptor;
    /// `NO_SECURITY_ON_OBJECT`.
    fn set_security(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        information: u32,
        descriptor: &[u8],
    ) -> Result<()> {
        let mut access = Access::empty();
        if information & 3 != 0 {
            access |= Access::WRITE_OWNER;
        }
        if information & 4 != 0 {
            access |= Access::WRITE_DAC;
        }
        if information & 8 != 0 {
            access |= Access::SYSTEM_SECURITY;
        }
        let object = self.resolve(caller, handle, None, access)?;
        let new = SecurityDescriptor::parse(descriptor)?;
        let mapping = self.type_of(self.object(object)?.kind).mapping;
        let target = self.object_mut(object)?;
        let mut whole = target
            .security
            .as_deref()
            .cloned()
            .ok_or(Status::NO_SECURITY_ON_OBJECT)?;
        whole.replace(information, new, &mapping)?;
        target.security = Some(Arc::new(whole));
        Ok(())
    }
}

impl<S: System> Queries for S {}
