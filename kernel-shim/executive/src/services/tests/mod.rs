// SPDX-License-Identifier: GPL-2.0-or-later
//! System calls as ring 3 makes them: registers, a stack, structures in simulated user memory; one
//! test a rule.

mod files;
mod fuzz;
mod i386;
mod memory;
mod objects;
mod port_views;
mod ports;
mod processes;
mod registry;
mod system;
mod tokens;
mod trace;

use super::call::Done;
use super::layout::{Layout, ObjectAttributes, UnicodeString, Word};
use super::table::{self, number_of};
use super::{Passed, complete, dispatch};
use crate::host::disk::VolumeImage;
use crate::host::machine::{MemoryDisk, MemoryMachine};
use crate::ids::{ProcessId, ThreadId};
use crate::machine::{Architecture, Context};
use crate::system::processes::create::Stack;
use crate::{Executive, Version};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use formats::hive::Hive;
use formats::pe::build::ImageFile;
use formats::utf16;
use nt::system::ImageSubsystem;
use nt::{Status, wide};

/// A process with one thread and a piece of memory to make calls from.
#[derive(Clone, Copy, Debug)]
struct Caller {
    process: ProcessId,
    thread: ThreadId,
    /// 128 KB that can be written; the stack of every call is at its end.
    memory: u64,
}

const MEMORY: u64 = 0x2_0000;
const STACK: u64 = MEMORY - 0x1000;

struct World {
    exec: Executive,
    machine: MemoryMachine,
}

impl World {
    fn new() -> Self {
        Self::of(Architecture::Amd64)
    }

    /// A system of such programs.
    fn of(architecture: Architecture) -> Self {
        let machine = MemoryMachine::new(0x1000, Vec::new());
        machine.state().architecture = architecture;
        let mut exec = Executive::new(Box::new(machine.clone()), Version::V5_2);
        exec.make_namespace(false).expect("a namespace");
        Self { exec, machine }
    }

    /// A system with a disk, as it is when smss starts.
    fn booted() -> Self {
        Self::booted_of(Architecture::Amd64)
    }

    /// The same of programs of one kind.
    fn booted_of(architecture: Architecture) -> Self {
        let mut hive = Hive::new(wide!("SYSTEM"));
        let root = hive.root();
        let manager = hive
            .create_path(
                root,
                wide!("ControlSet001\\Control\\Session Manager"),
                false,
                0,
            )
            .expect("a key");
        hive.set_value(manager, wide!("ProtectionMode"), 4, vec![1, 0, 0, 0], 0)
            .expect("a value");
        let select = hive
            .create_path(root, wide!("Select"), false, 0)
            .expect("a key");
        hive.set_value(select, wide!("Current"), 4, vec![1, 0, 0, 0], 0)
            .expect("a value");
        let mut disk = VolumeImage::new(16).expect("a volume");
        for (path, content) in [
            ("ReactOS\\System32\\a.txt", &b"first"[..]),
            ("ReactOS\\System32\\longer name.txt", b"second"),
        ] {
            disk.write(path, content).expect("written");
        }
        for (name, dll) in [("ntdll.dll", true), ("smss.exe", false)] {
            let image = ImageFile {
                subsystem: ImageSubsystem::NATIVE,
                i386: architecture == Architecture::I386,
                dll,
                ..ImageFile::default()
            };
            disk.write(&alloc::format!("ReactOS\\System32\\{name}"), &image.bytes())
                .expect("written");
        }
        disk.write("ReactOS\\System32\\config\\SYSTEM", &hive.serialise(0))
            .expect("written");
        let machine = MemoryMachine::new(
            0x2000,
            vec![MemoryDisk::fixed(disk.into_bytes().expect("bytes"))],
        );
        machine.state().architecture = architecture;
        let mut exec = Executive::new(Box::new(machine.clone()), Version::V5_2);
        exec.build_system("C:\\ReactOS", "").expect("a system");
        Self { exec, machine }
    }

    /// A process of the system's own user, with a running thread.
    fn caller(&mut self) -> Caller {
        let process = self
            .exec
            .make_process(ProcessId::SYSTEM, false)
            .expect("a process");
        let thread = self
            .exec
            .make_thread(process, &Context::default(), Stack::default())
            .expect("a thread");
        self.exec.resume(thread).expect("resumed");
        let memory = self
            .exec
            .allocate_memory_in(process, MEMORY, 4, false)
            .expect("memory");
        Caller {
            process,
            thread,
            memory,
        }
    }

    /// Makes a call.
    fn call(&mut self, caller: Caller, name: &str, arguments: &[u64]) -> Done {
        let number = number_of(name);
        assert_eq!(
            table::SERVICES[number as usize].arguments,
            arguments.len(),
            "{name}"
        );
        let passed = self.passed(caller, arguments);
        dispatch(&mut self.exec, caller.thread, number, passed)
    }

