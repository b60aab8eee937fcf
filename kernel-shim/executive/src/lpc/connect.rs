// SPDX-License-Identifier: GPL-2.0-or-later
//! Making ports and connections (spec 10.2): create, connect, accept or refuse, complete.

use super::{Connecting, Event, HEADER, Lpc, Message, Port, PortId, PortKind, Waiting};
use crate::layout::ClientId;
use crate::layout::PortMessage;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use nt::system::MessageKind;
use nt::{Result, Status};

/// The section a client offers, as PORT_VIEW carries it. `section` is whatever the caller of this
/// module knows the section by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientView {
    /// The section.
    pub section: u64,
    /// Offset of the view in it, bytes.
    pub offset: u32,
    /// Bytes of the view.
    pub size: u64,
    /// Where the client has it.
    pub base: u64,
    /// Where the server has it; 0 until it is accepted.
    pub remote_base: u64,
}

/// What NtConnectPort gives in the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connected {
    /// The client port.
    pub port: PortId,
    /// The server's connection information, no longer than what the client had room for.
    pub information: Vec<u8>,
    /// `MaxMessageLength`.
    pub max_message: u32,
    /// The client's view, with the server's address of it.
    pub view: Option<ClientView>,
}

/// What accepting gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The communication port.
    pub port: PortId,
    /// The client's view, to be mapped into the server and reported with [`Lpc::set_remote_view`].
    pub view: Option<ClientView>,
}

impl Lpc {
    /// NtCreatePort. A port without a name is unconnected. `INVALID_PARAMETER_3`,
    /// `INVALID_PARAMETER_4` for limits beyond what the system carries.
    pub fn create(
        &mut self,
        creator: ClientId,
        named: bool,
        max_connection_info: u32,
        max_message: u32,
    ) -> Result<PortId> {
        if max_connection_info > self.longest.connection_info {
            return Err(Status::INVALID_PARAMETER_3);
        }
        if max_message > self.longest.message {
            return Err(Status::INVALID_PARAMETER_4);
        }
        let kind = if named {
            PortKind::Connection
        } else {
            PortKind::Unconnected
        };
        let mut port = Port::new(kind, creator, max_message);
        port.server_process = named.then_some(creator.process);
        let id = self.add(port);
        let port = self.port_mut(id)?;
        port.connection = Some(id);
        port.connected = (!named).then_some(id);
        Ok(id)
    }

