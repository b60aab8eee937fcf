// SPDX-License-Identifier: GPL-2.0-or-later
//! Access masks, share modes and open options (spec 0.4).

use bitflags::bitflags;

bitflags! {
    /// An ACCESS_MASK: what a caller wants to do, or what a handle or an ACE grants.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    /// `DIRECTORY_QUERY`.
    pub const DIRECTORY_QUERY: Self = Self::from_bits_retain(0x0001);
    /// `DIRECTORY_TRAVERSE`.
    pub const DIRECTORY_TRAVERSE: Self = Self::from_bits_retain(0x0002);
    /// `DIRECTORY_CREATE_OBJECT`.
    pub const DIRECTORY_CREATE_OBJECT: Self = Self::from_bits_retain(0x0004);
    /// `DIRECTORY_CREATE_SUBDIRECTORY`.
    pub const DIRECTORY_CREATE_SUBDIRECTORY: Self = Self::from_bits_retain(0x0008);
    /// `SYMBOLIC_LINK_ALL_ACCESS`.
    pub const SYMBOLIC_LINK_ALL: Self = Self::from_bits_retain(0x000F_0001);
    /// `SYMBOLIC_LINK_QUERY`.
    pub const SYMBOLIC_LINK_QUERY: Self = Self::from_bits_retain(0x0001);
    /// `EVENT_ALL_ACCESS`.
    pub const EVENT_ALL: Self = Self::from_bits_retain(0x001F_0003);
    /// `EVENT_QUERY_STATE`.
    pub const EVENT_QUERY_STATE: Self = Self::from_bits_retain(0x0001);
    /// `EVENT_MODIFY_STATE`.
    pub const EVENT_MODIFY_STATE: Self = Self::from_bits_retain(0x0002);
    /// `MUTANT_ALL_ACCESS`.
    pub const MUTANT_ALL: Self = Self::from_bits_retain(0x001F_0001);
    /// `MUTANT_QUERY_STATE`.
    pub const MUTANT_QUERY_STATE: Self = Self::from_bits_retain(0x0001);
    /// `SEMAPHORE_QUERY_STATE`.
    pub const SEMAPHORE_QUERY_STATE: Self = Self::from_bits_retain(0x0001);
    /// `SEMAPHORE_MODIFY_STATE`.
    pub const SEMAPHORE_MODIFY_STATE: Self = Self::from_bits_retain(0x0002);
    /// `SECTION_ALL_ACCESS` (NT 5.2).
    pub const SECTION_ALL: Self = Self::from_bits_retain(0x000F_001F);
    /// `SECTION_QUERY`.
    pub const SECTION_QUERY: Self = Self::from_bits_retain(0x0001);
    /// `SECTION_MAP_WRITE`.
    pub const SECTION_MAP_WRITE: Self = Self::from_bits_retain(0x0002);
    /// `SECTION_MAP_READ`.
    pub const SECTION_MAP_READ: Self = Self::from_bits_retain(0x0004);
    /// `SECTION_MAP_EXECUTE`.
    pub const SECTION_MAP_EXECUTE: Self = Self::from_bits_retain(0x0008);
    /// `PROCESS_ALL_ACCESS` (NT 5.2).
    pub const PROCESS_ALL: Self = Self::from_bits_retain(0x001F_0FFF);
    /// `PROCESS_TERMINATE`.
    pub const PROCESS_TERMINATE: Self = Self::from_bits_retain(0x0001);
    /// `PROCESS_CREATE_THREAD`.
    pub const PROCESS_CREATE_THREAD: Self = Self::from_bits_retain(0x0002);
    /// `PROCESS_VM_OPERATION`.
    pub const PROCESS_VM_OPERATION: Self = Self::from_bits_retain(0x0008);
    /// `PROCESS_VM_READ`.
    pub const PROCESS_VM_READ: Self = Self::from_bits_retain(0x0010);
    /// `PROCESS_VM_WRITE`.
    pub const PROCESS_VM_WRITE: Self = Self::from_bits_retain(0x0020);
    /// `PROCESS_DUP_HANDLE`.
    pub const PROCESS_DUP_HANDLE: Self = Self::from_bits_retain(0x0040);
    /// `PROCESS_CREATE_PROCESS`.
    pub const PROCESS_CREATE_PROCESS: Self = Self::from_bits_retain(0x0080);
    /// `PROCESS_SET_INFORMATION`.
    pub const PROCESS_SET_INFORMATION: Self = Self::from_bits_retain(0x0200);
    /// `PROCESS_QUERY_INFORMATION`.
    pub const PROCESS_QUERY_INFORMATION: Self = Self::from_bits_retain(0x0400);
    /// `PROCESS_SUSPEND_RESUME`.
    pub const PROCESS_SUSPEND_RESUME: Self = Self::from_bits_retain(0x0800);
    /// `THREAD_ALL_ACCESS` (NT 5.2).
    pub const THREAD_ALL: Self = Self::from_bits_retain(0x001F_03FF);
    /// `THREAD_TERMINATE`.
    pub const THREAD_TERMINATE: Self = Self::from_bits_retain(0x0001);
    /// `THREAD_SUSPEND_RESUME`.
    pub const THREAD_SUSPEND_RESUME: Self = Self::from_bits_retain(0x0002);
    /// `THREAD_GET_CONTEXT`.
    pub const THREAD_GET_CONTEXT: Self = Self::from_bits_retain(0x0008);
    /// `THREAD_SET_CONTEXT`.
    pub const THREAD_SET_CONTEXT: Self = Self::from_bits_retain(0x0010);
    /// `THREAD_SET_INFORMATION`.
    pub const THREAD_SET_INFORMATION: Self = Self::from_bits_retain(0x0020);
    /// `THREAD_QUERY_INFORMATION`.
    pub const THREAD_QUERY_INFORMATION: Self = Self::from_bits_retain(0x0040);
    /// `THREAD_SET_THREAD_TOKEN`.
    pub const THREAD_SET_THREAD_TOKEN: Self = Self::from_bits_retain(0x0080);
    /// `TOKEN_ASSIGN_PRIMARY`.
    pub const TOKEN_ASSIGN_PRIMARY: Self = Self::from_bits_retain(0x0001);
    /// `TOKEN_DUPLICATE`.
    pub const TOKEN_DUPLICATE: Self = Self::from_bits_retain(0x0002);
    /// `TOKEN_IMPERSONATE`.
    pub const TOKEN_IMPERSONATE: Self = Self::from_bits_retain(0x0004);
    /// `TOKEN_QUERY`.
    pub const TOKEN_QUERY: Self = Self::from_bits_retain(0x0008);
    /// `TOKEN_ADJUST_PRIVILEGES`.
    pub const TOKEN_ADJUST_PRIVILEGES: Self = Self::from_bits_retain(0x0020);
    /// `TOKEN_ALL_ACCESS`.
    pub const TOKEN_ALL: Self = Self::from_bits_retain(0x000F_01FF);
    /// `PORT_ALL_ACCESS`.
    pub const PORT_ALL: Self = Self::from_bits_retain(0x001F_0001);
    /// `PORT_CONNECT`.
    pub const PORT_CONNECT: Self = Self::from_bits_retain(0x0001);
    /// `KEY_READ`.
    pub const KEY_READ: Self = Self::from_bits_retain(0x0002_0019);
    /// `KEY_WRITE`.
    pub const KEY_WRITE: Self = Self::from_bits_retain(0x0002_0006);
    /// `KEY_ALL_ACCESS`.
    pub const KEY_ALL: Self = Self::from_bits_retain(0x000F_003F);
    /// `KEY_QUERY_VALUE`.
    pub const KEY_QUERY_VALUE: Self = Self::from_bits_retain(0x0001);
    /// `KEY_SET_VALUE`.
    pub const KEY_SET_VALUE: Self = Self::from_bits_retain(0x0002);
    /// `KEY_CREATE_SUB_KEY`.
    pub const KEY_CREATE_SUB_KEY: Self = Self::from_bits_retain(0x0004);
    /// `KEY_ENUMERATE_SUB_KEYS`.
    pub const KEY_ENUMERATE_SUB_KEYS: Self = Self::from_bits_retain(0x0008);
    /// `KEY_CREATE_LINK`.
    pub const KEY_CREATE_LINK: Self = Self::from_bits_retain(0x0020);
    /// `FILE_READ_DATA`.
    pub const FILE_READ_DATA: Self = Self::from_bits_retain(0x0001);
    /// `FILE_LIST_DIRECTORY`, the same bit as `FILE_READ_DATA`.
    pub const FILE_LIST_DIRECTORY: Self = Self::from_bits_retain(0x0001);
    /// `FILE_WRITE_DATA`.
    pub const FILE_WRITE_DATA: Self = Self::from_bits_retain(0x0002);
    /// `FILE_APPEND_DATA`.
    pub const FILE_APPEND_DATA: Self = Self::from_bits_retain(0x0004);
    /// `FILE_WRITE_EA`.
    pub const FILE_WRITE_EA: Self = Self::from_bits_retain(0x0010);
    /// `FILE_EXECUTE`.
    pub const FILE_EXECUTE: Self = Self::from_bits_retain(0x0020);
    /// `FILE_DELETE_CHILD`.
    pub const FILE_DELETE_CHILD: Self = Self::from_bits_retain(0x0040);
    /// `FILE_READ_ATTRIBUTES`.
    pub const FILE_READ_ATTRIBUTES: Self = Self::from_bits_retain(0x0080);
    /// `FILE_WRITE_ATTRIBUTES`.
    pub const FILE_WRITE_ATTRIBUTES: Self = Self::from_bits_retain(0x0100);
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
