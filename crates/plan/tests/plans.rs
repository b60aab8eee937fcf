// SPDX-License-Identifier: GPL-2.0-or-later
//! Plans of hives, files and volumes: what a boot would do with them, which value asks for it, and
//! what is assumed to be there. What the command line makes of them is tested in `xtask`.

use executive::Version;
use executive::ex::hard_errors::BugCheck;
use executive::host::{RunEnd, VolumeImage, World};
use executive::machine::Architecture;
use formats::hive::Hive;
use formats::pe::build::ImageFile;
use formats::utf16_bytes;
use nt::system::{ImageSubsystem, ShutdownAction, ValueType};
use plan::{Assumed, Ground, Plan, SYSTEM_PATH, Verb, stopped};
use serde_json::json;
use std::collections::BTreeMap;

/// Values of the Session Manager's keys: key, name, strings.
type Lists<'l> = &'l [(&'l str, &'l str, &'l [&'l str])];

/// The default hive with these lists.
fn system(lists: Lists<'_>) -> Hive {
    let mut world = World::with_volume(Version::V5_2, 10);
    for (key, name, strings) in lists {
        let data: Vec<u8> = strings
            .iter()
            .flat_map(|string| string.encode_utf16().chain([0]))
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        world.set_value(key, name, ValueType::MULTI_SZ.0, &data);
    }
    world.hive("SYSTEM").clone()
}

fn ground(lists: Lists<'_>) -> Ground {
    Ground {
        architecture: Architecture::Amd64,
        version: Version::V5_2,
        root: SYSTEM_PATH.to_owned(),
        hives: vec![("SYSTEM", system(lists))],
        volume: None,
        files: BTreeMap::new(),
        strict: false,
    }
}

/// The same, where nothing may be assumed.
fn strict(lists: Lists<'_>) -> Ground {
    Ground {
        strict: true,
        ..ground(lists)
    }
}

fn planned(ground: &Ground) -> Plan {
    Plan::of(ground).unwrap()
}

/// Whether the plan has this, because of that value.
fn has(plan: &Plan, verb: Verb, object: &str, source: Option<&str>) -> bool {
    plan.acts
        .iter()
        .any(|act| act.verb == verb && act.object.contains(object) && act.source == source)
}

#[track_caller]
fn shows(plan: &Plan, verb: Verb, object: &str, source: Option<&str>) {
    assert!(
        has(plan, verb, object, source),
        "no {verb:?} {object} from {source:?} in {:#?}",
        plan.acts
    );
}

/// Something in every list that is not on the volume of a plan.
const BUSY: Lists<'static> = &[
    ("", "ObjectDirectories", &["\\Windows", "\\Third"]),
    ("", "BootExecute", &["check check.exe /f"]),
    ("", "Execute", &["shell.exe"]),
    (
        "",
        "PendingFileRenameOperations",
        &[
            "\\??\\C:\\new.txt",
            "!\\??\\C:\\old.txt",
            "\\??\\C:\\App\\x",
            "",
            "\\??\\C:\\App",
            "",
        ],
    ),
    ("Memory Management", "PagingFiles", &["C:\\page.sys 20 30"]),
];

#[test]
fn a_plan_tells_what_each_list_leads_to_with_the_value_that_asks_for_it() {
    let plan = planned(&ground(BUSY));
    assert_eq!(plan.boot.outcome, RunEnd::Settled);
    let renames = Some("PendingFileRenameOperations");
    shows(
        &plan,
        Verb::Create,
        "directory \\Third",
        Some("ObjectDirectories"),
    );
    shows(&plan, Verb::Create, "link ", Some("DOS Devices"));
    shows(&plan, Verb::Create, "section ", Some("KnownDLLs"));
    shows(&plan, Verb::Create, "port \\SmApiPort", None);
    shows(&plan, Verb::Create, "event ", None);
    shows(
        &plan,
        Verb::Run,
        "check.exe (check check.exe /f)",
        Some("BootExecute"),
    );
    shows(&plan, Verb::Rename, "new.txt to ", renames);
    shows(&plan, Verb::Delete, "\\??\\C:\\App\\x", renames);
    let value = "registry value PendingFileRenameOperations";
    shows(&plan, Verb::Delete, value, None);
    let pages = Some("Memory Management\\PagingFiles");
    shows(&plan, Verb::Page, "page.sys", pages);
    shows(&plan, Verb::Set, "Environment\\", None);
    shows(&plan, Verb::Load, "win32k.sys", Some("SubSystems\\Kmode"));
    shows(&plan, Verb::Run, "csrss.exe", Some("SubSystems"));
    shows(&plan, Verb::Run, "shell.exe", Some("Execute"));
}

