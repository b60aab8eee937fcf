// SPDX-License-Identifier: GPL-2.0-or-later
//! Volumes that a disk check opens, locks and writes, as ReactOS' FAT driver lets it.

use super::*;

const LOCK: u32 = 0x9_0018;
const UNLOCK: u32 = 0x9_001C;
const DISMOUNT: u32 = 0x9_0020;
const MARK: u32 = 0x9_0030;
const IS_DIRTY: u32 = 0x9_0078;

impl System {
    fn open_volume(&mut self, access: Access, share: u32) -> Result<Handle> {
        self.open("\\??\\C:", access | Access::SYNCHRONIZE, share, SYNCHRONOUS)
    }

    fn open_for_writing(&mut self) -> Handle {
        let access = Access::FILE_READ_DATA | Access::FILE_WRITE_DATA;
        self.open_volume(access, 0).unwrap()
    }

    fn control(&mut self, volume: Handle, code: u32) -> Result<Vec<u8>> {
        self.exec.fs_control(self.thread, volume, code, 4)
    }

    fn directory(&mut self, name: &str) -> Handle {
        let access = Access::FILE_LIST_DIRECTORY | Access::SYNCHRONIZE;
        self.open(name, access, 3, SYNCHRONOUS | DIRECTORY_FILE)
            .unwrap()
    }
}

#[test]
fn nothing_on_a_locked_volume_can_be_opened() {
    let mut system = System::new();
    let volume = system.open_for_writing();
    assert_eq!(
        system.control(volume, UNLOCK),
        Err(Status::ACCESS_DENIED),
        "it is not locked"
    );
    assert_eq!(system.control(volume, LOCK), Ok(vec![]));
    assert_eq!(system.control(volume, LOCK), Err(Status::ACCESS_DENIED));
    assert_eq!(
        system.open("\\??\\C:\\source.txt", Access::SYNCHRONIZE, 7, SYNCHRONOUS),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system.attributes("\\??\\C:\\source.txt"),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system.open_volume(Access::FILE_READ_DATA, 7),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system
            .exec
            .replace_whole_file(&utf16("\\SystemRoot\\System32\\config\\SYSTEM"), b"x"),
        Err(Status::ACCESS_DENIED),
        "nor does the kernel write to it"
    );
    assert_eq!(
        system.control(volume, DISMOUNT),
        Err(Status::ACCESS_DENIED),
        "it is the system's"
    );
    assert_eq!(system.control(volume, UNLOCK), Ok(vec![]));
    assert_eq!(system.content("\\??\\C:\\source.txt"), b"source");
}

#[test]
fn the_system_volume_can_be_locked_past_two_current_directories_only() {
    let mut system = System::new();
    let first = system.directory("\\??\\C:\\ReactOS");
    let volume = system.open_for_writing();
    let second = system.directory("\\??\\C:\\ReactOS\\System32");
    assert_eq!(system.control(volume, LOCK), Ok(vec![]));
    system.control(volume, UNLOCK).unwrap();
    let third = system.directory("\\??\\C:\\");
    assert_eq!(system.control(volume, LOCK), Err(Status::ACCESS_DENIED));
    for handle in [second, third] {
        system.close(handle);
    }
    let again = system.directory("\\??\\C:\\ReactOS");
    assert_eq!(
        system.control(volume, LOCK),
        Err(Status::ACCESS_DENIED),
        "two handles of one directory"
    );
    for handle in [first, again] {
        system.close(handle);
    }
    let file = system
        .open(
            "\\??\\C:\\source.txt",
            Access::FILE_READ_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS,
        )
        .unwrap();
    assert_eq!(system.control(volume, LOCK), Err(Status::ACCESS_DENIED));
    assert_eq!(
        system.control(file, LOCK),
        Err(Status::ACCESS_DENIED),
        "a file's handle locks no volume"
    );
    system.close(file);
    assert_eq!(system.control(volume, LOCK), Ok(vec![]));
}

