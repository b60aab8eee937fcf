// SPDX-License-Identifier: GPL-2.0-or-later
//! What happens elsewhere at every single call that smss makes: a server dies, an initial command
//! ends, a server registers twice (spec 9.4, 10.2, 11.3, 11.5).
//!
//! After each of them a session stands whole or is gone, and the tables and handles say the same.

use crate::instances;
use crate::kernel::{Kernel, SMSS};
use crate::sessions::{self, World};
use nt::{Status, Word};
use sm_protocol::sm::ChildProcess;
use sm_protocol::{request, result_of};
use subsystems::{Command, SERVER_TIMEOUT};
use zerocopy::FromZeros;

fn last(kernel: &Kernel, image: &str) -> Option<Word> {
    kernel.running(image).last().copied()
}

/// Kernel versions, each with a booted system of its own that has session 0 alone.
fn worlds() -> [fn() -> World; 2] {
    [
        || sessions::booted(|plan| plan),
        || instances::booted(Some(1)).0,
    ]
}

/// Starts a session, with `act` happening before the `nth` call: what StartCsr came to, and whether
/// it made as many calls.
fn start_with(
    world: &World,
    nth: Word,
    act: impl FnOnce(&Kernel) + Send + 'static,
) -> (bool, bool) {
    let before = world.kernel.calls();
    world.kernel.meanwhile(nth, act);
    let started = world.start("").is_ok();
    (started, world.kernel.calls() - before > nth)
}

#[test]
fn spec_11_3_csrss_that_dies_at_any_call_leaves_no_session_without_it() {
    for world in worlds() {
        let mut nth = 0;
        loop {
            let world = world();
            let before = (world.kernel.open_handles(), world.manager.counts());
            let (started, reached) = start_with(&world, nth, |kernel| {
                // That of session 0 is not meant.
                if let [_, csrss] = kernel.running("csrss.exe")[..] {
                    kernel.exit(csrss, Status::new(0xC000_0005));
                }
            });
            if !reached {
                break;
            }
            let servers = world.kernel.running("csrss.exe").len();
            if started && servers == 2 {
                assert_eq!(world.manager.counts().sessions, 2, "call {nth}");
                let csrss = last(world.kernel, "csrss.exe").unwrap();
                let session = world.kernel.state().processes[&csrss].session;
                assert_eq!(world.stop(session), Ok(()), "call {nth}");
            } else {
                assert_eq!(servers, 1, "call {nth}: {started}");
            }
            assert_eq!(
                world.kernel.running("winlogon.exe").len(),
                usize::from(world.kernel.state().version == 5),
                "call {nth}: an initial command without its csrss; started: {started}"
            );
            assert_eq!(
                (
                    world.kernel.open_handles(),
                    world.manager.counts(),
                    world.kernel.state().bad_closes
                ),
                (before.0, before.1, 0),
                "call {nth}: started: {started}"
            );
            nth += 1;
        }
        assert!(nth > 20, "{nth}");
    }
}

#[test]
fn spec_11_5_an_initial_command_that_ends_at_any_call_takes_its_session_with_it() {
    let mut nth = 0;
    loop {
        let world = instances::booted(Some(1)).0;
        let before = (world.kernel.open_handles(), world.manager.counts());
        let (started, reached) = start_with(&world, nth, |kernel| {
            // Once it runs: it ends, and csrss of its session tells so.
            let runs = |id: &Word| kernel.state().processes[id].running;
            if let Some(winlogon) = last(kernel, "winlogon.exe").filter(runs) {
                kernel.exit(winlogon, Status::SUCCESS);
                let csrss = last(kernel, "csrss.exe").unwrap();
                let session = kernel.state().last_environment;
                kernel.session_complete(csrss, session);
            }
        });
        if !reached {
            break;
        }
        if world.kernel.running("winlogon.exe").is_empty() {
            assert_eq!(
                world.kernel.running("csrss.exe").len(),
                1,
                "call {nth}: started: {started}"
            );
        } else {
            assert_eq!(world.stop(1), Ok(()), "call {nth}");
        }
        assert_eq!(
            (
                world.kernel.open_handles(),
                world.manager.counts(),
                world.kernel.state().bad_closes
            ),
            (before.0, before.1, 0),
            "call {nth}: started: {started}"
        );
        nth += 1;
    }
    assert!(nth > 20, "{nth}");
}

