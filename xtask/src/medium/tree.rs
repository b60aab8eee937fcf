// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of a system volume, in memory: path on the volume to content.
//!
//! The default tree is made of the built images and of the hive sources in `iso/hives`; a test
//! changes it before it becomes a disk.

use super::dll;
use crate::build::Images;
use crate::paths;
use anyhow::{Context, Result};
use formats::hive::{Hive, reg_text};
use std::collections::BTreeMap;

/// The hives of a system, as NT names them.
pub const HIVES: [&str; 5] = ["SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"];

/// The folder of the system's files.
pub const SYSTEM32: &str = "ReactOS/System32";

/// Where a hive is on the volume.
pub fn hive_path(hive: &str) -> String {
    format!("{SYSTEM32}/config/{hive}")
}

/// Files by their path on the volume, with `/` between names.
#[derive(Clone, Default)]
pub struct Tree {
    /// Content of each file; `None` is an empty folder.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
}

impl Tree {
    /// The default system volume: everything in `ReactOS/System32`, the hives in its `config`.
    pub fn system(images: &Images) -> Result<Self> {
        Self::with_hives(images, |_, _| {})
    }

    /// The default system volume, with each hive's source text changed by `edit` first.
    pub fn with_hives(images: &Images, edit: impl Fn(&str, &mut String)) -> Result<Self> {
        let mut tree = Self::default();
        for entry in std::fs::read_dir(&images.folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if [".exe", ".dll", ".sys"]
                .iter()
                .any(|ending| name.ends_with(ending))
            {
                tree.files.insert(
                    format!("ReactOS/System32/{name}"),
                    Some(std::fs::read(&path)?),
                );
            }
        }
        for (name, content) in dll::all(images.arch) {
            tree.files
                .insert(format!("ReactOS/System32/{name}"), Some(content));
        }
        for hive in HIVES {
            let path = paths::root().join("iso/hives").join(format!("{hive}.reg"));
            let mut text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            edit(hive, &mut text);
            tree.files.insert(
                hive_path(hive),
                Some(compile(&text).with_context(|| format!("in {hive}.reg"))?),
            );
        }
        for folder in ["ReactOS/TEMP", "ReactOS/bin"] {
            tree.files.insert(folder.to_owned(), None);
        }
        Ok(tree)
    }
}

/// The time hives are written at, so that the same text gives the same bytes: 2026-01-01, in 100 ns
/// since 1601.
pub const NOW: u64 = 134_117_856_000_000_000;

/// Turns `.reg` text into the bytes of a hive.
pub fn compile(text: &str) -> Result<Vec<u8>> {
    let mut hive = Hive::new(nt::wide!("CMI-CreateHive"));
    reg_text::apply(&mut hive, text, "", NOW)?;
    Ok(hive.serialise(NOW))
}
