// SPDX-License-Identifier: GPL-2.0-or-later
//! Symbolic link objects: a name that stands for another name.

use super::{Body, Object};
use crate::Executive;
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

impl Executive {
    /// A link has got its name: if it is a drive letter in a directory with a device map, the map
    /// learns of it (spec 3.1).
    pub(crate) fn link_made(&mut self, link: ObjectId) {
        let Some(map) = self.device_map_around(link) else {
            return;
        };
        let Some(Object {
            name: Some(name),
            body: Body::SymbolicLink(body),
            ..
        }) = self.objects.get(link)
        else {
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
        let target = body.target.clone();
        let kind = self.drive_type(&target);
        if let Some(Object {
            body: Body::SymbolicLink(body),
            ..
        }) = self.objects.get_mut(link)
        {
            body.drive = Some(drive);
        }
        if let Some(map) = self.device_maps.get_mut(map.0) {
            map.drives |= 1 << drive;
            map.types[usize::from(drive)] = kind;
        }
    }

    /// A link has lost its name.
    pub(crate) fn link_gone(&mut self, link: ObjectId) {
        let Some(Object {
            body:
                Body::SymbolicLink(SymbolicLink {
                    drive: Some(drive), ..
                }),
            ..
        }) = self.objects.get(link)
        else {
            return;
        };
        let drive = *drive;
        // The name is gone already; a drive link only ever stands in a directory with the system's
        // map.
        if let Some(map) = self.device_maps.first_mut() {
            map.drives &= !(1 << drive);
            map.types[usize::from(drive)] = 0;
        }
    }

    /// `DOSDEVICE_DRIVE_` type of the device that a link's target leads to.
    fn drive_type(&mut self, target: &[u16]) -> u8 {
        let mut name = target.to_vec();
        for _ in 0..30 {
            if let Some(object) = self.find_plain(&name) {
                match &self.objects.get(object).map(|object| &object.body) {
                    Some(Body::Device(_)) => return crate::io::drive_type(self, object),
                    Some(Body::SymbolicLink(body)) => name = body.target.clone(),
                    _ => return DRIVE_CALCULATE,
                }
            } else {
                break;
            }
        }
        DRIVE_CALCULATE
    }

    /// The object under an absolute name of directories only: no link is followed, no reference
    /// taken.
    pub(crate) fn find_plain(&self, name: &[u16]) -> Option<ObjectId> {
        let mut at = self.root;
        let rest = name.strip_prefix(&[0x5C])?;
        for component in rest.split(|&unit| unit == 0x5C) {
            let Body::Directory(directory) = &self.objects.get(at)?.body else {
                return None;
            };
            at = directory.get(component, true)?;
        }
        Some(at)
    }
}
