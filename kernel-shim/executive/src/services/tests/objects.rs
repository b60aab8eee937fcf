// SPDX-License-Identifier: GPL-2.0-or-later
//! Objects, waits and time through the system-call layer.

use super::*;
use crate::layout::{DirectoryEntry, ObjectBasic};
use crate::ob::prelude::*;
use crate::system::Body;

const ATTRIBUTES: u64 = 0x100;

fn make_event(world: &mut World, caller: Caller, notification: bool) -> u64 {
    let kind = u64::from(!notification);
    assert_eq!(
        world.status(
            caller,
            "NtCreateEvent",
            &[caller.memory, 0x1F_0003, 0, kind, 0]
        ),
        Status::SUCCESS
    );
    world.get(caller, 0)
}

#[test]
fn an_events_previous_state_comes_back_and_an_optional_result_may_be_left_out() {
    let mut world = World::new();
    let caller = world.caller();
    let event = make_event(&mut world, caller, true);
    assert_eq!(
        world.status(caller, "NtSetEvent", &[event, caller.memory + 8]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 8), 0);
    assert_eq!(
        world.status(caller, "NtSetEvent", &[event, 0]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtResetEvent", &[event, caller.memory + 8]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 8), 1);
    assert_eq!(
        world.status(caller, "NtQueryEvent", &[event, 0, caller.memory + 8, 8, 0]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u32; 2]>(caller, 8), [0, 0]);
    assert_eq!(
        world.status(caller, "NtQueryEvent", &[event, 0, caller.memory + 8, 4, 0]),
        Status::INFO_LENGTH_MISMATCH
    );
}

#[test]
fn a_handle_that_cannot_be_delivered_is_not_left_behind() {
    let mut world = World::new();
    let caller = world.caller();
    let before = world.exec.ob().len();
    assert_eq!(
        world.status(caller, "NtCreateEvent", &[3, 0x1F_0003, 0, 0, 0]),
        Status::ACCESS_VIOLATION
    );
    assert_eq!(
        world.status(
            caller,
            "NtCreateEvent",
            &[caller.memory, 0x1F_0003, caller.memory + 2, 0, 0]
        ),
        Status::DATATYPE_MISALIGNMENT
    );
    assert_eq!(
        world.status(
            caller,
            "NtCreateEvent",
            &[caller.memory, 0x1F_0003, 0, 2, 0]
        ),
        Status::INVALID_PARAMETER
    );
    assert_eq!(world.exec.ob().len(), before);
}

#[test]
fn a_wait_is_finished_when_another_thread_signals() {
    let mut world = World::new();
    let caller = world.caller();
    let event = make_event(&mut world, caller, false);
    assert_eq!(
        world.call(caller, "NtWaitForSingleObject", &[event, 0, 0]),
        Done::Waits
    );
    let other = world
        .exec
        .make_thread(caller.process, &Context::default(), Stack::default())
        .expect("a thread");
    world.exec.resume(other).expect("resumed");
    assert_eq!(
        world.status(
            Caller {
                thread: other,
                ..caller
            },
            "NtSetEvent",
            &[event, 0]
        ),
        Status::SUCCESS
    );
    assert_eq!(world.finish(caller), Status::SUCCESS);
}

#[test]
fn waits_and_delays_end_by_their_timeouts() {
    let mut world = World::new();
    let caller = world.caller();
    let event = make_event(&mut world, caller, false);
    world.put(caller, 8, 0_i64);
    assert_eq!(
        world.status(
            caller,
            "NtWaitForSingleObject",
            &[event, 0, caller.memory + 8]
        ),
        Status::TIMEOUT
    );
    world.put(caller, 8, -50_000_000_i64);
    for (name, arguments, end) in [
        (
            "NtWaitForSingleObject",
            &[event, 0, caller.memory + 8][..],
            Status::TIMEOUT,
        ),
        ("NtDelayExecution", &[0, caller.memory + 8], Status::SUCCESS),
    ] {
        assert_eq!(world.call(caller, name, arguments), Done::Waits);
        world.machine.state().uptime += 50_000_000;
        world.exec.expire_timers();
        assert_eq!(world.finish(caller), end, "{name}");
    }
    assert_eq!(
        world.status(caller, "NtDelayExecution", &[0, 0]),
        Status::ACCESS_VIOLATION
    );
}

#[test]
fn waiting_for_many_takes_the_handles_from_memory() {
    let mut world = World::new();
    let caller = world.caller();
    let (first, second) = (
        make_event(&mut world, caller, true),
        make_event(&mut world, caller, true),
    );
    world.put(caller, 0x40, [first, second]);
    world.status(caller, "NtSetEvent", &[second, 0]);
    let any = [2, caller.memory + 0x40, 1, 0, 0];
    assert_eq!(
        world.status(caller, "NtWaitForMultipleObjects", &any),
        Status::new(1)
    );
    assert_eq!(
        world.status(caller, "NtWaitForMultipleObjects", &[0, 0, 1, 0, 0]),
        Status::INVALID_PARAMETER_1
    );
    assert_eq!(
        world.status(
            caller,
            "NtWaitForMultipleObjects",
            &[65, caller.memory, 1, 0, 0]
        ),
        Status::INVALID_PARAMETER_1
    );
    assert_eq!(
        world.status(caller, "NtWaitForMultipleObjects", &[2, 0, 1, 0, 0]),
        Status::ACCESS_VIOLATION
    );
}

#[test]
fn directories_are_listed_with_structures_first_and_names_behind() {
    let mut world = World::new();
    let caller = world.caller();
    let attributes = world.attributes(caller, ATTRIBUTES, "\\Test", 0x50);
    assert_eq!(
        world.status(
            caller,
            "NtCreateDirectoryObject",
            &[caller.memory, 0xF_000F, attributes]
        ),
        Status::SUCCESS
    );
    let directory: u64 = world.get(caller, 0);
    let attributes = world.attributes(caller, ATTRIBUTES, "\\Test", 0xD0);
    assert_eq!(
        world.status(
            caller,
            "NtCreateDirectoryObject",
            &[caller.memory, 0xF_000F, attributes]
        ),
        Status::OBJECT_NAME_EXISTS
    );
    let attributes = world.attributes(caller, ATTRIBUTES, "\\Test", 0x40);
    assert_eq!(
        world.status(
            caller,
            "NtCreateDirectoryObject",
            &[caller.memory, 0xF_000F, attributes]
        ),
        Status::OBJECT_NAME_COLLISION
    );
    for name in ["\\Test\\b", "\\Test\\A"] {
        let attributes = world.attributes(caller, ATTRIBUTES, name, 0x50);
        let target = world.string(caller, 0x300, "\\Device\\Null");
        assert_eq!(
            world.status(
                caller,
                "NtCreateSymbolicLinkObject",
                &[caller.memory, 0xF_0001, attributes, target]
            ),
            Status::SUCCESS
        );
    }
    let at = |offset: u64| caller.memory + offset;
    let single = [directory, at(0x1000), 0x220, 1, 1, at(0x20), at(0x28)];
    assert_eq!(
        world.status(caller, "NtQueryDirectoryObject", &single),
        Status::SUCCESS
    );
    let entry: DirectoryEntry = world.get(caller, 0x1000);
    assert_eq!(
        (entry.name.length, entry.name.buffer, entry.kind.length),
        (2, at(0x1040), 24)
    );
    assert_eq!(world.get::<[u16; 2]>(caller, 0x1040), [0x41, 0]);
    assert_eq!(world.get::<u32>(caller, 0x20), 1);
    let all = [directory, at(0x1000), 0x220, 0, 1, at(0x20), at(0x28)];
    assert_eq!(
        world.status(caller, "NtQueryDirectoryObject", &all),
        Status::SUCCESS
    );
    assert_eq!(
        world.get::<DirectoryEntry>(caller, 0x1040),
        DirectoryEntry::default()
    );
    assert_eq!(world.get::<u32>(caller, 0x20), 2);
    let rest = [directory, at(0x1000), 0x220, 1, 0, at(0x20), 0];
    assert_eq!(
        world.status(caller, "NtQueryDirectoryObject", &rest),
        Status::NO_MORE_ENTRIES
    );
    let small = [directory, at(0x1000), 0x20, 1, 1, at(0x20), at(0x28)];
    assert_eq!(
        world.status(caller, "NtQueryDirectoryObject", &small),
        Status::BUFFER_TOO_SMALL
    );
}

#[test]
fn a_links_target_fits_or_its_length_is_told() {
    let mut world = World::new();
    let caller = world.caller();
    let attributes = world.attributes(caller, ATTRIBUTES, "\\Link", 0);
    let target = world.string(caller, 0x300, "\\Device");
    assert_eq!(
        world.status(
            caller,
            "NtCreateSymbolicLinkObject",
            &[caller.memory, 0xF_0001, attributes, target]
        ),
        Status::SUCCESS
    );
    let link: u64 = world.get(caller, 0);
    let buffer = |maximum_length| UnicodeString {
        length: 0,
        maximum_length,
        buffer: caller.memory + 0x500,
        ..UnicodeString::default()
    };
    world.put(caller, 0x400, buffer(14));
    assert_eq!(
        world.status(
            caller,
            "NtQuerySymbolicLinkObject",
            &[link, caller.memory + 0x400, 0]
        ),
        Status::SUCCESS
    );
    assert_eq!({ world.get::<UnicodeString>(caller, 0x400).length }, 14);
    let with_length = [link, caller.memory + 0x400, caller.memory + 0x20];
    assert_eq!(
        world.status(caller, "NtQuerySymbolicLinkObject", &with_length),
        Status::BUFFER_TOO_SMALL
    );
    assert_eq!(world.get::<u32>(caller, 0x20), 16);
    world.put(caller, 0x400, buffer(16));
    assert_eq!(
        world.status(caller, "NtQuerySymbolicLinkObject", &with_length),
        Status::SUCCESS
    );
}

#[test]
fn objects_tell_their_names_types_and_counts() {
    let mut world = World::new();
    let caller = world.caller();
    let attributes = world.attributes(caller, ATTRIBUTES, "\\BaseEvent", 0);
    world.status(
        caller,
        "NtCreateEvent",
        &[caller.memory, 0x1F_0003, attributes, 0, 0],
    );
    let event: u64 = world.get(caller, 0);
    let query = |class: u64, size: u64| {
        [
            event,
            class,
            caller.memory + 0x1000,
            size,
            caller.memory + 0x20,
        ]
    };
    assert_eq!(
        world.status(caller, "NtQueryObject", &query(0, 0x38)),
        Status::SUCCESS
    );
    let basic: ObjectBasic = world.get(caller, 0x1000);
    assert_eq!(
        (basic.access, basic.handles, basic.name_size),
        (0x1F_0003, 1, 0x10 + 20 + 2)
    );
    assert_eq!(
        world.status(caller, "NtQueryObject", &query(1, 0x10)),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(world.get::<u32>(caller, 0x20), 0x26);
    assert_eq!(
        world.status(caller, "NtQueryObject", &query(1, 0x26)),
        Status::SUCCESS
    );
    assert_eq!(
        { world.get::<UnicodeString>(caller, 0x1000).buffer },
        caller.memory + 0x1010
    );
    assert_eq!(
        world.status(caller, "NtQueryObject", &query(2, 0x100)),
        Status::SUCCESS
    );
    assert_eq!(
        world.get::<[u32; 5]>(caller, 0x1044),
        [0x2_0001, 0x2_0002, 0x12_0000, 0x1F_0003, 0x1F_0003]
    );
    assert_eq!(
        world.status(caller, "NtQueryObject", &query(9, 0x100)),
        Status::INVALID_INFO_CLASS
    );
    assert_eq!(world.status(caller, "NtClose", &[event]), Status::SUCCESS);
    assert_eq!(
        world.status(caller, "NtClose", &[event]),
        Status::INVALID_HANDLE
    );
}

#[test]
fn a_mutant_belongs_to_the_thread_that_took_it() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    assert_eq!(
        world.status(caller, "NtCreateMutant", &[at(0), 0x1F_0001, 0, 1]),
        Status::SUCCESS
    );
    let mutant: u64 = world.get(caller, 0);
    assert_eq!(
        world.status(caller, "NtWaitForSingleObject", &[mutant, 0, 0]),
        Status::SUCCESS
    );
    let thread = world
        .exec
        .make_thread(caller.process, &Context::default(), Stack::default())
        .expect("a thread");
    world.exec.resume(thread).expect("resumed");
    let other = Caller { thread, ..caller };
    assert_eq!(
        world.status(other, "NtReleaseMutant", &[mutant, 0]),
        Status::MUTANT_NOT_OWNED
    );
    assert_eq!(
        world.call(other, "NtWaitForSingleObject", &[mutant, 0, 0]),
        Done::Waits
    );
    assert_eq!(
        world.status(caller, "NtReleaseMutant", &[mutant, at(8)]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<i32>(caller, 8), -1);
    assert_eq!(
        world.status(caller, "NtReleaseMutant", &[mutant, at(8)]),
        Status::SUCCESS
    );
    assert_eq!(
        (world.get::<i32>(caller, 8), world.finish(other)),
        (0, Status::SUCCESS)
    );
    assert_eq!(
        world.status(other, "NtQueryMutant", &[mutant, 0, at(0x10), 8, 0]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u8; 8]>(caller, 0x10), [0, 0, 0, 0, 1, 0, 0, 0]);
}

#[test]
fn a_semaphore_never_exceeds_its_limit() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    assert_eq!(
        world.status(caller, "NtCreateSemaphore", &[at(0), 0x1F_0003, 0, 3, 2]),
        Status::INVALID_PARAMETER
    );
    assert_eq!(
        world.status(caller, "NtCreateSemaphore", &[at(0), 0x1F_0003, 0, 1, 2]),
        Status::SUCCESS
    );
    let semaphore: u64 = world.get(caller, 0);
    assert_eq!(
        world.status(caller, "NtReleaseSemaphore", &[semaphore, 2, 0]),
        Status::SEMAPHORE_LIMIT_EXCEEDED
    );
    assert_eq!(
        world.status(caller, "NtReleaseSemaphore", &[semaphore, 1, at(8)]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 8), 1);
    for _ in 0..2 {
        assert_eq!(
            world.status(caller, "NtWaitForSingleObject", &[semaphore, 0, 0]),
            Status::SUCCESS
        );
    }
    assert_eq!(
        world.status(caller, "NtQuerySemaphore", &[semaphore, 0, at(0x10), 8, 0]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u32; 2]>(caller, 0x10), [0, 2]);
}

#[test]
fn a_directory_becomes_its_sessions_and_strangers_make_no_links_in_it() {
    let mut world = World::new();
    let caller = world.caller();
    let directory = world.attributes(caller, 0x100, "\\BaseNamedObjects", 0x80);
    assert_eq!(
        world.status(
            caller,
            "NtCreateDirectoryObject",
            &[caller.memory, 0xF_000F, directory]
        ),
        Status::SUCCESS
    );
    let handle: u64 = world.get(caller, 0);
    let set = [handle, 5, 0, 0];
    assert_eq!(
        world.status(caller, "NtSetInformationObject", &set),
        Status::SUCCESS
    );
    let link = |world: &mut World, caller: Caller, name: &str| {
        let attributes = world.attributes(caller, 0x200, name, 0);
        let target = world.string(caller, 0x300, "\\BaseNamedObjects");
        world.status(
            caller,
            "NtCreateSymbolicLinkObject",
            &[caller.memory + 8, 0xF_0001, attributes, target],
        )
    };
    assert_eq!(
        link(&mut world, caller, "\\BaseNamedObjects\\Global"),
        Status::SUCCESS
    );
    let stranger = world.caller();
    world.exec.process_mut(stranger.process).unwrap().session = Some(3);
    assert_eq!(
        link(&mut world, stranger, "\\BaseNamedObjects\\Privileged"),
        Status::SUCCESS,
        "it may make global objects"
    );
    let token = world.exec.process(stranger.process).unwrap().token;
    let Body::Token(token) = &mut world.exec.object_mut(token).unwrap().body else {
        panic!("no token");
    };
    token.adjust(None, true);
    assert_eq!(
        link(&mut world, stranger, "\\BaseNamedObjects\\Local"),
        Status::ACCESS_DENIED
    );
    let event = world.attributes(stranger, 0x200, "\\BaseNamedObjects\\Event", 0);
    assert_eq!(
        world.status(
            stranger,
            "NtCreateEvent",
            &[stranger.memory, 0x1F_0003, event, 0, 0]
        ),
        Status::SUCCESS,
        "events are made by anybody"
    );
    let own = world.attributes(stranger, 0x200, "\\BaseNamedObjects", 0);
    assert_eq!(
        world.status(
            stranger,
            "NtOpenDirectoryObject",
            &[stranger.memory, 1, own]
        ),
        Status::SUCCESS
    );
    let handle: u64 = world.get(stranger, 0);
    assert_eq!(
        world.status(stranger, "NtSetInformationObject", &[handle, 5, 0, 0]),
        Status::PRIVILEGE_NOT_HELD
    );
}
