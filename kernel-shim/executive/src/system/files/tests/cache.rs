// SPDX-License-Identifier: GPL-2.0-or-later
//! What the cache and views of a file forbid, as ReactOS' FAT driver and memory manager have it.

use super::{ALL_SHARES, SYNCHRONOUS, System, request};
use crate::mm::SEC_COMMIT;
use crate::system::files::request::{DELETE_ON_CLOSE, Disposition};
use crate::system::files::transfer::At;
use alloc::vec;
use formats::utf16;
use nt::access::Access;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};

const FILE: &str = "\\??\\C:\\source.txt";
const UNBUFFERED: u32 = 0x8;
const MEGABYTE: u64 = 1 << 20;

/// Opens the file, reads its first bytes, closes it.
fn look(system: &mut System, options: u32, bytes: usize) -> Result<usize> {
    let access = Access::FILE_READ_DATA | Access::SYNCHRONIZE;
    let handle = system.open(FILE, access, ALL_SHARES, SYNCHRONOUS | options)?;
    let mut buffer = vec![0; bytes];
    let read = system
        .exec
        .read_file(system.thread, handle, At::Offset(0), &mut buffer);
    system.close(handle);
    read
}

fn make_paging_file(system: &mut System) -> Result<()> {
    let name = utf16(FILE);
    system
        .exec
        .create_paging_file(system.thread, UnicodeStr(&name), MEGABYTE, MEGABYTE)
}

/// A section of the file's data; its handle keeps the file mapped.
fn data_section(system: &mut System) -> Handle {
    let file = system
        .open(
            FILE,
            Access::FILE_READ_DATA | Access::FILE_WRITE_DATA | Access::SYNCHRONIZE,
            ALL_SHARES,
            SYNCHRONOUS,
        )
        .unwrap();
    let unnamed = ObjectAttributes::unnamed();
    let made = system
        .exec
        .create_section(
            system.thread,
            &unnamed,
            Access::SECTION_ALL,
            0,
            4,
            SEC_COMMIT,
            file,
        )
        .unwrap();
    system.close(file);
    made.handle
}

#[test]
fn a_file_that_the_cache_holds_cannot_become_a_paging_file() {
    let mut system = System::new();
    assert_eq!(look(&mut system, 0, 3), Ok(3));
    assert_eq!(
        make_paging_file(&mut system),
        Err(Status::SHARING_VIOLATION)
    );
    // A look past the cache, by nobody who goes through it, purges it of the file.
    assert_eq!(look(&mut system, UNBUFFERED, 512), Ok(6));
    assert_eq!(make_paging_file(&mut system), Ok(()));
}

#[test]
fn a_look_past_the_cache_leaves_a_file_free_to_become_a_paging_file() {
    let mut system = System::new();
    assert_eq!(look(&mut system, UNBUFFERED, 512), Ok(6));
    assert_eq!(make_paging_file(&mut system), Ok(()));
}

#[test]
fn past_the_cache_there_are_whole_sectors_only() {
    let mut system = System::new();
    assert_eq!(
        look(&mut system, UNBUFFERED, 8),
        Err(Status::INVALID_PARAMETER)
    );
    let access = Access::FILE_WRITE_DATA | Access::SYNCHRONIZE;
    let options = SYNCHRONOUS | UNBUFFERED;
    let handle = system.open(FILE, access, ALL_SHARES, options).unwrap();
    let mut write = |at, bytes: &[u8]| {
        system
            .exec
            .write_file(system.thread, handle, At::Offset(at), bytes)
    };
    assert_eq!(write(3, &[1; 512]), Err(Status::INVALID_PARAMETER));
    assert_eq!(write(512, &[1; 3]), Err(Status::INVALID_PARAMETER));
    assert_eq!(write(512, &[1; 512]), Ok(512));
    assert_eq!(
        system.open(
            FILE,
            Access::FILE_APPEND_DATA | Access::SYNCHRONIZE,
            ALL_SHARES,
            options
        ),
        Err(Status::INVALID_PARAMETER)
    );
}

#[test]
fn a_mapped_file_is_neither_cut_nor_replaced_nor_deleted() {
    let mut system = System::new();
    let section = data_section(&mut system);
    let access = Access::FILE_WRITE_DATA | Access::DELETE | Access::SYNCHRONIZE;
    let file = system.open(FILE, access, ALL_SHARES, SYNCHRONOUS).unwrap();
    let resize = |system: &mut System, size| system.exec.set_end_of_file(system.thread, file, size);
    assert_eq!(resize(&mut system, 2), Err(Status::USER_MAPPED_FILE));
    assert_eq!(resize(&mut system, 20), Ok(()), "it may grow");
    assert_eq!(
        system.exec.set_delete(system.thread, file, true),
        Err(Status::CANNOT_DELETE)
    );
    for disposition in [Disposition::Supersede, Disposition::Overwrite] {
        assert_eq!(
            system.create(FILE, request(disposition)),
            Err(Status::USER_MAPPED_FILE),
            "{disposition:?}"
        );
    }
    system.close(section);
    assert_eq!(resize(&mut system, 2), Ok(()));
    assert_eq!(system.exec.set_delete(system.thread, file, true), Ok(()));
}

#[test]
fn to_supersede_is_shared_as_to_delete_and_to_overwrite_as_to_write() {
    for (share, disposition) in [
        (3, Disposition::Supersede),
        (5, Disposition::Overwrite),
        (5, Disposition::OverwriteIf),
    ] {
        let mut system = System::new();
        let other = system.open(
            FILE,
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            share,
            SYNCHRONOUS,
        );
        let mut wanted = request(disposition);
        wanted.access = Access::FILE_READ_DATA | Access::SYNCHRONIZE;
        assert_eq!(
            system.create(FILE, wanted),
            Err(Status::SHARING_VIOLATION),
            "{disposition:?}"
        );
        system.close(other.unwrap());
        assert!(system.create(FILE, wanted).is_ok());
    }
}

#[test]
fn to_delete_a_mapped_image_on_close_is_refused_as_a_deletion() {
    let mut system = System::new();
    let image = "\\SystemRoot\\System32\\smss.exe";
    let section = system.image(image);
    let access = Access::FILE_WRITE_DATA | Access::DELETE | Access::SYNCHRONIZE;
    let options = SYNCHRONOUS | DELETE_ON_CLOSE;
    assert_eq!(
        system.open(image, access, ALL_SHARES, options),
        Err(Status::CANNOT_DELETE)
    );
    assert_eq!(
        system.open(image, access, ALL_SHARES, SYNCHRONOUS),
        Err(Status::SHARING_VIOLATION)
    );
    system.close(section);
}
