// SPDX-License-Identifier: GPL-2.0-or-later
//! The gate `windows` of `cargo xtask ci`: this program as most developers of ReactOS would run it.
//!
//! It is cross-built for Windows, warnings being errors. Where Wine is installed, the verbs that
//! need neither QEMU nor cargo are then walked through: each call is made twice, by this build and
//! by that one under Wine, on a small made-up disc and build tree, and both must end alike, print
//! the same and write the same bytes.

use crate::medium::disk;
use crate::medium::tree::Tree;
use crate::reactos::{install, small_disc};
use crate::{cargo, paths, ui};
use anyhow::{Context, Result, bail};
use formats::pe::build::ImageFile;
use formats::utf16_bytes;
use nt::system::ImageSubsystem;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "x86_64-pc-windows-gnu";

/// Rust's standard library imports ProcessPrng from this DLL, which Wine has from version 9 on. Its
/// older name is in a DLL that every Wine has: a library of nothing but the reference to it.
const RANDOM: &str =
    "LIBRARY bcryptprimitives\nEXPORTS\nProcessPrng = advapi32.SystemFunction036\n";

/// Builds, and walks through where there is Wine.
pub fn gate() -> Result<()> {
    ui::note(&format!("xtask for {TARGET}"));
    let flags = ["-p", "xtask", "--quiet", "--target", TARGET];
    cargo::succeed(
        cargo::command()
            .arg("clippy")
            .args(flags)
            .args(["--", "-Dwarnings"]),
    )?;
    cargo::succeed(cargo::command().arg("build").args(flags))?;
    let Some(wine) = wine() else {
        ui::warning("not walked through: there is no Wine here (Debian's package wine64)");
        return Ok(());
    };
    ui::note("walked through under Wine");
    walk(&wine)
}

/// Wine's program for 64-bit ones. Debian keeps it off the path, and its script `wine` asks for a
/// 32-bit Wine as well.
fn wine() -> Option<PathBuf> {
    let hidden = PathBuf::from("/usr/lib/wine/wine64");
    which::which("wine64")
        .ok()
        .or_else(|| hidden.exists().then_some(hidden))
        .or_else(|| which::which("wine").ok())
}

/// How a call of xtask ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    said: String,
}

/// One of the two builds, with a folder to itself.
struct Build<'w> {
    /// What its command line begins with.
    wine: Option<&'w Path>,
    program: PathBuf,
    folder: PathBuf,
}

