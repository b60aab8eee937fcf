// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry as one tree: hives, where they are mounted, links between keys (spec 1.1 rows
//! 10-13).
//!
//! The tree's top is a volatile hive of its own with the keys MACHINE and USER. A hive is mounted
//! on a key of it: that key stands for the hive's root and is never opened itself. Nothing here
//! knows handles, access checks or files.
//!
//! Invariants: a [`KeyRef`] never names a mount point, always the root of what is mounted there;
//! hive 0 is the top and stays; a hive is dirty from its first stable change until it has been
//! written.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use formats::hive::{Hive, Key, KeyId, Value};
use formats::{utf16, utf16_bytes};
use nt::{Result, Status, UnicodeStr};

/// `REG_LINK`.
pub const REG_LINK: u32 = 6;
const BACKSLASH: u16 = 0x5C;

/// A hive of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HiveId(pub usize);

impl HiveId {
    /// The volatile hive at the top, `\REGISTRY`.
    pub const TOP: Self = Self(0);
}

/// A key of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRef {
    /// Its hive.
    pub hive: HiveId,
    /// The key there.
    pub key: KeyId,
}

/// A hive and where it belongs.
#[derive(Debug)]
pub struct Mounted {
    /// The hive.
    pub hive: Hive,
    /// The key of another hive that it is mounted on; none for the top.
    pub point: Option<KeyRef>,
    /// NT path of its file; none for a volatile hive.
    pub file: Option<Vec<u16>>,
    /// Since when it differs from its file: 100 ns since the machine started.
    pub dirty_since: Option<u64>,
    /// Writing failed: it is tried again after the next change, and at shutdown.
    pub gave_up: bool,
}

/// What following a path gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walk {
    /// The key is there.
    Key(KeyRef),
    /// A link was met: go on at this absolute name.
    Link(Vec<u16>),
    /// All but the last name is there.
    Missing {
        /// The key that would be its parent.
        parent: KeyRef,
        /// The name that is not there.
        name: Vec<u16>,
    },
}

/// All hives.
#[derive(Debug)]
pub struct Registry {
    hives: Vec<Mounted>,
    mounts: BTreeMap<KeyRef, HiveId>,
    /// NtInitializeRegistry has been called to load the hives.
    initialised: bool,
    /// NtInitializeRegistry has been called to accept the boot.
    accepted: bool,
    /// The boot option MININT: nothing is written to any hive file.
    pub(super) mini: bool,
    /// Hives may be written to their files.
    writes: bool,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets what may be set once.
fn once(done: &mut bool) -> Result<()> {
    if core::mem::replace(done, true) {
        return Err(Status::ACCESS_DENIED);
    }
    Ok(())
}

impl Registry {
    /// The top with MACHINE and USER, nothing mounted.
    pub fn new() -> Self {
        let mut hive = Hive::new(nt::wide!("REGISTRY"));
        let root = hive.root();
        for name in [nt::wide!("MACHINE"), nt::wide!("USER")] {
            // An empty hive takes any good name.
            let _ = hive.create_key(root, name, true, 0);
        }
        let top = Mounted {
            hive,
            point: None,
            file: None,
            dirty_since: None,
            gave_up: false,
        };
        Self {
            hives: alloc::vec![top],
            mounts: BTreeMap::new(),
            initialised: false,
            accepted: false,
            mini: false,
            writes: false,
        }
    }

    /// `\REGISTRY`.
    pub fn root(&self) -> KeyRef {
        KeyRef {
            hive: HiveId::TOP,
            // The top is made with the registry and never unloaded.
            key: self.hives[0].hive.root(),
        }
    }

    /// NtInitializeRegistry begins to load the hives: once (spec 14 row 23).
    ///
    /// # Errors
    /// `ACCESS_DENIED` for the second time.
    pub fn begin_initialisation(&mut self) -> Result<()> {
        once(&mut self.initialised)
    }

    /// NtInitializeRegistry accepts the boot: once.
    ///
    /// # Errors
    /// `ACCESS_DENIED` for the second time.
    pub fn begin_acceptance(&mut self) -> Result<()> {
        once(&mut self.accepted)
    }

