// SPDX-License-Identifier: GPL-2.0-or-later
//! Tokens that are made, and what a process may do with one, as programs of both widths ask for it.

use super::*;
use crate::layout::{LuidAndAttributes, QualityOfService, SidAndAttributes};
use crate::ob::prelude::*;
use crate::se::Sid;
use crate::se::token::{
    ASSIGN_PRIMARY, CHANGE_NOTIFY, CREATE_TOKEN, ENABLED, INVALID_OWNER, INVALID_PRIMARY_GROUP,
    NO_SUCH_LOGON_SESSION, TOKEN_ALREADY_IN_USE,
};

const SELF: u64 = u64::MAX;
const HANDLE: u64 = 0x00;
const LOGON: u64 = 0x10;
const EXPIRES: u64 = 0x20;
const SOURCE: u64 = 0x30;
const USER: u64 = 0x100;
const GROUPS: u64 = 0x140;
const PRIVILEGES: u64 = 0x180;
const OWNER: u64 = 0x1C0;
const PRIMARY_GROUP: u64 = 0x1E0;
const DACL: u64 = 0x1F0;
const SIDS: u64 = 0x200;
const ATTRIBUTES: u64 = 0x400;
const NAME: u64 = 0x500;
const ALL: u64 = 0xF_01FF;

/// Local Service, everyone, and administrators for denial only, which nothing here is denied to.
fn plain_user(world: &mut World, caller: Caller) -> [u64; 13] {
    let at = |offset: u64| caller.memory + offset;
    let sids = [
        Sid::new(5, &[19]),
        Sid::world(),
        Sid::administrators(),
        Sid::system(),
    ];
    for (index, sid) in sids.iter().enumerate() {
        world.put_bytes(caller, SIDS + 0x20 * index as u64, &sid.bytes());
    }
    let named = |index: u64, attributes| SidAndAttributes {
        sid: at(SIDS + 0x20 * index),
        attributes,
        ..SidAndAttributes::default()
    };
    world.put(caller, LOGON, [0x3e7_u32, 0]);
    world.put(caller, EXPIRES, i64::MAX);
    world.put(caller, SOURCE, [0_u32; 4]);
    world.put(caller, USER, named(0, 0));
    let word = world.exec.architecture().size_of::<Word>() as u64;
    let group = world.exec.architecture().size_of::<SidAndAttributes>() as u64;
    world.put(caller, GROUPS, 2_u32);
    world.put(caller, GROUPS + word, named(1, 1));
    world.put(caller, GROUPS + word + group, named(2, 0x10));
    world.put(caller, PRIVILEGES, 1_u32);
    let privilege = LuidAndAttributes {
        luid: [CHANGE_NOTIFY, 0],
        attributes: ENABLED,
    };
    world.put(caller, PRIVILEGES + 4, privilege);
    world.put(caller, OWNER, Word(at(SIDS)));
    world.put(caller, PRIMARY_GROUP, Word(at(SIDS + 0x20)));
    world.put(caller, DACL, Word(0));
    [
        at(HANDLE),
        ALL,
        0,
        1,
        at(LOGON),
        at(EXPIRES),
        at(USER),
        at(GROUPS),
        at(PRIVILEGES),
        at(OWNER),
        at(PRIMARY_GROUP),
        at(DACL),
        at(SOURCE),
    ]
}

/// Enables a privilege in the caller's token.
fn enable(world: &mut World, caller: Caller, privilege: u32) {
    let token = world.exec.process(caller.process).unwrap().token;
    let token = world.exec.token_mut(token).unwrap();
    let adjusted = token.adjust(Some(&[(u64::from(privilege), ENABLED)]), true);
    assert_eq!(adjusted.status, Status::SUCCESS);
}

fn created(world: &mut World, caller: Caller) -> u64 {
    let arguments = plain_user(world, caller);
    let status = world.status(caller, "NtCreateToken", &arguments);
    assert_eq!(status, Status::SUCCESS);
    let Word(token) = world.get(caller, HANDLE);
    token
}

