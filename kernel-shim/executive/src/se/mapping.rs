// SPDX-License-Identifier: GPL-2.0-or-later
//! What the generic rights mean for a type of objects.

/// GENERIC_MAPPING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenericMapping {
    /// What `GENERIC_READ` means.
    pub read: u32,
    /// What `GENERIC_WRITE` means.
    pub write: u32,
    /// What `GENERIC_EXECUTE` means.
    pub execute: u32,
    /// What `GENERIC_ALL` means.
    pub all: u32,
}

impl GenericMapping {
    /// RtlMapGenericMask.
    pub const fn map(self, mask: u32) -> u32 {
        let mut mapped = mask & 0x0FFF_FFFF;
        if mask & 0x8000_0000 != 0 {
            mapped |= self.read;
        }
        if mask & 0x4000_0000 != 0 {
            mapped |= self.write;
        }
        if mask & 0x2000_0000 != 0 {
            mapped |= self.execute;
        }
        if mask & 0x1000_0000 != 0 {
            mapped |= self.all;
        }
        mapped
    }
}