#[test]
fn what_a_hive_names_and_no_volume_has_is_assumed_as_what_it_is_used_for() {
    let plan = planned(&ground(BUSY));
    let assumed = |path: &str| plan.assumptions.files.get(path).copied();
    assert_eq!(
        assumed("\\ReactOS\\System32\\check.exe"),
        Some(Assumed::Tool)
    );
    assert_eq!(
        assumed("\\ReactOS\\System32\\shell.exe"),
        Some(Assumed::Server)
    );
    assert_eq!(assumed("\\new.txt"), Some(Assumed::File));
    assert_eq!(assumed("\\App"), Some(Assumed::File), "a folder");
    let libraries = plan.assumptions.files.values();
    let libraries = libraries.filter(|kind| **kind == Assumed::Library).count();
    assert_eq!(plan.assumptions.has_libraries(), libraries > 0);
    assert!(libraries > 0, "the default hive has known DLLs");
    // The program that is expected to stay does.
    let processes = &plan.boot.snapshot.processes;
    assert!(
        processes
            .iter()
            .any(|process| process.image.contains("shell"))
    );
}

#[test]
fn a_strict_plan_assumes_nothing_and_passes_over_what_is_not_there() {
    let plan = planned(&strict(BUSY));
    assert!(plan.assumptions.files.is_empty());
    assert!(!has(&plan, Verb::Run, "check.exe", Some("BootExecute")));
    shows(&plan, Verb::Skip, "check", Some("BootExecute"));
    let RunEnd::Stopped(check) = &plan.boot.outcome else {
        panic!("{:?} without csrss.exe", plan.boot.outcome);
    };
    let text = stopped(check);
    // The bug check's number, and the hard error that led to it.
    assert!(
        text.contains("(C000021A): Session Manager Initialization, 0xc0000034"),
        "{text}"
    );
    assert!(plan.acts.iter().any(|act| act.verb == Verb::Stop));
    assert_eq!(plan.json()["end"], json!({ "stopped": text }));
}

#[test]
fn given_files_are_there_and_nothing_is_assumed_of_renames_beside_them() {
    let mut ground = ground(&[(
        "",
        "PendingFileRenameOperations",
        &["\\??\\C:\\data\\here.txt", "", "\\??\\C:\\gone.txt", ""],
    )]);
    ground.files.insert("\\data".into(), None);
    let here = Some(b"x".to_vec());
    ground.files.insert("\\data\\here.txt".into(), here);
    let plan = planned(&ground);
    let renames = Some("PendingFileRenameOperations");
    shows(&plan, Verb::Delete, "here.txt", renames);
    shows(&plan, Verb::Skip, "gone.txt", renames);
}

#[test]
fn a_system_in_another_folder_is_planned_there() {
    let mut volume = VolumeImage::new(64).unwrap();
    volume
        .write(
            "\\WINDOWS\\system32\\check.exe",
            &ImageFile::default().bytes(),
        )
        .unwrap();
    let mut ground = strict(&[
        ("", "BootExecute", &["check check.exe"]),
        ("Memory Management", "PagingFiles", &["?:\\pagefile.sys"]),
    ]);
    ground.root = "\\WINDOWS".into();
    ground.volume = Some(volume.into_bytes().unwrap());
    let plan = planned(&ground);
    shows(&plan, Verb::Run, "check.exe", Some("BootExecute"));
    let files = &plan.boot.snapshot.objects;
    let root = files.iter().find(|object| object.path == "\\SystemRoot");
    let target = root.and_then(|root| root.target.clone());
    assert_eq!(
        target.as_deref(),
        Some("\\Device\\HarddiskVolume1\\WINDOWS")
    );
    // Where nothing says otherwise there is no system.
    ground.root = SYSTEM_PATH.to_owned();
    assert!(!has(
        &planned(&ground),
        Verb::Run,
        "check.exe",
        Some("BootExecute")
    ));
}

