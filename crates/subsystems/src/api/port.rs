// SPDX-License-Identifier: GPL-2.0-or-later
//! `\SmApiPort` and the threads that serve it (spec 1.5, 10.6).
//!
//! What a thread received is handled to its end, and the reply goes out with the next receive.

use super::pool::add_thread;
use super::{connections, requests};
use crate::end;
use crate::kernel::client_is_gone;
use crate::manager::Manager;
use crate::state::slots::Key;
use crate::state::threads::INITIAL_THREADS;
use nt::failure::{Attempt, Essential, Stop};
use nt::object::Attributes;
use nt::security::{Ace, Descriptor, Sid};
use nt::system::{MessageBuffer, MessageKind, System, ThreadBody};
use nt::{ObjectAttributes, Status};
use sm_protocol::ApiMessage;
use sm_protocol::sm::{SM_PORT, SM_PORT_LIMITS};

/// Receive errors in a row after which a thread pauses between attempts, and after which it gives
/// up, which is the end of the system.
const ERRORS_BEFORE_PAUSE: u32 = 8;
const ERRORS_BEFORE_END: u32 = 1024;

/// Administrators and SYSTEM, nobody else (spec 2.2).
const DESCRIPTOR: &[u8] = nt::descriptor!(Descriptor::with_dacl(&[
    Ace::allow(0x1000_0000, Sid::ADMINISTRATORS),
    Ace::allow(0x1000_0000, Sid::LOCAL_SYSTEM),
]));

impl<S: System> Manager<S> {
    /// Creates the port and starts its first threads (spec 1.5 #5, #6).
    ///
    /// # Errors
    /// [`Stop`] if either fails: without them no subsystem can register.
    pub fn open_port(&'static self) -> Result<(), Stop> {
        let attributes = ObjectAttributes::named(SM_PORT)
            .with(Attributes::empty())
            .secured(DESCRIPTOR);
        let port = self
            .system
            .create_port(&attributes, SM_PORT_LIMITS)
            .or_stop(Essential::ApiPort, SM_PORT)?;
        self.tables.lock().port = port;
        for _ in 0..INITIAL_THREADS {
            add_thread(self).or_stop(Essential::ApiThread, SM_PORT)?;
        }
        Ok(())
    }

    /// Deals with one message that came from the client `context` names: whether it has become a
    /// reply, to be sent. Blocks while a request does.
    #[inline(never)]
    pub fn handle(&'static self, message: &mut MessageBuffer, context: nt::Word) -> bool {
        // The kernel may set flags above the type.
        match MessageKind(message.header.kind & 0xFF) {
            MessageKind::CONNECTION_REQUEST => connections::connection_request(self, message),
            MessageKind::PORT_CLOSED | MessageKind::CLIENT_DIED => {
                if let Some(key) = Key::from_context(context) {
                    connections::gone(self, key);
                }
            }
            MessageKind::REQUEST => {
                // `None`: its connection was forgotten while the request was on its way.
                let client = Key::from_context(context)
                    .and_then(|key| self.tables.lock().clients.get(key))
                    .ok_or(Status::PORT_DISCONNECTED);
                let result = client.and_then(|client| requests::serve(self, &client, message));
                if let Err(status) = result {
                    nt::debug!(
                        "SM request from process {}: {status}",
                        message.header.client.process
                    );
                }
                message.set_result(result.into());
                return true;
            }
            // Nobody waits for an answer to a datagram, and the kernel sends nothing else here.
            MessageKind(_) => {}
        }
        false
    }
}

impl<S: System> ThreadBody for Manager<S> {
    fn run(&'static self) {
        serve(self);
    }
}

/// One API thread's life.
fn serve<S: System>(sm: &'static Manager<S>) {
    const FLG_ENABLE_SYSTEM_CRIT_BREAKS: u32 = 0x0010_0000;
    if sm.system.own_global_flag() & FLG_ENABLE_SYSTEM_CRIT_BREAKS != 0
        && let Err(status) = sm.system.set_thread_critical(true)
    {
        nt::warn!("SM API thread: critical flag: {status}");
    }
    let port = sm.tables.lock().port;
    let mut buffers = (MessageBuffer::default(), MessageBuffer::default());
    let (mut message, mut reply) = (&mut buffers.0, &mut buffers.1);
    let mut owed = false;
    let mut errors = 0;
    let last = loop {
        match sm
            .system
            .reply_wait_receive(port, owed.then_some(&*reply), message)
        {
            Ok(received) => {
                errors = 0;
                sm.tables.lock().threads.received();
                owed = sm.handle(message, received.context);
                if owed {
                    core::mem::swap(&mut message, &mut reply);
                }
                sm.tables.lock().threads.waits();
            }
            Err(status) => {
                // Nothing was received (D5). A reply is still owed, and the same one is sent
                // again (spec 10.6), unless its client has gone before its answer or nothing helps.
                if client_is_gone(status) && core::mem::take(&mut owed) {
                    errors = 0;
                    continue;
                }
                errors += 1;
                if status != Status::NO_MEMORY {
                    nt::warn!("{SM_PORT}: receive: {status}");
                }
                if status == Status::NO_MEMORY || errors > ERRORS_BEFORE_PAUSE {
                    pause(sm.system);
                }
                if errors == ERRORS_BEFORE_END {
                    break status;
                }
            }
        }
    };
    // Every client that waits for an answer, smss itself included, would wait for ever.
    nt::error!("{SM_PORT}: nothing can be received");
    end::stop_and_end(sm.system, last);
}

fn pause<S: System>(system: S) {
    if let Err(status) = system.delay(5_000) {
        nt::warn!("SM API thread: delay: {status}");
    }
}
