// SPDX-License-Identifier: GPL-2.0-or-later
//! Structures of the ABI as they lie in user memory on x86-64 (spec 13.4): plain bytes, no
//! pointers, no enums, no references.
//!
//! An address in one of them is a number that has not been checked. Sizes and offsets are asserted
//! at compile time. What the seam defines already (PORT_MESSAGE, SECTION_IMAGE_INFORMATION,
//! CLIENT_ID) is not repeated here.

use core::mem::offset_of;
use nt::object::ClientId;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A structure that may lie in user memory.
pub trait Layout: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy> Layout for T {}

/// UNICODE_STRING, 0x10 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct UnicodeString {
    /// Bytes of text.
    pub length: u16,
    /// Bytes of the buffer.
    pub maximum_length: u16,
    pub padding: u32,
    /// Where the text is.
    pub buffer: u64,
}

const _: () = assert!(size_of::<UnicodeString>() == 0x10);
const _: () = assert!(offset_of!(UnicodeString, buffer) == 0x8);

/// OBJECT_ATTRIBUTES, 0x30 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ObjectAttributes {
    /// 0x30.
    pub length: u32,
    pub padding0: u32,
    /// `RootDirectory`.
    pub root: u64,
    /// Where the name's UNICODE_STRING is.
    pub name: u64,
    /// `OBJ_` bits.
    pub attributes: u32,
    pub padding1: u32,
    /// Where the absolute or self-relative security descriptor is.
    pub security: u64,
    /// Where the SECURITY_QUALITY_OF_SERVICE is.
    pub quality_of_service: u64,
}

const _: () = assert!(size_of::<ObjectAttributes>() == 0x30);
const _: () = assert!(offset_of!(ObjectAttributes, root) == 0x8);
const _: () = assert!(offset_of!(ObjectAttributes, name) == 0x10);
const _: () = assert!(offset_of!(ObjectAttributes, security) == 0x20);

/// IO_STATUS_BLOCK, 0x10 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct IoStatusBlock {
    /// NTSTATUS.
    pub status: u32,
    pub padding: u32,
    /// Bytes moved, or what was done.
    pub information: u64,
}

const _: () = assert!(size_of::<IoStatusBlock>() == 0x10);
const _: () = assert!(offset_of!(IoStatusBlock, information) == 0x8);

/// SECURITY_QUALITY_OF_SERVICE, 0xc bytes (spec 10.2, 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct QualityOfService {
    /// Ignored.
    pub length: u32,
    /// Impersonation level.
    pub level: u32,
    /// 1 dynamic.
    pub tracking: u8,
    /// Whether only what is enabled counts.
    pub effective_only: u8,
    pub padding: u16,
}

const _: () = assert!(size_of::<QualityOfService>() == 0xc);
const _: () = assert!(offset_of!(QualityOfService, level) == 0x4);
const _: () = assert!(offset_of!(QualityOfService, tracking) == 0x8);

/// PORT_VIEW, 0x30 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct PortView {
    /// 0x30.
    pub length: u32,
    pub padding0: u32,
    /// Section handle.
    pub section: u64,
    /// Offset in the section.
    pub offset: u32,
    pub padding1: u32,
    /// Bytes of the view.
    pub size: u64,
    /// Address of the view in the caller.
    pub base: u64,
    /// Address of the view at the other end.
    pub remote_base: u64,
}

const _: () = assert!(size_of::<PortView>() == 0x30);
const _: () = assert!(offset_of!(PortView, section) == 0x8);
const _: () = assert!(offset_of!(PortView, offset) == 0x10);
const _: () = assert!(offset_of!(PortView, size) == 0x18);
const _: () = assert!(offset_of!(PortView, base) == 0x20);
const _: () = assert!(offset_of!(PortView, remote_base) == 0x28);

/// REMOTE_PORT_VIEW, 0x18 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct RemotePortView {
    /// 0x18.
    pub length: u32,
    pub padding: u32,
    /// Bytes of the view.
    pub size: u64,
    /// Address of the view here.
    pub base: u64,
}

const _: () = assert!(size_of::<RemotePortView>() == 0x18);
const _: () = assert!(offset_of!(RemotePortView, size) == 0x8);
const _: () = assert!(offset_of!(RemotePortView, base) == 0x10);

/// INITIAL_TEB, 0x28 bytes (NtCreateThread).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct InitialTeb {
    /// 0 unless the stack is fixed.
    pub previous_stack_base: u64,
    /// 0 unless the stack is fixed.
    pub previous_stack_limit: u64,
    /// The address after the stack.
    pub stack_base: u64,
    /// The lowest committed address of the stack.
    pub stack_limit: u64,
    /// The lowest reserved address of the stack.
    pub allocated_stack_base: u64,
}

