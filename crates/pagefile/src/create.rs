// SPDX-License-Identifier: GPL-2.0-or-later
//! Making the paging files: one drive, any drive, all tokens, the emergency file (spec 4.4 to 4.6).

use crate::dump;
use crate::sizing::{LEAST, STEP, Sizes, sizes};
use crate::token::{self, Descriptor, Drive, MEGABYTE, Size};
use crate::volumes::{self, Volume, Volumes};
use nt::access::{Access, OpenOptions, Share};
use nt::failure::{Step, judge};
use nt::object::ObjectAttributes;
use nt::system::System;
use nt::{Owned, Result, Status, UnicodeStr};

/// The most paging files that are asked for.
const MOST: usize = 16;

/// Makes the paging files that `tokens` ask for, in order. Nothing here stops the boot: with no volume to write on it goes on without a
/// paging file.
pub fn create_paging_files<'v, S: System>(system: &S, tokens: impl Iterator<Item = UnicodeStr<'v>>) {
    let mut run = Run { system, volumes: None, memory: None };
    let (mut accepted, mut any, mut requested, mut created) = (0, false, false, false);
    for text in tokens {
        let Some(parsed) = token::parse(text, system.system_root()) else {
            nt::debug!("paging file: a token without a path");
            continue;
        };
        requested = true;
        let accept = parsed.and_then(|descriptor| match descriptor.drive {
            _ if accepted >= MOST => Err(Status::TOO_MANY_PAGING_FILES),
            Drive::Any if core::mem::replace(&mut any, true) => Err(Status::INVALID_PARAMETER),
            _ => Ok(descriptor),
        });
        let done = accept.and_then(|descriptor| {
            accepted += 1;
            run.create(&descriptor)
        });
        match done {
            Ok(()) => created = true,
            Err(status) => tell(text, status),
        }
        if run.hopeless() {
            return;
        }
    }
    if requested && !created {
        nt::warn!("paging file: none of those asked for: making an emergency one");
        if let Err(status) = Descriptor::emergency().and_then(|descriptor| run.emergency(&descriptor)) {
            tell(nt::wide!("emergency paging file"), status);
        }
    }
}

fn tell(object: UnicodeStr<'_>, status: Status) {
    // The table says that this never stops the boot.
    let _ = judge(Step::PagingFile, object, status);
}

/// What is known after the first token that needs it.
struct Run<'s, S: System> {
    system: &'s S,
    volumes: Option<Result<Volumes>>,
    memory: Option<Option<u64>>,
}

impl<S: System> Run<'_, S> {
    /// There is no volume to write on, and that has been said.
    fn hopeless(&self) -> bool {
        matches!(self.volumes, Some(Err(_)))
    }

    fn create(&mut self, descriptor: &Descriptor) -> Result<()> {
        let whole = self.sizes(descriptor.size);
        let first = match (descriptor.size, descriptor.drive) {
            // An explicit size on a fixed drive has no first try of its own.
            (Size::Explicit { .. }, Drive::Letter(_)) => return self.attempt(descriptor, whole, LEAST),
            _ => self.attempt(descriptor, whole, whole.minimum),
        };
        first.or_else(|_| self.attempt(descriptor, whole, LEAST))
    }

    fn emergency(&mut self, descriptor: &Descriptor) -> Result<()> {
        let whole = self.sizes(descriptor.size);
        self.attempt(descriptor, whole, LEAST)
    }

    fn sizes(&mut self, size: Size) -> Sizes {
        let system = self.system;
        let memory = match size {
            Size::Explicit { .. } => None,
            Size::Managed => *self.memory.get_or_insert_with(|| match system.query_basic() {
                Ok(basic) => Some(u64::from(basic.physical_pages).saturating_mul(u64::from(basic.page_size))),
                Err(status) => {
                    tell(nt::wide!("size of the memory"), status);
                    None
                }
            }),
        };
        sizes(size, memory)
    }

    /// One try: on the drive that is asked for, or on one volume after the other.
    fn attempt(&mut self, descriptor: &Descriptor, whole: Sizes, required: u64) -> Result<()> {
        let system = self.system;
        let volumes = self.volumes.get_or_insert_with(|| volumes::survey(system));
        let volumes = volumes.as_mut().map_err(|status| *status)?;
        match descriptor.drive {
            Drive::Letter(letter) => {
                let volume = volumes.iter_mut().find(|volume| volume.letter == letter).ok_or(Status::INVALID_PARAMETER)?;
                on_volume(system, descriptor, volume, whole, required)
            }
            Drive::Any => {
                let mut last = Err(Status::DISK_FULL);
                for volume in volumes {
                    last = on_volume(system, descriptor, volume, whole, required);
                    if last.is_ok() {
                        break;
                    }
                }
                last
            }
        }
    }
}

