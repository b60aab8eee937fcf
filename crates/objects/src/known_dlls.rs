// SPDX-License-Identifier: GPL-2.0-or-later
//! Known DLLs: one permanent image section for every DLL of the registry's list and whatever those
//! import (spec 7).
//!
//! A missing file, an excluded name and a section that cannot be made are left out. A file that is
//! not a PE image, and an image that is not a DLL, stop the system with hard errors of their own:
//! [`Failure::BadImage`]. `\KnownDlls32` is made the same way, but nothing about it stops the boot
//! (deviations D19, D20).
//!
//! The section that is made known is also the one whose view is walked for imports, so a DLL costs
//! six system calls: open, section, view, and the three that give them back. A section of an image
//! that turns out not to be a DLL vanishes again. Where the kernel makes no section because of what
//! is in the file, the file itself is read: it may be no image at all, or one that this kernel will
//! not map, such as a DLL for another machine. That one is left out, and its imports are walked as
//! any other's (spec 7.2 #7, #9). A DLL of which the disk does not give a page that the walk needs
//! is left out as well, without a section: no process could run it.

use crate::dll_list::DllList;
use crate::image::{self, Layout, PeImage, Place};
use crate::{Protection, directories, security};
use nt::access::{Access, OpenOptions, Share};
use nt::failure::{Attempt, Essential, Skippable, Stop};
use nt::object::{Attributes, ObjectAttributes};
use nt::path::{self, MAX_DOS};
use nt::system::{Objects, System, View};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, file, wide};

/// A known DLL that stops the system: the parameters of its hard error (spec 12.4; string mask 5).
#[derive(Clone, Debug)]
pub struct BadImage {
    /// Parameter 0: what is wrong.
    pub text: UnicodeStr<'static>,
    /// Parameter 1: the status. Parameter 2 is the name of the file at hand.
    pub status: Status,
}

/// Why the known DLLs stop the system.
#[derive(Clone, Debug)]
pub enum Failure {
    /// As any other step.
    Stop(Stop),
    /// By a hard error of its own.
    BadImage(BadImage),
}

/// What the registry says about known DLLs, and how to make them known.
#[derive(Clone, Copy, Debug)]
pub struct KnownDlls<S, Dlls, Excluded> {
    /// The seam.
    pub system: S,
    /// How the objects are protected.
    pub protection: Protection,
    /// Names and file names.
    pub dlls: Dlls,
    /// Whether `ExcludeFromKnownDlls` has a name.
    pub is_excluded: Excluded,
}

impl<'v, S, Dlls, Excluded> KnownDlls<S, Dlls, Excluded>
where
    S: System,
    Dlls: Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone,
    Excluded: Fn(UnicodeStr<'_>) -> bool,
{
    /// Makes `\KnownDlls` from `directory`, a DOS path (`DllDirectory`). `file` is the file at hand,
    /// in the end the one that stops the system.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn make(
        &self,
        directory: Option<UnicodeStr<'_>>,
        file: &mut UnicodeBuf<MAX_DOS>,
    ) -> Result<(), Failure> {
        let mut making = self.making(file);
        self.make_in(&mut making, wide!("\\KnownDlls"), directory)
            .map_err(|status| {
                if making.is_bad {
                    let text = making.at;
                    Failure::BadImage(BadImage { text, status })
                } else {
                    Failure::Stop(Essential::KnownDlls.stop(making.at, status))
                }
            })
    }

    /// Makes `\KnownDlls32` from `directory` (`DllDirectory32`), if there is such a value. A failure
    /// is reported.
    pub fn make32(&self, directory: Option<UnicodeStr<'_>>, file: &mut UnicodeBuf<MAX_DOS>) {
        if directory.is_none() {
            return;
        }
        let mut making = self.making(file);
        let made = self.make_in(&mut making, wide!("\\KnownDlls32"), directory);
        if let Err(status) = made {
            let object = if making.is_bad {
                making.file.as_str()
            } else {
                making.at
            };
            Skippable::KnownDlls32.report(object, status);
        }
    }

    const fn making<'f>(&self, file: &'f mut UnicodeBuf<MAX_DOS>) -> Making<'f, S> {
        Making {
            system: self.system,
            protection: self.protection,
            at: UnicodeStr::EMPTY,
            is_bad: false,
            file,
        }
    }

    #[inline(never)]
    fn make_in(
        &self,
        making: &mut Making<'_, S>,
        name: UnicodeStr<'static>,
        directory: Option<UnicodeStr<'_>>,
    ) -> Result<()> {
        let system = self.system;
        making.at = name;
        let objects = directories::create(system, name, security::known_dlls())?;
        making.at = wide!("DllDirectory");
        let dos = directory.ok_or(Status::OBJECT_NAME_INVALID)?;
        let files = open_directory(system, dos)?;
        making.at = wide!("KnownDllPath");
        link(system, self.protection, making.at, objects.get(), dos)?;
        making.at = wide!("list of known DLLs");
        let mut walk = Walk {
            list: DllList::new(system),
            place: Place::new(),
        };
        for (name, file) in self.dlls.clone() {
            walk.list.add(name, file)?;
        }
        while let Some((name, file)) = walk.list.next_entry() {
            if (self.is_excluded)(name) || (self.is_excluded)(file) {
                continue;
            }
            if file.is_empty() {
                // Its value names no file.
                continue;
            }
            making.file.clear();
            if making
                .file
                .push(file)
                .or_skip(Skippable::KnownDll, name)
                .is_some()
            {
                making.add(objects.get(), files.get(), &mut walk)?;
            }
        }
        Ok(())
    }
}

