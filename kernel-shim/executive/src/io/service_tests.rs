// SPDX-License-Identifier: GPL-2.0-or-later
//! The services of files, the registry's files and mapped files on a whole system in memory: one test a rule (spec 1.1, 4.7, 6, 7).

#[allow(dead_code, reason = "the machine serves the host's scheduler too")]
#[path = "../host/machine.rs"]
mod machine;

use super::fat::{FatVolume, Kind, format};
use super::file::{DELETE, READ_ATTRIBUTES, READ_DATA, WRITE_ATTRIBUTES, WRITE_DATA};
use super::open::{CreateRequest, DELETE_ON_CLOSE, DIRECTORY_FILE, Disposition, NON_DIRECTORY_FILE, information};
use super::sectors::MemoryDevice;
use super::transfer::At;
use crate::hive::Hive;
use crate::ids::{ProcessId, ThreadId};
use crate::machine::{Context, PageAccess};
use crate::mm::pe_tests;
use crate::mm::{SEC_COMMIT, SEC_IMAGE};
use crate::process::create::Stack;
use crate::{Executive, Version};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use machine::{MemoryDisk, MemoryMachine};
use nt::object::Attributes;
use nt::system::FileAttributes;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr, wide};

const SYNC: u32 = 0x10_0000;
const SYNCHRONOUS: u32 = 0x20;
const ALL_SHARES: u32 = 7;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

pub(crate) fn system_hive() -> Hive {
    let mut hive = Hive::new(wide!("SYSTEM"));
    let root = hive.root();
    let manager = hive.create_path(root, wide!("ControlSet001\\Control\\Session Manager"), false, 0).unwrap();
    hive.set_value(manager, wide!("PendingFileRenameOperations"), 7, vec![0, 0], 0).unwrap();
    let select = hive.create_path(root, wide!("Select"), false, 0).unwrap();
    hive.set_value(select, wide!("Current"), 4, vec![1, 0, 0, 0], 0).unwrap();
    hive
}

/// A disk with a system root, and its bytes as a file system on the whole of it.
fn disk() -> Vec<u8> {
    let mut device = MemoryDevice::new(40_000);
    format(&mut device, Kind::Fat16, b"SYSTEM     ", 7, 0).unwrap();
    let mut volume = FatVolume::mount(&mut device).unwrap();
    let mut at = volume.root();
    let put = |volume: &mut FatVolume, device: &mut MemoryDevice, at, name: &str, content: &[u8]| {
        let id = volume.create(device, at, UnicodeStr(&units(name)), FileAttributes::ARCHIVE).unwrap();
        volume.write(device, id, 0, content).unwrap();
    };
    put(&mut volume, &mut device, at, "source.txt", b"source");
    put(&mut volume, &mut device, at, "target.txt", b"target");
    for name in ["ReactOS", "System32", "config"] {
        at = volume.create(&mut device, at, UnicodeStr(&units(name)), FileAttributes::DIRECTORY).unwrap();
        if name == "System32" {
            put(&mut volume, &mut device, at, "ntdll.dll", &pe_tests::sample());
            put(&mut volume, &mut device, at, "smss.exe", &pe_tests::sample());
        }
    }
    put(&mut volume, &mut device, at, "SYSTEM", &system_hive().serialise(0));
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
        let cd = super::iso9660::tests::disc(true).bytes;
        let machine = MemoryMachine::new(0x4000, vec![MemoryDisk::fixed(disk), MemoryDisk::cd_rom(cd)]);
        let mut exec = Executive::new(Box::new(machine.clone()), Version::V5_2);
        exec.build_system("C:\\ReactOS", options).unwrap();
        let process = exec.make_process(ProcessId::SYSTEM, false).unwrap();
        let thread = exec.make_thread(process, &Context::default(), Stack::default()).unwrap();
        exec.resume(thread).unwrap();
        Self { exec, machine, thread, process }
    }

    fn new() -> Self {
        Self::start("", disk())
    }

    fn disk_now(&self) -> Vec<u8> {
        self.machine.state().disks[0].bytes.clone()
    }

    fn create(&mut self, name: &str, request: CreateRequest) -> Result<(Handle, u32)> {
        self.exec.create_file(self.thread, &ObjectAttributes::named(UnicodeStr(&units(name))), request)
    }

    fn open(&mut self, name: &str, access: u32, share: u32, options: u32) -> Result<Handle> {
        self.exec.open_file(self.thread, &ObjectAttributes::named(UnicodeStr(&units(name))), access, share, options)
    }

    fn attributes(&mut self, name: &str) -> Result<u32> {
        self.exec.query_attributes(self.thread, &ObjectAttributes::named(UnicodeStr(&units(name)))).map(|facts| facts.attributes)
    }

    fn close(&mut self, handle: Handle) {
        self.exec.close(self.thread, handle).unwrap();
    }

    fn content(&mut self, name: &str) -> Vec<u8> {
        let handle = self.open(name, READ_DATA | SYNC, ALL_SHARES, SYNCHRONOUS).unwrap();
        let mut buffer = vec![0; 4096];
        let read = self.exec.read_file(self.thread, handle, At::Position, &mut buffer).unwrap();
        self.close(handle);
        buffer.truncate(read);
        buffer
    }

    fn rename(&mut self, from: &str, to: &str, replace: bool) -> Result<()> {
        let handle = self.open(from, DELETE | SYNC, 3, SYNCHRONOUS)?;
        let renamed = self.exec.rename(self.thread, handle, Handle::NULL, UnicodeStr(&units(to)), replace);
        self.close(handle);
        renamed
    }

    fn delete(&mut self, name: &str) -> Result<()> {
        let handle = self.open(name, DELETE | SYNC, 3, SYNCHRONOUS)?;
        let deleted = self.exec.set_delete(self.thread, handle, true);
        self.close(handle);
        deleted
    }

    fn image(&mut self, name: &str) -> Handle {
        let file = self.open(name, SYNC | 0x20, 5, 0x60).unwrap();
        let made = self.exec.create_section(self.thread, &ObjectAttributes::unnamed(), 0xF_001F, 0, 0x10, SEC_IMAGE, file).unwrap();
        self.close(file);
        made.handle
    }
}

