// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be asked about an object (NtQueryObject, NtQuerySecurityObject), and what can be set.

use super::{Body, Kind, SecurityDescriptor};
use crate::Executive;
use crate::ids::{ObjectId, ThreadId};
use alloc::sync::Arc;
use alloc::vec::Vec;
use nt::{Handle, Result, Status};

/// OBJECT_BASIC_INFORMATION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicInformation {
    /// `OBJ_` attributes that still mean something: inherit, permanent, exclusive.
    pub attributes: u32,
    /// What the handle was granted.
    pub access: u32,
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

impl Executive {
    /// The full name of an object: empty if it has none. A type with names of its own (files, keys)
    /// is asked first.
    pub fn name_of(&self, object: ObjectId) -> Vec<u16> {
        if object == self.root {
            return Vec::from([0x5C]);
        }
        let Some(target) = self.objects.get(object) else {
            return Vec::new();
        };
        match &target.body {
            Body::File(_) => return crate::io::name_of(self, object),
            Body::Key(_) => return crate::cm::name_of(self, object),
            _ => {}
        }
        let Some(name) = &target.name else {
            return Vec::new();
        };
        let mut full = if name.directory == self.root {
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
    /// As [`Self::resolve`].
    pub fn query_object(&self, caller: ThreadId, handle: Handle) -> Result<BasicInformation> {
        let entry = self.resolve_entry(caller, handle, None, 0)?;
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
            created: match &object.body {
                Body::SymbolicLink(link) => link.created,
                _ => 0,
            },
            security_length: object
                .security
                .as_ref()
                .map_or(0, |security| security.bytes().len()),
        })
    }

    /// NtQueryObject, ObjectNameInformation.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn query_object_name(&self, caller: ThreadId, handle: Handle) -> Result<Vec<u16>> {
        self.resolve(caller, handle, None, 0)
            .map(|object| self.name_of(object))
    }

    /// NtQueryObject, ObjectHandleFlagInformation: inherit, protect from close.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn query_handle_flags(&self, caller: ThreadId, handle: Handle) -> Result<(bool, bool)> {
        self.resolve_entry(caller, handle, None, 0)
            .map(|entry| (entry.inherit, entry.protect))
    }

    /// NtSetInformationObject, ObjectHandleFlagInformation.
    ///
    /// # Errors
    /// `INVALID_HANDLE`.
    pub fn set_handle_flags(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        inherit: bool,
        protect: bool,
    ) -> Result<()> {
        let process = self.process_of(caller)?.id;
        let table = self
            .processes
            .get_mut(&process)
            .and_then(|process| process.handles.as_mut());
        let entry = table
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
    /// As [`Self::resolve`], for `READ_CONTROL` and `ACCESS_SYSTEM_SECURITY`.
    pub fn query_security(
        &self,
        caller: ThreadId,
        handle: Handle,
        information: u32,
    ) -> Result<Vec<u8>> {
        let mut access = 0;
        if information & 7 != 0 {
            access |= 0x0002_0000;
        }
        if information & 8 != 0 {
            access |= 0x0100_0000;
        }
        let object = self.resolve(caller, handle, None, access)?;
        let whole = self.object(object)?.security.clone();
        let mut part = SecurityDescriptor {
            owner: None,
            group: None,
            dacl: super::security::Dacl::Absent,
            defaulted: false,
            sacl: None,
        };
        if let Some(whole) = whole {
            if information & 1 != 0 {
                part.owner.clone_from(&whole.owner);
            }
            if information & 2 != 0 {
                part.group.clone_from(&whole.group);
            }
            if information & 4 != 0 {
                part.dacl = whole.dacl.clone();
            }
            if information & 8 != 0 {
                part.sacl.clone_from(&whole.sacl);
            }
        }
        Ok(part.bytes())
    }

    /// NtSetSecurityObject: replaces the parts that `information` names.
    ///
    /// # Errors
    /// As [`Self::resolve`], for `WRITE_DAC` and `WRITE_OWNER`; errors of the descriptor;
    /// `NO_SECURITY_ON_OBJECT`.
    pub fn set_security(
        &mut self,
        caller: ThreadId,
        handle: Handle,
        information: u32,
        descriptor: &[u8],
    ) -> Result<()> {
        let mut access = 0;
        if information & 3 != 0 {
            access |= 0x0008_0000;
        }
        if information & 4 != 0 {
            access |= 0x0004_0000;
        }
        if information & 8 != 0 {
            access |= 0x0100_0000;
        }
        let object = self.resolve(caller, handle, None, access)?;
        let new = SecurityDescriptor::parse(descriptor)?;
        let target = self.object_mut(object)?;
        let mapping = target.kind.info().mapping;
        let mut whole = target
            .security
            .as_deref()
            .cloned()
            .ok_or(Status::NO_SECURITY_ON_OBJECT)?;
        if information & 1 != 0 {
            whole.owner = Some(new.owner.clone().ok_or(Status::INVALID_OWNER)?);
        }
        if information & 2 != 0 {
            whole.group = Some(new.group.clone().ok_or(Status::INVALID_PRIMARY_GROUP)?);
        }
        if information & 4 != 0 {
            whole.dacl = new.mapped_dacl(&mapping);
        }
        if information & 8 != 0 {
            whole.sacl = new.sacl;
        }
        target.security = Some(Arc::new(whole));
        Ok(())
    }
}
