// SPDX-License-Identifier: GPL-2.0-or-later
//! What NtQuerySystemInformation tells.
#![allow(
    missing_docs,
    reason = "layouts of the ABI: what is not said is the field's own name"
)]

use crate::Pointer;
use crate::{ClientId, UnicodeString};
use abi_macros::Widths;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// SYSTEM_BASIC_INFORMATION (class 0).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct BasicInformation<P: Pointer> {
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
    pub padding0: P::Padding,
    pub minimum_user_address: P,
    pub maximum_user_address: P,
    /// A bit for every processor.
    pub affinity: P,
    /// How many.
    pub processors: u8,
    pub padding1: [u8; 3],
    pub padding2: P::Padding,
}

layout!(BasicInformation<P> { size: 0x40 | 0x2C, page_size: 0x8 | 0x8, physical_pages: 0xC | 0xC, minimum_user_address: 0x20 | 0x1C, processors: 0x38 | 0x28 });

/// SYSTEM_PROCESSOR_INFORMATION (class 1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ProcessorInformation {
    /// 0 is x86, 9 is AMD64.
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

layout!(ProcessorInformation {
    size: 0xC,
    level: 0x2,
    revision: 0x4,
    features: 0x8
});

/// SYSTEM_TIMEOFDAY_INFORMATION (class 3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
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

layout!(TimeOfDay {
    size: 0x30,
    now: 0x8,
    zone: 0x18
});

/// SYSTEM_PAGEFILE_INFORMATION (class 18).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct PageFileInformation<P: Pointer> {
    /// Offset of the next entry, 0 for the last.
    pub next: u32,
    /// Pages.
    pub total: u32,
    /// Pages.
    pub used: u32,
    /// Pages.
    pub peak: u32,
    /// Its NT path.
    pub name: UnicodeString<P>,
}

layout!(PageFileInformation<P> { size: 0x20 | 0x18, name: 0x10 | 0x10 });

/// SYSTEM_PROCESS_INFORMATION (class 5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ProcessEntry<P: Pointer> {
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
    pub name: UnicodeString<P>,
    pub base_priority: u32,
    pub padding: P::Padding,
    /// Process id.
    pub process: P,
    /// Creator's process id.
    pub parent: P,
    /// How many.
    pub handles: u32,
    /// Session id.
    pub session: u32,
    /// 0.
    pub page_directory: P,
    /// Sizes in bytes, and a count of faults; not kept.
    pub virtual_memory: [P; 11],
    /// Bytes; not kept.
    pub private_pages: P,
    /// Operation counts; not kept.
    pub io: [u64; 6],
}

layout!(ProcessEntry<P> { size: 0x100 | 0xB8, name: 0x38 | 0x38, process: 0x50 | 0x44, session: 0x64 | 0x50, page_directory: 0x68 | 0x54, io: 0xD0 | 0x88 });

/// SYSTEM_THREAD_INFORMATION (class 5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Widths,
)]
#[repr(C, packed)]
pub struct ThreadEntry<P: Pointer> {
    /// 100 ns.
    pub kernel_time: u64,
    /// 100 ns.
    pub user_time: u64,
    /// 100 ns since 1601.
    pub create_time: u64,
    /// Ticks.
    pub wait_time: u32,
    pub padding0: P::Padding,
    pub start_address: P,
    /// Process and thread id.
    pub client: ClientId<P>,
    pub priority: u32,
    pub base_priority: u32,
    pub context_switches: u32,
    /// 2 running, 5 waiting.
    pub state: u32,
    /// 6 is UserRequest.
    pub wait_reason: u32,
    pub padding1: u32,
}

layout!(ThreadEntry<P> { size: 0x50 | 0x40, start_address: 0x20 | 0x1C, client: 0x28 | 0x20, state: 0x44 | 0x34 });
