// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry through the system-call layer (spec 2.1, 13.4).

use super::*;

const ATTRIBUTES: u64 = 0x100;
const NAME: u64 = 0x300;
const BUFFER: u64 = 0x1000;
const LENGTH: u64 = 0x20;
const SESSION_MANAGER: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";

fn opened(world: &mut World, caller: Caller) -> u64 {
    let attributes = world.attributes(caller, ATTRIBUTES, SESSION_MANAGER, 0x40);
    assert_eq!(
        world.status(caller, "NtOpenKey", &[caller.memory, 0xF_003F, attributes]),
        Status::SUCCESS
    );
    world.get(caller, 0)
}

#[test]
fn spec_13_4_a_value_comes_with_its_type_and_length_or_tells_what_it_needs() {
    let mut world = World::booted();
    let caller = world.caller();
    let key = opened(&mut world, caller);
    let name = world.string(caller, NAME, "protectionmode");
    let query = |class: u64, size: u64| {
        [
            key,
            name,
            class,
            caller.memory + BUFFER,
            size,
            caller.memory + LENGTH,
        ]
    };
    assert_eq!(
        world.status(caller, "NtQueryValueKey", &query(2, 0x10)),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u32; 4]>(caller, BUFFER), [0, 4, 4, 1]);
    assert_eq!(
        world.status(caller, "NtQueryValueKey", &query(2, 0xF)),
        Status::BUFFER_OVERFLOW
    );
    assert_eq!(world.get::<u32>(caller, LENGTH), 0x10);
    assert_eq!(
        world.status(caller, "NtQueryValueKey", &query(2, 0xB)),
        Status::BUFFER_TOO_SMALL
    );
    assert_eq!(
        world.status(caller, "NtQueryValueKey", &query(9, 0x10)),
        Status::INVALID_PARAMETER
    );
    let absent = world.string(caller, NAME, "Absent");
    let query = [
        key,
        absent,
        2,
        caller.memory + BUFFER,
        0x10,
        caller.memory + LENGTH,
    ];
    assert_eq!(
        world.status(caller, "NtQueryValueKey", &query),
        Status::OBJECT_NAME_NOT_FOUND
    );
}

#[test]
fn values_are_set_enumerated_and_deleted() {
    let mut world = World::booted();
    let caller = world.caller();
    let key = opened(&mut world, caller);
    let at = |offset: u64| caller.memory + offset;
    let name = world.string(caller, NAME, "OS");
    world.put_bytes(caller, BUFFER, &[b'x', 0, 0, 0]);
    assert_eq!(
        world.status(caller, "NtSetValueKey", &[key, name, 0, 1, at(BUFFER), 4]),
        Status::SUCCESS
    );
    let enumerate = |index: u64| [key, index, 1, at(BUFFER), 0x100, at(LENGTH)];
    assert_eq!(
        world.status(caller, "NtEnumerateValueKey", &enumerate(1)),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u32; 5]>(caller, BUFFER), [0, 1, 0x18, 4, 4]);
    assert_eq!(
        world.get_bytes(caller, BUFFER + 0x14, 8),
        [b'O', 0, b'S', 0, b'x', 0, 0, 0]
    );
    assert_eq!(
        world.status(caller, "NtEnumerateValueKey", &enumerate(2)),
        Status::NO_MORE_ENTRIES
    );
    assert_eq!(
        world.status(caller, "NtDeleteValueKey", &[key, name]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtDeleteValueKey", &[key, name]),
        Status::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(
        world.status(caller, "NtSetValueKey", &[key, name, 0, 1, 8, 4]),
        Status::ACCESS_VIOLATION
    );
}

#[test]
fn keys_are_made_listed_and_told_about() {
    let mut world = World::booted();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    let key = opened(&mut world, caller);
    let attributes = world.attributes(caller, ATTRIBUTES, "Environment", 0x40);
    world.put(caller, ATTRIBUTES + 8, key);
    let create = [at(0), 0xF_003F, attributes, 0, 0, 0, at(0x28)];
    assert_eq!(
        world.status(caller, "NtCreateKey", &create),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 0x28), 1, "created");
    assert_eq!(
        world.status(caller, "NtCreateKey", &create),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 0x28), 2, "opened");
    assert_eq!(
        world.status(
            caller,
            "NtEnumerateKey",
            &[key, 0, 0, at(BUFFER), 0x100, at(LENGTH)]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        (
            world.get::<u32>(caller, BUFFER + 0xC),
            world.get::<u32>(caller, LENGTH)
        ),
        (22, 0x10 + 22)
    );
    assert_eq!(
        world.status(
            caller,
            "NtQueryKey",
            &[key, 2, at(BUFFER), 0x100, at(LENGTH)]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        (
            world.get::<u32>(caller, BUFFER + 0x14),
            world.get::<u32>(caller, BUFFER + 0x20)
        ),
        (1, 1)
    );
    assert_eq!(
        world.status(
            caller,
            "NtEnumerateKey",
            &[key, 5, 0, at(BUFFER), 0x100, at(LENGTH)]
        ),
        Status::NO_MORE_ENTRIES
    );
}

#[test]
fn spec_14_23_the_registry_is_initialised_once() {
    let mut world = World::booted();
    let caller = world.caller();
    assert_eq!(
        world.status(caller, "NtInitializeRegistry", &[0]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtInitializeRegistry", &[0]),
        Status::ACCESS_DENIED
    );
}
