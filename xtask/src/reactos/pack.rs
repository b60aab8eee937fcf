// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask iso --base` and `--disk`: our image in a real ReactOS ISO or disk image.
//!
//! The output is written beside its final name and renamed at the end, so that a failure leaves
//! nothing half-written.

use super::cabinet;
use super::image::{Kind, kind, machine, machine_name, short_hash};
use super::iso9660::{Disc, DiscFile};
use crate::arch::Arch;
use crate::medium::{disk, system_root};
use crate::{build, ui};
use anyhow::{Context, Result, bail};
use std::cell::OnceCell;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Packs this smss.exe into a copy of the ReactOS ISO `base`.
pub fn iso(base: &Path, out: &Path, ours: &Replacement) -> Result<()> {
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
pub fn disk(base: &Path, out: &Path, ours: &Replacement) -> Result<()> {
    written_beside(base, out, |copy| {
        let Installed { path, arch, image } = Installed::on(base)?;
        let ours = ours.image(arch)?;
        disk::write(copy, &path, ours)?;
        told(&path, &image, ours);
        Ok(())
    })
}

/// The machine that a disc of ReactOS is for; none if only its cabinet can tell.
///
/// # Errors
/// It has no Session Manager that [`iso`] could replace; what cannot be read.
pub fn machine_of_disc(base: &Path) -> Result<Option<Arch>> {
    let file = File::open(base).with_context(|| format!("cannot open {}", base.display()))?;
    let disc = Disc::read(file)
        .with_context(|| format!("{} is no ISO that can be used", base.display()))?;
    let mut cabinet = false;
    for entry in &disc.entries {
        match leaf(entry) {
            "smss.exe" => {
                if let Kind::SessionManager(arch) = kind(&disc.content(entry)?) {
                    return Ok(Some(arch));
                }
            }
            "reactos.cab" => cabinet = true,
            _ => {}
        }
    }
    if !cabinet {
        bail!("{} has no Session Manager to replace", base.display());
    }
    Ok(None)
}

/// The machine that the ReactOS on a disk image is for.
///
/// # Errors
/// There is none on it; what cannot be read.
pub fn machine_of_disk(base: &Path) -> Result<Arch> {
    Installed::on(base).map(|installed| installed.arch)
}

/// The Session Manager of an installed ReactOS.
struct Installed {
    /// Where it is on the volume.
    path: String,
    /// The machine that it is for.
    arch: Arch,
    image: Vec<u8>,
}

impl Installed {
    /// The one on a disk image, in the folder that its FreeLoader starts.
    fn on(base: &Path) -> Result<Self> {
        let none = || format!("{} holds no installed ReactOS", base.display());
        let root = system_root::of_loader(&disk::Shown(base)).with_context(none)?;
        let path = format!("{}/system32/smss.exe", root.unwrap_or_default().place());
        let image = disk::read(base, &path)
            .with_context(none)?
            .with_context(none)?;
        match kind(&image) {
            Kind::SessionManager(arch) => Ok(Self { path, arch, image }),
            other => bail!("{path} of {} is {other}", base.display()),
        }
    }
}

/// Where the result of packing into `base` goes by default.
pub fn default_output(base: &Path) -> PathBuf {
    let stem = base.file_stem().unwrap_or_default().to_string_lossy();
    let ending = base.extension().unwrap_or_default().to_string_lossy();
    base.with_file_name(format!("{stem}-smss.{ending}"))
}

/// What comes into the place of a Session Manager, for the machine that the old one is for.
#[derive(Default)]
pub struct Replacement {
    given: Option<(Arch, Vec<u8>)>,
    dev: bool,
    built: [OnceCell<Vec<u8>>; 2],
}

impl Replacement {
    /// This image, which is for this machine.
    fn given(arch: Arch, image: Vec<u8>) -> Self {
        Self {
            given: Some((arch, image)),
            ..Self::default()
        }
    }

    /// Ours, the development image or the optimised one, built when the machine is known.
    pub fn ours(dev: bool) -> Self {
        Self {
            dev,
            ..Self::default()
        }
    }

    /// For which machine it was needed; none before it was.
    pub fn needed_for(&self) -> Option<Arch> {
        [Arch::Amd64, Arch::I386]
            .into_iter()
            .find(|arch| self.built[*arch as usize].get().is_some())
    }

    /// The smss.exe in this file; without one, ours: it is built when the machine is known.
    ///
    /// # Errors
    /// A file that cannot be read or that no machine here can run.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let shown = file.display();
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {shown}"))?;
        let machine = machine(&bytes).with_context(|| format!("{shown} is no PE image"))?;
        let arch = Arch::of(machine).with_context(|| {
            format!(
                "{shown} is for {}: neither amd64 nor i386",
                machine_name(machine)
            )
        })?;
        Ok(Self::given(arch, bytes))
    }

    /// The image for this machine.
    ///
    /// # Errors
    /// A given image for another one; a build that fails.
    pub fn image(&self, arch: Arch) -> Result<&[u8]> {
        match &self.given {
            Some((given, bytes)) if *given == arch => return Ok(bytes),
            Some((given, _)) => bail!(
                "this ReactOS is for {arch}, the smss.exe given is for {given}: give one for {arch}"
            ),
            None => {}
        }
        let built = &self.built[arch as usize];
        if let Some(bytes) = built.get() {
            return Ok(bytes);
        }
        let path = build::session_manager(arch, self.dev)?.join("smss.exe");
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(built.get_or_init(|| bytes))
    }
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

fn native(
    image: &mut Disc,
    entry: &DiscFile,
    ours: &Replacement,
    seen: &mut Vec<String>,
) -> Result<u32> {
    let old = image.content(entry)?;
    match kind(&old) {
        Kind::SessionManager(arch) => {
            let ours = ours.image(arch)?;
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
    ours: &Replacement,
    seen: &mut Vec<String>,
) -> Result<u32> {
    let old = image.content(entry)?;
    let change = cabinet::replace(&old, "smss.exe", |bytes| match kind(bytes) {
        Kind::SessionManager(arch) => ours.image(arch).map(Some),
        _ => Ok(None),
    })?;
    match change {
        Some(change) => {
            image.replace(entry, &change.cabinet)?;
            told(
                &format!("{}:{}", entry.path, change.name),
                &change.old,
                change.new,
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
