// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about memory: private memory, sections, views, other processes' memory.

use super::call::{Built, Call, Done, built, success};
use super::encode::put_text;
use super::layout::{MemoryBasic, SectionBasic, UnicodeString};
use super::user::UserPtr;
use crate::mm::space::Request;
use crate::mm::virtual_memory::{MapRequest, PROCESS_VM_READ, PROCESS_VM_WRITE};
use crate::object::{Body, Kind};
use alloc::vec::Vec;
use nt::{Result, Status};
use zerocopy::IntoBytes;

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtAllocateVirtualMemory",
        &["process", "base", "bits", "size", "type", "protect"],
        allocate,
    ),
    built(
        "NtFreeVirtualMemory",
        &["process", "base", "size", "type"],
        free,
    ),
    built(
        "NtProtectVirtualMemory",
        &["process", "base", "size", "protect", "old"],
        protect,
    ),
    built(
        "NtQueryVirtualMemory",
        &["process", "address", "class", "buffer", "size", "length"],
        query,
    ),
    built(
        "NtReadVirtualMemory",
        &["process", "address", "buffer", "size", "length"],
        read_other,
    ),
    built(
        "NtWriteVirtualMemory",
        &["process", "address", "buffer", "size", "length"],
        write_other,
    ),
    built(
        "NtCreateSection",
        &[
            "section",
            "access",
            "@attributes",
            "size",
            "protect",
            "allocation",
            "file",
        ],
        create_section,
    ),
    built(
        "NtOpenSection",
        &["section", "access", "@attributes"],
        open_section,
    ),
    built(
        "NtQuerySection",
        &["section", "class", "buffer", "size", "length"],
        query_section,
    ),
    built(
        "NtMapViewOfSection",
        &[
            "section", "process", "base", "bits", "commit", "offset", "size", "inherit", "type",
            "protect",
        ],
        map_view,
    ),
    built("NtUnmapViewOfSection", &["process", "address"], unmap_view),
];

/// Base and size as most of these calls take them: in and out.
fn range(call: &mut Call<'_>, base: UserPtr, size: UserPtr) -> Result<(u64, u64)> {
    call.probe::<u64>(base)?;
    call.probe::<u64>(size)?;
    Ok((call.read(base)?, call.read(size)?))
}

fn allocate(call: &mut Call<'_>) -> Result<Done> {
    let (base_at, size_at) = (call.pointer(1), call.pointer(3));
    let (base, size) = range(call, base_at, size_at)?;
    let request = Request {
        base,
        size,
        zero_bits: call.raw(2),
        kind: call.u32(4),
        protect: call.u32(5),
    };
    let (base, size) = call
        .exec
        .allocate_virtual_memory(call.thread, call.handle(0), request)?;
    call.write(size_at, size)?;
    call.write(base_at, base)?;
    success()
}

fn free(call: &mut Call<'_>) -> Result<Done> {
    let (base_at, size_at) = (call.pointer(1), call.pointer(2));
    let (base, size) = range(call, base_at, size_at)?;
    let (base, size) =
        call.exec
            .free_virtual_memory(call.thread, call.handle(0), base, size, call.u32(3))?;
    call.write(size_at, size)?;
    call.write(base_at, base)?;
    success()
}

fn protect(call: &mut Call<'_>) -> Result<Done> {
    let (base_at, size_at, old_at) = (call.pointer(1), call.pointer(2), call.pointer(4));
    let (base, size) = range(call, base_at, size_at)?;
    call.probe::<u32>(old_at)?;
    let (base, size, old) =
        call.exec
            .protect_virtual_memory(call.thread, call.handle(0), base, size, call.u32(3))?;
    call.write(old_at, old)?;
    call.write(size_at, size)?;
    call.write(base_at, base)?;
    success()
}

fn query(call: &mut Call<'_>) -> Result<Done> {
    let (place, size, length) = (call.pointer(3), call.raw(4), call.pointer(5));
    call.probe_write(place, size, 8)?;
    call.probe_optional::<u64>(length)?;
    match call.u32(2) {
        0 => {
            if size < size_of::<MemoryBasic>() as u64 {
                return Err(Status::INFO_LENGTH_MISMATCH);
            }
            let region =
                call.exec
                    .query_virtual_memory(call.thread, call.handle(0), call.raw(1))?;
            let basic = MemoryBasic {
                base: region.base,
                allocation_base: region.allocation,
                allocation_protection: region.allocation_protect,
                size: region.size,
                state: region.state,
                protection: region.protect,
                kind: region.kind,
                ..MemoryBasic::default()
            };
            call.write(place, basic)?;
            call.write_optional(length, size_of::<MemoryBasic>() as u64)?;
            success()
        }
        1 => {
            log::warn!("NtQueryVirtualMemory: the working set list is not built");
            Err(Status::NOT_IMPLEMENTED)
        }
        // MemorySectionName: a UNICODE_STRING and its text behind it.
        2 => {
            let name = call
                .exec
                .query_mapped_name(call.thread, call.handle(0), call.raw(1))?;
            let text = (name.len() * 2) as u16;
            let head = size_of::<UnicodeString>() as u64;
            let buffer = place.0.wrapping_add(head);
            let string = UnicodeString {
                length: text,
                maximum_length: text + 2,
                buffer,
                ..UnicodeString::default()
            };
            let mut bytes = Vec::from(string.as_bytes());
            put_text(&mut bytes, &name);
            bytes.extend([0, 0]);
            call.write_optional(length, bytes.len() as u64)?;
            if size < head {
                return Err(Status::INFO_LENGTH_MISMATCH);
            }
            if size < bytes.len() as u64 {
                return Err(Status::BUFFER_OVERFLOW);
            }
            call.write_bytes(place, &bytes)?;
            success()
        }
        _ => Err(Status::INVALID_INFO_CLASS),
    }
}

