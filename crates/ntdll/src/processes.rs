// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, processes and threads.

use crate::Native;
use crate::convert::{Counted, counted, done, handle, raw, status};
use crate::imports::{
    NtOpenProcess, NtQueryInformationProcess, NtQueryInformationThread, NtReadVirtualMemory,
    NtResumeThread, NtSetInformationProcess, NtSetInformationThread, NtTerminateProcess,
    RtlCreateProcessParameters, RtlCreateUserProcess, RtlCreateUserThread,
    RtlDestroyProcessParameters, RtlExitUserThread,
};
use crate::layout::Plain;
use crate::own_process;

use nt::access::Access;
use nt::system::{
    DeviceMap, ExitInformation, ProcessParameters, Processes, ThreadBody, UserProcessInformation,
};
use nt::{ClientId, Handle, Result, Status, UnicodeStr, Word, by_width};
use ntapi::ntapi_base::CLIENT_ID;
use ntapi::ntpsapi::{
    PROCESS_BASIC_INFORMATION, ProcessBasePriority, ProcessBasicInformation,
    ProcessBreakOnTermination, ProcessDefaultHardErrorMode, ProcessDeviceMap,
    ProcessSessionInformation, THREAD_BASIC_INFORMATION, ThreadBasicInformation,
    ThreadBreakOnTermination,
};
use ntapi::ntrtl::{RTL_USER_PROCESS_INFORMATION, RTL_USER_PROCESS_PARAMETERS};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{NTSTATUS, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, UNICODE_STRING};
use zerocopy::FromBytes;

/// The Query part of PROCESS_DEVICEMAP_INFORMATION (spec 13.4); a kernel may write up to the whole
/// structure.
const DEVICE_MAP_QUERY: u32 = 0x24;
/// Units of `CurrentDirectory` in a parameter block: MAX_PATH, of which one is the NUL and one a
/// backslash that is appended.
const CURRENT_DIRECTORY_UNITS: usize = 258;
/// Stack of a thread made here: address space, and what is committed of it at once. API threads
/// need a few KiB, unless nothing is optimised, and half of them on i386; address space costs nothing.
const STACK_RESERVE: usize = 0x4_0000;
const STACK_COMMIT: usize = by_width(0x2000, 0x1000);

/// NtQueryInformationProcess of a fixed structure, `bytes` long.
fn query<T: Plain>(process: Handle, class: u32, bytes: u32) -> Result<T> {
    const { assert!(size_of::<T>() >= 4) };
    let mut information = T::zero();
    // SAFETY: the structure is at least as long as said and a live local.
    done(unsafe {
        NtQueryInformationProcess(
            raw(process),
            class,
            (&raw mut information).cast(),
            bytes.min(T::SIZE),
            core::ptr::null_mut(),
        )
    })?;
    Ok(information)
}

/// NtSetInformationProcess of a 32-bit value.
fn set(process: Handle, class: u32, mut value: u32) -> Result<()> {
    // SAFETY: the value is a live local of four bytes.
    done(unsafe {
        NtSetInformationProcess(raw(process), class, (&raw mut value).cast(), u32::SIZE)
    })
}

/// `INVALID_PARAMETER` unless the empty string that ends an environment block is at the end of this one, or
/// right behind it, as behind this process's own.
fn ended(block: &[u16]) -> Result<*const u16> {
    if matches!(block, [0] | [.., 0, 0]) || core::ptr::eq(block, own_process::environment()) {
        Ok(block.as_ptr())
    } else {
        Err(Status::INVALID_PARAMETER)
    }
}

/// A parameter block that frees itself.
struct ParameterBlock(*mut RTL_USER_PROCESS_PARAMETERS);

