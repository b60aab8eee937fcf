// SPDX-License-Identifier: GPL-2.0-or-later
//! How large a paging file becomes: from the token, or from the memory of the machine, in 64-bit
//! arithmetic (spec 4.3). Pure.

use crate::token::{MEGABYTE, Size};

/// The largest paging file that a kernel takes: one page less than 16 TB, (2^32 - 1) pages
/// (deviation D16).
pub const CAP: u64 = (1 << 44) - 4096;
/// The same for an i386 kernel whose page tables have entries of 32 bits.
pub const NARROW_CAP: u64 = 4095 * MEGABYTE;
/// The least that is tried when there is no room for more (spec 4.4).
pub const LEAST: u64 = 16 * MEGABYTE;
/// By how much the next try is smaller (spec 4.4 #5).
pub const STEP: u64 = 16 * MEGABYTE;
/// What stays free on a volume: as Windows has it (deviation D16: ReactOS keeps 256 MB).
pub const RESERVE: u64 = 32 * MEGABYTE;

/// What a file is given whose size is the system's to say, where the memory of the machine is not known.
const UNKNOWN_MEMORY: u64 = 128 * MEGABYTE;

/// Minimum and maximum of a paging file, in bytes; the minimum is not the larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// At the start.
    pub minimum: u64,
    /// At most.
    pub maximum: u64,
}

/// What `size` means on a machine with `memory` bytes of RAM, if that is known, and a kernel that
/// takes paging files of up to `cap` bytes: [`CAP`] or [`NARROW_CAP`].
///
/// ```
/// use pagefile::sizing::{CAP, Sizes, sizes};
/// use pagefile::token::{MEGABYTE, Size};
///
/// let managed = sizes(Size::Managed, Some(512 * MEGABYTE), CAP);
/// assert_eq!(managed, Sizes { minimum: 768 * MEGABYTE, maximum: 1536 * MEGABYTE });
/// ```
pub fn sizes(size: Size, memory: Option<u64>, cap: u64) -> Sizes {
    let (minimum, maximum) = match (size, memory) {
        (Size::Explicit { minimum, maximum }, _) => (minimum, maximum),
        (Size::Managed, None) => (UNKNOWN_MEMORY, UNKNOWN_MEMORY),
        (Size::Managed, Some(memory)) => {
            let maximum = memory.saturating_mul(3);
            (
                if memory < 1024 * MEGABYTE {
                    maximum / 2
                } else {
                    memory
                },
                maximum,
            )
        }
    };
    Sizes {
        minimum: minimum.min(cap),
        maximum: maximum.max(minimum).min(cap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn megabytes(sizes: Sizes) -> (u64, u64) {
        (sizes.minimum / MEGABYTE, sizes.maximum / MEGABYTE)
    }

    fn explicit(minimum: u64, maximum: u64) -> Sizes {
        sizes(
            Size::Explicit {
                minimum: minimum * MEGABYTE,
                maximum: maximum * MEGABYTE,
            },
            None,
            CAP,
        )
    }

    #[test]
    fn spec_4_3_explicit() {
        assert_eq!(megabytes(explicit(64, 128)), (64, 128));
        assert_eq!(megabytes(explicit(200, 100)), (200, 200));
        assert_eq!(megabytes(explicit(64, 0)), (64, 64));
        assert_eq!(
            explicit(1 << 24, 1 << 25),
            Sizes {
                minimum: CAP,
                maximum: CAP
            }
        );
    }

    #[test]
    fn spec_4_3_system_managed() {
        let managed = |memory: u64| megabytes(sizes(Size::Managed, Some(memory * MEGABYTE), CAP));
        assert_eq!(managed(512), (768, 1536));
        assert_eq!(managed(1023), (1534, 3069));
        assert_eq!(managed(1024), (1024, 3072));
        assert_eq!(
            managed(8192),
            (8192, 24576),
            "RAM of 4 GB and more does not wrap"
        );
        assert_eq!(megabytes(sizes(Size::Managed, None, CAP)), (128, 128));
        assert_eq!(sizes(Size::Managed, Some(u64::MAX), CAP).maximum, CAP);
    }

    #[test]
    fn spec_4_3_without_pae_an_i386_kernel_takes_4095_megabytes() {
        let narrow = |memory: u64| {
            let memory = Some(memory * MEGABYTE);
            megabytes(sizes(Size::Managed, memory, NARROW_CAP))
        };
        assert_eq!(narrow(1024), (1024, 3072));
        assert_eq!(narrow(2048), (2048, 4095));
        assert_eq!(narrow(8192), (4095, 4095));
    }
}
