// SPDX-License-Identifier: GPL-2.0-or-later
//! The loader: what a thread does before it reaches its start address.
//!
//! The first thread of a process makes the heap, enters the image and this DLL in the lists of the
//! PEB, relocates the image if it did not get its base, loads what it imports, binds the imports
//! and calls the DLLs' entry points, those a DLL needs before its own. Every other thread waits for
//! that and then tells the DLLs that it has come. What goes wrong is told in one line, raised as a
//! hard error, and ends the process with its status.
//!
//! A thread that the process's image starts in has its start address in the CONTEXT that it goes on
//! with; if the image was moved, that address moves with it.

mod bind;
mod image;
mod load;
mod module;
mod options;
mod verify;

use crate::exception::end;
use crate::machine::instruction_pointer;
use crate::rtl::{LOADER_LOCK, RtlNormalizeProcessParams};
use crate::support::{bytes, peb, status, units};
use bind::Symbol;
use core::sync::atomic::{AtomicU32, Ordering};
use formats::pe::directory;
use image::Image;
use nt::lock::Yield;
use nt::{Status, UnicodeStr, wide};
use ntapi::ntexapi::NtRaiseHardError;
use ntapi::ntkeapi::NtYieldExecution;
use spin::RelaxStrategy;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, NTSTATUS, PCWSTR, STRING, ULONG, UNICODE_STRING};
use winapi::um::winnt::CONTEXT;

const DLL_PROCESS_DETACH: u32 = 0;
const DLL_PROCESS_ATTACH: u32 = 1;
const DLL_THREAD_ATTACH: u32 = 2;
const DLL_THREAD_DETACH: u32 = 3;
/// `STATUS_APP_INIT_FAILURE`: the process could not start, with the status why.
const APP_INIT_FAILURE: Status = Status::new(0xC000_0145);
const OPTION_OK: ULONG = 1;

/// How far the process has come.
static STATE: AtomicU32 = AtomicU32::new(FRESH);
const FRESH: u32 = 0;
const STARTING: u32 = 1;
const RUNNING: u32 = 2;

type EntryPoint = unsafe extern "system" fn(*mut c_void, u32, *mut c_void) -> BOOLEAN;

/// Prepares this thread, and the process with its first one.
///
/// # Safety
/// Called by the thunk only: `context` is what the thread goes on with, `own_base` where this DLL
/// is mapped.
pub(crate) unsafe extern "system" fn initialize(context: *mut CONTEXT, own_base: *mut c_void) {
    if STATE
        .compare_exchange(FRESH, STARTING, Ordering::Acquire, Ordering::Acquire)
        .is_ok()
    {
        nt::lock::install(yield_processor);
        nt::case::install(crate::rtl::upcase);
        // SAFETY: the caller's promise.
        if let Err(error) = unsafe { initialize_process(context, own_base) } {
            fail(error);
        }
        STATE.store(RUNNING, Ordering::Release);
        return;
    }
    while STATE.load(Ordering::Acquire) != RUNNING {
        Yield::relax();
    }
    call_all(DLL_THREAD_ATTACH);
}

fn yield_processor() {
    // SAFETY: takes nothing. That no other thread wanted to run is no error.
    let _ = unsafe { NtYieldExecution() };
}

