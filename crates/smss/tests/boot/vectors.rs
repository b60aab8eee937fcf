// SPDX-License-Identifier: GPL-2.0-or-later
//! The vectors of spec 17 that need a trace or a command line; the others are scenarios
//! (`crates/scenarios`).

use crate::system::{End, Setup};
use nt::Status;

#[test]
fn boot_execute_async_does_not_wait() {
    let system = Setup::new()
        .multi(
            "",
            "BootExecute",
            &["async sleep.exe 10000", "autocheck autochk *"],
        )
        .traced()
        .boot();
    assert_eq!(system.end, End::Settled);
    let shown = system
        .time_of("autochk.exe", "NtDisplayString")
        .expect("autochk has shown nothing");
    assert!(shown < 100_000_000, "{shown}");
}

#[test]
fn spec_3_2_an_unnamed_value_among_the_dos_devices_has_no_effect() {
    let system = Setup::new().sz("DOS Devices", "", "").boot();
    assert_eq!(system.end, End::Settled);
}

#[test]
fn spec_7_2_without_a_dll_directory_system32_is_taken_from_nt_6_on() {
    let system = Setup::nt6()
        .without_value("KnownDlls", "DllDirectory")
        .boot();
    assert_eq!(system.end, End::Settled);
    let path = system.object("\\KnownDlls\\KnownDllPath");
    assert_eq!(path.target.as_deref(), Some("C:\\ReactOS\\System32"));
    let system = Setup::new()
        .without_value("KnownDlls", "DllDirectory")
        .boot();
    assert_eq!(
        system.end,
        End::stopped(
            "Session Manager Initialization",
            Status::OBJECT_NAME_INVALID
        )
    );
}

#[test]
fn execute_foo_is_the_initial_command_after_five_seconds() {
    let system = Setup::new()
        .multi("", "Execute", &["sleep.exe"])
        .traced()
        .boot();
    assert_eq!(system.end, End::Settled);
    assert_eq!(system.children("smss.exe"), ["csrss.exe", "sleep.exe"]);
    assert!(!system.runs("winlogon.exe"));
    let delayed = system
        .trace
        .iter()
        .any(|record| record.call == "NtDelayExecution" && record.time >= 50_000_000);
    assert!(delayed);
}

#[test]
fn ifeo_debugger_stands_before_winlogon() {
    let system = Setup::new().software_sz(
        "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe",
        "Debugger",
        "console.exe",
    );
    let system = system.boot();
    assert_eq!(system.end, End::Settled);
    assert_eq!(
        system.process("console.exe").command_line,
        "console.exe winlogon.exe"
    );
}
