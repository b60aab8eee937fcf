// SPDX-License-Identifier: GPL-2.0-or-later
//! The services of files, the registry's files and mapped files on a whole system in memory: one
//! test a rule (spec 1.1, 4.7, 6, 7).

mod cache;
mod contents;
mod locking;
mod opening;
mod registry;
mod renames;
mod sections;
mod volumes;

use super::request::{
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
