// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: verbs and their options, and nothing else.

use crate::medium::supplies::Supplies;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Build, boot, test and debug the Session Manager.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// Prints the completions of a shell, for the alias `xtask`: shells have none for what comes
    /// behind `cargo`.
    pub fn completions(options: &CompletionsOptions, out: &mut dyn std::io::Write) {
        let mut command = Self::command().name(ALIAS).bin_name(ALIAS);
        clap_complete::generate(options.shell, &mut command, ALIAS, out);
    }

    /// Reads a command line.
    ///
    /// # Errors
    /// An option that is unknown, or that would have no effect beside the others: what a typo or a
    /// misunderstanding asked for must not pass as done.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(words)?;
        if let Verb::Run(options) = &cli.verb
            && let Some(kill) = options.kill
            && !kill.stops(options.nt)
        {
            return Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                format!(
                    "--kill {}: its end does not stop a system of NT {}",
                    kill.text(),
                    options.nt.text()
                ),
            ));
        }
        Ok(cli)
    }
}

/// What people call `cargo xtask` for short.
const ALIAS: &str = "xtask";

/// The verbs.
#[derive(Subcommand)]
pub enum Verb {
    /// Build smss.exe and everything around it; print its size and imports.
    #[command(after_help = "Example:\n  cargo xtask build --dev")]
    Build(BuildOptions),
    /// Measure the image against its budgets: size, private memory, system calls, time until ring
    /// 3.
    #[command(after_help = "Example:\n  cargo xtask budgets --from reactos-livecd.iso")]
    Budgets(BudgetsOptions),
    /// Build, make the boot medium, boot it in QEMU.
    #[command(after_help = "Example:\n  cargo xtask run --direct --headless --exit --dump")]
    Run(RunOptions),
    /// Run the host tests, then the QEMU tests.
    #[command(after_help = "Example:\n  cargo xtask test winlogon --qemu-only")]
    Test(TestOptions),
    /// Play histories drawn from seeds on the host: schedules, failing calls, deaths, power cuts.
    #[command(after_help = "Example:\n  cargo xtask simulate --seed 17 --replay")]
    Simulate(SimulateOptions),
    /// Pass every gate: format, clippy, reference, tests.
    #[command(after_help = "Example:\n  cargo xtask ci --only format --only clippy")]
    Ci(CiOptions),
    /// Show which lines of the Session Manager the host tests reach, by file.
    #[command(after_help = "Example:\n  cargo xtask coverage boot pagefile")]
    Coverage(CoverageOptions),
    /// Build the reference of the whole workspace.
    #[command(after_help = "Example:\n  cargo xtask doc")]
    Doc,
    /// Make the boot ISO.
    #[command(
        after_help = "Example:\n  cargo xtask iso --base reactos-livecd.iso --out patched.iso"
    )]
    Iso(IsoOptions),
    /// Say what a boot with a hive would do, without a machine.
    #[command(after_help = "\
The exit code is 0 if the boot settles, 1 if it stops, 2 if a file cannot be used.

Example:
  cargo xtask plan SYSTEM --software SOFTWARE --nt 6.1")]
    Plan(PlanOptions),
    /// Print the completions of a shell for `xtask`, an alias of `cargo xtask`.
    #[command(
        after_help = "Example:\n  cargo xtask completions bash > ~/.local/share/bash-completion/completions/xtask"
    )]
    Completions(CompletionsOptions),
    /// Show what this machine lacks.
    #[command(after_help = "Example:\n  cargo xtask doctor --install")]
    Doctor(DoctorOptions),
    /// Boot stopped, with GDB attached at smss.exe's entry in ring 3.
    #[command(
        after_help = "Example:\n  cargo xtask gdb --batch \"break smss::main\" --batch continue --batch bt"
    )]
    Gdb(GdbOptions),
    /// Save a picture of the screen of the machine that `run` or `gdb` has going.
    #[command(after_help = "Example:\n  cargo xtask shot screen.png")]
    Shot(ShotOptions),
    /// Ask the Session Manager of the shim that `run` has going: its sessions, new ones, programs
    /// in them.
    #[command(after_help = "Example:\n  cargo xtask sm list")]
    Sm(SmOptions),
    /// Compare system-call traces.
    #[command(
        after_help = "Example:\n  cargo xtask trace diff before/trace.txt target/run/trace.txt"
    )]
    Trace(TraceOptions),
    /// Boot ReactOS' Session Manager and ours on the shim and explain every difference.
    #[command(after_help = "Example:\n  cargo xtask compare --from reactos-livecd.iso")]
    Compare(CompareOptions),
    /// Put our image into a ReactOS build tree, or take it out again.
    #[command(after_help = "Example:\n  cargo xtask install --tree ~/reactos/output-MinGW-amd64")]
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
const SHIM_ONLY: [&str; 17] = [
    "dump",
    "json",
    "trace",
    "direct",
    "nt",
    "kill",
    "smss",
    "ntdll",
    "from",
    "hive",
    "file",
    "disk",
    "keep",
    "boot_options",
    "program",
    "arguments",
    "role",
];

