// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about ports (spec 10).

use super::call::{Built, Call, Done, built, success};
use super::layout::{PortView, QualityOfService, RemotePortView};
use super::pending::Pending;
use super::user::{User, UserPtr};
use crate::lpc::services::ConnectRequest;
use crate::lpc::{ClientView, Event, HEADER, Message, Receive};
use crate::object::Sid;
use alloc::vec::Vec;
use nt::system::{MessageKind, PortHeader, PortLimits};
use nt::{Result, Status};

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtCreatePort",
        &["port", "@attributes", "information", "message", "pool"],
        create,
    ),
    built(
        "NtConnectPort",
        &[
            "port", "$name", "quality", "view", "remote", "message", "data", "length",
        ],
        connect,
    ),
    built(
        "NtSecureConnectPort",
        &[
            "port", "$name", "quality", "view", "sid", "remote", "message", "data", "length",
        ],
        secure_connect,
    ),
    built("NtListenPort", &["port", "message"], listen),
    built(
        "NtAcceptConnectPort",
        &["port", "context", "message", "accept", "view", "remote"],
        accept,
    ),
    built("NtCompleteConnectPort", &["port"], complete),
    built("NtReplyPort", &["port", "reply"], reply),
    built(
        "NtReplyWaitReceivePort",
        &["port", "context", "reply", "message"],
        reply_wait_receive,
    ),
    built(
        "NtReplyWaitReceivePortEx",
        &["port", "context", "reply", "message", "timeout"],
        reply_wait_receive_ex,
    ),
    built("NtReplyWaitReplyPort", &["port", "reply"], reply_wait_reply),
    built("NtRequestPort", &["port", "message"], request),
    built(
        "NtRequestWaitReplyPort",
        &["port", "message", "reply"],
        request_wait_reply,
    ),
    built(
        "NtRegisterThreadTerminatePort",
        &["port"],
        register_termination,
    ),
];

/// Where the results of a connection go.
#[derive(Clone, Copy, Debug)]
pub struct ConnectResults {
    handle: UserPtr,
    view: UserPtr,
    remote: UserPtr,
    max_message: UserPtr,
    information: UserPtr,
    length: UserPtr,
}

fn create(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let attributes = call.attributes(call.pointer(1))?;
    let limits = PortLimits {
        connection_info: call.u32(2),
        message: call.u32(3),
        pool: call.u32(4),
    };
    let handle = call
        .exec
        .create_port(call.thread, &attributes.view(), limits)?;
    call.give(call.pointer(0), handle)
}

fn connect(call: &mut Call<'_>) -> Result<Done> {
    let [port, name, quality, view, remote, message, data, length] =
        core::array::from_fn(|index| call.pointer(index));
    start_connect(
        call,
        name,
        quality,
        UserPtr(0),
        ConnectResults {
            handle: port,
            view,
            remote,
            max_message: message,
            information: data,
            length,
        },
    )
}

fn secure_connect(call: &mut Call<'_>) -> Result<Done> {
    let [
        port,
        name,
        quality,
        view,
        sid,
        remote,
        message,
        data,
        length,
    ] = core::array::from_fn(|index| call.pointer(index));
    start_connect(
        call,
        name,
        quality,
        sid,
        ConnectResults {
            handle: port,
            view,
            remote,
            max_message: message,
            information: data,
            length,
        },
    )
}

fn start_connect(
    call: &mut Call<'_>,
    name: UserPtr,
    quality: UserPtr,
    sid: UserPtr,
    results: ConnectResults,
) -> Result<Done> {
    call.probe::<u64>(results.handle)?;
    call.read_aligned::<QualityOfService>(quality, 4)?;
    let client_view = match results.view.optional() {
        None => None,
        Some(place) => {
            call.probe_write(place, size_of::<PortView>() as u64, 4)?;
            let view: PortView = call.read(place)?;
            if view.length as usize != size_of::<PortView>() {
                return Err(Status::INVALID_PARAMETER);
            }
            Some(view)
        }
    };
    probe_remote(call, results.remote)?;
    call.probe_optional::<u32>(results.max_message)?;
    let mut length = 0;
    if let Some(place) = results.length.optional() {
        call.probe::<u32>(place)?;
        length = call.read::<u32>(place)?;
    }
    let mut information = Vec::new();
    if let Some(place) = results.information.optional() {
        call.probe_write(place, u64::from(length), 4)?;
        information = call.bytes(place, u64::from(length))?;
    }
    let server = match sid.optional() {
        None => None,
        Some(sid) => Some(Sid::parse(&User(&mut call.memory()).sid(sid)?)?),
    };
    let name = call.string(name)?;
    let view = match client_view {
        None => None,
        Some(view) => Some(call.exec.map_client_view(
            call.thread,
            nt::Handle(view.section),
            view.offset,
            view.size,
        )?),
    };
    let request = ConnectRequest {
        name: &name,
        server,
        information: &information,
        view,
    };
    if let Err(status) = call.exec.connect_port(call.thread, &request) {
        if let Some(view) = view {
            call.exec.unmap_client_view(call.process, view);
        }
        return Err(status);
    }
    call.wait(Pending::Connect {
        results,
        capacity: information.len() as u32,
        view: client_view,
        mapped: view,
    })
}

