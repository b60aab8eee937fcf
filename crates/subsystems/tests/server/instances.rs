// SPDX-License-Identifier: GPL-2.0-or-later
//! NT 6: sessions made by child instances of smss (spec 11.5, 11.6).

use crate::kernel::{Kernel, SMSS, TestPlan, start_with};
use crate::sessions::World;
use nt::failure::Essential;
use nt::system::ImageSubsystem;
use nt::{Status, wide};
use sm_protocol::sm::{ConnectionInfo, ExecPgm};
use sm_protocol::{request, result_of};
use subsystems::SERVER_TIMEOUT;
use subsystems::end::Watched;
use test_support::warnings;
use zerocopy::FromZeros;

fn plan(kernel: &'static Kernel) -> &'static TestPlan {
    TestPlan::new(kernel).leak()
}

fn silent_plan(kernel: &'static Kernel) -> &'static TestPlan {
    TestPlan::new(kernel).windows("silent.exe").leak()
}

fn dying_plan(kernel: &'static Kernel) -> &'static TestPlan {
    TestPlan::new(kernel).windows("dies.exe").leak()
}

fn leaving_plan(kernel: &'static Kernel) -> &'static TestPlan {
    TestPlan::new(kernel).windows("leaves.exe").leak()
}

fn finishing_plan(kernel: &'static Kernel) -> &'static TestPlan {
    TestPlan::new(kernel).windows("finishes.exe").leak()
}

fn cold(child: fn(&'static Kernel) -> &'static TestPlan, sessions: Option<u32>) -> World {
    cold_on(Kernel::new(), child, sessions)
}

fn cold_on(
    kernel: Kernel,
    child: fn(&'static Kernel) -> &'static TestPlan,
    sessions: Option<u32>,
) -> World {
    kernel.state().version = 6;
    kernel.child_plan(child);
    let kernel: &'static Kernel = Box::leak(Box::new(kernel));
    let mut plan = TestPlan::new(kernel);
    plan.initial_sessions = sessions;
    let (kernel, manager) = start_with(kernel, plan.leak());
    let client = kernel.add_process(0, "lsm.exe");
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    World {
        kernel,
        manager,
        client,
        context,
    }
}

pub fn unbooted(sessions: Option<u32>) -> World {
    cold(plan, sessions)
}

pub fn booted(sessions: Option<u32>) -> (World, Watched) {
    let world = cold(plan, sessions);
    let watched = world.manager.load_initial_sessions().unwrap();
    (world, watched)
}

fn session_of(world: &World, image: &str) -> Vec<u32> {
    world
        .kernel
        .running(image)
        .iter()
        .map(|id| world.kernel.state().processes[id].session)
        .collect()
}

#[test]
fn spec_11_5_sessions_0_and_1_stand_and_the_instances_have_ended() {
    let (world, watched) = booted(None);
    assert_eq!(session_of(&world, "csrss.exe"), [0, 1]);
    assert_eq!(session_of(&world, "wininit.exe"), [0]);
    assert_eq!(session_of(&world, "winlogon.exe"), [1]);
    assert_eq!(world.kernel.running("smss.exe"), [SMSS]);
    assert_eq!(
        (
            world.manager.counts().servers,
            world.manager.counts().sessions
        ),
        (2, 2)
    );
    assert!(watched.server.is_some());
    assert_eq!(watched.initial_name, wide!("initial session process or"));
    let state = world.kernel.state();
    let lines: Vec<&str> = state
        .processes
        .values()
        .filter(|p| p.image == "smss.exe")
        .map(|p| p.command_line.as_str())
        .collect();
    assert!(
        lines[1].starts_with("\\SystemRoot\\System32\\smss.exe 00000000 "),
        "{lines:?}"
    );
    assert!(
        lines[2].starts_with("\\SystemRoot\\System32\\smss.exe 00000001 "),
        "{lines:?}"
    );
}

#[test]
fn spec_11_5_number_of_initial_sessions() {
    for (value, sessions) in [
        (Some(0), 1),
        (Some(1), 1),
        (Some(3), 3),
        (Some(u32::MAX), 32),
    ] {
        let (world, _) = booted(value);
        assert_eq!(
            world.kernel.running("csrss.exe").len(),
            sessions,
            "{value:?}"
        );
    }
}

#[test]
fn spec_11_5_more_than_32_initial_sessions_are_not_made_and_that_is_told() {
    for (wanted, told) in [
        (32, &[][..]),
        (33, &["NumberOfInitialSessions: 33: 32 are made"]),
    ] {
        let world = cold(plan, Some(wanted));
        let said = warnings(|| {
            world.manager.load_initial_sessions().unwrap();
        });
        assert_eq!(said, told);
    }
}

#[test]
fn spec_11_5_an_instance_starts_in_the_directory_of_its_image_if_that_is_a_dos_path() {
    for (line, directory) in [
        ("\\SystemRoot\\System32\\smss.exe", None),
        (
            "C:\\ReactOS\\System32\\smss.exe",
            Some("C:\\ReactOS\\System32"),
        ),
    ] {
        let world = cold_on(Kernel::called(line), plan, Some(1));
        world.manager.load_initial_sessions().unwrap();
        let state = world.kernel.state();
        let child = state
            .processes
            .values()
            .find(|process| process.image == "smss.exe" && process.parent == SMSS);
        assert_eq!(child.unwrap().directory.as_deref(), directory, "{line}");
    }
}

#[test]
fn spec_11_5_an_instance_that_does_nothing_is_ended_once_its_session_could_stand() {
    let (world, _) = booted(None);
    let before = (world.kernel.open_handles(), world.manager.counts());
    world.kernel.state().idle_instances = true;
    assert_eq!(world.start("").err(), Some(Status::IO_TIMEOUT));
    // As long as a server and then an initial command may take (9.4).
    assert!(world.kernel.state().waited >= 2 * SERVER_TIMEOUT);
    assert_eq!(world.kernel.running("smss.exe"), [SMSS]);
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
}

#[test]
fn spec_11_5_a_later_session_is_made_by_a_child_too_and_ended_like_any() {
    let (world, _) = booted(None);
    let before = (world.kernel.open_handles(), world.manager.counts());
    for _ in 0..3 {
        let started = world.start("gui.exe special").unwrap();
        assert_eq!(started.session, 2);
        assert_eq!(
            world.kernel.state().processes[&started.initial].command_line,
            "gui.exe special"
        );
        assert_eq!(world.kernel.state().processes[&started.server].session, 2);
        assert_eq!(world.stop(2), Ok(()));
        assert_eq!(
            (world.kernel.open_handles(), world.manager.counts()),
            before
        );
    }
}

#[test]
fn spec_11_5_the_end_of_winlogon_in_session_1_ends_that_session_only() {
    let (world, _) = booted(None);
    let winlogon = world.kernel.running("winlogon.exe")[0];
    world.kernel.exit(winlogon, Status::SUCCESS);
    // csrss tells: environment session 2 is winlogon's, and csrss of session 1 owns it.
    let csrss = world.kernel.running("csrss.exe")[1];
    world.kernel.session_complete(csrss, 2);
    assert_eq!(session_of(&world, "csrss.exe"), [0]);
    assert_eq!(
        (
            world.manager.counts().servers,
            world.manager.counts().sessions
        ),
        (1, 1)
    );
}

#[test]
fn spec_11_5_session_0_that_does_not_come_up_stops_the_system() {
    let world = cold(dying_plan, None);
    let stop = world.manager.load_initial_sessions().unwrap_err();
    assert_eq!(
        (stop.step, stop.status),
        (Essential::RequiredSubsystem, Status::DLL_INIT_FAILED)
    );
}

#[test]
fn spec_9_4_a_server_that_registers_and_ends_at_once_is_not_up_whatever_it_ends_with() {
    for (plan, status) in [
        (
            leaving_plan as fn(&'static Kernel) -> &'static TestPlan,
            Status::ACCESS_VIOLATION,
        ),
        (finishing_plan, Status::UNSUCCESSFUL),
    ] {
        let stop = cold(plan, None).manager.load_initial_sessions();
        let stop = stop.unwrap_err();
        assert_eq!(
            (stop.step, stop.status),
            (Essential::RequiredSubsystem, status)
        );
    }
}

#[test]
fn a_csrss_that_cannot_be_waited_for_is_ended_but_not_that_of_session_0() {
    let status = Status::INSUFFICIENT_RESOURCES;
    let world = cold(plan, Some(1));
    world.kernel.refuse("wait_any", status);
    let stop = world.manager.load_initial_sessions().unwrap_err();
    assert_eq!(
        (stop.step, stop.status),
        (Essential::RequiredSubsystem, status)
    );
    // It may be critical, and the system would stop for its end and not for this reason.
    assert_eq!(session_of(&world, "csrss.exe"), [0]);
    let (world, _) = booted(Some(1));
    world.kernel.refuse("wait_any", status);
    assert_eq!(world.start("").err(), Some(status));
    assert_eq!(session_of(&world, "csrss.exe"), [0]);
}

#[test]
fn spec_11_5_an_instance_that_cannot_be_told_that_it_is_connected_is_ended() {
    let (world, _) = booted(None);
    let before = (world.kernel.open_handles(), world.manager.counts());
    for _ in 0..10 {
        world.kernel.refuse("complete_connect", Status::NO_MEMORY);
    }
    assert_eq!(world.start("").err(), Some(Status::NO_MEMORY));
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
    assert!(world.start("").is_ok());
}

#[test]
fn spec_11_5_an_instance_is_waited_for_before_the_next_one_asks_for_a_number() {
    let world = cold(plan, Some(3));
    // From a call of the first one on, which then goes on.
    world.kernel.meanwhile(20, |kernel| {
        assert_eq!(kernel.running("smss.exe").len(), 2);
        kernel.state().idle_instances = true;
    });
    world.manager.load_initial_sessions().unwrap();
    let state = world.kernel.state();
    let made = state.processes.values();
    let instances = made.filter(|process| process.parent == SMSS && process.image == "smss.exe");
    let born: Vec<u32> = instances.map(|process| process.born).collect();
    assert!(born[0] == 0 && born[1] == 0, "{born:?}");
    assert!(born[2] >= 2 * SERVER_TIMEOUT, "{born:?}");
}

#[test]
fn spec_11_5_a_session_ends_with_its_initial_command_and_with_no_other_process_in_it() {
    let (world, _) = booted(None);
    let winlogon = world.kernel.running("winlogon.exe")[0];
    let csrss = world.kernel.running("csrss.exe")[1];
    let mut body = ExecPgm::new_zeroed();
    let process = world.kernel.add_process(1, "gui.exe");
    body.process.process = world.kernel.give_handle(world.client, process);
    body.process.thread = world.kernel.give_thread(world.client, process);
    body.process.image.subsystem = ImageSubsystem::WINDOWS_GUI;
    let asked = request(&body);
    let reply = world.kernel.send(world.client, world.context, &asked);
    assert_eq!(result_of(&reply.unwrap()), Ok(()));
    world.kernel.exit(process, Status::SUCCESS);
    let environment = world.kernel.state().last_environment;
    world.kernel.session_complete(csrss, environment);
    assert_eq!(world.kernel.running("winlogon.exe"), [winlogon]);
    assert_eq!(session_of(&world, "csrss.exe"), [0, 1]);
}

#[test]
fn a_server_that_stays_silent_is_given_up_in_a_session_other_than_0() {
    let world = cold(silent_plan, None);
    world.kernel.state().sessions.insert(0);
    let before = (world.kernel.open_handles(), world.manager.counts());
    assert_eq!(world.start("").err(), Some(Status::IO_TIMEOUT));
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
    assert!(world.kernel.running("silent.exe").is_empty());
    assert_eq!(world.kernel.running("smss.exe"), [SMSS]);
}

#[test]
fn only_a_child_instance_is_heard_as_one() {
    let (world, _) = booted(None);
    for number in [0x100u32, 0x101] {
        let mut message = request(&sm_protocol::sm::StopCsr { session: 5 });
        message.data[..4].copy_from_slice(&number.to_le_bytes());
        message.header.data_length = 0x110;
        let reply = world
            .kernel
            .send(world.client, world.context, &message)
            .unwrap();
        assert_eq!(result_of(&reply), Err(Status::NOT_IMPLEMENTED));
    }
}

#[test]
fn a_session_survives_the_failure_of_any_call() {
    let calls = {
        let (world, _) = booted(None);
        let before = world.kernel.calls();
        world.start("").unwrap();
        world.stop(2).unwrap();
        world.kernel.calls() - before
    };
    for status in [Status::NO_MEMORY, Status::ACCESS_DENIED] {
        for nth in 0..calls {
            let (world, _) = booted(Some(1));
            let counts = world.manager.counts();
            world.kernel.fail(nth, status, false);
            if let Ok(started) = world.start("") {
                world.kernel.fail_no_more();
                let _ = world.stop(started.session);
            }
            world.kernel.fail_no_more();
            let after = world.manager.counts();
            assert_eq!(
                (after.servers, after.sessions),
                (counts.servers, counts.sessions),
                "call {nth} failing with {status}"
            );
            assert_eq!(
                world.kernel.state().bad_closes,
                0,
                "call {nth} failing with {status}"
            );
            let again = world
                .start("")
                .unwrap_or_else(|error| panic!("call {nth} failing with {status}: then {error}"));
            assert_eq!(world.stop(again.session), Ok(()));
        }
    }
}

#[test]
fn spec_11_5_after_a_kernel_that_refused_everything_for_a_while_a_session_can_be_made() {
    let calls = {
        let (world, _) = booted(Some(1));
        let before = world.kernel.calls();
        world.start("").unwrap();
        world.kernel.calls() - before
    };
    for nth in 0..calls {
        let (world, _) = booted(Some(1));
        world.kernel.fail(nth, Status::NO_MEMORY, true);
        let answer = world.start("");
        world.kernel.fail_no_more();
        if let Ok(started) = answer {
            // The last calls give back what is no longer needed.
            assert_eq!(world.stop(started.session), Ok(()), "call {nth}");
        }
        assert_eq!(world.kernel.state().bad_closes, 0, "call {nth}");
        let again = world
            .start("")
            .unwrap_or_else(|error| panic!("call {nth} and all that follow: then {error}"));
        assert_eq!(world.stop(again.session), Ok(()), "call {nth}");
    }
}
