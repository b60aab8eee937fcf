// SPDX-License-Identifier: GPL-2.0-or-later
//! `PAGE_` protections: what user mode may do with a page, and what a copy on write makes of it.

use crate::machine::PageAccess;
use abi::memory;
use nt::{Result, Status};

/// `PAGE_` protection: one base protection and modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protect(pub u32);

impl Protect {
    /// `PAGE_NOACCESS`.
    pub const NO_ACCESS: Self = Self(memory::PAGE_NOACCESS);
    /// `PAGE_READONLY`.
    pub const READ_ONLY: Self = Self(memory::PAGE_READONLY);
    /// `PAGE_READWRITE`.
    pub const READ_WRITE: Self = Self(memory::PAGE_READWRITE);
    /// `PAGE_WRITECOPY`.
    pub const WRITE_COPY: Self = Self(memory::PAGE_WRITECOPY);
    /// `PAGE_EXECUTE`.
    pub const EXECUTE: Self = Self(memory::PAGE_EXECUTE);
    /// `PAGE_EXECUTE_READ`.
    pub const EXECUTE_READ: Self = Self(memory::PAGE_EXECUTE_READ);
    /// `PAGE_EXECUTE_READWRITE`.
    pub const EXECUTE_READ_WRITE: Self = Self(memory::PAGE_EXECUTE_READWRITE);
    /// `PAGE_EXECUTE_WRITECOPY`.
    pub const EXECUTE_WRITE_COPY: Self = Self(memory::PAGE_EXECUTE_WRITECOPY);
    /// `PAGE_GUARD`.
    pub const GUARD: u32 = memory::PAGE_GUARD;
    const NO_CACHE: u32 = memory::PAGE_NOCACHE;
    const WRITE_COMBINE: u32 = memory::PAGE_WRITECOMBINE;

    /// A protection from a caller. `INVALID_PAGE_PROTECTION` unless exactly one base protection is
    /// set and the modifiers go with it.
    pub const fn parse(raw: u32) -> Result<Self> {
        let modifiers = Self::GUARD | Self::NO_CACHE | Self::WRITE_COMBINE;
        let base = raw & !modifiers;
        let alone = base == Self::NO_ACCESS.0 && raw != base;
        let both = raw & Self::NO_CACHE != 0 && raw & Self::WRITE_COMBINE != 0;
        if base > 0x80 || !base.is_power_of_two() || alone || both {
            Err(Status::INVALID_PAGE_PROTECTION)
        } else {
            Ok(Self(raw))
        }
    }

    /// Without modifiers.
    pub const fn base(self) -> Self {
        Self(self.0 & 0xFF)
    }

    /// Whether the first touch raises a guard-page exception.
    pub const fn is_guard(self) -> bool {
        self.0 & Self::GUARD != 0
    }

    /// Without the guard.
    pub const fn unguarded(self) -> Self {
        Self(self.0 & !Self::GUARD)
    }

    /// Whether a write makes a private copy.
    pub const fn is_copy(self) -> bool {
        matches!(self.base(), Self::WRITE_COPY | Self::EXECUTE_WRITE_COPY)
    }

    /// Whether a write is allowed, if only to a copy.
    pub const fn is_writable(self) -> bool {
        matches!(self.base(), Self::READ_WRITE | Self::EXECUTE_READ_WRITE) || self.is_copy()
    }

    /// Whether instructions may be fetched.
    pub const fn is_executable(self) -> bool {
        self.0 & 0xF0 != 0
    }

    /// The protection once the private copy is made.
    pub const fn copied(self) -> Self {
        match self.base() {
            Self::WRITE_COPY => Self(self.0 & !0xFF | Self::READ_WRITE.0),
            Self::EXECUTE_WRITE_COPY => Self(self.0 & !0xFF | Self::EXECUTE_READ_WRITE.0),
            _ => self,
        }
    }

    /// What a writable protection becomes in a view whose pages are shared with an image: a copy on
    /// write.
    pub const fn sharing(self) -> Self {
        match self.base() {
            Self::READ_WRITE => Self(self.0 & !0xFF | Self::WRITE_COPY.0),
            Self::EXECUTE_READ_WRITE => Self(self.0 & !0xFF | Self::EXECUTE_WRITE_COPY.0),
            _ => self,
        }
    }

    /// What is allowed.
    pub const fn allows(self, access: PageAccess) -> bool {
        if matches!(self.base(), Self::NO_ACCESS) {
            return false;
        }
        (!access.contains(PageAccess::WRITE) || self.is_writable())
            && (!access.contains(PageAccess::EXECUTE) || self.is_executable())
    }

    /// What the machine is told; `private`: the frame belongs to this address space alone, or is
    /// meant to be written by all that share it.
    pub fn machine(self, private: bool) -> PageAccess {
        if self.is_guard() || self.base() == Self::NO_ACCESS {
            return PageAccess::empty();
        }
        let mut access = PageAccess::READ;
        if self.is_writable() && (private || !self.is_copy()) {
            access |= PageAccess::WRITE;
        }
        if self.is_executable() {
            access |= PageAccess::EXECUTE;
        }
        access
    }
}
