// SPDX-License-Identifier: GPL-2.0-or-later
//! How processes and threads are made (NtCreateProcess, NtCreateThread), and how the first two of
//! all are.
//!
//! What a new process has of its parent: token (a copy), device map, hard-error mode, session, and
//! on request the handles that are to be inherited. What it has of its own: an address space with
//! the image, the system DLL, the language tables and the PEB.

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::layout::ClientId;
use crate::machine::{Architecture, Context};
use crate::mm::AddressSpace;
use crate::ob::prelude::*;
use crate::ob::{DeviceMapId, HandleTable, Kind};
use crate::ps::blocks::{Far, Peb, Teb};
use crate::ps::process::{DEFAULT_HARD_ERROR_MODE, NORMAL_PRIORITY};
use crate::ps::{Process, SystemCall, SystemDll, Thread};
use crate::se::Token;
use crate::system::Body;
use crate::system::{Executive, Version};
use abi::memory::PAGE_READWRITE;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::{Handle, ObjectAttributes, Result, Status};

/// `OSBuildNumber` of each version.
const BUILD_5_2: u16 = 3790;
const BUILD_6_1: u16 = 7601;
const BACKSLASH: u16 = 0x5c;

/// NtCreateProcess's arguments.
#[derive(Clone, Copy, Debug)]
pub struct CreateProcess {
    /// The parent.
    pub parent: Handle,
    /// The image's section.
    pub section: Handle,
    /// The port for exceptions nobody handles, or null.
    pub exception_port: Handle,
    /// Whether the parent's inheritable handles are inherited.
    pub inherit_handles: bool,
}

/// INITIAL_TEB: the stack that the creator has made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Highest address.
    pub base: u64,
    /// Lowest committed address.
    pub limit: u64,
    /// Lowest reserved address.
    pub allocation: u64,
}

impl Executive {
    /// The System process and its thread: kernel mode, in whose name the system is built. Once,
    /// before anything else.
    pub fn create_system_process(&mut self) {
        let token = self.new_object(Body::Token(Box::new(Token::system())));
        let object = self.new_object(Body::Process(ProcessId::SYSTEM));
        let mut process = self.blank_process(ProcessId::SYSTEM, ProcessId(0), object, token);
        process.image = utf16("System");
        self.processes.insert(ProcessId::SYSTEM, process);
        let thread = self.new_object(Body::Thread(ThreadId::SYSTEM));
        self.enter_thread(ThreadId::SYSTEM, ProcessId::SYSTEM, thread, 0, 0);
        self.next_id = ThreadId::SYSTEM.0 + 4;
    }

    fn blank_process(
        &self,
        id: ProcessId,
        parent: ProcessId,
        object: ObjectId,
        token: ObjectId,
    ) -> Process {
        Process {
            id,
            object,
            parent,
            image: Vec::new(),
            command_line: None,
            token,
            handles: Some(HandleTable::default()),
            device_map: DeviceMapId::SYSTEM,
            memory: None,
            section: None,
            image_base: 0,
            system_dll: None,
            peb: 0,
            threads: BTreeSet::new(),
            ended: false,
            exit_status: Status::PENDING,
            ports: false,
            critical: false,
            base_priority: NORMAL_PRIORITY,
            hard_error_mode: DEFAULT_HARD_ERROR_MODE,
            execute_flags: 0,
            session: None,
            session_leader: false,
            exception_port: None,
            create_time: self.now(),
            exit_time: 0,
        }
    }

    /// NtCreateProcess: a handle to the new process, which has no thread yet.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`Naming::insert_object`]; `SECTION_NOT_IMAGE`,
    /// `NO_MEMORY`, `PROCESS_IS_TERMINATING`.
    pub fn create_process(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        request: &CreateProcess,
    ) -> Result<Handle> {
        let parent = self.process_behind(caller, request.parent, Access::PROCESS_CREATE_PROCESS)?;
        let section = self.resolve(
            caller,
            request.section,
            Some(Kind::Section),
            Access::SECTION_MAP_EXECUTE,
        )?;
        let port = if request.exception_port.is_null() {
            None
        } else {
            Some(self.resolve(
                caller,
                request.exception_port,
                Some(Kind::Port),
                Access::PORT_CONNECT,
            )?)
        };
        let process = self.make_process(parent, request.inherit_handles)?;
        let result = self.finish_process(caller, process, section, port, attributes, access);
        if result.is_err() {
            self.end_process(process, Status::UNSUCCESSFUL);
        }
        result
    }