    /// Hives may be written to their files from now on.
    pub const fn enable_writes(&mut self) {
        self.writes = true;
    }

    /// Whether hives may be written to their files (spec 6.4).
    pub const fn writes_enabled(&self) -> bool {
        self.writes
    }

    /// A hive.
    pub fn mounted(&self, id: HiveId) -> Option<&Mounted> {
        self.hives.get(id.0)
    }

    /// A hive, to change.
    pub fn mounted_mut(&mut self, id: HiveId) -> Option<&mut Mounted> {
        self.hives.get_mut(id.0)
    }

    /// Every hive.
    pub fn hives(&self) -> impl Iterator<Item = (HiveId, &Mounted)> {
        self.hives
            .iter()
            .enumerate()
            .map(|(at, mounted)| (HiveId(at), mounted))
    }

    fn hive(&self, id: HiveId) -> Result<&Hive> {
        self.hives
            .get(id.0)
            .map(|mounted| &mounted.hive)
            .ok_or(Status::KEY_DELETED)
    }

    /// A key. `KEY_DELETED` if it is not there any more.
    pub fn key(&self, at: KeyRef) -> Result<&Key> {
        self.hive(at.hive)?.key(at.key).ok_or(Status::KEY_DELETED)
    }

    /// The self-relative security descriptor of a key.
    pub fn security(&self, at: KeyRef) -> Result<&[u8]> {
        self.hive(at.hive)?
            .security(at.key)
            .ok_or(Status::KEY_DELETED)
    }

    /// Gives a key a security descriptor.
    pub fn set_security(&mut self, at: KeyRef, descriptor: &[u8], uptime: u64) -> Result<()> {
        self.change(at, uptime)?.set_security(at.key, descriptor)?;
        Ok(())
    }

    fn change(&mut self, at: KeyRef, uptime: u64) -> Result<&mut Hive> {
        let mounted = self.hives.get_mut(at.hive.0).ok_or(Status::KEY_DELETED)?;
        let volatile = mounted
            .hive
            .key(at.key)
            .ok_or(Status::KEY_DELETED)?
            .volatile;
        if mounted.file.is_some() && !volatile && (mounted.dirty_since.is_none() || mounted.gave_up)
        {
            mounted.dirty_since = Some(uptime);
            mounted.gave_up = false;
        }
        Ok(&mut mounted.hive)
    }

    /// What a key of a hive stands for: itself, or the root of the hive mounted on it.
    fn through(&self, at: KeyRef) -> KeyRef {
        match self.mounts.get(&at) {
            Some(&hive) => KeyRef {
                hive,
                key: self
                    .hives
                    .get(hive.0)
                    .map_or(at.key, |mounted| mounted.hive.root()),
            },
            None => at,
        }
    }

    /// Mounts a hive under `parent`, by the name `name`, on a new volatile key.
    /// `OBJECT_NAME_COLLISION` if there is one.
    pub fn mount(
        &mut self,
        parent: KeyRef,
        name: UnicodeStr<'_>,
        hive: Hive,
        file: Option<Vec<u16>>,
    ) -> Result<HiveId> {
        let mounted = self
            .hives
            .get_mut(parent.hive.0)
            .ok_or(Status::KEY_DELETED)?;
        let point = KeyRef {
            hive: parent.hive,
            key: mounted.hive.create_key(parent.key, name, true, 0)?,
        };
        let id = HiveId(self.hives.len());
        self.hives.push(Mounted {
            hive,
            point: Some(point),
            file,
            dirty_since: None,
            gave_up: false,
        });
        self.mounts.insert(point, id);
        Ok(id)
    }

    /// The subkey of this name.
    pub fn subkey(&self, at: KeyRef, name: &[u16]) -> Option<KeyRef> {
        let key = self.hive(at.hive).ok()?.subkey(at.key, UnicodeStr(name))?;
        Some(self.through(KeyRef { hive: at.hive, key }))
    }

    /// The subkeys in the order of enumeration: mounted hives included.
    pub fn subkeys(&self, at: KeyRef) -> Result<impl Iterator<Item = KeyRef> + '_> {
        Ok(self
            .key(at)?
            .subkeys()
            .iter()
            .map(move |&key| self.through(KeyRef { hive: at.hive, key })))
    }