    /// Puts arguments where the caller's architecture has them.
    fn passed(&mut self, caller: Caller, arguments: &[u64]) -> Passed {
        let stack = caller.memory + STACK;
        match self.exec.architecture() {
            Architecture::Amd64 => {
                let mut registers = [0xDEAD_BEEF_0000_0001; 4];
                for (to, from) in registers.iter_mut().zip(arguments) {
                    *to = *from;
                }
                for (place, argument) in arguments.iter().skip(4).enumerate() {
                    self.put(caller, STACK + 0x28 + place as u64 * 8, *argument);
                }
                Passed::Registers(registers, stack)
            }
            Architecture::I386 => {
                for (place, argument) in arguments.iter().enumerate() {
                    self.put(caller, STACK + place as u64 * 4, Word(*argument));
                }
                Passed::Stack(stack)
            }
        }
    }

    /// Makes a call that returns at once.
    fn status(&mut self, caller: Caller, name: &str, arguments: &[u64]) -> Status {
        match self.call(caller, name, arguments) {
            Done::Returns(status) => status,
            other => panic!("{name} did not return: {other:?}"),
        }
    }

    /// Finishes the call of a thread that runs again.
    fn finish(&mut self, caller: Caller) -> Status {
        let runnable = self.machine.state().is_runnable(caller.thread);
        assert!(runnable, "the thread still waits");
        match complete(&mut self.exec, caller.thread) {
            Done::Returns(status) => status,
            other => panic!("the call did not return: {other:?}"),
        }
    }

    fn put<T: Layout>(&mut self, caller: Caller, offset: u64, value: T) {
        self.exec
            .write_as(caller.process, caller.memory + offset, value)
            .expect("written");
    }

    fn put_bytes(&mut self, caller: Caller, offset: u64, bytes: &[u8]) {
        self.exec
            .write_process(caller.process, caller.memory + offset, bytes)
            .expect("written");
    }

    fn get<T: Layout>(&mut self, caller: Caller, offset: u64) -> T {
        self.exec
            .read_as(caller.process, caller.memory + offset)
            .expect("read")
    }

    fn get_bytes(&mut self, caller: Caller, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.exec
            .read_process(caller.process, caller.memory + offset, &mut bytes)
            .expect("read");
        bytes
    }

    /// Puts a UNICODE_STRING and its text at `offset`: its address.
    fn string(&mut self, caller: Caller, offset: u64, text: &str) -> u64 {
        let units = utf16(text);
        let length = (units.len() * 2) as u16;
        let head = self.exec.architecture().size_of::<UnicodeString>() as u64;
        let buffer = caller.memory + offset + head;
        self.put(
            caller,
            offset,
            UnicodeString {
                length,
                maximum_length: length,
                buffer,
                ..UnicodeString::default()
            },
        );
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        self.put_bytes(caller, offset + head, &bytes);
        caller.memory + offset
    }

    /// Puts an OBJECT_ATTRIBUTES with a name at `offset`: its address.
    fn attributes(&mut self, caller: Caller, offset: u64, name: &str, attributes: u32) -> u64 {
        let length = self.exec.architecture().size_of::<ObjectAttributes>() as u32;
        let name = self.string(caller, offset + u64::from(length), name);
        self.put(
            caller,
            offset,
            ObjectAttributes {
                length,
                name,
                attributes,
                ..ObjectAttributes::default()
            },
        );
        caller.memory + offset
    }
}

#[test]
fn a_number_beyond_the_last_service_is_an_invalid_system_service() {
    let mut world = World::new();
    let caller = world.caller();
    let nothing = Passed::Registers([0; 4], 0);
    for number in [296, 0x1000, u32::MAX] {
        let done = dispatch(&mut world.exec, caller.thread, number, nothing);
        assert_eq!(done, Done::Returns(Status::INVALID_SYSTEM_SERVICE));
    }
}

#[test]
fn a_service_that_is_not_built_says_so() {
    let mut world = World::new();
    let caller = world.caller();
    assert_eq!(
        world.status(caller, "NtCreateJobSet", &[1, 2, 3]),
        Status::NOT_IMPLEMENTED
    );
}

#[test]
fn arguments_on_a_stack_that_cannot_be_read_are_an_access_violation() {
    let mut world = World::new();
    let caller = world.caller();
    for stack in [0, 8, 0x7FF_FFFF_0000, u64::MAX - 0x30] {
        let done = dispatch(
            &mut world.exec,
            caller.thread,
            number_of("NtCreateEvent"),
            Passed::Registers([caller.memory, 0x1F_0003, 0, 0], stack),
        );
        assert_eq!(done, Done::Returns(Status::ACCESS_VIOLATION), "{stack:#x}");
    }
}

#[test]
fn every_service_survives_nonsense() {
    for service in &table::SERVICES {
        for value in [0, 1, 3, u64::MAX, 0x7FF_FFFE_FFFC, 0x7FFE_FFFC, 1 << 63] {
            for architecture in [Architecture::Amd64, Architecture::I386] {
                let mut world = World::of(architecture);
                let caller = world.caller();
                let arguments = vec![value; service.arguments];
                let _ = world.call(caller, service.name, &arguments);
            }
        }
    }
}
