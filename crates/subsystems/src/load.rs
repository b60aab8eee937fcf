// SPDX-License-Identifier: GPL-2.0-or-later
//! Starting one subsystem server and waiting until it has registered (spec 9.4), and the deferred
//! ones (spec 9.6).
//!
//! Servers of one session come up strictly one after another. A server is given up when its process
//! ends before it registered, or, in a session other than 0, when it does not register within a
//! minute; the first error is what counts (D7).

use crate::deadline::SERVER_TIMEOUT;
use crate::manager::{Manager, terminate};
use crate::plan::Plan;
use crate::servers::ServerRef;
use launch::{Child, Image, Start};
use nt::system::{ImageSubsystem, System, Timeout, UserProcessInformation, Wait};
use nt::{ClientId, Handle, Result, Status, UnicodeStr};
use sm_protocol::ApiMessage;
use sm_protocol::sb::{SbApi, SbCreateProcess, SbCreatedProcess, StringAddress, callback};
use zerocopy::FromZeros;

impl<S: System> Manager<S> {
    /// LoadDeferredSubsystem (spec 9.6).
    #[inline(never)]
    pub(crate) fn load_deferred(&'static self, session: u32, name: UnicodeStr<'_>) -> Result<()> {
        let plan = self.plan()?;
        if !self.has_servers(session) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let entry = (0..)
            .map_while(|index| plan.optional(index))
            .find(|entry| entry.name.eq_ignore_case(name));
        let command = entry.ok_or(Status::OBJECT_NAME_NOT_FOUND)?.command;
        let mut session = session;
        let mut deferred = None;
        if name.eq_ascii("POSIX") {
            deferred = Some(ImageSubsystem::POSIX_CUI);
            if plan.posix_single_instance() {
                session = 0;
            }
        } else if name.eq_ascii("OS2") {
            deferred = Some(ImageSubsystem::OS2_CUI);
        }
        let _inside = self.enter_gate()?;
        self.start_server(plan, session, command, deferred)
    }

    /// Starts the server that `command` names, in `session` (spec 9.4). A `deferred` one registers
    /// for this type, and a session has one of it. The caller is inside the gate. Blocks until
    /// it has registered.
    pub(crate) fn start_server(
        &'static self,
        plan: &'static dyn Plan<S>,
        session: u32,
        command: UnicodeStr<'_>,
        deferred: Option<ImageSubsystem>,
    ) -> Result<()> {
        // While another one of this session is starting (spec 9.4 #2): whoever starts it signals
        // its event in any case.
        while let Some(server) =
            self.find_server(&|server| server.session == session && server.subsystem.is_none())
        {
            self.system.wait_one(server.view().event, Timeout::Never)?;
        }
        if deferred.is_some()
            && self
                .find_server(&|server| server.session == session && server.subsystem == deferred)
                .is_some()
        {
            return Ok(());
        }
        let server = self.new_server(session)?;
        let result = self
            .create_server(plan, session, command, deferred.is_some())
            .and_then(|suspended| self.bring_up(&server, suspended));
        if result.is_err() {
            self.retire_server(server.key());
        }
        result
    }

