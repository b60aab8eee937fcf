// SPDX-License-Identifier: GPL-2.0-or-later
//! How the kernel starts the Session Manager (spec 1.1 rows 1 to 7).
//!
//! The image name is at most 128 units; what is before its first blank is the image, all of it is
//! the command line. The process gets denormalised parameters and an environment of exactly three
//! variables, and its first thread runs from the image's entry point.

use crate::ex::hard_errors::BugCheck;
use crate::ids::{ObjectId, ProcessId};
use crate::layout::{ProcessParameters, UnicodeString, Word, offset};
use crate::machine::{Architecture, Context};
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::Executive;
use abi::memory::PAGE_READWRITE;
use abi::process::PARAMETERS_RESERVE_1MB;
use alloc::format;
use alloc::vec::Vec;
use formats::{utf16, utf16_bytes};
use nt::{Result, Status, widened};

/// `SESSION1_INITIALIZATION_FAILED`: no parameters.
const SESSION1_INITIALIZATION_FAILED: u32 = 0x6d;
/// `SESSION2_INITIALIZATION_FAILED`: the image's name.
const SESSION2_INITIALIZATION_FAILED: u32 = 0x6e;
/// `SESSION3_INITIALIZATION_FAILED`: the process.
const SESSION3_INITIALIZATION_FAILED: u32 = 0x6f;
/// `SESSION4_INITIALIZATION_FAILED`: its first run.
const SESSION4_INITIALIZATION_FAILED: u32 = 0x70;

/// The longest image name, units.
const LONGEST_NAME: usize = 127;
/// Initial flags of a thread: interrupts on.
const FLAGS: u32 = 0x202;
const MXCSR: u32 = 0x1f80;

/// RTL_USER_PROCESS_PARAMETERS, denormalised: the pointers are offsets.
struct Parameters {
    architecture: Architecture,
    head: ProcessParameters,
    text: Vec<u8>,
}

impl Parameters {
    fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            head: ProcessParameters {
                flags: PARAMETERS_RESERVE_1MB,
                ..ProcessParameters::default()
            },
            text: Vec::new(),
        }
    }

    /// A string, its text behind everything else, terminated; `room` is the least `MaximumLength`.
    fn string(&mut self, text: &str, room: usize) -> UnicodeString {
        let units = utf16_bytes(text);
        let maximum = (units.len() + 2).max(room);
        let offset = self.text.len();
        let length = units.len() as u16;
        self.text.extend(units);
        self.text.resize((offset + maximum).next_multiple_of(8), 0);
        UnicodeString {
            length,
            maximum_length: maximum as u16,
            buffer: (self.head_bytes() + offset) as u64,
            ..UnicodeString::default()
        }
    }

    const fn head_bytes(&self) -> usize {
        self.architecture.size_of::<ProcessParameters>()
    }

    fn finish(mut self) -> Vec<u8> {
        let length = (self.head_bytes() + self.text.len()) as u32;
        (self.head.maximum_length, self.head.length) = (length, length);
        let mut bytes = self.architecture.bytes_of(self.head);
        bytes.extend(self.text);
        bytes
    }
}

impl Executive {
    /// Starts the Session Manager; whatever goes wrong is the bugcheck of its step.
    pub fn start_session_manager(&mut self, system_root: &str, image: &str) {
        if image.is_empty() || image.encode_utf16().count() > LONGEST_NAME {
            return self.stop_system(BugCheck::new(
                SESSION2_INITIALIZATION_FAILED,
                [Status::INVALID_PARAMETER.code().into(), 0, 0, 0],
            ));
        }
        let path = image.split(' ').next().unwrap_or(image);
        let process = match self.make_image_process(&utf16(path)) {
            Ok(process) => process,
            Err(status) => {
                return self.stop_system(BugCheck::new(
                    SESSION3_INITIALIZATION_FAILED,
                    [status.code().into(), 0, 0, 0],
                ));
            }
        };
        if let Err(status) = self.give_parameters(process, system_root, path, image) {
            return self.stop_system(BugCheck::new(
                SESSION1_INITIALIZATION_FAILED,
                [status.code().into(), 0, 0, 0],
            ));
        }
        self.session_manager = Some(process);
        if let Err(status) = self.run_first_thread(process) {
            self.stop_system(BugCheck::new(
                SESSION4_INITIALIZATION_FAILED,
                [status.code().into(), 0, 0, 0],
            ));
        }
    }

