// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process is.

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::mm::AddressSpace;
use crate::ob::{DeviceMapId, HandleTable};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use nt::Status;

/// Base priority of a process that nobody has given one.
pub const NORMAL_PRIORITY: u8 = 8;

/// Hard-error mode of a process without a parent (`SEM_FAILCRITICALERRORS`).
pub const DEFAULT_HARD_ERROR_MODE: u32 = 1;

/// The system DLL in a process: where it is, and where the kernel enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemDll {
    /// Its section.
    pub section: ObjectId,
    /// Where it is.
    pub base: u64,
    /// `LdrInitializeThunk`.
    pub ldr_initialize_thunk: u64,
    /// `KiUserApcDispatcher`.
    pub user_apc_dispatcher: u64,
    /// `KiUserExceptionDispatcher`.
    pub user_exception_dispatcher: u64,
    /// `KiUserCallbackDispatcher`.
    pub user_callback_dispatcher: u64,
    /// Through which an i386 program calls the kernel; none on x86-64.
    pub system_call: Option<SystemCall>,
}

/// Where an i386 system DLL calls the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// `KiIntSystemCall`, which every processor can.
    pub interrupt: u32,
    /// `KiFastSystemCall`, and `KiFastSystemCallRet` behind it, if it has both.
    pub fast: Option<(u32, u32)>,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// `UniqueProcess`.
    pub id: ProcessId,
    /// Its object.
    pub object: ObjectId,
    /// `InheritedFromUniqueProcessId`.
    pub parent: ProcessId,
    /// Name of its image file, without the path; empty if it has none.
    pub image: Vec<u16>,
    /// Its command line, where no PEB has it.
    pub command_line: Option<Vec<u16>>,
    /// Its primary token's object, to which it holds a reference.
    pub token: ObjectId,
    /// Its handles, until it ends.
    pub handles: Option<HandleTable>,
    /// What `\??` is for it.
    pub device_map: DeviceMapId,
    /// What is in the address space, until it ends; the System process has none.
    pub memory: Option<AddressSpace>,
    /// The image's section, to which it holds a reference until it ends.
    pub section: Option<ObjectId>,
    /// Where the image is.
    pub image_base: u64,
    /// The system DLL in it.
    pub system_dll: Option<SystemDll>,
    /// Where its PEB is.
    pub peb: u64,
    /// Threads that have not ended: ids grow, so this is the order in which they were made.
    pub threads: BTreeSet<ThreadId>,
    /// It has ended.
    pub ended: bool,
    /// Exit status; `PENDING` before.
    pub exit_status: Status,
    /// Whether its threads may use the machine's ports, and hold interrupts off.
    pub ports: bool,
    /// `ProcessBreakOnTermination`.
    pub critical: bool,
    /// `ProcessBasePriority`.
    pub base_priority: u8,
    /// `ProcessDefaultHardErrorMode`.
    pub hard_error_mode: u32,
    /// `ProcessExecuteFlags`: `MEM_EXECUTE_OPTION_` bits.
    pub execute_flags: u32,
    /// The session space it is in.
    pub session: Option<u32>,
    /// It has made a session; NT 5.2 reports session 0 for it from then on.
    pub session_leader: bool,
    /// Where exceptions that nobody handles are sent: a port's object, to which it holds a
    /// reference until it ends.
    pub exception_port: Option<ObjectId>,
    /// When it was made, NT time.
    pub create_time: u64,
    /// When it ended, NT time; 0 before.
    pub exit_time: u64,
}
