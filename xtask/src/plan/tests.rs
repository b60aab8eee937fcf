// SPDX-License-Identifier: GPL-2.0-or-later
//! Plans of the default hive with changes, as a user would ask for them.

use super::*;

const HEAD: &str = "Windows Registry Editor Version 5.00\n\n";

/// Options for this text in a file.
fn asked(folder: &Path, text: &str) -> PlanOptions {
    let file = folder.join("ask.reg");
    std::fs::write(&file, format!("{HEAD}{text}")).unwrap();
    PlanOptions {
        file,
        ..PlanOptions::default()
    }
}

fn planned(options: &PlanOptions) -> Plan {
    Plan::of(&ground(options).unwrap().1).unwrap()
}

/// A plan of changes to the Session Manager key.
fn plan_of(key: &str, values: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    planned(&asked(
        folder.path(),
        &format!("[\\ControlSet001\\Control\\Session Manager{key}]\n{values}\n"),
    ))
}

/// What tests ask of a plan.
trait Asked {
    fn has(&self, verb: Verb, object: &str, source: Option<&str>) -> bool;
    fn shows(&self, verb: Verb, object: &str, source: Option<&str>);
}

impl Asked for Plan {
    fn has(&self, verb: Verb, object: &str, source: Option<&str>) -> bool {
        self.acts
            .iter()
            .any(|act| act.verb == verb && act.object.contains(object) && act.source == source)
    }

    #[track_caller]
    fn shows(&self, verb: Verb, object: &str, source: Option<&str>) {
        assert!(
            self.has(verb, object, source),
            "no {verb:?} {object} from {source:?} in {:#?}",
            self.acts
        );
    }
}

#[test]
fn the_default_hive_settles_and_every_list_is_told() {
    let plan = plan_of("", "");
    assert_eq!(plan.boot.outcome, RunEnd::Settled);
    plan.shows(
        Verb::Create,
        r"directory \RPC Control",
        Some("ObjectDirectories"),
    );
    plan.shows(
        Verb::Create,
        r"link AUX to \DosDevices\COM1",
        Some("DOS Devices"),
    );
    plan.shows(
        Verb::Run,
        "autochk.exe (autocheck autochk *)",
        Some("BootExecute"),
    );
    plan.shows(Verb::Create, "kernel32.dll", Some("KnownDLLs"));
    plan.shows(
        Verb::Page,
        r"\??\C:\pagefile.sys",
        Some("Memory Management\\PagingFiles"),
    );
    plan.shows(Verb::Load, "win32k.sys", Some("SubSystems\\Kmode"));
    plan.shows(Verb::Run, "csrss.exe", Some("SubSystems"));
    plan.shows(Verb::Run, "winlogon.exe", Some("Execute"));
    // What the plan says comes in the order of the boot.
    let place = |text: &str| {
        plan.acts
            .iter()
            .position(|act| act.object.contains(text))
            .unwrap()
    };
    assert!(place("autochk.exe") < place("csrss.exe"));
    assert!(place("csrss.exe") < place("winlogon.exe"));
}

#[test]
fn a_program_that_is_not_here_is_assumed_unless_strict() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = asked(
        folder.path(),
        "[\\ControlSet001\\Control\\Session Manager]\n\"BootExecute\"=str(7):\"check check.exe /f\\0\"\n",
    );
    let plan = planned(&options);
    plan.shows(Verb::Run, "check.exe", Some("BootExecute"));
    assert!(
        plan.assumptions
            .files
            .keys()
            .any(|path| path.ends_with("check.exe"))
    );
    options.strict = true;
    let plan = planned(&options);
    assert!(!plan.has(Verb::Run, "check.exe", Some("BootExecute")));
    plan.shows(Verb::Skip, "check", Some("BootExecute"));
}

