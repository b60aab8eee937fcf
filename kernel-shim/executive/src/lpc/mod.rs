// SPDX-License-Identifier: GPL-2.0-or-later
//! Local procedure calls: ports, connections, messages (spec 10).
//!
//! This is the whole protocol without its surroundings: it knows ports by [`PortId`] and threads by
//! their CLIENT_ID, and nothing of handles, names, access checks or user memory; [`crate::system::ports`] puts
//! those around it. A call that has to wait returns, and the thread that waits is handed its
//! [`Event`] later, through [`Lpc::take_wakes`].
//!
//! A port is one of four kinds. A named *connection* port receives: connection requests, and every
//! message of the connections made through it. NtConnectPort makes a *client* port,
//! NtAcceptConnectPort the *communication* port at its other end; what a client sends is queued at
//! the connection port and carries the context of the communication port. An unnamed port is
//! *unconnected*: it talks to itself.
//!
//! A client thread is, in order: idle; *connecting* from NtConnectPort until the server refuses, or
//! accepts and completes; idle; *waiting for a reply* from NtRequestWaitReplyPort until the reply
//! with its message id comes, or a callback, or its port goes away.
//!
//! Invariants: a thread waits for at most one thing; a message id names at most one request under
//! way, and id 0 none; every thread in a port's reply chain waits for a reply; messages are
//! received in the order they were sent, receivers are served in the order they came.

mod connect;
mod message;
mod rundown;
#[cfg(test)]
mod tests;

use crate::layout::ClientId;
use crate::layout::PortMessage;
use crate::layout::message::longer;
use crate::machine::Architecture;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use nt::system::MessageKind;
use nt::{Result, Status};

pub use connect::{Accepted, ClientView, Connected};

/// Bytes of a PORT_MESSAGE header.
pub const HEADER: usize = size_of::<PortMessage>();

/// The most that any port may allow, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Longest {
    /// Of a message, with [`HEADER`] (spec 13.2: the 512-byte class; on i386 that of 256).
    pub message: u32,
    /// Of connection information.
    pub connection_info: u32,
}

impl Longest {
    /// What the system carries for programs of this kind.
    pub const fn of(architecture: Architecture) -> Self {
        match architecture {
            Architecture::Amd64 => Self {
                message: 0x288,
                connection_info: 0x208,
            },
            Architecture::I386 => Self {
                message: 0x148 + longer(Architecture::I386) as u32,
                connection_info: 0x104,
            },
        }
    }
}

/// Names one port for as long as the system runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortId(pub u32);

/// What a port is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortKind {
    /// Named; servers receive here.
    Connection,
    /// Unnamed; talks to itself.
    Unconnected,
    /// The server's end of a connection.
    Communication,
    /// The client's end of a connection.
    Client,
}

/// A message on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The header, as the receiver will see it.
    pub header: PortMessage,
    /// `header.data_length` bytes; for a connection request the connection information.
    pub data: Vec<u8>,
    /// `PortContext` of the communication port it came through; 0 for a connection request.
    pub context: u64,
}

impl Message {
    /// The message type.
    pub const fn kind(&self) -> MessageKind {
        MessageKind(self.header.kind)
    }
}

/// What a waiting thread is woken with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A receiver's message.
    Received(Message),
    /// The reply to a request, or a callback (type REQUEST) that wants an answer first.
    Replied(Message),
    /// The connection stands: NtConnectPort's results.
    Connected(Connected),
    /// NtConnectPort or a request failed: `PORT_CONNECTION_REFUSED` (with the server's
    /// information), `OBJECT_NAME_NOT_FOUND`, `LPC_REPLY_LOST`, `PORT_DISCONNECTED`.
    Failed(Status, Vec<u8>),
}

/// One thread to wake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wake {
    /// Its CLIENT_ID.UniqueThread.
    pub thread: u64,
    /// Why.
    pub event: Event,
}

/// What receiving gives at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Receive {
    /// A message was queued.
    Message(Message),
    /// The thread is parked among the receivers.
    Blocked,
}

