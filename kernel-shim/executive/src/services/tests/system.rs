// SPDX-License-Identifier: GPL-2.0-or-later
//! System information, hard errors and the trace through the system-call layer (spec 0.4, 9.3, 12).

use super::*;
use crate::layout::BasicInformation;
use crate::trace::{Argument, CallEnd};

const SELF: u64 = u64::MAX;

fn enable(world: &mut World, caller: Caller, privilege: u32) {
    world.status(caller, "NtOpenProcessToken", &[SELF, 0x28, caller.memory]);
    let token: u64 = world.get(caller, 0);
    world.put(caller, 0x100, [1_u32, privilege, 0, 2]);
    let status = world.status(
        caller,
        "NtAdjustPrivilegesToken",
        &[token, 0, caller.memory + 0x100, 0, 0, 0],
    );
    assert_eq!(status, Status::SUCCESS);
}

#[test]
fn spec_13_4_basic_information_has_0x40_bytes() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    assert_eq!(
        world.status(
            caller,
            "NtQuerySystemInformation",
            &[0, at(0), 0x40, at(0x80)]
        ),
        Status::SUCCESS
    );
    let basic: BasicInformation = world.get(caller, 0);
    assert_eq!(
        (basic.page_size, basic.physical_pages, basic.processors),
        (0x1000, 0x1000, 1)
    );
    assert_eq!(
        world.status(
            caller,
            "NtQuerySystemInformation",
            &[0, at(0), 0x3F, at(0x80)]
        ),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(world.get::<u32>(caller, 0x80), 0x40);
    assert_eq!(
        world.status(caller, "NtQuerySystemInformation", &[0, at(2), 0x40, 0]),
        Status::DATATYPE_MISALIGNMENT
    );
    assert_eq!(
        world.status(caller, "NtQuerySystemInformation", &[1000, at(0), 0x40, 0]),
        Status::INVALID_INFO_CLASS
    );
}

#[test]
fn spec_9_3_a_session_needs_the_privilege_and_there_is_one_at_a_time() {
    let mut world = World::new();
    let caller = world.caller();
    let at = caller.memory;
    world.put(caller, 0x40, 77_u32);
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[47, at + 0x40, 8]),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[47, at + 0x40, 4]),
        Status::PRIVILEGE_NOT_HELD
    );
    enable(&mut world, caller, 10);
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[47, at + 0x40, 4]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 0x40), 0);
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[47, at + 0x40, 4]),
        Status::ALREADY_COMMITTED
    );
    let name = world.string(caller, 0x200, "\\SystemRoot\\system32\\win32k.sys");
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[38, name, 0x10]),
        Status::PRIVILEGE_NOT_HELD,
        "case counts"
    );
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[48, at + 0x40, 4]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtSetSystemInformation", &[48, at + 0x40, 4]),
        Status::UNABLE_TO_FREE_VM
    );
}

fn raise(world: &mut World, caller: Caller, parameters: [u64; 4], mask: u64, option: u64) -> Done {
    world.put(caller, 0x400, parameters);
    let status = u64::from(Status::SYSTEM_PROCESS_TERMINATED.code());
    world.call(
        caller,
        "NtRaiseHardError",
        &[
            status,
            4,
            mask,
            caller.memory + 0x400,
            option,
            caller.memory + 0x60,
        ],
    )
}

#[test]
fn spec_12_5_a_hard_error_needs_both_privileges_and_stops_the_system_with_its_text() {
    let mut world = World::new();
    let caller = world.caller();
    let name = world.string(caller, 0x200, "Windows SubSystem");
    let parameters = [name, 0xC000_0005, 0, 0];
    assert_eq!(
        raise(&mut world, caller, parameters, 1, 6),
        Done::Returns(Status::PRIVILEGE_NOT_HELD)
    );
    assert_eq!(world.get::<u32>(caller, 0x60), 1);
    enable(&mut world, caller, 19);
    assert_eq!(raise(&mut world, caller, parameters, 1, 6), Done::Gone);
    let check = world.exec.bug_check().cloned().expect("a bugcheck");
    assert_eq!((check.code, check.parameters[0]), (0x4C, 0xC000_021A));
    assert!(check.text().contains(
        "The Windows SubSystem system process terminated unexpectedly with a status of 0xc0000005"
    ));
}

#[test]
fn hard_error_arguments_are_checked_before_anything_happens() {
    let mut world = World::new();
    let caller = world.caller();
    assert_eq!(
        raise(&mut world, caller, [0; 4], 0, 9),
        Done::Returns(Status::INVALID_PARAMETER_4)
    );
    assert_eq!(
        raise(&mut world, caller, [8, 0, 0, 0], 1, 6),
        Done::Returns(Status::ACCESS_VIOLATION)
    );
    let many = [0, 6, 0, caller.memory, 1, caller.memory];
    assert_eq!(
        world.status(caller, "NtRaiseHardError", &many),
        Status::INVALID_PARAMETER_2
    );
    assert_eq!(
        world.status(
            caller,
            "NtRaiseHardError",
            &[0, 0, 0, caller.memory, 1, caller.memory]
        ),
        Status::INVALID_PARAMETER_2
    );
    assert!(world.exec.bug_check().is_none());
}

#[test]
fn spec_8_4_text_for_the_boot_screen_is_shown() {
    let mut world = World::new();
    let caller = world.caller();
    let text = world.string(caller, 0x200, "autochk program not found\n");
    assert_eq!(
        world.status(caller, "NtDisplayString", &[text]),
        Status::SUCCESS
    );
    assert!(
        world
            .machine
            .state()
            .screen
            .contains("autochk program not found")
    );
}

#[test]
fn the_trace_shows_names_and_statuses() {
    let mut world = World::new();
    let caller = world.caller();
    world.exec.trace_mut().keep();
    let attributes = world.attributes(caller, 0x100, "\\Nowhere\\Event", 0x40);
    world.status(caller, "NtOpenEvent", &[caller.memory, 2, attributes]);
    let records = world.exec.trace().records();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (records[0].call, records[0].outcome),
        (
            "NtOpenEvent",
            CallEnd::Returned(Status::OBJECT_PATH_NOT_FOUND)
        )
    );
    assert!(
        records[0]
            .arguments
            .contains(&("attributes", Argument::Text("\\Nowhere\\Event".into())))
    );
    assert_eq!(world.exec.trace().counts().get("NtOpenEvent"), Some(&1));
}

#[test]
fn the_object_security_mode_is_the_one_of_the_registry() {
    let mut world = World::booted();
    let caller = world.caller();
    world.put(caller, 0, 7_u64);
    assert_eq!(
        world.status(
            caller,
            "NtQuerySystemInformation",
            &[70, caller.memory, 4, caller.memory + 4]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        world.get::<[u32; 2]>(caller, 0),
        [0, 0],
        "there is no value"
    );
}
