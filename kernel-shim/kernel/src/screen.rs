// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot screen: VGA text, 80 columns and 25 rows below a title; and the stop screen, white on blue.
//!
//! What programs show is white; between it the kernel notes in grey what starts and ends. What programs
//! show also goes to the serial port, as `screen: <text>` a line, because most runs have no display; the
//! log knows of the rest by itself. Code page 437 beyond ASCII is not translated: a question mark stands for
//! it.

use crate::cpu::{clock, port};
use crate::host_port;
use crate::memory::physical;
use crate::serial::line;
use core::fmt::Write;
use heapless::String;
use spin::Mutex;

const BUFFER: u64 = 0xb8000;
const COLUMNS: usize = 80;
const ROWS: usize = 25;

/// White on black: what programs show.
const BOOT: u8 = 0x0f;
/// Light grey on black: the kernel's notes.
const NOTE: u8 = 0x07;
/// Black on light grey.
const TITLE: u8 = 0x70;
/// White on blue.
const STOP: u8 = 0x1f;

struct Screen {
    row: usize,
    column: usize,
    attribute: u8,
    /// The line as far as it is written, for the serial port.
    line: String<256>,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    row: 0,
    column: 0,
    attribute: BOOT,
    line: String::new(),
});

fn cell(row: usize, column: usize, byte: u8, attribute: u8) {
    let at = BUFFER + ((row * COLUMNS + column) * 2) as u64;
    // SAFETY: the text buffer of the display adapter: device memory that only this file writes.
    let _ = unsafe { physical::write(at, &[byte, attribute]) };
}

impl Screen {
    fn clear(&mut self, attribute: u8) {
        self.attribute = attribute;
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                cell(row, column, b' ', self.attribute);
            }
        }
        (self.row, self.column) = (0, 0);
    }

    fn new_line(&mut self) {
        line(format_args!("screen: {}", self.line));
        if self.line.starts_with(host_port::PREFIX) {
            host_port::answer(format_args!("{}", self.line));
        }
        self.line.clear();
        self.next_row();
    }

    /// The start of the next row; the last one moves up.
    fn next_row(&mut self) {
        self.column = 0;
        self.row += 1;
        if self.row < ROWS {
            return;
        }
        self.row = ROWS - 1;
        for at in 0..((ROWS - 1) * COLUMNS * 2) as u64 {
            // SAFETY: as in `cell`.
            let below = unsafe { physical::read_value::<u8>(BUFFER + at + (COLUMNS * 2) as u64) };
            let below = below.unwrap_or(b' ');
            // SAFETY: as in `cell`.
            let _ = unsafe { physical::write(BUFFER + at, &[below]) };
        }
        for column in 0..COLUMNS {
            cell(self.row, column, b' ', self.attribute);
        }
    }

    /// A row of the kernel's own, below what there is.
    fn note(&mut self, text: &str) {
        if self.column != 0 {
            self.next_row();
        }
        for (column, byte) in text.bytes().take(COLUMNS).enumerate() {
            cell(self.row, column, byte, NOTE);
        }
        self.next_row();
    }

    fn put(&mut self, character: char) {
        match character {
            '\r' => self.column = 0,
            '\n' => self.new_line(),
            _ => {
                let byte = if character.is_ascii() && !character.is_control() {
                    character as u8
                } else {
                    b'?'
                };
                if self.column == COLUMNS {
                    self.next_row();
                }
                cell(self.row, self.column, byte, self.attribute);
                self.column += 1;
                if self.line.push(byte.into()).is_err() {
                    line(format_args!("screen: {}", self.line));
                    self.line.clear();
                }
            }
        }
    }
}

/// Clears what the firmware and the loader have left, hides the cursor and shows the title in the
/// first row.
pub fn boot(title: &str) {
    port::write8(0x3d4, 0x0a);
    port::write8(0x3d5, 0x20);
    let mut screen = SCREEN.lock();
    screen.clear(BOOT);
    for column in 0..COLUMNS {
        let byte = column
            .checked_sub(1)
            .and_then(|at| title.as_bytes().get(at))
            .copied()
            .unwrap_or(b' ');
        cell(0, column, byte, TITLE);
    }
    screen.row = 2;
}

/// Notes something that happens, with the time since the start: one row of ASCII, cut at its end.
pub fn note(text: &str) {
    let milliseconds = clock::uptime() / (clock::SECOND / 1000);
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let mut row: String<COLUMNS> = String::new();
    // What does not fit is cut: it is in the log.
    let _ = write!(row, "{seconds:4}.{rest:03}  {text}");
    SCREEN.lock().note(&row);
}

/// Shows the stop screen with this text instead of everything else.
pub fn stop(text: &str) {
    SCREEN.lock().clear(STOP);
    write("\n");
    write(text);
    write("\n");
}

/// Writes text at the cursor, as NtDisplayString does.
pub fn write(text: &str) {
    let mut screen = SCREEN.lock();
    for word in text.split_inclusive([' ', '\n']) {
        // A word that does not fit into the rest of the row, but into one of its own, begins the
        // next.
        let length = word.trim_end().chars().count();
        if screen.column + length > COLUMNS && length <= COLUMNS {
            screen.next_row();
        }
        word.chars().for_each(|character| screen.put(character));
    }
}