    /// NtConnectPort, after the name and its access check: the client port, whose thread now waits
    /// for [`Event::Connected`] or [`Event::Failed`]. Until the former the port belongs to
    /// the protocol alone, which removes it with the latter.
    ///
    /// Information is cut to what the system carries, not to the port's `MaxConnectionInfoLength`:
    /// ReactOS checks that number in NtCreatePort and keeps it nowhere, so that a server gets more
    /// than it asked for and must be prepared for it.
    pub fn connect(
        &mut self,
        client: ClientId,
        port: PortId,
        information: &[u8],
        view: Option<ClientView>,
    ) -> Result<PortId> {
        let server = self.port(port)?;
        if server.kind != PortKind::Connection {
            return Err(Status::INVALID_PORT_HANDLE);
        }
        if server.name_deleted {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let max_message = server.max_message;
        let capacity = information.len().min(self.longest.connection_info as usize);
        let data: Vec<u8> = information.iter().copied().take(capacity).collect();
        let mut end = Port::new(PortKind::Client, client, max_message);
        end.connection = Some(port);
        let client_port = self.add(end);
        let header = PortMessage {
            data_length: data.len() as u16,
            total_length: (HEADER + data.len()) as u16,
            kind: MessageKind::CONNECTION_REQUEST.0,
            client,
            message_id: self.next_message_id(),
            client_view_size: view.map_or(0, |view| view.size),
            ..PortMessage::default()
        };
        let thread = self.thread(client.thread);
        thread.reply_id = header.message_id;
        thread.waiting = Some(Waiting::Connecting(Connecting {
            client_port,
            capacity,
            view,
        }));
        self.chain(port, client.thread)?;
        self.deliver(
            port,
            Message {
                header,
                data,
                context: 0,
            },
        )?;
        Ok(client_port)
    }

    /// NtAcceptConnectPort: `request` is the connection request as the server hands it back,
    /// `information` what it wants to tell the client. `None` for a refusal.
    /// `REPLY_MESSAGE_MISMATCH` unless that client waits for exactly this answer from this process.
    pub fn accept(
        &mut self,
        server: ClientId,
        request: &PortMessage,
        information: &[u8],
        accept: bool,
        context: u64,
    ) -> Result<Option<Accepted>> {
        let client = request.client.thread;
        let mismatch = Err(Status::REPLY_MESSAGE_MISMATCH);
        let Some(thread) = self.threads.get(&client) else {
            return mismatch;
        };
        let Some(Waiting::Connecting(connecting)) = thread.waiting.clone() else {
            return mismatch;
        };
        if request.message_id == 0 || thread.reply_id != request.message_id {
            return mismatch;
        }
        let Connecting {
            client_port,
            capacity,
            view,
        } = connecting;
        let connection = self
            .port(client_port)?
            .connection
            .ok_or(Status::REPLY_MESSAGE_MISMATCH)?;
        if self.port(connection)?.server_process != Some(server.process) {
            return mismatch;
        }
        self.thread(client).reply_id = 0;
        let information: Vec<u8> = information
            .iter()
            .copied()
            .take(capacity.min(self.longest.connection_info as usize))
            .collect();
        if !accept {
            self.unchain(client);
            self.ports.remove(&client_port);
            self.wake(
                client,
                Event::Failed(Status::PORT_CONNECTION_REFUSED, information),
            );
            return Ok(None);
        }
        let max_message = self.port(connection)?.max_message;
        let mut end = Port::new(PortKind::Communication, server, max_message);
        end.connection = Some(connection);
        end.connected = Some(client_port);
        end.context = context;
        end.client_thread = Some(client);
        let port = self.add(end);
        let client_end = self.port_mut(client_port)?;
        client_end.connected = Some(port);
        client_end.creator = request.client;
        self.thread(client).waiting = Some(Waiting::Accepted(Connected {
            port: client_port,
            information,
            max_message,
            view,
        }));
        Ok(Some(Accepted { port, view }))
    }

    /// The server's end could not be finished after all: the client is refused instead of waiting
    /// for a completion that nobody can order any more.
    pub fn refuse_accepted(&mut self, client: u64) {
        let waiting = self
            .threads
            .get(&client)
            .and_then(|state| state.waiting.clone());
        if let Some(Waiting::Accepted(connected)) = waiting {
            self.unchain(client);
            self.ports.remove(&connected.port);
            let status = Status::PORT_CONNECTION_REFUSED;
            self.wake(client, Event::Failed(status, connected.information));
        }
    }

    /// Where the client's view lies in the server, to be told to the client.
    pub fn set_remote_view(&mut self, port: PortId, base: u64) -> Result<()> {
        let client = self
            .port(port)?
            .client_thread
            .ok_or(Status::INVALID_PARAMETER)?;
        if let Some(Waiting::Accepted(Connected {
            view: Some(view), ..
        })) = &mut self.thread(client).waiting
        {
            view.remote_base = base;
        }
        Ok(())
    }

    /// The context of every message that comes through this communication port. NT takes the port's
    /// handle where the server gave 0.
    pub fn set_context(&mut self, port: PortId, context: u64) -> Result<()> {
        self.port_mut(port)?.context = context;
        Ok(())
    }

    /// NtCompleteConnectPort: lets the client go on. `INVALID_PORT_HANDLE` for any but a
    /// communication port, `INVALID_PARAMETER` when nobody waits (any more).
    pub fn complete(&mut self, port: PortId) -> Result<()> {
        let end = self.port_mut(port)?;
        if end.kind != PortKind::Communication {
            return Err(Status::INVALID_PORT_HANDLE);
        }
        let client = end.client_thread.take().ok_or(Status::INVALID_PARAMETER)?;
        self.unchain(client);
        if let Some(Waiting::Accepted(connected)) = self.thread(client).waiting.clone() {
            self.wake(client, Event::Connected(connected));
        }
        Ok(())
    }
}

impl Port {
    fn new(kind: PortKind, creator: ClientId, max_message: u32) -> Self {
        Self {
            kind,
            connection: None,
            connected: None,
            queue: VecDeque::new(),
            receivers: VecDeque::new(),
            reply_chain: BTreeMap::new(),
            creator,
            context: 0,
            client_thread: None,
            server_process: None,
            max_message,
            name_deleted: false,
        }
    }
}
