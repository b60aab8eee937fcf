// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes, threads, waits, tokens and sessions, rule by rule (spec 1.1, 1.4, 9.3, 9.7, 11.1,
//! 12.5).

use super::create::Stack;
use super::*;
use crate::host::machine::MemoryMachine;
use crate::machine::{Context, Stop};
use crate::se::token::{CHANGE_NOTIFY, DEBUG, LOAD_DRIVER};
use crate::{Completion, Version};
use alloc::boxed::Box;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::object::{Attributes, ObjectAttributes};
use nt::{UnicodeStr, wide};

const MILLISECOND: i64 = 10_000;

/// A system with its namespace and some processes of the System's token.
struct Bench {
    executive: Executive,
    machine: MemoryMachine,
    thread: ThreadId,
}

impl Bench {
    fn new(version: Version) -> Self {
        let machine = MemoryMachine::new(65536, Vec::new());
        let mut executive = Executive::new(Box::new(machine.clone()), version);
        executive.make_namespace(true).unwrap();
        let mut this = Self {
            executive,
            machine,
            thread: ThreadId::SYSTEM,
        };
        this.thread = this.process(ProcessId::SYSTEM).1;
        this
    }

    fn process(&mut self, parent: ProcessId) -> (ProcessId, ThreadId) {
        let process = self.executive.make_process(parent, false).unwrap();
        (process, self.thread_of(process))
    }

    fn thread_of(&mut self, process: ProcessId) -> ThreadId {
        let thread = self
            .executive
            .make_thread(process, &Context::default(), Stack::default())
            .unwrap();
        self.executive.resume(thread).unwrap();
        thread
    }

    fn own(&self) -> ProcessId {
        self.executive.thread(self.thread).unwrap().process
    }

    /// A handle of the bench's process to another one.
    fn handle_to(&mut self, process: ProcessId, access: Access) -> Handle {
        let object = self.executive.process(process).unwrap().object;
        self.executive
            .open_by_id(self.thread, object, access, Attributes::empty())
            .unwrap()
    }

    fn handle_to_thread(&mut self, thread: ThreadId) -> Handle {
        let object = self.executive.thread(thread).unwrap().object;
        self.executive
            .open_by_id(self.thread, object, Access::THREAD_ALL, Attributes::empty())
            .unwrap()
    }

    fn event(&mut self, notification: bool) -> Handle {
        self.executive
            .create_event(
                self.thread,
                &ObjectAttributes::unnamed(),
                Access::EVENT_ALL,
                notification,
                false,
            )
            .unwrap()
            .handle
    }

    fn runnable(&self, thread: ThreadId) -> bool {
        self.machine.state().is_runnable(thread)
    }

    fn pass(&mut self, hundred_nanoseconds: u64) {
        self.machine.state().uptime += hundred_nanoseconds;
        self.executive.expire_timers();
    }

    fn enable(&mut self, privilege: u32, on: bool) {
        let token = self.executive.process_of(self.thread).unwrap().token;
        let attributes = if on { 2 } else { 0 };
        self.executive
            .token_mut(token)
            .unwrap()
            .adjust(Some(&[(privilege.into(), attributes)]), true);
    }

    fn stop(&self) -> Option<u32> {
        match self.machine.state().stop {
            Some(Stop::Bugcheck { code, .. }) => Some(code),
            _ => None,
        }
    }
}

fn bench() -> Bench {
    Bench::new(Version::V5_2)
}

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
fn a_notification_event_lets_all_through_a_synchronisation_event_one() {
    let mut bench = bench();
    let process = bench.own();
    let waiters = [
        bench.thread_of(process),
        bench.thread_of(process),
        bench.thread_of(process),
    ];
    for (notification, through) in [(true, 3), (false, 1)] {
        let event = bench.event(notification);
        for waiter in waiters {
            assert_eq!(
                bench.executive.wait(waiter, &[event], false, None),
                Ok(Completion::Pending)
            );
            assert!(!bench.runnable(waiter));
        }
        bench.executive.set_event(bench.thread, event).unwrap();
        let awake: Vec<_> = waiters
            .into_iter()
            .filter(|&waiter| bench.runnable(waiter))
            .collect();
        assert_eq!(awake, waiters[..through], "in the order in which they came");
        assert_eq!(
            bench.executive.query_event(bench.thread, event),
            Ok((notification, notification))
        );
        for waiter in waiters {
            bench.executive.unpark(waiter, Status::TIMEOUT);
            let status = bench.executive.take_completion(waiter);
            assert_eq!(
                status,
                Some(if awake.contains(&waiter) {
                    Status::SUCCESS
                } else {
                    Status::TIMEOUT
                })
            );
        }
    }
}

