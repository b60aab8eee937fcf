// SPDX-License-Identifier: GPL-2.0-or-later
//! The services of files, the registry's files and mapped files on a whole system in memory: one
//! test a rule (spec 1.1, 4.7, 6, 7).

mod cache;
mod registry;
mod sections;

use super::open::{
    CreateRequest, DELETE_ON_CLOSE, DIRECTORY_FILE, Disposition, NON_DIRECTORY_FILE, information,
};
use super::transfer::At;
use crate::host::machine::{MemoryDisk, MemoryMachine};
use crate::ids::{ProcessId, ThreadId};
use crate::machine::Context;
use crate::mm::SEC_IMAGE;
use crate::ob::DeviceMapId;
use crate::ob::prelude::*;
use crate::system::processes::create::Stack;
use crate::system::{Executive, Version};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use formats::fat::{FatVolume, Kind, format};
use formats::hive::Hive;
use formats::pe::build::{CODE, ImageFile};
use formats::sectors::MemoryDevice;
use formats::utf16;
use nt::access::Access;
use nt::system::{FileAttributes, ImageSubsystem};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr, wide};

const SYNCHRONOUS: u32 = 0x20;
const ALL_SHARES: u32 = 7;

pub(crate) fn system_hive() -> Hive {
    let mut hive = Hive::new(wide!("SYSTEM"));
    let root = hive.root();
    let manager = hive
        .create_path(
            root,
            wide!("ControlSet001\\Control\\Session Manager"),
            false,
            0,
        )
        .unwrap();
    hive.set_value(
        manager,
        wide!("PendingFileRenameOperations"),
        7,
        vec![0, 0],
        0,
    )
    .unwrap();
    let select = hive.create_path(root, wide!("Select"), false, 0).unwrap();
    hive.set_value(select, wide!("Current"), 4, vec![1, 0, 0, 0], 0)
        .unwrap();
    hive
}

/// A disk with a system root, and its bytes as a file system on the whole of it.
fn disk() -> Vec<u8> {
    disk_with(&system_hive())
}

/// The same with this SYSTEM hive.
fn disk_with(hive: &Hive) -> Vec<u8> {
    let mut device = MemoryDevice::new(40_000);
    format(&mut device, Kind::Fat16, b"SYSTEM     ", 7, 0).unwrap();
    let mut volume = FatVolume::mount(&mut device).unwrap();
    let mut at = volume.root();
    let put =
        |volume: &mut FatVolume, device: &mut MemoryDevice, at, name: &str, content: &[u8]| {
            let id = volume
                .create(
                    device,
                    at,
                    UnicodeStr(&utf16(name)),
                    FileAttributes::ARCHIVE,
                )
                .unwrap();
            volume.write(device, id, 0, content).unwrap();
        };
    put(&mut volume, &mut device, at, "source.txt", b"source");
    put(&mut volume, &mut device, at, "target.txt", b"target");
    for name in ["ReactOS", "System32", "config"] {
        at = volume
            .create(
                &mut device,
                at,
                UnicodeStr(&utf16(name)),
                FileAttributes::DIRECTORY,
            )
            .unwrap();
        if name == "System32" {
            for (name, dll) in [("ntdll.dll", true), ("smss.exe", false)] {
                let image = ImageFile {
                    subsystem: ImageSubsystem::NATIVE,
                    dll,
                    pointers: &[CODE],
                    ..ImageFile::default()
                };
                put(&mut volume, &mut device, at, name, &image.bytes());
            }
        }
    }
    put(&mut volume, &mut device, at, "SYSTEM", &hive.serialise(0));
    device.bytes
}

struct System {
    exec: Executive,
    machine: MemoryMachine,
    thread: ThreadId,
    process: ProcessId,
}

