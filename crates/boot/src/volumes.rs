// SPDX-License-Identifier: GPL-2.0-or-later
//! The volumes that a list of renames has touched (spec 6.4).

use nt::access::{Access, OpenOptions, Share};
use nt::system::{Files, Objects};
use nt::{ObjectAttributes, Owned, Result, UnicodeStr, file};

/// Volumes that are remembered at once; with more, all are flushed early.
const MOST: usize = 8;

/// The volumes that a list touches, by the names they have in it. Each is opened once.
pub(crate) struct Touched<'v, S: Objects> {
    system: S,
    volumes: heapless::Vec<Volume<'v, S>, MOST>,
}

struct Volume<'v, S: Objects> {
    name: UnicodeStr<'v>,
    /// Open from its first flush on.
    open: Option<Owned<S>>,
    /// Something was changed since it was last flushed.
    changed: bool,
}

impl<'v, S: Objects + Files> Touched<'v, S> {
    /// None yet.
    pub(crate) const fn new(system: S) -> Self {
        let volumes = heapless::Vec::new();
        Self { system, volumes }
    }

    /// Notes that something on the volume of `path` was changed.
    pub(crate) fn note(&mut self, path: UnicodeStr<'v>) {
        let name = volume_of(path);
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
        let _ = self.volumes.push(Volume::new(name));
    }

    /// Has every one of them written to its disk. What cannot be is reported.
    pub(crate) fn flush(&mut self) {
        for volume in self.volumes.iter_mut().filter(|volume| volume.changed) {
            volume.changed = false;
            volume.flush(self.system);
        }
    }
}

impl<'v, S: Objects + Files> Volume<'v, S> {
    fn new(name: UnicodeStr<'v>) -> Self {
        Self {
            name,
            open: None,
            changed: true,
        }
    }

    /// Has it written to its disk. If it cannot be, that is reported.
    fn flush(&mut self, system: S) {
        if let Err(status) = self.try_flush(system) {
            let name = self.name;
            nt::warn!("pending file renames: {name}: {status}: not flushed");
        }
    }

    fn try_flush(&mut self, system: S) -> Result<()> {
        let open = match &self.open {
            Some(open) => open,
            None => self.open.insert(open(system, self.name)?),
        };
        system.flush_file(open.get())
    }
}

/// Has the volume of `path` written to its disk. If it cannot be, that is reported.
pub(crate) fn flush_volume<S: Objects + Files>(system: S, path: UnicodeStr<'_>) {
    Volume::new(volume_of(path)).flush(system);
}

/// Has the volume of `path` looked at by the next disk check.
pub(crate) fn mark_for_check<S: Objects + Files>(system: S, path: UnicodeStr<'_>) {
    let name = volume_of(path);
    let volume = open(system, name);
    match volume.and_then(|volume| system.mark_volume_dirty(volume.get())) {
        Ok(()) => nt::warn!("pending file renames: {name}: marked for its check"),
        Err(status) => nt::warn!("pending file renames: {name}: {status}: not marked for a check"),
    }
}

/// Opens the volume itself.
fn open<S: Objects + Files>(system: S, name: UnicodeStr<'_>) -> Result<Owned<S>> {
    let share = Share::READ | Share::WRITE | Share::DELETE;
    let (name, options) = (ObjectAttributes::named(name), OpenOptions::empty());
    file::open(system, &name, Access::FILE_WRITE_DATA, share, options)
}

/// The name of the volume in an NT path: its first two components, as in `\??\C:`.
fn volume_of(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    let mut separators = 0;
    let third = path.units().iter().position(|&unit| {
        separators += u32::from(unit == u16::from(b'\\'));
        separators == 3
    });
    path.take(third.unwrap_or(path.len()))
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
