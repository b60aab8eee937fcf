// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes and threads: their environment blocks, their parameters, what can be queried.
//!
//! The two blocks are declared as far as all architectures agree on them; fields further down are
//! in the module of their architecture, as offsets.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use crate::{ClientId, UnicodeString};
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// PROCESS_BASIC_INFORMATION (process class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ProcessBasic<P: Pointer> {
    /// PENDING while it runs.
    pub exit_status: u32,
    pub padding0: P::Padding,
    /// Address of the PEB.
    pub peb: P,
    /// A bit for every processor.
    pub affinity: P,
    pub base_priority: u32,
    pub padding1: P::Padding,
    /// Process id.
    pub process: P,
    /// Creator's process id.
    pub parent: P,
}

layout!(ProcessBasic<P> { size: 0x30 | 0x18, peb: 0x8 | 0x4, process: 0x20 | 0x10 });

/// THREAD_BASIC_INFORMATION (thread class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ThreadBasic<P: Pointer> {
    /// PENDING while it runs.
    pub exit_status: u32,
    pub padding0: P::Padding,
    /// Address of the TEB.
    pub teb: P,
    /// Process and thread id.
    pub client: ClientId<P>,
    /// A bit for every processor.
    pub affinity: P,
    pub priority: u32,
    pub base_priority: u32,
}

layout!(ThreadBasic<P> { size: 0x30 | 0x1C, teb: 0x8 | 0x4, client: 0x10 | 0x8, affinity: 0x20 | 0x10 });

/// INITIAL_TEB (NtCreateThread).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct InitialTeb<P: Pointer> {
    /// 0 unless the stack is fixed.
    pub previous_stack_base: P,
    /// 0 unless the stack is fixed.
    pub previous_stack_limit: P,
    /// The address after the stack.
    pub stack_base: P,
    /// The lowest committed address of the stack.
    pub stack_limit: P,
    /// The lowest reserved address of the stack.
    pub allocated_stack_base: P,
}

layout!(InitialTeb<P> { size: 0x28 | 0x14, stack_base: 0x10 | 0x8, allocated_stack_base: 0x20 | 0x10 });

/// SECTION_IMAGE_INFORMATION (NtQuerySection class 1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct SectionImage<P: Pointer> {
    /// Entry point.
    pub transfer_address: P,
    pub zero_bits: u32,
    pub padding: P::Padding,
    pub maximum_stack_size: P,
    pub committed_stack_size: P,
    /// `IMAGE_SUBSYSTEM_`.
    pub subsystem: u32,
    pub minor_version: u16,
    pub major_version: u16,
    pub gp_value: u32,
    pub image_characteristics: u16,
    pub dll_characteristics: u16,
    pub machine: u16,
    pub image_contains_code: u8,
    pub spare: u8,
    pub loader_flags: u32,
    pub image_file_size: u32,
    pub reserved: u32,
}

layout!(SectionImage<P> { size: 0x40 | 0x30, maximum_stack_size: 0x10 | 0x8, subsystem: 0x20 | 0x10, machine: 0x30 | 0x20, image_file_size: 0x38 | 0x28 });

/// RTL_USER_PROCESS_INFORMATION.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct UserProcess<P: Pointer> {
    /// The structure's own size.
    pub size: u32,
    pub padding: P::Padding,
    /// Handle.
    pub process: P,
    /// Handle of the first thread.
    pub thread: P,
    /// Process and thread id.
    pub client: ClientId<P>,
    pub image: SectionImage<P>,
}

layout!(UserProcess<P> { size: 0x68 | 0x44, process: 0x8 | 0x4, client: 0x18 | 0xC, image: 0x28 | 0x14 });

/// CURDIR.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct CurrentDirectory<P: Pointer> {
    /// With a backslash at its end.
    pub path: UnicodeString<P>,
    pub handle: P,
}

layout!(CurrentDirectory<P> { size: 0x18 | 0xC, handle: 0x10 | 0x8 });

/// RTL_DRIVE_LETTER_CURDIR.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct DriveDirectory<P: Pointer> {
    pub flags: u16,
    pub length: u16,
    pub time_stamp: u32,
    pub path: UnicodeString<P>,
}

layout!(DriveDirectory<P> { size: 0x18 | 0x10, path: 0x8 | 0x8 });

/// `RTL_USER_PROC_PARAMS_NORMALIZED`: the pointers in the block are addresses, not offsets.
pub const PARAMETERS_NORMALIZED: u32 = 1;
/// `RTL_USER_PROC_RESERVE_1MB`.
pub const PARAMETERS_RESERVE_1MB: u32 = 0x20;

/// RTL_USER_PROCESS_PARAMETERS; the strings follow.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ProcessParameters<P: Pointer> {
    /// Bytes of the block, strings included.
    pub maximum_length: u32,
    /// Bytes of it in use.
    pub length: u32,
    /// `RTL_USER_PROC_`.
    pub flags: u32,
    pub debug_flags: u32,
    pub console_handle: P,
    pub console_flags: u32,
    pub padding0: P::Padding,
    pub standard_input: P,
    pub standard_output: P,
    pub standard_error: P,
    pub current_directory: CurrentDirectory<P>,
    pub dll_path: UnicodeString<P>,
    pub image_path_name: UnicodeString<P>,
    pub command_line: UnicodeString<P>,
    pub environment: P,
    /// Place, size, colours, flags.
    pub window: [u32; 9],
    pub padding1: P::Padding,
    pub window_title: UnicodeString<P>,
    pub desktop_info: UnicodeString<P>,
    pub shell_info: UnicodeString<P>,
    pub runtime_data: UnicodeString<P>,
    /// Of the drives.
    pub current_directories: [DriveDirectory<P>; 32],
}

