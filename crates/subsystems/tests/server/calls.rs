// SPDX-License-Identifier: GPL-2.0-or-later
//! What the API numbers make smss ask of subsystem servers, and what it does with their answers
//! (spec 9.4 to 9.6, 10.4, 10.5, 10.7).

use crate::kernel::{FIRST_CONTEXT, Kernel, Lie, SMSS, TestPlan};
use crate::requests::{World, world, world_with};
use nt::system::ImageSubsystem;
use nt::{Result, Status, Word};
use sm_protocol::sb::SbApi;
use sm_protocol::sm::{ConnectionInfo, ExecPgm, LoadDeferred, SessionComplete, StopCsr};
use sm_protocol::{request, result_of};
use std::sync::{Arc, Mutex};
use subsystems::{Kind, SERVER_TIMEOUT, Stage};
use zerocopy::FromZeros;

/// How often a server was asked this.
fn asked(world: &World, api: SbApi) -> usize {
    world
        .kernel
        .state()
        .callbacks
        .iter()
        .filter(|(_, number)| *number == api.0)
        .count()
}

fn deferred_by(kernel: &Kernel, client: Word, context: Word, name: &str) -> Result<()> {
    let mut body = LoadDeferred::new_zeroed();
    for (to, from) in body.name.iter_mut().zip(name.encode_utf16()) {
        *to = from;
    }
    body.length = 2 * name.len() as u32;
    result_of(&kernel.send(client, context, &request(&body)).unwrap())
}

/// A plain client in a session, and its connection.
fn client_in(world: &World, session: u32) -> (Word, Word) {
    let client = world.kernel.add_process(session, "client.exe");
    let context = world.kernel.connect(client, &ConnectionInfo::PLAIN);
    (client, context.unwrap())
}

fn deferred(world: &World, name: &str) -> Result<()> {
    deferred_by(world.kernel, world.client, world.context, name)
}

fn optional(mut plan: TestPlan, name: &str, command: &str) -> TestPlan {
    plan.optional.push((
        name.encode_utf16().collect(),
        command.encode_utf16().collect(),
    ));
    plan
}

#[test]
fn spec_9_4_5b_a_server_that_can_creates_the_process_of_an_optional_one() {
    let world = world_with(|plan| plan.windows("creates.exe"));
    let before = world.kernel.open_handles();
    assert_eq!(deferred(&world, "Posix"), Ok(()));
    assert_eq!(asked(&world, SbApi::CREATE_PROCESS), 1);
    let psxss = world.kernel.running("psxss.exe");
    assert_eq!(psxss.len(), 1);
    assert_eq!(
        world.kernel.state().processes[&psxss[0]].command_line,
        "created by the server"
    );
    // Of the command's flags these two, and four texts of smss's (spec 10.7).
    let asked = world.kernel.state().to_create.unwrap();
    assert_eq!(asked.flags, 0x28);
    let texts = [
        asked.image,
        asked.directory,
        asked.command_line,
        asked.dll_path,
    ];
    for (place, text) in texts.iter().enumerate() {
        assert!(*text != 0 && !texts[..place].contains(text));
    }
    world.kernel.exit(psxss[0], Status::SUCCESS);
    assert_eq!(
        (world.kernel.open_handles(), world.kernel.state().bad_closes),
        (before, 0)
    );
}

#[test]
fn spec_9_4_5b_another_answer_than_not_implemented_is_the_clients() {
    let world = world_with(|mut plan| {
        // The initial command is native, so that this server is not needed for it.
        plan.execute = vec!["sleep.exe".encode_utf16().collect()];
        plan.windows("refuses.exe")
    });
    let before = (world.kernel.open_handles(), world.manager.counts());
    assert_eq!(deferred(&world, "Posix"), Err(Status::NO_MEMORY));
    assert!(world.kernel.running("psxss.exe").is_empty());
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
}

#[test]
fn spec_10_7_a_process_that_its_server_refuses_has_no_environment_session() {
    let world = world_with(|mut plan| {
        plan.execute = vec!["sleep.exe".encode_utf16().collect()];
        plan.windows("refuses.exe")
    });
    let before = (world.kernel.open_handles(), world.manager.counts());
    let (process, result) = world.exec("gui.exe", ImageSubsystem::WINDOWS_GUI);
    assert_eq!(result, Err(Status::NO_MEMORY));
    assert!(!world.kernel.state().processes[&process].running);
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
}

