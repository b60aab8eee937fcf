// SPDX-License-Identifier: GPL-2.0-or-later
//! The volumes that a list of renames has touched (spec 6.4).

use nt::access::{Access, OpenOptions, Share};
use nt::system::{Files, Objects};
use nt::{ObjectAttributes, Owned, Result, UnicodeStr, file};

/// Volumes that are remembered at once; with more, all are flushed early.
const MOST: usize = 8;

/// Volumes with something to be flushed, by the names they have in the list.
pub(crate) struct Touched<'s, 'v, S> {
    system: &'s S,
    names: heapless::Vec<UnicodeStr<'v>, MOST>,
}

impl<'s, 'v, S: Objects + Files> Touched<'s, 'v, S> {
    /// None yet.
    pub(crate) const fn new(system: &'s S) -> Self {
        let names = heapless::Vec::new();
        Self { system, names }
    }

    /// Notes that something on the volume of `path` was changed.
    pub(crate) fn note(&mut self, path: UnicodeStr<'v>) {
        let name = volume_of(path);
        if self.names.iter().any(|known| known.eq_ignore_case(name)) {
            return;
        }
        if self.names.is_full() {
            self.flush();
        }
        // There is room now.
        let _ = self.names.push(name);
    }

    /// Has every one of them written to its disk. What cannot be is reported.
    pub(crate) fn flush(&mut self) {
        for &name in &self.names {
            flush_volume(self.system, name);
        }
        self.names.clear();
    }
}

/// Has the volume of `path` written to its disk. If it cannot be, that is reported.
pub(crate) fn flush_volume<S: Objects + Files>(system: &S, path: UnicodeStr<'_>) {
    let name = volume_of(path);
    let volume = open(system, name);
    if let Err(status) = volume.and_then(|volume| system.flush_file(volume.get())) {
        nt::warn!("pending file renames: {name}: {status}: not flushed");
    }
}

/// Has the volume of `path` looked at by the next disk check.
pub(crate) fn mark_for_check<S: Objects + Files>(system: &S, path: UnicodeStr<'_>) {
    let name = volume_of(path);
    let volume = open(system, name);
    match volume.and_then(|volume| system.mark_volume_dirty(volume.get())) {
        Ok(()) => nt::warn!("pending file renames: {name}: marked for its check"),
        Err(status) => nt::warn!("pending file renames: {name}: {status}: not marked for a check"),
    }
}

/// Opens the volume itself.
fn open<'s, S: Objects + Files>(system: &'s S, name: UnicodeStr<'_>) -> Result<Owned<'s, S>> {
    let share = Share::READ | Share::WRITE | Share::DELETE;
    let (name, options) = (ObjectAttributes::named(name), OpenOptions::empty());
    file::open(system, &name, Access::FILE_WRITE_DATA, share, options)
}

/// The name of the volume in an NT path: its first two components, as in `\??\C:`.
fn volume_of(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    let mut separators = (0..)
        .zip(path.units())
        .filter(|(_, unit)| **unit == u16::from(b'\\'));
    separators
        .nth(2)
        .map_or(path, |(third, _)| path.take(third))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;

    #[test]
    fn a_volume_is_the_first_two_components_of_a_path() {
        assert_eq!(volume_of(wide!("\\??\\C:\\x\\y")), wide!("\\??\\C:"));
        assert_eq!(volume_of(wide!("\\Device\\V1\\x")), wide!("\\Device\\V1"));
        assert_eq!(volume_of(wide!("\\??\\C:")), wide!("\\??\\C:"));
        assert_eq!(volume_of(wide!("x")), wide!("x"));
    }
}
