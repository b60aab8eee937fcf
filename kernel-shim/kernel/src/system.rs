// SPDX-License-Identifier: GPL-2.0-or-later
//! The loop: choose a thread, run it, serve its trap; and what happens when nobody can run.
//!
//! A thread's life here: *new* (its first run goes through ntdll's loader thunk), *running*,
//! *waiting* (its service gave [`Done::Waits`]; when it runs again, the service is completed
//! first), and gone. The executive says when; this file only obeys.

use crate::boot::options::{ExitAt, Kill, Options};
use crate::cpu::user::{Registers, Trap};
use crate::cpu::{clock, context, interrupt};
use crate::exit::{Verdict, exit};
use crate::host_port::{self, HostPort, TooLong};
use crate::machine::Pending;
use crate::ring3::Ring3;
use crate::serial::line;
use crate::shared::Shared;
use crate::thread::deliver::{self, UserFrame};
use crate::{announce, end, report, screen};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use executive::Executive;
use executive::ids::{ObjectId, ProcessId, ThreadId};
use executive::machine::{Architecture, PageAccess, Stop};
use executive::ob::prelude::*;
use executive::ps::SystemDll;
use executive::services::call::Done;
use executive::services::layout::ExceptionRecord;
use executive::services::{self, Passed, table};
use nt::{Result, Status};

/// The debug services of interrupt 0x2d: RCX is text, EDX its length. Nobody is there to answer a
/// prompt, which is an exception of the caller's then.
const DEBUG_PRINT: u64 = 1;
const DEBUG_PROMPT: u64 = 2;
/// The service that gives the rest of a quantum away.
const YIELD: u32 = table::number_of("NtYieldExecution");
/// The longest text it prints.
const DEBUG_LIMIT: u64 = 4096;

/// What a killed process leaves behind as its exit status.
const KILLED: Status = Status::UNSUCCESSFUL;

/// Everything that runs.
pub struct System {
    executive: Executive,
    machine: Shared,
    options: Options,
    settled: bool,
    /// The tick came since the timers were looked at.
    time_passed: bool,
    /// The host's requests, and the smctl that serves one of them: its object, to which a
    /// reference is held, and its id.
    host: HostPort,
    client: Option<(ObjectId, ProcessId)>,
    /// The images of the processes that have run, of which the host was told.
    images: BTreeMap<ProcessId, String>,
    /// Those of them whose end the screen has not shown.
    shown: BTreeSet<ProcessId>,
    ring3: Ring3,
}

impl System {
    /// Takes an executive whose first process has been made.
    pub fn new(executive: Executive, machine: Shared, options: Options) -> Self {
        Self {
            executive,
            machine,
            options,
            settled: false,
            time_passed: true,
            host: HostPort::new(),
            client: None,
            images: BTreeMap::new(),
            shown: BTreeSet::new(),
            ring3: Ring3::default(),
        }
    }

    /// Runs until the end.
    pub fn run(mut self) -> ! {
        announce::executive(&mut self.executive);
        if self.options.trace {
            report::before(&mut self.executive);
        }
        loop {
            if core::mem::take(&mut self.time_passed) {
                self.machine.lock().update_time();
                self.executive.expire_timers();
                self.host_request();
            }
            let stopped = self.machine.lock().stopped();
            if let Some(stop) = stopped {
                self.stop(&stop);
            }
            if self
                .options
                .timeout
                .is_some_and(|seconds| clock::uptime() / clock::SECOND >= u64::from(seconds))
            {
                line(format_args!("not settled within the time limit"));
                self.leave();
                exit(Verdict::Failure);
            }
            let next = self.machine.lock().ready.next();
            match next {
                Some(thread) => self.turn(thread),
                None => self.nobody(),
            }
        }
    }

    /// Nobody can run: settled, if no timer will change that.
    fn nobody(&mut self) {
        let deadline = self.executive.next_deadline();
        if deadline.is_some() && deadline == self.executive.lazy_flush_deadline() {
            // There is no better moment to write changed hives than one at which nobody wants
            // anything. What could not be written is tried again in its own time, and
            // does not keep the system from having settled.
            self.executive.flush_hives();
            if self.executive.lazy_flush_deadline().is_none() {
                return;
            }
        } else if deadline.is_some() {
            return self.idle();
        }
        if self.settled {
            self.idle();
        } else {
            self.settle();
        }
    }

    fn idle(&mut self) {
        interrupt::idle();
        self.time_passed = true;
    }

