// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of the machine's disk: an MBR with one active FAT32 partition that holds a [`Tree`].
//!
//! The file system is made by mtools, not by our own code, so that the shim's FAT code reads what
//! others wrote and mtools reads what the shim wrote.

use super::tree::Tree;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

/// The partition starts here, in sectors of 512 bytes.
const START: u32 = 2048;

/// A disk of the default size, in MiB.
pub const DEFAULT_SIZE: u32 = 256;

/// Makes the disk image `file` of `size` MiB with the files of `tree`.
pub fn make(file: &Path, size: u32, tree: &Tree) -> Result<()> {
    let sectors = size * 2048 - START;
    let mut image = std::fs::File::create(file)
        .with_context(|| format!("cannot make the disk image {}", file.display()))?;
    image.set_len(u64::from(size) << 20)?;
    let mut mbr = [0u8; 512];
    // Active, FAT32 with LBA; the CHS fields say "see LBA".
    mbr[446..462].copy_from_slice(&[
        0x80, 0xFE, 0xFF, 0xFF, 0x0C, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    mbr[454..458].copy_from_slice(&START.to_le_bytes());
    mbr[458..462].copy_from_slice(&sectors.to_le_bytes());
    mbr[440..444].copy_from_slice(b"SMSS");
    mbr[510..].copy_from_slice(&[0x55, 0xAA]);
    image.write_all(&mbr)?;
    drop(image);

    let volume = volume(file);
    let tracks = sectors.to_string();
    mtool(
        "mformat",
        &[
            "-i",
            &volume,
            "-F",
            "-T",
            &tracks,
            "-h",
            "255",
            "-s",
            "63",
            "-H",
            &START.to_string(),
            "-v",
            "SYSTEM",
            "::",
        ],
    )?;

    fill(file, tree)
}

/// Puts the files of `tree` on the FAT volume of a disk image; one that is there is replaced.
pub fn fill(file: &Path, tree: &Tree) -> Result<()> {
    let volume = volume(file);
    let staging = file.with_extension("files");
    let _ = std::fs::remove_dir_all(&staging);
    for (path, content) in &tree.files {
        let path = staging.join(path);
        match content {
            Some(bytes) => {
                std::fs::create_dir_all(path.parent().context("a file needs a folder")?)?;
                std::fs::write(&path, bytes)?;
            }
            None => std::fs::create_dir_all(&path)?,
        }
    }
    for entry in std::fs::read_dir(&staging)? {
        let path = entry?.path();
        mtool(
            "mcopy",
            &[
                "-i",
                &volume,
                "-s",
                "-Q",
                "-o",
                path.to_str().context("a path is not UTF-8")?,
                "::",
            ],
        )?;
    }
    std::fs::remove_dir_all(&staging)?;
    Ok(())
}

/// Replaces the content of a file on the volume of a disk image.
pub fn write(file: &Path, path: &str, content: &[u8]) -> Result<()> {
    let staged = file.with_extension("staged");
    std::fs::write(&staged, content)?;
    let done = mtool(
        "mcopy",
        &[
            "-o",
            "-i",
            &volume(file),
            staged.to_str().context("a path is not UTF-8")?,
            &format!("::{path}"),
        ],
    );
    std::fs::remove_file(&staged)?;
    done.map(|_| ())
}

/// The name by which mtools reaches the FAT volume in a disk image: the first FAT partition of its
/// MBR, or the whole disk without one.
pub fn volume(file: &Path) -> String {
    format!("{}@@{}", file.display(), offset(file))
}

/// Where the FAT volume of a disk image begins, in bytes.
pub fn offset(file: &Path) -> u64 {
    first_fat_partition(file).unwrap_or(0) * 512
}

fn first_fat_partition(file: &Path) -> Option<u64> {
    const FAT: [u8; 6] = [0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E];
    let mut sector = [0; 512];
    std::fs::File::open(file)
        .ok()?
        .read_exact(&mut sector)
        .ok()?;
    let entries = sector.get(446..510)?.chunks_exact(16);
    let entry = entries
        .filter(|_| sector.ends_with(&[0x55, 0xAA]))
        .find(|entry| FAT.contains(&entry[4]))?;
    Some(u64::from(u32::from_le_bytes(
        entry.get(8..12)?.try_into().ok()?,
    )))
}

/// Every file on the volume of a disk image, as `mdir` lists it.
pub fn list(file: &Path) -> Result<String> {
    mtool("mdir", &["-i", &volume(file), "-/", "-a", "-b", "::"])
}

/// The content of a file on the volume of a disk image.
pub fn read(file: &Path, path: &str) -> Result<Vec<u8>> {
    let output = Command::new("mtype")
        .args(["-i", &volume(file), &format!("::{path}")])
        .env("MTOOLS_SKIP_CHECK", "1")
        .output()?;
    if !output.status.success() {
        bail!(
            "mtype cannot read {path}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}

fn mtool(tool: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(tool)
        .args(arguments)
        .env("MTOOLS_SKIP_CHECK", "1")
        .output()
        .with_context(|| format!("cannot run {tool}"))?;
    if !output.status.success() {
        bail!(
            "{tool} {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
