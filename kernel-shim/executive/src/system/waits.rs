// SPDX-License-Identifier: GPL-2.0-or-later
//! What threads wait for: events, mutants, semaphores, keyed events, the end of processes
//! and threads; and time.
//!
//! A thread waits for at most one thing at a time. It is *parked* from the call that makes it wait
//! until somebody calls [`Executive::unpark`] with the status its call will return: a signal, a
//! time-out, the LPC module. While it is parked it is not runnable, and neither is it while it is
//! suspended or has ended; [`Executive::update_runnable`] is the one place that tells the machine.
//!
//! Invariants: a thread stands in the waiter list of exactly the objects of its [`Waiting`], each
//! of which it holds a reference to; a wait is satisfied in the order in which the waiters came;
//! what a wait consumes (an event of synchronisation, a unit of a semaphore) is consumed at the
//! moment it is satisfied.

use super::{Body, Completion, Executive};
use crate::ids::{ObjectId, ThreadId};
use crate::ke::{Event, KeyedEvent, Mutant, Waiting};
use crate::ob::prelude::*;
use crate::ob::{self, Kind};
use alloc::vec::Vec;
use core::ops::Bound;
use nt::access::Access;
use nt::object::ObjectAttributes;
use nt::system::Created;
use nt::{Handle, Result, Status};

/// `MAXIMUM_WAIT_OBJECTS`.
pub const MAX_OBJECTS: usize = 64;

