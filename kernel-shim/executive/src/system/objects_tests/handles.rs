// SPDX-License-Identifier: GPL-2.0-or-later
//! Handles: their values, their rights, duplicates.

use super::*;

#[test]
fn permanent_objects_need_the_privilege() {
    let mut bench = Bench::new();
    let token = bench.executive.process_of(bench.thread).unwrap().token;
    bench.executive.token_mut(token).unwrap().adjust(None, true);
    assert_eq!(
        bench.directory("\\P", OPENIF),
        Err(Status::PRIVILEGE_NOT_HELD)
    );
    assert!(bench.directory("\\T", Attributes::empty()).is_ok());
}

#[test]
fn exclusive_objects_belong_to_one_process() {
    let mut bench = Bench::new();
    let exclusive = Attributes::EXCLUSIVE.union(Attributes::OPENIF);
    bench.event("\\E", exclusive).unwrap();
    let other = bench.another();
    let attributes = ObjectAttributes::named(wide!("\\E")).with(exclusive);
    assert_eq!(
        bench
            .executive
            .create_event(other, &attributes, Access::EVENT_QUERY_STATE, true, false),
        Err(Status::ACCESS_DENIED)
    );
    assert!(bench.event("\\E", exclusive).is_ok());
    assert_eq!(
        bench.event("\\F", exclusive.union(Attributes::INHERIT)),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        bench.event("\\F", Attributes::empty()).map(|_| ()),
        Ok(()),
        "the failure left nothing behind"
    );
}

#[test]
fn handles_are_multiples_of_four_and_their_low_bits_do_not_count() {
    let mut bench = Bench::new();
    let first = bench.event("", Attributes::empty()).unwrap();
    let second = bench.event("", Attributes::empty()).unwrap();
    assert_eq!((first, second), (Handle(4), Handle(8)));
    bench.close(Handle(first.0 | 1));
    assert_eq!(
        bench.executive.close(bench.thread, first),
        Err(Status::INVALID_HANDLE)
    );
    assert_eq!(
        bench.event("", Attributes::empty()),
        Ok(first),
        "the free slot is used again"
    );
    for bad in [Handle::NULL, Handle(0x1000), Handle(!7)] {
        assert_eq!(
            bench.executive.close(bench.thread, bad),
            Err(Status::INVALID_HANDLE)
        );
    }
}

#[test]
fn a_handle_gives_what_it_was_granted_and_no_more() {
    let mut bench = Bench::new();
    let attributes = ObjectAttributes::unnamed();
    let query = bench
        .executive
        .create_event(
            bench.thread,
            &attributes,
            Access::EVENT_QUERY_STATE,
            true,
            false,
        )
        .unwrap()
        .handle;
    assert_eq!(
        bench.executive.set_event(bench.thread, query),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        bench.executive.make_temporary(bench.thread, query),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        bench.executive.query_directory(bench.thread, query),
        Err(Status::OBJECT_TYPE_MISMATCH)
    );
    let generic = bench
        .executive
        .create_event(bench.thread, &attributes, Access::GENERIC_ALL, true, false)
        .unwrap()
        .handle;
    assert_eq!(
        bench
            .executive
            .query_object(bench.thread, generic)
            .unwrap()
            .access,
        Access::EVENT_ALL
    );
    let maximum = bench
        .executive
        .create_event(
            bench.thread,
            &attributes,
            Access::MAXIMUM_ALLOWED,
            true,
            false,
        )
        .unwrap()
        .handle;
    assert_eq!(
        bench
            .executive
            .query_object(bench.thread, maximum)
            .unwrap()
            .access,
        Access::EVENT_ALL
    );
}

#[test]
fn duplicates_go_to_other_processes_and_may_close_their_source() {
    let mut bench = Bench::new();
    let event = bench.event("", Attributes::empty()).unwrap();
    let other = bench.another();
    let process = bench.executive.process_of(other).unwrap().object;
    let target = bench
        .executive
        .open_by_id(
            bench.thread,
            process,
            Access::PROCESS_DUP_HANDLE,
            Attributes::empty(),
        )
        .unwrap();
    let request = Duplicate {
        source_process: Handle::CURRENT_PROCESS,
        source: event,
        target_process: target,
        access: Access::EVENT_QUERY_STATE,
        attributes: 0,
        options: 0,
    };
    let copy = bench.executive.duplicate(bench.thread, &request).unwrap();
    assert_eq!(
        bench.executive.query_object(other, copy).unwrap().access,
        Access::EVENT_QUERY_STATE
    );
    assert_eq!(
        bench.executive.query_object(other, copy).unwrap().handles,
        2
    );
    let same = Duplicate {
        options: DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE,
        ..request
    };
    let moved = bench.executive.duplicate(bench.thread, &same).unwrap();
    assert_eq!(
        bench.executive.query_object(other, moved).unwrap().access,
        Access::EVENT_ALL
    );
    assert_eq!(
        bench.executive.close(bench.thread, event),
        Err(Status::INVALID_HANDLE)
    );
    // Closing in another process only.
    let close = Duplicate {
        source_process: target,
        source: moved,
        target_process: Handle::NULL,
        access: Access::empty(),
        attributes: 0,
        options: DUPLICATE_CLOSE_SOURCE,
    };
    assert_eq!(
        bench.executive.duplicate(bench.thread, &close),
        Ok(Handle::NULL)
    );
    assert_eq!(
        bench.executive.query_object(other, moved),
        Err(Status::INVALID_HANDLE)
    );
    assert_eq!(
        bench.executive.duplicate(
            bench.thread,
            &Duplicate {
                source: Handle(0x500),
                ..request
            }
        ),
        Err(Status::INVALID_HANDLE)
    );
    // The current process's pseudo handle becomes a real one.
    let own = Duplicate {
        source: Handle::CURRENT_PROCESS,
        target_process: Handle::CURRENT_PROCESS,
        access: Access::PROCESS_QUERY_INFORMATION,
        ..request
    };
    let own = bench.executive.duplicate(bench.thread, &own).unwrap();
    assert_eq!(
        bench
            .executive
            .query_object(bench.thread, own)
            .unwrap()
            .kind,
        Kind::Process
    );
}

#[test]
fn protected_handles_are_not_closed() {
    let mut bench = Bench::new();
    let event = bench.event("", Attributes::INHERIT).unwrap();
    assert_eq!(
        bench.executive.query_handle_flags(bench.thread, event),
        Ok((true, false))
    );
    bench
        .executive
        .set_handle_flags(bench.thread, event, false, true)
        .unwrap();
    assert_eq!(
        bench.executive.close(bench.thread, event),
        Err(Status::HANDLE_NOT_CLOSABLE)
    );
}
