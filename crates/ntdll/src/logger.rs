// SPDX-License-Identifier: GPL-2.0-or-later
//! The `log` backend: one line an event over `DbgPrint`, behind the program's prefix.
//!
//! A record is formatted on the stack and never cut: what does not fit one `DbgPrint` goes on with
//! the next. Levels are not printed, because a line says what it is; they are the verbosity
//! ([`set_verbosity`]).

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use log::{LevelFilter, Log, Metadata, Record};
use ntapi::ntdbg::DbgPrint;

/// Bytes of one `DbgPrint`; its own limit is 512.
const LINE: usize = 256;

struct DebugPort;

static DEBUG_PORT: DebugPort = DebugPort;
static PREFIX: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());
static PREFIX_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Which records are printed from now on. Costs nothing for those that are not: they are not even
/// formatted.
pub fn set_verbosity(filter: LevelFilter) {
    log::set_max_level(filter);
}

/// Makes this the backend of `log`, once, at start; `prefix` is what every line begins with.
pub(crate) fn install(prefix: &'static str, filter: LevelFilter) {
    PREFIX.store(prefix.as_ptr().cast_mut(), Ordering::Relaxed);
    PREFIX_BYTES.store(prefix.len(), Ordering::Relaxed);
    // A second start in one process does not happen; if it did, the first backend would stay, which
    // is this one.
    let _ = log::set_logger(&DEBUG_PORT);
    set_verbosity(filter);
}

fn prefix() -> &'static str {
    let bytes = PREFIX.load(Ordering::Relaxed);
    if bytes.is_null() {
        return "";
    }
    // SAFETY: `install` stored the address of a `&'static str` before the first record, when the
    // process had one thread.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, PREFIX_BYTES.load(Ordering::Relaxed)) };
    core::str::from_utf8(bytes).unwrap_or_default()
}

impl Log for DebugPort {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = Line {
            bytes: [0; LINE],
            used: 0,
        };
        // Neither part can fail: a full line is flushed, and no Display of ours refuses.
        let _ = writeln!(line, "{}{}", prefix(), record.args());
        line.flush();
    }

    fn flush(&self) {}
}

struct Line {
    bytes: [u8; LINE],
    used: usize,
}

impl Line {
    fn flush(&mut self) {
        if self.used == 0 {
            return;
        }
        // SAFETY: the format takes one string, and the line ends with the NUL that `write_str`
        // always leaves room for.
        let _ = unsafe { DbgPrint(c"%s".as_ptr(), self.bytes.as_ptr()) };
        self.bytes = [0; LINE];
        self.used = 0;
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.used == LINE - 1 {
                self.flush();
            }
            if let Some(place) = self.bytes.get_mut(self.used) {
                // A NUL inside a text would end the line for the kernel.
                *place = if byte == 0 { b' ' } else { byte };
                self.used += 1;
            }
        }
        Ok(())
    }
}
