// SPDX-License-Identifier: GPL-2.0-or-later
//! Known DLLs: one permanent image section for every DLL of the registry's list and whatever those import (spec 7).
//!
//! A missing file, an excluded name and a section that cannot be made are left out. An image that cannot be read as a PE file, and one
//! that is no DLL, stop the system with hard errors of their own: [`Failure::BadImage`]. `\KnownDlls32` is made the same way, but
//! nothing about it stops the boot (deviations D19, D20).
//!
//! The section that is made known is also the one whose view is walked for imports, so a DLL costs six system calls: open, section, view,
//! and the three that give them back. A section of an image that turns out to be none of ours vanishes again.

use crate::dll_list::DllList;
use crate::image::Image;
use crate::{Protection, directories, security};
use nt::access::{Access, OpenOptions, Share};
use nt::failure::{Step, Stop, judge};
use nt::object::{Attributes, ObjectAttributes};
use nt::path::{self, MAX_DOS};
use nt::system::{Objects, System};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};

/// A known DLL that stops the system: the parameters of its hard error (spec 12.4; string mask 5).
#[derive(Clone, Debug)]
pub struct BadImage {
    /// Parameter 0: what is wrong.
    pub text: UnicodeStr<'static>,
    /// Parameter 1: the status.
    pub status: Status,
    /// Parameter 2: the file name.
    pub file: UnicodeBuf<MAX_DOS>,
}

/// Why the known DLLs stop the system.
#[derive(Clone, Debug)]
pub enum Failure {
    /// As any other step.
    Stop(Stop),
    /// By a hard error of its own.
    BadImage(BadImage),
}

/// What the registry says about known DLLs.
#[derive(Clone, Copy, Debug)]
pub struct Lists<D, E> {
    /// Names and file names.
    pub dlls: D,
    /// `ExcludeFromKnownDlls`.
    pub excluded: E,
}

/// Makes `\KnownDlls` from `directory`, a DOS path (`DllDirectory`).
///
/// # Errors
/// [`Failure`].
pub fn known_dlls<'v, S: System>(
    system: &S,
    protection: Protection,
    lists: &Lists<impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone, impl Iterator<Item = UnicodeStr<'v>> + Clone>,
    directory: Option<UnicodeStr<'_>>,
) -> Result<(), Failure> {
    make(system, protection, lists, wide!("\\KnownDlls"), directory).map_err(|failure| match failure {
        Reason::Step(object, status) => Failure::Stop(directories::stop(Step::KnownDlls, object, status)),
        Reason::BadImage(bad) => Failure::BadImage(bad),
    })
}

/// Makes `\KnownDlls32` from `directory` (`DllDirectory32`), if there is such a value. A failure is reported.
pub fn known_dlls32<'v, S: System>(
    system: &S,
    protection: Protection,
    lists: &Lists<impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone, impl Iterator<Item = UnicodeStr<'v>> + Clone>,
    directory: Option<UnicodeStr<'_>>,
) {
    if directory.is_none() {
        return;
    }
    let (object, status) = match make(system, protection, lists, wide!("\\KnownDlls32"), directory) {
        Ok(()) => return,
        Err(Reason::Step(object, status)) => (object, status),
        Err(Reason::BadImage(bad)) => {
            let _ = judge(Step::KnownDlls32, bad.file, bad.status);
            return;
        }
    };
    let _ = judge(Step::KnownDlls32, object, status);
}

enum Reason {
    Step(UnicodeStr<'static>, Status),
    BadImage(BadImage),
}

/// Where sections go and files come from.
struct Place<'a, S: System> {
    system: &'a S,
    protection: Protection,
    objects: Handle,
    files: Handle,
}

fn make<'v, S: System>(
    system: &S,
    protection: Protection,
    lists: &Lists<impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone, impl Iterator<Item = UnicodeStr<'v>> + Clone>,
    name: UnicodeStr<'static>,
    directory: Option<UnicodeStr<'_>>,
) -> Result<(), Reason> {
    let step = |object| move |status| Reason::Step(object, status);
    let objects = directories::create(system, name, security::known_dlls()).map_err(step(name))?;
    let dos = directory.ok_or(Status::OBJECT_NAME_INVALID).map_err(step(wide!("DllDirectory")))?;
    let files = open_directory(system, dos).map_err(step(wide!("DllDirectory")))?;
    link(system, protection, objects.get(), dos).map_err(step(wide!("KnownDllPath")))?;
    let mut list = DllList::new(system);
    for (name, file) in lists.dlls.clone() {
        list.add(name, file).map_err(step(wide!("list of known DLLs")))?;
    }
    let place = Place { system, protection, objects: objects.get(), files: files.get() };
    while let Some((name, file)) = list.next_entry() {
        let excluded = |wanted: UnicodeStr<'_>| lists.excluded.clone().any(|excluded| excluded.eq_ignore_case(wanted));
        if excluded(name) {
            continue;
        }
        match file {
            Ok(file) if excluded(file.as_str()) => {}
            Ok(file) => place.add(file, &mut list)?,
            Err(status) => {
                let _ = judge(Step::KnownDll, name, status);
            }
        }
    }
    Ok(())
}

