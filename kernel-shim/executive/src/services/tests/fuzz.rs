// SPDX-License-Identifier: GPL-2.0-or-later
//! A system-call fuzzer: several threads of several processes make calls of every number, with
//! arguments that are mostly what the declaration asks for and sometimes not, in memory that holds
//! structures in every state of repair, or cannot be written.
//!
//! It is stateful: handles that one call gave are what the next ones are made with, and memory is
//! as the calls before have left it. What must hold is that the executive never panics, that no
//! call does anything but return, wait, end its thread or go on elsewhere, that it answers a
//! number that is no service so, and that a call which fails leaves no handle and no memory in
//! anybody's tables. The same seed gives the same calls.

use super::*;
use crate::layout::PortMessage;
use crate::ob::Kind;
use crate::ob::System as _;
use crate::services::BUILT;
use crate::services::argument::{Parameter, Shape};
use crate::services::layout::{ClientId, Context as Registers, QualityOfService};
use abi::amd64::{CONTEXT_CONTROL, CONTEXT_INTEGER};
use alloc::collections::{BTreeMap, BTreeSet};
use zerocopy::FromZeros;

/// Calls of one run, and the most that one system gets: one that a call has stopped gives way to
/// the next.
const CALLS: u32 = 40_000;
const CALLS_OF_ONE_SYSTEM: u32 = 2_500;
/// Where the structures lie in a caller's memory, and how far apart.
const SLOT: u64 = 0x800;
const SLOTS: u64 = STACK / SLOT;
/// The first slots hold OBJECT_ATTRIBUTES, the next ones UNICODE_STRINGs, the rest anything.
const ATTRIBUTES: u64 = 16;
const TEXTS: u64 = 24;

/// A page that every process can read and none can write.
const SHARED_DATA: u64 = abi::shared_data::ADDRESS;

/// Calls that may take a caller's own memory away.
const MEMORY_CALLS: [&str; 5] = [
    "NtAllocateVirtualMemory",
    "NtFreeVirtualMemory",
    "NtMapViewOfSection",
    "NtProtectVirtualMemory",
    "NtUnmapViewOfSection",
];

/// Calls that end a thread or the system, or lose a handle: made less often than the others.
const ENDING: [&str; 6] = [
    "NtClose",
    "NtRaiseHardError",
    "NtShutdownSystem",
    "NtSuspendThread",
    "NtTerminateProcess",
    "NtTerminateThread",
];

/// Calls that give the handles for the others: made more often.
const CREATING: [&str; 14] = [
    "NtAllocateVirtualMemory",
    "NtConnectPort",
    "NtCreateDirectoryObject",
    "NtCreateEvent",
    "NtCreateFile",
    "NtCreateKey",
    "NtCreateMutant",
    "NtCreatePort",
    "NtCreateSection",
    "NtCreateSemaphore",
    "NtCreateSymbolicLinkObject",
    "NtOpenFile",
    "NtOpenKey",
    "NtOpenProcessToken",
];

/// Names of objects, files and keys: some are there, some can be made, some are neither.
const NAMES: [&str; 14] = [
    "",
    "\\",
    "\\??",
    "\\BaseNamedObjects\\thing",
    "\\Fuzz",
    "\\Fuzz\\below",
    "\\??\\C:\\ReactOS\\System32\\a.txt",
    "\\??\\C:\\ReactOS\\System32\\new name.txt",
    "\\??\\C:\\ReactOS\\System32\\ntdll.dll",
    "\\??\\C:\\pagefile.sys",
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager",
    "\\Registry\\Machine\\System\\New",
    "\\FuzzPort",
    "relative\\name",
];

/// xorshift64*: all the randomness that is needed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    /// Whether something that happens once in `times` happens now.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A number of the kind that finds errors.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0..=3 => self.below(50),
            4 => 1 << self.below(64),
            5 => (1_u64 << self.below(64)).wrapping_sub(1),
            6 => self.pick(&[0x1000, 0x1_0000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, u64::MAX]),
            _ => self.next(),
        }
    }
}

struct Fuzzer {
    world: World,
    random: Random,
    callers: Vec<Caller>,
    calls: u32,
    /// The threads whose call is not finished.
    waiting: BTreeSet<ThreadId>,
    /// The services that have done what they are for.
    reached: BTreeSet<u32>,
}

