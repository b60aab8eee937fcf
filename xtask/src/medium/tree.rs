// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of a system volume, in memory: path on the volume to content.
//!
//! The default tree is made of the built images and of the hive sources in `iso/hives`; a test
//! changes it before it becomes a disk.

use super::dll;
use super::system_root::SystemRoot;
use crate::build::Images;
use crate::paths;
use anyhow::{Context, Result};
use formats::hive::{Hive, reg_text};
use std::collections::BTreeMap;

/// The hives of a system, as NT names them.
pub const HIVES: [&str; 5] = ["SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"];

/// Files by their path on the volume, with `/` between names.
#[derive(Clone, Default)]
pub struct Tree {
    /// Content of each file; `None` is an empty folder.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// The folder of the system.
    root: SystemRoot,
}

impl Tree {
    /// These files, of a system in the usual folder.
    #[cfg(test)]
    pub fn of(files: BTreeMap<String, Option<Vec<u8>>>) -> Self {
        Self {
            files,
            root: SystemRoot::default(),
        }
    }

    /// Where the system is.
    pub const fn root(&self) -> &SystemRoot {
        &self.root
    }

    /// Where a file of System32 is on the volume.
    pub fn system32(&self, name: &str) -> String {
        format!("{}/System32/{name}", self.root.place())
    }

    /// Where a hive is on the volume.
    pub fn hive_path(&self, hive: &str) -> String {
        self.system32(&format!("config/{hive}"))
    }

    /// Puts a file into System32; FAT knows no case: one name, one file.
    pub fn put_in_system32(&mut self, name: &str, bytes: Vec<u8>) {
        let place = self.system32(name);
        self.files
            .retain(|path, _| !path.eq_ignore_ascii_case(&place));
        self.files.insert(place, Some(bytes));
    }

    /// Moves the system, with all that is in its folder, to another one.
    pub fn move_system(&mut self, to: &SystemRoot) {
        let (old, new) = (self.root.place() + "/", to.place() + "/");
        let files = std::mem::take(&mut self.files).into_iter();
        let moved = files.map(|(path, content)| match path.strip_prefix(&old) {
            Some(rest) => (format!("{new}{rest}"), content),
            None => (path, content),
        });
        self.files = moved.collect();
        self.root = to.clone();
    }

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
                tree.put_in_system32(&name, std::fs::read(&path)?);
            }
        }
        for (name, content) in dll::all(images.arch) {
            tree.put_in_system32(name, content);
        }
        for hive in HIVES {
            let path = paths::root().join("iso/hives").join(format!("{hive}.reg"));
            let mut text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            edit(hive, &mut text);
            let bytes = compile(&text).with_context(|| format!("in {hive}.reg"))?;
            tree.files.insert(tree.hive_path(hive), Some(bytes));
        }
        for folder in ["TEMP", "bin"] {
            let place = format!("{}/{folder}", tree.root.place());
            tree.files.insert(place, None);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_moves_with_all_that_is_its_own() {
        let mut tree = Tree::default();
        tree.put_in_system32("a.exe", b"a".to_vec());
        tree.put_in_system32("A.EXE", b"b".to_vec());
        tree.files.insert("ReactOS/TEMP".to_owned(), None);
        tree.files.insert("ReactOS.txt".to_owned(), None);
        tree.move_system(&"WINDOWS".parse().unwrap());
        assert_eq!(tree.hive_path("SAM"), "WINDOWS/System32/config/SAM");
        let paths: Vec<&str> = tree.files.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            ["ReactOS.txt", "WINDOWS/System32/A.EXE", "WINDOWS/TEMP"]
        );
    }
}
