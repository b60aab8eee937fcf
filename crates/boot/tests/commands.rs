// SPDX-License-Identifier: GPL-2.0-or-later
//! BootExecute, autocheck and the computed variables over a system in memory: rows of spec 5.3,
//! 8.4, 8.5 and 17.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use boot::execute_commands;
use launch::Launcher;
use nt::environment::Environment;
use nt::failure::{Essential, Skippable, Stop};
use nt::system::Processes;
use nt::{Status, UnicodeStr};
use support::{CONTROL, SM, World, bytes, wide};

const NATIVE: u32 = 1;
const CPU: &str = "\\Registry\\Machine\\Hardware\\Description\\System\\CentralProcessor\\0";

fn run(world: &'static World, lines: &[&str]) {
    let environment = Environment::copied(world, world.own_environment()).unwrap();
    let launcher = Launcher {
        system: world,
        environment: &environment,
        library_path: UnicodeStr::EMPTY,
        debug: false,
    };
    let lines: Vec<Vec<u16>> = lines.iter().map(|line| wide(line)).collect();
    execute_commands(
        &launcher,
        Skippable::BootExecute,
        lines.iter().map(|line| UnicodeStr(line)),
        0,
    );
    assert_eq!(world.open_handles(), 0, "every handle is closed");
}

fn autochk() -> &'static World {
    let world = World::new();
    world.program("C:\\ReactOS\\System32\\autochk.exe", NATIVE);
    world
}

fn command_lines(world: &World) -> Vec<String> {
    world
        .state()
        .processes
        .iter()
        .map(|process| process.command_line.clone())
        .collect()
}

#[test]
fn spec_8_4_autocheck_gets_the_image_and_its_arguments() {
    let world = autochk();
    run(world, &["autocheck autochk  /P *"]);
    assert_eq!(
        command_lines(world),
        ["\\??\\C:\\ReactOS\\System32\\autochk.exe /P *"]
    );
    assert!(world.state().processes[0].waited);
    assert_eq!(world.state().screen, "");
}

#[test]
fn spec_8_4_autocheck_without_arguments() {
    let world = autochk();
    run(world, &["autocheck autochk"]);
    assert_eq!(
        command_lines(world),
        ["\\??\\C:\\ReactOS\\System32\\autochk.exe "]
    );
}

#[test]
fn spec_17_a_missing_autocheck_program_is_one_line_on_the_screen() {
    let world = World::new();
    run(world, &["autocheck nosuch *"]);
    assert_eq!(
        world.state().screen,
        "nosuch program not found - skipping AUTOCHECK\r\n"
    );
    assert!(world.state().processes.is_empty());
}

#[test]
fn spec_17_a_missing_program_is_nothing_on_the_screen_and_the_next_runs() {
    let world = autochk();
    run(world, &["nosuch x", "", "autochk a"]);
    assert_eq!(command_lines(world), ["autochk a"]);
    assert_eq!(world.state().screen, "");
}

#[test]
fn spec_8_4_boot_status_says_all_is_well_during_the_check_and_is_put_back() {
    for before in [[false, false], [true, false]] {
        let world = autochk();
        world.state().boot_status = Some(before);
        run(world, &["autocheck autochk *"]);
        assert_eq!(world.state().boot_status_seen, Some([true, true]));
        assert_eq!(world.state().boot_status, Some(before));
    }
    let world = autochk();
    run(world, &["autocheck autochk *"]);
    assert_eq!(world.state().boot_status, None, "no file, nothing done");
}

#[test]
fn spec_8_4_arguments_that_do_not_fit_are_dropped_as_a_whole() {
    let world = autochk();
    run(world, &[&format!("autocheck autochk {}", "x".repeat(1100))]);
    assert_eq!(
        command_lines(world),
        ["\\??\\C:\\ReactOS\\System32\\autochk.exe "]
    );
}

#[test]
fn d23_sos_in_any_case_announces_each_check() {
    for (options, said) in [
        (" NOEXECUTE SOS", true),
        ("/sos", true),
        ("/SOSO", false),
        ("", false),
    ] {
        let world = autochk();
        // Without a NUL at its end, as the kernel writes it.
        world.key(CONTROL, &[("SystemStartOptions", 1, bytes(options))]);
        run(world, &["autocheck autochk *"]);
        assert_eq!(
            world.state().screen.contains("autochk.exe *"),
            said,
            "{options}"
        );
    }
}

#[test]
fn a_call_that_fails_in_one_command_does_not_touch_the_next() {
    let prepare = || {
        let world = autochk();
        world.program("C:\\ReactOS\\System32\\second.exe", NATIVE);
        world.state().boot_status = Some([false, false]);
        world
    };
    let world = prepare();
    run(world, &["autocheck autochk *"]);
    let calls = world.state().calls.len();
    for status in [
        Status::NO_MEMORY,
        Status::ACCESS_DENIED,
        Status::IO_DEVICE_ERROR,
    ] {
        // The first call is the one for the memory of this test's own environment block.
        for number in 1..calls {
            let world = prepare();
            world.state().fault = Some((number, status, false));
            run(world, &["autocheck autochk *", "second"]);
            let state = world.state();
            let last = state
                .processes
                .last()
                .expect("the second command is executed");
            assert_eq!(last.command_line, "second", "call {number}");
            assert!(last.resumed && last.waited);
            for child in &state.processes {
                assert!(
                    child.resumed || child.ended.is_some(),
                    "no process is left suspended: call {number}"
                );
            }
        }
    }
}

