// SPDX-License-Identifier: GPL-2.0-or-later
//! Where this process finds itself: TEB, PEB, parameters, environment, and the page that the kernel
//! shares with everybody.
//!
//! `ntapi`'s PEB and RTL_USER_PROCESS_PARAMETERS have the shape of a later NT. Up to the fields
//! asserted in [`crate::layout`] that is the shape of NT 5.2, and nothing past them is read.

use abi::shared_data::{ADDRESS, KD_DEBUGGER_ENABLED, NT_SYSTEM_ROOT, NT_SYSTEM_ROOT_UNITS};
#[cfg(target_arch = "x86")]
use abi::shared_data::{PAE_ENABLED, PROCESSOR_FEATURES};
use core::ptr::NonNull;
use nt::{ClientId, UnicodeStr, Word};
use ntapi::ntpebteb::{PEB, TEB};
use ntapi::ntrtl::RTL_USER_PROCESS_PARAMETERS;
use winapi::shared::ntdef::UNICODE_STRING;

/// This thread's TEB.
fn teb() -> *const TEB {
    let teb: *const TEB;
    // SAFETY: the segment register points to the TEB in every thread, GS in a 64-bit process and FS
    // in a 32-bit one, and the offset is that of TEB.NtTib.Self, the TEB's own address.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("mov {}, gs:[0x30]", out(reg) teb, options(nostack, pure, readonly, preserves_flags));
        #[cfg(target_arch = "x86")]
        core::arch::asm!("mov {}, fs:[0x18]", out(reg) teb, options(nostack, pure, readonly, preserves_flags));
    }
    teb
}

/// This process and thread.
pub(crate) fn client_id() -> ClientId {
    // SAFETY: the TEB lives as long as the thread that reads it, and the offset is asserted in `layout`.
    let client = unsafe { (*teb()).ClientId };
    ClientId {
        process: client.UniqueProcess as Word,
        thread: client.UniqueThread as Word,
    }
}

fn peb() -> *const PEB {
    // SAFETY: as for `client_id`.
    unsafe { (*teb()).ProcessEnvironmentBlock }
}

/// The NT version the kernel wrote into the PEB.
pub(crate) fn version() -> (u32, u32) {
    let peb = peb();
    // SAFETY: the PEB lives as long as the process; offset asserted in `layout`.
    let major = unsafe { (*peb).OSMajorVersion };
    // SAFETY: the same live PEB, and the field beside the last one; offset asserted in `layout`.
    let minor = unsafe { (*peb).OSMinorVersion };
    (major, minor)
}

/// This process's parameters. Normalised by the loader or by [`crate::start`], and never changed
/// afterwards.
pub(crate) fn parameters() -> Option<NonNull<RTL_USER_PROCESS_PARAMETERS>> {
    // SAFETY: as for `version`.
    NonNull::new(unsafe { (*peb()).ProcessParameters })
}

/// A string of this process's parameters, which `field` picks.
pub(crate) fn parameter(
    field: fn(&RTL_USER_PROCESS_PARAMETERS) -> &UNICODE_STRING,
) -> UnicodeStr<'static> {
    let Some(parameters) = parameters() else {
        return UnicodeStr::EMPTY;
    };
    // SAFETY: the block lives as long as the process, and nobody changes it any more.
    let text = field(unsafe { parameters.as_ref() });
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
        // SAFETY: the block ends with an empty string, by which RtlCreateProcessParameters, or for
        // the first process the kernel, has measured it to copy it here; the walk stops there.
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
    // SAFETY: the PEB lives as long as the process; offset asserted in `layout`.
    unsafe { (*peb()).NtGlobalFlag }
}

/// The byte at `offset` of KUSER_SHARED_DATA.
const fn shared_data(offset: u64) -> *const u8 {
    core::ptr::without_provenance((ADDRESS + offset) as usize)
}

/// `NtSystemRoot`.
pub(crate) fn system_root() -> UnicodeStr<'static> {
    let text = shared_data(NT_SYSTEM_ROOT).cast::<u16>();
    // SAFETY: the kernel maps this page readable into every process and changes this field no more
    // once user mode runs.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text, NT_SYSTEM_ROOT_UNITS) }).until_nul()
}

/// `PF_PAE_ENABLED` of an i386 kernel.
#[cfg(target_arch = "x86")]
pub(crate) fn pae_enabled() -> bool {
    let feature = shared_data(PROCESSOR_FEATURES + PAE_ENABLED);
    // SAFETY: a byte of the same page, which the kernel changes no more once user mode runs.
    unsafe { feature.read() != 0 }
}

/// Whether a kernel debugger is attached and answers (KdDebuggerEnabled, bits 0 and 1).
pub(crate) fn kernel_debugger() -> bool {
    let flags = shared_data(KD_DEBUGGER_ENABLED);
    // SAFETY: a byte of the same page; volatile, because the kernel may change it.
    unsafe { flags.read_volatile() & 3 == 3 }
}
