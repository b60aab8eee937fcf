// SPDX-License-Identifier: GPL-2.0-or-later
//! `\SmApiPort` and the threads that serve it (spec 1.5, 10.6).
//!
//! Two threads at the start. A request that may block (starting a server, calling one) is only
//! begun while another thread stays free to receive, because what it waits for arrives as a
//! message: a thread is added first, and if none can be, the request is answered with
//! INSUFF_SERVER_RESOURCES. So the port is always listened to, however many requests block.

use crate::end;
use crate::manager::Manager;
use nt::failure::{Step, Stop, judge};
use nt::object::Attributes;
use nt::security::{Ace, Descriptor, Sid};
use nt::system::{MessageBuffer, MessageKind, System, ThreadBody};
use nt::{ObjectAttributes, Result, Status};
use sm_protocol::ApiMessage;
use sm_protocol::sm::{SM_PORT, SM_PORT_LIMITS};
use zerocopy::IntoBytes;

/// Threads at the start.
pub const INITIAL_THREADS: u32 = 2;
/// Threads at most.
pub const MAXIMUM_THREADS: u32 = 64;
/// Receive errors in a row after which a thread pauses between attempts, and after which it gives
/// up, which is the end of the system.
const ERRORS_BEFORE_PAUSE: u32 = 8;
const ERRORS_BEFORE_END: u32 = 1024;

/// Administrators and SYSTEM, nobody else (spec 2.2).
const DESCRIPTOR: Descriptor = Descriptor::with_dacl(&[
    Ace::allow(0x1000_0000, Sid::ADMINISTRATORS),
    Ace::allow(0x1000_0000, Sid::LOCAL_SYSTEM),
]);

impl<S: System> Manager<S> {
    /// Creates the port and starts its first threads (spec 1.5 #5, #6).
    ///
    /// # Errors
    /// [`Stop`] if either fails: without them no subsystem can register.
    pub fn open_port(&'static self) -> Result<(), Stop> {
        let attributes = ObjectAttributes::named(SM_PORT)
            .with(Attributes::empty())
            .secured(DESCRIPTOR.as_bytes());
        match self.system.create_port(&attributes, SM_PORT_LIMITS) {
            Ok(port) => self.tables.lock().port = port,
            Err(status) => return judge(Step::ApiPort, SM_PORT, status),
        }
        for _ in 0..INITIAL_THREADS {
            if let Err(status) = self.add_thread() {
                judge(Step::ApiThread, SM_PORT, status)?;
            }
        }
        Ok(())
    }

    /// Starts one more API thread.
    fn add_thread(&'static self) -> Result<()> {
        {
            let mut tables = self.tables.lock();
            if tables.threads >= MAXIMUM_THREADS {
                return Err(Status::INSUFF_SERVER_RESOURCES);
            }
            // Counted as idle from now on: it goes nowhere but to the port.
            tables.threads += 1;
            tables.idle += 1;
        }
        match self.system.create_thread(self) {
            Ok(thread) => {
                self.close(thread);
                Ok(())
            }
            Err(status) => {
                let mut tables = self.tables.lock();
                tables.threads -= 1;
                tables.idle -= 1;
                Err(status)
            }
        }
    }

    /// Makes sure that another thread receives while this one blocks.
    pub(crate) fn leave_a_receiver(&'static self) -> Result<()> {
        if self.tables.lock().idle > 0 {
            Ok(())
        } else {
            self.add_thread()
        }
    }

    /// One API thread's life.
    fn serve(&'static self) {
        const FLG_ENABLE_SYSTEM_CRIT_BREAKS: u32 = 0x0010_0000;
        if self.system.own_global_flag() & FLG_ENABLE_SYSTEM_CRIT_BREAKS != 0
            && let Err(status) = self.system.set_thread_critical(true)
        {
            nt::warn!("SM API thread: critical flag: {status}");
        }
        let port = self.tables.lock().port;
        let mut message = MessageBuffer::default();
        let mut reply = MessageBuffer::default();
        let mut owed = false;
        let mut errors = 0;
        let mut last = Status::SUCCESS;
        while errors < ERRORS_BEFORE_END {
            match self
                .system
                .reply_wait_receive(port, owed.then_some(&reply), &mut message)
            {
                Ok(received) => {
                    errors = 0;
                    self.tables.lock().idle -= 1;
                    owed = self.handle(&mut message, received.context);
                    if owed {
                        reply.as_mut_bytes().copy_from_slice(message.as_bytes());
                    }
                    self.tables.lock().idle += 1;
                }
                Err(status) => {
                    // Nothing was received (D5). A reply is still owed, and the same one is sent
                    // again (spec 10.6), unless its client has gone before its
                    // answer or nothing helps.
                    let gone = matches!(
                        status,
                        Status::INVALID_CID
                            | Status::REPLY_MESSAGE_MISMATCH
                            | Status::PORT_DISCONNECTED
                    );
                    if gone && core::mem::take(&mut owed) {
                        errors = 0;
                        continue;
                    }
                    errors += 1;
                    last = status;
                    if status != Status::NO_MEMORY {
                        nt::warn!("{SM_PORT}: receive: {status}");
                    }
                    if status == Status::NO_MEMORY || errors > ERRORS_BEFORE_PAUSE {
                        self.pause();
                    }
                }
            }
        }
        // Whoever waits for an answer, smss itself among them, would wait for ever.
        nt::error!("{SM_PORT}: nothing can be received");
        end::stop_and_end(self.system, last);
    }

    fn pause(&self) {
        if let Err(status) = self.system.delay(5_000) {
            nt::warn!("SM API thread: delay: {status}");
        }
    }

    /// Deals with one message that came from the client `context` names: whether it has become a
    /// reply, to be sent. Blocks while a request does.
    #[inline(never)]
    pub fn handle(&'static self, message: &mut MessageBuffer, context: u64) -> bool {
        // The kernel may set flags above the type.
        match MessageKind(message.header.kind & 0xFF) {
            MessageKind::CONNECTION_REQUEST => self.connection_request(message),
            MessageKind::PORT_CLOSED | MessageKind::CLIENT_DIED => self.client_gone(context),
            MessageKind::REQUEST => {
                // `None`: its connection was forgotten while the request was on its way.
                let client = self.client(context).ok_or(Status::PORT_DISCONNECTED);
                let result = client.and_then(|client| self.request(&client, message));
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
        self.serve();
    }
}
