// SPDX-License-Identifier: GPL-2.0-or-later
//! Values of the Session Manager key itself: rows of spec 2.1 to 2.3 and 17.

use crate::{BINARY, DWORD, EXPAND, MULTI, SZ, on, passed, read, texts};
use nt::UnicodeStr;
use test_support::host::{SM, bytes, wide};

#[test]
fn spec_2_3_protection_mode_and_its_lengths() {
    for (kind, data, mode) in [
        (DWORD, vec![0, 0, 0, 0], 0),
        (DWORD, vec![3, 0, 0, 0], 3),
        (DWORD, vec![0, 0], 1),
        (DWORD, vec![], 1),
        (SZ, bytes("0\0"), 1),
    ] {
        on(move |world| {
            world.sm("", &[("ProtectionMode", kind, data.clone())]);
            let (configuration, directories) = read(world).unwrap();
            assert_eq!(configuration.protection_mode, mode, "{kind} {data:?}");
            assert!(
                directories.iter().all(|(seen, _)| *seen == mode),
                "directories are made with the mode just read"
            );
        });
    }
}

#[test]
fn the_debug_print_filter_is_a_number_of_its_own_key() {
    on(|world| {
        assert_eq!(registry::debug_print_filter(world), None, "no value");
        let key = "Debug Print Filter";
        world.sm(key, &[("SMSS", DWORD, vec![7, 1, 0, 0])]);
        assert_eq!(registry::debug_print_filter(world), Some(0x107));
        world.sm(key, &[("SMSS", SZ, bytes("7\0"))]);
        assert_eq!(registry::debug_print_filter(world), None, "no number");
    });
}

#[test]
fn spec_2_3_object_directories_are_made_during_the_pass() {
    on(move |world| {
        world.sm(
            "",
            &[("ObjectDirectories", MULTI, bytes("\\Foo\0\\Bar\0\0"))],
        );
        assert_eq!(
            read(world).unwrap().1,
            [(1, "\\Foo".into()), (1, "\\Bar".into())]
        );
    });
    on(move |world| {
        world.sm("", &[("ObjectDirectories", BINARY, vec![1, 2])]);
        assert_eq!(read(world).unwrap().1, []);
    });
}

#[test]
fn spec_17_boot_execute_of_one_empty_string_is_one_empty_command() {
    on(move |world| {
        world.sm("", &[("BootExecute", MULTI, bytes("\0\0"))]);
        assert_eq!(texts(passed(world).boot_execute()), [""]);
    });
}

#[test]
fn spec_2_1_an_empty_multi_string_is_no_default() {
    for data in [bytes(""), bytes("\0")] {
        on(move |world| {
            world.sm("", &[("BootExecute", MULTI, data)]);
            assert_eq!(texts(passed(world).boot_execute()), [""; 0]);
        });
    }
}

#[test]
fn spec_17_boot_execute_twice_in_other_case_is_one_run() {
    on(move |world| {
        world.sm(
            "",
            &[(
                "BootExecute",
                MULTI,
                bytes("autocheck autochk *\0other\0AUTOCHECK AUTOCHK *\0\0"),
            )],
        );
        assert_eq!(
            texts(passed(world).boot_execute()),
            ["autocheck autochk *", "other"]
        );
    });
}

/// `[` and `{` are as far apart as a letter's cases, and no letters.
#[test]
fn spec_2_1_names_that_differ_in_more_than_case_are_two() {
    on(move |world| {
        let value = bytes("x [\0x {\0X [\0\0");
        world.sm("", &[("BootExecute", MULTI, value)]);
        assert_eq!(texts(passed(world).boot_execute()), ["x [", "x {"]);
    });
}

#[test]
fn spec_2_3_execute_is_expanded_with_the_environment() {
    on(move |world| {
        world.sm("", &[("Execute", EXPAND, bytes("%Later%.exe\0"))]);
        world.sm("Environment", &[("Later", SZ, bytes("x\0"))]);
        assert_eq!(texts(passed(world).execute()), ["x.exe"]);
    });
}

#[test]
fn spec_2_3_one_shot_values_are_deleted() {
    on(move |world| {
        world.sm(
            "",
            &[
                ("AllowProtectedRenames", DWORD, vec![1, 0, 0, 0]),
                (
                    "PendingFileRenameOperations",
                    MULTI,
                    bytes("\\??\\C:\\a\0\0\0"),
                ),
                (
                    "PendingFileRenameOperations2",
                    MULTI,
                    bytes("\\??\\C:\\b\0\\??\\C:\\c\0\0"),
                ),
                ("BootExecute", MULTI, bytes("x\0\0")),
            ],
        );
        let configuration = passed(world);
        assert_eq!(configuration.allow_protected_renames, 1);
        let values: Vec<_> = configuration
            .renames
            .iter()
            .map(|value| texts(value.as_ref().unwrap().strings()))
            .collect();
        assert_eq!(
            values,
            [vec!["\\??\\C:\\a", ""], vec!["\\??\\C:\\b", "\\??\\C:\\c"]]
        );
        let first = configuration.renames[0].as_ref().unwrap().text();
        assert_eq!(first.to_string(), "\\??\\C:\\a\0\0\0");
        for name in [
            "AllowProtectedRenames",
            "PendingFileRenameOperations",
            "PendingFileRenameOperations2",
        ] {
            assert_eq!(world.value(SM, name), None, "{name}");
        }
        assert!(world.value(SM, "BootExecute").is_some());
    });
}

#[test]
fn spec_17_pending_renames_of_type_reg_sz_are_one_source() {
    on(move |world| {
        world.sm(
            "",
            &[("PendingFileRenameOperations", SZ, bytes("\\??\\C:\\a\0"))],
        );
        let configuration = passed(world);
        assert_eq!(
            texts(configuration.renames[0].as_ref().unwrap().strings()),
            ["\\??\\C:\\a"]
        );
    });
}

#[test]
fn pending_renames_of_10_megabytes_and_20000_entries_are_read_whole_without_a_second_copy() {
    on(move |world| {
        let tail = "x".repeat(230);
        let list: String = (0..20_000)
            .map(|number| format!("\\??\\C:\\{number}\\{tail}\0"))
            .collect();
        world.sm(
            "",
            &[(
                "PendingFileRenameOperations",
                MULTI,
                bytes(&format!("{list}\0")),
            )],
        );
        let configuration = passed(world);
        let value = configuration.renames[0].as_ref().unwrap();
        assert!(value.data().len() > 9 << 20);
        assert_eq!(value.strings().count(), 20_000);
        assert_eq!(
            value.strings().last().unwrap().to_string(),
            format!("\\??\\C:\\19999\\{tail}")
        );
        assert_eq!(world.value(SM, "PendingFileRenameOperations"), None);
    });
}

#[test]
fn spec_2_3_exclude_from_known_dlls_takes_text_only() {
    for (kind, data, names) in [
        (
            MULTI,
            bytes("user32.dll\0gdi32\0\0"),
            vec!["user32.dll", "gdi32"],
        ),
        (SZ, bytes("user32.dll\0"), vec!["user32.dll"]),
        (BINARY, bytes("user32.dll\0"), vec![]),
    ] {
        on(move |world| {
            world.sm("", &[("ExcludeFromKnownDlls", kind, data)]);
            let configuration = passed(world);
            for name in ["user32.dll", "gdi32"] {
                let is_excluded = configuration.is_excluded_dll(UnicodeStr(&wide(name)));
                assert_eq!(is_excluded, names.contains(&name), "{name}");
            }
        });
    }
}
