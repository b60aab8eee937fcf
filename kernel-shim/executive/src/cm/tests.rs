// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry tree without handles: mounts, links, what the kernel writes (spec 1.1 rows 10-13,
//! 14 row 23).

use super::boot::Boot;
use super::registry::{KeyRef, Registry, Walk};
use crate::machine::Processor;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use formats::hive::Hive;
use formats::{utf16, utf16_bytes};
use nt::{Status, wide};

fn processor() -> Processor {
    Processor {
        count: 1,
        architecture: 9,
        level: 15,
        revision: 0x6B01,
        features: 0,
        vendor: "AuthenticAMD".into(),
        identifier: "AMD64 Family 15 Model 107 Stepping 1".into(),
        megahertz: 1000,
    }
}

fn system(current: u32) -> Hive {
    let mut hive = Hive::new(wide!("$$$PROTO.HIV"));
    let root = hive.root();
    hive.create_path(
        root,
        wide!("ControlSet001\\Control\\Session Manager"),
        false,
        0,
    )
    .unwrap();
    hive.create_path(root, wide!("ControlSet002\\Control"), false, 0)
        .unwrap();
    let select = hive.create_path(root, wide!("Select"), false, 0).unwrap();
    hive.set_value(
        select,
        wide!("Current"),
        4,
        current.to_le_bytes().to_vec(),
        0,
    )
    .unwrap();
    hive
}

fn booted(options: &str) -> Registry {
    let mut registry = Registry::new();
    registry
        .boot(Boot {
            system: system(1),
            options,
            processor: &processor(),
            now: 5,
        })
        .unwrap();
    registry
}

fn path(registry: &Registry, at: KeyRef) -> String {
    String::from_utf16_lossy(&registry.path(at))
}

#[test]
fn spec_1_1_row_10_only_system_and_hardware_are_there_at_first() {
    let registry = booted("");
    let machine = registry.find("\\Registry\\Machine").unwrap();
    let names: Vec<_> = registry
        .subkeys(machine)
        .unwrap()
        .map(|key| String::from_utf16_lossy(registry.name(key)))
        .collect();
    assert_eq!(names, ["HARDWARE", "SYSTEM"]);
    let processor = registry
        .find("\\REGISTRY\\MACHINE\\Hardware\\Description\\System\\CentralProcessor\\0")
        .unwrap();
    let vendor = registry
        .value(processor, &utf16("vendoridentifier"))
        .unwrap();
    assert_eq!(
        vendor.data,
        formats::hive::reg_text::string_data("AuthenticAMD")
    );
    assert!(!registry.writes_enabled());
    assert_eq!(registry.dirty().count(), 0);
}

#[test]
fn current_control_set_is_a_link_to_what_select_names() {
    let mut registry = Registry::new();
    registry
        .boot(Boot {
            system: system(2),
            options: "",
            processor: &processor(),
            now: 0,
        })
        .unwrap();
    let control = registry
        .find("\\Registry\\Machine\\System\\CurrentControlSet\\Control")
        .unwrap();
    assert_eq!(
        path(&registry, control),
        "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet002\\Control"
    );
    let mut broken = Registry::new();
    let result = broken.boot(Boot {
        system: system(7),
        options: "",
        processor: &processor(),
        now: 0,
    });
    assert_eq!(result, Err(Status::REGISTRY_CORRUPT));
}

#[test]
fn spec_1_1_row_12_start_options_have_no_terminating_nul() {
    let registry = booted("/SOS  /FASTDETECT");
    let control = registry
        .find("\\Registry\\Machine\\System\\CurrentControlSet\\Control")
        .unwrap();
    let value = registry
        .value(control, &utf16("SystemStartOptions"))
        .unwrap();
    assert_eq!(value.data, utf16_bytes("SOS FASTDETECT"));
}

#[test]
fn spec_1_1_row_13_boot_options_make_volatile_keys() {
    let control = "\\Registry\\Machine\\System\\CurrentControlSet\\Control";
    for (options, mini, safe, shell) in [
        ("", false, None, false),
        ("MININT", true, None, false),
        ("safeboot:network", false, Some(2), false),
        ("/SAFEBOOT:MINIMAL(ALTERNATESHELL)", false, Some(1), true),
        ("SAFEBOOT:DSREPAIR", false, Some(3), false),
        ("SAFEBOOT:OTHER", false, None, false),
    ] {
        let registry = booted(options);
        assert_eq!(registry.is_mini(), mini, "{options}");
        let option = registry.find(&std::format!("{control}\\SafeBoot\\Option"));
        let number = option.map(|key| registry.value(key, &utf16("OptionValue")).unwrap().data[0]);
        assert_eq!(number, safe, "{options}");
        let shells =
            option.is_some_and(|key| registry.value(key, &utf16("UseAlternateShell")).is_ok());
        assert_eq!(shells, shell, "{options}");
    }
}

