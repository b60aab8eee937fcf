// SPDX-License-Identifier: GPL-2.0-or-later
//! Debug output and breakpoints: the debug service at interrupt 0x2D.
//!
//! One call prints at most [`LIMIT`] bytes; a longer text goes out in several.

use crate::format::{self, Sink, Text};
use crate::machine::debug_service;
use core::ffi::VaList;
use core::fmt;
use winapi::shared::ntdef::{PCSTR, ULONG};

/// `BREAKPOINT_PRINT`.
const PRINT: usize = 1;
const LIMIT: usize = 512;
/// The component of DbgPrint, and a level that is never filtered.
const DEFAULT_COMPONENT: ULONG = 101;
const ERROR_LEVEL: ULONG = 0;

struct Line {
    bytes: [u8; LIMIT],
    used: usize,
    component: ULONG,
    level: ULONG,
}

impl Line {
    fn new(component: ULONG, level: ULONG) -> Self {
        Self {
            bytes: [0; LIMIT],
            used: 0,
            component,
            level,
        }
    }

    fn flush(&mut self) {
        let text = self.bytes.get(..self.used).unwrap_or_default();
        if !text.is_empty() {
            debug_service(PRINT, text, self.component, self.level);
        }
        self.used = 0;
    }
}

impl Sink for Line {
    fn byte(&mut self, byte: u8) {
        if self.used == LIMIT {
            self.flush();
        }
        if let Some(place) = self.bytes.get_mut(self.used) {
            *place = byte;
            self.used += 1;
        }
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.byte(byte));
        Ok(())
    }
}

/// Prints a text of this DLL's own.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    let mut line = Line::new(DEFAULT_COMPONENT, ERROR_LEVEL);
    // A line takes everything.
    let _ = fmt::Write::write_fmt(&mut line, text);
    line.flush();
}

/// # Safety
/// As for [`format::format`].
unsafe fn formatted(component: ULONG, level: ULONG, text: PCSTR, arguments: VaList<'_>) -> ULONG {
    let mut line = Line::new(component, level);
    // SAFETY: the caller's promise.
    unsafe { format::format(&mut line, Text::Narrow(text.cast()), arguments) };
    line.flush();
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn DbgPrint(text: PCSTR, arguments: ...) -> ULONG {
    // SAFETY: the caller's promise, as to printf.
    unsafe { formatted(DEFAULT_COMPONENT, ERROR_LEVEL, text, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn DbgPrintEx(
    component: ULONG,
    level: ULONG,
    text: PCSTR,
    arguments: ...
) -> ULONG {
    // SAFETY: the caller promises arguments that fit the format, as to printf.
    unsafe { formatted(component, level, text, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn vDbgPrintEx(
    component: ULONG,
    level: ULONG,
    text: PCSTR,
    arguments: VaList<'_>,
) -> ULONG {
    // SAFETY: the caller promises arguments that fit the format, as to vprintf.
    unsafe { formatted(component, level, text, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn DbgBreakPoint() {
    // SAFETY: traps to the debugger, or raises a breakpoint exception.
    unsafe { core::arch::asm!("int3") };
}

#[unsafe(no_mangle)]
unsafe extern "system" fn DbgUserBreakPoint() {
    // SAFETY: traps to the debugger, or raises a breakpoint exception.
    unsafe { core::arch::asm!("int3") };
}
