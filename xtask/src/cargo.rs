// SPDX-License-Identifier: GPL-2.0-or-later
//! Calls of cargo: in the checkout, and for each world with the flags it needs.
//!
//! The workspace has three worlds. What `cargo test` at the top reaches is for the host; the
//! images of user mode are for the NT target, whose `core` is built with them; the kernel is for
//! the bare machine.

use crate::arch::Arch;
use crate::paths;
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// The Session Manager, with the flags that select its image.
pub const SMSS: &[&str] = &["-p", "smss", "--features", "smss/native", "--bin", "smss"];

/// The crates of the NT target, each with the flags that select its image.
pub const NT: [&[&str]; 3] = [
    SMSS,
    &["-p", "programs", "--features", "programs/native", "--bins"],
    &["-p", "shim-ntdll"],
];

/// The example programs, for the NT target as well; built when they are asked for.
pub const EXAMPLES: &[&str] = &["-p", "examples", "--bins"];

/// The crate of the bare machine.
pub const KERNEL: &[&str] = &["-p", "kernel"];

/// Cargo, in the checkout.
pub fn command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::root());
    command
}

/// The flags for a package of the NT target of a machine; `small` builds its `core` for size. The Session
/// Manager copies with what `ntdll.dll` exports for it (`crates/ntdll`, feature `mem`), all others bring that.
pub fn nt_flags(arch: Arch, package: &[&str], small: bool) -> Result<Vec<String>> {
    let target = paths::root().join(format!("{}.json", arch.target()));
    let target = target
        .to_str()
        .context("the checkout's path is not UTF-8")?;
    let features = [
        (package != SMSS, "compiler-builtins-mem"),
        (small, "optimize_for_size"),
    ];
    let features = features.iter().filter(|(wanted, _)| *wanted);
    let features: Vec<_> = features.map(|(_, name)| *name).collect();
    Ok(vec![
        "-Zbuild-std=core,alloc,compiler_builtins".into(),
        format!("-Zbuild-std-features={}", features.join(",")),
        "--target".into(),
        target.to_owned(),
    ])
}

/// The flags for the bare machine.
pub fn bare_flags() -> Vec<String> {
    vec!["--target".into(), "x86_64-unknown-none".into()]
}

/// Runs a command of which only the messages and the exit code count.
pub fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {name}"))?;
    if !status.success() {
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        bail!("`cargo {}` failed: see its messages above", words.join(" "));
    }
    Ok(())
}
