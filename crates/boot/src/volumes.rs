// SPDX-License-Identifier: GPL-2.0-or-later
//! The volumes that a list of renames has touched (spec 6.4).

use nt::system::{Files, Objects};
use nt::{Owned, Result, Status, UnicodeStr, volume};

/// Volumes that are remembered at once; with more, all are flushed early.
const MOST: usize = 8;

/// The volumes that a list touches, by the names they have in it. Each is opened once.
pub(crate) struct Touched<'s, 'v, S: Objects> {
    system: &'s S,
    volumes: heapless::Vec<Volume<'s, 'v, S>, MOST>,
}

struct Volume<'s, 'v, S: Objects> {
    name: UnicodeStr<'v>,
    /// Open from its first flush on.
    open: Option<Owned<'s, S>>,
    /// Something was changed since it was last flushed.
    changed: bool,
}

impl<'s, 'v, S: Objects + Files> Touched<'s, 'v, S> {
    /// None yet.
    pub(crate) const fn new(system: &'s S) -> Self {
        let volumes = heapless::Vec::new();
        Self { system, volumes }
    }

    /// Notes that something on the volume of `path` was changed.
    pub(crate) fn note(&mut self, path: UnicodeStr<'v>) {
        let name = volume::of(path);
        let mut known = self.volumes.iter_mut();
        if let Some(known) = known.find(|known| known.name.eq_ignore_case(name)) {
            known.changed = true;
            return;
        }
        if self.volumes.is_full() {
            self.flush();
            self.volumes.clear();
        }
        // There is room now.
        let _ = self.volumes.push(Volume {
            name,
            open: None,
            changed: true,
        });
    }

    /// Has every one of them written to its disk. What cannot be is reported.
    pub(crate) fn flush(&mut self) {
        for volume in self.volumes.iter_mut().filter(|volume| volume.changed) {
            volume.changed = false;
            if let Err(status) = volume.flush(self.system) {
                not_flushed(volume.name, status);
            }
        }
    }
}

impl<'s, S: Objects + Files> Volume<'s, '_, S> {
    fn flush(&mut self, system: &'s S) -> Result<()> {
        let open = match self.open.take() {
            Some(open) => open,
            None => volume::open(system, self.name)?,
        };
        system.flush_file(self.open.insert(open).get())
    }
}

fn not_flushed(name: UnicodeStr<'_>, status: Status) {
    nt::warn!("pending file renames: {name}: {status}: not flushed");
}

/// Has the volume of `path` written to its disk. If it cannot be, that is reported.
pub(crate) fn flush_volume<S: Objects + Files>(system: &S, path: UnicodeStr<'_>) {
    if let Err(status) = volume::flush(system, path) {
        not_flushed(volume::of(path), status);
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