#[test]
fn wait_any_takes_the_first_and_wait_all_takes_all_at_once() {
    let mut bench = bench();
    let (first, second) = (bench.event(false), bench.event(false));
    let thread = bench.thread;
    assert_eq!(
        bench
            .executive
            .wait(thread, &[first, second], false, Some(0)),
        Ok(Completion::Done(Status::TIMEOUT))
    );
    bench.executive.set_event(thread, second).unwrap();
    assert_eq!(
        bench
            .executive
            .wait(thread, &[first, second], true, Some(0)),
        Ok(Completion::Done(Status::TIMEOUT))
    );
    assert_eq!(
        bench.executive.query_event(thread, second),
        Ok((false, true)),
        "a wait for all that fails takes nothing"
    );
    assert_eq!(
        bench
            .executive
            .wait(thread, &[first, second], false, Some(0)),
        Ok(Completion::Done(Status(1)))
    );
    assert_eq!(
        bench.executive.query_event(thread, second),
        Ok((false, false))
    );
    assert_eq!(
        bench.executive.wait(thread, &[first, second], true, None),
        Ok(Completion::Pending)
    );
    let process = bench.own();
    let other = bench.thread_of(process);
    bench.executive.set_event(other, first).unwrap();
    assert!(!bench.runnable(thread));
    bench.executive.set_event(other, second).unwrap();
    assert!(bench.runnable(thread));
    assert_eq!(
        bench.executive.take_completion(thread),
        Some(Status::SUCCESS)
    );
}

#[test]
fn waits_that_cannot_be() {
    let mut bench = bench();
    let thread = bench.thread;
    assert_eq!(
        bench.executive.wait(thread, &[], false, None),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        bench.executive.wait(thread, &[Handle(4); 65], false, None),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        bench.executive.wait(thread, &[Handle(0x100)], false, None),
        Err(Status::INVALID_HANDLE)
    );
    let modify = bench
        .executive
        .create_event(
            thread,
            &ObjectAttributes::unnamed(),
            Access::EVENT_MODIFY_STATE,
            true,
            true,
        )
        .unwrap()
        .handle;
    assert_eq!(
        bench.executive.wait(thread, &[modify], false, None),
        Err(Status::ACCESS_DENIED),
        "without SYNCHRONIZE"
    );
}

#[test]
fn timeouts_are_relative_or_absolute_and_a_delay_succeeds() {
    let mut bench = bench();
    let event = bench.event(true);
    let thread = bench.thread;
    bench
        .executive
        .wait(thread, &[event], false, Some(-5 * MILLISECOND))
        .unwrap();
    assert_eq!(bench.executive.next_deadline(), Some(50_000));
    bench.pass(49_999);
    assert!(!bench.runnable(thread));
    bench.pass(1);
    assert!(bench.runnable(thread));
    assert_eq!(
        bench.executive.take_completion(thread),
        Some(Status::TIMEOUT)
    );
    let soon = bench.executive.now() as i64 + MILLISECOND;
    bench
        .executive
        .wait(thread, &[event], false, Some(soon))
        .unwrap();
    bench.pass(10_000);
    assert_eq!(
        bench.executive.take_completion(thread),
        Some(Status::TIMEOUT)
    );
    assert_eq!(
        bench.executive.delay(thread, -MILLISECOND),
        Completion::Pending
    );
    bench.pass(10_000);
    assert_eq!(
        bench.executive.take_completion(thread),
        Some(Status::SUCCESS)
    );
    assert_eq!(bench.executive.next_deadline(), None);
}

#[test]
fn a_waiter_that_is_suspended_stays_so_when_its_wait_is_over() {
    let mut bench = bench();
    let process = bench.own();
    let waiter = bench.thread_of(process);
    let handle = bench.handle_to_thread(waiter);
    let event = bench.event(true);
    bench.executive.wait(waiter, &[event], false, None).unwrap();
    bench
        .executive
        .suspend_thread(bench.thread, handle)
        .unwrap();
    bench.executive.set_event(bench.thread, event).unwrap();
    assert!(!bench.runnable(waiter));
    bench.executive.resume_thread(bench.thread, handle).unwrap();
    assert!(bench.runnable(waiter));
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
    bench.executive.end_thread(first, Status(0x55));
    assert_eq!(bench.executive.take_completion(waiter), Some(Status(1)));
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
    bench.executive.end_thread(second, Status(0x66));
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
        Status(0x66),
        "the last thread's"
    );
    assert_eq!(
        bench
            .executive
            .query_thread(waiter, thread)
            .unwrap()
            .exit_status,
        Status(0x55)
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
        .terminate_process(bench.thread, handle, Status(7))
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
            .terminate_process(bench.thread, handle, Status(8)),
        Err(Status::PROCESS_IS_TERMINATING)
    );
    assert_eq!(
        bench
            .executive
            .query_process(bench.thread, handle)
            .unwrap()
            .exit_status,
        Status(7)
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
fn the_mutants_of_a_thread_that_ends_are_abandoned() {
    let mut bench = bench();
    let process = bench.own();
    let owner = bench.thread_of(process);
    let theirs = bench
        .executive
        .create_mutant(
            owner,
            &ObjectAttributes::unnamed(),
            Access::MUTANT_ALL,
            true,
        )
        .unwrap()
        .handle;
    let object = bench
        .executive
        .resolve(owner, theirs, None, Access::empty())
        .unwrap();
    let handle = bench
        .executive
        .open_by_id(
            bench.thread,
            object,
            Access::MUTANT_ALL,
            Attributes::empty(),
        )
        .unwrap();
    let waiter = bench.thread;
    assert_eq!(
        bench.executive.wait(waiter, &[handle], false, None),
        Ok(Completion::Pending)
    );
    bench.executive.end_thread(owner, Status::SUCCESS);
    assert_eq!(
        bench.executive.take_completion(waiter),
        Some(Status::ABANDONED)
    );
    assert_eq!(
        bench.executive.wait(waiter, &[handle], false, Some(0)),
        Ok(Completion::Done(Status::SUCCESS)),
        "its owner may take it again"
    );
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
