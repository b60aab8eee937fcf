// SPDX-License-Identifier: GPL-2.0-or-later
//! The pass as a whole: what is not there, what is of no use, and what fails.

use crate::{DWORD, EXPAND, MULTI, SZ, on, pair, pairs, passed, read, texts, variable, without};
use nt::failure::{Essential, Stop};
use nt::system::{Processes, ValueType};
use nt::{Status, UnicodeStr};
use registry::Configuration;
use test_support::host::{SM, Watched, bytes};
use test_support::warnings;

#[test]
fn spec_2_3_defaults_of_an_empty_key() {
    on(|world| {
        let (configuration, directories) = read(world).unwrap();
        assert_eq!(configuration.protection_mode, 1);
        assert_eq!(configuration.allow_protected_renames, 0);
        assert_eq!(
            directories,
            [(1, "\\Windows".into()), (1, "\\RPC Control".into())]
        );
        assert_eq!(
            texts(configuration.boot_execute()),
            ["autocheck AutoChk.exe *"]
        );
        assert_eq!(texts(configuration.setup_execute()), [""; 0]);
        assert_eq!(texts(configuration.execute()), [""; 0]);
        assert_eq!(texts(configuration.paging_files()), ["?:\\pagefile.sys"]);
        assert!(!configuration.is_excluded_dll(UnicodeStr::EMPTY));
        assert!(configuration.renames.iter().all(Option::is_none));
        assert_eq!(configuration.dll_directory(), None);
        assert_eq!(configuration.library_search_path(), UnicodeStr::EMPTY);
    });
}

#[test]
fn d28_missing_subkeys_are_tolerated_but_for_two() {
    for subkey in ["Memory Management", "DOS Devices", "Environment"] {
        without(subkey, move |world| {
            assert_eq!(
                texts(passed(world).paging_files()),
                ["?:\\pagefile.sys"],
                "{subkey}"
            );
        });
    }
    for subkey in ["KnownDlls", "SubSystems"] {
        without(subkey, move |world| {
            assert_eq!(
                read(world).err(),
                Some(Stop {
                    step: Essential::RegistryPass,
                    status: Status::OBJECT_NAME_NOT_FOUND
                }),
                "{subkey}"
            );
        });
    }
    without("", |world| {
        assert!(read(world).is_err());
    });
}

#[test]
fn spec_11_5_session_values_are_read_only_if_asked_for() {
    on(move |world| {
        world.sm(
            "",
            &[
                ("NumberOfInitialSessions", DWORD, vec![2, 0, 0, 0]),
                ("S0InitialCommand", EXPAND, bytes("%SystemRoot%\\w.exe\0")),
            ],
        );
        assert_eq!(passed(world).initial_sessions, None);
        let own = world.own_environment();
        let mut configuration = Configuration::new(world);
        registry::read(world, own, true, &mut |_, _| {}, &mut configuration).unwrap();
        assert_eq!(configuration.initial_sessions, Some(2));
        assert_eq!(
            configuration.session_zero_command().unwrap().to_string(),
            "C:\\ReactOS\\w.exe"
        );
    });
}

