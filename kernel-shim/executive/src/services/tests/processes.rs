// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes, threads and tokens through the system-call layer (spec 1.3, 9.7).

use super::*;
use crate::layout::Context as Registers;
use crate::layout::{InitialTeb, ProcessBasic, ThreadBasic};
use crate::ob::prelude::*;
use abi::amd64::{CONTEXT_CONTROL, CONTEXT_INTEGER};
use zerocopy::FromZeros;

const SELF: u64 = u64::MAX;
const OWN_THREAD: u64 = u64::MAX - 1;

#[test]
fn spec_1_3_smss_makes_itself_critical_and_raises_its_priority() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    world.put(caller, 0, 1_u32);
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 29, at(0), 4]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(
            caller,
            "NtSetInformationThread",
            &[OWN_THREAD, 18, at(0), 4]
        ),
        Status::SUCCESS
    );
    world.put(caller, 0, 11_u32);
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 5, at(0), 4]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 5, at(0), 8]),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationProcess",
            &[SELF, 29, at(0), 4, at(8)]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        (world.get::<u32>(caller, 0), world.get::<u32>(caller, 8)),
        (1, 4)
    );
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationProcess",
            &[SELF, 0, at(0x10), 0x30, 0]
        ),
        Status::SUCCESS
    );
    let basic: ProcessBasic = world.get(caller, 0x10);
    assert_eq!(
        (basic.base_priority, basic.process, basic.parent),
        (11, u64::from(caller.process.0), 4)
    );
    assert_eq!(Status::new(basic.exit_status), Status::PENDING);
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationProcess",
            &[SELF, 0, at(0x10), 0x38, 0]
        ),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationThread",
            &[OWN_THREAD, 0, at(0x10), 0x30, 0]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        { world.get::<ThreadBasic>(caller, 0x10).client.thread },
        u64::from(caller.thread.0)
    );
}

#[test]
fn spec_12_5_the_end_of_a_critical_process_is_a_bugcheck() {
    let mut world = World::new();
    let caller = world.caller();
    world.put(caller, 0, 1_u32);
    world.status(
        caller,
        "NtSetInformationProcess",
        &[SELF, 29, caller.memory, 4],
    );
    assert_eq!(
        world.call(caller, "NtTerminateProcess", &[SELF, 5]),
        Done::Gone
    );
    assert_eq!(world.exec.bug_check().map(|check| check.code), Some(0xF4));
}

#[test]
fn spec_13_4_the_device_map_has_0x24_bytes() {
    let mut world = World::new();
    let caller = world.caller();
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationProcess",
            &[SELF, 23, caller.memory, 0x24, 0]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationProcess",
            &[SELF, 23, caller.memory, 0x28, 0]
        ),
        Status::INFO_LENGTH_MISMATCH
    );
}

#[test]
fn classes_that_are_not_built_or_not_there_say_which() {
    let mut world = World::new();
    let caller = world.caller();
    let at = caller.memory;
    assert_eq!(
        world.status(caller, "NtQueryInformationProcess", &[SELF, 1, at, 4, 0]),
        Status::NOT_IMPLEMENTED
    );
    assert_eq!(
        world.status(caller, "NtQueryInformationProcess", &[SELF, 99, at, 4, 0]),
        Status::INVALID_INFO_CLASS
    );
    assert_eq!(
        world.status(caller, "NtSetInformationThread", &[OWN_THREAD, 99, at, 4]),
        Status::INVALID_INFO_CLASS
    );
    assert_eq!(
        world.status(caller, "NtQueryInformationProcess", &[0x44, 36, at, 4, 0]),
        Status::INVALID_PARAMETER
    );
}

#[test]
fn a_thread_is_created_from_a_context_and_an_initial_teb() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    let context = Registers {
        rip: 0x1000,
        rsp: at(0x8000),
        rcx: 0x77,
        flags: CONTEXT_CONTROL,
        ..Registers::new_zeroed()
    };
    world.put(caller, 0x1000, context);
    world.put(
        caller,
        0x100,
        InitialTeb {
            stack_base: at(0x9000),
            stack_limit: at(0x8000),
            ..InitialTeb::default()
        },
    );
    let arguments = [
        at(0),
        0x1F_03FF,
        0,
        SELF,
        at(0x20),
        at(0x1000),
        at(0x100),
        1,
    ];
    assert_eq!(
        world.status(caller, "NtCreateThread", &arguments),
        Status::SUCCESS
    );
    let (handle, client): (u64, [u64; 2]) = (world.get(caller, 0), world.get(caller, 0x20));
    assert_eq!(client[0], u64::from(caller.process.0));
    assert_eq!(
        world.status(caller, "NtResumeThread", &[handle, at(0x30)]),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 0x30), 1);
    assert_eq!(
        world.status(caller, "NtSuspendThread", &[handle, at(0x30)]),
        Status::SUCCESS
    );
    world.put(
        caller,
        0x1000,
        Registers {
            flags: CONTEXT_CONTROL | CONTEXT_INTEGER,
            ..Registers::new_zeroed()
        },
    );
    assert_eq!(
        world.status(caller, "NtGetContextThread", &[handle, at(0x1000)]),
        Status::SUCCESS
    );
    let now: Registers = world.get(caller, 0x1000);
    assert_eq!((now.rip, now.rcx, now.cs), (0x1000, 0x77, 0x33));
    let misaligned = [at(0), 0x1F_03FF, 0, SELF, 0, at(0x1008), at(0x100), 1];
    assert_eq!(
        world.status(caller, "NtCreateThread", &misaligned),
        Status::DATATYPE_MISALIGNMENT
    );
}

