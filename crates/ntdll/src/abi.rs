// SPDX-License-Identifier: GPL-2.0-or-later
//! What the calls rely on of the ABI beyond `ntapi`: layouts held at compile time, and where the
//! process finds itself.
//!
//! `ntapi`'s PEB and RTL_USER_PROCESS_PARAMETERS have the shape of a later NT; up to the fields
//! asserted here that is the shape of NT 5.2 (spec 13.4), and nothing past them is read.

use core::mem::offset_of;
use core::ptr::NonNull;
use nt::system::{SectionImageInformation, UserProcessInformation};
use nt::{ClientId, UnicodeStr};
use ntapi::ntexapi::{SYSTEM_BASIC_INFORMATION, SYSTEM_PROCESSOR_INFORMATION};
use ntapi::ntioapi::{
    FILE_BASIC_INFORMATION, FILE_DISPOSITION_INFORMATION, FILE_FS_DEVICE_INFORMATION,
    FILE_FS_SIZE_INFORMATION, FILE_RENAME_INFORMATION, FILE_STANDARD_INFORMATION, IO_STATUS_BLOCK,
};
use ntapi::ntlpcapi::{PORT_MESSAGE, REMOTE_PORT_VIEW};
use ntapi::ntobapi::OBJECT_DIRECTORY_INFORMATION;
use ntapi::ntpebteb::{PEB, TEB};
use ntapi::ntpsapi::PROCESS_BASIC_INFORMATION;
use ntapi::ntregapi::{KEY_VALUE_FULL_INFORMATION, KEY_VALUE_PARTIAL_INFORMATION};
use ntapi::ntrtl::{RTL_USER_PROCESS_INFORMATION, RTL_USER_PROCESS_PARAMETERS};
use winapi::shared::ntdef::{LARGE_INTEGER, OBJECT_ATTRIBUTES, UNICODE_STRING};
use winapi::um::winnt::SECURITY_QUALITY_OF_SERVICE;

const _: () = {
    assert!(size_of::<UNICODE_STRING>() == 0x10);
    assert!(size_of::<OBJECT_ATTRIBUTES>() == 0x30);
    assert!(size_of::<IO_STATUS_BLOCK>() == 0x10);
    assert!(size_of::<SECURITY_QUALITY_OF_SERVICE>() == 0xC);
    assert!(size_of::<PORT_MESSAGE>() == 0x28);
    assert!(size_of::<REMOTE_PORT_VIEW>() == 0x18);
    assert!(size_of::<OBJECT_DIRECTORY_INFORMATION>() == 0x20);
    assert!(size_of::<SYSTEM_BASIC_INFORMATION>() == 0x40);
    assert!(offset_of!(SYSTEM_BASIC_INFORMATION, NumberOfProcessors) == 0x38);
    assert!(size_of::<SYSTEM_PROCESSOR_INFORMATION>() == 0xC);
    assert!(size_of::<PROCESS_BASIC_INFORMATION>() == 0x30);
    assert!(offset_of!(PROCESS_BASIC_INFORMATION, UniqueProcessId) == 0x20);
    assert!(size_of::<FILE_BASIC_INFORMATION>() == 0x28);
    assert!(size_of::<FILE_STANDARD_INFORMATION>() == 0x18);
    assert!(size_of::<FILE_DISPOSITION_INFORMATION>() == 1);
    assert!(offset_of!(FILE_RENAME_INFORMATION, FileName) == 0x14);
    assert!(size_of::<FILE_FS_SIZE_INFORMATION>() == 0x18);
    assert!(size_of::<FILE_FS_DEVICE_INFORMATION>() == 8);
    assert!(offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Data) == 0xC);
    assert!(offset_of!(KEY_VALUE_FULL_INFORMATION, Name) == 0x14);
    assert!(size_of::<RTL_USER_PROCESS_INFORMATION>() == size_of::<UserProcessInformation>());
    assert!(
        offset_of!(RTL_USER_PROCESS_INFORMATION, ImageInformation)
            == offset_of!(UserProcessInformation, image)
    );
    assert!(size_of::<SectionImageInformation>() == 0x40);
    assert!(offset_of!(RTL_USER_PROCESS_PARAMETERS, Flags) == 0x08);
    assert!(offset_of!(RTL_USER_PROCESS_PARAMETERS, DebugFlags) == 0x0C);
    assert!(offset_of!(RTL_USER_PROCESS_PARAMETERS, CurrentDirectory) == 0x38);
    assert!(offset_of!(RTL_USER_PROCESS_PARAMETERS, DllPath) == 0x50);
    assert!(offset_of!(RTL_USER_PROCESS_PARAMETERS, CommandLine) == 0x70);
    assert!(offset_of!(RTL_USER_PROCESS_PARAMETERS, Environment) == 0x80);
    assert!(offset_of!(PEB, ProcessParameters) == 0x20);
    assert!(offset_of!(PEB, NtGlobalFlag) == 0xBC);
    assert!(offset_of!(PEB, OSMajorVersion) == 0x118);
    assert!(offset_of!(TEB, ClientId) == 0x40);
    assert!(offset_of!(TEB, ProcessEnvironmentBlock) == 0x60);
};

/// Where the kernel maps KUSER_SHARED_DATA in every process (spec 0.4).
const SHARED_USER_DATA: usize = 0x7FFE_0000;
const NT_SYSTEM_ROOT: usize = 0x30;
const NT_SYSTEM_ROOT_UNITS: usize = 260;
const KD_DEBUGGER_ENABLED: usize = 0x2D4;

