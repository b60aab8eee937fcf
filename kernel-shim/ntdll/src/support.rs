// SPDX-License-Identifier: GPL-2.0-or-later
//! What every part of this DLL needs: the way to the TEB and the PEB, statuses, strings, names of
//! objects, handles; and that `ntapi`'s structures lie as NT 5.2 has them.

use crate::machine::teb;
use abi::{Native, loader, process};
use core::mem::offset_of;
use nt::{Status, UnicodeStr};
use ntapi::ntpebteb::{PEB, TEB};
use ntapi::ntrtl::RTL_USER_PROCESS_PARAMETERS;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{
    HANDLE, LIST_ENTRY, NTSTATUS, OBJECT_ATTRIBUTES, STRING, UNICODE_STRING,
};
use winapi::um::winnt::EXCEPTION_RECORD;

/// Bytes in a page.
pub(crate) const PAGE: usize = 0x1000;
/// Reservations are made in this unit.
pub(crate) const GRANULARITY: usize = 0x1_0000;
/// `NtCurrentProcess()`.
pub(crate) const CURRENT_PROCESS: HANDLE = usize::MAX as HANDLE;
/// `NtCurrentThread()`.
pub(crate) const CURRENT_THREAD: HANDLE = (usize::MAX - 1) as HANDLE;

/// PEB_LDR_DATA of NT 5.2.
#[repr(C)]
pub(crate) struct LoaderData {
    pub(crate) length: u32,
    pub(crate) initialized: u8,
    pub(crate) handle: *mut c_void,
    pub(crate) in_load_order: LIST_ENTRY,
    pub(crate) in_memory_order: LIST_ENTRY,
    pub(crate) in_initialization_order: LIST_ENTRY,
    pub(crate) in_progress: *mut c_void,
}

/// LDR_DATA_TABLE_ENTRY of NT 5.2, as far as debuggers and other programs read it.
#[repr(C)]
pub(crate) struct LoaderEntry {
    pub(crate) in_load_order: LIST_ENTRY,
    pub(crate) in_memory_order: LIST_ENTRY,
    pub(crate) in_initialization_order: LIST_ENTRY,
    pub(crate) base: *mut c_void,
    pub(crate) entry_point: *mut c_void,
    pub(crate) size: u32,
    pub(crate) full_name: UNICODE_STRING,
    pub(crate) base_name: UNICODE_STRING,
    pub(crate) flags: u32,
    pub(crate) load_count: u16,
    pub(crate) tls_index: u16,
    pub(crate) hash_links: LIST_ENTRY,
    pub(crate) time_stamp: u32,
    pub(crate) activation_context: *mut c_void,
    pub(crate) patch: *mut c_void,
}

/// Asserts that fields of a structure lie where the layout of NT 5.2 has them.
macro_rules! same {
    ($theirs:ty = $ours:ty { $($field:ident = $layout:ident),* }) => {
        $(const _: () = assert!(offset_of!($theirs, $field) == offset_of!($ours, $layout));)*
    };
}

pub(crate) use same;

same!(EXCEPTION_RECORD = process::ExceptionRecord<Native> {
    ExceptionAddress = address, ExceptionInformation = information
});
same!(TEB = process::Teb<Native> {
    ClientId = client, ProcessEnvironmentBlock = peb, ExceptionCode = exception_code
});
same!(PEB = process::Peb<Native> {
    ImageBaseAddress = image_base, Ldr = loader_data, ProcessParameters = parameters,
    ProcessHeap = process_heap, NtGlobalFlag = global_flag
});
same!(RTL_USER_PROCESS_PARAMETERS = process::ProcessParameters<Native> {
    CurrentDirectory = current_directory, RuntimeData = runtime_data,
    CurrentDirectories = current_directories
});
same!(LoaderData = loader::LoaderData<Native> {
    in_load_order = in_load_order, in_memory_order = in_memory_order,
    in_initialization_order = in_initialization_order, in_progress = in_progress
});
same!(LoaderEntry = loader::LoaderEntry<Native> {
    base = base, entry_point = entry_point, size = size, full_name = full_name,
    base_name = base_name, flags = flags, load_count = load_count, hash_links = hash_links,
    time_stamp = time_stamp, patch = patch
});
const _: () =
    assert!(size_of::<EXCEPTION_RECORD>() == size_of::<process::ExceptionRecord<Native>>());

/// Bytes of RTL_USER_PROCESS_PARAMETERS in NT 5.2: `ntapi`'s has more fields at its end.
pub(crate) const PARAMETERS_SIZE: usize = size_of::<process::ProcessParameters<Native>>();

/// This process's PEB.
pub(crate) fn peb() -> *mut PEB {
    // SAFETY: the TEB lives as long as its thread; offset asserted above.
    unsafe { (*teb()).ProcessEnvironmentBlock }
}

/// The status of a system call.
pub(crate) fn done(raw: NTSTATUS) -> Result<(), Status> {
    Status::new(raw.cast_unsigned()).ok()
}

/// A result as an exported routine returns it.
pub(crate) fn status(result: Result<(), Status>) -> NTSTATUS {
    Status::from(result).code().cast_signed()
}

/// The units of a counted string.
///
/// # Safety
/// `text` must describe readable memory, aligned for units, that lives and stays as it is as long as
/// the result is used.
pub(crate) unsafe fn units<'a>(text: &UNICODE_STRING) -> UnicodeStr<'a> {
    if text.Buffer.is_null() {
        return UnicodeStr::EMPTY;
    }
    // SAFETY: the caller's promise.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text.Buffer, usize::from(text.Length) / 2) })
}

/// The bytes of a counted string.
///
/// # Safety
/// As for [`units`]; bytes may lie anywhere.
pub(crate) unsafe fn bytes<'a>(text: &STRING) -> &'a [u8] {
    if text.Buffer.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(text.Buffer.cast::<u8>(), usize::from(text.Length)) }
}

/// A counted string over `text`, for a callee that only reads.
pub(crate) fn counted(text: UnicodeStr<'_>) -> Result<UNICODE_STRING, Status> {
    let length = u16::try_from(text.byte_len()).map_err(|_| Status::NAME_TOO_LONG)?;
    Ok(UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: text.units().as_ptr().cast_mut(),
    })
}

/// OBJECT_ATTRIBUTES for `name` below `root`, looked up without regard to case.
pub(crate) fn attributes(name: &mut UNICODE_STRING, root: HANDLE) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: root,
        ObjectName: name,
        Attributes: winapi::shared::ntdef::OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: core::ptr::null_mut(),
        SecurityQualityOfService: core::ptr::null_mut(),
    }
}

/// OBJECT_ATTRIBUTES of an object without a name.
pub(crate) fn unnamed(security: *mut c_void) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: core::ptr::null_mut(),
        ObjectName: core::ptr::null_mut(),
        Attributes: 0,
        SecurityDescriptor: security,
        SecurityQualityOfService: core::ptr::null_mut(),
    }
}

/// A handle that closes itself.
pub(crate) struct Owned(pub(crate) HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: takes no pointer; the handle is ours.
        let _ = unsafe { ntapi::ntobapi::NtClose(self.0) };
    }
}
