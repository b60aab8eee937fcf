// SPDX-License-Identifier: GPL-2.0-or-later
//! Every API number: success and each failure (spec 10.4, 10.5, 17).

use crate::kernel::{FIRST_CONTEXT, Kernel, TestPlan, start_with, units};
use nt::system::ImageSubsystem;
use nt::{Result, Status, Word, by_width};
use proptest::prelude::*;
use sm_protocol::sb::SbApi;
use sm_protocol::sm::{
    ConnectionInfo, ExecPgm, LoadDeferred, QuerySessions, SessionComplete, SmApi, StartCsr, StopCsr,
};
use sm_protocol::{Request, request, result_of};
use subsystems::{Command, Manager};
use zerocopy::{FromZeros, IntoBytes};

pub struct World {
    pub kernel: &'static Kernel,
    pub manager: &'static Manager<&'static Kernel>,
    pub client: Word,
    pub context: Word,
}

/// A booted session 0 and a plain client.
pub fn world_with(change: impl FnOnce(TestPlan) -> TestPlan) -> World {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    let (kernel, manager) = start_with(kernel, change(TestPlan::new(kernel)).leak());
    manager
        .load_session0(&mut Command::new())
        .unwrap()
        .start_initial()
        .unwrap();
    let client = kernel.add_process(0, "client.exe");
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    World {
        kernel,
        manager,
        client,
        context,
    }
}

pub fn world() -> World {
    world_with(|plan| plan)
}

impl World {
    pub fn call<R: Request>(&self, body: &R) -> (Result<()>, R) {
        let reply = self
            .kernel
            .send(self.client, self.context, &request(body))
            .expect("a request without a reply");
        (
            result_of(&reply),
            R::read_from_prefix(&reply.data[8..]).unwrap().0,
        )
    }

    /// A new session: its id.
    pub fn start(&self, command: &str) -> Result<u32> {
        let mut body = StartCsr::new_zeroed();
        for (to, from) in body.command.iter_mut().zip(command.encode_utf16()) {
            *to = from;
        }
        body.length = 2 * command.len() as u32;
        let (result, started) = self.call(&body);
        result.map(|()| started.session)
    }

    fn raw(&self, number: u32, bytes: u16) -> Result<()> {
        let mut message = request(&StartCsr::new_zeroed());
        message.data[..4].copy_from_slice(&number.to_le_bytes());
        message.header.data_length = 8 + bytes;
        result_of(
            &self
                .kernel
                .send(self.client, self.context, &message)
                .unwrap(),
        )
    }

    pub fn exec(&self, image: &str, image_type: ImageSubsystem) -> (Word, Result<()>) {
        self.exec_in(0, image, image_type)
    }

    pub fn exec_in(
        &self,
        session: u32,
        image: &str,
        image_type: ImageSubsystem,
    ) -> (Word, Result<()>) {
        let process = self.kernel.add_process(session, image);
        let mut body = ExecPgm::new_zeroed();
        body.process.process = self.kernel.give_handle(self.client, process);
        body.process.thread = self.kernel.give_thread(self.client, process);
        body.process.client.process = process;
        body.process.image.subsystem = image_type;
        (process, self.call(&body).0)
    }
}

#[test]
fn spec_17_sm_client_sends_api_number_99() {
    let world = world();
    for number in [7 + 1, 99, 0x100, 0x101, u32::MAX] {
        assert_eq!(
            world.raw(number, 0x118),
            Err(Status::NOT_IMPLEMENTED),
            "{number:#x}"
        );
        assert_eq!(
            world.raw(number, 0),
            Err(Status::NOT_IMPLEMENTED),
            "{number:#x}"
        );
    }
}

#[test]
fn spec_17_sm_client_without_subsystem_sends_session_complete() {
    let world = world();
    assert_eq!(
        world
            .call(&SessionComplete {
                session: 1,
                status: 0
            })
            .0,
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        world.raw(SmApi::CREATE_FOREIGN_SESSION.0, 0),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        world.raw(SmApi::TERMINATE_FOREIGN_SESSION.0, 0),
        Err(Status::INVALID_PARAMETER)
    );
}

#[test]
fn spec_10_4_foreign_sessions_are_not_implemented_for_a_server_either() {
    let world = world();
    let (csrss, context) = csrss_connection(&world);
    for number in [
        SmApi::CREATE_FOREIGN_SESSION,
        SmApi::TERMINATE_FOREIGN_SESSION,
    ] {
        let mut message = request(&StopCsr { session: 0 });
        message.data[..4].copy_from_slice(&number.0.to_le_bytes());
        assert_eq!(
            result_of(&world.kernel.send(csrss, context, &message).unwrap()),
            Err(Status::NOT_IMPLEMENTED)
        );
    }
}

/// csrss and the context it registered with: the first one given out.
fn csrss_connection(world: &World) -> (Word, Word) {
    (world.kernel.running("csrss.exe")[0], FIRST_CONTEXT)
}

