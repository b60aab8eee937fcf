// SPDX-License-Identifier: GPL-2.0-or-later
//! The preflight: names everything missing on the host in one table, with the one command that
//! installs it.

use crate::cli::DoctorOptions;
use crate::ui::{self, Colour};
use anyhow::{Result, bail};
use std::process::Command;

/// What a verb is about to do, and needs tools for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Make media and boot them.
    Boot,
    /// Debug what has booted.
    Debug,
    /// Build the fuzz targets.
    Fuzz,
    /// Build xtask for Windows.
    Windows,
}

/// A program of the host, or a file without a program of its own, the Debian package that brings
/// it, and why it is needed.
struct Tool {
    name: &'static str,
    package: &'static str,
    need: Need,
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "qemu-system-x86_64",
        package: "qemu-system-x86",
        need: Need::Boot,
        purpose: "the machine that boots",
    },
    Tool {
        name: "setpriv",
        package: "util-linux",
        need: Need::Boot,
        purpose: "ends the machine when xtask is killed",
    },
    Tool {
        name: "grub-mkrescue",
        package: "grub-common",
        need: Need::Boot,
        purpose: "makes the boot ISO",
    },
    Tool {
        name: "/usr/lib/grub/i386-pc/multiboot2.mod",
        package: "grub-pc-bin",
        need: Need::Boot,
        purpose: "the BIOS boot loader on the ISO",
    },
    Tool {
        name: "xorriso",
        package: "xorriso",
        need: Need::Boot,
        purpose: "writes ISO 9660 for grub-mkrescue",
    },
    Tool {
        name: "mformat",
        package: "mtools",
        need: Need::Boot,
        purpose: "makes the FAT volume, fills it and reads it afterwards",
    },
    Tool {
        name: "gdb",
        package: "gdb",
        need: Need::Debug,
        purpose: "single-steps the image",
    },
    Tool {
        name: "g++",
        package: "g++",
        need: Need::Fuzz,
        purpose: "builds libFuzzer for `test --fuzz`",
    },
    Tool {
        name: "x86_64-w64-mingw32-gcc",
        package: "gcc-mingw-w64-x86-64",
        need: Need::Windows,
        purpose: "links xtask for Windows",
    },
];

impl Tool {
    fn is_there(&self) -> bool {
        let path = std::path::Path::new(self.name);
        if path.is_absolute() {
            path.exists()
        } else {
            which::which(self.name).is_ok()
        }
    }
}

/// Runs the verb.
pub fn verb(options: &DoctorOptions) -> Result<()> {
    preflight(
        options.install,
        &[Need::Boot, Need::Debug, Need::Fuzz, Need::Windows],
    )?;
    ui::verdict("this machine has everything");
    Ok(())
}

/// Checks the host for what these needs take; with `install`, and as root on a Debian-like system, installs what is missing
/// first.
pub fn preflight(install: bool, needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    println!("{:<22} {:<18} needed for", "missing", "Debian package");
    for tool in &missing {
        // Padded before it is painted: colours have no width.
        let name = ui::paint(Colour::Yellow, &format!("{:<22}", tool.name));
        println!("{name} {:<18} {}", tool.package, tool.purpose);
    }
    let mut packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    let command = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if !install {
        bail!(
            "{} tools are missing; install them with `{command}`, or run the same verb again with --install",
            missing.len()
        );
    }
    ui::step(&command);
    let status = Command::new("sh")
        .args(["-c", &command])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(std::process::Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => bail!("`{command}` ended with {status}; it needs root on Debian or Ubuntu"),
        Err(error) => bail!("cannot run sh: {error}"),
    }
    if let Some(tool) = self::missing(needs).first() {
        bail!(
            "{} is still missing after its package {} was installed",
            tool.name,
            tool.package
        );
    }
    Ok(())
}

fn missing(needs: &[Need]) -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| needs.contains(&tool.need) && !tool.is_there())
        .collect()
}
