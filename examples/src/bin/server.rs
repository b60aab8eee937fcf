// SPDX-License-Identifier: GPL-2.0-or-later
//! server.exe: a minimal subsystem server (spec 9.5, 10.2, 10.7).
//!
//! `cargo xtask run --program server --role subsystem`
//!
//! The Session Manager starts it, as a value of its `SubSystems` key says, and waits until it has
//! registered. The order is the contract: first the call-back port stands, then a thread listens on
//! it, and only then does the server connect to `\SmApiPort` and announce both, the image type that
//! it serves and the name of that port. The Session Manager connects back before its answer comes,
//! so the thread that registers cannot be the one that listens.
//!
//! From then on every program of that image type is handed to it, suspended, to be let run. A real
//! server would also make its part of the namespace, serve its programs, and tell the Session
//! Manager when one of its sessions has ended.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};
use nt::system::{Accept, ImageSubsystem, MessageBuffer, MessageKind, System, ThreadBody, Timeout};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr, wide};
use sm_protocol::sb::{SB_PORT_LIMITS, SbApi, SbCreateSession};
use sm_protocol::sm::ConnectionInfo;
use sm_protocol::{ApiMessage, client};

/// The image type that it serves: one that NT has given to nobody.
const SERVED: ImageSubsystem = ImageSubsystem(100);

/// Its call-back port.
const CALLBACKS: UnicodeStr<'static> = wide!("\\ExampleSbApiPort");

/// The thread that the Session Manager calls back, with the port's handle.
struct Listener {
    port: AtomicU64,
}

static LISTENER: Listener = Listener {
    port: AtomicU64::new(0),
};

ntdll::program!(ntdll::Program {
    prefix: || "server: ",
    fatal: ntdll::Fatal::EndProcess,
    main: |system| Status::from(serve(system)),
});

fn serve(system: impl System) -> Result<()> {
    let port = system.create_port(&ObjectAttributes::named(CALLBACKS), SB_PORT_LIMITS)?;
    LISTENER.port.store(port.to_slot(), Ordering::Release);
    drop(Owned::new(system, system.create_thread(&LISTENER)?));
    let announced = ConnectionInfo::server(SERVED, CALLBACKS)?;
    let session_manager = Owned::new(system, client::connect(system, &announced)?);
    nt::info!("registered for image type {}", SERVED.0);
    // The connection is what keeps it registered; it has nothing else to do itself.
    system.wait_one(Handle::CURRENT_PROCESS, Timeout::Never)?;
    drop(session_manager);
    Ok(())
}

impl ThreadBody for Listener {
    fn run(&'static self) {
        let port = Handle::from_slot(self.port.load(Ordering::Acquire));
        let mut message = MessageBuffer::default();
        let mut reply: Option<MessageBuffer> = None;
        loop {
            match receive(ntdll::Native, port, reply.take(), &mut message) {
                Ok(answer) => reply = answer,
                Err(status) => {
                    nt::error!("call-back port: {status}");
                    return;
                }
            }
        }
    }
}

/// Sends the reply that is due, waits for the next message, and gives the reply to that one.
fn receive(
    system: impl System,
    port: Handle,
    reply: Option<MessageBuffer>,
    message: &mut MessageBuffer,
) -> Result<Option<MessageBuffer>> {
    let received = match system.reply_wait_receive(port, reply.as_ref(), message) {
        // The client is gone; that is no reason to stop.
        Err(_) if reply.is_some() => return Ok(None),
        received => received?,
    };
    match MessageKind(message.header.kind & 0xFF) {
        MessageKind::CONNECTION_REQUEST => {
            let accepted = system.accept_connect(message, Accept::Yes { context: 0 })?;
            system.complete_connect(accepted)?;
            Ok(None)
        }
        // It was accepted without a context, so its context is the handle of our end.
        MessageKind::PORT_CLOSED => {
            drop(Owned::new(system, Handle(received.context)));
            Ok(None)
        }
        MessageKind::REQUEST => {
            let mut answer = message.clone();
            let result = answer.api().and_then(|api| match SbApi(api.number) {
                SbApi::CREATE_SESSION => let_run(system, &answer.body()?),
                _ => Err(Status::NOT_IMPLEMENTED),
            });
            answer.set_result(result.into());
            Ok(Some(answer))
        }
        MessageKind(_) => Ok(None),
    }
}

/// A process that is ours from now on: both handles are, so both are closed.
fn let_run(system: impl System, body: &SbCreateSession) -> Result<()> {
    let _process = Owned::new(system, Handle(body.process.process));
    let thread = Owned::new(system, Handle(body.process.thread));
    nt::info!("process {} runs", body.process.client.process);
    system.resume_thread(thread.get())
}