    /// Starts smctl for a request of the host, or tells it how the last one ended.
    fn host_request(&mut self) {
        if let Some((object, process)) = self.client {
            let status = self
                .executive
                .process(process)
                .ok()
                .filter(|process| process.ended)
                .map(|process| process.exit_status);
            if let Some(status) = status {
                self.client = None;
                self.executive.dereference(object);
                host_port::answer(format_args!("end {:08X}", status.code()));
            }
            return;
        }
        let started = match self.host.request() {
            Ok(None) => return,
            Ok(Some(command)) => {
                let root = self.options.system_root();
                self.executive.start_program(&root, &command)
            }
            Err(TooLong) => Err(Status::NAME_TOO_LONG),
        };
        let object = started.and_then(|process| {
            let started = self.executive.process(process)?;
            Ok((started.object, process))
        });
        match object {
            Ok((object, process)) => {
                self.executive.reference(object);
                self.client = Some((object, process));
            }
            Err(status) => host_port::answer(format_args!("end {:08X}", status.code())),
        }
    }

    fn settle(&mut self) {
        self.settled = true;
        // Before it is announced: who waits for that may take a picture.
        self.show_ends();
        screen::note("the system is up: every thread waits");
        announce::settled();
        let exits = self.options.exit == ExitAt::Settled;
        // What stands is shown once: of a run that ends by itself, what stands at its end.
        if self.options.dump && !(exits && self.options.kill.is_some()) {
            report::dump(&mut self.executive);
        }
        // A machine that stays up is ended by a person, who may not let it say any more.
        if !exits {
            self.trace();
        }
        if let Some(kill) = self.options.kill.take() {
            let image = match kill {
                Kill::Csrss => "csrss.exe",
                Kill::Winlogon => "winlogon.exe",
                Kill::Wininit => "wininit.exe",
            };
            line(format_args!("killing {image}, as the command line says"));
            if self.kill(image).is_err() {
                line(format_args!("there is no process {image}"));
                exit(Verdict::Failure);
            }
            // It may settle once more.
            self.settled = !exits;
            return;
        }
        if exits {
            self.leave();
            exit(Verdict::Pass);
        }
    }

    /// The trace, and with it how much each process ran.
    fn trace(&self) {
        report::trace(&self.executive, &self.images);
        if self.options.trace {
            let lines = self.ring3.lines(&self.images);
            announce::part("ring3", lines.iter().map(String::as_str));
        }
        if self.options.steps.is_some() {
            let lines = self.ring3.steps();
            announce::part("steps", lines.iter().map(String::as_str));
        }
    }

    /// What is done before every end: the trace is printed, and what was written is brought to the
    /// disks.
    fn leave(&mut self) {
        self.trace();
        self.executive.flush_volumes();
        self.machine.lock().flush();
    }

    /// Ends the first process with this image. If it is critical it is made an ordinary one first, as
    /// the tools do that let the session manager notice (spec 1.4).
    fn kill(&mut self, image: &str) -> Result<()> {
        let named = |name: &[u16]| String::from_utf16_lossy(name).eq_ignore_ascii_case(image);
        let found = self
            .executive
            .processes()
            .find(|process| !process.ended && named(&process.image));
        let id = found.ok_or(Status::INVALID_CID)?.id;
        self.executive.process_mut(id)?.critical = false;
        self.executive.kill_process(id, None, KILLED)
    }

    /// Lets a thread run until its next trap, and serves it.
    fn turn(&mut self, thread: ThreadId) {
        let state = self
            .machine
            .lock()
            .thread(thread)
            .map(|thread| core::mem::take(&mut thread.pending));
        match state {
            None => return,
            Some(Pending::Start) => self.start(thread),
            Some(Pending::Service) => {
                let done = services::complete(&mut self.executive, thread);
                self.finish(thread, done);
            }
            Some(Pending::Nothing) => {}
        }
        // Any of that may have ended the thread, or stopped it again.
        let Some((mut registers, mut vectors, teb)) = self.machine.lock().begin(thread) else {
            return;
        };
        let Ok(process) = self.executive.process_of(thread) else {
            return;
        };
        let architecture = self.executive.architecture();
        registers.set_port_access(process.ports);
        announce::running(process.id, thread);
        let trap = (self.ring3).run(architecture, process.id, &mut registers, &mut vectors, teb);
        self.machine.lock().leave(thread, &registers, vectors);
        self.serve(thread, trap, &registers);
    }

