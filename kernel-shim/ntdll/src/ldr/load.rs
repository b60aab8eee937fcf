// SPDX-License-Identifier: GPL-2.0-or-later
//! Finding a DLL and mapping it: among the loaded ones, in `\KnownDlls`, then along the process's
//! DLL path.

use super::image::Image;
use super::module;
use crate::rtl::image_section;
use crate::support::{CURRENT_PROCESS, Owned, attributes, counted, done, peb, units};
use abi::shared_data::{ADDRESS, NT_SYSTEM_ROOT, NT_SYSTEM_ROOT_UNITS};
use alloc::vec::Vec;
use formats::pe::directory;
use nt::{Status, UnicodeStr, wide};
use ntapi::ntmmapi::{NtMapViewOfSection, NtOpenSection, NtUnmapViewOfSection, ViewShare};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{HANDLE, OBJ_CASE_INSENSITIVE};
use winapi::um::winnt::PAGE_READWRITE;

const SECTION_MAP_ALL: u32 = 0x0E; // write, read, execute

/// The module of this file name; maps and relocates it if it is not there yet, and binds nothing. A
/// name without an extension gets `.dll`. `DLL_NOT_FOUND` if there is none.
pub(crate) fn module(name: UnicodeStr<'_>) -> Result<usize, Status> {
    let name = base_name(name);
    let mut file = name.units().to_vec();
    if name.find(b'.').is_none() {
        file.extend_from_slice(wide!(".dll").units());
    }
    if let Some(index) = module::find(UnicodeStr(&file)) {
        return Ok(index);
    }
    let (image, path) = map(UnicodeStr(&file))?;
    if image.headers()?.directory(directory::TLS).is_some() {
        crate::debug::print(format_args!(
            "LDR: {}: thread-local storage is not supported\n",
            UnicodeStr(&file)
        ));
        return Err(Status::NOT_SUPPORTED);
    }
    image.relocate()?;
    Ok(module::add(
        image,
        UnicodeStr(Vec::leak(path)),
        UnicodeStr(Vec::leak(file)),
    ))
}

/// What follows the last backslash.
fn base_name(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    path.rfind(b'\\').map_or(path, |at| path.skip(at + 1))
}

/// Maps the DLL: its image and its full name.
fn map(file: UnicodeStr<'_>) -> Result<(Image, Vec<u16>), Status> {
    if let Ok(section) = known(file) {
        let mut path = nt_system_root().to_vec();
        path.extend_from_slice(wide!("\\System32\\").units());
        path.extend_from_slice(file.units());
        return Ok((view(section.0)?, path));
    }
    let mut status = Status::DLL_NOT_FOUND;
    for directory in dll_path().units().split(|&unit| unit == u16::from(b';')) {
        if directory.is_empty() {
            continue;
        }
        let mut path = directory.to_vec();
        if path.last() != Some(&u16::from(b'\\')) {
            path.push(u16::from(b'\\'));
        }
        path.extend_from_slice(file.units());
        let mut name = wide!("\\??\\").units().to_vec();
        name.extend_from_slice(&path);
        match image_section(&mut counted(UnicodeStr(&name))?, OBJ_CASE_INSENSITIVE) {
            Ok(section) => return Ok((view(section.0)?, path)),
            Err(Status::OBJECT_NAME_NOT_FOUND | Status::OBJECT_PATH_NOT_FOUND) => {}
            // A file that is there and cannot be loaded is a better answer than none.
            Err(other) => status = other,
        }
    }
    Err(status)
}

/// The section `\KnownDlls\<file>`.
fn known(file: UnicodeStr<'_>) -> Result<Owned, Status> {
    let mut path = wide!("\\KnownDlls\\").units().to_vec();
    path.extend_from_slice(file.units());
    let mut name = counted(UnicodeStr(&path))?;
    let mut attributes = attributes(&mut name, core::ptr::null_mut());
    let mut section = core::ptr::null_mut();
    // SAFETY: both are live locals.
    done(unsafe { NtOpenSection(&raw mut section, SECTION_MAP_ALL, &raw mut attributes) })?;
    Ok(Owned(section))
}

/// Maps an image section, for the life of the process.
fn view(section: HANDLE) -> Result<Image, Status> {
    let mut base: *mut c_void = core::ptr::null_mut();
    let mut size = 0;
    // SAFETY: a new view; both out-pointers are live locals. That it is not at its base is no
    // error.
    done(unsafe {
        NtMapViewOfSection(
            section,
            CURRENT_PROCESS,
            &raw mut base,
            0,
            0,
            core::ptr::null_mut(),
            &raw mut size,
            ViewShare,
            0,
            PAGE_READWRITE,
        )
    })?;
    // SAFETY: just mapped, and never unmapped if it is an image for this machine.
    let image = unsafe { Image::at(base) };
    image
        .and_then(|image| match image.size() <= size {
            true => Ok(image),
            // The kernel says how much is mapped, whatever the headers say.
            false => Err(Status::INVALID_IMAGE_FORMAT),
        })
        .inspect_err(|_| {
            // SAFETY: our own view, which nobody uses.
            let _ = unsafe { NtUnmapViewOfSection(CURRENT_PROCESS, base) };
        })
}

/// `DllPath` of this process.
fn dll_path() -> UnicodeStr<'static> {
    // SAFETY: the PEB's parameters live as long as the process.
    let parameters = unsafe { (*peb()).ProcessParameters };
    // SAFETY: null, or this process's normalised parameters.
    match unsafe { parameters.as_ref() } {
        // SAFETY: a string of the normalised parameters: its buffer is an address.
        Some(parameters) => unsafe { units(&parameters.DllPath) },
        None => UnicodeStr::EMPTY,
    }
}

/// `NtSystemRoot` of the shared user data.
fn nt_system_root() -> &'static [u16] {
    let text = core::ptr::without_provenance::<u16>((ADDRESS + NT_SYSTEM_ROOT) as usize);
    // SAFETY: the kernel maps this page readable into every process and changes this field no more.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text, NT_SYSTEM_ROOT_UNITS) })
        .until_nul()
        .units()
}
