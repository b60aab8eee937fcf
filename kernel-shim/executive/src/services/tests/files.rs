// SPDX-License-Identifier: GPL-2.0-or-later
//! Files, directories and paging files through the system-call layer (spec 0.4, 4.7, 6, 13.4).

use super::*;
use crate::layout::{FileBasic, FileStandard, FsDevice, FsSize, IoStatusBlock};
use formats::utf16_bytes;

const ATTRIBUTES: u64 = 0x100;
const RESULT: u64 = 0x20;
const BUFFER: u64 = 0x1000;
const SYNCHRONOUS: u64 = 0x20;
const SYNCHRONIZE: u64 = 0x10_0000;

fn open(world: &mut World, caller: Caller, name: &str, access: u64, options: u64) -> Status {
    let attributes = world.attributes(caller, ATTRIBUTES, name, 0x40);
    let arguments = [
        caller.memory,
        access | SYNCHRONIZE,
        attributes,
        caller.memory + RESULT,
        7,
        options | SYNCHRONOUS,
    ];
    world.status(caller, "NtOpenFile", &arguments)
}

fn opened(world: &mut World, caller: Caller, name: &str, access: u64) -> u64 {
    assert_eq!(
        open(world, caller, name, access, 0),
        Status::SUCCESS,
        "{name}"
    );
    assert_eq!(
        { world.get::<IoStatusBlock>(caller, RESULT).information },
        1,
        "FILE_OPENED"
    );
    world.get(caller, 0)
}

fn query(world: &mut World, caller: Caller, file: u64, class: u64, size: u64) -> Status {
    world.status(
        caller,
        "NtQueryInformationFile",
        &[
            file,
            caller.memory + RESULT,
            caller.memory + BUFFER,
            size,
            class,
        ],
    )
}

