// SPDX-License-Identifier: GPL-2.0-or-later
//! The baton: host threads that run one at a time, in an order that is the same every time.
//!
//! Every NT thread of a test is a host thread. Exactly one holds the baton and runs; it gives it
//! away only when a service makes it wait, or when it ends or yields. The next is the one that
//! became runnable first. When nobody can run, virtual time jumps to the next timer of the
//! executive; when there is none either, the system has *settled*, and the test's own thread goes
//! on.
//!
//! A thread that was ended from outside is woken one last time and unwinds with the private payload
//! [`Gone`]: its destructors run, and whatever they ask of the system is refused.

use super::interference::{Action, Interference, Site};
use super::machine::MemoryMachine;
use crate::Executive;
use crate::ids::ThreadId;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::panic::Location;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// What an ended thread unwinds with.
pub struct Gone;

/// What a host thread runs.
pub type Body = Box<dyn FnOnce() + Send>;

struct State {
    executive: Executive,
    running: Option<ThreadId>,
    bodies: BTreeMap<ThreadId, Body>,
    threads: Vec<JoinHandle<()>>,
    panic: Option<Box<dyn std::any::Any + Send>>,
    closing: bool,
    interference: Option<Box<dyn Interference>>,
    /// How each host thread that has no turn is woken: alone, because a system of many threads
    /// would otherwise wake them all at each change.
    sleepers: BTreeMap<ThreadId, Arc<Condvar>>,
}

impl State {
    fn wake(&self, thread: ThreadId) {
        if let Some(sleeper) = self.sleepers.get(&thread) {
            sleeper.notify_all();
        }
    }

    fn wake_all(&self) {
        self.sleepers
            .values()
            .for_each(|sleeper| sleeper.notify_all());
    }
}

/// The scheduler of one simulated system.
pub struct Scheduler {
    state: Mutex<State>,
    /// Nobody has the baton any more, or the system is taken down.
    rest: Condvar,
    /// The machine under the executive.
    pub machine: MemoryMachine,
}