#[test]
fn spec_9_3_who_asks_for_a_session_while_another_is_made_waits_for_it_to_stand() {
    let mut nth = 0;
    loop {
        let (kernel, manager) = sessions::cold(|plan| plan);
        let world = World::of(kernel, manager);
        let command = Box::leak(Box::new(Command::new()));
        let session0 = manager.load_session0(command).unwrap();
        kernel.meanwhile(nth, |kernel| {
            // Who waits has begun nothing.
            assert_eq!(kernel.state().attached.get(&SMSS), Some(&0));
            session0.start_initial().unwrap();
        });
        let handles = kernel.open_handles();
        let started = world.start("");
        let waited = kernel.state().waited;
        if let Err(status) = started {
            // For as long as a server and then an initial command may take.
            assert_eq!(status, Status::IO_TIMEOUT);
            assert!(waited >= 2 * SERVER_TIMEOUT, "{waited}");
            assert_eq!(kernel.open_handles(), handles);
            break;
        }
        assert_eq!(kernel.running("winlogon.exe").len(), 2, "call {nth}");
        assert_eq!(world.stop(1), Ok(()), "call {nth}");
        // winlogon's process is lent to the main thread.
        assert_eq!(
            (kernel.open_handles(), kernel.state().bad_closes),
            (handles + 1, 0),
            "call {nth}"
        );
        nth += 1;
        assert!(nth < 1_000, "it waits without end");
    }
    assert!(nth > 3, "{nth}");
}

