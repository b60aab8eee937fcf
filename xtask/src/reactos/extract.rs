// SPDX-License-Identifier: GPL-2.0-or-later
//! ReactOS' own `smss.exe` and `ntdll.dll`, from files or from a live CD, for a boot on the shim.

use super::image::{Kind, kind, machine, machine_name, short_hash};
use super::live_cd::LiveCd;
use crate::arch::Arch;
use crate::medium::tree::Tree;
use crate::ui;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Where the system files are on the shim's volume.
const SYSTEM32: &str = "ReactOS/System32";

/// Images that replace our own.
#[derive(Clone, Default)]
pub struct Originals {
    /// Instead of our Session Manager.
    pub smss: Option<Vec<u8>>,
    /// Instead of the shim's ntdll.dll.
    pub ntdll: Option<Vec<u8>>,
}

impl Originals {
    /// Reads what the user named: single files, and the rest from a live CD.
    ///
    /// # Errors
    /// What cannot be read, and what is no image for the shim's machine.
    pub fn read(smss: Option<&Path>, ntdll: Option<&Path>, from: Option<&Path>) -> Result<Self> {
        let mut these = match from {
            Some(iso) => Self::from_iso(iso)?,
            None => Self::default(),
        };
        for (path, place) in [(smss, &mut these.smss), (ntdll, &mut these.ntdll)] {
            if let Some(path) = path {
                *place = Some(image(path)?);
            }
        }
        Ok(these)
    }

    /// Both, from a live CD.
    ///
    /// # Errors
    /// What cannot be read, and what is no live CD for the shim's machine.
    pub fn from_iso(iso: &Path) -> Result<Self> {
        let cd = LiveCd::open(iso)?;
        let (smss, ntdll) = (cd.required("smss.exe")?, cd.required("ntdll.dll")?);
        match kind(&smss) {
            Kind::SessionManager(Arch::Amd64) => Ok(Self {
                smss: Some(smss),
                ntdll: Some(ntdll),
            }),
            Kind::SessionManager(arch) => bail!(
                "{} holds a ReactOS for {arch}: the shim runs programs for {} only",
                iso.display(),
                Arch::Amd64
            ),
            other => bail!("smss.exe of {} is {other}", iso.display()),
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
                tree.files
                    .insert(format!("{SYSTEM32}/{name}"), Some(bytes.clone()));
            }
        }
    }
}

/// Looks into a user's program.
///
/// # Errors
/// It is none that can run without a subsystem, on the shim's machine; what cannot be read.
pub fn program(path: &Path) -> Result<()> {
    let bytes = image(path)?;
    match kind(&bytes) {
        Kind::SessionManager(_) | Kind::Setup => Ok(()),
        Kind::Other | Kind::OtherMachine => bail!(
            "{} is no native program: its subsystem must be 1, and it imports ntdll.dll alone",
            path.display()
        ),
    }
}

/// An image that the shim can run.
///
/// # Errors
/// It is for another machine, or none; what cannot be read.
pub fn image(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    match machine(&bytes) {
        Some(of) if of == Arch::Amd64.machine() => Ok(bytes),
        Some(of) => bail!(
            "{shown} is an image for {}: the shim runs programs for {} only",
            machine_name(of),
            Arch::Amd64
        ),
        None => bail!("{shown} is no PE image"),
    }
}
