// SPDX-License-Identifier: GPL-2.0-or-later
//! The calls that this kernel serves.

use super::{Body, Kernel, Object, State};
use nt::access::Access;
use nt::path::{CurrentDirectory, FullPaths, MAX_DOS};
use nt::system::*;
use nt::{ClientId, Handle, ObjectAttributes, Result, Status, UnicodeBuf, UnicodeStr, Word};
use std::collections::BTreeSet;

impl Objects for &Kernel {
    fn close(self, handle: Handle) -> Result<()> {
        let mut state = self.state();
        match state.handles.remove(&(self.own, handle.0)) {
            Some(_) => Ok(()),
            None => {
                // The table of a process that has ended is gone with it.
                if !state.has_ended(self.own) {
                    state.bad_closes += 1;
                }
                Err(Status::INVALID_HANDLE)
            }
        }
    }

    fn duplicate(
        self,
        source: Handle,
        handle: Handle,
        target: Handle,
        _: Access,
    ) -> Result<Handle> {
        let mut state = self.enter()?;
        let process = |state: &State, handle| match handle {
            Handle::CURRENT_PROCESS => Ok(self.own),
            handle => match state.object(self.own, handle)? {
                Object::Process(id) => Ok(id),
                _ => Err(Status::OBJECT_TYPE_MISMATCH),
            },
        };
        let object = state.object(process(&state, source)?, handle)?;
        let target = process(&state, target)?;
        if state
            .processes
            .get(&target)
            .is_none_or(|process| process.exit.is_some())
        {
            return Err(Status::PROCESS_IS_TERMINATING);
        }
        Ok(state.open(target, object))
    }

    fn create_event(self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        let mut state = self.enter()?;
        let event = state.take_next();
        Ok(state.open(self.own, Object::Event(event)))
    }

    fn set_event(self, event: Handle) -> Result<()> {
        self.refusal("set_event")?;
        let mut state = self.enter()?;
        let Object::Event(event) = state.object(self.own, event)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        state.events.insert(event);
        Ok(())
    }

    fn wait_one(self, object: Handle, timeout: Timeout) -> Result<Wait> {
        self.wait_any(&[object], timeout)
    }

    fn wait_any(self, objects: &[Handle], timeout: Timeout) -> Result<Wait> {
        self.refusal("wait_any")?;
        if self.enter()?.stopped {
            // Nobody runs on; here everybody is one thread, which has to come back.
            return Err(Status::THREAD_IS_TERMINATING);
        }
        for (index, &object) in objects.iter().enumerate() {
            if self.signalled(object)? {
                return Ok(Wait::Object(index));
            }
        }
        let Timeout::Milliseconds(milliseconds) = timeout else {
            panic!("a wait that nothing ends");
        };
        self.state().waited += milliseconds;
        Ok(Wait::Timeout)
    }

    fn delay(self, milliseconds: u32) -> Result<()> {
        self.refusal("delay")?;
        self.enter()?.delays.push(milliseconds);
        Ok(())
    }

    fn make_temporary(self, _: Handle) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn create_directory(self, _: &ObjectAttributes<'_>, _: Access) -> Result<Created> {
        Err(Status::NOT_SUPPORTED)
    }

    fn open_directory(self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_directory(
        self,
        _: Handle,
        _: &mut dyn FnMut(DirectoryEntry<'_>) -> bool,
    ) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn create_symbolic_link(
        self,
        _: &ObjectAttributes<'_>,
        _: Access,
        _: UnicodeStr<'_>,
    ) -> Result<Created> {
        Err(Status::NOT_SUPPORTED)
    }

    fn open_symbolic_link(self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_symbolic_link<'b>(self, _: Handle, _: &'b mut [u16]) -> Result<UnicodeStr<'b>> {
        Err(Status::NOT_SUPPORTED)
    }
}

impl Ports for &Kernel {
    fn create_port(self, attributes: &ObjectAttributes<'_>, limits: PortLimits) -> Result<Handle> {
        // Spec 1.5 and 13.4.
        let wanted = if cfg!(target_pointer_width = "64") {
            (0xF4, 0x148, 0x2400)
        } else {
            (0xF4, 0x130, 0x2200)
        };
        assert_eq!(
            (limits.connection_info, limits.message, limits.pool),
            wanted
        );
        assert!(attributes.security.is_some());
        Ok(self.enter()?.open(self.own, Object::Port))
    }

