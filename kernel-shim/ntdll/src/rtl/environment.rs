// SPDX-License-Identifier: GPL-2.0-or-later
//! Environment blocks: `name=value` NUL, sorted without regard to case, and an empty string at the
//! end, in pages of their own.
//!
//! A change builds the new block in new pages and gives the old ones back. A name may begin with
//! `=` (the current directories of drives).

use super::thread::PEB_LOCK;
use super::upcase;
use crate::support::{CURRENT_PROCESS, done, peb, status, units};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::sync::atomic::AtomicPtr;
use nt::{Status, UnicodeStr};
use ntapi::ntmmapi::{NtAllocateVirtualMemory, NtFreeVirtualMemory};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, NTSTATUS, UNICODE_STRING};
use winapi::um::winnt::{MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE};

/// The variables of a block.
///
/// # Safety
/// `block` must be null or end with an empty string, and stay as it is while the result is used.
unsafe fn variables<'a>(block: *const u16) -> impl Iterator<Item = UnicodeStr<'a>> {
    let mut at = block;
    core::iter::from_fn(move || {
        if at.is_null() {
            return None;
        }
        let start = at;
        let mut length = 0;
        // SAFETY: the caller's promise; the walk ends at the NUL, and the iteration at the empty
        // string.
        while unsafe { start.wrapping_add(length).read() } != 0 {
            length += 1;
        }
        if length == 0 {
            return None;
        }
        at = start.wrapping_add(length + 1);
        // SAFETY: these units were just walked.
        Some(UnicodeStr(unsafe {
            core::slice::from_raw_parts(start, length)
        }))
    })
}

/// Name and value; the first unit belongs to the name whatever it is.
fn split(variable: UnicodeStr<'_>) -> (UnicodeStr<'_>, UnicodeStr<'_>) {
    match variable.skip(1).find(b'=') {
        Some(at) => (variable.take(at + 1), variable.skip(at + 2)),
        None => (variable, UnicodeStr::EMPTY),
    }
}

fn compare(a: UnicodeStr<'_>, b: UnicodeStr<'_>) -> Ordering {
    a.units()
        .iter()
        .map(|&unit| upcase(unit))
        .cmp(b.units().iter().map(|&unit| upcase(unit)))
}

/// Writes `block` into new pages.
fn pages(block: &[u16]) -> Result<*mut u16, Status> {
    let mut base = core::ptr::null_mut();
    let mut size = size_of_val(block);
    // SAFETY: new memory; both out-pointers are live locals.
    done(unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_RESERVE | MEM_COMMIT,
            PAGE_READWRITE,
        )
    })?;
    // SAFETY: the pages have at least this many bytes and belong to nobody else.
    unsafe { core::ptr::copy_nonoverlapping(block.as_ptr(), base.cast(), block.len()) };
    Ok(base.cast())
}

/// # Safety
/// `block` must be the base of an environment's pages that nobody uses any more.
unsafe fn free(block: *mut u16) {
    let mut base: *mut c_void = block.cast();
    let mut size = 0;
    // SAFETY: the caller's promise; both pointers are live locals.
    let _ =
        unsafe { NtFreeVirtualMemory(CURRENT_PROCESS, &raw mut base, &raw mut size, MEM_RELEASE) };
}

/// Where this process's environment is, and where that of a process is that was made without
/// parameters.
fn own() -> *mut *mut u16 {
    /// No environment.
    static NONE: AtomicPtr<u16> = AtomicPtr::new(core::ptr::null_mut());
    // SAFETY: the PEB lives as long as the process.
    let parameters = unsafe { (*peb()).ProcessParameters };
    if parameters.is_null() {
        return NONE.as_ptr();
    }
    // SAFETY: only the address of a field of the process's own block, which is never freed.
    unsafe { &raw mut (*parameters).Environment }.cast()
}

