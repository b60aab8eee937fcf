// SPDX-License-Identifier: GPL-2.0-or-later
//! What the system calls ask of open files, change in them, and ask of their volumes; and the
//! listing of directories (spec 0.4, 13.4).

use super::argument::{UserText, services};
use super::call::{Call, Done};
use super::encode::put_text;
use super::files::{begin, finish, probe_result, report};
use super::layout::{
    FileBasic, FileNetworkOpen, FileRename, FileStandard, FsDevice, FsSize, IoStatusBlock,
};
use super::user::UserPtr;
use crate::io::volume::FileFacts;
use crate::system::files::information::OpenFacts;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::{Handle, Result, Status, UnicodeStr};
use zerocopy::IntoBytes;

services! {
    NtQueryInformationFile(
        file: Handle, result: UserPtr<IoStatusBlock>, buffer: UserPtr, size: u32, class: u32
    ) => query;
    NtSetInformationFile(
        file: Handle, result: UserPtr<IoStatusBlock>, buffer: UserPtr, size: u32, class: u32
    ) => set;
    NtQueryVolumeInformationFile(
        file: Handle, result: UserPtr<IoStatusBlock>, buffer: UserPtr, size: u32, class: u32
    ) => query_volume;
    NtQueryDirectoryFile(
        file: Handle, event: Handle, routine: UserPtr, context: u64, result: UserPtr<IoStatusBlock>,
        buffer: UserPtr, size: u32, class: u32, single: bool, name: UserText, restart: bool
    ) => query_directory;
}

/// The first class there is not.
const CLASS_LIMIT: u32 = 41;

/// FILE_BASIC_INFORMATION.
pub fn basic(facts: &FileFacts) -> FileBasic {
    FileBasic {
        created: facts.creation,
        accessed: facts.access,
        written: facts.write,
        changed: facts.write,
        attributes: facts.attributes,
        ..FileBasic::default()
    }
}

/// FILE_NETWORK_OPEN_INFORMATION.
pub fn network_open(facts: &FileFacts) -> FileNetworkOpen {
    FileNetworkOpen {
        created: facts.creation,
        accessed: facts.access,
        written: facts.write,
        changed: facts.write,
        allocation: facts.allocation,
        end_of_file: facts.size,
        attributes: facts.attributes,
        ..FileNetworkOpen::default()
    }
}

fn standard(facts: &OpenFacts) -> FileStandard {
    FileStandard {
        allocation: facts.file.allocation,
        end_of_file: facts.file.size,
        links: u32::from(!facts.delete_pending),
        delete_pending: facts.delete_pending.into(),
        directory: facts.file.directory.into(),
        padding: 0,
    }
}

/// A length and a text behind it.
fn named(bytes: &mut Vec<u8>, text: &[u16]) {
    bytes.extend(((text.len() * 2) as u32).to_le_bytes());
    put_text(bytes, text);
}

/// An answer, and how many bytes of it a buffer must hold at the least.
fn information(class: u32, facts: &OpenFacts) -> Result<(Vec<u8>, usize)> {
    let whole = |bytes: &[u8]| (bytes.to_vec(), bytes.len());
    Ok(match class {
        4 => whole(basic(&facts.file).as_bytes()),
        5 => whole(standard(facts).as_bytes()),
        // FileInternalInformation
        6 => whole(&facts.file.index.to_le_bytes()),
        // FileEaInformation: none
        7 => whole(&[0; 4]),
        8 => whole(&facts.access.bits().to_le_bytes()),
        9 => {
            let mut bytes = Vec::new();
            named(&mut bytes, &facts.path);
            (bytes, 8)
        }
        14 => whole(&facts.position.to_le_bytes()),
        16 => whole(&facts.mode.to_le_bytes()),
        // FileAlignmentInformation: none
        17 => whole(&[0; 4]),
        18 => {
            let mut bytes = Vec::new();
            bytes.extend(basic(&facts.file).as_bytes());
            bytes.extend(standard(facts).as_bytes());
            bytes.extend(facts.file.index.to_le_bytes());
            bytes.extend(0_u32.to_le_bytes());
            bytes.extend(facts.access.bits().to_le_bytes());
            bytes.extend(facts.position.to_le_bytes());
            bytes.extend(facts.mode.to_le_bytes());
            bytes.extend(0_u32.to_le_bytes());
            named(&mut bytes, &facts.path);
            (bytes, 0x68)
        }
        // FileAlternateNameInformation
        21 if facts.file.short_name.is_empty() => return Err(Status::OBJECT_NAME_NOT_FOUND),
        21 => {
            let mut bytes = Vec::new();
            named(&mut bytes, &facts.file.short_name);
            (bytes, 8)
        }
        34 => whole(network_open(&facts.file).as_bytes()),
        // FileAttributeTagInformation
        35 => whole([facts.file.attributes, 0].as_bytes()),
        _ => return Err(Status::NOT_IMPLEMENTED),
    })
}