#[test]
fn spec_10_4_session_complete_of_the_owner_forgets_the_session_and_of_anybody_else_not() {
    let world = world();
    let (csrss, context) = csrss_connection(&world);
    let complete = |session| {
        result_of(
            &world
                .kernel
                .send(
                    csrss,
                    context,
                    &request(&SessionComplete { session, status: 0 }),
                )
                .unwrap(),
        )
    };
    assert_eq!(world.manager.counts().environments, 1);
    assert_eq!(complete(2), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(complete(1), Ok(()));
    assert_eq!(complete(1), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(world.manager.counts().environments, 0);
    // Another server's session.
    let other = world_with(|plan| plan);
    let mut load = LoadDeferred::new_zeroed();
    load.name[..5].copy_from_slice(&units("Posix"));
    load.length = 10;
    assert_eq!(other.call(&load).0, Ok(()));
    let psxss = other.kernel.running("psxss.exe")[0];
    // csrss and the client have the first two places.
    let stolen = (2..8)
        .map(|index| FIRST_CONTEXT | index)
        .find_map(|context| {
            let reply = other
                .kernel
                .send(
                    psxss,
                    context,
                    &request(&SessionComplete {
                        session: 1,
                        status: 0,
                    }),
                )
                .unwrap();
            (result_of(&reply) == Err(Status::ACCESS_DENIED)).then_some(())
        });
    assert!(stolen.is_some(), "psxss ended a session of csrss");
}

#[test]
fn spec_17_sm_client_sends_load_defered_length_0_or_66() {
    let world = world();
    for length in [0, 66, 65, 1, u32::MAX, 0x8000_0000] {
        let mut body = LoadDeferred::new_zeroed();
        body.length = length;
        assert_eq!(
            world.call(&body).0,
            Err(Status::INVALID_PARAMETER),
            "{length}"
        );
    }
}

#[test]
fn spec_17_sm_client_load_defered_nope() {
    let world = world();
    let mut body = LoadDeferred::new_zeroed();
    body.name[..4].copy_from_slice(&units("Nope"));
    body.length = 8;
    assert_eq!(world.call(&body).0, Err(Status::OBJECT_NAME_NOT_FOUND));
}

fn deferred(world: &World, name: &str) -> Result<()> {
    let mut body = LoadDeferred::new_zeroed();
    body.name[..name.len()].copy_from_slice(&units(name));
    body.length = 2 * name.len() as u32;
    world.call(&body).0
}

#[test]
fn spec_9_6_posix_is_started_once_and_its_name_has_no_case() {
    let world = world();
    assert_eq!(deferred(&world, "pOSIX"), Ok(()));
    assert_eq!(world.kernel.running("psxss.exe").len(), 1);
    assert_eq!(deferred(&world, "POSIX"), Ok(()));
    assert_eq!(world.kernel.running("psxss.exe").len(), 1);
    // csrss was asked to create it, and answered as ReactOS' does.
    let asked = world
        .kernel
        .state()
        .callbacks
        .iter()
        .filter(|(_, api)| *api == SbApi::CREATE_PROCESS.0)
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn spec_9_6_a_deferred_program_that_is_not_there_is_not_found() {
    let world = world();
    let before = (world.kernel.open_handles(), world.manager.counts());
    assert_eq!(deferred(&world, "Odd"), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
}

#[test]
fn spec_10_5_exec_pgm_gives_a_gui_process_to_csrss_which_resumes_it() {
    let world = world();
    let (process, result) = world.exec("gui.exe", ImageSubsystem::WINDOWS_GUI);
    assert_eq!(result, Ok(()));
    assert!(world.kernel.state().processes[&process].running);
    assert_eq!(world.manager.counts().environments, 2);
}

#[test]
fn spec_15_d32_exec_pgm_gives_a_character_mode_process_to_csrss_too() {
    let world = world();
    let (process, result) = world.exec("console.exe", ImageSubsystem::WINDOWS_CUI);
    assert_eq!(result, Ok(()));
    assert!(world.kernel.state().processes[&process].running);
}

#[test]
fn spec_10_5_exec_pgm_of_a_native_image_is_resumed_by_smss() {
    let world = world();
    let (process, result) = world.exec("sleep.exe", ImageSubsystem::NATIVE);
    assert_eq!(result, Ok(()));
    assert!(world.kernel.state().processes[&process].running);
    assert_eq!(world.manager.counts().environments, 1);
}

#[test]
fn spec_10_5_exec_pgm_of_a_type_nobody_serves_is_unsuccessful() {
    let world = world();
    let before = world.kernel.open_handles();
    let (process, result) = world.exec("other.exe", ImageSubsystem::OS2_CUI);
    assert_eq!(result, Err(Status::UNSUCCESSFUL));
    assert!(!world.kernel.state().processes[&process].running);
    assert_eq!(world.kernel.open_handles(), before);
}

#[test]
fn spec_10_5_exec_pgm_with_handles_that_are_none_is_an_invalid_handle() {
    let world = world();
    let before = world.kernel.open_handles();
    assert_eq!(
        world.call(&ExecPgm::new_zeroed()).0,
        Err(Status::INVALID_HANDLE)
    );
    let process = world.kernel.add_process(0, "gui.exe");
    let mut body = ExecPgm::new_zeroed();
    body.process.process = world.kernel.give_handle(world.client, process);
    assert_eq!(world.call(&body).0, Err(Status::INVALID_HANDLE));
    assert_eq!(world.kernel.open_handles(), before);
}

#[test]
fn spec_10_5_a_process_in_a_session_without_servers_is_not_found() {
    let world = world();
    let process = world.kernel.add_process(9, "gui.exe");
    let mut body = ExecPgm::new_zeroed();
    body.process.process = world.kernel.give_handle(world.client, process);
    body.process.thread = world.kernel.give_thread(world.client, process);
    assert_eq!(world.call(&body).0, Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn spec_10_4_messages_shorter_than_their_number_wants_are_invalid_parameters() {
    let world = world();
    let before = (world.kernel.open_handles(), world.manager.counts());
    let (exec_pgm, start_csr) = (by_width(0x70, 0x48), by_width(0x118, 0x110));
    for (number, size) in [(3, exec_pgm), (4, 0x44), (5, start_csr), (6, 4), (7, 0x110)] {
        for bytes in [0, 1, size - 1] {
            assert_eq!(
                world.raw(number, bytes as u16),
                Err(Status::INVALID_PARAMETER),
                "{number} {bytes}"
            );
        }
    }
    for bytes in 0..8 {
        let mut message = request(&StopCsr { session: 0 });
        message.header.data_length = bytes;
        assert_eq!(
            result_of(
                &world
                    .kernel
                    .send(world.client, world.context, &message)
                    .unwrap()
            ),
            Err(Status::INVALID_PARAMETER)
        );
    }
    assert_eq!(
        (world.kernel.open_handles(), world.manager.counts()),
        before
    );
}

#[test]
fn query_lists_servers_with_session_and_initial_command_and_knows_one_class() {
    let world = world();
    let mut body = QuerySessions::new_zeroed();
    assert_eq!(world.call(&body).0, Err(Status::NOT_IMPLEMENTED));
    body.class = QuerySessions::CLASS;
    let (result, answer) = world.call(&body);
    assert_eq!((result, answer.count, answer.length), (Ok(()), 1, 8 + 16));
    assert_eq!(
        Word::from(answer.entries[0].server),
        world.kernel.running("csrss.exe")[0]
    );
    assert_eq!(
        Word::from(answer.entries[0].initial),
        world.kernel.running("winlogon.exe")[0]
    );
    assert_eq!(
        (answer.entries[0].session, answer.entries[0].subsystem),
        (0, ImageSubsystem::WINDOWS_GUI)
    );
    body.first = u32::MAX;
    assert_eq!(world.call(&body).1.count, 0);
}

#[test]
fn requests_before_the_registry_is_read_are_refused() {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    let manager: &'static Manager<&'static Kernel> = crate::kernel::unpublished(kernel);
    let client = kernel.add_process(0, "client.exe");
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    let reply = kernel
        .send(client, context, &request(&StartCsr::new_zeroed()))
        .unwrap();
    assert_eq!(result_of(&reply), Err(Status::DEVICE_NOT_READY));
    assert_eq!(manager.counts().sessions, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes from a client are answered, once, and leave nothing behind that could be counted against smss but what they asked for.
    #[test]
    fn any_bytes_are_answered(data in prop::collection::vec(any::<u8>(), 0x120), number in prop_oneof![0u32..10, Just(0x100), Just(0x101), any::<u32>()], length in prop_oneof![0u16..0x130, any::<u16>()]) {
        let world = world();
        let mut message = request(&StartCsr::new_zeroed());
        for (to, from) in message.data.iter_mut().zip(&data) {
            *to = *from;
        }
        message.data[..4].copy_from_slice(&number.to_le_bytes());
        message.header.data_length = length;
        prop_assert!(world.kernel.send(world.client, world.context, &message).is_some());
        prop_assert_eq!(world.kernel.state().bad_closes, 0);
        let clients = world.manager.counts().clients;
        world.kernel.exit(world.client, Status::SUCCESS);
        prop_assert_eq!(world.manager.counts().clients, clients - 1);
    }

    /// Any connection data are answered with a connection or a refusal.
    #[test]
    fn any_announcement_is_answered(data in prop::collection::vec(any::<u8>(), 0..0x11C)) {
        let world = world();
        let before = world.kernel.open_handles();
        let client = world.kernel.add_process(0, "other.exe");
        let context = world.kernel.connect_raw(client, data.as_bytes()).unwrap();
        world.kernel.disconnect(client, context);
        prop_assert_eq!(world.kernel.open_handles(), before);
    }
}
