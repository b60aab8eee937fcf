// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager's state: the objects, the root of their names, the device maps, the types.

use super::directory::{DeviceMap, DeviceMapId, Directory};
use super::types::{Kind, TypeInfo};
use super::{Body, Object, ObjectTable, System};
use crate::ids::ObjectId;
use alloc::vec::Vec;

/// What the object manager keeps.
pub struct Manager<S: System> {
    table: ObjectTable<S::Body>,
    root: ObjectId,
    /// The first is the system's, once there is one.
    device_maps: Vec<DeviceMap>,
    types: &'static [TypeInfo<S>; Kind::COUNT],
}

impl<S: System> Manager<S> {
    /// Nothing but the root of the namespace. `types` has every type at its place in [`Kind`].
    pub fn new(types: &'static [TypeInfo<S>; Kind::COUNT]) -> Self {
        let mut table = ObjectTable::new();
        let root = table.insert(Directory::default().into());
        if let Some(root) = table.get_mut(root) {
            root.permanent = true;
        }
        Self {
            table,
            root,
            device_maps: Vec::new(),
            types,
        }
    }

    /// The root of the namespace, `\`.
    pub const fn root(&self) -> ObjectId {
        self.root
    }

    /// What objects of a type are like.
    pub const fn type_of(&self, kind: Kind) -> &'static TypeInfo<S> {
        &self.types[kind as usize]
    }

    /// Every type, in the order of their creation.
    pub const fn types(&self) -> &'static [TypeInfo<S>] {
        self.types
    }

    /// The object with this id.
    pub fn get(&self, id: ObjectId) -> Option<&Object<S::Body>> {
        self.table.get(id)
    }

    /// The object with this id, to change.
    pub fn get_mut(&mut self, id: ObjectId) -> Option<&mut Object<S::Body>> {
        self.table.get_mut(id)
    }

    /// A new object: nameless, one reference (the caller's), no handle.
    pub(super) fn insert(&mut self, body: S::Body) -> ObjectId {
        self.table.insert(body)
    }

    /// Takes an object out of the table.
    pub(super) fn remove(&mut self, id: ObjectId) -> Option<Object<S::Body>> {
        self.table.remove(id)
    }

    /// Every object.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, &Object<S::Body>)> {
        self.table.iter()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// A device map.
    pub fn device_map(&self, id: DeviceMapId) -> Option<&DeviceMap> {
        self.device_maps.get(id.0)
    }

    /// The device map of the directory that an object is named in.
    pub(super) fn device_map_around(&self, id: ObjectId) -> Option<DeviceMapId> {
        let directory = self.get(id)?.name.as_ref()?.directory;
        self.get(directory)?.body.directory()?.device_map
    }

    pub(super) fn device_map_mut(&mut self, id: DeviceMapId) -> Option<&mut DeviceMap> {
        self.device_maps.get_mut(id.0)
    }

    /// The device map of a directory, made if it has none; none for an object that is no directory.
    /// The caller refers to the directory as long as the map stands (`true`: it is new).
    pub fn device_map_for(&mut self, directory: ObjectId) -> Option<(DeviceMapId, bool)> {
        let next = DeviceMapId(self.device_maps.len());
        let body = self.table.get_mut(directory)?.body.directory_mut()?;
        let map = *body.device_map.get_or_insert(next);
        if map == next {
            self.device_maps.push(DeviceMap {
                directory,
                drives: 0,
                types: [0; 32],
            });
        }
        Some((map, map == next))
    }

    /// An entry of a directory; `shadow` also looks where a local device directory does not have
    /// the name: in the global one.
    pub(super) fn entry(
        &self,
        directory: ObjectId,
        name: &[u16],
        shadow: bool,
    ) -> Option<ObjectId> {
        let body = self.get(directory)?.body.directory()?;
        body.get(name, true).or_else(|| {
            let map = body
                .device_map
                .filter(|&map| shadow && map != DeviceMapId::SYSTEM)?;
            self.device_map(map)?;
            let global = self.device_map(DeviceMapId::SYSTEM)?.directory;
            self.entry(global, name, false)
        })
    }

    /// The object under an absolute name of directories only: no link is followed, no reference
    /// taken.
    pub fn find_plain(&self, name: &[u16]) -> Option<ObjectId> {
        let mut at = self.root;
        let rest = name.strip_prefix(&[0x5C])?;
        for component in rest.split(|&unit| unit == 0x5C) {
            at = self.get(at)?.body.directory()?.get(component, true)?;
        }
        Some(at)
    }
}