/// What a real ReactOS has of its own.
const SUPPLIES: [&str; 8] = [
    "hive",
    "file",
    "disk",
    "keep",
    "boot_options",
    "program",
    "arguments",
    "role",
];

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
    #[arg(long, value_enum, value_name = "PROCESS")]
    pub kill: Option<Kill>,
    /// Memory of the machine in MiB [default: 512; 1024 with --base].
    #[arg(long, value_parser = clap::value_parser!(u32).range(64..))]
    pub memory: Option<u32>,
    /// Save a picture of the screen (PNG) when the run has settled.
    #[arg(long, value_name = "FILE")]
    pub shot: Option<PathBuf>,
    /// Boot this real ReactOS, a CD or a disk image, with our smss.exe in it, instead of the shim.
    #[arg(long, value_name = "REACTOS", conflicts_with_all = SHIM_ONLY)]
    pub base: Option<PathBuf>,
    /// Boot this smss.exe on the shim instead of ours, such as ReactOS' own.
    #[arg(long, value_name = "FILE")]
    pub smss: Option<PathBuf>,
    /// Boot with this ntdll.dll instead of the shim's, such as ReactOS' own.
    #[arg(long, value_name = "FILE")]
    pub ntdll: Option<PathBuf>,
    /// Take both, smss.exe and ntdll.dll, from this ReactOS live CD.
    #[arg(long, value_name = "REACTOS.iso", conflicts_with_all = ["smss", "ntdll"])]
    pub from: Option<PathBuf>,
    /// What the person brings.
    #[command(flatten)]
    pub supplies: Supplies,
}

/// Options of `simulate`.
#[derive(Args)]
pub struct SimulateOptions {
    /// How many histories.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub seeds: u64,
    /// This history alone.
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Show it call by call, and do not look for a shorter one.
    #[arg(long, requires = "seed")]
    pub replay: bool,
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

/// Options of `coverage`.
#[derive(Args)]
pub struct CoverageOptions {
    /// Only the tests of these crates; all below `crates/` without any.
    pub crates: Vec<String>,
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

/// Options of `completions`.
#[derive(Args)]
pub struct CompletionsOptions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Options of `plan`.
#[derive(Args, Default)]
pub struct PlanOptions {
    /// A SYSTEM hive, or .reg text over the default one.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A SOFTWARE hive, or .reg text over the default one.
    #[arg(long, value_name = "FILE")]
    pub software: Option<PathBuf>,
    /// A disk image whose first FAT volume is drive C:; it is not written.
    #[arg(long, value_name = "IMAGE", conflicts_with = "tree")]
    pub disk: Option<PathBuf>,
    /// A folder with what is on drive C:; it is not written.
    #[arg(long, value_name = "DIR")]
    pub tree: Option<PathBuf>,
    /// The NT version the kernel reports.
    #[arg(long, value_enum, default_value_t)]
    pub nt: NtVersion,
    /// Assume nothing: a program that is not on the volume is missing.
    #[arg(long)]
    pub strict: bool,
    /// As JSON, with everything that stands at the end.
    #[arg(long)]
    pub json: bool,
}

/// Options of `test`.
#[derive(Args, Default)]
pub struct TestOptions {
    /// Install what is missing first (Debian and Ubuntu, as root).
    #[arg(long)]
    pub install: bool,
    /// Only the tests whose name contains this text.
    pub filter: Option<String>,
    /// Show what there is instead of running it.
    #[arg(long, conflicts_with_all = ["fuzz", "faults", "bless"])]
    pub list: bool,
    /// Fuzz every parser instead, for a bounded number of inputs.
    #[arg(long, conflicts_with_all = ["filter", "faults", "bless", "host_only", "qemu_only"])]
    pub fuzz: bool,
    /// Fail every system call of a default boot instead, one after the other, and print a table of
    /// outcomes.
    #[arg(long, conflicts_with_all = ["filter", "bless", "host_only", "qemu_only"])]
    pub faults: bool,
    /// Write the golden dumps anew instead of comparing with them.
    #[arg(long, conflicts_with = "host_only")]
    pub bless: bool,
    /// Leave the QEMU tests out.
    #[arg(long, conflicts_with = "qemu_only")]
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
    /// Debug our smss.exe on this real ReactOS, a live CD or a disk image, instead of on the shim.
    #[arg(long, value_name = "REACTOS", conflicts_with_all = SUPPLIES)]
    pub base: Option<PathBuf>,
    /// From smss.exe's entry on, run these GDB commands and end, instead of a session: one an
    /// argument.
    #[arg(long, value_name = "COMMAND", conflicts_with = "attach")]
    pub batch: Vec<String>,
    /// What the person brings.
    #[command(flatten)]
    pub supplies: Supplies,
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
    /// Count the calls of a trace by name: how often, how many failed, how long they waited.
    Stat {
        /// The trace, as text (`trace.txt`).
        trace: PathBuf,
        /// Only the calls of this program, such as `smss.exe`.
        #[arg(long)]
        program: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(
            std::iter::once("xtask")
                .chain(line.split_whitespace())
                .map(OsString::from),
        )
    }