impl Scheduler {
    /// A scheduler for an executive on `machine`.
    pub fn new(executive: Executive, machine: MemoryMachine) -> Arc<Self> {
        let state = State {
            executive,
            running: None,
            bodies: BTreeMap::new(),
            threads: Vec::new(),
            panic: None,
            closing: false,
            interference: None,
            sleepers: BTreeMap::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            rest: Condvar::new(),
            machine,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody decide at every call what becomes of it, and who runs next.
    pub fn set_interference(&self, interference: Box<dyn Interference>) {
        self.lock().interference = Some(interference);
    }

    /// What becomes of a call that `thread`, which holds the baton, is about to make; others may run
    /// before it goes on.
    pub fn before_call(
        self: &Arc<Self>,
        thread: ThreadId,
        image: &str,
        call: &'static str,
    ) -> Action {
        let mut state = self.lock();
        if state.closing || state.running != Some(thread) {
            return Action::Proceed;
        }
        let time = self.machine.state().uptime;
        let client = state.executive.client_id(thread);
        let Some(interference) = &mut state.interference else {
            return Action::Proceed;
        };
        let action = interference.at_call(&Site {
            image,
            process: client.map_or(0, |client| client.process as u32),
            thread: thread.0,
            call,
            time,
        });
        if interference.preempts() {
            self.machine.state().requeue(thread);
            self.hand_over(&mut state);
            self.await_turn(state, thread);
        }
        action
    }

    /// `thread`, which holds the baton, is about to take a lock of its program's own: others may
    /// run before it does.
    pub fn before_lock(
        self: &Arc<Self>,
        thread: ThreadId,
        image: &str,
        place: &'static Location<'static>,
    ) {
        let mut state = self.lock();
        if state.closing || state.running != Some(thread) {
            return;
        }
        let Some(interference) = &mut state.interference else {
            return;
        };
        interference.at_lock(image, thread.0, place);
        if interference.preempts() {
            self.machine.state().requeue(thread);
            self.hand_over(&mut state);
            self.await_turn(state, thread);
        }
    }

    /// Says what a thread runs once it is let run.
    pub fn set_body(&self, thread: ThreadId, body: Body) {
        self.lock().bodies.insert(thread, body);
    }

    /// Does something with the executive. For the test's own thread while the system stands still,
    /// and for the thread with the baton.
    pub fn with<R>(&self, act: impl FnOnce(&mut Executive) -> R) -> R {
        act(&mut self.lock().executive)
    }

    /// Does something with the executive in the name of `thread`, which holds the baton. `None` if
    /// the thread has ended and is unwinding; if it ends by what it does here, this unwinds.
    pub fn enter<R>(
        self: &Arc<Self>,
        thread: ThreadId,
        act: impl FnOnce(&mut Executive) -> R,
    ) -> Option<R> {
        let mut state = self.lock();
        if state.closing || !self.machine.state().is_alive(thread) {
            drop(state);
            return if std::thread::panicking() {
                None
            } else {
                resume_unwind(Box::new(Gone))
            };
        }
        debug_assert_eq!(
            state.running,
            Some(thread),
            "a thread without the baton made a system call"
        );
        let result = act(&mut state.executive);
        let stopped = self.machine.state().stop.is_some();
        if stopped || !self.machine.state().is_alive(thread) {
            self.hand_over(&mut state);
            drop(state);
            self.wait_for_ever_if(stopped);
            resume_unwind(Box::new(Gone));
        }
        Some(result)
    }

    /// Gives the baton away until `thread` is runnable again and its turn has come.
    pub fn wait(self: &Arc<Self>, thread: ThreadId) {
        let mut state = self.lock();
        self.hand_over(&mut state);
        self.await_turn(state, thread);
    }

    /// Lets the others that are runnable go first.
    pub fn give_way(self: &Arc<Self>, thread: ThreadId) {
        let mut state = self.lock();
        self.machine.state().requeue(thread);
        self.hand_over(&mut state);
        self.await_turn(state, thread);
    }

    fn await_turn(&self, mut state: MutexGuard<'_, State>, thread: ThreadId) {
        if state.running == Some(thread) {
            return;
        }
        let woken = Arc::clone(state.sleepers.entry(thread).or_default());
        while state.running != Some(thread) {
            if state.closing || !self.machine.state().is_alive(thread) {
                state.sleepers.remove(&thread);
                drop(state);
                if !std::thread::panicking() {
                    resume_unwind(Box::new(Gone));
                }
                return;
            }
            state = woken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A system that has stopped runs nobody: the thread that stopped it unwinds when the world is
    /// taken down.
    fn wait_for_ever_if(&self, stopped: bool) {
        let mut state = self.lock();
        while stopped && !state.closing {
            state = self
                .rest
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Passes the baton to the next runnable thread, moving the clock if that takes it.
    fn hand_over(self: &Arc<Self>, state: &mut State) {
        state.running = None;
        if state.closing || self.machine.state().stop.is_some() {
            self.rest.notify_all();
            return;
        }
        loop {
            let next = self.next_ready(state);
            if let Some(thread) = next {
                state.running = Some(thread);
                if let Some(body) = state.bodies.remove(&thread) {
                    let handle = self.spawn(thread, body);
                    state.threads.push(handle);
                }
                break;
            }
            let Some(deadline) = state.executive.next_deadline() else {
                break;
            };
            {
                let mut machine = self.machine.state();
                machine.uptime = machine.uptime.max(deadline);
            }
            state.executive.expire_timers();
        }
        let ended = core::mem::take(&mut self.machine.state().ended);
        ended.into_iter().for_each(|thread| state.wake(thread));
        match state.running {
            Some(thread) => state.wake(thread),
            None => self.rest.notify_all(),
        }
    }

    /// The next thread to run, taken out of the ready queue.
    fn next_ready(&self, state: &mut State) -> Option<ThreadId> {
        let mut machine = self.machine.state();
        let Some(interference) = &mut state.interference else {
            return machine.next_ready();
        };
        let ready = machine.count_ready();
        if ready == 0 {
            return None;
        }
        machine.take_ready(interference.next(ready).min(ready - 1))
    }

    fn spawn(self: &Arc<Self>, thread: ThreadId, body: Body) -> JoinHandle<()> {
        let scheduler = Arc::clone(self);
        let builder = std::thread::Builder::new().stack_size(1 << 20);
        builder
            .spawn(move || {
                let result = catch_unwind(AssertUnwindSafe(body));
                let mut state = scheduler.lock();
                if let Err(payload) = result
                    && !payload.is::<Gone>()
                    && state.panic.is_none()
                {
                    state.panic = Some(payload);
                }
                if scheduler.machine.state().is_alive(thread) {
                    // The body returned, or panicked: as far as the system can see, the thread
                    // exits.
                    state.executive.thread_returned(thread);
                }
                if state.running == Some(thread) {
                    scheduler.hand_over(&mut state);
                }
            })
            .expect("the host has threads to give")
    }

    /// Lets the system run until it has settled or stopped. A panic of one of its threads goes on
    /// here.
    pub fn run(self: &Arc<Self>) {
        let mut state = self.lock();
        self.hand_over(&mut state);
        while state.running.is_some() {
            state = self
                .rest
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(payload) = state.panic.take() {
            drop(state);
            self.close();
            resume_unwind(payload);
        }
    }

    /// Takes the system down: every host thread unwinds and is joined.
    pub fn close(&self) {
        let threads = {
            let mut state = self.lock();
            state.closing = true;
            state.wake_all();
            core::mem::take(&mut state.threads)
        };
        self.rest.notify_all();
        for thread in threads {
            // A panic was kept when it happened.
            let _ = thread.join();
        }
    }
}
