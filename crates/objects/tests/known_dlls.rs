// SPDX-License-Identifier: GPL-2.0-or-later
//! Known DLLs over a namespace in memory: rows of spec 7 and 17.

#![allow(
    clippy::result_large_err,
    reason = "the error is the one of the crate under test"
)]

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use nt::failure::{Essential, Stop};
use nt::{Status, UnicodeStr};
use objects::{BadImage, Failure, KnownDlls, Protection};
use support::{Kind, World, wide};

const ON: Protection = Protection::from_mode(1);
const SYSTEM32: &str = "C:\\ReactOS\\System32";
const DLL: u16 = 0x2000;

/// A PE32+ file with one section, which holds its import table.
fn pe(characteristics: u16, imports: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0u8; 0x200];
    let put = |bytes: &mut Vec<u8>, at: usize, value: &[u8]| {
        bytes[at..at + value.len()].copy_from_slice(value)
    };
    put(&mut bytes, 0, b"MZ");
    put(&mut bytes, 0x3C, &[0x40]);
    put(&mut bytes, 0x40, b"PE\0\0\x64\x86\x01");
    put(&mut bytes, 0x54, &[0xF0]);
    put(&mut bytes, 0x56, &characteristics.to_le_bytes());
    put(&mut bytes, 0x58, &[0x0B, 2]);
    put(&mut bytes, 0x58 + 108, &[16]);
    put(&mut bytes, 0x58 + 121, &[0x10]);
    put(&mut bytes, 0x148 + 13, &[0x10]);
    put(&mut bytes, 0x148 + 17, &[6]);
    put(&mut bytes, 0x148 + 21, &[2]);
    put(&mut bytes, 0x148 + 39, &[0x40]);
    let mut table = vec![0; (imports.len() + 1) * 20];
    for (number, name) in imports.iter().enumerate() {
        let at = u32::try_from(0x1000 + table.len()).unwrap();
        table[number * 20 + 12..number * 20 + 16].copy_from_slice(&at.to_le_bytes());
        table.extend(name.bytes().chain([0]));
    }
    table.resize(0x600, 0);
    bytes.extend(table);
    bytes
}

struct Case<'a> {
    dlls: &'a [(&'a str, &'a str)],
    excluded: &'a [&'a str],
    files: &'a [(&'a str, Vec<u8>)],
}

impl Case<'_> {
    fn world(&self) -> &'static World {
        let world = World::new();
        for (name, data) in self.files {
            world.file(&format!("{SYSTEM32}\\{name}"), data);
        }
        world
    }

    fn make(&self, world: &World, directory: Option<&str>) -> Result<(), Failure> {
        let dlls: Vec<(Vec<u16>, Vec<u16>)> = self
            .dlls
            .iter()
            .map(|(name, file)| (wide(name), wide(file)))
            .collect();
        let excluded: Vec<Vec<u16>> = self.excluded.iter().map(|name| wide(name)).collect();
        let known_dlls = KnownDlls {
            system: world,
            protection: ON,
            dlls: dlls
                .iter()
                .map(|(name, file)| (UnicodeStr(name), UnicodeStr(file))),
            excluded: excluded.iter().map(|name| UnicodeStr(name)),
        };
        let directory = directory.map(wide);
        let made = known_dlls.make(directory.as_deref().map(UnicodeStr));
        assert_eq!(world.open_handles(), 0, "every handle is closed");
        made
    }

    fn run(&self) -> (&'static World, Result<(), Failure>) {
        let world = self.world();
        let made = self.make(world, Some(SYSTEM32));
        (world, made)
    }
}

fn bad(made: Result<(), Failure>) -> BadImage {
    match made {
        Err(Failure::BadImage(bad)) => bad,
        other => panic!("no bad image: {other:?}"),
    }
}

#[test]
fn spec_7_1_directory_link_and_sections() {
    let (world, made) = Case {
        dlls: &[("a", "A.dll")],
        excluded: &[],
        files: &[("a.dll", pe(DLL, &["ntdll.dll"]))],
    }
    .run();
    made.unwrap();
    assert_eq!(world.names("\\KnownDlls"), ["A.dll", "KnownDllPath"]);
    assert_eq!(
        world.link("\\KnownDlls\\KnownDllPath").as_deref(),
        Some(SYSTEM32),
        "a DOS path"
    );
    let state = world.state();
    let section = &state.objects["\\knowndlls\\a.dll"];
    assert_eq!(section.kind, Kind::Section);
    assert!(
        section.permanent
            && state.objects["\\knowndlls"].permanent
            && state.objects["\\knowndlls\\knowndllpath"].permanent
    );
    assert_eq!(section.security.as_deref(), Some(ON.liberal_defaulted()));
    assert_eq!(
        state.objects["\\knowndlls\\knowndllpath"]
            .security
            .as_deref(),
        Some(ON.primary_defaulted())
    );
}

