// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about ports (spec 10).

use super::argument::{UserAttributes, UserText, services};
use super::call::{Call, Done, success};
use super::layout::{PortView, QualityOfService, RemotePortView, Word};
use super::pending::Pending;
use super::user::{User, UserPtr};
use crate::layout::{PortMessage, message};
use crate::lpc::{ClientView, Event, HEADER, Message, Receive};
use crate::ob::prelude::*;
use crate::se::Sid;
use crate::system::ports::{ConnectDone, ConnectRequest, OfferedView};
use alloc::vec::Vec;
use nt::system::{MessageKind, PortLimits};
use nt::{Handle, Result, Status};

services! {
    NtCreatePort(
        port: UserPtr<Word>, attributes: UserAttributes, information: u32, message: u32, pool: u32
    ) => create;
    NtConnectPort(
        port: UserPtr<Word>, name: UserText, quality: UserPtr<QualityOfService>,
        view: UserPtr<PortView>, remote: UserPtr<RemotePortView>, message: UserPtr<u32>,
        data: UserPtr, length: UserPtr<u32>
    ) => connect;
    NtSecureConnectPort(
        port: UserPtr<Word>, name: UserText, quality: UserPtr<QualityOfService>,
        view: UserPtr<PortView>, sid: UserPtr, remote: UserPtr<RemotePortView>,
        message: UserPtr<u32>, data: UserPtr, length: UserPtr<u32>
    ) => secure_connect;
    NtListenPort(port: Handle, message: UserPtr<PortMessage>) => listen;
    NtAcceptConnectPort(
        port: UserPtr<Word>, context: u64, message: UserPtr<PortMessage>, accept: bool,
        view: UserPtr<PortView>, remote: UserPtr<RemotePortView>
    ) => accept;
    NtCompleteConnectPort(port: Handle) => complete;
    NtReplyPort(port: Handle, reply: UserPtr<PortMessage>) => reply;
    NtReplyWaitReceivePort(
        port: Handle, context: UserPtr<Word>, reply: UserPtr<PortMessage>,
        message: UserPtr<PortMessage>
    ) => reply_wait_receive;
    NtReplyWaitReceivePortEx(
        port: Handle, context: UserPtr<Word>, reply: UserPtr<PortMessage>,
        message: UserPtr<PortMessage>, timeout: UserPtr<i64>
    ) => reply_wait_receive_ex;
    NtReplyWaitReplyPort(port: Handle, reply: UserPtr<PortMessage>) => reply_wait_reply;
    NtRequestPort(port: Handle, message: UserPtr<PortMessage>) => request;
    NtRequestWaitReplyPort(
        port: Handle, message: UserPtr<PortMessage>, reply: UserPtr<PortMessage>
    ) => request_wait_reply;
    NtRegisterThreadTerminatePort(port: Handle) => register_termination;
}

/// Where the results of a connection go.
#[derive(Clone, Copy, Debug)]
pub struct ConnectResults {
    handle: UserPtr<Word>,
    view: UserPtr<PortView>,
    remote: UserPtr<RemotePortView>,
    max_message: UserPtr<u32>,
    information: UserPtr,
    length: UserPtr<u32>,
}

fn create(call: &mut Call<'_>, args: NtCreatePort) -> Result<Done> {
    call.probe(args.port)?;
    let attributes = call.attributes(args.attributes)?;
    let limits = PortLimits {
        connection_info: args.information,
        // With the header of the kernel's messages.
        message: args.message.saturating_add(longer(call)),
        pool: args.pool,
    };
    let handle = call
        .exec
        .create_port(call.thread, &attributes.view(), limits)?;
    call.give(args.port, handle)
}

fn connect(call: &mut Call<'_>, args: NtConnectPort) -> Result<Done> {
    let results = ConnectResults {
        handle: args.port,
        view: args.view,
        remote: args.remote,
        max_message: args.message,
        information: args.data,
        length: args.length,
    };
    start_connect(call, args.name, args.quality, UserPtr::NULL, results)
}

fn secure_connect(call: &mut Call<'_>, args: NtSecureConnectPort) -> Result<Done> {
    let results = ConnectResults {
        handle: args.port,
        view: args.view,
        remote: args.remote,
        max_message: args.message,
        information: args.data,
        length: args.length,
    };
    start_connect(call, args.name, args.quality, args.sid, results)
}

