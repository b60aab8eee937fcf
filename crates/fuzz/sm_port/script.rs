// SPDX-License-Identifier: GPL-2.0-or-later
//! What the clients of one input do: arbitrary bytes as scripts, and the program that plays one.
//!
//! The first bytes say what is not a client's to decide ([`Script`]); each step then begins with a
//! byte for whose and which it is. Bytes that are missing are zero, so that every input is a script.

use executive::host::Seam;
use nt::system::{
    ImageSubsystem, MessageBuffer, MessageKind, Objects, Ports, Processes, ThreadBody, Timeout,
};
use nt::{Handle, Owned, Status, UnicodeStr};
use sm_protocol::sm::{ConnectionInfo, ExecPgm, LoadDeferred, QuerySessions, StartCsr, StopCsr};
use sm_protocol::{ApiMessage, client, request};
use zerocopy::{FromZeros, IntoBytes};

/// Clients at once.
pub const CLIENTS: usize = 3;
/// Steps of all of them together.
const STEPS: usize = 40;
/// What is run in a session, or as its initial command.
const COMMANDS: [&str; 6] = [
    "",
    "sleep.exe",
    "logoff.exe",
    "exit.exe c0000001",
    "console.exe",
    "nothing.exe",
];
/// Optional subsystems, of which the last two are not there.
const SUBSYSTEMS: [&str; 3] = ["Posix", "Os2", ""];
/// Names of call-back ports: one that listens, one that is no port, none.
const CALL_BACKS: [&str; 3] = ["\\Windows\\SbApiPort", "\\SystemRoot", ""];
/// Programs that may end at one of their own calls.
const MORTAL: [&str; 6] = [
    "fuzzer.exe",
    "csrss.exe",
    "winlogon.exe",
    "psxss.exe",
    "sleep.exe",
    "smss.exe",
];

/// A step of a client.
#[derive(Clone)]
pub enum Step {
    /// It connects, and announces these bytes.
    Connect(Vec<u8>),
    /// It closes its newest connection.
    Close,
    /// It sends a message through its newest connection and waits for the answer.
    Send(Box<MessageBuffer>),
    /// It creates a program and asks for it to be taken over.
    Exec(&'static str),
    /// A second thread does what is left, with the same connection; the first one waits for it, or
    /// ends.
    Thread(bool),
    /// A second thread does the next steps, at the same time as the first one those after them.
    Beside(u8),
    /// It waits so many milliseconds.
    Pause(u32),
    /// It ends, whatever it holds.
    End,
}

/// The whole of an input.
#[derive(Default)]
pub struct Script {
    /// The steps of each client.
    pub clients: [Vec<Step>; CLIENTS],
    /// A thread gives way at one in so many points, or never.
    pub preemption: u64,
    /// What is drawn is drawn from this.
    pub seed: u64,
    /// The program that ends at one of its calls, counted from the input's start.
    pub death: Option<(&'static str, u64)>,
}

/// The bytes of an input that are left.
struct Input<'i>(&'i [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.0.len());
        self.0.split_off(..count).unwrap_or_default().to_vec()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }
}

/// Copies the text's units into a field that has room for them; the bytes that they take.
fn put(field: &mut [u16], text: &str) -> u32 {
    let mut bytes = 0;
    for (to, unit) in field.iter_mut().zip(text.encode_utf16()) {
        *to = unit;
        bytes += 2;
    }
    bytes
}

impl Script {
    /// What these bytes say.
    pub fn of(bytes: &[u8]) -> Self {
        let input = &mut Input(bytes);
        let mut script = Self {
            preemption: u64::from(input.byte() % 32),
            seed: u64::from(input.word()),
            ..Self::default()
        };
        if input.byte() % 4 == 0 {
            script.death = Some((input.one_of(&MORTAL), u64::from(input.byte())));
        }
        for _ in 0..STEPS {
            if input.0.is_empty() {
                break;
            }
            let what = input.byte();
            script.clients[usize::from(what) % CLIENTS]
                .push(step(usize::from(what) / CLIENTS, input));
        }
        script
    }
}

