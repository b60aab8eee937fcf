// SPDX-License-Identifier: GPL-2.0-or-later
//! Exceptions in user mode: vectored handlers, raising, and the end when nobody takes one.
//!
//! Vectored handlers are asked, and on i386 those of the frames behind them; see the head of this DLL. The
//! lists are walked by index under
//! a lock that is not held while a handler runs, and nothing is allocated on that way, because the
//! exception may have come out of the allocator.

use crate::machine::{self, RtlRaiseException};
use crate::support::CURRENT_PROCESS;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use nt::Status;
use nt::lock::Mutex;
use ntapi::ntpsapi::NtTerminateProcess;
use ntapi::ntxcapi::{NtContinue, NtRaiseException};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, LONG, NTSTATUS, ULONG};
use winapi::um::winnt::{CONTEXT, EXCEPTION_NONCONTINUABLE, EXCEPTION_POINTERS, EXCEPTION_RECORD};

type Handler = unsafe extern "system" fn(*mut EXCEPTION_POINTERS) -> LONG;

const EXCEPTION_CONTINUE_EXECUTION: LONG = -1;

struct Entry {
    id: usize,
    handler: Handler,
}

type List = Mutex<Vec<Entry>>;

static EXCEPTION_HANDLERS: List = Mutex::new(Vec::new());
static CONTINUE_HANDLERS: List = Mutex::new(Vec::new());
/// Handles are never used again, so that a stale one removes nothing.
static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

fn add(list: &List, first: ULONG, handler: Handler) -> *mut c_void {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let mut list = list.lock();
    if list.try_reserve(1).is_err() {
        return core::ptr::null_mut();
    }
    let at = if first != 0 { 0 } else { list.len() };
    list.insert(at, Entry { id, handler });
    core::ptr::without_provenance_mut(id)
}

fn remove(list: &List, handle: *mut c_void) -> ULONG {
    let mut list = list.lock();
    let before = list.len();
    list.retain(|entry| entry.id != handle.addr());
    u32::from(list.len() != before)
}

/// Asks every handler of the list in turn, until one says that execution continues.
fn call(list: &List, pointers: &mut EXCEPTION_POINTERS) -> bool {
    let mut at = 0;
    loop {
        let Some(handler) = list.lock().get(at).map(|entry| entry.handler) else {
            return false;
        };
        // SAFETY: registered as a handler; both structures live for the call.
        if unsafe { handler(pointers) } == EXCEPTION_CONTINUE_EXECUTION {
            return true;
        }
        at += 1;
    }
}

/// Whether some handler took the exception, so that the thread goes on in `context`, which a
/// handler may have changed.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn RtlDispatchException(
    record: *mut EXCEPTION_RECORD,
    context: *mut CONTEXT,
) -> BOOLEAN {
    let mut pointers = EXCEPTION_POINTERS {
        ExceptionRecord: record,
        ContextRecord: context,
    };
    let handled = call(&EXCEPTION_HANDLERS, &mut pointers) || {
        // SAFETY: it is the caller's, and lives for the call.
        let record = unsafe { &mut *record };
        // SAFETY: the same.
        let context = unsafe { &mut *context };
        machine::dispatch(record, context)
    };
    call(&CONTINUE_HANDLERS, &mut pointers);
    u8::from(handled)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAddVectoredExceptionHandler(
    first: ULONG,
    handler: Handler,
) -> *mut c_void {
    add(&EXCEPTION_HANDLERS, first, handler)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAddVectoredContinueHandler(
    first: ULONG,
    handler: Handler,
) -> *mut c_void {
    add(&CONTINUE_HANDLERS, first, handler)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlRemoveVectoredExceptionHandler(handle: *mut c_void) -> ULONG {
    remove(&EXCEPTION_HANDLERS, handle)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlRemoveVectoredContinueHandler(handle: *mut c_void) -> ULONG {
    remove(&CONTINUE_HANDLERS, handle)
}

/// Dispatches an exception that was raised by software.
pub(crate) unsafe extern "system" fn raise(
    record: *mut EXCEPTION_RECORD,
    context: *mut CONTEXT,
) -> ! {
    // SAFETY: both were made by RtlRaiseException and live on its frame.
    let answer = if unsafe { RtlDispatchException(record, context) } != 0 {
        // SAFETY: a captured context, possibly changed by a handler that answers for it.
        unsafe { NtContinue(context, 0) }
    } else {
        // SAFETY: the record and the context that RtlRaiseException captured, both on its frame.
        unsafe { NtRaiseException(record, context, 0) }
    };
    // Neither returns when it succeeds.
    end(answer)
}

/// Raises `code` and does not come back: the exception is not continuable.
#[unsafe(no_mangle)]
unsafe extern "system" fn RtlRaiseStatus(code: NTSTATUS) -> ! {
    raise_status(code)
}

/// As RtlRaiseStatus.
pub(crate) extern "system" fn raise_status(code: NTSTATUS) -> ! {
    raise_behind(code, core::ptr::null_mut())
}

/// The same, of the handling of another exception, if there is one.
pub(crate) fn raise_behind(code: NTSTATUS, other: *mut EXCEPTION_RECORD) -> ! {
    let mut record = EXCEPTION_RECORD {
        ExceptionCode: code.cast_unsigned(),
        ExceptionFlags: EXCEPTION_NONCONTINUABLE,
        ExceptionRecord: other,
        ExceptionAddress: core::ptr::null_mut(),
        NumberParameters: 0,
        ExceptionInformation: [0; 15],
    };
    // SAFETY: the record lives on this frame, which is never left.
    unsafe { RtlRaiseException(&raw mut record) };
    end(code)
}

/// Ends this process.
pub(crate) fn end(code: NTSTATUS) -> ! {
    loop {
        // SAFETY: takes no pointer.
        let _ = unsafe { NtTerminateProcess(CURRENT_PROCESS, code) };
    }
}

#[panic_handler]
fn panic(information: &core::panic::PanicInfo<'_>) -> ! {
    crate::debug::print(format_args!("ntdll: {information}\n"));
    end(Status::UNHANDLED_EXCEPTION.code().cast_signed())
}
