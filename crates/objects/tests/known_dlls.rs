// SPDX-License-Identifier: GPL-2.0-or-later
//! Known DLLs, with images of a test and calls that are refused: rows of spec 7 and 17.

use executive::dump::Snapshot;
use formats::pe::build::ImageFile;
use nt::failure::{Essential, Stop};
use nt::path::MAX_DOS;
use nt::system::ImageSubsystem;
use nt::{Status, UnicodeBuf, UnicodeStr};
use objects::{BadImage, Failure, KnownDlls, Protection};
use test_support::host::{Watched, below, object, watched, wide, world};

const ON: Protection = Protection::from_mode(1);
const SYSTEM32: &str = "C:\\ReactOS\\System32";

type Names = &'static [&'static str];
type Made = Result<(), Failure>;

/// An image file that imports from others.
fn image(dll: bool, imports: &[&str]) -> Vec<u8> {
    let imports: Vec<_> = imports.iter().map(|&dll| (dll, "Function")).collect();
    let file = ImageFile {
        dll,
        subsystem: ImageSubsystem::NATIVE,
        imports: &imports,
        exports: &["Function"],
        ..ImageFile::default()
    };
    file.bytes()
}

fn dll(imports: &[&str]) -> Vec<u8> {
    image(true, imports)
}

/// The same for a machine that no kernel of this project maps images of.
fn foreign(mut image: Vec<u8>) -> Vec<u8> {
    let header = usize::from(image[0x3C]);
    image[header + 4..header + 6].copy_from_slice(&0xAA64_u16.to_le_bytes());
    image
}

/// What is among the known DLLs, what is excluded from them, and what there is.
#[derive(Clone)]
struct Case {
    dlls: &'static [(&'static str, &'static str)],
    excluded: Names,
    files: Vec<(&'static str, Vec<u8>)>,
}

/// The result, and what there is afterwards.
struct Done<T> {
    result: T,
    snapshot: Snapshot,
}

impl<T> Done<T> {
    fn known(&self) -> Vec<String> {
        below(&self.snapshot, "\\KnownDlls")
    }
}

impl Case {
    /// Lets the Session Manager do its act where the files are.
    fn on<T: Send + 'static>(
        &self,
        act: impl FnOnce(&'static Watched, &Self) -> T + Send + 'static,
    ) -> Done<T> {
        let mut world = world();
        for (name, data) in &self.files {
            world.file(&format!("\\ReactOS\\System32\\{name}"), data);
        }
        let case = self.clone();
        let (result, snapshot) = watched(&mut world, move |world| act(world, &case));
        Done { result, snapshot }
    }

    fn make(&self, world: &'static Watched, directory: Option<&str>) -> Made {
        self.make_at(world, directory, &mut UnicodeBuf::new())
    }

    /// Makes them known, and says at which file.
    fn make_at(
        &self,
        world: &'static Watched,
        directory: Option<&str>,
        file: &mut UnicodeBuf<MAX_DOS>,
    ) -> Made {
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
            is_excluded: |name: UnicodeStr<'_>| {
                let mut excluded = excluded.iter();
                excluded.any(|excluded| UnicodeStr(excluded).eq_ignore_case(name))
            },
        };
        let directory = directory.map(wide);
        known_dlls.make(directory.as_deref().map(UnicodeStr), file)
    }

    /// What is known in the end.
    fn known(&self) -> Vec<String> {
        let done = self.run();
        done.result.as_ref().unwrap();
        done.known()
    }

    fn run(&self) -> Done<Made> {
        self.on(|world, case| case.make(world, Some(SYSTEM32)))
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
    let case = Case {
        dlls: &[("a", "A.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&["ntdll.dll"]))],
    };
    let done = case.on(|world, case| {
        case.make(world, Some(SYSTEM32)).unwrap();
        world.calls()
    });
    assert_eq!(done.known(), ["A.dll", "KnownDllPath"]);
    let object = |name| object(&done.snapshot, name).unwrap();
    let link = object("\\KnownDlls\\KnownDllPath");
    assert_eq!(link.target.as_deref(), Some(SYSTEM32), "a DOS path");
    let section = object("\\KnownDlls\\A.dll");
    assert_eq!(section.kind, "Section");
    assert!(section.permanent && link.permanent && object("\\KnownDlls").permanent);
    // What the kernel makes of the descriptors is the matter of other tests.
    let handed = |name: &str| {
        let call = done.result.iter().find(|call| call.name == name).unwrap();
        call.security.clone()
    };
    assert_eq!(
        handed("create_image_section").as_deref(),
        Some(ON.liberal_defaulted())
    );
    assert_eq!(
        handed("create_symbolic_link").as_deref(),
        Some(ON.primary_defaulted())
    );
}

#[test]
fn spec_7_1_objects_that_are_there_are_opened() {
    let case = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&[]))],
    };
    let twice = case.on(|world, case| {
        let make = || case.make(world, Some(SYSTEM32)).is_ok();
        (make(), make())
    });
    assert_eq!(twice.result, (true, true));
    assert_eq!(twice.known(), ["a.dll", "KnownDllPath"]);
}

