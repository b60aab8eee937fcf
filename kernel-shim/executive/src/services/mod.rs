// SPDX-License-Identifier: GPL-2.0-or-later
//! The system services: what a system-call instruction in ring 3 turns into.
//!
//! [`dispatch`] takes the registers of a system call, decodes every argument out of the caller's
//! memory, calls the typed service, writes the results back and says how the call ends. A call that
//! waits is finished by [`complete`] when its thread runs again.
//!
//! A service that is not built returns `NOT_IMPLEMENTED` and logs its name and its arguments: never
//! a silent success.
//!
//! Invariants: an address from ring 3 is a [`user::UserPtr`] until a checked read or write; results
//! are probed before anything is done for which NT does so; a thread has at most one call under
//! way.

pub mod argument;
pub mod call;
mod create_token;
pub mod encode;
mod file_information;
mod files;

mod locks;
mod memory;
mod objects;
pub mod pending;
mod ports;
mod processes;
mod registry;
mod show;
pub mod sysinfo;
mod system;
pub mod table;
#[cfg(test)]
mod tests;
mod thread_context;
mod threads;
mod tokens;
pub mod user;
mod waits;

pub use crate::layout;

use crate::Executive;
use crate::ids::ThreadId;
use crate::layout::{ClientId, Word};
use crate::trace::{Argument, CallEnd, Record};
use alloc::boxed::Box;
use alloc::vec::Vec;
use call::{Built, Call, Done};
use nt::{Result, Status};
use pending::Pending;
use table::{COUNT, MAX_ARGUMENTS, Service};
use user::{UserPtr, UserSlice};

/// The parameters of a service, if it is built.
pub fn parameters(number: u32) -> Option<&'static [argument::Parameter]> {
    let built = BUILT.get(number as usize)?.as_ref()?;
    Some(built.parameters)
}

static BUILT: [Option<Built>; COUNT] = call::assemble(&[
    create_token::CALLS,
    thread_context::CALLS,
    threads::CALLS,
    file_information::CALLS,
    files::CALLS,
    locks::CALLS,
    memory::CALLS,
    objects::CALLS,
    ports::CALLS,
    processes::CALLS,
    registry::CALLS,
    system::CALLS,
    tokens::CALLS,
    waits::CALLS,
]);

/// Arguments in registers on x86-64: R10, RDX, R8, R9.
const IN_REGISTERS: usize = 4;
/// Where the fifth argument is from the stack pointer: behind the return address and the four
/// registers' home.
const FIFTH_ARGUMENT: u64 = 0x28;

/// Where a caller has put its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// An x86-64 program: R10, RDX, R8, R9, and the stack pointer at the instruction, where the stub's
    /// return address lies.
    Registers([u64; IN_REGISTERS], u64),
    /// An i386 program: EDX, where all of them lie side by side.
    Stack(u64),
}

/// A call under way in a waiting thread.
#[derive(Clone, Debug)]
pub struct Waiting {
    number: u32,
    arguments: [u64; MAX_ARGUMENTS],
    pending: Pending,
    /// When the call was made.
    began: u64,
}

/// Carries out the system call `number` (EAX) of `thread`.
pub fn dispatch(exec: &mut Executive, thread: ThreadId, number: u32, passed: Passed) -> Done {
    let Some(service) = table::service(number) else {
        log::warn!("system call {number:#x}: there is no such service");
        return Done::Returns(Status::INVALID_SYSTEM_SERVICE);
    };
    let Ok(process) = exec.process_of(thread).map(|process| process.id) else {
        return Done::Gone;
    };
    // Afterwards the caller may be gone.
    let client = exec.client_id(thread).unwrap_or_default();
    let began = exec.machine().uptime();
    let mut call = Call {
        exec,
        thread,
        process,
        arguments: [0; MAX_ARGUMENTS],
        pending: None,
    };
    if let Err(status) = take_arguments(&mut call, service, passed) {
        return Done::Returns(status);
    }
    let mut shown = if call.exec.trace().wanted() {
        show::arguments(&mut call, service)
    } else {
        Vec::new()
    };
    let done = match BUILT.get(number as usize).and_then(Option::as_ref) {
        Some(built) => (built.handler)(&mut call).unwrap_or_else(Done::Returns),
        None => {
            if shown.is_empty() {
                shown = show::arguments(&mut call, service);
            }
            log::warn!("{}{} is not built", service.name, Shown(&shown));
            Done::Returns(Status::NOT_IMPLEMENTED)
        }
    };
    if call.exec.trace().wanted() {
        show::results(&mut call, service, &mut shown, &done);
    }
    let (pending, arguments) = (call.pending.take(), call.arguments);
    if let (Done::Waits, Some(pending)) = (&done, pending) {
        keep(
            exec,
            thread,
            Waiting {
                number,
                arguments,
                pending,
                began,
            },
        );
    }
    exec.trace_mut().count(service.name);
    record(exec, client, service, shown, began, &done);
    done
}