/// Why the imports of an image were not walked to their end.
enum Unwalked {
    /// The image says so, or its file.
    Image(Status),
    /// The system stops, for this reason.
    Unverified(Status),
    /// It is no DLL.
    NoDll,
}

impl From<Status> for Unwalked {
    fn from(status: Status) -> Self {
        Self::Image(status)
    }
}

/// What imports are walked with.
struct Walk<S: System> {
    list: DllList<S>,
    place: Place,
}

struct Making<'f, S: System> {
    system: S,
    protection: Protection,
    /// What is at hand, or what is wrong with the file at hand: it is named if the system stops here.
    at: UnicodeStr<'static>,
    /// The system stops because of the file at hand.
    is_bad: bool,
    /// The DLL at hand.
    file: &'f mut UnicodeBuf<MAX_DOS>,
}

fn open_directory<S: System>(system: S, dos: UnicodeStr<'_>) -> Result<Owned<S>> {
    let mut path = UnicodeBuf::new();
    path::put_nt(dos, system, &mut path)?;
    file::open(
        system,
        &ObjectAttributes::named(path.as_str()),
        Access::FILE_LIST_DIRECTORY,
        Share::READ | Share::WRITE,
        OpenOptions::DIRECTORY_FILE,
    )
}

/// The link `KnownDllPath`: its target is the DOS path itself, which ntdll reads as text.
fn link<S: Objects>(
    system: S,
    protection: Protection,
    name: UnicodeStr<'_>,
    objects: Handle,
    dos: UnicodeStr<'_>,
) -> Result<()> {
    let attributes = Attributes::CASE_INSENSITIVE | Attributes::OPENIF | Attributes::PERMANENT;
    let attributes = ObjectAttributes::named(name)
        .under(objects)
        .with(attributes)
        .secured(protection.primary_defaulted());
    let link = system.create_symbolic_link(&attributes, Access::SYMBOLIC_LINK_ALL, dos)?;
    drop(Owned::new(system, link.handle));
    Ok(())
}

impl<S: System> Making<'_, S> {
    /// Makes one DLL known, and adds what it imports to the list.
    #[inline(never)]
    fn add(&mut self, objects: Handle, files: Handle, walk: &mut Walk<S>) -> Result<()> {
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
        match system.create_image_section(&attributes, Access::SECTION_ALL, opened.get()) {
            Ok(section) => {
                let section = Owned::new(system, section);
                let known = map_and_walk(system, section.get(), walk);
                if known.is_err() {
                    let _ = system.make_temporary(section.get());
                }
                self.settle(known)
            }
            Err(status) => {
                if is_bad_image(status) {
                    let walked = read_and_walk(system, files, file, walk);
                    self.settle(walked)?;
                }
                Skippable::KnownDll.report(self.file.as_str(), status);
                Ok(())
            }
        }
    }

    /// What it means that the image of the file at hand was not walked (spec 12.4): it stops the system, or
    /// it is reported.
    #[inline(never)]
    fn settle(&mut self, walked: Result<(), Unwalked>) -> Result<()> {
        let Err(why) = walked else {
            return Ok(());
        };
        let (at, status) = match why {
            Unwalked::Image(image::MALFORMED) => (UNVERIFIED, Status::IMAGE_CHECKSUM_MISMATCH),
            Unwalked::Unverified(status) => (UNVERIFIED, status),
            Unwalked::NoDll => (NO_DLL, Status::INVALID_IMPORT_OF_NON_DLL),
            Unwalked::Image(status) => {
                Skippable::KnownDll.report(self.file.as_str(), status);
                return Ok(());
            }
        };
        (self.at, self.is_bad) = (at, true);
        Err(status)
    }
}