#[test]
fn spec_13_4_a_file_tells_its_sizes_and_a_buffer_too_short_gets_nothing() {
    let mut world = World::booted();
    let caller = world.caller();
    let file = opened(
        &mut world,
        caller,
        "\\??\\C:\\ReactOS\\System32\\a.txt",
        0x81,
    );
    assert_eq!(query(&mut world, caller, file, 5, 0x18), Status::SUCCESS);
    let standard: FileStandard = world.get(caller, BUFFER);
    assert_eq!(
        (standard.end_of_file, standard.directory, standard.links),
        (5, 0, 1)
    );
    assert_eq!(
        { world.get::<IoStatusBlock>(caller, RESULT).information },
        0x18
    );
    assert_eq!(
        query(&mut world, caller, file, 5, 0x17),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(query(&mut world, caller, file, 4, 0x28), Status::SUCCESS);
    assert_eq!(
        world.get::<FileBasic>(caller, BUFFER).attributes & 0x20,
        0x20
    );
    assert_eq!(
        query(&mut world, caller, file, 9, 0x10),
        Status::BUFFER_OVERFLOW
    );
    assert_eq!(
        world.get::<u32>(caller, BUFFER),
        2 * "\\ReactOS\\System32\\a.txt".len() as u32
    );
    assert_eq!(
        query(&mut world, caller, file, 99, 0x10),
        Status::INVALID_INFO_CLASS
    );
}

#[test]
fn a_file_is_read_and_written_at_offsets_and_at_its_position() {
    let mut world = World::booted();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    let file = opened(&mut world, caller, "\\SystemRoot\\System32\\a.txt", 3);
    let read = [file, 0, 0, 0, at(RESULT), at(BUFFER), 3, 0, 0];
    assert_eq!(world.status(caller, "NtReadFile", &read), Status::SUCCESS);
    assert_eq!(
        (
            world.get_bytes(caller, BUFFER, 3),
            world.get::<IoStatusBlock>(caller, RESULT).information
        ),
        (b"fir".to_vec(), 3)
    );
    assert_eq!(world.status(caller, "NtReadFile", &read), Status::SUCCESS);
    assert_eq!(
        { world.get::<IoStatusBlock>(caller, RESULT).information },
        2,
        "from the position on"
    );
    assert_eq!(
        world.status(caller, "NtReadFile", &read),
        Status::END_OF_FILE
    );
    world.put(caller, 0x40, -1_i64);
    world.put_bytes(caller, BUFFER, b" line");
    assert_eq!(
        world.status(
            caller,
            "NtWriteFile",
            &[file, 0, 0, 0, at(RESULT), at(BUFFER), 5, at(0x40), 0]
        ),
        Status::SUCCESS
    );
    world.put(caller, 0x40, 0_i64);
    assert_eq!(
        world.status(
            caller,
            "NtReadFile",
            &[file, 0, 0, 0, at(RESULT), at(BUFFER), 0x20, at(0x40), 0]
        ),
        Status::SUCCESS
    );
    assert_eq!(world.get_bytes(caller, BUFFER, 10), b"first line");
    let with_routine = [file, 0, at(0), 0, at(RESULT), at(BUFFER), 3, 0, 0];
    assert_eq!(
        world.status(caller, "NtReadFile", &with_routine),
        Status::NOT_IMPLEMENTED
    );
    assert_eq!(
        world.status(
            caller,
            "NtReadFile",
            &[file, 0, 0, 0, at(RESULT), 8, 3, at(0x40), 0]
        ),
        Status::ACCESS_VIOLATION
    );
}

#[test]
fn spec_6_a_file_is_renamed_by_an_absolute_name_and_deleted_with_its_last_handle() {
    let mut world = World::booted();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    let file = opened(
        &mut world,
        caller,
        "\\??\\C:\\ReactOS\\System32\\a.txt",
        0x1_0000,
    );
    let name = utf16_bytes("\\??\\C:\\ReactOS\\b.txt");
    world.put(caller, BUFFER, [0_u64, 0]);
    world.put(caller, BUFFER + 0x10, name.len() as u32);
    world.put_bytes(caller, BUFFER + 0x14, &name);
    let size = 0x14 + name.len() as u64;
    let set = |class: u64, size: u64| [file, at(RESULT), at(BUFFER), size, class];
    assert_eq!(
        world.status(caller, "NtSetInformationFile", &set(10, size - 2)),
        Status::INVALID_PARAMETER
    );
    assert_eq!(
        world.status(caller, "NtSetInformationFile", &set(10, size)),
        Status::SUCCESS
    );
    world.put_bytes(caller, BUFFER, &[1]);
    assert_eq!(
        world.status(caller, "NtSetInformationFile", &set(13, 1)),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(caller, "NtSetInformationFile", &set(13, 0)),
        Status::INFO_LENGTH_MISMATCH
    );
    world.status(caller, "NtClose", &[file]);
    for name in [
        "\\??\\C:\\ReactOS\\System32\\a.txt",
        "\\??\\C:\\ReactOS\\b.txt",
    ] {
        assert_eq!(
            open(&mut world, caller, name, 0x80, 0),
            Status::OBJECT_NAME_NOT_FOUND,
            "{name}"
        );
    }
}

#[test]
fn a_directory_is_listed_entry_by_entry_and_many_at_a_time() {
    let mut world = World::booted();
    let caller = world.caller();
    assert_eq!(
        open(&mut world, caller, "\\??\\C:\\ReactOS\\System32", 1, 1),
        Status::SUCCESS
    );
    let directory: u64 = world.get(caller, 0);
    let pattern = world.string(caller, 0x300, "*.TXT");
    let at = |offset: u64| caller.memory + offset;
    let list = |single: u64, size: u64| {
        [
            directory,
            0,
            0,
            0,
            at(RESULT),
            at(BUFFER),
            size,
            3,
            single,
            pattern,
            0,
        ]
    };
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &list(1, 0x200)),
        Status::SUCCESS
    );
    assert_eq!(
        (
            world.get::<u32>(caller, BUFFER),
            world.get::<u32>(caller, BUFFER + 0x3C)
        ),
        (0, 10)
    );
    assert_eq!(world.get_bytes(caller, BUFFER + 0x5E, 2), [b'a', 0]);
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &list(0, 0x40)),
        Status::INFO_LENGTH_MISMATCH
    );
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &list(0, 0x200)),
        Status::SUCCESS
    );
    assert_eq!(
        world.get::<u32>(caller, BUFFER + 0x3C),
        2 * "longer name.txt".len() as u32
    );
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &list(0, 0x200)),
        Status::NO_MORE_FILES
    );
    let mut all = list(0, 0x400);
    all[10] = 1;
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &all),
        Status::SUCCESS
    );
    let next: u32 = world.get(caller, BUFFER);
    assert_eq!(
        (next % 8, world.get::<u32>(caller, BUFFER + u64::from(next))),
        (0, 0),
        "two entries"
    );
    all[7] = 99;
    assert_eq!(
        world.status(caller, "NtQueryDirectoryFile", &all),
        Status::INVALID_INFO_CLASS
    );
}

