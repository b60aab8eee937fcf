// SPDX-License-Identifier: GPL-2.0-or-later
//! Renames and deletes, and what stands in their way (spec 6).

use super::*;

#[test]
fn spec_6_2_a_rename_replaces_only_what_may_be_replaced() {
    let mut system = System::new();
    let (source, target) = ("\\??\\C:\\source.txt", "\\??\\C:\\target.txt");
    assert_eq!(
        system.rename(source, target, false),
        Err(Status::OBJECT_NAME_COLLISION)
    );
    let handle = system
        .open(
            target,
            Access::FILE_WRITE_ATTRIBUTES | Access::SYNCHRONIZE,
            3,
            SYNCHRONOUS,
        )
        .unwrap();
    system
        .exec
        .set_basic(system.thread, handle, FileAttributes::READONLY, [0; 3])
        .unwrap();
    assert_eq!(
        system.rename(source, target, true),
        Err(Status::OBJECT_NAME_COLLISION)
    );
    system
        .exec
        .set_basic(system.thread, handle, FileAttributes::NORMAL, [0; 3])
        .unwrap();
    assert_eq!(
        system.rename(source, target, true),
        Err(Status::ACCESS_DENIED),
        "the target is open"
    );
    system.close(handle);
    assert_eq!(system.rename(source, target, true), Ok(()));
    assert_eq!(system.content(target), b"source");
    assert_eq!(
        system.attributes(source),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn spec_6_3_renames_that_cannot_be() {
    let mut system = System::new();
    let source = "\\??\\C:\\source.txt";
    assert_eq!(
        system.rename(source, "\\??\\D:\\x", true),
        Err(Status::NOT_SAME_DEVICE)
    );
    assert_eq!(
        system.rename(source, "\\??\\C:\\none\\x", true),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        system.rename(source, "\\??\\C:\\ReactOS", true),
        Err(Status::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        system.rename("\\??\\C:\\none", source, true),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(
        system.rename(source, "renamed.txt", false),
        Ok(()),
        "a plain name stays in its directory"
    );
    assert_eq!(
        system.rename(
            "\\??\\C:\\renamed.txt",
            "\\??\\C:\\ReactOS\\moved.txt",
            false
        ),
        Ok(())
    );
    assert_eq!(system.content("\\SystemRoot\\moved.txt"), b"source");
    let inside = system
        .open(
            "\\SystemRoot\\System32\\smss.exe",
            Access::FILE_READ_DATA,
            7,
            0,
        )
        .unwrap();
    assert_eq!(
        system.rename("\\??\\C:\\ReactOS", "\\??\\C:\\Elsewhere", false),
        Err(Status::ACCESS_DENIED)
    );
    system.close(inside);
}

#[test]
fn spec_6_3_deletes_that_cannot_be() {
    let mut system = System::new();
    assert_eq!(
        system.delete("\\??\\C:\\ReactOS"),
        Err(Status::DIRECTORY_NOT_EMPTY)
    );
    let handle = system
        .open(
            "\\??\\C:\\source.txt",
            Access::FILE_WRITE_ATTRIBUTES | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS,
        )
        .unwrap();
    system
        .exec
        .set_basic(system.thread, handle, FileAttributes::READONLY, [0; 3])
        .unwrap();
    assert_eq!(
        system.delete("\\??\\C:\\source.txt"),
        Err(Status::CANNOT_DELETE)
    );
    system
        .exec
        .set_basic(system.thread, handle, FileAttributes::NORMAL, [0; 3])
        .unwrap();
    assert_eq!(system.delete("\\??\\C:\\source.txt"), Ok(()));
    // Another handle keeps the file, but nobody opens it any more.
    assert_eq!(
        system.open("\\??\\C:\\source.txt", Access::FILE_READ_DATA, 7, 0),
        Err(Status::DELETE_PENDING)
    );
    system.close(handle);
    assert_eq!(
        system.open("\\??\\C:\\source.txt", Access::FILE_READ_DATA, 7, 0),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
    let last = system
        .create(
            "\\??\\C:\\target.txt",
            CreateRequest {
                options: DELETE_ON_CLOSE,
                ..request(Disposition::Open)
            },
        )
        .unwrap()
        .0;
    system.close(last);
    assert_eq!(
        system.attributes("\\??\\C:\\target.txt"),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn spec_6_5_a_mapped_image_may_be_renamed_but_not_deleted_replaced_or_written() {
    let mut system = System::new();
    let (image, moved) = (
        "\\SystemRoot\\System32\\smss.exe",
        "\\??\\C:\\ReactOS\\System32\\smss.old",
    );
    let section = system.image(image);
    assert_eq!(system.delete(image), Err(Status::CANNOT_DELETE));
    assert_eq!(
        system.open(image, Access::FILE_WRITE_DATA, 7, 0),
        Err(Status::SHARING_VIOLATION)
    );
    assert_eq!(
        system.rename(
            "\\??\\C:\\source.txt",
            "\\??\\C:\\ReactOS\\System32\\smss.exe",
            true
        ),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(system.rename(image, moved, false), Ok(()));
    assert_eq!(system.delete(moved), Err(Status::CANNOT_DELETE));
    system.close(section);
    assert_eq!(system.delete(moved), Ok(()));
}