/// One of several instances of NT 6 reads again what its session needs, in the environment that it
/// was given.
#[test]
fn spec_11_5_what_a_session_needs_is_read_again_and_nothing_is_deleted() {
    on(move |world| {
        let rest = [
            ("AllowProtectedRenames", DWORD, vec![1, 0, 0, 0]),
            (
                "PendingFileRenameOperations",
                MULTI,
                bytes("\\??\\C:\\a\0\0\0"),
            ),
            ("BootExecute", MULTI, bytes("x\0\0")),
        ];
        world.sm("", &rest);
        world.sm(
            "",
            &[
                ("Execute", SZ, bytes("e.exe\0")),
                ("S0InitialCommand", EXPAND, bytes("%SystemRoot%\\w.exe\0")),
            ],
        );
        world.sm("Environment", &[("SAFEBOOT_OPTION", SZ, bytes("x\0"))]);
        world.sm(
            "SubSystems",
            &[
                ("Required", MULTI, bytes("Windows\0\0")),
                ("Windows", SZ, bytes("csrss\0")),
            ],
        );
        let own = world.own_environment();
        let mut configuration = Configuration::new(world);
        registry::read_for_session(world, own, &mut configuration).unwrap();
        let required = configuration.required();
        assert_eq!(pairs(required), [pair("Windows", "csrss")]);
        assert_eq!(texts(configuration.execute()), ["e.exe"]);
        let command = configuration.session_zero_command().unwrap();
        assert_eq!(command.to_string(), "C:\\ReactOS\\w.exe");
        assert_eq!(configuration.environment.block(), [own, &[0]].concat());
        for (name, kind, data) in rest {
            assert_eq!(world.value(SM, name), Some((kind, data)), "{name}");
        }
        let option = world.value(&format!("{SM}\\Environment"), "SAFEBOOT_OPTION");
        assert!(option.is_some());
    });
}

#[test]
fn values_and_names_of_any_size_are_read() {
    // Units of a page; its last one is the value's NUL.
    const PAGE: usize = 2048;
    let sizes = [
        (1, PAGE - 1),
        (PAGE, 1),
        (2, PAGE),
        (PAGE + 1, 1),
        (3000, 30_000),
        (3, 30_001),
    ];
    on(move |world| {
        let values = sizes.map(|(name, value)| ("N".repeat(name), "v".repeat(value)));
        for (name, value) in &values {
            world.sm("Environment", &[(name, SZ, bytes(&format!("{value}\0")))]);
        }
        let configuration = passed(world);
        for (name, value) in &values {
            assert_eq!(variable(&configuration, name).as_ref(), Some(value));
        }
    });
}

/// What is reported of a pass with one more value in one of the keys.
fn reported(key: &'static str, name: &'static str, kind: u32, data: Vec<u8>) -> Vec<String> {
    on(move |world| {
        world.sm(
            "SubSystems",
            &[
                ("Debug", EXPAND, bytes("\0")),
                ("Windows", SZ, bytes("csrss\0")),
            ],
        );
        world.sm(key, &[(name, kind, data)]);
        warnings(|| {
            passed(world);
        })
    })
}

#[test]
fn spec_2_1_what_cannot_be_understood_is_reported_by_its_name_and_nothing_else_is() {
    let number = || vec![1, 0, 0, 0];
    for (key, name, kind, data) in [
        ("", "ProtectionMode", DWORD, vec![1, 0]),
        ("", "BootExecute", DWORD, number()),
        ("Environment", "A", DWORD, number()),
        ("DOS Devices", "A", DWORD, number()),
        ("DOS Devices", "A\\B", SZ, bytes("x\0")),
        ("SubSystems", "A", DWORD, number()),
        ("SubSystems", "PosixSingleInstance", SZ, bytes("1\0")),
        ("SubSystems", "Required", SZ, bytes("Windows\0")),
    ] {
        let said = reported(key, name, kind, data);
        assert!(
            said.len() == 1 && said[0].contains(name),
            "{name}: {said:?}"
        );
    }
    let said = reported("SubSystems", "Optional", MULTI, bytes("Posix\0\0"));
    assert!(said.len() == 1 && said[0].contains("Posix"), "{said:?}");
    let said = reported("KnownDlls", "", SZ, bytes("x\0"));
    assert!(said.len() == 1 && said[0].contains("KnownDlls"), "{said:?}");
    for (key, name, kind, data) in [
        ("", "ProtectionMode", DWORD, number()),
        ("", "BootExecute", MULTI, bytes("x\0\0")),
        ("Environment", "A", SZ, bytes("x\0")),
        ("Environment", "A", EXPAND, bytes("x\0")),
        ("Environment", "", SZ, bytes("\0")),
        ("SubSystems", "PosixSingleInstance", DWORD, number()),
        ("SubSystems", "Required", MULTI, bytes("Windows\0\0")),
    ] {
        let said = reported(key, name, kind, data);
        assert!(said.is_empty(), "{name}: {said:?}");
    }
}

