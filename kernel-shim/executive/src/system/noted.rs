// SPDX-License-Identifier: GPL-2.0-or-later
//! What is noted in the trace beside system calls: the lives of processes, and what they print.

use crate::Executive;
use crate::ids::{ProcessId, ThreadId};
use crate::layout::ClientId;
use crate::trace::events::{Event, What};
use alloc::string::String;
use nt::Status;

impl Executive {
    /// A process has its image: it may run from now on.
    pub(crate) fn process_started(&mut self, id: ProcessId) {
        let Ok(process) = self.process(id) else {
            return;
        };
        let what = What::Starts {
            image: String::from_utf16_lossy(&process.image),
            parent: process.parent.0.into(),
            session: process.session,
        };
        self.note(of_process(id), what);
    }

    /// A process has ended. One that never had an image has not started either.
    pub(crate) fn process_ended(&mut self, id: ProcessId, status: Status) {
        if self
            .process(id)
            .is_ok_and(|process| !process.image.is_empty())
        {
            self.note(of_process(id), What::Ends(status));
        }
    }

    /// A thread prints text for a debugger: one line or several.
    pub fn printed(&mut self, thread: ThreadId, text: &str) {
        let Ok(client) = self.client_id(thread) else {
            return;
        };
        for line in text.lines().filter(|line| !line.is_empty()) {
            self.note(client, What::Prints(line.into()));
        }
    }

    fn note(&mut self, client: ClientId, what: What) {
        if !self.trace.wanted() {
            return;
        }
        let time = self.machine.uptime();
        let event = Event { time, client, what };
        if let Some(mut line) = self.trace.happened(event) {
            line.push('\n');
            self.machine.debug_print(&line);
        }
    }
}

fn of_process(id: ProcessId) -> ClientId {
    ClientId {
        process: id.0.into(),
        thread: 0,
    }
}
