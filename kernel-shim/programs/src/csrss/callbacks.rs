// SPDX-License-Identifier: GPL-2.0-or-later
//! A server's two ports: what it does for smss at `SbApiPort` (spec 10.7), and for others at
//! `ApiPort`.

use super::{Leader, Server};
use crate::arguments::{number, option};
use crate::inside;
use core::sync::atomic::Ordering;
use nt::access::Access;
use nt::system::{
    Accept, ImageSubsystem, MessageBuffer, MessageKind, ParameterFlags, ProcessParameters, System,
    UserProcessInformation,
};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, Word, widened};
use sm_protocol::ApiMessage;
use sm_protocol::sb::{
    SbApi, SbCreateProcess, SbCreateSession, SbCreatedProcess, SbSession, StringAddress,
};
use zerocopy::{FromZeros, IntoBytes};

/// The call-back thread's life.
pub(super) fn serve<S: System>(server: &'static Server<S>) {
    let port = server.shared.lock().callback_port;
    receive(server.system, port, |message| server.call(message));
}

/// The client thread's life: there is one thing a client can ask for.
pub(super) fn serve_clients<S: System>(server: &'static Server<S>) {
    let port = server.shared.lock().api_port;
    receive(server.system, port, |message| {
        inside::serve(server.system, message)
    });
}

/// Accepts every client that connects, and answers every request with the result of `serve`, until
/// the port is broken.
fn receive<S: System>(
    system: S,
    port: Handle,
    mut serve: impl FnMut(&mut MessageBuffer) -> Result<()>,
) {
    let mut message = MessageBuffer::default();
    let mut reply: Option<MessageBuffer> = None;
    let mut errors = 0;
    while errors < 16 {
        match system.reply_wait_receive(port, reply.as_ref(), &mut message) {
            Ok(received) => {
                errors = 0;
                reply = None;
                match MessageKind(message.header.kind & 0xFF) {
                    MessageKind::CONNECTION_REQUEST => accept(system, &message),
                    // Its context is the handle of our end, as it was accepted without one.
                    MessageKind::PORT_CLOSED => drop(Owned::new(system, Handle(received.context))),
                    MessageKind::REQUEST => {
                        let mut answer = message.clone();
                        let result = serve(&mut answer);
                        answer.set_result(result.into());
                        reply = Some(answer);
                    }
                    MessageKind(_) => {}
                }
            }
            // The reply's receiver is gone; only an error without a reply says anything about the
            // port.
            Err(status) if reply.take().is_none() => {
                log::warn!("subsystem server: receive: {status}");
                errors += 1;
            }
            Err(_) => {}
        }
    }
    log::error!("subsystem server: its port is broken: a thread ends");
}

/// Accepts every client that connects: the port's DACL has decided.
fn accept<S: System>(system: S, request: &MessageBuffer) {
    let accepted = system.accept_connect(request, Accept::Yes { context: 0 });
    if let Err(status) = accepted.and_then(|port| system.complete_connect(port)) {
        log::warn!("subsystem server: connection: {status}");
    }
}

/// The UNICODE_STRING at `address` in another process. `NAME_TOO_LONG` if it does not fit.
fn string_of<S: System, const N: usize>(
    system: S,
    process: Handle,
    address: Word,
) -> Result<UnicodeBuf<N>> {
    let mut string = StringAddress::new_zeroed();
    system.read_memory(process, widened(address), string.as_mut_bytes())?;
    let mut units = [0; N];
    let text = units
        .get_mut(..usize::from(string.length / 2))
        .ok_or(Status::NAME_TOO_LONG)?;
    system.read_memory(process, widened(string.buffer), text.as_mut_bytes())?;
    UnicodeBuf::copied(UnicodeStr(text))
}

impl<S: System> Server<S> {
    fn call(&'static self, message: &mut MessageBuffer) -> Result<()> {
        match SbApi(message.api()?.number) {
            SbApi::CREATE_SESSION => self.create_session(&message.body()?),
            SbApi::TERMINATE_SESSION => self.terminate_session(&message.body()?),
            SbApi::CREATE_PROCESS => self.create_process(message),
            SbApi(_) => Err(Status::NOT_IMPLEMENTED),
        }
    }

