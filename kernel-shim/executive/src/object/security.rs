// SPDX-License-Identifier: GPL-2.0-or-later
//! Security descriptors: reading and writing the self-relative form, what a new object gets, and
//! access checks (spec 2.2).
//!
//! Invariants: a descriptor of an object always has an owner and a group; masks in the effective
//! ACEs of an object's DACL are already mapped to the rights of its type; inherit-only ACEs keep
//! their generic rights.

use super::types::GenericMapping;
use crate::process::Token;
use alloc::vec;
use alloc::vec::Vec;
use nt::{Result, Status};

/// A security identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sid {
    /// IdentifierAuthority; the six bytes as a number.
    pub authority: u64,
    /// SubAuthority.
    pub sub: Vec<u32>,
}

impl Sid {
    /// A SID from its parts.
    pub fn new(authority: u64, sub: &[u32]) -> Self {
        Self {
            authority,
            sub: sub.to_vec(),
        }
    }

    /// Everyone.
    pub fn world() -> Self {
        Self::new(1, &[0])
    }

    /// Restricted code.
    pub fn restricted() -> Self {
        Self::new(5, &[12])
    }

    /// Local System.
    pub fn system() -> Self {
        Self::new(5, &[18])
    }

    /// Built-in Administrators.
    pub fn administrators() -> Self {
        Self::new(5, &[32, 544])
    }

    /// Creator owner.
    pub fn creator_owner() -> Self {
        Self::new(3, &[0])
    }

    /// Creator group.
    pub fn creator_group() -> Self {
        Self::new(3, &[1])
    }

    /// Authenticated users.
    pub fn authenticated_users() -> Self {
        Self::new(5, &[11])
    }

    /// Local.
    pub fn local() -> Self {
        Self::new(2, &[0])
    }

    /// Reads a SID at the start of `bytes`.
    ///
    /// # Errors
    /// `INVALID_SID`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let (&[revision, count, a, b, c, d, e, f], rest) =
            bytes.split_first_chunk::<8>().ok_or(Status::INVALID_SID)?;
        let sub = rest
            .get(..usize::from(count) * 4)
            .ok_or(Status::INVALID_SID)?;
        if revision != 1 || count > 15 {
            return Err(Status::INVALID_SID);
        }
        let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let sub = sub
            .chunks_exact(4)
            .map(|word| {
                word.iter()
                    .rev()
                    .fold(0, |value, &byte| value << 8 | u32::from(byte))
            })
            .collect();
        Ok(Self { authority, sub })
    }

    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1, self.sub.len() as u8];
        bytes.extend_from_slice(&self.authority.to_be_bytes()[2..]);
        self.sub
            .iter()
            .for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        bytes
    }
}

/// ACCESS_ALLOWED_ACE_TYPE.
pub const ALLOW: u8 = 0;
/// ACCESS_DENIED_ACE_TYPE.
pub const DENY: u8 = 1;
/// OBJECT_INHERIT_ACE.
pub const OBJECT_INHERIT: u8 = 1;
/// CONTAINER_INHERIT_ACE.
pub const CONTAINER_INHERIT: u8 = 2;
/// NO_PROPAGATE_INHERIT_ACE.
pub const NO_PROPAGATE: u8 = 4;
/// INHERIT_ONLY_ACE.
pub const INHERIT_ONLY: u8 = 8;
const INHERITANCE: u8 = OBJECT_INHERIT | CONTAINER_INHERIT | NO_PROPAGATE | INHERIT_ONLY;

/// An ACE that allows, denies, audits or alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// Its type, 0 to 3.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its mask.
    pub mask: u32,
    /// Whom it is about.
    pub sid: Sid,
}

impl Ace {
    /// An ACCESS_ALLOWED_ACE.
    pub const fn allow(flags: u8, mask: u32, sid: Sid) -> Self {
        Self {
            kind: ALLOW,
            flags,
            mask,
            sid,
        }
    }
}

/// A discretionary ACL as a descriptor has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dacl {
    /// None: everyone may do everything.
    Absent,
    /// A null ACL, explicitly: everyone may do everything.
    Null,
    /// These ACEs in this order.
    Aces(Vec<Ace>),
}

/// A security descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// The owner.
    pub owner: Option<Sid>,
    /// The primary group.
    pub group: Option<Sid>,
    /// The DACL.
    pub dacl: Dacl,
    /// `SE_DACL_DEFAULTED`: not an explicit wish, the parent's inheritable ACEs come first.
    pub defaulted: bool,
    /// The SACL, as it was given.
    pub sacl: Option<Vec<Ace>>,
}