    fn finish_process(
        &mut self,
        caller: ThreadId,
        process: ProcessId,
        section: ObjectId,
        port: Option<ObjectId>,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.load_process(process, section)?;
        if let Some(port) = port {
            self.reference(port);
            self.process_mut(process)?.exception_port = Some(port);
        }
        let object = self.process(process)?.object;
        // The reference that is taken over is one of its own.
        self.reference(object);
        self.insert_object(caller, object, attributes, access)
            .map(|created| created.handle)
    }

    /// A new process with nothing in its address space. It runs, in the sense that
    /// [`Executive::end_process`] must end it.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`, `NO_MEMORY`.
    pub fn make_process(&mut self, parent: ProcessId, inherit_handles: bool) -> Result<ProcessId> {
        let mother = self.process(parent)?;
        if mother.ended {
            return Err(Status::PROCESS_IS_TERMINATING);
        }
        let (mother_token, device_map, hard_error_mode, session) = (
            mother.token,
            mother.device_map,
            mother.hard_error_mode,
            mother.session,
        );
        let token = match &self.object(mother_token)?.body {
            Body::Token(token) => token.clone(),
            _ => return Err(Status::NO_TOKEN),
        };
        let space = self.machine.create_space()?;
        let id = ProcessId(self.new_id());
        let creator = token.clone();
        let token = self.new_object(Body::Token(token));
        let object = self.new_object(Body::Process(id));
        self.secure_by(token, &creator);
        self.secure_by(object, &creator);
        let mut process = self.blank_process(id, parent, object, token);
        process.device_map = device_map;
        process.hard_error_mode = hard_error_mode;
        process.memory = Some(AddressSpace::new(space, self.architecture()));
        self.processes.insert(id, process);
        if let Some(session) = session {
            self.join_session(id, session);
        }
        if inherit_handles {
            self.inherit_handles(parent, id);
        }
        Ok(id)
    }

    fn inherit_handles(&mut self, parent: ProcessId, child: ProcessId) {
        let Some(table) = self
            .processes
            .get(&parent)
            .and_then(|parent| parent.handles.as_ref())
        else {
            return;
        };
        let (table, objects) = table.inherited();
        if let Some(child) = self.processes.get_mut(&child) {
            child.handles = Some(table);
        }
        for object in objects {
            self.handle_added(object, None);
        }
    }

    /// Puts image, system DLL, language tables and PEB into a new process.
    pub(crate) fn load_process(&mut self, process: ProcessId, section: ObjectId) -> Result<()> {
        let image = self.map_image(process, section)?;
        let information = self.section_information(section)?;
        let path = self.section_path(section);
        self.reference(section);
        let entry = self.process_mut(process)?;
        entry.section = Some(section);
        entry.image_base = image.base;
        entry.image = path
            .rsplit(|&unit| unit == BACKSLASH)
            .next()
            .unwrap_or_default()
            .to_vec();
        let dll = self.system_dll_section()?;
        let base = self.map_image(process, dll)?.base;
        let dll = self.find_system_dll(dll, base)?;
        self.process_mut(process)?.system_dll = Some(dll);
        let national = self.map_national_tables(process)?;
        let peb = self.allocate_memory_in(
            process,
            crate::ps::blocks::PEB_BYTES as u64,
            PAGE_READWRITE,
            true,
        )?;
        let (version, build) = match self.version {
            Version::V5_2 => ((5, 2), BUILD_5_2),
            Version::V6_1 => ((6, 1), BUILD_6_1),
        };
        let block = Peb {
            address: peb,
            image_base: image.base,
            inherited: false,
            parameters: 0,
            national,
            version,
            build,
            global_flag: self.global_flag,
            subsystem: (
                information.subsystem.0,
                information.major_version.into(),
                information.minor_version.into(),
            ),
            session: self.session_of(process)?,
        };
        self.write_process(process, peb, &block.bytes(self.architecture()))?;
        self.process_mut(process)?.peb = peb;
        self.process_started(process);
        Ok(())
    }

    /// NtCreateThread: a handle to the new thread, and its client id. It starts with `context`, by
    /// way of the system DLL.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] and [`Naming::insert_object`]; `NO_MEMORY`,
    /// `PROCESS_IS_TERMINATING`.
    #[allow(clippy::too_many_arguments, reason = "NtCreateThread has eight")]
    pub fn create_thread(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        process: Handle,
        context: &Context,
        stack: Stack,
        suspended: bool,
    ) -> Result<(Handle, ClientId)> {
        let process = self.process_behind(caller, process, Access::PROCESS_CREATE_THREAD)?;
        let thread = self.make_thread(process, context, stack)?;
        let object = self.thread(thread)?.object;
        self.reference(object);
        let handle = match self.insert_object(caller, object, attributes, access) {
            Ok(created) => created.handle,
            Err(status) => {
                self.end_thread(thread, Status::UNSUCCESSFUL);
                return Err(status);
            }
        };
        let client = self.client_id(thread)?;
        // Made suspended; now it is let go unless it was to stay so.
        if !suspended {
            self.resume(thread)?;
        }
        Ok((handle, client))
    }