/// The end of NtConnectPort.
pub fn finish_connect(
    call: &mut Call<'_>,
    event: Event,
    results: ConnectResults,
    capacity: u32,
    views: (Option<PortView>, Option<ClientView>),
) -> Result<Done> {
    let done = call.exec.finish_connect(call.thread, event);
    let (view, mapped) = views;
    if let (Err(_), Some(mapped)) = (&done.handle, mapped) {
        call.exec.unmap_client_view(call.process, mapped);
    }
    let length = capacity.min(done.information.len() as u32);
    if !results.information.is_null() {
        call.write_optional(results.length, length)?;
        call.write_bytes(
            results.information,
            done.information.get(..length as usize).unwrap_or_default(),
        )?;
    }
    let handle = done.handle?;
    call.write_optional(results.max_message, done.max_message)?;
    if let (Some(place), Some(mut view), Some(made)) = (results.view.optional(), view, done.view) {
        (view.base, view.size, view.offset, view.remote_base) =
            (made.base, made.size, made.offset, made.remote_base);
        call.write(place, view)?;
    }
    if let Some(place) = results.remote.optional() {
        // Servers share no sections with their clients here: the server's view is empty.
        call.write(
            place,
            RemotePortView {
                length: size_of::<RemotePortView>() as u32,
                ..RemotePortView::default()
            },
        )?;
    }
    call.give(results.handle, handle)
}

fn listen(call: &mut Call<'_>) -> Result<Done> {
    let message = call.pointer(1);
    loop {
        match call
            .exec
            .reply_wait_receive_port(call.thread, call.handle(0), None)?
        {
            Receive::Blocked => {
                return call.wait(Pending::Listen {
                    port: call.handle(0),
                    message,
                });
            }
            Receive::Message(received) if received.kind() == MessageKind::CONNECTION_REQUEST => {
                return store_message(call, &received, message, UserPtr(0));
            }
            // Only connection requests are listened for.
            Receive::Message(_) => {}
        }
    }
}

/// A message came while listening.
pub fn finish_listen(
    call: &mut Call<'_>,
    event: Event,
    port: nt::Handle,
    message: UserPtr,
) -> Result<Done> {
    match event {
        Event::Received(received) if received.kind() == MessageKind::CONNECTION_REQUEST => {
            store_message(call, &received, message, UserPtr(0))
        }
        Event::Received(_) => {
            call.arguments[0] = port.0;
            call.arguments[1] = message.0;
            listen(call)
        }
        other => failed(other),
    }
}

fn accept(call: &mut Call<'_>) -> Result<Done> {
    let [port, context, message, _, view, remote] =
        core::array::from_fn(|index| call.pointer(index));
    call.probe::<u64>(port)?;
    // The total length of a connection request that is handed back does not matter.
    let header: PortHeader = call.read_aligned(message, 4)?;
    let information = call.bytes(message.at(HEADER as u64)?, u64::from(header.data_length))?;
    if let Some(place) = view.optional() {
        call.probe_write(place, size_of::<PortView>() as u64, 4)?;
        if call.read::<PortView>(place)?.length as usize != size_of::<PortView>() {
            return Err(Status::INVALID_PARAMETER);
        }
        // A server view is what ReactOS has not built either.
        return Err(Status::NOT_IMPLEMENTED);
    }
    probe_remote(call, remote)?;
    let Some(done) = call.exec.accept_connect_port(
        call.thread,
        context.0,
        &header,
        &information,
        call.flag(3),
    )?
    else {
        return success();
    };
    let mut mapped = ClientView::default();
    if let Some(view) = done.view {
        match call.exec.map_server_view(call.process, view) {
            Ok(base) => {
                mapped = ClientView {
                    remote_base: base,
                    ..view
                };
                call.exec.lpc.set_remote_view(done.port, base)?;
            }
            Err(status) => {
                // Without the view there is no connection: closing the port tells the client.
                let _ = call.exec.close(call.thread, done.handle);
                return Err(status);
            }
        }
    }
    if let Some(place) = remote.optional() {
        let length = size_of::<RemotePortView>() as u32;
        call.write(
            place,
            RemotePortView {
                length,
                size: mapped.size,
                base: mapped.remote_base,
                ..RemotePortView::default()
            },
        )?;
    }
    call.give(port, done.handle)
}

