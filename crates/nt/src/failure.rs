// SPDX-License-Identifier: GPL-2.0-or-later
//! Fatal or not: the one table that says what a failed step means for the boot (spec 13.5).
//!
//! A step that fails is reported in one line, `step: object: NTSTATUS: consequence`, and [`judge`]
//! gives `Err` exactly when the table says that the system stops. No other place decides that.

use crate::Status;
use core::fmt;

/// What a failure of a step means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The boot goes on without it.
    Skipped,
    /// The system stops: hard error "Session Manager Initialization" (spec 12.4).
    Stops,
    /// The system stops: hard error "Session Manager ExecuteInitialCommand" (spec 12.4).
    StopsAtInitialCommand,
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident $text:literal $consequence:ident;)*) => {
        /// A step of the boot, a row of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step { $($(#[$doc])* $name,)* }

        impl Step {
            /// Every step, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What the log calls it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What its failure means.
            pub const fn consequence(self) -> Consequence {
                match self { $(Self::$name => Consequence::$consequence),* }
            }
        }
    };
}

steps! {
    /// Critical flags, base priority, hard-error mode (spec 1.3, 1.5).
    ProcessSettings "process settings" Skipped;
    /// `\SmApiPort` (spec 1.5; an assertion in ReactOS, D25).
    ApiPort "SM API port" Stops;
    /// The API threads (spec 1.5; an assertion in ReactOS, D25).
    ApiThread "SM API thread" Stops;
    /// `\Device\VolumesSafeForWriteAccess` (spec 1.5).
    VolumesEvent "volumes event" Skipped;
    /// The default environment block (spec 5.1).
    Environment "environment block" Stops;
    /// MiniNT probe and deletion of SAFEBOOT_OPTION (spec 2.3).
    BootOptions "boot options" Skipped;
    /// The registry pass as a whole: the key, `KnownDlls`, `SubSystems`, memory, an environment name that cannot be set (spec 2.1).
    RegistryPass "registry" Stops;
    /// One value that cannot be understood (spec 2.1).
    RegistryValue "registry value" Skipped;
    /// One ObjectDirectories entry (spec 2.3).
    ObjectDirectory "object directory" Skipped;
    /// `\??`, or a DOS device link (spec 3.2).
    DosDevices "DOS device" Stops;
    /// `\Sessions` (spec 14).
    Sessions "sessions directory" Stops;
    /// One BootExecute command (spec 8.5).
    BootExecute "boot command" Skipped;
    /// One pending file rename (spec 6.3).
    PendingRename "pending file rename" Skipped;
    /// `\KnownDlls`, its directory, its link (spec 7.2).
    KnownDlls "known DLLs" Stops;
    /// One known DLL: missing file, section not created (spec 7.2).
    KnownDll "known DLL" Skipped;
    /// `\KnownDlls32` as a whole (spec 7.2, x64).
    KnownDlls32 "32-bit known DLLs" Skipped;
    /// Any paging file (spec 4.5).
    PagingFile "paging file" Skipped;
    /// NtInitializeRegistry (spec 14).
    InitializeRegistry "registry initialisation" Skipped;
    /// The computed environment variables (spec 5.3).
    ComputedEnvironment "computed environment" Stops;
    /// BootDir (spec 9.2).
    BootDirectory "boot directory" Skipped;
    /// One SetupExecute command (spec 8.5).
    SetupExecute "set-up command" Skipped;
    /// Session creation and win32k (spec 9.3).
    SessionSpace "session space" Stops;
    /// A Required subsystem server (spec 9.2).
    RequiredSubsystem "required subsystem" Stops;
    /// A Required or Optional name without a value (spec 2.3).
    UndefinedSubsystem "undefined subsystem" Skipped;
    /// One Execute command (spec 8.5).
    Execute "command" Skipped;
    /// The initial command (spec 12.1).
    InitialCommand "initial command" StopsAtInitialCommand;
    /// Leaving session 0's space (spec 1.3).
    SessionDetach "session detach" Skipped;
    /// A request of an SM client (spec 10).
    ApiRequest "SM request" Skipped;
}

/// A step whose failure stops the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The step.
    pub step: Step,
    /// Why it failed.
    pub status: Status,
}

/// Reports that `step` failed on `object`, and tells whether the boot goes on.
///
/// # Errors
/// [`Stop`] if the table says that the system stops.
pub fn judge(step: Step, object: impl fmt::Display, status: Status) -> Result<(), Stop> {
    judge_any(step, &object, status)
}

/// One piece of code for objects of every type.
#[inline(never)]
fn judge_any(step: Step, object: &dyn fmt::Display, status: Status) -> Result<(), Stop> {
    match step.consequence() {
        Consequence::Skipped => {
            crate::warn!("{}: {object}: {status}: skipped", step.text());
            Ok(())
        }
        Consequence::Stops | Consequence::StopsAtInitialCommand => {
            crate::error!("{}: {object}: {status}: the system stops", step.text());
            Err(Stop { step, status })
        }
    }
}
