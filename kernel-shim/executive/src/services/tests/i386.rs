// SPDX-License-Identifier: GPL-2.0-or-later
//! The same services as an i386 program calls them: arguments side by side on its stack, structures
//! in their narrow form, 2 GB of memory. Every structure is looked at in bytes here.

use super::super::table::number_of;
use super::*;
use crate::services::layout::PortMessage;

fn world() -> World {
    World::of(Architecture::I386)
}

/// A word of the caller's memory.
fn word(world: &mut World, caller: Caller, offset: u64) -> u32 {
    u32::from_le_bytes(world.get(caller, offset))
}

#[test]
fn arguments_lie_side_by_side_on_the_stack() {
    let mut world = world();
    let caller = world.caller();
    let at = caller.memory;
    let done = world.status(caller, "NtCreateEvent", &[at, 0x1F_0003, 0, 0, 1]);
    assert_eq!(done, Status::SUCCESS);
    let handle = u64::from(word(&mut world, caller, 0));
    assert_ne!(handle, 0);
    // Class, an answer of eight bytes, its length in four.
    let query = [handle, 0, at + 0x10, 8, at + 0x20];
    assert_eq!(
        world.status(caller, "NtQueryEvent", &query),
        Status::SUCCESS
    );
    assert_eq!(word(&mut world, caller, 0x14), 1, "signalled");
    assert_eq!(word(&mut world, caller, 0x20), 8);
}

#[test]
fn only_four_bytes_of_a_handle_are_written() {
    let mut world = world();
    let caller = world.caller();
    world.put(caller, 4, 0xAAAA_AAAA_u32);
    let arguments = [caller.memory, 0x1F_0003, 0, 0, 0];
    assert_eq!(
        world.status(caller, "NtCreateEvent", &arguments),
        Status::SUCCESS
    );
    assert_eq!(word(&mut world, caller, 4), 0xAAAA_AAAA);
}

#[test]
fn a_pseudo_handle_is_negative() {
    let mut world = world();
    let caller = world.caller();
    let at = caller.memory;
    let query = [0xFFFF_FFFF, 0, at, 0x18, at + 0x40];
    assert_eq!(
        world.status(caller, "NtQueryInformationProcess", &query),
        Status::SUCCESS
    );
    // ExitStatus, and UniqueProcessId at 0x10.
    assert_eq!(word(&mut world, caller, 0), Status::PENDING.code());
    assert_eq!(word(&mut world, caller, 0x10), caller.process.0);
    assert_eq!(word(&mut world, caller, 0x40), 0x18);
    let wide = [0xFFFF_FFFF, 0, at, 0x30, 0];
    assert_eq!(
        world.status(caller, "NtQueryInformationProcess", &wide),
        Status::INFO_LENGTH_MISMATCH
    );
}

#[test]
fn objects_are_named_by_narrow_attributes() {
    let mut world = world();
    let caller = world.caller();
    let attributes = world.attributes(caller, 0x100, "\\Thing", 0x40);
    assert_eq!(word(&mut world, caller, 0x100), 0x18, "their length");
    let at = caller.memory;
    let create = [at, 0x1F_0003, attributes, 0, 0];
    assert_eq!(
        world.status(caller, "NtCreateEvent", &create),
        Status::SUCCESS
    );
    let again = world.status(caller, "NtOpenEvent", &[at + 4, 0x1F_0003, attributes]);
    assert_eq!(again, Status::SUCCESS);
    let handle = u64::from(word(&mut world, caller, 4));
    // ObjectNameInformation: a UNICODE_STRING of 8 bytes, its text behind it.
    let query = [handle, 1, at + 0x200, 0x40, at + 0x300];
    assert_eq!(
        world.status(caller, "NtQueryObject", &query),
        Status::SUCCESS
    );
    assert_eq!(word(&mut world, caller, 0x200), 14 << 16 | 12);
    assert_eq!(word(&mut world, caller, 0x204), at as u32 + 0x208);
    assert_eq!(world.get_bytes(caller, 0x208, 4), [0x5C, 0, 0x54, 0]);
    assert_eq!(word(&mut world, caller, 0x300), 8 + 14);
}

#[test]
fn memory_ends_at_two_gigabytes() {
    let mut world = world();
    let caller = world.caller();
    let at = caller.memory;
    let allocate = |world: &mut World, base: u32, bits: u64| {
        world.put(caller, 0, base);
        world.put(caller, 4, 0x1000_u32);
        let arguments = [u64::MAX, at, bits, at + 4, 0x10_3000, 4];
        let status = world.status(caller, "NtAllocateVirtualMemory", &arguments);
        (status, word(world, caller, 0))
    };
    let (status, base) = allocate(&mut world, 0, 0);
    assert_eq!(status, Status::SUCCESS);
    assert!((0x7F00_0000..0x7FFE_0000).contains(&base), "{base:#x}");
    assert_eq!(
        allocate(&mut world, 0x7FFF_0000, 0).0,
        Status::INVALID_PARAMETER_2
    );
    let (status, base) = allocate(&mut world, 0, 4);
    assert_eq!(status, Status::SUCCESS);
    assert!(base < 0x1000_0000, "four high bits are 0: {base:#x}");
    assert_eq!(allocate(&mut world, 0, 22).0, Status::INVALID_PARAMETER_3);
    // SYSTEM_BASIC_INFORMATION: where user memory ends.
    let query = [0, at + 0x100, 0x2C, 0];
    assert_eq!(
        world.status(caller, "NtQuerySystemInformation", &query),
        Status::SUCCESS
    );
    assert_eq!(word(&mut world, caller, 0x120), 0x7FFE_FFFF);
}

