// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: verbs and their options, and nothing else.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Build, boot, test and debug the Session Manager.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Subcommand)]
pub enum Verb {
    /// Build smss.exe and everything around it; print its size and imports.
    Build(BuildOptions),
    /// Measure the image against its budgets: size, private memory, system calls, time until ring
    /// 3.
    Budgets(BudgetsOptions),
    /// Build, make the boot medium, boot it in QEMU.
    Run(RunOptions),
    /// Run the host tests, then the QEMU tests.
    Test(TestOptions),
    /// Pass every gate: format, clippy, reference, tests.
    Ci(CiOptions),
    /// Build the reference of the whole workspace.
    Doc,
    /// Make the boot ISO.
    Iso(IsoOptions),
    /// Show what this machine lacks.
    Doctor(DoctorOptions),
    /// Boot stopped, with GDB attached at smss.exe's entry in ring 3.
    Gdb(GdbOptions),
    /// Save a picture of the screen of the machine that `run` or `gdb` has going.
    Shot(ShotOptions),
    /// Ask the Session Manager of the shim that `run` has going: its sessions, new ones, programs
    /// in them.
    Sm(SmOptions),
    /// Compare system-call traces.
    Trace(TraceOptions),
    /// Boot ReactOS' Session Manager and ours on the shim and explain every difference.
    Compare(CompareOptions),
    /// Put our image into a ReactOS build tree, or take it out again.
    Install(InstallOptions),
}

/// Options of `build`.
#[derive(Args, Default)]
pub struct BuildOptions {
    /// Without optimisation, quicker to build and easier to step through.
    #[arg(long)]
    pub dev: bool,
}

/// Options of `budgets`.
#[derive(Args, Default)]
pub struct BudgetsOptions {
    /// A ReactOS live CD: system calls are then counted on its ntdll.dll, SYSTEM hive and known
    /// DLLs.
    #[arg(long, value_name = "REACTOS.iso")]
    pub from: Option<PathBuf>,
    /// Changes to that hive, such as the Session Manager key of an installed system.
    #[arg(long, value_name = "FILE.reg", requires = "from")]
    pub hive: Option<PathBuf>,
}

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

/// Options of `run`.
#[derive(Args, Default)]
pub struct RunOptions {
    /// Install what is missing first (Debian and Ubuntu, as root).
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
    /// Boot the kernel directly instead of from the ISO: quicker, no boot menu.
    #[arg(long)]
    pub direct: bool,
    /// The NT version the shim reports.
    #[arg(long, value_enum, default_value_t)]
    pub nt: NtVersion,
    /// End this process once the system has settled, to see the C000021A stop.
    #[arg(long, value_name = "csrss|winlogon")]
    pub kill: Option<String>,
    /// Memory of the machine in MiB.
    #[arg(long, default_value_t = 512)]
    pub memory: u32,
    /// Save a picture of the screen (PNG) when the run has settled.
    #[arg(long, value_name = "FILE")]
    pub shot: Option<PathBuf>,
    /// Boot this real ReactOS ISO with our smss.exe in it, instead of the shim.
    #[arg(long, value_name = "REACTOS.iso")]
    pub base: Option<PathBuf>,
    /// Boot this smss.exe on the shim instead of ours, such as ReactOS' own.
    #[arg(long, value_name = "FILE")]
    pub smss: Option<PathBuf>,
    /// Boot with this ntdll.dll instead of the shim's, such as ReactOS' own.
    #[arg(long, value_name = "FILE")]
    pub ntdll: Option<PathBuf>,
    /// Take both, smss.exe and ntdll.dll, from this ReactOS live CD.
    #[arg(long, value_name = "REACTOS.iso")]
    pub from: Option<PathBuf>,
}

/// A gate of `ci`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gate {
    /// rustfmt.
    Format,
    /// clippy on every target.
    Clippy,
    /// rustdoc of the whole workspace.
    Doc,
    /// The host tests and the QEMU tests.
    Tests,
}

/// Options of `ci`.
#[derive(Args)]
pub struct CiOptions {
    /// Install what is missing first (Debian and Ubuntu, as root).
    #[arg(long)]
    pub install: bool,
    /// Only this gate; may be given more than once.
    #[arg(long, value_enum, value_name = "GATE")]
    pub only: Vec<Gate>,
}