fn read_other(call: &mut Call<'_>) -> Result<Done> {
    let (address, buffer, size, length) =
        (call.raw(1), call.pointer(2), call.raw(3), call.pointer(4));
    call.probe_read(call.pointer(1), size, 1)?;
    call.probe_read(buffer, size, 1)?;
    call.probe_optional::<u64>(length)?;
    let process = call
        .exec
        .process_behind(call.thread, call.handle(0), PROCESS_VM_READ)?;
    let own = (call.process, buffer.0);
    let (done, result) = call.exec.copy_virtual_memory((process, address), own, size);
    call.write_optional(length, done)?;
    Ok(Done::Returns(result.into()))
}

fn write_other(call: &mut Call<'_>) -> Result<Done> {
    let (address, buffer, size, length) =
        (call.raw(1), call.pointer(2), call.raw(3), call.pointer(4));
    call.probe_read(call.pointer(1), size, 1)?;
    call.probe_read(buffer, size, 1)?;
    call.probe_optional::<u64>(length)?;
    let process = call
        .exec
        .process_behind(call.thread, call.handle(0), PROCESS_VM_WRITE)?;
    let own = (call.process, buffer.0);
    let (done, result) = call.exec.copy_virtual_memory(own, (process, address), size);
    call.write_optional(length, done)?;
    Ok(Done::Returns(result.into()))
}

fn create_section(call: &mut Call<'_>) -> Result<Done> {
    call.probe::<u64>(call.pointer(0))?;
    let size = match call.pointer(3).optional() {
        Some(size) => call.read::<u64>(size)?,
        None => 0,
    };
    let attributes = call.attributes_or_none(call.pointer(2))?;
    let (access, protect, allocation, file) =
        (call.u32(1), call.u32(4), call.u32(5), call.handle(6));
    let made = call.exec.create_section(
        call.thread,
        &attributes.view(),
        access,
        size,
        protect,
        allocation,
        file,
    )?;
    call.created(made)
}

fn open_section(call: &mut Call<'_>) -> Result<Done> {
    call.open(Kind::Section)
}

fn query_section(call: &mut Call<'_>) -> Result<Done> {
    /// `SECTION_QUERY`.
    const SECTION_QUERY: u32 = 1;
    let (class, place, size, length) = (call.u32(1), call.pointer(2), call.raw(3), call.pointer(4));
    call.probe_write(place, size, 4)?;
    call.probe_optional::<u64>(length)?;
    let wanted: u64 = match class {
        0 => size_of::<SectionBasic>() as u64,
        1 => 0x40,
        _ => return Err(Status::INVALID_INFO_CLASS),
    };
    if size < wanted {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let object = call.exec.resolve(
        call.thread,
        call.handle(0),
        Some(Kind::Section),
        SECTION_QUERY,
    )?;
    if class == 1 {
        let information = call.exec.section_information(object)?;
        call.write_bytes(place, information.as_bytes())?;
    } else {
        let Body::Section(section) = &call.exec.object(object)?.body else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let basic = SectionBasic {
            attributes: section.attributes,
            size: section.size,
            ..SectionBasic::default()
        };
        call.write(place, basic)?;
    }
    call.write_optional(length, wanted)?;
    success()
}

fn map_view(call: &mut Call<'_>) -> Result<Done> {
    let (base_at, offset_at, size_at) = (call.pointer(2), call.pointer(5), call.pointer(6));
    let inherit = match call.u32(7) {
        1 => true,
        2 => false,
        _ => return Err(Status::INVALID_PARAMETER_8),
    };
    let (base, size) = range(call, base_at, size_at)?;
    let mut offset = 0;
    if let Some(place) = offset_at.optional() {
        call.probe::<u64>(place)?;
        offset = call.read(place)?;
    }
    let request = MapRequest {
        base,
        zero_bits: call.raw(3),
        offset,
        size,
        inherit,
        kind: call.u32(8),
        protect: call.u32(9),
    };
    let mapped =
        call.exec
            .map_view_of_section(call.thread, call.handle(0), call.handle(1), request)?;
    call.write(base_at, mapped.base)?;
    call.write(size_at, mapped.size)?;
    Ok(Done::Returns(if mapped.at_base {
        Status::SUCCESS
    } else {
        Status::IMAGE_NOT_AT_BASE
    }))
}

fn unmap_view(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .unmap_view_of_section(call.thread, call.handle(0), call.raw(1))?;
    success()
}