impl Fuzzer {
    fn new(seed: u64) -> Self {
        // Every third system has i386 programs.
        let mut world = World::booted_of(if seed.is_multiple_of(3) {
            Architecture::I386
        } else {
            Architecture::Amd64
        });
        // What the trace makes of such calls is as little to be trusted as the calls.
        if seed.is_multiple_of(2) {
            world.exec.trace_mut().keep();
        }
        let callers = (0..3).map(|_| world.caller()).collect();
        let mut this = Self {
            world,
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            callers,
            calls: 0,
            waiting: BTreeSet::new(),
            reached: BTreeSet::new(),
        };
        for caller in this.callers.clone() {
            for slot in 0..SLOTS {
                this.furnish(caller, slot);
            }
        }
        this
    }

    /// Puts some structure into a slot of the caller's memory.
    fn furnish(&mut self, caller: Caller, slot: u64) {
        let at = slot * SLOT;
        let name = self.random.pick(&NAMES);
        if self.random.once_in(20) {
            return self.world.put_bytes(caller, at, &[0xFF; 0x40]);
        }
        if slot < ATTRIBUTES {
            let attributes = self
                .random
                .pick(&[0, 0x40, 0x40, 0x52, 0xC0, 0x10, u32::MAX]);
            self.world.attributes(caller, at, name, attributes);
            return;
        }
        if slot < TEXTS {
            self.world.string(caller, at, name);
            return;
        }
        match self.random.below(8) {
            6 => {
                let client = self.random.pick(&self.callers.clone());
                let (process, thread) = (client.process.0.into(), client.thread.0.into());
                self.world.put(caller, at, ClientId { process, thread });
            }
            7 => {
                let quality = QualityOfService {
                    level: 1,
                    ..QualityOfService::default()
                };
                self.world.put(caller, at, quality);
            }
            0 => {
                let context = Registers {
                    flags: CONTEXT_CONTROL | CONTEXT_INTEGER,
                    rip: self.random.number(),
                    rsp: self.random.number(),
                    ..Registers::new_zeroed()
                };
                self.world.put(caller, at, context);
            }
            1 => {
                let header = PortMessage {
                    data_length: 8,
                    total_length: 0x30,
                    ..PortMessage::default()
                };
                self.world.put(caller, at, header);
            }
            // Counts, sizes, times; the length of a structure that begins with one.
            2 | 3 => {
                let first = self.random.pick(&[0_u64, 0x18, 0x30, 0x1000, 0x2000]);
                self.world.put(caller, at, [first, 0, 0, 0]);
            }
            4 => {
                let numbers: Vec<u8> = (0..16)
                    .flat_map(|_| self.value_in_memory(caller).to_le_bytes())
                    .collect();
                self.world.put_bytes(caller, at, &numbers);
            }
            _ => self.world.put_bytes(caller, at, &[0; SLOT as usize]),
        }
    }

    /// What a 64-bit field in memory may hold.
    fn value_in_memory(&mut self, caller: Caller) -> u64 {
        match self.random.below(4) {
            0 => self.pointer(caller),
            1 => self.handle(),
            _ => self.random.number(),
        }
    }

    fn handle(&mut self) -> u64 {
        if self.random.once_in(10) {
            return self.random.number();
        }
        // Handles are multiples of 4, small ones first.
        self.random.pick(&[
            4,
            8,
            12,
            16,
            20,
            24,
            28,
            32,
            36,
            40,
            44,
            48,
            u64::MAX,
            u64::MAX - 1,
        ])
    }

    /// A handle of the caller's, of the kind that the parameter's name asks for if there is one.
    fn handle_of(&mut self, caller: Caller, name: &str) -> u64 {
        let kind = match name {
            "file" => Some(Kind::File),
            "event" => Some(Kind::Event),
            "mutant" => Some(Kind::Mutant),
            "semaphore" => Some(Kind::Semaphore),
            "section" => Some(Kind::Section),
            "key" => Some(Kind::Key),
            "port" => Some(Kind::Port),
            "link" => Some(Kind::SymbolicLink),
            "directory" => Some(Kind::Directory),
            "token" => Some(Kind::Token),
            _ => None,
        };
        let exec = &self.world.exec;
        let table = exec
            .process(caller.process)
            .ok()
            .and_then(|process| process.handles.as_ref());
        let fitting: Vec<u64> = table
            .into_iter()
            .flat_map(|table| table.iter())
            .filter(|(_, entry)| {
                let found = exec.ob().get(entry.object).map(|object| object.kind);
                kind.is_none() || found == kind
            })
            .map(|(handle, _)| handle.0)
            .collect();
        if fitting.is_empty() || self.random.once_in(10) {
            return self.handle();
        }
        self.random.pick(&fitting)
    }