#[test]
fn spec_7_2_a_directory_in_which_others_write_is_read_all_the_same() {
    let case = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&[]))],
    };
    let done = case.on(|world, case| {
        let _open = world.shared(SYSTEM32);
        case.make(world, Some(SYSTEM32))
    });
    assert!(done.result.is_ok());
    assert_eq!(done.known(), ["a.dll", "KnownDllPath"]);
}

#[test]
fn spec_7_2_imports_are_known_transitively_as_they_are_spelled() {
    let known = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: vec![
            ("a.dll", dll(&["B.DLL", "NTDLL.dll", "missing.dll"])),
            ("b.dll", dll(&["c.x.dll", "A.dll"])),
            ("c.x.dll", dll(&[])),
        ],
    }
    .known();
    assert_eq!(known, ["a.dll", "B.DLL", "c.x.dll", "KnownDllPath"]);
}

#[test]
fn spec_17_a_missing_file_is_skipped() {
    let known = Case {
        dlls: &[("x", "x.dll"), ("a", "a.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&[]))],
    }
    .known();
    assert_eq!(known, ["a.dll", "KnownDllPath"]);
}

#[test]
fn spec_17_an_excluded_dll_is_left_out_by_name_or_by_file_even_if_imported() {
    for excluded in [&["user32.dll"], &["USER32"]] {
        let known = Case {
            dlls: &[("user32", "user32.dll"), ("a", "a.dll")],
            excluded,
            files: vec![
                ("user32.dll", dll(&["b.dll"])),
                ("a.dll", dll(&["USER32.dll"])),
                ("b.dll", dll(&[])),
            ],
        }
        .known();
        assert_eq!(known, ["a.dll", "KnownDllPath"], "{excluded:?}");
    }
}

#[test]
fn spec_17_an_executable_in_the_list_stops_the_system() {
    let case = Case {
        dlls: &[("x", "x.exe")],
        excluded: &[],
        files: vec![("x.exe", image(false, &[]))],
    };
    let done = case.on(|world, case| {
        let mut file = UnicodeBuf::new();
        (case.make_at(world, Some(SYSTEM32), &mut file), file)
    });
    let (made, file) = done.result;
    let bad = bad(made);
    assert_eq!(
        bad.text.to_string(),
        "Non-DLL file included in KnownDLL list."
    );
    assert_eq!(bad.status, Status::INVALID_IMPORT_OF_NON_DLL);
    assert_eq!(file.to_string(), "x.exe");
}

#[test]
fn spec_7_2_a_file_that_is_no_image_stops_the_system() {
    for data in [
        b"no image at all".to_vec(),
        vec![],
        dll(&["a.dll"])[..0x410].to_vec(),
    ] {
        let made = Case {
            dlls: &[("x", "x.dll")],
            excluded: &[],
            files: vec![("x.dll", data)],
        }
        .run()
        .result;
        let bad = bad(made);
        assert_eq!(bad.text.to_string(), "Verification of a KnownDLL failed.");
        assert_eq!(bad.status, Status::IMAGE_CHECKSUM_MISMATCH);
    }
}

#[test]
fn spec_7_2_an_image_that_the_kernel_will_not_map_is_left_out_and_its_imports_are_known() {
    let for_another_machine = foreign(dll(&["b.dll"]));
    let known = Case {
        dlls: &[("a", "a.dll"), ("empty", "")],
        excluded: &[],
        files: vec![("a.dll", for_another_machine), ("b.dll", dll(&[]))],
    }
    .known();
    assert_eq!(known, ["b.dll", "KnownDllPath"]);
}

#[test]
fn spec_7_2_a_section_that_fails_for_want_of_memory_is_left_out_and_its_file_is_not_read() {
    let case = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&["b.dll"])), ("b.dll", dll(&[]))],
    };
    let calls = case.on(|world, case| {
        case.make(world, Some(SYSTEM32)).unwrap();
        world.calls()
    });
    let mut calls = calls.result.iter();
    let first = calls.position(|call| call.name == "create_image_section");
    let done = case.on(move |world, case| {
        world.refuse(first.unwrap(), Status::NO_MEMORY, false);
        case.make(world, Some(SYSTEM32)).unwrap();
        world.count("read_file")
    });
    assert_eq!(done.result, 0);
    assert_eq!(done.known(), ["KnownDllPath"]);
}

