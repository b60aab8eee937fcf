// SPDX-License-Identifier: GPL-2.0-or-later
//! The grammar of a `PagingFiles` token: path, minimum, maximum (spec 4.1). Pure.

use nt::path::{self, FullPaths, MAX_NT};
use nt::{Result, Status, UnicodeBuf, UnicodeStr};

/// Bytes in a megabyte.
pub const MEGABYTE: u64 = 1 << 20;
/// Where the drive letter stands in `\??\C:\pagefile.sys`.
const LETTER: usize = 4;

/// The drive that a paging file is to be on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// The drive with this letter, in upper case.
    Letter(u16),
    /// `?`: the first one that will do.
    #[default]
    Any,
}

/// How large a paging file is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// As large as the system thinks right.
    #[default]
    Managed,
    /// In bytes.
    Explicit {
        /// At the start.
        minimum: u64,
        /// At most; 0 if the token does not say.
        maximum: u64,
    },
}

/// A paging file that is asked for.
#[derive(Clone, Debug, Default)]
pub struct Descriptor {
    /// Its NT path; the drive letter of [`Drive::Any`] is still `?`.
    pub name: UnicodeBuf<MAX_NT>,
    /// Its drive.
    pub drive: Drive,
    /// Its size.
    pub size: Size,
}

impl Descriptor {
    /// The name, on the drive with this letter.
    pub fn on(&mut self, letter: u16) -> UnicodeStr<'_> {
        if let Some(unit) = self.name.units_mut().get_mut(LETTER) {
            *unit = letter;
        }
        self.name.as_str()
    }

    /// Becomes the file with this DOS path.
    fn find(&mut self, path: UnicodeStr<'_>, paths: impl FullPaths) -> Result<()> {
        path::put_nt(path, paths, &mut self.name)?;
        let (letter, colon) = match self.name.units_mut().get_mut(LETTER..) {
            Some([letter, colon, ..]) => (letter, *colon),
            _ => return Err(Status::INVALID_PARAMETER),
        };
        if colon != u16::from(b':') {
            return Err(Status::INVALID_PARAMETER);
        }
        *letter = nt::case::upcase(*letter);
        self.drive = if *letter == u16::from(b'?') {
            Drive::Any
        } else {
            Drive::Letter(*letter)
        };
        Ok(())
    }
}

/// Where the paging file goes of which nobody has said where: system-managed, on any drive (spec 4.6).
pub const EMERGENCY: UnicodeStr<'static> = nt::wide!("?:\\pagefile.sys");

/// Takes a token apart into `descriptor`. `None` if there is no path in it.
///
/// # Errors
/// `NAME_TOO_LONG`, `OBJECT_NAME_INVALID`, or `INVALID_PARAMETER` for a path that is on no drive.
///
/// ```
/// use nt::path::CurrentDirectory;
/// use nt::wide;
/// use pagefile::token::{self, Drive, Size};
///
/// let (token, mut file) = (wide!("C:\\pagefile.sys 0 0"), token::Descriptor::default());
/// let current = CurrentDirectory(wide!("C:\\ReactOS"));
/// token::parse(token, current, &mut file).expect("there is a path in it")?;
/// assert_eq!(file.name.as_str(), wide!("\\??\\C:\\pagefile.sys"));
/// assert_eq!(file.drive, Drive::Letter(u16::from(b'C')));
/// assert_eq!(file.size, Size::Managed);
/// # Ok::<(), nt::Status>(())
/// ```
pub fn parse(
    token: UnicodeStr<'_>,
    paths: impl FullPaths,
    descriptor: &mut Descriptor,
) -> Option<Result<()>> {
    let (path, sizes) = token.token()?;
    descriptor.size = size(sizes);
    Some(descriptor.find(path, paths))
}

/// The sizes in the text behind the path.
fn size(arguments: UnicodeStr<'_>) -> Size {
    // A space, a tab, a zero.
    if arguments
        .units()
        .iter()
        .all(|&unit| matches!(unit, 0x20 | 0x09 | 0x30))
    {
        return Size::Managed;
    }
    // Only a space separates the two: a tab does not.
    let maximum = arguments
        .find(b' ')
        .map_or(0, |space| integer(arguments.skip(space)));
    Size::Explicit {
        minimum: u64::from(integer(arguments)) * MEGABYTE,
        maximum: u64::from(maximum) * MEGABYTE,
    }
}

