// SPDX-License-Identifier: GPL-2.0-or-later
//! Native stand-ins for the programs that a session manager starts, and clients that put it to the
//! test.
//!
//! Each is small and keeps its side of one contract honestly. They are generic over the seam, so
//! the same source runs as a thread of a host test and in ring 3, where one image is all of them
//! (`main.rs`). [`PROGRAMS`] says what there is; [`find`] gives a program's code. A process keeps
//! what must outlive its calls in one [`Statics`].
//!
//! The copy of the image that bears a program's name must say the subsystem that the table says: it
//! decides who takes the process over.
#![no_std]
#![forbid(unsafe_code)]

pub mod arguments;
pub mod autochk;
pub mod commands;
pub mod csrss;
pub mod dying;
pub mod faulty;
#[cfg(feature = "host")]
pub mod host;
pub mod idle;
pub mod inside;
pub mod logon;
pub mod processes;
pub mod protocol;
pub mod screen;
pub mod script;
pub mod smctl;
pub mod user;

use nt::system::{ImageSubsystem, PortViews, System, Tokens};
use nt::{Status, UnicodeStr};

/// A program's code: the status it gives is the process's exit status.
pub type Main<S> = fn(S, &'static Statics<S>) -> Status;

/// One program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its file name in `\SystemRoot\System32`.
    pub name: &'static str,
    /// What every line that it logs begins with.
    pub log_prefix: &'static str,
    /// The subsystem in its image.
    pub subsystem: ImageSubsystem,
    /// What it is.
    pub about: &'static str,
}

/// What a process of these programs keeps for its whole life.
pub struct Statics<S: System> {
    /// What csrss and psxss keep.
    pub server: csrss::Server<S>,
    /// What a program that misbehaves keeps.
    pub faulty: faulty::Faulty<S>,
    /// What a client keeps that connects on another thread.
    pub connector: smctl::Connector<S>,
    /// What a client keeps that ends while a request of its other thread is under way.
    pub dying: dying::Threads<S>,
}

impl<S: System> Statics<S> {
    /// The state of a new process.
    pub const fn new(system: S) -> Self {
        Self {
            server: csrss::Server::new(system),
            faulty: faulty::Faulty::new(system),
            connector: smctl::Connector::new(system),
            dying: dying::Threads::new(system),
        }
    }
}

macro_rules! programs {
    ($($name:literal $subsystem:ident $main:path, $about:literal;)*) => {
        /// Every program.
        pub const PROGRAMS: &[Program] = &[
            $(Program {
                name: $name,
                log_prefix: concat!($name, ": "),
                subsystem: ImageSubsystem::$subsystem,
                about: $about,
            },)*
        ];

        /// The program with this file name, case folded, and its code.
        pub fn find<S: System + PortViews + Tokens>(name: UnicodeStr<'_>) -> Option<(&'static Program, Main<S>)> {
            let codes: [Main<S>; PROGRAMS.len()] = [$($main),*];
            PROGRAMS
                .iter()
                .zip(codes)
                .find(|(program, _)| name.eq_ascii(program.name))
        }
    };
}

programs! {
    "csrss.exe" NATIVE csrss::main, "Windows subsystem server";
    "psxss.exe" NATIVE csrss::main_posix, "POSIX subsystem server";
    "os2ss.exe" NATIVE csrss::main_os2, "OS/2 subsystem server";
    "winlogon.exe" WINDOWS_GUI logon::winlogon, "initial command of a logon session";
    "wininit.exe" WINDOWS_GUI logon::wininit, "initial command of session 0 in NT 6";
    "services.exe" WINDOWS_CUI idle::main, "waits";
    "lsass.exe" WINDOWS_GUI idle::main, "waits";
    "autochk.exe" NATIVE autochk::main, "shows its arguments on the boot screen; status 1 without any";
    "sleep.exe" NATIVE commands::sleep, "waits for so many milliseconds, or for ever";
    "exit.exe" NATIVE commands::exit, "ends with the status it is given in hexadecimal";
    "env.exe" NATIVE commands::environment, "shows its environment on the boot screen";
    "console.exe" WINDOWS_CUI idle::main, "a character-mode program that waits";
    "logoff.exe" WINDOWS_GUI commands::exit, "an initial command that ends at once";
    "shutdown.exe" WINDOWS_GUI logon::shutdown, "an initial command that restarts the machine so many times and then switches it off";
    "faulty.exe" NATIVE faulty::main, "a subsystem server that does not keep the contract";
    "smctl.exe" NATIVE smctl::main, "lists, starts and ends sessions, runs programs";
    "smtest.exe" NATIVE protocol::main, "puts the SM protocol to the test";
    "smdie.exe" NATIVE dying::main, "an SM client that ends in the middle of something";
    "asuser.exe" NATIVE user::main, "runs a program as a user who is no administrator";
    "script.exe" NATIVE script::main, "runs command lines one after the other";
    // A session manager has the kernel load a driver of this name. The shim reads the image, holds
    // it to what a native image must be, and keeps it in its module list, but it has no ring-0
    // drivers to run.
    "win32k.sys" NATIVE commands::exit, "an image that is loaded and never run";
}
