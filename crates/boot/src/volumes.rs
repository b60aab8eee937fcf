// SPDX-License-Identifier: GPL-2.0-or-later
//! The volumes that a list of renames has touched (spec 6.4).

use nt::system::{Files, Objects};
use nt::{UnicodeStr, volume};

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
        let name = volume::of(path);
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
    if let Err(status) = volume::flush(system, path) {
        let name = volume::of(path);
        nt::warn!("pending file renames: {name}: {status}: not flushed");
    }
}

/// Has the volume of `path` looked at by the next disk check.
pub(crate) fn mark_for_check<S: Objects + Files>(system: &S, path: UnicodeStr<'_>) {
    let name = volume::of(path);
    let volume = volume::open(system, path);
    match volume.and_then(|volume| system.mark_volume_dirty(volume.get())) {
        Ok(()) => nt::warn!("pending file renames: {name}: marked for its check"),
        Err(status) => nt::warn!("pending file renames: {name}: {status}: not marked for a check"),
    }
}
