// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about memory: private memory, sections, views, other processes' memory.

use super::argument::{UserAttributes, services};
use super::call::{Call, Done, success};
use super::layout::{MemoryBasic, SectionBasic, SectionImage, UnicodeString, Word, section_image};
use super::processes::terminated;
use super::user::UserPtr;
use crate::mm::space::Allocation;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::memory::virtual_memory::MapRequest;
use nt::access::Access;
use nt::{Handle, Result, Status};

services! {
    NtAllocateVirtualMemory(
        process: Handle, base: UserPtr<Word>, bits: u64, size: UserPtr<Word>, r#type: u32,
        protect: u32
    ) => allocate;
    NtFreeVirtualMemory(
        process: Handle, base: UserPtr<Word>, size: UserPtr<Word>, r#type: u32
    ) => free;
    NtProtectVirtualMemory(
        process: Handle, base: UserPtr<Word>, size: UserPtr<Word>, protect: u32, old: UserPtr<u32>
    ) => protect;
    NtQueryVirtualMemory(
        process: Handle, address: u64, class: u32, buffer: UserPtr, size: u64,
        length: UserPtr<Word>
    ) => query;
    NtReadVirtualMemory(
        process: Handle, address: UserPtr, buffer: UserPtr, size: u64, length: UserPtr<Word>
    ) => read_other;
    NtWriteVirtualMemory(
        process: Handle, address: UserPtr, buffer: UserPtr, size: u64, length: UserPtr<Word>
    ) => write_other;
    NtCreateSection(
        section: UserPtr<Word>, access: Access, attributes: UserAttributes, size: UserPtr<u64>,
        protect: u32, allocation: u32, file: Handle
    ) => create_section;
    NtOpenSection(
        section: UserPtr<Word>, access: Access, attributes: UserAttributes
    ) => open_section;
    NtQuerySection(
        section: Handle, class: u32, buffer: UserPtr, size: u64, length: UserPtr<Word>
    ) => query_section;
    NtMapViewOfSection(
        section: Handle, process: Handle, base: UserPtr<Word>, bits: u64, commit: u64,
        offset: UserPtr<u64>, size: UserPtr<Word>, inherit: u32, r#type: u32, protect: u32
    ) => map_view;
    NtUnmapViewOfSection(process: Handle, address: u64) => unmap_view;
}

/// Base and size as most of these calls take them: in and out.
fn range(call: &mut Call<'_>, base: UserPtr<Word>, size: UserPtr<Word>) -> Result<(u64, u64)> {
    call.probe(base)?;
    call.probe(size)?;
    Ok((call.read(base)?.0, call.read(size)?.0))
}

fn allocate(call: &mut Call<'_>, args: NtAllocateVirtualMemory) -> Result<Done> {
    let (base_at, size_at) = (args.base, args.size);
    let (base, size) = range(call, base_at, size_at)?;
    let request = Allocation {
        base,
        size,
        zero_bits: args.bits,
        kind: args.r#type,
        protect: args.protect,
    };
    let (base, size) = call
        .exec
        .allocate_virtual_memory(call.thread, args.process, request)?;
    call.write(size_at, Word(size))?;
    call.write(base_at, Word(base))?;
    success()
}

