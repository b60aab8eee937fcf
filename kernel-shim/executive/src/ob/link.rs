// SPDX-License-Identifier: GPL-2.0-or-later
//! Symbolic link objects: a name that stands for another name.

use super::{Body, DeviceMapId, System};
use crate::ids::ObjectId;
use alloc::vec::Vec;

/// The body of a symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SymbolicLink {
    /// Where it leads: an absolute name; empty for the root of the namespace.
    pub target: Vec<u16>,
    /// NT time of its making.
    pub created: u64,
    /// The drive (0 is A) whose bit it set in its directory's device map (spec 3.1).
    pub drive: Option<u8>,
}

impl SymbolicLink {
    /// The name that `\...\link` followed by `remaining` stands for.
    pub fn resolve(&self, remaining: &[u16]) -> Vec<u16> {
        const BACKSLASH: u16 = 0x5C;
        let mut name = self.target.clone();
        // A target that ends in a backslash and a remainder that starts with one make one
        // backslash.
        if name.last() == Some(&BACKSLASH) && remaining.first() == Some(&BACKSLASH) {
            name.pop();
        }
        name.extend_from_slice(remaining);
        name
    }
}

/// `DOSDEVICE_DRIVE_CALCULATE`: the target is no device, or cannot be told.
const DRIVE_CALCULATE: u8 = 1;

/// A link has been given its name: if it is a drive letter in a directory with a device map, the
/// map is updated (spec 3.1).
pub(super) fn link_made<S: System>(system: &mut S, link: ObjectId) {
    let Some(map) = system.ob().device_map_around(link) else {
        return;
    };
    let Some(object) = system.ob().get(link) else {
        return;
    };
    let (Some(name), Some(body)) = (&object.name, object.body.link()) else {
        return;
    };
    let &[letter, 0x3A] = name.name.as_slice() else {
        return;
    };
    let letter = nt::case::upcase(letter);
    if !(0x41..=0x5A).contains(&letter) {
        return;
    }
    let drive = (letter - 0x41) as u8;
    let kind = drive_type(system, &body.target);
    let object = system.ob_mut().get_mut(link);
    if let Some(body) = object.and_then(|object| object.body.link_mut()) {
        body.drive = Some(drive);
    }
    if let Some(map) = system.ob_mut().device_map_mut(map) {
        map.drives |= 1 << drive;
        map.types[usize::from(drive)] = kind;
    }
}

/// A link has lost its name.
pub(super) fn link_gone<S: System>(system: &mut S, link: ObjectId) {
    let body = system.ob().get(link).and_then(|object| object.body.link());
    let Some(drive) = body.and_then(|body| body.drive) else {
        return;
    };
    // The name is gone already; a drive link only ever stands in a directory with the system's
    // map.
    if let Some(map) = system.ob_mut().device_map_mut(DeviceMapId::SYSTEM) {
        map.drives &= !(1 << drive);
        map.types[usize::from(drive)] = 0;
    }
}

/// `DOSDEVICE_DRIVE_` type of the device that a link's target leads to.
fn drive_type<S: System>(system: &S, target: &[u16]) -> u8 {
    let mut name = target;
    for _ in 0..30 {
        let Some(object) = system.ob().find_plain(name) else {
            break;
        };
        if let Some(kind) = system.device_drive_type(object) {
            return kind;
        }
        match system
            .ob()
            .get(object)
            .and_then(|object| object.body.link())
        {
            Some(body) => name = &body.target,
            None => break,
        }
    }
    DRIVE_CALCULATE
}
