// SPDX-License-Identifier: GPL-2.0-or-later
//! Key handles, and hives and their files (spec 1.1 row 10, 6.4, 14 rows 23-24).

use super::{System, disk};
use alloc::vec;
use alloc::vec::Vec;
use formats::fat::FatVolume;
use formats::hive::Hive;
use formats::sectors::MemoryDevice;
use formats::utf16;
use nt::access::Access;
use nt::system::FileAttributes;
use nt::{Handle, ObjectAttributes, Status, UnicodeStr, wide};

fn manager_value(hive: &Hive, name: &str) -> bool {
    let key = hive
        .find(
            hive.root(),
            wide!("ControlSet001\\Control\\Session Manager"),
        )
        .unwrap();
    hive.value(key, UnicodeStr(&utf16(name))).is_some()
}

fn stored_hive(bytes: &[u8], name: &str) -> Option<Hive> {
    let mut device = MemoryDevice {
        bytes: bytes.to_vec(),
    };
    let mut volume = FatVolume::mount(&mut device).unwrap();
    let mut at = volume.root();
    for part in ["ReactOS", "System32", "config", name] {
        at = volume.lookup(&mut device, at, &utf16(part)).ok()?;
    }
    let mut bytes = vec![0; volume.node(at).unwrap().size as usize];
    volume.read(&mut device, at, 0, &mut bytes).unwrap();
    Some(Hive::parse(&bytes).unwrap())
}

fn open_manager(system: &mut System) -> Handle {
    let name = utf16("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager");
    system
        .exec
        .open_key(
            system.thread,
            &ObjectAttributes::named(UnicodeStr(&name)),
            Access::GENERIC_READ | Access::GENERIC_WRITE | Access::DELETE,
        )
        .unwrap()
}

#[test]
fn spec_6_4_a_deleted_value_stays_on_disk_until_the_registry_is_initialised() {
    let mut system = System::new();
    let key = open_manager(&mut system);
    let value = utf16("PendingFileRenameOperations");
    system
        .exec
        .delete_value(system.thread, key, &value)
        .unwrap();
    assert_eq!(
        system
            .exec
            .query_value(system.thread, key, &value)
            .unwrap_err(),
        Status::OBJECT_NAME_NOT_FOUND
    );
    system.exec.flush_key(system.thread, key).unwrap();
    system.machine.state().uptime += 100_000_000;
    system.exec.expire_timers();
    assert!(manager_value(
        &stored_hive(&system.disk_now(), "SYSTEM").unwrap(),
        "PendingFileRenameOperations"
    ));
    assert_eq!(system.exec.initialize_registry(0), Ok(()));
    assert!(
        system.exec.next_deadline().is_some(),
        "the hive waits to be written"
    );
    system.machine.state().uptime += 50_000_000;
    system.exec.expire_timers();
    assert!(!manager_value(
        &stored_hive(&system.disk_now(), "SYSTEM").unwrap(),
        "PendingFileRenameOperations"
    ));
    assert_eq!(system.exec.lazy_flush_deadline(), None);
}