#[test]
fn attributes_are_told_without_opening() {
    let mut world = World::booted();
    let caller = world.caller();
    let attributes = world.attributes(caller, ATTRIBUTES, "\\??\\C:\\ReactOS", 0x40);
    assert_eq!(
        world.status(
            caller,
            "NtQueryAttributesFile",
            &[attributes, caller.memory + BUFFER]
        ),
        Status::SUCCESS
    );
    assert_eq!(
        world.get::<FileBasic>(caller, BUFFER).attributes & 0x10,
        0x10
    );
    let attributes = world.attributes(caller, ATTRIBUTES, "\\??\\C:\\bin\\autochk.exe", 0x40);
    let status = world.status(
        caller,
        "NtQueryAttributesFile",
        &[attributes, caller.memory + BUFFER],
    );
    assert_eq!(status, Status::OBJECT_PATH_NOT_FOUND);
}

#[test]
fn spec_4_a_volume_tells_its_size_and_device_and_takes_a_paging_file() {
    let mut world = World::booted();
    let caller = world.caller();
    let at = |offset: u64| caller.memory + offset;
    assert_eq!(
        open(&mut world, caller, "\\??\\C:\\", 1, 1),
        Status::SUCCESS
    );
    let root: u64 = world.get(caller, 0);
    let volume = |class: u64, size: u64| [root, at(RESULT), at(BUFFER), size, class];
    assert_eq!(
        world.status(caller, "NtQueryVolumeInformationFile", &volume(3, 0x18)),
        Status::SUCCESS
    );
    let sizes: FsSize = world.get(caller, BUFFER);
    assert!(sizes.available > 0 && sizes.available <= sizes.total && sizes.bytes_per_sector == 512);
    assert_eq!(
        world.status(caller, "NtQueryVolumeInformationFile", &volume(4, 8)),
        Status::SUCCESS
    );
    assert_eq!(world.get::<FsDevice>(caller, BUFFER).kind, 7);
    assert_eq!(
        world.status(caller, "NtQueryVolumeInformationFile", &volume(4, 7)),
        Status::INFO_LENGTH_MISMATCH
    );
    let name = world.string(caller, 0x300, "\\??\\C:\\pagefile.sys");
    world.put(caller, 0x40, [2_u64 << 20, 4 << 20]);
    assert_eq!(
        world.status(caller, "NtCreatePagingFile", &[name, at(0x40), at(0x48), 0]),
        Status::SUCCESS
    );
    assert_eq!(
        world.status(
            caller,
            "NtQuerySystemInformation",
            &[18, at(BUFFER), 0x200, at(0x50)]
        ),
        Status::SUCCESS
    );
    assert_eq!(world.get::<[u32; 2]>(caller, BUFFER), [0, 512]);
}
