// SPDX-License-Identifier: GPL-2.0-or-later
//! The tree of a hive: lookup and change.

use super::{Hive, Key, KeyId, MAX_KEY_NAME, MAX_VALUE_NAME, TreeError, Value};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use nt::UnicodeStr;
use nt::case::upcase;

/// KEY_ALL_ACCESS for administrators and the system, KEY_READ for everyone, all inherited by subkeys; owner Administrators, group System.
#[rustfmt::skip]
const DEFAULT_SECURITY: [u8; 20 + 8 + 24 + 20 + 20 + 16 + 12] = [
    1, 0, 0x04, 0x80, 92, 0, 0, 0, 108, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0,
    2, 0, 72, 0, 3, 0, 0, 0,
    0, 2, 24, 0, 0x3F, 0, 0x0F, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0,
    0, 2, 20, 0, 0x3F, 0, 0x0F, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    0, 2, 20, 0, 0x19, 0, 0x02, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0,
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
];

pub(super) fn fold(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&unit| upcase(unit)).collect()
}

impl Hive {
    /// An empty hive, format 1.3, whose root key has this name.
    pub fn new(root_name: UnicodeStr<'_>) -> Self {
        let root = KeyId(0);
        let key = Key {
            name: root_name.units().to_vec(),
            class: Vec::new(),
            last_write: 0,
            volatile: false,
            link: false,
            folded: fold(root_name.units()),
            parent: None,
            subkeys: Vec::new(),
            values: Vec::new(),
            security: 0,
        };
        Self {
            keys: BTreeMap::from([(root, key)]),
            next: 1,
            root,
            security: vec![DEFAULT_SECURITY.to_vec()],
            file_name: Vec::new(),
            minor_version: 3,
            sequence: 1,
        }
    }

    pub(super) fn from_parts(key: Key, security: Vec<Vec<u8>>) -> Self {
        let root = KeyId(0);
        Self {
            keys: BTreeMap::from([(root, key)]),
            next: 1,
            root,
            security,
            file_name: Vec::new(),
            minor_version: 3,
            sequence: 1,
        }
    }

    /// The root key.
    pub const fn root(&self) -> KeyId {
        self.root
    }