#[test]
fn spec_14_row_23_the_registry_is_initialised_once() {
    let mut system = System::new();
    let software = ObjectAttributes::named(wide!("\\Registry\\Machine\\Software"));
    assert_eq!(
        system
            .exec
            .open_key(system.thread, &software, Access::KEY_READ),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(system.exec.initialize_registry(0), Ok(()));
    assert_eq!(
        system.exec.initialize_registry(0),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system.exec.initialize_registry(1),
        Err(Status::ACCESS_DENIED)
    );
    let key = system
        .exec
        .open_key(system.thread, &software, Access::KEY_ALL)
        .unwrap();
    system
        .exec
        .set_value(system.thread, key, &utf16("x"), 1, vec![0, 0])
        .unwrap();
    system.exec.flush_key(system.thread, key).unwrap();
    assert!(stored_hive(&system.disk_now(), "SOFTWARE").is_some());
    assert_eq!(system.exec.initialize_registry(3), Ok(()));
    assert_eq!(
        system.exec.initialize_registry(3),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system.exec.initialize_registry(2000),
        Err(Status::INVALID_PARAMETER)
    );
}

/// The system's disk with a file `SOFTWARE` of this content beside SYSTEM.
fn disk_with_software(content: &[u8]) -> Vec<u8> {
    let mut device = MemoryDevice { bytes: disk() };
    let mut volume = FatVolume::mount(&mut device).unwrap();
    let mut at = volume.root();
    for part in ["ReactOS", "System32", "config"] {
        at = volume.lookup(&mut device, at, &utf16(part)).unwrap();
    }
    let name = utf16("SOFTWARE");
    let file = volume
        .create(&mut device, at, UnicodeStr(&name), FileAttributes::ARCHIVE)
        .unwrap();
    volume.write(&mut device, file, 0, content).unwrap();
    device.bytes
}

#[test]
fn a_damaged_hive_other_than_system_stops_the_system_with_its_name() {
    let whole = Hive::new(wide!("SOFTWARE")).serialise(0);
    let mut cut = whole.clone();
    cut.truncate(5000);
    // An interrupted write: the two sequence numbers differ, and no log is there.
    let mut dirty = whole.clone();
    dirty[4] ^= 1;
    for options in ["", "MININT"] {
        for content in [&cut, &dirty, &vec![]] {
            let disk = disk_with_software(content);
            let mut system = System::start(options, disk.clone());
            assert_eq!(
                system.exec.initialize_registry(0),
                Err(Status::CANNOT_LOAD_REGISTRY_FILE)
            );
            let check = system.exec.bug_check().expect("a bugcheck");
            assert_eq!((check.code, check.parameters[0]), (0x4C, 0xC000_0218));
            assert_eq!(
                check.text(),
                "STOP: c0000218 {Fatal System Error} STATUS_CANNOT_LOAD_REGISTRY_FILE\n\
                 (\\SystemRoot\\System32\\config\\SOFTWARE)\nThe system has been shut down."
            );
            assert!(system.disk_now() == disk, "nothing is written over it");
        }
    }
    let mut system = System::start("", disk_with_software(&whole));
    assert_eq!(system.exec.initialize_registry(0), Ok(()));
    assert!(system.exec.bug_check().is_none());
}

#[test]
fn spec_14_row_24_a_mini_system_writes_nothing() {
    let mut system = System::start("MININT", disk());
    let before = system.disk_now();
    let key = open_manager(&mut system);
    system
        .exec
        .delete_value(system.thread, key, &utf16("PendingFileRenameOperations"))
        .unwrap();
    system.exec.initialize_registry(0).unwrap();
    system.exec.flush_key(system.thread, key).unwrap();
    system.exec.flush_hives();
    assert!(system.disk_now() == before);
}

#[test]
fn a_hive_that_carries_a_mini_nt_key_is_written_all_the_same() {
    let mut hive = super::system_hive();
    let control = hive
        .create_path(
            hive.root(),
            wide!("ControlSet001\\Control\\MiniNT"),
            false,
            0,
        )
        .unwrap();
    assert!(hive.key(control).is_some());
    let mut system = System::start("", super::disk_with(&hive));
    let key = open_manager(&mut system);
    system
        .exec
        .delete_value(system.thread, key, &utf16("PendingFileRenameOperations"))
        .unwrap();
    system.exec.initialize_registry(0).unwrap();
    system.exec.flush_key(system.thread, key).unwrap();
    let stored = stored_hive(&system.disk_now(), "SYSTEM").unwrap();
    assert!(!manager_value(&stored, "PendingFileRenameOperations"));
}

#[test]
fn a_power_cut_while_a_hive_is_written_leaves_the_old_or_the_new_one() {
    for writes in 0..40 {
        let mut system = System::new();
        let key = open_manager(&mut system);
        system
            .exec
            .delete_value(system.thread, key, &utf16("PendingFileRenameOperations"))
            .unwrap();
        system.exec.initialize_registry(0).unwrap();
        system.machine.state().disks[0].writes_left = Some(writes);
        let flushed = system.exec.flush_key(system.thread, key);
        let hive = stored_hive(&system.disk_now(), "SYSTEM").unwrap();
        if flushed.is_ok() {
            assert!(!manager_value(&hive, "PendingFileRenameOperations"));
            return;
        }
        assert_eq!(flushed, Err(Status::IO_DEVICE_ERROR));
        assert_eq!(
            system.exec.lazy_flush_deadline(),
            None,
            "a dead disk is not asked for ever"
        );
    }
    panic!("the hive was never written");
}

#[test]
fn key_handles_allow_what_they_were_opened_for() {
    let mut system = System::new();
    let name = utf16("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager");
    let attributes = ObjectAttributes::named(UnicodeStr(&name));
    let key = system
        .exec
        .open_key(system.thread, &attributes, Access::KEY_ENUMERATE_SUB_KEYS)
        .unwrap();
    assert_eq!(
        system
            .exec
            .query_key(system.thread, key, false)
            .unwrap_err(),
        Status::ACCESS_DENIED
    );
    assert!(system.exec.query_key(system.thread, key, true).is_ok());
    assert_eq!(
        system.exec.set_value(system.thread, key, &[], 1, vec![]),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        system
            .exec
            .enumerate_key(system.thread, key, 0)
            .unwrap_err(),
        Status::NO_MORE_ENTRIES
    );
    let sub = ObjectAttributes::named(wide!("Sub")).under(key);
    let (made, done) = system
        .exec
        .create_key(system.thread, &sub, Access::KEY_ALL, &utf16("class"), 0)
        .unwrap();
    assert_eq!(done, crate::system::registry::Disposition::Created);
    assert_eq!(
        system
            .exec
            .create_key(system.thread, &sub, Access::KEY_QUERY_VALUE, &[], 0)
            .unwrap()
            .1,
        crate::system::registry::Disposition::Opened
    );
    assert_eq!(
        system
            .exec
            .enumerate_key(system.thread, key, 0)
            .unwrap()
            .class,
        utf16("class")
    );
    let parent = open_manager(&mut system);
    assert_eq!(
        system.exec.delete_key(system.thread, parent),
        Err(Status::CANNOT_DELETE)
    );
    system.exec.delete_key(system.thread, made).unwrap();
    assert_eq!(
        system
            .exec
            .query_key(system.thread, made, false)
            .unwrap_err(),
        Status::KEY_DELETED
    );
}