#[test]
fn spec_7_2_imports_are_known_transitively_as_they_are_spelled() {
    let (world, made) = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: &[
            ("a.dll", pe(DLL, &["B.DLL", "NTDLL.dll", "missing.dll"])),
            ("b.dll", pe(DLL, &["c.x.dll", "A.dll"])),
            ("c.x.dll", pe(DLL, &[])),
            ("ntdll.dll", pe(DLL, &[])),
        ],
    }
    .run();
    made.unwrap();
    assert_eq!(
        world.names("\\KnownDlls"),
        ["a.dll", "B.DLL", "c.x.dll", "KnownDllPath"]
    );
}

#[test]
fn spec_17_a_missing_file_is_skipped() {
    let (world, made) = Case {
        dlls: &[("x", "x.dll"), ("a", "a.dll")],
        excluded: &[],
        files: &[("a.dll", pe(DLL, &[]))],
    }
    .run();
    made.unwrap();
    assert_eq!(world.names("\\KnownDlls"), ["a.dll", "KnownDllPath"]);
}

#[test]
fn spec_17_an_excluded_dll_is_left_out_by_name_or_by_file_even_if_imported() {
    for excluded in ["user32.dll", "USER32"] {
        let (world, made) = Case {
            dlls: &[("user32", "user32.dll"), ("a", "a.dll")],
            excluded: &[excluded],
            files: &[
                ("user32.dll", pe(DLL, &["b.dll"])),
                ("a.dll", pe(DLL, &["USER32.dll"])),
                ("b.dll", pe(DLL, &[])),
            ],
        }
        .run();
        made.unwrap();
        assert_eq!(
            world.names("\\KnownDlls"),
            ["a.dll", "KnownDllPath"],
            "{excluded}"
        );
    }
}

#[test]
fn spec_17_an_executable_in_the_list_stops_the_system() {
    let (_, made) = Case {
        dlls: &[("x", "x.exe")],
        excluded: &[],
        files: &[("x.exe", pe(0x0102, &[]))],
    }
    .run();
    let bad = bad(made);
    assert_eq!(
        bad.text.to_string(),
        "Non-DLL file included in KnownDLL list."
    );
    assert_eq!(bad.status, Status::INVALID_IMPORT_OF_NON_DLL);
    assert_eq!(bad.file.to_string(), "x.exe");
}

#[test]
fn spec_7_2_a_file_that_is_no_image_stops_the_system() {
    for data in [
        b"no image at all".to_vec(),
        vec![],
        pe(DLL, &["a.dll"])[..0x210].to_vec(),
    ] {
        let (_, made) = Case {
            dlls: &[("x", "x.dll")],
            excluded: &[],
            files: &[("x.dll", data)],
        }
        .run();
        let bad = bad(made);
        assert_eq!(bad.text.to_string(), "Verification of a KnownDLL failed.");
        assert_eq!(bad.status, Status::IMAGE_CHECKSUM_MISMATCH);
    }
}

#[test]
fn spec_7_2_an_image_that_the_kernel_will_not_map_is_left_out_and_its_imports_are_known() {
    let mut for_another_machine = pe(DLL, &["b.dll"]);
    for_another_machine[0x44..0x46].copy_from_slice(&[0x64, 0xAA]);
    let (world, made) = Case {
        dlls: &[("a", "a.dll"), ("empty", "")],
        excluded: &[],
        files: &[("a.dll", for_another_machine), ("b.dll", pe(DLL, &[]))],
    }
    .run();
    made.unwrap();
    assert_eq!(world.names("\\KnownDlls"), ["b.dll", "KnownDllPath"]);
}

#[test]
fn spec_7_2_an_image_that_the_kernel_will_not_map_must_be_a_dll_all_the_same() {
    let mut for_another_machine = pe(0x0102, &[]);
    for_another_machine[0x44..0x46].copy_from_slice(&[0x64, 0xAA]);
    let (_, made) = Case {
        dlls: &[("x", "x.exe")],
        excluded: &[],
        files: &[("x.exe", for_another_machine)],
    }
    .run();
    assert_eq!(bad(made).status, Status::INVALID_IMPORT_OF_NON_DLL);
}

#[test]
fn spec_17_no_dll_directory_stops_the_system_with_object_name_invalid() {
    let case = Case {
        dlls: &[],
        excluded: &[],
        files: &[],
    };
    let world = case.world();
    let Err(Failure::Stop(stop)) = case.make(world, None) else {
        panic!("it goes on")
    };
    assert_eq!(
        stop,
        Stop {
            step: Essential::KnownDlls,
            status: Status::OBJECT_NAME_INVALID
        }
    );
    assert!(
        world.state().objects.contains_key("\\knowndlls"),
        "the object directory is made first"
    );
    let Err(Failure::Stop(stop)) = case.make(world, Some("C:\\Nowhere")) else {
        panic!("it goes on")
    };
    assert_eq!(stop.status, Status::OBJECT_NAME_NOT_FOUND);
}

