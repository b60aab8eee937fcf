// SPDX-License-Identifier: GPL-2.0-or-later
//! The chronology of spec 14 and its invariants (a) to (f), over the trace of system calls.

use crate::system::{Booted, End, Setup};
use executive::trace::{Argument, CallEnd, Record};

fn traced() -> Booted {
    let system = Setup::new()
        .multi(
            "",
            "PendingFileRenameOperations",
            &["\\??\\C:\\old.txt", ""],
        )
        .file("\\old.txt", b"old")
        .traced()
        .boot();
    assert_eq!(system.end, End::Settled);
    system
}

fn names(record: &Record, text: &str) -> bool {
    record
        .arguments
        .iter()
        .any(|(_, argument)| matches!(argument, Argument::Text(found) if found.contains(text)))
}

fn succeeded(record: &Record) -> bool {
    matches!(record.outcome, CallEnd::Returned(status) if status.is_success())
}

/// Index of the first successful call of smss with this name and text.
fn first(system: &Booted, call: &str, text: &str) -> usize {
    let smss = system.process("smss.exe").id;
    let found = system.trace.iter().position(|record| {
        record.client.process == smss
            && record.call == call
            && (text.is_empty() || names(record, text))
            && succeeded(record)
    });
    found.unwrap_or_else(|| panic!("no {call} {text}"))
}

#[test]
fn the_steps_come_in_the_order_of_the_specification() {
    let system = traced();
    let steps = [
        ("NtSetInformationProcess", ""),
        ("NtCreatePort", "SmApiPort"),
        ("NtCreateEvent", "VolumesSafeForWriteAccess"),
        ("NtOpenKey", "Session Manager"),
        ("NtCreateDirectoryObject", "\\Windows"),
        ("NtDeleteValueKey", "PendingFileRenameOperations"),
        ("NtOpenDirectoryObject", "\\??"),
        ("NtCreateSymbolicLinkObject", "NUL"),
        ("NtCreateDirectoryObject", "\\Sessions"),
        ("NtCreateProcess", ""),
        ("NtOpenFile", "old.txt"),
        ("NtCreateDirectoryObject", "\\KnownDlls"),
        ("NtCreatePagingFile", ""),
        ("NtInitializeRegistry", ""),
        ("NtSetValueKey", "PROCESSOR_ARCHITECTURE"),
        ("NtSetSystemInformation", "win32k.sys"),
        ("NtConnectPort", "SbApiPort"),
        // SbCreateSession: csrss takes the initial command over.
        ("NtRequestWaitReplyPort", ""),
    ];
    let at: Vec<usize> = steps
        .iter()
        .map(|(call, text)| first(&system, call, text))
        .collect();
    for (pair, names) in at.windows(2).zip(steps.windows(2)) {
        assert!(
            pair[0] < pair[1],
            "{:?} at {} comes after {:?} at {}",
            names[0],
            pair[0],
            names[1],
            pair[1]
        );
    }
}

#[test]
fn invariant_a_no_process_but_smss_exists_before_the_boot_commands() {
    let system = traced();
    let smss = system.process("smss.exe").id;
    let created = first(&system, "NtCreateProcess", "");
    let others = system.trace[..created]
        .iter()
        .find(|record| record.client.process != smss);
    assert!(others.is_none(), "{others:?}");
}

#[test]
fn invariant_b_the_software_hive_is_absent_until_the_registry_is_initialised() {
    let system = traced();
    let initialised = first(&system, "NtInitializeRegistry", "");
    let early = system.trace[..initialised]
        .iter()
        .find(|record| names(record, "Machine\\Software") && succeeded(record));
    assert!(early.is_none(), "{early:?}");
}

#[test]
fn invariant_c_what_smss_creates_inside_the_session_is_in_session_0() {
    let system = traced();
    for image in ["csrss.exe", "winlogon.exe"] {
        assert_eq!(system.process(image).session, 0);
    }
    let smss = system.process("smss.exe").id;
    let sessions: Vec<usize> = (0..system.trace.len())
        .filter(|&index| {
            system.trace[index].client.process == smss
                && system.trace[index].call == "NtSetSystemInformation"
        })
        .collect();
    // Created, win32k, detached: and both processes in between.
    assert_eq!(sessions.len(), 3);
    let created: Vec<usize> = (0..system.trace.len())
        .filter(|&index| {
            system.trace[index].client.process == smss
                && system.trace[index].call == "NtCreateProcess"
        })
        .collect();
    assert_eq!(
        created
            .iter()
            .filter(|&&index| sessions[1] < index && index < sessions[2])
            .count(),
        2
    );
}

#[test]
fn invariant_d_winlogon_runs_only_after_csrss_has_taken_it_over() {
    let system = traced();
    let (csrss, winlogon) = (
        system.process("csrss.exe").id,
        system.process("winlogon.exe").id,
    );
    let resumed = system
        .trace
        .iter()
        .position(|record| record.client.process == csrss && record.call == "NtResumeThread");
    let began = system
        .trace
        .iter()
        .position(|record| record.client.process == winlogon);
    assert!(
        resumed.is_some() && resumed < began,
        "{resumed:?} {began:?}"
    );
    let smss = system.process("smss.exe").id;
    let by_smss = system
        .trace
        .iter()
        .filter(|record| record.client.process == smss && record.call == "NtResumeThread")
        .count();
    // autochk and csrss.
    assert_eq!(by_smss, 2);
}

#[test]
fn invariant_e_the_volumes_event_is_signalled_once_after_csrss_is_up() {
    let system = traced();
    let smss = system.process("smss.exe").id;
    let registered = first(&system, "NtConnectPort", "SbApiPort");
    let volumes = system
        .trace
        .iter()
        .enumerate()
        .filter(|(_, record)| record.client.process == smss && record.call == "NtSetEvent");
    // One for csrss' record, one for the volumes.
    let at: Vec<usize> = volumes.map(|(index, _)| index).collect();
    assert_eq!(at.len(), 2, "{at:?}");
    assert!(at.iter().all(|&index| index > registered));
    assert_eq!(
        system
            .object("\\Device\\VolumesSafeForWriteAccess")
            .detail
            .as_deref(),
        Some("signalled")
    );
}

#[test]
fn invariant_f_pending_renames_precede_every_known_dll_section() {
    let system = traced();
    assert!(!system.file_exists("\\old.txt"));
    let renamed = first(&system, "NtSetInformationFile", "");
    let smss = system.process("smss.exe").id;
    let directory = first(&system, "NtCreateDirectoryObject", "\\KnownDlls");
    assert!(renamed < directory);
    let early = system.trace[..renamed].iter().any(|record| {
        record.client.process == smss && record.call == "NtCreateSection" && names(record, ".dll")
    });
    assert!(!early);
}
