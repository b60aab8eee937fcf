// SPDX-License-Identifier: GPL-2.0-or-later
//! DOS paths: what `C:\x`, `\\server\share` or `NUL` is called in the object namespace.
//!
//! [`to_nt`] follows RtlDosPathNameToNtPathName_U as far as it can be observed: the seven kinds of
//! DOS path, device names, `.` and `..`, both separators, trailing dots and spaces. A path relative
//! to a drive that is not the current one is taken from that drive's root.

use crate::{Result, Status, UnicodeBuf, UnicodeStr};

/// The longest DOS path that is understood, in units (spec 13.2).
pub const MAX_DOS: usize = 260;
/// Room for the NT name of any such path.
pub const MAX_NT: usize = MAX_DOS + 8;

/// The kinds of DOS path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `\\server\share\x`.
    Unc,
    /// `C:\x`.
    DriveAbsolute,
    /// `C:x`.
    DriveRelative,
    /// `\x`.
    Rooted,
    /// `x`.
    Relative,
    /// `\\.\x` or `\\?\x`.
    LocalDevice,
    /// `\\.` or `\\?`.
    RootLocalDevice,
}

/// Which kind of path `dos` is.
pub fn kind(dos: UnicodeStr<'_>) -> Kind {
    let is = |index: usize, wanted: u8| dos.units().get(index) == Some(&u16::from(wanted));
    let separator = |index: usize| {
        dos.units()
            .get(index)
            .is_some_and(|&unit| is_separator(unit))
    };
    if separator(0) {
        return match () {
            () if !separator(1) => Kind::Rooted,
            () if !is(2, b'.') && !is(2, b'?') => Kind::Unc,
            () if separator(3) => Kind::LocalDevice,
            () if dos.len() == 3 => Kind::RootLocalDevice,
            () => Kind::Unc,
        };
    }
    match () {
        () if !is(1, b':') => Kind::Relative,
        () if separator(2) => Kind::DriveAbsolute,
        () => Kind::DriveRelative,
    }
}

/// What separates the components of a DOS path.
const SEPARATORS: &[u8] = b"\\/";

/// Whether `unit` separates the components of a DOS path.
pub const fn is_separator(unit: u16) -> bool {
    unit == b'\\' as u16 || unit == b'/' as u16
}