/// A fixed structure that the kernel fills and that has no invalid value.
///
/// # Safety
/// Every bit pattern, all zeros among them, must be a value of the type.
pub(crate) unsafe trait Plain: Sized {
    /// All zeros.
    fn zero() -> Self {
        // SAFETY: the trait's contract: all zeros are a value of this type.
        unsafe { core::mem::zeroed() }
    }

    /// Size in bytes, as the calls take it.
    const SIZE: u32 = {
        assert!(size_of::<Self>() < 0x1000);
        size_of::<Self>() as u32
    };
}

macro_rules! plain {
    ($($type:ty)*) => {
        $(
            // SAFETY: made of integers, raw pointers and handles (pointers, too) only.
            unsafe impl Plain for $type {}
        )*
    };
}

plain! {
    u32 u64 [u8; 0x28]
    UNICODE_STRING OBJECT_ATTRIBUTES IO_STATUS_BLOCK SYSTEM_BASIC_INFORMATION SYSTEM_PROCESSOR_INFORMATION PROCESS_BASIC_INFORMATION
    FILE_BASIC_INFORMATION FILE_STANDARD_INFORMATION FILE_DISPOSITION_INFORMATION FILE_FS_SIZE_INFORMATION FILE_FS_DEVICE_INFORMATION
    REMOTE_PORT_VIEW RTL_USER_PROCESS_INFORMATION LARGE_INTEGER
}

/// This thread's TEB.
fn teb() -> *const TEB {
    let teb: *const TEB;
    // SAFETY: GS points to the TEB in every thread of a 64-bit process, and TEB.NtTib.Self at 0x30
    // is the TEB's own address.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x30]", out(reg) teb, options(nostack, pure, readonly, preserves_flags));
    }
    teb
}

/// This process and thread.
pub(crate) fn client_id() -> ClientId {
    // SAFETY: the TEB lives as long as the thread that reads it, and the offset is asserted above.
    let client = unsafe { (*teb()).ClientId };
    ClientId {
        process: client.UniqueProcess as u64,
        thread: client.UniqueThread as u64,
    }
}

fn peb() -> *const PEB {
    // SAFETY: as for `client_id`.
    unsafe { (*teb()).ProcessEnvironmentBlock }
}

/// The NT version the kernel wrote into the PEB.
pub(crate) fn version() -> (u32, u32) {
    let peb = peb();
    // SAFETY: the PEB lives as long as the process; offset asserted above.
    let major = unsafe { (*peb).OSMajorVersion };
    // SAFETY: likewise.
    let minor = unsafe { (*peb).OSMinorVersion };
    (major, minor)
}

/// This process's parameters. Normalised by the loader or by [`crate::start`], and never changed
/// afterwards.
pub(crate) fn parameters() -> Option<NonNull<RTL_USER_PROCESS_PARAMETERS>> {
    // SAFETY: as for `version`.
    NonNull::new(unsafe { (*peb()).ProcessParameters })
}

/// A string of this process's parameters, whose field `field` picks.
pub(crate) fn parameter(
    field: fn(*const RTL_USER_PROCESS_PARAMETERS) -> *const UNICODE_STRING,
) -> UnicodeStr<'static> {
    let Some(parameters) = parameters() else {
        return UnicodeStr::EMPTY;
    };
    // SAFETY: `field` gives the address of a field of the live parameter block.
    let text = unsafe { field(parameters.as_ptr()).read() };
    if text.Buffer.is_null() {
        return UnicodeStr::EMPTY;
    }
    // SAFETY: normalised parameters point into the block that the creator wrote, which stays for
    // the life of the process.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text.Buffer, usize::from(text.Length) / 2) })
}

/// This process's environment block without its final NUL.
pub(crate) fn environment() -> &'static [u16] {
    let Some(parameters) = parameters() else {
        return &[];
    };
    // SAFETY: a field of the live parameter block.
    let block = unsafe { (*parameters.as_ptr()).Environment }
        .cast::<u16>()
        .cast_const();
    if block.is_null() {
        return &[];
    }
    let mut units = 0;
    let mut at_start = true;
    loop {
        // SAFETY: the block ends with an empty string (the creator found its length by the same
        // rule), and the walk stops there.
        let unit = unsafe { block.wrapping_add(units).read() };
        if unit == 0 && at_start {
            break;
        }
        at_start = unit == 0;
        units += 1;
    }
    // SAFETY: these units were just read; the block stays as it is for the life of the process.
    unsafe { core::slice::from_raw_parts(block, units) }
}

/// `DebugFlags` of this process's parameters.
pub(crate) fn debug_flags() -> u32 {
    // SAFETY: a field of the live parameter block.
    parameters().map_or(0, |parameters| unsafe { (*parameters.as_ptr()).DebugFlags })
}

/// `NtGlobalFlag` of the PEB.
pub(crate) fn global_flag() -> u32 {
    // SAFETY: the PEB lives as long as the process; offset asserted above.
    unsafe { (*peb()).NtGlobalFlag }
}

/// `NtSystemRoot`.
pub(crate) fn system_root() -> UnicodeStr<'static> {
    let text = core::ptr::without_provenance::<u16>(SHARED_USER_DATA + NT_SYSTEM_ROOT);
    // SAFETY: the kernel maps this page readable into every process and changes this field no more
    // once user mode runs.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text, NT_SYSTEM_ROOT_UNITS) }).until_nul()
}

/// Whether a kernel debugger is attached and answers (KdDebuggerEnabled, bits 0 and 1).
pub(crate) fn kernel_debugger() -> bool {
    let flags = core::ptr::without_provenance::<u8>(SHARED_USER_DATA + KD_DEBUGGER_ENABLED);
    // SAFETY: a byte of the same page; volatile, because the kernel may change it.
    unsafe { flags.read_volatile() & 3 == 3 }
}
