// SPDX-License-Identifier: GPL-2.0-or-later
//! Session 0 and terminal sessions: made, ended, undone (spec 9, 11, 12).

use crate::kernel::{Kernel, TestPlan, start_with, units};
use nt::failure::Essential;
use nt::{Result, Status, Word};
use sm_protocol::sm::{ConnectionInfo, StartCsr, StopCsr};
use sm_protocol::{request, result_of};
use subsystems::end::{self, Ending};
use subsystems::{Command, Manager, SERVER_TIMEOUT};
use zerocopy::{FromBytes, FromZeros};

pub struct World {
    pub kernel: &'static Kernel,
    pub manager: &'static Manager<&'static Kernel>,
    pub client: Word,
    pub context: Word,
}

pub fn cold(
    change: impl FnOnce(TestPlan) -> TestPlan,
) -> (&'static Kernel, &'static Manager<&'static Kernel>) {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    start_with(kernel, change(TestPlan::new(kernel)).leak())
}

pub fn booted(change: impl FnOnce(TestPlan) -> TestPlan) -> World {
    let (kernel, manager) = cold(change);
    manager
        .load_session0(&mut Command::new())
        .unwrap()
        .start_initial()
        .unwrap();
    World::of(kernel, manager)
}

impl World {
    /// What has a client that may ask for sessions.
    pub fn of(kernel: &'static Kernel, manager: &'static Manager<&'static Kernel>) -> Self {
        let client = kernel.add_process(0, "termsrv.exe");
        let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
        Self {
            kernel,
            manager,
            client,
            context,
        }
    }

    pub fn start(&self, command: &str) -> Result<StartCsr> {
        let mut body = StartCsr::new_zeroed();
        let text = units(command);
        body.command[..text.len()].copy_from_slice(&text);
        body.length = 2 * text.len() as u32;
        let reply = self
            .kernel
            .send(self.client, self.context, &request(&body))
            .unwrap();
        result_of(&reply).map(|()| StartCsr::read_from_prefix(&reply.data[8..]).unwrap().0)
    }

    pub fn stop(&self, session: u32) -> Result<()> {
        result_of(
            &self
                .kernel
                .send(self.client, self.context, &request(&StopCsr { session }))
                .unwrap(),
        )
    }

    fn sizes(&self) -> (usize, subsystems::Counts) {
        (self.kernel.open_handles(), self.manager.counts())
    }
}

#[test]
fn spec_14_session_0_comes_up_with_csrss_and_winlogon_and_smss_leaves_its_space() {
    let world = booted(|plan| plan);
    let (csrss, winlogon) = (
        world.kernel.running("csrss.exe"),
        world.kernel.running("winlogon.exe"),
    );
    assert_eq!((csrss.len(), winlogon.len()), (1, 1));
    let state = world.kernel.state();
    assert!(state.processes[&winlogon[0]].running);
    assert_eq!(state.attached.len(), 0);
    assert!(state.delays.is_empty());
    // The chronology's steady state, without a connection of smss to itself: port, csrss process
    // lent, winlogon's process, the server ports of csrss and the client, both client processes,
    // csrss' event, its call-back port.
    drop(state);
    assert_eq!(world.kernel.open_handles(), 9);
}

#[test]
fn spec_17_the_windows_entry_missing_stops_at_the_initial_command() {
    let (kernel, manager) = cold(|mut plan| {
        plan.required.truncate(1);
        plan
    });
    let stop = manager
        .load_session0(&mut Command::new())
        .unwrap()
        .start_initial()
        .unwrap_err();
    assert_eq!(
        (stop.step, stop.status),
        (Essential::InitialCommand, Status::OBJECT_NAME_NOT_FOUND)
    );
    assert!(kernel.running("winlogon.exe").is_empty());
    assert_eq!(kernel.state().attached.len(), 0);
}