impl Build<'_> {
    /// Runs a verb; paths among the arguments are relative to the folder.
    fn run(&self, line: &str) -> Result<Ended> {
        let mut command = match self.wine {
            Some(wine) => {
                let mut command = Command::new(wine);
                command.arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        let output = command
            .args(line.split_whitespace())
            .current_dir(&self.folder)
            // Where the checkout is, as cargo says it.
            .env("CARGO_MANIFEST_DIR", paths::root().join("xtask"))
            .env("WINEPREFIX", paths::target().join("wine"))
            .env("WINEDEBUG", "-all")
            // Neither .NET nor a browser is needed.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .output()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        // Wine's names for the host's paths, and Windows' separators, are no difference.
        let said = String::from_utf8_lossy(&output.stdout)
            .replace('\r', "")
            .replace("Z:", "")
            .replace('\\', "/")
            .replace(&self.folder.display().to_string(), "FOLDER");
        Ok(Ended {
            code: output.status.code(),
            said,
        })
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let file = self.folder.join(name);
        std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
    }

    /// What the calls work on.
    fn lay_out(&self) -> Result<()> {
        let _ = std::fs::remove_dir_all(&self.folder);
        let smss = format!("tree/{}/smss.exe", install::PLACE);
        let folder = paths::folder(self.folder.clone())?;
        paths::folder(
            folder
                .join(&smss)
                .parent()
                .context("it is in a folder")?
                .to_owned(),
        )?;
        let hive = paths::root().join("iso/hives/SYSTEM.reg");
        let theirs = session_manager("theirs");
        let mut volume = Tree::default();
        volume
            .files
            .insert("ReactOS/System32/smss.exe".to_owned(), Some(theirs.clone()));
        disk::make(&folder.join("disk.img"), SMALL_DISK, &volume)?;
        for (name, bytes) in [
            ("disc.iso", small_disc::bytes(&theirs)),
            (&smss, theirs),
            ("ours.exe", session_manager("ours, and longer")),
            ("system.reg", std::fs::read(hive)?),
            ("one.txt", trace("SUCCESS").into_bytes()),
            ("other.txt", trace("ACCESS_DENIED").into_bytes()),
        ] {
            std::fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }
}

/// MiB of a disk that costs little to copy.
const SMALL_DISK: u32 = 48;

/// What passes for a Session Manager, in the tests of `install` as well.
pub fn session_manager(version: &str) -> Vec<u8> {
    let mut image = ImageFile {
        subsystem: ImageSubsystem::NATIVE,
        ..ImageFile::default()
    }
    .bytes();
    image.extend(utf16_bytes("\\SmApiPort"));
    image.extend(version.as_bytes());
    image
}

/// A trace of two calls, as the shim writes it.
fn trace(status: &str) -> String {
    format!(
        "smss.exe 0.1 c.10 NtOpenKey(key=0x8, name=\"\\Registry\\Machine\") = SUCCESS\n\
         smss.exe 0.2 c.10 NtOpenKey(key=0x8, name=\"\\Registry\\User\") = {status}\n"
    )
}

/// Each call with the exit code that it must have, and the files that it writes.
const CALLS: [(&str, i32, &[&str]); 9] = [
    (
        "iso --base disc.iso --smss ours.exe --out patched.iso",
        0,
        &["patched.iso"],
    ),
    (
        "iso --disk disk.img --smss ours.exe --out patched.img",
        0,
        &["patched.img"],
    ),
    (
        "install --tree tree --smss ours.exe",
        0,
        &["tree/base/system/smss/smss.exe"],
    ),
    (
        "install --tree tree --undo",
        0,
        &["tree/base/system/smss/smss.exe"],
    ),
    ("plan system.reg", 0, &[]),
    ("plan one.txt", 2, &[]),
    ("trace diff one.txt one.txt", 0, &[]),
    ("trace diff one.txt other.txt", 1, &[]),
    ("iso --smss ours.exe", 2, &[]),
];

fn walk(wine: &Path) -> Result<()> {
    let top = paths::folder(paths::target().join("windows"))?;
    let here = Build {
        wine: None,
        program: std::env::current_exe()?,
        folder: top.join("here"),
    };
    let built = paths::target().join(TARGET).join("debug");
    let there = Build {
        wine: Some(wine),
        program: built.join("xtask.exe"),
        folder: top.join("wine"),
    };
    random_numbers(&built)?;
    here.lay_out()?;
    there.lay_out()?;
    for (line, code, written) in CALLS {
        let (one, other) = (here.run(line)?, there.run(line)?);
        if other.code != Some(code) || one != other {
            bail!("`{line}` ended here with {one:#?}, under Wine with {other:#?}");
        }
        for file in written {
            if here.read(file)? != there.read(file)? {
                bail!("`{line}` wrote another {file} under Wine than here");
            }
        }
        ui::note(&format!("the same under Wine: {line}"));
    }
    Ok(())
}

/// Puts the library of [`RANDOM`] beside the program.
fn random_numbers(folder: &Path) -> Result<()> {
    let definition = folder.join("bcryptprimitives.def");
    std::fs::write(&definition, RANDOM)?;
    let status = Command::new("x86_64-w64-mingw32-gcc")
        .args(["-shared", "-nostdlib", "-Wl,-e,0", "-o"])
        .arg(folder.join("bcryptprimitives.dll"))
        .arg(&definition)
        .status()
        .context("cannot run x86_64-w64-mingw32-gcc")?;
    if !status.success() {
        bail!("the library for Wine does not link");
    }
    Ok(())
}
