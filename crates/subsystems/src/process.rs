// SPDX-License-Identifier: GPL-2.0-or-later
//! Creating the process of a server or of an initial command, and waiting for a server: what the
//! resident smss and a child instance of NT 6 do alike.

use crate::plan::Plan;
use crate::policy::SERVER_TIMEOUT;
use launch::{Child, Program, Start};
use nt::system::{System, Timeout, UserProcessInformation, Wait};
use nt::{Handle, Result, Status, UnicodeStr};

/// The process of `command` in `session`, suspended; `subsystem` says that it is a server. What its
/// creation tells is put where `told` is.
#[inline(never)]
pub(crate) fn create<'t, S: System>(
    plan: &dyn Plan<S>,
    session: u32,
    command: UnicodeStr<'_>,
    subsystem: bool,
    told: &'t mut UserProcessInformation,
) -> Result<Child<'t, S>> {
    let launcher = plan.launcher();
    let mut image = Program::default();
    launcher.find_command(command, &mut image)?;
    let start = Start {
        image: &image,
        command_line: command,
        session,
        debug: false,
        subsystem,
    };
    launcher.create(&start, told)
}

/// How long a required server of `session` may take to register: one of session 0 as long as it
/// wants (spec 9.4 #9).
pub(crate) const fn patience(session: u32) -> Timeout {
    if session == 0 {
        Timeout::Never
    } else {
        Timeout::Milliseconds(SERVER_TIMEOUT)
    }
}

/// Waits on {event, process} (spec 9.4 #9): the event of a server's record and the server, in
/// `session`. Blocks as long as `patience` says.
#[inline(never)]
pub(crate) fn wait_until_registered<S: System>(
    system: S,
    session: u32,
    event: Handle,
    process: Handle,
    patience: Timeout,
) -> Result<()> {
    match system.wait_any(&[event, process], patience)? {
        Wait::Object(0) => Ok(()),
        Wait::Object(_) => {
            let status = system.query_exit(process)?.status;
            nt::error!("session {session}: a server ended before it registered: {status}");
            Err(if status.is_success() {
                Status::UNSUCCESSFUL
            } else {
                status
            })
        }
        Wait::Timeout => Err(Status::IO_TIMEOUT),
    }
}
