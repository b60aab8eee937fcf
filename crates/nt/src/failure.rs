// SPDX-License-Identifier: GPL-2.0-or-later
//! Fatal or not: the one table that says what a failed step means for the boot (spec 13.5).
//!
//! The table has two halves, and each is a type of its own. A [`Skippable`] step that fails is
//! reported and that is all; an [`Essential`] one gives a [`Stop`], which its caller has to pass
//! on. To move a row from one half to the other is therefore a compile error wherever the caller
//! has to decide anew.
//!
//! A failure is reported once, in one line, `step: object: NTSTATUS: consequence`, by the code
//! that knows the object: the failed call reports it on the spot ([`Attempt`]), and nothing is
//! remembered elsewhere.
//!
//! ```
//! use nt::Status;
//! use nt::failure::{Attempt, Essential, Skippable, Stop};
//!
//! fn phase() -> Result<u32, Stop> {
//!     // The boot goes on without it.
//!     let failed: nt::Result<()> = Err(Status::ACCESS_DENIED);
//!     assert_eq!(failed.or_skip(Skippable::ObjectDirectory, "\\Foo"), None);
//!     // Without this one it does not.
//!     Err(Status::NO_MEMORY).or_stop(Essential::Environment, "library path")
//! }
//!
//! let stop = Stop { step: Essential::Environment, status: Status::NO_MEMORY };
//! assert_eq!(phase(), Err(stop));
//! ```

use crate::privilege;
use crate::system::{HardError, HardErrorOption, HardErrorParameter, Objects, SystemWide};
use crate::text::{self, Part, Show};
use crate::{Result, Status};

/// Stops the system by the hard error C000021A with these parameters (spec 12.4). Returns only if the
/// kernel refuses.
#[inline(never)]
pub fn stop_system<S: SystemWide>(system: S, parameters: &[HardErrorParameter<'_>]) {
    if let Err(status) = privilege::enable_shutdown(system) {
        crate::warn!("SeShutdownPrivilege: {status}");
    }
    let error = HardError {
        status: Status::SYSTEM_PROCESS_TERMINATED,
        parameters,
        option: HardErrorOption::ShutdownSystem,
    };
    if let Err(status) = system.raise_hard_error(&error) {
        crate::error!("hard error: {status}: not raised");
    }
}

/// How often [`persist`] tries, and how long it pauses between, in milliseconds.
const ATTEMPTS: u32 = 10;
const PAUSE: u32 = 100;

/// Does what nobody can do later: whatever stands in the way, it is tried again, unless the answer
/// `settles` it. Blocks for a second at most.
///
/// # Errors
/// What it was answered last.
#[inline(never)]
pub fn persist<S: Objects>(
    system: S,
    act: &mut dyn FnMut() -> Result<()>,
    settles: fn(Status) -> bool,
) -> Result<()> {
    let mut last = Ok(());
    for _ in 0..ATTEMPTS {
        last = act();
        match last {
            Err(status) if !settles(status) => {}
            _ => break,
        }
        // A pause that cannot be made only means that the next attempt comes at once.
        let _ = system.delay(PAUSE);
    }
    last
}

macro_rules! steps {
    ($($(#[$half_doc:meta])* $half:ident { $($(#[$doc:meta])* $name:ident $text:literal;)* })*) => {$(
        $(#[$half_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $half { $($(#[$doc])* $name,)* }

        impl $half {
            /// Every step of this half, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What the log calls it.
            pub fn text(self) -> &'static str {
                str::from_utf8(self.bytes()).unwrap_or_default()
            }

            fn bytes(self) -> &'static [u8] {
                text::nth(concat!($($text, "\0"),*).as_bytes(), self as usize)
            }
        }

        impl Show for $half {
            fn part(&self) -> Part<'_> {
                Part::Narrow(self.bytes())
            }
        }
    )*};
}