    #[test]
    fn the_help_of_every_verb_ends_with_an_example_that_is_understood() {
        let cli = Cli::command();
        for verb in cli.get_subcommands() {
            let name = verb.get_name();
            let help = verb.clone().render_long_help().to_string();
            let (_, example) = help
                .rsplit_once("Example:\n")
                .unwrap_or_else(|| panic!("the help of `{name}` has no example"));
            let example = example.trim();
            let words = example
                .strip_prefix("cargo xtask ")
                .unwrap_or_else(|| panic!("`{example}` is no call of xtask"));
            assert!(words.starts_with(name), "`{example}` shows another verb");
            // Where its output goes is the shell's. An argument in quotes is one word.
            let words = words.split(" > ").next().unwrap_or_default();
            let words = words.split('"').enumerate().flat_map(|(part, text)| {
                if part % 2 == 1 {
                    vec![text]
                } else {
                    text.split_whitespace().collect()
                }
            });
            let read = Cli::read(std::iter::once("xtask").chain(words).map(OsString::from));
            assert!(read.is_ok(), "`{example}`: {}", read.err().unwrap());
        }
    }

    #[test]
    fn what_would_have_no_effect_is_a_usage_error() {
        for line in [
            "run --kill explorer",
            "run --kill wininit",
            "run --nt 6.1 --kill winlogon",
            "run --nt 7",
            "run --memory 0",
            "run --json",
            "run --base a.iso --dump",
            "run --base a.iso --kill csrss",
            "run --base a.iso --nt 6.1",
            "run --from a.iso --smss b.exe",
            "test --fuzz hive",
            "test --faults hive",
            "test --host-only --qemu-only",
            "test --bless --host-only",
            "test --list --faults",
            "gdb --attach --batch bt",
            "ci --only everything",
            "run --keep",
            "run --program helo",
            "run --role initial",
            "run --arguments x",
            "run --base a.iso --program hello",
            "run --hive SOFTWRE=a.hiv",
            "run --file a=..",
            "run --boot-options exit=settled",
            "run --base a.iso --hive a.hiv",
            "gdb --base a.iso --file a.exe",
            "iso --base a.iso --disk b.img",
        ] {
            let error = read(line)
                .err()
                .unwrap_or_else(|| panic!("`{line}` passes"));
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn every_shell_has_completions_of_every_verb() {
        for &shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            Cli::completions(&CompletionsOptions { shell }, &mut script);
            let script = String::from_utf8(script).unwrap();
            for verb in Cli::command().get_subcommands() {
                assert!(
                    script.contains(verb.get_name()),
                    "{shell}: {}",
                    verb.get_name()
                );
            }
            assert!(script.contains("boot-options"), "{shell}");
        }
    }

    #[test]
    fn only_what_stops_the_system_can_be_killed() {
        for line in [
            "run --kill csrss",
            "run --kill winlogon",
            "run --nt 6.1 --kill csrss",
            "run --nt 6.1 --kill wininit",
        ] {
            assert!(read(line).is_ok(), "{line}");
        }
    }
}
