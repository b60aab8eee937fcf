// SPDX-License-Identifier: GPL-2.0-or-later
//! ReactOS' own `smss.exe` and `ntdll.dll`, from files or from a live CD, for a boot on the shim.

use super::image::{Kind, kind, machine, machine_name, short_hash};
use super::live_cd::LiveCd;
use crate::arch::Arch;
use crate::medium::tree::Tree;
use crate::ui;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Images that replace our own.
#[derive(Clone, Default)]
pub struct Originals {
    /// What they are for, if there are any.
    pub arch: Option<Arch>,
    /// Instead of our Session Manager.
    pub smss: Option<Vec<u8>>,
    /// Instead of the shim's ntdll.dll.
    pub ntdll: Option<Vec<u8>>,
}

impl Originals {
    /// Reads what the user named: single files, and the rest from a live CD.
    ///
    /// # Errors
    /// What cannot be read, what is no image for a machine of the shim, and images for different ones.
    pub fn read(smss: Option<&Path>, ntdll: Option<&Path>, from: Option<&Path>) -> Result<Self> {
        let mut these = match from {
            Some(iso) => Self::from_iso(iso)?,
            None => Self::default(),
        };
        for (path, place) in [(smss, &mut these.smss), (ntdll, &mut these.ntdll)] {
            if let Some(path) = path {
                let (arch, bytes) = image(path)?;
                if let Some(other) = these.arch.filter(|other| *other != arch) {
                    bail!("{} is for {arch}, and not for {other}", path.display());
                }
                these.arch = Some(arch);
                *place = Some(bytes);
            }
        }
        Ok(these)
    }

    /// Both, from a live CD.
    ///
    /// # Errors
    /// What cannot be read, and what is no live CD.
    pub fn from_iso(iso: &Path) -> Result<Self> {
        let cd = LiveCd::open(iso)?;
        let (smss, ntdll) = (cd.required("smss.exe")?, cd.required("ntdll.dll")?);
        match kind(&smss) {
            Kind::SessionManager(arch) => Ok(Self {
                arch: Some(arch),
                smss: Some(smss),
                ntdll: Some(ntdll),
            }),
            other => bail!("smss.exe of {} is {other}", iso.display()),
        }
    }

    /// The machine that a boot with them must be; `asked` is what the user wants.
    ///
    /// # Errors
    /// They are for another one.
    pub fn machine(&self, asked: Option<Arch>) -> Result<Arch> {
        match (self.arch, asked) {
            (Some(arch), Some(asked)) if arch != asked => {
                bail!("the images of ReactOS are for {arch}, and not for {asked}")
            }
            (arch, asked) => Ok(arch.or(asked).unwrap_or_default()),
        }
    }

    /// Puts them on a volume.
    pub fn put_on(&self, tree: &mut Tree) {
        for (name, image) in [("smss.exe", &self.smss), ("ntdll.dll", &self.ntdll)] {
            if let Some(bytes) = image {
                ui::note(&format!(
                    "{name}: ReactOS' own, {} bytes {}",
                    bytes.len(),
                    short_hash(bytes)
                ));
                tree.put_in_system32(name, bytes.clone());
            }
        }
    }
}

/// Looks into a user's program.
///
/// # Errors
/// It is none that can run without a subsystem, on a machine of the shim; what cannot be read.
pub fn program(path: &Path) -> Result<()> {
    let (_, bytes) = image(path)?;
    match kind(&bytes) {
        Kind::SessionManager(_) | Kind::Setup => Ok(()),
        Kind::Other | Kind::OtherMachine => bail!(
            "{} is no native program: its subsystem must be 1, and it imports ntdll.dll alone",
            path.display()
        ),
    }
}

/// An image that the shim can run, and on which machine.
///
/// # Errors
/// It is for another machine, or none; what cannot be read.
pub fn image(path: &Path) -> Result<(Arch, Vec<u8>)> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    match machine(&bytes) {
        Some(of) => match Arch::of(of) {
            Some(arch) => Ok((arch, bytes)),
            None => bail!(
                "{shown} is an image for {}, which the shim is not",
                machine_name(of)
            ),
        },
        None => bail!("{shown} is no PE image"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_say_what_is_booted_and_are_not_booted_as_anything_else() {
        let of = |arch| Originals {
            arch,
            ..Originals::default()
        };
        assert_eq!(of(None).machine(None).unwrap(), Arch::Amd64);
        assert_eq!(of(None).machine(Some(Arch::I386)).unwrap(), Arch::I386);
        let theirs = of(Some(Arch::I386));
        assert_eq!(theirs.machine(None).unwrap(), Arch::I386);
        assert_eq!(theirs.machine(Some(Arch::I386)).unwrap(), Arch::I386);
        assert!(theirs.machine(Some(Arch::Amd64)).is_err());
    }

    #[test]
    fn images_for_different_machines_are_refused_together() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, i386| {
            let image = formats::pe::build::ImageFile {
                i386,
                ..Default::default()
            };
            let path = folder.path().join(name);
            std::fs::write(&path, image.bytes()).unwrap();
            path
        };
        let (wide, narrow) = (write("smss.exe", false), write("ntdll.dll", true));
        assert!(Originals::read(Some(&wide), Some(&narrow), None).is_err());
        let both = Originals::read(Some(&narrow), Some(&narrow), None).unwrap();
        assert_eq!(both.arch, Some(Arch::I386));
    }
}