#[test]
fn spec_9_4_a_required_server_that_does_not_come_up_stops_the_boot_with_its_own_status() {
    for (command, status) in [
        ("nosuch.exe", Status::OBJECT_NAME_NOT_FOUND),
        ("dies.exe", Status::DLL_INIT_FAILED),
        ("succeeds.exe", Status::UNSUCCESSFUL),
        ("", Status::UNSUCCESSFUL),
        ("gui.exe", Status::NO_SUCH_PACKAGE),
    ] {
        let (kernel, manager) = cold(|plan| plan.windows(command));
        let handles = kernel.open_handles();
        let Err(stop) = manager.load_session0(&mut Command::new()) else {
            panic!("{command} came up")
        };
        assert_eq!(
            (stop.step, stop.status),
            (Essential::RequiredSubsystem, status),
            "{command}"
        );
        assert_eq!(kernel.open_handles(), handles, "{command}");
        assert!(kernel.running(command).is_empty(), "{command}");
        assert_eq!(manager.counts().servers, 0);
        assert_eq!(kernel.state().attached.len(), 0);
    }
}

#[test]
fn spec_9_4_a_server_that_registers_and_dies_at_once_is_not_up() {
    let (kernel, manager) = cold(|plan| plan.windows("leaves.exe"));
    let Err(stop) = manager.load_session0(&mut Command::new()) else {
        panic!("it came up")
    };
    assert_eq!(
        (stop.step, stop.status),
        (Essential::RequiredSubsystem, Status::DELETE_PENDING)
    );
    assert_eq!(manager.counts().servers, 0);
    assert_eq!(kernel.state().bad_closes, 0);
}

#[test]
fn a_starter_that_cannot_be_told_sees_its_server_end_and_with_that_of_session_0_the_system() {
    let (kernel, manager) = cold(|plan| plan);
    kernel.refuse("set_event", Status::NO_MEMORY);
    assert!(manager.load_session0(&mut Command::new()).is_err());
    assert_eq!(
        kernel.state().hard_error,
        ["Session Manager Initialization", "c0000017", "0", "0"]
    );
    let world = booted(|plan| plan);
    world.kernel.refuse("set_event", Status::NO_MEMORY);
    assert!(world.start("").is_err());
    assert!(!world.kernel.state().stopped);
    assert_eq!(world.kernel.running("csrss.exe").len(), 1);
}

#[test]
fn spec_10_2_a_server_whose_connection_could_not_be_made_may_ask_again() {
    let (kernel, manager) = cold(|plan| plan.windows("again.exe"));
    kernel.refuse("accept_connect", Status::NO_MEMORY);
    assert!(manager.load_session0(&mut Command::new()).is_ok());
    assert_eq!(kernel.running("again.exe").len(), 1);
}

#[test]
fn spec_10_2_4_a_server_that_cannot_even_be_refused_is_ended() {
    let (kernel, manager) = cold(|plan| plan);
    kernel.refuse("open_process", Status::ACCESS_DENIED);
    for _ in 0..10 {
        kernel.refuse("refuse_connect", Status::NO_MEMORY);
    }
    let Err(stop) = manager.load_session0(&mut Command::new()) else {
        panic!("it came up")
    };
    // It would wait for its answer for ever, and smss for it.
    assert_eq!(
        (stop.step, stop.status),
        (Essential::RequiredSubsystem, Status::NO_MEMORY)
    );
    assert!(kernel.running("csrss.exe").is_empty());
}

#[test]
fn spec_9_4_a_server_of_another_session_has_a_minute_to_answer() {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).windows("mute.exe").leak());
    kernel.state().sessions.insert(0);
    let world = World::of(kernel, manager);
    assert_eq!(world.start("").err(), Some(Status::PORT_DISCONNECTED));
    assert_eq!(kernel.state().waited, SERVER_TIMEOUT);
}

#[test]
fn spec_9_3_without_kmode_there_is_no_session_space_but_a_boot() {
    let world = booted(|mut plan| {
        plan.kmode.clear();
        plan
    });
    assert_eq!(world.kernel.state().sessions.len(), 0);
    assert_eq!(world.start("").err(), Some(Status::NOT_SUPPORTED));
}

#[test]
fn d30_kmode_is_a_trigger_whatever_file_it_names_and_without_a_path_it_is_none() {
    for (paths, spaces) in [
        (&["D:\\other.sys"][..], 1),
        (&["", "win32k.sys"], 1),
        (&[""], 0),
    ] {
        let world = booted(|mut plan| {
            plan.kmode = paths.iter().map(|path| units(path)).collect();
            plan
        });
        // The only name this kernel loads a driver by is win32k's.
        assert_eq!(world.kernel.state().sessions.len(), spaces, "{paths:?}");
    }
}

