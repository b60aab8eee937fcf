// SPDX-License-Identifier: GPL-2.0-or-later
//! The volume that a path lies on, as a whole: opening it and having it written to its disk.

use crate::access::{Access, OpenOptions, Share};
use crate::system::{Files, Objects};
use crate::{ObjectAttributes, Owned, Result, UnicodeStr, file};

/// The name of the volume in an NT path: its first two components, as in `\??\C:`.
pub fn of(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    let mut separators = (0..)
        .zip(path.units())
        .filter(|(_, unit)| **unit == u16::from(b'\\'));
    separators
        .nth(2)
        .map_or(path, |(third, _)| path.take(third))
}

/// Opens the volume of `path` itself, for requests that change it as a whole.
///
/// # Errors
/// What the kernel says.
pub fn open<'s, S: Objects + Files>(system: &'s S, path: UnicodeStr<'_>) -> Result<Owned<'s, S>> {
    let share = Share::READ | Share::WRITE | Share::DELETE;
    let (name, options) = (ObjectAttributes::named(of(path)), OpenOptions::empty());
    file::open(system, &name, Access::FILE_WRITE_DATA, share, options)
}

/// Has the volume of `path` written to its disk, directories and allocation tables included.
///
/// # Errors
/// What the kernel says.
pub fn flush<S: Objects + Files>(system: &S, path: UnicodeStr<'_>) -> Result<()> {
    system.flush_file(open(system, path)?.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide;

    #[test]
    fn a_volume_is_the_first_two_components_of_a_path() {
        assert_eq!(of(wide!("\\??\\C:\\x\\y")), wide!("\\??\\C:"));
        assert_eq!(of(wide!("\\Device\\V1\\x")), wide!("\\Device\\V1"));
        assert_eq!(of(wide!("\\??\\C:")), wide!("\\??\\C:"));
        assert_eq!(of(wide!("x")), wide!("x"));
    }
}