    fn connect_port(self, name: UnicodeStr<'_>, information: &mut [u8]) -> Result<Handle> {
        drop(self.enter()?);
        if name.eq_ascii("\\SmApiPort") {
            let context = self.connect_raw(self.own, information)?;
            return Ok(self.state().open(self.own, Object::OwnClient { context }));
        }
        let server = name
            .to_string()
            .strip_prefix("\\Sb")
            .and_then(|id| id.parse().ok())
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        let mut state = self.state();
        match state.processes.get(&server) {
            Some(process) if process.exit.is_none() => {
                Ok(state.open(self.own, Object::Callback { server }))
            }
            _ => Err(Status::OBJECT_NAME_NOT_FOUND),
        }
    }

    fn accept_connect(self, request: &MessageBuffer, accept: Accept) -> Result<Handle> {
        match accept {
            Accept::No => {
                let refused = self.refusal("refuse_connect");
                // A client that has gone has its answer.
                if !matches!(refused, Err(Status::NO_MEMORY)) {
                    self.state().accepted = Some(None);
                }
                refused.map(|()| Handle::NULL)
            }
            Accept::Yes { context } => {
                self.refusal("accept_connect")?;
                let entered = self.enter();
                let Ok(mut state) = entered else {
                    return entered.map(|_| Handle::NULL);
                };
                state.accepted = Some(Some(context));
                Ok(state.open(
                    self.own,
                    Object::Server {
                        client: request.header.client.process,
                    },
                ))
            }
        }
    }

    fn complete_connect(self, port: Handle) -> Result<()> {
        self.refusal("complete_connect")?;
        let entered = self.enter();
        match entered {
            Ok(state) => state.object(self.own, port).map(drop),
            Err(status) => {
                // The client's attempt to connect fails.
                self.state().accepted = Some(None);
                Err(status)
            }
        }
    }

    fn reply_wait_receive(
        self,
        _: Handle,
        reply: Option<&MessageBuffer>,
        message: &mut MessageBuffer,
    ) -> Result<Received> {
        let mut state = self.enter()?;
        let pauses = state.delays.len();
        state.receives.push((reply.cloned(), pauses));
        assert!(state.receives.len() < 10_000, "it never gives up");
        let arrived = state.arrivals.pop_front();
        let context;
        (*message, context) = arrived.unwrap_or(Err(Status::INVALID_HANDLE))?;
        Ok(Received { context })
    }

    fn request_wait_reply(self, port: Handle, message: &mut MessageBuffer) -> Result<()> {
        let object = self.enter()?.object(self.own, port)?;
        match object {
            Object::OwnClient { context } => {
                *message = self
                    .send(self.own, context, message)
                    .expect("a request without a reply");
                Ok(())
            }
            Object::Callback { server } => self.callback(server, message),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }
}

impl Processes for &'static Kernel {
    fn create_process(
        self,
        parameters: &ProcessParameters<'_>,
        told: &mut UserProcessInformation,
    ) -> Result<()> {
        let mut state = self.enter()?;
        let image = parameters.image.to_string();
        let image = image.rsplit('\\').next().unwrap().to_owned();
        let session = state.attached.get(&self.own).copied().unwrap_or(0);
        let id = state.add_process(session, &image, &parameters.command_line.to_string());
        let made = state.processes.get_mut(&id).unwrap();
        made.parent = self.own;
        made.directory = parameters.current_directory.map(|text| text.to_string());
        let process = state.open(self.own, Object::Process(id));
        let thread = state.open(self.own, Object::Thread(id));
        *told = UserProcessInformation {
            size: size_of::<UserProcessInformation>() as u32,
            process: process.0,
            thread: thread.0,
            client: ClientId {
                process: id,
                thread: id + 1,
            },
            ..UserProcessInformation::default()
        };
        told.image.subsystem = state.processes[&id].image_type;
        Ok(())
    }

