// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot of NT 6: sessions by child instances, session 0 for services (spec 11.5, 11.6).

use crate::system::{End, Setup};
use nt::Status;

#[test]
fn session_0_has_wininit_and_session_1_winlogon() {
    let system = Setup::nt6().boot();
    assert_eq!(system.end, End::Settled);
    assert_eq!(system.sessions_of("csrss.exe"), [0, 1]);
    assert_eq!(system.sessions_of("wininit.exe"), [0]);
    assert_eq!(system.sessions_of("winlogon.exe"), [1]);
    assert_eq!(
        system.children("wininit.exe"),
        ["services.exe", "lsass.exe"]
    );
    // The instances have ended: what they started has no parent left.
    assert_eq!(system.sessions_of("smss.exe").len(), 1);
    assert!(system.children("smss.exe").is_empty());
}

#[test]
fn the_end_of_csrss_of_session_1_ends_that_session_only() {
    let mut system = Setup::nt6().boot();
    system.kill_last("csrss.exe", Status::new(0x1234));
    assert_eq!(system.end, End::Settled);
    assert_eq!(
        (
            system.sessions_of("csrss.exe"),
            system.sessions_of("winlogon.exe")
        ),
        (vec![0], vec![])
    );
}

#[test]
fn the_instances_of_the_initial_sessions_work_side_by_side() {
    let system = Setup::nt6().traced().boot();
    let mut calls: Vec<(u64, usize)> = Vec::new();
    for (at, record) in system.trace_of("smss.exe").iter().enumerate() {
        calls.push((record.client.process, at));
    }
    let mut instances: Vec<u64> = calls.iter().map(|(process, _)| *process).collect();
    instances.sort_unstable();
    instances.dedup();
    let [_, first, second] = instances[..] else {
        panic!("master and two instances: {instances:?}")
    };
    let last_of_first = calls
        .iter()
        .rev()
        .find(|(process, _)| *process == first)
        .unwrap()
        .1;
    let first_of_second = calls
        .iter()
        .find(|(process, _)| *process == second)
        .unwrap()
        .1;
    assert!(first_of_second < last_of_first);
}

#[test]
fn a_later_session_is_made_by_an_instance() {
    let mut system = Setup::nt6().boot();
    assert_eq!(
        system.start_program("smctl.exe start"),
        Status::SUCCESS,
        "{}",
        system.screen
    );
    assert_eq!(system.sessions_of("winlogon.exe"), [1, 2]);
    assert_eq!(system.start_program("smctl.exe stop 2"), Status::SUCCESS);
    assert_eq!(system.sessions_of("csrss.exe"), [0, 1]);
}
