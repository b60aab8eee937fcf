// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel tells the host: images for the debugger, marked parts of the log, the moment at which the system has settled.
//!
//! A marked part stands between the lines `SHIM-BEGIN: <name>` and `SHIM-FINISH: <name>`, raw, without times in front.

use crate::serial::{self, Serial, line};
use core::fmt::Write;
use core::hint::black_box;

/// Where the host's debugger has a breakpoint: an image was mapped. `name` is UTF-8 and not terminated.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn debugger_image_loaded(name: *const u8, length: usize, base: u64, process: u32) {
    black_box((name, length, base, process));
}

/// An image was mapped: `image <name> base <hex> process <pid>`.
pub fn image(name: &str, base: u64, process: u32) {
    line(format_args!("image {name} base {base:#x} process {process}"));
    debugger_image_loaded(name.as_ptr(), name.len(), base, process);
}

/// Writes a marked part.
pub fn part<'l>(name: &str, lines: impl Iterator<Item = &'l str>) {
    let _ = writeln!(Serial, "SHIM-BEGIN: {name}");
    for text in lines {
        serial::write(text.as_bytes());
        serial::write(b"\n");
    }
    let _ = writeln!(Serial, "SHIM-FINISH: {name}");
}

/// Every thread waits and no timer runs.
pub fn settled() {
    line(format_args!("SHIM-SETTLED"));
}
