// SPDX-License-Identifier: GPL-2.0-or-later
//! What takes a right or a privilege: flags, priorities, sessions, opening a process.

use super::*;

#[test]
fn spec_1_4_the_critical_flag_needs_debug() {
    let mut bench = bench();
    assert_eq!(
        bench
            .executive
            .set_process_critical(bench.thread, Handle::CURRENT_PROCESS, true),
        Ok(())
    );
    assert_eq!(
        bench
            .executive
            .query_process_critical(bench.thread, Handle::CURRENT_PROCESS),
        Ok(true)
    );
    bench.enable(DEBUG, false);
    assert_eq!(
        bench
            .executive
            .set_process_critical(bench.thread, Handle::CURRENT_PROCESS, false),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
    assert_eq!(
        bench
            .executive
            .set_thread_critical(bench.thread, Handle::CURRENT_THREAD, true),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
}

#[test]
fn spec_1_3_row_3_raising_the_base_priority_needs_its_privilege() {
    let mut bench = bench();
    assert_eq!(
        bench
            .executive
            .set_base_priority(bench.thread, Handle::CURRENT_PROCESS, 11),
        Ok(())
    );
    assert_eq!(
        bench
            .executive
            .query_process(bench.thread, Handle::CURRENT_PROCESS)
            .unwrap()
            .base_priority,
        11
    );
    assert_eq!(
        bench
            .executive
            .set_base_priority(bench.thread, Handle::CURRENT_PROCESS, 32),
        Err(Status::INVALID_PARAMETER)
    );
    bench.enable(crate::se::token::INCREASE_BASE_PRIORITY, false);
    assert_eq!(
        bench
            .executive
            .set_base_priority(bench.thread, Handle::CURRENT_PROCESS, 12),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
    assert_eq!(
        bench
            .executive
            .set_base_priority(bench.thread, Handle::CURRENT_PROCESS, 9),
        Ok(()),
        "lowering needs nothing"
    );
}

#[test]
fn spec_9_3_sessions_have_one_leader_in_nt_5_2() {
    let mut bench = bench();
    assert_eq!(
        bench.executive.create_session(bench.thread),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
    bench.enable(LOAD_DRIVER, true);
    assert_eq!(bench.executive.create_session(bench.thread), Ok(0));
    assert_eq!(
        bench.executive.create_session(bench.thread),
        Err(Status::ALREADY_COMMITTED)
    );
    let (child, thread) = bench.process(bench.own());
    assert_eq!(bench.executive.session_of(child), Ok(0));
    assert_eq!(
        bench.executive.detach_session(thread, 0),
        Err(Status::UNABLE_TO_FREE_VM),
        "not the leader"
    );
    assert_eq!(bench.executive.detach_session(bench.thread, 0), Ok(()));
    assert_eq!(
        bench.executive.detach_session(bench.thread, 0),
        Err(Status::UNABLE_TO_FREE_VM)
    );
    let (other, other_thread) = bench.process(bench.own());
    assert_eq!(
        bench.executive.create_session(other_thread),
        Err(Status::INVALID_SYSTEM_SERVICE),
        "another process leads"
    );
    assert_eq!(
        bench.executive.create_session(bench.thread),
        Ok(1),
        "0 is still in use"
    );
    let (second, _) = bench.process(bench.own());
    assert_eq!(bench.executive.session_of(second), Ok(1));
    assert_eq!(
        bench.executive.session_of(bench.own()),
        Ok(0),
        "the leader always reports 0"
    );
    bench.executive.detach_session(bench.thread, 1).unwrap();
    bench
        .executive
        .kill_process(child, None, Status::SUCCESS)
        .unwrap();
    assert_eq!(
        bench.executive.create_session(bench.thread),
        Ok(0),
        "its last process has left it"
    );
    bench
        .executive
        .kill_process(other, None, Status::SUCCESS)
        .unwrap();
}

#[test]
fn spec_11_5_in_nt_6_a_child_makes_its_own_session() {
    let mut bench = Bench::new(Version::V6_1);
    bench.enable(LOAD_DRIVER, true);
    for expected in 0..64 {
        let (child, thread) = bench.process(bench.own());
        assert_eq!(bench.executive.create_session(thread), Ok(expected));
        assert_eq!(bench.executive.session_of(child), Ok(expected));
    }
    let (_, thread) = bench.process(bench.own());
    assert_eq!(
        bench.executive.create_session(thread),
        Err(Status::NO_MEMORY),
        "ids are exhausted"
    );
}

#[test]
fn spec_11_1_the_session_of_a_process_can_only_be_set_to_what_it_is() {
    let mut bench = bench();
    let (child, _) = bench.process(bench.own());
    let handle = bench.handle_to(child, Access::PROCESS_ALL);
    assert_eq!(bench.executive.query_session(bench.thread, handle), Ok(0));
    assert_eq!(bench.executive.set_session(bench.thread, handle, 0), Ok(()));
    assert_eq!(
        bench.executive.set_session(bench.thread, handle, 1),
        Err(Status::ACCESS_DENIED)
    );
    bench.enable(crate::se::token::TCB, false);
    assert_eq!(
        bench.executive.set_session(bench.thread, handle, 0),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
}

#[test]
fn opening_a_process_is_checked_and_debug_opens_everything() {
    let mut bench = bench();
    let (child, thread) = bench.process(bench.own());
    let by = |process: u32, thread: u32| ClientId {
        process: process.into(),
        thread: thread.into(),
    };
    let open = |bench: &mut Bench, client| {
        bench.executive.open_process(
            bench.thread,
            client,
            Access::PROCESS_ALL,
            Attributes::empty(),
        )
    };
    assert!(open(&mut bench, by(child.0, 0)).is_ok());
    assert!(open(&mut bench, by(child.0, thread.0)).is_ok());
    assert_eq!(open(&mut bench, by(0x4000, 0)), Err(Status::INVALID_CID));
    let own = bench.own().0;
    assert_eq!(
        open(&mut bench, by(own, thread.0)),
        Err(Status::INVALID_CID),
        "a thread of another process"
    );
    // An ordinary user without SeDebug.
    let token = bench.executive.process_of(bench.thread).unwrap().token;
    let token = bench.executive.token_mut(token).unwrap();
    token.user = crate::se::Sid::new(5, &[21, 1, 2, 3, 1000]);
    token.groups.clear();
    token
        .privileges
        .retain(|privilege| privilege.privilege == CHANGE_NOTIFY);
    assert_eq!(open(&mut bench, by(child.0, 0)), Err(Status::ACCESS_DENIED));
}