const _: () = assert!(size_of::<InitialTeb>() == 0x28);
const _: () = assert!(offset_of!(InitialTeb, stack_base) == 0x10);
const _: () = assert!(offset_of!(InitialTeb, allocated_stack_base) == 0x20);

/// SYSTEM_BASIC_INFORMATION, 0x40 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct BasicInformation {
    /// 0.
    pub reserved: u32,
    /// Longest tick, 100 ns.
    pub timer_resolution: u32,
    /// Bytes.
    pub page_size: u32,
    /// How many.
    pub physical_pages: u32,
    /// Page number.
    pub lowest_physical_page: u32,
    /// Page number.
    pub highest_physical_page: u32,
    /// Bytes.
    pub allocation_granularity: u32,
    pub padding0: u32,
    pub minimum_user_address: u64,
    pub maximum_user_address: u64,
    /// A bit for every processor.
    pub affinity: u64,
    /// How many.
    pub processors: u8,
    pub padding1: [u8; 7],
}

const _: () = assert!(size_of::<BasicInformation>() == 0x40);
const _: () = assert!(offset_of!(BasicInformation, page_size) == 0x8);
const _: () = assert!(offset_of!(BasicInformation, physical_pages) == 0xc);
const _: () = assert!(offset_of!(BasicInformation, minimum_user_address) == 0x20);
const _: () = assert!(offset_of!(BasicInformation, processors) == 0x38);

/// SYSTEM_PROCESSOR_INFORMATION, 0xc bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ProcessorInformation {
    /// 9 is AMD64.
    pub architecture: u16,
    /// Family.
    pub level: u16,
    /// Model and stepping.
    pub revision: u16,
    /// 0.
    pub reserved: u16,
    /// `KF_` bits.
    pub features: u32,
}

const _: () = assert!(size_of::<ProcessorInformation>() == 0xc);
const _: () = assert!(offset_of!(ProcessorInformation, level) == 0x2);
const _: () = assert!(offset_of!(ProcessorInformation, revision) == 0x4);
const _: () = assert!(offset_of!(ProcessorInformation, features) == 0x8);

/// SYSTEM_TIMEOFDAY_INFORMATION, 0x30 bytes (class 3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct TimeOfDay {
    /// 100 ns since 1601.
    pub boot: u64,
    /// 100 ns since 1601.
    pub now: u64,
    /// 100 ns.
    pub bias: u64,
    /// Time zone id.
    pub zone: u32,
    /// 0.
    pub reserved: u32,
    /// 100 ns.
    pub boot_bias: u64,
    /// 100 ns.
    pub sleep_bias: u64,
}

const _: () = assert!(size_of::<TimeOfDay>() == 0x30);
const _: () = assert!(offset_of!(TimeOfDay, now) == 0x8);
const _: () = assert!(offset_of!(TimeOfDay, zone) == 0x18);

/// SYSTEM_PAGEFILE_INFORMATION, 0x20 bytes (class 18).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct PageFileInformation {
    /// Offset of the next entry, 0 for the last.
    pub next: u32,
    /// Pages.
    pub total: u32,
    /// Pages.
    pub used: u32,
    /// Pages.
    pub peak: u32,
    /// Its NT path.
    pub name: UnicodeString,
}

const _: () = assert!(size_of::<PageFileInformation>() == 0x20);
const _: () = assert!(offset_of!(PageFileInformation, name) == 0x10);

/// SYSTEM_PROCESS_INFORMATION, 0x100 bytes (class 5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ProcessEntry {
    /// Offset of the next entry, 0 for the last.
    pub next: u32,
    /// How many thread entries follow.
    pub threads: u32,
    /// 0.
    pub spare: [u64; 3],
    /// 100 ns since 1601.
    pub create_time: u64,
    /// 100 ns.
    pub user_time: u64,
    /// 100 ns.
    pub kernel_time: u64,
    /// Image name.
    pub name: UnicodeString,
    pub base_priority: u32,
    pub padding0: u32,
    /// Process id.
    pub process: u64,
    /// Creator's process id.
    pub parent: u64,
    /// How many.
    pub handles: u32,
    /// Session id.
    pub session: u32,
    /// 0.
    pub page_directory: u64,
    /// Sizes, in bytes; not kept.
    pub virtual_memory: [u64; 11],
    /// Bytes; not kept.
    pub private_pages: u64,
    /// Operation counts; not kept.
    pub io: [u64; 6],
}

