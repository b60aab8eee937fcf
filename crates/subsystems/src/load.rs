// SPDX-License-Identifier: GPL-2.0-or-later
//! Starting one subsystem server and waiting until it has registered (spec 9.4), and the deferred ones (spec 9.6).
//!
//! Servers of one session come up strictly one after another. A server is given up when its process ends before it registered, or, in a
//! session other than 0, when it does not register within a minute; the first error is what counts (D7).

use crate::callbacks::{SbApi, SbCreateProcess, SbCreatedProcess, StringAddress, callback};
use crate::deadline::SERVER_TIMEOUT;
use crate::manager::Manager;
use crate::messages::{ApiMessage, result_of};
use crate::servers::{Server, ServerRef};
use launch::{Child, Image, Start};
use nt::access::Access;
use nt::system::{ImageSubsystem, System, Timeout, UserProcessInformation, Wait};
use nt::{ClientId, Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr};
use zerocopy::FromZeros;

/// What kind of server a command line starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A required one.
    Plain,
    /// An optional one that registers for this type, and of which a session has one.
    Deferred(ImageSubsystem),
}

impl<S: System> Manager<S> {
    /// LoadDeferredSubsystem (spec 9.6).
    pub(crate) fn load_deferred(&'static self, session: u32, name: UnicodeStr<'_>) -> Result<()> {
        let plan = self.plan()?;
        if !self.has_servers(session) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let entry = (0..).map_while(|index| plan.optional(index)).find(|entry| entry.name.eq_ignore_case(name));
        let entry = entry.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        let (kind, session) = if name.eq_ascii("POSIX") {
            let session = if plan.posix_single_instance() { 0 } else { session };
            (Kind::Deferred(ImageSubsystem::POSIX_CUI), session)
        } else if name.eq_ascii("OS2") {
            (Kind::Deferred(ImageSubsystem::OS2_CUI), session)
        } else {
            (Kind::Plain, session)
        };
        let _inside = self.enter_gate()?;
        self.start_server(session, entry.command, kind)
    }

    /// Starts the server that `command` names, in `session` (spec 9.4). The caller is inside the gate. Blocks until it has registered.
    pub(crate) fn start_server(&'static self, session: u32, command: UnicodeStr<'_>, kind: Kind) -> Result<()> {
        let plan = self.plan()?;
        let parsed = launch::parse(command)?;
        let image = plan.launcher().find(parsed.program)?.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        self.wait_for_starting_server(session)?;
        if let Kind::Deferred(subsystem) = kind
            && self.find_server(|server| server.session == session && server.subsystem == Some(subsystem)).is_some()
        {
            return Ok(());
        }
        let server = self.new_server(session)?;
        let result = self.start_process(&server, &image, command, kind).and_then(|suspended| {
            let up = self.bring_up(&server, &suspended);
            if let Err(status) = up {
                self.give_up(&suspended, status);
            }
            up
        });
        if result.is_err() {
            self.retire_server(server.key());
        }
        result
    }

    /// A record with its event, in the table.
    pub(crate) fn new_server(&'static self, session: u32) -> Result<ServerRef<'static, S>> {
        let event = Owned::new(self.system, self.system.create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)?);
        let server = self.add_server(Server::new(event.get(), session))?;
        // The record owns the event now.
        let _ = event.into_raw();
        Ok(server)
    }

    /// Waits while a server of `session` is starting (spec 9.4 #2). Whoever starts it signals its event in any case.
    fn wait_for_starting_server(&'static self, session: u32) -> Result<()> {
        while let Some(server) = self.find_server(|server| server.session == session && server.subsystem.is_none()) {
            self.system.wait_one(server.view().event, Timeout::Never)?;
        }
        Ok(())
    }