    /// The server's process, suspended.
    fn create_server(
        &'static self,
        plan: &'static dyn Plan<S>,
        session: u32,
        command: UnicodeStr<'_>,
        deferred: bool,
    ) -> Result<Child<'static, S>> {
        if deferred {
            match self.create_by_server(plan, session, command) {
                // ReactOS' csrss does not know the call (D34); smss creates the process itself
                // then, which is what a user wants.
                Err(Status::NOT_IMPLEMENTED) => {
                    nt::info!(
                        "session {session}: csrss creates no processes for smss: {command} is created directly"
                    );
                }
                result => return result,
            }
        }
        create(plan, session, command, true)
    }

    /// Resumes the server and waits until it has registered. It is ended if it comes to nothing.
    #[inline(never)]
    fn bring_up(&'static self, server: &ServerRef<'_, S>, suspended: Child<'_, S>) -> Result<()> {
        let created = *suspended.information();
        let (process, thread) = suspended.into_handles();
        // Open for as long as the record is referred to.
        let process = process.into_raw();
        let noted = server.update(&mut |record| {
            record.process = process;
            record.client = created.client;
        });
        let up = noted.and_then(|()| {
            let session = server.view().session;
            let subsystem = created.image.subsystem;
            if subsystem != ImageSubsystem::NATIVE {
                // A server that is itself an application: its own subsystem takes it over first
                // (spec 9.4 #7b).
                let owner = self
                    .server_for(session, subsystem)
                    .ok_or(Status::NO_SUCH_PACKAGE)?;
                self.create_session(&owner, &created, Some(server.key()), ClientId::default())?;
            }
            self.system.resume_thread(thread.get())?;
            wait_until_registered(self.system, session, server.view().event, process)?;
            let now = server.view();
            if now.terminating || now.subsystem.is_none() {
                Err(Status::DELETE_PENDING)
            } else {
                Ok(())
            }
        });
        if let Err(status) = up {
            terminate(self.system, process, created.client.process, status);
        }
        up
    }

    /// Lets the session's Windows server create the process of an optional one (spec 9.4 #5b).
    #[inline(never)]
    fn create_by_server(
        &'static self,
        plan: &'static dyn Plan<S>,
        session: u32,
        command: UnicodeStr<'_>,
    ) -> Result<Child<'static, S>> {
        let image = find(plan, command)?;
        let launcher = plan.launcher();
        let server = self
            .windows_server(session)
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
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
        let mut message = callback(SbApi::CREATE_PROCESS, &body);
        self.call_server(&server.view(), &mut message)?;
        let created: &mut SbCreatedProcess = message.body_mut()?;
        let mut information = UserProcessInformation::new_zeroed();
        information.process = created.process;
        information.thread = created.thread;
        information.client = created.client;
        information.image.subsystem = created.subsystem;
        Ok(Child::adopted(self.system, information))
    }
}

/// The image of the program that `command` names.
#[inline(never)]
fn find<S: System>(plan: &dyn Plan<S>, command: UnicodeStr<'_>) -> Result<Image> {
    plan.launcher()
        .find(launch::parse(command)?.program)?
        .ok_or(Status::OBJECT_NAME_NOT_FOUND)
}

/// The process of `command` in `session`, suspended; `subsystem` says that it is a server.
#[inline(never)]
pub(crate) fn create<'a, S: System>(
    plan: &'a dyn Plan<S>,
    session: u32,
    command: UnicodeStr<'_>,
    subsystem: bool,
) -> Result<Child<'a, S>> {
    let image = find(plan, command)?;
    plan.launcher().create(&Start {
        image: &image,
        command_line: command,
        session,
        debug: false,
        subsystem,
    })
}

/// Waits on {event, process} (spec 9.4 #9): the event of a server's record and the server, in
/// `session`.
#[inline(never)]
pub(crate) fn wait_until_registered<S: System>(
    system: &S,
    session: u32,
    event: Handle,
    process: Handle,
) -> Result<()> {
    let timeout = if session == 0 {
        Timeout::Never
    } else {
        Timeout::Milliseconds(SERVER_TIMEOUT)
    };
    match system.wait_any(&[event, process], timeout)? {
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

/// A string as the protocol passes it: by its address in smss's memory. One too long for a
/// UNICODE_STRING is passed as empty.
#[inline(never)]
fn address_of(text: UnicodeStr<'_>) -> StringAddress {
    let length = u16::try_from(text.byte_len()).unwrap_or(0);
    StringAddress {
        length,
        maximum_length: length,
        padding: Default::default(),
        buffer: text.units().as_ptr() as u64,
    }
}

fn address(string: &StringAddress) -> u64 {
    core::ptr::from_ref(string) as u64
}
