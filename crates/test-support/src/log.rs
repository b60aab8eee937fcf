// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said in the log, for tests that hold it.

use nt::logging::{self, Level, LevelFilter};
use std::cell::RefCell;

thread_local! {
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The warnings and errors that `act` logs on this thread.
pub fn warnings(act: impl FnOnce()) -> Vec<String> {
    let sink: logging::Sink = |level, text| {
        if level <= Level::Warn {
            SAID.with_borrow_mut(|said| said.push(text.to_string()));
        }
    };
    logging::install(sink, "");
    logging::limit(LevelFilter::Warn);
    SAID.take();
    act();
    SAID.take()
}
