// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot screen: VGA text, 80 columns and 25 rows, and the blue stop screen.
//!
//! What goes to the screen also goes to the serial port, as `screen: <text>` a line, because most runs have no display.
//! Code page 437 beyond ASCII is not translated: a question mark stands for it.

use crate::cpu::port;
use crate::memory::physical;
use crate::serial::line;
use heapless::String;
use spin::Mutex;

const BUFFER: u64 = 0xb8000;
const COLUMNS: usize = 80;
const ROWS: usize = 25;

/// White on blue.
const BLUE: u8 = 0x1f;

struct Screen {
    row: usize,
    column: usize,
    attribute: u8,
    /// The line as far as it is written, for the serial port.
    line: String<256>,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen { row: 0, column: 0, attribute: BLUE, line: String::new() });

fn cell(row: usize, column: usize, byte: u8, attribute: u8) {
    let at = BUFFER + ((row * COLUMNS + column) * 2) as u64;
    // SAFETY: the text buffer of the display adapter: device memory that only this file writes.
    let _ = unsafe { physical::write(at, &[byte, attribute]) };
}

impl Screen {
    fn clear(&mut self) {
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                cell(row, column, b' ', self.attribute);
            }
        }
        (self.row, self.column) = (0, 0);
    }

    fn new_line(&mut self) {
        line(format_args!("screen: {}", self.line));
        self.line.clear();
        self.column = 0;
        self.row += 1;
        if self.row == ROWS {
            self.row -= 1;
            for at in 0..((ROWS - 1) * COLUMNS * 2) as u64 {
                let below: u8 = physical::read_value(BUFFER + at + (COLUMNS * 2) as u64).unwrap_or(b' ');
                // SAFETY: as in `cell`.
                let _ = unsafe { physical::write(BUFFER + at, &[below]) };
            }
            for column in 0..COLUMNS {
                cell(self.row, column, b' ', self.attribute);
            }
        }
    }

    fn put(&mut self, character: char) {
        match character {
            '\r' => self.column = 0,
            '\n' => self.new_line(),
            _ => {
                let byte = if character.is_ascii() && !character.is_control() { character as u8 } else { b'?' };
                if self.column == COLUMNS {
                    self.column = 0;
                    self.row = (self.row + 1).min(ROWS - 1);
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

    fn cursor(&self) {
        let at = self.row * COLUMNS + self.column.min(COLUMNS - 1);
        for (register, value) in [(0x0e, at >> 8), (0x0f, at & 0xff)] {
            port::write8(0x3d4, register);
            port::write8(0x3d5, value as u8);
        }
    }
}

/// Clears the screen: white on blue.
pub fn clear() {
    let mut screen = SCREEN.lock();
    screen.clear();
    screen.cursor();
}

/// Writes text at the cursor, as NtDisplayString does.
pub fn write(text: &str) {
    let mut screen = SCREEN.lock();
    for character in text.chars() {
        screen.put(character);
    }
    screen.cursor();
}