fn start_connect(
    call: &mut Call<'_>,
    name: UserText,
    quality: UserPtr<QualityOfService>,
    sid: UserPtr,
    results: ConnectResults,
) -> Result<Done> {
    call.probe(results.handle)?;
    call.read_aligned(quality, 4)?;
    let client_view = match results.view.optional() {
        None => None,
        Some(place) => {
            call.probe_aligned(place, 4)?;
            let view = call.read(place)?;
            if view.length as usize != call.size_of::<PortView>() {
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
    let view = client_view.map(|view| OfferedView {
        section: call.handle(view.section),
        offset: view.offset,
        size: view.size,
    });
    let request = ConnectRequest {
        name: &name,
        server,
        information: &information,
        view,
    };
    call.exec.connect_port(call.thread, &request)?;
    call.wait(Pending::Connect {
        results,
        capacity: information.len() as u32,
        view: client_view,
    })
}

/// The end of NtConnectPort. Its results were probed before the wait, in which the client can have
/// taken their places away: then there is no connection.
pub fn finish_connect(
    call: &mut Call<'_>,
    event: Event,
    results: ConnectResults,
    capacity: u32,
    view: Option<PortView>,
) -> Result<Done> {
    let done = call.exec.finish_connect(call.thread, event);
    let written = write_connected(call, &done, results, capacity, view);
    match (done.handle, written) {
        (Ok(handle), Ok(())) => call.give(results.handle, handle),
        (Ok(handle), Err(status)) => {
            // The handle was made by this call: closing it cannot fail.
            let _ = call.exec.close(call.thread, handle);
            Err(status)
        }
        (Err(status), written) => Err(written.err().unwrap_or(status)),
    }
}

/// All results of a connection but the handle.
fn write_connected(
    call: &mut Call<'_>,
    done: &ConnectDone,
    results: ConnectResults,
    capacity: u32,
    view: Option<PortView>,
) -> Result<()> {
    let length = capacity.min(done.information.len() as u32);
    if !results.information.is_null() {
        call.write_optional(results.length, length)?;
        call.write_bytes(
            results.information,
            done.information.get(..length as usize).unwrap_or_default(),
        )?;
    }
    if done.handle.is_err() {
        return Ok(());
    }
    let max_message = done.max_message.saturating_sub(longer(call));
    call.write_optional(results.max_message, max_message)?;
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
                length: call.size_of::<RemotePortView>() as u32,
                ..RemotePortView::default()
            },
        )?;
    }
    Ok(())
}

fn listen(call: &mut Call<'_>, args: NtListenPort) -> Result<Done> {
    listen_at(call, args.port, args.message)
}