/// The part of `dos` before its last separator, or nothing if it has none.
pub fn directory(dos: UnicodeStr<'_>) -> UnicodeStr<'_> {
    dos.units()
        .iter()
        .rposition(|&unit| is_separator(unit))
        .map_or(UnicodeStr::EMPTY, |last| dos.take(last))
}

/// The part of `path` after its last separator.
pub fn file_name(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    path.units()
        .iter()
        .rposition(|&unit| is_separator(unit))
        .map_or(path, |last| path.skip(last + 1))
}

/// The NT path of `dos`; `current` is this process's current directory, `X:\...`.
///
/// # Errors
/// `OBJECT_NAME_INVALID` for an empty path or a current directory without a drive, `NAME_TOO_LONG`
/// for a path that does not fit.
///
/// ```
/// use nt::{path, wide};
///
/// let name = path::to_nt(wide!("temp\\..\\x.dll"), wide!("C:\\ReactOS"))?;
/// assert_eq!(name.as_str(), wide!("\\??\\C:\\ReactOS\\x.dll"));
/// # Ok::<(), nt::Status>(())
/// ```
pub fn to_nt(dos: UnicodeStr<'_>, current: UnicodeStr<'_>) -> Result<UnicodeBuf<MAX_NT>> {
    let mut name = UnicodeBuf::new();
    put_nt(dos, current, &mut name)?;
    Ok(name)
}

/// The same, put where `name` is.
///
/// # Errors
/// As for [`to_nt`].
pub fn put_nt(
    dos: UnicodeStr<'_>,
    current: UnicodeStr<'_>,
    name: &mut UnicodeBuf<MAX_NT>,
) -> Result<()> {
    if is_disguised(dos) {
        return nt_name(dos, name);
    }
    let mut full = UnicodeBuf::new();
    full_path(dos, current, &mut full)?;
    nt_name(full.as_str(), name)
}

/// Whether `dos` is an NT name in disguise, which is not looked at any further.
fn is_disguised(dos: UnicodeStr<'_>) -> bool {
    dos.len() > 4 && dos.take(4) == crate::wide!("\\\\?\\")
}

/// Puts the NT name of `full` into `name`: of an absolute DOS path that [`full_path`] gave.
///
/// # Errors
/// `NAME_TOO_LONG` for a path that does not fit.
pub fn nt_name(full: UnicodeStr<'_>, name: &mut UnicodeBuf<MAX_NT>) -> Result<()> {
    let (prefix, without) = match kind(full) {
        Kind::Unc => (crate::wide!("\\??\\UNC\\"), 2),
        Kind::LocalDevice => (crate::wide!("\\??\\"), 4),
        _ => (crate::wide!("\\??\\"), 0),
    };
    name.clear();
    name.push(prefix)?;
    name.push(full.skip(without))
}

/// The absolute DOS path of `dos`, as RtlGetFullPathName_U gives it.
///
/// # Errors
/// As for [`to_nt`].
pub fn full_path(
    dos: UnicodeStr<'_>,
    current: UnicodeStr<'_>,
    full: &mut UnicodeBuf<MAX_DOS>,
) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    fn nt(dos: &str) -> Result<String> {
        let dos: Vec<u16> = dos.encode_utf16().collect();
        to_nt(UnicodeStr(&dos), crate::wide!("C:\\ReactOS")).map(|name| format!("{name}"))
    }

    #[test]
    fn every_kind_of_path_has_its_nt_name() {
        for (dos, name) in [
            ("C:\\pagefile.sys", "\\??\\C:\\pagefile.sys"),
            ("?:\\pagefile.sys", "\\??\\?:\\pagefile.sys"),
            ("c:/a//b/./c\\..\\d", "\\??\\c:\\a\\b\\d"),
            ("C:\\..\\..\\x", "\\??\\C:\\x"),
            ("C:\\dir.\\x. .", "\\??\\C:\\dir\\x"),
            ("C:\\dir\\", "\\??\\C:\\dir\\"),
            ("C:\\", "\\??\\C:\\"),
            ("C:", "\\??\\C:\\ReactOS"),
            ("D:", "\\??\\D:\\"),
            ("D:x", "\\??\\D:\\x"),
            ("C:x", "\\??\\C:\\ReactOS\\x"),
            ("\\x", "\\??\\C:\\x"),
            ("x\\y", "\\??\\C:\\ReactOS\\x\\y"),
            ("..\\y", "\\??\\C:\\y"),
            (
                "\\\\server\\share\\x\\..\\..\\y",
                "\\??\\UNC\\server\\share\\y",
            ),
            ("\\\\.\\PhysicalDrive0", "\\??\\PhysicalDrive0"),
            ("\\\\.", "\\??\\"),
            ("\\\\.\\con", "\\??\\con"),
            ("\\\\?\\C:\\a\\..\\b", "\\??\\C:\\a\\..\\b"),
            ("NUL", "\\??\\NUL"),
            ("C:\\some\\nul.txt", "\\??\\nul"),
            ("com1:", "\\??\\com1"),
            ("COM0", "\\??\\C:\\ReactOS\\COM0"),
            ("x ", "\\??\\C:\\ReactOS\\x"),
        ] {
            assert_eq!(nt(dos).as_deref(), Ok(name), "{dos}");
        }
        assert_eq!(nt(""), Err(Status::OBJECT_NAME_INVALID));
        assert_eq!(nt("   "), Err(Status::OBJECT_NAME_INVALID));
    }

    #[test]
    fn a_current_directory_without_a_drive_is_no_place_to_begin_from() {
        for current in ["", "ReactOS", "\\ReactOS", "\\\\server\\share"] {
            let units: Vec<u16> = current.encode_utf16().collect();
            assert_eq!(
                to_nt(crate::wide!("x"), UnicodeStr(&units)).map(|name| format!("{name}")),
                Err(Status::OBJECT_NAME_INVALID),
                "{current}"
            );
        }
    }

    #[test]
    fn a_path_too_long_is_refused() {
        assert_eq!(
            nt(&format!("C:\\{}", "x".repeat(300))),
            Err(Status::NAME_TOO_LONG)
        );
        assert_eq!(
            nt(&format!("\\\\{}\\share\\x", "s".repeat(300))),
            Err(Status::NAME_TOO_LONG),
            "a root is a part of it"
        );
    }

    #[test]
    fn directory_and_file_part() {
        assert_eq!(
            directory(crate::wide!("C:\\ReactOS\\system32\\x.exe")),
            crate::wide!("C:\\ReactOS\\system32")
        );
        assert_eq!(directory(crate::wide!("x.exe")), UnicodeStr::EMPTY);
        assert_eq!(file_name(crate::wide!("a/b")), crate::wide!("b"));
    }

    proptest! {
        #[test]
        fn any_path_gives_an_nt_name_or_an_error(units in prop::collection::vec(prop_oneof![
            Just(u16::from(b'\\')), Just(u16::from(b'/')), Just(u16::from(b'.')), Just(u16::from(b':')), Just(u16::from(b'?')),
            Just(u16::from(b' ')), 0x40u16..0x50, any::<u16>()], 0..300)) {
            if let Ok(name) = to_nt(UnicodeStr(&units), crate::wide!("C:\\ReactOS")) {
                prop_assert!(name.as_str().starts_with_ascii("\\??\\"));
            }
        }
    }
}