impl ParameterBlock {
    fn new(from: &ProcessParameters<'_>, image: &mut Counted) -> Result<Self> {
        // The callee looks for the empty string that ends the block and copies a directory into a
        // fixed place: both are checked here.
        let environment = ended(from.environment)?;
        let directory = from.current_directory.unwrap_or_default();
        if directory.len() > CURRENT_DIRECTORY_UNITS {
            return Err(Status::NAME_TOO_LONG);
        }
        let mut command_line = counted(from.command_line)?;
        let mut dll_path = counted(from.dll_path.unwrap_or_default())?;
        let mut directory = counted(directory)?;
        let mut block = core::ptr::null_mut();
        // SAFETY: every string borrows from the caller and is only read, like the environment,
        // whose end was checked above.
        done(unsafe {
            RtlCreateProcessParameters(
                &raw mut block,
                image.pointer(),
                optional(&mut dll_path),
                optional(&mut directory),
                command_line.pointer(),
                environment.cast_mut().cast(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
            )
        })?;
        let block = Self(block);
        // The block comes denormalised and stays so: the new process's loader normalises its copy
        // (spec 8.3).
        // SAFETY: a live block that this value owns, offset asserted in `layout`.
        unsafe { (*block.0).Flags |= from.flags.bits() };
        // SAFETY: the same block, which nobody else has; offset asserted in `layout`.
        unsafe { (*block.0).DebugFlags = u32::from(from.debug) };
        Ok(block)
    }
}

impl Drop for ParameterBlock {
    fn drop(&mut self) {
        // SAFETY: made by RtlCreateProcessParameters and used by nobody any more.
        let _ = unsafe { RtlDestroyProcessParameters(self.0) };
    }
}

/// An empty text takes the creator's.
const fn optional(text: &mut Counted) -> *mut UNICODE_STRING {
    if text.buffer.is_null() {
        core::ptr::null_mut()
    } else {
        text.pointer()
    }
}

/// A thread of this process that begins at `routine`.
///
/// # Safety
/// `routine` takes `body`, in any thread and however late.
#[inline(never)]
unsafe fn start(
    routine: unsafe extern "system" fn(*mut c_void) -> NTSTATUS,
    body: *mut c_void,
) -> Result<Handle> {
    let mut thread = core::ptr::null_mut();
    // SAFETY: the out-pointer is a live local; for the routine the caller stands.
    done(unsafe {
        RtlCreateUserThread(
            raw(Handle::CURRENT_PROCESS),
            core::ptr::null_mut(),
            0,
            0,
            STACK_RESERVE,
            STACK_COMMIT,
            Some(routine),
            body,
            &raw mut thread,
            core::ptr::null_mut(),
        )
    })?;
    Ok(handle(thread))
}

/// Where a new thread begins: RCX is the body.
unsafe extern "system" fn run<B: ThreadBody>(body: *mut c_void) -> NTSTATUS {
    // SAFETY: `create_thread` passed a `&'static B`.
    let body = unsafe { &*body.cast::<B>() };
    body.run();
    // Nothing called this function, so there is nothing to return to.
    let _ = Native.exit_thread(Status::SUCCESS);
    crate::exception::terminate(Status::UNSUCCESSFUL)
}

impl Processes for Native {
    fn create_process(
        self,
        parameters: &ProcessParameters<'_>,
        told: &mut UserProcessInformation,
    ) -> Result<()> {
        let mut image = counted(parameters.image)?;
        let block = ParameterBlock::new(parameters, &mut image)?;
        told.size = RTL_USER_PROCESS_INFORMATION::SIZE;
        // SAFETY: the image name and the answer borrow from the caller, the block is ours and
        // live; the answer is of the same layout (asserted in `layout`), and any bytes are a value of
        // it; no descriptor, port or token.
        done(unsafe {
            RtlCreateUserProcess(
                image.pointer(),
                OBJ_CASE_INSENSITIVE,
                block.0,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                raw(Handle::CURRENT_PROCESS),
                0,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::from_mut(told).cast(),
            )
        })
    }

    fn open_process(self, client: ClientId, access: Access) -> Result<Handle> {
        let mut attributes = OBJECT_ATTRIBUTES::zero();
        attributes.Length = OBJECT_ATTRIBUTES::SIZE;
        let mut client = CLIENT_ID {
            UniqueProcess: core::ptr::without_provenance_mut(client.process as usize),
            UniqueThread: core::ptr::without_provenance_mut(client.thread as usize),
        };
        let mut process = core::ptr::null_mut();
        // SAFETY: all three are live locals.
        done(unsafe {
            NtOpenProcess(
                &raw mut process,
                access.bits(),
                &raw mut attributes,
                &raw mut client,
            )
        })?;
        Ok(handle(process))
    }

