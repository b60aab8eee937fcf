// SPDX-License-Identifier: GPL-2.0-or-later
//! The survey: which volumes can hold a paging file, and how much of them (spec 4.2).

use crate::sizing::RESERVE;
use nt::access::{Access, OpenOptions, Share};
use nt::system::System;
use nt::{ObjectAttributes, Owned, Result, Status, UnicodeStr, case, file};

/// FILE_REMOVABLE_MEDIA, FILE_READ_ONLY_DEVICE, FILE_FLOPPY_DISKETTE, FILE_REMOTE_DEVICE.
const UNUSABLE: u32 = 0x17;
/// The drives from C to Z.
const DRIVES: core::ops::Range<u16> = 2..26;

/// A volume that can hold a paging file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    /// Its drive letter, in upper case.
    pub letter: u16,
    /// The system was started from it.
    pub boot: bool,
    /// Free bytes beyond the reserve.
    pub usable: u64,
}

/// The volumes, in letter order.
pub(crate) type Volumes = heapless::Vec<Volume, 24>;

/// Looks at every drive letter from C to Z.
///
/// # Errors
/// `UNEXPECTED_IO_ERROR` if no volume will do, or what the kernel says when asked for the drive
/// letters.
pub(crate) fn survey<S: System>(system: S, volumes: &mut Volumes) -> Result<()> {
    let drives = system.query_device_map()?.drives;
    let boot = system.system_root().first().map_or(0, case::upcase);
    for drive in DRIVES {
        if drives & (1 << drive) == 0 {
            continue;
        }
        let letter = u16::from(b'A') + drive;
        if let Some(usable) = measure(system, letter) {
            // There is a place for each of them.
            let _ = volumes.push(Volume {
                letter,
                boot: boot == letter,
                usable,
            });
        }
    }
    if volumes.is_empty() {
        Err(Status::UNEXPECTED_IO_ERROR)
    } else {
        Ok(())
    }
}

/// Usable bytes of the volume with this letter, if it can hold a paging file.
pub(crate) fn measure<S: System>(system: S, letter: u16) -> Option<u64> {
    let answer = usable(system, letter);
    let letter = [letter];
    let letter = UnicodeStr(&letter);
    match answer {
        Ok(Some(usable)) => return Some(usable),
        Ok(None) => nt::debug!("paging file: {letter}: not a fixed writable volume"),
        Err(status) => nt::debug!("paging file: {letter}: {status}: not measured"),
    }
    None
}

/// Usable bytes of the volume with this letter; `None` if it is not one for a paging file.
fn usable<S: System>(system: S, letter: u16) -> Result<Option<u64>> {
    const ROOT: [u16; 7] = nt::string::ascii_units("\\??\\?:\\");
    let mut name = ROOT;
    name[4] = letter;
    let access = Access::FILE_READ_ATTRIBUTES | Access::FILE_WRITE_ATTRIBUTES;
    let root = open(
        system,
        UnicodeStr(&name),
        access,
        OpenOptions::DIRECTORY_FILE,
    )?;
    if system.query_fs_device(root.get())?.characteristics & UNUSABLE != 0 {
        return Ok(None);
    }
    let size = system.query_fs_size(root.get())?;
    let unit = u64::from(size.sectors_per_unit).saturating_mul(u64::from(size.bytes_per_sector));
    Ok(Some(
        size.available_units
            .saturating_mul(unit)
            .saturating_sub(RESERVE),
    ))
}

/// Opens a file or directory, sharing it with everyone.
pub(crate) fn open<S: System>(
    system: S,
    name: UnicodeStr<'_>,
    access: Access,
    options: OpenOptions,
) -> Result<Owned<S>> {
    let share = Share::READ | Share::WRITE | Share::DELETE;
    let name = ObjectAttributes::named(name);
    file::open(system, &name, access, share, options)
}
