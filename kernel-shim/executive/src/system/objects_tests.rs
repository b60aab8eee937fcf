// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager, rule by rule (spec 1.1 row 14, 2.2, 3.1, 3.2).

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

#[test]
fn spec_1_1_row_14_the_namespace_before_smss() {
    let mut bench = Bench::new();
    for name in [
        "\\",
        "\\ObjectTypes",
        "\\KernelObjects",
        "\\GLOBAL??",
        "\\ArcName",
        "\\Device",
        "\\Driver",
        "\\FileSystem",
        "\\Callback",
        "\\Security",
    ] {
        let handle = bench
            .open(name)
            .unwrap_or_else(|status| panic!("{name}: {status}"));
        bench.close(handle);
    }
    assert_eq!(bench.target("\\GLOBAL??\\GLOBALROOT").unwrap(), "");
    assert_eq!(bench.target("\\GLOBAL??\\Global").unwrap(), "\\GLOBAL??");
    assert_eq!(bench.target("\\DosDevices").unwrap(), "\\??");
    assert!(
        bench
            .names("\\ObjectTypes")
            .contains(&"SymbolicLink".to_string())
    );
    assert_eq!(
        bench.open("\\KnownDlls"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "smss makes it"
    );
    assert_eq!(
        bench.open("\\BaseNamedObjects"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "spec 1.1 row 15"
    );
}

#[test]
fn spec_3_1_dos_devices_is_global_for_the_system() {
    let mut bench = Bench::new();
    bench.link("\\??\\NUL", "\\Device\\Null", OPENIF).unwrap();
    for name in [
        "\\GLOBAL??\\nul",
        "\\DosDevices\\Nul",
        "\\??\\nul",
        "\\??\\Global\\NUL",
        "\\??\\GLOBALROOT\\GLOBAL??\\NUL",
    ] {
        assert_eq!(bench.target(name).unwrap(), "\\Device\\Null", "{name}");
    }
    let whole = bench.open("\\??").unwrap();
    assert_eq!(
        UnicodeStr(
            &bench
                .executive
                .query_object_name(bench.thread, whole)
                .unwrap()
        )
        .to_string(),
        "\\GLOBAL??"
    );
}

#[test]
fn spec_3_1_the_dacl_of_the_global_directory() {
    let bench = &mut Bench::protected(true);
    let handle = bench.open("\\GLOBAL??").unwrap();
    let aces = bench.dacl(handle);
    assert_eq!(
        aces[0],
        Ace::allow(
            0,
            Access::READ_CONTROL | Access::DIRECTORY_QUERY | Access::DIRECTORY_TRAVERSE,
            Sid::world()
        )
    );
    assert_eq!(aces[1], Ace::allow(0, Access::DIRECTORY_ALL, Sid::system()));
    assert_eq!(
        aces[2],
        Ace::allow(0x0B, Access::GENERIC_EXECUTE, Sid::world())
    );
    assert_eq!(aces.len(), 6);
    let bench = &mut Bench::protected(false);
    let handle = bench.open("\\GLOBAL??").unwrap();
    assert_eq!(bench.dacl(handle).len(), 3);
}

#[test]
fn spec_3_2_open_if_tells_that_the_name_was_there() {
    let mut bench = Bench::new();
    assert!(!bench.directory("\\Windows", OPENIF).unwrap().existed);
    assert!(bench.directory("\\WINDOWS", OPENIF).unwrap().existed);
    assert_eq!(
        bench.directory("\\Windows", Attributes::CASE_INSENSITIVE),
        Err(Status::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        bench.link("\\Windows", "\\x", OPENIF),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        bench.link("\\Windows", "\\x", Attributes::empty()),
        Err(Status::OBJECT_NAME_COLLISION)
    );
}

#[test]
fn names_that_cannot_be() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.directory("Windows", OPENIF),
        Err(Status::OBJECT_PATH_SYNTAX_BAD)
    );
    assert_eq!(
        bench.directory("\\a\\b", OPENIF),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        bench.directory("\\Windows\\", OPENIF),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(bench.open("\\Device\\"), Err(Status::OBJECT_NAME_INVALID));
    assert_eq!(bench.open("\\\\Device"), Err(Status::OBJECT_NAME_INVALID));
    assert_eq!(bench.open(""), Err(Status::OBJECT_PATH_SYNTAX_BAD));
    assert_eq!(
        bench.open("\\ObjectTypes\\Event"),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        bench.open("\\ObjectTypes\\Event\\x"),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        bench.open("\\DosDevices"),
        bench.open("\\GLOBAL??").map(|handle| Handle(handle.0 - 4)),
        "a directory is wanted, so the link is followed"
    );
}

#[test]
fn relative_names_start_in_their_directory() {
    let mut bench = Bench::new();
    let root = bench.open("\\GLOBAL??").unwrap();
    let relative = ObjectAttributes::named(wide!("AUX")).under(root);
    bench
        .executive
        .create_symbolic_link(
            bench.thread,
            &relative,
            Access::SYMBOLIC_LINK_ALL,
            &utf16("\\DosDevices\\COM1"),
        )
        .unwrap();
    assert_eq!(bench.target("\\??\\aux").unwrap(), "\\DosDevices\\COM1");
    let absolute = ObjectAttributes::named(wide!("\\AUX")).under(root);
    assert_eq!(
        bench
            .executive
            .open_symbolic_link(bench.thread, &absolute, Access::SYMBOLIC_LINK_QUERY),
        Err(Status::OBJECT_PATH_SYNTAX_BAD)
    );
    let event = bench.event("", Attributes::empty()).unwrap();
    let inside = ObjectAttributes::named(wide!("x")).under(event);
    assert_eq!(
        bench
            .executive
            .open_directory(bench.thread, &inside, Access::DIRECTORY_QUERY),
        Err(Status::INVALID_HANDLE),
        "an event has no names in it"
    );
    let itself = ObjectAttributes::named(UnicodeStr::EMPTY).under(root);
    assert!(
        bench
            .executive
            .open_directory(bench.thread, &itself, Access::DIRECTORY_QUERY)
            .is_ok()
    );
}

#[test]
fn links_pass_the_rest_of_the_name_on() {
    let mut bench = Bench::new();
    bench.directory("\\Real", OPENIF).unwrap();
    bench.directory("\\Real\\Inner", OPENIF).unwrap();
    bench.link("\\Short", "\\Real\\", OPENIF).unwrap();
    bench.link("\\Chain", "\\Short", OPENIF).unwrap();
    bench.link("\\Self", "\\Self", OPENIF).unwrap();
    assert!(bench.open("\\Chain\\Inner").is_ok());
    assert_eq!(
        bench.open("\\Self"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "after 30 links"
    );
    bench.directory("\\Chain\\New", OPENIF).unwrap();
    assert!(
        bench.names("\\Real").contains(&"New".to_string()),
        "what is made through a link is made at its target"
    );
    bench.link("\\Relative", "Real", OPENIF).unwrap();
    assert_eq!(bench.open("\\Relative"), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn a_name_goes_with_the_last_handle_unless_it_is_permanent() {
    let mut bench = Bench::new();
    let event = bench.event("\\Device\\x", Attributes::empty()).unwrap();
    assert_eq!(bench.names("\\Device"), ["x"]);
    let objects = bench.executive.ob.len();
    bench.close(event);
    assert!(bench.names("\\Device").is_empty());
    assert_eq!(bench.executive.ob.len(), objects - 1);
    let event = bench
        .event("\\Device\\VolumesSafeForWriteAccess", Attributes::PERMANENT)
        .unwrap();
    bench.close(event);
    assert_eq!(bench.names("\\Device"), ["VolumesSafeForWriteAccess"]);
}

#[test]
fn spec_3_2_step_3_a_temporary_link_vanishes_and_can_be_made_again() {
    let mut bench = Bench::new();
    let first = bench
        .link("\\??\\Z:", "\\??\\C:\\dir", OPENIF)
        .unwrap()
        .handle;
    bench.close(first);
    assert_eq!(
        bench
            .executive
            .ob
            .device_map(DeviceMapId::SYSTEM)
            .unwrap()
            .drives,
        1 << 25
    );
    assert_eq!(
        bench
            .executive
            .ob
            .device_map(DeviceMapId::SYSTEM)
            .unwrap()
            .types[25],
        1,
        "calculate: a substituted drive"
    );
    let again = bench.link("\\??\\z:", "\\Device\\x", OPENIF).unwrap();
    assert!(again.existed);
    bench
        .executive
        .make_temporary(bench.thread, again.handle)
        .unwrap();
    assert!(
        bench.target("\\??\\Z:").is_ok(),
        "the name stays while there is a handle"
    );
    bench.close(again.handle);
    assert_eq!(bench.target("\\??\\Z:"), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(
        bench
            .executive
            .ob
            .device_map(DeviceMapId::SYSTEM)
            .unwrap()
            .drives,
        0
    );
    assert!(
        !bench
            .link("\\??\\Z:", "\\Device\\x", Attributes::PERMANENT)
            .unwrap()
            .existed
    );
}

#[test]
fn spec_3_1_only_drive_letters_change_the_device_map() {
    let mut bench = Bench::new();
    for name in ["\\??\\COM1", "\\??\\1:", "\\??\\CC:", "\\Device\\C:"] {
        bench.link(name, "\\Device\\Null", OPENIF).unwrap();
    }
    assert_eq!(
        bench
            .executive
            .ob
            .device_map(DeviceMapId::SYSTEM)
            .unwrap()
            .drives,
        0
    );
    bench.link("\\??\\c:", "\\Device\\Null", OPENIF).unwrap();
    assert_eq!(
        bench
            .executive
            .ob
            .device_map(DeviceMapId::SYSTEM)
            .unwrap()
            .drives,
        4
    );
}

#[test]
fn permanent_objects_need_the_privilege() {
    let mut bench = Bench::new();
    let token = bench.executive.process_of(bench.thread).unwrap().token;
    bench.executive.token_mut(token).unwrap().adjust(None, true);
    assert_eq!(
        bench.directory("\\P", OPENIF),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
    assert!(bench.directory("\\T", Attributes::empty()).is_ok());
}

#[test]
fn exclusive_objects_belong_to_one_process() {
    let mut bench = Bench::new();
    let exclusive = Attributes::EXCLUSIVE.union(Attributes::OPENIF);
    bench.event("\\E", exclusive).unwrap();
    let other = bench.another();
    let attributes = ObjectAttributes::named(wide!("\\E")).with(exclusive);
    assert_eq!(
        bench
            .executive
            .create_event(other, &attributes, Access::EVENT_QUERY_STATE, true, false),
        Err(Status::ACCESS_DENIED)
    );
    assert!(bench.event("\\E", exclusive).is_ok());
    assert_eq!(
        bench.event("\\F", exclusive.union(Attributes::INHERIT)),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        bench.event("\\F", Attributes::empty()).map(|_| ()),
        Ok(()),
        "the failure left nothing behind"
    );
}

#[test]
fn handles_are_multiples_of_four_and_their_low_bits_do_not_count() {
    let mut bench = Bench::new();
    let first = bench.event("", Attributes::empty()).unwrap();
    let second = bench.event("", Attributes::empty()).unwrap();
    assert_eq!((first, second), (Handle(4), Handle(8)));
    bench.close(Handle(first.0 | 1));
    assert_eq!(
        bench.executive.close(bench.thread, first),
        Err(Status::INVALID_HANDLE)
    );
    assert_eq!(
        bench.event("", Attributes::empty()),
        Ok(first),
        "the free slot is used again"
    );
    for bad in [Handle::NULL, Handle(0x1000), Handle(!7)] {
        assert_eq!(
            bench.executive.close(bench.thread, bad),
            Err(Status::INVALID_HANDLE)
        );
    }
}

#[test]
fn a_handle_gives_what_it_was_granted_and_no_more() {
    let mut bench = Bench::new();
    let attributes = ObjectAttributes::unnamed();
    let query = bench
        .executive
        .create_event(
            bench.thread,
            &attributes,
            Access::EVENT_QUERY_STATE,
            true,
            false,
        )
        .unwrap()
        .handle;
    assert_eq!(
        bench.executive.set_event(bench.thread, query),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        bench.executive.make_temporary(bench.thread, query),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        bench.executive.query_directory(bench.thread, query),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    let generic = bench
        .executive
        .create_event(bench.thread, &attributes, Access::GENERIC_ALL, true, false)
        .unwrap()
        .handle;
    assert_eq!(
        bench
            .executive
            .query_object(bench.thread, generic)
            .unwrap()
            .access,
        Access::EVENT_ALL
    );
    let maximum = bench
        .executive
        .create_event(
            bench.thread,
            &attributes,
            Access::MAXIMUM_ALLOWED,
            true,
            false,
        )
        .unwrap()
        .handle;
    assert_eq!(
        bench
            .executive
            .query_object(bench.thread, maximum)
            .unwrap()
            .access,
        Access::EVENT_ALL
    );
}

#[test]
fn duplicates_go_to_other_processes_and_may_close_their_source() {
    let mut bench = Bench::new();
    let event = bench.event("", Attributes::empty()).unwrap();
    let other = bench.another();
    let process = bench.executive.process_of(other).unwrap().object;
    let target = bench
        .executive
        .open_by_id(
            bench.thread,
            process,
            Access::PROCESS_DUP_HANDLE,
            Attributes::empty(),
        )
        .unwrap();
    let request = Duplicate {
        source_process: Handle::CURRENT_PROCESS,
        source: event,
        target_process: target,
        access: Access::EVENT_QUERY_STATE,
        attributes: 0,
        options: 0,
    };
    let copy = bench.executive.duplicate(bench.thread, &request).unwrap();
    assert_eq!(
        bench.executive.query_object(other, copy).unwrap().access,
        Access::EVENT_QUERY_STATE
    );
    assert_eq!(
        bench.executive.query_object(other, copy).unwrap().handles,
        2
    );
    let same = Duplicate {
        options: DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE,
        ..request
    };
    let moved = bench.executive.duplicate(bench.thread, &same).unwrap();
    assert_eq!(
        bench.executive.query_object(other, moved).unwrap().access,
        Access::EVENT_ALL
    );
    assert_eq!(
        bench.executive.close(bench.thread, event),
        Err(Status::INVALID_HANDLE)
    );
    // Closing in another process only.
    let close = Duplicate {
        source_process: target,
        source: moved,
        target_process: Handle::NULL,
        access: Access::empty(),
        attributes: 0,
        options: DUPLICATE_CLOSE_SOURCE,
    };
    assert_eq!(
        bench.executive.duplicate(bench.thread, &close),
        Ok(Handle::NULL)
    );
    assert_eq!(
        bench.executive.query_object(other, moved),
        Err(Status::INVALID_HANDLE)
    );
    assert_eq!(
        bench.executive.duplicate(
            bench.thread,
            &Duplicate {
                source: Handle(0x500),
                ..request
            }
        ),
        Err(Status::INVALID_HANDLE)
    );
    // The current process's pseudo handle becomes a real one.
    let own = Duplicate {
        source: Handle::CURRENT_PROCESS,
        target_process: Handle::CURRENT_PROCESS,
        access: Access::PROCESS_QUERY_INFORMATION,
        ..request
    };
    let own = bench.executive.duplicate(bench.thread, &own).unwrap();
    assert_eq!(
        bench
            .executive
            .query_object(bench.thread, own)
            .unwrap()
            .kind,
        Kind::Process
    );
}

#[test]
fn protected_handles_are_not_closed() {
    let mut bench = Bench::new();
    let event = bench.event("", Attributes::INHERIT).unwrap();
    assert_eq!(
        bench.executive.query_handle_flags(bench.thread, event),
        Ok((true, false))
    );
    bench
        .executive
        .set_handle_flags(bench.thread, event, false, true)
        .unwrap();
    assert_eq!(
        bench.executive.close(bench.thread, event),
        Err(Status::HANDLE_NOT_CLOSABLE)
    );
}

#[test]
fn spec_2_2_owner_and_group_come_from_the_token() {
    const API_PORT: sd::Descriptor = sd::Descriptor::with_dacl(&[
        sd::Ace::allow(0x1000_0000, sd::Sid::ADMINISTRATORS),
        sd::Ace::allow(0x1000_0000, sd::Sid::LOCAL_SYSTEM),
    ]);
    let mut bench = Bench::new();
    let attributes = ObjectAttributes::named(wide!("\\E")).secured(API_PORT.as_bytes());
    let event = bench
        .executive
        .create_event(bench.thread, &attributes, Access::EVENT_ALL, true, false)
        .unwrap()
        .handle;
    let bytes = bench
        .executive
        .query_security(bench.thread, event, 7)
        .unwrap();
    let security = SecurityDescriptor::parse(&bytes).unwrap();
    assert_eq!(security.owner, Some(Sid::administrators()));
    assert_eq!(security.group, Some(Sid::system()));
    let mapped = vec![
        Ace::allow(0, Access::EVENT_ALL, Sid::administrators()),
        Ace::allow(0, Access::EVENT_ALL, Sid::system()),
    ];
    assert_eq!(security.dacl, Dacl::Aces(mapped));
    bench.demote();
    let open = ObjectAttributes::named(wide!("\\E"));
    assert_eq!(
        bench.executive.open_by_name(
            bench.thread,
            &open,
            Some(Kind::Event),
            Access::EVENT_QUERY_STATE,
            None
        ),
        Err(Status::ACCESS_DENIED)
    );
}

#[test]
fn spec_2_2_a_defaulted_dacl_gives_way_to_what_the_parent_passes_on() {
    const PRIMARY: sd::Descriptor =
        sd::Descriptor::with_dacl(&[sd::Ace::allow(0x1000_0000, sd::Sid::ADMINISTRATORS)]);
    let mut bench = Bench::new();
    let make = |bench: &mut Bench, name: &str, descriptor: &sd::Descriptor| {
        let name = utf16(name);
        let attributes = ObjectAttributes::named(UnicodeStr(&name)).secured(descriptor.as_bytes());
        let handle = bench
            .executive
            .create_symbolic_link(
                bench.thread,
                &attributes,
                Access::SYMBOLIC_LINK_ALL,
                &utf16("\\x"),
            )
            .unwrap()
            .handle;
        bench.dacl(handle)
    };
    let inherited = vec![
        Ace::allow(
            0,
            Access::READ_CONTROL | Access::SYMBOLIC_LINK_QUERY,
            Sid::world(),
        ),
        Ace::allow(0, Access::SYMBOLIC_LINK_ALL, Sid::administrators()),
        Ace::allow(0, Access::SYMBOLIC_LINK_ALL, Sid::system()),
        Ace::allow(0, Access::SYMBOLIC_LINK_ALL, Sid::administrators()),
    ];
    assert_eq!(
        make(&mut bench, "\\??\\A", &PRIMARY.defaulted()),
        inherited,
        "CREATOR OWNER has become the owner"
    );
    assert_eq!(
        make(&mut bench, "\\??\\B", &PRIMARY),
        vec![Ace::allow(
            0,
            Access::SYMBOLIC_LINK_ALL,
            Sid::administrators()
        )]
    );
    assert_eq!(
        make(&mut bench, "\\Device\\C", &PRIMARY.defaulted()),
        vec![Ace::allow(
            0,
            Access::SYMBOLIC_LINK_ALL,
            Sid::administrators()
        )],
        "nothing is passed on there"
    );
}

#[test]
fn spec_2_2_a_container_passes_on_what_it_inherits() {
    let mut bench = Bench::new();
    let handle = bench
        .directory("\\??\\Inner", Attributes::empty())
        .unwrap()
        .handle;
    let aces = bench.dacl(handle);
    assert_eq!(
        aces[0],
        Ace::allow(
            0,
            Access::READ_CONTROL | Access::DIRECTORY_QUERY | Access::DIRECTORY_TRAVERSE,
            Sid::world()
        )
    );
    assert_eq!(
        aces[1],
        Ace::allow(0x0B, Access::GENERIC_EXECUTE, Sid::world()),
        "the generic right goes on"
    );
    assert_eq!(
        aces.last(),
        Some(&Ace::allow(0x0B, Access::GENERIC_ALL, Sid::creator_owner()))
    );
}

#[test]
fn spec_2_2_a_null_dacl_lets_everyone_in() {
    let mut bench = Bench::new();
    let null = sd::Descriptor::with_null_dacl();
    let attributes = ObjectAttributes::named(wide!("\\Open")).secured(null.as_bytes());
    bench
        .executive
        .create_directory(bench.thread, &attributes, Access::DIRECTORY_ALL)
        .unwrap();
    bench.demote();
    assert!(bench.open("\\Open").is_ok());
    assert!(bench.event("\\Open\\e", Attributes::empty()).is_ok());
}

#[test]
fn spec_3_2_protection_lets_an_ordinary_user_read_but_not_replace() {
    let mut bench = Bench::new();
    let kept = bench.link("\\??\\AUX", "\\x", OPENIF).unwrap().handle;
    bench.close(kept);
    bench.demote();
    assert_eq!(bench.target("\\??\\AUX").unwrap(), "\\x");
    assert_eq!(
        bench.link("\\??\\AUX", "\\y", Attributes::OPENIF),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        bench.link("\\??\\NEW", "\\y", Attributes::empty()),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        bench.directory("\\??\\D", Attributes::empty()),
        Err(Status::ACCESS_DENIED)
    );
}

#[test]
fn access_checks_go_through_the_aces_in_order() {
    let mapping = TYPES[Kind::Event as usize].mapping;
    let token = crate::se::Token::system();
    let world = |aces: Vec<Ace>| SecurityDescriptor {
        owner: Some(Sid::world()),
        ..SecurityDescriptor::with_dacl(aces)
    };
    let check = |world: &SecurityDescriptor, desired| world.check(&token, desired, &mapping);
    let (query, modify) = (Access::EVENT_QUERY_STATE, Access::EVENT_MODIFY_STATE);
    let either = query | modify;
    let deny = Ace {
        kind: DENY,
        flags: 0,
        mask: modify,
        sid: Sid::system(),
    };
    let allow = Ace::allow(0, Access::EVENT_ALL, Sid::administrators());
    let both = world(vec![deny.clone(), allow.clone()]);
    assert_eq!(check(&both, query), Ok(query));
    assert_eq!(check(&both, either), Err(Status::ACCESS_DENIED));
    assert_eq!(
        check(&both, Access::MAXIMUM_ALLOWED),
        Ok(Access::EVENT_ALL - modify)
    );
    assert_eq!(check(&both, Access::empty()), Err(Status::ACCESS_DENIED));
    assert_eq!(
        check(&world(vec![allow, deny]), either),
        Ok(either),
        "what was allowed first stays allowed"
    );
    let nobody = world(Vec::new());
    assert_eq!(
        check(&nobody, Access::READ_CONTROL),
        Ok(Access::READ_CONTROL),
        "the owner may always read and change the DACL"
    );
    assert_eq!(check(&nobody, query), Err(Status::ACCESS_DENIED));
    assert_eq!(
        check(&nobody, Access::SYSTEM_SECURITY),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
    let inherit_only = world(vec![Ace::allow(8, either, Sid::world())]);
    assert_eq!(check(&inherit_only, query), Err(Status::ACCESS_DENIED));
}

#[test]
fn descriptors_survive_the_way_there_and_back() {
    let whole = SecurityDescriptor {
        owner: Some(Sid::system()),
        group: Some(Sid::new(5, &[21, 1, 2, 3])),
        dacl: Dacl::Aces(vec![
            Ace::allow(0x0B, Access::GENERIC_READ, Sid::creator_owner()),
            Ace {
                kind: DENY,
                flags: 0,
                mask: Access::EVENT_QUERY_STATE,
                sid: Sid::world(),
            },
        ]),
        defaulted: true,
        sacl: Some(vec![Ace {
            kind: 2,
            flags: 0x40,
            mask: Access::EVENT_QUERY_STATE,
            sid: Sid::world(),
        }]),
    };
    assert_eq!(SecurityDescriptor::parse(&whole.bytes()), Ok(whole.clone()));
    let bytes = whole.bytes();
    for length in 0..bytes.len() {
        // Cut anywhere: an error or something smaller, never a panic.
        let _ = SecurityDescriptor::parse(&bytes[..length]);
    }
    assert_eq!(
        SecurityDescriptor::parse(&[2; 20]),
        Err(Status::UNKNOWN_REVISION)
    );
    assert_eq!(
        SecurityDescriptor::parse(&[1, 0, 0, 0]).unwrap_err(),
        Status::INVALID_SECURITY_DESCR
    );
}

#[test]
fn a_directory_lists_its_entries_in_the_order_of_their_names() {
    let mut bench = Bench::new();
    for name in ["\\Device\\b", "\\Device\\A", "\\Device\\c"] {
        bench.link(name, "\\x", OPENIF).unwrap();
    }
    assert_eq!(bench.names("\\Device"), ["A", "b", "c"]);
    let handle = bench.open("\\Device").unwrap();
    let entries = bench
        .executive
        .query_directory(bench.thread, handle)
        .unwrap();
    assert!(
        entries
            .iter()
            .all(|entry| entry.type_name == "SymbolicLink")
    );
}

#[test]
fn what_a_failed_creation_made_is_gone() {
    let mut bench = Bench::new();
    let objects = bench.executive.ob.len();
    assert!(bench.directory("\\a\\b", OPENIF).is_err());
    assert!(bench.directory("\\Device", Attributes::empty()).is_err());
    let attributes = ObjectAttributes::named(wide!("\\E")).secured(&[9; 20]);
    assert!(
        bench
            .executive
            .create_event(
                bench.thread,
                &attributes,
                Access::EVENT_QUERY_STATE,
                true,
                false
            )
            .is_err()
    );
    assert_eq!(bench.executive.ob.len(), objects);
}