/// What a debugger's entry in SOFTWARE does to a program is told by the volume's own hive, not by
/// the default one.
#[test]
fn the_other_hives_of_a_volume_are_its_own() {
    let mut software = Hive::new(nt::wide!("SOFTWARE"));
    let path = nt::wide!(
        "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe"
    );
    let key = software
        .create_path(software.root(), path, false, 0)
        .unwrap();
    let debugger = utf16_bytes("\\SystemRoot\\System32\\mine.exe\0");
    software
        .set_value(key, nt::wide!("Debugger"), ValueType::SZ.0, debugger, 0)
        .unwrap();
    let mut ground = ground(&[]);
    ground.files.insert(
        "\\ReactOS\\system32\\config\\software".into(),
        Some(software.serialise(0)),
    );
    let debugged = |ground: &Ground| has(&planned(ground), Verb::Run, "mine.exe", Some("Execute"));
    assert!(debugged(&ground), "{:#?}", planned(&ground).acts);
    // One that is given takes its place.
    let empty = Hive::new(nt::wide!("SOFTWARE"));
    ground.hives.push(("SOFTWARE", empty));
    assert!(!debugged(&ground));
}

#[test]
fn a_volume_is_taken_as_it_is_and_one_without_a_file_system_is_refused() {
    let mut ground = ground(&[]);
    let volume = VolumeImage::new(64).unwrap();
    ground.volume = Some(volume.into_bytes().unwrap());
    assert_eq!(planned(&ground).boot.outcome, RunEnd::Settled);
    let mut full = VolumeImage::new(8).unwrap();
    let mut size = 4 << 20;
    for number in 0.. {
        match full.write(&format!("\\data\\{number}"), &vec![0; size]) {
            Ok(()) => {}
            Err(_) if size > 512 => size /= 2,
            Err(_) => break,
        }
    }
    ground.volume = Some(full.into_bytes().unwrap());
    let refused = Plan::of(&ground).map(drop).unwrap_err().to_string();
    assert!(refused.contains("no room"), "{refused}");
    ground.volume = Some(vec![0; 1 << 20]);
    let refused = Plan::of(&ground).map(drop).unwrap_err().to_string();
    assert!(
        refused.starts_with("the volume cannot be used: "),
        "{refused}"
    );
}

#[test]
fn a_plan_for_programs_has_the_end_the_acts_what_was_assumed_and_what_stands() {
    let plan = planned(&ground(BUSY));
    let json = plan.json();
    assert_eq!(json["end"], json!({ "settled": true }));
    let acts = json["acts"].as_array().unwrap();
    assert_eq!(acts.len(), plan.acts.len());
    for verb in [
        "create",
        "run",
        "rename",
        "delete",
        "load",
        "page file",
        "set",
    ] {
        assert!(acts.iter().any(|act| act["verb"] == verb), "{verb}");
    }
    let assumed = json["assumed"].as_array().unwrap();
    assert_eq!(assumed.len(), plan.assumptions.files.len());
    assert!(json["stands"]["processes"].is_array());
    // What is passed over, and what stops the system, has a word as well.
    let strict = planned(&strict(BUSY)).json();
    let acts = strict["acts"].as_array().unwrap();
    for verb in ["skip", "stop"] {
        assert!(acts.iter().any(|act| act["verb"] == verb), "{verb}");
    }
}

