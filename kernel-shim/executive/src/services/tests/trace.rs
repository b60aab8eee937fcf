// SPDX-License-Identifier: GPL-2.0-or-later
//! What the trace says of calls: numbers in words, handles with what they name, messages.

use super::*;
use alloc::format;
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
        line.contains("share=READ|WRITE, options=SYNCHRONOUS_IO_NONALERT) = SUCCESS <"),
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
    let header = crate::layout::PortMessage {
        data_length: 8,
        total_length: 0x30,
        ..crate::layout::PortMessage::default()
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
    assert!(line.contains(") = INVALID_HANDLE <"), "{line}");
}

const SESSION_MANAGER: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";

/// Where a test puts buffers, from the caller's memory.
const BUFFER: u64 = 0x1000;

fn opened_key(world: &mut World, caller: Caller) -> u64 {
    let attributes = world.attributes(caller, 0x100, SESSION_MANAGER, 0x40);
    let open = [caller.memory, 0xF_003F, attributes];
    assert_eq!(world.status(caller, "NtOpenKey", &open), Status::SUCCESS);
    world.get(caller, 0)
}

#[test]
fn registry_values_are_shown_with_type_and_data() {
    let mut world = World::booted();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    let key = opened_key(&mut world, caller);
    let line = last(&world);
    let opened = format!(
        r"NtOpenKey(key={key:#x}<\REGISTRY\MACHINE\SYSTEM\ControlSet001\Control\Session Manager>, access="
    );
    assert!(line.starts_with(&opened), "{line}");
    let name = world.string(caller, 0x300, "ProtectionMode");
    let query = [key, name, 2, at(BUFFER), 0x40, at(0x20)];
    assert_eq!(
        world.status(caller, "NtQueryValueKey", &query),
        Status::SUCCESS
    );
    let line = last(&world);
    assert!(
        line.contains("class=Partial, buffer={REG_DWORD 0x1}, size=0x40, length=[0x10])"),
        "{line}"
    );
    let enumerate = [key, 0, 1, at(BUFFER), 0x100, at(0x20)];
    assert_eq!(
        world.status(caller, "NtEnumerateValueKey", &enumerate),
        Status::SUCCESS
    );
    let line = last(&world);
    assert!(
        line.contains(r#"buffer={"ProtectionMode" REG_DWORD 0x1}"#),
        "{line}"
    );
    let data: Vec<u8> = utf16("on\0")
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    world.put_bytes(caller, BUFFER, &data);
    let set = [key, name, 0, 1, at(BUFFER), 6];
    assert_eq!(world.status(caller, "NtSetValueKey", &set), Status::SUCCESS);
    let line = last(&world);
    assert!(
        line.contains(r#"type=REG_SZ, data={"on"}, size=0x6)"#),
        "{line}"
    );
    // A call that fails has written nothing.
    let query = [key, name, 2, at(BUFFER), 4, at(0x20)];
    let _ = world.status(caller, "NtQueryValueKey", &query);
    let line = last(&world);
    assert!(
        line.contains(&format!("buffer={:#x}", at(BUFFER))),
        "{line}"
    );
}

#[test]
fn a_rename_is_shown_with_where_it_goes() {
    let mut world = World::booted();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    let name = "\\??\\C:\\ReactOS\\System32\\a.txt";
    let attributes = world.attributes(caller, 0x100, name, 0x40);
    let open = [at(0), 0x11_0000, attributes, at(0x10), 7, 0x20];
    assert_eq!(world.status(caller, "NtOpenFile", &open), Status::SUCCESS);
    let file: u64 = world.get(caller, 0);
    let target: Vec<u8> = utf16("\\??\\C:\\b.txt")
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    world.put(caller, BUFFER, 1_u64);
    world.put(caller, BUFFER + 8, 0_u64);
    world.put(caller, BUFFER + 0x10, target.len() as u32);
    world.put_bytes(caller, BUFFER + 0x14, &target);
    let size = 0x14 + target.len() as u64;
    let rename = [file, at(0x10), at(BUFFER), size, 10];
    assert_eq!(
        world.status(caller, "NtSetInformationFile", &rename),
        Status::SUCCESS
    );
    let line = last(&world);
    assert!(
        line.contains(r#"buffer={replace "\\??\\C:\\b.txt"}, "#) && line.contains("class=Rename"),
        "{line}"
    );
    world.put(caller, BUFFER, 1_u64);
    let delete = [file, at(0x10), at(BUFFER), 1, 13];
    let _ = world.status(caller, "NtSetInformationFile", &delete);
    let line = last(&world);
    assert!(line.contains("buffer={delete}"), "{line}");
}

#[test]
fn what_is_read_and_written_is_shown_and_what_lies_in_a_folder() {
    let mut world = World::booted();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    let name = "\\??\\C:\\ReactOS\\System32\\a.txt";
    let attributes = world.attributes(caller, 0x100, name, 0x40);
    let open = [at(0), 0x10_0003, attributes, at(0x10), 7, 0x20];
    assert_eq!(world.status(caller, "NtOpenFile", &open), Status::SUCCESS);
    let file: u64 = world.get(caller, 0);
    let read = [file, 0, 0, 0, at(0x20), at(BUFFER), 0x40, 0, 0];
    assert_eq!(world.status(caller, "NtReadFile", &read), Status::SUCCESS);
    let line = last(&world);
    assert!(
        line.contains(r#"result={0x5}, buffer={"first"}, size=0x40, offset=0x0"#),
        "{line}"
    );
    world.put_bytes(caller, BUFFER, b"\x01\x02");
    world.put(caller, 0x40, 3_i64);
    let write = [file, 0, 0, 0, at(0x20), at(BUFFER), 2, at(0x40), 0];
    assert_eq!(world.status(caller, "NtWriteFile", &write), Status::SUCCESS);
    let line = last(&world);
    assert!(
        line.contains("buffer={0102}, size=0x2, offset=[0x3]"),
        "{line}"
    );
    // Nothing has come of a read that fails.
    world.put(caller, 0x40, 0x100_i64);
    let read = [file, 0, 0, 0, at(0x20), at(BUFFER), 0x40, at(0x40), 0];
    let _ = world.status(caller, "NtReadFile", &read);
    let line = last(&world);
    assert!(
        line.contains(&format!("buffer={:#x}", at(BUFFER))),
        "{line}"
    );

    let folder = world.attributes(caller, 0x100, "\\??\\C:\\ReactOS\\System32", 0x40);
    let open = [at(0), 0x10_0001, folder, at(0x10), 7, 0x21];
    assert_eq!(world.status(caller, "NtOpenFile", &open), Status::SUCCESS);
    let folder: u64 = world.get(caller, 0);
    let list = [folder, 0, 0, 0, at(0x20), at(BUFFER), 0x400, 3, 0, 0, 1];
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &list),
        Status::SUCCESS
    );
    let line = last(&world);
    assert!(line.contains(r#""a.txt""#), "{line}");
    assert!(line.contains("class=BothDirectory"), "{line}");

    let root = world.attributes(caller, 0x100, "\\", 0x40);
    let open = [at(0), 1, root];
    assert_eq!(
        world.status(caller, "NtOpenDirectoryObject", &open),
        Status::SUCCESS
    );
    let root: u64 = world.get(caller, 0);
    let list = [root, at(BUFFER), 0x800, 0, 1, at(0x20), at(0x28)];
    assert_eq!(
        world.status(caller, "NtQueryDirectoryObject", &list),
        Status::SUCCESS
    );
    let line = last(&world);
    assert!(line.contains(r#""ArcName" Directory"#), "{line}");
    assert!(line.contains("context=[0x"), "{line}");
}

#[test]
fn a_wait_is_shown_with_its_objects_its_limit_and_how_long_it_took() {
    let mut world = World::new();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    for place in [0, 8] {
        let create = [at(place), 0x1F_0003, 0, 1, 0];
        let status = world.status(caller, "NtCreateEvent", &create);
        assert_eq!(status, Status::SUCCESS);
    }
    let (one, other): (u64, u64) = (world.get(caller, 0), world.get(caller, 8));
    let wait = [2, at(0), 1, 0, 0];
    assert_eq!(
        world.call(caller, "NtWaitForMultipleObjects", &wait),
        Done::Waits
    );
    let line = last(&world);
    assert!(
        line.contains(&format!(
            "objects=[{one:#x}<Event>, {other:#x}<Event>], type=Any, alertable=0x0, timeout=forever) waits"
        )),
        "{line}"
    );
    let began = world
        .exec
        .trace()
        .records()
        .last()
        .map(|record| record.began);
    let setter = world.exec.make_thread(
        caller.process,
        &Context::default(),
        crate::system::processes::create::Stack::default(),
    );
    let setter = Caller {
        thread: setter.expect("a thread"),
        ..caller
    };
    world.exec.resume(setter.thread).expect("resumed");
    assert_eq!(
        world.status(setter, "NtSetEvent", &[other, 0]),
        Status::SUCCESS
    );
    let _ = world.finish(caller);
    let ended = world
        .exec
        .trace()
        .records()
        .last()
        .cloned()
        .expect("a record");
    assert_eq!(Some(ended.began), began, "it began when it was made");
}

#[test]
fn the_parameters_of_a_hard_error_are_text_where_the_mask_says_so() {
    let mut world = World::booted();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let at = |offset: u64| caller.memory + offset;
    let text = world.string(caller, 0x300, "Windows SubSystem");
    world.put(caller, BUFFER, [text, 0xC000_0005_u64]);
    let raise = [0xC000_021A, 2, 1, at(BUFFER), 1, at(0x20)];
    let _ = world.call(caller, "NtRaiseHardError", &raise);
    let line = last(&world);
    assert!(
        line.contains(r#"status=SYSTEM_PROCESS_TERMINATED, count=0x2, strings=0x1, parameters={"Windows SubSystem", 0xc0000005}"#),
        "{line}"
    );
}

#[test]
fn processes_and_what_they_print_are_noted() {
    use crate::trace::events::What;
    let mut world = World::booted();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    world
        .exec
        .printed(caller.thread, "SMSS: phase: 9 registry\n");
    let process = world.exec.process_mut(caller.process);
    process.expect("the caller").image = utf16("smss.exe");
    world.exec.process_started(caller.process);
    let _ = world
        .exec
        .kill_process(caller.process, None, Status::UNSUCCESSFUL);
    let noted: Vec<What> = world
        .exec
        .trace()
        .events()
        .iter()
        .map(|event| event.what.clone())
        .collect();
    assert_eq!(
        noted,
        [
            What::Prints("SMSS: phase: 9 registry".into()),
            What::Starts {
                image: "smss.exe".into(),
                parent: ProcessId::SYSTEM.0.into(),
                session: None
            },
            What::Ends(Status::UNSUCCESSFUL),
        ]
    );
}