#[test]
fn spec_7_2_an_image_that_the_kernel_will_not_map_must_be_a_dll_all_the_same() {
    let for_another_machine = foreign(image(false, &[]));
    let made = Case {
        dlls: &[("x", "x.exe")],
        excluded: &[],
        files: vec![("x.exe", for_another_machine)],
    }
    .run()
    .result;
    assert_eq!(bad(made).status, Status::INVALID_IMPORT_OF_NON_DLL);
}

#[test]
fn spec_17_no_dll_directory_stops_the_system_with_object_name_invalid() {
    let case = Case {
        dlls: &[],
        excluded: &[],
        files: vec![],
    };
    let stop = |status| Stop {
        step: Essential::KnownDlls,
        status,
    };
    let done = case.on(|world, case| {
        let failed = |directory| match case.make(world, directory) {
            Err(Failure::Stop(stop)) => stop,
            other => panic!("it goes on: {other:?}"),
        };
        (failed(None), failed(Some("C:\\Nowhere")))
    });
    assert_eq!(done.result.0, stop(Status::OBJECT_NAME_INVALID));
    assert_eq!(done.result.1, stop(Status::OBJECT_NAME_NOT_FOUND));
    assert!(
        object(&done.snapshot, "\\KnownDlls").is_some(),
        "the object directory is made first"
    );
}

#[test]
fn d20_a_section_that_cannot_be_made_is_left_out_even_if_it_is_the_last() {
    let case = Case {
        dlls: &[("a", "a.dll"), ("b", "b.dll")],
        excluded: &[],
        files: vec![
            ("a.dll", dll(&[])),
            ("b.dll", dll(&["c.dll"])),
            ("c.dll", dll(&[])),
        ],
    };
    let done = case.on(|world, case| {
        for name in ["\\KnownDlls", "\\KnownDlls\\b.dll", "\\KnownDlls\\c.dll"] {
            objects::object_directory(world.below(), ON, UnicodeStr(&wide(name)));
        }
        case.make(world, Some(SYSTEM32)).unwrap();
    });
    assert_eq!(done.known(), ["a.dll", "b.dll", "c.dll", "KnownDllPath"]);
}

#[test]
fn spec_2_1_the_same_name_with_another_file_takes_its_place_until_it_was_walked() {
    // b.dll imports a DLL that the registry calls by the same name as another file.
    let files = [
        ("b.dll", dll(&["late.dll"])),
        ("late.dll", dll(&[])),
        ("other.dll", dll(&[])),
    ];
    let known = Case {
        dlls: &[("b", "b.dll"), ("late", "other.dll")],
        excluded: &[],
        files: files.to_vec(),
    }
    .known();
    assert_eq!(known, ["b.dll", "KnownDllPath", "late.dll"]);
    let known = Case {
        dlls: &[("late", "other.dll"), ("b", "b.dll")],
        excluded: &[],
        files: files.to_vec(),
    }
    .known();
    assert_eq!(known, ["b.dll", "KnownDllPath", "late.dll", "other.dll"]);
}

