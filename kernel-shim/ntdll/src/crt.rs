// SPDX-License-Identifier: GPL-2.0-or-later
//! The part of the C library that ntdll exports and native programs use: wide strings, comparison
//! without case, formatting.

use crate::format::{Sink, Text, format};
use crate::rtl::upcase;
use core::cmp::Ordering;
use core::ffi::VaList;

/// # Safety
/// `text` must be NUL-terminated.
unsafe fn length(text: *const u16) -> usize {
    let mut units = 0;
    // SAFETY: the caller's promise; the walk ends at the NUL.
    while unsafe { text.wrapping_add(units).read() } != 0 {
        units += 1;
    }
    units
}

#[unsafe(no_mangle)]
unsafe extern "C" fn wcslen(text: *const u16) -> usize {
    // SAFETY: the caller's promise.
    unsafe { length(text) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn wcscpy(target: *mut u16, source: *const u16) -> *mut u16 {
    // SAFETY: the caller's promise.
    let units = unsafe { length(source) };
    // SAFETY: the caller's target has room for the text and its NUL.
    unsafe { core::ptr::copy_nonoverlapping(source, target, units + 1) };
    target
}

#[unsafe(no_mangle)]
unsafe extern "C" fn wcsncpy(target: *mut u16, source: *const u16, count: usize) -> *mut u16 {
    let mut ended = false;
    for at in 0..count {
        let unit = if ended {
            0
        } else {
            // SAFETY: not behind the source's NUL, which has not been seen yet.
            unsafe { source.wrapping_add(at).read() }
        };
        ended |= unit == 0;
        // SAFETY: the caller's target has `count` units.
        unsafe { target.wrapping_add(at).write(unit) };
    }
    target
}

#[unsafe(no_mangle)]
unsafe extern "C" fn wcsstr(text: *const u16, part: *const u16) -> *const u16 {
    // SAFETY: the caller's promise.
    let (text_units, part_units) = (unsafe { length(text) }, unsafe { length(part) });
    // SAFETY: just walked.
    let haystack = unsafe { core::slice::from_raw_parts(text, text_units) };
    // SAFETY: that many units of it were walked above.
    let needle = unsafe { core::slice::from_raw_parts(part, part_units) };
    if needle.is_empty() {
        return text;
    }
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
        .map_or(core::ptr::null(), |at| text.wrapping_add(at))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _wcsicmp(a: *const u16, b: *const u16) -> i32 {
    let mut at = 0;
    loop {
        // SAFETY: neither text has ended before here.
        let one = upcase(unsafe { a.wrapping_add(at).read() });
        // SAFETY: the two texts were equal up to here, so that this one has not ended either.
        let other = upcase(unsafe { b.wrapping_add(at).read() });
        match one.cmp(&other) {
            Ordering::Equal if one == 0 => return 0,
            Ordering::Equal => at += 1,
            order => return order as i32,
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _stricmp(a: *const u8, b: *const u8) -> i32 {
    let mut at = 0;
    loop {
        // SAFETY: neither text has ended before here.
        let one = unsafe { a.wrapping_add(at).read() }.to_ascii_lowercase();
        // SAFETY: the two texts were equal up to here, so that this one has not ended either.
        let other = unsafe { b.wrapping_add(at).read() }.to_ascii_lowercase();
        match one.cmp(&other) {
            Ordering::Equal if one == 0 => return 0,
            Ordering::Equal => at += 1,
            order => return order as i32,
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _wcsupr(text: *mut u16) -> *mut u16 {
    let mut at = text;
    loop {
        // SAFETY: the caller's text has not ended before here.
        let unit = unsafe { at.read() };
        if unit == 0 {
            return text;
        }
        // SAFETY: the unit that was just read, of a text that the caller may change.
        unsafe { at.write(upcase(unit)) };
        at = at.wrapping_add(1);
    }
}

/// A buffer of bytes or units that counts what it could not hold.
struct Buffer<T> {
    at: *mut T,
    room: usize,
    used: usize,
}

impl<T: From<u8>> Buffer<T> {
    fn put(&mut self, value: T) {
        if self.used < self.room {
            // SAFETY: the caller's buffer has `room` places.
            unsafe { self.at.wrapping_add(self.used).write(value) };
        }
        self.used += 1;
    }

    /// Ends the text if there is room, and gives what the functions return: its length, or -1 if it
    /// did not fit.
    fn finish(mut self) -> i32 {
        let length = self.used;
        self.put(T::from(0));
        if length > self.room {
            -1
        } else {
            i32::try_from(length).unwrap_or(-1)
        }
    }
}

impl Sink for Buffer<u8> {
    fn byte(&mut self, byte: u8) {
        self.put(byte);
    }
}

impl Sink for Buffer<u16> {
    fn byte(&mut self, byte: u8) {
        self.put(u16::from(byte));
    }

    fn unit(&mut self, unit: u16) {
        self.put(unit);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _vsnprintf(
    buffer: *mut u8,
    room: usize,
    text: *const u8,
    arguments: VaList<'_>,
) -> i32 {
    let mut sink = Buffer {
        at: buffer,
        room,
        used: 0,
    };
    // SAFETY: the caller's promise, as to printf.
    unsafe { format(&mut sink, Text::Narrow(text), arguments) };
    sink.finish()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _vsnwprintf(
    buffer: *mut u16,
    room: usize,
    text: *const u16,
    arguments: VaList<'_>,
) -> i32 {
    let mut sink = Buffer {
        at: buffer,
        room,
        used: 0,
    };
    // SAFETY: the caller's promise, as to printf.
    unsafe { format(&mut sink, Text::Wide(text), arguments) };
    sink.finish()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sprintf(buffer: *mut u8, text: *const u8, arguments: ...) -> i32 {
    // SAFETY: the caller's promise: the buffer holds whatever comes.
    unsafe { _vsnprintf(buffer, usize::MAX, text, arguments) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn swprintf(buffer: *mut u16, text: *const u16, arguments: ...) -> i32 {
    // SAFETY: the caller promises a buffer that holds whatever the format makes.
    unsafe { _vsnwprintf(buffer, usize::MAX, text, arguments) }
}

/// `ExceptionContinueSearch`.
const CONTINUE_SEARCH: i32 = 1;

/// The handler that C compilers name in the unwind information of a frame. No frame is searched
/// here (see the head of this DLL), so it is never called; its address must be there for the image
/// to load.
#[unsafe(no_mangle)]
unsafe extern "C" fn __C_specific_handler() -> i32 {
    CONTINUE_SEARCH
}
