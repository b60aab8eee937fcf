// SPDX-License-Identifier: GPL-2.0-or-later
//! The preflight: names everything missing on the host in one table, with the one command that
//! installs it.

use crate::cli::DoctorOptions;
use crate::ui::{self, Colour};
use anyhow::{Result, bail};
use std::process::Command;

/// A program of the host, why it is needed, and the Debian package that brings it.
struct Tool {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "qemu-system-x86_64",
        package: "qemu-system-x86",
        purpose: "the machine that boots",
    },
    Tool {
        program: "grub-mkrescue",
        package: "grub-common",
        purpose: "makes the boot ISO",
    },
    Tool {
        program: "xorriso",
        package: "xorriso",
        purpose: "writes ISO 9660 for grub-mkrescue",
    },
    Tool {
        program: "mformat",
        package: "mtools",
        purpose: "reads the FAT volume from the host",
    },
    Tool {
        program: "gdb",
        package: "gdb",
        purpose: "single-steps the image",
    },
];

/// Files that no program name stands for.
const FILES: &[(&str, &str, &str)] = &[(
    "/usr/lib/grub/i386-pc/multiboot2.mod",
    "grub-pc-bin",
    "the BIOS boot loader on the ISO",
)];

/// Runs the verb.
pub fn verb(options: &DoctorOptions) -> Result<()> {
    preflight(options.install)?;
    ui::verdict("this machine has everything");
    Ok(())
}

/// Checks the host; with `install`, and as root on a Debian-like system, installs what is missing
/// first.
pub fn preflight(install: bool) -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    println!("{:<22} {:<18} needed for", "missing", "Debian package");
    for (name, package, purpose) in &missing {
        println!(
            "{:<22} {package:<18} {purpose}",
            ui::paint(Colour::Yellow, name)
        );
    }
    let mut packages: Vec<&str> = missing.iter().map(|&(_, package, _)| package).collect();
    packages.sort_unstable();
    packages.dedup();
    let command = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if !install {
        bail!(
            "{} programs are missing; install them with `{command}`, or run the same verb again with --install",
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
    let left = self::missing();
    if let Some((name, package, _)) = left.first() {
        bail!("{name} is still missing after its package {package} was installed");
    }
    Ok(())
}

fn missing() -> Vec<(&'static str, &'static str, &'static str)> {
    let programs = TOOLS
        .iter()
        .filter(|tool| which::which(tool.program).is_err())
        .map(|tool| (tool.program, tool.package, tool.purpose));
    let files = FILES
        .iter()
        .filter(|(path, ..)| !std::path::Path::new(path).exists())
        .copied();
    programs.chain(files).collect()
}
