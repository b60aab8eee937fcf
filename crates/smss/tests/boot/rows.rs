// SPDX-License-Identifier: GPL-2.0-or-later
//! Rows of spec 14 and 16 that are facts about the whole system. Which test proves which row of
//! the specification is in `docs/rows.txt`.

use crate::system::{End, Setup};
use executive::dump::sddl;

const SZ: u32 = 1;

#[test]
fn spec_14_4_the_hard_error_mode_is_inherited_by_the_children() {
    let system = Setup::new().boot();
    for image in ["smss.exe", "csrss.exe", "winlogon.exe"] {
        assert_eq!(system.report(image).hard_error_mode, 1, "{image}");
    }
}

#[test]
fn spec_14_6_the_port_admits_administrators_and_system() {
    let system = Setup::new().boot();
    let security = system
        .object("\\SmApiPort")
        .security
        .clone()
        .expect("the port has a descriptor");
    let told = sddl::descriptor(&security).expect("it is sound");
    assert!(
        told.ends_with("D:(A;;0x1f0001;;;BA)(A;;0x1f0001;;;SY)"),
        "{told}"
    );
}

#[test]
fn spec_14_8_the_volumes_event_is_not_signalled_during_boot_commands() {
    // A boot that hangs in its boot commands, looked at there.
    let system = Setup::new().multi("", "BootExecute", &["sleep.exe"]).boot();
    assert!(system.runs("sleep.exe") && !system.runs("csrss.exe"));
    assert_eq!(
        system
            .object("\\Device\\VolumesSafeForWriteAccess")
            .detail
            .as_deref(),
        Some("not signalled")
    );
}

#[test]
fn spec_16_c12_smss_holds_no_file_while_boot_commands_run() {
    let system = Setup::new().multi("", "BootExecute", &["sleep.exe"]).boot();
    let handles = &system.process("smss.exe").handles;
    assert!(
        handles.iter().all(|(kind, _)| kind != "File"),
        "{handles:?}"
    );
}

#[test]
fn spec_14_30_csrss_gets_its_command_line_paths_flags_and_session() {
    let system = Setup::new().boot();
    let csrss = system.report("csrss.exe");
    assert!(
        csrss
            .command_line
            .starts_with("C:\\ReactOS\\system32\\csrss.exe ObjectDirectory=\\Windows"),
        "{}",
        csrss.command_line
    );
    assert!(
        csrss
            .dll_path
            .to_lowercase()
            .starts_with("c:\\reactos\\system32;"),
        "{}",
        csrss.dll_path
    );
    assert_eq!(
        (csrss.flags & 0x2_0020, csrss.session),
        (0x2_0020, 0),
        "NX and RESERVE_1MB"
    );
}

#[test]
fn spec_14_36_winlogon_is_a_child_of_smss_in_its_own_directory() {
    let system = Setup::new().boot();
    let winlogon = system.report("winlogon.exe");
    assert_eq!(winlogon.parent, system.report("smss.exe").id);
    assert!(
        winlogon
            .current_directory
            .eq_ignore_ascii_case("C:\\ReactOS\\System32\\"),
        "{}",
        winlogon.current_directory
    );
    assert_eq!(
        winlogon.flags & 0x2_0020,
        0x2_0000,
        "NX, and nothing reserved"
    );
}

#[test]
fn spec_16_c10_the_registry_is_initialised_once_after_the_paging_files() {
    let system = Setup::new().traced().boot();
    let calls = system.trace_of("smss.exe");
    let at = |call: &str| {
        calls
            .iter()
            .enumerate()
            .filter(|(_, record)| record.call == call)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let (initialised, paged) = (at("NtInitializeRegistry"), at("NtCreatePagingFile"));
    assert_eq!((initialised.len(), paged.len()), (1, 1));
    assert!(paged[0] < initialised[0]);
}

#[test]
fn spec_16_c16_a_mini_system_has_neither_renames_nor_paging_files() {
    let renames = ["\\??\\C:\\old.txt", ""];
    let setup = Setup::new()
        .multi("", "PendingFileRenameOperations", &renames)
        .file("\\old.txt", b"old")
        .boot_options("MININT");
    let system = setup.boot();
    assert_eq!((&system.end, system.paging_files()), (&End::Settled, 0));
    assert!(system.file_exists("\\old.txt") && !system.file_exists("\\pagefile.sys"));
}

#[test]
fn spec_16_c17_one_shot_values_are_gone() {
    let setup = Setup::new()
        .multi("", "PendingFileRenameOperations", &["\\??\\C:\\nosuch", ""])
        .multi(
            "",
            "PendingFileRenameOperations2",
            &["\\??\\C:\\nosuch", ""],
        )
        .value(
            "",
            "AllowProtectedRenames",
            nt::system::ValueType::DWORD,
            &[1, 0, 0, 0],
        )
        .sz("Environment", "SAFEBOOT_OPTION", "MINIMAL");
    let system = setup.boot();
    assert_eq!(system.end, End::Settled);
    for name in [
        "PendingFileRenameOperations",
        "PendingFileRenameOperations2",
        "AllowProtectedRenames",
    ] {
        assert_eq!(system.sm_value("", name), None, "{name}");
    }
    assert_eq!(system.sm_value("\\Environment", "SAFEBOOT_OPTION"), None);
    assert!(
        system.sm_value("\\Environment", "Path").is_some(),
        "the key is shown"
    );
}

#[test]
fn spec_16_c18_computed_variables_are_strings_with_a_nul() {
    let system = Setup::new().boot();
    for name in [
        "OS",
        "PROCESSOR_ARCHITECTURE",
        "PROCESSOR_LEVEL",
        "PROCESSOR_IDENTIFIER",
        "PROCESSOR_REVISION",
        "NUMBER_OF_PROCESSORS",
    ] {
        let (kind, data) = system
            .sm_value("\\Environment", name)
            .unwrap_or_else(|| panic!("{name} is written"));
        assert_eq!(kind, SZ, "{name}");
        assert!(
            data.len() > 2 && data.ends_with(&[0, 0]),
            "{name}: {data:?}"
        );
    }
}
