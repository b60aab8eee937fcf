// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry's services: key objects, and what their handles allow (Nt...Key of the same names).

use crate::cm::registry::Walk;
use crate::cm::{KeyBody, KeyFacts, KeyRef, REG_OPTION_CREATE_LINK, REG_OPTION_VOLATILE};
use crate::ids::{ObjectId, ThreadId};
use crate::ob::prelude::*;
use crate::ob::{Hooks, Kind, ParseRequest, Parsed};
use crate::se::SecurityDescriptor;
use crate::system::{Body, Executive};
use alloc::sync::Arc;
use alloc::vec::Vec;
use formats::hive::{MAX_VALUE_NAME, Value};
use nt::access::Access;
use nt::{Handle, ObjectAttributes, Result, Status};

const OPEN_LINK: u32 = 0x100;

/// The hooks of key objects.
pub const KEY_HOOKS: Hooks<Executive> = Hooks {
    parse: Some(parse),
    name: Some(name_of),
    ..Hooks::NONE
};

/// What NtCreateKey did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// `REG_CREATED_NEW_KEY`, 1.
    Created,
    /// `REG_OPENED_EXISTING_KEY`, 2.
    Opened,
}

/// What NtCreateKey hands through the lookup: owned, because the lookup's context must be
/// `'static`.
struct Packet {
    class: Vec<u16>,
    options: u32,
    security: Option<Vec<u8>>,
    disposition: Disposition,
}

fn parse(executive: &mut Executive, mut request: ParseRequest<'_>) -> Result<Parsed> {
    let Body::Key(body) = executive.object(request.object)?.body else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let packet = request
        .context
        .take()
        .and_then(|context| context.downcast_mut::<Packet>());
    // A link that is about to be made, or was asked for itself, is not followed.
    let open_link = request.attributes & OPEN_LINK != 0
        || packet
            .as_ref()
            .is_some_and(|packet| packet.options & REG_OPTION_CREATE_LINK != 0);
    match (
        executive
            .registry
            .walk(body.key, request.remaining, open_link)?,
        packet,
    ) {
        (Walk::Link(target), _) => Ok(Parsed::Reparse(target)),
        (Walk::Key(key), packet) => {
            if let Some(packet) = packet {
                packet.disposition = Disposition::Opened;
            }
            key_object(executive, key).map(Parsed::Object)
        }
        (Walk::Missing { .. }, None) => Err(Status::OBJECT_NAME_NOT_FOUND),
        (Walk::Missing { parent, name }, Some(packet)) => {
            let made = create(executive, request.caller, parent, &name, packet)?;
            packet.disposition = Disposition::Created;
            // The maker of a key gets what it asked for, whatever the key's descriptor says.
            request
                .access
                .grant_all(&executive.type_of(Kind::Key).mapping);
            key_object(executive, made).map(Parsed::Object)
        }
    }
}

/// A new object for a key, with the key's own security.
fn key_object(executive: &mut Executive, key: KeyRef) -> Result<ObjectId> {
    let security = SecurityDescriptor::parse(executive.registry.security(key)?)?;
    let object = executive.new_object(Body::Key(KeyBody { key }));
    executive.object_mut(object)?.security = Some(Arc::new(security));
    Ok(object)
}

fn create(
    executive: &mut Executive,
    caller: ThreadId,
    parent: KeyRef,
    name: &[u16],
    packet: &Packet,
) -> Result<KeyRef> {
    let kernel = executive.is_kernel(caller);
    let mapping = &executive.type_of(Kind::Key).mapping;
    let above = SecurityDescriptor::parse(executive.registry.security(parent)?)?;
    let link = packet.options & REG_OPTION_CREATE_LINK != 0;
    if !kernel {
        let mut needed = Access::KEY_CREATE_SUB_KEY;
        needed.set(Access::KEY_CREATE_LINK, link);
        above.check(executive.token_of(caller)?, needed, mapping)?;
    }
    let explicit = packet
        .security
        .as_deref()
        .map(SecurityDescriptor::parse)
        .transpose()?;
    let security = SecurityDescriptor::assign(
        explicit.as_ref(),
        Some(&above),
        true,
        executive.token_of(caller)?,
        mapping,
    );
    let volatile = packet.options & REG_OPTION_VOLATILE != 0;
    let (now, uptime) = (executive.now(), executive.machine.uptime());
    let made = executive
        .registry
        .create(parent, name, volatile, now, uptime)?;
    executive
        .registry
        .set_security(made, &security.bytes(), uptime)?;
    if let Some(mounted) = executive.registry.mounted_mut(made.hive) {
        let class: Vec<u8> = packet
            .class
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect();
        mounted.hive.set_class(made.key, &class)?;
        mounted.hive.set_link(made.key, link)?;
    }
    Ok(made)
}