#[derive(Debug)]
struct Port {
    kind: PortKind,
    connection: Option<PortId>,
    connected: Option<PortId>,
    queue: VecDeque<Message>,
    receivers: VecDeque<u64>,
    /// Threads that wait for a reply, by their tickets: in the order in which they came.
    reply_chain: BTreeMap<u64, u64>,
    creator: ClientId,
    context: u64,
    /// On a communication port until the connection is completed: who waits for that.
    client_thread: Option<u64>,
    server_process: Option<u64>,
    max_message: u32,
    name_deleted: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Waiting {
    /// In NtConnectPort, not answered yet.
    Connecting(Connecting),
    /// In NtConnectPort, accepted, not completed yet.
    Accepted(Connected),
    /// For the reply to what was sent through this port.
    Reply { through: PortId },
    /// For any message to this port.
    Message { queue: PortId },
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Connecting {
    client_port: PortId,
    capacity: usize,
    view: Option<ClientView>,
}

#[derive(Default, Debug)]
struct Thread {
    waiting: Option<Waiting>,
    /// The id of the message whose reply this thread waits for; 0 for none.
    reply_id: u32,
    /// The port its last request went through.
    port: Option<PortId>,
    /// The reply chain it stands in, and with which ticket.
    chained: Option<(PortId, u64)>,
    /// The ports of NtRegisterThreadTerminatePort, which are notified when it ends.
    termination: Vec<PortId>,
}

/// All ports, and what every thread waits for.
#[derive(Debug)]
pub struct Lpc {
    longest: Longest,
    ports: BTreeMap<PortId, Port>,
    threads: BTreeMap<u64, Thread>,
    next_port: u32,
    next_ticket: u64,
    last_message: u32,
    last_callback: u32,
    wakes: VecDeque<Wake>,
}

impl Lpc {
    /// No ports.
    pub fn new(architecture: Architecture) -> Self {
        Self {
            longest: Longest::of(architecture),
            ports: BTreeMap::new(),
            threads: BTreeMap::new(),
            next_port: 0,
            next_ticket: 0,
            last_message: 0,
            last_callback: 0,
            wakes: VecDeque::new(),
        }
    }

    /// The threads that have stopped waiting since the last call, in order.
    pub fn take_wakes(&mut self) -> Vec<Wake> {
        self.wakes.drain(..).collect()
    }

    /// What kind of port this is, if it stands.
    pub fn kind(&self, port: PortId) -> Option<PortKind> {
        self.ports.get(&port).map(|port| port.kind)
    }

    /// `MaxMessageLength` of a port.
    pub fn max_message(&self, port: PortId) -> Result<u32> {
        self.port(port).map(|port| port.max_message)
    }

    /// Who made the port: the creator, or for the ends of a connection the thread at that end.
    pub fn creator(&self, port: PortId) -> Result<ClientId> {
        self.port(port).map(|port| port.creator)
    }

    /// The process that serves a connection port.
    pub fn server_process(&self, port: PortId) -> Option<u64> {
        self.ports.get(&port)?.server_process
    }

    /// The port at the other end of a connection.
    pub fn peer(&self, port: PortId) -> Option<PortId> {
        self.ports.get(&port)?.connected
    }

    /// Messages queued at a port.
    pub fn queued(&self, port: PortId) -> usize {
        self.ports.get(&port).map_or(0, |port| port.queue.len())
    }

    /// Whether this thread waits for anything here.
    pub fn is_waiting(&self, thread: u64) -> bool {
        self.threads
            .get(&thread)
            .is_some_and(|thread| thread.waiting.is_some())
    }

    fn port(&self, port: PortId) -> Result<&Port> {
        self.ports.get(&port).ok_or(Status::PORT_DISCONNECTED)
    }

    fn port_mut(&mut self, port: PortId) -> Result<&mut Port> {
        self.ports.get_mut(&port).ok_or(Status::PORT_DISCONNECTED)
    }

    fn thread(&mut self, thread: u64) -> &mut Thread {
        self.threads.entry(thread).or_default()
    }

    fn next_message_id(&mut self) -> u32 {
        self.last_message = self.last_message.checked_add(1).unwrap_or(1);
        self.last_message
    }

    fn add(&mut self, port: Port) -> PortId {
        let id = PortId(self.next_port);
        self.next_port += 1;
        self.ports.insert(id, port);
        id
    }

    /// Queues a message at `port`, or hands it to the receiver that has waited longest.
    fn deliver(&mut self, port: PortId, message: Message) -> Result<()> {
        let port = self.port_mut(port)?;
        match port.receivers.pop_front() {
            None => port.queue.push_back(message),
            Some(thread) => self.wake(thread, Event::Received(message)),
        }
        Ok(())
    }

    fn wake(&mut self, thread: u64, event: Event) {
        self.thread(thread).waiting = None;
        self.wakes.push_back(Wake { thread, event });
    }

    /// Puts a thread, which stands in none, at the end of a port's reply chain.
    fn chain(&mut self, port: PortId, thread: u64) -> Result<()> {
        self.unchain(thread);
        let ticket = self.next_ticket;
        self.port_mut(port)?.reply_chain.insert(ticket, thread);
        self.next_ticket += 1;
        self.thread(thread).chained = Some((port, ticket));
        Ok(())
    }

    /// Takes a thread out of the reply chain that it stands in.
    fn unchain(&mut self, thread: u64) {
        let chained = self.threads.get_mut(&thread);
        if let Some((port, ticket)) = chained.and_then(|thread| thread.chained.take())
            && let Some(port) = self.ports.get_mut(&port)
        {
            port.reply_chain.remove(&ticket);
        }
    }
}