const _: () = assert!(size_of::<ProcessEntry>() == 0x100);
const _: () = assert!(offset_of!(ProcessEntry, name) == 0x38);
const _: () = assert!(offset_of!(ProcessEntry, process) == 0x50);
const _: () = assert!(offset_of!(ProcessEntry, session) == 0x64);
const _: () = assert!(offset_of!(ProcessEntry, page_directory) == 0x68);

/// SYSTEM_THREAD_INFORMATION, 0x50 bytes (class 5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ThreadEntry {
    /// 100 ns.
    pub kernel_time: u64,
    /// 100 ns.
    pub user_time: u64,
    /// 100 ns since 1601.
    pub create_time: u64,
    /// Ticks.
    pub wait_time: u32,
    pub padding0: u32,
    pub start_address: u64,
    /// Process and thread id.
    pub client: ClientId,
    pub priority: u32,
    pub base_priority: u32,
    pub context_switches: u32,
    /// 2 running, 5 waiting.
    pub state: u32,
    /// 6 is UserRequest.
    pub wait_reason: u32,
    pub padding1: u32,
}

const _: () = assert!(size_of::<ThreadEntry>() == 0x50);
const _: () = assert!(offset_of!(ThreadEntry, start_address) == 0x20);
const _: () = assert!(offset_of!(ThreadEntry, client) == 0x28);
const _: () = assert!(offset_of!(ThreadEntry, state) == 0x44);

/// PROCESS_BASIC_INFORMATION, 0x30 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ProcessBasic {
    /// PENDING while it runs.
    pub exit_status: u32,
    pub padding0: u32,
    /// Address of the PEB.
    pub peb: u64,
    /// A bit for every processor.
    pub affinity: u64,
    pub base_priority: u32,
    pub padding1: u32,
    /// Process id.
    pub process: u64,
    /// Creator's process id.
    pub parent: u64,
}

const _: () = assert!(size_of::<ProcessBasic>() == 0x30);
const _: () = assert!(offset_of!(ProcessBasic, peb) == 0x8);
const _: () = assert!(offset_of!(ProcessBasic, process) == 0x20);

/// THREAD_BASIC_INFORMATION, 0x30 bytes (thread class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ThreadBasic {
    /// PENDING while it runs.
    pub exit_status: u32,
    pub padding0: u32,
    /// Address of the TEB.
    pub teb: u64,
    /// Process and thread id.
    pub client: ClientId,
    /// A bit for every processor.
    pub affinity: u64,
    pub priority: u32,
    pub base_priority: u32,
}

const _: () = assert!(size_of::<ThreadBasic>() == 0x30);
const _: () = assert!(offset_of!(ThreadBasic, teb) == 0x8);
const _: () = assert!(offset_of!(ThreadBasic, client) == 0x10);
const _: () = assert!(offset_of!(ThreadBasic, affinity) == 0x20);

/// MEMORY_BASIC_INFORMATION, 0x30 bytes (NtQueryVirtualMemory).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct MemoryBasic {
    /// Of the region.
    pub base: u64,
    /// Of what was allocated.
    pub allocation_base: u64,
    /// `PAGE_`.
    pub allocation_protection: u32,
    pub padding0: u32,
    /// Bytes of the region.
    pub size: u64,
    /// `MEM_`.
    pub state: u32,
    /// `PAGE_`.
    pub protection: u32,
    /// `MEM_`.
    pub kind: u32,
    pub padding1: u32,
}

const _: () = assert!(size_of::<MemoryBasic>() == 0x30);
const _: () = assert!(offset_of!(MemoryBasic, allocation_base) == 0x8);
const _: () = assert!(offset_of!(MemoryBasic, size) == 0x18);
const _: () = assert!(offset_of!(MemoryBasic, state) == 0x20);
const _: () = assert!(offset_of!(MemoryBasic, kind) == 0x28);

/// SECTION_BASIC_INFORMATION, 0x18 bytes (NtQuerySection class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct SectionBasic {
    /// For a based section.
    pub base: u64,
    /// `SEC_`.
    pub attributes: u32,
    pub padding: u32,
    /// Bytes.
    pub size: u64,
}

const _: () = assert!(size_of::<SectionBasic>() == 0x18);
const _: () = assert!(offset_of!(SectionBasic, attributes) == 0x8);
const _: () = assert!(offset_of!(SectionBasic, size) == 0x10);

/// OBJECT_DIRECTORY_INFORMATION, 0x20 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct DirectoryEntry {
    /// The object's.
    pub name: UnicodeString,
    /// Its type's.
    pub kind: UnicodeString,
}