#[test]
fn spec_17_execute_foo_bar_is_the_initial_command_after_five_seconds() {
    let world = booted(|mut plan| {
        plan.execute = vec![units("exit.exe first"), units("foo.exe bar")];
        plan
    });
    assert_eq!(world.kernel.state().delays, [5_000]);
    assert_eq!(world.kernel.running("foo.exe").len(), 1);
    assert!(world.kernel.running("winlogon.exe").is_empty());
    // D21: the last entry runs once, the others before it.
    let state = world.kernel.state();
    let started: Vec<&str> = state
        .processes
        .values()
        .map(|process| process.command_line.as_str())
        .filter(|line| line.contains(' '))
        .collect();
    assert_eq!(
        started,
        [
            "csrss.exe SubSystemType=Windows Windows=On",
            "exit.exe first",
            "foo.exe bar"
        ]
    );
}

#[test]
fn spec_17_ifeo_winlogon_debugger_stands_before_the_command() {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    kernel.state().debugger = units("ntsd -d");
    let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).leak());
    manager
        .load_session0(&mut Command::new())
        .unwrap()
        .start_initial()
        .unwrap();
    let ntsd = kernel.running("ntsd.exe")[0];
    assert_eq!(
        kernel.state().processes[&ntsd].command_line,
        "ntsd -d winlogon.exe"
    );
}

#[test]
fn spec_13_2_a_debugger_that_does_not_fit_is_left_out_not_cut() {
    // With the blank and the command it is 256 units, which is all that fits, and one more.
    for (units_of_debugger, fits) in [(243, true), (244, false)] {
        let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
        let debugger = "d".repeat(units_of_debugger - 4) + ".exe";
        kernel.state().debugger = units(&debugger);
        let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).leak());
        manager
            .load_session0(&mut Command::new())
            .unwrap()
            .start_initial()
            .unwrap();
        let image = if fits { &debugger } else { "winlogon.exe" };
        let started = kernel.running(image)[0];
        let line = kernel.state().processes[&started].command_line.clone();
        let whole = format!("{debugger} winlogon.exe");
        assert_eq!(line, if fits { &whole } else { "winlogon.exe" });
    }
}

#[test]
fn spec_12_1_an_initial_command_starts_even_if_the_pause_before_it_fails() {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    kernel.refuse("delay", Status::ALERTED);
    let mut plan = TestPlan::new(kernel);
    plan.execute = vec![units("foo.exe bar")];
    let (kernel, manager) = start_with(kernel, plan.leak());
    manager
        .load_session0(&mut Command::new())
        .unwrap()
        .start_initial()
        .unwrap();
    assert_eq!(kernel.running("foo.exe").len(), 1);
}

#[test]
fn spec_12_3_the_end_of_either_process_is_told_by_its_name_and_status() {
    const INITIAL: nt::UnicodeStr<'static> = nt::wide!("Windows Logon Process");
    for (image, name) in [
        ("csrss.exe", nt::wide!("Windows SubSystem")),
        ("winlogon.exe", INITIAL),
    ] {
        for with_server in [true, false] {
            let (kernel, manager) = cold(|plan| plan);
            let mut watched = manager
                .load_session0(&mut Command::new())
                .unwrap()
                .start_initial()
                .unwrap();
            watched.initial_name = INITIAL;
            if !with_server {
                // No Windows subsystem was asked for: only the initial command counts.
                watched.server = None;
                kernel.exit(kernel.running("winlogon.exe")[0], Status::new(0xC000_0005));
            } else {
                kernel.exit(kernel.running(image)[0], Status::new(0xC000_0005));
            }
            let ending = end::wait(kernel, &watched);
            let name = if with_server { name } else { INITIAL };
            assert_eq!(
                (ending.name, ending.status),
                (name, Status::new(0xC000_0005))
            );
        }
    }
}