#[test]
fn what_the_kernel_writes_is_not_in_the_file_unless_it_is_stable() {
    let registry = booted("MININT SAFEBOOT:MINIMAL");
    let (_, mounted) = registry
        .hives()
        .find(|(_, mounted)| mounted.file.is_some())
        .unwrap();
    let read = Hive::parse(&mounted.hive.serialise(0)).unwrap();
    for absent in [
        "CurrentControlSet",
        "ControlSet001\\Control\\MiniNT",
        "ControlSet001\\Control\\hivelist",
    ] {
        assert_eq!(
            read.find(read.root(), nt::UnicodeStr(&utf16(absent))),
            None,
            "{absent}"
        );
    }
}

#[test]
fn a_path_is_followed_to_its_key_its_link_or_its_missing_end() {
    let registry = booted("");
    let root = registry.root();
    let walk = |path: &str, open_link| registry.walk(root, &utf16(path), open_link);
    assert!(matches!(
        walk("\\machine\\system\\select", false),
        Ok(Walk::Key(_))
    ));
    let target = "\\Registry\\Machine\\System\\ControlSet001";
    assert_eq!(
        walk("Machine\\System\\CurrentControlSet", false),
        Ok(Walk::Link(utf16(target)))
    );
    assert!(matches!(
        walk("Machine\\System\\CurrentControlSet", true),
        Ok(Walk::Key(_))
    ));
    assert_eq!(
        walk("Machine\\System\\CurrentControlSet\\a\\b", true),
        Ok(Walk::Link(utf16(&std::format!("{target}\\a\\b"))))
    );
    assert!(
        matches!(walk("Machine\\Software", false), Ok(Walk::Missing { name, .. }) if name == utf16("Software"))
    );
    assert_eq!(
        walk("Machine\\Software\\x", false),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(
        walk("Machine\\\\x", false),
        Err(Status::OBJECT_NAME_INVALID)
    );
    assert_eq!(
        walk(&"n".repeat(256), false),
        Err(Status::OBJECT_NAME_INVALID)
    );
}

#[test]
fn stable_changes_make_a_hive_dirty_and_volatile_ones_do_not() {
    let mut registry = booted("");
    let manager = registry
        .find("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager")
        .unwrap();
    let volatile = registry.create(manager, &utf16("v"), true, 0, 10).unwrap();
    registry
        .set_value(volatile, &utf16("x"), 1, vec![], 0, 11)
        .unwrap();
    assert_eq!(registry.dirty().count(), 0);
    assert_eq!(
        registry.create(volatile, &utf16("stable"), false, 0, 12),
        Err(Status::CHILD_MUST_BE_VOLATILE)
    );
    registry
        .set_value(manager, &utf16("x"), 1, vec![], 0, 13)
        .unwrap();
    registry
        .set_value(manager, &utf16("y"), 1, vec![], 0, 14)
        .unwrap();
    assert_eq!(
        registry.dirty().map(|(_, since)| since).collect::<Vec<_>>(),
        [13]
    );
    assert_eq!(registry.due(20, Some(8)), []);
    assert_eq!(registry.due(21, Some(8)).len(), 1);
    assert_eq!(registry.due(13, None).len(), 1);
}

#[test]
fn spec_14_row_23_the_other_hives_and_the_system_users_alias() {
    let mut registry = booted("");
    let mut software = Hive::new(wide!("SOFTWARE"));
    let root = software.root();
    software
        .create_path(root, wide!("Microsoft"), false, 0)
        .unwrap();
    let hives = vec![
        ("SOFTWARE", Some(software)),
        ("SAM", None),
        ("SECURITY", None),
        ("DEFAULT", None),
    ];
    registry.mount_remaining(hives, 9).unwrap();
    assert!(
        registry
            .find("\\Registry\\Machine\\Software\\Microsoft")
            .is_some()
    );
    let alias = registry.find("\\Registry\\User\\S-1-5-18").unwrap();
    assert_eq!(path(&registry, alias), "\\REGISTRY\\USER\\.DEFAULT");
    let list = registry
        .find("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\hivelist")
        .unwrap();
    assert_eq!(registry.key(list).unwrap().values().len(), 6);
    assert_eq!(
        registry.delete(alias, 0, 0),
        Err(Status::CANNOT_DELETE),
        "the root of a hive"
    );
}