fn complete(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .complete_connect_port(call.thread, call.handle(0))?;
    success()
}

fn reply(call: &mut Call<'_>) -> Result<Done> {
    let (header, data) = message_at(call, call.pointer(1))?;
    call.exec
        .reply_port(call.thread, call.handle(0), &header, &data)?;
    success()
}

fn reply_wait_receive(call: &mut Call<'_>) -> Result<Done> {
    receive(call, UserPtr(0))
}

fn reply_wait_receive_ex(call: &mut Call<'_>) -> Result<Done> {
    receive(call, call.pointer(4))
}

fn receive(call: &mut Call<'_>, timeout: UserPtr) -> Result<Done> {
    let (context, message) = (call.pointer(1), call.pointer(3));
    call.probe_optional::<u64>(context)?;
    let timeout = call.timeout(timeout)?;
    let sent = match call.pointer(2).optional() {
        None => None,
        Some(place) => Some(message_at(call, place)?),
    };
    let reply = sent
        .as_ref()
        .map(|(header, data)| (header, data.as_slice()));
    match call
        .exec
        .reply_wait_receive_port(call.thread, call.handle(0), reply)?
    {
        Receive::Message(received) => store_message(call, &received, message, context),
        Receive::Blocked => {
            if let Some(timeout) = timeout {
                call.exec.set_timeout(call.thread, Some(timeout));
            }
            call.wait(Pending::Receive { context, message })
        }
    }
}

/// The end of NtReplyWaitReceivePort.
pub fn finish_receive(
    call: &mut Call<'_>,
    event: Event,
    context: UserPtr,
    message: UserPtr,
) -> Result<Done> {
    match event {
        Event::Received(received) => store_message(call, &received, message, context),
        other => failed(other),
    }
}

fn reply_wait_reply(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(1);
    call.probe_write(place, HEADER as u64, 4)?;
    let (header, data) = message_at(call, place)?;
    call.exec
        .reply_wait_reply_port(call.thread, call.handle(0), &header, &data)?;
    call.wait(Pending::Reply { message: place })
}

fn request(call: &mut Call<'_>) -> Result<Done> {
    let (header, data) = message_at(call, call.pointer(1))?;
    call.exec
        .request_port(call.thread, call.handle(0), &header, &data)?;
    success()
}

fn request_wait_reply(call: &mut Call<'_>) -> Result<Done> {
    let answer = call.pointer(2);
    let (header, data) = message_at(call, call.pointer(1))?;
    call.probe_write(answer, HEADER as u64, 4)?;
    call.exec
        .request_wait_reply_port(call.thread, call.handle(0), &header, &data)?;
    call.wait(Pending::Reply { message: answer })
}

/// The end of NtRequestWaitReplyPort.
pub fn finish_reply(call: &mut Call<'_>, event: Event, message: UserPtr) -> Result<Done> {
    match event {
        Event::Replied(replied) => store_message(call, &replied, message, UserPtr(0)),
        other => failed(other),
    }
}

fn register_termination(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .register_thread_terminate_port(call.thread, call.handle(0))?;
    success()
}

fn failed(event: Event) -> Result<Done> {
    match event {
        Event::Failed(status, _) => Err(status),
        Event::Received(_) | Event::Replied(_) | Event::Connected(_) => {
            Err(Status::REPLY_MESSAGE_MISMATCH)
        }
    }
}

/// A PORT_MESSAGE and its data. The data of a message whose own lengths contradict each other is
/// not read: the protocol refuses it.
fn message_at(call: &mut Call<'_>, place: UserPtr) -> Result<(PortHeader, Vec<u8>)> {
    let header: PortHeader = call.read_aligned(place, 4)?;
    let fits = usize::from(header.data_length) + HEADER <= usize::from(header.total_length);
    let data = if fits {
        call.bytes(place.at(HEADER as u64)?, u64::from(header.data_length))?
    } else {
        Vec::new()
    };
    Ok((header, data))
}

fn store_message(
    call: &mut Call<'_>,
    message: &Message,
    place: UserPtr,
    context: UserPtr,
) -> Result<Done> {
    call.write(place, message.header)?;
    call.write_bytes(place.at(HEADER as u64)?, &message.data)?;
    call.write_optional(context, message.context)?;
    success()
}

fn probe_remote(call: &mut Call<'_>, place: UserPtr) -> Result<()> {
    let Some(place) = place.optional() else {
        return Ok(());
    };
    call.probe_write(place, size_of::<RemotePortView>() as u64, 4)?;
    if call.read::<RemotePortView>(place)?.length as usize == size_of::<RemotePortView>() {
        Ok(())
    } else {
        Err(Status::INVALID_PARAMETER)
    }
}
