// SPDX-License-Identifier: GPL-2.0-or-later
//! Options of the verbs that boot a machine interactively: `run` and `gdb`.

use crate::arch::Arch;
use crate::medium::supplies::Supplies;
use crate::reactos::programs::Program;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The NT version the shim reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NtVersion {
    /// Server 2003: one smss, everything in session 0.
    #[default]
    #[value(name = "5.2")]
    V5_2,
    /// Windows 7: an smss a session, session 0 for services.
    #[value(name = "6.1")]
    V6_1,
}

impl NtVersion {
    /// As the kernel's command line has it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::V5_2 => "5.2",
            Self::V6_1 => "6.1",
        }
    }
}

/// A process whose end stops the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kill {
    /// The Windows subsystem.
    Csrss,
    /// The initial command of session 0 on NT 5.2. On NT 6.1 its end is that of its session only.
    Winlogon,
    /// The initial command of session 0 on NT 6.1.
    Wininit,
}

impl Kill {
    /// As the kernel's command line has it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Csrss => "csrss",
            Self::Winlogon => "winlogon",
            Self::Wininit => "wininit",
        }
    }

    /// Whether a system of this version has it and cannot be without it.
    pub const fn stops(self, version: NtVersion) -> bool {
        match self {
            Self::Csrss => true,
            Self::Winlogon => matches!(version, NtVersion::V5_2),
            Self::Wininit => matches!(version, NtVersion::V6_1),
        }
    }
}

/// What `run --base` has no use for: the shim's own.
const SHIM_ONLY: [&str; 21] = [
    "arch",
    "dump",
    "json",
    "trace",
    "report",
    "direct",
    "nt",
    "kill",
    "smss",
    "ntdll",
    "from",
    "with",
    "hive",
    "file",
    "disk",
    "system_root",
    "keep",
    "boot_options",
    "program",
    "arguments",
    "role",
];

/// What a real ReactOS has of its own.
const SUPPLIES: [&str; 9] = [
    "hive",
    "file",
    "disk",
    "system_root",
    "keep",
    "boot_options",
    "program",
    "arguments",
    "role",
];

/// Options of `run`.
#[derive(Args, Default)]
pub struct RunOptions {
    /// Install what is missing first, with this system's package manager (it may want root).
    #[arg(long)]
    pub install: bool,
    /// No QEMU window.
    #[arg(long)]
    pub headless: bool,
    /// Stop once the Session Manager has settled into its wait.
    #[arg(long)]
    pub exit: bool,
    /// Print what stands after the boot: namespace, registry, processes, page files, volume.
    #[arg(long)]
    pub dump: bool,
    /// The dump as JSON.
    #[arg(long, requires = "dump")]
    pub json: bool,
    /// Write the system-call trace beside the log, as text and as JSON lines.
    #[arg(long)]
    pub trace: bool,
    /// Write the trace and make a page of the run: target/run/report.html.
    #[arg(long)]
    pub report: bool,
    /// Boot the kernel directly instead of from the ISO: quicker, no boot menu.
    #[arg(long)]
    pub direct: bool,
    /// The machine that the shim is to its programs [default: that of ReactOS' images, or amd64].
    #[arg(long, value_enum)]
    pub arch: Option<Arch>,
    /// The NT version the shim reports.
    #[arg(long, value_enum, default_value_t)]
    pub nt: NtVersion,
    /// End this process once the system has settled, to see the C000021A stop: in a window it stays
    /// for a quarter of a minute.
    #[arg(long, value_enum, value_name = "PROCESS", conflicts_with = "dump")]
    pub kill: Option<Kill>,
    /// Memory of the machine in MiB [default: 512; 1024 with --base].
    #[arg(long, value_parser = clap::value_parser!(u32).range(64..=65_536))]
    pub memory: Option<u32>,
    /// Save a picture of the screen (PNG) when the run has settled; with --kill, of the stop screen.
    #[arg(long, value_name = "FILE")]
    pub shot: Option<PathBuf>,
    /// Boot this real ReactOS, a CD or a disk image, with our smss.exe in it, instead of the shim.
    #[arg(long, value_name = "REACTOS", conflicts_with_all = SHIM_ONLY, value_hint = ValueHint::FilePath)]
    pub base: Option<PathBuf>,
    /// Boot this smss.exe on the shim instead of ours, such as ReactOS' own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub smss: Option<PathBuf>,
    /// Boot with this ntdll.dll instead of the shim's, such as ReactOS' own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ntdll: Option<PathBuf>,
    /// Take both, smss.exe and ntdll.dll, from this ReactOS live CD.
    #[arg(long, value_name = "REACTOS.iso", conflicts_with_all = ["smss", "ntdll"], value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
    /// Take these programs from it as well.
    #[arg(
        long,
        value_enum,
        value_name = "PROGRAM",
        value_delimiter = ',',
        requires = "from"
    )]
    pub with: Vec<Program>,
    /// The user's own hives, files, program and disk.
    #[command(flatten)]
    pub supplies: Supplies,
}

/// Options of `gdb`.
#[derive(Args)]
pub struct GdbOptions {
    /// Only print the command lines for a debugger of your own, and leave the machine stopped.
    #[arg(long)]
    pub attach: bool,
    /// Write a launch configuration for Visual Studio Code instead of a session, and leave the
    /// machine stopped for it.
    #[arg(long, conflicts_with_all = ["attach", "batch"])]
    pub vscode: bool,
    /// Debug the optimised image instead of the development one.
    #[arg(long)]
    pub release: bool,
    /// The machine that the shim is to its programs [default: amd64]; a ReactOS says itself for which it is.
    #[arg(long, value_enum, conflicts_with = "base")]
    pub arch: Option<Arch>,
    /// Debug our smss.exe on this real ReactOS, a live CD or a disk image, instead of on the shim.
    #[arg(long, value_name = "REACTOS", conflicts_with_all = SUPPLIES, value_hint = ValueHint::FilePath)]
    pub base: Option<PathBuf>,
    /// From smss.exe's entry on, run these GDB commands and end, instead of a session: one an
    /// argument.
    #[arg(long, value_name = "COMMAND", conflicts_with = "attach")]
    pub batch: Vec<String>,
    /// The user's own hives, files, program and disk.
    #[command(flatten)]
    pub supplies: Supplies,
}
