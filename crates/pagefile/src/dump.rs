// SPDX-License-Identifier: GPL-2.0-or-later
//! The crash dump that the last crash left in the paging file of the boot volume (spec 4.8).
//!
//! It is kept by giving the file another name in the same directory, before a new paging file takes
//! its place, and recorded in the volatile key `CrashControl\MachineCrash` for the program that
//! saves it. The details differ between Windows versions; what a user wants is
//! that the dump is not overwritten, whichever program collects it.

use crate::volumes::open;
use nt::access::{Access, OpenOptions};
use nt::failure::{Attempt, Skippable};
use nt::key::Key;
use nt::path::{self, MAX_NT};
use nt::system::{System, ValueType};
use nt::{Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};
use zerocopy::IntoBytes;

const MACHINE_CRASH: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\CrashControl\\MachineCrash";

/// Bytes that are looked at: one page, which is whole sectors of any volume, at an address that is
/// aligned for any of them.
const HEAD: usize = 4096;

/// Whether a paging file begins like a crash dump, of a 32-bit or of a 64-bit kernel.
pub fn is_dump(head: &[u8]) -> bool {
    matches!(head.first_chunk(), Some(b"PAGEDUMP" | b"PAGEDU64"))
}

/// Keeps the dump in the paging file `name`, if there is one; whether the file is out of the way
/// now. A file that cannot be looked at is taken for an ordinary one.
///
/// # Errors
/// What the kernel says if there is a dump and it cannot be kept: then the file must stay.
#[inline(never)]
pub(crate) fn preserve<S: System>(system: S, name: UnicodeStr<'_>) -> Result<bool> {
    let file = open_dump(system, name).or_skip(Skippable::PagingFile, name);
    let Some(file) = file.flatten() else {
        return Ok(false);
    };
    // With the NUL that the registry wants.
    let mut whole = UnicodeBuf::<{ MAX_NT + 1 }>::new();
    whole.push(path::directory(name))?;
    whole.push(wide!("\\MACHINE_CRASH.DMP\0"))?;
    let kept = whole.as_str().until_nul();
    system.rename(file.get(), kept, true)?;
    nt::info!("paging file: {name}: holds a crash dump, kept as {kept}");
    record(system, whole.as_str().skip(4)).or_skip(Skippable::PagingFile, MACHINE_CRASH);
    Ok(true)
}

/// Opens the file if it begins like a dump.
///
/// It is read past the cache: a cached read would leave the kernel with a data section of the file,
/// and a file with a data section cannot be superseded by the new paging file (ReactOS' FAT driver
/// answers `SHARING_VIOLATION`).
fn open_dump<S: System>(system: S, name: UnicodeStr<'_>) -> Result<Option<Owned<S>>> {
    let file = open(
        system,
        name,
        Access::FILE_READ_DATA | Access::DELETE,
        OpenOptions::NON_DIRECTORY_FILE | OpenOptions::NO_INTERMEDIATE_BUFFERING,
    )?;
    let mut pages = system.allocate_pages(HEAD)?;
    // What is not read stays zero.
    match system.read_file(file.get(), 0, pages.as_mut()) {
        Ok(_) | Err(Status::END_OF_FILE) => Ok(is_dump(pages.as_ref()).then_some(file)),
        Err(status) => Err(status),
    }
}

/// Writes `DumpFile`, a DOS path with its NUL, and `TempDestination`.
fn record<S: System>(system: S, kept: UnicodeStr<'_>) -> Result<()> {
    let key = Key::create_volatile(system, MACHINE_CRASH, Access::KEY_SET_VALUE)?;
    let set = key.set("DumpFile", ValueType::SZ, kept.units().as_bytes());
    set.and_then(|()| key.set("TempDestination", ValueType::DWORD, &1u32.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_known_by_its_first_eight_bytes() {
        assert!(is_dump(b"PAGEDUMP"));
        assert!(is_dump(b"PAGEDU64..."));
        assert!(!is_dump(b"PAGEDU"));
        assert!(!is_dump(&[0; 8]));
    }
}