impl System {
    fn start(options: &str, disk: Vec<u8>) -> Self {
        let cd = formats::iso9660::build::disc(true).bytes;
        let machine = MemoryMachine::new(
            0x4000,
            vec![MemoryDisk::fixed(disk), MemoryDisk::cd_rom(cd)],
        );
        let mut exec = Executive::new(Box::new(machine.clone()), Version::V5_2);
        exec.build_system("C:\\ReactOS", options).unwrap();
        let process = exec.make_process(ProcessId::SYSTEM, false).unwrap();
        let thread = exec
            .make_thread(process, &Context::default(), Stack::default())
            .unwrap();
        exec.resume(thread).unwrap();
        Self {
            exec,
            machine,
            thread,
            process,
        }
    }

    fn new() -> Self {
        Self::start("", disk())
    }

    fn disk_now(&self) -> Vec<u8> {
        self.machine.state().disks[0].bytes.clone()
    }

    fn create(&mut self, name: &str, request: CreateRequest) -> Result<(Handle, u32)> {
        self.exec.create_file(
            self.thread,
            &ObjectAttributes::named(UnicodeStr(&utf16(name))),
            request,
        )
    }

    fn open(&mut self, name: &str, access: Access, share: u32, options: u32) -> Result<Handle> {
        self.exec.open_file(
            self.thread,
            &ObjectAttributes::named(UnicodeStr(&utf16(name))),
            access,
            share,
            options,
        )
    }

    fn attributes(&mut self, name: &str) -> Result<u32> {
        self.exec
            .query_attributes(
                self.thread,
                &ObjectAttributes::named(UnicodeStr(&utf16(name))),
            )
            .map(|facts| facts.attributes)
    }

    fn close(&mut self, handle: Handle) {
        self.exec.close(self.thread, handle).unwrap();
    }

    fn content(&mut self, name: &str) -> Vec<u8> {
        let handle = self
            .open(
                name,
                Access::FILE_READ_DATA | Access::SYNCHRONIZE,
                ALL_SHARES,
                SYNCHRONOUS,
            )
            .unwrap();
        let mut buffer = vec![0; 4096];
        let read = self
            .exec
            .read_file(self.thread, handle, At::Position, &mut buffer)
            .unwrap();
        self.close(handle);
        buffer.truncate(read);
        buffer
    }

    fn rename(&mut self, from: &str, to: &str, replace: bool) -> Result<()> {
        let handle = self.open(from, Access::DELETE | Access::SYNCHRONIZE, 3, SYNCHRONOUS)?;
        let renamed = self.exec.rename(
            self.thread,
            handle,
            Handle::NULL,
            UnicodeStr(&utf16(to)),
            replace,
        );
        self.close(handle);
        renamed
    }

    fn delete(&mut self, name: &str) -> Result<()> {
        let handle = self.open(name, Access::DELETE | Access::SYNCHRONIZE, 3, SYNCHRONOUS)?;
        let deleted = self.exec.set_delete(self.thread, handle, true);
        self.close(handle);
        deleted
    }

    fn image(&mut self, name: &str) -> Handle {
        let file = self
            .open(name, Access::SYNCHRONIZE | Access::FILE_EXECUTE, 5, 0x60)
            .unwrap();
        let made = self
            .exec
            .create_section(
                self.thread,
                &ObjectAttributes::unnamed(),
                Access::SECTION_ALL,
                0,
                0x10,
                SEC_IMAGE,
                file,
            )
            .unwrap();
        self.close(file);
        made.handle
    }
}

fn request(disposition: Disposition) -> CreateRequest {
    CreateRequest {
        access: Access::FILE_READ_DATA
            | Access::FILE_WRITE_DATA
            | Access::DELETE
            | Access::SYNCHRONIZE,
        share: ALL_SHARES,
        options: SYNCHRONOUS,
        disposition,
        attributes: 0,
    }
}

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
fn volumes_refuse_to_be_locked() {
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
        system.exec.fs_control(system.thread, volume, 0x9_0018),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system.exec.fs_control(system.thread, volume, 0x9_0078),
        Ok(vec![0; 4])
    );
    assert_eq!(
        system.exec.fs_control(system.thread, volume, 0x1234),
        Err(Status::INVALID_DEVICE_REQUEST)
    );
}
