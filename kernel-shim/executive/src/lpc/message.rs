// SPDX-License-Identifier: GPL-2.0-or-later
//! Sending, receiving and replying (spec 10.1, 10.6).
//!
//! Lengths are checked as NT 5.2 does: a message whose data does not fit into its own total length
//! is an `INVALID_PARAMETER`, one longer than its port allows a `PORT_MESSAGE_TOO_LONG`.

use super::{Event, HEADER, Lpc, Message, PortId, PortKind, Receive, Waiting};
use crate::layout::ClientId;
use crate::layout::PortMessage;
use alloc::vec::Vec;
use nt::system::MessageKind;
use nt::{Result, Status};

/// `LPC_KERNELMODE_MESSAGE` and the undocumented bit next to it, which user mode may set without
/// effect.
const IGNORED_KIND_BITS: u16 = 0x4000;

/// Where a message sent through a port goes.
struct Route {
    queue: PortId,
    /// The port whose end also ends the wait for the reply.
    rundown: PortId,
    context: u64,
}

impl Lpc {
    /// NtRequestPort: a message nobody waits for an answer to.
    pub fn datagram(
        &mut self,
        sender: ClientId,
        port: PortId,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        if header.data_info_offset != 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        self.check_lengths(port, header)?;
        let kind = MessageKind(header.kind | MessageKind::DATAGRAM.0);
        self.thread(sender.thread).reply_id = 0;
        self.send(sender, port, kind, header, data)
    }

    /// A message from the kernel itself, such as PORT_CLOSED and CLIENT_DIED, in the name of
    /// `sender`.
    pub fn notify(
        &mut self,
        sender: ClientId,
        port: PortId,
        kind: MessageKind,
        data: &[u8],
    ) -> Result<()> {
        let header = PortMessage {
            data_length: data.len() as u16,
            total_length: (HEADER + data.len()) as u16,
            ..PortMessage::default()
        };
        if u32::from(header.total_length) > self.port(port)?.max_message {
            return Err(Status::PORT_MESSAGE_TOO_LONG);
        }
        self.send(sender, port, kind, &header, data)
    }

    /// NtRequestWaitReplyPort: the thread now waits for [`Event::Replied`] or [`Event::Failed`]. A
    /// message of type REQUEST is a callback to the client that `header` names.
    pub fn request(
        &mut self,
        sender: ClientId,
        port: PortId,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        match MessageKind(header.kind & !IGNORED_KIND_BITS) {
            MessageKind(0) => {}
            MessageKind::REQUEST => return self.callback(sender, port, header, data),
            _ => return Err(Status::INVALID_PARAMETER),
        }
        self.request_of_kind(sender, port, MessageKind::REQUEST, header, data)
    }

    /// The same for a request that the kernel makes in the name of `sender`, such as an
    /// ERROR_EVENT.
    pub fn request_of_kind(
        &mut self,
        sender: ClientId,
        port: PortId,
        kind: MessageKind,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        self.check_lengths(port, header)?;
        let route = self.route(port)?;
        let message_id = self.next_message_id();
        let message = stamped(header, data, kind, sender, message_id, route.context);
        let thread = self.thread(sender.thread);
        thread.reply_id = message_id;
        thread.port = Some(port);
        thread.waiting = Some(Waiting::Reply { through: port });
        self.chain(route.rundown, sender.thread)?;
        self.deliver(route.queue, message)
    }

    /// NtReplyPort, and the first half of NtReplyWaitReceivePort. The caller has found the thread
    /// that `header` names (`INVALID_CID` otherwise). `REPLY_MESSAGE_MISMATCH` unless it waits
    /// for exactly this reply, through this port.
    pub fn reply(&mut self, port: PortId, header: &PortMessage, data: &[u8]) -> Result<()> {
        self.check_reply(port, header)?;
        let client = header.client.thread;
        if !self.awaits_reply(client, header.message_id) || !self.related(client, port) {
            return Err(Status::REPLY_MESSAGE_MISMATCH);
        }
        let mut reply = *header;
        reply.kind = MessageKind::REPLY.0;
        self.thread(client).reply_id = 0;
        self.unchain(client);
        self.wake(
            client,
            Event::Replied(Message {
                header: reply,
                data: data.to_vec(),
                context: 0,
            }),
        );
        Ok(())
    }

    /// NtReplyWaitReplyPort: answers a callback, then waits for the reply to the request it
    /// interrupted.
    pub fn reply_wait_reply(
        &mut self,
        sender: ClientId,
        port: PortId,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        self.reply(port, header, data)?;
        let rundown = self.route(port)?.rundown;
        let thread = self.thread(sender.thread);
        thread.reply_id = header.message_id;
        thread.waiting = Some(Waiting::Reply { through: port });
        self.chain(rundown, sender.thread)?;
        Ok(())
    }

    /// NtReplyWaitReceivePort without a reply: the oldest message, or the thread waits for
    /// [`Event::Received`].
    pub fn receive(&mut self, receiver: ClientId, port: PortId) -> Result<Receive> {
        let queue = self.receive_queue(port)?;
        let port = self.port_mut(queue)?;
        match port.queue.pop_front() {
            Some(message) => Ok(Receive::Message(message)),
            None => {
                port.receivers.push_back(receiver.thread);
                self.thread(receiver.thread).waiting = Some(Waiting::Message { queue });
                Ok(Receive::Blocked)
            }
        }
    }

