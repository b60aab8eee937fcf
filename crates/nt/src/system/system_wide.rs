// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, the system as a whole: what it is, its sessions and drivers, privileges, the boot
//! screen, the end.

use crate::text::{Part, Show, nth};
use crate::{Result, Status, UnicodeStr};

/// SystemBasicInformation, as far as a session manager needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicInformation {
    /// Bytes in a page.
    pub page_size: u32,
    /// Pages of physical memory.
    pub physical_pages: u32,
    /// Processors.
    pub processors: u8,
}

/// SystemProcessorInformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorInformation {
    /// 0 x86, 6 IA64, 9 AMD64.
    pub architecture: u16,
    /// Family.
    pub level: u16,
    /// Model and stepping.
    pub revision: u16,
}

/// The NT version the kernel reports (PEB `OSMajorVersion`, `OSMinorVersion`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionInformation {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
}

/// Privileges by the low part of their LUID (spec 0.4); as wide as a [`Status`], so that a result of one
/// is given back in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Privilege {
    /// SeCreateTokenPrivilege.
    CreateToken = 2,
    /// SeAssignPrimaryTokenPrivilege.
    AssignPrimaryToken = 3,
    /// SeTcbPrivilege.
    Tcb = 7,
    /// SeLoadDriverPrivilege.
    LoadDriver = 10,
    /// SeRestorePrivilege.
    Restore = 18,
    /// SeShutdownPrivilege.
    Shutdown = 19,
    /// SeChangeNotifyPrivilege.
    ChangeNotify = 23,
}

impl Show for Privilege {
    fn part(&self) -> Part<'_> {
        // By number, from 2 on.
        const NAMES: &[u8] = b"CreateToken\0AssignPrimaryToken\0\0\0\0Tcb\0\0\0LoadDriver\0\
            \0\0\0\0\0\0\0Restore\0Shutdown\0\0\0\0ChangeNotify\0";
        Part::Narrow(nth(NAMES, *self as usize - 2))
    }
}

/// Whose token a privilege is changed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivilegeHolder {
    /// The process's.
    Process,
    /// The impersonation token of the thread; `NO_TOKEN` if there is none.
    Thread,
}

/// An item of the boot status data file (spec 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootStatusItem {
    /// `LastBootSucceeded`.
    BootGood,
    /// `LastBootShutdown`.
    BootShutdown,
}

/// One parameter of a hard error.
#[derive(Clone, Copy, Debug)]
pub enum HardErrorParameter<'a> {
    /// A pointer-sized number.
    Value(u64),
    /// A string: its bit is set in the string mask.
    Text(UnicodeStr<'a>),
}

/// How a hard error wants to be answered (spec 0.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum HardErrorOption {
    /// `OptionOk`.
    Ok = 1,
    /// `OptionShutdownSystem`.
    ShutdownSystem = 6,
}

/// NtRaiseHardError's arguments.
#[derive(Clone, Copy, Debug)]
pub struct HardError<'a> {
    /// What happened.
    pub status: Status,
    /// At most four parameters.
    pub parameters: &'a [HardErrorParameter<'a>],
    /// What is asked for.
    pub option: HardErrorOption,
}

/// What NtShutdownSystem is to do (`SHUTDOWN_ACTION`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ShutdownAction {
    /// `ShutdownNoReboot`.
    NoReboot = 0,
    /// `ShutdownReboot`.
    Reboot = 1,
    /// `ShutdownPowerOff`.
    PowerOff = 2,
}

/// Requests about the system as a whole.
pub trait SystemWide: Copy {
    /// `NtSystemRoot` of the shared user data, e.g. `C:\ReactOS`. No system call.
    fn system_root(self) -> UnicodeStr<'static>;

    /// The version the kernel reports. No system call.
    fn version(self) -> VersionInformation;

    /// Whether it is a system of 32-bit programs. No system call. One that is planned for on a host may be
    /// narrower than that host's own programs.
    fn is_narrow(self) -> bool {
        cfg!(target_pointer_width = "32")
    }

    /// Whether the kernel's page tables have entries of 64 bits: those of x86-64 always, those of
    /// i386 with PAE (`PF_PAE_ENABLED` of KUSER_SHARED_DATA). No system call.
    fn wide_page_tables(self) -> bool {
        true
    }

    /// NtQuerySystemInformation, SystemBasicInformation.
    fn query_basic(self) -> Result<BasicInformation>;

    /// NtQuerySystemInformation, SystemProcessorInformation.
    fn query_processor(self) -> Result<ProcessorInformation>;

    /// NtQuerySystemInformation of any class, as it lies in memory: how many bytes of `into` it has
    /// filled. Addresses in the answer are not to be followed. `INFO_LENGTH_MISMATCH` if there
    /// is no room for it.
    fn query_raw(self, class: u32, into: &mut [u8]) -> Result<usize>;

    /// NtSetSystemInformation, SystemSessionCreate: the new session's id; this process is attached
    /// to it.
    fn create_session(self) -> Result<u32>;

    /// NtSetSystemInformation, SystemSessionDetach.
    fn detach_session(self, session: u32) -> Result<()>;

    /// NtSetSystemInformation, SystemExtendServiceTableInformation: loads win32k.
    fn extend_service_table(self, driver: UnicodeStr<'_>) -> Result<()>;

    /// RtlAdjustPrivilege: whether it was enabled before. `PRIVILEGE_NOT_HELD` if the token lacks
    /// it.
    fn adjust_privilege(
        self,
        privilege: Privilege,
        enable: bool,
        holder: PrivilegeHolder,
    ) -> Result<bool>;

    /// NtDisplayString: text on the boot screen.
    fn display_string(self, text: UnicodeStr<'_>) -> Result<()>;

    /// NtRaiseHardError. With [`HardErrorOption::ShutdownSystem`] it returns only if the kernel
    /// refuses.
    fn raise_hard_error(self, error: &HardError<'_>) -> Result<()>;

    /// NtShutdownSystem. Not for smss, which takes no part in a normal shutdown (spec 12.2): for
    /// the programs that it starts. It returns only if the kernel refuses.
    fn shut_down(self, action: ShutdownAction) -> Result<()>;

    /// RtlLockBootStatusData, then for each item RtlGetSetBootStatusData (old values out, `values`
    /// in), then RtlUnlockBootStatusData: the old values. An error if there is no boot status
    /// data file; then nothing was changed.
    fn exchange_boot_status(
        self,
        items: &[BootStatusItem; 2],
        values: [bool; 2],
    ) -> Result<[bool; 2]>;

    /// LdrQueryImageFileExecutionOptions of `Debugger`: what it has written into `buffer`, with its NUL if there is one.
    fn query_image_debugger<'b>(
        self,
        image: UnicodeStr<'_>,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_privilege_is_named_and_numbered_as_nt_does_it() {
        for (privilege, number, name) in [
            (Privilege::CreateToken, 2, "CreateToken"),
            (Privilege::AssignPrimaryToken, 3, "AssignPrimaryToken"),
            (Privilege::Tcb, 7, "Tcb"),
            (Privilege::LoadDriver, 10, "LoadDriver"),
            (Privilege::Restore, 18, "Restore"),
            (Privilege::Shutdown, 19, "Shutdown"),
            (Privilege::ChangeNotify, 23, "ChangeNotify"),
        ] {
            assert_eq!(privilege as u32, number);
            assert_eq!(format!("{}", crate::text!("{}", privilege)), name);
        }
    }
}
