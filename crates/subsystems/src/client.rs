// SPDX-License-Identifier: GPL-2.0-or-later
//! The client side of `\SmApiPort`: what a program does that talks to the Session Manager (spec 10.2, 10.9).

use crate::messages::{ConnectionInfo, Request, request, result_of};
use crate::port::SM_PORT;
use nt::system::Ports;
use nt::{Handle, Result, Status};
use zerocopy::IntoBytes;

/// Connects to `\SmApiPort`: the port handle, which belongs to the caller. Blocks until smss has answered.
/// `PORT_CONNECTION_REFUSED` if it refuses.
pub fn connect<S: Ports>(system: &S, announced: &ConnectionInfo) -> Result<Handle> {
    let mut information = *announced;
    system.connect_port(SM_PORT, information.as_mut_bytes())
}

/// Sends `body` and waits for the answer, which takes its place.
///
/// # Errors
/// The status of the call itself, or else the result that smss answered with; `body` is the answer's in both cases only if the call went
/// through.
pub fn call<S: Ports, R: Request>(system: &S, port: Handle, body: &mut R) -> Result<()> {
    let mut message = request(body);
    system.request_wait_reply(port, &mut message)?;
    result_of(&message)?;
    let answer = message.data.get(8..).ok_or(Status::INVALID_PARAMETER)?;
    *body = R::read_from_prefix(answer).map_err(|_| Status::INVALID_PARAMETER)?.0;
    Ok(())
}
