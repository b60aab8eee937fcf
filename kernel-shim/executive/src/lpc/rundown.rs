// SPDX-License-Identifier: GPL-2.0-or-later
//! What happens when a port or a thread goes away (spec 10.6).
//!
//! * The last handle to a connection port: its name is dead, connecting clients get
//!   `OBJECT_NAME_NOT_FOUND`.
//! * A client port: the server is told with PORT_CLOSED, whose data is the process's creation time.
//! * A communication port: the client's end is disconnected; who waits there for a reply gets
//!   `LPC_REPLY_LOST`.
//! * A thread: it waits no more; the ports it registered get CLIENT_DIED, whose data is the
//!   thread's creation time.

use super::{Connected, Connecting, Event, Lpc, PortId, PortKind, Waiting};
use crate::layout::ClientId;
use alloc::vec::Vec;
use nt::Status;
use nt::system::MessageKind;

impl Lpc {
    /// The port object is gone: its last handle and its last reference. `closer` is the thread that
    /// let go of it, `create_time` that of its process in units of 100 ns.
    pub fn delete(&mut self, port: PortId, closer: ClientId, create_time: u64) {
        let Some(kind) = self.kind(port) else { return };
        if kind == PortKind::Client {
            // A port that never was connected, or whose server is gone, has nobody to tell.
            let _ = self.notify(
                closer,
                port,
                MessageKind::PORT_CLOSED,
                &create_time.to_le_bytes(),
            );
        }
        self.disconnect(port);
        for state in self.threads.values_mut() {
            state.termination.retain(|&registered| registered != port);
        }
        self.ports.remove(&port);
        for other in self.ports.values_mut() {
            if other.connection == Some(port) {
                other.connection = None;
            }
        }
    }

    /// The last handle to a connection port is closed, though somebody may still hold a reference.
    pub fn last_handle_closed(&mut self, port: PortId) {
        if self.kind(port) == Some(PortKind::Connection) {
            self.disconnect(port);
        }
    }

    /// NtRegisterThreadTerminatePort: `port` will get CLIENT_DIED when `thread` ends.
    pub fn register_termination(&mut self, thread: u64, port: PortId) {
        self.thread(thread).termination.insert(0, port);
    }

    /// A thread has ended. `create_time` is the thread's, in units of 100 ns, `process_create_time`
    /// its process's. A reply to what it has sent is an `INVALID_CID` from now on. The ports
    /// that were told, for their references to be dropped.
    pub fn thread_exit(
        &mut self,
        client: ClientId,
        create_time: u64,
        process_create_time: u64,
    ) -> Vec<PortId> {
        self.unchain(client.thread);
        let Some(state) = self.threads.remove(&{ client.thread }) else {
            return Vec::new();
        };
        match &state.waiting {
            Some(Waiting::Message { queue }) => {
                if let Some(port) = self.ports.get_mut(queue) {
                    port.receivers.retain(|&waiting| waiting != client.thread);
                }
            }
            Some(Waiting::Accepted(Connected { port, .. })) => {
                let server = self.peer(*port).and_then(|peer| self.ports.get_mut(&peer));
                if let Some(server) = server {
                    server.client_thread = None;
                }
            }
            _ => {}
        }
        if let Some(
            Waiting::Connecting(Connecting {
                client_port: end, ..
            })
            | Waiting::Accepted(Connected { port: end, .. }),
        ) = state.waiting
        {
            self.delete(end, client, process_create_time);
        }
        for &port in &state.termination {
            // A port whose server is gone has nobody to tell.
            let _ = self.notify(
                client,
                port,
                MessageKind::CLIENT_DIED,
                &create_time.to_le_bytes(),
            );
        }
        // The notifications are no request of a thread that no longer is.
        self.threads.remove(&{ client.thread });
        state.termination
    }

    /// Takes the port out of its connection and ends every wait that depends on it.
    fn disconnect(&mut self, port: PortId) {
        let Some(end) = self.ports.get_mut(&port) else {
            return;
        };
        let peer = if end.kind == PortKind::Unconnected {
            None
        } else {
            end.connected.take()
        };
        if end.kind == PortKind::Connection {
            end.name_deleted = true;
        }
        end.queue.clear();
        let waiting = core::mem::take(&mut end.reply_chain);
        let receivers = core::mem::take(&mut end.receivers);
        if let Some(peer) = peer.and_then(|peer| self.ports.get_mut(&peer)) {
            peer.connected = None;
            peer.connection = None;
        }
        for thread in waiting.into_values() {
            let status = match self
                .threads
                .get(&thread)
                .and_then(|state| state.waiting.clone())
            {
                Some(
                    Waiting::Connecting(Connecting {
                        client_port: client,
                        ..
                    })
                    | Waiting::Accepted(Connected { port: client, .. }),
                ) => {
                    self.ports.remove(&client);
                    Status::OBJECT_NAME_NOT_FOUND
                }
                Some(Waiting::Reply { .. }) => Status::LPC_REPLY_LOST,
                Some(Waiting::Message { .. }) | None => continue,
            };
            self.thread(thread).reply_id = 0;
            self.wake(thread, Event::Failed(status, Vec::new()));
        }
        for thread in receivers {
            self.wake(thread, Event::Failed(Status::PORT_DISCONNECTED, Vec::new()));
        }
    }
}
