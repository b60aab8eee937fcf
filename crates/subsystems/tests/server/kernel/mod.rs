// SPDX-License-Identifier: GPL-2.0-or-later
//! A kernel without time and without concurrency, just big enough for the server side of the
//! Session Manager.
//!
//! What happens in other processes happens inside the call that causes it: resuming csrss makes it
//! register, a request to a port runs the server's code, a process that ends sends its PORT_CLOSED
//! at once. So a whole session comes up and goes in one call stack, always the same, with every
//! handle of smss accounted for and any call made to fail.
//!
//! It does not give way to the executive, because what these tests show is what smss does between
//! two moments of another process: a server that dies inside a call of smss, a message that arrives
//! while a table is full. The executive's scheduler decides when others run; here the test does. (The
//! real concurrency is tested over the executive, by the boots of `crates/smss/tests`.)
//!
//! A wait that nothing could ever end is a failed test.

mod calls;
mod plan;
mod programs;
mod unused;

pub use plan::{TestPlan, units};

use nt::system::*;
use nt::{ClientId, Handle, Result, Status, Word};
use sm_protocol::sb::{SbCreateProcess, SbCreatedProcess};
use sm_protocol::sm::{ConnectionInfo, SessionComplete};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use subsystems::{Manager, Record};
use zerocopy::IntoBytes;

pub const SMSS: Word = 100;

/// The first port context that smss gives out: place 0, first generation.
pub const FIRST_CONTEXT: Word = 1 << (Word::BITS / 2);

