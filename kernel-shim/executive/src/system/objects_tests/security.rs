// SPDX-License-Identifier: GPL-2.0-or-later
//! Security descriptors of objects, and the access checks against them (spec 2.2).

use super::*;

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
        make(&mut bench, "\\??\\A", &PRIMARY.behind_defaulted()),
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
        make(&mut bench, "\\Device\\C", &PRIMARY.behind_defaulted()),
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
