// SPDX-License-Identifier: GPL-2.0-or-later
//! DOS devices, known DLLs, paging files and subsystems: rows of spec 2.1, 2.3, 3.2 and 17.

use crate::{DWORD, EXPAND, MULTI, SZ, on, pair, pairs, passed, texts};
use test_support::host::{SM, bytes};

#[test]
fn spec_2_1_the_default_value_of_a_subkey_is_no_entry_of_it() {
    on(move |world| {
        let unnamed = [("", SZ, bytes("\0"))];
        let full = [("", SZ, bytes("x\0"))];
        world
            .key(&format!("{SM}\\DOS Devices"), &unnamed)
            .key(&format!("{SM}\\KnownDlls"), &full)
            .key(&format!("{SM}\\Environment"), &full)
            .key(&format!("{SM}\\SubSystems"), &unnamed);
        let configuration = passed(world);
        assert_eq!(pairs(configuration.dos_devices()), []);
        assert_eq!(pairs(configuration.known_dlls()), []);
        assert_eq!(pairs(configuration.subsystems()), []);
    });
}

#[test]
fn spec_3_2_a_device_name_of_several_components_is_passed_over() {
    on(move |world| {
        world
            .key(
                &format!("{SM}\\DOS Devices"),
                &[("A\\B", SZ, bytes("\\x\0")), ("C", SZ, bytes("\\y\0"))],
            )
            .key(&format!("{SM}\\KnownDlls"), &[])
            .key(&format!("{SM}\\SubSystems"), &[]);
        assert_eq!(pairs(passed(world).dos_devices()), [pair("C", "\\y")]);
    });
}

#[test]
fn spec_2_3_paging_files_may_be_one_string_and_duplicates_are_dropped() {
    on(move |world| {
        world.sm("Memory Management", &[("PagingFiles", SZ, bytes("\0"))]);
        assert_eq!(texts(passed(world).paging_files()), [""]);
    });
    on(move |world| {
        world.sm(
            "Memory Management",
            &[(
                "PagingFiles",
                MULTI,
                bytes("C:\\p 1 2\0c:\\P 1 2\0D:\\p\0\0"),
            )],
        );
        assert_eq!(texts(passed(world).paging_files()), ["C:\\p 1 2", "D:\\p"]);
    });
}

#[test]
fn spec_2_3_known_dlls_and_both_directories() {
    on(move |world| {
        world.sm(
            "KnownDlls",
            &[
                ("DllDirectory", EXPAND, bytes("%SystemRoot%\\system32\0")),
                ("kernel32", SZ, bytes("kernel32.dll\0")),
                ("DllDirectory32", EXPAND, bytes("%SystemRoot%\\SysWOW64\0")),
                ("gdi32", SZ, bytes("gdi32.dll\0")),
            ],
        );
        let configuration = passed(world);
        assert_eq!(
            configuration.dll_directory().unwrap().to_string(),
            "C:\\ReactOS\\system32"
        );
        assert_eq!(
            configuration.dll_directory32().unwrap().to_string(),
            "C:\\ReactOS\\SysWOW64"
        );
        assert_eq!(
            pairs(configuration.known_dlls()),
            [pair("kernel32", "kernel32.dll"), pair("gdi32", "gdi32.dll")]
        );
    });
}

#[test]
fn spec_17_required_moves_in_the_order_written_and_unknown_names_are_skipped() {
    on(move |world| {
        world.sm(
            "SubSystems",
            &[
                ("Debug", EXPAND, bytes("\0")),
                (
                    "Kmode",
                    EXPAND,
                    bytes("%SystemRoot%\\system32\\win32k.sys\0"),
                ),
                ("Optional", MULTI, bytes("Posix\0\0")),
                (
                    "Posix",
                    EXPAND,
                    bytes("%SystemRoot%\\system32\\psxss.exe\0"),
                ),
                ("Required", MULTI, bytes("Windows\0Foo\0Debug\0\0")),
                (
                    "Windows",
                    EXPAND,
                    bytes("%SystemRoot%\\system32\\csrss.exe Windows=On\0"),
                ),
                ("Unused", SZ, bytes("x\0")),
                ("PosixSingleInstance", DWORD, vec![0; 4]),
            ],
        );
        let configuration = passed(world);
        assert_eq!(
            pairs(configuration.required()),
            [
                pair("Windows", "C:\\ReactOS\\system32\\csrss.exe Windows=On"),
                pair("Debug", "")
            ]
        );
        assert_eq!(
            pairs(configuration.optional()),
            [pair("Posix", "C:\\ReactOS\\system32\\psxss.exe")]
        );
        assert_eq!(
            pairs(configuration.subsystems()),
            [
                pair("Kmode", "C:\\ReactOS\\system32\\win32k.sys"),
                pair("Unused", "x")
            ]
        );
        assert!(configuration.posix_single_instance);
    });
}

#[test]
fn spec_2_3_required_is_debug_and_windows_if_absent() {
    on(move |world| {
        world.sm(
            "SubSystems",
            &[
                ("Windows", SZ, bytes("csrss\0")),
                ("Debug", SZ, bytes("\0")),
            ],
        );
        assert_eq!(
            pairs(passed(world).required()),
            [pair("Debug", ""), pair("Windows", "csrss")]
        );
    });
    on(move |world| {
        world.sm(
            "SubSystems",
            &[
                ("Windows", SZ, bytes("csrss\0")),
                ("Required", MULTI, bytes("\0")),
            ],
        );
        assert_eq!(pairs(passed(world).required()), []);
    });
}

#[test]
fn spec_2_3_kmode_stays_in_the_general_list_even_if_required() {
    on(move |world| {
        world.sm(
            "SubSystems",
            &[
                ("Kmode", SZ, bytes("k\0")),
                ("Required", MULTI, bytes("Kmode\0\0")),
            ],
        );
        let configuration = passed(world);
        assert_eq!(pairs(configuration.required()), [pair("Kmode", "k")]);
        assert_eq!(pairs(configuration.subsystems()), [pair("Kmode", "k")]);
    });
}
