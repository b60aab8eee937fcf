// SPDX-License-Identifier: GPL-2.0-or-later
//! BootExecute, autocheck and the computed variables, with programs that do nothing and calls
//! that are refused: rows of spec 5.3, 8.4, 8.5 and 17.

use boot::execute_commands;
use launch::Launcher;
use nt::environment::Environment;
use nt::failure::{Essential, Skippable, Stop};
use nt::system::{ImageSubsystem, Processes};
use nt::{Status, UnicodeStr};
use std::sync::{Arc, Mutex};
use test_support::Interceptor;
use test_support::host::{CONTROL, SM, Watched, World, bytes, watched, wide, world};

const CPU: &str = "\\Registry\\Machine\\Hardware\\Description\\System\\CentralProcessor\\0";
const AUTOCHK: &str = "\\??\\C:\\ReactOS\\System32\\autochk.exe";

fn execute(world: &'static Watched, lines: &[&str]) {
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
    );
}

/// A world with programs that do nothing.
fn with_programs(names: &[&str]) -> World {
    let mut world = world();
    for name in names {
        world.program(name, ImageSubsystem::NATIVE, |_| Status::SUCCESS);
    }
    world
}

/// Lets the Session Manager do its act where there is a disk check.
fn autochk(act: impl FnOnce(&'static Watched) + Send + 'static) {
    watched(&mut with_programs(&["autochk.exe"]), act);
}

fn command_lines(world: &Watched) -> Vec<String> {
    let children = world.children().into_iter();
    children.map(|child| child.command_line).collect()
}

fn screen(world: &Watched) -> String {
    world.about("display_string").concat()
}

#[test]
fn spec_8_4_autocheck_gets_the_image_and_its_arguments() {
    autochk(|world| {
        execute(world, &["autocheck autochk  /P *"]);
        assert_eq!(command_lines(world), [format!("{AUTOCHK} /P *")]);
        assert!(world.children()[0].waited);
        assert_eq!(screen(world), "");
    });
}

#[test]
fn spec_8_4_autocheck_without_arguments() {
    autochk(|world| {
        execute(world, &["autocheck autochk"]);
        assert_eq!(command_lines(world), [format!("{AUTOCHK} ")]);
    });
}

#[test]
fn spec_17_a_missing_autocheck_program_is_one_line_on_the_screen() {
    autochk(|world| {
        execute(world, &["autocheck nosuch *"]);
        assert_eq!(
            screen(world),
            "nosuch program not found - skipping AUTOCHECK\r\n"
        );
        assert!(world.children().is_empty());
    });
}

#[test]
fn spec_17_a_missing_program_is_nothing_on_the_screen_and_the_next_runs() {
    autochk(|world| {
        execute(world, &["nosuch x", "", "autochk a"]);
        assert_eq!(command_lines(world), ["autochk a"]);
        assert_eq!(screen(world), "");
    });
}

#[test]
fn spec_8_4_boot_status_says_all_is_well_during_the_check_and_is_put_back() {
    const FILE: &str = "C:\\ReactOS\\bootstat.dat";
    for before in [[0, 0], [1, 0]] {
        let data = [&[0; 10], &before[..], &[0; 2036]].concat();
        let seen = Arc::new(Mutex::new(None));
        let mut world = world();
        world.file("\\ReactOS\\bootstat.dat", &data);
        let noted = Arc::clone(&seen);
        world.program("autochk.exe", ImageSubsystem::NATIVE, move |seam| {
            *noted.lock().unwrap() = Interceptor::over(seam).content(FILE);
            Status::SUCCESS
        });
        watched(&mut world, |world| execute(world, &["autocheck autochk *"]));
        let seen = seen.lock().unwrap().take().unwrap();
        assert_eq!(seen[10..12], [1, 1]);
        assert_eq!(world.read_file("\\ReactOS\\bootstat.dat"), Some(data));
    }
    autochk(|world| {
        execute(world, &["autocheck autochk *"]);
        assert_eq!(world.count("exchange_boot_status"), 1);
        assert!(!world.exists(FILE), "no file, nothing done");
    });
}

#[test]
fn spec_8_4_arguments_that_do_not_fit_are_dropped_as_a_whole() {
    autochk(|world| {
        execute(world, &[&format!("autocheck autochk {}", "x".repeat(1100))]);
        assert_eq!(command_lines(world), [format!("{AUTOCHK} ")]);
    });
}

#[test]
fn d23_sos_in_any_case_announces_each_check() {
    for (options, said) in [
        (" NOEXECUTE SOS", true),
        ("/sos", true),
        ("/SOSO", false),
        ("", false),
    ] {
        autochk(move |world| {
            // Without a NUL at its end, as the kernel writes it.
            world.key(CONTROL, &[("SystemStartOptions", 1, bytes(options))]);
            execute(world, &["autocheck autochk *"]);
            assert_eq!(screen(world).contains("autochk.exe *"), said, "{options}");
        });
    }
}

#[test]
fn a_call_that_fails_in_one_command_does_not_touch_the_next() {
    let mut world = with_programs(&["autochk.exe", "second.exe"]);
    world.file("\\ReactOS\\bootstat.dat", &[0; 2048]);
    watched(&mut world, |world| {
        execute(world, &["autocheck autochk *"]);
        let calls = world.made();
        for status in [
            Status::NO_MEMORY,
            Status::ACCESS_DENIED,
            Status::IO_DEVICE_ERROR,
        ] {
            // The first call is the one for the memory of the environment of this test.
            for number in 1..calls {
                let earlier = world.children().len();
                world.refuse(world.made() + number, status, false);
                execute(world, &["autocheck autochk *", "second"]);
                let children = &world.children()[earlier..];
                let last = children.last().expect("the second command is executed");
                assert_eq!(last.command_line, "second", "call {number}");
                assert!(last.resumed && last.waited);
                for child in children {
                    assert!(
                        child.resumed || child.ended.is_some(),
                        "no process is left suspended: call {number}"
                    );
                }
            }
        }
    });
}

/// A Session Manager on a processor with this identifier.
fn with_processor(
    identifier: (u32, &'static str),
    act: impl FnOnce(&'static Watched) + Send + 'static,
) {
    watched(&mut world(), move |world| {
        world.key(
            CPU,
            &[
                ("Identifier", identifier.0, bytes(identifier.1)),
                ("VendorIdentifier", 1, bytes("AuthenticAMD\0")),
            ],
        );
        act(world);
    });
}

fn variable(world: &Watched, name: &str) -> Option<String> {
    world.text_value(&format!("{SM}\\Environment"), name)
}

#[test]
fn spec_5_3_computed_variables_are_written_in_order() {
    with_processor((1, "AMD64 Family 15 Model 107 Stepping 1\0"), |world| {
        boot::write_computed_variables(world).unwrap();
        let expected = [
            ("OS", "Windows_NT"),
            ("PROCESSOR_ARCHITECTURE", "AMD64"),
            ("PROCESSOR_LEVEL", "15"),
            (
                "PROCESSOR_IDENTIFIER",
                "AMD64 Family 15 Model 107 Stepping 1, AuthenticAMD",
            ),
            ("PROCESSOR_REVISION", "6b01"),
            ("NUMBER_OF_PROCESSORS", "1"),
        ];
        for (name, value) in expected {
            assert_eq!(variable(world, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(variable(world, "SAFEBOOT_OPTION"), None);
        assert_eq!(world.about("set_value"), expected.map(|(name, _)| name));
    });
}

#[test]
fn spec_5_3_no_vendor_is_no_error_and_an_identifier_that_is_no_text_costs_only_itself() {
    with_processor((1, "x\0"), |world| {
        world.forget_value(CPU, "VendorIdentifier");
        boot::write_computed_variables(world).unwrap();
        let identifier = variable(world, "PROCESSOR_IDENTIFIER");
        assert_eq!(identifier.as_deref(), Some("x"));
    });
    with_processor((4, "ab"), |world| {
        boot::write_computed_variables(world).unwrap();
        assert_eq!(variable(world, "PROCESSOR_IDENTIFIER"), None);
        assert!(variable(world, "NUMBER_OF_PROCESSORS").is_some());
    });
}

#[test]
fn spec_5_3_safe_boot_option_and_d24_nothing_for_unknown_numbers() {
    let number = |value| (4, vec![value, 0, 0, 0]);
    for ((kind, data), text) in [
        (number(1), Some("MINIMAL")),
        (number(2), Some("NETWORK")),
        (number(3), Some("DSREPAIR")),
        (number(0), None),
        (number(4), None),
        ((1, bytes("1\0")), None),
    ] {
        with_processor((1, "x\0"), move |world| {
            let option = [("OptionValue", kind, data.clone())];
            world
                .key(&format!("{CONTROL}\\Safeboot"), &[])
                .key(&format!("{CONTROL}\\Safeboot\\Option"), &option);
            boot::write_computed_variables(world).unwrap();
            let written = variable(world, "SAFEBOOT_OPTION");
            assert_eq!(written.as_deref(), text, "{data:?}");
        });
    }
}

#[test]
fn spec_13_5_computed_variables_that_cannot_be_written_are_fatal() {
    let stop = |status| {
        Err(Stop {
            step: Essential::ComputedEnvironment,
            status,
        })
    };
    with_processor((1, "x\0"), move |world| {
        boot::write_computed_variables(world).unwrap();
        let calls = world.calls();
        let needed = (0..calls.len()).filter(|&number| calls[number].name == "set_value");
        assert_eq!(needed.clone().count(), 6);
        for number in needed {
            let status = Status::INSUFFICIENT_RESOURCES;
            world.refuse(world.made() + number, status, false);
            assert_eq!(boot::write_computed_variables(world), stop(status));
        }
        world.refuse_nothing();
        world.forget_value(CPU, "Identifier");
        let status = Status::OBJECT_NAME_NOT_FOUND;
        let done = boot::write_computed_variables(world);
        assert_eq!(done, stop(status), "no processor");
    });
}