    fn serve(&mut self, thread: ThreadId, trap: Trap, registers: &Registers) {
        match trap {
            Trap::SystemCall => self.system_call(thread, registers),
            Trap::Interrupt(vector) => {
                interrupt::handle(vector);
                if vector == interrupt::TIMER {
                    self.time_passed = true;
                    self.machine.lock().ready.tick(thread);
                }
            }
            Trap::PageFault { address, error } => {
                if let Err(status) = self.executive.page_fault(thread, address, wanted(error)) {
                    let record = deliver::page_fault(status.code(), registers.rip, address, error);
                    self.raise(thread, &record, true);
                }
            }
            Trap::Exception { vector: 0x2d, .. } if registers.rax != DEBUG_PROMPT => {
                self.debug_service(thread, registers);
            }
            Trap::Exception { .. } => {
                let mut opcode = [0; 2];
                // Unreadable code is not privileged code.
                let _ = self.read(thread, registers.rip, &mut opcode);
                let record = deliver::of_trap(trap, registers, opcode);
                self.raise(thread, &record, true);
            }
        }
    }

    fn system_call(&mut self, thread: ThreadId, registers: &Registers) {
        let number = registers.rax as u32;
        let passed = match self.executive.architecture() {
            Architecture::Amd64 => {
                let arguments = [registers.r10, registers.rdx, registers.r8, registers.r9];
                Passed::Registers(arguments, registers.rsp)
            }
            Architecture::I386 => Passed::Stack(registers.rdx),
        };
        let done = services::dispatch(&mut self.executive, thread, number, passed);
        if number == YIELD {
            self.machine.lock().ready.yield_now(thread);
        }
        self.finish(thread, done);
    }

    /// Puts the outcome of a service into the thread's registers.
    fn finish(&mut self, thread: ThreadId, done: Done) {
        match done {
            Done::Gone => self.show_ends(),
            Done::Waits => self.set_pending(thread, Pending::Service),
            Done::Returns(status) => {
                if let Some(thread) = self.machine.lock().thread(thread) {
                    thread.registers.rax = status.code().into();
                }
            }
            Done::Continues(context) => {
                if let Ok(process) = self.executive.process_of(thread) {
                    self.ring3.continues(process.id);
                }
                if let Some(thread) = self.machine.lock().thread(thread) {
                    context::apply(&context, &mut thread.registers, &mut thread.vectors);
                }
            }
            Done::Raises(record, context, first_chance) => {
                if let Some(thread) = self.machine.lock().thread(thread) {
                    context::apply(&context, &mut thread.registers, &mut thread.vectors);
                }
                self.raise(thread, &record, first_chance);
            }
        }
    }

    fn set_pending(&self, thread: ThreadId, pending: Pending) {
        if let Some(thread) = self.machine.lock().thread(thread) {
            thread.pending = pending;
        }
    }

    /// The first run of a thread: as if an APC had interrupted it at its very beginning,
    /// LdrInitializeThunk is called with the context in which the thread then goes on.
    fn start(&mut self, thread: ThreadId) {
        let Some(dll) = self.system_dll(thread) else {
            return;
        };
        self.announce(thread, &dll);
        let architecture = self.executive.architecture();
        if let Some(entries) = &dll.system_call {
            self.machine.lock().publish_system_call(entries);
        }
        let frame = self.machine.lock().thread(thread).map(|thread| {
            deliver::apc(
                architecture,
                &thread.registers,
                &thread.vectors,
                dll.ldr_initialize_thunk,
                [0, dll.base, 0],
                dll.user_apc_dispatcher,
            )
        });
        if frame.is_some_and(|frame| !self.enter(thread, &frame)) {
            // A thread without a stack cannot even be told so.
            self.end_process(thread, Status::ACCESS_VIOLATION);
        }
    }

    /// Tells the host of the images of a process that runs for the first time.
    fn announce(&mut self, thread: ThreadId, dll: &SystemDll) {
        let Ok(process) = self.executive.process_of(thread) else {
            return;
        };
        if self.images.contains_key(&process.id) {
            return;
        }
        let name = String::from_utf16_lossy(&process.image);
        announce::image(&name, process.image_base, process.id.0);
        announce::image("ntdll.dll", dll.base, process.id.0);
        let session = process
            .session
            .map_or_else(String::new, |number| format!(", session {number}"));
        screen::note(&format!("{name} starts, process {}{session}", process.id.0));
        self.shown.insert(process.id);
        if self.options.steps.as_deref() == Some(name.as_str()) {
            self.ring3.step(process.id);
        }
        self.images.insert(process.id, name);
    }

    /// Shows, here and to the host, which processes have ended.
    fn show_ends(&mut self) {
        let executive = &self.executive;
        let images = &self.images;
        self.shown.retain(|id| {
            let Ok(process) = executive.process(*id) else {
                return false;
            };
            if process.ended {
                let name = images.get(id).map_or("?", String::as_str);
                announce::ended(name, id.0, process.exit_status);
                screen::note(&format!("{name} ends, {}", process.exit_status));
            }
            !process.ended
        });
    }