/// # Safety
/// As for [`initialize`], in the first thread.
unsafe fn initialize_process(context: *mut CONTEXT, own_base: *mut c_void) -> Result<(), Status> {
    let peb = peb();
    // SAFETY: the PEB of this process, which nobody else uses yet.
    let parameters = unsafe { (*peb).ProcessParameters };
    // SAFETY: null, or this process's parameters.
    let parameters = unsafe { RtlNormalizeProcessParams(parameters) };
    // SAFETY: the PEB of this process, which nobody else uses yet.
    unsafe { (*peb).ProcessHeap = crate::heap::handle() };
    module::initialize();
    // SAFETY: the PEB of this process, which nobody else uses yet.
    let base = unsafe { (*peb).ImageBaseAddress };
    // SAFETY: the kernel maps the process's image there for the life of the process.
    let image = unsafe { Image::at(base) }?;
    // SAFETY: null, or this process's normalised parameters, which are not freed.
    let path = match unsafe { parameters.as_ref() } {
        // SAFETY: a string of the normalised parameters: its buffer is an address.
        Some(parameters) => unsafe { units(&parameters.ImagePathName) },
        None => UnicodeStr::EMPTY,
    };
    let name = path.rfind(b'\\').map_or(path, |at| path.skip(at + 1));
    let program = module::add(image, path, name);
    // SAFETY: the kernel maps this DLL there for the life of the process.
    let own = module::add(
        unsafe { Image::at(own_base) }?,
        wide!("ntdll.dll"),
        wide!("ntdll.dll"),
    );
    module::update(own, |module| (module.bound, module.started) = (true, true));
    if image.headers()?.directory(directory::TLS).is_some() {
        crate::debug::print(format_args!(
            "LDR: {name}: thread-local storage is not supported\n"
        ));
        return Err(Status::NOT_SUPPORTED);
    }
    // SAFETY: the context lives on this thread's stack while it is here.
    unsafe { relocate(image, context) }?;
    bind::imports(program)?;
    start_all()
}

/// Moves the image's pointers, and the thread's start address, to where the image is.
///
/// # Safety
/// `context` must be the thread's.
unsafe fn relocate(image: Image, context: *mut CONTEXT) -> Result<(), Status> {
    let preferred = image.headers()?.image_base as usize;
    image.relocate()?;
    // SAFETY: the caller's promise.
    let start = instruction_pointer(unsafe { &mut *context });
    if let Some(offset) = (*start as usize)
        .checked_sub(preferred)
        .filter(|&offset| offset < image.size())
    {
        *start = image.base().addr().wrapping_add(offset) as _;
    }
    Ok(())
}

/// Calls the entry points that have not been called: a DLL was added before what it imports, so
/// from the end.
fn start_all() -> Result<(), Status> {
    let mut count = 0;
    while module::get(count).is_some() {
        count += 1;
    }
    for index in (0..count).rev() {
        let Some(module) = module::get(index).filter(|module| !module.started) else {
            continue;
        };
        module::update(index, |module| module.started = true);
        if !call(module.image, DLL_PROCESS_ATTACH)? {
            crate::debug::print(format_args!(
                "LDR: {}: {}\n",
                module.name,
                Status::DLL_INIT_FAILED
            ));
            return Err(Status::DLL_INIT_FAILED);
        }
    }
    Ok(())
}

/// Calls a DLL's entry point, if it has one.
fn call(image: Image, reason: u32) -> Result<bool, Status> {
    if !image.headers()?.is_dll() {
        return Ok(true);
    }
    let Some(entry) = image.entry_point()? else {
        return Ok(true);
    };
    // SAFETY: the entry point of a mapped and bound DLL has this type.
    let entry: EntryPoint = unsafe { core::mem::transmute(entry) };
    // The last argument says that the DLL is loaded with the process and not by a call.
    // SAFETY: the entry point of a DLL that is mapped and bound, called as one.
    Ok(unsafe { entry(image.base(), reason, core::ptr::without_provenance_mut(1)) } != 0)
}

/// Tells every DLL, in the order in which they were loaded or, for an end, the other way round.
fn call_all(reason: u32) {
    let mut count = 0;
    while module::get(count).is_some() {
        count += 1;
    }
    let end = reason == DLL_PROCESS_DETACH || reason == DLL_THREAD_DETACH;
    for step in 0..count {
        let index = if end { count - 1 - step } else { step };
        if let Some(module) = module::get(index).filter(|module| module.started) {
            // What a DLL answers to these is not looked at.
            let _ = call(module.image, reason);
        }
    }
}