/// What a handle of smss is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Object {
    Event(Word),
    Process(Word),
    Thread(Word),
    /// A thread of smss: index into `bodies`.
    OwnThread(usize),
    /// A connection port.
    Port,
    /// smss's server-side port for a client.
    Server {
        client: Word,
    },
    /// A client of smss's port: a child instance.
    OwnClient {
        context: Word,
    },
    /// smss as a client of a server's call-back port.
    Callback {
        server: Word,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Process {
    pub session: u32,
    pub image: String,
    pub exit: Option<Status>,
    pub running: bool,
    pub image_type: ImageSubsystem,
    pub parent: Word,
    /// Contexts of its connections to smss.
    contexts: Vec<Word>,
    pub command_line: String,
    /// The current directory that it was given.
    pub directory: Option<String>,
    /// How long waits had taken when it was made (`State::waited`).
    pub born: u32,
}

/// Changes what a server answers.
pub type Lie = Box<dyn FnOnce(&mut State, &mut SbCreatedProcess) + Send>;
type Body = Box<dyn FnOnce() + Send>;
/// What happens elsewhere while smss makes a call.
type Meanwhile = Box<dyn FnOnce(&Kernel) + Send>;

#[derive(Default)]
pub struct State {
    /// Handles of every process, by process id and value.
    handles: BTreeMap<(Word, Word), Object>,
    next: Word,
    events: BTreeSet<Word>,
    pub processes: BTreeMap<Word, Process>,
    bodies: Vec<Option<Body>>,
    /// A hard error has stopped the system.
    pub stopped: bool,
    /// Its parameters, texts and numbers.
    pub hard_error: Vec<String>,
    /// Messages and errors that a thread of the port will receive, each message with the context of
    /// its connection; after them errors without end.
    pub arrivals: VecDeque<Result<(MessageBuffer, Word)>>,
    /// What such a thread has given to each of its receives, the reply, and how often smss had
    /// paused by then.
    pub receives: Vec<(Option<MessageBuffer>, usize)>,
    /// How often a thread of smss has been made critical.
    pub critical_threads: u32,
    /// How long waits have taken that came to nothing, in milliseconds.
    pub waited: u32,
    pub api_threads: u32,
    accepted: Option<Option<Word>>,
    /// Processes inside a session space that they made.
    pub attached: BTreeMap<Word, u32>,
    pub sessions: BTreeSet<u32>,
    pub bad_closes: u32,
    calls: Word,
    fail: Option<(Word, Status, bool)>,
    meanwhile: Option<(Word, Meanwhile)>,
    /// Services of which the next call fails, by name.
    refused: Vec<(&'static str, Status)>,
    /// Call-backs received by servers: process id, number.
    pub callbacks: Vec<(Word, u32)>,
    /// Images of the processes that have ended, in that order.
    pub ended: Vec<String>,
    /// Who debugs the process that was last given to a server.
    pub debugged_by: Word,
    pub delays: Vec<u32>,
    pub version: u32,
    pub flags: u32,
    pub debugger: Vec<u16>,
    /// The environment session that was last given to a server.
    pub last_environment: u32,
    /// Child instances run, and do nothing.
    pub idle_instances: bool,
    /// The longest list of processes that was asked for, in bytes.
    pub longest_list: usize,
    /// How often a child instance has lied.
    pub lies: u32,
    /// Which process that was, as smss says.
    pub taken_over: Word,
    /// late.exe registers a second time when smss makes this call for the first one.
    pub twice: Option<Word>,
    /// What creates.exe was asked last to create.
    pub to_create: Option<SbCreateProcess>,
    /// How creates.exe makes its next answer a lie.
    pub answer: Option<Lie>,
    /// Threads that cannot be opened any more.
    pub ended_threads: Vec<Word>,
    /// Which thread of a client sends its messages, counted from the process id.
    pub sender: Word,
    /// What its registrations came to.
    pub registrations: Vec<Result<Word>>,
}

/// The kernel as one process sees it: smss, or in NT 6 a child instance.
#[derive(Clone)]
pub struct Kernel {
    shared: Arc<Shared>,
    own: Word,
    command_line: Vec<u16>,
}

struct Shared {
    state: Mutex<State>,
    manager: OnceLock<&'static Manager<&'static Kernel>>,
    plan: OnceLock<fn(&'static Kernel) -> &'static TestPlan>,
}

/// A session manager whose port is open and which has not read the registry; leaked, as the seam
/// wants it for ever.
pub fn unpublished(kernel: &'static Kernel) -> &'static Manager<&'static Kernel> {
    let manager: &'static Manager<&'static Kernel> = Box::leak(Box::new(Manager::new(kernel)));
    assert!(kernel.shared.manager.set(manager).is_ok());
    manager.open_port().unwrap();
    manager
}

pub fn start_with(
    kernel: &'static Kernel,
    plan: &'static TestPlan,
) -> (&'static Kernel, &'static Manager<&'static Kernel>) {
    let manager = unpublished(kernel);
    manager.publish(plan);
    (kernel, manager)
}

/// PORT_CLOSED as a kernel sends it when the last reference to a client's end goes (spec 10.6): the
/// creation time of the process that let go of it, in the name of the thread that did. Only the
/// context says which connection it was.
pub fn port_closed() -> MessageBuffer {
    let mut message = MessageBuffer::default();
    message.header.data_length = 8;
    message.header.total_length = size_of::<PortHeader>() as u16 + 8;
    message.header.message_id = 77;
    message.data[..8].copy_from_slice(&0x01DC_5E00_0000_0000_u64.to_le_bytes());
    message
}

impl Kernel {
    pub fn new() -> Self {
        let mut state = State {
            next: 4,
            version: 5,
            sender: 1,
            ..State::default()
        };
        let smss = Process {
            image: "smss.exe".to_owned(),
            running: true,
            ..Process::default()
        };
        state.processes.insert(SMSS, smss);
        let shared = Shared {
            state: Mutex::new(state),
            manager: OnceLock::new(),
            plan: OnceLock::new(),
        };
        Self {
            shared: Arc::new(shared),
            own: SMSS,
            command_line: units("\\SystemRoot\\System32\\smss.exe"),
        }
    }

    /// The same with another command line of smss.
    pub fn called(command_line: &str) -> Self {
        Self {
            command_line: units(command_line),
            ..Self::new()
        }
    }

    /// What a child instance of smss reads from the registry.
    pub fn child_plan(&self, plan: fn(&'static Kernel) -> &'static TestPlan) {
        assert!(self.shared.plan.set(plan).is_ok());
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    fn manager(&self) -> &'static Manager<&'static Kernel> {
        self.shared.manager.get().unwrap()
    }

    /// The records in smss's tables.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let counts = self
            .manager()
            .tables
            .records(&mut |record| records.push(record));
        assert_eq!(counts, Some(self.manager().counts()));
        records
    }

    /// Handles smss has open.
    pub fn open_handles(&self) -> usize {
        self.state()
            .handles
            .keys()
            .filter(|(owner, _)| *owner == SMSS)
            .count()
    }

    /// Calls made so far, closes not counted.
    pub fn calls(&self) -> Word {
        self.state().calls
    }

    /// Makes the `nth` call from now on fail, and all that follow if `persistent`.
    pub fn fail(&self, nth: Word, status: Status, persistent: bool) {
        let mut state = self.state();
        state.fail = Some((state.calls + nth, status, persistent));
    }

    pub fn fail_no_more(&self) {
        self.state().fail = None;
    }

    /// Lets something happen elsewhere just before the `nth` call from now on is served.
    pub fn meanwhile(&self, nth: Word, act: impl FnOnce(&Kernel) + Send + 'static) {
        let mut state = self.state();
        state.meanwhile = Some((state.calls + nth, Box::new(act)));
    }

    /// Makes the next call of this service fail.
    pub fn refuse(&self, call: &'static str, status: Status) {
        self.state().refused.push((call, status));
    }

    /// The status with which this call of a service is to fail.
    fn refusal(&self, call: &str) -> Result<()> {
        let mut state = self.state();
        match state.refused.iter().position(|(name, _)| *name == call) {
            Some(at) => Err(state.refused.remove(at).1),
            None => Ok(()),
        }
    }

    fn enter(&self) -> Result<MutexGuard<'_, State>> {
        let held = nt::lock::held_at();
        assert_eq!(held, None, "a call while the lock taken there is held");
        let due = {
            let mut state = self.state();
            let calls = state.calls;
            state.meanwhile.take_if(|(at, _)| *at == calls)
        };
        if let Some((_, act)) = due {
            act(self);
        }
        let mut state = self.state();
        // A process that was ended makes no calls; smss itself ends by a hard error only.
        if self.own != SMSS && state.has_ended(self.own) {
            return Err(Status::PROCESS_IS_TERMINATING);
        }
        let call = state.calls;
        state.calls += 1;
        match state.fail {
            Some((at, status, persistent)) if call == at || (persistent && call > at) => {
                Err(status)
            }
            _ => Ok(state),
        }
    }

    /// A process that smss did not start.
    pub fn add_process(&self, session: u32, image: &str) -> Word {
        self.state().add_process(session, image, image)
    }

    /// A handle of `client` to process `target`, as an ExecPgm message names it.
    pub fn give_handle(&self, client: Word, target: Word) -> Word {
        let mut state = self.state();
        let handle = state.take_next();
        state
            .handles
            .insert((client, handle), Object::Process(target));
        handle
    }

    /// The same of its initial thread.
    pub fn give_thread(&self, client: Word, target: Word) -> Word {
        self.state().open(client, Object::Thread(target)).0
    }

    /// Handles smss has open, by value.
    pub fn handle_values(&self) -> Vec<Word> {
        let state = self.state();
        let own = state.handles.keys().filter(|(owner, _)| *owner == SMSS);
        own.map(|(_, handle)| *handle).collect()
    }

    /// Connects `client` to smss: the context it was accepted with.
    pub fn connect(&self, client: Word, announced: &ConnectionInfo) -> Result<Word> {
        self.connect_raw(client, announced.as_bytes())
    }

    pub fn connect_raw(&self, client: Word, announced: &[u8]) -> Result<Word> {
        let mut message = MessageBuffer::default();
        message.header.kind = MessageKind::CONNECTION_REQUEST.0;
        message.header.client = ClientId {
            process: client,
            thread: client + 1,
        };
        message.header.data_length = announced.len() as u16;
        for (to, from) in message.data.iter_mut().zip(announced) {
            *to = *from;
        }
        let other = self.state().accepted.take();
        assert!(!self.manager().handle(&mut message, 0));
        let answer = std::mem::replace(&mut self.state().accepted, other);
        let Some(accepted) = answer else {
            let ended = self.state().has_ended(client);
            assert!(ended, "a connection request was not answered");
            return Err(Status::PORT_DISCONNECTED);
        };
        let context = accepted.ok_or(Status::PORT_CONNECTION_REFUSED)?;
        let died = match self.state().processes.get_mut(&client) {
            Some(process) => {
                process.contexts.push(context);
                process.exit.is_some()
            }
            None => false,
        };
        if died {
            self.disconnect(client, context);
            return Err(Status::PORT_DISCONNECTED);
        }
        Ok(context)
    }

    /// Sends a request of `client` through the connection `context`: the reply.
    pub fn send(
        &self,
        client: Word,
        context: Word,
        message: &MessageBuffer,
    ) -> Option<MessageBuffer> {
        self.send_kind(client, context, message, MessageKind::REQUEST.0)
    }

    pub fn send_kind(
        &self,
        client: Word,
        context: Word,
        message: &MessageBuffer,
        kind: u16,
    ) -> Option<MessageBuffer> {
        let mut message = message.clone();
        message.header.kind = kind;
        message.header.client = ClientId {
            process: client,
            thread: client + self.state().sender,
        };
        self.manager()
            .handle(&mut message, context)
            .then_some(message)
    }

    /// The first connection of a process to smss.
    pub fn context_of(&self, process: Word) -> Option<Word> {
        self.state().processes[&process].contexts.first().copied()
    }

    /// `client` closes its connection.
    pub fn disconnect(&self, client: Word, context: Word) {
        if let Some(process) = self.state().processes.get_mut(&client) {
            process.contexts.retain(|&own| own != context);
        }
        assert!(
            self.send_kind(client, context, &port_closed(), MessageKind::PORT_CLOSED.0)
                .is_none()
        );
    }

    /// `server` tells that an environment session has ended, over the connection it registered
    /// with.
    pub fn session_complete(&self, server: Word, session: u32) {
        let context = self.state().processes[&server].contexts[0];
        let message = sm_protocol::request(&SessionComplete { session, status: 0 });
        self.send(server, context, &message)
            .expect("a request without a reply");
    }

    /// `process` ends.
    pub fn exit(&self, id: Word, status: Status) {
        let contexts = {
            let mut state = self.state();
            let Some(process) = state
                .processes
                .get_mut(&id)
                .filter(|process| process.exit.is_none())
            else {
                return;
            };
            process.exit = Some(status);
            let contexts = std::mem::take(&mut process.contexts);
            let image = process.image.clone();
            state.ended.push(image);
            state.handles.retain(|(owner, _), _| *owner != id);
            state.attached.remove(&id);
            contexts
        };
        for context in contexts {
            self.disconnect(id, context);
        }
    }

    /// Drops what is only there to be looked at after the fact.
    #[allow(dead_code, reason = "for runs without end")]
    pub fn forget_the_dead(&self) {
        let mut state = self.state();
        state.processes.retain(|_, process| process.exit.is_none());
        state.callbacks.clear();
        state.ended.clear();
        state.delays.clear();
    }

    /// Process ids of running processes with this image.
    pub fn running(&self, image: &str) -> Vec<Word> {
        let state = self.state();
        state
            .processes
            .iter()
            .filter(|(_, p)| p.image == image && p.exit.is_none())
            .map(|(id, _)| *id)
            .collect()
    }

    fn signalled(&self, handle: Handle) -> Result<bool> {
        let object = self.state().object(self.own, handle)?;
        Ok(match object {
            Object::Event(event) => self.state().events.contains(&event),
            Object::Process(id) => self
                .state()
                .processes
                .get(&id)
                .is_none_or(|process| process.exit.is_some()),
            Object::Thread(id) => self
                .state()
                .processes
                .get(&id)
                .is_none_or(|process| process.exit.is_some()),
            Object::OwnThread(index) => {
                let body = self.state().bodies[index].take();
                if let Some(body) = body {
                    body();
                }
                true
            }
            _ => false,
        })
    }

    /// Lets threads of smss run that stand by while a call is blocked.
    pub fn run_standing_by(&self) {
        let bodies: Vec<Body> = self
            .state()
            .bodies
            .iter_mut()
            .filter_map(Option::take)
            .collect();
        for body in bodies {
            body();
        }
    }
}

impl State {
    fn take_next(&mut self) -> Word {
        self.next += 4;
        self.next
    }

    fn has_ended(&self, process: Word) -> bool {
        self.processes
            .get(&process)
            .is_some_and(|process| process.exit.is_some())
    }

    /// A handle to a process, and one to its initial thread.
    pub fn give(&mut self, owner: Word, process: Word) -> Handle {
        self.open(owner, Object::Process(process))
    }

    pub fn give_thread(&mut self, owner: Word, process: Word) -> Handle {
        self.open(owner, Object::Thread(process))
    }

    fn open(&mut self, owner: Word, object: Object) -> Handle {
        let handle = self.take_next();
        self.handles.insert((owner, handle), object);
        Handle(handle)
    }

    fn object(&self, owner: Word, handle: Handle) -> Result<Object> {
        self.handles
            .get(&(owner, handle.0))
            .cloned()
            .ok_or(Status::INVALID_HANDLE)
    }

    fn add_process(&mut self, session: u32, image: &str, command_line: &str) -> Word {
        let id = self.take_next() + 1_000;
        let image_type = match image {
            "winlogon.exe" | "wininit.exe" | "gui.exe" | "guiss.exe" => ImageSubsystem::WINDOWS_GUI,
            "console.exe" => ImageSubsystem::WINDOWS_CUI,
            _ => ImageSubsystem::NATIVE,
        };
        let process = Process {
            session,
            image: image.to_owned(),
            image_type,
            command_line: command_line.to_owned(),
            born: self.waited,
            ..Process::default()
        };
        self.processes.insert(id, process);
        id
    }
}
