// SPDX-License-Identifier: GPL-2.0-or-later
//! The security descriptors of what the session manager makes (spec 2.2), as constants of the
//! image.
//!
//! World and restricted code may use but not change; with `ProtectionMode` bit 0 clear everyone may
//! do everything (deviation D18: in ReactOS the value 0 has no effect).

use nt::descriptor;
use nt::security::{Ace, Descriptor, HEADER, Sid};

const ALL: u32 = 0x1000_0000;
const EXECUTE: u32 = 0x2000_0000;
const READ_EXECUTE: u32 = 0xA000_0000;
const READ_WRITE_EXECUTE: u32 = 0xE000_0000;

/// What a world that may do `mask` gets, on the object and on what is made inside it.
const fn shared(mask: u32) -> Descriptor {
    Descriptor::with_dacl(&[
        Ace::allow(mask, Sid::WORLD),
        Ace::allow(mask, Sid::RESTRICTED_CODE),
        Ace::allow(ALL, Sid::ADMINISTRATORS),
        Ace::inherit(mask, Sid::WORLD),
        Ace::inherit(mask, Sid::RESTRICTED_CODE),
        Ace::inherit(ALL, Sid::ADMINISTRATORS),
        Ace::inherit(ALL, Sid::CREATOR_OWNER),
    ])
}

const PRIMARY_DEFAULTED: &[u8] = descriptor!(shared(READ_EXECUTE).behind_defaulted());
const PRIMARY: &[u8] = PRIMARY_DEFAULTED.split_at(HEADER).1;
const LIBERAL_DEFAULTED: &[u8] = descriptor!(shared(READ_WRITE_EXECUTE).behind_defaulted());
const LIBERAL: &[u8] = LIBERAL_DEFAULTED.split_at(HEADER).1;
const OPEN_DEFAULTED: &[u8] = descriptor!(Descriptor::with_null_dacl().behind_defaulted());
const OPEN: &[u8] = OPEN_DEFAULTED.split_at(HEADER).1;
const KNOWN_DLLS: &[u8] = descriptor!(Descriptor::with_dacl(&[
    Ace::allow(EXECUTE, Sid::WORLD),
    Ace::allow(EXECUTE, Sid::RESTRICTED_CODE),
    Ace::allow(ALL, Sid::ADMINISTRATORS),
    Ace::inherit(READ_WRITE_EXECUTE, Sid::WORLD),
    Ace::inherit(READ_WRITE_EXECUTE, Sid::RESTRICTED_CODE),
    Ace::inherit(ALL, Sid::ADMINISTRATORS),
]));

/// Whether objects are protected: bit 0 of `ProtectionMode` (spec 2.3 #1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    on: bool,
}

impl Protection {
    /// As `ProtectionMode` says.
    pub const fn from_mode(mode: u32) -> Self {
        Self { on: mode & 1 != 0 }
    }

    /// For object directories and `\Sessions`.
    pub const fn primary(self) -> &'static [u8] {
        if self.on { PRIMARY } else { OPEN }
    }

    /// For DOS device links and `KnownDllPath`: inheritable ACEs of the directory take precedence.
    pub const fn primary_defaulted(self) -> &'static [u8] {
        if self.on {
            PRIMARY_DEFAULTED
        } else {
            OPEN_DEFAULTED
        }
    }

    /// For `\Windows` and `\RPC Control`.
    pub const fn liberal(self) -> &'static [u8] {
        if self.on { LIBERAL } else { OPEN }
    }

    /// For the sections of known DLLs: everyone must end up with `SECTION_MAP_WRITE`.
    pub const fn liberal_defaulted(self) -> &'static [u8] {
        if self.on {
            LIBERAL_DEFAULTED
        } else {
            OPEN_DEFAULTED
        }
    }
}

/// For `\KnownDlls`, whatever the protection.
pub const fn known_dlls() -> &'static [u8] {
    KNOWN_DLLS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const WORLD: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const RESTRICTED: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 12, 0, 0, 0];
    const CREATOR: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
    const ADMINISTRATORS: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];

    fn reference(control: u16, aces: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut acl = Vec::new();
        for (flags, mask, sid) in aces {
            acl.extend([
                0,
                *flags,
                u8::try_from(8 + sid.len()).unwrap(),
                0,
                0,
                0,
                0,
                *mask,
            ]);
            acl.extend(*sid);
        }
        let mut all = [
            &[1, 0][..],
            &control.to_le_bytes(),
            &[0; 12],
            &[20, 0, 0, 0, 2, 0],
        ]
        .concat();
        all.extend(u16::try_from(acl.len() + 8).unwrap().to_le_bytes());
        all.extend([u8::try_from(aces.len()).unwrap(), 0, 0, 0]);
        all.extend(acl);
        all
    }

    fn shared_reference(control: u16, world: u8) -> Vec<u8> {
        reference(
            control,
            &[
                (0, world, WORLD),
                (0, world, RESTRICTED),
                (0, 0x10, ADMINISTRATORS),
                (0x0B, world, WORLD),
                (0x0B, world, RESTRICTED),
                (0x0B, 0x10, ADMINISTRATORS),
                (0x0B, 0x10, CREATOR),
            ],
        )
    }

    /// A defaulted descriptor whose DACL is that of `plain` behind it.
    fn defaulted(plain: &[u8], dacl: u8) -> Vec<u8> {
        let control = &[1, 0, 0x0C, 0x80][..];
        [control, &[0; 12], &[dacl, 0, 0, 0], plain].concat()
    }

    #[test]
    fn spec_2_2_protected() {
        let on = Protection::from_mode(1);
        assert_eq!(on.primary(), shared_reference(0x8004, 0xA0));
        assert_eq!(on.primary_defaulted(), defaulted(on.primary(), 40));
        assert_eq!(on.liberal(), shared_reference(0x8004, 0xE0));
        assert_eq!(on.liberal_defaulted(), defaulted(on.liberal(), 40));
        assert_eq!(Protection::from_mode(3), on);
        // The mask is that of world and restricted code, and of nobody else.
        assert_eq!(shared(EXECUTE).as_bytes(), shared_reference(0x8004, 0x20));
    }

    #[test]
    fn spec_2_2_protection_off_is_a_null_dacl() {
        let off = Protection::from_mode(0);
        let null = [&[1, 0, 4, 0x80][..], &[0; 16]].concat();
        assert_eq!(off.primary(), null);
        assert_eq!(off.liberal(), null);
        assert_eq!(off.primary_defaulted(), defaulted(&null, 0));
        assert_eq!(off.liberal_defaulted(), defaulted(&null, 0));
        assert_eq!(Protection::from_mode(2), off);
    }

    #[test]
    fn spec_2_2_known_dlls() {
        let expected = reference(
            0x8004,
            &[
                (0, 0x20, WORLD),
                (0, 0x20, RESTRICTED),
                (0, 0x10, ADMINISTRATORS),
                (0x0B, 0xE0, WORLD),
                (0x0B, 0xE0, RESTRICTED),
                (0x0B, 0x10, ADMINISTRATORS),
            ],
        );
        assert_eq!(known_dlls(), expected);
    }
}