fn computed(world: &'static World) -> Result<(), Stop> {
    let done = boot::write_computed_variables(world);
    assert_eq!(world.open_handles(), 0, "every handle is closed");
    done
}

fn with_processor(identifier: (u32, &str)) -> &'static World {
    let world = World::new();
    world.key(
        CPU,
        &[
            ("Identifier", identifier.0, bytes(identifier.1)),
            ("VendorIdentifier", 1, bytes("AuthenticAMD\0")),
        ],
    );
    world
}

fn variable(world: &World, name: &str) -> Option<String> {
    world.text_value(&format!("{SM}\\Environment"), name)
}

#[test]
fn spec_5_3_computed_variables_are_written_in_order() {
    let world = with_processor((1, "AMD64 Family 15 Model 107 Stepping 1\0"));
    computed(world).unwrap();
    for (name, value) in [
        ("OS", "Windows_NT"),
        ("PROCESSOR_ARCHITECTURE", "AMD64"),
        ("PROCESSOR_LEVEL", "15"),
        (
            "PROCESSOR_IDENTIFIER",
            "AMD64 Family 15 Model 107 Stepping 1, AuthenticAMD",
        ),
        ("PROCESSOR_REVISION", "6b01"),
        ("NUMBER_OF_PROCESSORS", "2"),
    ] {
        assert_eq!(variable(world, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(variable(world, "SAFEBOOT_OPTION"), None);
    let state = world.state();
    let names: Vec<_> = state.keys[&format!("{SM}\\Environment").to_lowercase()]
        .iter()
        .map(|(name, ..)| &**name)
        .collect();
    assert_eq!(
        names,
        [
            "OS",
            "PROCESSOR_ARCHITECTURE",
            "PROCESSOR_LEVEL",
            "PROCESSOR_IDENTIFIER",
            "PROCESSOR_REVISION",
            "NUMBER_OF_PROCESSORS"
        ]
    );
}

#[test]
fn spec_5_3_no_vendor_is_no_error_and_an_identifier_that_is_no_text_costs_only_itself() {
    let world = World::new();
    world.key(CPU, &[("Identifier", 1, bytes("x\0"))]);
    computed(world).unwrap();
    assert_eq!(
        variable(world, "PROCESSOR_IDENTIFIER").as_deref(),
        Some("x")
    );
    let world = with_processor((4, "ab"));
    computed(world).unwrap();
    assert_eq!(variable(world, "PROCESSOR_IDENTIFIER"), None);
    assert!(variable(world, "NUMBER_OF_PROCESSORS").is_some());
}

#[test]
fn spec_5_3_safe_boot_option_and_d24_nothing_for_unknown_numbers() {
    for (value, text) in [
        (1, Some("MINIMAL")),
        (2, Some("NETWORK")),
        (3, Some("DSREPAIR")),
        (0, None),
        (4, None),
    ] {
        let world = with_processor((1, "x\0"));
        world.key(
            &format!("{CONTROL}\\Safeboot\\Option"),
            &[("OptionValue", 4, vec![value, 0, 0, 0])],
        );
        computed(world).unwrap();
        assert_eq!(
            variable(world, "SAFEBOOT_OPTION").as_deref(),
            text,
            "{value}"
        );
    }
    let world = with_processor((1, "x\0"));
    world.key(
        &format!("{CONTROL}\\Safeboot\\Option"),
        &[("OptionValue", 1, bytes("1\0"))],
    );
    computed(world).unwrap();
    assert_eq!(variable(world, "SAFEBOOT_OPTION"), None);
}

#[test]
fn spec_13_5_computed_variables_that_cannot_be_written_are_fatal() {
    let world = World::new();
    assert_eq!(
        computed(world),
        Err(Stop {
            step: Essential::ComputedEnvironment,
            status: Status::OBJECT_NAME_NOT_FOUND
        }),
        "no processor"
    );
    let world = with_processor((1, "x\0"));
    computed(world).unwrap();
    let state = world.state();
    let needed: Vec<usize> = state
        .calls
        .iter()
        .enumerate()
        .filter(|(_, call)| **call == "set_value")
        .map(|(number, _)| number)
        .collect();
    drop(state);
    assert_eq!(needed.len(), 6);
    for number in needed {
        let world = with_processor((1, "x\0"));
        world.state().fault = Some((number, Status::INSUFFICIENT_RESOURCES, false));
        assert_eq!(
            computed(world),
            Err(Stop {
                step: Essential::ComputedEnvironment,
                status: Status::INSUFFICIENT_RESOURCES
            })
        );
    }
}
