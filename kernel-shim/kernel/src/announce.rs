// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel tells the host: images for the debugger, marked parts of the log, the moment at
//! which the system has settled.
//!
//! A marked part stands between the lines `SHIM-BEGIN: <name>` and `SHIM-FINISH: <name>`, raw,
//! without times in front.

use crate::serial::{self, Serial, line};
use core::fmt::Write;
use core::hint::black_box;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use executive::Executive;
use executive::ids::{ProcessId, ThreadId};
use nt::Status;

/// Where a debugger finds the system's state: the type is the kernel's own, so that its symbols
/// describe it.
#[used]
#[unsafe(no_mangle)]
static DEBUGGER_EXECUTIVE: AtomicPtr<Executive> = AtomicPtr::new(core::ptr::null_mut());

/// The process and the thread that run in ring 3, or ran there last.
#[used]
#[unsafe(no_mangle)]
static DEBUGGER_PROCESS: AtomicU32 = AtomicU32::new(0);
#[used]
#[unsafe(no_mangle)]
static DEBUGGER_THREAD: AtomicU32 = AtomicU32::new(0);

/// Tells a debugger where the executive stays from now on.
pub fn executive(executive: &mut Executive) {
    DEBUGGER_EXECUTIVE.store(executive, Ordering::Relaxed);
}

/// Tells a debugger who runs in ring 3 now.
pub fn running(process: ProcessId, thread: ThreadId) {
    DEBUGGER_PROCESS.store(process.0, Ordering::Relaxed);
    DEBUGGER_THREAD.store(thread.0, Ordering::Relaxed);
}

/// Where the host's debugger has a breakpoint: an image was mapped. `name` is UTF-8 and not
/// terminated.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn debugger_image_loaded(name: *const u8, length: usize, base: u64, process: u32) {
    black_box((name, length, base, process));
}

/// The thread that runs in ring 3, or ran there last.
pub fn last_thread() -> ThreadId {
    ThreadId(DEBUGGER_THREAD.load(Ordering::Relaxed))
}

/// A process has ended: `ended <name> process <pid> <status>`.
pub fn ended(name: &str, process: u32, status: Status) {
    line(format_args!("ended {name} process {process} {status}"));
}

/// An image was mapped: `image <name> base <hex> process <pid>`.
pub fn image(name: &str, base: u64, process: u32) {
    line(format_args!(
        "image {name} base {base:#x} process {process}"
    ));
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
