// SPDX-License-Identifier: GPL-2.0-or-later
//! Waits: what satisfies them, timeouts, abandoned mutants.

use super::*;

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
        Ok(Completion::Done(Status::new(1)))
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
