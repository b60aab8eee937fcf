// SPDX-License-Identifier: GPL-2.0-or-later
//! The environment, in two passes: rows of spec 5.1 and 17.

use crate::{DWORD, EXPAND, MULTI, SZ, on, pair, pairs, passed, read, texts, variable};
use nt::Status;
use nt::failure::{Essential, Stop};
use test_support::host::bytes;

#[test]
fn spec_2_1_a_command_list_may_be_one_string_and_is_expanded_before_environment_is_applied() {
    on(move |world| {
        world.sm(
            "",
            &[(
                "SetupExecute",
                EXPAND,
                bytes("%SystemRoot%\\setupcl.exe %Later%\0"),
            )],
        );
        world.sm("Environment", &[("Later", SZ, bytes("x\0"))]);
        assert_eq!(
            texts(passed(world).setup_execute()),
            ["C:\\ReactOS\\setupcl.exe %Later%"]
        );
    });
}

#[test]
fn spec_3_2_dos_devices_are_expanded_before_environment_is_applied() {
    on(move |world| {
        world.sm(
            "DOS Devices",
            &[
                ("Q:", SZ, bytes("\\??\\C:\\ReactOS\0junk\0")),
                ("R:", EXPAND, bytes("\\??\\%SystemRoot%\\%A%\0")),
                ("NUL", SZ, bytes("\0")),
                ("BAD", DWORD, vec![1, 0, 0, 0]),
                ("MANY", MULTI, bytes("first\0second\0\0")),
            ],
        );
        world.sm("Environment", &[("A", SZ, bytes("x\0"))]);
        let expected = [
            pair("Q:", "\\??\\C:\\ReactOS"),
            pair("R:", "\\??\\C:\\ReactOS\\%A%"),
            pair("NUL", ""),
            pair("MANY", "second"),
        ];
        assert_eq!(pairs(passed(world).dos_devices()), expected);
    });
}

#[test]
fn spec_17_environment_forward_reference_is_resolved_in_the_second_pass() {
    on(move |world| {
        world.sm(
            "Environment",
            &[("A", EXPAND, bytes("%B%\0")), ("B", SZ, bytes("x\0"))],
        );
        assert_eq!(variable(&passed(world), "A").as_deref(), Some("x"));
    });
}

#[test]
fn spec_17_environment_self_reference_is_appended_twice() {
    on(move |world| {
        world.sm("Environment", &[("P2", EXPAND, bytes("%P2%;y\0"))]);
        assert_eq!(variable(&passed(world), "P2").as_deref(), Some("%P2%;y;y"));
    });
}

#[test]
fn spec_5_1_path_of_the_second_pass_is_the_library_path() {
    on(move |world| {
        world.sm(
            "Environment",
            &[
                ("pAtH", EXPAND, bytes("%SystemRoot%\\bin;%Extra%\0")),
                ("Extra", SZ, bytes("C:\\e\0")),
            ],
        );
        let configuration = passed(world);
        assert_eq!(
            configuration.library_search_path().to_string(),
            "C:\\ReactOS\\bin;C:\\e"
        );
        assert_eq!(
            variable(&configuration, "Path").as_deref(),
            Some("C:\\ReactOS\\bin;C:\\e")
        );
    });
}

#[test]
fn spec_5_1_reg_sz_is_never_expanded_and_the_kernels_variables_stay() {
    on(move |world| {
        world.sm("Environment", &[("Z", SZ, bytes("%SystemRoot%\0"))]);
        let configuration = passed(world);
        let block = String::from_utf16(configuration.environment.block()).unwrap();
        assert_eq!(
            block,
            "Path=C:\\ReactOS\\System32\0SystemDrive=C:\0SystemRoot=C:\\ReactOS\0Z=%SystemRoot%\0\0"
        );
    });
}

#[test]
fn spec_5_1_variables_are_sorted_without_regard_to_case() {
    on(move |world| {
        let values = [
            ("zeta", SZ, bytes("1\0")),
            ("Alpha", SZ, bytes("2\0")),
            ("systemdrivf", SZ, bytes("3\0")),
            ("beta", SZ, bytes("4\0")),
        ];
        world.sm("Environment", &values);
        let configuration = passed(world);
        let block = String::from_utf16(configuration.environment.block()).unwrap();
        assert_eq!(
            block,
            "Alpha=2\0beta=4\0Path=C:\\ReactOS\\System32\0SystemDrive=C:\0systemdrivf=3\0\
         SystemRoot=C:\\ReactOS\0zeta=1\0\0"
        );
    });
}

#[test]
fn spec_5_1_any_number_of_variables_is_sorted() {
    for count in (1..10).chain([33]) {
        on(move |world| {
            for number in (0..count).rev() {
                // Runs that fall, of several lengths.
                let name = format!("{}{number:02}", ["b", "A", "C"][number % 7 % 3]);
                world.sm("Environment", &[(&name, SZ, bytes("x\0"))]);
            }
            let block = String::from_utf16(passed(world).environment.block()).unwrap();
            let names = block
                .split('\0')
                .filter_map(|variable| variable.split_once('='));
            let names: Vec<String> = names.map(|(name, _)| name.to_uppercase()).collect();
            assert_eq!(names.len(), count + 3);
            assert!(names.is_sorted(), "{block}");
        });
    }
}

#[test]
fn spec_5_1_a_variable_name_that_cannot_be_set_is_fatal() {
    for name in ["a=b", "=="] {
        on(move |world| {
            world.sm("Environment", &[(name, SZ, bytes("x\0"))]);
            assert_eq!(
                read(world).err(),
                Some(Stop {
                    step: Essential::RegistryPass,
                    status: Status::INVALID_PARAMETER
                })
            );
        });
    }
}

#[test]
fn environment_is_enumerated_once() {
    on(move |world| {
        world.sm(
            "Environment",
            &[
                ("A", EXPAND, bytes("%B%\0")),
                ("B", SZ, bytes("x\0")),
                ("C", SZ, bytes("y\0")),
            ],
        );
        passed(world);
        let enumerations = world.count("enumerate_value");
        // Three values and the end; the ends of the three other keys.
        assert_eq!(enumerations, 4 + 3);
    });
}

#[test]
fn memory_is_asked_for_a_few_times_whatever_there_is_to_expand() {
    on(move |world| {
        let values: Vec<(String, Vec<u8>)> = (0..60)
            .map(|number| (format!("N{number}"), bytes("%SystemRoot%\\x\0")))
            .collect();
        let values: Vec<(&str, u32, Vec<u8>)> = values
            .iter()
            .map(|(name, data)| (&**name, EXPAND, data.clone()))
            .collect();
        world.sm("Environment", &values);
        passed(world);
        let allocations = world.count("allocate_pages");
        assert!(allocations <= 6, "{allocations}");
    });
}