    /// Creates a process on smss's behalf, suspended, in this server's session. Strings are
    /// addresses in smss's memory.
    fn create_process(&'static self, message: &mut MessageBuffer) -> Result<()> {
        let system = self.system;
        if let Some(value) = option(system.own_command_line(), "Picks") {
            return self.pick(value, message);
        }
        let body: SbCreateProcess = message.body()?;
        let access = Access::PROCESS_DUP_HANDLE.union(Access::PROCESS_VM_READ);
        let caller = Owned::new(system, system.open_process(message.header.client, access)?);
        let image: UnicodeBuf<260> = string_of(system, caller.get(), body.image)?;
        let directory: UnicodeBuf<260> = string_of(system, caller.get(), body.directory)?;
        let line: UnicodeBuf<512> = string_of(system, caller.get(), body.command_line)?;
        let dll_path: UnicodeBuf<1024> = string_of(system, caller.get(), body.dll_path)?;
        let given = |text: UnicodeStr<'_>| !text.is_empty();
        let reserve = body.flags & SbCreateProcess::RESERVE_1MB != 0;
        let parameters = ProcessParameters {
            image: image.as_str(),
            dll_path: Some(dll_path.as_str()).filter(|text| given(*text)),
            current_directory: Some(directory.as_str()).filter(|text| given(*text)),
            command_line: line.as_str(),
            environment: system.own_environment(),
            flags: ParameterFlags::NX.union(if reserve {
                ParameterFlags::RESERVE_1MB
            } else {
                ParameterFlags::empty()
            }),
            debug: body.debug != 0,
        };
        let mut created = UserProcessInformation::untold();
        system.create_process(&parameters, &mut created)?;
        let UserProcessInformation {
            process,
            thread,
            client,
            image,
            ..
        } = inside::hand_over(system, caller.get(), created)?;
        message.set_body(&SbCreatedProcess {
            process,
            thread,
            subsystem: image.subsystem,
            padding: Default::default(),
            client,
        });
        Ok(())
    }

    /// A test aid: instead of making a process, says that it has these handles in smss: those of
    /// the list `values`, in hexadecimal, the next one with each call.
    fn pick(&self, values: UnicodeStr<'_>, message: &mut MessageBuffer) -> Result<()> {
        let turn = self.picked.fetch_add(1, Ordering::Relaxed) as usize;
        let handle = values
            .units()
            .split(|&unit| unit == u16::from(b','))
            .nth(turn)
            .and_then(|word| number(UnicodeStr(word), 16))
            .ok_or(Status::NO_MORE_ENTRIES)?;
        // As a pseudo handle is: -1 has all bits set.
        let handle = Handle::from_slot(i64::from(handle.cast_signed()).cast_unsigned());
        message.set_body(&SbCreatedProcess {
            process: handle.0,
            thread: handle.0,
            subsystem: ImageSubsystem::POSIX_CUI,
            padding: Default::default(),
            client: self.system.client_id(),
        });
        Ok(())
    }

    /// Takes a process over and lets it run. Its handles are ours from now on.
    fn create_session(&'static self, body: &SbCreateSession) -> Result<()> {
        let system = self.system;
        let process = Owned::new(system, Handle(body.process.process));
        let thread = Owned::new(system, Handle(body.process.thread));
        if body.session == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        // A server has a row for each of its processes, and finds it by the id.
        if system.query_exit(process.get())?.process != body.process.client.process {
            return Err(Status::INVALID_CID);
        }
        system.resume_thread(thread.get())?;
        log::info!(
            "process {} runs in environment session {}",
            body.process.client.process,
            body.session
        );
        let leader = Leader {
            session: body.session,
            process: process.get(),
            thread: thread.get(),
        };
        let watched = {
            let mut shared = self.shared.lock();
            shared.leaders.push(leader).map(|()| shared.wake)
        };
        let Ok(wake) = watched else {
            log::warn!(
                "environment session {}: one too many to be watched",
                body.session
            );
            return Ok(());
        };
        // The list owns them now.
        let _ = (process.into_raw(), thread.into_raw());
        if !wake.is_null()
            && let Err(status) = system.set_event(wake)
        {
            // The watching thread is awake already, and has closed what it no longer waits for.
            log::debug!("environment session {}: {status}", body.session);
        }
        Ok(())
    }

    /// Ends an environment session: its process.
    fn terminate_session(&'static self, body: &SbSession) -> Result<()> {
        let leader = self
            .shared
            .lock()
            .leaders
            .iter()
            .find(|leader| leader.session == body.session)
            .copied();
        let leader = leader.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        self.system
            .terminate_process(leader.process, Status::SUCCESS)
    }
}