    /// The name by which a key is found: for the root of a hive, that of its mount point.
    pub fn name(&self, at: KeyRef) -> &[u16] {
        let named = match self.hives.get(at.hive.0) {
            Some(Mounted {
                hive,
                point: Some(point),
                ..
            }) if hive.root() == at.key => *point,
            _ => at,
        };
        self.key(named)
            .map(|key| key.name.as_slice())
            .unwrap_or_default()
    }

    /// The key above.
    pub fn parent(&self, at: KeyRef) -> Option<KeyRef> {
        match self.key(at).ok()?.parent() {
            Some(key) => Some(KeyRef { hive: at.hive, key }),
            None => {
                let point = self.hives.get(at.hive.0)?.point?;
                let key = self.key(point).ok()?.parent()?;
                Some(KeyRef {
                    hive: point.hive,
                    key,
                })
            }
        }
    }

    /// The whole name, `\REGISTRY\...`.
    pub fn path(&self, at: KeyRef) -> Vec<u16> {
        let mut names = Vec::new();
        let mut next = Some(at);
        while let Some(key) = next {
            names.push(self.name(key));
            next = self.parent(key);
        }
        names
            .into_iter()
            .rev()
            .flat_map(|name| [BACKSLASH].into_iter().chain(name.iter().copied()))
            .collect()
    }

    fn link_target(&self, at: KeyRef) -> Option<Vec<u16>> {
        let hive = self.hive(at.hive).ok()?;
        if !hive.key(at.key)?.link {
            return None;
        }
        let value = hive
            .value(at.key, nt::wide!("SymbolicLinkValue"))
            .filter(|value| value.kind == REG_LINK)?;
        Some(
            value
                .data
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect(),
        )
    }

    /// Follows `path` from `from`. With `open_link`, a link at its very end is what was asked for.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` if more than the last name is missing; `OBJECT_NAME_INVALID` for a
    /// name longer than 255 units.
    pub fn walk(&self, from: KeyRef, path: &[u16], open_link: bool) -> Result<Walk> {
        let mut at = from;
        let mut rest = path;
        loop {
            rest = rest.strip_prefix(&[BACKSLASH]).unwrap_or(rest);
            if (!rest.is_empty() || !open_link)
                && let Some(mut target) = self.link_target(at)
            {
                if !rest.is_empty() {
                    target.push(BACKSLASH);
                    target.extend_from_slice(rest);
                }
                return Ok(Walk::Link(target));
            }
            if rest.is_empty() {
                self.key(at)?;
                return Ok(Walk::Key(at));
            }
            let end = rest
                .iter()
                .position(|&unit| unit == BACKSLASH)
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() || name.len() > formats::hive::MAX_KEY_NAME {
                return Err(Status::OBJECT_NAME_INVALID);
            }
            match self.subkey(at, name) {
                Some(key) => at = key,
                None if after.iter().all(|&unit| unit == BACKSLASH) => {
                    return Ok(Walk::Missing {
                        parent: at,
                        name: name.to_vec(),
                    });
                }
                None => return Err(Status::OBJECT_NAME_NOT_FOUND),
            }
            rest = after;
        }
    }

    /// Follows an absolute path and every link on it: for the kernel's own use.
    pub fn find(&self, path: &str) -> Option<KeyRef> {
        let mut path = utf16(path);
        for _ in 0..8 {
            let rest = strip_root(&path)?;
            match self.walk(self.root(), rest, false).ok()? {
                Walk::Key(key) => return Some(key),
                Walk::Link(target) => path = target,
                Walk::Missing { .. } => return None,
            }
        }
        None
    }

    /// Makes a subkey of `parent`.
    pub fn create(
        &mut self,
        parent: KeyRef,
        name: &[u16],
        volatile: bool,
        now: u64,
        uptime: u64,
    ) -> Result<KeyRef> {
        // A volatile subkey changes nothing that is written.
        let hive = if volatile {
            &mut self
                .hives
                .get_mut(parent.hive.0)
                .ok_or(Status::KEY_DELETED)?
                .hive
        } else {
            self.change(parent, uptime)?
        };
        Ok(KeyRef {
            hive: parent.hive,
            key: hive.create_key(parent.key, UnicodeStr(name), volatile, now)?,
        })
    }

