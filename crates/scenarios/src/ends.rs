// SPDX-License-Identifier: GPL-2.0-or-later
//! Required subsystems, the initial command, and how a system stops (spec 9, 12).

use crate::{End, Scenario, Want, sm};
use nt::Status;

/// What the kernel ends a process with that it is told to.
const KILLED: Status = Status::UNSUCCESSFUL;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario::new("spec_17_required_foo_undefined", "17, 9.1")
        .before(&[sm!(
            "\\SubSystems",
            r#""Required"=str(7):"Debug\0Windows\0Foo\0""#
        )])
        .after(&[
            Want::Log("Foo"),
            Want::Process("winlogon.exe", "smss.exe", 0),
        ]),
    Scenario::new("spec_17_windows_entry_missing", "17, 12.1")
        .before(&[sm!("\\SubSystems", r#""Windows"=-"#)])
        .ends(End::Stopped(
            "Session Manager ExecuteInitialCommand",
            Status::OBJECT_NAME_NOT_FOUND,
        )),
    Scenario::new("spec_17_execute_is_the_initial_command", "17, 12.1")
        .before(&[sm!("", r#""Execute"=str(7):"services.exe\0""#)])
        .after(&[
            Want::Process("services.exe", "smss.exe", 0),
            Want::NoProcess("winlogon.exe"),
        ]),
    Scenario::new(
        "spec_9_a_silent_csrss_of_session_0_is_waited_for_without_end",
        "9.4",
    )
    .before(&[sm!(
        "\\SubSystems",
        r#""Windows"="C:\\ReactOS\\system32\\faulty.exe silent""#
    )])
    .after(&[
        Want::Process("faulty.exe", "smss.exe", 0),
        Want::NoProcess("winlogon.exe"),
        Want::NoLog("IO_TIMEOUT"),
    ]),
    Scenario::new(
        "spec_9_a_csrss_of_session_0_that_dies_before_it_registers_stops_the_system",
        "9.4, 12.4",
    )
    .before(&[sm!(
        "\\SubSystems",
        r#""Windows"="C:\\ReactOS\\system32\\faulty.exe dies c0000142""#
    )])
    .ends(End::Stopped(
        "Session Manager Initialization",
        Status::DLL_INIT_FAILED,
    )),
    Scenario::new("spec_12_3_winlogon_killed_stops_with_c000021a", "12.3, 17")
        .kill("winlogon.exe")
        .ends(End::Stopped("Windows Logon Process", KILLED)),
    Scenario::new(
        "spec_12_3_an_initial_command_that_ends_cleanly_stops_the_system_all_the_same",
        "12.3",
    )
    .before(&[sm!("", r#""Execute"=str(7):"logoff.exe 0\0""#)])
    .ends(End::Stopped("Windows Logon Process", Status::SUCCESS)),
    Scenario::new("spec_12_3_csrss_killed_stops_with_c000021a", "12.3, 17")
        .kill("csrss.exe")
        .ends(End::Stopped("Windows SubSystem", KILLED)),
    Scenario::new(
        "nt_6_1_the_end_of_winlogon_in_session_1_ends_that_session_only",
        "11.5",
    )
    .nt6()
    .kill("winlogon.exe")
    .after(&[
        Want::Log("session 1: its initial command has ended"),
        Want::Process("wininit.exe", "-", 0),
        Want::Process("csrss.exe", "-", 0),
        Want::NoSession(1),
    ]),
    Scenario::new("nt_6_1_wininit_killed_stops_with_c000021a", "11.5, 12.3")
        .nt6()
        .kill("wininit.exe")
        .ends(End::Stopped("initial session process or", KILLED)),
    Scenario::new(
        "nt_6_1_csrss_of_session_0_killed_stops_with_c000021a",
        "11.5, 12.3",
    )
    .nt6()
    .kill("csrss.exe")
    .ends(End::Stopped("Windows SubSystem", KILLED)),
];
