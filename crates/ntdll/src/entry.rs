// SPDX-License-Identifier: GPL-2.0-or-later
//! The start of a native program (spec 1.2): RCX is the PEB, nobody called, and returning is not
//! possible.

use crate::exception::{self, Fatal};
use crate::imports::{DbgBreakPoint, RtlNormalizeProcessParams, RtlUpcaseUnicodeChar};
use crate::{Native, logger, objects, own_process};
use log::LevelFilter;
use nt::{Status, UnicodeStr};
use ntapi::ntpebteb::PEB;

/// A native program, as [`program!`](crate::program) takes it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What every line it logs begins with, such as `SMSS: `. Asked once, when the process parameters
    /// can be read.
    pub prefix: fn() -> &'static str,
    /// What an exception that nobody handles means.
    pub fatal: Fatal,
    /// The program itself: the status it gives is the process's exit status.
    pub main: fn(Native) -> Status,
}

/// Makes a [`Program`] this image's entry point, `NtProcessStartup`.
///
/// ```ignore
/// ntdll::program!(ntdll::Program { prefix: || "SMSS: ", fatal: ntdll::Fatal::StopSystem, main: smss::run });
/// ```
#[macro_export]
macro_rules! program {
    ($program:expr) => {
        #[unsafe(no_mangle)]
        #[allow(
            non_snake_case,
            missing_docs,
            reason = "the linker's name for the entry point"
        )]
        pub unsafe extern "system" fn NtProcessStartup(peb: *mut ::core::ffi::c_void) -> ! {
            const PROGRAM: $crate::Program = $program;
            // SAFETY: called by the loader alone: once, in the initial thread, with the PEB.
            unsafe { $crate::start(peb, PROGRAM) }
        }
    };
}

/// Runs `program` in this process and ends the process with its status.
///
/// # Safety
/// `peb` must be this process's PEB, and this must be the first call in the process's initial
/// thread.
pub unsafe fn start(peb: *mut core::ffi::c_void, program: Program) -> ! {
    let peb = peb.cast::<PEB>();
    // The loader has normalised the parameters if the process came with any; then this does
    // nothing.
    // SAFETY: the caller passes the PEB.
    let parameters = unsafe { (*peb).ProcessParameters };
    // SAFETY: null, or this process's parameter block, which nobody else uses yet.
    unsafe { RtlNormalizeProcessParams(parameters) };
    nt::case::install(upcase);
    nt::lock::install(objects::yield_processor);
    let debug = own_process::debug_flags() != 0;
    logger::install(
        (program.prefix)(),
        if debug {
            LevelFilter::Debug
        } else {
            LevelFilter::Info
        },
    );
    exception::install(program.fatal);
    // A creator that debugs wants a stop here; without a debugger to take it, that would be an
    // exception.
    if debug && own_process::kernel_debugger() {
        // SAFETY: traps to the debugger and returns.
        unsafe { DbgBreakPoint() };
    }
    exception::terminate((program.main)(Native))
}

/// File name of the image that this process runs, as its creator gave it in the process parameters
/// (spec 1.2): an image that is several programs finds by it which one it is.
pub fn image_name() -> UnicodeStr<'static> {
    nt::path::file_name(own_process::parameter(|block| &block.ImagePathName))
}

fn upcase(unit: u16) -> u16 {
    // SAFETY: takes and gives a number.
    unsafe { RtlUpcaseUnicodeChar(unit) }
}
