// SPDX-License-Identifier: GPL-2.0-or-later
//! Replaces one file inside a cabinet (`reactos.cab` of the boot CD).
//!
//! A cabinet is written anew with the same folders, names, attributes and times; only the one file differs.

use anyhow::{Context, Result};
use cab::{Cabinet, CabinetBuilder, CompressionType};
use std::io::{Cursor, Read, Write};

/// A cabinet with one file replaced.
pub struct Change {
    /// The new cabinet.
    pub cabinet: Vec<u8>,
    /// The file's name in it.
    pub name: String,
    /// The file's old content.
    pub old: Vec<u8>,
}

/// Replaces the file named `leaf` whose content `is_it`; `None` if there is none.
pub fn replace(cabinet: &[u8], leaf: &str, new: &[u8], is_it: impl Fn(&[u8]) -> bool) -> Result<Option<Change>> {
    let mut reader = Cabinet::new(Cursor::new(cabinet)).context("reactos.cab is no cabinet")?;
    let mut builder = CabinetBuilder::new();
    let mut names = Vec::new();
    for folder in reader.folder_entries() {
        let target = builder.add_folder(CompressionType::MsZip);
        for file in folder.file_entries() {
            let entry = target.add_file(file.name());
            if let Some(time) = file.datetime() {
                entry.set_datetime(time);
            }
            entry.set_is_read_only(file.is_read_only());
            entry.set_is_hidden(file.is_hidden());
            entry.set_is_system(file.is_system());
            entry.set_is_archive(file.is_archive());
            names.push(file.name().to_owned());
        }
    }
    let is_leaf = |name: &str| name.rsplit(['\\', '/']).next().is_some_and(|last| last.eq_ignore_ascii_case(leaf));
    let mut found = None;
    for name in names.iter().filter(|name| is_leaf(name)) {
        let mut content = Vec::new();
        reader.read_file(name)?.read_to_end(&mut content)?;
        if is_it(&content) {
            found = Some((name.clone(), content));
            break;
        }
    }
    let Some((wanted, old)) = found else { return Ok(None) };
    let mut writer = builder.build(Cursor::new(Vec::new()))?;
    while let Some(mut file) = writer.next_file()? {
        if file.file_name() == wanted {
            file.write_all(new)?;
        } else {
            let name = file.file_name().to_owned();
            std::io::copy(&mut reader.read_file(&name)?, &mut file)?;
        }
    }
    Ok(Some(Change { cabinet: writer.finish()?.into_inner(), name: wanted, old }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cabinet(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = CabinetBuilder::new();
        let folder = builder.add_folder(CompressionType::MsZip);
        for (name, _) in files {
            folder.add_file(*name);
        }
        let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
        let mut contents = files.iter();
        while let Some(mut file) = writer.next_file().unwrap() {
            file.write_all(contents.next().unwrap().1).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn only_the_wanted_file_changes() {
        let before = cabinet(&[("a.txt", b"one"), ("smss.exe", b"old image"), ("z.txt", b"two")]);
        let change = replace(&before, "smss.exe", b"new", |bytes| bytes.starts_with(b"old")).unwrap().unwrap();
        assert_eq!(change.old, b"old image");
        let mut after = Cabinet::new(Cursor::new(change.cabinet)).unwrap();
        for (name, content) in [("a.txt", &b"one"[..]), ("smss.exe", b"new"), ("z.txt", b"two")] {
            let mut have = Vec::new();
            after.read_file(name).unwrap().read_to_end(&mut have).unwrap();
            assert_eq!(have, content, "{name}");
        }
    }

    #[test]
    fn a_cabinet_without_it_is_left_alone() {
        let before = cabinet(&[("smss.exe", b"setup program")]);
        assert!(replace(&before, "smss.exe", b"new", |_| false).unwrap().is_none());
    }
}
