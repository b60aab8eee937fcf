// SPDX-License-Identifier: GPL-2.0-or-later
//! Starting one subsystem server and waiting until it has registered (spec 9.4), and the deferred
//! ones (spec 9.6).
//!
//! Servers of one session come up strictly one after another. A server is given up when its process
//! ends before it registered, or when it does not register within a minute; only a required one of
//! session 0, without which there is no system, is waited for without limit. The first error is
//! what counts (D7).
//!
//! Only the required servers of a session that is being made are waited for inside the gate; an
//! optional one holds nobody up but those who want one for the same session.

use crate::callback;
use crate::identity;
use crate::kernel::{terminate, wait_for};
use crate::manager::Manager;
use crate::plan::{Plan, each_required};
use crate::policy::SERVER_TIMEOUT;
use crate::process;
use crate::servers::{self, ServerRef, Turn};
use crate::session_space;
use crate::state::ids::{ProcessId, TerminalId};
use crate::state::servers::Server;
use launch::{Child, Program};
use nt::system::{ImageSubsystem, System, Timeout, UserProcessInformation};
use nt::{ClientId, Handle, Result, Status, UnicodeStr};
use sm_protocol::ApiMessage;
use sm_protocol::sb::{self, SbApi, SbCreateProcess, SbCreatedProcess, StringAddress};

/// Starts the required servers of `terminal`, in order (spec 9.2 #4). The caller is inside the
/// gate. Blocks until they have registered.
pub(crate) fn required<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
) -> Result<()> {
    each_required(plan, terminal.0, &mut move |command| {
        server(sm, plan, terminal, command)
    })
}

/// LoadDeferredSubsystem (spec 9.6). Blocks until the server has registered.
#[inline(never)]
pub(crate) fn deferred<S: System>(
    sm: &'static Manager<S>,
    terminal: TerminalId,
    name: UnicodeStr<'_>,
) -> Result<()> {
    let plan = sm.plan()?;
    if !servers::any_in(sm, terminal) {
        return Err(Status::OBJECT_NAME_NOT_FOUND);
    }
    let entry = (0..)
        .map_while(|index| plan.optional(index))
        .find(|entry| entry.name.eq_ignore_case(name));
    let command = entry.ok_or(Status::OBJECT_NAME_NOT_FOUND)?.command;
    let (mut terminal, mut serves) = (terminal, ImageSubsystem::UNKNOWN);
    if name.eq_ascii("POSIX") {
        serves = ImageSubsystem::POSIX_CUI;
        if plan.posix_single_instance() {
            terminal = TerminalId::CONSOLE;
        }
    } else if name.eq_ascii("OS2") {
        serves = ImageSubsystem::OS2_CUI;
    }
    let server = loop {
        let inside = session_space::pass_gate(sm)?;
        let turn = servers::take_turn(sm, terminal, serves)?;
        drop(inside);
        match turn {
            Turn::Now(server) => break server,
            Turn::After(other) => wait_for_start(sm, &other)?,
            Turn::NotNeeded => return Ok(()),
        }
    };
    let mut told = UserProcessInformation::untold();
    let by_server = if serves == ImageSubsystem::UNKNOWN {
        Err(Status::NOT_IMPLEMENTED)
    } else {
        create_by_server(sm, plan, terminal, command, &mut told)
    };
    let suspended = match by_server {
        Err(Status::NOT_IMPLEMENTED) => {
            // ReactOS' csrss does not know the call (D34); smss creates the process itself then,
            // which is what a user wants.
            nt::info!("session {terminal}: smss itself creates {command}");
            session_space::pass_gate(sm)
                .and_then(|_inside| process::create(plan, terminal.0, command, true, &mut told))
        }
        made => made.map(|()| Child::adopted(sm.system, &told)),
    };
    complete(
        sm,
        &server,
        suspended,
        Timeout::Milliseconds(SERVER_TIMEOUT),
    )
}

/// Starts the required server that `command` names, in `terminal` (spec 9.4). The caller is inside
/// the gate. Blocks until it has registered.
fn server<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
) -> Result<()> {
    let server = loop {
        match servers::take_turn(sm, terminal, ImageSubsystem::UNKNOWN)? {
            Turn::Now(server) => break server,
            Turn::After(other) => wait_for_start(sm, &other)?,
            Turn::NotNeeded => return Ok(()),
        }
    };
    let mut told = UserProcessInformation::untold();
    let suspended = process::create(plan, terminal.0, command, true, &mut told);
    complete(sm, &server, suspended, process::patience(terminal.0))
}

/// Waits until another server of the session has started or failed to: the thread that starts it
/// signals its event in either case. `IO_TIMEOUT` if that takes too long.
fn wait_for_start<S: System>(sm: &Manager<S>, other: &ServerRef<'_, S>) -> Result<()> {
    let patience = Timeout::Milliseconds(2 * SERVER_TIMEOUT);
    wait_for(sm.system, other.view().event, patience)
}