#[test]
fn d19_known_dlls_32_are_made_from_their_own_directory_and_stop_nothing() {
    let (name, file, directory) = (wide("a"), wide("a.dll"), wide("C:\\ReactOS\\SysWOW64"));
    let make = move |world: &'static Watched, directory: Option<UnicodeStr<'_>>| {
        let known_dlls = KnownDlls {
            system: world,
            protection: ON,
            dlls: std::iter::once((UnicodeStr(&name), UnicodeStr(&file))),
            is_excluded: |_: UnicodeStr<'_>| false,
        };
        known_dlls.make32(directory, &mut UnicodeBuf::new());
    };
    let mut world = world();
    world
        .file("\\ReactOS\\SysWOW64\\a.dll", &dll(&["b.dll"]))
        .file("\\ReactOS\\SysWOW64\\b.dll", &dll(&[]))
        .file("\\Broken\\a.dll", b"no image");
    let (calls, snapshot) = watched(&mut world, move |world| {
        make(world, None);
        let calls = world.calls().len();
        make(world, Some(UnicodeStr(&directory)));
        make(world, Some(UnicodeStr(&wide("C:\\Nowhere"))));
        make(world, Some(UnicodeStr(&wide("C:\\Broken"))));
        calls
    });
    assert_eq!(calls, 0, "no value, no directory");
    assert_eq!(
        below(&snapshot, "\\KnownDlls32"),
        ["a.dll", "b.dll", "KnownDllPath"]
    );
}

#[test]
fn a_known_dll_costs_no_more_calls_than_the_reference() {
    const DLLS: &[(&str, &str)] = &[("a", "a.dll"), ("b", "b.dll")];
    let files = [("a.dll", dll(&[])), ("b.dll", dll(&[]))];
    let calls = |count: usize| {
        let case = Case {
            dlls: &DLLS[..count],
            excluded: &[],
            files: files.to_vec(),
        };
        let made = case.on(|world, case| {
            case.make(world, Some(SYSTEM32)).unwrap();
            world.calls().len() - world.count("allocate_pages")
        });
        made.result
    };
    // open, section, view; and the three closes and unmaps that are not counted here.
    assert_eq!(calls(2) - calls(1), 3);
}

#[test]
fn every_failing_call_ends_in_a_stop_or_in_fewer_known_dlls_and_leaks_nothing() {
    let case = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&["b.dll"])), ("b.dll", dll(&[]))],
    };
    let calls = case.on(|world, case| {
        case.make(world, Some(SYSTEM32)).unwrap();
        world.calls().len()
    });
    for (number, persistent) in (0..calls.result).flat_map(|n| [(n, false), (n, true)]) {
        let status = Status::IO_DEVICE_ERROR;
        let done = case.on(move |world, case| {
            world.refuse(number, status, persistent);
            case.make(world, Some(SYSTEM32))
        });
        match done.result {
            Ok(()) => {}
            Err(Failure::Stop(stop)) => {
                let step = Essential::KnownDlls;
                assert_eq!(stop, Stop { step, status });
            }
            Err(Failure::BadImage(bad)) => assert_eq!(bad.status, status),
        }
    }
}

/// The ACEs of a self-relative descriptor: flags, mask, and the SID's last sub-authority.
fn aces(security: &[u8]) -> Vec<(u8, u32, u32)> {
    let at = |at: usize| u32::from_le_bytes(security[at..at + 4].try_into().unwrap());
    let acl = at(16) as usize;
    if acl == 0 {
        return Vec::new();
    }
    let count = usize::from(u16::from_le_bytes(
        security[acl + 4..acl + 6].try_into().unwrap(),
    ));
    let mut aces = Vec::new();
    let mut next = acl + 8;
    for _ in 0..count {
        let size = usize::from(u16::from_le_bytes(
            security[next + 2..next + 4].try_into().unwrap(),
        ));
        aces.push((security[next + 1], at(next + 4), at(next + size - 4)));
        next += size;
    }
    aces
}

#[test]
fn spec_2_2_the_world_ends_up_with_map_write_on_a_known_dll() {
    const WORLD: u32 = 0;
    const INHERIT_ONLY: u8 = 8;
    let case = Case {
        dlls: &[("a", "a.dll")],
        excluded: &[],
        files: vec![("a.dll", dll(&[]))],
    };
    let snapshot = case.run().snapshot;
    let section = object(&snapshot, "\\KnownDlls\\a.dll").unwrap();
    let aces = aces(section.security.as_deref().unwrap());
    let mask = aces
        .iter()
        .find(|(flags, _, sid)| flags & INHERIT_ONLY == 0 && *sid == WORLD)
        .map(|(_, mask, _)| *mask)
        .unwrap();
    // SECTION_MAP_WRITE 2, SECTION_MAP_READ 4, SECTION_MAP_EXECUTE 8.
    assert_eq!(mask & 0xE, 0xE, "{mask:#x}");
}
