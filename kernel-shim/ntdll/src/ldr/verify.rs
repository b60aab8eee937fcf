// SPDX-License-Identifier: GPL-2.0-or-later
//! LdrVerifyImageMatchesChecksum: whether a file is the image that its header's CheckSum was made
//! for.

use crate::rtl::io_status;
use crate::support::{CURRENT_PROCESS, Owned, done, status};
use alloc::vec::Vec;
use nt::Status;
use ntapi::ntioapi::{FILE_STANDARD_INFORMATION, FileStandardInformation, NtQueryInformationFile};
use ntapi::ntmmapi::{
    NtCreateSection, NtMapViewOfSection, NtReadVirtualMemory, NtUnmapViewOfSection, ViewShare,
};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{HANDLE, NTSTATUS, USHORT};
use winapi::um::winnt::{PAGE_EXECUTE, SEC_COMMIT, SECTION_MAP_EXECUTE};

/// The 16-bit one's complement sum of the file, without the field that holds it.
fn sum(file: &[u8], field: usize) -> u32 {
    let mut sum = 0_u32;
    for (index, pair) in file.chunks(2).enumerate() {
        let word = u32::from(pair[0]) | pair.get(1).map_or(0, |&high| u32::from(high) << 8);
        if !(field..field + 4).contains(&(index * 2)) {
            sum += word;
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
    }
    sum
}

/// The file header's characteristics. `IMAGE_CHECKSUM_MISMATCH` for what is no image or not the
/// right one.
fn verify(file: &[u8]) -> Result<u16, Status> {
    let word = |at: usize| {
        file.get(at..)
            .and_then(<[u8]>::first_chunk)
            .map(|chunk| u32::from_le_bytes(*chunk))
    };
    let wrong = Status::IMAGE_CHECKSUM_MISMATCH;
    let pe = word(0x3C).ok_or(wrong)? as usize;
    let field = pe.checked_add(24 + 64).ok_or(wrong)?;
    if word(pe) != Some(0x4550) {
        return Err(wrong);
    }
    let expected = word(field).ok_or(wrong)?;
    // An image without a checksum promises nothing.
    if expected != 0 && sum(file, field).wrapping_add(file.len() as u32) != expected {
        return Err(wrong);
    }
    Ok((word(pe + 20).ok_or(wrong)? >> 16) as u16)
}

/// Where the file has the byte that the mapped image has at `rva`.
fn offset(file: &[u8], rva: u32) -> Option<usize> {
    let half = |at: usize| {
        file.get(at..)
            .and_then(<[u8]>::first_chunk)
            .map(|chunk| u16::from_le_bytes(*chunk))
    };
    let word = |at: usize| {
        file.get(at..)
            .and_then(<[u8]>::first_chunk)
            .map(|chunk| u32::from_le_bytes(*chunk))
    };
    let pe = word(0x3C)? as usize;
    let first = pe
        .checked_add(24)?
        .checked_add(usize::from(half(pe.checked_add(20)?)?))?;
    for index in 0..usize::from(half(pe + 6)?) {
        let section = first + 40 * index;
        let (address, size, raw) = (
            word(section + 12)?,
            word(section + 16)?,
            word(section + 20)?,
        );
        if let Some(inside) = rva.checked_sub(address).filter(|&inside| inside < size) {
            return raw.checked_add(inside).map(|at| at as usize);
        }
    }
    None
}

/// Calls `each` with the file's place of every imported DLL's name.
fn imports(file: &[u8], mut each: impl FnMut(usize)) -> Option<()> {
    let half = |at: usize| {
        file.get(at..)
            .and_then(<[u8]>::first_chunk)
            .map(|chunk| u16::from_le_bytes(*chunk))
    };
    let word = |at: usize| {
        file.get(at..)
            .and_then(<[u8]>::first_chunk)
            .map(|chunk| u32::from_le_bytes(*chunk))
    };
    let optional = (word(0x3C)? as usize).checked_add(24)?;
    // The import directory is the second one; directories begin later in a 64-bit image.
    let directories = if half(optional)? == 0x20B { 112 } else { 96 };
    let mut descriptor = offset(file, word(optional + directories + 8)?)?;
    loop {
        match word(descriptor + 12)? {
            0 => return Some(()),
            name => {
                let at = offset(file, name)?;
                // The callee takes a NUL-terminated text.
                file.get(at..)?.iter().position(|&byte| byte == 0)?;
                each(at);
            }
        }
        descriptor += 20;
    }
}

/// Takes the context and the name of an imported DLL.
type Callback = unsafe extern "system" fn(*mut c_void, *const u8);

/// # Safety
/// `file` must be a handle of the caller's, its lowest bit a flag; `callback` takes `context`.
unsafe fn check(
    file: HANDLE,
    callback: Option<Callback>,
    context: *mut c_void,
) -> Result<u16, Status> {
    // The lowest bit asks for the mapping of an executable; the bytes are the same.
    let file = file.map_addr(|address| address & !1);
    let mut io = io_status();
    // SAFETY: integers only.
    let mut standard: FILE_STANDARD_INFORMATION = unsafe { core::mem::zeroed() };
    let bytes = size_of::<FILE_STANDARD_INFORMATION>() as u32;
    // SAFETY: both are live locals, as long as said.
    done(unsafe {
        NtQueryInformationFile(
            file,
            &raw mut io,
            (&raw mut standard).cast(),
            bytes,
            FileStandardInformation,
        )
    })?;
    // SAFETY: reads the field that covers the union.
    let length = usize::try_from(*unsafe { standard.EndOfFile.QuadPart() })
        .map_err(|_| Status::IMAGE_CHECKSUM_MISMATCH)?;
    let none = core::ptr::null_mut();
    let mut section = core::ptr::null_mut();
    // The file may have been opened for execution only; on this machine what can be executed can be
    // read.
    // SAFETY: the out-pointer is a live local.
    done(unsafe {
        NtCreateSection(
            &raw mut section,
            SECTION_MAP_EXECUTE,
            core::ptr::null_mut(),
            none,
            PAGE_EXECUTE,
            SEC_COMMIT,
            file,
        )
    })?;
    let section = Owned(section);
    let mut base: *mut c_void = core::ptr::null_mut();
    let mut size = 0;
    let none = core::ptr::null_mut();
    // SAFETY: a new view; both out-pointers are live locals.
    done(unsafe {
        NtMapViewOfSection(
            section.0,
            CURRENT_PROCESS,
            &raw mut base,
            0,
            0,
            none,
            &raw mut size,
            ViewShare,
            0,
            PAGE_EXECUTE,
        )
    })?;
    let copied = copy(base, length.min(size));
    // SAFETY: our own view, which nobody uses any more.
    let _ = unsafe { NtUnmapViewOfSection(CURRENT_PROCESS, base) };
    let bytes = copied?;
    let answer = verify(&bytes);
    if let (Ok(_), Some(callback)) = (answer, callback) {
        // An image without imports has no import directory, which is no error.
        // SAFETY: the caller's routine; the text is inside the copy and ends there.
        let _ = imports(&bytes, |at| unsafe {
            callback(context, bytes.as_ptr().wrapping_add(at))
        });
    }
    answer
}

/// The bytes of a view. They are copied by the kernel, which has a status where the disk does not
/// give a page: a load would be an exception. `IMAGE_CHECKSUM_MISMATCH` then, as NT answers it.
fn copy(view: *mut c_void, length: usize) -> Result<Vec<u8>, Status> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| Status::NO_MEMORY)?;
    bytes.resize(length, 0);
    let none = core::ptr::null_mut();
    let target = bytes.as_mut_ptr().cast();
    // SAFETY: the buffer is as long as said; what lies at the view's address is the kernel's to
    // judge.
    let read = unsafe { NtReadVirtualMemory(CURRENT_PROCESS, view, target, length, none) };
    done(read).map_err(|_| Status::IMAGE_CHECKSUM_MISMATCH)?;
    Ok(bytes)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn LdrVerifyImageMatchesChecksum(
    file: HANDLE,
    callback: Option<Callback>,
    context: *mut c_void,
    characteristics: *mut USHORT,
) -> NTSTATUS {
    // SAFETY: the caller passes a file handle.
    match unsafe { check(file, callback, context) } {
        Ok(found) => {
            // SAFETY: null, or the caller's number.
            if let Some(characteristics) = unsafe { characteristics.as_mut() } {
                *characteristics = found;
            }
            0
        }
        Err(error) => status(Err(error)),
    }
}
