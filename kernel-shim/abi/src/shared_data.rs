// SPDX-License-Identifier: GPL-2.0-or-later
//! KUSER_SHARED_DATA: the page that every process can read (spec 0.4). The same on every NT, as it
//! holds no pointer.

/// Where the kernel maps it in every process.
pub const ADDRESS: u64 = 0x7FFE_0000;
/// Offset of `TickCountLowDeprecated`.
pub const TICK_COUNT_LOW: u64 = 0x00;
/// Offset of `TickCountMultiplier`.
pub const TICK_COUNT_MULTIPLIER: u64 = 0x04;
/// Offset of `InterruptTime`: low part, high part, high part again.
pub const INTERRUPT_TIME: u64 = 0x08;
/// Offset of `SystemTime`, written like [`INTERRUPT_TIME`].
pub const SYSTEM_TIME: u64 = 0x14;
/// Offset of `ImageNumberLow`.
pub const IMAGE_NUMBER_LOW: u64 = 0x2C;
/// Offset of `ImageNumberHigh`.
pub const IMAGE_NUMBER_HIGH: u64 = 0x2E;
/// Offset of `NtSystemRoot`.
pub const NT_SYSTEM_ROOT: u64 = 0x30;
/// Room for `NtSystemRoot`, UTF-16 units.
pub const NT_SYSTEM_ROOT_UNITS: usize = 260;
/// Offset of `NtProductType`.
pub const NT_PRODUCT_TYPE: u64 = 0x264;
/// Offset of `ProductTypeIsValid`.
pub const PRODUCT_TYPE_IS_VALID: u64 = 0x268;
/// Offset of `NtMajorVersion`.
pub const NT_MAJOR_VERSION: u64 = 0x26C;
/// Offset of `NtMinorVersion`.
pub const NT_MINOR_VERSION: u64 = 0x270;
/// Offset of `ProcessorFeatures`, a byte each.
pub const PROCESSOR_FEATURES: u64 = 0x274;
/// `PF_PAE_ENABLED`, an index of [`PROCESSOR_FEATURES`].
pub const PAE_ENABLED: u64 = 9;
/// Offset of `KdDebuggerEnabled`: bit 0 there is one, bit 1 it answers.
pub const KD_DEBUGGER_ENABLED: u64 = 0x2D4;
/// Offset of `NXSupportPolicy`.
pub const NX_SUPPORT_POLICY: u64 = 0x2D5;
/// Offset of `NumberOfPhysicalPages`.
pub const NUMBER_OF_PHYSICAL_PAGES: u64 = 0x2E8;
/// Offset of `SafeBootMode`.
pub const SAFE_BOOT_MODE: u64 = 0x2EC;
/// Offset of `TickCount`, written like [`INTERRUPT_TIME`].
pub const TICK_COUNT: u64 = 0x320;
/// Offset of `Cookie`.
pub const COOKIE: u64 = 0x330;
