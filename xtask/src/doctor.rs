// SPDX-License-Identifier: GPL-2.0-or-later
//! The preflight: names everything missing on the host in one table, with the one command that
//! installs it; and `cargo xtask doctor`, which says for each verb whether it would work here.
//!
//! Everything that is no more than a build with rustup's toolchain needs nothing from here.

use crate::cli::DoctorOptions;
use crate::ui::{self, Colour};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a verb is about to do, and needs tools for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Boot the shim's kernel from a disk.
    Machine,
    /// Make a boot disc; without one, the kernel is booted directly.
    Disc,
    /// Debug what has booted.
    Debug,
    /// Build the fuzz targets.
    Fuzz,
    /// Build xtask for Windows.
    Windows,
}

impl Need {
    const ALL: [Self; 5] = [
        Self::Machine,
        Self::Disc,
        Self::Debug,
        Self::Fuzz,
        Self::Windows,
    ];
}

/// Who installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Manager {
    /// Its program.
    program: &'static str,
    /// Whose it is.
    system: &'static str,
    /// What its command line begins with.
    command: &'static str,
}

/// In the order of [`Tool::packages`]. The first whose program is there is this host's.
const MANAGERS: [Manager; 5] = [
    Manager {
        program: "apt-get",
        system: "Debian, Ubuntu",
        command: "apt-get update && apt-get install -y --no-install-recommends",
    },
    Manager {
        program: "dnf",
        system: "Fedora",
        command: "dnf install -y",
    },
    Manager {
        program: "pacman",
        system: "Arch",
        command: "pacman -S --needed --noconfirm",
    },
    Manager {
        program: "brew",
        system: "Homebrew",
        command: "brew install",
    },
    Manager {
        program: "winget",
        system: "winget",
        command: "winget install -e --id",
    },
];

/// A program of the host, or a file without a program of its own, the package that brings it with
/// each of [`MANAGERS`], if one does, and why it is needed.
pub struct Tool {
    /// The program, or the file's path.
    pub name: &'static str,
    packages: [Option<&'static str>; MANAGERS.len()],
    need: Need,
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "qemu-system-x86_64",
        packages: [
            Some("qemu-system-x86"),
            Some("qemu-system-x86"),
            Some("qemu-system-x86"),
            Some("qemu"),
            Some("SoftwareFreedomConservancy.QEMU"),
        ],
        need: Need::Machine,
        purpose: "the machine that boots",
    },
    // Where there is no such program, QEMU is ended by xtask alone.
    #[cfg(target_os = "linux")]
    Tool {
        name: "setpriv",
        packages: [
            Some("util-linux"),
            Some("util-linux"),
            Some("util-linux"),
            None,
            None,
        ],
        need: Need::Machine,
        purpose: "ends the machine when xtask is killed",
    },
    Tool {
        name: GRUB[0],
        packages: [
            Some("grub-common"),
            Some("grub2-tools-extra"),
            Some("grub"),
            None,
            None,
        ],
        need: Need::Disc,
        purpose: "makes the boot ISO",
    },
    Tool {
        name: "/usr/lib/grub/i386-pc/multiboot2.mod",
        packages: [
            Some("grub-pc-bin"),
            Some("grub2-pc-modules"),
            Some("grub"),
            None,
            None,
        ],
        need: Need::Disc,
        purpose: "the BIOS boot loader on the ISO",
    },
    Tool {
        name: "xorriso",
        packages: [
            Some("xorriso"),
            Some("xorriso"),
            Some("libisoburn"),
            Some("xorriso"),
            None,
        ],
        need: Need::Disc,
        purpose: "writes ISO 9660 for grub-mkrescue",
    },
    Tool {
        name: "gdb",
        packages: [
            Some("gdb"),
            Some("gdb"),
            Some("gdb"),
            Some("gdb"),
            Some("BrechtSanders.WinLibs.POSIX.UCRT"),
        ],
        need: Need::Debug,
        purpose: "single-steps the image",
    },
    Tool {
        name: "g++",
        packages: [Some("g++"), Some("gcc-c++"), Some("gcc"), Some("gcc"), None],
        need: Need::Fuzz,
        purpose: "builds libFuzzer for `test --fuzz`",
    },
    Tool {
        name: "x86_64-w64-mingw32-gcc",
        packages: [
            Some("gcc-mingw-w64-x86-64"),
            Some("mingw64-gcc"),
            Some("mingw-w64-gcc"),
            Some("mingw-w64"),
            Some("BrechtSanders.WinLibs.POSIX.UCRT"),
        ],
        need: Need::Windows,
        purpose: "links xtask for Windows",
    },
];

/// Every verb, with what it needs beyond rustup's toolchain.
const VERBS: &[(&str, &[Need])] = &[
    ("build", &[]),
    ("budgets", &[Need::Machine]),
    ("run", &[Need::Machine]),
    ("test", &[Need::Machine, Need::Debug]),
    ("simulate", &[]),
    (
        "ci",
        &[Need::Machine, Need::Debug, Need::Windows, Need::Fuzz],
    ),
    ("coverage", &[]),
    ("mutants", &[]),
    ("dist", &[]),
    ("doc", &[]),
    ("iso", &[Need::Disc]),
    ("plan", &[]),
    ("completions", &[]),
    ("doctor", &[]),
    ("gdb", &[Need::Machine, Need::Debug]),
    ("shot", &[Need::Machine]),
    ("sm", &[Need::Machine]),
    ("trace", &[]),
    ("report", &[]),
    ("chart", &[]),
    ("compare", &[Need::Machine]),
    ("install", &[]),
    // With an option, they need more or less.
    ("test --host-only", &[]),
    ("test --fuzz", &[Need::Fuzz]),
    ("iso --base", &[]),
];