#[test]
fn spec_10_2_of_two_registrations_at_once_one_is_refused() {
    let mut seen = 0;
    for nth in 0..12 {
        let (kernel, manager) = sessions::cold(|plan| plan.windows("late.exe"));
        let before = kernel.open_handles();
        // Session 0 waits for its server, which registers while smss deals with the first attempt.
        kernel.state().twice = Some(nth);
        let mut command = Command::new();
        let loaded = manager.load_session0(&mut command);
        assert!(loaded.is_ok(), "call {nth}");
        let results = kernel.state().registrations.clone();
        seen += results.len() - 1;
        assert_eq!(
            results.iter().filter(|result| result.is_ok()).count(),
            1,
            "call {nth}: {results:?}"
        );
        let server = kernel.running("late.exe")[0];
        drop(loaded);
        kernel.exit(server, Status::SUCCESS);
        assert_eq!(manager.counts().clients, 0, "call {nth}");
        // The process handle is lent to the main thread.
        assert_eq!(kernel.open_handles(), before + 1, "call {nth}");
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn spec_11_5_a_child_instance_killed_at_any_call_leaves_nothing() {
    killed_at_any_call(0, None);
}

#[test]
fn spec_11_5_nothing_of_session_0_ends_with_the_child_instance_that_makes_it() {
    // At the boot, and for a client that asks for any session while there is none.
    for boot in [true, false] {
        let mut killed = 0;
        for nth in 0.. {
            let world = instances::unbooted(Some(1));
            let before = world.kernel.calls();
            world.kernel.meanwhile(nth, |kernel| {
                if let [_, child] = kernel.running("smss.exe")[..] {
                    kernel.exit(child, Status::new(0xC000_0005));
                }
            });
            let stands = if boot {
                world.manager.load_initial_sessions().is_ok()
            } else {
                world.start("").is_ok()
            };
            if world.kernel.calls() - before <= nth {
                break;
            }
            killed += u32::from(!stands);
            let state = world.kernel.state();
            let instance = |image: &String| image == "smss.exe";
            assert!(
                state.ended.iter().all(instance),
                "call {nth}: {:?}",
                state.ended
            );
        }
        assert!(killed > 20, "{killed}");
    }
}

#[test]
fn spec_11_5_what_a_killed_child_instance_left_is_found_among_any_number_of_processes() {
    // The kernel's list of them has more than the 64 KiB that are asked for at first.
    killed_at_any_call(600, None);
}

#[test]
fn spec_11_5_what_a_killed_child_instance_left_is_ended_though_a_call_for_that_is_refused_once() {
    for call in ["query_raw", "open_process", "terminate_process"] {
        killed_at_any_call(0, Some(call));
    }
}

#[test]
fn spec_11_5_a_list_of_processes_that_is_always_too_long_is_given_up_at_4_mib() {
    let world = instances::booted(Some(1)).0;
    let (started, _) = start_with(&world, 20, |kernel| {
        // From 64 KiB on twice as much each time, and all that ten times.
        for _ in 0..70 {
            kernel.refuse("query_raw", Status::INFO_LENGTH_MISMATCH);
        }
        kernel.exit(kernel.running("smss.exe")[1], Status::new(0xC000_0005));
    });
    assert!(!started);
    assert_eq!(world.kernel.state().longest_list, 4 << 20);
    assert!(world.start("").is_ok());
}

/// Among so many other processes; `refused`: the next call of this service is, from then on.
fn killed_at_any_call(others: usize, refused: Option<&'static str>) {
    let mut nth = 0;
    let mut killed = 0;
    loop {
        let world = instances::booted(Some(1)).0;
        for _ in 0..others {
            world.kernel.add_process(0, "other.exe");
        }
        let before = (world.kernel.open_handles(), world.manager.counts());
        let (started, reached) = start_with(&world, nth, move |kernel| {
            if let [_, child] = kernel.running("smss.exe")[..] {
                if let Some(call) = refused {
                    kernel.refuse(call, Status::INSUFFICIENT_RESOURCES);
                }
                kernel.exit(child, Status::new(0xC000_0005));
            }
        });
        if !reached {
            break;
        }
        if started {
            assert_eq!(world.stop(1), Ok(()), "call {nth}");
        } else {
            killed += 1;
        }
        let images = ["csrss.exe", "winlogon.exe", "smss.exe"];
        assert_eq!(
            images.map(|image| world.kernel.running(image).len()),
            [1, 0, 1],
            "call {nth}: started: {started}"
        );
        assert_eq!(
            (
                world.kernel.open_handles(),
                world.manager.counts(),
                world.kernel.state().bad_closes
            ),
            (before.0, before.1, 0),
            "call {nth}: started: {started}"
        );
        nth += 1;
    }
    assert!(killed > 20, "{killed}");
}

#[test]
fn spec_11_5_a_child_instance_is_heard_about_its_own_processes_only() {
    let mut nth = 0;
    let mut asked = 0;
    loop {
        let world = instances::booted(Some(1)).0;
        let lie = |kernel: &Kernel| {
            let [_, child] = kernel.running("smss.exe")[..] else {
                return;
            };
            let Some(context) = kernel.context_of(child) else {
                return;
            };
            let csrss = kernel.running("csrss.exe")[0];
            // A process of its parent's in this session.
            let process = |session, parent| {
                let id = kernel.add_process(session, "other.exe");
                kernel.state().processes.get_mut(&id).unwrap().parent = parent;
                (id, kernel.give_handle(child, id))
            };
            let (own, own_handle) = process(1, child);
            let tell = |session, role, process| {
                let mut body = ChildProcess::new_zeroed();
                (body.session, body.role, body.process) = (session, role, process);
                // Whose handle it is says the kernel.
                body.client.process = own;
                let reply = kernel.send(child, context, &request(&body)).unwrap();
                assert!(result_of(&reply).is_err(), "{session} {role} {process:#x}");
            };
            let (elsewhere, elsewhere_handle) = process(5, child);
            let (foreign, foreign_handle) = process(1, SMSS);
            for role in [ChildProcess::SERVER, ChildProcess::INITIAL] {
                tell(5, role, elsewhere_handle);
                for told in [
                    Word::MAX,
                    0,
                    0x7770,
                    kernel.give_handle(child, csrss),
                    elsewhere_handle,
                    foreign_handle,
                ] {
                    tell(1, role, told);
                }
            }
            tell(1, ChildProcess::INITIAL + 1, own_handle);
            // What it has reported it cannot report again.
            let of_1 = |id: &Word| kernel.state().processes[id].session == 1;
            for image in ["csrss.exe", "winlogon.exe"] {
                let known = last(kernel, image).filter(of_1);
                let known = known.filter(|id| {
                    let mut records = kernel.records().into_iter();
                    records.any(|record| record.process == Some(*id))
                });
                if let Some(known) = known {
                    tell(1, ChildProcess::SERVER, kernel.give_handle(child, known));
                }
            }
            for id in [own, elsewhere, foreign] {
                kernel.exit(id, Status::SUCCESS);
            }
            kernel.state().lies += 1;
        };
        let (started, reached) = start_with(&world, nth, lie);
        if !reached {
            break;
        }
        assert!(started, "call {nth}");
        asked += world.kernel.state().lies;
        assert_eq!(world.stop(1), Ok(()), "call {nth}");
        assert_eq!(world.kernel.running("csrss.exe").len(), 1, "call {nth}");
        assert_eq!(world.kernel.state().bad_closes, 0, "call {nth}");
        nth += 1;
    }
    assert!(asked > 10, "{asked}");
}
