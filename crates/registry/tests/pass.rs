// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass over a key in memory: one test for each row of spec 2.1, 2.3, 5.1 and of the
//! vectors in 17.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use nt::failure::{Essential, Stop};
use nt::system::{Processes, ValueType};
use nt::{Status, UnicodeStr};
use registry::Configuration;
use support::{SM, World, bytes, wide};

const SZ: u32 = 1;
const EXPAND: u32 = 2;
const BINARY: u32 = 3;
const DWORD: u32 = 4;
const MULTI: u32 = 7;

/// Object directories made during the pass, with the protection mode.
type Directories = Vec<(u32, String)>;

fn read(world: &'static World) -> Result<(Configuration<'static, World>, Directories), Stop> {
    let mut directories = Vec::new();
    let configuration =
        registry::read(world, world.own_environment(), false, &mut |mode, name| {
            directories.push((mode, name.to_string()))
        })?;
    Ok((configuration, directories))
}

fn passed(world: &'static World) -> Configuration<'static, World> {
    let (configuration, _) = read(world).unwrap();
    assert_eq!(world.open_handles(), 0, "every handle is closed");
    configuration
}

fn texts<'a>(list: impl Iterator<Item = UnicodeStr<'a>>) -> Vec<String> {
    list.map(|text| text.to_string()).collect()
}

fn pairs<'a>(
    list: impl Iterator<Item = (UnicodeStr<'a>, UnicodeStr<'a>)>,
) -> Vec<(String, String)> {
    list.map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_string(), value.to_string())
}

fn variable(configuration: &Configuration<'_, World>, name: &str) -> Option<String> {
    configuration
        .environment
        .get(UnicodeStr(&wide(name)))
        .map(|value| value.to_string())
}

#[test]
fn spec_2_1_the_default_value_of_a_subkey_is_no_entry_of_it() {
    let world = World::new();
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
}

#[test]
fn spec_3_2_a_device_name_of_several_components_is_passed_over() {
    let world = World::new();
    world
        .key(
            &format!("{SM}\\DOS Devices"),
            &[("A\\B", SZ, bytes("\\x\0")), ("C", SZ, bytes("\\y\0"))],
        )
        .key(&format!("{SM}\\KnownDlls"), &[])
        .key(&format!("{SM}\\SubSystems"), &[]);
    assert_eq!(pairs(passed(world).dos_devices()), [pair("C", "\\y")]);
}

#[test]
fn spec_2_3_defaults_of_an_empty_key() {
    let (configuration, directories) = read(World::new()).unwrap();
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
}

#[test]
fn spec_2_3_protection_mode_and_its_lengths() {
    for (kind, data, mode) in [
        (DWORD, vec![0, 0, 0, 0], 0),
        (DWORD, vec![3, 0, 0, 0], 3),
        (DWORD, vec![0, 0], 1),
        (DWORD, vec![], 1),
        (SZ, bytes("0\0"), 1),
    ] {
        let world = World::new();
        world.sm("", &[("ProtectionMode", kind, data.clone())]);
        let (configuration, directories) = read(world).unwrap();
        assert_eq!(configuration.protection_mode, mode, "{kind} {data:?}");
        assert!(
            directories.iter().all(|(seen, _)| *seen == mode),
            "directories are made with the mode just read"
        );
    }
}

#[test]
fn spec_2_3_object_directories_are_made_during_the_pass() {
    let world = World::new();
    world.sm(
        "",
        &[("ObjectDirectories", MULTI, bytes("\\Foo\0\\Bar\0\0"))],
    );
    assert_eq!(
        read(world).unwrap().1,
        [(1, "\\Foo".into()), (1, "\\Bar".into())]
    );
    let world = World::new();
    world.sm("", &[("ObjectDirectories", BINARY, vec![1, 2])]);
    assert_eq!(read(world).unwrap().1, []);
}

#[test]
fn spec_17_boot_execute_of_one_empty_string_is_one_empty_command() {
    let world = World::new();
    world.sm("", &[("BootExecute", MULTI, bytes("\0\0"))]);
    assert_eq!(texts(passed(world).boot_execute()), [""]);
}

#[test]
fn spec_2_1_an_empty_multi_string_is_no_default() {
    for data in [bytes(""), bytes("\0")] {
        let world = World::new();
        world.sm("", &[("BootExecute", MULTI, data)]);
        assert_eq!(texts(passed(world).boot_execute()), [""; 0]);
    }
}

#[test]
fn spec_17_boot_execute_twice_in_other_case_is_one_run() {
    let world = World::new();
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
}

#[test]
fn spec_2_1_a_command_list_may_be_one_string_and_is_expanded_before_environment_is_applied() {
    let world = World::new();
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
}

