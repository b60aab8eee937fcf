// SPDX-License-Identifier: GPL-2.0-or-later
//! Connection rules and the end of clients (spec 10.2, 10.6).

use crate::kernel::{Kernel, TestPlan, port_closed, units};
use nt::system::{ImageSubsystem, MessageBuffer, MessageKind};
use nt::{Status, UnicodeStr, Word};
use sm_protocol::sm::{ConnectionInfo, StopCsr};
use sm_protocol::{ApiMessage, request, result_of};
use subsystems::{CLIENTS, Command, Manager};
use zerocopy::IntoBytes;

fn world() -> (&'static Kernel, &'static Manager<&'static Kernel>) {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    crate::kernel::start_with(kernel, TestPlan::new(kernel).leak())
}

#[test]
fn spec_10_2_a_process_smss_did_not_start_is_a_plain_client_whatever_it_announces() {
    let (kernel, manager) = world();
    let client = kernel.add_process(0, "stranger.exe");
    let announced =
        ConnectionInfo::server(ImageSubsystem::WINDOWS_GUI, UnicodeStr(&units("\\Mine"))).unwrap();
    assert!(kernel.connect(client, &announced).is_ok());
    assert_eq!((manager.counts().clients, manager.counts().servers), (1, 0));
}

#[test]
fn spec_10_2_a_process_that_cannot_be_opened_is_refused() {
    let (kernel, manager) = world();
    assert_eq!(
        kernel.connect(0xDEAD, &ConnectionInfo::PLAIN),
        Err(Status::PORT_CONNECTION_REFUSED)
    );
    assert_eq!(manager.counts().clients, 0);
}

#[test]
fn d31_a_process_whose_session_cannot_be_asked_for_is_refused_and_not_taken_for_one_of_session_0() {
    let (kernel, manager) = world();
    let client = kernel.add_process(3, "client.exe");
    let before = kernel.open_handles();
    // Opening it is the first call, its session the second.
    kernel.fail(1, Status::ACCESS_DENIED, false);
    assert_eq!(
        kernel.connect(client, &ConnectionInfo::PLAIN),
        Err(Status::PORT_CONNECTION_REFUSED)
    );
    assert_eq!(
        (manager.counts().clients, kernel.open_handles()),
        (0, before)
    );
}

#[test]
fn spec_10_2_connection_data_of_any_length_is_taken_as_far_as_it_goes() {
    let (kernel, _) = world();
    let client = kernel.add_process(0, "client.exe");
    for length in [0, 1, 3, 4, 5, 0xF3, 0xF4] {
        let announced = ConnectionInfo::PLAIN;
        assert!(
            kernel
                .connect_raw(client, &announced.as_bytes()[..length])
                .is_ok(),
            "{length}"
        );
    }
}

#[test]
fn spec_10_2_clients_beyond_the_table_are_refused_and_places_are_used_again() {
    let (kernel, manager) = world();
    let client = kernel.add_process(0, "flood.exe");
    let before = kernel.open_handles();
    let contexts: Vec<Word> = (0..1_000)
        .filter_map(|_| kernel.connect(client, &ConnectionInfo::PLAIN).ok())
        .collect();
    assert_eq!(contexts.len(), CLIENTS);
    for context in contexts {
        kernel.disconnect(client, context);
    }
    assert_eq!(manager.counts().clients, 0);
    assert_eq!(kernel.open_handles(), before);
    assert!(kernel.connect(client, &ConnectionInfo::PLAIN).is_ok());
}

#[test]
fn spec_10_6_ten_thousand_connections_leave_the_handle_count_where_it_was() {
    let (kernel, manager) = world();
    let client = kernel.add_process(0, "client.exe");
    let (before, counts) = (kernel.open_handles(), manager.counts());
    for _ in 0..10_000 {
        let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
        kernel.disconnect(client, context);
    }
    assert_eq!((kernel.open_handles(), manager.counts()), (before, counts));
    assert_eq!(kernel.state().bad_closes, 0);
}

#[test]
fn spec_10_6_client_died_and_port_closed_free_everything_once() {
    let (kernel, manager) = world();
    let client = kernel.add_process(0, "client.exe");
    let before = kernel.open_handles();
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    for kind in [
        MessageKind::CLIENT_DIED,
        MessageKind::PORT_CLOSED,
        MessageKind::PORT_CLOSED,
    ] {
        assert!(
            kernel
                .send_kind(client, context, &MessageBuffer::default(), kind.0)
                .is_none()
        );
        assert_eq!(manager.counts().clients, 0);
    }
    assert_eq!(kernel.open_handles(), before);
    assert_eq!(kernel.state().bad_closes, 0);
}

