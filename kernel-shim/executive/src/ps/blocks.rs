// SPDX-License-Identifier: GPL-2.0-or-later
//! The process and thread environment blocks of NT 5.2, as a new process and a new thread find them.
//!
//! Only what the kernel fills in is written; `ntdll` fills in the rest. Nothing in the kernel ever
//! reads a whole block back.

use crate::layout::{self, UnicodeString, Word};
use crate::machine::Architecture;
use abi::{amd64, i386};
use alloc::vec;
use alloc::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

/// Bytes that the PEB and the first array of heaps behind it take.
pub const PEB_BYTES: usize = 0x1000;

/// Where the fields of both blocks lie that [`layout::Peb`] and [`layout::Teb`] do not reach.
#[derive(Clone, Copy, Debug)]
pub struct Far {
    /// Bytes of the PEB, and where its array of heaps begins.
    peb: usize,
    /// `SessionId` in the PEB.
    session: usize,
    /// Bytes of the pages of the TEB.
    pub teb: usize,
    /// `RealClientId` in the TEB.
    real_client: usize,
    /// `StaticUnicodeString` in the TEB.
    string: usize,
    /// `StaticUnicodeBuffer` in the TEB.
    string_buffer: usize,
    /// `DeallocationStack` in the TEB.
    pub deallocation_stack: usize,
    /// `FreeStackOnTermination` in the TEB.
    pub free_stack: usize,
}

impl Far {
    /// For programs of this kind.
    pub const fn of(architecture: Architecture) -> Self {
        match architecture {
            Architecture::Amd64 => Self {
                peb: amd64::peb::SIZE,
                session: amd64::peb::SESSION_ID,
                teb: amd64::teb::SIZE,
                real_client: amd64::teb::REAL_CLIENT_ID,
                string: amd64::teb::STATIC_UNICODE_STRING,
                string_buffer: amd64::teb::STATIC_UNICODE_BUFFER,
                deallocation_stack: amd64::teb::DEALLOCATION_STACK,
                free_stack: amd64::teb::FREE_STACK_ON_TERMINATION,
            },
            Architecture::I386 => Self {
                peb: i386::peb::SIZE,
                session: i386::peb::SESSION_ID,
                teb: i386::teb::SIZE,
                real_client: i386::teb::REAL_CLIENT_ID,
                string: i386::teb::STATIC_UNICODE_STRING,
                string_buffer: i386::teb::STATIC_UNICODE_BUFFER,
                deallocation_stack: i386::teb::DEALLOCATION_STACK,
                free_stack: i386::teb::FREE_STACK_ON_TERMINATION,
            },
        }
    }
}

/// Bytes of `StaticUnicodeBuffer`.
const STRING_BYTES: u16 = amd64::teb::STATIC_UNICODE_BYTES;
const _: () = assert!(STRING_BYTES == i386::teb::STATIC_UNICODE_BYTES);

/// `Mutant` of a process that has none.
const NO_MUTANT: u64 = u64::MAX;
/// `CriticalSectionTimeout`, 100 ns, relative.
const THIRTY_DAYS: i64 = -30 * 24 * 60 * 60 * 10_000_000;
const VER_PLATFORM_WIN32_NT: u32 = 2;
/// `NtTib.Version`.
const TIB_VERSION: u64 = 0x1E00;
const LOCALE_US_ENGLISH: u32 = 0x409;
/// `ExceptionList` of an i386 thread that has no handler.
const NO_EXCEPTION_HANDLER: u64 = 0xFFFF_FFFF;

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

fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

