// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager, rule by rule (spec 1.1 row 14, 2.2, 3.1, 3.2).

mod handles;
mod names;
mod security;

use super::*;
use crate::host::machine::MemoryMachine;
use crate::machine::Context;
use crate::ob::prelude::*;
use crate::ob::services::{DUPLICATE_CLOSE_SOURCE, DUPLICATE_SAME_ACCESS, Duplicate};
use crate::ob::{DeviceMapId, Kind};
use crate::se::acl::{Ace, DENY};
use crate::se::{Dacl, SecurityDescriptor, Sid};
use crate::system::processes::create::Stack;
use crate::system::{Executive, Version};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::object::Attributes;
use nt::security as sd;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr, wide};

const OPENIF: Attributes = Attributes::CASE_INSENSITIVE
    .union(Attributes::OPENIF)
    .union(Attributes::PERMANENT);

/// A system with its namespace and one process that is no part of the kernel but has its token.
struct Bench {
    executive: Executive,
    thread: ThreadId,
}

impl Bench {
    fn new() -> Self {
        Self::protected(true)
    }

    fn protected(protected: bool) -> Self {
        let machine = MemoryMachine::new(4096, Vec::new());
        let mut executive = Executive::new(Box::new(machine), Version::V5_2);
        executive.make_namespace(protected).unwrap();
        let mut this = Self {
            executive,
            thread: ThreadId::SYSTEM,
        };
        this.thread = this.another();
        this
    }

    fn another(&mut self) -> ThreadId {
        let process = self
            .executive
            .make_process(ProcessId::SYSTEM, false)
            .unwrap();
        self.executive
            .make_thread(process, &Context::default(), Stack::default())
            .unwrap()
    }

    /// Makes the process one of an ordinary user.
    fn demote(&mut self) {
        let token = self.executive.process_of(self.thread).unwrap().token;
        let token = self.executive.token_mut(token).unwrap();
        token.user = Sid::new(5, &[21, 1, 2, 3, 1000]);
        token.groups.retain(|group| group.sid == Sid::world());
        token.owner_group = None;
        token
            .privileges
            .retain(|privilege| privilege.privilege == crate::se::token::CHANGE_NOTIFY);
    }

    fn directory(&mut self, name: &str, attributes: Attributes) -> Result<nt::system::Created> {
        let name = utf16(name);
        let attributes = ObjectAttributes::named(UnicodeStr(&name)).with(attributes);
        self.executive
            .create_directory(self.thread, &attributes, Access::DIRECTORY_ALL)
    }

    fn link(
        &mut self,
        name: &str,
        target: &str,
        attributes: Attributes,
    ) -> Result<nt::system::Created> {
        let name = utf16(name);
        let target = utf16(target);
        let attributes = ObjectAttributes::named(UnicodeStr(&name)).with(attributes);
        self.executive.create_symbolic_link(
            self.thread,
            &attributes,
            Access::SYMBOLIC_LINK_ALL,
            &target,
        )
    }

    fn event(&mut self, name: &str, attributes: Attributes) -> Result<Handle> {
        let name = utf16(name);
        let attributes = ObjectAttributes::named(UnicodeStr(&name)).with(attributes);
        self.executive
            .create_event(self.thread, &attributes, Access::EVENT_ALL, true, false)
            .map(|created| created.handle)
    }

    fn open(&mut self, name: &str) -> Result<Handle> {
        let name = utf16(name);
        self.executive.open_directory(
            self.thread,
            &ObjectAttributes::named(UnicodeStr(&name)),
            Access::DIRECTORY_QUERY | Access::DIRECTORY_TRAVERSE,
        )
    }

    fn open_link(&mut self, name: &str) -> Result<Handle> {
        let name = utf16(name);
        self.executive.open_symbolic_link(
            self.thread,
            &ObjectAttributes::named(UnicodeStr(&name)),
            Access::SYMBOLIC_LINK_QUERY,
        )
    }

    fn names(&mut self, directory: &str) -> Vec<String> {
        let handle = self.open(directory).unwrap();
        let entries = self.executive.query_directory(self.thread, handle).unwrap();
        self.executive.close(self.thread, handle).unwrap();
        entries
            .iter()
            .map(|entry| UnicodeStr(&entry.name).to_string())
            .collect()
    }

    fn target(&mut self, link: &str) -> Result<String> {
        let handle = self.open_link(link)?;
        let target = self.executive.query_symbolic_link(self.thread, handle)?;
        self.executive.close(self.thread, handle)?;
        Ok(UnicodeStr(&target).to_string())
    }

    fn close(&mut self, handle: Handle) {
        self.executive.close(self.thread, handle).unwrap();
    }

    fn dacl(&self, handle: Handle) -> Vec<Ace> {
        let object = self
            .executive
            .resolve(self.thread, handle, None, Access::empty())
            .unwrap();
        match &self
            .executive
            .object(object)
            .unwrap()
            .security
            .as_ref()
            .unwrap()
            .dacl
        {
            Dacl::Aces(aces) => aces.clone(),
            other => panic!("{other:?}"),
        }
    }
}
