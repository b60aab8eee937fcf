// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes and threads. Making a process is the sequence of services that RtlCreateUserProcess
//! goes through, so that each of them counts, and each can fail.

use super::width::{kernels_client, seams_client};
use super::{Main, Seam, Shared, name, nothing, number};
use crate::Executive;
use crate::ids::{ProcessId, ThreadId};
use crate::layout::ClientId;
use crate::layout::{ProcessParameters as Block, UnicodeString, Word, offset};
use crate::machine::Context;
use crate::mm::space::Allocation;
use crate::ob::System as _;
use crate::system::processes::create::{CreateProcess, Stack};
use abi::memory::{MEM_COMMIT, MEM_RESERVE, PAGE_READWRITE};
use abi::process::PARAMETERS_NORMALIZED;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use nt::access::{Access, OpenOptions, Share};
use nt::system::{
    DeviceMap, DriveType, ExitInformation, Files, Memory, ParameterFlags, ProcessParameters,
    Processes, SectionImageInformation, ThreadBody, UserProcessInformation,
};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr, widened};

/// Reserved stack of a thread.
const STACK: u64 = 0x4_0000;

/// What a process was told.
#[derive(Clone, Debug, Default)]
pub(in crate::host) struct Parameters {
    pub(in crate::host) image: Vec<u16>,
    pub(in crate::host) dll_path: Vec<u16>,
    pub(in crate::host) current_directory: Vec<u16>,
    pub(in crate::host) command_line: Vec<u16>,
    pub(in crate::host) environment: Vec<u16>,
    pub(in crate::host) flags: u32,
    pub(in crate::host) debug: u32,
    /// The parent's id, which outlives the process object here.
    pub(in crate::host) parent: u32,
}

impl Parameters {
    /// The file name of the image.
    pub(in crate::host) fn image_name(&self) -> String {
        let file = self
            .image
            .rsplit(|&unit| unit == 0x5C)
            .next()
            .unwrap_or_default();
        UnicodeStr(file).to_string()
    }
}

impl Shared {
    /// The program behind an image, by its file name.
    fn program(&self, image: &str) -> Option<Main> {
        Self::lock(&self.programs)
            .get(&image.to_uppercase())
            .cloned()
    }

    /// Gives the first thread of a process its code.
    pub(in crate::host) fn equip(
        self: &Arc<Self>,
        process: ProcessId,
        thread: ThreadId,
        mut parameters: Parameters,
    ) {
        parameters.parent = self.scheduler.with(|executive| {
            executive
                .process(process)
                .map_or(0, |process| process.parent.0)
        });
        let parameters = Arc::new(parameters);
        Self::lock(&self.parameters).insert(process, Arc::clone(&parameters));
        let seam = Seam::new(self, process, Arc::clone(&parameters));
        let main = self.program(&parameters.image_name());
        let turns = Arc::downgrade(&self.scheduler);
        self.scheduler.set_body(
            thread,
            Box::new(move || {
                Seam::become_thread(thread, turns, seam.image.clone());
                let status = match main {
                    Some(main) => main(seam),
                    None => {
                        log::error!("{} has no code in this world", seam.image);
                        Status::DLL_NOT_FOUND
                    }
                };
                // Ending oneself does not return.
                let _ = seam.terminate_process(Handle::CURRENT_PROCESS, status);
            }),
        );
    }
}

impl Seam {
    /// NtYieldExecution.
    pub(super) fn give_way(&self) -> Result<()> {
        let shared = self.shared()?;
        let thread = Self::current()?;
        shared.scheduler.give_way(thread);
        Ok(())
    }

    /// The process's id.
    pub fn process_id(&self) -> u32 {
        self.process.0
    }

    /// NtAllocateVirtualMemory: committed and writable.
    pub(super) fn allocate_in(&self, process: Handle, size: usize) -> Result<u64> {
        self.allocate_at(process, 0, size as u64, MEM_RESERVE | MEM_COMMIT)
    }

    fn allocate_at(&self, process: Handle, base: u64, size: u64, kind: u32) -> Result<u64> {
        let request = Allocation {
            base,
            zero_bits: 0,
            size,
            kind,
            protect: PAGE_READWRITE,
        };
        self.call(
            "NtAllocateVirtualMemory",
            || number("size", size),
            |executive, thread| {
                executive
                    .allocate_virtual_memory(thread, process, request)
                    .map(|(base, _)| base)
            },
        )
    }