/// ProcessAccessToken of the caller's own process.
fn act_with(world: &mut World, caller: Caller, token: u64) -> Status {
    world.put(caller, HANDLE, [Word(token).0, 0]);
    if world.exec.architecture() == Architecture::I386 {
        world.put(caller, HANDLE, [token as u32, 0]);
    }
    let size = 2 * world.exec.architecture().size_of::<Word>() as u64;
    let arguments = [SELF, 9, caller.memory + HANDLE, size];
    world.status(caller, "NtSetInformationProcess", &arguments)
}

fn worlds() -> [World; 2] {
    [
        World::of(Architecture::Amd64),
        World::of(Architecture::I386),
    ]
}

#[test]
fn spec_10_2_a_port_for_administrators_is_closed_to_a_process_with_a_plain_users_token() {
    for mut world in worlds() {
        let (server, client) = (world.caller(), world.caller());
        let attributes = world.attributes(server, ATTRIBUTES, "\\SmApiPort", 0);
        let port = [server.memory + HANDLE, attributes, 0xF4, 0x148, 0x2900];
        assert_eq!(world.status(server, "NtCreatePort", &port), Status::SUCCESS);
        enable(&mut world, client, CREATE_TOKEN);
        enable(&mut world, client, ASSIGN_PRIMARY);
        let token = created(&mut world, client);
        assert_eq!(act_with(&mut world, client, token), Status::SUCCESS);
        let name = world.string(client, NAME, "\\SmApiPort");
        world.put(client, ATTRIBUTES, QualityOfService::default());
        let quality = client.memory + ATTRIBUTES;
        let connect = [client.memory + HANDLE, name, quality, 0, 0, 0, 0, 0];
        assert_eq!(
            world.status(client, "NtConnectPort", &connect),
            Status::ACCESS_DENIED
        );
        // And it makes no other token.
        let arguments = plain_user(&mut world, client);
        assert_eq!(
            world.status(client, "NtCreateToken", &arguments),
            Status::PRIVILEGE_NOT_HELD
        );
    }
}

#[test]
fn a_new_token_is_what_its_structures_say() {
    for mut world in worlds() {
        let caller = world.caller();
        enable(&mut world, caller, CREATE_TOKEN);
        let arguments = plain_user(&mut world, caller);
        let acl = crate::se::acl::acl_bytes(&[]);
        world.put_bytes(caller, 0x600, &acl);
        world.put(caller, DACL, Word(caller.memory + 0x600));
        let status = world.status(caller, "NtCreateToken", &arguments);
        assert_eq!(status, Status::SUCCESS);
        let Word(handle) = world.get(caller, HANDLE);
        let object = world
            .exec
            .resolve(
                caller.thread,
                nt::Handle::from_slot(handle),
                Some(crate::ob::Kind::Token),
                nt::access::Access::TOKEN_QUERY,
            )
            .unwrap();
        let token = world.exec.token_mut(object).unwrap().clone();
        assert_eq!(token.user, Sid::new(5, &[19]));
        assert_eq!(
            (token.owner(), &token.primary_group),
            (&token.user, &Sid::world())
        );
        assert!(
            token.is_member(&Sid::world(), false),
            "mandatory is enabled"
        );
        assert!(
            token.is_member(&Sid::administrators(), true)
                && !token.is_member(&Sid::administrators(), false)
        );
        assert_eq!(token.default_dacl, Some(Vec::new()));
        assert!(token.has(CHANGE_NOTIFY) && token.privileges.len() == 1);
        assert_eq!((token.logon, token.impersonation), (0x3e7, None));
    }
}

