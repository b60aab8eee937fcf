// SPDX-License-Identifier: GPL-2.0-or-later
//! The process and thread environment blocks of NT 5.2 x64, as a new process and a new thread find
//! them.
//!
//! Only what the kernel fills in is written; `ntdll` fills in the rest. Both blocks are bytes with
//! fields at their offsets: nothing in the kernel ever reads one back.

use alloc::vec;
use alloc::vec::Vec;

/// Bytes that the PEB and the first array of heaps behind it take.
pub const PEB_BYTES: usize = 0x1000;
/// Bytes of the TEB: two pages.
pub const TEB_BYTES: usize = 0x2000;

const PEB_SIZE: u64 = 0x358;

/// What the kernel knows of a new process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peb {
    /// Where the PEB itself is.
    pub address: u64,
    /// `ImageBaseAddress`.
    pub image_base: u64,
    /// `InheritedAddressSpace`.
    pub inherited: bool,
    /// `ProcessParameters`, if the kernel has made them (the first process).
    pub parameters: u64,
    /// ANSI and OEM code page tables and the upper-case table, or 0.
    pub national: [u64; 3],
    /// `OSMajorVersion`, `OSMinorVersion`.
    pub version: (u32, u32),
    /// `OSBuildNumber`.
    pub build: u16,
    /// `NtGlobalFlag`.
    pub global_flag: u32,
    /// The image's subsystem, with its major and minor version.
    pub subsystem: (u32, u32, u32),
    /// `SessionId`.
    pub session: u32,
}

/// What the kernel knows of a new thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Teb {
    /// Where the TEB itself is.
    pub address: u64,
    /// Where the PEB is.
    pub peb: u64,
    /// `ClientId`.
    pub process: u64,
    /// `ClientId`.
    pub thread: u64,
    /// Highest address of the stack.
    pub stack_base: u64,
    /// Lowest committed address of the stack.
    pub stack_limit: u64,
    /// Lowest reserved address of the stack.
    pub deallocation_stack: u64,
}

fn put<const N: usize>(bytes: &mut [u8], offset: usize, value: [u8; N]) {
    bytes[offset..offset + N].copy_from_slice(&value);
}

impl Peb {
    /// The block's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; PEB_BYTES];
        let block = bytes.as_mut_slice();
        block[0] = self.inherited.into();
        put(block, 0x08, u64::MAX.to_le_bytes()); // Mutant
        put(block, 0x10, self.image_base.to_le_bytes());
        put(block, 0x20, self.parameters.to_le_bytes());
        for (index, table) in self.national.into_iter().enumerate() {
            put(block, 0xa0 + 8 * index, table.to_le_bytes());
        }
        put(block, 0xb8, 1_u32.to_le_bytes()); // NumberOfProcessors
        put(block, 0xbc, self.global_flag.to_le_bytes());
        put(block, 0xc0, (-25_920_000_000_000_i64).to_le_bytes()); // CriticalSectionTimeout: 30 days
        put(block, 0xc8, 0x10_0000_u64.to_le_bytes()); // HeapSegmentReserve
        put(block, 0xd0, 0x2000_u64.to_le_bytes()); // HeapSegmentCommit
        put(block, 0xd8, 0x1_0000_u64.to_le_bytes()); // HeapDeCommitTotalFreeThreshold
        put(block, 0xe0, 0x1000_u64.to_le_bytes()); // HeapDeCommitFreeBlockThreshold
        put(
            block,
            0xec,
            ((PEB_BYTES as u64 - PEB_SIZE) as u32 / 8).to_le_bytes(),
        ); // MaximumNumberOfHeaps
        put(block, 0xf0, (self.address + PEB_SIZE).to_le_bytes()); // ProcessHeaps
        put(block, 0x118, self.version.0.to_le_bytes());
        put(block, 0x11c, self.version.1.to_le_bytes());
        put(block, 0x120, self.build.to_le_bytes());
        put(block, 0x124, 2_u32.to_le_bytes()); // OSPlatformId: VER_PLATFORM_WIN32_NT
        put(block, 0x128, self.subsystem.0.to_le_bytes());
        put(block, 0x12c, self.subsystem.1.to_le_bytes());
        put(block, 0x130, self.subsystem.2.to_le_bytes());
        put(block, 0x138, 1_u64.to_le_bytes()); // ImageProcessAffinityMask
        put(block, 0x2c0, self.session.to_le_bytes());
        put(block, 0x318, 0_u64.to_le_bytes()); // MinimumStackCommit
        bytes
    }
}

impl Teb {
    /// The block's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; TEB_BYTES];
        let block = bytes.as_mut_slice();
        put(block, 0x08, self.stack_base.to_le_bytes());
        put(block, 0x10, self.stack_limit.to_le_bytes());
        put(block, 0x20, 0x1e00_u64.to_le_bytes()); // Version
        put(block, 0x30, self.address.to_le_bytes()); // Self
        for client in [0x40, 0x7d8] {
            put(block, client, self.process.to_le_bytes());
            put(block, client + 8, self.thread.to_le_bytes());
        }
        put(block, 0x60, self.peb.to_le_bytes());
        put(block, 0x108, 0x409_u32.to_le_bytes()); // CurrentLocale
        put(block, 0x125a, 522_u16.to_le_bytes()); // StaticUnicodeString.MaximumLength
        put(block, 0x1260, (self.address + 0x1268).to_le_bytes()); // StaticUnicodeString.Buffer
        put(block, 0x1478, self.deallocation_stack.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{Peb, Teb};

    fn word(bytes: &[u8], offset: usize) -> u64 {
        u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("8 bytes"))
    }

    #[test]
    fn the_peb_has_its_fields_where_ntdll_looks_for_them() {
        let peb = Peb {
            address: 0x7ff_fffd_f000,
            image_base: 0x1_4000_0000,
            parameters: 0x2_0000,
            version: (5, 2),
            build: 3790,
            session: 7,
            ..Peb::default()
        };
        let bytes = peb.bytes();
        assert_eq!(word(&bytes, 0x08), u64::MAX);
        assert_eq!(word(&bytes, 0x10), 0x1_4000_0000);
        assert_eq!(word(&bytes, 0x20), 0x2_0000);
        assert_eq!(word(&bytes, 0xf0), 0x7ff_fffd_f358);
        assert_eq!(word(&bytes, 0x118), 2 << 32 | 5);
        assert_eq!(word(&bytes, 0x120), 2 << 32 | 3790);
        assert_eq!(word(&bytes, 0x2c0) as u32, 7);
    }

    #[test]
    fn the_teb_points_to_itself_its_process_and_its_stack() {
        let teb = Teb {
            address: 0x7ff_fffd_d000,
            peb: 0x7ff_fffd_f000,
            process: 12,
            thread: 16,
            stack_base: 0x4_0000,
            stack_limit: 0x3_f000,
            deallocation_stack: 0x3_0000,
        };
        let bytes = teb.bytes();
        let expected = [
            (0x08, 0x4_0000),
            (0x10, 0x3_f000),
            (0x30, 0x7ff_fffd_d000),
            (0x40, 12),
            (0x48, 16),
            (0x60, 0x7ff_fffd_f000),
        ];
        for (offset, value) in expected {
            assert_eq!(word(&bytes, offset), value, "{offset:#x}");
        }
        assert_eq!(word(&bytes, 0x1260), 0x7ff_fffd_e268);
        assert_eq!(word(&bytes, 0x1478), 0x3_0000);
    }
}