fn free(call: &mut Call<'_>, args: NtFreeVirtualMemory) -> Result<Done> {
    let (base_at, size_at) = (args.base, args.size);
    let (base, size) = range(call, base_at, size_at)?;
    let (base, size) =
        call.exec
            .free_virtual_memory(call.thread, args.process, base, size, args.r#type)?;
    call.write(size_at, Word(size))?;
    call.write(base_at, Word(base))?;
    success()
}

fn protect(call: &mut Call<'_>, args: NtProtectVirtualMemory) -> Result<Done> {
    let (base_at, size_at, old_at) = (args.base, args.size, args.old);
    let (base, size) = range(call, base_at, size_at)?;
    call.probe::<u32>(old_at)?;
    let (base, size, old) =
        call.exec
            .protect_virtual_memory(call.thread, args.process, base, size, args.protect)?;
    call.write(old_at, old)?;
    call.write(size_at, Word(size))?;
    call.write(base_at, Word(base))?;
    success()
}

fn query(call: &mut Call<'_>, args: NtQueryVirtualMemory) -> Result<Done> {
    let (place, size, length) = (args.buffer, args.size, args.length);
    call.probe_write(place, size, 8)?;
    call.probe_optional(length)?;
    match args.class {
        0 => {
            let whole = call.size_of::<MemoryBasic>() as u64;
            if size < whole {
                return Err(Status::INFO_LENGTH_MISMATCH);
            }
            let region = call
                .exec
                .query_virtual_memory(call.thread, args.process, args.address)?;
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
            call.write(place.cast(), basic)?;
            call.write_optional(length, Word(whole))?;
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
                .query_mapped_name(call.thread, args.process, args.address)?;
            let bytes = terminated(call, place, &name);
            call.write_optional(length, Word(bytes.len() as u64))?;
            if size < call.size_of::<UnicodeString>() as u64 {
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

fn read_other(call: &mut Call<'_>, args: NtReadVirtualMemory) -> Result<Done> {
    let (address, buffer, size, length) =
        (args.address.address(), args.buffer, args.size, args.length);
    call.probe_read(args.address, size, 1)?;
    call.probe_read(buffer, size, 1)?;
    call.probe_optional(length)?;
    let process = call
        .exec
        .process_behind(call.thread, args.process, Access::PROCESS_VM_READ)?;
    let own = (call.process, buffer.address());
    let (done, result) = call.exec.copy_virtual_memory((process, address), own, size);
    call.write_optional(length, Word(done))?;
    Ok(Done::Returns(result.into()))
}

fn write_other(call: &mut Call<'_>, args: NtWriteVirtualMemory) -> Result<Done> {
    let (address, buffer, size, length) =
        (args.address.address(), args.buffer, args.size, args.length);
    call.probe_read(args.address, size, 1)?;
    call.probe_read(buffer, size, 1)?;
    call.probe_optional(length)?;
    let process = call
        .exec
        .process_behind(call.thread, args.process, Access::PROCESS_VM_WRITE)?;
    let own = (call.process, buffer.address());
    let (done, result) = call.exec.copy_virtual_memory(own, (process, address), size);
    call.write_optional(length, Word(done))?;
    Ok(Done::Returns(result.into()))
}

fn create_section(call: &mut Call<'_>, args: NtCreateSection) -> Result<Done> {
    call.probe(args.section)?;
    let size = match args.size.optional() {
        Some(size) => call.read::<u64>(size)?,
        None => 0,
    };
    let attributes = call.attributes_or_none(args.attributes)?;
    let (access, protect, allocation, file) =
        (args.access, args.protect, args.allocation, args.file);
    let made = call.exec.create_section(
        call.thread,
        &attributes.view(),
        access,
        size,
        protect,
        allocation,
        file,
    )?;
    call.created(args.section, made)
}

fn open_section(call: &mut Call<'_>, args: NtOpenSection) -> Result<Done> {
    call.open(args.section, args.access, args.attributes, Kind::Section)
}

fn query_section(call: &mut Call<'_>, args: NtQuerySection) -> Result<Done> {
    let (class, place, size, length) = (args.class, args.buffer, args.size, args.length);
    call.probe_write(place, size, 4)?;
    call.probe_optional(length)?;
    let wanted: u64 = match class {
        0 => call.size_of::<SectionBasic>() as u64,
        1 => call.size_of::<SectionImage>() as u64,
        _ => return Err(Status::INVALID_INFO_CLASS),
    };
    if size < wanted {
        return Err(Status::INFO_LENGTH_MISMATCH);
    }
    let object = call.exec.resolve(
        call.thread,
        args.section,
        Some(Kind::Section),
        Access::SECTION_QUERY,
    )?;
    if class == 1 {
        let information = call.exec.section_information(object)?;
        call.write(place.cast(), section_image(&information))?;
    } else {
        let Body::Section(section) = &call.exec.object(object)?.body else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let basic = SectionBasic {
            attributes: section.attributes,
            size: section.size,
            ..SectionBasic::default()
        };
        call.write(place.cast(), basic)?;
    }
    call.write_optional(length, Word(wanted))?;
    success()
}

fn map_view(call: &mut Call<'_>, args: NtMapViewOfSection) -> Result<Done> {
    let (base_at, offset_at, size_at) = (args.base, args.offset, args.size);
    let inherit = match args.inherit {
        1 => true,
        2 => false,
        _ => return Err(Status::INVALID_PARAMETER_8),
    };
    let (base, size) = range(call, base_at, size_at)?;
    let mut offset = 0;
    if let Some(place) = offset_at.optional() {
        call.probe(place)?;
        offset = call.read(place)?;
    }
    let request = MapRequest {
        base,
        zero_bits: args.bits,
        offset,
        size,
        inherit,
        kind: args.r#type,
        protect: args.protect,
    };
    let mapped = call
        .exec
        .map_view_of_section(call.thread, args.section, args.process, request)?;
    call.write(base_at, Word(mapped.base))?;
    call.write(size_at, Word(mapped.size))?;
    Ok(Done::Returns(if mapped.at_base {
        Status::SUCCESS
    } else {
        Status::IMAGE_NOT_AT_BASE
    }))
}

fn unmap_view(call: &mut Call<'_>, args: NtUnmapViewOfSection) -> Result<Done> {
    call.exec
        .unmap_view_of_section(call.thread, args.process, args.address)?;
    success()
}
