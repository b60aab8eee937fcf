// SPDX-License-Identifier: GPL-2.0-or-later
//! Sections of files and images, views of them, and the memory of processes (spec 6.5, 7.1).

use super::super::request::Disposition;
use super::super::transfer::At;
use super::{SYNCHRONOUS, System, request};
use crate::ids::ProcessId;
use crate::machine::PageAccess;
use crate::mm::{SEC_COMMIT, SEC_IMAGE};
use crate::ob::prelude::*;
use formats::pe::build::{CODE, DATA, PROGRAM_BASE};
use formats::utf16;
use nt::access::Access;
use nt::object::Attributes;
use nt::{Handle, ObjectAttributes, Status, UnicodeStr};

#[test]
fn sections_of_files_have_their_rules() {
    let mut system = System::new();
    let unnamed = ObjectAttributes::unnamed();
    let make = |system: &mut System, size, protect, kind, file| {
        system
            .exec
            .create_section(
                system.thread,
                &unnamed,
                Access::SECTION_ALL,
                size,
                protect,
                kind,
                file,
            )
            .map(|created| created.handle)
    };
    let text = system
        .open(
            "\\??\\C:\\source.txt",
            Access::FILE_READ_DATA | Access::FILE_EXECUTE,
            7,
            0,
        )
        .unwrap();
    assert_eq!(
        make(&mut system, 0, 0x10, SEC_IMAGE, text),
        Err(Status::INVALID_IMAGE_NOT_MZ)
    );
    assert_eq!(
        make(&mut system, 100, 0x02, SEC_COMMIT, text),
        Err(Status::SECTION_TOO_BIG)
    );
    assert_eq!(
        make(&mut system, 0, 0x04, SEC_COMMIT, text),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(
        make(&mut system, 0, 0x01, SEC_COMMIT, text),
        Err(Status::INVALID_PAGE_PROTECTION)
    );
    assert_eq!(
        make(&mut system, 0, 0x10, SEC_IMAGE, Handle::NULL),
        Err(Status::INVALID_FILE_FOR_SECTION)
    );
    assert_eq!(
        make(&mut system, 0, 0x04, SEC_COMMIT, Handle::NULL),
        Err(Status::INVALID_PARAMETER_4)
    );
    assert_eq!(
        make(&mut system, 0, 0x02, SEC_COMMIT | SEC_IMAGE, text),
        Err(Status::INVALID_PARAMETER_6)
    );
    let directory = system
        .open(
            "\\SystemRoot",
            Access::FILE_READ_DATA | Access::FILE_EXECUTE,
            7,
            0,
        )
        .unwrap();
    assert_eq!(
        make(&mut system, 0, 0x10, SEC_IMAGE, directory),
        Err(Status::INVALID_FILE_FOR_SECTION)
    );
    let (empty, _) = system
        .create("\\??\\C:\\empty", request(Disposition::Create))
        .unwrap();
    assert_eq!(
        make(&mut system, 0, 0x02, SEC_COMMIT, empty),
        Err(Status::MAPPED_FILE_SIZE_ZERO)
    );
}

#[test]
fn spec_7_1_a_permanent_named_section_outlives_its_handle_and_keeps_its_name() {
    let mut system = System::new();
    let file = system
        .open(
            "\\SystemRoot\\System32\\ntdll.dll",
            Access::SYNCHRONIZE | Access::FILE_EXECUTE,
            5,
            0x60,
        )
        .unwrap();
    let name = utf16("\\KnownDll");
    let named = ObjectAttributes::named(UnicodeStr(&name)).with(Attributes::PERMANENT);
    let made = system
        .exec
        .create_section(
            system.thread,
            &named,
            Access::SECTION_ALL,
            0,
            0x10,
            SEC_IMAGE,
            file,
        )
        .unwrap();
    let again = system.exec.create_section(
        system.thread,
        &named,
        Access::SECTION_ALL,
        0,
        0x10,
        SEC_IMAGE,
        file,
    );
    assert_eq!(again.unwrap_err(), Status::OBJECT_NAME_COLLISION);
    system.close(made.handle);
    let opened = system
        .exec
        .open_section(
            system.thread,
            &ObjectAttributes::named(UnicodeStr(&name)),
            Access::SECTION_QUERY
                | Access::SECTION_MAP_READ
                | Access::SECTION_MAP_WRITE
                | Access::SECTION_MAP_EXECUTE,
        )
        .unwrap();
    let information = system
        .exec
        .query_section_image(system.thread, opened)
        .unwrap();
    assert_eq!((information.machine, information.subsystem.0), (0x8664, 1));
}

#[test]
fn two_processes_share_an_images_frames_until_one_writes() {
    let mut system = System::new();
    let section = system.image("\\SystemRoot\\System32\\smss.exe");
    let object = system
        .exec
        .resolve(system.thread, section, None, Access::empty())
        .unwrap();
    let other = system.exec.make_process(ProcessId::SYSTEM, false).unwrap();
    let first = system.exec.map_image(system.process, object).unwrap();
    let second = system.exec.map_image(other, object).unwrap();
    assert!(first.at_base && second.at_base);
    assert_eq!((first.base, first.size), (PROGRAM_BASE, 0x4000));
    let moved = system.exec.map_image(other, object).unwrap();
    assert!(!moved.at_base, "the base is taken");
    let data = first.base + u64::from(DATA);
    let mut bytes = [0; 8];
    system.exec.read_process(other, data, &mut bytes).unwrap();
    let frames = system.machine.state().frames();
    system
        .exec
        .write_process(system.process, data, &[9; 8])
        .unwrap();
    assert_eq!(
        system.machine.state().frames(),
        frames + 1,
        "one page was copied"
    );
    let mut seen = [0; 8];
    system.exec.read_process(other, data, &mut seen).unwrap();
    assert_eq!(seen, bytes);
    system
        .exec
        .read_process(system.process, data, &mut seen)
        .unwrap();
    assert_eq!(seen, [9; 8]);
    let code = first.base + u64::from(CODE);
    assert_eq!(
        system
            .exec
            .page_fault(system.thread, code, PageAccess::WRITE),
        Err(Status::ACCESS_VIOLATION)
    );
    assert_eq!(
        system
            .exec
            .page_fault(system.thread, code, PageAccess::EXECUTE),
        Ok(())
    );
    assert_eq!(
        system
            .exec
            .page_fault(system.thread, data, PageAccess::EXECUTE),
        Err(Status::ACCESS_VIOLATION)
    );
}

#[test]
fn what_a_view_writes_is_in_the_file() {
    let mut system = System::new();
    let name = "\\??\\C:\\source.txt";
    let file = system
        .open(
            name,
            Access::FILE_READ_DATA | Access::FILE_WRITE_DATA | Access::SYNCHRONIZE,
            7,
            SYNCHRONOUS,
        )
        .unwrap();
    let unnamed = ObjectAttributes::unnamed();
    let section = system
        .exec
        .create_section(
            system.thread,
            &unnamed,
            Access::SECTION_ALL,
            0,
            0x04,
            SEC_COMMIT,
            file,
        )
        .unwrap()
        .handle;
    let view = system
        .exec
        .map_view(system.thread, section, Handle::CURRENT_PROCESS, 0x04)
        .unwrap();
    system
        .exec
        .write_process(system.process, view.base, b"SO")
        .unwrap();
    let mut bytes = [0; 6];
    system
        .exec
        .read_file(system.thread, file, At::Offset(0), &mut bytes)
        .unwrap();
    assert_eq!(&bytes, b"SOurce", "a read sees what a view wrote");
    system
        .exec
        .write_file(system.thread, file, At::Offset(2), b"UR")
        .unwrap();
    system
        .exec
        .read_process(system.process, view.base, &mut bytes)
        .unwrap();
    assert_eq!(&bytes, b"SOURce", "a view sees what a write wrote");
    assert_eq!(
        system.exec.set_end_of_file(system.thread, file, 1),
        Err(Status::USER_MAPPED_FILE)
    );
    system.close(section);
    system.close(file);
    system
        .exec
        .unmap_view(system.thread, Handle::CURRENT_PROCESS, view.base)
        .unwrap();
    assert_eq!(system.content(name), b"SOURce");
}

#[test]
fn ending_a_process_gives_every_frame_back() {
    let mut system = System::new();
    let frames = system.machine.state().frames();
    let process = system.exec.make_process(ProcessId::SYSTEM, false).unwrap();
    let section = system
        .exec
        .open_image_section(&utf16("\\SystemRoot\\System32\\smss.exe"))
        .unwrap();
    let image = system.exec.map_image(process, section).unwrap();
    system
        .exec
        .write_process(process, image.base + 0x2000, &[1; 64])
        .unwrap();
    let memory = system
        .exec
        .allocate_memory_in(process, 0x1_0000, 4, true)
        .unwrap();
    system
        .exec
        .write_process(process, memory, &[2; 0x1_0000])
        .unwrap();
    assert_eq!(system.exec.committed_pages(process), 17);
    system.exec.delete_memory(process);
    system.exec.dereference(section);
    assert_eq!(system.machine.state().frames(), frames);
}