const SE_DACL_PRESENT: u16 = 0x0004;
const SE_DACL_DEFAULTED: u16 = 0x0008;
const SE_SACL_PRESENT: u16 = 0x0010;
const SE_SELF_RELATIVE: u16 = 0x8000;
const HEADER: usize = 20;

fn word(bytes: &[u8], at: usize) -> Result<u16> {
    let pair = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<2>())
        .ok_or(Status::INVALID_SECURITY_DESCR)?;
    Ok(u16::from_le_bytes(*pair))
}

fn dword(bytes: &[u8], at: usize) -> Result<u32> {
    let four = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<4>())
        .ok_or(Status::INVALID_SECURITY_DESCR)?;
    Ok(u32::from_le_bytes(*four))
}

/// Reads an ACL.
///
/// # Errors
/// `INVALID_ACL`.
pub fn parse_acl(bytes: &[u8]) -> Result<Vec<Ace>> {
    let invalid = |_| Status::INVALID_ACL;
    let revision = *bytes.first().ok_or(Status::INVALID_ACL)?;
    let size = usize::from(word(bytes, 2).map_err(invalid)?);
    let count = word(bytes, 4).map_err(invalid)?;
    let mut rest = bytes.get(8..size).ok_or(Status::INVALID_ACL)?;
    if !(2..=4).contains(&revision) {
        return Err(Status::INVALID_ACL);
    }
    let mut aces = Vec::new();
    for _ in 0..count {
        let size = usize::from(word(rest, 2).map_err(invalid)?);
        let ace = rest
            .get(..size)
            .filter(|_| size % 4 == 0)
            .ok_or(Status::INVALID_ACL)?;
        let (kind, flags) = (
            ace.first().copied().ok_or(Status::INVALID_ACL)?,
            ace.get(1).copied().ok_or(Status::INVALID_ACL)?,
        );
        if kind > 3 {
            return Err(Status::INVALID_ACL);
        }
        let mask = dword(ace, 4).map_err(invalid)?;
        let sid = Sid::parse(ace.get(8..).unwrap_or_default()).map_err(invalid)?;
        aces.push(Ace {
            kind,
            flags,
            mask,
            sid,
        });
        rest = rest.get(size..).unwrap_or_default();
    }
    Ok(aces)
}

/// The bytes of an ACL of revision 2.
pub fn acl_bytes(aces: &[Ace]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0];
    bytes.extend_from_slice(&(aces.len() as u32).to_le_bytes());
    for ace in aces {
        let sid = ace.sid.bytes();
        bytes.extend_from_slice(&[ace.kind, ace.flags]);
        bytes.extend_from_slice(&(8 + sid.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&ace.mask.to_le_bytes());
        bytes.extend_from_slice(&sid);
    }
    let size = (bytes.len() as u16).to_le_bytes();
    bytes[2..4].copy_from_slice(&size);
    bytes
}

impl SecurityDescriptor {
    /// A descriptor with a DACL and nothing else.
    pub const fn with_dacl(aces: Vec<Ace>) -> Self {
        Self {
            owner: None,
            group: None,
            dacl: Dacl::Aces(aces),
            defaulted: false,
            sacl: None,
        }
    }

