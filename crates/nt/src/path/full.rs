// SPDX-License-Identifier: GPL-2.0-or-later
//! What RtlGetFullPathName_U does, as far as it can be observed: the seven kinds of DOS path, device names, `.`
//! and `..`, both separators, trailing dots and spaces. A path relative to a drive that is not the current
//! one is taken from that drive's root.
//!
//! It is the shim's ntdll.dll's and the host's; smss.exe asks ntdll.dll, whose that is, and has none of it.

use super::{FullPaths, Kind, MAX_DOS, file_name, is_separator, kind};
use crate::{Result, Status, UnicodeBuf, UnicodeStr};

/// What separates the components of a DOS path.
const SEPARATORS: &[u8] = b"\\/";

/// A current directory, `X:\...`, from which paths begin that are relative.
///
/// # Errors
/// Of [`FullPaths::full_path`]: `OBJECT_NAME_INVALID` if it has no drive, whatever the path is but a device.
#[derive(Clone, Copy, Debug)]
pub struct CurrentDirectory<'a>(pub UnicodeStr<'a>);

impl FullPaths for CurrentDirectory<'_> {
    fn full_path(self, dos: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()> {
        put(dos, self.0, full)?;
        if full.as_str().len() < MAX_DOS {
            Ok(())
        } else {
            Err(Status::NAME_TOO_LONG)
        }
    }
}

fn put(dos: UnicodeStr<'_>, current: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()> {
    full.clear();
    let dos = dos.until_nul().trimmed_end(b" ");
    if dos.is_empty() {
        return Err(Status::OBJECT_NAME_INVALID);
    }
    if let Some(device) = device_name(dos) {
        full.push(crate::wide!("\\\\.\\"))?;
        return full.push(device);
    }
    if kind(current) != Kind::DriveAbsolute {
        return Err(Status::OBJECT_NAME_INVALID);
    }
    let kind = kind(dos);
    let length = match kind {
        Kind::Rooted | Kind::Relative => 0,
        Kind::DriveRelative => 2,
        Kind::DriveAbsolute => 3,
        Kind::LocalDevice => 4,
        Kind::Unc => unc_root(dos),
        Kind::RootLocalDevice => return full.push(crate::wide!("\\\\.\\")),
    };
    // `root` is what `..` cannot leave; `base` stands between it and the rest.
    let (mut root, mut base, rest) = (dos.take(length), UnicodeStr::EMPTY, dos.skip(length));
    let relative = match kind {
        Kind::Relative => true,
        // Of another drive its root is taken.
        Kind::DriveRelative => root.take(1).eq_ignore_case(current.take(1)),
        _ => false,
    };
    if relative {
        base = current.skip(3);
    }
    if relative || kind == Kind::Rooted {
        root = current.take(3);
    }
    full.push(root)?;
    for unit in full.units_mut() {
        if is_separator(*unit) {
            *unit = u16::from(b'\\');
        }
    }
    let floor = full.as_str().len();
    for mut part in [base, rest] {
        while !part.is_empty() {
            let component = before(part, SEPARATORS);
            let inner = component.len() < part.len();
            append_component(component, inner, floor, full)?;
            part = part.skip(component.len() + 1);
        }
    }
    if full.as_str().last() == Some(u16::from(b':'))
        || (rest.last().is_some_and(is_separator) && ends_open(full))
    {
        full.push_unit(u16::from(b'\\'))?;
    }
    // A root is left in any case.
    full.truncate(full.as_str().trimmed_end(b" .").len());
    Ok(())
}

/// What stands before the first of these ASCII characters, or all of `path`.
#[inline(never)]
fn before<'a>(path: UnicodeStr<'a>, characters: &[u8]) -> UnicodeStr<'a> {
    let is_one = |unit| characters.iter().any(|&byte| unit == u16::from(byte));
    let end = path.units().iter().position(|&unit| is_one(unit));
    path.take(end.unwrap_or(path.len()))
}

/// Whether there is no separator at the end of a full path.
fn ends_open(full: &UnicodeBuf<MAX_DOS>) -> bool {
    full.as_str().last() != Some(u16::from(b'\\'))
}

/// Adds one component behind a separator; `.` adds nothing and `..` takes the last one away, down
/// to `floor` units.
fn append_component(
    component: UnicodeStr<'_>,
    inner: bool,
    floor: usize,
    full: &mut UnicodeBuf<MAX_DOS>,
) -> Result<()> {
    if component.is_empty() || component == crate::wide!(".") {
        return Ok(());
    }
    if component == crate::wide!("..") {
        let last = full.as_str().rfind(b'\\').unwrap_or(0);
        full.truncate(last.max(floor));
        return Ok(());
    }
    if ends_open(full) {
        full.push_unit(u16::from(b'\\'))?;
    }
    let dotted = inner && component.last() == Some(u16::from(b'.'));
    full.push(component.take(component.len() - usize::from(dotted)))
}

/// Length of `\\server\share`.
fn unc_root(dos: UnicodeStr<'_>) -> usize {
    let server = dos.skip(2);
    let behind = server.skip(before(server, SEPARATORS).len());
    let start = behind.units().iter().position(|&unit| !is_separator(unit));
    let share = behind.skip(start.unwrap_or(behind.len()));
    dos.len() - share.len() + before(share, SEPARATORS).len()
}

/// The device that the last component of `dos` names, whatever directory and extension stand around
/// it: RtlIsDosDeviceName_U.
fn device_name(dos: UnicodeStr<'_>) -> Option<UnicodeStr<'_>> {
    let path = match kind(dos) {
        Kind::Unc => return None,
        Kind::LocalDevice => return dos.eq_ascii("\\\\.\\CON").then(|| dos.skip(4)),
        Kind::DriveRelative => dos.skip(2),
        _ => dos,
    };
    let stem = before(file_name(path), b".:").trimmed_end(b" ");
    let is_digit = |unit| (u16::from(b'1')..=u16::from(b'9')).contains(&unit);
    let (name, known) = if stem.len() == 4 && stem.last().is_some_and(is_digit) {
        (stem.take(3), NUMBERED_DEVICES)
    } else {
        (stem, DEVICES)
    };
    known
        .iter()
        .any(|known| name.eq_bytes(known))
        .then_some(stem)
}

/// Devices with a number behind the name, and those without.
const NUMBERED_DEVICES: &[[u8; 3]] = &[*b"LPT", *b"COM"];
const DEVICES: &[[u8; 3]] = &[*b"PRN", *b"AUX", *b"NUL", *b"CON"];
