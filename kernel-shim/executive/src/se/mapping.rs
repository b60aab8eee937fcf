// SPDX-License-Identifier: GPL-2.0-or-later
//! What the generic rights mean for a type of objects.

use nt::access::Access;

/// The rights that mean something else for every type.
const GENERIC: Access = Access::GENERIC_READ
    .union(Access::GENERIC_WRITE)
    .union(Access::GENERIC_EXECUTE)
    .union(Access::GENERIC_ALL);

/// GENERIC_MAPPING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenericMapping {
    /// What `GENERIC_READ` means.
    pub read: Access,
    /// What `GENERIC_WRITE` means.
    pub write: Access,
    /// What `GENERIC_EXECUTE` means.
    pub execute: Access,
    /// What `GENERIC_ALL` means.
    pub all: Access,
}

impl GenericMapping {
    /// RtlMapGenericMask.
    pub const fn map(self, mask: Access) -> Access {
        let mut mapped = mask.difference(GENERIC);
        if mask.contains(Access::GENERIC_READ) {
            mapped = mapped.union(self.read);
        }
        if mask.contains(Access::GENERIC_WRITE) {
            mapped = mapped.union(self.write);
        }
        if mask.contains(Access::GENERIC_EXECUTE) {
            mapped = mapped.union(self.execute);
        }
        if mask.contains(Access::GENERIC_ALL) {
            mapped = mapped.union(self.all);
        }
        mapped
    }
}
