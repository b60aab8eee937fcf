// SPDX-License-Identifier: GPL-2.0-or-later
//! DOS paths: what `C:\x`, `\\server\share` or `NUL` is called in the object namespace.
//!
//! [`to_nt`] does what RtlDosPathNameToNtPathName_U does. Half of that is the full path, which is asked of
//! ntdll.dll where there is one, and is a [`CurrentDirectory`]'s elsewhere ([`FullPaths`]).

mod full;

pub use full::CurrentDirectory;

use crate::{Result, UnicodeBuf, UnicodeStr};

/// The longest DOS path that is understood, in units with its NUL (spec 13.2).
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

/// Who knows the full path of a DOS path: ntdll.dll for a process, a [`CurrentDirectory`] where there is none.
pub trait FullPaths: Copy {
    /// Puts the absolute DOS path of `dos` into `full`, as RtlGetFullPathName_U gives it.
    ///
    /// # Errors
    /// `OBJECT_NAME_INVALID` for a path that is none, an empty one for example; `NAME_TOO_LONG` for one
    /// that does not fit.
    fn full_path(self, dos: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()>;
}

/// The NT path of `dos`.
///
/// # Errors
/// As for [`FullPaths::full_path`].
///
/// ```
/// use nt::path::{CurrentDirectory, to_nt};
/// use nt::wide;
///
/// let current = CurrentDirectory(wide!("C:\\ReactOS"));
/// let name = to_nt(wide!("temp\\..\\x.dll"), current)?;
/// assert_eq!(name.as_str(), wide!("\\??\\C:\\ReactOS\\x.dll"));
/// # Ok::<(), nt::Status>(())
/// ```
pub fn to_nt(dos: UnicodeStr<'_>, paths: impl FullPaths) -> Result<UnicodeBuf<MAX_NT>> {
    let mut name = UnicodeBuf::new();
    put_nt(dos, paths, &mut name)?;
    Ok(name)
}

/// The same, put where `name` is.
///
/// # Errors
/// As for [`to_nt`].
pub fn put_nt(
    dos: UnicodeStr<'_>,
    paths: impl FullPaths,
    name: &mut UnicodeBuf<MAX_NT>,
) -> Result<()> {
    if is_disguised(dos) {
        return nt_name(dos, name);
    }
    let mut full = UnicodeBuf::new();
    paths.full_path(dos, &mut full)?;
    nt_name(full.as_str(), name)
}

/// Whether `dos` is an NT name in disguise, which is not looked at any further.
fn is_disguised(dos: UnicodeStr<'_>) -> bool {
    dos.len() > 4 && dos.take(4) == crate::wide!("\\\\?\\")
}

/// Puts the NT name of `full` into `name`: of an absolute DOS path that [`FullPaths::full_path`] gave.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    fn nt(dos: &str) -> Result<String> {
        let dos: Vec<u16> = dos.encode_utf16().collect();
        to_nt(
            UnicodeStr(&dos),
            CurrentDirectory(crate::wide!("C:\\ReactOS")),
        )
        .map(|name| format!("{name}"))
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
                to_nt(crate::wide!("x"), CurrentDirectory(UnicodeStr(&units)))
                    .map(|name| format!("{name}")),
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
        let longest = format!("C:\\{}", "x".repeat(MAX_DOS - 4));
        assert!(nt(&longest).is_ok());
        assert_eq!(
            nt(&format!("{longest}x")),
            Err(Status::NAME_TOO_LONG),
            "with its NUL"
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
            if let Ok(name) = to_nt(UnicodeStr(&units), CurrentDirectory(crate::wide!("C:\\ReactOS"))) {
                prop_assert!(name.as_str().starts_with_ascii("\\??\\"));
            }
        }
    }
}