    /// A new thread, suspended once, that starts with `context`.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING`, `NO_MEMORY`.
    pub fn make_thread(
        &mut self,
        process: ProcessId,
        context: &Context,
        stack: Stack,
    ) -> Result<ThreadId> {
        let owner = self.process(process)?;
        let space = owner
            .memory
            .as_ref()
            .ok_or(Status::PROCESS_IS_TERMINATING)?
            .id();
        let peb = owner.peb;
        let id = ThreadId(self.new_id());
        let architecture = self.architecture();
        let bytes = Far::of(architecture).teb as u64;
        let teb = self.allocate_memory_in(process, bytes, PAGE_READWRITE, true)?;
        let block = Teb {
            address: teb,
            peb,
            process: process.0.into(),
            thread: id.0.into(),
            stack_base: stack.base,
            stack_limit: stack.limit,
            deallocation_stack: stack.allocation,
        };
        let made = self
            .write_process(process, teb, &block.bytes(architecture))
            .and_then(|()| self.machine.create_thread(id, space, context, teb));
        if let Err(status) = made {
            self.release_memory_in(process, teb);
            return Err(status);
        }
        let object = self.new_object(Body::Thread(id));
        let token = self.process(process)?.token;
        let token = self.token_mut(token)?.clone();
        self.secure_by(object, &token);
        // A thread that begins in a thunk has its start address in RCX, or in EAX.
        let start = match architecture {
            Architecture::Amd64 => context.rcx,
            Architecture::I386 => context.rax,
        };
        let start = if start == 0 { context.rip } else { start };
        self.enter_thread(id, process, object, teb, start);
        let priority = self.process(process)?.base_priority;
        self.machine.set_priority(id, priority);
        Ok(id)
    }

    fn enter_thread(
        &mut self,
        id: ThreadId,
        process: ProcessId,
        object: ObjectId,
        teb: u64,
        start_address: u64,
    ) {
        let thread = Thread {
            id,
            object,
            process,
            teb,
            start_address,
            wait: None,
            completion: None,
            mutants: BTreeSet::new(),
            suspended: 1,
            ended: false,
            exit_status: Status::PENDING,
            critical: false,
            hard_errors_disabled: false,
            impersonation: None,
            create_time: self.now(),
            exit_time: 0,
        };
        self.threads.insert(id, thread);
        if let Some(owner) = self.processes.get_mut(&process) {
            owner.threads.insert(id);
            let owner = owner.object;
            self.reference(owner);
        }
    }

    /// The path of an image section's file.
    fn section_path(&self, section: ObjectId) -> Vec<u16> {
        match self.object(section).map(|object| &object.body) {
            Ok(Body::Section(section)) => self
                .mm
                .segments()
                .get(section.segment)
                .map_or_else(Vec::new, |segment| segment.path.clone()),
            _ => Vec::new(),
        }
    }

    /// The system DLL's place and entries. It was mapped at `base`.
    ///
    /// # Errors
    /// What making its section gives; `PROCEDURE_NOT_FOUND` if it lacks an entry that the kernel
    /// calls.
    fn find_system_dll(&mut self, section: ObjectId, base: u64) -> Result<SystemDll> {
        let architecture = self.architecture();
        let mut entry = |name: &[u8]| match self.system_dll_export(name) {
            Some(rva) => Ok(base + u64::from(rva)),
            None => Err(Status::PROCEDURE_NOT_FOUND),
        };
        Ok(SystemDll {
            section,
            base,
            ldr_initialize_thunk: entry(b"LdrInitializeThunk")?,
            user_apc_dispatcher: entry(b"KiUserApcDispatcher")?,
            user_exception_dispatcher: entry(b"KiUserExceptionDispatcher")?,
            user_callback_dispatcher: entry(b"KiUserCallbackDispatcher")?,
            system_call: match architecture {
                Architecture::Amd64 => None,
                Architecture::I386 => Some(SystemCall {
                    interrupt: entry(b"KiIntSystemCall")? as u32,
                    fast: entry(b"KiFastSystemCall")
                        .and_then(|call| Ok((call as u32, entry(b"KiFastSystemCallRet")? as u32)))
                        .ok(),
                }),
            },
        })
    }
}