#[test]
fn spec_9_6_os2_is_started_once_in_the_callers_session() {
    let world = world_with(|plan| optional(plan, "Os2", "os2ss.exe"));
    assert_eq!(
        (deferred(&world, "OS2"), deferred(&world, "os2")),
        (Ok(()), Ok(()))
    );
    assert_eq!(world.kernel.running("os2ss.exe").len(), 1);
}

#[test]
fn spec_9_6_a_client_in_a_session_without_servers_is_told_so() {
    let world = world();
    let (client, context) = client_in(&world, 9);
    assert_eq!(
        deferred_by(world.kernel, client, context, "Posix"),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn spec_9_6_posix_single_instance_puts_it_into_session_0() {
    for single in [false, true] {
        let world = world_with(|mut plan| {
            plan.single_posix = single;
            plan.windows("creates.exe")
        });
        let started = world.start("").unwrap();
        let (client, context) = client_in(&world, started);
        assert_eq!(deferred_by(world.kernel, client, context, "Posix"), Ok(()));
        // csrss of the session it is for was asked.
        let csrss = world.kernel.running("creates.exe")[usize::from(!single)];
        assert!(
            world
                .kernel
                .state()
                .callbacks
                .contains(&(csrss, SbApi::CREATE_PROCESS.0)),
            "{single}"
        );
        let psxss = world.kernel.running("psxss.exe")[0];
        assert_eq!(
            world.kernel.state().processes[&psxss].session,
            if single { 0 } else { started }
        );
    }
}

#[test]
fn spec_9_6_each_session_has_a_posix_server_of_its_own_which_ends_with_it() {
    let world = world_with(|plan| plan.windows("creates.exe"));
    assert_eq!(deferred(&world, "Posix"), Ok(()));
    let started = world.start("").unwrap();
    let (client, context) = client_in(&world, started);
    assert_eq!(deferred_by(world.kernel, client, context, "Posix"), Ok(()));
    let sessions = || {
        let running = world.kernel.running("psxss.exe");
        let state = world.kernel.state();
        let sessions = running.iter().map(|id| state.processes[id].session);
        sessions.collect::<Vec<_>>()
    };
    assert_eq!(sessions(), [0, started]);
    assert_eq!(world.call(&StopCsr { session: started }).0, Ok(()));
    assert_eq!(sessions(), [0]);
}

#[test]
fn spec_9_6_nobody_but_its_csrss_can_put_a_process_into_another_session() {
    let world = world();
    let started = world.start("").unwrap();
    let (client, context) = client_in(&world, started);
    let before = (world.kernel.open_handles(), world.manager.counts());
    // This csrss does not know SbCreateProcess, and what smss creates is born in smss's session.
    assert_eq!(
        deferred_by(world.kernel, client, context, "Posix"),
        Err(Status::ACCESS_DENIED)
    );
    assert!(world.kernel.running("psxss.exe").is_empty());
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
}

#[test]
fn spec_9_4_2_a_server_waits_while_another_of_its_session_starts_and_not_for_ever() {
    let (mut nth, mut in_vain, mut waited_for) = (0, 0, 0);
    loop {
        let world = world_with(|plan| optional(plan, "Os2", "os2ss.exe"));
        let (client, context) = (world.client, world.context);
        let second = Arc::new(Mutex::new(None));
        let given = second.clone();
        world.kernel.meanwhile(nth, move |kernel| {
            let starts = kernel.records().iter().any(|record| {
                let starts = [Stage::Reserved, Stage::Created, Stage::Registering];
                record.kind == Kind::Server && starts.contains(&record.stage)
            });
            let result = deferred_by(kernel, client, context, "Posix");
            *given.lock().unwrap() = Some((starts, result));
        });
        assert_eq!(deferred(&world, "Os2"), Ok(()), "call {nth}");
        let Some((starts, second)) = second.lock().unwrap().take() else {
            break;
        };
        if starts {
            assert!(second.is_err(), "call {nth}");
            waited_for += 1;
        }
        // The first one cannot go on here before the second one is answered.
        if second.is_err() {
            assert_eq!(second, Err(Status::IO_TIMEOUT), "call {nth}");
            // The other one may take a minute to be created and another to register.
            assert!(
                world.kernel.state().waited >= 2 * SERVER_TIMEOUT,
                "call {nth}"
            );
            assert!(world.kernel.running("psxss.exe").is_empty());
            in_vain += 1;
        }
        assert_eq!(deferred(&world, "Posix"), Ok(()), "call {nth}");
        let running = ["os2ss.exe", "psxss.exe"].map(|image| world.kernel.running(image).len());
        assert_eq!(running, [1, 1], "call {nth}");
        nth += 1;
    }
    assert!(in_vain > 3 && nth > in_vain, "{in_vain} of {nth}");
    assert!(waited_for > 3, "{waited_for} of {nth}");
}

#[test]
fn spec_10_5_the_caller_debugs_if_it_says_so() {
    for debug in [0, 1, 0xFF] {
        let world = world();
        let mut body = ExecPgm::new_zeroed();
        let process = world.kernel.add_process(0, "gui.exe");
        body.process.process = world.kernel.give_handle(world.client, process);
        body.process.thread = world.kernel.give_thread(world.client, process);
        body.process.image.subsystem = ImageSubsystem::WINDOWS_GUI;
        body.debug = debug;
        assert_eq!(world.call(&body).0, Ok(()));
        assert_eq!(
            world.kernel.state().debugged_by,
            if debug == 0 { 0 } else { world.client }
        );
    }
}

#[test]
fn spec_10_5_pseudo_handles_are_no_handles_of_the_client() {
    let world = world();
    let before = world.kernel.open_handles();
    for (process, thread) in [
        (Word::MAX, Word::MAX - 1),
        (Word::MAX, 0),
        (0, Word::MAX - 1),
    ] {
        let mut body = ExecPgm::new_zeroed();
        (body.process.process, body.process.thread) = (process, thread);
        assert_eq!(world.call(&body).0, Err(Status::INVALID_HANDLE));
    }
    assert_eq!(world.kernel.open_handles(), before);
}

#[test]
fn spec_10_5_a_caller_that_is_gone_is_answered_with_what_opening_it_gives() {
    let world = world();
    world.kernel.state().processes.remove(&world.client);
    assert_eq!(
        world.call(&ExecPgm::new_zeroed()).0,
        Err(Status::INVALID_CID)
    );
}

#[test]
fn spec_11_3_stop_csr_has_the_server_end_its_environment_sessions() {
    let world = world();
    let session = world.start("").unwrap();
    assert_eq!(
        result_of(
            &world
                .kernel
                .send(world.client, world.context, &request(&StopCsr { session }))
                .unwrap()
        ),
        Ok(())
    );
    assert_eq!(asked(&world, SbApi::TERMINATE_SESSION), 1);
}

#[test]
fn spec_11_3_the_windows_server_of_a_session_ends_after_all_else_in_it() {
    let world = world_with(|plan| plan.windows("creates.exe"));
    let session = world.start("").unwrap();
    let (client, context) = client_in(&world, session);
    assert_eq!(deferred_by(world.kernel, client, context, "Posix"), Ok(()));
    assert_eq!(world.call(&StopCsr { session }).0, Ok(()));
    assert_eq!(
        world.kernel.state().ended,
        ["winlogon.exe", "psxss.exe", "creates.exe"]
    );
}

#[test]
fn d3_a_session_stands_on_its_windows_server_alone() {
    let world = world_with(|plan| plan.windows("creates.exe"));
    let session = world.start("").unwrap();
    let (client, context) = client_in(&world, session);
    assert_eq!(deferred_by(world.kernel, client, context, "Posix"), Ok(()));
    let sessions = world.manager.counts().sessions;
    world
        .kernel
        .exit(world.kernel.running("psxss.exe")[0], Status::SUCCESS);
    assert_eq!(world.kernel.state().ended, ["psxss.exe"]);
    assert_eq!(world.manager.counts().sessions, sessions);
    world
        .kernel
        .exit(world.kernel.running("creates.exe")[1], Status::SUCCESS);
    assert_eq!(
        world.kernel.state().ended,
        ["psxss.exe", "creates.exe", "winlogon.exe"]
    );
    assert_eq!(world.manager.counts().sessions, sessions - 1);
}

#[test]
fn spec_11_5_in_nt_5_a_session_outlives_its_initial_command() {
    let world = world();
    let session = world.start("").unwrap();
    world
        .kernel
        .exit(world.kernel.running("winlogon.exe")[1], Status::SUCCESS);
    let environment = world.kernel.state().last_environment;
    let csrss = world.kernel.running("csrss.exe")[1];
    world.kernel.session_complete(csrss, environment);
    assert_eq!(world.kernel.state().ended, ["winlogon.exe"]);
    assert_eq!(world.call(&StopCsr { session }).0, Ok(()));
    assert_eq!(world.kernel.state().ended, ["winlogon.exe", "csrss.exe"]);
}

#[test]
fn spec_10_4_a_short_session_complete_of_a_server_is_an_invalid_parameter() {
    let world = world();
    let csrss = world.kernel.running("csrss.exe")[0];
    let mut message = request(&SessionComplete {
        session: 1,
        status: 0,
    });
    message.header.data_length -= 1;
    assert_eq!(
        result_of(&world.kernel.send(csrss, FIRST_CONTEXT, &message).unwrap()),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(world.manager.counts().environments, 1);
}

#[test]
fn spec_9_4_7b_a_server_that_is_an_application_is_first_taken_over_and_told_of_the_end() {
    let world = world_with(|plan| optional(plan, "Gui", "guiss.exe"));
    let csrss = world.kernel.running("csrss.exe")[0];
    assert_eq!(deferred(&world, "Gui"), Ok(()));
    let guiss = world.kernel.running("guiss.exe")[0];
    assert!(world.kernel.state().processes[&guiss].running);
    // winlogon and it.
    assert_eq!(
        (
            asked(&world, SbApi::CREATE_SESSION),
            world.manager.counts().environments
        ),
        (2, 2)
    );
    // Its environment session, the second, is csrss's to end, and foreign to itself (spec 10.4 #1).
    world.kernel.session_complete(csrss, 2);
    assert_eq!(world.manager.counts().environments, 1);
    let told = |api: SbApi| {
        world
            .kernel
            .state()
            .callbacks
            .iter()
            .filter(|(_, number)| *number == api.0)
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(SbApi::FOREIGN_SESSION_COMPLETE),
        [(guiss, SbApi::FOREIGN_SESSION_COMPLETE.0)]
    );
    // A session without a foreign subsystem: nobody is told.
    world.kernel.session_complete(csrss, 1);
    assert_eq!(
        (
            world.manager.counts().environments,
            asked(&world, SbApi::FOREIGN_SESSION_COMPLETE)
        ),
        (0, 1)
    );
    // A server that has gone is not told.
    assert_eq!(deferred(&world, "Gui"), Ok(()));
    let second = *world
        .kernel
        .running("guiss.exe")
        .iter()
        .find(|&&id| id != guiss)
        .unwrap();
    world.kernel.exit(second, Status::SUCCESS);
    world.kernel.session_complete(csrss, 3);
    assert_eq!(
        (
            world.manager.counts().environments,
            asked(&world, SbApi::FOREIGN_SESSION_COMPLETE)
        ),
        (0, 1)
    );
    assert_eq!(world.kernel.state().bad_closes, 0);
}

#[test]
fn spec_9_4_a_server_that_has_answered_is_not_ended_because_a_signal_failed() {
    let world = world();
    let session = world.start("").unwrap();
    let before = (world.kernel.open_handles(), world.manager.counts());
    world.kernel.refuse("set_event", Status::NO_MEMORY);
    let (process, given) = world.exec_in(session, "gui.exe", ImageSubsystem::WINDOWS_GUI);
    assert_eq!(given, Ok(()));
    // The thread that stood by looks now, as late as it likes.
    world.kernel.run_standing_by();
    assert_eq!(world.kernel.running("csrss.exe").len(), 2);
    world.kernel.exit(process, Status::SUCCESS);
    // One handle of each pair is the client's; the call leaves nothing behind in smss.
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts().servers),
        (before.0, before.1.servers)
    );
    // Its place is free again, as often as that happens.
    for _ in 0..200 {
        world.kernel.refuse("set_event", Status::NO_MEMORY);
        let (_, given) = world.exec_in(session, "gui.exe", ImageSubsystem::WINDOWS_GUI);
        assert_eq!(given, Ok(()));
        world.kernel.run_standing_by();
    }
}

#[test]
fn spec_10_7_a_call_that_nobody_can_stand_by_is_not_made_and_leaves_its_place_free() {
    let world = world();
    let session = world.start("").unwrap();
    let asked_before = asked(&world, SbApi::CREATE_SESSION);
    let handles = world.kernel.open_handles();
    // More often than there are places.
    for _ in 0..200 {
        world.kernel.refuse("create_thread", Status::NO_MEMORY);
        let (process, given) = world.exec_in(session, "gui.exe", ImageSubsystem::WINDOWS_GUI);
        assert_eq!(given, Err(Status::NO_MEMORY));
        world.kernel.exit(process, Status::SUCCESS);
    }
    assert_eq!(asked(&world, SbApi::CREATE_SESSION), asked_before);
    assert_eq!(world.kernel.open_handles(), handles);
    let (_, given) = world.exec_in(session, "gui.exe", ImageSubsystem::WINDOWS_GUI);
    assert_eq!(given, Ok(()));
}

#[test]
fn spec_10_5_1_the_sender_of_a_message_is_opened_not_who_connected() {
    let world = world();
    // The thread that connected has ended since; `send` speaks for this one.
    world.kernel.state().ended_threads.push(world.client + 1);
    world.kernel.state().sender = 2;
    let (_, given) = world.exec("gui.exe", ImageSubsystem::WINDOWS_GUI);
    assert_eq!(given, Ok(()));
}

#[test]
fn spec_10_7_3_handles_in_a_servers_answer_are_not_believed() {
    // What the answer names instead of the process that the server made, and its thread.
    type Told = fn(&World) -> Lie;
    let lies: [(&str, Told); 8] = [
        ("pseudo handles", |_| {
            Box::new(|_, answer| {
                answer.process = Word::MAX;
                answer.thread = Word::MAX - 1;
            })
        }),
        ("nothing", |_| {
            Box::new(|_, answer| (answer.process, answer.thread) = (0, 0))
        }),
        ("no handle at all", |_| {
            Box::new(|_, answer| (answer.process, answer.thread) = (0x7770, 0x7774))
        }),
        ("the port for the process", |world| {
            let port = world.kernel.handle_values()[0];
            Box::new(move |_, answer| answer.process = port)
        }),
        ("the port for the thread", |world| {
            let port = world.kernel.handle_values()[0];
            Box::new(move |_, answer| answer.thread = port)
        }),
        ("the process for the thread", |_| {
            Box::new(|_, answer| answer.thread = answer.process)
        }),
        ("somebody else's child", |_| {
            Box::new(|state, answer| {
                let id = answer.client.process;
                state.processes.get_mut(&id).unwrap().parent = 8;
            })
        }),
        ("a process in another session", |_| {
            Box::new(|state, answer| {
                let id = answer.client.process;
                state.processes.get_mut(&id).unwrap().session = 5;
            })
        }),
    ];
    for (what, lie) in lies {
        let world = world_with(|plan| plan.windows("creates.exe"));
        let (before, counts) = (world.kernel.handle_values(), world.manager.counts());
        let lie = lie(&world);
        world.kernel.state().answer = Some(lie);
        let refused = deferred(&world, "Posix");
        assert!(refused.is_err(), "{what}");
        assert!(!world.kernel.state().stopped, "{what}");
        let after = world.kernel.handle_values();
        assert!(
            before.iter().all(|handle| after.contains(handle)),
            "{what}: a handle of smss's own was closed"
        );
        assert_eq!(
            (world.manager.counts(), world.kernel.state().bad_closes),
            (counts, 0),
            "{what}"
        );
        // An honest answer afterwards is taken, and a second process like the first is not.
        assert_eq!(deferred(&world, "Posix"), Ok(()), "{what}");
    }
}

#[test]
fn spec_10_7_3_a_process_that_smss_knows_is_not_taken_a_second_time() {
    let world = world_with(|plan| optional(plan.windows("creates.exe"), "Os2", "os2ss.exe"));
    assert_eq!(deferred(&world, "Posix"), Ok(()));
    let psxss = world.kernel.running("psxss.exe")[0];
    world.kernel.state().answer = Some(Box::new(move |state, answer| {
        answer.process = state.give(SMSS, psxss).0;
        answer.thread = state.give_thread(SMSS, psxss).0;
        answer.client.process = psxss;
    }));
    assert_eq!(deferred(&world, "Os2"), Err(Status::INVALID_PARAMETER));
    assert!(world.kernel.running("psxss.exe").contains(&psxss));
}

#[test]
fn spec_10_5_who_a_process_is_says_the_kernel() {
    let world = world();
    let (process, other) = (
        world.kernel.add_process(0, "gui.exe"),
        world.kernel.add_process(0, "gui.exe"),
    );
    let mut body = ExecPgm::new_zeroed();
    body.process.image.subsystem = ImageSubsystem::WINDOWS_GUI;
    body.process.process = world.kernel.give_handle(world.client, process);
    body.process.thread = world.kernel.give_thread(world.client, process);
    body.process.client.process = other;
    assert_eq!(world.call(&body).0, Ok(()));
    assert_eq!(world.kernel.state().taken_over, process);
    // Process and thread belong together.
    body.process.process = world.kernel.give_handle(world.client, other);
    assert_eq!(world.call(&body).0, Err(Status::INVALID_PARAMETER));
    assert!(!world.kernel.state().processes[&other].running);
}