    fn terminate_process(self, process: Handle, status: Status) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtTerminateProcess(raw(process), status.code().cast_signed()) })
    }

    fn read_memory(self, process: Handle, address: u64, into: &mut [u8]) -> Result<()> {
        let from = core::ptr::without_provenance_mut(address as usize);
        // SAFETY: the address is another process's and for the kernel to judge; the buffer is
        // borrowed for writing and as long as said.
        done(unsafe {
            NtReadVirtualMemory(
                raw(process),
                from,
                into.as_mut_ptr().cast(),
                into.len(),
                core::ptr::null_mut(),
            )
        })
    }

    fn resume_thread(self, thread: Handle) -> Result<()> {
        // SAFETY: the out-pointer is optional.
        done(unsafe { NtResumeThread(raw(thread), core::ptr::null_mut()) })
    }

    fn create_thread<B: ThreadBody>(self, body: &'static B) -> Result<Handle> {
        let address = core::ptr::from_ref(body).cast_mut().cast();
        // SAFETY: the routine takes what is passed here, a `&'static B`, and `B: Sync` lets another
        // thread have it.
        unsafe { start(run::<B>, address) }
    }

    fn exit_thread(self, status: Status) -> Result<()> {
        // NtTerminateThread alone would leave the stack behind: only this tells the kernel to free
        // it.
        // SAFETY: takes no pointer. What the thread borrowed is `'static`; its locals
        // are not dropped, like those of any ended thread.
        unsafe { RtlExitUserThread(status.code().cast_signed()) };
        Err(Status::UNSUCCESSFUL)
    }

    fn query_exit(self, process: Handle) -> Result<ExitInformation> {
        let basic: PROCESS_BASIC_INFORMATION = query(
            process,
            ProcessBasicInformation,
            PROCESS_BASIC_INFORMATION::SIZE,
        )?;
        Ok(ExitInformation {
            status: status(basic.ExitStatus),
            process: basic.UniqueProcessId.addr() as Word,
            parent: basic.InheritedFromUniqueProcessId.addr() as Word,
        })
    }

    fn query_thread(self, thread: Handle) -> Result<ClientId> {
        let mut basic = THREAD_BASIC_INFORMATION::zero();
        // SAFETY: the structure is as long as said and a live local.
        done(unsafe {
            NtQueryInformationThread(
                raw(thread),
                ThreadBasicInformation,
                (&raw mut basic).cast(),
                THREAD_BASIC_INFORMATION::SIZE,
                core::ptr::null_mut(),
            )
        })?;
        Ok(ClientId {
            process: basic.ClientId.UniqueProcess.addr() as Word,
            thread: basic.ClientId.UniqueThread.addr() as Word,
        })
    }

    fn query_session(self, process: Handle) -> Result<u32> {
        query(process, ProcessSessionInformation, u32::SIZE)
    }

    fn set_session(self, process: Handle, session: u32) -> Result<()> {
        set(process, ProcessSessionInformation, session)
    }

    fn query_device_map(self) -> Result<DeviceMap> {
        let bytes: [u8; 0x28] = query(Handle::CURRENT_PROCESS, ProcessDeviceMap, DEVICE_MAP_QUERY)?;
        let (map, _) =
            DeviceMap::read_from_prefix(&bytes).map_err(|_| Status::INFO_LENGTH_MISMATCH)?;
        Ok(map)
    }

    fn set_process_critical(self, critical: bool) -> Result<()> {
        set(
            Handle::CURRENT_PROCESS,
            ProcessBreakOnTermination,
            u32::from(critical),
        )
    }

    fn set_thread_critical(self, critical: bool) -> Result<()> {
        let mut value = u32::from(critical);
        // SAFETY: the value is a live local of four bytes.
        done(unsafe {
            NtSetInformationThread(
                raw(Handle::CURRENT_THREAD),
                ThreadBreakOnTermination,
                (&raw mut value).cast(),
                u32::SIZE,
            )
        })
    }

    fn set_base_priority(self, priority: u32) -> Result<()> {
        set(Handle::CURRENT_PROCESS, ProcessBasePriority, priority)
    }

    fn set_hard_error_mode(self, mode: u32) -> Result<()> {
        set(Handle::CURRENT_PROCESS, ProcessDefaultHardErrorMode, mode)
    }

    fn client_id(self) -> ClientId {
        own_process::client_id()
    }

    fn own_environment(self) -> &'static [u16] {
        own_process::environment()
    }

    fn own_dll_path(self) -> UnicodeStr<'static> {
        own_process::parameter(|block| &block.DllPath)
    }

    fn own_command_line(self) -> UnicodeStr<'static> {
        own_process::parameter(|block| &block.CommandLine)
    }

    fn own_debug_flags(self) -> u32 {
        own_process::debug_flags()
    }

    fn own_global_flag(self) -> u32 {
        own_process::global_flag()
    }
}
