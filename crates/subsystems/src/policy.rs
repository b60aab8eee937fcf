// SPDX-License-Identifier: GPL-2.0-or-later
//! What the NT version decides (spec 11.5, 11.6), as one value.
//!
//! The kernel's reported version picks a [`Policy`] once; everything that differs between versions
//! asks it and nothing asks the version.

use nt::system::VersionInformation;
use nt::{UnicodeStr, wide};

/// How long a server may take for anything (spec 9.4), in milliseconds; session 0's required ones
/// take as long as they want.
pub const SERVER_TIMEOUT: u32 = 60_000;

/// Who makes a terminal session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionModel {
    /// The one resident smss enters the session's space, starts its servers, and leaves it again
    /// (NT 5.x).
    Resident,
    /// A child instance of smss for every session, which ends when the session stands (NT 6.x).
    ChildInstance,
}

/// The order of the later phases of the boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Known DLLs, paging files, registry, computed environment, BootDir, SetupExecute (NT 5.x).
    KnownDllsFirst,
    /// Paging files, registry, computed environment, SetupExecute, known DLLs, BootDir (NT 6.x).
    PagingFilesFirst,
}

/// Who loads win32k into a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Win32kLoader {
    /// smss, before it starts csrss (NT 5.x).
    SessionManager,
    /// csrss, while it starts (NT 6.x).
    Csrss,
}

/// Everything that depends on the NT version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the log calls it.
    pub name: &'static str,
    /// Who makes sessions, and with them: whom the resident instance waits for.
    pub sessions: SessionModel,
    /// The order of the later phases.
    pub order: Order,
    /// Who loads win32k.
    pub win32k: Win32kLoader,
    /// System32 stands in for a `DllDirectory` that is missing, as it is from Windows 10 on.
    pub default_dll_directory: bool,
    /// Initial command of session 0 if the registry names none.
    pub session0_command: UnicodeStr<'static>,
    /// Initial command of every other session.
    pub session_command: UnicodeStr<'static>,
    /// What the hard error calls session 0's initial command when it ends.
    pub initial_process_name: UnicodeStr<'static>,
    /// Initial sessions if the registry does not say.
    pub initial_sessions: u32,
    /// An initial command that ends takes its session (other than 0) with it. In NT 5.x the
    /// terminal service decides that.
    pub session_ends_with_initial: bool,
}

impl Policy {
    /// NT 5.1 and 5.2.
    pub const NT_5_2: Self = Self {
        name: "NT 5.2",
        sessions: SessionModel::Resident,
        order: Order::KnownDllsFirst,
        win32k: Win32kLoader::SessionManager,
        default_dll_directory: false,
        session0_command: wide!("winlogon.exe"),
        session_command: wide!("winlogon.exe"),
        initial_process_name: wide!("Windows Logon Process"),
        initial_sessions: 1,
        session_ends_with_initial: false,
    };

    /// NT 6.0 and 6.1. Sources give 1 or 2 initial sessions (spec U9): 2, as client registries have
    /// it.
    pub const NT_6_1: Self = Self {
        name: "NT 6.1",
        sessions: SessionModel::ChildInstance,
        order: Order::PagingFilesFirst,
        win32k: Win32kLoader::Csrss,
        default_dll_directory: true,
        session0_command: wide!("wininit.exe"),
        session_command: wide!("winlogon.exe"),
        // The stop screen of NT 6 reads "The initial session process or system process terminated
        // unexpectedly": the template is NT 5's.
        initial_process_name: wide!("initial session process or"),
        initial_sessions: 2,
        session_ends_with_initial: true,
    };

    /// The policy for a kernel that reports `version`: everything from 6.0 on behaves as 6.1,
    /// everything before as 5.2.
    pub const fn for_version(version: VersionInformation) -> &'static Self {
        if version.major >= 6 {
            &Self::NT_6_1
        } else {
            &Self::NT_5_2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_11_6_row_by_row() {
        let of = |major, minor| Policy::for_version(VersionInformation { major, minor });
        for (major, minor) in [(4, 0), (5, 1), (5, 2)] {
            assert_eq!(*of(major, minor), Policy::NT_5_2, "{major}.{minor}");
        }
        for (major, minor) in [(6, 0), (6, 1), (6, 2), (10, 0)] {
            assert_eq!(*of(major, minor), Policy::NT_6_1, "{major}.{minor}");
        }
    }
}