/// The programs that this repository has stand-ins for are no exception.
#[test]
fn strict_ground_has_nothing_but_what_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = asked(folder.path(), "");
    options.strict = true;
    let plan = planned(&options);
    let RunEnd::Stopped(check) = &plan.boot.outcome else {
        panic!("{:?}", plan.boot.outcome);
    };
    assert!(plan::stopped(check).contains("C000021A"));
    assert!(!plan.has(Verb::Run, "autochk.exe", Some("BootExecute")));
    let tree = folder.path().join("c");
    let system32 = tree.join("ReactOS/system32");
    std::fs::create_dir_all(&system32).unwrap();
    for name in ["csrss.exe", "WINLOGON.EXE", "win32k.sys"] {
        std::fs::write(system32.join(name), "their own").unwrap();
    }
    options.tree = Some(tree);
    let plan = planned(&options);
    assert_eq!(plan.boot.outcome, RunEnd::Settled, "{:#?}", plan.acts);
    plan.shows(Verb::Run, "csrss.exe", Some("SubSystems"));
    assert!(!plan.has(Verb::Run, "autochk.exe", Some("BootExecute")));
}

#[test]
fn pending_renames_are_told_in_their_order() {
    let plan = plan_of(
        "",
        "\"PendingFileRenameOperations\"=str(7):\"\\\\??\\\\C:\\\\new.dll\\0!\\\\??\\\\C:\\\\old.dll\\0\\\\??\\\\C:\\\\temp\\0\\0\"",
    );
    let source = Some("PendingFileRenameOperations");
    plan.shows(Verb::Rename, r"\??\C:\new.dll to ", source);
    plan.shows(Verb::Delete, r"\??\C:\temp", source);
    // The value has served.
    plan.shows(
        Verb::Delete,
        "registry value PendingFileRenameOperations",
        None,
    );
}

#[test]
fn a_boot_that_stops_says_why() {
    let plan = plan_of("\\SubSystems", "\"Required\"=-\n\"Windows\"=-");
    let RunEnd::Stopped(check) = &plan.boot.outcome else {
        panic!("{:?}", plan.boot.outcome);
    };
    let text = plan::stopped(check);
    assert!(text.contains("C000021A"), "{text}");
    assert!(plan.acts.iter().any(|act| act.verb == Verb::Stop));
}

#[test]
fn a_stop_in_json_is_said_in_json_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = asked(
        folder.path(),
        "[\\ControlSet001\\Control\\Session Manager\\SubSystems]\n\"Required\"=-\n\"Windows\"=-\n",
    );
    options.json = true;
    assert!(verb(&options).unwrap_err().is::<Said>());
    options.json = false;
    let error = verb(&options).unwrap_err();
    assert!(error.to_string().contains("C000021A"), "{error:#}");
}

#[test]
fn a_tree_is_the_volume() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("c");
    std::fs::create_dir_all(tree.join("data")).unwrap();
    std::fs::write(tree.join("data/here.txt"), "x").unwrap();
    let mut options = asked(
        folder.path(),
        "[\\ControlSet001\\Control\\Session Manager]\n\"PendingFileRenameOperations\"=str(7):\"\\\\??\\\\C:\\\\data\\\\here.txt\\0\\0\\\\??\\\\C:\\\\data\\\\gone.txt\\0\\0\"\n",
    );
    options.tree = Some(tree.clone());
    let plan = planned(&options);
    let source = Some("PendingFileRenameOperations");
    plan.shows(Verb::Delete, "here.txt", source);
    plan.shows(Verb::Skip, "gone.txt", source);
    // On a copy: the file is still here.
    assert!(tree.join("data/here.txt").exists());
}

