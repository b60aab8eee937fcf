// SPDX-License-Identifier: GPL-2.0-or-later
//! DOS paths: their NT names, and the search for a file along a path.

use crate::heap::{RtlAllocateHeap, handle};
use crate::support::{peb, units};
use nt::path::{CurrentDirectory, FullPaths, MAX_NT, directory, file_name, to_nt};
use nt::{Status, UnicodeBuf, UnicodeStr};
use ntapi::ntioapi::{FILE_BASIC_INFORMATION, NtQueryAttributesFile};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, PCWSTR, ULONG, UNICODE_STRING};

/// The current directory of this process, which nothing in this DLL changes.
fn current() -> CurrentDirectory<'static> {
    // SAFETY: this process's normalised parameters.
    let parameters = unsafe { (*peb()).ProcessParameters };
    // SAFETY: null, or the parameters, which live as long as the process.
    CurrentDirectory(match unsafe { parameters.as_ref() } {
        // SAFETY: a string of the normalised parameters: its buffer is an address.
        Some(parameters) => unsafe { units(&parameters.CurrentDirectory.DosPath) },
        None => UnicodeStr::EMPTY,
    })
}

/// # Safety
/// `text` must be NUL-terminated and stay while the result is used.
unsafe fn terminated<'a>(text: PCWSTR) -> UnicodeStr<'a> {
    let mut length = 0;
    // SAFETY: the caller's promise; the walk ends at the NUL.
    while unsafe { text.wrapping_add(length).read() } != 0 {
        length += 1;
    }
    // SAFETY: these units were just walked.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text, length) })
}

fn translate(dos: UnicodeStr<'_>) -> Option<UnicodeBuf<MAX_NT>> {
    to_nt(dos, current()).ok()
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlGetFullPathName_U(
    dos: PCWSTR,
    size: ULONG,
    buffer: *mut u16,
    part: *mut *mut u16,
) -> ULONG {
    // SAFETY: the caller's path.
    let dos = unsafe { terminated(dos) };
    let mut full = UnicodeBuf::new();
    match current().full_path(dos, &mut full) {
        // SAFETY: the caller's buffer of so many bytes, and its pointer.
        Ok(()) => unsafe { give(full.as_str(), size, buffer, part) },
        // Longer than this DLL can say: as much room as no caller has.
        Err(Status::NAME_TOO_LONG) => ULONG::MAX,
        Err(_) => 0,
    }
}

/// Gives a path with its NUL to a caller who has lent room: its length in bytes, or how long it is with
/// its NUL if there is no room for that.
///
/// # Safety
/// `buffer` must be of `size` bytes, and `part` null or a pointer to be written.
unsafe fn give(path: UnicodeStr<'_>, size: ULONG, buffer: *mut u16, part: *mut *mut u16) -> ULONG {
    if path.byte_len() + 2 > size as usize {
        return path.byte_len() as ULONG + 2;
    }
    // SAFETY: the caller's buffer has room, checked above.
    unsafe { core::ptr::copy_nonoverlapping(path.units().as_ptr(), buffer, path.len()) };
    // SAFETY: the buffer has room for a NUL behind the name, checked above.
    unsafe { buffer.wrapping_add(path.len()).write(0) };
    // SAFETY: null, or the caller's pointer.
    if let Some(part) = unsafe { part.as_mut() } {
        *part = buffer.wrapping_add(path.len() - file_name(path).len());
    }
    path.byte_len() as ULONG
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDosPathNameToNtPathName_U(
    dos: PCWSTR,
    nt: &mut UNICODE_STRING,
    part: *mut PCWSTR,
    relative: *mut c_void,
) -> BOOLEAN {
    // SAFETY: the caller's path.
    let dos = unsafe { terminated(dos) };
    let Some(name) = translate(dos) else { return 0 };
    let name = name.as_str();
    // SAFETY: an allocation like any other.
    let buffer = unsafe { RtlAllocateHeap(handle(), 0, name.byte_len() + 2) }.cast::<u16>();
    if buffer.is_null() {
        return 0;
    }
    // SAFETY: the block has room for the name and a NUL.
    unsafe { core::ptr::copy_nonoverlapping(name.units().as_ptr(), buffer, name.len()) };
    // SAFETY: the block has room for a NUL behind the name.
    unsafe { buffer.wrapping_add(name.len()).write(0) };
    let length = name.byte_len() as u16;
    *nt = UNICODE_STRING {
        Length: length,
        MaximumLength: length + 2,
        Buffer: buffer,
    };
    // SAFETY: null, or the caller's pointer.
    if let Some(part) = unsafe { part.as_mut() } {
        let file = file_name(name);
        *part = if file.is_empty() {
            core::ptr::null()
        } else {
            buffer.wrapping_add(name.len() - file.len())
        };
    }
    if !relative.is_null() {
        // No relative name: the caller is to use the whole one. A name, a directory handle, and in
        // the long form a third word.
        // SAFETY: the caller's RTL_RELATIVE_NAME.
        unsafe { relative.cast::<[usize; 3]>().write([0; 3]) };
    }
    1
}

/// Whether a file of this DOS name is there.
fn exists(dos: UnicodeStr<'_>) -> bool {
    let Some(name) = translate(dos) else {
        return false;
    };
    let Ok(mut name) = crate::support::counted(name.as_str()) else {
        return false;
    };
    let mut attributes = crate::support::attributes(&mut name, core::ptr::null_mut());
    // SAFETY: integers only.
    let mut basic: FILE_BASIC_INFORMATION = unsafe { core::mem::zeroed() };
    // SAFETY: both are live locals.
    unsafe { NtQueryAttributesFile(&raw mut attributes, &raw mut basic) >= 0 }
}

/// Tries `folder` + `file` + `extension`.
fn candidate(
    folder: UnicodeStr<'_>,
    file: UnicodeStr<'_>,
    extension: UnicodeStr<'_>,
) -> Option<UnicodeBuf<MAX_NT>> {
    let mut path = UnicodeBuf::copied(folder).ok()?;
    if folder
        .last()
        .is_some_and(|last| last != u16::from(b'\\') && last != u16::from(b'/'))
    {
        path.push_unit(u16::from(b'\\')).ok()?;
    }
    path.push(file).ok()?;
    path.push(extension).ok()?;
    exists(path.as_str()).then_some(path)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDosSearchPath_U(
    path: PCWSTR,
    file: PCWSTR,
    extension: PCWSTR,
    size: ULONG,
    buffer: *mut u16,
    part: *mut *mut u16,
) -> ULONG {
    // SAFETY: the caller's texts.
    let path = unsafe { terminated(path) };
    // SAFETY: the caller promises a terminated text.
    let file = unsafe { terminated(file) };
    // An extension is added to a name that has none.
    let extension = if extension.is_null() {
        UnicodeStr::EMPTY
    } else {
        // SAFETY: the caller promises a terminated text, and it is not null.
        unsafe { terminated(extension) }
    };
    let extension = if file_name(file).find(b'.').is_some() {
        UnicodeStr::EMPTY
    } else {
        extension
    };
    let found = if directory(file).is_empty() {
        path.units()
            .split(|&unit| unit == u16::from(b';'))
            .find_map(|folder| candidate(UnicodeStr(folder), file, extension))
    } else {
        candidate(UnicodeStr::EMPTY, file, extension)
    };
    let Some(found) = found else { return 0 };
    // SAFETY: the caller's buffer of so many bytes, and its pointer.
    unsafe { give(found.as_str(), size, buffer, part) }
}