fn open_directory<'s, S: System>(system: &'s S, dos: UnicodeStr<'_>) -> Result<Owned<'s, S>> {
    let path = path::to_nt(dos, system.system_root())?;
    let options = OpenOptions::DIRECTORY_FILE | OpenOptions::SYNCHRONOUS_IO_NONALERT;
    let access = Access::FILE_LIST_DIRECTORY | Access::SYNCHRONIZE;
    let handle = system.open_file(&ObjectAttributes::named(path.as_str()), access, Share::READ | Share::WRITE, options)?;
    Ok(Owned::new(system, handle))
}

/// The link `KnownDllPath`: its target is the DOS path itself, which ntdll reads as text.
fn link<S: Objects>(system: &S, protection: Protection, objects: Handle, dos: UnicodeStr<'_>) -> Result<()> {
    let attributes = Attributes::CASE_INSENSITIVE | Attributes::OPENIF | Attributes::PERMANENT;
    let attributes = ObjectAttributes::named(wide!("KnownDllPath")).under(objects).with(attributes).secured(protection.primary_defaulted());
    let link = system.create_symbolic_link(&attributes, Access::SYMBOLIC_LINK_ALL, dos)?;
    drop(Owned::new(system, link.handle));
    Ok(())
}

impl<S: System> Place<'_, S> {
    /// Makes one DLL known, and adds what it imports to `list`.
    fn add(&self, file: UnicodeBuf<MAX_DOS>, list: &mut DllList<'_, S>) -> Result<(), Reason> {
        let Some(handle) = self.open(file.as_str()) else { return Ok(()) };
        let security = self.protection.liberal_defaulted();
        let attributes = ObjectAttributes::named(file.as_str()).under(self.objects).with(Attributes::PERMANENT).secured(security);
        let known = match self.system.create_image_section(&attributes, Access::SECTION_ALL, handle.get()) {
            Ok(section) => {
                let section = Owned::new(self.system, section);
                let known = self.verify(section.get(), list);
                if !matches!(known, Ok(true)) {
                    let _ = self.system.make_temporary(section.get());
                }
                known
            }
            Err(status) if is_bad_image(status) => Err(Status::IMAGE_CHECKSUM_MISMATCH),
            Err(status) => {
                let _ = judge(Step::KnownDll, file, status);
                return Ok(());
            }
        };
        let (text, status) = match known {
            Ok(true) => return Ok(()),
            Ok(false) => (wide!("Non-DLL file included in KnownDLL list."), Status::INVALID_IMPORT_OF_NON_DLL),
            Err(status) => (wide!("Verification of a KnownDLL failed."), status),
        };
        Err(Reason::BadImage(BadImage { text, status, file }))
    }

    /// Opens the file, if it is there.
    fn open(&self, file: UnicodeStr<'_>) -> Option<Owned<'_, S>> {
        let access = Access::SYNCHRONIZE | Access::FILE_EXECUTE;
        let options = OpenOptions::NON_DIRECTORY_FILE | OpenOptions::SYNCHRONOUS_IO_NONALERT;
        let attributes = ObjectAttributes::named(file).under(self.files);
        match self.system.open_file(&attributes, access, Share::READ | Share::DELETE, options) {
            Ok(handle) => Some(Owned::new(self.system, handle)),
            Err(Status::OBJECT_NAME_NOT_FOUND) => {
                nt::debug!("known DLL: {file}: not there");
                None
            }
            Err(status) => {
                let _ = judge(Step::KnownDll, file, status);
                None
            }
        }
    }

    /// Walks the imports of an image; whether it is a DLL.
    fn verify(&self, section: Handle, list: &mut DllList<'_, S>) -> Result<bool> {
        let view = self.system.map_view(section)?;
        let malformed = |_| Status::IMAGE_CHECKSUM_MISMATCH;
        let image = Image::parse(view.as_ref()).map_err(malformed)?;
        for import in image.imports() {
            list.add_import(import.map_err(malformed)?)?;
        }
        Ok(image.is_dll())
    }
}

/// Whether the kernel says by `status` that the file is no image, rather than that it has no section for it.
fn is_bad_image(status: Status) -> bool {
    matches!(
        status,
        Status::INVALID_IMAGE_FORMAT
            | Status::INVALID_IMAGE_NOT_MZ
            | Status::INVALID_IMAGE_PROTECT
            | Status::INVALID_IMAGE_LE_FORMAT
            | Status::INVALID_IMAGE_WIN_16
            | Status::INVALID_FILE_FOR_SECTION
            | Status::MAPPED_FILE_SIZE_ZERO
    )
}
