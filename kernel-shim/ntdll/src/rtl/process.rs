// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes: section, process object, parameters and environment in its memory, first thread (spec
//! 8.3).

use super::bootstatus::io_status;
use super::thread::NewThread;
use crate::support::{CURRENT_PROCESS, Owned, PAGE, attributes, done, status, unnamed};
use core::mem::offset_of;
use nt::Status;
use ntapi::ntioapi::{FILE_NON_DIRECTORY_FILE, FILE_SYNCHRONOUS_IO_NONALERT, NtOpenFile};
use ntapi::ntmmapi::{
    NtAllocateVirtualMemory, NtCreateSection, NtQuerySection, NtWriteVirtualMemory,
    SectionImageInformation,
};
use ntapi::ntobapi::{DUPLICATE_SAME_ATTRIBUTES, NtDuplicateObject};
use ntapi::ntpebteb::PEB;
use ntapi::ntpsapi::{
    NtCreateProcess, NtQueryInformationProcess, PROCESS_BASIC_INFORMATION, ProcessBasicInformation,
};
use ntapi::ntrtl::{
    RTL_USER_PROC_RESERVE_1MB, RTL_USER_PROCESS_INFORMATION, RTL_USER_PROCESS_PARAMETERS,
};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{
    BOOLEAN, HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJ_INHERIT, ULONG, UNICODE_STRING,
};
use winapi::um::winnt::{
    DUPLICATE_SAME_ACCESS, FILE_EXECUTE, FILE_READ_DATA, FILE_SHARE_DELETE, FILE_SHARE_READ,
    MEM_COMMIT, MEM_RESERVE, PAGE_EXECUTE, PAGE_READWRITE, SEC_IMAGE, SYNCHRONIZE,
};

const SECTION_ALL_ACCESS: u32 = 0x000F_001F;
const PROCESS_ALL_ACCESS: u32 = 0x001F_0FFF;

type Block = *mut RTL_USER_PROCESS_PARAMETERS;

/// The image section of a file.
pub(crate) fn image_section(name: &mut UNICODE_STRING, flags: ULONG) -> Result<Owned, Status> {
    let mut attributes = attributes(name, core::ptr::null_mut());
    attributes.Attributes = flags;
    let mut io = io_status();
    let mut file = core::ptr::null_mut();
    // SAFETY: all pointers are to live locals.
    done(unsafe {
        NtOpenFile(
            &raw mut file,
            SYNCHRONIZE | FILE_EXECUTE | FILE_READ_DATA,
            &raw mut attributes,
            &raw mut io,
            FILE_SHARE_READ | FILE_SHARE_DELETE,
            FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE,
        )
    })?;
    let file = Owned(file);
    let mut section = core::ptr::null_mut();
    // SAFETY: the out-pointer is a live local.
    done(unsafe {
        NtCreateSection(
            &raw mut section,
            SECTION_ALL_ACCESS,
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            PAGE_EXECUTE,
            SEC_IMAGE,
            file.0,
        )
    })?;
    Ok(Owned(section))
}

/// Memory of another process: at `at`, or where the kernel likes.
fn allocate(process: HANDLE, at: usize, bytes: usize, kind: ULONG) -> Result<*mut c_void, Status> {
    let mut base = core::ptr::without_provenance_mut(at);
    let mut size = bytes;
    // SAFETY: memory of a process that does not run yet; both out-pointers are live locals.
    done(unsafe {
        NtAllocateVirtualMemory(
            process,
            &raw mut base,
            0,
            &raw mut size,
            kind,
            PAGE_READWRITE,
        )
    })?;
    Ok(base)
}

/// # Safety
/// `from` must have `bytes` readable bytes.
unsafe fn write(
    process: HANDLE,
    to: *mut c_void,
    from: *const c_void,
    bytes: usize,
) -> Result<(), Status> {
    // SAFETY: the caller's promise; the kernel checks the target.
    done(unsafe {
        NtWriteVirtualMemory(process, to, from.cast_mut(), bytes, core::ptr::null_mut())
    })
}

/// Bytes of an environment block with the empty string that ends it.
///
/// # Safety
/// `block` must end with an empty string.
unsafe fn environment_bytes(block: *const u16) -> usize {
    let mut units = 0_usize;
    let mut at_start = true;
    loop {
        // SAFETY: the caller's promise; the walk stops at the end.
        let unit = unsafe { block.wrapping_add(units).read() };
        units += 1;
        if unit == 0 && at_start {
            return units * 2;
        }
        at_start = unit == 0;
    }
}

/// Copies environment and parameters into a new process and points its PEB to them.
///
/// # Safety
/// `block` must be a parameter block, denormalised.
unsafe fn equip(process: HANDLE, peb: *mut PEB, block: Block) -> Result<(), Status> {
    // SAFETY: fields of the caller's block.
    let flags = unsafe { (*block).Flags };
    if flags & RTL_USER_PROC_RESERVE_1MB != 0 {
        // From the first page after nothing to the end of the first megabyte.
        allocate(process, 4, 0x10_0000 - 0x100, MEM_RESERVE)?;
    }
    // SAFETY: a field of the caller's block.
    let own_environment = unsafe { (*block).Environment };
    if !own_environment.is_null() {
        // SAFETY: an environment ends with an empty string. It is the block's, which is the caller's
        // to keep while the process is made, as NT asks of it.
        let bytes = unsafe { environment_bytes(own_environment.cast()) };
        let copy = allocate(process, 0, bytes, MEM_RESERVE | MEM_COMMIT)?;
        // SAFETY: just walked.
        unsafe { write(process, copy, own_environment, bytes) }?;
        // The block is the caller's, whose pointer to the environment becomes the new process's, as
        // NT does it.
        // SAFETY: a field of the caller's block.
        unsafe { (*block).Environment = copy };
    }
    // SAFETY: a field of the caller's block.
    let maximum = unsafe { (*block).MaximumLength } as usize;
    // SAFETY: a field of the caller's block.
    let length = unsafe { (*block).Length } as usize;
    let copy = allocate(process, 0, maximum.max(PAGE), MEM_RESERVE | MEM_COMMIT)?;
    // SAFETY: RtlCreateProcessParameters wrote how long the block is that it allocated.
    unsafe { write(process, copy, block.cast(), length) }?;
    // An address of the other process, at which nothing of this one need lie: only the kernel follows
    // it.
    let field = peb.wrapping_byte_add(offset_of!(PEB, ProcessParameters));
    // SAFETY: eight bytes of a live local.
    unsafe {
        write(
            process,
            field.cast(),
            (&raw const copy).cast(),
            size_of_val(&copy),
        )
    }
}

