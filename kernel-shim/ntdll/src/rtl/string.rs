// SPDX-License-Identifier: GPL-2.0-or-later
//! Counted strings, and upper case.
//!
//! NT folds case by a table that the kernel maps from a code-page file. The shim has no such file:
//! Unicode's simple mapping stands in for it, with NT's exception that a mapping which would change
//! the number of units is left out.

use crate::heap::{RtlAllocateHeap, RtlFreeHeap, handle};
use crate::support::units;
use core::cmp::Ordering;
use nt::{Status, UnicodeStr};
use winapi::shared::ntdef::{
    BOOLEAN, LONG, NTSTATUS, PCSTR, PCWSTR, STRING, UNICODE_STRING, WCHAR,
};

/// `unit` in upper case.
pub(crate) fn upcase(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A => unit - 0x20,
        0..=0x7F => unit,
        _ => {
            let Some(character) = char::from_u32(u32::from(unit)) else {
                return unit;
            };
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
                _ => unit,
            }
        }
    }
}

fn compare(a: UnicodeStr<'_>, b: UnicodeStr<'_>, fold: bool) -> Ordering {
    let case = |unit: &u16| if fold { upcase(*unit) } else { *unit };
    a.units().iter().map(case).cmp(b.units().iter().map(case))
}

/// Units before the NUL.
///
/// # Safety
/// `text` must be NUL-terminated.
unsafe fn length(text: PCWSTR) -> usize {
    let mut units = 0;
    // SAFETY: the caller's promise; the walk ends at the NUL.
    while unsafe { text.wrapping_add(units).read() } != 0 {
        units += 1;
    }
    units
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlUpcaseUnicodeChar(unit: WCHAR) -> WCHAR {
    upcase(unit)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitUnicodeString(string: &mut UNICODE_STRING, text: PCWSTR) {
    // A longer text than a UNICODE_STRING can say is said as long as it can, as NT does.
    let bytes = if text.is_null() {
        0
    } else {
        // SAFETY: the caller's promise.
        unsafe { length(text) }.saturating_mul(2).min(0xFFFC)
    };
    string.Length = bytes as u16;
    string.MaximumLength = if text.is_null() { 0 } else { bytes as u16 + 2 };
    string.Buffer = text.cast_mut();
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlInitAnsiString(string: &mut STRING, text: PCSTR) {
    let mut bytes = 0_usize;
    // SAFETY: null, or NUL-terminated, where the walk ends.
    while !text.is_null() && unsafe { text.wrapping_add(bytes).read() } != 0 {
        bytes += 1;
    }
    let bytes = bytes.min(0xFFFE);
    string.Length = bytes as u16;
    string.MaximumLength = if text.is_null() { 0 } else { bytes as u16 + 1 };
    string.Buffer = text.cast_mut();
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCompareUnicodeString(
    a: &UNICODE_STRING,
    b: &UNICODE_STRING,
    fold: BOOLEAN,
) -> LONG {
    // SAFETY: the caller passes two strings.
    let a = unsafe { units(a) };
    // SAFETY: the caller passes two strings.
    let b = unsafe { units(b) };
    compare(a, b, fold != 0) as LONG
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlEqualUnicodeString(
    a: &UNICODE_STRING,
    b: &UNICODE_STRING,
    fold: BOOLEAN,
) -> BOOLEAN {
    // SAFETY: the caller passes two strings.
    let a = unsafe { units(a) };
    // SAFETY: the caller passes two strings.
    let b = unsafe { units(b) };
    u8::from(a.len() == b.len() && compare(a, b, fold != 0) == Ordering::Equal)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlPrefixUnicodeString(
    prefix: &UNICODE_STRING,
    string: &UNICODE_STRING,
    fold: BOOLEAN,
) -> BOOLEAN {
    // SAFETY: the caller passes two strings.
    let prefix = unsafe { units(prefix) };
    // SAFETY: the caller passes two strings.
    let string = unsafe { units(string) };
    u8::from(
        prefix.len() <= string.len()
            && compare(prefix, string.take(prefix.len()), fold != 0) == Ordering::Equal,
    )
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCopyUnicodeString(
    target: &mut UNICODE_STRING,
    source: *const UNICODE_STRING,
) {
    // SAFETY: null, or a string of the caller's.
    let Some(source) = (unsafe { source.as_ref() }) else {
        target.Length = 0;
        return;
    };
    let bytes = source.Length.min(target.MaximumLength);
    // SAFETY: both buffers have this many bytes: no more than the source has, nor than the target
    // has room for. They may overlap, and be null if it is none.
    unsafe {
        core::ptr::copy(
            source.Buffer.cast::<u8>(),
            target.Buffer.cast::<u8>(),
            usize::from(bytes),
        )
    };
    target.Length = bytes;
    terminate(target);
}

/// Puts a NUL behind the string if there is room for it.
fn terminate(string: &mut UNICODE_STRING) {
    if string.Length.saturating_add(2) <= string.MaximumLength {
        // SAFETY: the buffer has MaximumLength bytes, as its owner says, and these two are among
        // them.
        unsafe {
            string
                .Buffer
                .wrapping_add(usize::from(string.Length) / 2)
                .write(0)
        };
    }
}

fn append(target: &mut UNICODE_STRING, text: UnicodeStr<'_>) -> NTSTATUS {
    let Some(length) = usize::from(target.Length)
        .checked_add(text.byte_len())
        .and_then(|bytes| u16::try_from(bytes).ok())
    else {
        return Status::BUFFER_TOO_SMALL.code().cast_signed();
    };
    if length > target.MaximumLength {
        return Status::BUFFER_TOO_SMALL.code().cast_signed();
    }
    let end = target.Buffer.wrapping_add(usize::from(target.Length) / 2);
    // SAFETY: the buffer has room behind what is in use, checked above; the text may be the string
    // itself, which lies before that.
    unsafe { core::ptr::copy(text.units().as_ptr(), end, text.len()) };
    target.Length = length;
    terminate(target);
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAppendUnicodeStringToString(
    target: &mut UNICODE_STRING,
    source: &UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the caller passes a string.
    append(target, unsafe { units(source) })
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAppendUnicodeToString(
    target: &mut UNICODE_STRING,
    source: PCWSTR,
) -> NTSTATUS {
    if source.is_null() {
        return 0;
    }
    // SAFETY: the caller passes a NUL-terminated text.
    let count = unsafe { length(source) };
    // SAFETY: these units were just walked.
    append(
        target,
        UnicodeStr(unsafe { core::slice::from_raw_parts(source, count) }),
    )
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateUnicodeString(
    target: &mut UNICODE_STRING,
    source: PCWSTR,
) -> BOOLEAN {
    // SAFETY: the caller passes a NUL-terminated text.
    let bytes = unsafe { length(source) }
        .saturating_mul(2)
        .saturating_add(2);
    let Ok(maximum) = u16::try_from(bytes) else {
        return 0;
    };
    // SAFETY: an allocation like any other.
    let buffer = unsafe { RtlAllocateHeap(handle(), 0, bytes) }.cast::<u16>();
    if buffer.is_null() {
        return 0;
    }
    // SAFETY: both have this many bytes, the NUL among them.
    unsafe { core::ptr::copy_nonoverlapping(source, buffer, bytes / 2) };
    *target = UNICODE_STRING {
        Length: maximum - 2,
        MaximumLength: maximum,
        Buffer: buffer,
    };
    1
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlFreeUnicodeString(string: &mut UNICODE_STRING) {
    // SAFETY: the caller passes a string whose buffer came from this heap, or none.
    unsafe { RtlFreeHeap(handle(), 0, string.Buffer.cast()) };
    *string = UNICODE_STRING {
        Length: 0,
        MaximumLength: 0,
        Buffer: core::ptr::null_mut(),
    };
}