    fn pointer(&mut self, caller: Caller) -> u64 {
        match self.random.below(20) {
            0 => 0,
            1 => self.random.number(),
            4 => SHARED_DATA + self.random.below(0x1000),
            2 => caller.memory + self.random.below(MEMORY),
            3 => caller.memory + MEMORY - self.random.below(32),
            _ => caller.memory + self.random.below(SLOTS) * SLOT,
        }
    }

    fn slot_between(&mut self, caller: Caller, first: u64, end: u64) -> u64 {
        caller.memory + (first + self.random.below(end - first)) * SLOT
    }

    fn argument(&mut self, caller: Caller, parameter: Option<Parameter>) -> u64 {
        let Some(parameter) = parameter else {
            return self.value_in_memory(caller);
        };
        if self.random.once_in(20) {
            return self.random.number();
        }
        match (parameter.shape, parameter.name) {
            (Shape::Handle, "debug" | "exception") => 0,
            (Shape::Handle, "event") if self.random.once_in(2) => 0,
            (Shape::Handle, "target" | "parent") if !self.random.once_in(4) => u64::MAX,
            (Shape::Handle, "process") if !self.random.once_in(4) => u64::MAX,
            (Shape::Handle, "thread") if !self.random.once_in(4) => u64::MAX - 1,
            (Shape::Handle, name) => self.handle_of(caller, name),
            (Shape::Attributes, _) => self.slot_between(caller, 0, ATTRIBUTES),
            (Shape::Text, _) => self.slot_between(caller, ATTRIBUTES, TEXTS),
            (Shape::Pointer, "routine") => 0,
            (Shape::Pointer, _) if !self.random.once_in(8) => {
                self.slot_between(caller, TEXTS, SLOTS)
            }
            (Shape::Pointer, _) => self.pointer(caller),
            (Shape::Boolean, _) => self.random.below(2),
            (Shape::Access, _) => self.random.pick(&[
                0x0200_0000,
                0x0200_0000,
                0x1000_0000,
                0x8000_0000,
                0x001F_0001,
                0x000F_003F,
                0xFFFF_FFFF,
                0,
            ]),
            (Shape::Number(_), "class" | "disposition" | "index" | "state") => {
                self.random.below(40)
            }
            (Shape::Number(_), "size" | "insize" | "outsize" | "information" | "message") => {
                self.random.pick(&[
                    4, 8, 12, 16, 0x18, 0x20, 0x24, 0x28, 0x30, 0x38, 0x40, 0x148, 0x400, 0x800,
                ])
            }
            (Shape::Number(_), "protect") => self.random.pick(&[2, 4, 0x10, 0x20, 0x40, 0x104]),
            (Shape::Number(_), "share") => self.random.below(8),
            (Shape::Number(_), "type" | "allocation") => self
                .random
                .pick(&[0, 1, 2, 3, 4, 7, 0x1000, 0x2000, 0x3000, 0x8000, 0x800_0000]),
            (Shape::Number(_), "options") => self
                .random
                .pick(&[0, 1, 2, 0x20, 0x21, 0x60, 0x1020, 0x4020]),
            (Shape::Number(_), "bits" | "ea" | "easize" | "flags" | "commit") => {
                self.random.pick(&[0, 0, 0, 0x80, 1])
            }
            // Bytes of the upper half are no part of a shorter number.
            (Shape::Number(_), _) => self.random.number(),
        }
    }

    /// Handles and regions of memory of every process.
    fn held(&self) -> BTreeMap<ProcessId, (usize, usize)> {
        let processes = self.world.exec.processes();
        processes
            .map(|process| {
                let handles = process
                    .handles
                    .as_ref()
                    .map_or(0, |table| table.iter().count());
                let regions = process
                    .memory
                    .as_ref()
                    .map_or(0, |space| space.descriptors());
                (process.id, (handles, regions))
            })
            .collect()
    }

    /// Holds what there is after a call against what there was before it.
    fn check(&self, before: &BTreeMap<ProcessId, (usize, usize)>, done: &Done, number: u32) {
        let Done::Returns(status) = done else { return };
        if status.is_success() {
            return;
        }
        for (process, now) in self.held() {
            let was = before.get(&process).copied().unwrap_or_default();
            let name = table::service(number).map_or("a call that waited", |service| service.name);
            assert!(
                now.0 <= was.0 && now.1 <= was.1,
                "{name} gave {status}, and handles and regions of {process:?} went from {was:?} to {now:?}"
            );
        }
    }