layout!(ProcessParameters<P> { size: 0x3F0 | 0x290, flags: 0x8 | 0x8, debug_flags: 0xC | 0xC, current_directory: 0x38 | 0x24, dll_path: 0x50 | 0x30, image_path_name: 0x60 | 0x38, command_line: 0x70 | 0x40, environment: 0x80 | 0x48, window_title: 0xB0 | 0x70, desktop_info: 0xC0 | 0x78, shell_info: 0xD0 | 0x80, runtime_data: 0xE0 | 0x88, current_directories: 0xF0 | 0x90 });

/// PEB as far as `ImageProcessAffinityMask`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct Peb<P: Pointer> {
    pub inherited_address_space: u8,
    pub read_image_file_exec_options: u8,
    pub being_debugged: u8,
    pub spare: u8,
    pub padding0: P::Padding,
    pub mutant: P,
    /// `ImageBaseAddress`.
    pub image_base: P,
    /// Where the PEB_LDR_DATA is.
    pub loader_data: P,
    /// Where the RTL_USER_PROCESS_PARAMETERS are.
    pub parameters: P,
    pub subsystem_data: P,
    pub process_heap: P,
    pub fast_peb_lock: P,
    pub atl_thunk_list: P,
    pub spare_pointer: P,
    pub environment_update_count: u32,
    pub padding1: P::Padding,
    pub kernel_callback_table: P,
    pub system_reserved: u32,
    pub spare_flags: u32,
    pub free_list: P,
    pub tls_expansion_counter: u32,
    pub padding2: P::Padding,
    pub tls_bitmap: P,
    pub tls_bitmap_bits: [u32; 2],
    pub read_only_shared_memory_base: P,
    pub read_only_shared_memory_heap: P,
    pub read_only_static_server_data: P,
    pub ansi_code_page_data: P,
    pub oem_code_page_data: P,
    pub unicode_case_table_data: P,
    /// `NumberOfProcessors`.
    pub processors: u32,
    /// `NtGlobalFlag`.
    pub global_flag: u32,
    pub filler: P::Filler,
    /// 100 ns, relative.
    pub critical_section_timeout: u64,
    pub heap_segment_reserve: P,
    pub heap_segment_commit: P,
    pub heap_decommit_total_free_threshold: P,
    pub heap_decommit_free_block_threshold: P,
    /// `NumberOfHeaps`.
    pub heaps: u32,
    pub maximum_heaps: u32,
    pub process_heaps: P,
    pub gdi_shared_handle_table: P,
    pub process_starter_helper: P,
    pub gdi_attribute_list: u32,
    pub padding3: P::Padding,
    pub loader_lock: P,
    pub os_major_version: u32,
    pub os_minor_version: u32,
    pub os_build_number: u16,
    pub os_service_pack: u16,
    pub os_platform: u32,
    pub image_subsystem: u32,
    pub image_subsystem_major_version: u32,
    pub image_subsystem_minor_version: u32,
    pub padding4: P::Padding,
    /// `ImageProcessAffinityMask`.
    pub affinity: P,
}

layout!(Peb<P> { size: 0x140 | 0xC4, image_base: 0x10 | 0x8, loader_data: 0x18 | 0xC, parameters: 0x20 | 0x10, process_heap: 0x30 | 0x18, ansi_code_page_data: 0xA0 | 0x58, processors: 0xB8 | 0x64, global_flag: 0xBC | 0x68, critical_section_timeout: 0xC0 | 0x70, process_heaps: 0xF0 | 0x90, os_major_version: 0x118 | 0xA4, image_subsystem: 0x128 | 0xB4, affinity: 0x138 | 0xC0 });

/// TEB as far as `ExceptionCode`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct Teb<P: Pointer> {
    pub exception_list: P,
    /// The address after the stack.
    pub stack_base: P,
    /// The lowest committed address of the stack.
    pub stack_limit: P,
    pub subsystem_tib: P,
    /// Or `FiberData`.
    pub version: P,
    pub arbitrary_user_pointer: P,
    /// The TEB's own address.
    pub this: P,
    pub environment_pointer: P,
    pub client: ClientId<P>,
    pub active_rpc_handle: P,
    pub thread_local_storage: P,
    /// Where the PEB is.
    pub peb: P,
    pub last_error: u32,
    pub owned_critical_sections: u32,
    pub csr_client_thread: P,
    pub win32_thread_information: P,
    pub user32_reserved: [u32; 26],
    pub user_reserved: [u32; 5],
    pub padding: P::Padding,
    pub wow32_reserved: P,
    pub current_locale: u32,
    pub fp_software_status: u32,
    pub system_reserved: [P; 54],
    pub exception_code: u32,
}

layout!(Teb<P> { size: 0x2C4 | 0x1A8, stack_base: 0x8 | 0x4, stack_limit: 0x10 | 0x8, version: 0x20 | 0x10, this: 0x30 | 0x18, client: 0x40 | 0x20, peb: 0x60 | 0x30, wow32_reserved: 0x100 | 0xC0, current_locale: 0x108 | 0xC4, exception_code: 0x2C0 | 0x1A4 });

/// EXCEPTION_RECORD.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ExceptionRecord<P: Pointer> {
    /// NTSTATUS.
    pub code: u32,
    pub flags: u32,
    pub next: P,
    /// Where it happened.
    pub address: P,
    /// How many numbers of information there are.
    pub parameters: u32,
    pub padding: P::Padding,
    pub information: [P; 15],
}

layout!(ExceptionRecord<P> { size: 0x98 | 0x50, address: 0x10 | 0xC, parameters: 0x18 | 0x10, information: 0x20 | 0x14 });