/// The full name of a key object.
fn name_of(executive: &Executive, object: ObjectId) -> Vec<u16> {
    match executive.ob.get(object).map(|object| &object.body) {
        Some(Body::Key(body)) if executive.registry.key(body.key).is_ok() => {
            executive.registry.path(body.key)
        }
        _ => Vec::new(),
    }
}

impl Executive {
    fn key_behind(&self, caller: ThreadId, handle: Handle, access: Access) -> Result<KeyRef> {
        let object = self.resolve(caller, handle, Some(Kind::Key), access)?;
        match self.object(object)?.body {
            Body::Key(body) => self.registry.key(body.key).map(|_| body.key),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtOpenKey.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `OBJECT_NAME_INVALID`, `ACCESS_DENIED`, `KEY_DELETED` for a root
    /// key that has gone.
    pub fn open_key(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.open_by_name(caller, attributes, Some(Kind::Key), access, None)
    }

    /// NtCreateKey: the handle, and whether the key is new.
    ///
    /// # Errors
    /// As [`Self::open_key`]; `CHILD_MUST_BE_VOLATILE`, `INVALID_PARAMETER` for options that there
    /// are not.
    pub fn create_key(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        class: &[u16],
        options: u32,
    ) -> Result<(Handle, Disposition)> {
        if options & !0xF != 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut packet = Packet {
            class: class.to_vec(),
            options,
            security: attributes.security.map(<[u8]>::to_vec),
            disposition: Disposition::Opened,
        };
        let handle = self.open_by_name(
            caller,
            attributes,
            Some(Kind::Key),
            access,
            Some(&mut packet),
        )?;
        Ok((handle, packet.disposition))
    }

    fn key_facts(&self, key: KeyRef) -> Result<KeyFacts> {
        let found = self.registry.key(key)?;
        let class = |bytes: &[u8]| {
            bytes
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect()
        };
        let mut facts = KeyFacts {
            last_write: found.last_write,
            name: self.registry.name(key).to_vec(),
            path: Vec::new(),
            class: class(&found.class),
            subkeys: found.subkeys().len() as u32,
            values: found.values().len() as u32,
            ..KeyFacts::default()
        };
        for subkey in self.registry.subkeys(key)? {
            facts.longest_name = facts
                .longest_name
                .max(self.registry.name(subkey).len() as u32 * 2);
            facts.longest_class = facts.longest_class.max(
                self.registry
                    .key(subkey)
                    .map_or(0, |sub| sub.class.len() as u32),
            );
        }
        for value in found.values() {
            facts.longest_value_name = facts.longest_value_name.max(value.name.len() as u32 * 2);
            facts.longest_value_data = facts.longest_value_data.max(value.data.len() as u32);
        }
        Ok(facts)
    }

    /// NtQueryKey. `name_only`: the class that tells the full path, for which any access will do.
    ///
    /// # Errors
    /// `KEY_DELETED`, and as [`Lifetimes::resolve`] for `KEY_QUERY_VALUE`.
    pub fn query_key(&self, caller: ThreadId, key: Handle, name_only: bool) -> Result<KeyFacts> {
        let key = self.key_behind(
            caller,
            key,
            if name_only {
                Access::empty()
            } else {
                Access::KEY_QUERY_VALUE
            },
        )?;
        Ok(KeyFacts {
            path: self.registry.path(key),
            ..self.key_facts(key)?
        })
    }

    /// NtEnumerateKey.
    ///
    /// # Errors
    /// `NO_MORE_ENTRIES`, `KEY_DELETED`, and as [`Lifetimes::resolve`] for `KEY_ENUMERATE_SUB_KEYS`.
    pub fn enumerate_key(&self, caller: ThreadId, key: Handle, index: u32) -> Result<KeyFacts> {
        let key = self.key_behind(caller, key, Access::KEY_ENUMERATE_SUB_KEYS)?;
        let subkey = self
            .registry
            .subkeys(key)?
            .nth(index as usize)
            .ok_or(Status::NO_MORE_ENTRIES)?;
        self.key_facts(subkey)
    }

    /// NtQueryValueKey.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `KEY_DELETED`, and as [`Lifetimes::resolve`] for `KEY_QUERY_VALUE`.
    pub fn query_value(&self, caller: ThreadId, key: Handle, name: &[u16]) -> Result<&Value> {
        let key = self.key_behind(caller, key, Access::KEY_QUERY_VALUE)?;
        self.registry.value(key, name)
    }

    /// NtEnumerateValueKey.
    ///
    /// # Errors
    /// `NO_MORE_ENTRIES`, `KEY_DELETED`, and as [`Lifetimes::resolve`] for `KEY_QUERY_VALUE`.
    pub fn enumerate_value(&self, caller: ThreadId, key: Handle, index: u32) -> Result<&Value> {
        let key = self.key_behind(caller, key, Access::KEY_QUERY_VALUE)?;
        self.registry
            .key(key)?
            .values()
            .get(index as usize)
            .ok_or(Status::NO_MORE_ENTRIES)
    }

    /// NtSetValueKey.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a name that is too long, `KEY_DELETED`, and as [`Lifetimes::resolve`] for
    /// `KEY_SET_VALUE`.
    pub fn set_value(
        &mut self,
        caller: ThreadId,
        key: Handle,
        name: &[u16],
        kind: u32,
        data: Vec<u8>,
    ) -> Result<()> {
        let key = self.key_behind(caller, key, Access::KEY_SET_VALUE)?;
        if name.len() > MAX_VALUE_NAME {
            return Err(Status::INVALID_PARAMETER);
        }
        let (now, uptime) = (self.now(), self.machine.uptime());
        self.registry.set_value(key, name, kind, data, now, uptime)
    }

    /// NtDeleteValueKey.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `KEY_DELETED`, and as [`Lifetimes::resolve`] for `KEY_SET_VALUE`.
    pub fn delete_value(&mut self, caller: ThreadId, key: Handle, name: &[u16]) -> Result<()> {
        let key = self.key_behind(caller, key, Access::KEY_SET_VALUE)?;
        let (now, uptime) = (self.now(), self.machine.uptime());
        self.registry.delete_value(key, name, now, uptime)
    }

    /// NtDeleteKey.
    ///
    /// # Errors
    /// `CANNOT_DELETE` for a key with subkeys and for the root of a hive, `KEY_DELETED`, and as
    /// [`Lifetimes::resolve`] for `Access::DELETE`.
    pub fn delete_key(&mut self, caller: ThreadId, key: Handle) -> Result<()> {
        let key = self.key_behind(caller, key, Access::DELETE)?;
        let (now, uptime) = (self.now(), self.machine.uptime());
        self.registry.delete(key, now, uptime)
    }

    /// NtFlushKey: the key's hive is written, if hives may be written yet.
    ///
    /// # Errors
    /// What writing the file says; `KEY_DELETED`, `INVALID_HANDLE`.
    pub fn flush_key(&mut self, caller: ThreadId, key: Handle) -> Result<()> {
        let key = self.key_behind(caller, key, Access::empty())?;
        if !self.registry.writes_enabled()
            || self
                .registry
                .mounted(key.hive)
                .is_none_or(|mounted| mounted.dirty_since.is_none())
        {
            return Ok(());
        }
        self.write_hive(key.hive)
    }
}
