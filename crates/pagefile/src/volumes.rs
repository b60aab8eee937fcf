// SPDX-License-Identifier: GPL-2.0-or-later
//! The survey: which volumes can hold a paging file, and how much of them (spec 4.2).

use crate::sizing::RESERVE;
use nt::access::{Access, OpenOptions, Share};
use nt::object::ObjectAttributes;
use nt::system::System;
use nt::{Handle, Owned, Result, Status, UnicodeStr, case};

/// FILE_REMOVABLE_MEDIA, FILE_READ_ONLY_DEVICE, FILE_FLOPPY_DISKETTE, FILE_REMOTE_DEVICE.
const UNUSABLE: u32 = 0x17;
const LETTERS: core::ops::RangeInclusive<u8> = b'C'..=b'Z';

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
/// `UNEXPECTED_IO_ERROR` if no volume will do, or what the kernel says when asked for the drive letters.
pub(crate) fn survey<S: System>(system: &S) -> Result<Volumes> {
    let drives = system.query_device_map()?.drives;
    let boot = system.system_root().first().map(case::upcase);
    let mut volumes = Volumes::new();
    for letter in LETTERS.filter(|letter| drives & (1 << (letter - b'A')) != 0) {
        match usable(system, letter) {
            Ok(Some(usable)) => {
                let letter = u16::from(letter);
                let volume = Volume { letter, boot: boot == Some(letter), usable };
                volumes.push(volume).map_err(|_| Status::INSUFFICIENT_RESOURCES)?;
            }
            Ok(None) => nt::debug!("paging file: {}: not a fixed writable volume", char::from(letter)),
            Err(status) => nt::debug!("paging file: {}: {status}: not used", char::from(letter)),
        }
    }
    if volumes.is_empty() { Err(Status::UNEXPECTED_IO_ERROR) } else { Ok(volumes) }
}

/// Usable bytes of the volume with this letter; `None` if it is no volume for a paging file.
fn usable<S: System>(system: &S, letter: u8) -> Result<Option<u64>> {
    let root = open_root(system, letter)?;
    if system.query_fs_device(root.get())?.characteristics & UNUSABLE != 0 {
        return Ok(None);
    }
    free(system, root.get()).map(Some)
}

/// Measures a volume again, after something on it has changed.
pub(crate) fn measure<S: System>(system: &S, volume: &mut Volume) {
    let free = u8::try_from(volume.letter).map_err(|_| Status::INVALID_PARAMETER);
    match free.and_then(|letter| free_of(system, letter)) {
        Ok(usable) => volume.usable = usable,
        Err(status) => nt::debug!("paging file: free space: {status}: as measured before"),
    }
}

fn free_of<S: System>(system: &S, letter: u8) -> Result<u64> {
    let root = open_root(system, letter)?;
    free(system, root.get())
}

fn open_root<S: System>(system: &S, letter: u8) -> Result<Owned<'_, S>> {
    let name = [b'\\', b'?', b'?', b'\\', letter, b':', b'\\'].map(u16::from);
    let access = Access::FILE_READ_ATTRIBUTES | Access::FILE_WRITE_ATTRIBUTES | Access::SYNCHRONIZE;
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT | OpenOptions::DIRECTORY_FILE;
    let root = system.open_file(&ObjectAttributes::named(UnicodeStr(&name)), access, Share::READ | Share::WRITE, options)?;
    Ok(Owned::new(system, root))
}

fn free<S: System>(system: &S, root: Handle) -> Result<u64> {
    let size = system.query_fs_size(root)?;
    let unit = u64::from(size.sectors_per_unit).saturating_mul(u64::from(size.bytes_per_sector));
    Ok(size.available_units.saturating_mul(unit).saturating_sub(RESERVE))
}