steps! {
    /// A step that the boot can do without.
    Skippable {
        /// Critical flags, base priority, hard-error mode (spec 1.3, 1.5).
        ProcessSettings "process settings";
        /// `\Device\VolumesSafeForWriteAccess` (spec 1.5).
        VolumesEvent "volumes event";
        /// MiniNT probe and deletion of SAFEBOOT_OPTION (spec 2.3).
        BootOptions "boot options";
        /// One value that cannot be understood (spec 2.1).
        RegistryValue "registry value";
        /// One ObjectDirectories entry (spec 2.3).
        ObjectDirectory "object directory";
        /// One BootExecute command (spec 8.5).
        BootExecute "boot command";
        /// One pending file rename (spec 6.3).
        PendingRename "pending file rename";
        /// One known DLL: missing file, section not created (spec 7.2).
        KnownDll "known DLL";
        /// `\KnownDlls32` as a whole (spec 7.2, x64).
        KnownDlls32 "32-bit known DLLs";
        /// Any paging file (spec 4.5).
        PagingFile "paging file";
        /// NtInitializeRegistry (spec 14).
        InitializeRegistry "registry initialisation";
        /// BootDir (spec 9.2).
        BootDirectory "boot directory";
        /// One SetupExecute command (spec 8.5).
        SetupExecute "set-up command";
        /// A Required or Optional name without a value (spec 2.3).
        UndefinedSubsystem "undefined subsystem";
        /// One Execute command (spec 8.5).
        Execute "command";
        /// Leaving session 0's space (spec 1.3).
        SessionDetach "session detach";
        /// A request of an SM client (spec 10).
        ApiRequest "SM request";
    }

    /// A step without which the system stops.
    Essential {
        /// `\SmApiPort` (spec 1.5; an assertion in ReactOS, D25).
        ApiPort "SM API port";
        /// The API threads (spec 1.5; an assertion in ReactOS, D25).
        ApiThread "SM API thread";
        /// The default environment block (spec 5.1).
        Environment "environment block";
        /// The registry pass as a whole: the key, `KnownDlls`, `SubSystems`, memory, an environment
        /// name that cannot be set (spec 2.1).
        RegistryPass "registry";
        /// `\??`, or a DOS device link (spec 3.2).
        DosDevices "DOS device";
        /// `\Sessions` (spec 14).
        Sessions "sessions directory";
        /// `\KnownDlls`, its directory, its link (spec 7.2).
        KnownDlls "known DLLs";
        /// The computed environment variables (spec 5.3).
        ComputedEnvironment "computed environment";
        /// Session creation and win32k (spec 9.3).
        SessionSpace "session space";
        /// A Required subsystem server (spec 9.2).
        RequiredSubsystem "required subsystem";
        /// The initial command (spec 12.1): the only step whose hard error has a name of its own.
        InitialCommand "initial command";
    }
}

impl Skippable {
    /// Reports that this step failed on `object` and that the boot goes on.
    pub fn report(self, object: impl Show, status: Status) {
        report(self.bytes(), object.part(), status);
    }
}

impl Essential {
    /// Reports that this step failed on `object`, and gives the stop that follows.
    pub fn stop(self, object: impl Show, status: Status) -> Stop {
        report_stop(self.bytes(), object.part(), status);
        Stop { step: self, status }
    }
}

/// One piece of code for objects of every type.
#[inline(never)]
fn report(step: &'static [u8], object: Part<'_>, status: Status) {
    let step = Part::Narrow(step);
    crate::warn!("{step}: {object}: {status}: skipped");
}

#[inline(never)]
fn report_stop(step: &'static [u8], object: Part<'_>, status: Status) {
    let step = Part::Narrow(step);
    crate::error!("{step}: {object}: {status}: the system stops");
}

/// A step has failed whose failure stops the system; it has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the system has to be stopped"]
pub struct Stop {
    /// The step.
    pub step: Essential,
    /// Why it failed.
    pub status: Status,
}

/// The result of an attempt, and what its failure means for the boot.
pub trait Attempt<T> {
    /// The value; or nothing, and it is reported that `step` failed on `object`.
    fn or_skip(self, step: Skippable, object: impl Show) -> Option<T>;

    /// The value.
    ///
    /// # Errors
    /// [`Stop`], after it was reported that `step` failed on `object`.
    fn or_stop(self, step: Essential, object: impl Show) -> Result<T, Stop>;
}

impl<T> Attempt<T> for Result<T> {
    fn or_skip(self, step: Skippable, object: impl Show) -> Option<T> {
        match self {
            Ok(value) => Some(value),
            Err(status) => {
                step.report(object, status);
                None
            }
        }
    }

    fn or_stop(self, step: Essential, object: impl Show) -> Result<T, Stop> {
        self.map_err(|status| step.stop(object, status))
    }
}
