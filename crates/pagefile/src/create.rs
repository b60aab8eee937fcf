// SPDX-License-Identifier: GPL-2.0-or-later
//! Making the paging files: one drive, any drive, all tokens, the emergency file (spec 4.4 to 4.6).

use crate::dump;
use crate::sizing::{CAP, LEAST, NARROW_CAP, STEP, Sizes, sizes};
use crate::token::{self, Descriptor, Drive, MEGABYTE, Size};
use crate::volumes::{self, Volume, Volumes, open};
use nt::access::{Access, OpenOptions};
use nt::failure::{Attempt, Skippable};
use nt::system::System;
use nt::{Result, Status, UnicodeStr};

/// The most paging files that are asked for.
const MOST: usize = 16;

/// Makes the paging files that `tokens` ask for, in order. Nothing here stops the boot: with no
/// volume to write on it goes on without a paging file.
pub fn create_paging_files<'v, S: System>(system: S, tokens: impl Iterator<Item = UnicodeStr<'v>>) {
    let mut run = Run {
        system,
        volumes: Volumes::new(),
        accepted: 0,
        any: false,
    };
    let (mut requested, mut created) = (false, false);
    let mut descriptor = Descriptor::default();
    for text in tokens {
        let Some(parsed) = token::parse(text, system, &mut descriptor) else {
            nt::debug!("paging file: a token without a path");
            continue;
        };
        requested = true;
        match parsed.and_then(|()| run.accept(&mut descriptor)) {
            Ok(()) => created = true,
            Err(status) => Skippable::PagingFile.report(text, status),
        }
        if run.accepted > 0 && run.volumes.is_empty() {
            // There is no volume to write on, and that has been said.
            return;
        }
    }
    if requested && !created {
        nt::warn!("paging file: none of those asked for: making an emergency one");
        token::parse(token::EMERGENCY, system, &mut descriptor)
            .unwrap_or(Err(Status::OBJECT_NAME_INVALID))
            .and_then(|()| {
                let wanted = Wanted::least(whole(system, descriptor.size));
                run.attempt(&mut descriptor, &wanted)
            })
            .or_skip(Skippable::PagingFile, "emergency paging file");
    }
}

/// What `size` means on this machine.
fn whole<S: System>(system: S, size: Size) -> Sizes {
    let memory = match size {
        Size::Explicit { .. } => None,
        Size::Managed => system
            .query_basic()
            .or_skip(Skippable::PagingFile, "size of the memory")
            .map(|basic| {
                u64::from(basic.physical_pages).saturating_mul(u64::from(basic.page_size))
            }),
    };
    let cap = if system.wide_page_tables() {
        CAP
    } else {
        NARROW_CAP
    };
    sizes(size, memory, cap)
}

/// What a try is for.
struct Wanted {
    whole: Sizes,
    /// The least minimum that will do.
    required: u64,
}

impl Wanted {
    const fn least(whole: Sizes) -> Self {
        let required = LEAST;
        Self { whole, required }
    }
}

struct Run<S: System> {
    system: S,
    /// Empty until the first token that needs them.
    volumes: Volumes,
    /// How many tokens were accepted.
    accepted: usize,
    /// One of them was for any drive.
    any: bool,
}

impl<S: System> Run<S> {
    /// Accepts a token, if it may be, and makes its file.
    fn accept(&mut self, descriptor: &mut Descriptor) -> Result<()> {
        if self.accepted >= MOST {
            return Err(Status::TOO_MANY_PAGING_FILES);
        }
        if descriptor.drive == Drive::Any && core::mem::replace(&mut self.any, true) {
            return Err(Status::INVALID_PARAMETER);
        }
        self.accepted += 1;
        let mut wanted = Wanted::least(whole(self.system, descriptor.size));
        // An explicit size on a fixed drive has no first try of its own.
        if descriptor.size == Size::Managed || descriptor.drive == Drive::Any {
            wanted.required = wanted.whole.minimum;
            if self.attempt(descriptor, &wanted).is_ok() {
                return Ok(());
            }
            wanted.required = LEAST;
        }
        self.attempt(descriptor, &wanted)
    }

    /// One try: on the drive that is asked for, or on one volume after the other.
    fn attempt(&mut self, descriptor: &mut Descriptor, wanted: &Wanted) -> Result<()> {
        if self.volumes.is_empty() {
            volumes::survey(self.system, &mut self.volumes)?;
        }
        let (letter, mut done) = match descriptor.drive {
            Drive::Letter(letter) => (Some(letter), Err(Status::INVALID_PARAMETER)),
            Drive::Any => (None, Err(Status::DISK_FULL)),
        };
        for volume in &mut self.volumes {
            if letter.is_none_or(|letter| letter == volume.letter) {
                let name = descriptor.on(volume.letter);
                done = on_volume(self.system, name, volume, wanted);
                if done.is_ok() {
                    break;
                }
            }
        }
        done
    }
}

/// Makes the file on one volume, smaller and smaller as long as it is not below what is required
/// (spec 4.4).
#[inline(never)]
fn on_volume<S: System>(
    system: S,
    name: UnicodeStr<'_>,
    volume: &mut Volume,
    wanted: &Wanted,
) -> Result<()> {
    let mut existing = existing_size(system, name);
    if volume.boot && existing > 0 && dump::preserve(system, name)? {
        volume.usable = volumes::measure(system, volume.letter).unwrap_or(volume.usable);
        existing = existing_size(system, name);
    }
    let limit = existing.saturating_add(volume.usable);
    let maximum = wanted.whole.maximum.min(limit);
    let mut next = Some(wanted.whole.minimum.min(limit));
    while let Some(minimum) = next.filter(|&minimum| minimum >= wanted.required) {
        match system.create_paging_file(name, minimum, maximum) {
            Ok(()) => {
                volume.usable = limit.saturating_sub(minimum);
                nt::info!(
                    "paging file: {name}: {} MB, at most {} MB",
                    minimum / MEGABYTE,
                    maximum / MEGABYTE
                );
                return Ok(());
            }
            Err(status) if is_settled(status) => return Err(status),
            Err(_) => next = minimum.checked_sub(STEP),
        }
    }
    if existing > 0 && delete(system, name) {
        volume.usable = limit;
    }
    Err(Status::DISK_FULL)
}

/// Whether no smaller file can be made either where this came back: otherwise a large volume would mean
/// thousands of tries.
const fn is_settled(status: Status) -> bool {
    matches!(
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
fn existing_size<S: System>(system: S, name: UnicodeStr<'_>) -> u64 {
    let file = open(
        system,
        name,
        Access::FILE_READ_ATTRIBUTES,
        OpenOptions::empty(),
    );
    file.and_then(|file| system.query_standard(file.get()))
        .map_or(0, |standard| standard.allocation_size)
}

/// Deletes a paging file of the last boot that is in the way.
fn delete<S: System>(system: S, name: UnicodeStr<'_>) -> bool {
    let file = open(
        system,
        name,
        Access::DELETE,
        OpenOptions::NON_DIRECTORY_FILE,
    );
    let deleted = file
        .and_then(|file| system.set_delete(file.get()))
        .or_skip(Skippable::PagingFile, name)
        .is_some();
    if deleted {
        nt::info!("paging file: {name}: the old one is deleted");
    }
    deleted
}
