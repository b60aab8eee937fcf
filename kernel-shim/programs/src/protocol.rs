// SPDX-License-Identifier: GPL-2.0-or-later
//! smtest.exe: puts the SM protocol to the test from outside (spec 10, 17).
//!
//! `smtest [case]` runs one case, or all of them but the long one, and shows a line for each; its
//! exit status is success only if every one passed. A case is a row of the specification's test
//! vectors.

use crate::arguments::{number, words};
use crate::{Statics, processes, screen};
use core::fmt;
use nt::object::ClientId;
use nt::system::{
    ImageSubsystem, MAX_MESSAGE, MessageBuffer, MessageKind, PortHeader, PortViews, System,
};
use nt::{Handle, Owned, Result, Status, Word, wide};
use sm_protocol::client;
use sm_protocol::sm::{
    ConnectionInfo, ExecPgm, LoadDeferred, QuerySessions, SM_PORT, SessionComplete, SmApi,
    StartCsr, StopCsr,
};
use sm_protocol::{ApiHeader, request, result_of};
use zerocopy::FromZeros;

/// What was wrong: what was asked for, what was found, what should have been.
struct Fault {
    what: &'static str,
    found: Status,
    wanted: Status,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} instead of {}",
            self.what, self.found, self.wanted
        )
    }
}

type Case<S> = fn(S) -> Result<(), Fault>;

fn in_the_way(found: Status) -> Fault {
    Fault {
        what: "a call in between",
        found,
        wanted: Status::SUCCESS,
    }
}

fn expect(what: &'static str, found: Result<()>, wanted: Result<()>) -> Result<(), Fault> {
    if found == wanted {
        Ok(())
    } else {
        Err(Fault {
            what,
            found: Status::from(found),
            wanted: Status::from(wanted),
        })
    }
}

/// The case that runs only when it is asked for.
const LONG: &str = "churn";

fn cases<S: System + PortViews>() -> [(&'static str, Case<S>); 13] {
    [
        ("unknown-numbers", unknown_numbers),
        ("foreign-sessions", foreign_sessions),
        ("session-complete", session_complete),
        ("deferred-names", deferred_names),
        ("stop-csr", stop_csr),
        ("short-messages", short_messages),
        ("long-connection-data", long_connection_data),
        ("forged-headers", forged_headers),
        ("exec-pgm", exec_pgm),
        ("query", query),
        ("shared-memory", shared_memory),
        ("flood", flood),
        (LONG, churn),
    ]
}

/// smtest.exe.
pub fn main<S: System + PortViews>(system: S, _statics: &'static Statics<S>) -> Status {
    let wanted = words(system.own_command_line()).next();
    let mut failed = 0;
    let mut ran = 0;
    for (name, case) in cases::<S>() {
        if wanted.map_or(name == LONG, |wanted| !wanted.eq_ascii(name)) {
            continue;
        }
        ran += 1;
        match case(system) {
            Ok(()) => screen::show(system, format_args!("smtest: {name}: pass")),
            Err(fault) => {
                failed += 1;
                screen::show(system, format_args!("smtest: {name}: FAIL: {fault}"));
            }
        }
    }
    screen::show(system, format_args!("smtest: {ran} cases, {failed} failed"));
    if ran == 0 {
        Status::INVALID_PARAMETER
    } else if failed == 0 {
        Status::SUCCESS
    } else {
        Status::UNSUCCESSFUL
    }
}

fn connected<S: System>(system: S) -> Result<Owned<S>, Fault> {
    client::connect(system, &ConnectionInfo::PLAIN)
        .map(|port| Owned::new(system, port))
        .map_err(in_the_way)
}

/// Sends `message` as it is: the result in the answer.
pub(crate) fn send<S: System>(system: S, port: Handle, message: MessageBuffer) -> Result<()> {
    let mut message = message;
    system.request_wait_reply(port, &mut message)?;
    result_of(&message)
}

/// Bytes of a message's header.
const HEADER: u16 = size_of::<PortHeader>() as u16;
/// Bytes of what an SM message has before its data.
const API_HEADER: u16 = size_of::<ApiHeader>() as u16;

/// A message of any number with `bytes` of data after its API header.
pub(crate) fn raw(number: u32, bytes: u16) -> MessageBuffer {
    let mut message = request(&StartCsr::new_zeroed());
    for (to, from) in message.data.iter_mut().zip(number.to_le_bytes()) {
        *to = from;
    }
    message.header.data_length = API_HEADER + bytes;
    message.header.total_length = HEADER + API_HEADER + bytes;
    message
}

fn unknown_numbers<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    for number in [
        8,
        99,
        SmApi::CHILD_SESSION.0,
        SmApi::CHILD_PROCESS.0,
        u32::MAX,
    ] {
        for bytes in [0, size_of::<StartCsr>() as u16] {
            expect(
                "unknown number",
                send(system, port.get(), raw(number, bytes)),
                Err(Status::NOT_IMPLEMENTED),
            )?;
        }
    }
    Ok(())
}

