// SPDX-License-Identifier: GPL-2.0-or-later
//! Security descriptors: reading and writing the self-relative form, and what a new object gets
//! (spec 2.2).
//!
//! Invariants: a descriptor of an object always has an owner and a group; masks in the effective
//! ACEs of an object's DACL are already mapped to the rights of its type; inherit-only ACEs keep
//! their generic rights.

use super::acl::{Ace, acl_bytes, dword, parse_acl, word};
use super::mapping::GenericMapping;
use super::sid::Sid;
use super::token::Token;
use alloc::vec;
use alloc::vec::Vec;
use nt::{Result, Status};

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

    /// A descriptor that says nothing.
    pub const EMPTY: Self = Self {
        owner: None,
        group: None,
        dacl: Dacl::Absent,
        defaulted: false,
        sacl: None,
    };

    /// The parts of it that `information` (SECURITY_INFORMATION: owner 1, group 2, DACL 4, SACL 8)
    /// names.
    pub fn parts(&self, information: u32) -> Self {
        let mut part = Self::EMPTY;
        if information & 1 != 0 {
            part.owner.clone_from(&self.owner);
        }
        if information & 2 != 0 {
            part.group.clone_from(&self.group);
        }
        if information & 4 != 0 {
            part.dacl = self.dacl.clone();
        }
        if information & 8 != 0 {
            part.sacl.clone_from(&self.sacl);
        }
        part
    }

    /// Replaces the parts that `information` names by those of `new`, whose rights are mapped.
    ///
    /// # Errors
    /// `INVALID_OWNER`, `INVALID_PRIMARY_GROUP`: an object is never without.
    pub fn replace(&mut self, information: u32, new: Self, mapping: &GenericMapping) -> Result<()> {
        let dacl = (information & 4 != 0).then(|| new.mapped_dacl(mapping));
        if information & 1 != 0 {
            self.owner = Some(new.owner.ok_or(Status::INVALID_OWNER)?);
        }
        if information & 2 != 0 {
            self.group = Some(new.group.ok_or(Status::INVALID_PRIMARY_GROUP)?);
        }
        if let Some(dacl) = dacl {
            self.dacl = dacl;
        }
        if information & 8 != 0 {
            self.sacl = new.sacl;
        }
        Ok(())
    }
}
