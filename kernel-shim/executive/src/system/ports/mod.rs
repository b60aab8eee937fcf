// SPDX-License-Identifier: GPL-2.0-or-later
//! The port services with handles, names and access checks around the protocol (spec 10.2).
//!
//! A call that waits leaves its thread parked; when the protocol wakes the thread, its [`Event`] is
//! kept until the code that runs the thread takes it ([`Executive::take_port_event`]) and finishes
//! the call with it.

mod views;

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::layout::ClientId;
use crate::layout::PortMessage;
use crate::lpc::{Accepted, ClientView, Event, PortId, PortKind, Receive};
use crate::ob::lookup::Lookup;
use crate::ob::prelude::*;
use crate::ob::{Hooks, Kind};
use crate::se::{AccessState, Sid};
use crate::system::Body;
use crate::system::Executive;
use alloc::vec::Vec;
use nt::access::Access;
use nt::object::Attributes;
use nt::system::{MessageKind, PortLimits};
use nt::{Handle, ObjectAttributes, Result, Status};

/// The hooks of ports.
pub const PORT_HOOKS: Hooks<Executive> = Hooks {
    parse: None,
    close: Some(closed),
    delete: Some(deleted),
    signalled: None,
    name: None,
};

/// What NtSecureConnectPort is given.
#[derive(Clone, Debug, Default)]
pub struct ConnectRequest<'a> {
    /// The port's name.
    pub name: &'a [u16],
    /// Who must serve it, if the caller cares.
    pub server: Option<Sid>,
    /// What to tell the server.
    pub information: &'a [u8],
    /// What of a section to share.
    pub view: Option<OfferedView>,
}

/// A part of a section that a client shares with its server.
#[derive(Clone, Copy, Debug)]
pub struct OfferedView {
    /// The client's handle, to read and write.
    pub section: Handle,
    /// Where the part begins.
    pub offset: u32,
    /// Its bytes; 0 is all behind the offset.
    pub size: u64,
}

/// What NtConnectPort gives in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectDone {
    /// The client port's handle, or why there is none.
    pub handle: Result<Handle>,
    /// The server's information; a refusal may carry some too.
    pub information: Vec<u8>,
    /// `MaxMessageLength`.
    pub max_message: u32,
    /// The view, with the server's address of it.
    pub view: Option<ClientView>,
}

/// What NtAcceptConnectPort gives when it is no refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptDone {
    /// The communication port's handle.
    pub handle: Handle,
    /// The communication port.
    pub port: PortId,
    /// The client's view, for the caller to map and report ([`crate::lpc::Lpc::set_remote_view`]).
    pub view: Option<ClientView>,
}

impl Executive {
    /// NtCreatePort. A port without a name is unconnected.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_3`, `INVALID_PARAMETER_4`, and what creating a named object gives.
    pub fn create_port(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        limits: PortLimits,
    ) -> Result<Handle> {
        let creator = self.client_id(caller)?;
        let named = !attributes.name.is_empty();
        let port = self
            .lpc
            .create(creator, named, limits.connection_info, limits.message)?;
        let object = self.new_object(Body::Port(port));
        self.insert_object(caller, object, attributes, Access::PORT_ALL)
            .map(|created| created.handle)
    }