#[test]
fn what_a_new_token_cannot_be_made_of_leaves_no_handle() {
    for mut world in worlds() {
        let caller = world.caller();
        let arguments = plain_user(&mut world, caller);
        assert_eq!(
            world.status(caller, "NtCreateToken", &arguments),
            Status::PRIVILEGE_NOT_HELD
        );
        enable(&mut world, caller, CREATE_TOKEN);
        let handles = |world: &World| {
            world
                .exec
                .process(caller.process)
                .unwrap()
                .handles
                .as_ref()
                .map(crate::ob::handles::HandleTable::len)
        };
        let before = handles(&world);
        let at = caller.memory;
        type Change = fn(&mut World, Caller, &mut [u64; 13]);
        let wrong: [(Status, Change); 11] = [
            (Status::BAD_TOKEN_TYPE, |_, _, arguments| arguments[3] = 3),
            (NO_SUCH_LOGON_SESSION, |world, caller, _| {
                world.put(caller, LOGON, [5_u32, 0]);
            }),
            (INVALID_OWNER, |world, caller, _| {
                world.put(caller, OWNER, Word(caller.memory + SIDS + 0x60));
            }),
            (INVALID_PRIMARY_GROUP, |world, caller, _| {
                world.put(caller, PRIMARY_GROUP, Word(caller.memory + SIDS + 0x60));
            }),
            (Status::INVALID_SID, |world, caller, _| {
                world.put(caller, SIDS, 0_u32);
            }),
            (Status::INVALID_PARAMETER, |world, caller, _| {
                world.put(caller, GROUPS, 0x1001_u32);
            }),
            (Status::INVALID_PARAMETER, |world, caller, _| {
                world.put(caller, PRIVILEGES, u32::MAX);
            }),
            (Status::INVALID_ACL, |world, caller, _| {
                world.put(caller, DACL, Word(caller.memory + SIDS));
            }),
            (Status::ACCESS_VIOLATION, |_, _, arguments| arguments[6] = 0),
            (Status::ACCESS_VIOLATION, |world, caller, arguments| {
                // Attributes without a level.
                arguments[2] = world.attributes(caller, ATTRIBUTES, "", 0);
            }),
            (Status::ACCESS_VIOLATION, |_, _, arguments| arguments[0] = 4),
        ];
        for (index, (wanted, change)) in wrong.into_iter().enumerate() {
            let mut arguments = plain_user(&mut world, caller);
            change(&mut world, caller, &mut arguments);
            let status = world.status(caller, "NtCreateToken", &arguments);
            assert_eq!(status, wanted, "case {index}, memory at {at:#x}");
        }
        assert_eq!(handles(&world), before);
    }
}

#[test]
fn a_token_is_one_processs_and_a_primary_one() {
    for mut world in worlds() {
        let (first, second) = (world.caller(), world.caller());
        enable(&mut world, first, CREATE_TOKEN);
        let token = created(&mut world, first);
        assert_eq!(
            act_with(&mut world, first, token),
            Status::PRIVILEGE_NOT_HELD
        );
        enable(&mut world, first, ASSIGN_PRIMARY);
        assert_eq!(
            act_with(&mut world, first, SELF),
            Status::OBJECT_TYPE_MISMATCH
        );
        // The other process's own.
        enable(&mut world, second, ASSIGN_PRIMARY);
        let open = [SELF, ALL, second.memory];
        assert_eq!(
            world.status(second, "NtOpenProcessToken", &open),
            Status::SUCCESS
        );
        let Word(own) = world.get(second, HANDLE);
        assert_eq!(act_with(&mut world, second, own), Status::SUCCESS);
        let theirs = world.exec.process(second.process).unwrap().token;
        let theirs = world
            .exec
            .open_by_id(
                first.thread,
                theirs,
                nt::access::Access::TOKEN_ALL,
                nt::object::Attributes::empty(),
            )
            .unwrap();
        assert_eq!(
            act_with(&mut world, first, nt::widened(theirs.0)),
            TOKEN_ALREADY_IN_USE
        );
        // One for impersonation.
        let duplicate = [token, 0, 0, 0, 2, first.memory];
        assert_eq!(
            world.status(first, "NtDuplicateToken", &duplicate),
            Status::SUCCESS
        );
        let Word(impersonation) = world.get(first, HANDLE);
        assert_eq!(
            act_with(&mut world, first, impersonation),
            Status::BAD_TOKEN_TYPE
        );
        assert_eq!(act_with(&mut world, first, token), Status::SUCCESS);
    }
}
