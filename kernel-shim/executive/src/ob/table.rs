// SPDX-License-Identifier: GPL-2.0-or-later
//! The object table: every object of the system, by [`ObjectId`].
//!
//! Invariant: a slot's generation grows each time it is emptied, so an id of an object that has
//! gone finds nothing.

use super::{Body, Object};
use crate::ids::ObjectId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

#[derive(Debug)]
struct Slot<B> {
    generation: u32,
    object: Option<Object<B>>,
}

/// All objects.
#[derive(Debug)]
pub struct ObjectTable<B> {
    slots: Vec<Slot<B>>,
    free: Vec<u32>,
}

impl<B: Body> Default for ObjectTable<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Body> ObjectTable<B> {
    /// No objects.
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// A new object: nameless, one reference (the caller's), no handle.
    pub fn insert(&mut self, body: B) -> ObjectId {
        let object = Object {
            kind: body.kind(),
            name: None,
            handles: 0,
            references: 1,
            permanent: false,
            exclusive: None,
            security: None,
            waiters: BTreeMap::new(),
            body,
        };
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                object: None,
            });
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.object = Some(object);
        ObjectId {
            index,
            generation: slot.generation,
        }
    }

    /// The object with this id.
    pub fn get(&self, id: ObjectId) -> Option<&Object<B>> {
        self.slots
            .get(id.index as usize)
            .filter(|slot| slot.generation == id.generation)?
            .object
            .as_ref()
    }

    /// The object with this id, to change.
    pub fn get_mut(&mut self, id: ObjectId) -> Option<&mut Object<B>> {
        self.slots
            .get_mut(id.index as usize)
            .filter(|slot| slot.generation == id.generation)?
            .object
            .as_mut()
    }

    /// Takes an object out of the table.
    pub fn remove(&mut self, id: ObjectId) -> Option<Object<B>> {
        let slot = self
            .slots
            .get_mut(id.index as usize)
            .filter(|slot| slot.generation == id.generation)?;
        let object = slot.object.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        Some(object)
    }

    /// Every object.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, &Object<B>)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            slot.object.as_ref().map(|object| {
                (
                    ObjectId {
                        index: index as u32,
                        generation: slot.generation,
                    },
                    object,
                )
            })
        })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