fn foreign_sessions<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    for api in [
        SmApi::CREATE_FOREIGN_SESSION,
        SmApi::TERMINATE_FOREIGN_SESSION,
    ] {
        expect(
            "foreign session",
            send(system, port.get(), raw(api.0, 0)),
            Err(Status::INVALID_PARAMETER),
        )?;
    }
    Ok(())
}

fn session_complete<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    let found = client::call(
        system,
        port.get(),
        &mut SessionComplete {
            session: 1,
            status: 0,
        },
    );
    expect(
        "SessionComplete of a plain client",
        found,
        Err(Status::INVALID_PARAMETER),
    )
}

fn deferred_names<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    for length in [0, 1, 65, 66, 0x8000_0000, u32::MAX] {
        let mut body = LoadDeferred::new_zeroed();
        body.length = length;
        expect(
            "deferred name's length",
            client::call(system, port.get(), &mut body),
            Err(Status::INVALID_PARAMETER),
        )?;
    }
    for name in [wide!("Nope"), wide!("Debug")] {
        let mut body = LoadDeferred::new_zeroed();
        for (to, from) in body.name.iter_mut().zip(name.units()) {
            *to = *from;
        }
        body.length = 2 * name.len() as u32;
        expect(
            "deferred name",
            client::call(system, port.get(), &mut body),
            Err(Status::OBJECT_NAME_NOT_FOUND),
        )?;
    }
    Ok(())
}

/// The most connection information that a port of the kernel takes, bytes.
const MAX_CONNECTION_INFO: usize = 0x208;

/// More than smss asks for, as much as the kernel takes, and more than that: smss reads no further
/// than it has room for, and goes on.
fn long_connection_data<S: System>(system: S) -> Result<(), Fault> {
    let room = MAX_MESSAGE - size_of::<PortHeader>();
    for bytes in [0xF5, room, room + 1, MAX_CONNECTION_INFO, 0x400] {
        let mut data = [0x41; 0x400];
        let data = data.get_mut(..bytes).unwrap_or_default();
        let found = system.connect_port(SM_PORT, data);
        // Whatever a process announces that smss has not started, it is a plain client.
        expect(
            "connection data of another length",
            found.map(|port| drop(Owned::new(system, port))),
            Ok(()),
        )?;
        let port = connected(system)?;
        expect(
            "a call afterwards",
            client::call(system, port.get(), &mut StopCsr { session: 0 }),
            Err(Status::INVALID_PARAMETER),
        )?;
    }
    Ok(())
}

/// Headers that say what is not so: the kernel refuses a client's message of another kind and one
/// whose lengths do not agree, and writes the sender itself (spec 10.1).
fn forged_headers<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    let forged = |change: &dyn Fn(&mut MessageBuffer)| {
        let mut message = request(&StopCsr { session: 0 });
        change(&mut message);
        send(system, port.get(), message)
    };
    for kind in [
        MessageKind::REPLY,
        MessageKind::DATAGRAM,
        MessageKind::LOST_REPLY,
        MessageKind::PORT_CLOSED,
        MessageKind::CLIENT_DIED,
        MessageKind::CONNECTION_REQUEST,
    ] {
        expect(
            "a message of another kind",
            forged(&|message| message.header.kind = kind.0),
            Err(Status::INVALID_PARAMETER),
        )?;
    }
    expect(
        "more data than there is message",
        forged(&|message| message.header.data_length = message.header.total_length),
        Err(Status::INVALID_PARAMETER),
    )?;
    expect(
        "a message longer than the port takes",
        forged(&|message| message.header.total_length = u16::MAX),
        Err(Status::PORT_MESSAGE_TOO_LONG),
    )?;
    // In the name of the first process, as an answer to some other message: it is served as what it
    // is, the request of an application for session 0.
    expect(
        "somebody else's name",
        forged(&|message| {
            message.header.client = ClientId {
                process: 4,
                thread: 8,
            };
            message.header.message_id = 1;
            message.header.client_view_size = Word::MAX;
        }),
        Err(Status::INVALID_PARAMETER),
    )
}