    fn open_process(self, client: ClientId, _: Access) -> Result<Handle> {
        self.refusal("open_process")?;
        let mut state = self.enter()?;
        if state.ended_threads.contains(&client.thread) {
            return Err(Status::INVALID_CID);
        }
        match state.processes.get(&client.process) {
            Some(process) if process.exit.is_none() => {
                Ok(state.open(self.own, Object::Process(client.process)))
            }
            _ => Err(Status::INVALID_CID),
        }
    }

    fn terminate_process(self, process: Handle, status: Status) -> Result<()> {
        self.refusal("terminate_process")?;
        let object = self.enter()?.object(self.own, process)?;
        let Object::Process(id) = object else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        if self
            .state()
            .processes
            .get(&id)
            .is_none_or(|process| process.exit.is_some())
        {
            return Err(Status::PROCESS_IS_TERMINATING);
        }
        self.exit(id, status);
        Ok(())
    }

    fn read_memory(self, _: Handle, _: u64, _: &mut [u8]) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn resume_thread(self, thread: Handle) -> Result<()> {
        let object = self.enter()?.object(self.own, thread)?;
        let Object::Thread(id) = object else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        self.run(id)
    }

    fn create_thread<B: ThreadBody>(self, body: &'static B) -> Result<Handle> {
        let of_the_pool = std::any::type_name::<B>().contains("Manager<");
        if !of_the_pool {
            self.refusal("create_thread")?;
        }
        let mut state = self.enter()?;
        let body: Option<Body> = if of_the_pool {
            // It would receive messages; here they are handed over.
            state.api_threads += 1;
            None
        } else {
            Some(Box::new(|| body.run()))
        };
        state.bodies.push(body);
        let index = state.bodies.len() - 1;
        Ok(state.open(self.own, Object::OwnThread(index)))
    }

    fn exit_thread(self, _: Status) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_exit(self, process: Handle) -> Result<ExitInformation> {
        let state = self.enter()?;
        let Object::Process(id) = state.object(self.own, process)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let status = state.processes.get(&id).map_or(Status::SUCCESS, |process| {
            process.exit.unwrap_or(Status::PENDING)
        });
        Ok(ExitInformation {
            status,
            process: id,
            parent: state.processes.get(&id).map_or(0, |process| process.parent),
        })
    }

    fn query_thread(self, thread: Handle) -> Result<ClientId> {
        let Object::Thread(id) = self.enter()?.object(self.own, thread)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        Ok(ClientId {
            process: id,
            thread: id + 1,
        })
    }

    fn query_session(self, process: Handle) -> Result<u32> {
        let state = self.enter()?;
        if process == Handle::CURRENT_PROCESS {
            return Ok(0);
        }
        let Object::Process(id) = state.object(self.own, process)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        state
            .processes
            .get(&id)
            .map(|process| process.session)
            .ok_or(Status::INVALID_CID)
    }

    fn set_session(self, process: Handle, session: u32) -> Result<()> {
        if self.query_session(process)? == session {
            Ok(())
        } else {
            Err(Status::ACCESS_DENIED)
        }
    }

    fn query_device_map(self) -> Result<DeviceMap> {
        Err(Status::NOT_SUPPORTED)
    }

    fn set_process_critical(self, _: bool) -> Result<()> {
        drop(self.enter()?);
        Ok(())
    }

    fn set_thread_critical(self, critical: bool) -> Result<()> {
        self.enter()?.critical_threads += u32::from(critical);
        Ok(())
    }

    fn set_base_priority(self, _: u32) -> Result<()> {
        drop(self.enter()?);
        Ok(())
    }

    fn set_hard_error_mode(self, _: u32) -> Result<()> {
        drop(self.enter()?);
        Ok(())
    }

    fn client_id(self) -> ClientId {
        ClientId {
            process: self.own,
            thread: self.own + 1,
        }
    }

    fn own_environment(self) -> &'static [u16] {
        &[]
    }

    fn own_dll_path(self) -> UnicodeStr<'static> {
        UnicodeStr::EMPTY
    }

    fn own_command_line(self) -> UnicodeStr<'static> {
        UnicodeStr(&self.command_line)
    }

    fn own_debug_flags(self) -> u32 {
        0
    }

    fn own_global_flag(self) -> u32 {
        self.state().flags
    }
}