#[test]
fn opens_of_a_volume_share_it() {
    let mut system = System::new();
    let reader = system.open_volume(Access::FILE_READ_DATA, 1).unwrap();
    assert_eq!(
        system.open_volume(Access::FILE_WRITE_DATA, 3),
        Err(Status::SHARING_VIOLATION)
    );
    assert!(system.open_volume(Access::FILE_READ_ATTRIBUTES, 0).is_ok());
    system.close(reader);
    let writer = system.open_for_writing();
    assert_eq!(
        system.open_volume(Access::FILE_READ_DATA, 7),
        Err(Status::SHARING_VIOLATION)
    );
    assert_eq!(
        system.content("\\??\\C:\\source.txt"),
        b"source",
        "its files are not shared by that"
    );
    system.close(writer);
    assert!(system.open_volume(Access::FILE_READ_DATA, 7).is_ok());
    for (disposition, status) in [
        (Disposition::Create, Status::OBJECT_NAME_COLLISION),
        (Disposition::OverwriteIf, Status::ACCESS_DENIED),
        (Disposition::Supersede, Status::ACCESS_DENIED),
    ] {
        assert_eq!(
            system.create("\\??\\C:", request(disposition)),
            Err(status),
            "{disposition:?}"
        );
    }
}

#[test]
fn what_is_written_past_the_file_system_is_there_when_the_volume_is_unlocked_or_closed() {
    for unlocks in [true, false] {
        let mut system = System::new();
        // The disk as somebody else would make it: with the one file changed and the other gone.
        let mut device = MemoryDevice {
            bytes: system.disk_now(),
        };
        let mut other = FatVolume::mount(&mut device).unwrap();
        let root = other.root();
        let source = other
            .lookup(&mut device, root, &utf16("source.txt"))
            .unwrap();
        other.write(&mut device, source, 0, b"SOURCE!").unwrap();
        let target = other
            .lookup(&mut device, root, &utf16("target.txt"))
            .unwrap();
        other.delete(&mut device, target).unwrap();

        let volume = system.open_for_writing();
        if unlocks {
            system.control(volume, LOCK).unwrap();
        }
        let before = system.disk_now();
        let sectors = before.chunks(512).zip(device.bytes.chunks(512));
        let changed: Vec<(u64, Vec<u8>)> = (0..)
            .zip(sectors)
            .filter(|(_, (before, after))| before != after)
            .map(|(sector, (_, after))| (sector * 512, after.to_vec()))
            .collect();
        for (offset, sector) in &changed {
            assert_eq!(
                system
                    .exec
                    .write_file(system.thread, volume, At::Offset(*offset), sector),
                Ok(512)
            );
        }
        for (offset, length) in [(1, 512), (0, 100), (before.len() as u64, 512)] {
            assert_eq!(
                system
                    .exec
                    .write_file(system.thread, volume, At::Offset(offset), &vec![0; length]),
                Err(Status::INVALID_PARAMETER),
                "{offset}, {length}"
            );
        }
        if unlocks {
            system.control(volume, UNLOCK).unwrap();
        } else {
            system.close(volume);
        }
        assert_eq!(system.content("\\??\\C:\\source.txt"), b"SOURCE!");
        assert_eq!(
            system.attributes("\\??\\C:\\target.txt"),
            Err(Status::OBJECT_NAME_NOT_FOUND)
        );
    }
}

#[test]
fn a_volume_is_dirty_when_it_was_marked_before_it_was_mounted_or_since() {
    let mut system = System::new();
    let volume = system.open_volume(Access::FILE_READ_DATA, 3).unwrap();
    let clean = 0_u32.to_le_bytes().to_vec();
    let dirty = 1_u32.to_le_bytes().to_vec();
    assert_eq!(system.control(volume, IS_DIRTY), Ok(clean));
    assert_eq!(
        system.exec.fs_control(system.thread, volume, IS_DIRTY, 8),
        Err(Status::INVALID_BUFFER_SIZE)
    );
    system.control(volume, MARK).unwrap();
    assert_eq!(system.control(volume, IS_DIRTY), Ok(dirty.clone()));
    system.exec.flush_volumes();
    let mut next = System::start("", system.disk_now());
    let volume = next.open_volume(Access::FILE_READ_DATA, 3).unwrap();
    assert_eq!(next.control(volume, IS_DIRTY), Ok(dirty));
}