/// Gives the new process copies of the standard handles in its parameters.
///
/// # Safety
/// `block` must be a parameter block.
unsafe fn duplicate_standard(parent: HANDLE, process: HANDLE, block: Block) -> Result<(), Status> {
    #[allow(
        clippy::multiple_unsafe_ops_per_block,
        reason = "three times the same operation"
    )]
    // SAFETY: addresses of fields of the caller's block.
    let handles = unsafe {
        [
            &mut (*block).StandardInput,
            &mut (*block).StandardOutput,
            &mut (*block).StandardError,
        ]
    };
    for handle in handles {
        if !handle.is_null() {
            let options = DUPLICATE_SAME_ACCESS | DUPLICATE_SAME_ATTRIBUTES;
            // SAFETY: the out-pointer is a field of the caller's block.
            done(unsafe { NtDuplicateObject(parent, *handle, process, handle, 0, 0, options) })?;
        }
    }
    Ok(())
}

/// What is asked for beside image and parameters.
struct Request {
    flags: ULONG,
    process_security: *mut c_void,
    thread_security: *mut c_void,
    parent: HANDLE,
    inherit: bool,
    debug_port: HANDLE,
    exception_port: HANDLE,
}

/// # Safety
/// `block` must be a parameter block.
unsafe fn create(
    image: &mut UNICODE_STRING,
    block: Block,
    request: &Request,
    made: &mut RTL_USER_PROCESS_INFORMATION,
) -> Result<(), Status> {
    let section = image_section(image, request.flags & (OBJ_CASE_INSENSITIVE | OBJ_INHERIT))?;
    if !request.inherit {
        // SAFETY: a field of the caller's block. The directory's handle means nothing in the new
        // process.
        unsafe { (*block).CurrentDirectory.Handle = core::ptr::null_mut() };
    }
    let mut attributes = unnamed(request.process_security);
    let mut process = core::ptr::null_mut();
    // SAFETY: all pointers are to live locals.
    done(unsafe {
        NtCreateProcess(
            &raw mut process,
            PROCESS_ALL_ACCESS,
            &raw mut attributes,
            request.parent,
            u8::from(request.inherit),
            section.0,
            request.debug_port,
            request.exception_port,
        )
    })?;
    // A process without a thread ends with its last handle.
    let process = Owned(process);
    let information = (&raw mut made.ImageInformation).cast();
    let bytes = size_of_val(&made.ImageInformation);
    // SAFETY: the structure of the caller's answer, as long as said.
    done(unsafe {
        NtQuerySection(
            section.0,
            SectionImageInformation,
            information,
            bytes,
            core::ptr::null_mut(),
        )
    })?;
    // SAFETY: integers and pointers only.
    let mut basic: PROCESS_BASIC_INFORMATION = unsafe { core::mem::zeroed() };
    let bytes = size_of::<PROCESS_BASIC_INFORMATION>() as u32;
    // SAFETY: a live local, as long as said.
    done(unsafe {
        NtQueryInformationProcess(
            process.0,
            ProcessBasicInformation,
            (&raw mut basic).cast(),
            bytes,
            core::ptr::null_mut(),
        )
    })?;
    // SAFETY: the caller's promise.
    unsafe { duplicate_standard(request.parent, process.0, block) }?;
    // SAFETY: the caller's promise.
    unsafe { equip(process.0, basic.PebBaseAddress, block) }?;
    let thread = NewThread {
        process: process.0,
        security: request.thread_security,
        suspended: true,
        zero_bits: made.ImageInformation.ZeroBits,
        reserve: made.ImageInformation.MaximumStackSize,
        commit: made.ImageInformation.CommittedStackSize,
        start: made.ImageInformation.TransferAddress,
        parameter: basic.PebBaseAddress.cast(),
    };
    (made.Thread, made.ClientId) = thread.create()?;
    made.Process = process.0;
    made.Length = size_of::<RTL_USER_PROCESS_INFORMATION>() as u32;
    core::mem::forget(process);
    Ok(())
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateUserProcess(
    image: &mut UNICODE_STRING,
    flags: ULONG,
    block: Block,
    process_security: *mut c_void,
    thread_security: *mut c_void,
    parent: HANDLE,
    inherit: BOOLEAN,
    debug_port: HANDLE,
    exception_port: HANDLE,
    made: &mut RTL_USER_PROCESS_INFORMATION,
) -> NTSTATUS {
    let parent = if parent.is_null() {
        CURRENT_PROCESS
    } else {
        parent
    };
    let request = Request {
        flags,
        process_security,
        thread_security,
        parent,
        inherit: inherit != 0,
        debug_port,
        exception_port,
    };
    // SAFETY: the caller passes what RtlCreateProcessParameters made.
    status(unsafe { create(image, block, &request, made) })
}
