// SPDX-License-Identifier: GPL-2.0-or-later
//! The sink of log lines: one line an event over `DbgPrint`, behind the program's prefix.
//!
//! A line is composed on the stack and never cut: what does not fit one `DbgPrint` goes on with
//! the next. Levels are not printed, because a line says what it is; they are the verbosity
//! ([`nt::logging::limit`]).

use crate::imports::DbgPrint;
use core::fmt;
use log::{LevelFilter, Log, Metadata, Record};
use nt::UnicodeStr;
use nt::text::Output;

/// Bytes of one `DbgPrint`; its own limit is 512.
const LINE: usize = 256;

/// Makes this the sink of log lines, once, at start; `prefix` is what every line begins with.
pub(crate) fn install(prefix: &'static str, filter: LevelFilter) {
    nt::logging::install(|_, text| print(|line| text.write(line)), prefix);
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
    let mut line = Line(heapless::Vec::new());
    line.narrow(nt::logging::prefix().as_bytes());
    write(&mut line);
    line.narrow(b"\n");
    line.flush();
}

/// What is not yet printed of a line; with room for the NUL at its end.
struct Line(heapless::Vec<u8, LINE>);

impl Line {
    /// Takes bytes without a NUL, which would end the line for the kernel.
    fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.0.len() == LINE - 1 {
                self.flush();
            }
            let room = LINE - 1 - self.0.len();
            let (now, later) = rest.split_at(rest.len().min(room));
            // There is room for it.
            let _ = self.0.extend_from_slice(now);
            rest = later;
        }
    }

    /// Takes one, without all that a piece needs.
    fn byte(&mut self, byte: u8) {
        if self.0.len() == LINE - 1 {
            self.flush();
        }
        // There is room for it.
        let _ = self.0.push(byte);
    }

    fn flush(&mut self) {
        // `push` and `byte` always leave room for it.
        let _ = self.0.push(0);
        // SAFETY: the format takes one string, and the line ends with a NUL.
        let _ = unsafe { DbgPrint(c"%s".as_ptr(), self.0.as_ptr()) };
        self.0.clear();
    }
}

impl Output for Line {
    /// `piece` is text of the program, which has no NUL.
    fn narrow(&mut self, piece: &[u8]) {
        self.push(piece);
    }

    fn wide(&mut self, piece: UnicodeStr<'_>) {
        for character in char::decode_utf16(piece.units().iter().copied()) {
            let character = match character {
                Ok('\0') => ' ',
                Ok(character) => character,
                Err(_) => char::REPLACEMENT_CHARACTER,
            };
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                self.byte(byte);
            }
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
