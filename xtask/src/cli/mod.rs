// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: verbs and their options, and nothing else.

mod boot;
mod content;
mod given;
mod look;
#[cfg(test)]
mod tests;
mod together;

use crate::arch::Arch;
use crate::medium::system_root::SystemRoot;
use crate::reactos::programs::Program;
pub use boot::{GdbOptions, NtVersion, RunOptions};
use clap::builder::NonEmptyStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{
    ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint,
};
pub use look::{ChartOptions, ReportOptions};
use std::ffi::OsString;
use std::num::ParseIntError;
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
    /// misunderstanding asked for must not pass as done. What is named and is not there.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = Self::command();
        let matches = command.clone().try_get_matches_from(words);
        let matches = matches.map_err(|error| in_words(&command, error))?;
        let cli = Self::understood(&matches)?;
        // What is built of the command has the arguments of its verbs.
        let mut command = command;
        command.build();
        given::look(&command, &matches)?;
        given::environment(&command, |name| std::env::var_os(name))?;
        together::look(&cli.verb)
            .map_err(|why| command.error(ErrorKind::ValueValidation, format!("{why:#}")))?;
        Ok(cli)
    }

    /// What the words mean, whatever is or is not on this machine.
    fn understood(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let cli = Self::from_arg_matches(matches)?;
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

/// An error of a command line, where the one of a number says what its parser thinks.
fn in_words(command: &clap::Command, error: clap::Error) -> clap::Error {
    let number =
        std::error::Error::source(&error).is_some_and(|source| source.is::<ParseIntError>());
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let (value, argument) = (
        text(ContextKind::InvalidValue),
        text(ContextKind::InvalidArg),
    );
    match number {
        true => command.clone().error(
            ErrorKind::ValueValidation,
            format!("invalid value '{value}' for '{argument}': it is no number that it could be"),
        ),
        false => error,
    }
}

/// What people call `cargo xtask` for short.
const ALIAS: &str = "xtask";

/// The verbs.
#[derive(Subcommand)]
pub enum Verb {
    /// Build smss.exe and everything around it; print its size and imports.
    #[command(after_help = "Example:\n  cargo xtask build --arch i386")]
    Build(BuildOptions),
    /// Measure the image: size, private memory, system calls, instructions, time until ring 3.
    #[command(after_help = "Example:\n  cargo xtask budgets --arch i386")]
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
    /// Show whether the tests of a crate notice when its code is changed (wants cargo-mutants; hours).
    #[command(after_help = "Example:\n  cargo xtask mutants pagefile --file token.rs")]
    Mutants(MutantsOptions),
    /// Make the archive for those who do not build: image, debug file, sums, bill of materials.
    #[command(after_help = "Example:\n  cargo xtask dist --out smss.tar.gz")]
    Dist(DistOptions),
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
A hive names programs, DLLs and files that are on its own volume. Those that are not on the one
given, or on an empty one without --disk and --tree, are assumed to exist and are listed. A DLL that
is assumed imports nothing: the known DLLs are then those that the hive lists, without what they
import. The other hives are those of the volume, where it has them.

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
    /// Compare system-call traces, or count one.
    #[command(
        after_help = "Example:\n  cargo xtask trace diff before/trace.txt target/run/trace.txt"
    )]
    Trace(TraceOptions),
    /// Make one HTML page of a traced run: boot chart, changes, namespace, log, system calls.
    #[command(
        after_help = "Example:\n  cargo xtask report --against before/report.html --out report.html"
    )]
    Report(ReportOptions),
    /// Draw the boot chart of a traced run as SVG.
    #[command(after_help = "Example:\n  cargo xtask chart --out boot.svg")]
    Chart(ChartOptions),
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
    /// The machine to build for.
    #[arg(long, value_enum, default_value_t)]
    pub arch: Arch,
    /// Without optimisation, quicker to build and easier to step through.
    #[arg(long)]
    pub dev: bool,
}