#[test]
fn a_thread_that_asks_for_it_takes_its_stack_with_it() {
    const TEB_FREE_STACK: u64 = 0x1745;
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    for free in [false, true] {
        world.put(caller, 0x40, [0_u64, 0x10000]);
        assert_eq!(
            world.status(
                caller,
                "NtAllocateVirtualMemory",
                &[SELF, at(0x40), 0, at(0x48), 0x3000, 4]
            ),
            Status::SUCCESS
        );
        let stack: u64 = world.get(caller, 0x40);
        let context = Registers {
            rip: 0x1000,
            rsp: stack + 0x8000,
            flags: CONTEXT_CONTROL,
            ..Registers::new_zeroed()
        };
        world.put(caller, 0x1000, context);
        let initial = InitialTeb {
            stack_base: stack + 0x10000,
            stack_limit: stack,
            allocated_stack_base: stack,
            ..InitialTeb::default()
        };
        world.put(caller, 0x100, initial);
        let arguments = [
            at(0),
            0x1F_03FF,
            0,
            SELF,
            at(0x20),
            at(0x1000),
            at(0x100),
            1,
        ];
        assert_eq!(
            world.status(caller, "NtCreateThread", &arguments),
            Status::SUCCESS
        );
        let (handle, client): (u64, [u64; 2]) = (world.get(caller, 0), world.get(caller, 0x20));
        let teb = world
            .exec
            .thread(ThreadId(client[1] as u32))
            .expect("it was made")
            .teb;
        if free {
            world
                .exec
                .write_process(caller.process, teb + TEB_FREE_STACK, &[1])
                .expect("it is there");
        }
        assert_eq!(
            world.status(caller, "NtTerminateThread", &[handle, 0]),
            Status::SUCCESS
        );
        assert_eq!(
            world
                .exec
                .read_process(caller.process, stack, &mut [0])
                .is_err(),
            free
        );
        assert!(
            world
                .exec
                .read_process(caller.process, teb, &mut [0])
                .is_err()
        );
    }
}

#[test]
fn nt_continue_hands_over_a_context_that_user_mode_may_have() {
    let mut world = World::new();
    let caller = world.caller();
    let wanted = Registers {
        rip: 0x1234,
        eflags: 0xFFFF_FFFF,
        cs: 8,
        mxcsr: 0xFFFF_1F80,
        ..Registers::new_zeroed()
    };
    world.put(caller, 0x1000, wanted);
    let Done::Continues(context) = world.call(caller, "NtContinue", &[caller.memory + 0x1000, 1])
    else {
        panic!("no context")
    };
    assert_eq!(
        (context.rip, context.cs, context.ss, context.mxcsr),
        (0x1234, 0x33, 0x2B, 0x1F80)
    );
    assert_eq!(context.eflags & 0x3000, 0, "no I/O privilege");
    world.put(
        caller,
        0x1000,
        Registers {
            rip: 0xFFFF_8000_0000_0000,
            ..wanted
        },
    );
    assert_eq!(
        world.status(caller, "NtContinue", &[caller.memory + 0x1000, 1]),
        Status::ACCESS_VIOLATION
    );
}

