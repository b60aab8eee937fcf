// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules of spec 10, one test each.

use super::*;
use alloc::vec;

const SERVER: ClientId = ClientId {
    process: 4,
    thread: 40,
};
const WORKER: ClientId = ClientId {
    process: 4,
    thread: 44,
};
const CLIENT: ClientId = ClientId {
    process: 8,
    thread: 80,
};
const OTHER: ClientId = ClientId {
    process: 12,
    thread: 120,
};

fn header(data: usize) -> PortMessage {
    PortMessage {
        data_length: data as u16,
        total_length: (HEADER + data) as u16,
        ..PortMessage::default()
    }
}

fn received(receive: Receive) -> Message {
    match receive {
        Receive::Message(message) => message,
        Receive::Blocked => panic!("nothing was queued"),
    }
}

fn woken(lpc: &mut Lpc, thread: u64) -> Event {
    let wakes = lpc.take_wakes();
    assert_eq!(wakes.len(), 1, "{wakes:?}");
    let wake = wakes.into_iter().next().expect("one wake");
    assert_eq!(wake.thread, thread);
    wake.event
}

/// A server port, and a connection to it: (connection port, communication port, client port).
fn connection(lpc: &mut Lpc) -> (PortId, PortId, PortId) {
    let port = lpc.create(SERVER, true, 0xF4, 0x148).expect("a port");
    lpc.connect(CLIENT, port, b"hello", None)
        .expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    let accepted = lpc
        .accept(SERVER, &request.header, &request.data, true, 0x77)
        .expect("accepted")
        .expect("a port");
    lpc.complete(accepted.port).expect("completed");
    let Event::Connected(connected) = woken(lpc, CLIENT.thread) else {
        panic!("not connected")
    };
    (port, accepted.port, connected.port)
}

#[test]
fn spec_10_2_a_connection_request_carries_the_information_and_no_context() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0xF4, 0x148).expect("a port");
    lpc.connect(CLIENT, port, &[7; 0xF4], None)
        .expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    assert_eq!(request.kind(), MessageKind::CONNECTION_REQUEST);
    assert_eq!(
        (request.header.data_length, request.header.total_length),
        (0xF4, 0x11C)
    );
    assert_eq!((request.header.client, request.context), (CLIENT, 0));
    assert_ne!({ request.header.message_id }, 0);
    assert_eq!(request.data, vec![7; 0xF4]);
}

#[test]
fn spec_10_2_the_client_waits_until_the_connection_is_completed() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0xF4, 0x148).expect("a port");
    lpc.connect(CLIENT, port, b"hello", None)
        .expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    let end = lpc
        .accept(SERVER, &request.header, b"HELLO and more", true, 0)
        .expect("accepted")
        .expect("a port")
        .port;
    assert_eq!(lpc.take_wakes(), vec![]);
    lpc.complete(end).expect("completed");
    let Event::Connected(connected) = woken(&mut lpc, CLIENT.thread) else {
        panic!("not connected")
    };
    assert_eq!(
        (connected.information.as_slice(), connected.max_message),
        (b"HELLO".as_slice(), 0x148)
    );
    assert_eq!(lpc.kind(connected.port), Some(PortKind::Client));
    assert_eq!(lpc.complete(end), Err(Status::INVALID_PARAMETER));
}

#[test]
fn spec_10_2_a_refusal_gives_port_connection_refused_and_the_information() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0xF4, 0x148).expect("a port");
    lpc.connect(CLIENT, port, b"hello", None)
        .expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    assert_eq!(
        lpc.accept(SERVER, &request.header, b"no", false, 0),
        Ok(None)
    );
    assert_eq!(
        woken(&mut lpc, CLIENT.thread),
        Event::Failed(Status::PORT_CONNECTION_REFUSED, b"no".to_vec())
    );
    assert_eq!(
        lpc.accept(SERVER, &request.header, b"", true, 0),
        Err(Status::REPLY_MESSAGE_MISMATCH)
    );
}

#[test]
fn spec_10_2_only_the_server_process_may_accept_and_only_the_right_request() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0xF4, 0x148).expect("a port");
    lpc.connect(CLIENT, port, b"", None).expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request")).header;
    let mismatch = Err(Status::REPLY_MESSAGE_MISMATCH);
    assert_eq!(lpc.accept(OTHER, &request, b"", true, 0), mismatch);
    assert_eq!(
        lpc.accept(
            SERVER,
            &PortMessage {
                message_id: request.message_id + 1,
                ..request
            },
            b"",
            true,
            0
        ),
        mismatch
    );
    assert_eq!(
        lpc.accept(
            SERVER,
            &PortMessage {
                client: OTHER,
                ..request
            },
            b"",
            true,
            0
        ),
        mismatch
    );
    assert!(
        lpc.accept(WORKER, &request, b"", true, 0).is_ok(),
        "any thread of the server"
    );
}