fn stop_csr<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    expect(
        "StopCsr of session 0",
        client::call(system, port.get(), &mut StopCsr { session: 0 }),
        Err(Status::INVALID_PARAMETER),
    )?;
    for session in [0x7777, u32::MAX] {
        expect(
            "StopCsr",
            client::call(system, port.get(), &mut StopCsr { session }),
            Err(Status::OBJECT_NAME_NOT_FOUND),
        )?;
    }
    Ok(())
}

fn short_messages<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    for (number, size) in [
        (SmApi::EXEC_PGM, size_of::<ExecPgm>()),
        (SmApi::LOAD_DEFERRED_SUBSYSTEM, size_of::<LoadDeferred>()),
        (SmApi::START_CSR, size_of::<StartCsr>()),
        (SmApi::STOP_CSR, size_of::<StopCsr>()),
        (SmApi::QUERY_INFORMATION, size_of::<QuerySessions>()),
    ] {
        for bytes in [0, 1, size as u16 - 1] {
            expect(
                "short message",
                send(system, port.get(), raw(number.0, bytes)),
                Err(Status::INVALID_PARAMETER),
            )?;
        }
    }
    let mut nothing = raw(0, 0);
    for bytes in 0..8 {
        nothing.header.data_length = bytes;
        nothing.header.total_length = HEADER + bytes;
        expect(
            "message without API number",
            send(system, port.get(), nothing.clone()),
            Err(Status::INVALID_PARAMETER),
        )?;
    }
    let mut long = StartCsr::new_zeroed();
    for length in [1, 257, 258, u32::MAX] {
        long.length = length;
        expect(
            "StartCsr command",
            client::call(system, port.get(), &mut long),
            Err(Status::INVALID_PARAMETER),
        )?;
    }
    Ok(())
}

fn exec_pgm<S: System>(system: S) -> Result<(), Fault> {
    const WANTED: Status = Status::new(0x1234);
    let port = connected(system)?;
    // Handles that are none.
    let mut body = ExecPgm::new_zeroed();
    body.process.process = 0x7FFF_FFF0;
    body.process.thread = 0x7FFF_FFF4;
    body.process.image.subsystem = ImageSubsystem::WINDOWS_GUI;
    expect(
        "ExecPgm without handles",
        client::call(system, port.get(), &mut body),
        Err(Status::INVALID_HANDLE),
    )?;
    // An image type that nobody serves.
    let created = processes::create(system, wide!("sleep.exe 1")).map_err(in_the_way)?;
    let (process, thread) = (
        Owned::new(system, Handle(created.process)),
        Owned::new(system, Handle(created.thread)),
    );
    let mut body = ExecPgm::new_zeroed();
    body.process = created;
    body.process.image.subsystem = ImageSubsystem(0x77);
    let refused = client::call(system, port.get(), &mut body);
    let ended = system.terminate_process(process.get(), Status::SUCCESS);
    drop((process, thread));
    expect(
        "ExecPgm of an unknown type",
        refused,
        Err(Status::UNSUCCESSFUL),
    )?;
    expect("end of the process", ended, Ok(()))?;
    // In the name of another process: its server takes over the one that the handle is of.
    let created = processes::create(system, wide!("exit.exe 1234")).map_err(in_the_way)?;
    let (process, thread) = (
        Owned::new(system, Handle(created.process)),
        Owned::new(system, Handle(created.thread)),
    );
    let mut body = ExecPgm::new_zeroed();
    body.process = created;
    body.process.image.subsystem = ImageSubsystem::WINDOWS_GUI;
    body.process.client = system.client_id();
    expect(
        "ExecPgm in the name of another process",
        client::call(system, port.get(), &mut body),
        Ok(()),
    )?;
    drop(thread);
    ended_with(system, &process, WANTED)?;
    // A native one is started by smss itself and runs to its end.
    let created = processes::create(system, wide!("exit.exe 1234")).map_err(in_the_way)?;
    let (process, thread) = (
        Owned::new(system, Handle(created.process)),
        Owned::new(system, Handle(created.thread)),
    );
    let mut body = ExecPgm::new_zeroed();
    body.process = created;
    expect(
        "ExecPgm of a native image",
        client::call(system, port.get(), &mut body),
        Ok(()),
    )?;
    drop(thread);
    ended_with(system, &process, WANTED)
}