impl Peb {
    /// The block's bytes.
    pub fn bytes(&self, architecture: Architecture) -> Vec<u8> {
        let far = Far::of(architecture);
        let [ansi, oem, upper_case] = self.national;
        let head = layout::Peb {
            inherited_address_space: self.inherited.into(),
            mutant: NO_MUTANT,
            image_base: self.image_base,
            parameters: self.parameters,
            ansi_code_page_data: ansi,
            oem_code_page_data: oem,
            unicode_case_table_data: upper_case,
            processors: 1,
            global_flag: self.global_flag,
            critical_section_timeout: THIRTY_DAYS.cast_unsigned(),
            heap_segment_reserve: 0x10_0000,
            heap_segment_commit: 0x2000,
            heap_decommit_total_free_threshold: 0x1_0000,
            heap_decommit_free_block_threshold: 0x1000,
            maximum_heaps: ((PEB_BYTES - far.peb) / architecture.size_of::<Word>()) as u32,
            process_heaps: self.address + far.peb as u64,
            os_major_version: self.version.0,
            os_minor_version: self.version.1,
            os_build_number: self.build,
            os_platform: VER_PLATFORM_WIN32_NT,
            image_subsystem: self.subsystem.0,
            image_subsystem_major_version: self.subsystem.1,
            image_subsystem_minor_version: self.subsystem.2,
            affinity: 1,
            ..layout::Peb::default()
        };
        let mut bytes = vec![0; PEB_BYTES];
        put(&mut bytes, 0, &architecture.bytes_of(head));
        put(&mut bytes, far.session, self.session.as_bytes());
        bytes
    }
}

impl Teb {
    /// The block's bytes.
    pub fn bytes(&self, architecture: Architecture) -> Vec<u8> {
        let far = Far::of(architecture);
        let client = layout::ClientId {
            process: self.process,
            thread: self.thread,
        };
        let head = layout::Teb {
            exception_list: match architecture {
                Architecture::Amd64 => 0,
                Architecture::I386 => NO_EXCEPTION_HANDLER,
            },
            stack_base: self.stack_base,
            stack_limit: self.stack_limit,
            version: TIB_VERSION,
            this: self.address,
            client,
            peb: self.peb,
            current_locale: LOCALE_US_ENGLISH,
            ..layout::Teb::new_zeroed()
        };
        let scratch = UnicodeString {
            maximum_length: STRING_BYTES,
            buffer: self.address + far.string_buffer as u64,
            ..UnicodeString::default()
        };
        let mut bytes = vec![0; far.teb];
        put(&mut bytes, 0, &architecture.bytes_of(head));
        put(&mut bytes, far.real_client, &architecture.bytes_of(client));
        put(&mut bytes, far.string, &architecture.bytes_of(scratch));
        put(
            &mut bytes,
            far.deallocation_stack,
            &architecture.bytes_of(Word(self.deallocation_stack)),
        );
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{Architecture, Peb, Teb};

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
        let bytes = peb.bytes(Architecture::Amd64);
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
        let bytes = teb.bytes(Architecture::Amd64);
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
    #[test]
    fn an_i386_program_finds_its_blocks_in_their_own_form() {
        let half = |bytes: &[u8], offset: usize| word(bytes, offset) as u32;
        let peb = Peb {
            address: 0x7FFD_F000,
            image_base: 0x40_0000,
            session: 7,
            ..Peb::default()
        };
        let bytes = peb.bytes(Architecture::I386);
        assert_eq!(half(&bytes, 0x08), 0x40_0000);
        assert_eq!(half(&bytes, 0x90), 0x7FFD_F230);
        assert_eq!(half(&bytes, 0x1D4), 7);
        let teb = Teb {
            address: 0x7FFD_E000,
            peb: 0x7FFD_F000,
            process: 12,
            thread: 16,
            stack_base: 0x13_0000,
            stack_limit: 0x12_F000,
            deallocation_stack: 0x3_0000,
        };
        let bytes = teb.bytes(Architecture::I386);
        let expected = [
            (0x00, u32::MAX),
            (0x04, 0x13_0000),
            (0x08, 0x12_F000),
            (0x18, 0x7FFD_E000),
            (0x20, 12),
            (0x24, 16),
            (0x30, 0x7FFD_F000),
            (0x6B4, 12),
            (0xBFC, 0x7FFD_EC00),
            (0xE0C, 0x3_0000),
        ];
        for (offset, value) in expected {
            assert_eq!(half(&bytes, offset), value, "{offset:#x}");
        }
        assert_eq!(bytes.len(), 0x1000);
    }
}