/// Brings the server up that was created, or gives its record up.
fn complete<S: System>(
    sm: &'static Manager<S>,
    server: &ServerRef<'_, S>,
    suspended: Result<Child<'_, S>>,
    patience: Timeout,
) -> Result<()> {
    let result = suspended.and_then(|suspended| bring_up(sm, server, suspended, patience));
    if result.is_err() {
        servers::retire(sm, server.key());
    }
    result
}

/// Resumes the server and waits until it has registered. It is ended if that fails.
fn bring_up<S: System>(
    sm: &'static Manager<S>,
    server: &ServerRef<'_, S>,
    suspended: Child<'_, S>,
    patience: Timeout,
) -> Result<()> {
    let created = suspended.information();
    let process_id = ProcessId::of(created.client);
    let (process, thread) = suspended.into_handles();
    // Open for as long as the record is referred to.
    let process = process.into_raw();
    let noted = sm
        .tables
        .lock()
        .servers
        .created(server.key(), process, process_id);
    let up = noted.and_then(|()| {
        let Server {
            terminal, event, ..
        } = server.view();
        let subsystem = created.image.subsystem;
        if subsystem != ImageSubsystem::NATIVE {
            // A server that is itself an application: its own subsystem takes it over first (spec
            // 9.4 #7b).
            let owner = servers::serving(sm, terminal, subsystem).ok_or(Status::NO_SUCH_PACKAGE)?;
            let foreign = Some(server.key());
            callback::create_session(sm, &owner, created, foreign, ClientId::default())?;
        }
        sm.system.resume_thread(thread.get())?;
        process::wait_until_registered(sm.system, terminal.0, event, process, patience)?;
        let now = server.view();
        if now.retired || !now.has_registered() {
            Err(Status::DELETE_PENDING)
        } else {
            Ok(())
        }
    });
    if let Err(status) = up {
        terminate(sm.system, process, process_id, status);
    }
    up
}

/// Lets the session's Windows server create the process of an optional one (spec 9.4 #5b), whose
/// handles are smss's then, and puts what is known of it where `told` is.
#[inline(never)]
fn create_by_server<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
    told: &mut UserProcessInformation,
) -> Result<()> {
    let launcher = plan.launcher();
    let mut image = Program::default();
    launcher.find_command(command, &mut image)?;
    let server = servers::windows(sm, terminal).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
    let record = server.view();
    let (image_name, directory) = (
        address_of(image.path.as_str()),
        address_of(image.directory.as_str()),
    );
    let (command_line, dll_path) = (address_of(command), address_of(launcher.library_path));
    let body = SbCreateProcess {
        image: address(&image_name),
        directory: address(&directory),
        command_line: address(&command_line),
        dll_path: address(&dll_path),
        flags: SbCreateProcess::SUSPENDED | SbCreateProcess::RESERVE_1MB,
        debug: u32::from(launcher.debug),
    };
    let mut message = sb::callback(SbApi::CREATE_PROCESS, &body);
    callback::call(sm, &record, &mut message)?;
    let created: &mut SbCreatedProcess = message.body_mut()?;
    told.process = created.process;
    told.thread = created.thread;
    told.image.subsystem = created.subsystem;
    given(sm, &record, told).inspect_err(|status| {
        nt::error!("session {terminal}: the process that its server made: {status}: not taken");
    })
}

/// Puts into `told` who the process is that `server` says it has made and given to smss. `INVALID_PARAMETER`
/// unless it is a child of the server's in the server's session that smss has not seen before: only then
/// are the handles the server's gift, and not others of smss's own.
fn given<S: System>(
    sm: &Manager<S>,
    server: &Server,
    told: &mut UserProcessInformation,
) -> Result<()> {
    let parent = identity::name(sm.system, told)?;
    let process_id = ProcessId::of(told.client).ok_or(Status::INVALID_PARAMETER)?;
    let its_own = server.process_id.map(ProcessId::number) == Some(parent)
        && sm.system.query_session(Handle(told.process))? == server.terminal.0;
    if !its_own || sm.tables.lock().knows(process_id) {
        return Err(Status::INVALID_PARAMETER);
    }
    Ok(())
}

/// A string as the protocol passes it: by its address in smss's memory. One too long for a
/// UNICODE_STRING is passed as empty.
#[inline(never)]
fn address_of(text: UnicodeStr<'_>) -> StringAddress {
    let length = u16::try_from(text.byte_len()).unwrap_or(0);
    StringAddress {
        length,
        maximum_length: length,
        padding: Default::default(),
        buffer: text.units().as_ptr().addr() as nt::Word,
    }
}

fn address(string: &StringAddress) -> nt::Word {
    core::ptr::from_ref(string).addr() as nt::Word
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn spec_10_7_a_string_is_passed_by_its_address_and_one_too_long_as_empty() {
        for (units, bytes) in [(0, 0), (9, 18), (0x7FFF, 0xFFFE), (0x8000, 0)] {
            let text = vec![u16::from(b'a'); units];
            let string = address_of(UnicodeStr(&text));
            assert_eq!((string.length, string.maximum_length), (bytes, bytes));
            assert_eq!(string.buffer, text.as_ptr().addr() as nt::Word);
        }
    }
}
