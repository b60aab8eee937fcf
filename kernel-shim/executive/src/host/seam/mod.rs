// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam of one process: the traits of [`nt::system`], each method one or several services of
//! the executive.
//!
//! Every service goes through [`Seam::call`] or [`Seam::wait_call`]: it is counted, may be made to
//! fail, is traced, and gives the baton away where it waits. Invariants: no lock of the host is held
//! while other threads run; no program makes a call while it holds a lock of its own ([`nt::lock`]).

mod files;
mod machine;
mod memory;
mod objects;
mod port_views;
mod ports;
mod processes;
mod registry;
mod tokens;
mod width;

use super::faults::Faults;
use super::interference::Action;
use super::scheduler::Scheduler;
use crate::ids::{ProcessId, ThreadId};
use crate::machine::Architecture;
use crate::trace::{Argument, CallEnd, Record};
use crate::{Completion, Executive};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::panic::Location;
use nt::{Result, Status, UnicodeStr};
use std::sync::{Mutex, PoisonError};

pub(super) use processes::Parameters;

std::thread_local! {
    static CURRENT: Cell<Option<ThreadId>> = const { Cell::new(None) };
    /// The scheduler of this host thread, and the image of its process.
    static TURNS: RefCell<Option<(Weak<Scheduler>, String)>> = const { RefCell::new(None) };
}

