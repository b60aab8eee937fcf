// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask dist`: an archive for somebody who does not build: smss.exe, its debug file, the
//! licence, what a tester of ReactOS types, a bill of materials, and the SHA-256 sums of all that.
//!
//! The archive depends on nothing but the sources and the toolchain: not on the folder of the
//! checkout, the user or the time. The image is built for it apart from the others, with cargo's
//! `trim-paths`, which keeps the folder out of the debug file; the others keep it, because a
//! debugger finds the sources by it. [`reproducible`] is the proof.

mod bill;

use crate::arch::Arch;
use crate::cli::DistOptions;
use crate::{build, cargo, paths, ui};
use anyhow::{Context, Result, bail};
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use std::env::consts::EXE_EXTENSION;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a tester reads first.
const TESTING: &str = include_str!("TESTING.txt");

/// Runs the verb.
pub fn verb(options: &DistOptions) -> Result<()> {
    let name = format!("smss-{}-{}", env!("CARGO_PKG_VERSION"), options.arch);
    let out = match &options.out {
        Some(out) => out.clone(),
        None => paths::folder(paths::target().join("dist"))?.join(format!("{name}.tar.gz")),
    };
    let archive = archive(&name, &contents(options.arch)?)?;
    std::fs::write(&out, &archive).with_context(|| format!("cannot write {}", out.display()))?;
    ui::note(&format!("SHA-256 {}", sum(&archive)));
    ui::verdict(&format!("{} ({} bytes)", out.display(), archive.len()));
    Ok(())
}

/// The files of the archive, the sums last.
fn contents(arch: Arch) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = paths::folder(paths::target().join("dist").join(arch.to_string()))?;
    let image = folder.join("smss.exe");
    build::strip(&built(arch, &folder.join("build"))?, &image)?;
    let read = |path: PathBuf| {
        std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut files = vec![
        ("smss.exe".to_owned(), read(image)?),
        (
            "smss.exe.dbg".to_owned(),
            read(folder.join("smss.exe.dbg"))?,
        ),
        ("LICENSE".to_owned(), read(paths::root().join("LICENSE"))?),
        (
            "TESTING.txt".to_owned(),
            TESTING.replace("@ARCH@", &arch.to_string()).into_bytes(),
        ),
        (
            "sbom.cdx.json".to_owned(),
            bill::of_materials(arch)?.into_bytes(),
        ),
    ];
    let sums: String = files
        .iter()
        .map(|(name, content)| format!("{}  {name}\n", sum(content)))
        .collect();
    files.push(("SHA256SUMS".to_owned(), sums.into_bytes()));
    Ok(files)
}

/// Builds smss.exe without a trace of where it was built, in a folder of its own.
fn built(arch: Arch, folder: &Path) -> Result<PathBuf> {
    ui::step(&format!(
        "building smss.exe for {arch}, without paths of this machine"
    ));
    let mut command = cargo::command();
    command
        .args(["build", "--quiet", "--release", "--locked"])
        .args(cargo::SMSS)
        .args(cargo::nt_flags(arch, cargo::SMSS, true)?)
        .args(["--config", &build::small(arch)?, "-Ztrim-paths"])
        .args(["--config", "profile.release.trim-paths='all'"])
        .arg("--target-dir")
        .arg(folder)
        // Anything here would be in the image.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo::succeed(&mut command)?;
    Ok(folder.join(arch.target()).join("release/smss.exe"))
}

/// A tar archive, compressed: owner, group and times are zero.
fn archive(folder: &str, files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let compressed = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(compressed);
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, format!("{folder}/{name}"), content.as_slice())?;
    }
    Ok(archive.into_inner()?.finish()?)
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The gate: two clones in different folders give the same bytes. What is not committed is not in a
/// clone, so that is what it is true of.
pub fn reproducible() -> Result<()> {
    let top = paths::folder(paths::target().join("reproducible"))?;
    // A copy: a build meanwhile would take the program away under its name.
    let program = top.join("xtask").with_extension(EXE_EXTENSION);
    std::fs::copy(std::env::current_exe()?, &program)?;
    let mut sums = Vec::new();
    for place in ["one", "another/with a longer name"] {
        let clone = top.join(place);
        let _ = std::fs::remove_dir_all(&clone);
        ui::note(&format!("a clone in {}", clone.display()));
        let status = Command::new("git")
            .args(["clone", "--quiet", "--local"])
            .arg(paths::root())
            .arg(&clone)
            .status()
            .context("cannot run git")?;
        if !status.success() {
            bail!("the checkout cannot be cloned");
        }
        let out = top.join("archive.tar.gz");
        let status = Command::new(&program)
            .args(["dist", "--out"])
            .arg(&out)
            .current_dir(&clone)
            .env("CARGO_MANIFEST_DIR", clone.join("xtask"))
            .env_remove("CARGO_TARGET_DIR")
            .status()?;
        if !status.success() {
            bail!("`dist` failed in {}", clone.display());
        }
        sums.push(sum(&std::fs::read(&out)?));
        std::fs::remove_dir_all(&clone)?;
    }
    if sums[0] != sums[1] {
        bail!("two clones gave two archives: {} and {}", sums[0], sums[1]);
    }
    ui::note(&format!("both gave {}", sums[0]));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_archive_has_its_files_and_neither_time_nor_owner() {
        let files = [("a.txt".to_owned(), b"content".to_vec())];
        let bytes = archive("folder", &files).unwrap();
        assert_eq!(bytes, archive("folder", &files).unwrap());
        let mut read = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut entries = read.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("folder/a.txt"));
        assert_eq!(entry.header().mtime().unwrap(), 0);
        assert_eq!(entry.header().uid().unwrap(), 0);
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
        assert!(entries.next().is_none());
    }
}