    /// Ends a receiver's wait without a message: its time is up. Whether it was waiting.
    pub fn cancel_receive(&mut self, thread: u64) -> bool {
        let Some(Waiting::Message { queue }) = self
            .threads
            .get(&thread)
            .and_then(|state| state.waiting.clone())
        else {
            return false;
        };
        self.thread(thread).waiting = None;
        if let Some(port) = self.ports.get_mut(&queue) {
            port.receivers.retain(|&waiting| waiting != thread);
        }
        true
    }

    /// Whether a receive on this port could start: `PORT_DISCONNECTED` once its connection port is
    /// gone.
    pub fn receive_queue(&self, port: PortId) -> Result<PortId> {
        let end = self.port(port)?;
        let queue = if end.kind == PortKind::Client {
            port
        } else {
            end.connection.ok_or(Status::PORT_DISCONNECTED)?
        };
        self.port(queue)?;
        Ok(queue)
    }

    /// Checks a reply's lengths and id before anything is looked up.
    pub fn check_reply(&self, port: PortId, header: &PortMessage) -> Result<()> {
        if header.message_id == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        self.check_lengths(port, header)
    }

    /// Checks a message's lengths against each other and against its port.
    pub fn check_lengths(&self, port: PortId, header: &PortMessage) -> Result<()> {
        if usize::from(header.data_length) + HEADER > usize::from(header.total_length) {
            return Err(Status::INVALID_PARAMETER);
        }
        if u32::from(header.total_length) > self.port(port)?.max_message {
            return Err(Status::PORT_MESSAGE_TOO_LONG);
        }
        Ok(())
    }

    fn send(
        &mut self,
        sender: ClientId,
        port: PortId,
        kind: MessageKind,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        let route = self.route(port)?;
        let message_id = self.next_message_id();
        self.deliver(
            route.queue,
            stamped(header, data, kind, sender, message_id, route.context),
        )
    }

    /// A server asks the client back, in the middle of the client's request: the client's wait ends
    /// with a message of type REQUEST.
    fn callback(
        &mut self,
        sender: ClientId,
        port: PortId,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        self.check_lengths(port, header)?;
        let client = header.client.thread;
        if header.message_id == 0
            || !self.awaits_reply(client, header.message_id)
            || !self.related(client, port)
        {
            return Err(Status::REPLY_MESSAGE_MISMATCH);
        }
        self.last_callback = self.last_callback.checked_add(1).unwrap_or(1);
        let mut message = stamped(
            header,
            data,
            MessageKind::REQUEST,
            sender,
            header.message_id,
            0,
        );
        message.header.client_view_size = u64::from(self.last_callback);
        self.thread(client).reply_id = 0;
        self.unchain(client);
        self.wake(client, Event::Replied(message));
        let rundown = self
            .port(port)?
            .connected
            .ok_or(Status::PORT_DISCONNECTED)?;
        let thread = self.thread(sender.thread);
        thread.reply_id = header.message_id;
        thread.port = Some(port);
        thread.waiting = Some(Waiting::Reply { through: port });
        self.chain(rundown, sender.thread)?;
        Ok(())
    }

    fn awaits_reply(&self, thread: u64, message_id: u32) -> bool {
        self.threads.get(&thread).is_some_and(|state| {
            state.reply_id == message_id && matches!(state.waiting, Some(Waiting::Reply { .. }))
        })
    }

    /// Whether `port` belongs to the connection that `client`'s request went through.
    fn related(&self, client: u64, port: PortId) -> bool {
        let Some(used) = self.threads.get(&client).and_then(|state| state.port) else {
            return false;
        };
        let Some(end) = self.ports.get(&used) else {
            return false;
        };
        let replier = self.ports.get(&port);
        port == used
            || end.connection == Some(port)
            || end.connected == Some(port)
            || replier.is_some_and(|replier| replier.kind == PortKind::Communication && replier.connection == Some(used))
            // A worker may answer through any end of the same server.
            || replier.is_some_and(|replier| replier.kind == PortKind::Communication && replier.connection == end.connection)
    }

    fn route(&self, port: PortId) -> Result<Route> {
        let end = self.port(port)?;
        if end.kind == PortKind::Connection {
            return Ok(Route {
                queue: port,
                rundown: port,
                context: 0,
            });
        }
        let peer = end.connected.ok_or(Status::PORT_DISCONNECTED)?;
        let peer_end = self.port(peer)?;
        if end.kind == PortKind::Communication {
            return Ok(Route {
                queue: peer,
                rundown: peer,
                context: 0,
            });
        }
        let queue = end.connection.ok_or(Status::PORT_DISCONNECTED)?;
        self.port(queue)?;
        let context = if end.kind == PortKind::Client {
            peer_end.context
        } else {
            0
        };
        Ok(Route {
            queue,
            rundown: peer,
            context,
        })
    }
}

fn stamped(
    header: &PortMessage,
    data: &[u8],
    kind: MessageKind,
    sender: ClientId,
    message_id: u32,
    context: u64,
) -> Message {
    let data: Vec<u8> = data
        .iter()
        .copied()
        .take(usize::from(header.data_length))
        .collect();
    let header = PortMessage {
        kind: kind.0,
        client: sender,
        message_id,
        client_view_size: 0,
        ..*header
    };
    Message {
        header,
        data,
        context,
    }
}
