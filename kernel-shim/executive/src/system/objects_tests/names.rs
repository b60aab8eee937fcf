// SPDX-License-Identifier: GPL-2.0-or-later
//! The namespace: directories, symbolic links, and how long names stay (spec 3).

use super::*;
use crate::ob::DeviceMap;

/// The drive letters of the system.
fn drive_letters(bench: &Bench) -> &DeviceMap {
    bench.executive.ob.device_map(DeviceMapId::SYSTEM).unwrap()
}

#[test]
fn spec_1_1_row_14_the_namespace_before_smss() {
    let mut bench = Bench::new();
    for name in [
        "\\",
        "\\ObjectTypes",
        "\\KernelObjects",
        "\\GLOBAL??",
        "\\ArcName",
        "\\Device",
        "\\Driver",
        "\\FileSystem",
        "\\Callback",
        "\\Security",
    ] {
        let handle = bench
            .open(name)
            .unwrap_or_else(|status| panic!("{name}: {status}"));
        bench.close(handle);
    }
    assert_eq!(bench.target("\\GLOBAL??\\GLOBALROOT").unwrap(), "");
    assert_eq!(bench.target("\\GLOBAL??\\Global").unwrap(), "\\GLOBAL??");
    assert_eq!(bench.target("\\DosDevices").unwrap(), "\\??");
    assert!(
        bench
            .names("\\ObjectTypes")
            .contains(&"SymbolicLink".to_string())
    );
    assert_eq!(
        bench.open("\\KnownDlls"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "smss makes it"
    );
    assert_eq!(
        bench.open("\\BaseNamedObjects"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "spec 1.1 row 15"
    );
}

#[test]
fn spec_3_1_dos_devices_is_global_for_the_system() {
    let mut bench = Bench::new();
    bench.link("\\??\\NUL", "\\Device\\Null", OPENIF).unwrap();
    for name in [
        "\\GLOBAL??\\nul",
        "\\DosDevices\\Nul",
        "\\??\\nul",
        "\\??\\Global\\NUL",
        "\\??\\GLOBALROOT\\GLOBAL??\\NUL",
    ] {
        assert_eq!(bench.target(name).unwrap(), "\\Device\\Null", "{name}");
    }
    let whole = bench.open("\\??").unwrap();
    assert_eq!(
        UnicodeStr(
            &bench
                .executive
                .query_object_name(bench.thread, whole)
                .unwrap()
        )
        .to_string(),
        "\\GLOBAL??"
    );
}

#[test]
fn spec_3_2_open_if_tells_that_the_name_was_there() {
    let mut bench = Bench::new();
    assert!(!bench.directory("\\Windows", OPENIF).unwrap().existed);
    assert!(bench.directory("\\WINDOWS", OPENIF).unwrap().existed);
    assert_eq!(
        bench.directory("\\Windows", Attributes::CASE_INSENSITIVE),
        Err(Status::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        bench.link("\\Windows", "\\x", OPENIF),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        bench.link("\\Windows", "\\x", Attributes::empty()),
        Err(Status::OBJECT_NAME_COLLISION)
    );
}

#[test]
fn names_that_cannot_be() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.directory("Windows", OPENIF),
        Err(Status::OBJECT_PATH_SYNTAX_BAD)
    );
    assert_eq!(
        bench.directory("\\a\\b", OPENIF),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        bench.directory("\\Windows\\", OPENIF),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(bench.open("\\Device\\"), Err(Status::OBJECT_NAME_INVALID));
    assert_eq!(bench.open("\\\\Device"), Err(Status::OBJECT_NAME_INVALID));
    assert_eq!(bench.open(""), Err(Status::OBJECT_PATH_SYNTAX_BAD));
    assert_eq!(
        bench.open("\\ObjectTypes\\Event"),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        bench.open("\\ObjectTypes\\Event\\x"),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    assert_eq!(
        bench.open("\\DosDevices"),
        bench.open("\\GLOBAL??").map(|handle| Handle(handle.0 - 4)),
        "a directory is wanted, so the link is followed"
    );
}

#[test]
fn relative_names_start_in_their_directory() {
    let mut bench = Bench::new();
    let root = bench.open("\\GLOBAL??").unwrap();
    let relative = ObjectAttributes::named(wide!("AUX")).under(root);
    bench
        .executive
        .create_symbolic_link(
            bench.thread,
            &relative,
            Access::SYMBOLIC_LINK_ALL,
            &utf16("\\DosDevices\\COM1"),
        )
        .unwrap();
    assert_eq!(bench.target("\\??\\aux").unwrap(), "\\DosDevices\\COM1");
    let absolute = ObjectAttributes::named(wide!("\\AUX")).under(root);
    assert_eq!(
        bench
            .executive
            .open_symbolic_link(bench.thread, &absolute, Access::SYMBOLIC_LINK_QUERY),
        Err(Status::OBJECT_PATH_SYNTAX_BAD)
    );
    let event = bench.event("", Attributes::empty()).unwrap();
    let inside = ObjectAttributes::named(wide!("x")).under(event);
    assert_eq!(
        bench
            .executive
            .open_directory(bench.thread, &inside, Access::DIRECTORY_QUERY),
        Err(Status::INVALID_HANDLE),
        "an event has no names in it"
    );
    let itself = ObjectAttributes::named(UnicodeStr::EMPTY).under(root);
    assert!(
        bench
            .executive
            .open_directory(bench.thread, &itself, Access::DIRECTORY_QUERY)
            .is_ok()
    );
}

#[test]
fn links_pass_the_rest_of_the_name_on() {
    let mut bench = Bench::new();
    bench.directory("\\Real", OPENIF).unwrap();
    bench.directory("\\Real\\Inner", OPENIF).unwrap();
    bench.link("\\Short", "\\Real\\", OPENIF).unwrap();
    bench.link("\\Chain", "\\Short", OPENIF).unwrap();
    bench.link("\\Self", "\\Self", OPENIF).unwrap();
    assert!(bench.open("\\Chain\\Inner").is_ok());
    assert_eq!(
        bench.open("\\Self"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "after 30 links"
    );
    bench.directory("\\Chain\\New", OPENIF).unwrap();
    assert!(
        bench.names("\\Real").contains(&"New".to_string()),
        "what is made through a link is made at its target"
    );
    bench.link("\\Relative", "Real", OPENIF).unwrap();
    assert_eq!(bench.open("\\Relative"), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn a_name_goes_with_the_last_handle_unless_it_is_permanent() {
    let mut bench = Bench::new();
    let event = bench.event("\\Device\\x", Attributes::empty()).unwrap();
    assert_eq!(bench.names("\\Device"), ["x"]);
    let objects = bench.executive.ob.len();
    bench.close(event);
    assert!(bench.names("\\Device").is_empty());
    assert_eq!(bench.executive.ob.len(), objects - 1);
    let event = bench
        .event("\\Device\\VolumesSafeForWriteAccess", Attributes::PERMANENT)
        .unwrap();
    bench.close(event);
    assert_eq!(bench.names("\\Device"), ["VolumesSafeForWriteAccess"]);
}

#[test]
fn spec_3_2_step_3_a_temporary_link_vanishes_and_can_be_made_again() {
    let mut bench = Bench::new();
    let first = bench
        .link("\\??\\Z:", "\\??\\C:\\dir", OPENIF)
        .unwrap()
        .handle;
    bench.close(first);
    assert_eq!(drive_letters(&bench).drives, 1 << 25);
    assert_eq!(
        drive_letters(&bench).types[25],
        1,
        "calculate: a substituted drive"
    );
    let again = bench.link("\\??\\z:", "\\Device\\x", OPENIF).unwrap();
    assert!(again.existed);
    bench
        .executive
        .make_temporary(bench.thread, again.handle)
        .unwrap();
    assert!(
        bench.target("\\??\\Z:").is_ok(),
        "the name stays while there is a handle"
    );
    bench.close(again.handle);
    assert_eq!(bench.target("\\??\\Z:"), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(drive_letters(&bench).drives, 0);
    assert!(
        !bench
            .link("\\??\\Z:", "\\Device\\x", Attributes::PERMANENT)
            .unwrap()
            .existed
    );
}

#[test]
fn spec_3_1_only_drive_letters_change_the_device_map() {
    let mut bench = Bench::new();
    for name in ["\\??\\COM1", "\\??\\1:", "\\??\\CC:", "\\Device\\C:"] {
        bench.link(name, "\\Device\\Null", OPENIF).unwrap();
    }
    assert_eq!(drive_letters(&bench).drives, 0);
    bench.link("\\??\\c:", "\\Device\\Null", OPENIF).unwrap();
    assert_eq!(drive_letters(&bench).drives, 4);
}

#[test]
fn a_directory_lists_its_entries_in_the_order_of_their_names() {
    let mut bench = Bench::new();
    for name in ["\\Device\\b", "\\Device\\A", "\\Device\\c"] {
        bench.link(name, "\\x", OPENIF).unwrap();
    }
    assert_eq!(bench.names("\\Device"), ["A", "b", "c"]);
    let handle = bench.open("\\Device").unwrap();
    let entries = bench
        .executive
        .query_directory(bench.thread, handle)
        .unwrap();
    assert!(
        entries
            .iter()
            .all(|entry| entry.type_name == "SymbolicLink")
    );
}

#[test]
fn what_a_failed_creation_made_is_gone() {
    let mut bench = Bench::new();
    let objects = bench.executive.ob.len();
    assert!(bench.directory("\\a\\b", OPENIF).is_err());
    assert!(bench.directory("\\Device", Attributes::empty()).is_err());
    let attributes = ObjectAttributes::named(wide!("\\E")).secured(&[9; 20]);
    assert!(
        bench
            .executive
            .create_event(
                bench.thread,
                &attributes,
                Access::EVENT_QUERY_STATE,
                true,
                false
            )
            .is_err()
    );
    assert_eq!(bench.executive.ob.len(), objects);
}