/// The step with this number.
fn step(number: usize, input: &mut Input<'_>) -> Step {
    match number % 16 {
        0 | 1 => Step::Connect(ConnectionInfo::PLAIN.as_bytes().to_vec()),
        2 => {
            let subsystem = ImageSubsystem(u32::from(input.byte() % 16));
            let name = input.one_of(&CALL_BACKS);
            let mut announced = ConnectionInfo {
                subsystem,
                ..ConnectionInfo::PLAIN
            };
            put(&mut announced.port_name, name);
            Step::Connect(announced.as_bytes().to_vec())
        }
        3 => {
            let count = usize::from(input.word()) % 0x120;
            Step::Connect(input.bytes(count))
        }
        4 => Step::Close,
        5 | 6 => {
            let mut body = StartCsr::new_zeroed();
            body.length = put(&mut body.command, input.one_of(&COMMANDS));
            Step::Send(Box::new(request(&body)))
        }
        7 => Step::Send(Box::new(request(&StopCsr {
            session: u32::from(input.byte() % 8),
        }))),
        8 => {
            let mut body = LoadDeferred::new_zeroed();
            body.length = put(&mut body.name, input.one_of(&SUBSYSTEMS));
            Step::Send(Box::new(request(&body)))
        }
        9 => Step::Exec(input.one_of(&COMMANDS)),
        10 => {
            let mut body = QuerySessions::new_zeroed();
            body.class = u32::from(input.word());
            body.first = u32::from(input.byte());
            Step::Send(Box::new(request(&body)))
        }
        11 => {
            let mut body = ExecPgm::new_zeroed();
            let bytes = input.bytes(size_of::<ExecPgm>());
            body.as_mut_bytes()[..bytes.len()].copy_from_slice(&bytes);
            Step::Send(Box::new(request(&body)))
        }
        12 => Step::Thread(input.byte().is_multiple_of(2)),
        13 => Step::Beside(input.byte() % 8),
        14 => match input.byte() {
            0..16 => Step::End,
            pause => Step::Pause(u32::from(pause) * 100),
        },
        _ => {
            let mut message = Box::new(MessageBuffer::default());
            message.header.data_length = input.word() % 0x180;
            message.header.total_length = message.header.data_length + input.word() % 0x60;
            message.header.kind = input.word();
            message.header.message_id = u32::from(input.byte());
            // Numbers that are served, the child instances' among them, and some that are not.
            message.data[0] = input.byte() % 12;
            message.data[1] = input.byte() % 2;
            let count = usize::from(input.byte());
            let data = input.bytes(count);
            message.data[8..8 + data.len()].copy_from_slice(&data);
            Step::Send(message)
        }
    }
}

/// What a second thread does.
struct Rest {
    seam: &'static Seam,
    port: Option<Handle>,
    steps: Vec<Step>,
}

impl ThreadBody for Rest {
    fn run(&'static self) {
        play(self.seam, self.port, &self.steps);
    }
}

/// The client's program.
pub fn main(seam: &'static Seam, steps: &[Step]) -> Status {
    play(seam, None, steps);
    Status::SUCCESS
}

/// Plays the steps in a thread that has one connection at most at its start.
fn play(seam: &'static Seam, port: Option<Handle>, steps: &[Step]) {
    let mut ports: Vec<Handle> = port.into_iter().collect();
    let mut beside = Vec::new();
    let mut left = steps;
    let second = |port: Option<&Handle>, steps: &[Step]| {
        let rest = Box::leak(Box::new(Rest {
            seam,
            port: port.copied(),
            steps: steps.to_vec(),
        }));
        seam.create_thread(rest)
            .ok()
            .map(|thread| Owned::new(seam, thread))
    };
    while let [step, rest @ ..] = left {
        left = rest;
        match step {
            Step::Connect(announced) => {
                let mut information = announced.clone();
                let port = seam.connect_port(sm_protocol::sm::SM_PORT, &mut information);
                ports.extend(port.ok());
            }
            Step::Close => drop(ports.pop().map(|port| Owned::new(seam, port))),
            Step::Send(message) => {
                if let Some(&port) = ports.last() {
                    send(seam, port, message);
                }
            }
            Step::Exec(command) => {
                if let Some(&port) = ports.last() {
                    exec(seam, port, command);
                }
            }
            Step::Thread(stays) => {
                let thread = second(ports.last(), left);
                left = &[];
                if *stays {
                    beside.extend(thread);
                } else if thread.is_some() {
                    drop(thread);
                    let _ = seam.exit_thread(Status::SUCCESS);
                }
            }
            Step::Beside(count) => {
                let (theirs, ours) = left.split_at(left.len().min(usize::from(*count)));
                beside.extend(second(ports.last(), theirs));
                left = ours;
            }
            Step::Pause(milliseconds) => drop(seam.delay(*milliseconds)),
            Step::End => {
                let _ = seam.terminate_process(Handle::CURRENT_PROCESS, Status::UNSUCCESSFUL);
            }
        }
    }
    for thread in beside {
        let _ = seam.wait_one(thread.get(), Timeout::Never);
    }
}

/// Sends a message; what comes back is the reply to it and to nothing else.
fn send(seam: &Seam, port: Handle, message: &MessageBuffer) {
    let mut answer = message.clone();
    // An error is the kernel's: there is no such port any more, or no such message.
    if seam.request_wait_reply(port, &mut answer).is_ok() {
        assert_eq!(answer.header.kind & 0xFF, MessageKind::REPLY.0);
        let answered = answer.api().expect("every reply has a result");
        if let Ok(asked) = message.api() {
            assert_eq!(asked.number, answered.number, "another request's reply");
        }
    }
}

/// Creates a program and has it taken over; one that is refused is ended.
fn exec(seam: &'static Seam, port: Handle, command: &str) {
    let command: Vec<u16> = command.encode_utf16().collect();
    let Ok(created) = programs::processes::create(seam, UnicodeStr(&command)) else {
        return;
    };
    let process = Owned::new(seam, Handle(created.process));
    let _thread = Owned::new(seam, Handle(created.thread));
    let mut body = ExecPgm::new_zeroed();
    body.process = created;
    if client::call(seam, port, &mut body).is_err() {
        let _ = seam.terminate_process(process.get(), Status::UNSUCCESSFUL);
    }
}