#[test]
fn d20_a_section_that_cannot_be_made_is_left_out_even_if_it_is_the_last() {
    let case = Case {
        dlls: &[("a", "a.dll"), ("b", "b.dll")],
        excluded: &[],
        files: &[
            ("a.dll", pe(DLL, &[])),
            ("b.dll", pe(DLL, &["c.dll"])),
            ("c.dll", pe(DLL, &[])),
        ],
    };
    let world = case.world();
    world
        .object("\\KnownDlls", Kind::Directory)
        .object("\\KnownDlls\\b.dll", Kind::Directory)
        .object("\\KnownDlls\\c.dll", Kind::Directory);
    case.make(world, Some(SYSTEM32)).unwrap();
    assert_eq!(
        world.names("\\KnownDlls"),
        ["a.dll", "b.dll", "c.dll", "KnownDllPath"]
    );
}

#[test]
fn spec_2_1_the_same_name_with_another_file_takes_its_place_until_it_was_walked() {
    // b.dll imports a DLL that the registry calls by the same name as another file.
    let files = [
        ("b.dll", pe(DLL, &["late.dll"])),
        ("late.dll", pe(DLL, &[])),
        ("other.dll", pe(DLL, &[])),
    ];
    let (world, made) = Case {
        dlls: &[("b", "b.dll"), ("late", "other.dll")],
        excluded: &[],
        files: &files,
    }
    .run();
    made.unwrap();
    assert_eq!(
        world.names("\\KnownDlls"),
        ["b.dll", "KnownDllPath", "late.dll"]
    );
    let (world, made) = Case {
        dlls: &[("late", "other.dll"), ("b", "b.dll")],
        excluded: &[],
        files: &files,
    }
    .run();
    made.unwrap();
    assert_eq!(
        world.names("\\KnownDlls"),
        ["b.dll", "KnownDllPath", "late.dll", "other.dll"]
    );
}

#[test]
fn d19_known_dlls_32_are_made_from_their_own_directory_and_stop_nothing() {
    let world = World::new();
    world
        .directory("C:\\ReactOS\\SysWOW64")
        .file("C:\\ReactOS\\SysWOW64\\a.dll", &pe(DLL, &["b.dll"]))
        .file("C:\\ReactOS\\SysWOW64\\b.dll", &pe(DLL, &[]));
    let (name, file) = (wide("a"), wide("a.dll"));
    let known_dlls = KnownDlls {
        system: world,
        protection: ON,
        dlls: std::iter::once((UnicodeStr(&name), UnicodeStr(&file))),
        excluded: std::iter::empty(),
    };
    known_dlls.make32(None);
    assert!(
        !world.state().objects.contains_key("\\knowndlls32"),
        "no value, no directory"
    );
    known_dlls.make32(Some(UnicodeStr(&wide("C:\\ReactOS\\SysWOW64"))));
    assert_eq!(
        world.names("\\KnownDlls32"),
        ["a.dll", "b.dll", "KnownDllPath"]
    );
    known_dlls.make32(Some(UnicodeStr(&wide("C:\\Nowhere"))));
    world.file("C:\\ReactOS\\SysWOW64\\a.dll", b"no image");
    known_dlls.make32(Some(UnicodeStr(&wide("C:\\ReactOS\\SysWOW64"))));
    assert_eq!(world.open_handles(), 0);
}

#[test]
fn a_known_dll_costs_no_more_calls_than_the_reference() {
    let dlls = [("a", "a.dll"), ("b", "b.dll")];
    let files = [("a.dll", pe(DLL, &[])), ("b.dll", pe(DLL, &[]))];
    let calls = |count: usize| {
        let (world, made) = Case {
            dlls: &dlls[..count],
            excluded: &[],
            files: &files,
        }
        .run();
        made.unwrap();
        world
            .state()
            .calls
            .iter()
            .filter(|call| **call != "allocate_pages")
            .count()
    };
    // open, section, view; and the three closes and unmaps that are not counted here.
    assert_eq!(calls(2) - calls(1), 3);
}

#[test]
fn every_failing_call_ends_in_a_stop_or_in_fewer_known_dlls_and_leaks_nothing() {
    let case = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: &[("a.dll", pe(DLL, &["b.dll"])), ("b.dll", pe(DLL, &[]))],
    };
    let (world, made) = case.run();
    made.unwrap();
    let calls = world.state().calls.len();
    for status in [
        Status::NO_MEMORY,
        Status::ACCESS_DENIED,
        Status::IO_DEVICE_ERROR,
    ] {
        for number in 0..calls {
            for persistent in [false, true] {
                let world = case.world();
                world.state().fault = Some((number, status, persistent));
                match case.make(world, Some(SYSTEM32)) {
                    Ok(()) => {}
                    Err(Failure::Stop(stop)) => assert_eq!(
                        stop,
                        Stop {
                            step: Essential::KnownDlls,
                            status
                        }
                    ),
                    Err(Failure::BadImage(bad)) => assert_eq!(bad.status, status),
                }
            }
        }
    }
}