fn request(disposition: Disposition) -> CreateRequest {
    CreateRequest { access: READ_DATA | WRITE_DATA | DELETE | SYNC, share: ALL_SHARES, options: SYNCHRONOUS, disposition, attributes: 0 }
}

#[test]
fn spec_4_2_a_volume_opens_by_its_letter_and_tells_its_kind() {
    let mut system = System::new();
    let access = READ_ATTRIBUTES | WRITE_ATTRIBUTES | SYNC;
    let c = system.open("\\??\\C:\\", access, 3, SYNCHRONOUS | DIRECTORY_FILE).unwrap();
    assert_eq!(system.exec.query_device(system.thread, c), Ok((7, 0)));
    let facts = system.exec.query_volume(system.thread, c).unwrap();
    assert_eq!((facts.bytes_per_sector, facts.system_name), (512, "FAT"));
    assert!(facts.free_units > 0 && facts.free_units < facts.total_units);
    assert_eq!(system.open("\\??\\D:\\", access, 3, SYNCHRONOUS | DIRECTORY_FILE), Err(Status::ACCESS_DENIED));
    let d = system.open("\\??\\D:\\", READ_ATTRIBUTES | SYNC, 3, SYNCHRONOUS | DIRECTORY_FILE).unwrap();
    assert_eq!(system.exec.query_device(system.thread, d), Ok((2, 3)));
    assert_eq!(system.open("\\??\\A:\\", access, 3, 0), Err(Status::OBJECT_PATH_NOT_FOUND));
    assert_eq!(system.exec.device_maps[0].drives, 0b1100);
    assert_eq!((system.exec.device_maps[0].types[2], system.exec.device_maps[0].types[3]), (3, 5));
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
        let handle = system.open(name, READ_ATTRIBUTES, 7, NON_DIRECTORY_FILE).unwrap();
        let object = system.exec.resolve(system.thread, handle, None, 0).unwrap();
        let full = String::from_utf16_lossy(&system.exec.name_of(object));
        assert_eq!(full, "\\Device\\HarddiskVolume1\\ReactOS\\System32\\smss.exe");
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
        assert_eq!(system.open(name, READ_ATTRIBUTES, 7, 0), Err(status), "{name}");
        assert_eq!(system.attributes(name), Err(status), "{name}");
    }
    assert_eq!(system.open("\\??\\C:\\ReactOS", READ_DATA, 7, NON_DIRECTORY_FILE), Err(Status::FILE_IS_A_DIRECTORY));
    assert_eq!(system.open("\\??\\C:\\source.txt", READ_DATA, 7, DIRECTORY_FILE), Err(Status::NOT_A_DIRECTORY));
    assert_eq!(system.open("\\Device\\Null\\x", READ_DATA, 7, 0), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn a_file_opens_relative_to_a_directory_handle() {
    let mut system = System::new();
    let directory = system.open("\\SystemRoot\\System32", 1 | SYNC, 3, SYNCHRONOUS | DIRECTORY_FILE).unwrap();
    let name = units("ntdll.dll");
    let relative = ObjectAttributes::named(UnicodeStr(&name)).under(directory);
    system.exec.open_file(system.thread, &relative, SYNC | 0x20, 5, 0x60).unwrap();
    let absolute = ObjectAttributes::named(wide!("\\ntdll.dll")).under(directory);
    assert_eq!(system.exec.open_file(system.thread, &absolute, SYNC | 0x20, 5, 0x60), Err(Status::OBJECT_NAME_INVALID));
}

#[test]
fn dispositions_do_what_they_say() {
    let mut system = System::new();
    let file = "\\??\\C:\\new.txt";
    assert_eq!(system.create(file, request(Disposition::Open)).unwrap_err(), Status::OBJECT_NAME_NOT_FOUND);
    assert_eq!(system.create(file, request(Disposition::Overwrite)).unwrap_err(), Status::OBJECT_NAME_NOT_FOUND);
    let (handle, done) = system.create(file, request(Disposition::Create)).unwrap();
    assert_eq!(done, information::CREATED);
    assert_eq!(system.exec.write_file(system.thread, handle, At::Position, b"0123456789"), Ok(10));
    system.close(handle);
    assert_eq!(system.create(file, request(Disposition::Create)).unwrap_err(), Status::OBJECT_NAME_COLLISION);
    for (disposition, expected, left) in [
        (Disposition::OpenIf, information::OPENED, 10),
        (Disposition::OverwriteIf, information::OVERWRITTEN, 0),
        (Disposition::Supersede, information::SUPERSEDED, 0),
    ] {
        let (handle, done) = system.create(file, request(disposition)).unwrap();
        let size = system.exec.query_file(system.thread, handle, 0).unwrap().file.size;
        assert_eq!((done, size), (expected, left), "{disposition:?}");
        system.close(handle);
    }
    let directory = CreateRequest { options: DIRECTORY_FILE, ..request(Disposition::Create) };
    let (handle, _) = system.create("\\??\\C:\\made", CreateRequest { options: directory.options, ..directory }).unwrap();
    assert!(system.exec.query_file(system.thread, handle, 0).unwrap().file.directory);
    assert_eq!(system.create("\\??\\D:\\x", request(Disposition::Create)).unwrap_err(), Status::MEDIA_WRITE_PROTECTED);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let mut system = System::new();
    let base = request(Disposition::Open);
    for wrong in [
        CreateRequest { options: DIRECTORY_FILE | NON_DIRECTORY_FILE, ..base },
        CreateRequest { share: 8, ..base },
        CreateRequest { options: 0x30, ..base },
        CreateRequest { access: READ_DATA, ..base },
        CreateRequest { access: READ_DATA | SYNC, options: DELETE_ON_CLOSE, ..base },
        CreateRequest { options: 0x0100_0000, ..base },
    ] {
        assert_eq!(system.create("\\??\\C:\\source.txt", wrong).unwrap_err(), Status::INVALID_PARAMETER, "{wrong:?}");
    }
}

#[test]
fn opens_share_only_what_all_of_them_share() {
    let mut system = System::new();
    let file = "\\??\\C:\\source.txt";
    let first = system.open(file, READ_DATA, 1, 0).unwrap();
    assert_eq!(system.open(file, WRITE_DATA, 7, 0), Err(Status::SHARING_VIOLATION));
    assert_eq!(system.open(file, READ_DATA, 6, 0), Err(Status::SHARING_VIOLATION));
    assert_eq!(system.open(file, DELETE, 7, 0), Err(Status::SHARING_VIOLATION));
    let second = system.open(file, READ_DATA, 1, 0).unwrap();
    // Attributes are nobody's to share.
    let third = system.open(file, READ_ATTRIBUTES | SYNC, 0, 0).unwrap();
    for handle in [first, second, third] {
        system.close(handle);
    }
    system.open(file, WRITE_DATA | DELETE, 0, 0).unwrap();
}

#[test]
fn reads_end_at_the_end() {
    let mut system = System::new();
    let handle = system.open("\\??\\C:\\source.txt", READ_DATA | SYNC, 7, SYNCHRONOUS).unwrap();
    let mut buffer = [0; 4];
    let mut read = |system: &mut System, at| system.exec.read_file(system.thread, handle, at, &mut buffer);
    assert_eq!(read(&mut system, At::Position), Ok(4));
    assert_eq!(read(&mut system, At::Position), Ok(2));
    assert_eq!(read(&mut system, At::Position), Err(Status::END_OF_FILE));
    assert_eq!(read(&mut system, At::Offset(5)), Ok(1));
    let null = system.open("\\Device\\Null", READ_DATA | WRITE_DATA | SYNC, 7, SYNCHRONOUS).unwrap();
    assert_eq!(system.exec.read_file(system.thread, null, At::Offset(0), &mut [0; 4]), Err(Status::END_OF_FILE));
    assert_eq!(system.exec.write_file(system.thread, null, At::Offset(0), &[0; 4]), Ok(4));
    let directory = system.open("\\SystemRoot", READ_DATA, 7, 0).unwrap();
    assert_eq!(system.exec.read_file(system.thread, directory, At::Offset(0), &mut [0; 4]), Err(Status::INVALID_DEVICE_REQUEST));
    assert_eq!(system.exec.write_file(system.thread, handle, At::Offset(0), &[0; 4]), Err(Status::ACCESS_DENIED));
}

#[test]
fn spec_6_2_a_rename_replaces_only_what_may_be_replaced() {
    let mut system = System::new();
    let (source, target) = ("\\??\\C:\\source.txt", "\\??\\C:\\target.txt");
    assert_eq!(system.rename(source, target, false), Err(Status::OBJECT_NAME_COLLISION));
    let handle = system.open(target, WRITE_ATTRIBUTES | SYNC, 3, SYNCHRONOUS).unwrap();
    system.exec.set_basic(system.thread, handle, FileAttributes::READONLY, [0; 3]).unwrap();
    assert_eq!(system.rename(source, target, true), Err(Status::OBJECT_NAME_COLLISION));
    system.exec.set_basic(system.thread, handle, FileAttributes::NORMAL, [0; 3]).unwrap();
    assert_eq!(system.rename(source, target, true), Err(Status::ACCESS_DENIED), "the target is open");
    system.close(handle);
    assert_eq!(system.rename(source, target, true), Ok(()));
    assert_eq!(system.content(target), b"source");
    assert_eq!(system.attributes(source), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn spec_6_3_renames_that_cannot_be() {
    let mut system = System::new();
    let source = "\\??\\C:\\source.txt";
    assert_eq!(system.rename(source, "\\??\\D:\\x", true), Err(Status::NOT_SAME_DEVICE));
    assert_eq!(system.rename(source, "\\??\\C:\\none\\x", true), Err(Status::OBJECT_PATH_NOT_FOUND));
    assert_eq!(system.rename(source, "\\??\\C:\\ReactOS", true), Err(Status::OBJECT_NAME_COLLISION));
    assert_eq!(system.rename("\\??\\C:\\none", source, true), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(system.rename(source, "renamed.txt", false), Ok(()), "a plain name stays in its directory");
    assert_eq!(system.rename("\\??\\C:\\renamed.txt", "\\??\\C:\\ReactOS\\moved.txt", false), Ok(()));
    assert_eq!(system.content("\\SystemRoot\\moved.txt"), b"source");
    let inside = system.open("\\SystemRoot\\System32\\smss.exe", READ_DATA, 7, 0).unwrap();
    assert_eq!(system.rename("\\??\\C:\\ReactOS", "\\??\\C:\\Elsewhere", false), Err(Status::ACCESS_DENIED));
    system.close(inside);
}

#[test]
fn spec_6_3_deletes_that_cannot_be() {
    let mut system = System::new();
    assert_eq!(system.delete("\\??\\C:\\ReactOS"), Err(Status::DIRECTORY_NOT_EMPTY));
    let handle = system.open("\\??\\C:\\source.txt", WRITE_ATTRIBUTES | SYNC, 7, SYNCHRONOUS).unwrap();
    system.exec.set_basic(system.thread, handle, FileAttributes::READONLY, [0; 3]).unwrap();
    assert_eq!(system.delete("\\??\\C:\\source.txt"), Err(Status::CANNOT_DELETE));
    system.exec.set_basic(system.thread, handle, FileAttributes::NORMAL, [0; 3]).unwrap();
    assert_eq!(system.delete("\\??\\C:\\source.txt"), Ok(()));
    // Another handle keeps the file, but nobody opens it any more.
    assert_eq!(system.open("\\??\\C:\\source.txt", READ_DATA, 7, 0), Err(Status::DELETE_PENDING));
    system.close(handle);
    assert_eq!(system.open("\\??\\C:\\source.txt", READ_DATA, 7, 0), Err(Status::OBJECT_NAME_NOT_FOUND));
    let last = system.create("\\??\\C:\\target.txt", CreateRequest { options: DELETE_ON_CLOSE, ..request(Disposition::Open) }).unwrap().0;
    system.close(last);
    assert_eq!(system.attributes("\\??\\C:\\target.txt"), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn spec_6_5_a_mapped_image_may_be_renamed_but_not_deleted_replaced_or_written() {
    let mut system = System::new();
    let (image, moved) = ("\\SystemRoot\\System32\\smss.exe", "\\??\\C:\\ReactOS\\System32\\smss.old");
    let section = system.image(image);
    assert_eq!(system.delete(image), Err(Status::CANNOT_DELETE));
    assert_eq!(system.open(image, WRITE_DATA, 7, 0), Err(Status::SHARING_VIOLATION));
    assert_eq!(system.rename("\\??\\C:\\source.txt", "\\??\\C:\\ReactOS\\System32\\smss.exe", true), Err(Status::ACCESS_DENIED));
    assert_eq!(system.rename(image, moved, false), Ok(()));
    assert_eq!(system.delete(moved), Err(Status::CANNOT_DELETE));
    system.close(section);
    assert_eq!(system.delete(moved), Ok(()));
}

#[test]
fn a_directory_lists_itself_its_parent_and_what_is_in_it() {
    let mut system = System::new();
    let list = |system: &mut System, handle, pattern: Option<&str>| {
        let pattern = pattern.map(units);
        let mut names = Vec::new();
        let mut restart = true;
        loop {
            match system.exec.next_entry(system.thread, handle, pattern.as_deref(), restart) {
                Ok(facts) => names.push(String::from_utf16_lossy(&facts.name)),
                Err(status) => return (names, status),
            }
            restart = false;
            system.exec.entry_taken(system.thread, handle).unwrap();
        }
    };
    let handle = system.open("\\SystemRoot\\System32", 1 | SYNC, 7, SYNCHRONOUS | DIRECTORY_FILE).unwrap();
    let all = (vec![".", "..", "ntdll.dll", "smss.exe", "config"].into_iter().map(String::from).collect(), Status::NO_MORE_FILES);
    assert_eq!(list(&mut system, handle, None), all);
    assert_eq!(list(&mut system, handle, Some("*.EXE")), (vec!["smss.exe".into()], Status::NO_MORE_FILES));
    assert_eq!(list(&mut system, handle, Some("*.none")), (Vec::new(), Status::NO_SUCH_FILE));
    let root = system.open("\\??\\C:\\", 1 | SYNC, 7, SYNCHRONOUS | DIRECTORY_FILE).unwrap();
    assert_eq!(list(&mut system, root, None).0, ["source.txt", "target.txt", "ReactOS"]);
}

#[test]
fn spec_4_7_a_paging_file_is_made_and_stays() {
    let mut system = System::new();
    let name = units("\\??\\C:\\pagefile.sys");
    let create = |system: &mut System, name: &[u16], minimum: u64, maximum: u64| {
        system.exec.create_paging_file(system.thread, UnicodeStr(name), minimum, maximum)
    };
    assert_eq!(create(&mut system, &name, (1 << 20) - 1, 1 << 20), Err(Status::INVALID_PARAMETER_2));
    assert_eq!(create(&mut system, &name, 2 << 20, 1 << 20), Err(Status::INVALID_PARAMETER_3));
    assert_eq!(create(&mut system, &name, 1 << 20, 1 << 45), Err(Status::INVALID_PARAMETER_3));
    assert_eq!(create(&mut system, &[], 1 << 20, 1 << 20), Err(Status::OBJECT_NAME_INVALID));
    assert_eq!(create(&mut system, &[65; 129], 1 << 20, 1 << 20), Err(Status::OBJECT_NAME_INVALID));
    assert_eq!(create(&mut system, &units("\\??\\E:\\p"), 1 << 20, 1 << 20), Err(Status::OBJECT_PATH_NOT_FOUND));
    assert_eq!(create(&mut system, &name, 1 << 30, 1 << 30), Err(Status::DISK_FULL));
    assert_eq!(system.attributes("\\??\\C:\\pagefile.sys"), Err(Status::OBJECT_NAME_NOT_FOUND), "nothing is left behind");
    assert_eq!(create(&mut system, &name, 2 << 20, 4 << 20), Ok(()));
    let wanted = FileAttributes::SYSTEM | FileAttributes::HIDDEN;
    assert_eq!(system.attributes("\\??\\C:\\pagefile.sys").map(|found| found & wanted), Ok(wanted));
    let handle = system.open("\\??\\C:\\pagefile.sys", READ_ATTRIBUTES | SYNC, 3, SYNCHRONOUS).unwrap();
    assert_eq!(system.exec.query_file(system.thread, handle, 0).unwrap().file.size, 2 << 20);
    assert_eq!(system.delete("\\??\\C:\\pagefile.sys"), Err(Status::SHARING_VIOLATION));
    assert_eq!(create(&mut system, &name, 1 << 20, 4 << 20), Err(Status::INVALID_PARAMETER_2));
    assert_eq!(create(&mut system, &name, 2 << 20, 3 << 20), Err(Status::INVALID_PARAMETER_3));
    assert_eq!(create(&mut system, &name, 3 << 20, 5 << 20), Err(Status::NOT_IMPLEMENTED));
    for number in 1..16 {
        assert_eq!(create(&mut system, &units(&std::format!("\\??\\C:\\p{number}")), 1 << 20, 1 << 20), Ok(()));
    }
    assert_eq!(create(&mut system, &units("\\??\\C:\\p16"), 1 << 20, 1 << 20), Err(Status::TOO_MANY_PAGING_FILES));
}

fn manager_value(hive: &Hive, name: &str) -> bool {
    let key = hive.find(hive.root(), wide!("ControlSet001\\Control\\Session Manager")).unwrap();
    hive.value(key, UnicodeStr(&units(name))).is_some()
}

fn stored_hive(bytes: &[u8], name: &str) -> Option<Hive> {
    let mut device = MemoryDevice { bytes: bytes.to_vec() };
    let mut volume = FatVolume::mount(&mut device).unwrap();
    let mut at = volume.root();
    for part in ["ReactOS", "System32", "config", name] {
        at = volume.lookup(&mut device, at, &units(part)).ok()?;
    }
    let mut bytes = vec![0; volume.node(at).unwrap().size as usize];
    volume.read(&mut device, at, 0, &mut bytes).unwrap();
    Some(Hive::parse(&bytes).unwrap())
}

fn open_manager(system: &mut System) -> Handle {
    let name = units("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager");
    system.exec.open_key(system.thread, &ObjectAttributes::named(UnicodeStr(&name)), 0x8000_0000 | 0x4000_0000 | 0x1_0000).unwrap()
}

#[test]
fn spec_6_4_a_deleted_value_stays_on_disk_until_the_registry_is_initialised() {
    let mut system = System::new();
    let key = open_manager(&mut system);
    let value = units("PendingFileRenameOperations");
    system.exec.delete_value(system.thread, key, &value).unwrap();
    assert_eq!(system.exec.query_value(system.thread, key, &value).unwrap_err(), Status::OBJECT_NAME_NOT_FOUND);
    system.exec.flush_key(system.thread, key).unwrap();
    system.machine.state().uptime += 100_000_000;
    system.exec.expire_timers();
    assert!(manager_value(&stored_hive(&system.disk_now(), "SYSTEM").unwrap(), "PendingFileRenameOperations"));
    assert_eq!(system.exec.initialize_registry(0), Ok(()));
    assert!(system.exec.next_deadline().is_some(), "the hive waits to be written");
    system.machine.state().uptime += 50_000_000;
    system.exec.expire_timers();
    assert!(!manager_value(&stored_hive(&system.disk_now(), "SYSTEM").unwrap(), "PendingFileRenameOperations"));
    assert_eq!(system.exec.lazy_flush_deadline(), None);
}

#[test]
fn spec_14_row_23_the_registry_is_initialised_once() {
    let mut system = System::new();
    let software = ObjectAttributes::named(wide!("\\Registry\\Machine\\Software"));
    assert_eq!(system.exec.open_key(system.thread, &software, 0x2_0019), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(system.exec.initialize_registry(0), Ok(()));
    assert_eq!(system.exec.initialize_registry(0), Err(Status::ACCESS_DENIED));
    assert_eq!(system.exec.initialize_registry(1), Err(Status::ACCESS_DENIED));
    let key = system.exec.open_key(system.thread, &software, 0xF_003F).unwrap();
    system.exec.set_value(system.thread, key, &units("x"), 1, vec![0, 0]).unwrap();
    system.exec.flush_key(system.thread, key).unwrap();
    assert!(stored_hive(&system.disk_now(), "SOFTWARE").is_some());
    assert_eq!(system.exec.initialize_registry(3), Ok(()));
    assert_eq!(system.exec.initialize_registry(3), Err(Status::ACCESS_DENIED));
    assert_eq!(system.exec.initialize_registry(2000), Err(Status::INVALID_PARAMETER));
}

#[test]
fn spec_14_row_24_a_mini_system_writes_nothing() {
    let mut system = System::start("MININT", disk());
    let before = system.disk_now();
    let key = open_manager(&mut system);
    system.exec.delete_value(system.thread, key, &units("PendingFileRenameOperations")).unwrap();
    system.exec.initialize_registry(0).unwrap();
    system.exec.flush_key(system.thread, key).unwrap();
    system.exec.flush_hives();
    assert!(system.disk_now() == before);
}

#[test]
fn a_power_cut_while_a_hive_is_written_leaves_the_old_or_the_new_one() {
    for writes in 0..40 {
        let mut system = System::new();
        let key = open_manager(&mut system);
        system.exec.delete_value(system.thread, key, &units("PendingFileRenameOperations")).unwrap();
        system.exec.initialize_registry(0).unwrap();
        system.machine.state().disks[0].writes_left = Some(writes);
        let flushed = system.exec.flush_key(system.thread, key);
        let hive = stored_hive(&system.disk_now(), "SYSTEM").unwrap();
        if flushed.is_ok() {
            assert!(!manager_value(&hive, "PendingFileRenameOperations"));
            return;
        }
        assert_eq!(flushed, Err(Status::IO_DEVICE_ERROR));
    }
    panic!("the hive was never written");
}

#[test]
fn key_handles_allow_what_they_were_opened_for() {
    let mut system = System::new();
    let name = units("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager");
    let attributes = ObjectAttributes::named(UnicodeStr(&name));
    let key = system.exec.open_key(system.thread, &attributes, 0x8).unwrap();
    assert_eq!(system.exec.query_key(system.thread, key, false).unwrap_err(), Status::ACCESS_DENIED);
    assert!(system.exec.query_key(system.thread, key, true).is_ok());
    assert_eq!(system.exec.set_value(system.thread, key, &[], 1, vec![]), Err(Status::ACCESS_DENIED));
    assert_eq!(system.exec.enumerate_key(system.thread, key, 0).unwrap_err(), Status::NO_MORE_ENTRIES);
    let sub = ObjectAttributes::named(wide!("Sub")).under(key);
    let (made, done) = system.exec.create_key(system.thread, &sub, 0xF_003F, &units("class"), 0).unwrap();
    assert_eq!(done, crate::cm::services::Disposition::Created);
    assert_eq!(system.exec.create_key(system.thread, &sub, 0x1, &[], 0).unwrap().1, crate::cm::services::Disposition::Opened);
    assert_eq!(system.exec.enumerate_key(system.thread, key, 0).unwrap().class, units("class"));
    let parent = open_manager(&mut system);
    assert_eq!(system.exec.delete_key(system.thread, parent), Err(Status::CANNOT_DELETE));
    system.exec.delete_key(system.thread, made).unwrap();
    assert_eq!(system.exec.query_key(system.thread, made, false).unwrap_err(), Status::KEY_DELETED);
}

#[test]
fn sections_of_files_have_their_rules() {
    let mut system = System::new();
    let unnamed = ObjectAttributes::unnamed();
    let make = |system: &mut System, size, protect, kind, file| {
        system.exec.create_section(system.thread, &unnamed, 0xF_001F, size, protect, kind, file).map(|created| created.handle)
    };
    let text = system.open("\\??\\C:\\source.txt", READ_DATA | 0x20, 7, 0).unwrap();
    assert_eq!(make(&mut system, 0, 0x10, SEC_IMAGE, text), Err(Status::INVALID_IMAGE_NOT_MZ));
    assert_eq!(make(&mut system, 100, 0x02, SEC_COMMIT, text), Err(Status::SECTION_TOO_BIG));
    assert_eq!(make(&mut system, 0, 0x04, SEC_COMMIT, text), Err(Status::ACCESS_DENIED));
    assert_eq!(make(&mut system, 0, 0x01, SEC_COMMIT, text), Err(Status::INVALID_PAGE_PROTECTION));
    assert_eq!(make(&mut system, 0, 0x10, SEC_IMAGE, Handle::NULL), Err(Status::INVALID_FILE_FOR_SECTION));
    assert_eq!(make(&mut system, 0, 0x04, SEC_COMMIT, Handle::NULL), Err(Status::INVALID_PARAMETER_4));
    assert_eq!(make(&mut system, 0, 0x02, SEC_COMMIT | SEC_IMAGE, text), Err(Status::INVALID_PARAMETER_6));
    let directory = system.open("\\SystemRoot", READ_DATA | 0x20, 7, 0).unwrap();
    assert_eq!(make(&mut system, 0, 0x10, SEC_IMAGE, directory), Err(Status::INVALID_FILE_FOR_SECTION));
    let (empty, _) = system.create("\\??\\C:\\empty", request(Disposition::Create)).unwrap();
    assert_eq!(make(&mut system, 0, 0x02, SEC_COMMIT, empty), Err(Status::MAPPED_FILE_SIZE_ZERO));
}

#[test]
fn spec_7_1_a_permanent_named_section_outlives_its_handle_and_keeps_its_name() {
    let mut system = System::new();
    let file = system.open("\\SystemRoot\\System32\\ntdll.dll", SYNC | 0x20, 5, 0x60).unwrap();
    let name = units("\\KnownDll");
    let named = ObjectAttributes::named(UnicodeStr(&name)).with(Attributes::PERMANENT);
    let made = system.exec.create_section(system.thread, &named, 0xF_001F, 0, 0x10, SEC_IMAGE, file).unwrap();
    let again = system.exec.create_section(system.thread, &named, 0xF_001F, 0, 0x10, SEC_IMAGE, file);
    assert_eq!(again.unwrap_err(), Status::OBJECT_NAME_COLLISION);
    system.close(made.handle);
    let opened = system.exec.open_section(system.thread, &ObjectAttributes::named(UnicodeStr(&name)), 0xF).unwrap();
    let information = system.exec.query_section_image(system.thread, opened).unwrap();
    assert_eq!((information.machine, information.subsystem.0), (0x8664, 1));
}

#[test]
fn two_processes_share_an_images_frames_until_one_writes() {
    let mut system = System::new();
    let section = system.image("\\SystemRoot\\System32\\smss.exe");
    let object = system.exec.resolve(system.thread, section, None, 0).unwrap();
    let other = system.exec.make_process(ProcessId::SYSTEM, false).unwrap();
    let first = system.exec.map_image(system.process, object).unwrap();
    let second = system.exec.map_image(other, object).unwrap();
    assert!(first.at_base && second.at_base);
    assert_eq!((first.base, first.size), (0x1_4000_0000, 0x3000));
    let moved = system.exec.map_image(other, object).unwrap();
    assert!(!moved.at_base, "the base is taken");
    let data = first.base + 0x2300;
    let mut bytes = [0; 8];
    system.exec.read_process(other, data, &mut bytes).unwrap();
    let frames = system.machine.state().frames();
    system.exec.write_process(system.process, data, &[9; 8]).unwrap();
    assert_eq!(system.machine.state().frames(), frames + 1, "one page was copied");
    let mut seen = [0; 8];
    system.exec.read_process(other, data, &mut seen).unwrap();
    assert_eq!(seen, bytes);
    system.exec.read_process(system.process, data, &mut seen).unwrap();
    assert_eq!(seen, [9; 8]);
    let code = first.base + 0x1000;
    assert_eq!(system.exec.page_fault(system.thread, code, PageAccess::WRITE), Err(Status::ACCESS_VIOLATION));
    assert_eq!(system.exec.page_fault(system.thread, code, PageAccess::EXECUTE), Ok(()));
    assert_eq!(system.exec.page_fault(system.thread, data, PageAccess::EXECUTE), Err(Status::ACCESS_VIOLATION));
}

#[test]
fn what_a_view_writes_is_in_the_file() {
    let mut system = System::new();
    let name = "\\??\\C:\\source.txt";
    let file = system.open(name, READ_DATA | WRITE_DATA | SYNC, 7, SYNCHRONOUS).unwrap();
    let unnamed = ObjectAttributes::unnamed();
    let section = system.exec.create_section(system.thread, &unnamed, 0xF_001F, 0, 0x04, SEC_COMMIT, file).unwrap().handle;
    let view = system.exec.map_view(system.thread, section, Handle::CURRENT_PROCESS, 0x04).unwrap();
    system.exec.write_process(system.process, view.base, b"SO").unwrap();
    let mut bytes = [0; 6];
    system.exec.read_file(system.thread, file, At::Offset(0), &mut bytes).unwrap();
    assert_eq!(&bytes, b"SOurce", "a read sees what a view wrote");
    system.exec.write_file(system.thread, file, At::Offset(2), b"UR").unwrap();
    system.exec.read_process(system.process, view.base, &mut bytes).unwrap();
    assert_eq!(&bytes, b"SOURce", "a view sees what a write wrote");
    assert_eq!(system.exec.set_end_of_file(system.thread, file, 1), Err(Status::USER_MAPPED_FILE));
    system.close(section);
    system.close(file);
    system.exec.unmap_view(system.thread, Handle::CURRENT_PROCESS, view.base).unwrap();
    assert_eq!(system.content(name), b"SOURce");
}

#[test]
fn ending_a_process_gives_every_frame_back() {
    let mut system = System::new();
    let frames = system.machine.state().frames();
    let process = system.exec.make_process(ProcessId::SYSTEM, false).unwrap();
    let section = system.exec.open_image_section(&units("\\SystemRoot\\System32\\smss.exe")).unwrap();
    let image = system.exec.map_image(process, section).unwrap();
    system.exec.write_process(process, image.base + 0x2000, &[1; 64]).unwrap();
    let memory = system.exec.allocate_memory_in(process, 0x1_0000, 4, true).unwrap();
    system.exec.write_process(process, memory, &[2; 0x1_0000]).unwrap();
    assert_eq!(system.exec.committed_pages(process), 17);
    system.exec.delete_memory(process);
    system.exec.dereference(section);
    assert_eq!(system.machine.state().frames(), frames);
}

#[test]
fn volumes_refuse_to_be_locked() {
    let mut system = System::new();
    let volume = system.open("\\??\\C:", READ_DATA | SYNC, 3, SYNCHRONOUS).unwrap();
    let mut sector = [0; 512];
    assert_eq!(system.exec.read_file(system.thread, volume, At::Offset(0), &mut sector), Ok(512));
    assert_eq!(sector[510..], [0x55, 0xAA]);
    assert_eq!(system.exec.fs_control(system.thread, volume, 0x9_0018), Err(Status::ACCESS_DENIED));
    assert_eq!(system.exec.fs_control(system.thread, volume, 0x9_0078), Ok(vec![0; 4]));
    assert_eq!(system.exec.fs_control(system.thread, volume, 0x1234), Err(Status::INVALID_DEVICE_REQUEST));
}
