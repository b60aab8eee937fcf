// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, LPC ports.

use super::width::{kernels_header, kernels_limits, seams_header};
use super::{Seam, name, nothing, number};
use crate::Completion;
use crate::Executive;
use crate::ids::ThreadId;
use crate::lpc::{Event, Message, Receive};
use crate::system::ports::{ConnectRequest, OfferedView};
use alloc::vec::Vec;
use nt::system::{Accept, MAX_MESSAGE, MessageBuffer, PortLimits, Ports, Received};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr, narrowed, widened};

/// The data of a message as far as its header says, and as far as there are any.
fn data(message: &MessageBuffer) -> &[u8] {
    message
        .data
        .get(..usize::from(message.header.data_length))
        .unwrap_or(&message.data)
}

/// Puts a message into the caller's buffer. One that is longer is cut, its lengths as well.
fn deliver(message: &Message, buffer: &mut MessageBuffer) -> Received {
    buffer.header = seams_header(&message.header);
    if usize::from(message.header.data_length) > buffer.data.len() {
        buffer.header.data_length = buffer.data.len() as u16;
        buffer.header.total_length = MAX_MESSAGE as u16;
    }
    for (to, from) in buffer.data.iter_mut().zip(&message.data) {
        *to = *from;
    }
    Received {
        context: narrowed(message.context),
    }
}

/// What ended the wait of `thread`, or the status that did.
fn event(executive: &mut Executive, thread: ThreadId, status: Status) -> Result<Event> {
    match executive.take_port_event(thread) {
        Some(event) => Ok(event),
        None if status.is_success() => Err(Status::UNSUCCESSFUL),
        None => Err(status),
    }
}

/// The message that answers a request.
fn answer(event: Event) -> Result<Message> {
    match event {
        Event::Replied(message) => Ok(message),
        Event::Failed(status, _) => Err(status),
        Event::Received(_) | Event::Connected(_) => Err(Status::REPLY_MESSAGE_MISMATCH),
    }
}

/// NtConnectPort: the port, and what the server has answered.
pub(super) fn connect(
    seam: &Seam,
    port: UnicodeStr<'_>,
    information: &[u8],
    view: Option<OfferedView>,
) -> Result<(Handle, Vec<u8>)> {
    seam.wait_call(
        "NtConnectPort",
        || name("name", port),
        |executive, thread| {
            let request = ConnectRequest {
                name: port.units(),
                server: None,
                information,
                view,
            };
            executive
                .connect_port(thread, &request)
                .map(|()| Completion::Pending)
        },
        |executive, thread, status| {
            let event = event(executive, thread, status)?;
            let done = executive.finish_connect(thread, event);
            done.handle.map(|handle| (handle, done.information))
        },
    )
}

impl Ports for &Seam {
    fn create_port(self, attributes: &ObjectAttributes<'_>, limits: PortLimits) -> Result<Handle> {
        self.call(
            "NtCreatePort",
            || name("name", attributes.name),
            |executive, thread| executive.create_port(thread, attributes, kernels_limits(limits)),
        )
    }

    fn connect_port(self, port: UnicodeStr<'_>, information: &mut [u8]) -> Result<Handle> {
        let (handle, answered) = connect(self, port, information, None)?;
        for (to, from) in information.iter_mut().zip(&answered) {
            *to = *from;
        }
        Ok(handle)
    }

    fn accept_connect(self, request: &MessageBuffer, accept: Accept) -> Result<Handle> {
        let (accepted, context) = match accept {
            Accept::Yes { context } => (true, context),
            Accept::No => (false, 0),
        };
        self.call(
            "NtAcceptConnectPort",
            || number("accept", u64::from(accepted)),
            |executive, thread| {
                let done = executive.accept_connect_port(
                    thread,
                    widened(context),
                    &kernels_header(&request.header),
                    data(request),
                    accepted,
                )?;
                Ok(done.map_or(Handle::NULL, |done| done.handle))
            },
        )
    }

    fn complete_connect(self, port: Handle) -> Result<()> {
        self.call(
            "NtCompleteConnectPort",
            || number("port", port.0),
            |executive, thread| executive.complete_connect_port(thread, port),
        )
    }

    fn reply_wait_receive(
        self,
        port: Handle,
        reply: Option<&MessageBuffer>,
        received: &mut MessageBuffer,
    ) -> Result<Received> {
        let message = self.wait_call(
            "NtReplyWaitReceivePort",
            nothing,
            |executive, thread| {
                let header = reply.map(|reply| kernels_header(&reply.header));
                let reply = header.as_ref().zip(reply.map(data));
                match executive.reply_wait_receive_port(thread, port, reply)? {
                    Receive::Message(message) => Ok(Completion::Done(message)),
                    Receive::Blocked => Ok(Completion::Pending),
                }
            },
            |executive, thread, status| match event(executive, thread, status)? {
                Event::Received(message) => Ok(message),
                other => answer(other),
            },
        )?;
        Ok(deliver(&message, received))
    }

    fn request_wait_reply(self, port: Handle, message: &mut MessageBuffer) -> Result<()> {
        let answered = self.wait_call(
            "NtRequestWaitReplyPort",
            || number("port", port.0),
            |executive, thread| {
                executive
                    .request_wait_reply_port(
                        thread,
                        port,
                        &kernels_header(&message.header),
                        data(message),
                    )
                    .map(|()| Completion::Pending)
            },
            |executive, thread, status| answer(event(executive, thread, status)?),
        )?;
        deliver(&answered, message);
        if usize::from(answered.header.data_length) > message.data.len() {
            return Err(Status::PORT_MESSAGE_TOO_LONG);
        }
        Ok(())
    }
}
