// SPDX-License-Identifier: GPL-2.0-or-later
//! What files and directories hold.

use super::*;

#[test]
fn reads_end_at_the_end() {
    let mut system = System::new();
    let handle = system
        .open(
            "\\??\\C:\\source.txt",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS,
        )
        .unwrap();
    let mut buffer = [0; 4];
    let mut read = |system: &mut System, at| {
        system
            .exec
            .read_file(system.thread, handle, at, &mut buffer)
    };
    assert_eq!(read(&mut system, At::Position), Ok(4));
    assert_eq!(read(&mut system, At::Position), Ok(2));
    assert_eq!(read(&mut system, At::Position), Err(Status::END_OF_FILE));
    assert_eq!(read(&mut system, At::Offset(5)), Ok(1));
    let null = system
        .open(
            "\\Device\\Null",
            Access::FILE_READ_DATA | Access::FILE_WRITE_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS,
        )
        .unwrap();
    assert_eq!(
        system
            .exec
            .read_file(system.thread, null, At::Offset(0), &mut [0; 4]),
        Err(Status::END_OF_FILE)
    );
    assert_eq!(
        system
            .exec
            .write_file(system.thread, null, At::Offset(0), &[0; 4]),
        Ok(4)
    );
    let directory = system
        .open("\\SystemRoot", Access::FILE_READ_DATA, 7, 0)
        .unwrap();
    assert_eq!(
        system
            .exec
            .read_file(system.thread, directory, At::Offset(0), &mut [0; 4]),
        Err(Status::INVALID_DEVICE_REQUEST)
    );
    assert_eq!(
        system
            .exec
            .write_file(system.thread, handle, At::Offset(0), &[0; 4]),
        Err(Status::ACCESS_DENIED)
    );
}

#[test]
fn a_directory_lists_itself_its_parent_and_what_is_in_it() {
    let mut system = System::new();
    let list = |system: &mut System, handle, pattern: Option<&str>| {
        let pattern = pattern.map(utf16);
        let mut names = Vec::new();
        let mut restart = true;
        loop {
            match system
                .exec
                .next_entry(system.thread, handle, pattern.as_deref(), restart)
            {
                Ok(facts) => names.push(String::from_utf16_lossy(&facts.name)),
                Err(status) => return (names, status),
            }
            restart = false;
            system.exec.entry_taken(system.thread, handle).unwrap();
        }
    };
    let handle = system
        .open(
            "\\SystemRoot\\System32",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS | DIRECTORY_FILE,
        )
        .unwrap();
    let all = (
        vec![".", "..", "ntdll.dll", "smss.exe", "config"]
            .into_iter()
            .map(String::from)
            .collect(),
        Status::NO_MORE_FILES,
    );
    assert_eq!(list(&mut system, handle, None), all);
    assert_eq!(
        list(&mut system, handle, Some("*.EXE")),
        (vec!["smss.exe".into()], Status::NO_MORE_FILES)
    );
    assert_eq!(
        list(&mut system, handle, Some("*.none")),
        (Vec::new(), Status::NO_SUCH_FILE)
    );
    let root = system
        .open(
            "\\??\\C:\\",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS | DIRECTORY_FILE,
        )
        .unwrap();
    assert_eq!(
        list(&mut system, root, None).0,
        ["source.txt", "target.txt", "ReactOS"]
    );
}

#[test]
fn a_listing_goes_on_behind_the_files_that_are_deleted_on_its_way() {
    let mut system = System::new();
    let root = system
        .open(
            "\\??\\C:\\",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS | DIRECTORY_FILE,
        )
        .unwrap();
    let mut names = Vec::new();
    while let Ok(facts) = system.exec.next_entry(system.thread, root, None, false) {
        system.exec.entry_taken(system.thread, root).unwrap();
        let name = String::from_utf16_lossy(&facts.name);
        if name != "ReactOS" {
            system.delete(&alloc::format!("\\??\\C:\\{name}")).unwrap();
        }
        names.push(name);
    }
    assert_eq!(names, ["source.txt", "target.txt", "ReactOS"]);
}