/// Finishes the call of a thread that runs again after [`Done::Waits`].
pub fn complete(exec: &mut Executive, thread: ThreadId) -> Done {
    let status = exec.take_completion(thread).unwrap_or(Status::SUCCESS);
    let event = exec.take_port_event(thread);
    let kept = exec.take_call(thread).map(|kept| kept.downcast());
    let Some(Ok(kept)) = kept else {
        return Done::Returns(status);
    };
    let Waiting {
        number,
        arguments,
        pending,
        began,
    } = *kept;
    let Ok(process) = exec.process_of(thread).map(|process| process.id) else {
        return Done::Gone;
    };
    let client = exec.client_id(thread).unwrap_or_default();
    let mut call = Call {
        exec,
        thread,
        process,
        arguments,
        pending: None,
    };
    let done = pending::finish(&mut call, pending, status, event).unwrap_or_else(Done::Returns);
    let mut shown = Vec::new();
    if let (true, Some(service)) = (call.exec.trace().wanted(), table::service(number)) {
        show::results(&mut call, service, &mut shown, &done);
    }
    let pending = call.pending.take();
    if let (Done::Waits, Some(pending)) = (&done, pending) {
        keep(
            exec,
            thread,
            Waiting {
                number,
                arguments,
                pending,
                began,
            },
        );
    }
    if let Some(service) = table::service(number) {
        record(exec, client, service, shown, began, &done);
    }
    done
}

/// Keeps a call whose thread waits until [`complete`].
fn keep(exec: &mut Executive, thread: ThreadId, call: Waiting) {
    exec.keep_call(thread, Box::new(call));
}

/// Takes the arguments out of registers and stack, and widens them as they are declared.
fn take_arguments(call: &mut Call<'_>, service: &Service, passed: Passed) -> Result<()> {
    let (registers, stack) = match passed {
        Passed::Registers(registers, stack) => (registers, stack.saturating_add(FIFTH_ARGUMENT)),
        Passed::Stack(stack) => ([0; IN_REGISTERS], stack),
    };
    let in_registers = match passed {
        Passed::Registers(..) => IN_REGISTERS.min(service.arguments),
        Passed::Stack(_) => 0,
    };
    let on_stack = UserSlice {
        pointer: UserPtr::new(stack),
        count: (service.arguments - in_registers) as u32,
    };
    let on_stack = call.slice::<Word>(on_stack, 1)?;
    let slots = registers.into_iter().take(in_registers);
    let slots = slots.chain(on_stack.into_iter().map(|Word(slot)| slot));
    for (to, from) in call.arguments.iter_mut().zip(slots) {
        *to = from;
    }
    let architecture = call.exec.architecture();
    for (slot, parameter) in call
        .arguments
        .iter_mut()
        .zip(parameters(service.number).unwrap_or_default())
    {
        *slot = parameter.shape.widened(architecture, *slot);
    }
    Ok(())
}

fn record(
    exec: &mut Executive,
    client: ClientId,
    service: &'static Service,
    arguments: Vec<(&'static str, Argument)>,
    began: u64,
    done: &Done,
) {
    if !exec.trace().wanted() {
        return;
    }
    let outcome = match done {
        Done::Returns(status) => CallEnd::Returned(*status),
        Done::Waits => CallEnd::Waits,
        Done::Gone | Done::Continues(_) | Done::Raises(..) => CallEnd::Gone,
    };
    let record = Record {
        time: exec.machine().uptime(),
        began,
        client,
        call: service.name,
        arguments,
        outcome,
    };
    if let Some(mut line) = exec.trace_mut().record(record) {
        line.push('\n');
        exec.machine_mut().debug_print(&line);
    }
}

/// Arguments as a call is written.
struct Shown<'a>(&'a [(&'static str, Argument)]);

impl core::fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("(")?;
        for (index, (_, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match value {
                Argument::Number(number) => write!(out, "{comma}{number:#x}")?,
                Argument::Text(text) => write!(out, "{comma}{text:?}")?,
                Argument::Words(words) => write!(out, "{comma}{words}")?,
            }
        }
        out.write_str(")")
    }
}