#[test]
fn spec_12_3_a_wait_that_fails_ends_the_system_with_its_own_status() {
    let (kernel, manager) = cold(|plan| plan);
    let watched = manager
        .load_session0(&mut Command::new())
        .unwrap()
        .start_initial()
        .unwrap();
    kernel.refuse("wait_any", Status::INVALID_HANDLE);
    let ending = end::wait(kernel, &watched);
    assert_eq!(
        (ending.name, ending.status),
        (watched.initial_name, Status::INVALID_HANDLE)
    );
}

#[test]
fn spec_12_4_the_hard_error_names_who_has_failed_and_how_and_the_file_of_a_known_dll() {
    let (kernel, _) = cold(|plan| plan);
    for (step, name) in [
        (Essential::SessionSpace, "Session Manager Initialization"),
        (
            Essential::InitialCommand,
            "Session Manager ExecuteInitialCommand",
        ),
    ] {
        let ending = Ending::from(step.stop("what", Status::NO_MEMORY));
        end::stop(kernel, &ending);
        assert_eq!(kernel.state().hard_error, [name, "c0000017", "0", "0"]);
        end::stop_for_known_dll(kernel, &ending, nt::wide!("bad.dll"));
        assert_eq!(kernel.state().hard_error, [name, "c0000017", "bad.dll"]);
    }
}

#[test]
fn spec_1_3_global_flag_puts_ntsd_before_the_command() {
    for (flags, line) in [
        (0x4, "ntsd -d winlogon.exe"),
        (0x0400_0000, "ntsd -d -g -x winlogon.exe"),
        (0x0400_0004, "ntsd -d -g -x winlogon.exe"),
    ] {
        let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
        kernel.state().flags = flags;
        let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).leak());
        manager
            .load_session0(&mut Command::new())
            .unwrap()
            .start_initial()
            .unwrap();
        let ntsd = kernel.running("ntsd.exe")[0];
        assert_eq!(kernel.state().processes[&ntsd].command_line, line);
    }
}