#[test]
fn a_pointer_beyond_user_memory_is_an_access_violation() {
    let mut world = world();
    let caller = world.caller();
    for place in [0x7FFF_0000, 0x8000_0000, 0xFFFF_FFFC_u64] {
        let arguments = [place, 0x1F_0003, 0, 0, 0];
        assert_eq!(
            world.status(caller, "NtCreateEvent", &arguments),
            Status::ACCESS_VIOLATION,
            "{place:#x}"
        );
    }
}

#[test]
fn spec_10_1_messages_have_their_header_in_0x18_bytes() {
    let mut world = world();
    let (server, client) = (world.caller(), world.caller());
    let at = server.memory;
    let attributes = world.attributes(server, 0x100, "\\Port", 0);
    // The longest message that the system carries is 0x148 bytes with its header.
    let long = world.status(server, "NtCreatePort", &[at, attributes, 0, 0x149, 0]);
    assert_eq!(long, Status::INVALID_PARAMETER_4);
    let made = world.status(server, "NtCreatePort", &[at, attributes, 0x104, 0x148, 0]);
    assert_eq!(made, Status::SUCCESS);
    let port = u64::from(word(&mut world, server, 0));
    let listening = [port, at + 0x200];
    assert_eq!(world.call(server, "NtListenPort", &listening), Done::Waits);
    // SECURITY_QUALITY_OF_SERVICE, and eight bytes of information.
    world.put(client, 0x200, [0xC_u32, 2, 0x101]);
    world.put(client, 0x300, 0x1122_3344_5566_7788_u64);
    world.put(client, 0x310, 8_u32);
    let name = world.string(client, 0x100, "\\Port");
    let own = client.memory;
    let connect = [
        own,
        name,
        own + 0x200,
        0,
        0,
        own + 0x320,
        own + 0x300,
        own + 0x310,
    ];
    assert_eq!(world.call(client, "NtConnectPort", &connect), Done::Waits);
    assert_eq!(world.finish(server), Status::SUCCESS);
    assert_eq!(
        world.get_bytes(server, 0x200, 6),
        [8, 0, 0x20, 0, 10, 0],
        "data, whole, a connection request"
    );
    assert_eq!(word(&mut world, server, 0x208), client.process.0);
    assert_eq!(word(&mut world, server, 0x20C), client.thread.0);
    assert_eq!(
        world.get::<u64>(server, 0x218),
        0x1122_3344_5566_7788,
        "the information behind the header"
    );
    let message: PortMessage = world.get(server, 0x200);
    assert_eq!({ message.total_length }, 0x30, "in the kernel's own form");
    let accept = [at + 4, 0x77, at + 0x200, 1, 0, 0];
    assert_eq!(
        world.status(server, "NtAcceptConnectPort", &accept),
        Status::SUCCESS
    );
    let channel = u64::from(word(&mut world, server, 4));
    assert_eq!(
        world.status(server, "NtCompleteConnectPort", &[channel]),
        Status::SUCCESS
    );
    assert_eq!(world.finish(client), Status::SUCCESS);
    assert_eq!(word(&mut world, client, 0x320), 0x148, "MaxMessageLength");
}

#[test]
fn a_thread_starts_with_the_registers_of_an_i386_context() {
    let mut world = world();
    let caller = world.caller();
    let at = caller.memory;
    // CONTEXT_FULL, Eip, EFlags, Esp, Eax.
    world.put(caller, 0x1000, 0x1_0007_u32);
    for (offset, value) in [
        (0xB8, 0x40_1000_u32),
        (0xC0, 0x202),
        (0xC4, 0x12_FF00),
        (0xB0, 0x1234),
    ] {
        world.put(caller, 0x1000 + offset, value);
    }
    // INITIAL_TEB: base, limit, allocation of the stack at 8, 0xC, 0x10.
    world.put(caller, 0x808, [0x13_0000_u32, 0x12_F000, 0x3_0000]);
    let arguments = [
        at,
        0x1F_03FF,
        0,
        0xFFFF_FFFF,
        at + 0x10,
        at + 0x1000,
        at + 0x800,
        1,
    ];
    assert_eq!(
        world.status(caller, "NtCreateThread", &arguments),
        Status::SUCCESS
    );
    let thread = ThreadId(word(&mut world, caller, 0x14));
    let context = crate::machine::Machine::context(&world.machine, thread);
    assert_eq!(
        (context.rip, context.rsp, context.rax, context.flags),
        (0x40_1000, 0x12_FF00, 0x1234, 0x202)
    );
    let teb = world.exec.thread(thread).expect("a thread").teb;
    let stack: [u32; 2] = world.exec.read_as(caller.process, teb + 4).expect("a TEB");
    assert_eq!(stack, [0x13_0000, 0x12_F000]);
}

#[test]
fn a_service_has_the_same_number() {
    let mut world = world();
    let caller = world.caller();
    let done = dispatch(
        &mut world.exec,
        caller.thread,
        number_of("NtTestAlert"),
        Passed::Stack(0),
    );
    assert_eq!(done, Done::Returns(Status::SUCCESS), "no stack is read");
}

#[test]
fn a_process_that_acts_for_the_system_may_be_let_to_the_ports() {
    for (architecture, ports) in [(Architecture::I386, true), (Architecture::Amd64, false)] {
        let mut world = World::of(architecture);
        let caller = world.caller();
        let own = nt::Handle::CURRENT_PROCESS.0;
        let done = world.status(caller, "NtSetInformationProcess", &[own, 16, 0, 0]);
        assert_eq!(done, Status::SUCCESS);
        let process = world.exec.process_of(caller.thread).unwrap();
        assert_eq!(process.ports, ports, "{architecture:?}");
    }
}