    /// Makes every key of `path` below `from` that is not there: for the kernel's own use. Links
    /// are not followed.
    pub fn create_path(
        &mut self,
        from: KeyRef,
        path: &str,
        volatile: bool,
        now: u64,
    ) -> Result<KeyRef> {
        path.split('\\')
            .filter(|name| !name.is_empty())
            .try_fold(from, |at, name| {
                let name = utf16(name);
                match self.subkey(at, &name) {
                    Some(key) => Ok(key),
                    None => self.create(at, &name, volatile, now, 0),
                }
            })
    }

    /// Makes a key a link to another.
    pub fn make_link(&mut self, at: KeyRef, target: &str, now: u64) -> Result<()> {
        let data = utf16_bytes(target);
        let hive = &mut self
            .hives
            .get_mut(at.hive.0)
            .ok_or(Status::KEY_DELETED)?
            .hive;
        hive.set_link(at.key, true)?;
        hive.set_value(at.key, nt::wide!("SymbolicLinkValue"), REG_LINK, data, now)?;
        Ok(())
    }

    /// Deletes a key. `CANNOT_DELETE` if it has subkeys or is the root of a hive.
    pub fn delete(&mut self, at: KeyRef, now: u64, uptime: u64) -> Result<()> {
        self.change(at, uptime)?.delete_key(at.key, now)?;
        Ok(())
    }

    /// A value. `OBJECT_NAME_NOT_FOUND`.
    pub fn value(&self, at: KeyRef, name: &[u16]) -> Result<&Value> {
        self.key(at)?;
        self.hive(at.hive)?
            .value(at.key, UnicodeStr(name))
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)
    }

    /// Sets a value.
    pub fn set_value(
        &mut self,
        at: KeyRef,
        name: &[u16],
        kind: u32,
        data: Vec<u8>,
        now: u64,
        uptime: u64,
    ) -> Result<()> {
        self.change(at, uptime)?
            .set_value(at.key, UnicodeStr(name), kind, data, now)?;
        Ok(())
    }

    /// Sets a REG_SZ, with its NUL: for the kernel's own use.
    pub fn set_string(&mut self, at: KeyRef, name: &str, text: &str, now: u64) -> Result<()> {
        let name = utf16(name);
        self.set_value(
            at,
            &name,
            nt::system::ValueType::SZ.0,
            formats::hive::reg_text::string_data(text),
            now,
            0,
        )
    }

    /// Sets a REG_DWORD: for the kernel's own use.
    pub fn set_dword(&mut self, at: KeyRef, name: &str, number: u32, now: u64) -> Result<()> {
        let name = utf16(name);
        self.set_value(
            at,
            &name,
            nt::system::ValueType::DWORD.0,
            number.to_le_bytes().to_vec(),
            now,
            0,
        )
    }

    /// Deletes a value. `OBJECT_NAME_NOT_FOUND`.
    pub fn delete_value(&mut self, at: KeyRef, name: &[u16], now: u64, uptime: u64) -> Result<()> {
        self.value(at, name)?;
        self.change(at, uptime)?
            .delete_value(at.key, UnicodeStr(name), now)?;
        Ok(())
    }

    /// The hives that differ from their files, and since when.
    pub fn dirty(&self) -> impl Iterator<Item = (HiveId, u64)> {
        self.hives()
            .filter_map(|(id, mounted)| mounted.dirty_since.map(|since| (id, since)))
    }

    /// Those of them that are to be written by and by.
    pub fn waiting(&self) -> impl Iterator<Item = (HiveId, u64)> {
        self.dirty()
            .filter(|(id, _)| self.mounted(*id).is_some_and(|mounted| !mounted.gave_up))
    }
}

/// What follows `\REGISTRY` in an absolute name.
pub fn strip_root(path: &[u16]) -> Option<&[u16]> {
    let head = UnicodeStr(path.get(..9)?);
    let rest = path.get(9..)?;
    (head.eq_ascii("\\REGISTRY") && rest.first().is_none_or(|&unit| unit == BACKSLASH))
        .then_some(rest)
}