/// Options of `test`.
#[derive(Args, Default)]
pub struct TestOptions {
    /// Install what is missing first (Debian and Ubuntu, as root).
    #[arg(long)]
    pub install: bool,
    /// Only the tests whose name contains this text.
    pub filter: Option<String>,
    /// Fuzz every parser instead, for a bounded number of inputs.
    #[arg(long)]
    pub fuzz: bool,
    /// Fail every system call of a default boot instead, one after the other, and print a table of
    /// outcomes.
    #[arg(long)]
    pub faults: bool,
    /// Write the golden dumps anew instead of comparing with them.
    #[arg(long)]
    pub bless: bool,
    /// Leave the QEMU tests out.
    #[arg(long)]
    pub host_only: bool,
    /// Leave the host tests out.
    #[arg(long)]
    pub qemu_only: bool,
}

/// Options of `iso`.
#[derive(Args, Default)]
pub struct IsoOptions {
    /// Where the result goes.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Pack our smss.exe into a copy of this ReactOS ISO instead of making our own.
    #[arg(long, value_name = "REACTOS.iso", conflicts_with = "disk")]
    pub base: Option<PathBuf>,
    /// Put our smss.exe into a copy of this disk image of an installed ReactOS.
    #[arg(long, value_name = "IMAGE")]
    pub disk: Option<PathBuf>,
}

/// Options of `install`.
#[derive(Args)]
pub struct InstallOptions {
    /// The ReactOS build tree (the folder that ninja runs in).
    #[arg(long, value_name = "DIR")]
    pub tree: PathBuf,
    /// Bring the original back.
    #[arg(long)]
    pub undo: bool,
}

/// Options of `doctor`.
#[derive(Args)]
pub struct DoctorOptions {
    /// Install what is missing (Debian and Ubuntu, as root).
    #[arg(long)]
    pub install: bool,
}

/// Options of `compare`.
#[derive(Args)]
pub struct CompareOptions {
    /// A ReactOS live CD that ReactOS' own smss.exe, ntdll.dll, SYSTEM hive and known DLLs come
    /// from.
    #[arg(long, value_name = "REACTOS.iso")]
    pub from: PathBuf,
    /// Changes to that hive, such as the Session Manager key of an installed system.
    #[arg(long, value_name = "FILE.reg")]
    pub hive: Option<PathBuf>,
}

/// Options of `gdb`.
#[derive(Args)]
pub struct GdbOptions {
    /// Only print the command lines for a debugger of your own, and leave the machine stopped.
    #[arg(long)]
    pub attach: bool,
    /// Debug the optimised image instead of the development one.
    #[arg(long)]
    pub release: bool,
    /// Debug our smss.exe on this real ReactOS live CD instead of on the shim.
    #[arg(long, value_name = "REACTOS.iso")]
    pub base: Option<PathBuf>,
    /// Run these GDB commands and end, instead of a session: one an argument.
    #[arg(long, value_name = "COMMAND")]
    pub batch: Vec<String>,
}

/// Options of `shot`.
#[derive(Args)]
pub struct ShotOptions {
    /// The PNG file.
    pub file: PathBuf,
}

/// Options of `trace`.
#[derive(Args)]
pub struct TraceOptions {
    /// What to do with traces.
    #[command(subcommand)]
    pub action: TraceAction,
}

/// What `trace` can do.
#[derive(Subcommand)]
pub enum TraceAction {
    /// Compare two traces call by call; times, handles and addresses do not count.
    Diff {
        /// One trace, as text (`trace.txt`).
        left: PathBuf,
        /// The other.
        right: PathBuf,
    },
}

/// Options of `sm`.
#[derive(Args)]
pub struct SmOptions {
    /// What to ask for.
    #[command(subcommand)]
    pub action: SmAction,
}

/// What `sm` can ask for.
#[derive(Subcommand)]
pub enum SmAction {
    /// Every subsystem server, with its session and the session's initial command.
    List,
    /// A new session.
    Start {
        /// Its initial command, if not the default one: an NT path and arguments.
        #[arg(trailing_var_arg = true)]
        command: Vec<String>,
    },
    /// The end of a session.
    Stop {
        /// The session's number.
        session: u32,
    },
    /// A program in a session.
    Exec {
        /// The session's number.
        session: u32,
        /// The program, an NT path, and its arguments.
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<String>,
    },
    /// An `Optional` subsystem.
    Load {
        /// Its value name, such as `Posix`.
        name: String,
    },
}
