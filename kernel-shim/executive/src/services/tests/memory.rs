// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory through the system-call layer.

use super::*;
use crate::layout::MemoryBasic;

const SELF: u64 = u64::MAX;

#[test]
fn memory_is_allocated_protected_described_and_freed() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    world.put(caller, 0, [0_u64, 0x1800]);
    assert_eq!(
        world.status(
            caller,
            "NtAllocateVirtualMemory",
            &[SELF, at(0), 0, at(8), 0x3000, 4]
        ),
        Status::SUCCESS
    );
    let [base, size]: [u64; 2] = world.get(caller, 0);
    assert_eq!((base % 0x1_0000, size), (0, 0x2000));
    world.put(caller, 0, [base, 0x1000]);
    assert_eq!(
        world.status(
            caller,
            "NtProtectVirtualMemory",
            &[SELF, at(0), at(8), 2, at(0x10)]
        ),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 0x10), 4);
    let query = [SELF, base + 0x10, 0, at(0x100), 0x30, at(0x18)];
    assert_eq!(
        world.status(caller, "NtQueryVirtualMemory", &query),
        Status::SUCCESS
    );
    let basic: MemoryBasic = world.get(caller, 0x100);
    assert_eq!(
        (
            basic.base,
            basic.size,
            basic.state,
            basic.protection,
            basic.kind
        ),
        (base, 0x1000, 0x1000, 2, 0x2_0000)
    );
    assert_eq!(
        (basic.allocation_protection, world.get::<u64>(caller, 0x18)),
        (4, 0x30)
    );
    world.put(caller, 0, [base, 0]);
    assert_eq!(
        world.status(caller, "NtFreeVirtualMemory", &[SELF, at(0), at(8), 0x8000]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u64; 2]>(caller, 0), [base, 0x2000]);
    let short = [SELF, base, 0, at(0x100), 0x2F, 0];
    assert_eq!(
        world.status(caller, "NtQueryVirtualMemory", &short),
        Status::INFO_LENGTH_MISMATCH
    );
}

#[test]
fn another_process_is_read_and_written_as_far_as_it_goes() {
    let mut world = World::new();
    let (caller, other) = (world.caller(), world.caller());
    let attributes = world.attributes(caller, 0x100, "", 0);
    world.put(caller, 0x110, 0_u64);
    world.put(caller, 0x40, [u64::from(other.process.0), 0]);
    assert_eq!(
        world.status(
            caller,
            "NtOpenProcess",
            &[caller.memory, 0x1F_0FFF, attributes, caller.memory + 0x40]
        ),
        Status::SUCCESS
    );
    let process: u64 = world.get(caller, 0);
    world.put_bytes(caller, 0x200, b"written from outside");
    let length = caller.memory + 0x20;
    let write = [
        process,
        other.memory + 0x10,
        caller.memory + 0x200,
        20,
        length,
    ];
    assert_eq!(
        world.status(caller, "NtWriteVirtualMemory", &write),
        Status::SUCCESS
    );
    assert_eq!(world.get_bytes(other, 0x10, 20), b"written from outside");
    assert_eq!(world.get::<u64>(caller, 0x20), 20);
    let read = [
        process,
        other.memory + MEMORY - 0x10,
        caller.memory + 0x400,
        0x20,
        length,
    ];
    assert_eq!(
        world.status(caller, "NtReadVirtualMemory", &read),
        Status::PARTIAL_COPY
    );
    assert_eq!(world.get::<u64>(caller, 0x20), 0x10);
}

#[test]
fn a_based_section_lies_at_one_address_in_every_process() {
    let mut world = World::new();
    let (first, second) = (world.caller(), world.caller());
    world.put(first, 0x10, 0x2_0000_u64);
    const BASED_COMMIT: u64 = 0x820_0000;
    let name = world.attributes(first, 0x100, "\\Based", 0);
    assert_eq!(
        world.status(
            first,
            "NtCreateSection",
            &[
                first.memory,
                0xF_001F,
                name,
                first.memory + 0x10,
                4,
                BASED_COMMIT,
                0
            ]
        ),
        Status::SUCCESS
    );
    let name = world.attributes(second, 0x100, "\\Based", 0);
    assert_eq!(
        world.status(second, "NtOpenSection", &[second.memory, 0xF_001F, name]),
        Status::SUCCESS
    );
    let bases = [first, second].map(|caller| {
        let section: u64 = world.get(caller, 0);
        world.put(caller, 0x20, [0_u64; 3]);
        let at = |offset: u64| caller.memory + offset;
        let map = |world: &mut World| {
            let arguments = [section, u64::MAX, at(0x20), 0, 0, 0, at(0x28), 2, 0, 4];
            world.status(caller, "NtMapViewOfSection", &arguments)
        };
        assert_eq!(map(&mut world), Status::SUCCESS);
        let base: u64 = world.get(caller, 0x20);
        world.put(caller, 0x20, [0_u64; 2]);
        assert_eq!(
            map(&mut world),
            Status::CONFLICTING_ADDRESSES,
            "there it is already"
        );
        base
    });
    assert_eq!(bases, [0x7FF_FF7D_0000; 2]);
}