    /// A caller that can make a call; one that waits goes on first if its wait is over.
    fn ready(&mut self) -> Caller {
        self.callers.retain(|caller| {
            self.world
                .exec
                .thread(caller.thread)
                .is_ok_and(|thread| !thread.ended)
        });
        let mut ready = Vec::new();
        for caller in self.callers.clone() {
            if !self.world.machine.state().is_runnable(caller.thread) {
                continue;
            }
            if self.waiting.remove(&caller.thread) {
                let before = self.held();
                let done = complete(&mut self.world.exec, caller.thread);
                self.check(&before, &done, u32::MAX);
                if done == Done::Waits {
                    self.waiting.insert(caller.thread);
                    continue;
                }
            }
            ready.push(caller);
        }
        if ready.is_empty() {
            let caller = self.world.caller();
            self.callers.push(caller);
            for slot in 0..SLOTS {
                self.furnish(caller, slot);
            }
            return caller;
        }
        self.random.pick(&ready)
    }

    /// Ends the processes that have given away the memory that their calls are made from.
    fn bury(&mut self) {
        for caller in self.callers.clone() {
            let exec = &mut self.world.exec;
            let kept = (0..MEMORY).step_by(0x1000).all(|page| {
                let mut byte = [0];
                let at = caller.memory + page;
                exec.read_process(caller.process, at, &mut byte).is_ok()
                    && exec.write_process(caller.process, at, &byte).is_ok()
            });
            if !kept {
                // One that has ended already needs no end.
                let _ = exec.kill_process(caller.process, None, Status::UNSUCCESSFUL);
            }
        }
    }

    /// Makes a call. `false` once the system has stopped, as a call may ask it to.
    fn step(&mut self) -> bool {
        let caller = self.ready();
        self.world.exec.expire_timers();
        if self.random.once_in(4) {
            let slot = self.random.below(SLOTS);
            self.furnish(caller, slot);
        }
        let mut number = self.random.below(table::COUNT as u64 + 4) as u32;
        let ends = table::service(number).is_some_and(|service| ENDING.contains(&service.name));
        if (ends && !self.random.once_in(30)) || self.random.once_in(5) {
            number = number_of(self.random.pick(&CREATING));
        }
        let mut arguments = Vec::new();
        if let Some(service) = table::service(number) {
            let built = BUILT.get(number as usize).and_then(Option::as_ref);
            for place in 0..service.arguments {
                let parameter = built.map(|built| built.parameters[place]);
                arguments.push(self.argument(caller, parameter));
            }
        }
        let mut passed = self.world.passed(caller, &arguments);
        if self.random.once_in(200) {
            let (Passed::Registers(_, stack) | Passed::Stack(stack)) = &mut passed;
            *stack = self.random.number();
        }
        let before = self.held();
        let exec = &mut self.world.exec;
        let done = dispatch(exec, caller.thread, number, passed);
        self.check(&before, &done, number);
        if table::service(number).is_none() {
            assert_eq!(done, Done::Returns(Status::INVALID_SYSTEM_SERVICE));
        }
        self.calls += 1;
        if done == Done::Waits {
            self.waiting.insert(caller.thread);
        }
        if table::service(number).is_some_and(|service| MEMORY_CALLS.contains(&service.name)) {
            self.bury();
        }
        if !matches!(done, Done::Returns(status) if !status.is_success()) {
            self.reached.insert(number);
        }
        self.world.exec.bug_check().is_none() && self.world.machine.state().stop.is_none()
    }
}

#[test]
fn every_service_survives_a_fuzzer_that_keeps_its_handles() {
    let (mut calls, mut systems) = (0, 0);
    let mut reached = BTreeSet::new();
    while calls < CALLS {
        systems += 1;
        let mut fuzzer = Fuzzer::new(systems);
        while fuzzer.step() && fuzzer.calls < CALLS_OF_ONE_SYSTEM {}
        calls += fuzzer.calls;
        reached.extend(fuzzer.reached);
    }
    assert!(
        systems < u64::from(CALLS / 50),
        "the systems stop too early to hold any state: {systems} of them"
    );
    // A fuzzer whose every call fails shows nothing.
    let built = BUILT.iter().flatten().count();
    assert!(
        reached.len() * 5 >= built * 3,
        "{} of {built} services ever succeeded",
        reached.len()
    );
}
