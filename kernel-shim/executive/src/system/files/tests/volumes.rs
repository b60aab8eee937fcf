// SPDX-License-Identifier: GPL-2.0-or-later
//! Volumes, and the paging files on them.

use super::*;

#[test]
fn spec_4_2_a_volume_opens_by_its_letter_and_tells_its_kind() {
    let mut system = System::new();
    let access = Access::FILE_READ_ATTRIBUTES | Access::FILE_WRITE_ATTRIBUTES | Access::SYNCHRONIZE;
    let c = system
        .open("\\??\\C:\\", access, 3, SYNCHRONOUS | DIRECTORY_FILE)
        .unwrap();
    assert_eq!(system.exec.query_device(system.thread, c), Ok((7, 0)));
    let facts = system.exec.query_volume(system.thread, c).unwrap();
    assert_eq!((facts.bytes_per_sector, facts.system_name), (512, "FAT"));
    assert!(facts.free_units > 0 && facts.free_units < facts.total_units);
    assert_eq!(
        system.open("\\??\\D:\\", access, 3, SYNCHRONOUS | DIRECTORY_FILE),
        Err(Status::ACCESS_DENIED)
    );
    let d = system
        .open(
            "\\??\\D:\\",
            Access::FILE_READ_ATTRIBUTES | Access::SYNCHRONIZE,
            3,
            SYNCHRONOUS | DIRECTORY_FILE,
        )
        .unwrap();
    assert_eq!(system.exec.query_device(system.thread, d), Ok((2, 3)));
    assert_eq!(
        system.open("\\??\\A:\\", access, 3, 0),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        system
            .exec
            .ob
            .device_map(DeviceMapId::SYSTEM)
            .unwrap()
            .drives,
        0b1100
    );
    assert_eq!(
        (
            system
                .exec
                .ob
                .device_map(DeviceMapId::SYSTEM)
                .unwrap()
                .types[2],
            system
                .exec
                .ob
                .device_map(DeviceMapId::SYSTEM)
                .unwrap()
                .types[3]
        ),
        (3, 5)
    );
}

#[test]
fn spec_4_7_a_paging_file_is_made_and_stays() {
    let mut system = System::new();
    let name = utf16("\\??\\C:\\pagefile.sys");
    let create = |system: &mut System, name: &[u16], minimum: u64, maximum: u64| {
        system
            .exec
            .create_paging_file(system.thread, UnicodeStr(name), minimum, maximum)
    };
    assert_eq!(
        create(&mut system, &name, (1 << 20) - 1, 1 << 20),
        Err(Status::INVALID_PARAMETER_2)
    );
    assert_eq!(
        create(&mut system, &name, 2 << 20, 1 << 20),
        Err(Status::INVALID_PARAMETER_3)
    );
    assert_eq!(
        create(&mut system, &name, 1 << 20, 1 << 45),
        Err(Status::INVALID_PARAMETER_3)
    );
    assert_eq!(
        create(&mut system, &[], 1 << 20, 1 << 20),
        Err(Status::OBJECT_NAME_INVALID)
    );
    assert_eq!(
        create(&mut system, &[65; 129], 1 << 20, 1 << 20),
        Err(Status::OBJECT_NAME_INVALID)
    );
    assert_eq!(
        create(&mut system, &utf16("\\??\\E:\\p"), 1 << 20, 1 << 20),
        Err(Status::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        create(&mut system, &name, 1 << 30, 1 << 30),
        Err(Status::DISK_FULL)
    );
    assert_eq!(
        system.attributes("\\??\\C:\\pagefile.sys"),
        Err(Status::OBJECT_NAME_NOT_FOUND),
        "nothing is left behind"
    );
    assert_eq!(create(&mut system, &name, 2 << 20, 4 << 20), Ok(()));
    let wanted = FileAttributes::SYSTEM | FileAttributes::HIDDEN;
    assert_eq!(
        system
            .attributes("\\??\\C:\\pagefile.sys")
            .map(|found| found & wanted),
        Ok(wanted)
    );
    let handle = system
        .open(
            "\\??\\C:\\pagefile.sys",
            Access::FILE_READ_ATTRIBUTES | Access::SYNCHRONIZE,
            3,
            SYNCHRONOUS,
        )
        .unwrap();
    assert_eq!(
        system
            .exec
            .query_file(system.thread, handle, Access::empty())
            .unwrap()
            .file
            .size,
        2 << 20
    );
    assert_eq!(
        system.delete("\\??\\C:\\pagefile.sys"),
        Err(Status::SHARING_VIOLATION)
    );
    assert_eq!(
        create(&mut system, &name, 1 << 20, 4 << 20),
        Err(Status::INVALID_PARAMETER_2)
    );
    assert_eq!(
        create(&mut system, &name, 2 << 20, 3 << 20),
        Err(Status::INVALID_PARAMETER_3)
    );
    assert_eq!(
        create(&mut system, &name, 3 << 20, 5 << 20),
        Err(Status::NOT_IMPLEMENTED)
    );
    for number in 1..16 {
        assert_eq!(
            create(
                &mut system,
                &utf16(&std::format!("\\??\\C:\\p{number}")),
                1 << 20,
                1 << 20
            ),
            Ok(())
        );
    }
    assert_eq!(
        create(&mut system, &utf16("\\??\\C:\\p16"), 1 << 20, 1 << 20),
        Err(Status::TOO_MANY_PAGING_FILES)
    );
}

#[test]
fn a_volume_is_read_by_whole_sectors() {
    let mut system = System::new();
    let volume = system
        .open(
            "\\??\\C:",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            3,
            SYNCHRONOUS,
        )
        .unwrap();
    let mut sector = [0; 512];
    assert_eq!(
        system
            .exec
            .read_file(system.thread, volume, At::Offset(0), &mut sector),
        Ok(512)
    );
    assert_eq!(sector[510..], [0x55, 0xAA]);
    assert_eq!(
        system
            .exec
            .read_file(system.thread, volume, At::Offset(0), &mut sector[1..]),
        Err(Status::INVALID_PARAMETER)
    );
    assert_eq!(
        system.exec.fs_control(system.thread, volume, 0x1234, 0),
        Err(Status::INVALID_DEVICE_REQUEST)
    );
}
