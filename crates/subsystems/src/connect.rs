// SPDX-License-Identifier: GPL-2.0-or-later
//! Who may connect to `\SmApiPort`, and as what (spec 10.2).
//!
//! A process that smss itself started as a subsystem server registers by connecting; everybody else
//! whom the port's DACL admits is a plain client, whatever it announces. Who a client is, is what
//! the kernel wrote into the message header.

use crate::clients::Client;
use crate::end;
use crate::manager::{Manager, terminate};
use crate::servers::ServerRef;
use nt::access::Access;
use nt::system::{Accept, ImageSubsystem, MessageBuffer, System};
use nt::{Handle, Owned, Result, Status};
use sm_protocol::sm::ConnectionInfo;

impl<S: System> Manager<S> {
    /// Answers a connection request, and calls a new subsystem server back.
    #[inline(never)]
    pub(crate) fn connection_request(&'static self, message: &MessageBuffer) {
        let announced = ConnectionInfo::of_request(message);
        let process = message.header.client.process;
        if let Err(status) = self.admit(message, &announced) {
            nt::warn!("SM connection of process {process}: {status}: refused");
            if let Err(status) = self.system.accept_connect(message, Accept::No) {
                self.unanswered(process, status);
            }
        }
    }

    /// Makes the connection, by which a subsystem server registers; it is called back then.
    #[inline(never)]
    fn admit(&'static self, message: &MessageBuffer, announced: &ConnectionInfo) -> Result<()> {
        let system = self.system;
        let client = message.header.client;
        let own = client.process == system.client_id().process;
        let (process, session) = if own {
            (Owned::new(system, Handle::NULL), 0)
        } else {
            let process = Owned::new(
                system,
                system.open_process(client, Access::PROCESS_QUERY_INFORMATION)?,
            );
            let session = system.query_session(process.get())?;
            (process, session)
        };

        let server = self.registering(client.process, announced)?;
        let record = Client {
            port: Handle::NULL,
            process: process.get(),
            client,
            session,
            server: server.as_ref().map(ServerRef::key),
        };
        let key = self
            .tables
            .lock()
            .clients
            .insert(record)
            .ok_or(Status::INSUFF_SERVER_RESOURCES)?;

        let port = match system.accept_connect(
            message,
            Accept::Yes {
                context: key.to_context(),
            },
        ) {
            Ok(port) => port,
            Err(status) => {
                self.tables.lock().clients.remove(key);
                return Err(status);
            }
        };
        // From here on the table owns the process handle.
        let _ = process.into_raw();
        if let Some(client) = self.tables.lock().clients.get(key) {
            client.port = port;
        }
        if let Some(server) = &server {
            // If the server was given up in the meantime, its end is already decided.
            let _ = server.update(&mut |record| record.subsystem = Some(announced.subsystem));
        }
        if let Err(status) = system.complete_connect(port) {
            // The client is gone, or never learns that it is connected: it cannot be refused any
            // more.
            self.client_gone(key.to_context());
            self.unanswered(client.process, status);
        } else if let Some(server) = &server {
            self.call_back(server, announced);
        }
        Ok(())
    }

    /// A client waits for an answer that cannot be given. What smss has started, a server or a
    /// child instance, would keep its starter waiting for ever, so it is ended; smss waiting
    /// for itself is the end of the boot.
    #[inline(never)]
    fn unanswered(&'static self, process: u64, status: Status) {
        nt::error!("SM connection of process {process}: {status}: not answered");
        let system = self.system;
        if process == system.client_id().process {
            return end::stop_and_end(system, status);
        }
        match self.find_server(&|server| server.client.process == process) {
            Some(server) => terminate(system, server.view().process, process, status),
            None => terminate(system, self.child_process_of(process), process, status),
        }
    }

    /// The record of `process` if this connection registers it: it is a server of ours and
    /// announces a type.
    fn registering(
        &self,
        process: u64,
        announced: &ConnectionInfo,
    ) -> Result<Option<ServerRef<'_, S>>> {
        if announced.subsystem == ImageSubsystem::UNKNOWN {
            return Ok(None);
        }
        let Some(server) = self.find_server(&|server| server.client.process == process) else {
            return Ok(None);
        };
        if server.view().subsystem.is_some() {
            nt::warn!("SM connection of process {process}: it has registered already");
            return Err(Status::PORT_CONNECTION_REFUSED);
        }
        Ok(Some(server))
    }

    /// Connects to the server's call-back port, then lets its starter go on (spec 10.2 step 7).
    #[inline(never)]
    fn call_back(&'static self, server: &ServerRef<'_, S>, announced: &ConnectionInfo) {
        let record = server.view();
        match self
            .leave_a_receiver()
            .and_then(|()| self.system.connect_port(announced.name(), &mut []))
        {
            Ok(port) => {
                // Of a server that was given up in the meantime it is closed with the record.
                let _ = server.update(&mut |record| record.callback = port);
                nt::info!(
                    "session {}: process {} serves image type {}",
                    record.session,
                    record.client.process,
                    announced.subsystem.0
                );
            }
            Err(status) => nt::error!(
                "call-back port {}: {status}: the server cannot be given processes",
                announced.name()
            ),
        }
        self.release_starter(&record);
    }
}
