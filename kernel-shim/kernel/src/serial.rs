// SPDX-License-Identifier: GPL-2.0-or-later
//! The first serial port (COM1): the log, and everything a test wants to see.
//!
//! Output only, polled. Invariant: one line is written in one piece, because the kernel runs with
//! interrupts off.

use crate::cpu::{clock, port};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

const COM1: u16 = 0x3f8;

/// 115200 baud, 8N1, queues on, no interrupts.
pub fn initialize() {
    for (register, value) in [
        (1, 0x00),
        (3, 0x80),
        (0, 0x01),
        (1, 0x00),
        (3, 0x03),
        (2, 0xc7),
        (4, 0x0b),
    ] {
        port::write8(COM1 + register, value);
    }
}

/// Writes raw bytes; a line feed becomes carriage return and line feed.
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        if byte == b'\n' {
            put(b'\r');
        }
        put(byte);
    }
}

fn put(byte: u8) {
    // A port that never gets ready must not hang the kernel.
    for _ in 0..100_000 {
        if port::read8(COM1 + 5) & 0x20 != 0 {
            break;
        }
    }
    port::write8(COM1, byte);
}

/// The port as a formatter's target.
pub struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write(text.as_bytes());
        Ok(())
    }
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        line(format_args!(
            "{:<5} {}: {}",
            record.level(),
            record.target(),
            record.args()
        ));
    }

    fn flush(&self) {}
}

fn stamp() {
    let time = clock::uptime() / 10_000;
    let _ = write!(Serial, "[{:5}.{:03}] ", time / 1000, time % 1000);
}

/// Writes one line with the time since the start in front: `[    0.123] text`.
pub fn line(text: fmt::Arguments<'_>) {
    stamp();
    let _ = writeln!(Serial, "{text}");
}

/// Writes text of a program's (DbgPrint) as it comes, with the time in front of each line.
pub fn debug_print(text: &str) {
    static AT_START: AtomicBool = AtomicBool::new(true);
    for part in text.split_inclusive('\n') {
        if AT_START.swap(part.ends_with('\n'), Ordering::Relaxed) {
            stamp();
        }
        write(part.as_bytes());
    }
}

/// Makes this port the log.
pub fn install_log(level: log::LevelFilter) {
    static LOG: Log = Log;
    // Fails only when called twice; the first logger stays.
    let _ = log::set_logger(&LOG);
    log::set_max_level(level);
}
