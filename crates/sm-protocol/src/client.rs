// SPDX-License-Identifier: GPL-2.0-or-later
//! The client side of `\SmApiPort`: what a program does that talks to the Session Manager (spec
//! 10.2, 10.9).

use crate::message::{ApiHeader, Request, message, put, result_of};
use crate::sm::{ConnectionInfo, SM_PORT};
use nt::system::Ports;
use nt::{Handle, Result};
use zerocopy::IntoBytes;

/// Connects to `\SmApiPort`: the port handle, which belongs to the caller. Blocks until smss has
/// answered. `PORT_CONNECTION_REFUSED` if it refuses.
pub fn connect<S: Ports>(system: S, announced: &ConnectionInfo) -> Result<Handle> {
    let mut information = *announced;
    system.connect_port(SM_PORT, information.as_mut_bytes())
}

/// Sends `body` and waits for the answer, which takes its place.
///
/// # Errors
/// The status of the call itself, or else the result that smss answered with; `body` is the
/// answer's in both cases only if the call went through.
pub fn call<S: Ports, R: Request>(system: S, port: Handle, body: &mut R) -> Result<()> {
    exchange(system, port, R::NUMBER, body.as_mut_bytes())
}

/// One piece of code for requests of every type.
fn exchange<S: Ports>(system: S, port: Handle, number: u32, body: &mut [u8]) -> Result<()> {
    let mut message = message(number, body, None);
    system.request_wait_reply(port, &mut message)?;
    result_of(&message)?;
    put(
        body,
        message
            .data
            .get(size_of::<ApiHeader>()..)
            .unwrap_or_default(),
    );
    Ok(())
}
