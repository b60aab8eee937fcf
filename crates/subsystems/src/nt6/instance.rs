// SPDX-License-Identifier: GPL-2.0-or-later
//! NT 6, the child's side: an instance of smss that makes one session and ends (spec 11.5).

use crate::initial::{self, Command};
use crate::plan::{Plan, each_required};
use crate::policy::Policy;
use crate::process::{create, patience, wait_until_registered};
use launch::Child;
use nt::privilege::Privileged;
use nt::system::{Privilege, System, UserProcessInformation};
use nt::{Handle, Owned, Result, Status, UnicodeStr};
use sm_protocol::sm::{ChildProcess, ChildSession, ConnectionInfo, ExecPgm};
use sm_protocol::{client, counted};
use zerocopy::FromZeros;

/// What the master asks an instance for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The session it is to make; FFFFFFFF for any.
    pub session: u32,
    /// The instance's number, for the log.
    pub number: u32,
}

impl Arguments {
    /// The arguments in a command line: `None` unless there are exactly two hexadecimal words after
    /// the program.
    pub fn parse(command_line: UnicodeStr<'_>) -> Option<Self> {
        let (_, rest) = command_line.token()?;
        let (session, rest) = rest.token()?;
        let (number, rest) = rest.token()?;
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            session: hexadecimal(session)?,
            number: hexadecimal(number)?,
        })
    }
}

fn hexadecimal(text: UnicodeStr<'_>) -> Option<u32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    text.units().iter().try_fold(0, |value, &unit| {
        let digit = char::from_u32(u32::from(unit))?.to_digit(16)?;
        Some(value << 4 | digit)
    })
}

/// Makes the session, starts its servers and its initial command (spec 11.5). Blocks until the
/// session stands.
///
/// # Errors
/// Why it does not: the instance ends with this status, and the master undoes what it reported.
pub fn run<S: System>(
    system: S,
    policy: &Policy,
    plan: &dyn Plan<S>,
    arguments: Arguments,
) -> Result<()> {
    nt::info!(
        "child instance {:x}: session {:x} is wanted",
        arguments.number,
        arguments.session
    );
    let port = Owned::new(system, client::connect(system, &ConnectionInfo::PLAIN)?);
    let _privilege = Privileged::acquire(system, Privilege::LoadDriver)?;
    let session = system.create_session()?;
    let result = populate(system, policy, plan, session, port.get());
    // Nobody is to find this instance in the session's space while it ends.
    if let Err(status) = system.detach_session(session) {
        nt::warn!("session detach: session {session}: {status}: skipped");
    }
    result
}

fn populate<S: System>(
    system: S,
    policy: &Policy,
    plan: &dyn Plan<S>,
    session: u32,
    port: Handle,
) -> Result<()> {
    let mut report = ChildSession::new_zeroed();
    report.session = session;
    client::call(system, port, &mut report)?;
    let wanted = counted(&report.command, report.length)?;
    each_required(plan, session, &mut move |command| {
        start_server(system, plan, session, command, port)
    })?;
    let mut command = Command::new();
    initial::choose(system, policy, plan, session, wanted, &mut command)?;
    start_initial(system, plan, session, command.as_str(), port)
        .inspect_err(|status| nt::error!("session {session}: initial command {command}: {status}"))
}

fn start_initial<S: System>(
    system: S,
    plan: &dyn Plan<S>,
    session: u32,
    command: UnicodeStr<'_>,
    port: Handle,
) -> Result<()> {
    let mut told = UserProcessInformation::untold();
    let child = initial::create(plan, session, command, &mut told)?;
    let reported = report_process(system, port, session, ChildProcess::INITIAL, &child);
    child.or_kill(reported.map(drop))?;
    let mut request = ExecPgm::new_zeroed();
    request.process = *child.information();
    child.or_kill(client::call(system, port, &mut request))
}

fn start_server<S: System>(
    system: S,
    plan: &dyn Plan<S>,
    session: u32,
    command: UnicodeStr<'_>,
    port: Handle,
) -> Result<()> {
    let mut told = UserProcessInformation::untold();
    let child = create(plan, session, command, true, &mut told)?;
    let up =
        report_process(system, port, session, ChildProcess::SERVER, &child).and_then(|event| {
            let event = Owned::new(system, event);
            child.resume()?;
            let patience = patience(session);
            wait_until_registered(system, session, event.get(), child.process(), patience)?;
            // The event is signalled for a server that was given up, too: then its process is gone
            // or going.
            match system.query_exit(child.process())?.status {
                Status::PENDING => Ok(()),
                status if status.is_success() => Err(Status::UNSUCCESSFUL),
                status => Err(status),
            }
        });
    // That of session 0 may be critical by now, and its end would hide why the system stops.
    if session == 0 { up } else { child.or_kill(up) }
}

/// Tells the master of a process before it runs: the event that a server's registration signals.
fn report_process<S: System>(
    system: S,
    port: Handle,
    session: u32,
    role: u32,
    child: &Child<'_, S>,
) -> Result<Handle> {
    let mut report = ChildProcess::new_zeroed();
    report.session = session;
    report.role = role;
    report.process = child.process().0;
    report.client = child.client();
    client::call(system, port, &mut report)?;
    Ok(Handle(report.event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;

    #[test]
    fn two_hexadecimal_words_and_nothing_else_are_an_instance() {
        let parse = Arguments::parse;
        assert_eq!(
            parse(wide!("\\SystemRoot\\System32\\smss.exe 00000001 0000003c")),
            Some(Arguments {
                session: 1,
                number: 0x3C
            })
        );
        assert_eq!(
            parse(wide!("smss.exe FFFFFFFF 0")),
            Some(Arguments {
                session: u32::MAX,
                number: 0
            })
        );
        for line in [
            wide!(""),
            wide!("smss.exe"),
            wide!("smss.exe 1"),
            wide!("smss.exe 1 2 3"),
            wide!("smss.exe 1 g"),
            wide!("smss.exe 1 000000001"),
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