/// Options of `budgets`.
#[derive(Args, Default)]
pub struct BudgetsOptions {
    /// The machine whose image is measured [default: that of ReactOS' images, or amd64].
    #[arg(long, value_enum)]
    pub arch: Option<Arch>,
    /// A ReactOS live CD: system calls are then counted on its ntdll.dll, SYSTEM hive and known
    /// DLLs.
    #[arg(long, value_name = "REACTOS.iso", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
    /// Changes to that hive, such as the Session Manager key of an installed system.
    #[arg(long, value_name = "FILE.reg", requires = "from", value_hint = ValueHint::FilePath)]
    pub hive: Option<PathBuf>,
    /// Show this many functions of each image, those that run the most instructions.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub functions: usize,
    /// Measure the images of both machines and write the figures to docs/budgets.txt, which `ci` holds
    /// a change against.
    #[arg(long, conflicts_with_all = ["arch", "from", "functions"])]
    pub record: bool,
    /// Show how the cost of a boot grows with what the registry asks for, at three sizes each; nothing
    /// else is measured. Some minutes.
    #[arg(long, conflicts_with_all = ["from", "functions", "record"])]
    pub growth: bool,
}

/// Options of `simulate`.
#[derive(Args)]
pub struct SimulateOptions {
    /// How many histories.
    #[arg(long, value_name = "N", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// This history alone.
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Show it call by call, and do not look for a shorter one.
    #[arg(long, requires = "seed")]
    pub replay: bool,
    /// Count lines as well, and name those of the crate `subsystems` that no history reached: a build of its own, slower histories.
    #[arg(long, conflicts_with = "seed")]
    pub lines: bool,
    /// Put faults back that no test had noticed, all or those that are named, one at a time, and play up to N histories until one finds it: a build each, in a clone of the last commit.
    #[arg(long, value_name = "FAULT", num_args = 0.., conflicts_with_all = ["seed", "lines"])]
    #[arg(value_parser = crate::simulate::put_back::known)]
    pub put_back: Option<Vec<String>>,
}

/// A gate of `ci`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gate {
    /// rustfmt.
    Format,
    /// clippy on every target.
    Clippy,
    /// xtask for Windows: cross-built, and walked through under Wine.
    Windows,
    /// The archive of `dist`: two clones give the same bytes.
    Dist,
    /// rustdoc of the whole workspace.
    Doc,
    /// The figures of docs/budgets.txt.
    Budgets,
    /// The host tests of the Session Manager on a host of 32 bits.
    I386,
    /// The host tests and the QEMU tests.
    Tests,
}

/// Options of `coverage`.
#[derive(Args)]
pub struct CoverageOptions {
    /// Only the tests of these crates; all below `crates/` without any.
    #[arg(value_parser = crate::coverage::known)]
    pub crates: Vec<String>,
}

/// Options of `mutants`.
#[derive(Args)]
pub struct MutantsOptions {
    /// Only these crates; without any, all that are held to a figure.
    #[arg(value_parser = crate::mutants::known)]
    pub crates: Vec<String>,
    /// Only one part of many of the changes, such as 0/4; the figure is that of the part.
    #[arg(long, value_name = "K/N", value_parser = crate::mutants::shard)]
    pub shard: Option<String>,
    /// Only the changes of sources whose name or path matches; may be given more than once.
    #[arg(long = "file", value_name = "GLOB")]
    pub files: Vec<String>,
}

/// Options of `ci`.
#[derive(Args)]
pub struct CiOptions {
    /// Install what is missing first, with this system's package manager (it may want root).
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
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// A SOFTWARE hive, or .reg text over the default one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub software: Option<PathBuf>,
    /// A disk image whose first FAT volume is drive C:; it is not written.
    #[arg(long, value_name = "IMAGE", conflicts_with = "tree", value_hint = ValueHint::FilePath)]
    pub disk: Option<PathBuf>,
    /// A folder with what is on drive C:; it is not written.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub tree: Option<PathBuf>,
    /// The folder of the system on drive C:, such as \WINDOWS [default: what its loader, SOFTWARE
    /// hive or volume says, or \ReactOS].
    #[arg(long, value_name = "\\PATH")]
    pub system_root: Option<SystemRoot>,
    /// The machine whose system it is [default: that of the images on drive C:, or amd64].
    #[arg(long, value_enum)]
    pub arch: Option<Arch>,
    /// The NT version the kernel reports.
    #[arg(long, value_enum, default_value_t)]
    pub nt: NtVersion,
    /// Assume nothing: a program, DLL or file that is not on the volume is missing.
    #[arg(long)]
    pub strict: bool,
    /// As JSON, with everything that stands at the end.
    #[arg(long)]
    pub json: bool,
}