/// Delivers an answer whose tail may be cut.
fn deliver(
    call: &mut Call<'_>,
    result: UserPtr<IoStatusBlock>,
    (place, size): (UserPtr, u32),
    bytes: &[u8],
    least: usize,
) -> Result<Done> {
    let size = size as usize;
    if size < least {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let part = bytes.get(..size.min(bytes.len())).unwrap_or_default();
    call.write_bytes(place, part)?;
    let status = if part.len() < bytes.len() {
        Status::BUFFER_OVERFLOW
    } else {
        Status::SUCCESS
    };
    report(call, result, status, part.len() as u64)
}

fn query(call: &mut Call<'_>, args: NtQueryInformationFile) -> Result<Done> {
    let (place, size, class) = (args.buffer, args.size, args.class);
    if class >= CLASS_LIMIT || class == 0 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    probe_result(call, args.result)?;
    call.probe_write(place, size.into(), 4)?;
    let access = if matches!(class, 4 | 18 | 34 | 35) {
        Access::FILE_READ_ATTRIBUTES
    } else {
        Access::empty()
    };
    let facts = call.exec.query_file(call.thread, args.file, access)?;
    match information(class, &facts) {
        Ok((bytes, least)) => deliver(call, args.result, (place, size), &bytes, least),
        Err(Status::NOT_IMPLEMENTED) => {
            log::warn!("NtQueryInformationFile: class {class} is not built");
            Err(Status::NOT_IMPLEMENTED)
        }
        Err(status) => Err(status),
    }
}

fn set(call: &mut Call<'_>, args: NtSetInformationFile) -> Result<Done> {
    let (result, place, size, class) = (args.result, args.buffer, args.size, args.class);
    if class >= CLASS_LIMIT || class == 0 {
        return Err(Status::INVALID_INFO_CLASS);
    }
    probe_result(call, result)?;
    // A BOOLEAN (FileDispositionInformation) may lie anywhere.
    call.probe_read(place, size.into(), if size == 1 { 1 } else { 4 })?;
    let least = match class {
        4 => size_of::<FileBasic>() as u32,
        // Padded to the alignment of a pointer, behind the name's first unit.
        10 => (call.size_of::<FileRename>() + 4) as u32,
        13 => 1,
        14 | 19 | 20 => 8,
        _ => {
            log::warn!("NtSetInformationFile: class {class} is not built");
            return Err(Status::NOT_IMPLEMENTED);
        }
    };
    if size < least {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let file = args.file;
    match class {
        4 => {
            let wanted: FileBasic = call.read(place.cast())?;
            let times = [wanted.created, wanted.accessed, wanted.written].map(|time| time as i64);
            call.exec
                .set_basic(call.thread, file, wanted.attributes, times)?;
        }
        10 => {
            let head: FileRename = call.read(place.cast())?;
            let length = head.name_length;
            let name_at = call.size_of::<FileRename>() as u64;
            if !length.is_multiple_of(2) || u64::from(length) + name_at > u64::from(size) {
                return Err(Status::INVALID_PARAMETER);
            }
            let bytes = call.bytes(place.at(name_at)?, length.into())?;
            let name: Vec<u16> = bytes
                .as_chunks()
                .0
                .iter()
                .map(|&unit| u16::from_le_bytes(unit))
                .collect();
            call.exec.rename(
                call.thread,
                file,
                call.handle(head.root),
                UnicodeStr(&name),
                head.replace != 0,
            )?;
        }
        13 => {
            let delete: u8 = call.read(place)?;
            call.exec.set_delete(call.thread, file, delete != 0)?;
        }
        14 => {
            let position: i64 = call.read(place.cast())?;
            call.exec.set_position(call.thread, file, position)?;
        }
        _ => {
            let bytes = u64::try_from(call.read::<i64>(place.cast())?)
                .map_err(|_| Status::INVALID_PARAMETER)?;
            if class == 19 {
                call.exec.set_allocation(call.thread, file, bytes)?;
            } else {
                call.exec.set_end_of_file(call.thread, file, bytes)?;
            }
        }
    }
    report(call, result, Status::SUCCESS, 0)
}

fn query_volume(call: &mut Call<'_>, args: NtQueryVolumeInformationFile) -> Result<Done> {
    let (place, size, class) = (args.buffer, args.size, args.class);
    probe_result(call, args.result)?;
    call.probe_write(place, size.into(), 4)?;
    let file = args.file;
    let (bytes, least) = match class {
        1 => {
            let facts = call.exec.query_volume(call.thread, file)?;
            let mut bytes = Vec::from(0_u64.to_le_bytes());
            bytes.extend(facts.serial.to_le_bytes());
            bytes.extend(((facts.label.len() * 2) as u32).to_le_bytes());
            bytes.extend([0, 0]);
            put_text(&mut bytes, &facts.label);
            bytes.resize(bytes.len().max(0x18), 0);
            (bytes, 0x18)
        }
        3 => {
            let facts = call.exec.query_volume(call.thread, file)?;
            let sizes = FsSize {
                total: facts.total_units,
                available: facts.free_units,
                sectors_per_unit: facts.sectors_per_unit,
                bytes_per_sector: facts.bytes_per_sector,
            };
            (sizes.as_bytes().to_vec(), size_of::<FsSize>())
        }
        4 => {
            let (kind, characteristics) = call.exec.query_device(call.thread, file)?;
            (
                FsDevice {
                    kind,
                    characteristics,
                }
                .as_bytes()
                .to_vec(),
                size_of::<FsDevice>(),
            )
        }
        5 => {
            let facts = call.exec.query_volume(call.thread, file)?;
            let name = utf16(facts.system_name);
            let mut bytes = Vec::from([facts.flags, 255].as_bytes());
            named(&mut bytes, &name);
            bytes.resize(bytes.len().max(0x10), 0);
            (bytes, 0x10)
        }
        7 => {
            let facts = call.exec.query_volume(call.thread, file)?;
            let mut bytes =
                Vec::from([facts.total_units, facts.free_units, facts.free_units].as_bytes());
            bytes.extend([facts.sectors_per_unit, facts.bytes_per_sector].as_bytes());
            (bytes, 0x20)
        }
        0..=8 => {
            log::warn!("NtQueryVolumeInformationFile: class {class} is not built");
            return Err(Status::NOT_IMPLEMENTED);
        }
        _ => return Err(Status::INVALID_INFO_CLASS),
    };
    deliver(call, args.result, (place, size), &bytes, least)
}

/// One entry of a directory listing: its bytes, and how many of them come before the name.
fn entry(class: u32, facts: &FileFacts) -> Result<(Vec<u8>, usize)> {
    let name = ((facts.name.len() * 2) as u32).to_le_bytes();
    let mut bytes = Vec::from([0; 8]);
    if class != 12 {
        bytes.extend(
            [
                facts.creation,
                facts.access,
                facts.write,
                facts.write,
                facts.size,
                facts.allocation,
            ]
            .as_bytes(),
        );
        bytes.extend(facts.attributes.to_le_bytes());
    }
    bytes.extend(name);
    let fixed = match class {
        // FileDirectoryInformation, FileFullDirectoryInformation, FileBothDirectoryInformation,
        // FileNamesInformation
        1 => 0x40,
        2 => 0x44,
        3 => 0x5E,
        12 => 0xC,
        // FileIdBothDirectoryInformation, FileIdFullDirectoryInformation
        37 => 0x68,
        38 => 0x50,
        _ => return Err(Status::INVALID_INFO_CLASS),
    };
    bytes.resize(fixed, 0);
    if matches!(class, 3 | 37) {
        let mut short = Vec::new();
        put_text(
            &mut short,
            facts
                .short_name
                .get(..facts.short_name.len().min(12))
                .unwrap_or_default(),
        );
        if let Some(length) = bytes.get_mut(0x44) {
            *length = short.len() as u8;
        }
        if let Some(place) = bytes.get_mut(0x46..0x46 + short.len()) {
            place.copy_from_slice(&short);
        }
    }
    let id = match class {
        37 => bytes.get_mut(0x60..0x68),
        38 => bytes.get_mut(0x48..0x50),
        _ => None,
    };
    if let Some(place) = id {
        place.copy_from_slice(&facts.index.to_le_bytes());
    }
    put_text(&mut bytes, &facts.name);
    Ok((bytes, fixed))
}

fn query_directory(call: &mut Call<'_>, args: NtQueryDirectoryFile) -> Result<Done> {
    let (file, result, place, size, class) = (
        args.file,
        args.result,
        args.buffer,
        args.size as usize,
        args.class,
    );
    let (single, restart) = (args.single, args.restart);
    probe_result(call, result)?;
    call.probe_write(place, size as u64, 4)?;
    entry(class, &FileFacts::default())?;
    let pattern = match args.name.optional() {
        Some(name) => Some(call.string(name)?),
        None => None,
    };
    let event = begin(call, "NtQueryDirectoryFile", args.event, args.routine)?;
    let mut out: Vec<u8> = Vec::new();
    let mut last = None;
    let mut status = Status::SUCCESS;
    loop {
        let first = last.is_none();
        let facts =
            match call
                .exec
                .next_entry(call.thread, file, pattern.as_deref(), restart && first)
            {
                Ok(facts) => facts,
                Err(status) if first => return Err(status),
                // The next call will say that there is no more.
                Err(_) => break,
            };
        let (mut bytes, fixed) = entry(class, &facts)?;
        let start = out.len().next_multiple_of(8);
        if start + bytes.len() > size {
            if !first {
                break;
            }
            if fixed > size {
                return Err(Status::INFO_LENGTH_MISMATCH);
            }
            bytes.truncate(size);
            status = Status::BUFFER_OVERFLOW;
        }
        call.exec.entry_taken(call.thread, file)?;
        if let Some(before) =
            last.and_then(|before: usize| Some((before, out.get_mut(before..before + 4)?)))
        {
            before
                .1
                .copy_from_slice(&((start - before.0) as u32).to_le_bytes());
        }
        out.resize(start, 0);
        out.extend(bytes);
        last = Some(start);
        if single || status != Status::SUCCESS {
            break;
        }
    }
    call.write_bytes(place, &out)?;
    finish(call, event, result, status, out.len() as u64)
}