#[test]
fn spec_11_3_start_csr_makes_a_session_and_stop_csr_takes_it_down() {
    let world = booted(|plan| plan);
    let before = world.sizes();
    let started = world.start("").unwrap();
    assert_eq!(started.session, 1);
    let of = |id: Word| world.kernel.state().processes[&id].clone();
    assert_eq!(
        (
            of(started.server).image.as_str(),
            of(started.server).session
        ),
        ("csrss.exe", 1)
    );
    assert_eq!(
        (
            of(started.initial).image.as_str(),
            of(started.initial).session
        ),
        ("winlogon.exe", 1)
    );
    assert!(of(started.initial).running);
    assert_eq!(world.kernel.state().attached.len(), 0);
    assert_eq!(world.stop(1), Ok(()));
    assert!(of(started.server).exit.is_some() && of(started.initial).exit.is_some());
    assert_eq!(world.sizes(), before);
    assert_eq!(world.stop(1), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn spec_11_3_start_csr_runs_the_command_it_is_given() {
    let world = booted(|plan| plan);
    let started = world.start("gui.exe of my own").unwrap();
    assert_eq!(
        world.kernel.state().processes[&started.initial].command_line,
        "gui.exe of my own"
    );
}

#[test]
fn spec_11_3_stop_csr_refuses_session_0_and_unknown_ones() {
    let world = booted(|plan| plan);
    assert_eq!(world.stop(0), Err(Status::INVALID_PARAMETER));
    assert_eq!(world.stop(1), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(world.stop(u32::MAX), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn spec_11_3_stop_csr_ends_a_session_in_which_no_server_is_left() {
    // Its only server is not csrss, and its initial command needs none.
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).windows("psxss.exe").leak());
    kernel.state().sessions.insert(0);
    let world = World::of(kernel, manager);
    let before = world.sizes();
    let session = world.start("sleep.exe").unwrap().session;
    kernel.exit(kernel.running("psxss.exe")[0], Status::SUCCESS);
    assert_eq!(kernel.running("sleep.exe").len(), 1);
    assert_eq!(world.stop(session), Ok(()));
    assert!(kernel.running("sleep.exe").is_empty());
    assert_eq!(world.sizes(), before);
}

#[test]
fn spec_11_3_a_start_that_fails_half_way_is_undone() {
    for command in ["nosuch.exe", "  ", "async"] {
        let world = booted(|plan| plan);
        let before = world.sizes();
        assert!(world.start(command).is_err(), "{command:?}");
        assert_eq!(world.sizes(), before, "{command:?}");
        assert_eq!(world.kernel.running("csrss.exe").len(), 1);
        assert_eq!(world.kernel.state().attached.len(), 0);
        // The number is free again.
        assert_eq!(world.start("").unwrap().session, 1);
    }
}

#[test]
fn spec_11_3_servers_that_break_the_contract_in_a_new_session() {
    for (command, status) in [
        ("silent.exe", Status::IO_TIMEOUT),
        ("mute.exe", Status::PORT_DISCONNECTED),
        ("nameless.exe", Status::PORT_DISCONNECTED),
        ("dies.exe", Status::DLL_INIT_FAILED),
        ("leaves.exe", Status::DELETE_PENDING),
    ] {
        // Session 0 is brought up by a good server, session 1 by the bad one.
        let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
        let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).windows(command).leak());
        // Makes session 0 taken without a boot.
        kernel.state().sessions.insert(0);
        let world = World::of(kernel, manager);
        let (_, counts) = world.sizes();
        assert_eq!(world.start("").err(), Some(status), "{command}");
        assert!(kernel.running(command).is_empty(), "{command}");
        assert!(kernel.running("winlogon.exe").is_empty(), "{command}");
        let after = world.sizes();
        assert_eq!(
            (after.1.servers, after.1.sessions, after.1.environments),
            (counts.servers, counts.sessions, counts.environments)
        );
        let again = world.start("").err();
        assert_eq!(again, Some(status), "{command}");
        assert_eq!(world.sizes(), after, "{command}");
        assert_eq!(kernel.state().bad_closes, 0, "{command}");
    }
}

#[test]
fn spec_15_d3_a_server_that_dies_takes_its_session_with_it() {
    let world = booted(|plan| plan);
    let before = world.sizes();
    let started = world.start("").unwrap();
    world.kernel.exit(started.server, Status::ACCESS_VIOLATION);
    assert_eq!(world.sizes(), before);
    assert_eq!(world.kernel.running("winlogon.exe").len(), 1);
    assert_eq!(
        world.stop(started.session),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn spec_15_d3_exec_pgm_does_not_go_to_a_dead_port() {
    let world = booted(|plan| plan);
    let csrss = world.kernel.running("csrss.exe")[0];
    world.kernel.exit(csrss, Status::ACCESS_VIOLATION);
    assert_eq!(
        (
            world.manager.counts().servers,
            world.manager.counts().environments
        ),
        (0, 0)
    );
    assert_eq!(world.kernel.state().bad_closes, 0);
}

#[test]
fn sixty_four_sessions_at_once_and_everything_is_back_afterwards() {
    let world = booted(|plan| plan);
    let before = world.sizes();
    for round in 0..2 {
        for session in 1..=64 {
            assert_eq!(world.start("").unwrap().session, session, "{round}");
        }
        assert_eq!(world.manager.counts().sessions, 65);
        for session in (1..=64).rev() {
            assert_eq!(world.stop(session), Ok(()));
        }
        assert_eq!(world.sizes(), before);
        assert_eq!(world.kernel.running("csrss.exe").len(), 1);
        assert_eq!(world.kernel.running("winlogon.exe").len(), 1);
    }
    assert_eq!(world.kernel.state().bad_closes, 0);
}

#[test]
fn the_63rd_session_costs_as_many_calls_as_the_first_and_a_few_looks_at_each_that_is_there() {
    /// Looks at one record in one start: the tables of servers, sessions and environments, a few
    /// times each.
    const LOOKS: usize = 64;
    let world = booted(|plan| plan);
    let costs: Vec<_> = (1..64)
        .map(|_| {
            let (steps, calls) = (nt::steps::taken(), world.kernel.calls());
            world.start("").unwrap();
            (nt::steps::taken() - steps, world.kernel.calls() - calls)
        })
        .collect();
    let (first_steps, first_calls) = costs[0];
    for (there, (steps, calls)) in (1..).zip(costs) {
        assert_eq!(calls, first_calls, "session {there}");
        assert!(
            steps <= first_steps + LOOKS * there,
            "session {there}: {steps} steps, the first one took {first_steps}"
        );
    }
}
