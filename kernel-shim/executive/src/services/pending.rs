// SPDX-License-Identifier: GPL-2.0-or-later
//! System calls that wait: what is left to do when their thread runs again.

use super::call::{Call, Done};
use super::layout::{PortView, Word};
use super::ports::{self, ConnectResults};
use super::user::UserPtr;
use crate::layout::PortMessage;
use crate::lpc::Event;
use nt::{Handle, Result, Status};

/// What a waiting call will still do.
#[derive(Clone, Copy, Debug)]
pub enum Pending {
    /// Return the status of the wait and nothing else.
    Status,
    /// NtConnectPort.
    Connect {
        /// Where its results go.
        results: ConnectResults,
        /// Room for the server's information, bytes.
        capacity: u32,
        /// The client's view as it was given.
        view: Option<PortView>,
    },
    /// NtListenPort.
    Listen {
        /// The port.
        port: Handle,
        /// Where the message goes.
        message: UserPtr<PortMessage>,
    },
    /// NtReplyWaitReceivePort.
    Receive {
        /// Where the context goes.
        context: UserPtr<Word>,
        /// Where the message goes.
        message: UserPtr<PortMessage>,
    },
    /// NtRequestWaitReplyPort, NtReplyWaitReplyPort.
    Reply {
        /// Where the reply goes.
        message: UserPtr<PortMessage>,
    },
    /// NtRaiseHardError that asks a port.
    HardError {
        /// Where the response goes.
        response: UserPtr<u32>,
    },
}

/// Finishes a call whose wait has ended with `status`, and with `event` if it waited for a port.
pub fn finish(
    call: &mut Call<'_>,
    pending: Pending,
    status: Status,
    event: Option<Event>,
) -> Result<Done> {
    let Some(event) = event else {
        // Its time was up, or it was alerted.
        return Ok(Done::Returns(status));
    };
    match pending {
        Pending::Status => Ok(Done::Returns(status)),
        Pending::Connect {
            results,
            capacity,
            view,
        } => ports::finish_connect(call, event, results, capacity, view),
        Pending::Listen { port, message } => ports::finish_listen(call, event, port, message),
        Pending::Receive { context, message } => {
            ports::finish_receive(call, event, context, message)
        }
        Pending::Reply { message } => ports::finish_reply(call, event, message),
        Pending::HardError { response } => super::system::finish_hard_error(call, event, response),
    }
}