#[test]
fn spec_9_7_a_privilege_is_enabled_and_its_old_state_comes_back() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    assert_eq!(
        world.status(caller, "NtOpenProcessToken", &[SELF, 0x28, at(0)]),
        Status::SUCCESS
    );
    let token: u64 = world.get(caller, 0);
    // One privilege, SeShutdown, enabled.
    world.put(caller, 0x100, [1_u32, 19, 0, 2]);
    let arguments = [token, 0, at(0x100), 0x10, at(0x200), at(0x20)];
    assert_eq!(
        world.status(caller, "NtAdjustPrivilegesToken", &arguments),
        Status::SUCCESS
    );
    assert_eq!(
        (
            world.get::<[u32; 4]>(caller, 0x200),
            world.get::<u32>(caller, 0x20)
        ),
        ([1, 19, 0, 0], 0x10)
    );
    assert!(world.exec.privileged(caller.thread, 19).expect("a token"));
    world.put(caller, 0x100, [1_u32, 19, 0, 0]);
    let small = [token, 0, at(0x100), 4, at(0x200), at(0x20)];
    assert_eq!(
        world.status(caller, "NtAdjustPrivilegesToken", &small),
        Status::BUFFER_TOO_SMALL
    );
    world.put(caller, 0x100, [1_u32, 99, 0, 2]);
    assert_eq!(
        world.status(
            caller,
            "NtAdjustPrivilegesToken",
            &[token, 0, at(0x100), 0, 0, 0]
        ),
        Status::NOT_ALL_ASSIGNED
    );
}

#[test]
fn a_token_tells_its_user_behind_its_structure() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    world.status(caller, "NtOpenProcessToken", &[SELF, 8, at(0)]);
    let token: u64 = world.get(caller, 0);
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationToken",
            &[token, 1, at(0x100), 8, at(0x20)]
        ),
        Status::BUFFER_TOO_SMALL
    );
    assert_eq!(world.get::<u32>(caller, 0x20), 0x10 + 12);
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationToken",
            &[token, 1, at(0x100), 0x1C, at(0x20)]
        ),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u64>(caller, 0x100), at(0x110));
    assert_eq!(
        world.get_bytes(caller, 0x110, 12),
        [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]
    );
    assert_eq!(
        world.status(caller, "NtAdjustPrivilegesToken", &[token, 1, 0, 0, 0, 0]),
        Status::ACCESS_DENIED
    );
}

#[test]
fn execute_flags_are_set_until_they_are_permanent() {
    let mut world = World::new();
    let caller = world.caller();
    let at = caller.memory;
    world.put(caller, 0, 0x0D_u32);
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 34, at, 4]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 34, at, 4]),
        Status::ACCESS_DENIED
    );
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationProcess",
            &[SELF, 34, at + 8, 4, 0]
        ),
        Status::SUCCESS
    );
    assert_eq!(world.get::<u32>(caller, 8), 0x0D);
    world.put(caller, 0, 0x40_u32);
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 34, at, 4]),
        Status::INVALID_PARAMETER
    );
}

#[test]
fn a_thread_tells_when_it_was_made_and_when_it_ended() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    let times = |world: &mut World, thread: u64| {
        let arguments = [thread, 1, at(0), 0x20, 0];
        assert_eq!(
            world.status(caller, "NtQueryInformationThread", &arguments),
            Status::SUCCESS
        );
        let arguments = [thread, 20, at(0x20), 4, 0];
        assert_eq!(
            world.status(caller, "NtQueryInformationThread", &arguments),
            Status::SUCCESS
        );
        (
            world.get::<[u64; 4]>(caller, 0),
            world.get::<u32>(caller, 0x20),
        )
    };
    let (own, ended) = times(&mut world, OWN_THREAD);
    let made = world.exec.now();
    assert_eq!((own, ended), ([made, 0, 0, 0], 0));
    assert_eq!(
        world.status(
            caller,
            "NtQueryInformationThread",
            &[OWN_THREAD, 1, at(0), 0x28, 0]
        ),
        Status::INFO_LENGTH_MISMATCH
    );
    // Another thread of the process, by a handle that outlives it.
    let other = world
        .exec
        .make_thread(caller.process, &Context::default(), Stack::default())
        .unwrap();
    let object = world.exec.thread(other).unwrap().object;
    let handle = world
        .exec
        .open_by_id(
            caller.thread,
            object,
            nt::access::Access::THREAD_ALL,
            nt::object::Attributes::empty(),
        )
        .unwrap();
    world.machine.state().uptime += 50;
    world.exec.end_thread(other, Status::SUCCESS);
    world.machine.state().uptime += 50;
    assert_eq!(times(&mut world, handle.0), ([made, made + 50, 0, 0], 1));
}

#[test]
fn the_foreground_is_a_byte_anywhere_and_gives_the_normal_priority_back() {
    let mut world = World::new();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    world.put(caller, 0, 11_u32);
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 5, at(0), 4]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 25, at(3), 1]),
        Status::SUCCESS
    );
    let process = world.exec.process(caller.process).unwrap();
    assert_eq!(process.base_priority, 8);
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 25, at(3), 4]),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(
        world.status(caller, "NtSetInformationProcess", &[SELF, 5, at(1), 4]),
        Status::DATATYPE_MISALIGNMENT
    );
}
