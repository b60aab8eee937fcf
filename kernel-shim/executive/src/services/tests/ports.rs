// SPDX-License-Identifier: GPL-2.0-or-later
//! Ports through the system-call layer (spec 10), with the sizes of the SM protocol.

use super::*;
use crate::layout::PortMessage;
use crate::layout::{QualityOfService, RemotePortView};
use crate::se::Sid;
use nt::system::MessageKind;

const ATTRIBUTES: u64 = 0x100;
const HANDLE: u64 = 0x00;
const CONTEXT: u64 = 0x08;
const LENGTH: u64 = 0x10;
const NAME: u64 = 0x200;
const QUALITY: u64 = 0x300;
const INFORMATION: u64 = 0x400;
const MESSAGE: u64 = 0x800;
const REPLY: u64 = 0xA00;
const REMOTE: u64 = 0xC00;

struct Connection {
    world: World,
    server: Caller,
    client: Caller,
    port: u64,
    server_end: u64,
    client_end: u64,
}

fn server_port(world: &mut World, server: Caller) -> u64 {
    let attributes = world.attributes(server, ATTRIBUTES, "\\SmApiPort", 0);
    assert_eq!(
        world.status(
            server,
            "NtCreatePort",
            &[server.memory + HANDLE, attributes, 0xF4, 0x148, 0x2900]
        ),
        Status::SUCCESS
    );
    world.get(server, HANDLE)
}

fn start_connect(world: &mut World, client: Caller, information: &[u8]) -> Done {
    let name = world.string(client, NAME, "\\SmApiPort");
    world.put(
        client,
        QUALITY,
        QualityOfService {
            length: 0,
            level: 2,
            tracking: 1,
            effective_only: 1,
            padding: 0,
        },
    );
    world.put_bytes(client, INFORMATION, information);
    world.put(client, LENGTH, information.len() as u32);
    let at = |offset: u64| client.memory + offset;
    world.call(
        client,
        "NtConnectPort",
        &[
            at(HANDLE),
            name,
            at(QUALITY),
            0,
            0,
            0,
            at(INFORMATION),
            at(LENGTH),
        ],
    )
}

fn connected() -> Connection {
    let mut world = World::new();
    let (server, client) = (world.caller(), world.caller());
    let port = server_port(&mut world, server);
    assert_eq!(start_connect(&mut world, client, &[7; 0xF4]), Done::Waits);
    let receive = [port, server.memory + CONTEXT, 0, server.memory + MESSAGE];
    assert_eq!(
        world.status(server, "NtReplyWaitReceivePort", &receive),
        Status::SUCCESS
    );
    let request: PortMessage = world.get(server, MESSAGE);
    assert_eq!(
        (request.kind, request.data_length, request.total_length),
        (10, 0xF4, 0x11C)
    );
    assert_eq!({ request.client.process }, u64::from(client.process.0));
    assert_eq!(
        (
            world.get::<u64>(server, CONTEXT),
            world.get::<u8>(server, MESSAGE + 0x28)
        ),
        (0, 7)
    );
    world.put(
        server,
        REMOTE,
        RemotePortView {
            length: 0x18,
            ..RemotePortView::default()
        },
    );
    let accept = [
        server.memory + HANDLE,
        0x77,
        server.memory + MESSAGE,
        1,
        0,
        server.memory + REMOTE,
    ];
    assert_eq!(
        world.status(server, "NtAcceptConnectPort", &accept),
        Status::SUCCESS
    );
    let server_end = world.get(server, HANDLE);
    assert_eq!(
        world.status(server, "NtCompleteConnectPort", &[server_end]),
        Status::SUCCESS
    );
    assert_eq!(world.finish(client), Status::SUCCESS);
    let client_end = world.get(client, HANDLE);
    assert_ne!(client_end, 0);
    assert_eq!(world.get::<u32>(client, LENGTH), 0xF4);
    Connection {
        world,
        server,
        client,
        port,
        server_end,
        client_end,
    }
}

#[test]
fn spec_10_2_a_client_connects_and_is_released_by_complete() {
    let Connection {
        server_end,
        client_end,
        ..
    } = connected();
    assert_ne!((server_end, client_end), (0, 0));
}

