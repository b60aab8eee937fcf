// SPDX-License-Identifier: GPL-2.0-or-later
//! What the other processes do: servers that keep the contract or break it, by the name of their
//! image, and child instances of smss.

use super::{Kernel, Object, SMSS, units};
use nt::system::*;
use nt::{ClientId, Handle, Result, Status, UnicodeStr, Word};
use sm_protocol::ApiMessage;
use sm_protocol::sb::{SbApi, SbCreatedProcess};
use sm_protocol::sm::ConnectionInfo;
use subsystems::instance::Arguments;
use zerocopy::{FromBytes, FromZeros};

impl Kernel {
    /// A server that is refused ends (spec 9.5).
    fn register(&self, id: Word, announced: &ConnectionInfo) {
        if let Err(status) = self.connect(id, announced) {
            self.exit(id, status);
        }
    }

    /// A child instance's whole life.
    fn child_instance(&self, id: Word, line: &str) {
        let own: &'static Kernel = Box::leak(Box::new(Kernel {
            own: id,
            command_line: units(line),
            ..self.clone()
        }));
        let plan = self
            .shared
            .plan
            .get()
            .expect("a child instance in a test that foresees none")(own);
        let arguments =
            Arguments::parse(UnicodeStr(&own.command_line)).expect("arguments of a child instance");
        let result = subsystems::instance::run(own, self.manager().policy(), plan, arguments);
        self.exit(id, result.into());
    }

    /// What a process does with its first instruction.
    fn begin(&self, id: Word) {
        let (image, line) = {
            let state = self.state();
            let process = &state.processes[&id];
            (process.image.clone(), process.command_line.clone())
        };
        let announced = move |image_type| {
            let name: Vec<u16> = format!("\\Sb{id}").encode_utf16().collect();
            ConnectionInfo::server(image_type, UnicodeStr(&name)).unwrap()
        };
        match image.as_str() {
            "csrss.exe" | "mute.exe" | "refuses.exe" | "creates.exe" => {
                self.register(id, &announced(ImageSubsystem::WINDOWS_GUI))
            }
            "late.exe" => {
                let register = move |kernel: &Kernel| {
                    let result = kernel.connect(id, &announced(ImageSubsystem::WINDOWS_GUI));
                    kernel.state().registrations.push(result);
                };
                let twice = self.state().twice.take();
                if let Some(nth) = twice {
                    self.meanwhile(nth, register);
                }
                register(self);
            }
            // It asks a second time if it is refused.
            "again.exe" => {
                let announced = announced(ImageSubsystem::WINDOWS_GUI);
                if self.connect(id, &announced).is_err() {
                    self.register(id, &announced);
                }
            }
            "os2ss.exe" => self.register(id, &announced(ImageSubsystem::OS2_CUI)),
            // The latter is an application of another server's.
            "psxss.exe" | "guiss.exe" => self.register(id, &announced(ImageSubsystem::POSIX_CUI)),
            "nameless.exe" => self.register(
                id,
                &ConnectionInfo::server(ImageSubsystem::WINDOWS_GUI, UnicodeStr::EMPTY).unwrap(),
            ),
            "dies.exe" => self.exit(id, Status::new(0xC000_0142)),
            "succeeds.exe" => self.exit(id, Status::SUCCESS),
            "leaves.exe" | "finishes.exe" => {
                self.register(id, &announced(ImageSubsystem::WINDOWS_GUI));
                let success = image == "finishes.exe";
                let failure = Status::ACCESS_VIOLATION;
                self.exit(id, if success { Status::SUCCESS } else { failure });
            }
            "smss.exe" if self.state().idle_instances => {}
            "smss.exe" => self.child_instance(id, &line),
            "exit.exe" => self.exit(id, Status::SUCCESS),
            _ if line.contains("exits") => self.exit(id, Status::SUCCESS),
            _ => {}
        }
    }

    pub(super) fn callback(&self, server: Word, message: &mut MessageBuffer) -> Result<()> {
        let image = self
            .state()
            .processes
            .get(&server)
            .map(|process| process.image.clone())
            .unwrap_or_default();
        if image == "mute.exe" {
            self.run_standing_by();
        }
        let gone = || Err(Status::PORT_DISCONNECTED);
        if self
            .state()
            .processes
            .get(&server)
            .is_none_or(|process| process.exit.is_some())
        {
            return gone();
        }
        assert_ne!(image, "mute.exe", "a call that nothing ends");
        let api = SbApi(message.api()?.number);
        self.state().callbacks.push((server, api.0));
        let result = match api {
            SbApi::CREATE_SESSION if image == "refuses.exe" => Err(Status::NO_MEMORY),
            SbApi::CREATE_PROCESS if image == "refuses.exe" => Err(Status::NO_MEMORY),
            // The strings are addresses in smss, which nobody can follow here; what is asked for is
            // psxss.
            SbApi::CREATE_PROCESS if image == "creates.exe" => {
                let mut state = self.state();
                state.to_create = Some(*message.body_mut()?);
                let session = state.processes[&server].session;
                let process = state.add_process(session, "psxss.exe", "created by the server");
                state.processes.get_mut(&process).unwrap().parent = server;
                let mut answer = SbCreatedProcess::new_zeroed();
                answer.process = state.open(SMSS, Object::Process(process)).0;
                answer.thread = state.open(SMSS, Object::Thread(process)).0;
                answer.subsystem = ImageSubsystem::NATIVE;
                answer.client = ClientId {
                    process,
                    thread: process + 1,
                };
                if let Some(change) = state.answer.take() {
                    change(&mut state, &mut answer);
                }
                drop(state);
                message.set_body(&answer);
                Ok(())
            }
            SbApi::FOREIGN_SESSION_COMPLETE | SbApi::TERMINATE_SESSION
                if image == "creates.exe" =>
            {
                Ok(())
            }
            SbApi::CREATE_SESSION => {
                let (body, _) =
                    sm_protocol::sb::SbCreateSession::read_from_prefix(&message.data[8..]).unwrap();
                assert_ne!(body.session, 0);
                let named = |handle| match self.state().object(server, Handle(handle)) {
                    Ok(Object::Process(id) | Object::Thread(id)) => id,
                    other => panic!("a handle that is not valid in the server: {other:?}"),
                };
                let process = named(body.process.process);
                assert_eq!(named(body.process.thread), process);
                self.state().debugged_by = body.debugger.process;
                self.state().last_environment = body.session;
                self.state().taken_over = body.process.client.process;
                self.run(process)
            }
            _ => Err(Status::NOT_IMPLEMENTED),
        };
        message.set_result(result.into());
        Ok(())
    }

    pub(super) fn run(&self, id: Word) -> Result<()> {
        let begins = {
            let mut state = self.state();
            let process = state.processes.get_mut(&id).ok_or(Status::INVALID_CID)?;
            if process.exit.is_some() {
                return Err(Status::THREAD_IS_TERMINATING);
            }
            !std::mem::replace(&mut process.running, true)
        };
        if begins {
            self.begin(id);
        }
        Ok(())
    }
}