    /// Starts a program as a child of the System process, in the way of the Session Manager; the
    /// first word of its command line is its image, an NT path.
    ///
    /// # Errors
    /// `NAME_TOO_LONG`, and whatever opening and mapping the image gives; nothing is left of the
    /// process then.
    pub fn start_program(&mut self, system_root: &str, command_line: &str) -> Result<ProcessId> {
        if command_line.encode_utf16().count() > LONGEST_NAME {
            return Err(Status::NAME_TOO_LONG);
        }
        let path = command_line.split(' ').next().unwrap_or(command_line);
        let process = self.make_image_process(&utf16(path))?;
        let started = self
            .give_parameters(process, system_root, path, command_line)
            .and_then(|()| self.run_first_thread(process));
        if let Err(status) = started {
            self.end_process(process, status);
        }
        started.map(|()| process)
    }

    pub(crate) fn make_image_process(&mut self, path: &[u16]) -> Result<ProcessId> {
        let section = self.open_image_section(path)?;
        let process = self.make_process(ProcessId::SYSTEM, false)?;
        let loaded = self.load_process(process, section);
        self.dereference(section);
        match loaded {
            Ok(()) => Ok(process),
            Err(status) => {
                self.end_process(process, status);
                Err(status)
            }
        }
    }

    fn give_parameters(
        &mut self,
        process: ProcessId,
        system_root: &str,
        image: &str,
        command_line: &str,
    ) -> Result<()> {
        const LONGEST_PATH: usize = 2 * 260;
        let system32 = format!(r"{system_root}\System32");
        let drive: alloc::string::String = system_root.chars().take(2).collect();
        let environment =
            format!("Path={system32}\0SystemDrive={drive}\0SystemRoot={system_root}\0\0");
        let environment = utf16_bytes(&environment);
        let block =
            self.allocate_memory_in(process, environment.len() as u64, PAGE_READWRITE, false)?;
        self.write_process(process, block, &environment)?;
        let mut parameters = Parameters::new(self.architecture());
        parameters.head.current_directory.path = parameters.string(system_root, LONGEST_PATH);
        parameters.head.dll_path = parameters.string(&system32, 0);
        parameters.head.image_path_name = parameters.string(image, 0);
        parameters.head.command_line = parameters.string(command_line, 0);
        parameters.head.window_title = parameters.string("", 0);
        parameters.head.desktop_info = parameters.string("", 0);
        parameters.head.shell_info = parameters.string("", 0);
        parameters.head.environment = block;
        let bytes = parameters.finish();
        let at = self.allocate_memory_in(process, bytes.len() as u64, PAGE_READWRITE, false)?;
        self.write_process(process, at, &bytes)?;
        let peb = self.process(process)?.peb;
        let place = peb + offset!(self.architecture(), Peb, parameters);
        self.write_as(process, place, Word(at))
    }

    fn run_first_thread(&mut self, process: ProcessId) -> Result<()> {
        let entry = self.process(process)?;
        let (section, base, peb) = (
            entry.section.ok_or(Status::SECTION_NOT_IMAGE)?,
            entry.image_base,
            entry.peb,
        );
        let information = self.section_information(section)?;
        let stack = self.reserve_stack(
            process,
            widened(information.maximum_stack_size),
            widened(information.committed_stack_size),
        )?;
        // As if called with the PEB (spec 1.2): in RCX, the stack at 8 modulo 16; or on the stack.
        let (rsp, rcx) = match self.architecture() {
            Architecture::Amd64 => (stack.base - 40, peb),
            Architecture::I386 => {
                self.write_as(process, stack.base - 4, Word(peb))?;
                (stack.base - 8, 0)
            }
        };
        let context = Context {
            rip: base + self.image_entry(section)?,
            rsp,
            rcx,
            flags: FLAGS,
            mxcsr: MXCSR,
            ..Context::default()
        };
        let thread = self.make_thread(process, &context, stack)?;
        self.resume(thread).map(|_| ())
    }

    /// Relative address of an image's entry point.
    fn image_entry(&self, section: ObjectId) -> Result<u64> {
        let Body::Section(body) = &self.object(section)?.body else {
            return Err(Status::SECTION_NOT_IMAGE);
        };
        let image = self
            .mm
            .segments()
            .get(body.segment)
            .and_then(|segment| segment.image())
            .ok_or(Status::SECTION_NOT_IMAGE)?;
        Ok(image.headers.entry_point.into())
    }
}
