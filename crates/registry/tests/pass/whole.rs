// SPDX-License-Identifier: GPL-2.0-or-later
//! The pass as a whole: what is not there, what is of no use, and what fails.

use crate::{DWORD, EXPAND, MULTI, SZ, on, pairs, passed, read, texts, variable, without};
use nt::failure::{Essential, Stop};
use nt::system::{Processes, ValueType};
use nt::{Status, UnicodeStr};
use registry::Configuration;
use test_support::host::{SM, Watched, bytes};

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
        assert_eq!(texts(configuration.excluded_dlls()), [""; 0]);
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

#[test]
fn values_and_names_larger_than_a_page_are_read() {
    on(move |world| {
        let (name, value) = ("N".repeat(3000), "v".repeat(30_000));
        world.sm(
            "Environment",
            &[
                ("A", SZ, bytes("1\0")),
                (&name, SZ, bytes(&value)),
                ("B", SZ, bytes("2\0")),
            ],
        );
        let configuration = passed(world);
        assert_eq!(variable(&configuration, &name).as_deref(), Some(&*value));
        assert_eq!(variable(&configuration, "B").as_deref(), Some("2"));
    });
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
        let calls = world.calls().len();
        for status in [
            Status::NO_MEMORY,
            Status::ACCESS_DENIED,
            Status::IO_DEVICE_ERROR,
        ] {
            for (number, persistent) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
                prepare(world);
                let first = world.calls().len();
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