#[test]
fn connecting_to_anything_but_a_connection_port_is_an_invalid_port_handle() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (_, end, client) = connection(&mut lpc);
    let unconnected = lpc.create(SERVER, false, 0, 0x100).expect("a port");
    for port in [end, client, unconnected] {
        assert_eq!(
            lpc.connect(OTHER, port, b"", None),
            Err(Status::INVALID_PORT_HANDLE)
        );
    }
    assert_eq!(lpc.complete(client), Err(Status::INVALID_PORT_HANDLE));
}

#[test]
fn limits_beyond_what_the_system_carries_are_refused() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    assert_eq!(
        lpc.create(SERVER, true, lpc.longest.connection_info + 1, 0x100),
        Err(Status::INVALID_PARAMETER_3)
    );
    assert_eq!(
        lpc.create(SERVER, true, 0, lpc.longest.message + 1),
        Err(Status::INVALID_PARAMETER_4)
    );
    assert!(lpc.create(SERVER, true, 0xF4, 0x148).is_ok());
}

#[test]
fn spec_10_6_a_request_carries_the_context_and_its_reply_ends_the_wait() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    assert_eq!(lpc.receive(SERVER, port), Ok(Receive::Blocked));
    lpc.request(CLIENT, client, &header(4), b"ping")
        .expect("sent");
    let Event::Received(request) = woken(&mut lpc, SERVER.thread) else {
        panic!("not received")
    };
    assert_eq!(
        (request.kind(), request.context, request.header.client),
        (MessageKind::REQUEST, 0x77, CLIENT)
    );
    assert!(lpc.is_waiting(CLIENT.thread));
    lpc.reply(port, &request.header, b"pong").expect("replied");
    let Event::Replied(reply) = woken(&mut lpc, CLIENT.thread) else {
        panic!("not replied")
    };
    assert_eq!(
        (reply.kind(), reply.data.as_slice()),
        (MessageKind::REPLY, b"pong".as_slice())
    );
    assert_eq!({ reply.header.message_id }, { request.header.message_id });
    assert_eq!(
        lpc.reply(port, &request.header, b"pong"),
        Err(Status::REPLY_MESSAGE_MISMATCH),
        "once only"
    );
}

#[test]
fn a_reply_by_a_stranger_is_a_mismatch() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, end, client) = connection(&mut lpc);
    lpc.request(CLIENT, client, &header(0), b"").expect("sent");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    let strange = lpc.create(OTHER, true, 0, 0x148).expect("a port");
    assert_eq!(
        lpc.reply(strange, &request.header, b""),
        Err(Status::REPLY_MESSAGE_MISMATCH)
    );
    let wrong = PortMessage {
        message_id: request.header.message_id + 1,
        ..request.header
    };
    assert_eq!(
        lpc.reply(port, &wrong, b""),
        Err(Status::REPLY_MESSAGE_MISMATCH)
    );
    assert_eq!(
        lpc.reply(
            port,
            &PortMessage {
                message_id: 0,
                ..wrong
            },
            b""
        ),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        lpc.reply(end, &request.header, b""),
        Ok(()),
        "through the communication port"
    );
}

#[test]
fn lengths_are_checked_against_each_other_and_against_the_port() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (_, _, client) = connection(&mut lpc);
    let short = PortMessage {
        data_length: 1,
        total_length: HEADER as u16,
        ..PortMessage::default()
    };
    assert_eq!(
        lpc.request(CLIENT, client, &short, b"x"),
        Err(Status::INVALID_PARAMETER)
    );
    let wrapped = PortMessage {
        data_length: 0xFFFF,
        total_length: 0x27,
        ..PortMessage::default()
    };
    assert_eq!(
        lpc.datagram(CLIENT, client, &wrapped, b""),
        Err(Status::INVALID_PARAMETER)
    );
    let long = PortMessage {
        total_length: 0x149,
        ..header(0)
    };
    assert_eq!(
        lpc.request(CLIENT, client, &long, b""),
        Err(Status::PORT_MESSAGE_TOO_LONG)
    );
    let negative = PortMessage {
        total_length: 0xFFFF,
        ..header(0)
    };
    assert_eq!(
        lpc.datagram(CLIENT, client, &negative, b""),
        Err(Status::PORT_MESSAGE_TOO_LONG)
    );
    assert_eq!(
        lpc.request(
            CLIENT,
            client,
            &PortMessage {
                kind: 2,
                ..header(0)
            },
            b""
        ),
        Err(Status::INVALID_PARAMETER)
    );
    assert!(!lpc.is_waiting(CLIENT.thread));
}

