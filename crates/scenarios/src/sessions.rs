// SPDX-License-Identifier: GPL-2.0-or-later
//! The SM protocol, sessions that come and go, servers that do not keep the contract (spec 10, 11).

use crate::{End, Scenario, Want, World, script, sm};
use nt::Status;

pub(crate) const SCENARIOS: &[Scenario] = &[
    // The client is the initial command; when it has done its work and ends, the system stops, as
    // it must.
    Scenario::new("spec_10_sm_protocol_from_a_client", "10.3, 10.5, 12.3")
        .before(&[sm!("", r#""Execute"=str(7):"smtest.exe\0""#)])
        .ends(End::Stopped("Windows Logon Process", Status::SUCCESS))
        .after(&[Want::Screen("cases, 0 failed"), Want::NoScreen("FAIL")]),
    // The first time makes what is kept for the next.
    Scenario::new("spec_10_2_memory_that_a_client_offers_does_not_stay", "10.2")
        .before(&[script!(
            "smtest.exe shared-memory; note; smtest shared-memory; same; sleep 1000"
        )])
        .after(&[
            Want::Screen("smtest: shared-memory: pass"),
            Want::NoScreen("FAIL"),
            Want::Screen("script: the same: "),
        ]),
    // The program runs, and only the port is closed to it: its DACL has administrators and the system.
    Scenario::new("spec_10_2_a_plain_user_cannot_connect", "10.2, 1.5")
        .before(&[script!(
            "asuser.exe exit.exe c0001234; asuser smctl.exe list; asuser smctl start winlogon.exe; smctl list; sleep 1000"
        )])
        .after(&[
            Want::Screen("script: asuser.exe exit.exe c0001234: NTSTATUS C0001234"),
            Want::Screen("script: asuser smctl.exe list: STATUS_ACCESS_DENIED"),
            Want::Screen("script: asuser smctl start winlogon.exe: STATUS_ACCESS_DENIED"),
            Want::Screen("script: smctl list: STATUS_SUCCESS"),
            Want::NoSession(1),
        ]),
    Scenario::new("spec_11_a_new_session_and_programs_in_it", "11.3, 10.5")
        .before(&[script!(
            "smctl.exe start winlogon.exe; smctl exec 1 console.exe; smctl exec 1 sleep.exe; smctl exec 0 console.exe; smctl exec 2 console.exe; smctl list; sleep 1000"
        )])
        .after(&[
            Want::Screen("smctl: session 1 started"),
            Want::Log("winlogon: session 1"),
            Want::Screen("smctl: session 1 type 2"),
            Want::Screen("script: smctl exec 2 console.exe: STATUS_OBJECT_PATH_NOT_FOUND"),
            Want::Process("console.exe", "csrss.exe#2", 1),
            Want::Process("sleep.exe", "csrss.exe#2", 1),
            Want::Process("console.exe#2", "-", 0),
        ]),
    Scenario::new("spec_10_7_csrss_creates_optional_servers_in_its_session", "10.7, 9.6")
        .before(&[script!(
            "smctl.exe start winlogon.exe; smctl load Posix; smctl exec 1 smctl.exe load Posix; sleep 1000"
        )])
        .after(&[
            Want::Process("psxss.exe", "csrss.exe", 0),
            Want::Process("psxss.exe#2", "csrss.exe#2", 1),
        ])
        .only(
            World::Qemu,
            "csrss reads the command line in smss's memory, and on the host memory has no addresses",
        ),
    // Twice: the first round makes the threads and touches the tables that are kept for the next.
    Scenario::new("spec_11_sixty_four_sessions_come_and_go", "11.3")
        .before(&[script!(
            "63*smctl.exe start winlogon.exe; 63*smctl.exe stop $; note; 63*smctl.exe start winlogon.exe; smctl.exe start winlogon.exe; 63*smctl.exe stop $; same"
        )])
        .after(&[
            Want::Screen("smctl: session 63 started"),
            Want::Screen("script: smctl.exe start winlogon.exe: STATUS_NO_MEMORY"),
            Want::Screen("script: smctl.exe stop 63: STATUS_SUCCESS"),
            Want::Screen("script: the same: "),
            Want::NoSession(1),
        ])
        ,
    // The way is csrss's in a new session; session 0's keeps the contract.
    Scenario::new(
        "spec_11_a_csrss_that_breaks_the_contract_in_a_new_session_is_undone",
        "11.3, 9.4",
    )
    .before(&[
        sm!(
            "\\SubSystems",
            r#""Windows"="C:\\ReactOS\\system32\\csrss.exe ObjectDirectory=\\Windows Windows=On SubSystemType=Windows Elsewhere=silent,deaf,mute,refuses,leaves,nameless,dies,silent,silent,deaf,mute,refuses,leaves,nameless,dies,silent""#
        ),
        script!(
            "8*smctl.exe start winlogon.exe; note; 8*smctl.exe start winlogon.exe; same; smctl.exe start winlogon.exe; smctl.exe stop 1"
        ),
    ])
    .after(&[
        Want::Screen("script: smctl.exe start winlogon.exe: STATUS_IO_TIMEOUT"),
        Want::Screen("script: smctl.exe start winlogon.exe: STATUS_LPC_REPLY_LOST"),
        Want::Screen("script: smctl.exe start winlogon.exe: STATUS_NO_MEMORY"),
        Want::Screen("script: smctl.exe start winlogon.exe: STATUS_UNSUCCESSFUL"),
        Want::Screen("script: smctl.exe start winlogon.exe: STATUS_PORT_DISCONNECTED"),
        Want::Screen("script: smctl.exe stop 1: STATUS_SUCCESS"),
        Want::Screen("script: the same: "),
        Want::NoScreen("NOT THE SAME"),
    ])
    ,
    // Handles that would be smss itself, its port, and others of its own, if it believed them.
    Scenario::new(
        "spec_10_7_handles_of_a_servers_choice_are_neither_used_nor_closed",
        "10.7",
    )
    .before(&[
        sm!(
            "\\SubSystems",
            r#""Windows"="C:\\ReactOS\\system32\\csrss.exe ObjectDirectory=\\Windows Windows=On SubSystemType=Windows Picks=ffffffff,fffffffe,4,8,c,10,14,18,1c,1000""#
        ),
        script!("smctl list; 10*smctl load Posix; note; 10*smctl load Posix; same; smctl start; smctl stop 1"),
    ])
    .after(&[
        Want::NoScreen("script: smctl load Posix: STATUS_SUCCESS"),
        Want::Screen("script: the same: "),
        Want::Screen("script: smctl stop 1: STATUS_SUCCESS"),
        Want::NoProcess("psxss.exe"),
        Want::Process("csrss.exe", "smss.exe", 0),
    ]),
    Scenario::new(
        "spec_10_7_an_answer_longer_than_the_protocols_is_an_answer",
        "10.7",
    )
    .before(&[
        sm!(
            "\\SubSystems",
            r#""Windows"="C:\\ReactOS\\system32\\csrss.exe ObjectDirectory=\\Windows Windows=On SubSystemType=Windows Elsewhere=wordy""#
        ),
        script!("smctl start; smctl start; smctl stop 1"),
    ])
    .after(&[
        Want::Screen("script: smctl start: STATUS_NO_MEMORY"),
        Want::Screen("script: smctl start: STATUS_SUCCESS"),
        Want::Screen("script: smctl stop 1: STATUS_SUCCESS"),
        Want::Process("csrss.exe", "smss.exe", 0),
    ]),
    // The first round begins with the churn and has a session twice: how many threads the port gets, and how deep their stacks
    // have been used, depends on how requests meet, and by then both have grown to what these
    // clients need.
    Scenario::new(
        "spec_10_clients_that_die_and_clients_that_come_and_go_leave_nothing",
        "10.6",
    )
    .before(&[script!(
        "smtest churn 2000; smdie 0; smdie 1; smdie 2; smdie 4; smdie 5; sleep 99; smctl stop 1; smdie 5; sleep 99; smctl stop 1; note; smdie 0; smdie 1; smdie 2; smdie 4; smdie 5; sleep 99; smctl stop 1; smtest churn 2000; same"
    )])
    .after(&[
        Want::Screen("smtest: churn: pass"),
        Want::Screen("script: the same: "),
    ])
    ,
    Scenario::new("nt_6_1_a_later_session_and_a_program_in_it", "11.5")
        .nt6()
        .before(&[sm!(
            "",
            r#""S0InitialCommand"="script.exe smctl start; smctl exec 2 console.exe; smctl exec 1 sleep.exe; smctl list; smctl stop 2; stay""#
        )])
        .after(&[
            Want::Screen("smctl: session 2 started"),
            Want::Screen("script: smctl exec 2 console.exe: STATUS_SUCCESS"),
            Want::Screen("script: smctl stop 2: STATUS_SUCCESS"),
            Want::Process("sleep.exe", "csrss.exe#2", 1),
            Want::NoProcess("console.exe"),
        ]),
];
