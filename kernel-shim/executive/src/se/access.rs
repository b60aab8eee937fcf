// SPDX-License-Identifier: GPL-2.0-or-later
//! Access checks: what a request wants and has been granted, and the walk through
//! a DACL (spec 2.2).

use super::acl::{ALLOW, DENY, INHERIT_ONLY};
use super::descriptor::{Dacl, SecurityDescriptor};
use super::mapping::GenericMapping;
use super::token::{self, Token};
use nt::{Result, Status};

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

impl SecurityDescriptor {
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
            if !token.has(token::SECURITY) {
                return Err(Status::PRIVILEGE_NOT_HELD);
            }
            granted |= SYSTEM_SECURITY;
        }
        if remaining & WRITE_OWNER != 0 && token.has(token::TAKE_OWNERSHIP) {
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