    fn system_dll(&self, thread: ThreadId) -> Option<SystemDll> {
        self.executive.process_of(thread).ok()?.system_dll
    }

    fn end_process(&mut self, thread: ThreadId, status: Status) {
        if let Ok(process) = self.executive.process_of(thread).map(|process| process.id) {
            // It has not ended: its thread has just run.
            let _ = self.executive.kill_process(process, None, status);
        }
    }

    fn read(&mut self, thread: ThreadId, address: u64, into: &mut [u8]) -> Result<()> {
        let process = self.executive.process_of(thread)?.id;
        self.executive.read_process(process, address, into)
    }

    fn write(&mut self, thread: ThreadId, address: u64, bytes: &[u8]) -> Result<()> {
        let process = self.executive.process_of(thread)?.id;
        self.executive.write_process(process, address, bytes)
    }

    /// Writes a frame to the user stack and makes the thread go on there.
    fn enter(&mut self, thread: ThreadId, frame: &UserFrame) -> bool {
        let written = self.write(thread, frame.address, &frame.bytes).is_ok();
        if written && let Some(thread) = self.machine.lock().thread(thread) {
            thread.registers = frame.registers;
        }
        written
    }

    /// Delivers an exception to the thread; at the second chance, or without a stack to deliver it
    /// to, its process ends.
    fn raise(&mut self, thread: ThreadId, record: &ExceptionRecord, first_chance: bool) {
        let dll = self.system_dll(thread);
        let architecture = self.executive.architecture();
        let frame = self
            .machine
            .lock()
            .thread(thread)
            .zip(dll)
            .map(|(thread, dll)| {
                deliver::exception(
                    architecture,
                    &thread.registers,
                    &thread.vectors,
                    record,
                    dll.user_exception_dispatcher,
                )
            });
        if first_chance && frame.is_some_and(|frame| self.enter(thread, &frame)) {
            return;
        }
        self.report(thread, record);
        self.end_process(thread, Status::new(record.code));
    }

    fn report(&mut self, thread: ThreadId, record: &ExceptionRecord) {
        let name = self.executive.process_of(thread).map_or_else(
            |_| String::new(),
            |process| String::from_utf16_lossy(&process.image),
        );
        line(format_args!(
            "exception {:#010x} at {:#x} in {name}, {thread:?}: not handled",
            { record.code },
            { record.address }
        ));
        let registers = self
            .machine
            .lock()
            .thread(thread)
            .map(|thread| thread.registers);
        if let Some(registers) = registers {
            line(format_args!("{registers}"));
            report::user_stack(&mut self.executive, thread, &registers);
        }
    }

    /// The stack of the thread that ran last, if it has not ended: it is the one that stopped the
    /// system.
    fn report_last(&mut self) {
        let thread = announce::last_thread();
        let registers = self
            .machine
            .lock()
            .thread(thread)
            .map(|thread| thread.registers);
        if let Some(registers) = registers {
            report::user_stack(&mut self.executive, thread, &registers);
        }
    }

    /// Interrupt 0x2d. The one-byte instruction behind it is skipped, whatever the service.
    fn debug_service(&mut self, thread: ThreadId, registers: &Registers) {
        if registers.rax == DEBUG_PRINT {
            let mut text = vec![0; (registers.rdx & 0xffff).min(DEBUG_LIMIT) as usize];
            if self.read(thread, registers.rcx, &mut text).is_ok() {
                let text = String::from_utf8_lossy(&text);
                crate::serial::debug_print(&text);
                self.executive.printed(thread, &text);
            }
        }
        if let Some(thread) = self.machine.lock().thread(thread) {
            thread.registers.rip = registers.rip.wrapping_add(1);
            thread.registers.rax = 0;
        }
    }

    fn stop(&mut self, stop: &Stop) -> ! {
        self.machine.lock().activate(None);
        if matches!(stop, Stop::Bugcheck { .. }) {
            self.report_last();
        }
        if matches!(stop, Stop::Shutdown(_)) {
            self.executive.flush_hives();
        }
        self.leave();
        match *stop {
            Stop::Shutdown(action) => end::shutdown(action, &self.options),
            Stop::Bugcheck { code, parameters } => {
                let text = self
                    .executive
                    .bug_check()
                    .map_or_else(String::new, |check| check.text());
                end::bugcheck(code, parameters, &text, &self.options)
            }
        }
    }
}

/// What a page fault's error code says was tried.
const fn wanted(error: u64) -> PageAccess {
    if error & 1 << 4 != 0 {
        PageAccess::EXECUTE
    } else if error & 1 << 1 != 0 {
        PageAccess::WRITE
    } else {
        PageAccess::READ
    }
}