/// What a process of a program runs.
pub type Main = Arc<dyn Fn(&'static Seam) -> Status + Send + Sync>;

/// What all processes of a world share.
pub(super) struct Shared {
    pub(super) scheduler: Arc<Scheduler>,
    /// Programs by the file names of their images, upper case.
    pub(super) programs: Mutex<BTreeMap<String, Main>>,
    pub(super) faults: Mutex<Faults>,
    /// What each process was told at its start.
    pub(super) parameters: Mutex<BTreeMap<ProcessId, Arc<Parameters>>>,
    pub(super) system_root: Vec<u16>,
}

/// The seam of one process.
pub struct Seam {
    shared: Weak<Shared>,
    process: ProcessId,
    image: String,
    parameters: Arc<Parameters>,
    system_root: Vec<u16>,
    version: nt::system::VersionInformation,
    narrow: bool,
    global_flag: u32,
}

/// Arguments of a call, for the trace.
pub(super) type Arguments = Vec<(&'static str, Argument)>;

/// No arguments worth a line.
pub(super) fn nothing() -> Arguments {
    Vec::new()
}

/// One argument that is a name.
pub(super) fn name(label: &'static str, text: UnicodeStr<'_>) -> Arguments {
    Vec::from([(label, Argument::Text(text.to_string()))])
}

/// One argument that is a number or a handle.
pub(super) fn number(label: &'static str, value: impl Into<u64>) -> Arguments {
    Vec::from([(label, Argument::Number(value.into()))])
}

impl Shared {
    pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seam {
    pub(super) fn new(
        shared: &Arc<Shared>,
        process: ProcessId,
        parameters: Arc<Parameters>,
    ) -> &'static Self {
        let image = parameters.image_name();
        let version = shared
            .scheduler
            .with(|executive| match executive.version() {
                crate::Version::V5_2 => nt::system::VersionInformation { major: 5, minor: 2 },
                crate::Version::V6_1 => nt::system::VersionInformation { major: 6, minor: 1 },
            });
        let narrow = shared
            .scheduler
            .with(|executive| executive.architecture() == Architecture::I386);
        let global_flag = shared.scheduler.with(|executive| executive.global_flag());
        let system_root = shared.system_root.clone();
        Box::leak(Box::new(Self {
            shared: Arc::downgrade(shared),
            process,
            image,
            parameters,
            system_root,
            version,
            narrow,
            global_flag,
        }))
    }

    /// The calling thread.
    pub(super) fn current() -> Result<ThreadId> {
        CURRENT.get().ok_or(Status::INVALID_CID)
    }

    /// Says which thread this host thread is, and how it waits for a lock that another one holds.
    pub(super) fn become_thread(thread: ThreadId, scheduler: Weak<Scheduler>, image: String) {
        CURRENT.set(Some(thread));
        TURNS.replace(Some((scheduler, image)));
        nt::lock::install(yield_processor);
        nt::lock::install_point(before_lock);
    }

    fn shared(&self) -> Result<Arc<Shared>> {
        self.shared.upgrade().ok_or(Status::PROCESS_IS_TERMINATING)
    }

    /// Lets virtual time pass before a call of `thread` is made.
    fn slow(scheduler: &Arc<Scheduler>, thread: ThreadId, hundred_nanoseconds: u64) {
        let relative = -i64::try_from(hundred_nanoseconds).unwrap_or(i64::MAX);
        let begun = scheduler.enter(thread, |executive| executive.delay(thread, relative));
        if matches!(begun, Some(Completion::Pending)) {
            scheduler.wait(thread);
            // How the delay ended does not matter to the call that follows it.
            let _ = scheduler.enter(thread, |executive| executive.take_completion(thread));
        }
    }

    /// One service that does not wait.
    pub(super) fn call<R>(
        &self,
        call: &'static str,
        arguments: impl FnOnce() -> Arguments,
        act: impl FnOnce(&mut Executive, ThreadId) -> Result<R>,
    ) -> Result<R> {
        self.wait_call(
            call,
            arguments,
            |executive, thread| act(executive, thread).map(Completion::Done),
            |_, _, status| Err(status),
        )
    }

    /// One service that may park its thread: `finish` is called with the status of the wait once it
    /// runs again.
    pub(super) fn wait_call<R>(
        &self,
        call: &'static str,
        arguments: impl FnOnce() -> Arguments,
        act: impl FnOnce(&mut Executive, ThreadId) -> Result<Completion<R>>,
        finish: impl FnOnce(&mut Executive, ThreadId, Status) -> Result<R>,
    ) -> Result<R> {
        self.serve(true, call, arguments, act, finish)
    }

    /// The caller's own end, which is never refused, because nothing could follow.
    pub(super) fn own_end(
        &self,
        call: &'static str,
        arguments: impl FnOnce() -> Arguments,
        act: impl FnOnce(&mut Executive, ThreadId) -> Result<()>,
    ) -> Result<()> {
        self.serve(
            false,
            call,
            arguments,
            |executive, thread| act(executive, thread).map(Completion::Done),
            |_, _, status| Err(status),
        )
    }

    fn serve<R>(
        &self,
        refusable: bool,
        call: &'static str,
        arguments: impl FnOnce() -> Arguments,
        act: impl FnOnce(&mut Executive, ThreadId) -> Result<Completion<R>>,
        finish: impl FnOnce(&mut Executive, ThreadId, Status) -> Result<R>,
    ) -> Result<R> {
        without_a_lock(call);
        let shared = self.shared()?;
        let thread = Self::current()?;
        let action = shared.scheduler.before_call(thread, &self.image, call);
        let fault = match action {
            Action::Delay(time) => {
                Self::slow(&shared.scheduler, thread, time);
                None
            }
            Action::Proceed if refusable => Shared::lock(&shared.faults).next(&self.image, call),
            Action::Proceed => None,
            Action::Fail(status) if !refusable => {
                log::debug!("{call}: an end of one's own is not refused with {status}");
                None
            }
            Action::Fail(status) => Some(status),
            Action::Die => {
                let process = self.process;
                shared.scheduler.enter(thread, |executive| {
                    executive.kill_process(process, None, Status::UNSUCCESSFUL)
                });
                None
            }
        };
        let mut arguments = Some(arguments);
        let mut noted = Vec::new();
        let mut began = 0;
        let mut ended_early = Some(finish);
        let ends_early =
            is_wait(call) && matches!(action, Action::Fail(status) if !status.is_error());
        let begun = shared.scheduler.enter(thread, |executive| {
            began = executive.machine().uptime();
            if executive.trace().wanted() {
                noted = arguments
                    .take()
                    .map(|arguments| arguments())
                    .unwrap_or_default();
            }
            let result = match fault {
                // A wait that ends otherwise than by what was waited for.
                Some(status) if ends_early => ended_early.take().map_or(Err(status), |finish| {
                    finish(executive, thread, status).map(Completion::Done)
                }),
                // What a seam makes of a code of success for a call that came to no end.
                Some(status) => Err(status.ended().err().unwrap_or(status)),
                None => act(executive, thread),
            };
            match &result {
                Ok(Completion::Done(_)) => record(
                    executive,
                    thread,
                    call,
                    &mut noted,
                    began,
                    CallEnd::Returned(Status::SUCCESS),
                ),
                Ok(Completion::Pending) => {}
                Err(status) => record(
                    executive,
                    thread,
                    call,
                    &mut noted,
                    began,
                    CallEnd::Returned(*status),
                ),
            }
            result
        });
        match begun.unwrap_or(Err(Status::THREAD_IS_TERMINATING))? {
            Completion::Done(result) => return Ok(result),
            Completion::Pending => shared.scheduler.wait(thread),
        }
        let ended = shared.scheduler.enter(thread, |executive| {
            let status = executive.take_completion(thread).unwrap_or(Status::SUCCESS);
            let result = match ended_early.take() {
                Some(finish) => finish(executive, thread, status),
                None => Err(status),
            };
            let status = result.as_ref().map_or_else(|status| *status, |_| status);
            record(
                executive,
                thread,
                call,
                &mut noted,
                began,
                CallEnd::Returned(status),
            );
            result
        });
        ended.unwrap_or(Err(Status::THREAD_IS_TERMINATING))
    }
}

/// Whether a call is a wait for time or objects, which may end with a success code of its own.
fn is_wait(call: &str) -> bool {
    matches!(
        call,
        "NtWaitForSingleObject" | "NtWaitForMultipleObjects" | "NtDelayExecution"
    )
}

/// A call under a lock would keep whoever wants the lock from running for as long as the kernel likes.
/// What a thread that was ended still gives back while it unwinds is refused anyway.
fn without_a_lock(call: &str) {
    if let Some(place) = nt::lock::held_at()
        && !std::thread::panicking()
    {
        panic!("{call} is called while the lock taken at {place} is held");
    }
}

/// A lock of the program's own is about to be taken: another thread may run first.
fn before_lock(place: &'static Location<'static>) {
    let turns = TURNS.with_borrow(Clone::clone);
    if let (Some((scheduler, image)), Some(thread)) = (turns, CURRENT.get())
        && let Some(scheduler) = scheduler.upgrade()
    {
        scheduler.before_lock(thread, &image, place);
    }
}

/// NtYieldExecution of a thread that spins on a lock: its holder, which has no baton, must get on.
fn yield_processor() {
    let turns = TURNS.with_borrow(Clone::clone);
    if let (Some((scheduler, image)), Some(thread)) = (turns, CURRENT.get())
        && let Some(scheduler) = scheduler.upgrade()
    {
        // If interference fails the call, others run all the same: a yield has no other effect.
        let _ = scheduler.before_call(thread, &image, "NtYieldExecution");
        scheduler.give_way(thread);
    }
}

/// Counts and traces a call that has ended.
fn record(
    executive: &mut Executive,
    thread: ThreadId,
    call: &'static str,
    arguments: &mut Arguments,
    began: u64,
    outcome: CallEnd,
) {
    executive.trace_mut().count(call);
    if !executive.trace().wanted() {
        return;
    }
    let Ok(client) = executive.client_id(thread) else {
        return;
    };
    let time = executive.machine().uptime();
    let arguments = core::mem::take(arguments);
    let line = executive.trace_mut().record(Record {
        time,
        began,
        client,
        call,
        arguments,
        outcome,
    });
    if let Some(line) = line {
        executive.machine_mut().debug_print(&line);
    }
}

#[cfg(test)]
mod tests {
    use crate::Version;
    use crate::host::World;
    use alloc::string::String;
    use nt::lock::Mutex;
    use nt::system::Processes;
    use nt::{Handle, Status};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_call_that_is_made_under_a_lock_of_the_program_is_a_panic() {
        let mut world = World::with_volume(Version::V5_2, 8);
        world.start(|system| {
            static LOCK: Mutex<u32> = Mutex::new(0);
            let session = |_: u32| system.query_session(Handle::CURRENT_PROCESS);
            assert_eq!(session(*LOCK.lock()), Ok(0));
            Status::SUCCESS
        });
        let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
        let payload = outcome.expect_err("the guard lives until the statement ends");
        let text = payload.downcast_ref::<String>().expect("a text");
        assert!(
            text.starts_with("NtQueryInformationProcess is called while the lock taken at "),
            "{text}"
        );
    }
}
