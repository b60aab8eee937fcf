// SPDX-License-Identifier: GPL-2.0-or-later
//! The `printf` language of DbgPrint, with NT's own conversions (`%wZ`, `%Z`, `%S`, `%I64x`).
//!
//! What is written goes to a [`Sink`], which counts; a conversion it does not know is printed as it
//! stands, its argument untouched.

use core::ffi::VaList;
use winapi::shared::ntdef::UNICODE_STRING;

/// Where the text goes.
pub(crate) trait Sink {
    /// Takes one byte of a narrow text.
    fn byte(&mut self, byte: u8);

    /// Takes one unit of a wide text: in UTF-8, unless the sink is wide itself.
    fn unit(&mut self, unit: u16) {
        let mut bytes = [0; 4];
        let character = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
        character
            .encode_utf8(&mut bytes)
            .bytes()
            .for_each(|byte| self.byte(byte));
    }
}

/// A format string, NUL-terminated.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// Of bytes: `%s` is narrow, `%S` wide.
    Narrow(*const u8),
    /// Of units: `%s` is wide, `%S` narrow.
    Wide(*const u16),
}

impl Text {
    /// The next unit; at the NUL, the NUL, again and again.
    ///
    /// # Safety
    /// The text must be NUL-terminated.
    unsafe fn next(&mut self) -> u16 {
        match self {
            Self::Narrow(at) => {
                // SAFETY: the caller's promise; nothing past the NUL is read.
                let byte = unsafe { at.read() };
                *at = at.wrapping_add(usize::from(byte != 0));
                u16::from(byte)
            }
            Self::Wide(at) => {
                // SAFETY: the caller promises a terminated text; nothing past the NUL is read.
                let unit = unsafe { at.read() };
                *at = at.wrapping_add(usize::from(unit != 0));
                unit
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    wide: bool,
    long: u8,
    half: u8,
}

/// Formats like `vprintf`.
///
/// # Safety
/// `format` must be NUL-terminated, and the arguments must be what it asks for.
pub(crate) unsafe fn format(sink: &mut dyn Sink, mut format: Text, mut arguments: VaList<'_>) {
    // Only ASCII characters have a meaning in a format.
    let next = |at: &mut Text| {
        // SAFETY: the caller's promise.
        let unit = unsafe { at.next() };
        u8::try_from(unit).unwrap_or(0xFF)
    };
    let wide_format = matches!(format, Text::Wide(_));
    loop {
        // SAFETY: the caller's promise.
        let unit = unsafe { format.next() };
        if unit == 0 {
            return;
        }
        if unit != u16::from(b'%') {
            if wide_format {
                sink.unit(unit)
            } else {
                sink.byte(unit as u8)
            }
            continue;
        }
        let mut spec = Spec::default();
        let mut byte = next(&mut format);
        loop {
            match byte {
                b'-' => spec.left = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alternate = true,
                _ => break,
            }
            byte = next(&mut format);
        }
        let number = |byte: &mut u8, format: &mut Text, arguments: &mut VaList<'_>| {
            if *byte == b'*' {
                *byte = next(format);
                // SAFETY: the caller's promise.
                return unsafe { arguments.next_arg::<i32>() }.unsigned_abs() as usize;
            }
            let mut value = 0_usize;
            while byte.is_ascii_digit() {
                value = value
                    .saturating_mul(10)
                    .saturating_add(usize::from(*byte - b'0'));
                *byte = next(format);
            }
            value
        };
        spec.width = number(&mut byte, &mut format, &mut arguments);
        if byte == b'.' {
            byte = next(&mut format);
            spec.precision = Some(number(&mut byte, &mut format, &mut arguments));
        }
        loop {
            match byte {
                b'l' => spec.long += 1,
                b'h' => spec.half += 1,
                b'w' => spec.wide = true,
                b'I' => {
                    // I64, I32, or as wide as a pointer.
                    let mut ahead = format;
                    let bits = (next(&mut ahead), next(&mut ahead));
                    spec.long = match bits {
                        (b'6', b'4') => 2,
                        (b'3', b'2') => 0,
                        _ => (size_of::<usize>() / size_of::<u32>()) as u8,
                    };
                    if matches!(bits, (b'6', b'4') | (b'3', b'2')) {
                        format = ahead;
                    }
                }
                _ => break,
            }
            byte = next(&mut format);
        }
        // `long` is 32 bits in this ABI.
        let sixty_four = spec.long >= 2;
        match byte {
            b'd' | b'i' => {
                let value = if sixty_four {
                    // SAFETY: the caller's promise.
                    unsafe { arguments.next_arg::<i64>() }
                } else {
                    // SAFETY: the caller's promise.
                    i64::from(unsafe { arguments.next_arg::<i32>() })
                };
                integer(sink, spec, value.unsigned_abs(), 10, false, value < 0);
            }
            b'u' | b'x' | b'X' | b'o' => {
                let value = if sixty_four {
                    // SAFETY: the caller's promise.
                    unsafe { arguments.next_arg::<u64>() }
                } else {
                    // SAFETY: the caller's promise.
                    u64::from(unsafe { arguments.next_arg::<u32>() })
                };
                let base = match byte {
                    b'u' => 10,
                    b'o' => 8,
                    _ => 16,
                };
                spec.plus = false;
                integer(sink, spec, value, base, byte == b'X', false);
            }
            b'p' => {
                // SAFETY: the caller's promise.
                let value = unsafe { arguments.next_arg::<*const ()>() }.addr();
                spec.precision = spec.precision.or(Some(2 * size_of::<usize>()));
                integer(sink, spec, value as u64, 16, true, false);
            }
            b'c' | b'C' => {
                // SAFETY: the caller's promise.
                let value = unsafe { arguments.next_arg::<i32>() };
                padded(
                    sink,
                    spec,
                    &mut core::iter::once(u16::try_from(value & 0xFFFF).unwrap_or_default()),
                );
            }
            b's' | b'S' => {
                let wide =
                    spec.half == 0 && (spec.wide || spec.long > 0 || (byte == b'S') != wide_format);
                // SAFETY: the caller's promise.
                let text = unsafe { arguments.next_arg::<*const u8>() };
                // SAFETY: the caller promises a text of this kind for the directive.
                unsafe { string(sink, spec, text, wide) };
            }
            b'Z' => {
                // SAFETY: the caller's promise.
                let text = unsafe { arguments.next_arg::<*const UNICODE_STRING>() };
                // SAFETY: the caller promises a counted string for the directive.
                unsafe { counted(sink, spec, text) };
            }
            b'%' => sink.byte(b'%'),
            0 => return,
            other => {
                sink.byte(b'%');
                sink.byte(other);
            }
        }
    }
}

fn integer(
    sink: &mut dyn Sink,
    spec: Spec,
    mut value: u64,
    base: u64,
    upper: bool,
    negative: bool,
) {
    let mut digits = [0_u8; 24];
    let mut count = 0;
    while value != 0 || (count == 0 && spec.precision != Some(0)) {
        let digit = (value % base) as u8;
        let letter = if upper { b'A' - 10 } else { b'a' - 10 };
        if let Some(place) = digits.get_mut(count) {
            *place = if digit < 10 {
                b'0' + digit
            } else {
                letter + digit
            };
        }
        count += 1;
        value /= base;
    }
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => Some(b'-'),
        (false, true, _) => Some(b'+'),
        (false, false, true) if base == 10 => Some(b' '),
        _ => None,
    };
    let prefix: &[u8] = match (spec.alternate, base, upper) {
        (true, 16, false) => b"0x",
        (true, 16, true) => b"0X",
        _ => b"",
    };
    let fixed = prefix.len() + usize::from(sign.is_some());
    let mut zeros = spec.precision.unwrap_or(0).saturating_sub(count);
    if spec.zero && !spec.left && spec.precision.is_none() {
        zeros = spec.width.saturating_sub(count + fixed);
    }
    let blanks = spec.width.saturating_sub(count + zeros + fixed);
    if !spec.left {
        fill(sink, b' ', blanks);
    }
    sign.into_iter()
        .chain(prefix.iter().copied())
        .for_each(|byte| sink.byte(byte));
    fill(sink, b'0', zeros);
    digits
        .iter()
        .take(count)
        .rev()
        .for_each(|&byte| sink.byte(byte));
    if spec.left {
        fill(sink, b' ', blanks);
    }
}

fn fill(sink: &mut dyn Sink, byte: u8, count: usize) {
    (0..count).for_each(|_| sink.byte(byte));
}

/// Writes a text of units.
fn padded(sink: &mut dyn Sink, spec: Spec, units: &mut dyn Iterator<Item = u16>) {
    let limit = spec.precision.unwrap_or(usize::MAX);
    let mut count = 0;
    let mut pending = [0_u16; 512];
    // The length must be known before padding on the left; a text longer than this buffer needs
    // none that anybody asks for.
    for (place, unit) in pending.iter_mut().zip((&mut *units).take(limit)) {
        *place = unit;
        count += 1;
    }
    let blanks = spec.width.saturating_sub(count);
    if !spec.left {
        fill(sink, b' ', blanks);
    }
    let rest = units.take(limit.saturating_sub(count));
    pending
        .into_iter()
        .take(count)
        .chain(rest)
        .for_each(|unit| sink.unit(unit));
    if spec.left {
        fill(sink, b' ', blanks);
    }
}

/// # Safety
/// `text` must be null or NUL-terminated, in units if `wide`; one of the specification's precision
/// need not have the NUL.
unsafe fn string(sink: &mut dyn Sink, spec: Spec, text: *const u8, wide: bool) {
    if text.is_null() {
        padded(sink, spec, &mut "(null)".encode_utf16());
        return;
    }
    let mut at = 0_usize;
    if wide {
        let text = text.cast::<u16>();
        padded(
            sink,
            spec,
            &mut core::iter::from_fn(|| {
                // SAFETY: the caller promises a NUL, and `at` does not move past it, so that one who
                // asks again after the end reads the NUL again.
                let unit = unsafe { text.wrapping_add(at).read_unaligned() };
                at += usize::from(unit != 0);
                (unit != 0).then_some(unit)
            }),
        );
        return;
    }
    let limit = spec.precision.unwrap_or(usize::MAX);
    let mut count = 0;
    // SAFETY: the caller promises a NUL or `limit` bytes, and the walk ends at whichever comes first.
    while count < limit && unsafe { text.wrapping_add(count).read() } != 0 {
        count += 1;
    }
    let blanks = spec.width.saturating_sub(count);
    if !spec.left {
        fill(sink, b' ', blanks);
    }
    while at < count {
        // SAFETY: one of the `count` bytes that were just walked.
        sink.byte(unsafe { text.wrapping_add(at).read() });
        at += 1;
    }
    if spec.left {
        fill(sink, b' ', blanks);
    }
}

/// `%Z` is an ANSI_STRING and `%wZ` a UNICODE_STRING; both have the same layout.
///
/// # Safety
/// `text` must be null or describe readable memory.
unsafe fn counted(sink: &mut dyn Sink, spec: Spec, text: *const UNICODE_STRING) {
    // SAFETY: the caller's promise.
    let Some(text) = (unsafe { text.as_ref() }) else {
        padded(sink, spec, &mut "(null)".encode_utf16());
        return;
    };
    if text.Buffer.is_null() {
        return;
    }
    if spec.wide {
        // SAFETY: the caller's promise.
        let units = unsafe { crate::support::units(text) };
        padded(sink, spec, &mut units.units().iter().copied());
    } else {
        // SAFETY: the caller's promise.
        let bytes = unsafe {
            core::slice::from_raw_parts(text.Buffer.cast::<u8>(), usize::from(text.Length))
        };
        padded(sink, spec, &mut bytes.iter().map(|&byte| u16::from(byte)));
    }
}