impl Executive {
    /// NtWaitForSingleObject and NtWaitForMultipleObjects. A timeout is in 100 ns: negative from
    /// now, positive an NT time, zero not at all.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for none or too many handles, `INVALID_HANDLE`, `ACCESS_DENIED`,
    /// `OBJECT_TYPE_MISMATCH` for an object that cannot be waited for.
    pub fn wait(
        &mut self,
        caller: ThreadId,
        handles: &[Handle],
        all: bool,
        timeout: Option<i64>,
    ) -> Result<Completion<Status>> {
        if handles.is_empty() || handles.len() > MAX_OBJECTS {
            return Err(Status::INVALID_PARAMETER);
        }
        let mut objects = Vec::with_capacity(handles.len());
        for &handle in handles {
            let object = self.resolve(caller, handle, None, Access::SYNCHRONIZE)?;
            if !can_wait(self.object(object)?.kind) {
                return Err(Status::OBJECT_TYPE_MISMATCH);
            }
            objects.push(object);
        }
        if let Some(status) = self.satisfied(caller, &objects, all) {
            return Ok(Completion::Done(status));
        }
        if timeout == Some(0) {
            return Ok(Completion::Done(Status::TIMEOUT));
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        for &object in &objects {
            self.reference(object);
            self.object_mut(object)?.waiters.insert(ticket, caller);
        }
        let deadline = timeout.map(|timeout| self.deadline(timeout));
        self.park_for(
            caller,
            Waiting {
                ticket,
                objects,
                all,
                deadline,
            },
        );
        Ok(Completion::Pending)
    }

    /// NtDelayExecution.
    pub fn delay(&mut self, caller: ThreadId, timeout: i64) -> Completion<Status> {
        if timeout == 0 {
            return Completion::Done(Status::SUCCESS);
        }
        let deadline = Some(self.deadline(timeout));
        self.park_for(
            caller,
            Waiting {
                deadline,
                ..Waiting::default()
            },
        );
        Completion::Pending
    }

    /// Parks a thread until [`Executive::unpark`].
    pub fn park(&mut self, thread: ThreadId) {
        self.park_for(thread, Waiting::default());
    }

    /// Gives a parked thread a time-out.
    pub fn set_timeout(&mut self, thread: ThreadId, timeout: Option<i64>) {
        let deadline = timeout.map(|timeout| self.deadline(timeout));
        if let Some(waiting) = self
            .threads
            .get_mut(&thread)
            .and_then(|thread| thread.wait.as_mut())
        {
            let before = core::mem::replace(&mut waiting.deadline, deadline);
            self.set_deadline(thread, before, deadline);
        }
    }

    /// Keeps the order of deadlines: a thread's was `before` and is `now`.
    fn set_deadline(&mut self, thread: ThreadId, before: Option<u64>, now: Option<u64>) {
        if let Some(before) = before {
            self.deadlines.remove(&(before, thread));
        }
        if let Some(now) = now {
            self.deadlines.insert((now, thread));
        }
    }

    fn park_for(&mut self, thread: ThreadId, waiting: Waiting) {
        if let Some(entry) = self.threads.get_mut(&thread) {
            let deadline = waiting.deadline;
            entry.wait = Some(waiting);
            entry.completion = None;
            self.set_deadline(thread, None, deadline);
        }
        self.update_runnable(thread);
    }

    /// Ends a thread's wait; its call returns `status`. Nothing happens if it does not wait.
    pub fn unpark(&mut self, thread: ThreadId, status: Status) {
        let Some(waiting) = self.leave_wait(thread) else {
            return;
        };
        if let Some(entry) = self.threads.get_mut(&thread) {
            entry.completion = Some(status);
        }
        self.update_runnable(thread);
        for object in waiting.objects {
            self.dereference(object);
        }
    }

    /// Takes a thread that ends out of its wait.
    pub fn abandon_wait(&mut self, thread: ThreadId) {
        let Some(waiting) = self.leave_wait(thread) else {
            return;
        };
        for object in waiting.objects {
            self.dereference(object);
        }
    }

    fn leave_wait(&mut self, thread: ThreadId) -> Option<Waiting> {
        let waiting = self.threads.get_mut(&thread)?.wait.take()?;
        for &object in &waiting.objects {
            if let Ok(object) = self.object_mut(object) {
                object.waiters.remove(&waiting.ticket);
            }
        }
        self.set_deadline(thread, waiting.deadline, None);
        Some(waiting)
    }

    /// What a thread's ended wait gave: taken once, by the code that finishes the call.
    pub fn take_completion(&mut self, thread: ThreadId) -> Option<Status> {
        self.threads.get_mut(&thread)?.completion.take()
    }

    /// Tells the machine whether a thread may run.
    pub fn update_runnable(&mut self, thread: ThreadId) {
        let Some(entry) = self.threads.get(&thread) else {
            return;
        };
        let runnable = entry.wait.is_none() && entry.suspended == 0 && !entry.ended;
        self.machine.set_runnable(thread, runnable);
    }

    /// An object may have become signalled: lets those go on whose wait that satisfies.
    pub fn signal(&mut self, object: ObjectId) {
        let mut after = Bound::Unbounded;
        loop {
            let next = self.object(object).ok().and_then(|object| {
                let (&ticket, &waiter) = object.waiters.range((after, Bound::Unbounded)).next()?;
                Some((ticket, waiter))
            });
            let Some((ticket, waiter)) = next else { return };
            if !self.is_signalled(waiter, object) {
                // What there was has been consumed: for nobody behind this one is there more. (A
                // mutant is signalled for its owner alone, and the owner's wait has just ended.)
                return;
            }
            after = Bound::Excluded(ticket);
            let waiting = self.threads.get(&waiter);
            let Some(waiting) = waiting.and_then(|thread| thread.wait.clone()) else {
                continue;
            };
            if let Some(status) = self.satisfied(waiter, &waiting.objects, waiting.all) {
                self.unpark(waiter, status);
            }
        }
    }

    /// If a wait for these objects is over: its status, with what it consumes consumed.
    fn satisfied(&mut self, thread: ThreadId, objects: &[ObjectId], all: bool) -> Option<Status> {
        if all {
            if !objects
                .iter()
                .all(|&object| self.is_signalled(thread, object))
            {
                return None;
            }
            let mut status = Status::SUCCESS;
            for (index, &object) in objects.iter().enumerate() {
                if self.consume(thread, object) {
                    status = Status::new(Status::ABANDONED.code() + index as u32);
                }
            }
            return Some(status);
        }
        let index = objects
            .iter()
            .position(|&object| self.is_signalled(thread, object))?;
        let abandoned = self.consume(thread, objects[index]);
        let base = if abandoned {
            Status::ABANDONED.code()
        } else {
            0
        };
        Some(Status::new(base + index as u32))
    }

    /// Whether a wait of `thread` for this object alone would be over.
    fn is_signalled(&self, thread: ThreadId, object: ObjectId) -> bool {
        let Ok(body) = self.object(object).map(|object| &object.body) else {
            return false;
        };
        match body {
            Body::Event(event) => event.signalled,
            Body::Mutant(mutant) => mutant.owner.is_none_or(|owner| owner == thread),
            Body::Semaphore(semaphore) => semaphore.count > 0,
            Body::Process(process) => self
                .processes
                .get(process)
                .is_none_or(|process| process.ended),
            Body::Thread(thread) => self.threads.get(thread).is_none_or(|thread| thread.ended),
            other => self
                .type_of(ob::Body::kind(other))
                .hooks
                .signalled
                .is_none_or(|signalled| signalled(self, object)),
        }
    }

    /// Takes from an object what a satisfied wait takes; whether a mutant was abandoned.
    fn consume(&mut self, thread: ThreadId, object: ObjectId) -> bool {
        let Ok(body) = self.object_mut(object).map(|object| &mut object.body) else {
            return false;
        };
        match body {
            Body::Event(event) if !event.notification => event.signalled = false,
            Body::Semaphore(semaphore) => semaphore.count -= 1,
            Body::Mutant(mutant) => {
                mutant.owner = Some(thread);
                mutant.count += 1;
                let abandoned = core::mem::take(&mut mutant.abandoned);
                if let Some(thread) = self.threads.get_mut(&thread) {
                    thread.mutants.insert(object);
                }
                return abandoned;
            }
            _ => {}
        }
        false
    }

    /// Uptime at which a timeout ends. What lies in the past ends now.
    fn deadline(&self, timeout: i64) -> u64 {
        let uptime = self.machine.uptime();
        match u64::try_from(timeout) {
            Ok(absolute) => absolute
                .saturating_sub(self.machine.start_time())
                .max(uptime),
            Err(_) => uptime.saturating_add(timeout.unsigned_abs()),
        }
    }

    /// The next uptime at which something happens without a call.
    pub fn next_deadline(&self) -> Option<u64> {
        let wait = self.deadlines.first().map(|&(deadline, _)| deadline);
        wait.into_iter().chain(self.lazy_flush_deadline()).min()
    }

    /// Lets happen what is due.
    pub fn expire_timers(&mut self) {
        let now = self.machine.uptime();
        self.lazy_flush();
        while let Some(&(deadline, thread)) = self.deadlines.first()
            && deadline <= now
        {
            let waiting = self.threads.get(&thread);
            let delay = waiting
                .and_then(|thread| thread.wait.as_ref())
                .is_some_and(|waiting| self.is_delay(thread, waiting));
            // A delay that is over has succeeded; any other wait has timed out.
            let status = if delay {
                Status::SUCCESS
            } else {
                Status::TIMEOUT
            };
            self.unpark(thread, status);
            // Whatever the thread's state is: this deadline is over.
            self.deadlines.remove(&(deadline, thread));
        }
    }

    fn is_delay(&self, thread: ThreadId, waiting: &Waiting) -> bool {
        waiting.objects.is_empty() && !self.lpc.is_waiting(u64::from(thread.0))
    }

    /// NtCreateEvent.
    ///
    /// # Errors
    /// What creating a named object gives.
    pub fn create_event(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        notification: bool,
        signalled: bool,
    ) -> Result<Created> {
        self.create_object(
            caller,
            Body::Event(Event {
                notification,
                signalled,
            }),
            attributes,
            access,
        )
    }

    /// NtSetEvent: the state before.
    ///
    /// # Errors
    /// `INVALID_HANDLE`, `OBJECT_TYPE_MISMATCH`, `ACCESS_DENIED`.
    pub fn set_event(&mut self, caller: ThreadId, event: Handle) -> Result<bool> {
        let object = self.resolve(caller, event, Some(Kind::Event), Access::EVENT_MODIFY_STATE)?;
        let before = core::mem::replace(&mut self.event_mut(object)?.signalled, true);
        self.signal(object);
        Ok(before)
    }

    /// NtResetEvent, NtClearEvent: the state before.
    ///
    /// # Errors
    /// As [`Executive::set_event`].
    pub fn reset_event(&mut self, caller: ThreadId, event: Handle) -> Result<bool> {
        let object = self.resolve(caller, event, Some(Kind::Event), Access::EVENT_MODIFY_STATE)?;
        Ok(core::mem::replace(
            &mut self.event_mut(object)?.signalled,
            false,
        ))
    }

    /// NtPulseEvent: the state before.
    ///
    /// # Errors
    /// As [`Executive::set_event`].
    pub fn pulse_event(&mut self, caller: ThreadId, event: Handle) -> Result<bool> {
        let before = self.set_event(caller, event)?;
        let object = self.resolve(caller, event, Some(Kind::Event), Access::EVENT_MODIFY_STATE)?;
        self.event_mut(object)?.signalled = false;
        Ok(before)
    }

    /// NtQueryEvent: whether it is a notification event, and its state.
    ///
    /// # Errors
    /// As [`Executive::set_event`].
    pub fn query_event(&mut self, caller: ThreadId, event: Handle) -> Result<(bool, bool)> {
        let object = self.resolve(caller, event, Some(Kind::Event), Access::EVENT_QUERY_STATE)?;
        let event = self.event_mut(object)?;
        Ok((event.notification, event.signalled))
    }

    fn event_mut(&mut self, object: ObjectId) -> Result<&mut Event> {
        match &mut self.object_mut(object)?.body {
            Body::Event(event) => Ok(event),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtCreateKeyedEvent.
    ///
    /// # Errors
    /// What creating a named object gives.
    pub fn create_keyed_event(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Created> {
        self.create_object(
            caller,
            Body::KeyedEvent(KeyedEvent::default()),
            attributes,
            access,
        )
    }

    /// The mutants of a thread that ends are given back, marked as abandoned.
    pub fn abandon_mutants(&mut self, thread: ThreadId) {
        let owned = self
            .threads
            .get_mut(&thread)
            .map(|thread| core::mem::take(&mut thread.mutants))
            .unwrap_or_default();
        for object in owned {
            if let Ok(Body::Mutant(mutant)) = self.object_mut(object).map(|object| &mut object.body)
            {
                *mutant = Mutant {
                    owner: None,
                    count: 0,
                    abandoned: true,
                };
            }
            self.signal(object);
        }
    }
}

/// Whether objects of a type have a state that a thread can wait for.
const fn can_wait(kind: Kind) -> bool {
    use Kind::{
        Event, File, IoCompletion, Mutant, Port, Process, Semaphore, Thread, Timer, WaitablePort,
    };
    matches!(
        kind,
        Event
            | Mutant
            | Semaphore
            | Timer
            | Process
            | Thread
            | Port
            | WaitablePort
            | File
            | IoCompletion
    )
}
