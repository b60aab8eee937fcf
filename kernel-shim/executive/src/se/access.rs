// SPDX-License-Identifier: GPL-2.0-or-later
//! Access checks: what a request wants and has been granted, and the walk through
//! a DACL (spec 2.2).

use super::acl::{ALLOW, DENY, INHERIT_ONLY};
use super::descriptor::{Dacl, SecurityDescriptor};
use super::mapping::GenericMapping;
use super::token::{self, Token};
use nt::access::Access;
use nt::{Result, Status};

/// ACCESS_STATE: what a request wants, and what it has been granted so far.
#[derive(Clone, Debug)]
pub struct AccessState {
    /// What was asked for, generic rights mapped once the type is known.
    pub desired: Access,
    /// What is still to be granted.
    pub remaining: Access,
    /// What has been granted.
    pub granted: Access,
    /// The request comes from kernel mode: everything is granted.
    pub kernel: bool,
}

impl AccessState {
    /// A request for `desired`.
    pub const fn new(desired: Access, kernel: bool) -> Self {
        Self {
            desired,
            remaining: desired,
            granted: Access::empty(),
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
        self.granted = self
            .granted
            .union(wanted.difference(Access::MAXIMUM_ALLOWED));
        if wanted.contains(Access::MAXIMUM_ALLOWED) {
            self.granted = self.granted.union(mapping.all);
        }
        self.remaining = Access::empty();
    }
}

impl SecurityDescriptor {
    /// What `token` gets of `desired` (already mapped to the type's rights, `MAXIMUM_ALLOWED` may
    /// be in it).
    ///
    /// # Errors
    /// `ACCESS_DENIED`; `PRIVILEGE_NOT_HELD` for `ACCESS_SYSTEM_SECURITY` without
    /// SeSecurityPrivilege.
    pub fn check(
        &self,
        token: &Token,
        desired: Access,
        mapping: &GenericMapping,
    ) -> Result<Access> {
        /// What an owner always gets.
        const OWNER_RIGHTS: Access = Access::READ_CONTROL.union(Access::WRITE_DAC);
        let mut remaining = mapping.map(desired);
        let mut granted = Access::empty();
        if remaining.is_empty() {
            return Err(Status::ACCESS_DENIED);
        }
        if remaining.contains(Access::SYSTEM_SECURITY) {
            if !token.has(token::SECURITY) {
                return Err(Status::PRIVILEGE_NOT_HELD);
            }
            granted |= Access::SYSTEM_SECURITY;
        }
        if remaining.contains(Access::WRITE_OWNER) && token.has(token::TAKE_OWNERSHIP) {
            granted |= Access::WRITE_OWNER;
        }
        remaining -= granted;
        if remaining.is_empty() {
            return Ok(granted);
        }
        let Dacl::Aces(aces) = &self.dacl else {
            let all = if remaining.contains(Access::MAXIMUM_ALLOWED) {
                mapping.all
            } else {
                Access::empty()
            };
            return Ok(granted | all | (remaining - Access::MAXIMUM_ALLOWED));
        };
        if self
            .owner
            .as_ref()
            .is_some_and(|owner| token.is_member(owner, false))
        {
            if remaining.contains(Access::MAXIMUM_ALLOWED) {
                granted |= OWNER_RIGHTS;
            } else {
                granted |= remaining & OWNER_RIGHTS;
            }
        }
        let maximum = remaining.contains(Access::MAXIMUM_ALLOWED);
        let wanted = if maximum { Access::all() } else { remaining };
        let mut denied = Access::empty();
        for ace in aces.iter().filter(|ace| ace.flags & INHERIT_ONLY == 0) {
            let mask = mapping.map(ace.mask);
            match ace.kind {
                ALLOW if token.is_member(&ace.sid, false) => granted |= (mask & wanted) - denied,
                DENY if token.is_member(&ace.sid, true) => denied |= mask - granted,
                _ => {}
            }
        }
        let refused = remaining - Access::MAXIMUM_ALLOWED - granted;
        if !refused.is_empty() || granted.is_empty() {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(granted)
    }
}