const _: () = assert!(size_of::<DirectoryEntry>() == 0x20);
const _: () = assert!(offset_of!(DirectoryEntry, kind) == 0x10);

/// OBJECT_BASIC_INFORMATION, 0x38 bytes (NtQueryObject class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct ObjectBasic {
    /// `OBJ_` bits of the handle.
    pub attributes: u32,
    /// Granted.
    pub access: u32,
    /// How many in the system.
    pub handles: u32,
    /// Pointers, handles included.
    pub references: u32,
    /// 0.
    pub paged_pool: u32,
    /// 0.
    pub nonpaged_pool: u32,
    /// 0.
    pub reserved: [u32; 3],
    /// Bytes of name information.
    pub name_size: u32,
    /// Bytes of type information.
    pub type_size: u32,
    /// Bytes of the security descriptor.
    pub security_size: u32,
    /// 100 ns since 1601; symbolic links only.
    pub create_time: u64,
}

const _: () = assert!(size_of::<ObjectBasic>() == 0x38);
const _: () = assert!(offset_of!(ObjectBasic, name_size) == 0x24);
const _: () = assert!(offset_of!(ObjectBasic, security_size) == 0x2c);
const _: () = assert!(offset_of!(ObjectBasic, create_time) == 0x30);

/// FILE_BASIC_INFORMATION, 0x28 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct FileBasic {
    /// 100 ns since 1601.
    pub created: u64,
    /// 100 ns since 1601.
    pub accessed: u64,
    /// 100 ns since 1601.
    pub written: u64,
    /// 100 ns since 1601.
    pub changed: u64,
    /// `FILE_ATTRIBUTE_`.
    pub attributes: u32,
    pub padding: u32,
}

const _: () = assert!(size_of::<FileBasic>() == 0x28);
const _: () = assert!(offset_of!(FileBasic, attributes) == 0x20);

/// FILE_STANDARD_INFORMATION, 0x18 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct FileStandard {
    /// Bytes on the volume.
    pub allocation: u64,
    /// Bytes.
    pub end_of_file: u64,
    /// Names.
    pub links: u32,
    /// Whether it goes with its last handle.
    pub delete_pending: u8,
    /// Whether it is one.
    pub directory: u8,
    pub padding: u16,
}

const _: () = assert!(size_of::<FileStandard>() == 0x18);
const _: () = assert!(offset_of!(FileStandard, end_of_file) == 0x8);
const _: () = assert!(offset_of!(FileStandard, links) == 0x10);
const _: () = assert!(offset_of!(FileStandard, directory) == 0x15);

/// FILE_NETWORK_OPEN_INFORMATION, 0x38 bytes (NtQueryFullAttributesFile).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct FileNetworkOpen {
    /// 100 ns since 1601.
    pub created: u64,
    /// 100 ns since 1601.
    pub accessed: u64,
    /// 100 ns since 1601.
    pub written: u64,
    /// 100 ns since 1601.
    pub changed: u64,
    /// Bytes on the volume.
    pub allocation: u64,
    /// Bytes.
    pub end_of_file: u64,
    /// `FILE_ATTRIBUTE_`.
    pub attributes: u32,
    pub padding: u32,
}

const _: () = assert!(size_of::<FileNetworkOpen>() == 0x38);
const _: () = assert!(offset_of!(FileNetworkOpen, attributes) == 0x30);

/// FILE_FS_SIZE_INFORMATION, 0x18 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct FsSize {
    /// Allocation units.
    pub total: u64,
    /// Allocation units.
    pub available: u64,
    pub sectors_per_unit: u32,
    pub bytes_per_sector: u32,
}

const _: () = assert!(size_of::<FsSize>() == 0x18);
const _: () = assert!(offset_of!(FsSize, sectors_per_unit) == 0x10);

/// FILE_FS_DEVICE_INFORMATION, 0x8 bytes (spec 13.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct FsDevice {
    /// `FILE_DEVICE_`.
    pub kind: u32,
    /// `FILE_` device bits.
    pub characteristics: u32,
}

const _: () = assert!(size_of::<FsDevice>() == 0x8);

/// LUID_AND_ATTRIBUTES, 0xc bytes (spec 0.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: what is not said is the field's own name"
)]
pub struct LuidAndAttributes {
    /// Low and high part.
    pub luid: [u32; 2],
    /// 2 is enabled.
    pub attributes: u32,
}

const _: () = assert!(size_of::<LuidAndAttributes>() == 0xc);
const _: () = assert!(offset_of!(LuidAndAttributes, attributes) == 0x8);