impl Tool {
    fn is_there(&self) -> bool {
        let path = Path::new(self.name);
        if path.is_absolute() {
            path.exists()
        } else if self.name == GRUB[0] {
            grub_mkrescue().is_some()
        } else {
            which::which(self.name).is_ok()
        }
    }
}

/// GRUB's maker of discs; Fedora calls it by the second name.
const GRUB: [&str; 2] = ["grub-mkrescue", "grub2-mkrescue"];

/// GRUB's maker of discs, if it is here.
pub fn grub_mkrescue() -> Option<PathBuf> {
    GRUB.iter().find_map(|name| which::which(name).ok())
}

/// Runs the verb.
pub fn verb(options: &DoctorOptions) -> Result<()> {
    if options.install {
        preflight(true, &Need::ALL)?;
    }
    ui::step("what works here");
    for (verb, needs) in VERBS {
        let absent: Vec<&str> = missing(needs).iter().map(|tool| tool.name).collect();
        let verdict = match absent.as_slice() {
            [] => ui::paint(Colour::Green, "yes"),
            names => format!(
                "{} without {}",
                ui::paint(Colour::Yellow, "no,"),
                names.join(", ")
            ),
        };
        ui::note(&format!("{verb:<18} {verdict}"));
    }
    let absent = missing(&Need::ALL);
    if !absent.is_empty() {
        ui::step("what brings it");
        for (number, manager) in MANAGERS.iter().enumerate() {
            let names = packages(&absent, number);
            if !names.is_empty() {
                ui::note(&format!("{:<15} {}", manager.system, names.join(" ")));
            }
        }
    }
    preflight(false, &Need::ALL)?;
    ui::verdict("this machine has everything");
    Ok(())
}

/// The packages that bring these tools with the manager of this number, each once.
fn packages(tools: &[&Tool], manager: usize) -> Vec<&'static str> {
    let mut names: Vec<&str> = tools
        .iter()
        .filter_map(|tool| tool.packages[manager])
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The manager of this host, by its number.
fn manager() -> Option<usize> {
    MANAGERS
        .iter()
        .position(|manager| which::which(manager.program).is_ok())
}

/// The command line that installs packages: winget takes one at a time.
fn command(manager: &Manager, packages: &[&str]) -> String {
    if manager.program == "winget" {
        let each: Vec<String> = packages
            .iter()
            .map(|package| format!("{} {package}", manager.command))
            .collect();
        return each.join(" && ");
    }
    format!("{} {}", manager.command, packages.join(" "))
}

/// Checks the host for what these needs take; with `install`, installs what is missing first.
///
/// # Errors
/// Something is missing, and is so afterwards.
pub fn preflight(install: bool, needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let manager = manager();
    let system = manager.map_or("", |number| MANAGERS[number].system);
    ui::say(&format!("{:<38} {system:<22} needed for", "missing"));
    for tool in &missing {
        // Padded before it is painted: colours have no width.
        let name = ui::paint(Colour::Yellow, &format!("{:<38}", tool.name));
        let package = manager.and_then(|number| tool.packages[number]);
        let package = package.unwrap_or("(no package)");
        ui::say(&format!("{name} {package:<22} {}", tool.purpose));
    }
    let number = manager.with_context(|| {
        format!(
            "{} tools are missing, and there is no package manager here that this project knows",
            missing.len()
        )
    })?;
    let names = packages(&missing, number);
    if names.is_empty() {
        bail!(
            "{} tools are missing, and {system} has no package of them",
            missing.len()
        );
    }
    let command = command(&MANAGERS[number], &names);
    if !install {
        bail!(
            "{} tools are missing; install them with `{command}`, or run the same verb again with --install",
            missing.len()
        );
    }
    ui::step(&command);
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let status = Command::new(shell)
        .args([flag, &command])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(std::process::Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => bail!("`{command}` ended with {status}; it may need root"),
        Err(error) => bail!("cannot run {shell}: {error}"),
    }
    if let Some(tool) = self::missing(needs).first() {
        bail!("{} is still missing after `{command}`", tool.name);
    }
    Ok(())
}

/// The tools that these needs take and that are not here.
pub fn missing(needs: &[Need]) -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| needs.contains(&tool.need) && !tool.is_there())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn something_is_known_of_every_verb() {
        for verb in Cli::command().get_subcommands() {
            let name = verb.get_name();
            assert!(VERBS.iter().any(|(known, _)| *known == name), "{name}");
        }
        for (line, _) in VERBS {
            let verb = line.split(' ').next().unwrap_or_default();
            assert!(
                Cli::command().find_subcommand(verb).is_some(),
                "{line} is no verb"
            );
        }
    }

    #[test]
    fn every_need_can_be_met_on_a_debian() {
        for tool in TOOLS {
            assert!(tool.packages[0].is_some(), "{}", tool.name);
        }
        for need in Need::ALL {
            assert!(TOOLS.iter().any(|tool| tool.need == need), "{need:?}");
        }
    }

    #[test]
    fn the_command_installs_each_package_once() {
        let tools: Vec<&Tool> = TOOLS
            .iter()
            .filter(|tool| tool.need == Need::Disc)
            .collect();
        assert_eq!(packages(&tools, 2), ["grub", "libisoburn"]);
        assert_eq!(packages(&tools, 4), Vec::<&str>::new());
        assert_eq!(
            command(&MANAGERS[4], &["a", "b"]),
            "winget install -e --id a && winget install -e --id b"
        );
    }
}
