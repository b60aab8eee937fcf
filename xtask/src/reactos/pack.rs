// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask iso --base` and `--disk`: our image in a real ReactOS ISO or disk image.
//!
//! What comes where is known before anything is copied, and the output is written beside its final
//! name and renamed at the end, so that a failure leaves nothing half-written.

use super::cabinet;
use super::image::{Kind, kind, machine, machine_name, short_hash};
use super::iso9660::{Disc, DiscFile};
use crate::arch::Arch;
use crate::medium::{disk, system_root};
use crate::{build, ui};
use anyhow::{Context, Result, bail};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Packs this smss.exe into a copy of the ReactOS ISO `base`.
///
/// # Errors
/// Nothing is there to replace, or this smss.exe is for another machine: then nothing is copied. What
/// cannot be read or written.
pub fn iso(base: &Path, out: &Path, ours: &Replacement) -> Result<()> {
    let changes = changes(base, ours)?;
    written_beside(base, out, |copy| {
        let file = OpenOptions::new().read(true).write(true).open(copy)?;
        let mut image = disc(base, file)?;
        for change in &changes {
            image.replace(&change.entry, &change.content)?;
            ui::note(&change.told);
        }
        Ok(())
    })
}

/// Puts this smss.exe into a copy of a disk image with an installed ReactOS.
///
/// # Errors
/// As [`iso`].
pub fn disk(base: &Path, out: &Path, ours: &Replacement) -> Result<()> {
    let Installed { path, arch, image } = Installed::on(base)?;
    let ours = ours.image(arch)?;
    written_beside(base, out, |copy| {
        disk::write(copy, &path, ours)?;
        ui::note(&told(&path, &image, ours));
        Ok(())
    })
}

/// A file of a disc, and what comes in its place.
struct Change<'o> {
    entry: DiscFile,
    content: Cow<'o, [u8]>,
    /// What is said of it.
    told: String,
}

/// What is to change on a ReactOS ISO.
fn changes<'o>(base: &Path, ours: &'o Replacement) -> Result<Vec<Change<'o>>> {
    let file = File::open(base).with_context(|| format!("cannot open {}", base.display()))?;
    let image = disc(base, file)?;
    let (mut changes, mut seen, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &image.entries {
        let path = entry.path.to_ascii_lowercase();
        if done.contains(&path) {
            continue; // the same file, seen through a second volume descriptor
        }
        changes.extend(match leaf(entry) {
            "smss.exe" => native(&image, entry, ours, &mut seen)?,
            "reactos.cab" => in_cabinet(&image, entry, ours, &mut seen)?,
            _ => continue,
        });
        done.push(path);
    }
    if changes.is_empty() {
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
    Ok(changes)
}

fn disc(base: &Path, file: File) -> Result<Disc> {
    Disc::read(file).with_context(|| format!("{} is no ISO that can be used", base.display()))
}

/// The machine that a disc of ReactOS is for; none if only its cabinet can tell.
///
/// # Errors
/// It has no Session Manager that [`iso`] could replace; what cannot be read.
pub fn machine_of_disc(base: &Path) -> Result<Option<Arch>> {
    let file = File::open(base).with_context(|| format!("cannot open {}", base.display()))?;
    let disc = disc(base, file)?;
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

fn native<'o>(
    image: &Disc,
    entry: &DiscFile,
    ours: &'o Replacement,
    seen: &mut Vec<String>,
) -> Result<Option<Change<'o>>> {
    let old = image.content(entry)?;
    match kind(&old) {
        Kind::SessionManager(arch) => {
            let ours = ours.image(arch)?;
            Ok(Some(Change {
                entry: entry.clone(),
                content: Cow::Borrowed(ours),
                told: told(&entry.path, &old, ours),
            }))
        }
        other => {
            ui::note(&format!("{}: {other}", entry.path));
            seen.push(format!("{}: {other}", entry.path));
            Ok(None)
        }
    }
}

fn in_cabinet(
    image: &Disc,
    entry: &DiscFile,
    ours: &Replacement,
    seen: &mut Vec<String>,
) -> Result<Option<Change<'static>>> {
    ui::step(&format!("looking into {}", entry.path));
    let old = image.content(entry)?;
    let change = cabinet::replace(&old, "smss.exe", |bytes| match kind(bytes) {
        Kind::SessionManager(arch) => ours.image(arch).map(Some),
        _ => Ok(None),
    })?;
    match change {
        Some(change) => {
            let name = format!("{}:{}", entry.path, change.name);
            Ok(Some(Change {
                entry: entry.clone(),
                told: told(&name, &change.old, change.new),
                content: Cow::Owned(change.cabinet),
            }))
        }
        None => {
            seen.push(format!(
                "{}: a cabinet without a Session Manager",
                entry.path
            ));
            Ok(None)
        }
    }
}

fn told(path: &str, old: &[u8], new: &[u8]) -> String {
    format!(
        "replaced {path}: {} bytes {} -> {} bytes {}",
        old.len(),
        short_hash(old),
        new.len(),
        short_hash(new)
    )
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

#[cfg(test)]
mod tests {
    use super::super::small_disc;
    use super::*;
    use crate::medium::tree::Tree;
    use crate::windows::session_manager;
    use cab::{CabinetBuilder, CompressionType};
    use std::io::{Cursor, Write};

    /// A cabinet with this smss.exe alone.
    fn cabinet(smss: &[u8]) -> Vec<u8> {
        let mut builder = CabinetBuilder::new();
        let folder = builder.add_folder(CompressionType::MsZip);
        folder.add_file("smss.exe");
        let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
        while let Some(mut file) = writer.next_file().unwrap() {
            file.write_all(smss).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    type PutInto = fn(&Path, &Path, &Replacement) -> Result<()>;

    #[test]
    fn an_image_for_another_machine_is_refused_before_anything_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let theirs = session_manager("theirs");
        let in_cabinet = small_disc::live_cd(&[("reactos.cab", &cabinet(&theirs))]);
        std::fs::write(at("live.iso"), small_disc::bytes(&theirs)).unwrap();
        std::fs::write(at("boot.iso"), in_cabinet).unwrap();
        let mut volume = Tree::default();
        volume.put_in_system32("smss.exe", theirs);
        disk::make(&at("disk.img"), 48, &volume).unwrap();
        let ours = session_manager("ours");
        let other = Replacement::given(Arch::I386, ours.clone());
        let same = Replacement::given(Arch::Amd64, ours);
        // A copy would go to a folder that does not exist.
        let nowhere = at("nowhere").join("out");
        for (base, put_into) in [
            ("live.iso", iso as PutInto),
            ("boot.iso", iso as PutInto),
            ("disk.img", disk as PutInto),
        ] {
            let refused = |smss| format!("{:#}", put_into(&at(base), &nowhere, smss).unwrap_err());
            let told = refused(&other);
            assert!(told.contains("give one for amd64"), "{base}: {told}");
            let told = refused(&same);
            assert!(told.contains("cannot copy"), "{base}: {told}");
            put_into(&at(base), &at("out"), &same).unwrap();
        }
    }
}
