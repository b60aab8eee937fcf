// SPDX-License-Identifier: GPL-2.0-or-later
//! Who runs next: 32 ready queues, the highest that is not empty first, round robin within one.
//!
//! The running thread stays at the front of its queue; it goes to the back when its quantum is used
//! up or when it yields. A thread of higher priority that becomes ready is found at the next entry
//! into the kernel, which the tick brings about at the latest.

use alloc::collections::{BTreeMap, VecDeque};
use executive::ids::ThreadId;

/// Ticks a thread may run on while others of its priority wait: 20 ms.
const QUANTUM: u32 = 4;

/// Priority until the executive says otherwise.
const NORMAL: u8 = 8;

#[derive(Clone, Copy, Debug)]
struct Entry {
    priority: u8,
    runnable: bool,
}

/// The queues.
#[derive(Debug, Default)]
pub struct Ready {
    entries: BTreeMap<ThreadId, Entry>,
    queues: [VecDeque<ThreadId>; 32],
    used: u32,
    last: Option<ThreadId>,
}

impl Ready {
    /// A new thread, not runnable.
    pub fn add(&mut self, thread: ThreadId) {
        self.entries.insert(
            thread,
            Entry {
                priority: NORMAL,
                runnable: false,
            },
        );
    }

    /// A thread that ends.
    pub fn remove(&mut self, thread: ThreadId) {
        self.set(thread, false);
        self.entries.remove(&thread);
    }

    /// Puts the thread at the back of its queue, or takes it out.
    pub fn set(&mut self, thread: ThreadId, runnable: bool) {
        let Some(entry) = self
            .entries
            .get_mut(&thread)
            .filter(|entry| entry.runnable != runnable)
        else {
            return;
        };
        entry.runnable = runnable;
        let queue = &mut self.queues[usize::from(entry.priority)];
        if runnable {
            queue.push_back(thread);
        } else {
            queue.retain(|queued| *queued != thread);
        }
    }

    /// Moves the thread to the back of another queue.
    pub fn set_priority(&mut self, thread: ThreadId, priority: u8) {
        let Some(entry) = self
            .entries
            .get(&thread)
            .copied()
            .filter(|entry| entry.priority != priority.min(31))
        else {
            return;
        };
        self.set(thread, false);
        self.entries.insert(
            thread,
            Entry {
                priority: priority.min(31),
                runnable: false,
            },
        );
        self.set(thread, entry.runnable);
    }

    /// The thread to run now.
    pub fn next(&mut self) -> Option<ThreadId> {
        let next = self
            .queues
            .iter()
            .rev()
            .find_map(|queue| queue.front().copied());
        if next != self.last {
            self.used = 0;
            self.last = next;
        }
        next
    }

    /// A tick went by while `thread` ran.
    pub fn tick(&mut self, thread: ThreadId) {
        self.used += 1;
        if self.used >= QUANTUM {
            self.yield_now(thread);
        }
    }

    /// Puts the thread behind the others of its priority.
    pub fn yield_now(&mut self, thread: ThreadId) {
        self.used = 0;
        if let Some(entry) = self.entries.get(&thread) {
            let queue = &mut self.queues[usize::from(entry.priority)];
            if queue.front() == Some(&thread) {
                queue.rotate_left(1);
            }
        }
    }
}
