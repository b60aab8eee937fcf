// SPDX-License-Identifier: GPL-2.0-or-later
//! The sink of log lines: one line an event over `DbgPrint`, behind the program's prefix.
//!
//! A line is composed on the stack and never cut: what does not fit one `DbgPrint` goes on with
//! the next. Levels are not printed, because a line says what it is; they are the verbosity
//! ([`nt::logging::limit`]).

use core::fmt;
use log::{LevelFilter, Log, Metadata, Record};
use nt::UnicodeStr;
use nt::text::Output;
use ntapi::ntdbg::DbgPrint;
use spin::Once;

/// Bytes of one `DbgPrint`; its own limit is 512.
const LINE: usize = 256;

static PREFIX: Once<&str> = Once::new();

/// Makes this the sink of log lines, once, at start; `prefix` is what every line begins with.
pub(crate) fn install(prefix: &'static str, filter: LevelFilter) {
    PREFIX.call_once(|| prefix);
    nt::logging::install(|_, text| print(|line| text.write(line)));
    nt::logging::limit(filter);
}

/// Has the records of the `log` crate printed as well, for a program that writes its lines with it.
/// It brings `core::fmt` into the image.
pub fn install_log() {
    // A second start in one process does not happen; if it did, the first backend would stay, which
    // is this one.
    let _ = log::set_logger(&DebugPort);
}

struct DebugPort;

impl Log for DebugPort {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        print_formatted(*record.args());
    }

    fn flush(&self) {}
}

/// Prints a line for which `core::fmt` is needed.
pub(crate) fn print_formatted(text: fmt::Arguments<'_>) {
    // It cannot fail: a full line is flushed, and none of our Display implementations fails.
    print(|line| {
        let _ = fmt::Write::write_fmt(line, text);
    });
}

/// Prints a line with what `write` writes behind the prefix.
fn print(write: impl FnOnce(&mut Line)) {
    let mut line = Line {
        bytes: [0; LINE],
        used: 0,
    };
    line.narrow(PREFIX.get().copied().unwrap_or_default());
    write(&mut line);
    line.narrow("\n");
    line.flush();
}

struct Line {
    bytes: [u8; LINE],
    used: usize,
}

impl Line {
    /// Takes bytes without a NUL, which would end the line for the kernel.
    fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.used == LINE - 1 {
                self.flush();
            }
            let free = LINE - 1 - self.used;
            let (now, later) = rest.split_at_checked(free).unwrap_or((rest, &[]));
            let end = self.used + now.len();
            if let Some(place) = self.bytes.get_mut(self.used..end) {
                place.copy_from_slice(now);
            }
            self.used = end;
            rest = later;
        }
    }

    fn flush(&mut self) {
        if let Some(end) = self.bytes.get_mut(self.used) {
            *end = 0;
        }
        // SAFETY: the format takes one string, and the line ends with the NUL that `push` always
        // leaves room for.
        let _ = unsafe { DbgPrint(c"%s".as_ptr(), self.bytes.as_ptr()) };
        self.used = 0;
    }
}

impl Output for Line {
    /// `piece` is text of the program, which has no NUL.
    fn narrow(&mut self, piece: &str) {
        self.push(piece.as_bytes());
    }

    fn wide(&mut self, piece: UnicodeStr<'_>) {
        for character in char::decode_utf16(piece.units().iter().copied()) {
            let character = match character {
                Ok('\0') => ' ',
                Ok(character) => character,
                Err(_) => char::REPLACEMENT_CHARACTER,
            };
            self.push(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (place, piece) in text.split('\0').enumerate() {
            self.push(if place == 0 { b"" } else { b" " });
            self.push(piece.as_bytes());
        }
        Ok(())
    }
}