/// What is wrong with an image that cannot be looked at, or that contradicts itself.
const UNVERIFIED: UnicodeStr<'static> = wide!("Verification of a KnownDLL failed.");
/// What is wrong with an image that is no DLL.
const NO_DLL: UnicodeStr<'static> = wide!("Non-DLL file included in KnownDLL list.");

/// Opens the file, if it is there.
fn open<S: System>(system: S, directory: Handle, file: UnicodeStr<'_>) -> Option<Owned<S>> {
    match file::open(
        system,
        &ObjectAttributes::named(file).under(directory),
        Access::FILE_EXECUTE,
        Share::READ | Share::DELETE,
        OpenOptions::NON_DIRECTORY_FILE,
    ) {
        Ok(opened) => return Some(opened),
        Err(Status::OBJECT_NAME_NOT_FOUND) => nt::debug!("known DLL: {file}: not there"),
        Err(status) => Skippable::KnownDll.report(file, status),
    }
    None
}

/// Walks the imports of the image that a view of `section` shows.
fn map_and_walk<S: System>(system: S, section: Handle, walk: &mut Walk<S>) -> Result<(), Unwalked> {
    let view = system.map_view(section).map_err(Unwalked::Unverified)?;
    walk.imports(&view, Layout::View)
}

/// Walks the imports of an image that has no section, in its file. A file that cannot be read is
/// reported and has none.
#[inline(never)]
fn read_and_walk<S: System>(
    system: S,
    directory: Handle,
    file: UnicodeStr<'_>,
    walk: &mut Walk<S>,
) -> Result<(), Unwalked> {
    let content = content(system, directory, file).or_skip(Skippable::KnownDll, file);
    content.map_or(Ok(()), |(pages, length)| {
        let bytes = pages.as_ref().get(..length).unwrap_or_default();
        walk.imports(&bytes, Layout::File)
    })
}

/// What stands in a file, and how many bytes of the pages that is.
fn content<S: System>(
    system: S,
    directory: Handle,
    file: UnicodeStr<'_>,
) -> Result<(S::Pages, usize)> {
    let opened = file::open(
        system,
        &ObjectAttributes::named(file).under(directory),
        Access::FILE_READ_DATA,
        Share::READ | Share::DELETE,
        OpenOptions::NON_DIRECTORY_FILE,
    )?;
    let size = system.query_standard(opened.get())?.end_of_file;
    let mut pages = system.allocate_pages(usize::try_from(size).unwrap_or(usize::MAX))?;
    let mut length = 0;
    loop {
        let rest = pages.as_mut().get_mut(length..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        match system.read_file(opened.get(), length as u64, rest) {
            Ok(0) | Err(Status::END_OF_FILE) => break,
            Ok(read) => length += read,
            Err(status) => return Err(status),
        }
    }
    Ok((pages, length))
}

impl<S: System> Walk<S> {
    /// Adds what an image imports to the list.
    #[inline(never)]
    fn imports(&mut self, bytes: &dyn View, layout: Layout) -> Result<(), Unwalked> {
        let image = PeImage::parse(bytes, layout)?;
        image.imports(&mut self.place, |name| {
            self.list.add_import(name).map_err(Unwalked::Unverified)
        })?;
        if image.is_dll() {
            Ok(())
        } else {
            Err(Unwalked::NoDll)
        }
    }
}

/// Whether the kernel makes no section because of what is in the file.
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
