// SPDX-License-Identifier: GPL-2.0-or-later
//! Known DLLs: one permanent image section for every DLL of the registry's list and whatever those
//! import (spec 7).
//!
//! A missing file, an excluded name and a section that cannot be made are left out. An image that
//! cannot be read as a PE file, and one that is no DLL, stop the system with hard errors of their
//! own: [`Failure::BadImage`]. `\KnownDlls32` is made the same way, but nothing about it stops the
//! boot (deviations D19, D20).
//!
//! The section that is made known is also the one whose view is walked for imports, so a DLL costs
//! six system calls: open, section, view, and the three that give them back. A section of an image
//! that turns out to be none of ours vanishes again.

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
    lists: &Lists<
        impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone,
        impl Iterator<Item = UnicodeStr<'v>> + Clone,
    >,
    directory: Option<UnicodeStr<'_>>,
) -> Result<(), Failure> {
    let mut making = Making {
        system,
        protection,
        at: At::Step(UnicodeStr::EMPTY),
        file: UnicodeBuf::new(),
    };
    making
        .make(lists, wide!("\\KnownDlls"), directory)
        .map_err(|status| match making.at {
            At::Step(object) => Failure::Stop(directories::stop(Step::KnownDlls, object, status)),
            At::Image(text) => Failure::BadImage(BadImage {
                text,
                status,
                file: making.file,
            }),
        })
}

/// Makes `\KnownDlls32` from `directory` (`DllDirectory32`), if there is such a value. A failure is
/// reported.
pub fn known_dlls32<'v, S: System>(
    system: &S,
    protection: Protection,
    lists: &Lists<
        impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone,
        impl Iterator<Item = UnicodeStr<'v>> + Clone,
    >,
    directory: Option<UnicodeStr<'_>>,
) {
    if directory.is_none() {
        return;
    }
    let mut making = Making {
        system,
        protection,
        at: At::Step(UnicodeStr::EMPTY),
        file: UnicodeBuf::new(),
    };
    if let Err(status) = making.make(lists, wide!("\\KnownDlls32"), directory) {
        let object = match making.at {
            At::Step(object) => object,
            At::Image(_) => making.file.as_str(),
        };
        let _ = judge(Step::KnownDlls32, object, status);
    }
}

/// What is being done: what a failure is told of.
#[derive(Clone, Copy)]
enum At {
    Step(UnicodeStr<'static>),
    /// A file's image, and what is wrong if it is.
    Image(UnicodeStr<'static>),
}

struct Making<'s, S: System> {
    system: &'s S,
    protection: Protection,
    at: At,
    /// The DLL at hand.
    file: UnicodeBuf<MAX_DOS>,
}

fn open_directory<'s, S: System>(system: &'s S, dos: UnicodeStr<'_>) -> Result<Owned<'s, S>> {
    let path = path::to_nt(dos, system.system_root())?;
    let options = OpenOptions::DIRECTORY_FILE | OpenOptions::SYNCHRONOUS_IO_NONALERT;
    let access = Access::FILE_LIST_DIRECTORY | Access::SYNCHRONIZE;
    let handle = system.open_file(
        &ObjectAttributes::named(path.as_str()),
        access,
        Share::READ | Share::WRITE,
        options,
    )?;
    Ok(Owned::new(system, handle))
}

/// The link `KnownDllPath`: its target is the DOS path itself, which ntdll reads as text.
fn link<S: Objects>(
    system: &S,
    protection: Protection,
    objects: Handle,
    dos: UnicodeStr<'_>,
) -> Result<()> {
    let attributes = Attributes::CASE_INSENSITIVE | Attributes::OPENIF | Attributes::PERMANENT;
    let attributes = ObjectAttributes::named(wide!("KnownDllPath"))
        .under(objects)
        .with(attributes)
        .secured(protection.primary_defaulted());
    let link = system.create_symbolic_link(&attributes, Access::SYMBOLIC_LINK_ALL, dos)?;
    drop(Owned::new(system, link.handle));
    Ok(())
}

impl<'s, S: System> Making<'s, S> {
    fn make<'v>(
        &mut self,
        lists: &Lists<
            impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone,
            impl Iterator<Item = UnicodeStr<'v>> + Clone,
        >,
        name: UnicodeStr<'static>,
        directory: Option<UnicodeStr<'_>>,
    ) -> Result<()> {
        self.at = At::Step(name);
        let objects = directories::create(self.system, name, security::known_dlls())?;
        self.at = At::Step(wide!("DllDirectory"));
        let dos = directory.ok_or(Status::OBJECT_NAME_INVALID)?;
        let files = open_directory(self.system, dos)?;
        self.at = At::Step(wide!("KnownDllPath"));
        link(self.system, self.protection, objects.get(), dos)?;
        self.at = At::Step(wide!("list of known DLLs"));
        let mut list = DllList::new(self.system);
        for (name, file) in lists.dlls.clone() {
            list.add(name, file)?;
        }
        while let Some((name, file)) = list.next_entry() {
            if lists
                .excluded
                .clone()
                .any(|excluded| excluded.eq_ignore_case(name) || excluded.eq_ignore_case(file))
            {
                continue;
            }
            self.file.clear();
            match self.file.push(file) {
                Ok(()) => self.add(objects.get(), files.get(), &mut list)?,
                Err(status) => {
                    let _ = judge(Step::KnownDll, name, status);
                }
            }
        }
        Ok(())
    }