    /// NtSecureConnectPort up to the wait. The thread is parked: finish with
    /// [`Executive::finish_connect`].
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND`, `ACCESS_DENIED`, `INVALID_PORT_HANDLE`, `SERVER_SID_MISMATCH`; why the
    /// offered view cannot be mapped into the caller.
    pub fn connect_port(&mut self, caller: ThreadId, request: &ConnectRequest<'_>) -> Result<()> {
        let client = self.client_id(caller)?;
        let view = match request.view {
            None => None,
            Some(offered) => Some(self.map_client_view(caller, offered)?),
        };
        let asked = self.ask_to_connect(caller, client, request, view);
        if let (Err(_), Some(view)) = (asked, view) {
            self.unmap_client_view(ProcessId(client.process as u32), view);
        }
        asked
    }

    fn ask_to_connect(
        &mut self,
        caller: ThreadId,
        client: ClientId,
        request: &ConnectRequest<'_>,
        view: Option<ClientView>,
    ) -> Result<()> {
        let mut access = AccessState::new(Access::PORT_CONNECT, self.is_kernel(caller));
        let object = self.lookup(Lookup {
            caller,
            root: Handle::NULL,
            name: request.name,
            attributes: Attributes::empty(),
            kind: Some(Kind::Port),
            access: &mut access,
            context: None,
            insert: None,
        })?;
        let connecting = self.connect_object(caller, client, object, request, view);
        self.dereference(object);
        let port = connecting?;
        if let Some(view) = view {
            self.keep_port_view(port, ProcessId(client.process as u32), view.base);
        }
        self.park(caller);
        self.deliver_ports();
        Ok(())
    }

    fn connect_object(
        &mut self,
        caller: ThreadId,
        client: ClientId,
        object: ObjectId,
        request: &ConnectRequest<'_>,
        view: Option<ClientView>,
    ) -> Result<PortId> {
        self.check_access(caller, object, Access::PORT_CONNECT)?;
        let port = self.port_body(object)?;
        if let (Some(wanted), Some(PortKind::Connection)) = (&request.server, self.lpc.kind(port)) {
            let server = self
                .lpc
                .server_process(port)
                .ok_or(Status::SERVER_SID_MISMATCH)?;
            if self.process_user(ProcessId(server as u32))? != *wanted {
                return Err(Status::SERVER_SID_MISMATCH);
            }
        }
        self.lpc.connect(client, port, request.information, view)
    }

    /// Finishes a NtSecureConnectPort whose thread runs again.
    pub fn finish_connect(&mut self, caller: ThreadId, event: Event) -> ConnectDone {
        match event {
            Event::Connected(connected) => {
                // Without a handle the port is closed at once, and the server is notified.
                let handle = self.port_handle(caller, connected.port);
                ConnectDone {
                    handle,
                    information: connected.information,
                    max_message: connected.max_message,
                    view: connected.view,
                }
            }
            Event::Failed(status, information) => {
                self.unmap_lost_views();
                ConnectDone {
                    handle: Err(status),
                    information,
                    max_message: 0,
                    view: None,
                }
            }
            Event::Received(_) | Event::Replied(_) => ConnectDone {
                handle: Err(Status::REPLY_MESSAGE_MISMATCH),
                information: Vec::new(),
                max_message: 0,
                view: None,
            },
        }
    }

    /// NtAcceptConnectPort. `None` for a refusal.
    ///
    /// # Errors
    /// `INVALID_CID`, `REPLY_MESSAGE_MISMATCH`.
    pub fn accept_connect_port(
        &mut self,
        caller: ThreadId,
        context: u64,
        request: &PortMessage,
        information: &[u8],
        accept: bool,
    ) -> Result<Option<AcceptDone>> {
        let server = self.client_id(caller)?;
        self.check_client(request.client)?;
        let Some(Accepted { port, view }) =
            self.lpc
                .accept(server, request, information, accept, context)?
        else {
            self.deliver_ports();
            return Ok(None);
        };
        let handle = match self.port_handle(caller, port) {
            Ok(handle) => handle,
            Err(status) => {
                self.refuse_accepted(request.client);
                return Err(status);
            }
        };
        if context == 0 {
            self.lpc.set_context(port, handle.to_slot())?;
        }
        Ok(Some(AcceptDone { handle, port, view }))
    }

    /// Lets a client go whose connection was accepted and came to nothing, as if it had been
    /// refused: NtAcceptConnectPort leaves nobody waiting when it fails half-way.
    pub(crate) fn refuse_accepted(&mut self, client: ClientId) {
        self.lpc.refuse_accepted(client.thread);
        self.deliver_ports();
    }

    /// NtCompleteConnectPort.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `INVALID_PORT_HANDLE`, `INVALID_PARAMETER`.
    pub fn complete_connect_port(&mut self, caller: ThreadId, port: Handle) -> Result<()> {
        let port = self.port(caller, port, Access::PORT_ALL)?;
        self.lpc.complete(port)?;
        self.deliver_ports();
        Ok(())
    }

    /// NtReplyPort.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, `PORT_MESSAGE_TOO_LONG`, `INVALID_CID`, `REPLY_MESSAGE_MISMATCH`.
    pub fn reply_port(
        &mut self,
        caller: ThreadId,
        port: Handle,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        let port = self.port(caller, port, Access::empty())?;
        self.lpc.check_reply(port, header)?;
        self.check_client(header.client)?;
        self.lpc.reply(port, header, data)?;
        self.deliver_ports();
        Ok(())
    }

    /// NtReplyWaitReceivePort: sends the reply, if any, then takes the oldest message or parks the
    /// thread ([`Event::Received`] later).
    ///
    /// # Errors
    /// As [`Executive::reply_port`], and `PORT_DISCONNECTED`.
    pub fn reply_wait_receive_port(
        &mut self,
        caller: ThreadId,
        port: Handle,
        reply: Option<(&PortMessage, &[u8])>,
    ) -> Result<Receive> {
        let receiver = self.client_id(caller)?;
        let port = self.port(caller, port, Access::empty())?;
        if let Some((header, data)) = reply {
            self.lpc.check_reply(port, header)?;
            self.lpc.receive_queue(port)?;
            self.check_client(header.client)?;
            self.lpc.reply(port, header, data)?;
        }
        let received = self.lpc.receive(receiver, port)?;
        if received == Receive::Blocked {
            self.park(caller);
        }
        self.deliver_ports();
        Ok(received)
    }

    /// NtRequestPort.
    ///
    /// # Errors
    /// `INVALID_PARAMETER`, `PORT_MESSAGE_TOO_LONG`, `PORT_DISCONNECTED`.
    pub fn request_port(
        &mut self,
        caller: ThreadId,
        port: Handle,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        let sender = self.client_id(caller)?;
        let port = self.port(caller, port, Access::empty())?;
        self.lpc.datagram(sender, port, header, data)?;
        self.deliver_ports();
        Ok(())
    }

    /// NtRequestWaitReplyPort up to the wait: the thread is parked ([`Event::Replied`] or
    /// [`Event::Failed`] later).
    ///
    /// # Errors
    /// As [`Executive::request_port`]; for a callback as [`Executive::reply_port`].
    pub fn request_wait_reply_port(
        &mut self,
        caller: ThreadId,
        port: Handle,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        let sender = self.client_id(caller)?;
        let port = self.port(caller, port, Access::empty())?;
        self.lpc.request(sender, port, header, data)?;
        self.park(caller);
        self.deliver_ports();
        Ok(())
    }

    /// NtReplyWaitReplyPort up to the wait.
    ///
    /// # Errors
    /// As [`Executive::reply_port`].
    pub fn reply_wait_reply_port(
        &mut self,
        caller: ThreadId,
        port: Handle,
        header: &PortMessage,
        data: &[u8],
    ) -> Result<()> {
        let sender = self.client_id(caller)?;
        let port = self.port(caller, port, Access::empty())?;
        self.check_client(header.client)?;
        self.lpc.reply_wait_reply(sender, port, header, data)?;
        self.park(caller);
        self.deliver_ports();
        Ok(())
    }

    /// NtRegisterThreadTerminatePort.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `OBJECT_TYPE_MISMATCH`.
    pub fn register_thread_terminate_port(&mut self, caller: ThreadId, port: Handle) -> Result<()> {
        let client = self.client_id(caller)?;
        let port = self.port(caller, port, Access::PORT_ALL)?;
        self.lpc.register_termination(client.thread, port);
        Ok(())
    }

    /// A thread has ended: it no longer waits for a port, and the ports it registered are notified.
    /// A thread that has registered no port is reported to its process's exception port, as NT
    /// does.
    pub(crate) fn leave_ports(&mut self, thread: ThreadId) {
        let event = self.port_events.remove(&thread);
        self.pending_calls.remove(&thread);
        let Ok(client) = self.client_id(thread) else {
            return;
        };
        let create_time = self.thread(thread).map_or(0, |thread| thread.create_time);
        let process = self.process_of(thread).ok();
        let process_create_time = process.map_or(0, |process| process.create_time);
        let exception_port = process
            .and_then(|process| process.exception_port)
            .and_then(|object| self.port_body(object).ok());
        if let Some(Event::Connected(connected)) = event {
            // Its connection stands, but it ended before it had a handle to its end: that end
            // is closed, and the server is notified.
            self.lpc.delete(connected.port, client, process_create_time);
        }
        let told = self
            .lpc
            .thread_exit(client, create_time, process_create_time);
        if let (true, Some(port)) = (told.is_empty(), exception_port) {
            // A port whose server is gone has nobody to tell.
            let _ = self.lpc.notify(
                client,
                port,
                MessageKind::CLIENT_DIED,
                &create_time.to_le_bytes(),
            );
        }
        // It may have been about to connect; its process lives on.
        self.unmap_lost_views();
        self.deliver_ports();
    }

    /// What ended a thread's wait for a message, a reply or a connection.
    pub fn take_port_event(&mut self, thread: ThreadId) -> Option<Event> {
        self.port_events.remove(&thread)
    }

    /// Lets the threads go on that the protocol has woken.
    pub(crate) fn deliver_ports(&mut self) {
        for wake in self.lpc.take_wakes() {
            let thread = ThreadId(wake.thread as u32);
            self.port_events.insert(thread, wake.event);
            self.unpark(thread, Status::SUCCESS);
        }
    }

    /// A handle to an end of a connection. Without one the end goes.
    fn port_handle(&mut self, caller: ThreadId, port: PortId) -> Result<Handle> {
        let object = self.new_object(Body::Port(port));
        self.insert_object(
            caller,
            object,
            &ObjectAttributes::unnamed(),
            Access::PORT_ALL,
        )
        .map(|created| created.handle)
    }

    /// The protocol's name for the port behind a handle.
    pub(crate) fn port(&self, caller: ThreadId, handle: Handle, access: Access) -> Result<PortId> {
        let object = self.resolve(caller, handle, Some(Kind::Port), access)?;
        self.port_body(object)
    }

    pub(crate) fn port_body(&self, object: ObjectId) -> Result<PortId> {
        match &self.object(object)?.body {
            Body::Port(port) => Ok(*port),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// `INVALID_CID` unless there is such a thread in such a process.
    fn check_client(&self, client: ClientId) -> Result<()> {
        let thread = u32::try_from(client.thread).map_err(|_| Status::INVALID_CID)?;
        let thread = ThreadId(thread);
        if self.client_id(thread)? == client && !self.thread(thread)?.ended {
            Ok(())
        } else {
            Err(Status::INVALID_CID)
        }
    }
}

fn closed(exec: &mut Executive, _process: ProcessId, object: ObjectId, last: bool) {
    if let (true, Ok(port)) = (last, exec.port_body(object)) {
        exec.lpc.last_handle_closed(port);
        exec.deliver_ports();
    }
}

fn deleted(exec: &mut Executive, _object: ObjectId, body: Body) {
    let Body::Port(port) = body else { return };
    // The client's thread that connected speaks for its process.
    let Ok(creator) = exec.lpc.creator(port) else {
        return;
    };
    let create_time = exec.process_create_time(ProcessId(creator.process as u32));
    exec.lpc.delete(port, creator, create_time);
    exec.deliver_ports();
    exec.unmap_port_view(port);
}