/// Options of `test`.
#[derive(Args, Default)]
pub struct TestOptions {
    /// Install what is missing first, with this system's package manager (it may want root).
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
    /// Run the scenarios in QEMU on this machine alone.
    #[arg(long, value_enum, conflicts_with_all = ["bless", "host_only", "fuzz", "faults"])]
    pub arch: Option<Arch>,
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
    #[arg(long, value_name = "REACTOS.iso", group = "reactos", value_hint = ValueHint::FilePath)]
    pub base: Option<PathBuf>,
    /// Put our smss.exe into a copy of this disk image of an installed ReactOS.
    #[arg(long, value_name = "IMAGE", group = "reactos", value_hint = ValueHint::FilePath)]
    pub disk: Option<PathBuf>,
    /// Put this smss.exe in instead of building ours.
    #[arg(long, value_name = "FILE", requires = "reactos", value_hint = ValueHint::FilePath)]
    pub smss: Option<PathBuf>,
}

/// Options of `dist`.
#[derive(Args)]
pub struct DistOptions {
    /// The machine that the image is for.
    #[arg(long, value_enum, default_value_t)]
    pub arch: Arch,
    /// Where the archive goes [default: below target/dist].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Options of `install`.
#[derive(Args)]
pub struct InstallOptions {
    /// The ReactOS build tree (the folder that ninja runs in).
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub tree: PathBuf,
    /// Put this smss.exe in instead of building ours.
    #[arg(long, value_name = "FILE", conflicts_with = "undo", value_hint = ValueHint::FilePath)]
    pub smss: Option<PathBuf>,
    /// Bring the original back, and leave no trace.
    #[arg(long)]
    pub undo: bool,
}

/// Options of `doctor`.
#[derive(Args)]
pub struct DoctorOptions {
    /// Install what is missing, with this system's package manager (it may want root).
    #[arg(long)]
    pub install: bool,
}

/// Options of `compare`.
#[derive(Args)]
pub struct CompareOptions {
    /// A ReactOS live CD that ReactOS' own smss.exe, ntdll.dll, SYSTEM hive and known DLLs come
    /// from.
    #[arg(long, value_name = "REACTOS.iso", value_hint = ValueHint::FilePath)]
    pub from: PathBuf,
    /// Changes to that hive, such as the Session Manager key of an installed system.
    #[arg(long, value_name = "FILE.reg", value_hint = ValueHint::FilePath)]
    pub hive: Option<PathBuf>,
    /// Programs that come from there too, instead of the shim's stand-ins.
    #[arg(long, value_enum, value_name = "PROGRAM", value_delimiter = ',')]
    #[arg(default_value = "autochk,csrss")]
    pub with: Vec<Program>,
}

/// Options of `shot`.
#[derive(Args)]
pub struct ShotOptions {
    /// The PNG file.
    #[arg(value_name = "FILE")]
    pub out: PathBuf,
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
    #[command(
        after_help = "Example:\n  cargo xtask trace diff before/trace.txt target/run/trace.txt"
    )]
    Diff {
        /// One trace, as text (`trace.txt`).
        #[arg(value_hint = ValueHint::FilePath)]
        left: PathBuf,
        /// The other.
        #[arg(value_hint = ValueHint::FilePath)]
        right: PathBuf,
    },
    /// Count the calls of a trace by phase of the boot and by name: how often, how many failed, the
    /// time inside them, the time they waited.
    #[command(
        after_help = "Example:\n  cargo xtask trace stat target/run/trace.txt --program smss.exe"
    )]
    Stat {
        /// The trace, as text (`trace.txt`).
        #[arg(value_hint = ValueHint::FilePath)]
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
    #[command(after_help = "Example:\n  cargo xtask sm list")]
    List,
    /// A new session.
    #[command(after_help = "Example:\n  cargo xtask sm start")]
    Start {
        /// Its initial command, if not the default one: an NT path and arguments.
        #[arg(trailing_var_arg = true, value_parser = NonEmptyStringValueParser::new())]
        command: Vec<String>,
    },
    /// The end of a session.
    #[command(after_help = "Example:\n  cargo xtask sm stop 1")]
    Stop {
        /// The session's number.
        session: u32,
    },
    /// A program in a session.
    #[command(after_help = "Example:\n  cargo xtask sm exec 0 '\\SystemRoot\\System32\\env.exe'")]
    Exec {
        /// The session's number.
        session: u32,
        /// The program, an NT path, and its arguments.
        #[arg(trailing_var_arg = true, required = true)]
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        command: Vec<String>,
    },
    /// An `Optional` subsystem.
    #[command(after_help = "Example:\n  cargo xtask sm load Posix")]
    Load {
        /// Its value name, such as `Posix`.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
    },
}
