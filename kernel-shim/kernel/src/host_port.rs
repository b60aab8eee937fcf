// SPDX-License-Identifier: GPL-2.0-or-later
//! The second serial port (COM2): the host's door to `smctl.exe`.
//!
//! A line that arrives is a command line of smctl, without the program; the kernel starts it as a
//! child of the System process, and the Session Manager serves it as it serves anybody. What smctl
//! shows on the boot screen goes back through the port as well, and after its end a line `end
//! <status in hex>`. One request at a time: the next line waits in the port until then. No host, no
//! port: nothing happens.

use crate::cpu::port;
use core::fmt::{self, Write};
use heapless::String;

const COM2: u16 = 0x2f8;
const LINE_STATUS: u16 = COM2 + 5;
/// What a port reads as that is not there.
const ABSENT: u8 = 0xff;

/// What every line of smctl begins with.
pub const PREFIX: &str = "smctl: ";

/// The image of smctl.
const PROGRAM: &str = r"\SystemRoot\System32\smctl.exe";

/// The longest command line the kernel starts a program with.
pub type CommandLine = String<127>;

/// The port and the line that arrives.
#[derive(Debug, Default)]
pub struct HostPort {
    line: CommandLine,
    too_long: bool,
}

/// Why a line is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl HostPort {
    /// 115200 baud, 8N1, queues on, no interrupts.
    pub fn new() -> Self {
        for (register, value) in [
            (1, 0x00),
            (3, 0x80),
            (0, 0x01),
            (1, 0x00),
            (3, 0x03),
            (2, 0xc7),
            (4, 0x0b),
        ] {
            port::write8(COM2 + register, value);
        }
        Self::default()
    }

    /// The command line of a request that has arrived in full.
    ///
    /// # Errors
    /// The line was longer than a command line may be; it has been taken out of the port.
    pub fn request(&mut self) -> Result<Option<CommandLine>, TooLong> {
        loop {
            let status = port::read8(LINE_STATUS);
            if status == ABSENT || status & 1 == 0 {
                return Ok(None);
            }
            match port::read8(COM2) {
                b'\n' => {
                    let line = core::mem::take(&mut self.line);
                    if core::mem::take(&mut self.too_long) {
                        return Err(TooLong);
                    }
                    let mut command = CommandLine::new();
                    return match write!(command, "{PROGRAM} {line}") {
                        Ok(()) => Ok(Some(command)),
                        Err(fmt::Error) => Err(TooLong),
                    };
                }
                byte @ b' '..=b'~' => self.too_long |= self.line.push(byte.into()).is_err(),
                // Not text: the other end is no smctl user.
                _ => {}
            }
        }
    }
}

/// Writes a line to the host.
pub fn answer(text: fmt::Arguments<'_>) {
    // Writing to the port cannot fail.
    let _ = writeln!(Port, "{text}");
}

struct Port;

impl Write for Port {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // A port that never gets ready must not hang the kernel.
            for _ in 0..100_000 {
                if port::read8(LINE_STATUS) & 0x20 != 0 {
                    break;
                }
            }
            port::write8(COM2, byte);
        }
        Ok(())
    }
}
