// SPDX-License-Identifier: GPL-2.0-or-later
//! Between narrow and wide strings, and from text to number; and what is said when an assertion of
//! a debug build fails.
//!
//! The narrow character set is the first 256 characters of Unicode: no code page is loaded in the
//! shim. What is not in it becomes `?`.

use crate::heap::{RtlAllocateHeap, handle};
use crate::support::{bytes, units};
use nt::Status;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, NTSTATUS, PCSTR, STRING, ULONG, UNICODE_STRING};

/// A buffer of `needed` bytes: a new one, or the given one if it is long enough.
fn room<T>(
    buffer: *mut T,
    maximum: u16,
    needed: usize,
    allocate: bool,
) -> Result<(*mut T, u16), Status> {
    let size = u16::try_from(needed).map_err(|_| Status::INVALID_PARAMETER_2)?;
    if !allocate {
        return if size <= maximum {
            Ok((buffer, maximum))
        } else {
            Err(Status::BUFFER_OVERFLOW)
        };
    }
    // SAFETY: an allocation like any other.
    let new = unsafe { RtlAllocateHeap(handle(), 0, needed) };
    if new.is_null() {
        Err(Status::NO_MEMORY)
    } else {
        Ok((new.cast(), size))
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAnsiStringToUnicodeString(
    target: &mut UNICODE_STRING,
    source: &STRING,
    allocate: BOOLEAN,
) -> NTSTATUS {
    // SAFETY: the caller passes a string.
    let source = unsafe { bytes(source) };
    let (buffer, maximum) = match room(
        target.Buffer,
        target.MaximumLength,
        source.len() * 2 + 2,
        allocate != 0,
    ) {
        Ok(room) => room,
        Err(error) => return error.code().cast_signed(),
    };
    for (at, unit) in source
        .iter()
        .map(|&byte| u16::from(byte))
        .chain([0])
        .enumerate()
    {
        // SAFETY: the buffer has room for every byte and the NUL.
        unsafe { buffer.wrapping_add(at).write(unit) };
    }
    *target = UNICODE_STRING {
        Length: (source.len() * 2) as u16,
        MaximumLength: maximum,
        Buffer: buffer,
    };
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlUnicodeStringToAnsiString(
    target: &mut STRING,
    source: &UNICODE_STRING,
    allocate: BOOLEAN,
) -> NTSTATUS {
    // SAFETY: the caller passes a string.
    let source = unsafe { units(source) };
    let (buffer, maximum) = match room(
        target.Buffer,
        target.MaximumLength,
        source.len() + 1,
        allocate != 0,
    ) {
        Ok(room) => room,
        Err(error) => return error.code().cast_signed(),
    };
    for (at, byte) in source
        .units()
        .iter()
        .map(|&unit| u8::try_from(unit).unwrap_or(b'?'))
        .chain([0])
        .enumerate()
    {
        // SAFETY: the buffer has room for every unit and the NUL.
        unsafe { buffer.cast::<u8>().wrapping_add(at).write(byte) };
    }
    *target = STRING {
        Length: source.len() as u16,
        MaximumLength: maximum,
        Buffer: buffer,
    };
    0
}

/// The number that `text` begins with: blanks, a sign, `0x`, `0o` or `0b` if no base is given,
/// digits.
fn integer(text: &[u16], base: ULONG) -> u32 {
    let mut rest = text
        .iter()
        .copied()
        .map(|unit| u8::try_from(unit).unwrap_or(0xFF))
        .skip_while(|&byte| byte <= b' ')
        .peekable();
    let negative = match rest.peek() {
        Some(b'-') => rest.next().is_some(),
        Some(b'+') => rest.next().is_none(),
        _ => false,
    };
    let mut base = base;
    if base == 0 {
        base = 10;
        if rest.peek() == Some(&b'0') {
            rest.next();
            base = match rest.peek() {
                Some(b'x') => 16,
                Some(b'o') => 8,
                Some(b'b') => 2,
                _ => 10,
            };
            if base != 10 {
                rest.next();
            }
        }
    }
    let digits = rest.map_while(|byte| char::from(byte).to_digit(base));
    let value = digits.fold(0_u32, |value, digit| {
        value.wrapping_mul(base).wrapping_add(digit)
    });
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlUnicodeStringToInteger(
    text: &UNICODE_STRING,
    base: ULONG,
    value: &mut ULONG,
) -> NTSTATUS {
    if !matches!(base, 0 | 2 | 8 | 10 | 16) {
        return Status::INVALID_PARAMETER.code().cast_signed();
    }
    // SAFETY: the caller passes a string.
    *value = integer(unsafe { units(text) }.units(), base);
    0
}

/// # Safety
/// `text` must be null or NUL-terminated.
unsafe fn shown<'a>(text: PCSTR) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: the caller's promise.
    unsafe { core::ffi::CStr::from_ptr(text.cast()) }
        .to_str()
        .unwrap_or("?")
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAssert(condition: PCSTR, file: PCSTR, line: ULONG, message: PCSTR) {
    // SAFETY: the caller passes texts.
    let (condition, file, message) = (
        unsafe { shown(condition) },
        unsafe { shown(file) },
        unsafe { shown(message) },
    );
    crate::debug::print(format_args!(
        "assertion failed: {message}{condition}: {file}:{line}\n"
    ));
    // SAFETY: traps to the debugger, or raises a breakpoint exception.
    unsafe { core::arch::asm!("int3") };
}

/// Tags name allocations in a heap's statistics, which this heap does not keep: 0 is "no tag", as
/// when a heap has no room for another.
#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateTagHeap(
    _heap: *mut c_void,
    _flags: ULONG,
    _prefix: *const u16,
    _names: *const u16,
) -> ULONG {
    0
}
