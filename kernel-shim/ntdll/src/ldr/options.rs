// SPDX-License-Identifier: GPL-2.0-or-later
//! Image File Execution Options: values below the key that has the image's name.

use crate::support::{Owned, attributes, counted, done, status};
use nt::{Status, UnicodeStr, wide};
use ntapi::ntregapi::{KeyValuePartialInformation, NtOpenKey, NtQueryValueKey};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{HANDLE, NTSTATUS, PCWSTR, ULONG, UNICODE_STRING};
use winapi::um::winnt::{REG_BINARY, REG_DWORD, REG_SZ};

const KEY_ENUMERATE_SUB_KEYS: u32 = 8;
const KEY_READ: u32 = 0x0002_0019;
/// Bytes of a value that is looked at; longer options there are none.
const LARGEST: usize = 1024;
const HEADER: usize = 12;

fn open(name: UnicodeStr<'_>, root: HANDLE, access: u32) -> Result<Owned, Status> {
    let mut name = counted(name)?;
    let mut attributes = attributes(&mut name, root);
    let mut key = core::ptr::null_mut();
    // SAFETY: both are live locals.
    done(unsafe { NtOpenKey(&raw mut key, access, &raw mut attributes) })?;
    Ok(Owned(key))
}

/// The value: its type, and its data in `buffer` behind [`HEADER`].
fn query(
    image: UnicodeStr<'_>,
    option: UnicodeStr<'_>,
    buffer: &mut [u32; LARGEST / 4],
) -> Result<(u32, usize), Status> {
    let all = wide!(
        "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options"
    );
    let all = open(all, core::ptr::null_mut(), KEY_ENUMERATE_SUB_KEYS)?;
    let name = image.rfind(b'\\').map_or(image, |at| image.skip(at + 1));
    let key = open(name, all.0, KEY_READ)?;
    let mut option = counted(option)?;
    let mut needed = 0;
    // SAFETY: the buffer is as long as said; the name borrows from the caller, the length is a live
    // local.
    done(unsafe {
        NtQueryValueKey(
            key.0,
            &raw mut option,
            KeyValuePartialInformation,
            buffer.as_mut_ptr().cast(),
            LARGEST as u32,
            &raw mut needed,
        )
    })?;
    let [_, kind, bytes, ..] = *buffer;
    Ok((kind, bytes as usize))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrQueryImageFileExecutionOptions(
    image: &UNICODE_STRING,
    option: PCWSTR,
    kind: ULONG,
    buffer: *mut c_void,
    size: ULONG,
    returned: *mut ULONG,
) -> NTSTATUS {
    let mut units = 0_usize;
    // SAFETY: the caller's name ends with NUL, where the walk stops.
    while unsafe { option.wrapping_add(units).read() } != 0 {
        units += 1;
    }
    // SAFETY: just walked.
    let option = UnicodeStr(unsafe { core::slice::from_raw_parts(option, units) });
    // SAFETY: the caller passes a string.
    let image = unsafe { crate::support::units(image) };
    let mut value = [0; LARGEST / 4];
    let (found, bytes) = match query(image, option, &mut value) {
        Ok(found) => found,
        Err(error) => return status(Err(error)),
    };
    // SAFETY: null, or the caller's number.
    if let Some(returned) = unsafe { returned.as_mut() } {
        *returned = bytes as u32;
    }
    status(match (found, kind) {
        (REG_SZ, REG_DWORD) => Err(Status::NOT_SUPPORTED),
        (REG_BINARY | REG_SZ, _) | (REG_DWORD, REG_DWORD)
            if bytes > size as usize || bytes > LARGEST - HEADER =>
        {
            Err(Status::BUFFER_OVERFLOW)
        }
        (REG_BINARY | REG_SZ, _) | (REG_DWORD, REG_DWORD) => {
            let data = value.as_ptr().cast::<u8>().wrapping_add(HEADER);
            // SAFETY: the value has this many bytes behind its header, and the caller's buffer room
            // for them.
            unsafe { core::ptr::copy_nonoverlapping(data, buffer.cast(), bytes) };
            Ok(())
        }
        _ => Err(Status::OBJECT_TYPE_MISMATCH),
    })
}