    /// The key, if it still exists.
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(&id)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is nothing but an empty root.
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 1
            && self
                .keys
                .get(&self.root)
                .is_none_or(|root| root.values.is_empty())
    }

    fn position(&self, parent: &Key, folded: &[u16]) -> Result<usize, usize> {
        parent.subkeys.binary_search_by(|id| {
            self.keys
                .get(id)
                .map(|key| key.folded.as_slice())
                .unwrap_or_default()
                .cmp(folded)
        })
    }

    /// The subkey of `parent` with this name, without regard to case.
    pub fn subkey(&self, parent: KeyId, name: UnicodeStr<'_>) -> Option<KeyId> {
        let key = self.keys.get(&parent)?;
        let at = self.position(key, &fold(name.units())).ok()?;
        key.subkeys.get(at).copied()
    }

    /// Walks `path`, its names separated by backslashes; empty names are skipped.
    pub fn find(&self, from: KeyId, path: UnicodeStr<'_>) -> Option<KeyId> {
        path.units()
            .split(|&unit| unit == u16::from(b'\\'))
            .filter(|name| !name.is_empty())
            .try_fold(from, |at, name| self.subkey(at, UnicodeStr(name)))
    }

    /// Makes a subkey. It takes its parent's security descriptor.
    pub fn create_key(
        &mut self,
        parent: KeyId,
        name: UnicodeStr<'_>,
        volatile: bool,
        now: u64,
    ) -> Result<KeyId, TreeError> {
        let units = name.units();
        if units.is_empty() || units.len() > MAX_KEY_NAME || units.contains(&u16::from(b'\\')) {
            return Err(TreeError::BadName);
        }
        let above = self.keys.get(&parent).ok_or(TreeError::NoSuchKey)?;
        if above.volatile && !volatile {
            return Err(TreeError::ParentVolatile);
        }
        let folded = fold(units);
        let Err(at) = self.position(above, &folded) else {
            return Err(TreeError::Exists);
        };
        let key = Key {
            name: units.to_vec(),
            class: Vec::new(),
            last_write: now,
            volatile,
            link: false,
            folded,
            parent: Some(parent),
            subkeys: Vec::new(),
            values: Vec::new(),
            security: above.security,
        };
        Ok(self.insert(parent, at, key, now))
    }

    pub(super) fn adopt(&mut self, parent: KeyId, mut key: Key) -> Option<KeyId> {
        let above = self.keys.get(&parent)?;
        let at = self.position(above, &key.folded).err()?;
        key.parent = Some(parent);
        let stamp = above.last_write;
        Some(self.insert(parent, at, key, stamp))
    }

    fn insert(&mut self, parent: KeyId, at: usize, key: Key, now: u64) -> KeyId {
        let id = KeyId(self.next);
        self.next += 1;
        self.keys.insert(id, key);
        if let Some(above) = self.keys.get_mut(&parent) {
            above.subkeys.insert(at, id);
            above.last_write = now;
        }
        id
    }

    /// Makes every key of `path` that is not there yet.
    pub fn create_path(
        &mut self,
        from: KeyId,
        path: UnicodeStr<'_>,
        volatile: bool,
        now: u64,
    ) -> Result<KeyId, TreeError> {
        let mut at = from;
        for name in path
            .units()
            .split(|&unit| unit == u16::from(b'\\'))
            .filter(|name| !name.is_empty())
        {
            at = match self.subkey(at, UnicodeStr(name)) {
                Some(found) => found,
                None => self.create_key(at, UnicodeStr(name), volatile, now)?,
            };
        }
        Ok(at)
    }

    /// Deletes a key without subkeys.
    pub fn delete_key(&mut self, id: KeyId, now: u64) -> Result<(), TreeError> {
        let key = self.keys.get(&id).ok_or(TreeError::NoSuchKey)?;
        let parent = key.parent.ok_or(TreeError::IsRoot)?;
        if !key.subkeys.is_empty() {
            return Err(TreeError::HasSubkeys);
        }
        if let Some(above) = self.keys.get_mut(&parent) {
            above.subkeys.retain(|&sub| sub != id);
            above.last_write = now;
        }
        self.keys.remove(&id);
        Ok(())
    }

    /// Deletes a key and everything under it.
    pub fn delete_tree(&mut self, id: KeyId, now: u64) -> Result<(), TreeError> {
        if id == self.root {
            return Err(TreeError::IsRoot);
        }
        let mut doomed = vec![id];
        let mut next = 0;
        while let Some(&at) = doomed.get(next) {
            doomed.extend(
                self.keys
                    .get(&at)
                    .ok_or(TreeError::NoSuchKey)?
                    .subkeys
                    .iter()
                    .copied(),
            );
            next += 1;
        }
        for at in doomed.into_iter().rev() {
            self.delete_key(at, now)?;
        }
        Ok(())
    }

    /// The value of this name, without regard to case.
    pub fn value(&self, id: KeyId, name: UnicodeStr<'_>) -> Option<&Value> {
        self.keys
            .get(&id)?
            .values
            .iter()
            .find(|value| UnicodeStr(&value.name).eq_ignore_case(name))
    }

    /// Sets a value. One that exists keeps its place and the spelling of its name; a new one goes
    /// to the end.
    pub fn set_value(
        &mut self,
        id: KeyId,
        name: UnicodeStr<'_>,
        kind: u32,
        data: Vec<u8>,
        now: u64,
    ) -> Result<(), TreeError> {
        if name.len() > MAX_VALUE_NAME {
            return Err(TreeError::BadName);
        }
        let key = self.keys.get_mut(&id).ok_or(TreeError::NoSuchKey)?;
        key.last_write = now;
        match key
            .values
            .iter_mut()
            .find(|value| UnicodeStr(&value.name).eq_ignore_case(name))
        {
            Some(value) => {
                value.kind = kind;
                value.data = data;
            }
            None => key.values.push(Value {
                name: name.units().to_vec(),
                kind,
                data,
            }),
        }
        Ok(())
    }

    /// Deletes a value; those after it move up.
    pub fn delete_value(
        &mut self,
        id: KeyId,
        name: UnicodeStr<'_>,
        now: u64,
    ) -> Result<(), TreeError> {
        let key = self.keys.get_mut(&id).ok_or(TreeError::NoSuchKey)?;
        let at = key
            .values
            .iter()
            .position(|value| UnicodeStr(&value.name).eq_ignore_case(name))
            .ok_or(TreeError::NoSuchValue)?;
        key.values.remove(at);
        key.last_write = now;
        Ok(())
    }

    /// The self-relative security descriptor of a key.
    pub fn security(&self, id: KeyId) -> Option<&[u8]> {
        self.keys
            .get(&id)
            .and_then(|key| self.security.get(key.security))
            .map(Vec::as_slice)
    }

    /// Gives a key a self-relative security descriptor.
    pub fn set_security(&mut self, id: KeyId, descriptor: &[u8]) -> Result<(), TreeError> {
        let key = self.keys.get_mut(&id).ok_or(TreeError::NoSuchKey)?;
        key.security = match self.security.iter().position(|known| known == descriptor) {
            Some(known) => known,
            None => {
                self.security.push(descriptor.to_vec());
                self.security.len() - 1
            }
        };
        Ok(())
    }

    /// Sets the class of a key.
    pub fn set_class(&mut self, id: KeyId, class: &[u8]) -> Result<(), TreeError> {
        self.keys.get_mut(&id).ok_or(TreeError::NoSuchKey)?.class = class.to_vec();
        Ok(())
    }

    /// Makes a key a symbolic link, or an ordinary key again.
    pub fn set_link(&mut self, id: KeyId, link: bool) -> Result<(), TreeError> {
        self.keys.get_mut(&id).ok_or(TreeError::NoSuchKey)?.link = link;
        Ok(())
    }

    pub(super) fn descriptors(&self) -> &[Vec<u8>] {
        &self.security
    }
}