    fn write_in(&self, process: Handle, address: u64, bytes: &[u8]) -> Result<()> {
        self.call(
            "NtWriteVirtualMemory",
            || number("address", address),
            |executive, thread| {
                let target = executive.process_behind(thread, process, Access::PROCESS_VM_WRITE)?;
                executive.write_process(target, address, bytes)
            },
        )
    }

    /// The parameters in a new process's memory, as far as the kernel or another process can see
    /// them there.
    fn write_parameters(&self, process: Handle, peb: u64, parameters: &Parameters) -> Result<()> {
        let bytes = |units: &[u16]| {
            units
                .iter()
                .flat_map(|unit| unit.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let environment = bytes(&parameters.environment);
        let environment_at = self.allocate_in(process, environment.len().max(2))?;
        self.write_in(process, environment_at, &environment)?;
        let architecture = self
            .shared()?
            .scheduler
            .with(|executive| executive.architecture());
        let strings = [
            &parameters.current_directory,
            &parameters.dll_path,
            &parameters.image,
            &parameters.command_line,
        ];
        let head_bytes = architecture.size_of::<Block>();
        let room = |text: &Vec<u16>| (text.len() * 2).next_multiple_of(8);
        let total = head_bytes + strings.map(room).iter().sum::<usize>();
        let block_at = self.allocate_in(process, total)?;
        let mut texts = Vec::new();
        let [path, dll_path, image_path_name, command_line] = strings.map(|text| {
            let at = block_at + (head_bytes + texts.len()) as u64;
            texts.extend(bytes(text));
            texts.resize(texts.len().next_multiple_of(8), 0);
            let length = (text.len() * 2) as u16;
            UnicodeString {
                length,
                maximum_length: length,
                buffer: at,
                ..UnicodeString::default()
            }
        });
        let mut head = Block {
            maximum_length: total as u32,
            length: total as u32,
            flags: parameters.flags | PARAMETERS_NORMALIZED,
            debug_flags: parameters.debug,
            environment: environment_at,
            dll_path,
            image_path_name,
            command_line,
            ..Block::default()
        };
        head.current_directory.path = path;
        let mut block = architecture.bytes_of(head);
        block.extend(texts);
        self.write_in(process, block_at, &block)?;
        self.write_in(
            process,
            peb + offset!(architecture, Peb, parameters),
            &architecture.bytes_of(Word(block_at)),
        )
    }

    fn new_thread(
        &self,
        process: Handle,
        entry: u64,
        parameter: u64,
        suspended: bool,
    ) -> Result<(Handle, ClientId)> {
        let stack = self.allocate_in(process, STACK as usize)?;
        let base = stack + STACK;
        let context = Context {
            rip: entry,
            rcx: parameter,
            rsp: base - 0x28,
            ..Context::default()
        };
        let stack = Stack {
            base,
            limit: stack,
            allocation: stack,
        };
        let unnamed = ObjectAttributes::unnamed();
        self.call("NtCreateThread", nothing, |executive, thread| {
            executive.create_thread(
                thread,
                &unnamed,
                Access::THREAD_ALL,
                process,
                &context,
                stack,
                suspended,
            )
        })
    }

    /// From the image's file to the process with its parameters and its suspended thread.
    fn build_process(
        &'static self,
        section: Handle,
        parameters: &Parameters,
    ) -> Result<UserProcessInformation> {
        let unnamed = ObjectAttributes::unnamed();
        let request = CreateProcess {
            parent: Handle::CURRENT_PROCESS,
            section,
            exception_port: Handle::NULL,
            inherit_handles: false,
        };
        let process = Owned::new(
            self,
            self.call(
                "NtCreateProcess",
                || name("image", UnicodeStr(&parameters.image)),
                |executive, thread| {
                    executive.create_process(thread, &unnamed, Access::PROCESS_ALL, &request)
                },
            )?,
        );
        let finished = self.finish_process(section, process.get(), parameters);
        if finished.is_err() {
            // A process without a thread would stay for ever.
            let _ = self.terminate_process(process.get(), Status::UNSUCCESSFUL);
        }
        let (thread, client, image) = finished?;
        Ok(UserProcessInformation {
            size: size_of::<UserProcessInformation>() as u32,
            process: process.into_raw().0,
            thread: thread.0,
            client: seams_client(client),
            image,
            ..UserProcessInformation::default()
        })
    }

    fn finish_process(
        &self,
        section: Handle,
        process: Handle,
        parameters: &Parameters,
    ) -> Result<(Handle, ClientId, SectionImageInformation)> {
        let image = self.call(
            "NtQuerySection",
            || number("handle", section.0),
            |executive, thread| executive.query_section_image(thread, section),
        )?;
        let basic = self.call(
            "NtQueryInformationProcess",
            || number("handle", process.0),
            |executive, thread| executive.query_process(thread, process),
        )?;
        if parameters.flags & ParameterFlags::RESERVE_1MB.bits() != 0 {
            self.allocate_at(process, 4, 0x10_0000 - 0x100, MEM_RESERVE)?;
        }
        self.write_parameters(process, basic.peb, parameters)?;
        let (thread, client) =
            self.new_thread(process, widened(image.transfer_address), basic.peb, true)?;
        self.shared()?.equip(
            basic.process,
            ThreadId(client.thread as u32),
            parameters.clone(),
        );
        Ok((thread, client, image))
    }
}

impl Processes for &'static Seam {
    fn create_process(
        self,
        parameters: &ProcessParameters<'_>,
        told: &mut UserProcessInformation,
    ) -> Result<()> {
        let mut current_directory = parameters.current_directory.map_or_else(
            || self.parameters.current_directory.clone(),
            |directory| directory.units().to_vec(),
        );
        if current_directory.last().is_some_and(|&unit| unit != 0x5C) {
            current_directory.push(0x5C);
        }
        let own = Parameters {
            image: parameters.image.units().to_vec(),
            dll_path: parameters.dll_path.map_or_else(
                || self.parameters.dll_path.clone(),
                |path| path.units().to_vec(),
            ),
            current_directory,
            command_line: parameters.command_line.units().to_vec(),
            environment: parameters.environment.to_vec(),
            flags: parameters.flags.bits(),
            debug: parameters.debug.into(),
            parent: 0,
        };
        let attributes = ObjectAttributes::named(parameters.image);
        let access = Access::SYNCHRONIZE | Access::FILE_EXECUTE | Access::FILE_READ_DATA;
        let options = OpenOptions::SYNCHRONOUS_IO_NONALERT | OpenOptions::NON_DIRECTORY_FILE;
        let file = Owned::new(
            self,
            self.open_file(&attributes, access, Share::READ | Share::DELETE, options)?,
        );
        let section = self.create_image_section(
            &ObjectAttributes::unnamed(),
            Access::SECTION_ALL,
            file.get(),
        );
        drop(file);
        let section = Owned::new(self, section?);
        *told = self.build_process(section.get(), &own)?;
        Ok(())
    }

    fn open_process(self, client: nt::ClientId, access: Access) -> Result<Handle> {
        self.call(
            "NtOpenProcess",
            || number("process", client.process),
            |executive, thread| {
                executive.open_process(
                    thread,
                    kernels_client(client),
                    access,
                    nt::object::Attributes::empty(),
                )
            },
        )
    }

    fn terminate_process(self, process: Handle, status: Status) -> Result<()> {
        let arguments = || number("handle", process.0);
        let act = |executive: &mut Executive, thread| {
            executive.terminate_process(thread, process, status)
        };
        if process == Handle::CURRENT_PROCESS {
            self.own_end("NtTerminateProcess", arguments, act)
        } else {
            self.call("NtTerminateProcess", arguments, act)
        }
    }

    fn read_memory(self, _: Handle, _: u64, _: &mut [u8]) -> Result<()> {
        // The memory of programs is the host's here, and not to be reached by its address.
        Err(Status::NOT_IMPLEMENTED)
    }

    fn resume_thread(self, thread: Handle) -> Result<()> {
        self.call(
            "NtResumeThread",
            || number("handle", thread.0),
            |executive, caller| executive.resume_thread(caller, thread).map(|_| ()),
        )
    }

    fn create_thread<B: ThreadBody>(self, body: &'static B) -> Result<Handle> {
        let shared = self.shared()?;
        let (handle, client) = self.new_thread(Handle::CURRENT_PROCESS, 0x1000, 0, false)?;
        let thread = ThreadId(client.thread as u32);
        let (turns, image) = (Arc::downgrade(&shared.scheduler), self.image.clone());
        shared.scheduler.set_body(
            thread,
            Box::new(move || {
                Seam::become_thread(thread, turns, image);
                body.run();
            }),
        );
        Ok(handle)
    }

    fn exit_thread(self, status: Status) -> Result<()> {
        self.own_end("NtTerminateThread", nothing, |executive, thread| {
            executive.terminate_thread(thread, Handle::CURRENT_THREAD, status)
        })
    }

    fn query_exit(self, process: Handle) -> Result<ExitInformation> {
        let basic = self.call(
            "NtQueryInformationProcess",
            || number("handle", process.0),
            |executive, thread| executive.query_process(thread, process),
        )?;
        Ok(ExitInformation {
            status: basic.exit_status,
            process: basic.process.0.into(),
            parent: basic.parent.0.into(),
        })
    }

    fn query_thread(self, thread: Handle) -> Result<nt::ClientId> {
        let basic = self.call(
            "NtQueryInformationThread",
            || number("handle", thread.0),
            |executive, caller| executive.query_thread(caller, thread),
        )?;
        Ok(seams_client(basic.client))
    }

    fn query_session(self, process: Handle) -> Result<u32> {
        self.call(
            "NtQueryInformationProcess",
            || number("handle", process.0),
            |executive, thread| executive.query_session(thread, process),
        )
    }

    fn set_session(self, process: Handle, session: u32) -> Result<()> {
        self.call(
            "NtSetInformationProcess",
            || number("session", session),
            |executive, thread| executive.set_session(thread, process, session),
        )
    }

    fn query_device_map(self) -> Result<DeviceMap> {
        let map = self.call("NtQueryInformationProcess", nothing, |executive, thread| {
            let map = executive.process_of(thread)?.device_map;
            executive
                .ob()
                .device_map(map)
                .cloned()
                .ok_or(Status::NO_SUCH_DEVICE)
        })?;
        Ok(DeviceMap {
            drives: map.drives,
            types: map.types.map(DriveType),
        })
    }

    fn set_process_critical(self, critical: bool) -> Result<()> {
        self.call(
            "NtSetInformationProcess",
            || number("critical", critical),
            |executive, thread| {
                executive.set_process_critical(thread, Handle::CURRENT_PROCESS, critical)
            },
        )
    }

    fn set_thread_critical(self, critical: bool) -> Result<()> {
        self.call(
            "NtSetInformationThread",
            || number("critical", critical),
            |executive, thread| {
                executive.set_thread_critical(thread, Handle::CURRENT_THREAD, critical)
            },
        )
    }

    fn set_base_priority(self, priority: u32) -> Result<()> {
        self.call(
            "NtSetInformationProcess",
            || number("priority", priority),
            |executive, thread| {
                executive.set_base_priority(thread, Handle::CURRENT_PROCESS, priority)
            },
        )
    }

    fn set_hard_error_mode(self, mode: u32) -> Result<()> {
        self.call(
            "NtSetInformationProcess",
            || number("mode", mode),
            |executive, thread| {
                executive.set_hard_error_mode(thread, Handle::CURRENT_PROCESS, mode)
            },
        )
    }

    fn client_id(self) -> nt::ClientId {
        let thread = Seam::current().map_or(0, |thread| thread.0);
        nt::ClientId {
            process: self.process.0.into(),
            thread: thread.into(),
        }
    }

    fn own_environment(self) -> &'static [u16] {
        &self.parameters.environment
    }

    fn own_dll_path(self) -> UnicodeStr<'static> {
        UnicodeStr(&self.parameters.dll_path)
    }

    fn own_command_line(self) -> UnicodeStr<'static> {
        UnicodeStr(&self.parameters.command_line)
    }

    fn own_debug_flags(self) -> u32 {
        self.parameters.debug
    }

    fn own_global_flag(self) -> u32 {
        self.global_flag
    }
}
