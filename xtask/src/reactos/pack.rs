// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask iso --base` and `--disk`: our image in a real ReactOS ISO or disk image.
//!
//! The output is written beside its final name and renamed at the end, so that a failure leaves
//! nothing half-written.

use super::cabinet;
use super::image::{Kind, kind, short_hash};
use super::iso9660::{Disc, DiscFile};
use crate::medium::disk;
use crate::{build, ui};
use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Packs this smss.exe into a copy of the ReactOS ISO `base`.
pub fn iso(base: &Path, out: &Path, ours: &[u8]) -> Result<()> {
    written_beside(base, out, |copy| {
        let file = OpenOptions::new().read(true).write(true).open(copy)?;
        let mut image = Disc::read(file)
            .with_context(|| format!("{} is no ISO that can be used", base.display()))?;
        let mut replaced = 0;
        let (mut seen, mut done) = (Vec::new(), Vec::new());
        for at in 0..image.entries.len() {
            let entry = image.entries[at].clone();
            if done.contains(&entry.path.to_ascii_lowercase()) {
                continue; // the same file, seen through a second volume descriptor
            }
            replaced += match leaf(&entry) {
                "smss.exe" => native(&mut image, &entry, ours, &mut seen)?,
                "reactos.cab" => in_cabinet(&mut image, &entry, ours, &mut seen)?,
                _ => continue,
            };
            done.push(entry.path.to_ascii_lowercase());
        }
        if replaced == 0 {
            let listing = if seen.is_empty() {
                top_folders(&image)
            } else {
                seen.join("\n    ")
            };
            bail!(
                "{} has no Session Manager to replace; what was found:\n    {listing}",
                base.display()
            );
        }
        Ok(())
    })
}

/// Puts this smss.exe into a copy of a disk image with an installed ReactOS.
pub fn disk(base: &Path, out: &Path, ours: &[u8]) -> Result<()> {
    const PATH: &str = "ReactOS/system32/smss.exe";
    written_beside(base, out, |copy| {
        let old = disk::read(copy, PATH).with_context(|| {
            format!(
                "{} holds no installed ReactOS on a FAT volume",
                base.display()
            )
        })?;
        match kind(&old) {
            Kind::SessionManager => {}
            other => bail!("{PATH} is {other}"),
        }
        disk::write(copy, PATH, ours)?;
        told(PATH, &old, ours);
        Ok(())
    })
}

/// Where the result of packing into `base` goes by default.
pub fn default_output(base: &Path) -> PathBuf {
    let stem = base.file_stem().unwrap_or_default().to_string_lossy();
    let ending = base.extension().unwrap_or_default().to_string_lossy();
    base.with_file_name(format!("{stem}-smss.{ending}"))
}

/// The smss.exe in this file, or else ours, built.
pub fn image(given: Option<&Path>) -> Result<Vec<u8>> {
    match given {
        Some(file) => {
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
        }
        None => ours(),
    }
}

/// Our smss.exe, built.
pub fn ours() -> Result<Vec<u8>> {
    let path = build::all(false)?.folder.join("smss.exe");
    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn written_beside(base: &Path, out: &Path, change: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    File::open(base).with_context(|| format!("cannot open {}", base.display()))?;
    let part = out.with_extension("part");
    ui::step(&format!("copying {} to {}", base.display(), out.display()));
    let done = std::fs::copy(base, &part)
        .context("cannot copy")
        .and_then(|_| change(&part))
        .and_then(|()| Ok(std::fs::rename(&part, out)?));
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

fn leaf(entry: &DiscFile) -> &str {
    let name = entry.path.rsplit('/').next().unwrap_or_default();
    // ISO names come in either case.
    if name.eq_ignore_ascii_case("smss.exe") {
        "smss.exe"
    } else if name.eq_ignore_ascii_case("reactos.cab") {
        "reactos.cab"
    } else {
        ""
    }
}

fn native(image: &mut Disc, entry: &DiscFile, ours: &[u8], seen: &mut Vec<String>) -> Result<u32> {
    let old = image.content(entry)?;
    match kind(&old) {
        Kind::SessionManager => {
            image.replace(entry, ours)?;
            told(&entry.path, &old, ours);
            Ok(1)
        }
        other => {
            ui::note(&format!("{}: {other}", entry.path));
            seen.push(format!("{}: {other}", entry.path));
            Ok(0)
        }
    }
}

fn in_cabinet(
    image: &mut Disc,
    entry: &DiscFile,
    ours: &[u8],
    seen: &mut Vec<String>,
) -> Result<u32> {
    let old = image.content(entry)?;
    match cabinet::replace(&old, "smss.exe", ours, |bytes| {
        kind(bytes) == Kind::SessionManager
    })? {
        Some(change) => {
            image.replace(entry, &change.cabinet)?;
            told(
                &format!("{}:{}", entry.path, change.name),
                &change.old,
                ours,
            );
            Ok(1)
        }
        None => {
            seen.push(format!(
                "{}: a cabinet without a Session Manager",
                entry.path
            ));
            Ok(0)
        }
    }
}

fn told(path: &str, old: &[u8], new: &[u8]) {
    ui::note(&format!(
        "replaced {path}: {} bytes {} -> {} bytes {}",
        old.len(),
        short_hash(old),
        new.len(),
        short_hash(new)
    ));
}

fn top_folders(image: &Disc) -> String {
    let mut names: Vec<&str> = image
        .entries
        .iter()
        .filter_map(|entry| entry.path.split('/').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join("\n    ")
}
