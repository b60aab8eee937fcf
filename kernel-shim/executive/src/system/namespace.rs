// SPDX-License-Identifier: GPL-2.0-or-later
//! The namespace as the kernel leaves it to smss (spec 1.1 row 14, 3.1).
//!
//! Devices, drive letters and what file systems register come from `io`, `\REGISTRY` from `cm`;
//! everything else is made here.

use super::Body;
use crate::ids::{ObjectId, ThreadId};
use crate::ob::prelude::*;
use crate::ob::{Directory, Kind, SymbolicLink};
use crate::se::acl::{Ace, CONTAINER_INHERIT, INHERIT_ONLY, OBJECT_INHERIT};
use crate::se::{SecurityDescriptor, Sid};
use crate::system::Executive;
use alloc::vec;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::object::Attributes;
use nt::{ObjectAttributes, Result, UnicodeStr};

const READ_EXECUTE: Access = Access::GENERIC_READ.union(Access::GENERIC_EXECUTE);
const PASSED_ON: u8 = OBJECT_INHERIT | CONTAINER_INHERIT | INHERIT_ONLY;

/// The permanent directories below the root, besides `\GLOBAL??`.
const DIRECTORIES: &[&str] = &[
    "\\ObjectTypes",
    "\\KernelObjects",
    "\\ArcName",
    "\\Device",
    "\\Driver",
    "\\FileSystem",
    "\\Callback",
    "\\Security",
];

/// What everyone may look at and only the system may change.
fn public() -> Vec<Ace> {
    vec![
        Ace::allow(0, READ_EXECUTE, Sid::world()),
        Ace::allow(0, Access::GENERIC_ALL, Sid::administrators()),
        Ace::allow(0, Access::GENERIC_ALL, Sid::system()),
        Ace::allow(0, READ_EXECUTE, Sid::restricted()),
    ]
}

/// The DACL of `\GLOBAL??` (spec 3.1), by bit 0 of `ProtectionMode`.
fn global_devices(protected: bool) -> Vec<Ace> {
    if !protected {
        return vec![
            Ace::allow(0, READ_EXECUTE | Access::GENERIC_WRITE, Sid::world()),
            Ace::allow(0, Access::GENERIC_ALL, Sid::system()),
            Ace::allow(PASSED_ON, Access::GENERIC_ALL, Sid::world()),
        ];
    }
    vec![
        Ace::allow(0, READ_EXECUTE, Sid::world()),
        Ace::allow(0, Access::GENERIC_ALL, Sid::system()),
        Ace::allow(PASSED_ON, Access::GENERIC_EXECUTE, Sid::world()),
        Ace::allow(PASSED_ON, Access::GENERIC_ALL, Sid::administrators()),
        Ace::allow(PASSED_ON, Access::GENERIC_ALL, Sid::system()),
        Ace::allow(PASSED_ON, Access::GENERIC_ALL, Sid::creator_owner()),
    ]
}

impl Executive {
    /// Makes the directories, links and type objects that stand before devices are named.
    /// `protected` is bit 0 of the registry's `ProtectionMode`, 0 if the value is absent.
    ///
    /// # Errors
    /// Whatever the object services say: nothing here can be missing.
    pub fn make_namespace(&mut self, protected: bool) -> Result<()> {
        let security = SecurityDescriptor::with_dacl(public());
        let mapping = self.type_of(Kind::Directory).mapping;
        let token = self.token_of(ThreadId::SYSTEM)?;
        let assigned = SecurityDescriptor::assign(Some(&security), None, true, token, &mapping);
        self.object_mut(self.ob.root())?.security = Some(alloc::sync::Arc::new(assigned));
        for name in DIRECTORIES {
            self.make_directory(name, &security)?;
        }
        for info in self.ob.types() {
            let mut name = utf16("\\ObjectTypes\\");
            name.extend(info.name.encode_utf16());
            self.make_permanent_object(&name, Body::Type(info.kind), None)?;
        }
        let global = self.make_directory(
            "\\GLOBAL??",
            &SecurityDescriptor::with_dacl(global_devices(protected)),
        )?;
        // The first map there is: the system's.
        self.ob.device_map_for(global);
        self.make_link("\\GLOBAL??\\GLOBALROOT", "")?;
        self.make_link("\\GLOBAL??\\Global", "\\GLOBAL??")?;
        self.make_link("\\DosDevices", "\\??")
    }

    /// Makes a permanent directory for the kernel.
    ///
    /// # Errors
    /// As [`Naming::insert_object`].
    pub fn make_directory(
        &mut self,
        name: &str,
        security: &SecurityDescriptor,
    ) -> Result<ObjectId> {
        let name = utf16(name);
        self.make_permanent_object(&name, Body::Directory(Directory::default()), Some(security))
    }

    /// Makes a permanent symbolic link for the kernel.
    ///
    /// # Errors
    /// As [`Naming::insert_object`].
    pub fn make_link(&mut self, name: &str, target: &str) -> Result<()> {
        let link = SymbolicLink {
            target: utf16(target),
            created: self.now(),
            drive: None,
        };
        let name = utf16(name);
        self.make_permanent_object(&name, Body::SymbolicLink(link), None)
            .map(|_| ())
    }

    /// Makes a permanent named object for the kernel: nobody has a handle to it. `security` `None`
    /// takes what the directory passes on, or the System token's default.
    ///
    /// # Errors
    /// As [`Naming::insert_object`].
    pub fn make_permanent_object(
        &mut self,
        name: &[u16],
        body: Body,
        security: Option<&SecurityDescriptor>,
    ) -> Result<ObjectId> {
        let bytes = security.map(SecurityDescriptor::bytes);
        let attributes = ObjectAttributes {
            root: nt::Handle::NULL,
            name: UnicodeStr(name),
            attributes: Attributes::PERMANENT | Attributes::CASE_INSENSITIVE,
            security: bytes.as_deref(),
        };
        let created = self.create_object(ThreadId::SYSTEM, body, &attributes, Access::empty())?;
        let object = self.resolve(ThreadId::SYSTEM, created.handle, None, Access::empty())?;
        self.close(ThreadId::SYSTEM, created.handle)?;
        Ok(object)
    }
}
