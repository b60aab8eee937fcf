// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, processes and threads.

use crate::access::Access;
use crate::object::ClientId;
use crate::path::FullPaths;
use crate::{Gap, Handle, Result, Status, UnicodeStr, Word, by_width};
use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `IMAGE_SUBSYSTEM_` of an image (spec 0.4, 10.8): an open set.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct ImageSubsystem(pub u32);

impl ImageSubsystem {
    /// No subsystem: a plain client.
    pub const UNKNOWN: Self = Self(0);
    /// Needs no server.
    pub const NATIVE: Self = Self(1);
    /// Windows, graphical.
    pub const WINDOWS_GUI: Self = Self(2);
    /// Windows, character mode.
    pub const WINDOWS_CUI: Self = Self(3);
    /// OS/2.
    pub const OS2_CUI: Self = Self(5);
    /// POSIX.
    pub const POSIX_CUI: Self = Self(7);
}

/// SECTION_IMAGE_INFORMATION, 0x40 bytes (spec 10.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: the names are the fields' own"
)]
pub struct SectionImageInformation {
    pub transfer_address: Word,
    pub zero_bits: u32,
    pub padding0: Gap,
    pub maximum_stack_size: Word,
    pub committed_stack_size: Word,
    pub subsystem: ImageSubsystem,
    pub minor_version: u16,
    pub major_version: u16,
    pub gp_value: u32,
    pub image_characteristics: u16,
    pub dll_characteristics: u16,
    pub machine: u16,
    pub image_contains_code: u8,
    pub spare: u8,
    pub loader_flags: u32,
    pub image_file_size: u32,
    pub reserved: u32,
}

/// RTL_USER_PROCESS_INFORMATION (spec 10.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
#[allow(
    missing_docs,
    reason = "a layout of the ABI: the names are the fields' own"
)]
pub struct UserProcessInformation {
    pub size: u32,
    pub padding0: Gap,
    pub process: Word,
    pub thread: Word,
    pub client: ClientId,
    pub image: SectionImageInformation,
}

impl UserProcessInformation {
    /// What there is before anything was told.
    #[inline(never)]
    pub fn untold() -> Self {
        Self::default()
    }
}

const _: () = assert!(size_of::<SectionImageInformation>() == by_width(0x40, 0x30));
const _: () = assert!(size_of::<UserProcessInformation>() == by_width(0x68, 0x44));

bitflags! {
    /// Flags of RTL_USER_PROCESS_PARAMETERS that a creator sets (spec 13.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ParameterFlags: u32 {
        /// Reserve the first megabyte of the address space.
        const RESERVE_1MB = 0x20;
        /// No-execute.
        const NX = 0x0002_0000;
    }
}

/// What a new process is told (spec 8.3).
#[derive(Clone, Copy, Debug)]
pub struct ProcessParameters<'a> {
    /// NT path of the image file.
    pub image: UnicodeStr<'a>,
    /// `DllPath`; `None` or an empty one takes the creator's.
    pub dll_path: Option<UnicodeStr<'a>>,
    /// Current directory, a DOS path; `None` or an empty one takes the creator's.
    pub current_directory: Option<UnicodeStr<'a>>,
    /// The whole command line.
    pub command_line: UnicodeStr<'a>,
    /// Environment block: `name=value` NUL ... NUL, sorted, with its final NUL; or the creator's own.
    pub environment: &'a [u16],
    /// Flags to set.
    pub flags: ParameterFlags,
    /// `DebugFlags`.
    pub debug: bool,
}

/// Type of a drive letter in a device map (spec 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes)]
pub struct DriveType(pub u8);

/// ProcessDeviceMap: which drive letters there are (spec 4.2), as the kernel lays it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes)]
#[repr(C)]
pub struct DeviceMap {
    /// Bit n: drive letter n (A is 0) exists.
    pub drives: u32,
    /// Type of each.
    pub types: [DriveType; 32],
}

