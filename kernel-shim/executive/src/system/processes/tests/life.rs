// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes and threads from their making to their end.

use super::*;

#[test]
fn ids_are_multiples_of_four_and_of_one_number_space() {
    let mut bench = bench();
    let (process, thread) = bench.process(ProcessId::SYSTEM);
    assert!(process.0 % 4 == 0 && thread.0 % 4 == 0 && thread.0 > process.0);
    assert_eq!((ProcessId::SYSTEM.0, ThreadId::SYSTEM.0), (4, 8));
    assert!(bench.executive.is_kernel(ThreadId::SYSTEM) && !bench.executive.is_kernel(thread));
}

#[test]
fn spec_1_5_the_hard_error_mode_is_inherited_and_the_token_copied() {
    let mut bench = bench();
    bench
        .executive
        .set_hard_error_mode(bench.thread, Handle::CURRENT_PROCESS, 0)
        .unwrap();
    let (child, _) = bench.process(bench.own());
    assert_eq!(bench.executive.process(child).unwrap().hard_error_mode, 0);
    assert_eq!(bench.executive.process(child).unwrap().parent, bench.own());
    bench.enable(LOAD_DRIVER, true);
    let token = bench.executive.process(child).unwrap().token;
    assert!(
        !bench.executive.token_mut(token).unwrap().has(LOAD_DRIVER),
        "a copy does not follow its original"
    );
    let (grandchild, _) = bench.process(bench.own());
    let token = bench.executive.process(grandchild).unwrap().token;
    assert!(
        bench.executive.token_mut(token).unwrap().has(LOAD_DRIVER),
        "but is made of what that is now"
    );
}

#[test]
fn handles_that_are_to_be_inherited_are() {
    let mut bench = bench();
    let attributes = ObjectAttributes::unnamed().with(Attributes::INHERIT);
    let kept = bench
        .executive
        .create_event(bench.thread, &attributes, Access::EVENT_ALL, true, false)
        .unwrap()
        .handle;
    let other = bench.event(true);
    let child = bench.executive.make_process(bench.own(), true).unwrap();
    let child = bench.thread_of(child);
    assert_eq!(
        bench.executive.query_object(child, kept).unwrap().handles,
        2
    );
    assert_eq!(
        bench.executive.query_object(child, other),
        Err(Status::INVALID_HANDLE)
    );
}

#[test]
fn suspended_threads_do_not_run_until_every_suspension_is_undone() {
    let mut bench = bench();
    let process = bench.own();
    let thread = bench
        .executive
        .make_thread(process, &Context::default(), Stack::default())
        .unwrap();
    let handle = bench.handle_to_thread(thread);
    assert!(!bench.runnable(thread));
    assert_eq!(bench.executive.suspend_thread(bench.thread, handle), Ok(1));
    assert_eq!(bench.executive.resume_thread(bench.thread, handle), Ok(2));
    assert!(!bench.runnable(thread));
    assert_eq!(bench.executive.resume_thread(bench.thread, handle), Ok(1));
    assert!(bench.runnable(thread));
    assert_eq!(
        bench.executive.resume_thread(bench.thread, handle),
        Ok(0),
        "nothing to undo is no error"
    );
    for before in 0..0x7F {
        assert_eq!(
            bench.executive.suspend_thread(bench.thread, handle),
            Ok(before)
        );
    }
    assert_eq!(
        bench.executive.suspend_thread(bench.thread, handle),
        Err(Status::SUSPEND_COUNT_EXCEEDED)
    );
}

#[test]
fn the_end_of_a_thread_and_of_a_process_signal_their_objects() {
    let mut bench = bench();
    let (child, first) = bench.process(bench.own());
    let second = bench.thread_of(child);
    let process = bench.handle_to(child, Access::PROCESS_ALL);
    let thread = bench.handle_to_thread(first);
    let waiter = bench.thread;
    bench
        .executive
        .wait(waiter, &[process, thread], false, None)
        .unwrap();
    bench.executive.end_thread(first, Status::new(0x55));
    assert_eq!(
        bench.executive.take_completion(waiter),
        Some(Status::new(1))
    );
    assert_eq!(
        bench.executive.wait(waiter, &[process], false, Some(0)),
        Ok(Completion::Done(Status::TIMEOUT))
    );
    assert_eq!(
        bench
            .executive
            .query_process(waiter, process)
            .unwrap()
            .exit_status,
        Status::PENDING
    );
    bench.executive.end_thread(second, Status::new(0x66));
    assert_eq!(
        bench.executive.wait(waiter, &[process], false, Some(0)),
        Ok(Completion::Done(Status::SUCCESS))
    );
    assert_eq!(
        bench
            .executive
            .query_process(waiter, process)
            .unwrap()
            .exit_status,
        Status::new(0x66),
        "the last thread's"
    );
    assert_eq!(
        bench
            .executive
            .query_thread(waiter, thread)
            .unwrap()
            .exit_status,
        Status::new(0x55)
    );
}