/// The program is found where the volume has its system, and without a volume assumed there.
#[test]
fn a_system_is_planned_in_the_folder_that_it_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = asked(
        folder.path(),
        "[\\ControlSet001\\Control\\Session Manager]\n\"BootExecute\"=str(7):\"check check.exe\\0\"\n",
    );
    let assumed = |options: &PlanOptions| {
        let plan = planned(options);
        let mut files = plan.assumptions.files.into_keys();
        files.find(|path| path.ends_with("check.exe"))
    };
    options.system_root = "\\WINNT".parse().ok();
    assert_eq!(
        assumed(&options).as_deref(),
        Some("\\WINNT\\System32\\check.exe")
    );
    let tree = folder.path().join("c");
    for file in ["WINDOWS/system32/config/SYSTEM", "winnt/notepad.exe"] {
        let file = tree.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "x").unwrap();
    }
    options.tree = Some(tree.clone());
    assert!(assumed(&options).unwrap().starts_with("\\WINNT\\"));
    options.system_root = None;
    assert!(assumed(&options).unwrap().starts_with("\\WINDOWS\\"));
    let image = folder.path().join("disk.img");
    let files = [
        ("WINDOWS/system32/check.exe", b"x".to_vec()),
        ("winnt/SYSTEM32/smss.exe", Vec::new()),
    ];
    let files = files.map(|(path, bytes)| (path.to_owned(), Some(bytes)));
    disk::make(&image, 48, &Tree::of(files.into())).unwrap();
    options.tree = None;
    options.disk = Some(image);
    assert!(assumed(&options).unwrap().starts_with("\\winnt\\"));
    options.system_root = "\\OTHER".parse().ok();
    let error = verb(&options).unwrap_err();
    assert!(error.is::<Unusable>());
    assert!(format!("{error:#}").contains("has no folder \\OTHER"));
}

#[test]
fn what_cannot_be_read_is_told_from_what_stops() {
    let folder = tempfile::tempdir().unwrap();
    let options = PlanOptions {
        file: folder.path().join("missing"),
        ..PlanOptions::default()
    };
    let error = verb(&options).unwrap_err();
    assert!(error.is::<Unusable>(), "{error:?}");
    std::fs::write(&options.file, b"regf and then nothing").unwrap();
    assert!(verb(&options).unwrap_err().is::<Unusable>());
}

#[test]
fn json_has_the_acts_and_what_stands() {
    let json = plan_of("", "").json();
    assert_eq!(json["end"]["settled"], true);
    assert!(json["acts"].as_array().is_some_and(|acts| acts.len() > 10));
    assert!(json["stands"]["processes"].is_array());
}

#[test]
fn the_machine_is_found_out_from_the_images_on_the_volume() {
    use formats::pe::build::ImageFile;
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("c");
    let system32 = tree.join("ReactOS/System32");
    std::fs::create_dir_all(&system32).unwrap();
    let ntdll = ImageFile {
        name: "ntdll.dll",
        i386: true,
        dll: true,
        ..ImageFile::default()
    };
    std::fs::write(system32.join("NTDLL.DLL"), ntdll.bytes()).unwrap();
    let mut options = asked(folder.path(), "");
    let of = |options: &PlanOptions| ground(options).map(|(arch, _)| arch);
    assert_eq!(of(&options).unwrap(), Arch::Amd64);
    options.arch = Some(Arch::I386);
    assert_eq!(of(&options).unwrap(), Arch::I386);
    options.tree = Some(tree.clone());
    options.arch = None;
    assert_eq!(of(&options).unwrap(), Arch::I386);
    options.arch = Some(Arch::Amd64);
    let refused = of(&options).unwrap_err().to_string();
    assert!(
        refused.contains("is for i386, and not for amd64"),
        "{refused}"
    );
    // The same from a disk.
    let disk = folder.path().join("disk.img");
    let mut files = Tree::default();
    let place = "ReactOS/System32/ntdll.dll".to_owned();
    files.files.insert(place, Some(ntdll.bytes()));
    disk::make(&disk, 48, &files).unwrap();
    options.tree = None;
    options.disk = Some(disk);
    options.arch = None;
    assert_eq!(of(&options).unwrap(), Arch::I386);
}