#[test]
fn spec_2_3_execute_is_expanded_with_the_environment() {
    let world = World::new();
    world.sm("", &[("Execute", EXPAND, bytes("%Later%.exe\0"))]);
    world.sm("Environment", &[("Later", SZ, bytes("x\0"))]);
    assert_eq!(texts(passed(world).execute()), ["x.exe"]);
}

#[test]
fn spec_2_3_one_shot_values_are_deleted() {
    let world = World::new();
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
    for name in [
        "AllowProtectedRenames",
        "PendingFileRenameOperations",
        "PendingFileRenameOperations2",
    ] {
        assert_eq!(world.value(SM, name), None, "{name}");
    }
    assert!(world.value(SM, "BootExecute").is_some());
}

#[test]
fn spec_17_pending_renames_of_type_reg_sz_are_one_source() {
    let world = World::new();
    world.sm(
        "",
        &[("PendingFileRenameOperations", SZ, bytes("\\??\\C:\\a\0"))],
    );
    let configuration = passed(world);
    assert_eq!(
        texts(configuration.renames[0].as_ref().unwrap().strings()),
        ["\\??\\C:\\a"]
    );
}

#[test]
fn pending_renames_of_10_megabytes_and_20000_entries_are_read_whole_without_a_second_copy() {
    let world = World::new();
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
        let world = World::new();
        world.sm("", &[("ExcludeFromKnownDlls", kind, data)]);
        assert_eq!(texts(passed(world).excluded_dlls()), names);
    }
}

#[test]
fn spec_2_3_paging_files_may_be_one_string_and_duplicates_are_dropped() {
    let world = World::new();
    world.sm("Memory Management", &[("PagingFiles", SZ, bytes("\0"))]);
    assert_eq!(texts(passed(world).paging_files()), [""]);
    let world = World::new();
    world.sm(
        "Memory Management",
        &[(
            "PagingFiles",
            MULTI,
            bytes("C:\\p 1 2\0c:\\P 1 2\0D:\\p\0\0"),
        )],
    );
    assert_eq!(texts(passed(world).paging_files()), ["C:\\p 1 2", "D:\\p"]);
}

#[test]
fn spec_3_2_dos_devices_are_expanded_before_environment_is_applied() {
    let world = World::new();
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
}

#[test]
fn spec_2_3_known_dlls_and_both_directories() {
    let world = World::new();
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
}

#[test]
fn spec_17_environment_forward_reference_is_resolved_in_the_second_pass() {
    let world = World::new();
    world.sm(
        "Environment",
        &[("A", EXPAND, bytes("%B%\0")), ("B", SZ, bytes("x\0"))],
    );
    assert_eq!(variable(&passed(world), "A").as_deref(), Some("x"));
}

#[test]
fn spec_17_environment_self_reference_is_appended_twice() {
    let world = World::new();
    world.sm("Environment", &[("P2", EXPAND, bytes("%P2%;y\0"))]);
    assert_eq!(variable(&passed(world), "P2").as_deref(), Some("%P2%;y;y"));
}

#[test]
fn spec_5_1_path_of_the_second_pass_is_the_library_path() {
    let world = World::new();
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
}

#[test]
fn spec_5_1_reg_sz_is_never_expanded_and_the_kernels_variables_stay() {
    let world = World::new();
    world.sm("Environment", &[("Z", SZ, bytes("%SystemRoot%\0"))]);
    let configuration = passed(world);
    let block = String::from_utf16(configuration.environment.block()).unwrap();
    assert_eq!(
        block,
        "Path=C:\\ReactOS\\System32\0SystemDrive=C:\0SystemRoot=C:\\ReactOS\0Z=%SystemRoot%\0\0"
    );
}

#[test]
fn spec_5_1_variables_are_sorted_without_regard_to_case() {
    let world = World::new();
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
}

#[test]
fn spec_5_1_a_variable_name_that_cannot_be_set_is_fatal() {
    for name in ["a=b", "=="] {
        let world = World::new();
        world.sm("Environment", &[(name, SZ, bytes("x\0"))]);
        assert_eq!(
            read(world).err(),
            Some(Stop {
                step: Essential::RegistryPass,
                status: Status::INVALID_PARAMETER
            })
        );
        assert_eq!(world.open_handles(), 0);
    }
}

#[test]
fn environment_is_enumerated_once() {
    let world = World::new();
    world.sm(
        "Environment",
        &[
            ("A", EXPAND, bytes("%B%\0")),
            ("B", SZ, bytes("x\0")),
            ("C", SZ, bytes("y\0")),
        ],
    );
    passed(world);
    let enumerations = world
        .state()
        .calls
        .iter()
        .filter(|call| **call == "enumerate_value")
        .count();
    // Three values and the end; the ends of the three other keys.
    assert_eq!(enumerations, 4 + 3);
}