/// RtlUnicodeStringToInteger with base 0: blanks, a sign, `0x`, `0o` or `0b`, then digits up to the
/// first unit that is not one. What does not fit is as large as can be, where the original would begin
/// again at 0.
pub fn integer(text: UnicodeStr<'_>) -> u32 {
    let mut rest = text.after_blanks();
    let negative = rest.first() == Some(u16::from(b'-'));
    if negative || rest.first() == Some(u16::from(b'+')) {
        rest = rest.skip(1);
    }
    let base = match rest.units() {
        [zero, prefix, ..] if *zero == u16::from(b'0') => match u8::try_from(*prefix) {
            Ok(b'x') => 16,
            Ok(b'o') => 8,
            Ok(b'b') => 2,
            _ => 10,
        },
        _ => 10,
    };
    let digits = rest.skip(if base == 10 { 0 } else { 2 });
    let digits = digits.units().iter().map_while(|&unit| {
        u8::try_from(unit)
            .ok()
            .and_then(|digit| char::from(digit).to_digit(base))
    });
    let value = digits.fold(0u32, |value, digit| {
        value.saturating_mul(base).saturating_add(digit)
    });
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::path::CurrentDirectory;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn parsed(token: &str) -> Option<Result<(String, Drive, Size)>> {
        let units: Vec<u16> = token.encode_utf16().collect();
        let mut descriptor = Descriptor::default();
        let done = parse(
            UnicodeStr(&units),
            CurrentDirectory(nt::wide!("C:\\ReactOS")),
            &mut descriptor,
        )?;
        Some(done.map(|()| {
            (
                descriptor.name.to_string(),
                descriptor.drive,
                descriptor.size,
            )
        }))
    }

    fn megabytes(minimum: u64, maximum: u64) -> Size {
        Size::Explicit {
            minimum: minimum << 20,
            maximum: maximum << 20,
        }
    }

    const C: Drive = Drive::Letter(b'C' as u16);

    #[test]
    fn spec_17_paging_file_tokens() {
        let on_c = |size| Some(Ok((String::from("\\??\\C:\\pagefile.sys"), C, size)));
        assert_eq!(parsed("C:\\pagefile.sys 64 128"), on_c(megabytes(64, 128)));
        assert_eq!(
            parsed("C:\\pagefile.sys 200 100"),
            on_c(megabytes(200, 100))
        );
        assert_eq!(
            parsed("c:\\pagefile.sys 0x40 0x80"),
            on_c(megabytes(64, 128))
        );
        assert_eq!(parsed("C:\\pagefile.sys 64\t128"), on_c(megabytes(64, 0)));
        for managed in [
            "C:\\pagefile.sys",
            "C:\\pagefile.sys 0 0",
            " C:\\pagefile.sys  00",
            "C:\\pagefile.sys \t0 ",
        ] {
            assert_eq!(parsed(managed), on_c(Size::Managed), "{managed}");
        }
        assert_eq!(
            parsed("?:\\pagefile.sys"),
            Some(Ok((
                String::from("\\??\\?:\\pagefile.sys"),
                Drive::Any,
                Size::Managed
            )))
        );
        assert_eq!(parsed(""), None);
        assert_eq!(parsed(" \t"), None);
    }

    #[test]
    fn sizes_of_4096_megabytes_and_more_do_not_wrap() {
        assert_eq!(
            parsed("C:\\p 4096 8192").unwrap().unwrap().2,
            megabytes(4096, 8192)
        );
    }

    #[test]
    fn a_path_that_is_on_no_drive_is_refused() {
        assert_eq!(parsed("NUL 1 2"), Some(Err(Status::INVALID_PARAMETER)));
        assert_eq!(
            parsed("\\\\server\\share\\x"),
            Some(Err(Status::INVALID_PARAMETER))
        );
        assert_eq!(
            parsed(&std::format!("C:\\{}", "x".repeat(400))),
            Some(Err(Status::NAME_TOO_LONG))
        );
    }

    #[test]
    fn integers_have_signs_and_prefixes_and_stop_at_the_first_other_character() {
        for (text, value) in [
            ("  12x", 12),
            ("+7", 7),
            ("-1", u32::MAX),
            ("0b101", 5),
            ("0o17", 15),
            ("0x1G", 1),
            ("1x5", 1),
            ("1b1", 1),
            ("x", 0),
            ("0", 0),
            ("0x", 0),
        ] {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(integer(UnicodeStr(&units)), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_token_is_nothing_a_descriptor_or_an_error(units in prop::collection::vec(prop_oneof![
            Just(u16::from(b':')), Just(u16::from(b'\\')), Just(u16::from(b' ')), Just(u16::from(b'?')), 0x2Fu16..0x7B, any::<u16>()], 0..80)) {
            let mut descriptor = Descriptor::default();
            if let Some(Ok(())) = parse(UnicodeStr(&units), CurrentDirectory(nt::wide!("C:\\ReactOS")), &mut descriptor) {
                prop_assert_eq!(descriptor.name.as_str().units()[5], u16::from(b':'));
                if let Size::Explicit { minimum, maximum } = descriptor.size {
                    prop_assert!(minimum <= u64::from(u32::MAX) << 20 && maximum <= u64::from(u32::MAX) << 20);
                }
            }
        }
    }
}
