// SPDX-License-Identifier: GPL-2.0-or-later
//! Lines on the boot screen, and in the log.

use core::fmt;
use nt::system::SystemWide;
use nt::{UnicodeBuf, wide};

/// Shows one line on the boot screen. A line of more than 512 units is shown as its first 512: this
/// is for people to read.
pub fn show<S: SystemWide>(system: S, text: fmt::Arguments<'_>) {
    let mut line = UnicodeBuf::<514>::new();
    let mut limited = Limited {
        line: &mut line,
        left: 512,
    };
    // Only the limit ends this early.
    let _ = fmt::Write::write_fmt(&mut limited, text);
    let _ = line.push(wide!("\r\n"));
    if let Err(status) = system.display_string(line.as_str()) {
        log::warn!("boot screen: {status}: {line}");
    }
}

struct Limited<'l> {
    line: &'l mut UnicodeBuf<514>,
    left: usize,
}

impl fmt::Write for Limited<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for unit in text.encode_utf16() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.line.push_unit(unit).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}