#[test]
fn a_total_length_above_the_data_is_legal_and_kept() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    let whole = PortMessage {
        data_length: 8,
        total_length: 0x148,
        ..PortMessage::default()
    };
    lpc.request(CLIENT, client, &whole, &[1; 0x120])
        .expect("sent");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    assert_eq!(
        (
            request.header.data_length,
            request.header.total_length,
            request.data.len()
        ),
        (8, 0x148, 8)
    );
}

#[test]
fn a_datagram_is_received_and_nobody_waits() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, end, client) = connection(&mut lpc);
    lpc.datagram(CLIENT, client, &header(2), b"to")
        .expect("sent");
    let message = received(lpc.receive(SERVER, port).expect("a message"));
    assert_eq!(
        (
            message.kind(),
            message.context,
            lpc.is_waiting(CLIENT.thread)
        ),
        (MessageKind::DATAGRAM, 0x77, false)
    );
    lpc.datagram(SERVER, end, &header(3), b"fro").expect("sent");
    let back = received(lpc.receive(CLIENT, client).expect("a message"));
    assert_eq!(
        (back.data.as_slice(), back.header.client),
        (b"fro".as_slice(), SERVER)
    );
    let described = PortMessage {
        data_info_offset: 0x28,
        ..header(8)
    };
    assert_eq!(
        lpc.datagram(CLIENT, client, &described, &[0; 8]),
        Err(Status::INVALID_PARAMETER)
    );
}

#[test]
fn receivers_are_served_in_the_order_they_came_and_messages_in_the_order_they_were_sent() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    assert_eq!(lpc.receive(WORKER, port), Ok(Receive::Blocked));
    assert_eq!(lpc.receive(SERVER, port), Ok(Receive::Blocked));
    for text in [b"1", b"2", b"3"] {
        lpc.datagram(CLIENT, client, &header(1), text)
            .expect("sent");
    }
    let wakes = lpc.take_wakes();
    assert_eq!(
        wakes.iter().map(|wake| wake.thread).collect::<Vec<_>>(),
        vec![WORKER.thread, SERVER.thread]
    );
    assert_eq!(
        received(lpc.receive(SERVER, port).expect("the third")).data,
        b"3"
    );
}

#[test]
fn a_receiver_whose_time_is_up_gets_no_message() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    assert_eq!(lpc.receive(SERVER, port), Ok(Receive::Blocked));
    assert!(lpc.cancel_receive(SERVER.thread));
    assert!(!lpc.cancel_receive(SERVER.thread));
    lpc.datagram(CLIENT, client, &header(0), b"").expect("sent");
    assert_eq!((lpc.take_wakes(), lpc.queued(port)), (vec![], 1));
}

#[test]
fn spec_10_6_a_closed_client_port_sends_port_closed_with_the_create_time() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, end, client) = connection(&mut lpc);
    lpc.delete(client, CLIENT, 0x0123_4567_89AB_CDEF);
    let message = received(lpc.receive(SERVER, port).expect("a message"));
    assert_eq!(
        (message.kind(), message.context, message.header.client),
        (MessageKind::PORT_CLOSED, 0x77, CLIENT)
    );
    assert_eq!(
        (message.header.data_length, message.header.total_length),
        (8, 0x30)
    );
    assert_eq!(message.data, 0x0123_4567_89AB_CDEF_u64.to_le_bytes());
    assert_eq!(
        lpc.datagram(SERVER, end, &header(0), b""),
        Err(Status::PORT_DISCONNECTED)
    );
}

#[test]
fn a_closed_communication_port_loses_the_replies_and_disconnects_the_client() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (_, end, client) = connection(&mut lpc);
    lpc.request(CLIENT, client, &header(0), b"").expect("sent");
    lpc.delete(end, SERVER, 0);
    assert_eq!(
        woken(&mut lpc, CLIENT.thread),
        Event::Failed(Status::LPC_REPLY_LOST, vec![])
    );
    assert_eq!(
        lpc.request(CLIENT, client, &header(0), b""),
        Err(Status::PORT_DISCONNECTED)
    );
    assert_eq!(
        lpc.datagram(CLIENT, client, &header(0), b""),
        Err(Status::PORT_DISCONNECTED)
    );
}

#[test]
fn a_closed_connection_port_fails_the_clients_that_are_connecting() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0, 0x148).expect("a port");
    lpc.connect(CLIENT, port, b"", None).expect("a client port");
    lpc.last_handle_closed(port);
    assert_eq!(
        woken(&mut lpc, CLIENT.thread),
        Event::Failed(Status::OBJECT_NAME_NOT_FOUND, vec![])
    );
    assert_eq!(
        lpc.connect(OTHER, port, b"", None),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn a_dead_client_is_neither_accepted_nor_replied_to() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    lpc.request(CLIENT, client, &header(0), b"").expect("sent");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    lpc.connect(OTHER, port, b"", None).expect("a client port");
    let connect = received(lpc.receive(SERVER, port).expect("a request"));
    lpc.thread_exit(CLIENT, 0, 0);
    lpc.thread_exit(OTHER, 0, 0);
    assert_eq!(
        lpc.reply(port, &request.header, b""),
        Err(Status::REPLY_MESSAGE_MISMATCH)
    );
    assert_eq!(
        lpc.accept(SERVER, &connect.header, b"", true, 0),
        Err(Status::REPLY_MESSAGE_MISMATCH)
    );
    assert_eq!(lpc.take_wakes(), vec![]);
}

