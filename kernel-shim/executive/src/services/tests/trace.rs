// SPDX-License-Identifier: GPL-2.0-or-later
//! What the trace says of calls: numbers in words, handles with what they name, messages.

use super::*;
use alloc::string::{String, ToString};

/// The last record, from its call on.
fn last(world: &World) -> String {
    let line = world
        .exec
        .trace()
        .records()
        .last()
        .map_or_else(String::new, ToString::to_string);
    line.find("Nt").map_or(line.clone(), |at| line[at..].into())
}

#[test]
fn numbers_are_spelled_and_handles_have_their_names() {
    let mut world = World::booted();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    let name = "\\??\\C:\\ReactOS\\System32\\a.txt";
    let attributes = world.attributes(caller, 0x100, name, 0x40);
    // The upper half of a register is not part of a 32-bit argument.
    let open = [
        at(0),
        0x5300_5C00_0010_0001,
        attributes,
        at(0x10),
        0x5300_5C00_0000_0003,
        0x1_0000_0020,
    ];
    assert_eq!(world.status(caller, "NtOpenFile", &open), Status::SUCCESS);
    let line = last(&world);
    assert!(line.contains("access=READ_DATA|SYNCHRONIZE"), "{line}");
    assert!(
        line.contains("share=READ|WRITE, options=SYNCHRONOUS_IO_NONALERT) = SUCCESS"),
        "{line}"
    );
    assert!(
        line.contains(r#"attributes="\\??\\C:\\ReactOS\\System32\\a.txt""#),
        "{line}"
    );
    let file: u64 = world.get(caller, 0);
    let query = [file, at(0x10), at(0x40), 0x18, 5];
    assert_eq!(
        world.status(caller, "NtQueryInformationFile", &query),
        Status::SUCCESS
    );
    let line = last(&world);
    assert!(line.contains("a.txt>"), "{line}");
    assert!(line.contains("size=0x18, class=Standard)"), "{line}");
    world.put(caller, 0x20, -30_000_000_i64);
    let _ = world.call(caller, "NtDelayExecution", &[0, at(0x20)]);
    let line = last(&world);
    assert!(line.contains("interval=3.000s) waits"), "{line}");
}

#[test]
fn a_message_is_shown_with_its_type_and_its_number() {
    let mut world = World::new();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    let header = nt::system::PortHeader {
        data_length: 8,
        total_length: 0x30,
        ..nt::system::PortHeader::default()
    };
    world.put(caller, 0x400, header);
    world.put(caller, 0x428, 5_u32);
    // No port is behind this handle; what was to be sent is seen all the same.
    let _ = world.status(
        caller,
        "NtRequestWaitReplyPort",
        &[0x44, at(0x400), at(0x800)],
    );
    let line = last(&world);
    assert!(line.contains("message={NEW, 0x8 bytes, api 0x5}"), "{line}");
    assert!(line.ends_with(") = INVALID_HANDLE"), "{line}");
}