#[test]
fn spec_10_6_port_closed_names_its_connection_by_the_context_alone() {
    let (kernel, manager) = world();
    let (client, stranger) = (
        kernel.add_process(0, "client.exe"),
        kernel.add_process(0, "stranger.exe"),
    );
    let before = kernel.open_handles();
    // The last handle was a duplicate in another process; a thread of the system that deletes what
    // was left over; the kernel's flag.
    for (closer, flag) in [(stranger, 0), (4, 0), (client, 0x8000)] {
        let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
        let kept = kernel.connect(stranger, &ConnectionInfo::PLAIN).unwrap();
        assert!(
            kernel
                .send_kind(
                    closer,
                    context,
                    &port_closed(),
                    MessageKind::PORT_CLOSED.0 | flag
                )
                .is_none()
        );
        assert_eq!(manager.counts().clients, 1, "{closer}");
        kernel.disconnect(stranger, kept);
        assert_eq!(
            (manager.counts().clients, kernel.open_handles()),
            (0, before),
            "{closer}"
        );
    }
}

#[test]
fn spec_10_6_datagrams_and_other_kinds_are_not_answered() {
    let (kernel, _) = world();
    let client = kernel.add_process(0, "client.exe");
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    for kind in [0, 2, 3, 4, 7, 8, 9, 11, 0xFF] {
        assert!(
            kernel
                .send_kind(client, context, &request(&StopCsr { session: 1 }), kind)
                .is_none(),
            "{kind}"
        );
    }
}

#[test]
fn spec_10_6_a_request_over_a_forgotten_connection_is_answered_not_served() {
    let (kernel, _) = world();
    let client = kernel.add_process(0, "client.exe");
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    kernel.disconnect(client, context);
    for context in [context, 0, 1, Word::MAX] {
        let reply = kernel
            .send(client, context, &request(&StopCsr { session: 1 }))
            .unwrap();
        assert_eq!(result_of(&reply), Err(Status::PORT_DISCONNECTED));
        assert!(reply.api().is_ok());
    }
}

#[test]
fn spec_17_a_second_registration_of_the_same_server_is_refused() {
    let (kernel, manager) = world();
    let mut command = Command::new();
    let session = manager.load_session0(&mut command).unwrap();
    let csrss = kernel.running("csrss.exe")[0];
    let announced =
        ConnectionInfo::server(ImageSubsystem::WINDOWS_GUI, UnicodeStr(&units("\\Again"))).unwrap();
    assert_eq!(
        kernel.connect(csrss, &announced),
        Err(Status::PORT_CONNECTION_REFUSED)
    );
    // As a plain client it may connect as often as it likes.
    assert!(kernel.connect(csrss, &ConnectionInfo::PLAIN).is_ok());
    drop(session);
}

#[test]
fn a_port_is_made_with_two_threads() {
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
    let (kernel, manager) = crate::kernel::start_with(kernel, TestPlan::new(kernel).leak());
    assert_eq!(kernel.state().api_threads, 2);
    assert_eq!(manager.counts().threads, 2);
}

#[test]
fn spec_10_2_6_a_client_that_could_not_be_let_go_at_once_is_let_go_later() {
    let (kernel, manager) = world();
    let client = kernel.add_process(0, "client.exe");
    let before = kernel.open_handles();
    for _ in 0..3 {
        kernel.refuse("complete_connect", Status::NO_MEMORY);
    }
    let context = kernel.connect(client, &ConnectionInfo::PLAIN).unwrap();
    assert_eq!(manager.counts().clients, 1);
    kernel.disconnect(client, context);
    assert_eq!(
        (manager.counts().clients, kernel.open_handles()),
        (0, before)
    );
}

#[test]
fn spec_10_2_4_a_client_that_could_not_be_refused_at_once_is_refused_later() {
    let (kernel, manager) = world();
    for _ in 0..3 {
        kernel.refuse("refuse_connect", Status::NO_MEMORY);
    }
    // There is no such process.
    assert_eq!(
        kernel.connect(0xDEAD, &ConnectionInfo::PLAIN),
        Err(Status::PORT_CONNECTION_REFUSED)
    );
    assert_eq!(manager.counts().clients, 0);
}

#[test]
fn spec_10_2_4_a_client_that_has_gone_is_not_waited_for() {
    let (kernel, _) = world();
    for gone in [Status::INVALID_CID, Status::REPLY_MESSAGE_MISMATCH] {
        kernel.refuse("refuse_connect", gone);
        assert!(kernel.connect(0xDEAD, &ConnectionInfo::PLAIN).is_err());
        assert!(kernel.state().delays.is_empty(), "{gone}");
    }
}
