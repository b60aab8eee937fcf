// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot status data file, `\SystemRoot\bootstat.dat` (spec 8.4).

use crate::support::{attributes, counted, done, status};
use nt::{Status, wide};
use ntapi::ntioapi::{
    FILE_SYNCHRONOUS_IO_NONALERT, IO_STATUS_BLOCK, IO_STATUS_BLOCK_u, NtFlushBuffersFile,
    NtOpenFile, NtReadFile, NtWriteFile,
};
use ntapi::ntobapi::NtWaitForSingleObject;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, ULONG};
use winapi::um::winnt::FILE_ALL_ACCESS;

/// Offset and size of the items in the file, by RTL_BSD_ITEM_TYPE: version, product type, the
/// advanced-boot menu's switch and time out, boot good, boot shutdown.
const ITEMS: [(u8, u8); 6] = [(0, 4), (4, 4), (8, 1), (9, 1), (10, 1), (11, 1)];

/// An empty status block.
pub(crate) fn io_status() -> IO_STATUS_BLOCK {
    IO_STATUS_BLOCK {
        u: IO_STATUS_BLOCK_u {
            Pointer: core::ptr::null_mut(),
        },
        Information: 0,
    }
}

/// How a request ended, whose buffer and `io` stay until this returns.
///
/// The file that [`lock`] opens is synchronous, of which no request is PENDING; but the handle is
/// whatever the caller passes. A request that can neither be ended nor waited for would go on writing
/// into a stack that is no longer its own, so that the process ends instead.
fn ended(file: HANDLE, answer: NTSTATUS, io: *const IO_STATUS_BLOCK) -> NTSTATUS {
    if answer.cast_unsigned() != Status::PENDING.code() {
        return answer;
    }
    // SAFETY: no time out is given, and nothing else is a pointer.
    let waited = unsafe { NtWaitForSingleObject(file, 0, core::ptr::null_mut()) };
    if waited != 0 {
        crate::exception::end(waited);
    }
    // SAFETY: the caller's live block, which the kernel has filled behind the compiler's back.
    let io = unsafe { io.read_volatile() };
    // SAFETY: both parts of the union are numbers to this DLL, and the kernel wrote a status.
    unsafe { io.u.Status }
}

fn lock(file: &mut HANDLE) -> Result<(), Status> {
    let mut name = counted(wide!("\\SystemRoot\\bootstat.dat"))?;
    let mut attributes = attributes(&mut name, core::ptr::null_mut());
    let mut io = io_status();
    // No sharing: that is the lock.
    // SAFETY: all pointers are to live locals or the caller's handle.
    done(unsafe {
        NtOpenFile(
            file,
            FILE_ALL_ACCESS,
            &raw mut attributes,
            &raw mut io,
            0,
            FILE_SYNCHRONOUS_IO_NONALERT,
        )
    })
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlLockBootStatusData(file: &mut HANDLE) -> NTSTATUS {
    *file = core::ptr::null_mut();
    status(lock(file))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlUnlockBootStatusData(file: HANDLE) -> NTSTATUS {
    let mut io = io_status();
    // SAFETY: the status block is a live local.
    let _ = unsafe { NtFlushBuffersFile(file, &raw mut io) };
    // SAFETY: takes no pointer.
    unsafe { ntapi::ntobapi::NtClose(file) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlGetSetBootStatusData(
    file: HANDLE,
    read: BOOLEAN,
    item: ULONG,
    buffer: *mut c_void,
    bytes: ULONG,
    returned: *mut ULONG,
) -> NTSTATUS {
    let Some(&(offset, size)) = ITEMS.get(item as usize) else {
        return status(Err(Status::INVALID_PARAMETER));
    };
    if bytes > u32::from(size) {
        return status(Err(Status::BUFFER_TOO_SMALL));
    }
    let mut io = io_status();
    // SAFETY: an integer type; all zeros are a value of it.
    let mut at: LARGE_INTEGER = unsafe { core::mem::zeroed() };
    // SAFETY: writes the field that covers the union.
    *unsafe { at.QuadPart_mut() } = i64::from(offset);
    let none = core::ptr::null_mut();
    let answer = if read != 0 {
        // SAFETY: the caller's buffer has as many bytes as said; the rest are live locals, and this
        // function does not return before the request has ended, whatever kind of file it is.
        unsafe {
            NtReadFile(
                file,
                none,
                None,
                none,
                &raw mut io,
                buffer,
                bytes,
                &raw mut at,
                core::ptr::null_mut(),
            )
        }
    } else {
        // SAFETY: the caller's buffer has as many bytes as said; the rest are live locals, and this
        // function does not return before the request has ended, whatever kind of file it is.
        unsafe {
            NtWriteFile(
                file,
                none,
                None,
                none,
                &raw mut io,
                buffer,
                bytes,
                &raw mut at,
                core::ptr::null_mut(),
            )
        }
    };
    let answer = ended(file, answer, &raw const io);
    // SAFETY: null, or the caller's number.
    if let (true, Some(returned)) = (answer >= 0, unsafe { returned.as_mut() }) {
        *returned = u32::from(size);
    }
    answer
}
