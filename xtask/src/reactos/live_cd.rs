// SPDX-License-Identifier: GPL-2.0-or-later
//! A ReactOS live CD as a source of files.

use super::iso9660::Disc;
use anyhow::{Context, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The folder of its system files.
pub const SYSTEM32: &str = "reactos/system32";

/// The CD.
pub struct LiveCd {
    /// What is on it.
    pub disc: Disc,
    iso: PathBuf,
}

impl LiveCd {
    /// Opens the image.
    ///
    /// # Errors
    /// What cannot be read, and what is no ISO 9660 image.
    pub fn open(iso: &Path) -> Result<Self> {
        let file = File::open(iso).with_context(|| format!("cannot open {}", iso.display()))?;
        let disc = Disc::read(file)
            .with_context(|| format!("{} is no ISO that can be used", iso.display()))?;
        Ok(Self {
            disc,
            iso: iso.to_owned(),
        })
    }

    /// A file below `system32`, by its path with `/`; none if it is not there.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn system_file(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = format!("{SYSTEM32}/{name}");
        self.disc
            .entries
            .iter()
            .find(|entry| entry.path.eq_ignore_ascii_case(&path))
            .map(|entry| self.disc.content(entry))
            .transpose()
    }

    /// Whether there is a file below `system32`.
    pub fn has(&self, name: &str) -> bool {
        let path = format!("{SYSTEM32}/{name}");
        let mut entries = self.disc.entries.iter();
        entries.any(|entry| entry.path.eq_ignore_ascii_case(&path))
    }

    /// The same for a file that a live CD must have.
    ///
    /// # Errors
    /// What cannot be read or is not there.
    pub fn required(&self, name: &str) -> Result<Vec<u8>> {
        self.system_file(name)?.with_context(|| {
            format!(
                "{} has no {SYSTEM32}/{name}: it is no live CD",
                self.iso.display()
            )
        })
    }
}
