// SPDX-License-Identifier: GPL-2.0-or-later
//! The end of a program that went wrong: an exception nobody handles, or a panic.
//!
//! A vectored handler sees every exception of every thread first, so neither an unwinder nor a
//! frame in each thread is needed (spec 13.1). A [guarded] load goes on with its answer.
//! Everything else ends in [`fatal`]: one line to the debugger, then what the program's [`Fatal`]
//! says, then the end of the process. Whatever goes wrong on that way ends the process at once. In
//! a release image a panic is an exception: an illegal instruction.

use crate::imports::RtlAddVectoredExceptionHandler;
use crate::machine::end_process;
use crate::{Native, guarded, logger};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};
use nt::system::HardErrorParameter;
use nt::{Status, UnicodeStr, wide};
use winapi::um::winnt::{EXCEPTION_POINTERS, LONG};

/// What an unhandled exception means for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fatal {
    /// The process ends with the exception's code.
    EndProcess,
    /// The system stops: hard error `Unhandled Exception in Session Manager` (spec 12.4).
    StopSystem,
}

static STOPS_SYSTEM: AtomicBool = AtomicBool::new(false);
static DYING: AtomicBool = AtomicBool::new(false);

const EXCEPTION_CONTINUE_EXECUTION: LONG = -1;
const EXCEPTION_CONTINUE_SEARCH: LONG = 0;
const UNHANDLED: UnicodeStr<'static> = wide!("Unhandled Exception in Session Manager");

/// Installs the handler; before it, an exception has the effect that the kernel gives it.
pub(crate) fn install(fatal: Fatal) {
    STOPS_SYSTEM.store(fatal == Fatal::StopSystem, Ordering::Relaxed);
    // SAFETY: the handler is a function of this image and stays for the life of the process.
    let entry = unsafe { RtlAddVectoredExceptionHandler(1, Some(handler)) };
    if entry.is_null() {
        nt::warn!("exception handler: {}: skipped", Status::NO_MEMORY);
    }
}

unsafe extern "system" fn handler(pointers: *mut EXCEPTION_POINTERS) -> LONG {
    // SAFETY: the dispatcher passes two live structures for the time of the call.
    let record = unsafe { (*pointers).ExceptionRecord };
    // SAFETY: the record lives until this returns, and nobody writes to it.
    let record = unsafe { &*record };
    let code = Status::new(record.ExceptionCode);
    // Informational codes, such as a debugger's print request, are meant for somebody else.
    if code.is_success() {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    let address = record.ExceptionAddress.addr();
    // SAFETY: the pair of pointers is still the dispatcher's, live until this returns.
    let context = unsafe { (*pointers).ContextRecord };
    // SAFETY: the context lives until this returns, and nobody else looks at it before.
    let context = unsafe { &mut *context };
    if guarded::recover(code, address, context) {
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    let [first, second, ..] = record.ExceptionInformation;
    nt::error!("unhandled exception: {code}: at 0x{address:x} (0x{first:x}, 0x{second:x})");
    fatal(code, address, core::ptr::from_mut(context).addr())
}

#[panic_handler]
fn panic(information: &PanicInfo<'_>) -> ! {
    logger::print_formatted(format_args!("{information}"));
    // No exception, so no address and no context; the line above says where.
    fatal(Status::UNHANDLED_EXCEPTION, 0, 0)
}

/// Ends the program in the way it asked for.
fn fatal(code: Status, address: usize, context: usize) -> ! {
    if !DYING.swap(true, Ordering::Relaxed) && STOPS_SYSTEM.load(Ordering::Relaxed) {
        let parameters = [
            HardErrorParameter::Text(UNHANDLED),
            HardErrorParameter::Value(u64::from(code.code())),
            HardErrorParameter::Value(address as u64),
            HardErrorParameter::Value(context as u64),
        ];
        nt::failure::stop_system(Native, &parameters);
    }
    terminate(code)
}

/// Ends this process with `status`.
pub(crate) fn terminate(status: Status) -> ! {
    loop {
        // It fails only while another thread is ending the process already; then this one's turn
        // comes.
        end_process(status);
        crate::objects::yield_processor();
    }
}