    /// The server's process, suspended; its record knows it.
    fn start_process(
        &'static self,
        server: &ServerRef<'_, S>,
        image: &Image,
        command: UnicodeStr<'_>,
        kind: Kind,
    ) -> Result<Child<'static, S>> {
        let plan = self.plan()?;
        let session = server.view().session;
        let through_csrss = match kind {
            Kind::Plain => None,
            Kind::Deferred(_) => self.create_by_server(session, image, command)?,
        };
        let suspended = match through_csrss {
            Some(suspended) => suspended,
            None => plan.launcher().create(&Start { image, command_line: command, session, debug: false, subsystem: true })?,
        };
        // The record keeps a handle of its own, so that neither closes the other's.
        let noted = self
            .system
            .duplicate(Handle::CURRENT_PROCESS, suspended.process(), Handle::CURRENT_PROCESS, Access::PROCESS_ALL)
            .and_then(|own| {
                let noted = server.update(|record| {
                    record.process = own;
                    record.client = suspended.client();
                });
                if noted.is_err() {
                    self.close(own);
                }
                noted
            });
        match noted {
            Ok(()) => Ok(suspended),
            Err(status) => {
                self.give_up(&suspended, status);
                Err(status)
            }
        }
    }

    /// Resumes the server and waits until it has registered.
    fn bring_up(&'static self, server: &ServerRef<'_, S>, suspended: &Child<'_, S>) -> Result<()> {
        let session = server.view().session;
        let subsystem = suspended.subsystem();
        if subsystem != ImageSubsystem::NATIVE {
            // A server that is itself an application: its own subsystem takes it over first (spec 9.4 #7b).
            let owner = self.server_for(session, subsystem).ok_or(Status::NO_SUCH_PACKAGE)?;
            self.create_session(&owner, suspended, Some(server.key()), ClientId::default())?;
        }
        self.system.resume_thread(suspended.thread())?;
        self.wait_until_registered(server, suspended.process())
    }

    /// Waits on {event, process} (spec 9.4 #9).
    fn wait_until_registered(&'static self, server: &ServerRef<'_, S>, process: Handle) -> Result<()> {
        let view = server.view();
        let timeout = if view.session == 0 { Timeout::Never } else { Timeout::Milliseconds(SERVER_TIMEOUT) };
        match self.system.wait_any(&[view.event, process], timeout)? {
            Wait::Object(0) => {
                let now = server.view();
                if now.terminating || now.subsystem.is_none() { Err(Status::DELETE_PENDING) } else { Ok(()) }
            }
            Wait::Object(_) => {
                let status = self.system.query_exit(process)?.status;
                nt::error!("session {}: process {} ended before it registered: {status}", view.session, view.client.process);
                Err(if status.is_success() { Status::UNSUCCESSFUL } else { status })
            }
            Wait::Timeout => Err(Status::IO_TIMEOUT),
        }
    }

    /// Ends a process that came to nothing.
    fn give_up(&self, suspended: &Child<'_, S>, status: Status) {
        if let Err(status) = self.system.terminate_process(suspended.process(), status)
            && status != Status::PROCESS_IS_TERMINATING
        {
            nt::warn!("process {}: {status}: not ended", suspended.client().process);
        }
    }

    /// Lets the session's Windows server create the process of an optional one (spec 9.4 #5b). `None` if it does not know the call, as
    /// ReactOS' does not (D34): then smss creates the process itself, which is what a user wants.
    fn create_by_server(&'static self, session: u32, image: &Image, command: UnicodeStr<'_>) -> Result<Option<Child<'static, S>>> {
        let launcher = self.plan()?.launcher();
        let server = self.server_for(session, ImageSubsystem::WINDOWS_GUI).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        let strings = [image.path.as_str(), image.directory.as_str(), command, launcher.library_path].map(address_of);
        let [image_name, directory, command_line, dll_path] = [0, 1, 2, 3].map(|index: usize| strings.get(index).map_or(0, address));
        let body = SbCreateProcess {
            image: image_name,
            directory,
            command_line,
            dll_path,
            flags: SbCreateProcess::SUSPENDED | SbCreateProcess::RESERVE_1MB,
            debug: u32::from(launcher.debug),
        };
        let reply = self.call_server(&server.view(), callback(SbApi::CREATE_PROCESS, &body))?;
        match result_of(&reply) {
            Ok(()) => {
                let created: SbCreatedProcess = reply.body()?;
                let mut information = UserProcessInformation::new_zeroed();
                information.process = created.process;
                information.thread = created.thread;
                information.client = created.client;
                information.image.subsystem = created.subsystem;
                Ok(Some(Child::adopted(self.system, information)))
            }
            Err(Status::NOT_IMPLEMENTED) => {
                nt::info!("session {session}: csrss creates no processes for smss: {command} is created directly");
                Ok(None)
            }
            Err(status) => Err(status),
        }
    }
}

/// A string as the protocol passes it: by its address in smss's memory. One too long for a UNICODE_STRING is passed as empty.
fn address_of(text: UnicodeStr<'_>) -> StringAddress {
    let length = u16::try_from(text.byte_len()).unwrap_or(0);
    StringAddress { length, maximum_length: length, padding: 0, buffer: text.units().as_ptr() as u64 }
}

fn address(string: &StringAddress) -> u64 {
    core::ptr::from_ref(string) as u64
}
