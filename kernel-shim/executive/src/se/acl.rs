// SPDX-License-Identifier: GPL-2.0-or-later
//! Access control lists: their entries, their binary form, and what a parent passes on (spec 2.2).

use super::mapping::GenericMapping;
use super::sid::Sid;
use alloc::vec;
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Result, Status};

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
    pub mask: Access,
    /// Whom it is about.
    pub sid: Sid,
}

impl Ace {
    /// An ACCESS_ALLOWED_ACE.
    pub const fn allow(flags: u8, mask: Access, sid: Sid) -> Self {
        Self {
            kind: ALLOW,
            flags,
            mask,
            sid,
        }
    }
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
        let mask = Access::from_bits_retain(dword(ace, 4).map_err(invalid)?);
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
        bytes.extend_from_slice(&ace.mask.bits().to_le_bytes());
        bytes.extend_from_slice(&sid);
    }
    let size = (bytes.len() as u16).to_le_bytes();
    bytes[2..4].copy_from_slice(&size);
    bytes
}

impl Ace {
    /// What becomes of the ACE on a new object: itself with mapped rights (`inherited` false), or
    /// what the parent's ACE passes on.
    pub(super) fn propagate(
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

pub(super) fn word(bytes: &[u8], at: usize) -> Result<u16> {
    let pair = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<2>())
        .ok_or(Status::INVALID_SECURITY_DESCR)?;
    Ok(u16::from_le_bytes(*pair))
}

pub(super) fn dword(bytes: &[u8], at: usize) -> Result<u32> {
    let four = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<4>())
        .ok_or(Status::INVALID_SECURITY_DESCR)?;
    Ok(u32::from_le_bytes(*four))
}