#[test]
fn boot_options_are_probed_and_forgotten() {
    on(move |world| {
        assert!(!registry::is_mini_nt(world));
        world.key(
            "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\MiniNT",
            &[],
        );
        assert!(registry::is_mini_nt(world));
        world.sm(
            "Environment",
            &[
                ("SAFEBOOT_OPTION", SZ, bytes("MINIMAL\0")),
                ("A", SZ, bytes("x\0")),
            ],
        );
        let configuration = passed(world);
        assert_eq!(
            variable(&configuration, "SAFEBOOT_OPTION"),
            None,
            "no child sees it"
        );
        assert_eq!(variable(&configuration, "A").as_deref(), Some("x"));
        drop(configuration);
        assert_eq!(
            world.value(&format!("{SM}\\Environment"), "SAFEBOOT_OPTION"),
            None
        );
        assert!(world.value(&format!("{SM}\\Environment"), "A").is_some());
    });
}

#[test]
fn every_failing_call_stops_the_pass_or_is_reported_and_leaks_nothing() {
    const RENAMES: &str = "PendingFileRenameOperations";
    fn prepare(world: &Watched) {
        world.sm(
            "",
            &[
                (RENAMES, MULTI, bytes("\\??\\C:\\a\0\0\0")),
                ("BootExecute", MULTI, bytes("x\0\0")),
            ],
        );
        world.sm(
            "Environment",
            &[("A", EXPAND, bytes("%B%\0")), ("B", SZ, bytes("x\0"))],
        );
        world.sm("SubSystems", &[("Windows", SZ, bytes("w\0"))]);
    }
    on(|world| {
        prepare(world);
        passed(world);
        let calls = world.made();
        for status in [
            Status::NO_MEMORY,
            Status::ACCESS_DENIED,
            Status::IO_DEVICE_ERROR,
        ] {
            for (number, persistent) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
                prepare(world);
                let first = world.made();
                world.refuse(first + number, status, persistent);
                let own = world.own_environment();
                let mut configuration = Configuration::new(world);
                let read = registry::read(world, own, false, &mut |_, _| {}, &mut configuration);
                world.refuse_nothing();
                let Err(stop) = read else { continue };
                let wanted = Stop {
                    step: Essential::RegistryPass,
                    status,
                };
                assert_eq!(stop, wanted, "call {number}");
                let made = &world.calls()[first..first + number];
                let deleted = made.iter().any(|call| call.name == "delete_value");
                assert!(
                    world.value(SM, RENAMES).is_some() || deleted,
                    "no operation is lost: call {number}"
                );
            }
        }
    });
}

#[test]
fn the_types_are_an_open_set() {
    for kind in [0, 5, 6, 8, 11, 0xFFFF_0000] {
        on(move |world| {
            world.sm(
                "",
                &[
                    ("BootExecute", kind, bytes("x\0\0")),
                    ("ExcludeFromKnownDlls", kind, bytes("x\0\0")),
                ],
            );
            world.sm("Environment", &[("A", kind, bytes("x\0"))]);
            world.sm(
                "KnownDlls",
                &[
                    ("a", kind, bytes("x\0")),
                    ("DllDirectory", kind, bytes("x\0")),
                ],
            );
            world.sm(
                "SubSystems",
                &[
                    ("Required", kind, bytes("x\0\0")),
                    ("x", kind, bytes("x\0")),
                ],
            );
            let configuration = passed(world);
            assert_eq!(texts(configuration.boot_execute()), [""; 0]);
            assert_eq!(variable(&configuration, "A"), None);
            assert_eq!(configuration.dll_directory(), None);
            assert_eq!(
                pairs(configuration.subsystems()),
                [],
                "{:?}",
                ValueType(kind)
            );
        });
    }
}