/// What ProcessBasicInformation tells of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitInformation {
    /// Exit status; `STATUS_PENDING` while it runs.
    pub status: Status,
    /// Its process id.
    pub process: Word,
    /// Process id of its parent, which may have ended since.
    pub parent: Word,
}

/// What a new thread runs.
pub trait ThreadBody: Sync + 'static {
    /// The thread's whole life. When it returns, the thread ends.
    fn run(&'static self);
}

/// Requests about processes and threads. A process has a current directory, on which full paths depend.
pub trait Processes: FullPaths {
    /// RtlCreateProcessParameters + RtlCreateUserProcess: the process with its initial thread
    /// suspended, this process as parent, no handle inheritance. Both handles in what is `told`
    /// belong to the caller then.
    fn create_process(
        self,
        parameters: &ProcessParameters<'_>,
        told: &mut UserProcessInformation,
    ) -> Result<()>;

    /// NtOpenProcess.
    fn open_process(self, client: ClientId, access: Access) -> Result<Handle>;

    /// NtTerminateProcess. Does not return for this process.
    fn terminate_process(self, process: Handle, status: Status) -> Result<()>;

    /// NtReadVirtualMemory: all of `into`, or an error. The handle must have
    /// [`Access::PROCESS_VM_READ`].
    fn read_memory(self, process: Handle, address: u64, into: &mut [u8]) -> Result<()>;

    /// NtResumeThread.
    fn resume_thread(self, thread: Handle) -> Result<()>;

    /// RtlCreateUserThread in this process, started at once: a handle to the thread that runs
    /// `body`.
    fn create_thread<B: ThreadBody>(self, body: &'static B) -> Result<Handle>;

    /// NtTerminateThread of the calling thread; does not return when it succeeds.
    fn exit_thread(self, status: Status) -> Result<()>;

    /// NtQueryInformationProcess, ProcessBasicInformation.
    fn query_exit(self, process: Handle) -> Result<ExitInformation>;

    /// NtQueryInformationThread, ThreadBasicInformation: whose thread it is, and which.
    fn query_thread(self, thread: Handle) -> Result<ClientId>;

    /// NtQueryInformationProcess, ProcessSessionInformation: the terminal-services session.
    fn query_session(self, process: Handle) -> Result<u32>;

    /// NtSetInformationProcess, ProcessSessionInformation.
    fn set_session(self, process: Handle, session: u32) -> Result<()>;

    /// NtQueryInformationProcess, ProcessDeviceMap, of this process.
    fn query_device_map(self) -> Result<DeviceMap>;

    /// NtSetInformationProcess, ProcessBreakOnTermination, of this process
    /// (RtlSetProcessIsCritical).
    fn set_process_critical(self, critical: bool) -> Result<()>;

    /// NtSetInformationThread, ThreadBreakOnTermination, of this thread (RtlSetThreadIsCritical).
    fn set_thread_critical(self, critical: bool) -> Result<()>;

    /// NtSetInformationProcess, ProcessBasePriority, of this process.
    fn set_base_priority(self, priority: u32) -> Result<()>;

    /// NtSetInformationProcess, ProcessDefaultHardErrorMode, of this process.
    fn set_hard_error_mode(self, mode: u32) -> Result<()>;

    /// This process and thread, as the TEB has it. No system call.
    fn client_id(self) -> ClientId;

    /// This process's environment block as its creator left it, without the final NUL. No system
    /// call.
    fn own_environment(self) -> &'static [u16];

    /// This process's `DllPath`. No system call.
    fn own_dll_path(self) -> UnicodeStr<'static>;

    /// This process's command line. No system call.
    fn own_command_line(self) -> UnicodeStr<'static>;

    /// This process's `DebugFlags`. No system call.
    fn own_debug_flags(self) -> u32;

    /// `NtGlobalFlag` as the PEB has it: the system's when this process was made. No system call.
    fn own_global_flag(self) -> u32;
}
