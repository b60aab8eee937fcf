// SPDX-License-Identifier: GPL-2.0-or-later
//! Who may connect to `\SmApiPort`, and as what; and what follows when a client is gone (spec 10.2,
//! 10.6).
//!
//! A process that smss itself started as a subsystem server registers by connecting; everybody else
//! whom the port's DACL admits is a plain client, whatever it announces. Who a client is, is what
//! the kernel wrote into the message header.

use super::pool::{leave_a_receiver, try_to_leave_a_receiver};
use crate::kernel::{client_is_gone, close, terminate};
use crate::manager::Manager;
use crate::nt6::resident;
use crate::servers::{self, ServerRef};
use crate::sessions;
use crate::state::clients::Client;
use crate::state::ids::{ProcessId, TerminalId};
use crate::state::slots::Key;
use nt::access::Access;
use nt::failure::persist;
use nt::system::{Accept, ImageSubsystem, MessageBuffer, System};
use nt::{ClientId, Handle, Owned, Result, Status};
use sm_protocol::sm::ConnectionInfo;

/// Answers a connection request, and calls a new subsystem server back. Blocks while it does.
#[inline(never)]
pub(super) fn connection_request<S: System>(sm: &'static Manager<S>, message: &MessageBuffer) {
    let mut announced = ConnectionInfo::PLAIN;
    announced.take_from(message);
    let client = message.header.client;
    if let Err(status) = admit(sm, message, &announced) {
        nt::warn!(
            "SM connection of process {}: {status}: refused",
            client.process
        );
        let system = sm.system;
        let mut refuse = || system.accept_connect(message, Accept::No).map(drop);
        if let Err(status) = persist(system, &mut refuse, client_is_gone) {
            unanswered(sm, client, status);
        }
    }
}

/// Makes the connection, by which a subsystem server registers; it is called back then.
fn admit<S: System>(
    sm: &'static Manager<S>,
    message: &MessageBuffer,
    announced: &ConnectionInfo,
) -> Result<()> {
    let system = sm.system;
    let client = message.header.client;
    let process_id = ProcessId::of(client).ok_or(Status::INVALID_CID)?;
    let process = Owned::new(
        system,
        system.open_process(client, Access::PROCESS_QUERY_INFORMATION)?,
    );
    let terminal = TerminalId(system.query_session(process.get())?);

    let server = registering(sm, process_id, announced)?;
    let connected = connect(
        sm,
        message,
        Client {
            port: Handle::NULL,
            process: process.get(),
            process_id,
            terminal,
            server: server.as_ref().map(ServerRef::key),
        },
    );
    let (key, port) = match connected {
        Ok(connected) => connected,
        Err(status) => {
            if let Some(server) = &server {
                sm.tables.lock().servers.refused(server.key());
            }
            return Err(status);
        }
    };
    // From here on the table owns the process handle.
    let _ = process.into_raw();
    {
        let mut tables = sm.tables.lock();
        tables.clients.connected(key, port);
        if let Some(server) = &server {
            // If the server was given up in the meantime, its end is already decided.
            tables.servers.registered(server.key(), announced.subsystem);
        }
    }
    let mut complete = || system.complete_connect(port);
    if let Err(status) = persist(system, &mut complete, client_is_gone) {
        // The client is gone, or never learns that it is connected: it cannot be refused any
        // more.
        gone(sm, key);
        unanswered(sm, client, status);
    } else if let Some(server) = &server {
        call_back(sm, server, announced);
    }
    Ok(())
}

/// Gives a client its place in the table and its communication port.
fn connect<S: System>(
    sm: &Manager<S>,
    message: &MessageBuffer,
    client: Client,
) -> Result<(Key, Handle)> {
    let key = sm
        .tables
        .lock()
        .clients
        .admit(client)
        .ok_or(Status::INSUFF_SERVER_RESOURCES)?;
    let accept = Accept::Yes {
        context: key.to_context(),
    };
    match sm.system.accept_connect(message, accept) {
        Ok(port) => Ok((key, port)),
        Err(status) => {
            sm.tables.lock().clients.remove(key);
            Err(status)
        }
    }
}

/// A client waits for an answer that cannot be given. What smss has started, a server or a child
/// instance, would keep its starter waiting for ever, so it is ended.
#[inline(never)]
fn unanswered<S: System>(sm: &'static Manager<S>, client: ClientId, status: Status) {
    nt::error!(
        "SM connection of process {}: {status}: not answered",
        client.process
    );
    let Some(process_id) = ProcessId::of(client) else {
        return;
    };
    match servers::of_process(sm, process_id) {
        Some(server) => terminate(sm.system, server.view().process, Some(process_id), status),
        None => resident::end_child(sm, process_id, status),
    }
}

/// The record of `process` if this connection registers it: it is a server that smss started, and it
/// announces a type.
fn registering<'m, S: System>(
    sm: &'m Manager<S>,
    process: ProcessId,
    announced: &ConnectionInfo,
) -> Result<Option<ServerRef<'m, S>>> {
    if announced.subsystem == ImageSubsystem::UNKNOWN {
        return Ok(None);
    }
    let Some(server) = servers::of_process(sm, process) else {
        return Ok(None);
    };
    // From here on a second attempt of the same server is refused, also while this one is under way.
    sm.tables.lock().servers.register(server.key())?;
    Ok(Some(server))
}

/// Connects to the server's call-back port, then lets its starter go on (spec 10.2 step 7).
fn call_back<S: System>(
    sm: &'static Manager<S>,
    server: &ServerRef<'_, S>,
    announced: &ConnectionInfo,
) {
    let record = server.view();
    match leave_a_receiver(sm).and_then(|()| sm.system.connect_port(announced.name(), &mut [])) {
        Ok(port) => {
            // Of a server that was given up in the meantime it is closed with the record.
            sm.tables.lock().servers.called_back(server.key(), port);
            nt::info!(
                "session {}: process {} serves image type {}",
                record.terminal,
                record.process_id.map_or(0, ProcessId::number),
                announced.subsystem.0
            );
        }
        Err(status) => nt::error!(
            "call-back port {}: {status}: the server cannot be given processes",
            announced.name()
        ),
    }
    servers::release_starter(sm, &record);
}

/// Forgets a client that is gone, closes what was held for it, and takes it out of service if it
/// was a subsystem server. Blocks if a session ends with it.
pub(super) fn gone<S: System>(sm: &'static Manager<S>, key: Key) {
    let Some(client) = sm.tables.lock().clients.remove(key) else {
        return;
    };
    close(sm.system, client.port);
    close(sm.system, client.process);
    if let Some(server) = client.server {
        // Every wait that follows has a bound, so the end of a session need not depend on a thread.
        try_to_leave_a_receiver(sm);
        sessions::server_gone(sm, server);
    }
}