    /// Makes one DLL known, and adds what it imports to `list`.
    #[inline(never)]
    fn add(&mut self, objects: Handle, files: Handle, list: &mut DllList<'s, S>) -> Result<()> {
        let system = self.system;
        let file = self.file.as_str();
        let Some(opened) = open(system, files, file) else {
            return Ok(());
        };
        let security = self.protection.liberal_defaulted();
        let attributes = ObjectAttributes::named(file)
            .under(objects)
            .with(Attributes::PERMANENT)
            .secured(security);
        self.at = At::Image(wide!("Verification of a KnownDLL failed."));
        let section =
            match system.create_image_section(&attributes, Access::SECTION_ALL, opened.get()) {
                Ok(section) => Owned::new(system, section),
                Err(status) if is_bad_image(status) => return Err(Status::IMAGE_CHECKSUM_MISMATCH),
                Err(status) => {
                    let _ = judge(Step::KnownDll, file, status);
                    return Ok(());
                }
            };
        let known = match verify(system, section.get(), list) {
            Ok(true) => return Ok(()),
            Ok(false) => {
                self.at = At::Image(wide!("Non-DLL file included in KnownDLL list."));
                Err(Status::INVALID_IMPORT_OF_NON_DLL)
            }
            Err(status) => Err(status),
        };
        let _ = system.make_temporary(section.get());
        known
    }
}

/// Opens the file, if it is there.
fn open<'s, S: System>(
    system: &'s S,
    directory: Handle,
    file: UnicodeStr<'_>,
) -> Option<Owned<'s, S>> {
    let access = Access::SYNCHRONIZE | Access::FILE_EXECUTE;
    let options = OpenOptions::NON_DIRECTORY_FILE | OpenOptions::SYNCHRONOUS_IO_NONALERT;
    match system.open_file(
        &ObjectAttributes::named(file).under(directory),
        access,
        Share::READ | Share::DELETE,
        options,
    ) {
        Ok(handle) => return Some(Owned::new(system, handle)),
        Err(Status::OBJECT_NAME_NOT_FOUND) => nt::debug!("known DLL: {file}: not there"),
        Err(status) => {
            let _ = judge(Step::KnownDll, file, status);
        }
    }
    None
}

/// Walks the imports of an image; whether it is a DLL.
#[inline(never)]
fn verify<S: System>(system: &S, section: Handle, list: &mut DllList<'_, S>) -> Result<bool> {
    let view = system.map_view(section)?;
    let malformed = |_| Status::IMAGE_CHECKSUM_MISMATCH;
    let image = Image::parse(view.as_ref()).map_err(malformed)?;
    for import in image.imports() {
        list.add_import(import.map_err(malformed)?)?;
    }
    Ok(image.is_dll())
}

/// Whether the kernel says by `status` that the file is no image, rather than that it has no
/// section for it.
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