    /// Reads a self-relative descriptor.
    ///
    /// # Errors
    /// `INVALID_SECURITY_DESCR`, `INVALID_SID`, `INVALID_ACL`; `UNKNOWN_REVISION` for a revision
    /// that is not 1.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let control = word(bytes, 2)?;
        if bytes.first() != Some(&1) {
            return Err(Status::UNKNOWN_REVISION);
        }
        if control & SE_SELF_RELATIVE == 0 {
            return Err(Status::INVALID_SECURITY_DESCR);
        }
        let part = |field: usize| -> Result<Option<&[u8]>> {
            match dword(bytes, field)? as usize {
                0 => Ok(None),
                offset if offset < HEADER => Err(Status::INVALID_SECURITY_DESCR),
                offset => bytes
                    .get(offset..)
                    .map(Some)
                    .ok_or(Status::INVALID_SECURITY_DESCR),
            }
        };
        let owner = part(4)?.map(Sid::parse).transpose()?;
        let group = part(8)?.map(Sid::parse).transpose()?;
        let sacl = match part(12)? {
            Some(acl) if control & SE_SACL_PRESENT != 0 => Some(parse_acl(acl)?),
            _ => None,
        };
        let dacl = match (control & SE_DACL_PRESENT != 0, part(16)?) {
            (false, _) => Dacl::Absent,
            (true, None) => Dacl::Null,
            (true, Some(acl)) => Dacl::Aces(parse_acl(acl)?),
        };
        Ok(Self {
            owner,
            group,
            dacl,
            defaulted: control & SE_DACL_DEFAULTED != 0,
            sacl,
        })
    }

    /// Its self-relative bytes, with the parts in the order owner, group, SACL, DACL.
    pub fn bytes(&self) -> Vec<u8> {
        let mut control = SE_SELF_RELATIVE;
        let mut bytes = vec![0; HEADER];
        let mut put = |field: usize, part: Option<Vec<u8>>| {
            if let Some(part) = part {
                let offset = (bytes.len() as u32).to_le_bytes();
                bytes[field..field + 4].copy_from_slice(&offset);
                bytes.extend_from_slice(&part);
            }
        };
        put(4, self.owner.as_ref().map(Sid::bytes));
        put(8, self.group.as_ref().map(Sid::bytes));
        put(12, self.sacl.as_ref().map(|aces| acl_bytes(aces)));
        match &self.dacl {
            Dacl::Absent => {}
            Dacl::Null => control |= SE_DACL_PRESENT,
            Dacl::Aces(aces) => {
                control |= SE_DACL_PRESENT;
                put(16, Some(acl_bytes(aces)));
            }
        }
        if self.sacl.is_some() {
            control |= SE_SACL_PRESENT;
        }
        if self.defaulted {
            control |= SE_DACL_DEFAULTED;
        }
        bytes[0] = 1;
        bytes[2..4].copy_from_slice(&control.to_le_bytes());
        bytes
    }

    /// What a new object gets (SeAssignSecurity): `explicit` is what its creator asked for,
    /// `parent` its directory's descriptor. Owner and group that were not asked for come from
    /// the creator's token; the DACL is, in this order, an explicit one that is not defaulted,
    /// what the parent passes on, an explicit defaulted one, the token's default.
    pub fn assign(
        explicit: Option<&Self>,
        parent: Option<&Self>,
        container: bool,
        token: &Token,
        mapping: &GenericMapping,
    ) -> Self {
        let owner = explicit
            .and_then(|descriptor| descriptor.owner.clone())
            .unwrap_or_else(|| token.owner().clone());
        let group = explicit
            .and_then(|descriptor| descriptor.group.clone())
            .unwrap_or_else(|| token.primary_group.clone());
        let propagate = |aces: &[Ace], inherited: bool| {
            aces.iter()
                .flat_map(|ace| ace.propagate(inherited, container, mapping, &owner, &group))
                .collect()
        };
        let given = explicit.filter(|descriptor| descriptor.dacl != Dacl::Absent);
        let inherited: Vec<Ace> = match parent.map(|parent| &parent.dacl) {
            Some(Dacl::Aces(aces)) => propagate(aces, true),
            _ => Vec::new(),
        };
        let take = |dacl: &Dacl| match dacl {
            Dacl::Aces(aces) => Dacl::Aces(propagate(aces, false)),
            other => other.clone(),
        };
        let dacl = match given {
            Some(descriptor) if !descriptor.defaulted => take(&descriptor.dacl),
            _ if !inherited.is_empty() => Dacl::Aces(inherited),
            Some(descriptor) => take(&descriptor.dacl),
            None => match &token.default_dacl {
                Some(aces) => Dacl::Aces(propagate(aces, false)),
                None => Dacl::Absent,
            },
        };
        let sacl = explicit.and_then(|descriptor| descriptor.sacl.clone());
        Self {
            owner: Some(owner),
            group: Some(group),
            dacl,
            defaulted: false,
            sacl,
        }
    }

    /// Its DACL with the rights of effective ACEs mapped by a type.
    pub fn mapped_dacl(&self, mapping: &GenericMapping) -> Dacl {
        match &self.dacl {
            Dacl::Aces(aces) => {
                let nobody = Sid::new(0, &[0]);
                Dacl::Aces(
                    aces.iter()
                        .flat_map(|ace| ace.propagate(false, false, mapping, &nobody, &nobody))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }

    /// What `token` gets of `desired` (already mapped to the type's rights, `MAXIMUM_ALLOWED` may
    /// be in it).
    ///
    /// # Errors
    /// `ACCESS_DENIED`; `PRIVILEGE_NOT_HELD` for `ACCESS_SYSTEM_SECURITY` without
    /// SeSecurityPrivilege.
    pub fn check(&self, token: &Token, desired: u32, mapping: &GenericMapping) -> Result<u32> {
        const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
        const SYSTEM_SECURITY: u32 = 0x0100_0000;
        const WRITE_OWNER: u32 = 0x0008_0000;
        const OWNER_RIGHTS: u32 = 0x0006_0000;
        let mut remaining = mapping.map(desired);
        let mut granted = 0;
        if remaining == 0 {
            return Err(Status::ACCESS_DENIED);
        }
        if remaining & SYSTEM_SECURITY != 0 {
            if !token.has(crate::process::token::SECURITY) {
                return Err(Status::PRIVILEGE_NOT_HELD);
            }
            granted |= SYSTEM_SECURITY;
        }
        if remaining & WRITE_OWNER != 0 && token.has(crate::process::token::TAKE_OWNERSHIP) {
            granted |= WRITE_OWNER;
        }
        remaining &= !granted;
        if remaining == 0 {
            return Ok(granted);
        }
        let Dacl::Aces(aces) = &self.dacl else {
            let all = if remaining & MAXIMUM_ALLOWED == 0 {
                0
            } else {
                mapping.all
            };
            return Ok(granted | all | remaining & !MAXIMUM_ALLOWED);
        };
        if self
            .owner
            .as_ref()
            .is_some_and(|owner| token.is_member(owner, false))
        {
            if remaining & MAXIMUM_ALLOWED != 0 {
                granted |= OWNER_RIGHTS;
            } else {
                granted |= remaining & OWNER_RIGHTS;
            }
        }
        let maximum = remaining & MAXIMUM_ALLOWED != 0;
        let wanted = if maximum { !0 } else { remaining };
        let mut denied = 0;
        for ace in aces.iter().filter(|ace| ace.flags & INHERIT_ONLY == 0) {
            let mask = mapping.map(ace.mask);
            match ace.kind {
                ALLOW if token.is_member(&ace.sid, false) => granted |= mask & wanted & !denied,
                DENY if token.is_member(&ace.sid, true) => denied |= mask & !granted,
                _ => {}
            }
        }
        if remaining & !MAXIMUM_ALLOWED & !granted != 0 || granted == 0 {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(granted)
    }
}

impl Ace {
    /// What becomes of the ACE on a new object: itself with mapped rights (`inherited` false), or
    /// what the parent's ACE passes on.
    fn propagate(
        &self,
        inherited: bool,
        container: bool,
        mapping: &GenericMapping,
        owner: &Sid,
        group: &Sid,
    ) -> Vec<Self> {
        let flags = if !inherited {
            self.flags
        } else if !container {
            if self.flags & OBJECT_INHERIT == 0 {
                return Vec::new();
            }
            self.flags & !INHERITANCE
        } else if self.flags & CONTAINER_INHERIT != 0 {
            let cleared = if self.flags & NO_PROPAGATE != 0 {
                INHERITANCE
            } else {
                INHERIT_ONLY
            };
            self.flags & !cleared
        } else if self.flags & OBJECT_INHERIT != 0 && self.flags & NO_PROPAGATE == 0 {
            self.flags | INHERIT_ONLY
        } else {
            return Vec::new();
        };
        if flags & INHERIT_ONLY != 0 {
            return vec![Self {
                flags,
                ..self.clone()
            }];
        }
        let mask = mapping.map(self.mask) & mapping.all;
        let sid = match () {
            () if inherited && self.sid == Sid::creator_owner() => owner.clone(),
            () if inherited && self.sid == Sid::creator_group() => group.clone(),
            () => self.sid.clone(),
        };
        // A container's ACE that changes on the way down splits: the effective one, and the one
        // that is passed on unchanged.
        if inherited
            && container
            && flags & CONTAINER_INHERIT != 0
            && (mask != self.mask || sid != self.sid)
        {
            let effective = Self {
                kind: self.kind,
                flags: flags & !INHERITANCE,
                mask,
                sid,
            };
            return vec![
                effective,
                Self {
                    flags: flags | INHERIT_ONLY,
                    ..self.clone()
                },
            ];
        }
        vec![Self {
            kind: self.kind,
            flags,
            mask,
            sid,
        }]
    }
}

/// ACCESS_STATE: what a request wants, and what it has been granted so far.
#[derive(Clone, Debug)]
pub struct AccessState {
    /// What was asked for, generic rights mapped once the type is known.
    pub desired: u32,
    /// What is still to be granted.
    pub remaining: u32,
    /// What has been granted.
    pub granted: u32,
    /// The request comes from kernel mode: everything is granted.
    pub kernel: bool,
}

impl AccessState {
    /// A request for `desired`.
    pub const fn new(desired: u32, kernel: bool) -> Self {
        Self {
            desired,
            remaining: desired,
            granted: 0,
            kernel,
        }
    }

    /// Maps generic rights by the type.
    pub const fn map(&mut self, mapping: &GenericMapping) {
        self.desired = mapping.map(self.desired);
        self.remaining = mapping.map(self.remaining);
    }

    /// Grants everything that is still to be granted.
    pub const fn grant_all(&mut self, mapping: &GenericMapping) {
        let wanted = mapping.map(self.remaining);
        self.granted |= wanted & !0x0200_0000;
        if wanted & 0x0200_0000 != 0 {
            self.granted |= mapping.all;
        }
        self.remaining = 0;
    }
}