fn listen_at(call: &mut Call<'_>, port: Handle, message: UserPtr<PortMessage>) -> Result<Done> {
    loop {
        match call.exec.reply_wait_receive_port(call.thread, port, None)? {
            Receive::Blocked => return call.wait(Pending::Listen { port, message }),
            Receive::Message(received) if received.kind() == MessageKind::CONNECTION_REQUEST => {
                return store_message(call, &received, message, UserPtr::NULL);
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
    port: Handle,
    message: UserPtr<PortMessage>,
) -> Result<Done> {
    match event {
        Event::Received(received) if received.kind() == MessageKind::CONNECTION_REQUEST => {
            store_message(call, &received, message, UserPtr::NULL)
        }
        Event::Received(_) => listen_at(call, port, message),
        other => failed(other),
    }
}

fn accept(call: &mut Call<'_>, args: NtAcceptConnectPort) -> Result<Done> {
    let (port, message, view, remote) = (args.port, args.message, args.view, args.remote);
    call.probe(port)?;
    // The total length of a connection request that is handed back does not matter.
    let header = call.read_aligned(message, 4)?;
    let information = call.bytes(data_of(call, message)?, u64::from(header.data_length))?;
    if let Some(place) = view.optional() {
        call.probe_aligned(place, 4)?;
        if call.read(place)?.length as usize != call.size_of::<PortView>() {
            return Err(Status::INVALID_PARAMETER);
        }
        // A server view is what ReactOS has not built either.
        return Err(Status::NOT_IMPLEMENTED);
    }
    probe_remote(call, remote)?;
    let Some(done) = call.exec.accept_connect_port(
        call.thread,
        args.context,
        &header,
        &information,
        args.accept,
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
                call.exec.keep_port_view(done.port, call.process, base);
                call.exec.set_remote_view(done.port, base)?;
            }
            Err(status) => {
                // Without the view there is no connection.
                call.exec.refuse_accepted(header.client);
                let _ = call.exec.close(call.thread, done.handle);
                return Err(status);
            }
        }
    }
    if let Some(place) = remote.optional() {
        let length = call.size_of::<RemotePortView>() as u32;
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

fn complete(call: &mut Call<'_>, args: NtCompleteConnectPort) -> Result<Done> {
    call.exec.complete_connect_port(call.thread, args.port)?;
    success()
}

fn reply(call: &mut Call<'_>, args: NtReplyPort) -> Result<Done> {
    let (header, data) = message_at(call, args.reply)?;
    call.exec
        .reply_port(call.thread, args.port, &header, &data)?;
    success()
}

fn reply_wait_receive(call: &mut Call<'_>, args: NtReplyWaitReceivePort) -> Result<Done> {
    receive(call, args, UserPtr::NULL)
}

fn reply_wait_receive_ex(call: &mut Call<'_>, args: NtReplyWaitReceivePortEx) -> Result<Done> {
    let plain = NtReplyWaitReceivePort {
        port: args.port,
        context: args.context,
        reply: args.reply,
        message: args.message,
    };
    receive(call, plain, args.timeout)
}

fn receive(
    call: &mut Call<'_>,
    args: NtReplyWaitReceivePort,
    timeout: UserPtr<i64>,
) -> Result<Done> {
    let (context, message) = (args.context, args.message);
    call.probe_optional(context)?;
    let timeout = call.timeout(timeout)?;
    let sent = match args.reply.optional() {
        None => None,
        Some(place) => Some(message_at(call, place)?),
    };
    let reply = sent
        .as_ref()
        .map(|(header, data)| (header, data.as_slice()));
    match call
        .exec
        .reply_wait_receive_port(call.thread, args.port, reply)?
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
    context: UserPtr<Word>,
    message: UserPtr<PortMessage>,
) -> Result<Done> {
    match event {
        Event::Received(received) => store_message(call, &received, message, context),
        other => failed(other),
    }
}

fn reply_wait_reply(call: &mut Call<'_>, args: NtReplyWaitReplyPort) -> Result<Done> {
    let place = args.reply;
    call.probe_aligned(place, 4)?;
    let (header, data) = message_at(call, place)?;
    call.exec
        .reply_wait_reply_port(call.thread, args.port, &header, &data)?;
    call.wait(Pending::Reply { message: place })
}

fn request(call: &mut Call<'_>, args: NtRequestPort) -> Result<Done> {
    let (header, data) = message_at(call, args.message)?;
    call.exec
        .request_port(call.thread, args.port, &header, &data)?;
    success()
}

fn request_wait_reply(call: &mut Call<'_>, args: NtRequestWaitReplyPort) -> Result<Done> {
    let answer = args.reply;
    let (header, data) = message_at(call, args.message)?;
    call.probe_aligned(answer, 4)?;
    call.exec
        .request_wait_reply_port(call.thread, args.port, &header, &data)?;
    call.wait(Pending::Reply { message: answer })
}

/// The end of NtRequestWaitReplyPort.
pub fn finish_reply(
    call: &mut Call<'_>,
    event: Event,
    message: UserPtr<PortMessage>,
) -> Result<Done> {
    match event {
        Event::Replied(replied) => store_message(call, &replied, message, UserPtr::NULL),
        other => failed(other),
    }
}

fn register_termination(call: &mut Call<'_>, args: NtRegisterThreadTerminatePort) -> Result<Done> {
    call.exec
        .register_thread_terminate_port(call.thread, args.port)?;
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

/// By how much the kernel's header of a message is longer than the caller's.
fn longer(call: &Call<'_>) -> u32 {
    message::longer(call.exec.architecture()).into()
}

/// Where the data of a message lie.
fn data_of(call: &Call<'_>, message: UserPtr<PortMessage>) -> Result<UserPtr> {
    message.at(call.size_of::<PortMessage>() as u64)
}

/// A PORT_MESSAGE and its data. The data of a message whose own lengths contradict each other is
/// not read: the protocol refuses it.
fn message_at(call: &mut Call<'_>, place: UserPtr<PortMessage>) -> Result<(PortMessage, Vec<u8>)> {
    let header = call.read_aligned(place, 4)?;
    let fits = usize::from(header.data_length) + HEADER <= usize::from(header.total_length);
    let data = if fits {
        call.bytes(data_of(call, place)?, u64::from(header.data_length))?
    } else {
        Vec::new()
    };
    Ok((header, data))
}

fn store_message(
    call: &mut Call<'_>,
    message: &Message,
    place: UserPtr<PortMessage>,
    context: UserPtr<Word>,
) -> Result<Done> {
    call.write(place, message.header)?;
    call.write_bytes(data_of(call, place)?, &message.data)?;
    call.write_optional(context, Word(message.context))?;
    success()
}

fn probe_remote(call: &mut Call<'_>, place: UserPtr<RemotePortView>) -> Result<()> {
    let Some(place) = place.optional() else {
        return Ok(());
    };
    call.probe_aligned(place, 4)?;
    if call.read(place)?.length as usize == call.size_of::<RemotePortView>() {
        Ok(())
    } else {
        Err(Status::INVALID_PARAMETER)
    }
}
