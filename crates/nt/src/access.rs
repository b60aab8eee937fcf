// SPDX-License-Identifier: GPL-2.0-or-later
//! Access masks, share modes and open options (spec 0.4).

use bitflags::bitflags;

bitflags! {
    /// An ACCESS_MASK: what a caller wants to do, or what a handle or an ACE grants.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Access: u32 {
        /// `DELETE`.
        const DELETE = 0x0001_0000;
        /// `READ_CONTROL`.
        const READ_CONTROL = 0x0002_0000;
        /// `WRITE_DAC`.
        const WRITE_DAC = 0x0004_0000;
        /// `WRITE_OWNER`.
        const WRITE_OWNER = 0x0008_0000;
        /// `SYNCHRONIZE`.
        const SYNCHRONIZE = 0x0010_0000;
        /// `ACCESS_SYSTEM_SECURITY`.
        const SYSTEM_SECURITY = 0x0100_0000;
        /// `MAXIMUM_ALLOWED`.
        const MAXIMUM_ALLOWED = 0x0200_0000;
        /// `GENERIC_ALL`.
        const GENERIC_ALL = 0x1000_0000;
        /// `GENERIC_EXECUTE`.
        const GENERIC_EXECUTE = 0x2000_0000;
        /// `GENERIC_WRITE`.
        const GENERIC_WRITE = 0x4000_0000;
        /// `GENERIC_READ`.
        const GENERIC_READ = 0x8000_0000;
        /// Every bit is legal: the low 16 mean what the object's type says.
        const _ = !0;
    }
}

impl Access {
    /// `DIRECTORY_ALL_ACCESS`.
    pub const DIRECTORY_ALL: Self = Self::from_bits_retain(0x000F_000F);
    /// `SYMBOLIC_LINK_ALL_ACCESS`.
    pub const SYMBOLIC_LINK_ALL: Self = Self::from_bits_retain(0x000F_0001);
    /// `EVENT_ALL_ACCESS`.
    pub const EVENT_ALL: Self = Self::from_bits_retain(0x001F_0003);
    /// `SECTION_ALL_ACCESS` (NT 5.2).
    pub const SECTION_ALL: Self = Self::from_bits_retain(0x000F_001F);
    /// `PROCESS_ALL_ACCESS` (NT 5.2).
    pub const PROCESS_ALL: Self = Self::from_bits_retain(0x001F_0FFF);
    /// `THREAD_ALL_ACCESS` (NT 5.2).
    pub const THREAD_ALL: Self = Self::from_bits_retain(0x001F_03FF);
    /// `PORT_ALL_ACCESS`.
    pub const PORT_ALL: Self = Self::from_bits_retain(0x001F_0001);
    /// `PROCESS_TERMINATE`.
    pub const PROCESS_TERMINATE: Self = Self::from_bits_retain(0x0001);
    /// `PROCESS_VM_READ`.
    pub const PROCESS_VM_READ: Self = Self::from_bits_retain(0x0010);
    /// `PROCESS_DUP_HANDLE`.
    pub const PROCESS_DUP_HANDLE: Self = Self::from_bits_retain(0x0040);
    /// `PROCESS_QUERY_INFORMATION`.
    pub const PROCESS_QUERY_INFORMATION: Self = Self::from_bits_retain(0x0400);
    /// `KEY_READ`.
    pub const KEY_READ: Self = Self::from_bits_retain(0x0002_0019);
    /// `KEY_WRITE`.
    pub const KEY_WRITE: Self = Self::from_bits_retain(0x0002_0006);
    /// `KEY_ALL_ACCESS`.
    pub const KEY_ALL: Self = Self::from_bits_retain(0x000F_003F);
    /// `KEY_SET_VALUE`.
    pub const KEY_SET_VALUE: Self = Self::from_bits_retain(0x0002);
    /// `FILE_LIST_DIRECTORY`, the same bit as `FILE_READ_DATA`.
    pub const FILE_LIST_DIRECTORY: Self = Self::from_bits_retain(0x0001);
    /// `FILE_READ_DATA`.
    pub const FILE_READ_DATA: Self = Self::from_bits_retain(0x0001);
    /// `FILE_WRITE_DATA`.
    pub const FILE_WRITE_DATA: Self = Self::from_bits_retain(0x0002);
    /// `FILE_APPEND_DATA`.
    pub const FILE_APPEND_DATA: Self = Self::from_bits_retain(0x0004);
    /// `FILE_EXECUTE`.
    pub const FILE_EXECUTE: Self = Self::from_bits_retain(0x0020);
    /// `FILE_READ_ATTRIBUTES`.
    pub const FILE_READ_ATTRIBUTES: Self = Self::from_bits_retain(0x0080);
    /// `FILE_WRITE_ATTRIBUTES`.
    pub const FILE_WRITE_ATTRIBUTES: Self = Self::from_bits_retain(0x0100);
    /// `SECTION_MAP_READ`.
    pub const SECTION_MAP_READ: Self = Self::from_bits_retain(0x0004);
    /// `SYMBOLIC_LINK_QUERY`.
    pub const SYMBOLIC_LINK_QUERY: Self = Self::from_bits_retain(0x0001);
}

bitflags! {
    /// Share access of an open file.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Share: u32 {
        /// Others may read.
        const READ = 1;
        /// Others may write.
        const WRITE = 2;
        /// Others may delete or rename.
        const DELETE = 4;
    }

    /// Options of NtOpenFile.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OpenOptions: u32 {
        /// `FILE_DIRECTORY_FILE`.
        const DIRECTORY_FILE = 0x1;
        /// `FILE_NO_INTERMEDIATE_BUFFERING`: past the cache, in whole sectors at the offsets and
        /// addresses of whole sectors.
        const NO_INTERMEDIATE_BUFFERING = 0x8;
        /// `FILE_SYNCHRONOUS_IO_NONALERT`.
        const SYNCHRONOUS_IO_NONALERT = 0x20;
        /// `FILE_NON_DIRECTORY_FILE`.
        const NON_DIRECTORY_FILE = 0x40;
        /// Options this project has no name for.
        const _ = !0;
    }
}