#[test]
fn spec_10_3_a_request_and_its_reply_take_each_others_place() {
    let Connection {
        mut world,
        server,
        client,
        port,
        client_end,
        ..
    } = connected();
    let receive = [port, server.memory + CONTEXT, 0, server.memory + MESSAGE];
    assert_eq!(
        world.call(server, "NtReplyWaitReceivePort", &receive),
        Done::Waits
    );
    let header = PortMessage {
        data_length: 0x120,
        total_length: 0x148,
        ..PortMessage::default()
    };
    world.put(client, MESSAGE, header);
    world.put_bytes(client, MESSAGE + 0x28, &[5; 0x120]);
    let request = [client_end, client.memory + MESSAGE, client.memory + MESSAGE];
    assert_eq!(
        world.call(client, "NtRequestWaitReplyPort", &request),
        Done::Waits
    );
    assert_eq!(world.finish(server), Status::SUCCESS);
    let received: PortMessage = world.get(server, MESSAGE);
    assert_eq!(
        (
            received.kind,
            received.data_length,
            world.get::<u64>(server, CONTEXT)
        ),
        (MessageKind::REQUEST.0, 0x120, 0x77)
    );
    assert_eq!(
        world.get_bytes(server, MESSAGE + 0x28, 0x120),
        vec![5; 0x120]
    );
    world.put(server, MESSAGE + 0x2C, Status::NOT_IMPLEMENTED.code());
    // The reply goes out and the next message is waited for, in one call.
    let receive = [
        port,
        server.memory + CONTEXT,
        server.memory + MESSAGE,
        server.memory + REPLY,
    ];
    assert_eq!(
        world.call(server, "NtReplyWaitReceivePort", &receive),
        Done::Waits
    );
    assert_eq!(world.finish(client), Status::SUCCESS);
    let reply: PortMessage = world.get(client, MESSAGE);
    assert_eq!(
        (reply.kind, reply.message_id),
        (MessageKind::REPLY.0, received.message_id)
    );
    assert_eq!(
        world.get::<u32>(client, MESSAGE + 0x2C),
        Status::NOT_IMPLEMENTED.code()
    );
}

#[test]
fn spec_10_2_a_refused_client_gets_port_connection_refused() {
    let mut world = World::new();
    let (server, client) = (world.caller(), world.caller());
    let port = server_port(&mut world, server);
    assert_eq!(start_connect(&mut world, client, b"abc"), Done::Waits);
    let receive = [port, 0, 0, server.memory + MESSAGE];
    assert_eq!(
        world.status(server, "NtReplyWaitReceivePort", &receive),
        Status::SUCCESS
    );
    let accept = [server.memory + HANDLE, 0, server.memory + MESSAGE, 0, 0, 0];
    assert_eq!(
        world.status(server, "NtAcceptConnectPort", &accept),
        Status::SUCCESS
    );
    assert_eq!(world.finish(client), Status::PORT_CONNECTION_REFUSED);
    assert_eq!(
        world.status(server, "NtAcceptConnectPort", &accept),
        Status::REPLY_MESSAGE_MISMATCH
    );
}

#[test]
fn spec_10_2_the_ports_dacl_admits_administrators_only() {
    use nt::security::{Ace, Descriptor, Sid as Known};
    const SECURITY: Descriptor = Descriptor::with_dacl(&[
        Ace::allow(0x1000_0000, Known::ADMINISTRATORS),
        Ace::allow(0x1000_0000, Known::LOCAL_SYSTEM),
    ]);
    let mut world = World::new();
    let (server, client) = (world.caller(), world.caller());
    let attributes = world.attributes(server, ATTRIBUTES, "\\SmApiPort", 0);
    world.put_bytes(server, 0x1000, SECURITY.as_bytes());
    world.put(server, ATTRIBUTES + 0x20, server.memory + 0x1000);
    assert_eq!(
        world.status(
            server,
            "NtCreatePort",
            &[server.memory, attributes, 0xF4, 0x148, 0]
        ),
        Status::SUCCESS
    );
    let token = world.exec.process(client.process).expect("a process").token;
    let token = world.exec.token_mut(token).expect("a token");
    token.user = Sid::new(5, &[21, 1, 2, 3, 1000]);
    token.groups.retain(|group| group.sid == Sid::world());
    token.owner_group = None;
    assert_eq!(
        start_connect(&mut world, client, b""),
        Done::Returns(Status::ACCESS_DENIED)
    );
    let other = world.caller();
    assert_eq!(start_connect(&mut world, other, b""), Done::Waits);
}

#[test]
fn connecting_to_no_port_or_to_something_else_says_so() {
    let mut world = World::new();
    let client = world.caller();
    assert_eq!(
        start_connect(&mut world, client, b""),
        Done::Returns(Status::OBJECT_NAME_NOT_FOUND)
    );
    let attributes = world.attributes(client, ATTRIBUTES, "\\SmApiPort", 0x10);
    world.status(
        client,
        "NtCreateDirectoryObject",
        &[client.memory, 0xF_000F, attributes],
    );
    assert_eq!(
        start_connect(&mut world, client, b""),
        Done::Returns(Status::OBJECT_TYPE_MISMATCH)
    );
}

#[test]
fn spec_10_6_port_closed_reaches_the_server_when_the_client_dies() {
    let Connection {
        mut world,
        server,
        client,
        port,
        ..
    } = connected();
    let created = world.exec.process_create_time(client.process);
    assert_eq!(
        world.call(client, "NtTerminateProcess", &[u64::MAX, 0]),
        Done::Gone
    );
    let receive = [port, server.memory + CONTEXT, 0, server.memory + MESSAGE];
    assert_eq!(
        world.status(server, "NtReplyWaitReceivePort", &receive),
        Status::SUCCESS
    );
    let message: PortMessage = world.get(server, MESSAGE);
    assert_eq!(
        (message.kind, message.data_length, message.total_length),
        (MessageKind::PORT_CLOSED.0, 8, 0x30)
    );
    assert_eq!(
        (
            world.get::<u64>(server, CONTEXT),
            world.get::<u64>(server, MESSAGE + 0x28)
        ),
        (0x77, created)
    );
}

