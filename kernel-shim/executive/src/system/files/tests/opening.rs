// SPDX-License-Identifier: GPL-2.0-or-later
//! Opening files: names, dispositions, options, sharing.

use super::*;

#[test]
fn a_file_has_many_names() {
    let mut system = System::new();
    for name in [
        "\\SystemRoot\\System32\\smss.exe",
        "\\??\\C:\\REACTOS\\system32\\SMSS.EXE",
        "\\DosDevices\\c:\\ReactOS\\System32\\smss.exe",
        "\\Device\\Harddisk0\\Partition1\\ReactOS\\System32\\smss.exe",
        "\\ArcName\\multi(0)disk(0)rdisk(0)partition(1)\\ReactOS\\System32\\smss.exe",
    ] {
        let handle = system
            .open(name, Access::FILE_READ_ATTRIBUTES, 7, NON_DIRECTORY_FILE)
            .unwrap();
        let object = system
            .exec
            .resolve(system.thread, handle, None, Access::empty())
            .unwrap();
        let full = String::from_utf16_lossy(&system.exec.name_of(object));
        assert_eq!(
            full,
            "\\Device\\HarddiskVolume1\\ReactOS\\System32\\smss.exe"
        );
        system.close(handle);
    }
}

#[test]
fn names_that_lead_nowhere_say_how() {
    let mut system = System::new();
    let cases = [
        ("\\??\\C:\\none", Status::OBJECT_NAME_NOT_FOUND),
        ("\\??\\C:\\none\\x", Status::OBJECT_PATH_NOT_FOUND),
        ("\\??\\C:\\source.txt\\x", Status::OBJECT_PATH_NOT_FOUND),
        ("\\??\\C:\\source.txt\\", Status::OBJECT_NAME_INVALID),
        ("\\??\\C:\\*", Status::OBJECT_NAME_INVALID),
        ("\\??\\C:\\ReactOS\\\\System32", Status::OBJECT_NAME_INVALID),
        ("\\??\\E:\\x", Status::OBJECT_PATH_NOT_FOUND),
        ("source.txt", Status::OBJECT_PATH_SYNTAX_BAD),
    ];
    for (name, status) in cases {
        assert_eq!(
            system.open(name, Access::FILE_READ_ATTRIBUTES, 7, 0),
            Err(status),
            "{name}"
        );
        assert_eq!(system.attributes(name), Err(status), "{name}");
    }
    assert_eq!(
        system.open(
            "\\??\\C:\\ReactOS",
            Access::FILE_READ_DATA,
            7,
            NON_DIRECTORY_FILE
        ),
        Err(Status::FILE_IS_A_DIRECTORY)
    );
    assert_eq!(
        system.open(
            "\\??\\C:\\source.txt",
            Access::FILE_READ_DATA,
            7,
            DIRECTORY_FILE
        ),
        Err(Status::NOT_A_DIRECTORY)
    );
    assert_eq!(
        system.open("\\Device\\Null\\x", Access::FILE_READ_DATA, 7, 0),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
}

#[test]
fn a_file_opens_relative_to_a_directory_handle() {
    let mut system = System::new();
    let directory = system
        .open(
            "\\SystemRoot\\System32",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            3,
            SYNCHRONOUS | DIRECTORY_FILE,
        )
        .unwrap();
    let name = utf16("ntdll.dll");
    let relative = ObjectAttributes::named(UnicodeStr(&name)).under(directory);
    system
        .exec
        .open_file(
            system.thread,
            &relative,
            Access::SYNCHRONIZE | Access::FILE_EXECUTE,
            5,
            0x60,
        )
        .unwrap();
    let absolute = ObjectAttributes::named(wide!("\\ntdll.dll")).under(directory);
    assert_eq!(
        system.exec.open_file(
            system.thread,
            &absolute,
            Access::SYNCHRONIZE | Access::FILE_EXECUTE,
            5,
            0x60
        ),
        Err(Status::OBJECT_NAME_INVALID)
    );
}

#[test]
fn dispositions_do_what_they_say() {
    let mut system = System::new();
    let file = "\\??\\C:\\new.txt";
    assert_eq!(
        system.create(file, request(Disposition::Open)).unwrap_err(),
        Status::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(
        system
            .create(file, request(Disposition::Overwrite))
            .unwrap_err(),
        Status::OBJECT_NAME_NOT_FOUND
    );
    let (handle, done) = system.create(file, request(Disposition::Create)).unwrap();
    assert_eq!(done, information::CREATED);
    assert_eq!(
        system
            .exec
            .write_file(system.thread, handle, At::Position, b"0123456789"),
        Ok(10)
    );
    system.close(handle);
    assert_eq!(
        system
            .create(file, request(Disposition::Create))
            .unwrap_err(),
        Status::OBJECT_NAME_COLLISION
    );
    for (disposition, expected, left) in [
        (Disposition::OpenIf, information::OPENED, 10),
        (Disposition::OverwriteIf, information::OVERWRITTEN, 0),
        (Disposition::Supersede, information::SUPERSEDED, 0),
    ] {
        let (handle, done) = system.create(file, request(disposition)).unwrap();
        let size = system
            .exec
            .query_file(system.thread, handle, Access::empty())
            .unwrap()
            .file
            .size;
        assert_eq!((done, size), (expected, left), "{disposition:?}");
        system.close(handle);
    }
    let directory = CreateRequest {
        options: DIRECTORY_FILE,
        ..request(Disposition::Create)
    };
    let (handle, _) = system
        .create(
            "\\??\\C:\\made",
            CreateRequest {
                options: directory.options,
                ..directory
            },
        )
        .unwrap();
    assert!(
        system
            .exec
            .query_file(system.thread, handle, Access::empty())
            .unwrap()
            .file
            .directory
    );
    assert_eq!(
        system
            .create("\\??\\D:\\x", request(Disposition::Create))
            .unwrap_err(),
        Status::MEDIA_WRITE_PROTECTED
    );
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let mut system = System::new();
    let base = request(Disposition::Open);
    for wrong in [
        CreateRequest {
            options: DIRECTORY_FILE | NON_DIRECTORY_FILE,
            ..base
        },
        CreateRequest { share: 8, ..base },
        CreateRequest {
            options: 0x30,
            ..base
        },
        CreateRequest {
            access: Access::FILE_READ_DATA,
            ..base
        },
        CreateRequest {
            access: Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            options: DELETE_ON_CLOSE,
            ..base
        },
        CreateRequest {
            options: 0x0100_0000,
            ..base
        },
    ] {
        assert_eq!(
            system.create("\\??\\C:\\source.txt", wrong).unwrap_err(),
            Status::INVALID_PARAMETER,
            "{wrong:?}"
        );
    }
}

#[test]
fn opens_share_only_what_all_of_them_share() {
    let mut system = System::new();
    let file = "\\??\\C:\\source.txt";
    let first = system.open(file, Access::FILE_READ_DATA, 1, 0).unwrap();
    assert_eq!(
        system.open(file, Access::FILE_WRITE_DATA, 7, 0),
        Err(Status::SHARING_VIOLATION)
    );
    assert_eq!(
        system.open(file, Access::FILE_READ_DATA, 6, 0),
        Err(Status::SHARING_VIOLATION)
    );
    assert_eq!(
        system.open(file, Access::DELETE, 7, 0),
        Err(Status::SHARING_VIOLATION)
    );
    let second = system.open(file, Access::FILE_READ_DATA, 1, 0).unwrap();
    // Access to attributes alone takes no part in sharing.
    let third = system
        .open(
            file,
            Access::FILE_READ_ATTRIBUTES | Access::SYNCHRONIZE,
            0,
            0,
        )
        .unwrap();
    for handle in [first, second, third] {
        system.close(handle);
    }
    system
        .open(file, Access::FILE_WRITE_DATA | Access::DELETE, 0, 0)
        .unwrap();
}
