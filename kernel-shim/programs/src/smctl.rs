// SPDX-License-Identifier: GPL-2.0-or-later
//! smctl.exe: lists, starts and ends sessions, and runs programs, through `\SmApiPort`.
//!
//! * `list`: servers with session, image type, process id, and the session's initial command;
//! * `start [command]`: a new session, with this initial command or the default one;
//! * `stop SESSION`: ends a session;
//! * `exec SESSION PROGRAM [arguments]`: creates a program in a session and has its subsystem
//!   server start it; in a session other than its own it has that session's csrss create it,
//!   because a process is born in its creator's session (see [`inside`]);
//! * `later SESSION PROGRAM [arguments]`: the same on a connection that a thread made which has ended;
//! * `load NAME`: starts an `Optional` subsystem.
//!
//! What it has to say it shows on the boot screen, each line beginning with `smctl: `; its exit
//! status is that of the request.

use crate::arguments::{after, number, words};
use crate::{Statics, inside, processes, screen};
use core::sync::atomic::{AtomicUsize, Ordering};
use nt::system::{System, ThreadBody, Timeout};
use nt::{Handle, Owned, Result, Status, UnicodeStr};
use sm_protocol::client;
use sm_protocol::sm::{
    ConnectionInfo, ExecPgm, LoadDeferred, QUERY_ENTRIES, QuerySessions, StartCsr, StopCsr,
};
use zerocopy::FromZeros;

/// The program.
pub fn main<S: System>(system: S, statics: &'static Statics<S>) -> Status {
    match run(system, statics) {
        Ok(()) => Status::SUCCESS,
        Err(status) => {
            screen::show(system, format_args!("smctl: {status}"));
            status
        }
    }
}

/// What a thread needs that does nothing but connect.
pub struct Connector<S: System> {
    system: S,
    /// Its connection; 0 until it has one.
    port: AtomicUsize,
}

impl<S: System> Connector<S> {
    /// The state of a process that has not started.
    pub const fn new(system: S) -> Self {
        Self {
            system,
            port: AtomicUsize::new(0),
        }
    }

    /// A connection that a thread has made which has ended by now. Blocks.
    fn connect(&'static self) -> Result<Handle> {
        let thread = Owned::new(self.system, self.system.create_thread(self)?);
        self.system.wait_one(thread.get(), Timeout::Never)?;
        match self.port.load(Ordering::Relaxed) {
            0 => Err(Status::PORT_CONNECTION_REFUSED),
            port => Ok(Handle(port as nt::Word)),
        }
    }
}

impl<S: System> ThreadBody for Connector<S> {
    fn run(&'static self) {
        match client::connect(self.system, &ConnectionInfo::PLAIN) {
            Ok(port) => self.port.store(port.0 as usize, Ordering::Relaxed),
            Err(status) => log::warn!("smctl: connection: {status}"),
        }
    }
}

fn run<S: System>(system: S, statics: &'static Statics<S>) -> Result<()> {
    let line = system.own_command_line();
    let mut arguments = words(line);
    let verb = arguments.next().ok_or(Status::INVALID_PARAMETER)?;
    let mut session = || {
        arguments
            .next()
            .and_then(|word| number(word, 10))
            .ok_or(Status::INVALID_PARAMETER)
    };
    let later = verb.eq_ascii("later");
    let port = match later {
        true => statics.connector.connect()?,
        false => client::connect(system, &ConnectionInfo::PLAIN)?,
    };
    let port = Owned::new(system, port);
    if verb.eq_ascii("list") {
        list(system, port.get())
    } else if verb.eq_ascii("start") {
        start(system, port.get(), after(line, 2))
    } else if verb.eq_ascii("stop") {
        let session = session()?;
        client::call(system, port.get(), &mut StopCsr { session })?;
        screen::show(system, format_args!("smctl: session {session} has ended"));
        Ok(())
    } else if later || verb.eq_ascii("exec") {
        exec(system, port.get(), session()?, after(line, 3))
    } else if verb.eq_ascii("load") {
        load(system, port.get(), after(line, 2))
    } else {
        Err(Status::INVALID_PARAMETER)
    }
}

fn list<S: System>(system: S, port: Handle) -> Result<()> {
    let mut first = 0;
    loop {
        let mut query = QuerySessions::new_zeroed();
        query.class = QuerySessions::CLASS;
        query.first = first;
        client::call(system, port, &mut query)?;
        let count = usize::try_from(query.count)
            .map_err(|_| Status::INVALID_PARAMETER)?
            .min(QUERY_ENTRIES);
        for entry in query.entries.iter().take(count) {
            screen::show(
                system,
                format_args!(
                    "smctl: session {} type {} server {} initial {}",
                    entry.session, entry.subsystem.0, entry.server, entry.initial
                ),
            );
        }
        if count < QUERY_ENTRIES {
            return Ok(());
        }
        first = first
            .checked_add(query.count)
            .ok_or(Status::INVALID_PARAMETER)?;
    }
}

fn start<S: System>(system: S, port: Handle, command: UnicodeStr<'_>) -> Result<()> {
    let mut request = StartCsr::new_zeroed();
    request
        .command
        .get_mut(..command.len())
        .ok_or(Status::INVALID_PARAMETER)?
        .copy_from_slice(command.units());
    request.length = u32::try_from(command.byte_len()).map_err(|_| Status::INVALID_PARAMETER)?;
    client::call(system, port, &mut request)?;
    screen::show(
        system,
        format_args!(
            "smctl: session {} started: server {} initial {}",
            request.session, request.server, request.initial
        ),
    );
    Ok(())
}

fn exec<S: System>(system: S, port: Handle, session: u32, command: UnicodeStr<'_>) -> Result<()> {
    let own = system.query_session(Handle::CURRENT_PROCESS)?;
    let created = if session == own {
        processes::create(system, command)?
    } else {
        inside::create(system, session, command)?
    };
    let (process, thread) = (
        Owned::new(system, Handle(created.process)),
        Owned::new(system, Handle(created.thread)),
    );
    let mut request = ExecPgm::new_zeroed();
    request.process = created;
    let given = client::call(system, port, &mut request);
    drop(thread);
    match given {
        Ok(()) => {
            screen::show(
                system,
                format_args!(
                    "smctl: process {} runs in session {session}",
                    created.client.process
                ),
            );
            Ok(())
        }
        Err(status) => {
            if let Err(refused) = system.terminate_process(process.get(), status) {
                log::warn!("smctl: {refused}: process {} stays", created.client.process);
            }
            Err(status)
        }
    }
}

fn load<S: System>(system: S, port: Handle, name: UnicodeStr<'_>) -> Result<()> {
    let mut request = LoadDeferred::new_zeroed();
    request
        .name
        .get_mut(..name.len())
        .ok_or(Status::INVALID_PARAMETER)?
        .copy_from_slice(name.units());
    request.length = u32::try_from(name.byte_len()).map_err(|_| Status::INVALID_PARAMETER)?;
    client::call(system, port, &mut request)?;
    screen::show(system, format_args!("smctl: subsystem {name} is there"));
    Ok(())
}