/// The process comes to its end, and with this status.
fn ended_with<S: System>(system: S, process: &Owned<S>, wanted: Status) -> Result<(), Fault> {
    system
        .wait_one(process.get(), nt::system::Timeout::Never)
        .map_err(in_the_way)?;
    let found = system.query_exit(process.get()).map_err(in_the_way)?.status;
    if found == wanted {
        Ok(())
    } else {
        Err(Fault {
            what: "its end",
            found,
            wanted,
        })
    }
}

fn query<S: System>(system: S) -> Result<(), Fault> {
    let port = connected(system)?;
    let mut body = QuerySessions::new_zeroed();
    for class in [0, 1, u32::MAX] {
        body.class = class;
        expect(
            "information class",
            client::call(system, port.get(), &mut body),
            Err(Status::NOT_IMPLEMENTED),
        )?;
    }
    body.class = QuerySessions::CLASS;
    body.first = u32::MAX;
    client::call(system, port.get(), &mut body).map_err(in_the_way)?;
    if body.count == 0 {
        Ok(())
    } else {
        Err(Fault {
            what: "servers past the end",
            found: Status::new(body.count),
            wanted: Status::new(0),
        })
    }
}

/// Connections that come with memory for both, which smss has not asked for and never looks at: more of
/// it in all than a process may commit. Each is taken away again, and nothing of it stays.
fn shared_memory<S: System + PortViews>(system: S) -> Result<(), Fault> {
    const BYTES: u32 = 1 << 20;
    for _ in 0..200 {
        let section = system.create_shared_section(BYTES).map_err(in_the_way)?;
        let section = Owned::new(system, section);
        let port = system
            .connect_with_view(SM_PORT, section.get(), BYTES)
            .map_err(in_the_way)?;
        let port = Owned::new(system, port);
        expect(
            "a request on a connection with memory",
            send(system, port.get(), raw(99, 0)),
            Err(Status::NOT_IMPLEMENTED),
        )?;
    }
    // A view that is larger than its section.
    let section = system.create_shared_section(BYTES).map_err(in_the_way)?;
    let section = Owned::new(system, section);
    let found = system.connect_with_view(SM_PORT, section.get(), 2 * BYTES);
    expect(
        "a view larger than its section",
        found.map(|port| drop(Owned::new(system, port))),
        Err(Status::INVALID_VIEW_SIZE),
    )
}

/// A thousand connections at once, more than smss has places for: those beyond its table are
/// refused, all of it is free again afterwards.
fn flood<S: System>(system: S) -> Result<(), Fault> {
    const FLOOD: usize = 1_000;
    let mut ports = heapless::Vec::<Handle, FLOOD>::new();
    let mut refused = 0;
    for _ in 0..FLOOD {
        match client::connect(system, &ConnectionInfo::PLAIN) {
            Ok(port) => {
                let _ = ports.push(port);
            }
            Err(Status::PORT_CONNECTION_REFUSED) => refused += 1,
            Err(status) => return Err(in_the_way(status)),
        }
    }
    let accepted = ports.len();
    for port in ports {
        drop(Owned::new(system, port));
    }
    if refused == 0 || accepted + refused != FLOOD {
        return Err(Fault {
            what: "connections answered, some of them with a refusal",
            found: Status::new((accepted + refused) as u32),
            wanted: Status::new(FLOOD as u32),
        });
    }
    let again = connected(system)?;
    expect(
        "a request afterwards",
        send(system, again.get(), raw(99, 0)),
        Err(Status::NOT_IMPLEMENTED),
    )
}

/// Ten thousand connections one after the other, or as many as its argument says.
fn churn<S: System>(system: S) -> Result<(), Fault> {
    let count = words(system.own_command_line())
        .nth(1)
        .and_then(|word| number(word, 10));
    for _ in 0..count.unwrap_or(10_000) {
        drop(connected(system)?);
    }
    Ok(())
}