/// The process cannot start.
fn fail(error: Status) -> ! {
    // SAFETY: this process's PEB and parameters.
    let parameters = unsafe { (*peb()).ProcessParameters };
    // SAFETY: null, or the normalised parameters.
    let name = match unsafe { parameters.as_ref() } {
        // SAFETY: a string of the normalised parameters: its buffer is an address.
        Some(parameters) => unsafe { units(&parameters.ImagePathName) },
        None => UnicodeStr::EMPTY,
    };
    crate::debug::print(format_args!("LDR: {name} cannot start: {error}\n"));
    let mut parameter = error.code() as usize;
    let mut response = 0;
    // SAFETY: one parameter, which is a number; both are live locals.
    let _ = unsafe {
        NtRaiseHardError(
            APP_INIT_FAILURE.code().cast_signed(),
            1,
            0,
            &raw mut parameter,
            OPTION_OK,
            &raw mut response,
        )
    };
    end(error.code().cast_signed())
}

/// `SizeOfStackReserve` and `SizeOfStackCommit` of the image at `base`.
pub(crate) fn stack_sizes(base: *mut c_void) -> Option<(usize, usize)> {
    // SAFETY: the callers pass the base of this process's image.
    unsafe { Image::at(base) }
        .and_then(|image| image.headers())
        .map(|headers| {
            (
                headers.stack_reserve as usize,
                headers.stack_commit as usize,
            )
        })
        .ok()
}

/// This thread is about to end.
pub(crate) fn thread_ends() {
    call_all(DLL_THREAD_DETACH);
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrShutdownThread() -> NTSTATUS {
    thread_ends();
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrShutdownProcess() -> NTSTATUS {
    call_all(DLL_PROCESS_DETACH);
    0
}

/// # Safety
/// `name` must be a string of the caller's.
unsafe fn load_dll(name: &UNICODE_STRING) -> Result<*mut c_void, Status> {
    // SAFETY: the caller's promise.
    let index = bind::module(unsafe { units(name) })?;
    start_all()?;
    Ok(module::get(index)
        .ok_or(Status::DLL_NOT_FOUND)?
        .image
        .base())
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrLoadDll(
    _path: PCWSTR,
    _flags: *mut ULONG,
    name: &UNICODE_STRING,
    base: &mut *mut c_void,
) -> NTSTATUS {
    LOADER_LOCK.acquire();
    // SAFETY: the caller passes a string.
    let answer = unsafe { load_dll(name) };
    LOADER_LOCK.release();
    status(answer.map(|found| *base = found))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrGetDllHandle(
    _path: PCWSTR,
    _flags: *mut ULONG,
    name: &UNICODE_STRING,
    base: &mut *mut c_void,
) -> NTSTATUS {
    // SAFETY: the caller passes a string.
    let name = unsafe { units(name) };
    let name = name.rfind(b'\\').map_or(name, |at| name.skip(at + 1));
    match module::find(name).and_then(module::get) {
        Some(module) => {
            *base = module.image.base();
            0
        }
        None => status(Err(Status::DLL_NOT_FOUND)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrGetProcedureAddress(
    base: *mut c_void,
    name: *const STRING,
    ordinal: ULONG,
    address: &mut *mut c_void,
) -> NTSTATUS {
    let Some(index) = module::find_base(base) else {
        return status(Err(Status::DLL_NOT_FOUND));
    };
    // SAFETY: null, or a string of the caller's.
    let symbol = match unsafe { name.as_ref() } {
        Some(name) => {
            // SAFETY: the caller passes a string.
            Symbol::Name(unsafe { bytes(name) }, usize::MAX)
        }
        None => Symbol::Ordinal(ordinal as u16),
    };
    status(
        bind::export(index, symbol)
            .map(|found| *address = core::ptr::with_exposed_provenance_mut(found)),
    )
}