/// Makes the file on one volume, smaller and smaller as long as it is not below `required` (spec 4.4).
fn on_volume<S: System>(system: &S, descriptor: &Descriptor, volume: &mut Volume, whole: Sizes, required: u64) -> Result<()> {
    let name = descriptor.on(volume.letter);
    let name = name.as_str();
    let mut existing = existing_size(system, name);
    if volume.boot && existing > 0 && dump::preserve(system, name)? {
        volumes::measure(system, volume);
        existing = existing_size(system, name);
    }
    let limit = existing.saturating_add(volume.usable);
    let maximum = whole.maximum.min(limit);
    let mut next = Some(whole.minimum.min(limit));
    let mut last = Status::DISK_FULL;
    while let Some(minimum) = next.filter(|&minimum| minimum >= required) {
        match system.create_paging_file(name, minimum, maximum) {
            Ok(()) => {
                volume.usable = limit.saturating_sub(minimum);
                nt::info!("paging file: {name}: {} MB, at most {} MB", minimum / MEGABYTE, maximum / MEGABYTE);
                return Ok(());
            }
            Err(status) => last = status,
        }
        next = if less_may_help(last) { minimum.checked_sub(STEP) } else { None };
    }
    if existing > 0 && less_may_help(last) && delete(system, name) {
        volume.usable = limit;
    }
    Err(if less_may_help(last) { Status::DISK_FULL } else { last })
}

/// Whether a smaller file might be made where this status came back: otherwise a large volume would mean thousands of tries.
const fn less_may_help(status: Status) -> bool {
    !matches!(
        status,
        Status::TOO_MANY_PAGING_FILES
            | Status::PRIVILEGE_NOT_HELD
            | Status::OBJECT_NAME_INVALID
            | Status::OBJECT_NAME_NOT_FOUND
            | Status::OBJECT_PATH_NOT_FOUND
            | Status::OBJECT_PATH_INVALID
            | Status::OBJECT_PATH_SYNTAX_BAD
            | Status::ACCESS_DENIED
            | Status::SHARING_VIOLATION
            | Status::MEDIA_WRITE_PROTECTED
            | Status::FLOPPY_VOLUME
            | Status::FILE_IS_A_DIRECTORY
            | Status::NOT_IMPLEMENTED
            | Status::NO_SUCH_DEVICE
            | Status::DEVICE_NOT_READY
            | Status::IO_DEVICE_ERROR
    )
}

/// Bytes that a file of this name occupies already; 0 if there is none.
fn existing_size<S: System>(system: &S, name: UnicodeStr<'_>) -> u64 {
    let access = Access::FILE_READ_ATTRIBUTES | Access::SYNCHRONIZE;
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT;
    let size = system.open_file(&ObjectAttributes::named(name), access, Share::READ | Share::WRITE, options).and_then(|file| {
        let file = Owned::new(system, file);
        system.query_standard(file.get()).map(|standard| standard.allocation_size)
    });
    size.unwrap_or(0)
}

/// Deletes a paging file of the last boot that is in the way.
fn delete<S: System>(system: &S, name: UnicodeStr<'_>) -> bool {
    let share = Share::READ | Share::WRITE | Share::DELETE;
    let deleted =
        system.open_file(&ObjectAttributes::named(name), Access::DELETE, share, OpenOptions::NON_DIRECTORY_FILE).and_then(|file| {
            let file = Owned::new(system, file);
            system.set_delete(file.get())
        });
    match deleted {
        Ok(()) => nt::info!("paging file: {name}: the old one is deleted"),
        Err(status) => tell(name, status),
    }
    deleted.is_ok()
}