#[test]
fn a_dead_receiver_takes_no_message_with_it() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    assert_eq!(lpc.receive(WORKER, port), Ok(Receive::Blocked));
    lpc.thread_exit(WORKER, 0, 0);
    lpc.datagram(CLIENT, client, &header(0), b"").expect("sent");
    assert_eq!(lpc.queued(port), 1);
}

#[test]
fn a_registered_port_hears_of_the_threads_end() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, _, client) = connection(&mut lpc);
    lpc.register_termination(CLIENT.thread, client);
    assert_eq!(lpc.thread_exit(CLIENT, 99, 0), vec![client]);
    let message = received(lpc.receive(SERVER, port).expect("a message"));
    assert_eq!(
        (message.kind(), message.context, message.header.client),
        (MessageKind::CLIENT_DIED, 0x77, CLIENT)
    );
    assert_eq!(message.data, 99_u64.to_le_bytes());
}

#[test]
fn a_callback_interrupts_the_wait_and_its_answer_resumes_it() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let (port, end, client) = connection(&mut lpc);
    lpc.request(CLIENT, client, &header(1), b"?").expect("sent");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    lpc.request(SERVER, end, &request.header, b"!")
        .expect("called back");
    let Event::Replied(back) = woken(&mut lpc, CLIENT.thread) else {
        panic!("not called back")
    };
    assert_eq!(
        (back.kind(), back.header.client, back.data.as_slice()),
        (MessageKind::REQUEST, SERVER, b"!".as_slice())
    );
    lpc.reply_wait_reply(CLIENT, client, &back.header, b".")
        .expect("answered");
    let Event::Replied(answer) = woken(&mut lpc, SERVER.thread) else {
        panic!("not answered")
    };
    assert_eq!(
        (answer.kind(), answer.data.as_slice()),
        (MessageKind::REPLY, b".".as_slice())
    );
    lpc.reply(port, &request.header, b"=").expect("replied");
    let Event::Replied(reply) = woken(&mut lpc, CLIENT.thread) else {
        panic!("not replied")
    };
    assert_eq!(reply.data, b"=");
}

#[test]
fn an_unconnected_port_talks_to_itself() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, false, 0, 0x100).expect("a port");
    lpc.datagram(SERVER, port, &header(1), b"x").expect("sent");
    assert_eq!(
        received(lpc.receive(WORKER, port).expect("a message")).data,
        b"x"
    );
}

#[test]
fn a_clients_view_comes_back_with_the_servers_address() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0, 0x148).expect("a port");
    let view = ClientView {
        section: 9,
        offset: 0,
        size: 0x1000,
        base: 0x10000,
        remote_base: 0,
    };
    lpc.connect(CLIENT, port, b"", Some(view))
        .expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    assert_eq!({ request.header.client_view_size }, 0x1000);
    let accepted = lpc
        .accept(SERVER, &request.header, b"", true, 0)
        .expect("accepted")
        .expect("a port");
    assert_eq!(accepted.view, Some(view));
    lpc.set_remote_view(accepted.port, 0x20000).expect("told");
    lpc.complete(accepted.port).expect("completed");
    let Event::Connected(connected) = woken(&mut lpc, CLIENT.thread) else {
        panic!("not connected")
    };
    assert_eq!(
        connected.view,
        Some(ClientView {
            remote_base: 0x20000,
            ..view
        })
    );
}

#[test]
fn a_client_that_dies_before_its_connection_is_completed_closes_its_end() {
    let mut lpc = Lpc::new(Architecture::Amd64);
    let port = lpc.create(SERVER, true, 0, 0x148).expect("a port");
    let client = lpc.connect(CLIENT, port, b"", None).expect("a client port");
    let request = received(lpc.receive(SERVER, port).expect("a request"));
    let end = lpc
        .accept(SERVER, &request.header, b"", true, 5)
        .expect("accepted")
        .expect("a port")
        .port;
    lpc.thread_exit(CLIENT, 1, 2);
    assert_eq!(
        (lpc.kind(client), lpc.complete(end)),
        (None, Err(Status::INVALID_PARAMETER))
    );
    let message = received(lpc.receive(SERVER, port).expect("a message"));
    assert_eq!(
        (message.kind(), message.context, message.data),
        (MessageKind::PORT_CLOSED, 5, 2_u64.to_le_bytes().to_vec())
    );
}