#[test]
fn terminating_a_process_ends_its_threads_closes_its_handles_and_frees_its_memory() {
    let mut bench = bench();
    let frames = bench.machine.state().frames();
    let (child, thread) = bench.process(bench.own());
    let another = bench.thread_of(child);
    let name = ObjectAttributes::named(wide!("\\Device\\E"));
    let event = bench
        .executive
        .create_event(thread, &name, Access::EVENT_ALL, true, false)
        .unwrap()
        .handle;
    bench
        .executive
        .wait(another, &[event], false, None)
        .unwrap();
    let handle = bench.handle_to(child, Access::PROCESS_ALL);
    bench
        .executive
        .terminate_process(bench.thread, handle, Status::new(7))
        .unwrap();
    let state = bench.executive.process(child).unwrap();
    assert!(
        state.ended
            && state.handles.is_none()
            && state.memory.is_none()
            && state.threads.is_empty()
    );
    assert_eq!(bench.executive.ob.find_plain(&utf16("\\Device\\E")), None);
    assert_eq!(bench.machine.state().frames(), frames);
    assert_eq!(
        bench
            .executive
            .terminate_process(bench.thread, handle, Status::new(8)),
        Err(Status::PROCESS_IS_TERMINATING)
    );
    assert_eq!(
        bench
            .executive
            .query_process(bench.thread, handle)
            .unwrap()
            .exit_status,
        Status::new(7)
    );
    assert_eq!(
        bench.executive.make_process(child, false),
        Err(Status::PROCESS_IS_TERMINATING)
    );
    bench.executive.close(bench.thread, handle).unwrap();
    assert!(
        !bench.executive.processes.contains_key(&child)
            && !bench.executive.threads.contains_key(&thread)
    );
}

#[test]
fn a_thousand_processes_leave_nothing_behind() {
    let mut bench = bench();
    let before = (
        bench.executive.ob.len(),
        bench.executive.processes.len(),
        bench.executive.threads.len(),
        bench.machine.state().frames(),
    );
    for _ in 0..1000 {
        let (child, _) = bench.process(bench.own());
        bench
            .executive
            .kill_process(child, None, Status::SUCCESS)
            .unwrap();
    }
    let after = (
        bench.executive.ob.len(),
        bench.executive.processes.len(),
        bench.executive.threads.len(),
        bench.machine.state().frames(),
    );
    assert_eq!(before, after);
}

#[test]
fn spec_1_4_terminating_a_critical_process_is_f4_and_its_last_thread_ef() {
    let mut bench = bench();
    let (child, _) = bench.process(bench.own());
    bench.executive.process_mut(child).unwrap().critical = true;
    bench
        .executive
        .kill_process(child, None, Status::SUCCESS)
        .unwrap();
    assert_eq!(bench.stop(), Some(0xF4));
    let mut bench = Bench::new(Version::V5_2);
    let (child, thread) = bench.process(bench.own());
    bench.executive.process_mut(child).unwrap().critical = true;
    bench.executive.end_thread(thread, Status::SUCCESS);
    assert_eq!(bench.stop(), Some(0xEF));
}

#[test]
fn spec_1_1_row_6_and_7_the_session_manager_must_be_there_and_stay() {
    let mut bench = bench();
    let long: alloc::string::String = core::iter::repeat_n('x', 200).collect();
    bench.executive.start_session_manager("C:\\ReactOS", &long);
    assert_eq!(bench.stop(), Some(0x6E));
    let mut bench = Bench::new(Version::V5_2);
    bench
        .executive
        .start_session_manager("C:\\ReactOS", "\\SystemRoot\\System32\\smss.exe");
    assert_eq!(bench.stop(), Some(0x6F), "there is no such file");
}

#[test]
fn the_names_of_processes_do_not_stand_in_the_namespace() {
    let mut bench = bench();
    let (child, _) = bench.process(bench.own());
    let object = bench.executive.process(child).unwrap().object;
    assert_eq!(
        UnicodeStr(&bench.executive.name_of(object)),
        UnicodeStr::EMPTY
    );
}