impl FullPaths for &Kernel {
    fn full_path(self, dos: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()> {
        CurrentDirectory(self.system_root()).full_path(dos, full)
    }
}

impl SystemWide for &Kernel {
    fn system_root(self) -> UnicodeStr<'static> {
        nt::wide!("C:\\ReactOS")
    }

    fn version(self) -> VersionInformation {
        VersionInformation {
            major: self.state().version,
            minor: 2,
        }
    }

    fn query_basic(self) -> Result<BasicInformation> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_processor(self) -> Result<ProcessorInformation> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_raw(self, class: u32, into: &mut [u8]) -> Result<usize> {
        assert_eq!(class, 5);
        let longest = self.state().longest_list.max(into.len());
        self.state().longest_list = longest;
        self.refusal("query_raw")?;
        let state = self.enter()?;
        // SYSTEM_PROCESS_INFORMATION, an entry each 0x100 bytes.
        let mut list = Vec::new();
        for (id, process) in state
            .processes
            .iter()
            .filter(|(_, process)| process.exit.is_none())
        {
            let mut entry = [0; 0x100];
            entry[..4].copy_from_slice(&0x100_u32.to_le_bytes());
            let ids = [id.to_le_bytes(), process.parent.to_le_bytes()].concat();
            // Spec 13.4: where a 64-bit NT has the process id, and a 32-bit one.
            let at = if size_of::<Word>() == 8 { 0x50 } else { 0x44 };
            entry[at..][..ids.len()].copy_from_slice(&ids);
            list.extend(entry);
        }
        let last = list.len() - 0x100;
        list[last..last + 4].fill(0);
        into.get_mut(..list.len())
            .ok_or(Status::INFO_LENGTH_MISMATCH)?
            .copy_from_slice(&list);
        Ok(list.len())
    }

    fn create_session(self) -> Result<u32> {
        let mut state = self.enter()?;
        if state.attached.contains_key(&self.own) {
            return Err(Status::ALREADY_COMMITTED);
        }
        // A session lives while somebody is in it.
        let used: BTreeSet<u32> = state
            .processes
            .values()
            .filter(|process| process.exit.is_none())
            .map(|process| process.session)
            .collect();
        let free = |session: &u32| {
            if *session == 0 {
                state.sessions.is_empty()
            } else {
                !used.contains(session)
            }
        };
        let session = (0..).find(free).unwrap();
        state.sessions.insert(session);
        state.attached.insert(self.own, session);
        Ok(session)
    }

    fn detach_session(self, session: u32) -> Result<()> {
        let mut state = self.enter()?;
        if state.attached.get(&self.own) != Some(&session) {
            return Err(Status::UNABLE_TO_FREE_VM);
        }
        state.attached.remove(&self.own);
        Ok(())
    }

    fn extend_service_table(self, driver: UnicodeStr<'_>) -> Result<()> {
        let state = self.enter()?;
        let exact = driver.to_string() == "\\SystemRoot\\System32\\win32k.sys"
            && state.attached.contains_key(&self.own);
        if exact {
            Ok(())
        } else {
            Err(Status::PRIVILEGE_NOT_HELD)
        }
    }

    fn adjust_privilege(self, _: Privilege, _: bool, _: PrivilegeHolder) -> Result<bool> {
        drop(self.enter()?);
        Ok(false)
    }

    fn display_string(self, _: UnicodeStr<'_>) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn raise_hard_error(self, error: &HardError<'_>) -> Result<()> {
        let mut state = self.enter()?;
        state.stopped = true;
        state.hard_error = error
            .parameters
            .iter()
            .map(|parameter| match parameter {
                HardErrorParameter::Text(text) => text.to_string(),
                HardErrorParameter::Value(value) => format!("{value:x}"),
            })
            .collect();
        Ok(())
    }

    fn shut_down(self, _: ShutdownAction) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn exchange_boot_status(self, _: &[BootStatusItem; 2], _: [bool; 2]) -> Result<[bool; 2]> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_image_debugger<'b>(
        self,
        _: UnicodeStr<'_>,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        let state = self.enter()?;
        if state.debugger.is_empty() {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let space = buffer
            .get_mut(..state.debugger.len())
            .ok_or(Status::BUFFER_TOO_SMALL)?;
        space.copy_from_slice(&state.debugger);
        Ok(UnicodeStr(space))
    }
}