#[test]
fn memory_is_asked_for_a_few_times_whatever_there_is_to_expand() {
    let world = World::new();
    let values: Vec<(String, Vec<u8>)> = (0..60)
        .map(|number| (format!("N{number}"), bytes("%SystemRoot%\\x\0")))
        .collect();
    let values: Vec<(&str, u32, Vec<u8>)> = values
        .iter()
        .map(|(name, data)| (&**name, EXPAND, data.clone()))
        .collect();
    world.sm("Environment", &values);
    passed(world);
    let allocations = world
        .state()
        .calls
        .iter()
        .filter(|call| **call == "allocate_pages")
        .count();
    assert!(allocations <= 6, "{allocations}");
}

#[test]
fn spec_17_required_moves_in_the_order_written_and_unknown_names_are_skipped() {
    let world = World::new();
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
}

#[test]
fn spec_2_3_required_is_debug_and_windows_if_absent() {
    let world = World::new();
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
    let world = World::new();
    world.sm(
        "SubSystems",
        &[
            ("Windows", SZ, bytes("csrss\0")),
            ("Required", MULTI, bytes("\0")),
        ],
    );
    assert_eq!(pairs(passed(world).required()), []);
}

#[test]
fn spec_2_3_kmode_stays_in_the_general_list_even_if_required() {
    let world = World::new();
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
}

#[test]
fn d28_missing_subkeys_are_tolerated_but_for_two() {
    for subkey in ["Memory Management", "DOS Devices", "Environment"] {
        let world = World::new();
        world.forget_key(&format!("{SM}\\{subkey}"));
        assert_eq!(
            texts(passed(world).paging_files()),
            ["?:\\pagefile.sys"],
            "{subkey}"
        );
    }
    for subkey in ["KnownDlls", "SubSystems"] {
        let world = World::new();
        world.forget_key(&format!("{SM}\\{subkey}"));
        assert_eq!(
            read(world).err(),
            Some(Stop {
                step: Essential::RegistryPass,
                status: Status::OBJECT_NAME_NOT_FOUND
            }),
            "{subkey}"
        );
    }
    let world = World::new();
    world.forget_key(SM);
    assert!(read(world).is_err());
}

#[test]
fn spec_11_5_session_values_are_read_only_if_asked_for() {
    let world = World::new();
    world.sm(
        "",
        &[
            ("NumberOfInitialSessions", DWORD, vec![2, 0, 0, 0]),
            ("S0InitialCommand", EXPAND, bytes("%SystemRoot%\\w.exe\0")),
        ],
    );
    assert_eq!(passed(world).initial_sessions, None);
    let own = world.own_environment();
    let configuration = registry::read(world, own, true, &mut |_, _| {}).unwrap();
    assert_eq!(configuration.initial_sessions, Some(2));
    assert_eq!(
        configuration.session_zero_command().unwrap().to_string(),
        "C:\\ReactOS\\w.exe"
    );
}

#[test]
fn values_and_names_larger_than_a_page_are_read() {
    let world = World::new();
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
}

#[test]
fn boot_options_are_probed_and_forgotten() {
    let world = World::new();
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
    assert_eq!(world.open_handles(), 0);
}

#[test]
fn every_failing_call_stops_the_pass_or_is_reported_and_leaks_nothing() {
    let prepare = || {
        let world = World::new();
        world.sm(
            "",
            &[
                (
                    "PendingFileRenameOperations",
                    MULTI,
                    bytes("\\??\\C:\\a\0\0\0"),
                ),
                ("BootExecute", MULTI, bytes("x\0\0")),
            ],
        );
        world.sm(
            "Environment",
            &[("A", EXPAND, bytes("%B%\0")), ("B", SZ, bytes("x\0"))],
        );
        world.sm("SubSystems", &[("Windows", SZ, bytes("w\0"))]);
        world
    };
    let calls = {
        let world = prepare();
        passed(world);
        world.state().calls.len()
    };
    for status in [
        Status::NO_MEMORY,
        Status::ACCESS_DENIED,
        Status::IO_DEVICE_ERROR,
    ] {
        for number in 0..calls {
            for persistent in [false, true] {
                let world = prepare();
                world.state().fault = Some((number, status, persistent));
                let own = world.own_environment();
                let read = registry::read(world, own, false, &mut |_, _| {});
                if let Err(stop) = &read {
                    assert_eq!(
                        *stop,
                        Stop {
                            step: Essential::RegistryPass,
                            status
                        },
                        "call {number}"
                    );
                    let kept = world.value(SM, "PendingFileRenameOperations").is_some();
                    assert!(
                        kept || world.state().calls[..number].contains(&"delete_value"),
                        "no operation is lost: call {number}"
                    );
                }
                assert_eq!(world.open_handles(), 0, "call {number}");
            }
        }
    }
}

#[test]
fn the_types_are_an_open_set() {
    for kind in [0, 5, 6, 8, 11, 0xFFFF_0000] {
        let world = World::new();
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
    }
}