#[test]
fn an_initial_command_that_shuts_down_is_the_end_of_the_plan() {
    let plan = planned(&ground(&[("", "Execute", &["shutdown.exe 1"])]));
    let off = RunEnd::Shutdown(ShutdownAction::PowerOff);
    assert_eq!(plan.boot.outcome, off);
    assert_eq!(plan.json()["end"], json!({ "shutdown": "PowerOff" }));
}

#[test]
fn a_stop_of_the_kernel_itself_is_told_with_its_parameters() {
    let check = BugCheck::new(0xF4, [3, 0x10, 0, 0]);
    assert_eq!(stopped(&check), "bugcheck 000000F4: 0x3, 0x10, 0x0, 0x0");
}

/// A DLL for a machine, by its path from a backslash on.
fn library(path: &str, i386: bool) -> (String, Option<Vec<u8>>) {
    let name = path.rsplit('\\').next().unwrap();
    let image = ImageFile {
        name,
        subsystem: ImageSubsystem::NATIVE,
        i386,
        dll: true,
        ..ImageFile::default()
    };
    (path.to_owned(), Some(image.bytes()))
}

#[test]
fn a_plan_for_i386_is_that_of_a_system_of_32_bit_images() {
    const HERE: &str = "\\ReactOS\\System32\\here.dll";
    const OTHER: &str = "\\ReactOS\\System32\\other.dll";
    let of = |architecture| {
        let mut ground = ground(&[]);
        ground.architecture = architecture;
        ground.files = [library(HERE, true), library(OTHER, false)].into();
        let hive = &mut ground.hives[0].1;
        let text = "Windows Registry Editor Version 5.00\n\n\
                    [\\ControlSet001\\Control\\Session Manager\\KnownDlls]\n\
                    \"here\"=\"here.dll\"\n\"other\"=\"other.dll\"\n\
                    \"DllDirectory32\"=str(2):\"%SystemRoot%\\\\system32\"\n";
        formats::hive::reg_text::apply(hive, text, "", 0).unwrap();
        let plan = planned(&ground);
        assert_eq!(plan.boot.outcome, RunEnd::Settled);
        plan
    };
    let known = |plan: &Plan, name: &str| {
        let path = format!("\\KnownDlls\\{name}");
        let mut objects = plan.boot.snapshot.objects.iter();
        objects.any(|object| object.path.eq_ignore_ascii_case(&path))
    };
    let (narrow, wide) = (of(Architecture::I386), of(Architecture::Amd64));
    // What is for the other machine is no known DLL.
    assert!(known(&narrow, "here.dll") && !known(&narrow, "other.dll"));
    assert!(!known(&wide, "here.dll") && known(&wide, "other.dll"));
    let has = |plan: &Plan, text: &str| {
        let mut acts = plan.acts.iter();
        acts.any(|act| act.object.contains(text))
    };
    assert!(has(&wide, "directory \\KnownDlls32"));
    assert!(!has(&narrow, "directory \\KnownDlls32"));
    let kind = |plan: &Plan| {
        let mut values = plan.boot.snapshot.keys.iter().flat_map(|key| &key.values);
        let value = values.find(|value| value.name == "PROCESSOR_ARCHITECTURE");
        value.unwrap().data.clone()
    };
    assert_eq!(kind(&narrow), formats::utf16_bytes("x86\0"));
    assert_eq!(kind(&wide), formats::utf16_bytes("AMD64\0"));
}

#[test]
fn a_plan_for_i386_of_nt_6_starts_and_serves_an_instance_a_session() {
    let mut narrow = ground(&[]);
    narrow.architecture = Architecture::I386;
    narrow.version = Version::V6_1;
    let plan = planned(&narrow);
    assert_eq!(plan.boot.outcome, RunEnd::Settled);
    let mut wide = ground(&[]);
    wide.version = Version::V6_1;
    let images = |plan: &Plan| -> Vec<_> {
        let processes = plan.boot.snapshot.processes.iter();
        processes
            .map(|process| (process.image.clone(), process.session))
            .collect()
    };
    assert_eq!(images(&plan), images(&planned(&wide)));
}