/// The block with `name` set to `value`, or without it.
///
/// # Safety
/// As for [`variables`].
unsafe fn changed(
    block: *const u16,
    name: UnicodeStr<'_>,
    value: Option<UnicodeStr<'_>>,
) -> Vec<u16> {
    let mut new = Vec::new();
    let mut pending = value;
    let put = |new: &mut Vec<u16>, value: UnicodeStr<'_>| {
        new.extend_from_slice(name.units());
        new.push(u16::from(b'='));
        new.extend_from_slice(value.units());
        new.push(0);
    };
    // SAFETY: the caller's promise.
    for variable in unsafe { variables(block) } {
        let order = compare(split(variable).0, name);
        if order != Ordering::Less
            && let Some(value) = pending.take()
        {
            put(&mut new, value);
        }
        if order != Ordering::Equal {
            new.extend_from_slice(variable.units());
            new.push(0);
        }
    }
    if let Some(value) = pending {
        put(&mut new, value);
    }
    if new.is_empty() {
        new.push(0);
    }
    new.push(0);
    new
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateEnvironment(inherit: BOOLEAN, block: &mut *mut u16) -> NTSTATUS {
    let mut copy = Vec::new();
    if inherit != 0 {
        PEB_LOCK.acquire();
        // SAFETY: a place that stays, which nobody writes without the lock.
        let from = unsafe { own().read() };
        // SAFETY: this process's environment, held by the lock.
        for variable in unsafe { variables(from) } {
            copy.extend_from_slice(variable.units());
            copy.push(0);
        }
        PEB_LOCK.release();
    }
    copy.extend_from_slice(&[0, 0]);
    status(pages(&copy).map(|new| *block = new))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDestroyEnvironment(block: *mut u16) -> NTSTATUS {
    // SAFETY: the caller gives back what RtlCreateEnvironment gave.
    unsafe { free(block) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlSetEnvironmentVariable(
    block: *mut *mut u16,
    name: &UNICODE_STRING,
    value: *const UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the caller passes a string.
    let name = unsafe { units(name) };
    if name.is_empty() || name.skip(1).find(b'=').is_some() {
        return status(Err(Status::INVALID_PARAMETER));
    }
    // SAFETY: null, or a string of the caller's; one without a buffer deletes.
    let value = unsafe { value.as_ref() }.filter(|value| !value.Buffer.is_null());
    // SAFETY: the string that the caller passed is alive during the call.
    let value = value.map(|value| unsafe { units(value) });
    let locked = block.is_null();
    if locked {
        PEB_LOCK.acquire();
    }
    let place = if locked { own() } else { block };
    // SAFETY: the caller's environment, or this process's, held by the lock.
    let old = unsafe { place.read() };
    // SAFETY: the block that stands at `place`, which nobody else changes now.
    let new = unsafe { changed(old, name, value) };
    let answer = pages(&new).map(|new| {
        // SAFETY: the place that was read above: the caller's, or the PEB's under its lock.
        unsafe { place.write(new) };
        // SAFETY: the block that the new one has replaced: `name` and `value` may lie in it and have
        // been copied. Who else still reads it has not asked for it through this DLL, whose readers
        // hold the lock. What is no base of pages, or nothing, the kernel refuses to free.
        unsafe { free(old) };
    });
    if locked {
        PEB_LOCK.release();
    }
    status(answer)
}

/// Copies the value of `name` out of `block`. `BUFFER_TOO_SMALL`, with the length in `value`, if it
/// does not fit.
///
/// # Safety
/// As for [`variables`]; `value` must have its buffer.
unsafe fn query(
    block: *const u16,
    name: UnicodeStr<'_>,
    value: &mut UNICODE_STRING,
) -> Result<(), Status> {
    // SAFETY: the caller's promise.
    let found = unsafe { variables(block) }
        .map(split)
        .find(|&(other, _)| compare(other, name) == Ordering::Equal);
    let (_, found) = found.ok_or(Status::VARIABLE_NOT_FOUND)?;
    value.Length = u16::try_from(found.byte_len()).map_err(|_| Status::BUFFER_TOO_SMALL)?;
    if value.Length > value.MaximumLength {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    // SAFETY: the buffer has room, checked above.
    unsafe { core::ptr::copy_nonoverlapping(found.units().as_ptr(), value.Buffer, found.len()) };
    if value.MaximumLength - value.Length >= 2 {
        // SAFETY: there is room for one unit more.
        unsafe { value.Buffer.wrapping_add(found.len()).write(0) };
    }
    Ok(())
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlQueryEnvironmentVariable_U(
    block: *const u16,
    name: &UNICODE_STRING,
    value: &mut UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the caller passes a string.
    let name = unsafe { units(name) };
    value.Length = 0;
    if !block.is_null() {
        // SAFETY: the caller's environment and buffer.
        return status(unsafe { query(block, name, value) });
    }
    PEB_LOCK.acquire();
    // SAFETY: a place that stays, which nobody writes without the lock.
    let block = unsafe { own().read() };
    // SAFETY: this process's environment, held by the lock; the caller's buffer.
    let answer = unsafe { query(block, name, value) };
    PEB_LOCK.release();
    status(answer)
}

/// `text` with every `%name%` that is a variable replaced by its value.
///
/// # Safety
/// `block` must be null, for this process's environment, or as for [`variables`].
pub(crate) unsafe fn expand(block: *const u16, text: UnicodeStr<'_>) -> Vec<u16> {
    PEB_LOCK.acquire();
    let block = if block.is_null() {
        // SAFETY: a place that stays, which nobody writes without the lock.
        unsafe { own().read() }.cast_const()
    } else {
        block
    };
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(b'%') {
        out.extend_from_slice(rest.take(start).units());
        let after = rest.skip(start + 1);
        let value = after.find(b'%').and_then(|end| {
            let name = after.take(end);
            // SAFETY: the caller's promise, or held by the lock.
            let found = unsafe { variables(block) }
                .map(split)
                .find(|&(other, _)| compare(other, name) == Ordering::Equal);
            found.map(|(_, value)| (value, end + 1))
        });
        match value {
            Some((value, used)) => {
                out.extend_from_slice(value.units());
                rest = after.skip(used);
            }
            None => {
                out.push(u16::from(b'%'));
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest.units());
    PEB_LOCK.release();
    out
}
