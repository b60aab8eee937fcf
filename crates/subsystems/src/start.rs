// SPDX-License-Identifier: GPL-2.0-or-later
//! Starting one subsystem server and waiting until it has registered (spec 9.4), and the deferred
//! ones (spec 9.6).
//!
//! Servers of one session come up strictly one after another. A server is given up when its process
//! ends before it registered, or, in a session other than 0, when it does not register within a
//! minute; the first error is what counts (D7).

use crate::callback;
use crate::kernel::terminate;
use crate::manager::Manager;
use crate::plan::{Plan, each_required};
use crate::process;
use crate::servers::{self, ServerRef};
use crate::session_space;
use crate::state::ids::{ProcessId, TerminalId};
use launch::Child;
use nt::system::{ImageSubsystem, System, Timeout, UserProcessInformation};
use nt::{ClientId, Result, Status, UnicodeStr};
use sm_protocol::ApiMessage;
use sm_protocol::sb::{self, SbApi, SbCreateProcess, SbCreatedProcess, StringAddress};
use zerocopy::FromZeros;

/// Starts the required servers of `terminal`, in order (spec 9.2 #4). The caller is inside the
/// gate. Blocks until they have registered.
pub(crate) fn required<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
) -> Result<()> {
    each_required(plan, terminal.0, &mut |command| {
        server(sm, plan, terminal, command, None)
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
    let (mut terminal, mut serves) = (terminal, None);
    if name.eq_ascii("POSIX") {
        serves = Some(ImageSubsystem::POSIX_CUI);
        if plan.posix_single_instance() {
            terminal = TerminalId::CONSOLE;
        }
    } else if name.eq_ascii("OS2") {
        serves = Some(ImageSubsystem::OS2_CUI);
    }
    let _inside = session_space::pass_gate(sm)?;
    server(sm, plan, terminal, command, serves)
}

/// Starts the server that `command` names, in `terminal` (spec 9.4). If `serves` names a type, it
/// registers for this one, and a session has one server of it. The caller is inside the gate.
/// Blocks until it has registered.
fn server<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
    serves: Option<ImageSubsystem>,
) -> Result<()> {
    // While another one of this session is starting (spec 9.4 #2): whoever starts it signals its
    // event in any case.
    while let Some(starting) = servers::find(sm, &|server| {
        server.terminal == terminal && server.subsystem.is_none()
    }) {
        sm.system.wait_one(starting.view().event, Timeout::Never)?;
    }
    if serves.is_some()
        && servers::find(sm, &|server| {
            server.terminal == terminal && server.subsystem == serves
        })
        .is_some()
    {
        return Ok(());
    }
    let server = servers::reserve(sm, terminal)?;
    let result = create(sm, plan, terminal, command, serves.is_some())
        .and_then(|suspended| bring_up(sm, &server, suspended));
    if result.is_err() {
        servers::retire(sm, server.key());
    }
    result
}

/// The server's process, suspended.
fn create<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
    by_server: bool,
) -> Result<Child<'static, S>> {
    if by_server {
        match create_by_server(sm, plan, terminal, command) {
            // ReactOS' csrss does not know the call (D34); smss creates the process itself then,
            // which is what a user wants.
            Err(Status::NOT_IMPLEMENTED) => nt::info!(
                "session {terminal}: csrss creates no processes for smss: {command} is created directly"
            ),
            result => return result,
        }
    }
    process::create(plan, terminal.0, command, true)
}

/// Resumes the server and waits until it has registered. It is ended if it comes to nothing.
#[inline(never)]
fn bring_up<S: System>(
    sm: &'static Manager<S>,
    server: &ServerRef<'_, S>,
    suspended: Child<'_, S>,
) -> Result<()> {
    let created = *suspended.information();
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
        let terminal = server.view().terminal;
        let subsystem = created.image.subsystem;
        if subsystem != ImageSubsystem::NATIVE {
            // A server that is itself an application: its own subsystem takes it over first (spec
            // 9.4 #7b).
            let owner = servers::serving(sm, terminal, subsystem).ok_or(Status::NO_SUCH_PACKAGE)?;
            let foreign = Some(server.key());
            callback::create_session(sm, &owner, &created, foreign, ClientId::default())?;
        }
        sm.system.resume_thread(thread.get())?;
        process::wait_until_registered(sm.system, terminal.0, server.view().event, process)?;
        let now = server.view();
        if now.retired || now.subsystem.is_none() {
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

/// Lets the session's Windows server create the process of an optional one (spec 9.4 #5b).
#[inline(never)]
fn create_by_server<S: System>(
    sm: &'static Manager<S>,
    plan: &'static dyn Plan<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
) -> Result<Child<'static, S>> {
    let image = process::find(plan, command)?;
    let launcher = plan.launcher();
    let server = servers::windows(sm, terminal).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
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
    callback::call(sm, &server.view(), &mut message)?;
    let created: &mut SbCreatedProcess = message.body_mut()?;
    let mut information = UserProcessInformation::new_zeroed();
    information.process = created.process;
    information.thread = created.thread;
    information.client = created.client;
    information.image.subsystem = created.subsystem;
    Ok(Child::adopted(sm.system, information))
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
        buffer: text.units().as_ptr().addr() as sm_protocol::Word,
    }
}

fn address(string: &StringAddress) -> sm_protocol::Word {
    core::ptr::from_ref(string).addr() as sm_protocol::Word
}