#[test]
fn spec_10_6_a_reply_to_a_dead_client_is_an_invalid_cid() {
    let Connection {
        mut world,
        server,
        client,
        port,
        client_end,
        ..
    } = connected();
    world.put(
        client,
        MESSAGE,
        PortMessage {
            total_length: 0x28,
            ..PortMessage::default()
        },
    );
    let request = [client_end, client.memory + MESSAGE, client.memory + MESSAGE];
    assert_eq!(
        world.call(client, "NtRequestWaitReplyPort", &request),
        Done::Waits
    );
    assert_eq!(
        world.status(
            server,
            "NtReplyWaitReceivePort",
            &[port, 0, 0, server.memory + MESSAGE]
        ),
        Status::SUCCESS
    );
    world
        .exec
        .kill_process(client.process, None, Status::SUCCESS)
        .expect("killed");
    assert_eq!(
        world.status(server, "NtReplyPort", &[port, server.memory + MESSAGE]),
        Status::INVALID_CID
    );
}

#[test]
fn a_dead_server_loses_the_replies_and_disconnects() {
    let Connection {
        mut world,
        server,
        client,
        client_end,
        ..
    } = connected();
    world.put(
        client,
        MESSAGE,
        PortMessage {
            total_length: 0x28,
            ..PortMessage::default()
        },
    );
    let request = [client_end, client.memory + MESSAGE, client.memory + MESSAGE];
    assert_eq!(
        world.call(client, "NtRequestWaitReplyPort", &request),
        Done::Waits
    );
    world
        .exec
        .kill_process(server.process, None, Status::SUCCESS)
        .expect("killed");
    assert_eq!(world.finish(client), Status::LPC_REPLY_LOST);
    assert_eq!(
        world.status(client, "NtRequestWaitReplyPort", &request),
        Status::PORT_DISCONNECTED
    );
}

#[test]
fn a_client_that_is_killed_before_it_learns_that_it_is_connected_closes_its_end() {
    let mut world = World::new();
    let (server, client) = (world.caller(), world.caller());
    let port = server_port(&mut world, server);
    assert_eq!(start_connect(&mut world, client, &[]), Done::Waits);
    let receive = [port, server.memory + CONTEXT, 0, server.memory + MESSAGE];
    assert_eq!(
        world.status(server, "NtReplyWaitReceivePort", &receive),
        Status::SUCCESS
    );
    let accept = [
        server.memory + HANDLE,
        0x77,
        server.memory + MESSAGE,
        1,
        0,
        0,
    ];
    assert_eq!(
        world.status(server, "NtAcceptConnectPort", &accept),
        Status::SUCCESS
    );
    let server_end = world.get(server, HANDLE);
    assert_eq!(
        world.status(server, "NtCompleteConnectPort", &[server_end]),
        Status::SUCCESS
    );
    world
        .exec
        .kill_process(client.process, None, Status::SUCCESS)
        .expect("killed");
    assert_eq!(
        world.status(server, "NtReplyWaitReceivePort", &receive),
        Status::SUCCESS
    );
    assert_eq!(
        (
            world.get::<PortMessage>(server, MESSAGE).kind,
            world.get::<u64>(server, CONTEXT)
        ),
        (5, 0x77)
    );
}

#[test]
fn a_receive_with_a_timeout_ends() {
    let Connection {
        mut world,
        server,
        port,
        ..
    } = connected();
    world.put(server, 0x20, -10_000_i64);
    let receive = [port, 0, 0, server.memory + MESSAGE, server.memory + 0x20];
    assert_eq!(
        world.call(server, "NtReplyWaitReceivePortEx", &receive),
        Done::Waits
    );
    world.machine.state().uptime += 10_000;
    world.exec.expire_timers();
    assert_eq!(world.finish(server), Status::TIMEOUT);
}

#[test]
fn messages_and_results_at_bad_addresses_are_access_violations() {
    let Connection {
        mut world,
        server,
        client,
        port,
        client_end,
        ..
    } = connected();
    assert_eq!(
        world.status(
            client,
            "NtRequestWaitReplyPort",
            &[client_end, 0, client.memory]
        ),
        Status::ACCESS_VIOLATION
    );
    assert_eq!(
        world.status(client, "NtRequestPort", &[client_end, client.memory + 2]),
        Status::DATATYPE_MISALIGNMENT
    );
    let receive = [port, 0x7FF_FFFF_0000, 0, server.memory + MESSAGE];
    assert_eq!(
        world.status(server, "NtReplyWaitReceivePort", &receive),
        Status::ACCESS_VIOLATION
    );
    assert_eq!(
        world.status(server, "NtCreatePort", &[0, 0, 0, 0, 0]),
        Status::ACCESS_VIOLATION
    );
    assert_eq!(
        world.status(client, "NtReplyPort", &[0x1234, client.memory]),
        Status::INVALID_HANDLE
    );
}
